"""Children of concrete models: their parents' columns are read, filtered and updated as their own."""

from typing import Any

import pytest

from ormolu import BooleanField, CharField, ForeignKey, IntegerField, Max, Model, OneToOneField, Sum
from ormolu.models import CASCADE
from support.backends import Backend
from support.worlds import World


class Place(Model):
    name = CharField(max_length=20)
    seats = IntegerField(default=0)

    class Meta:
        ordering = ["name"]


class Restaurant(Place):
    hot_dogs = BooleanField(default=False)


class Trattoria(Restaurant):
    pasta = IntegerField(default=0)


class Favourite(Trattoria):
    class Meta:
        proxy = True


class Verdict(Model):
    place: Any = ForeignKey(Place, on_delete=CASCADE, related_name="reviews")
    text = CharField(max_length=20)


class Badge(Model):
    place: Any = OneToOneField(Place, on_delete=CASCADE, primary_key=True, related_name="badge")


@pytest.fixture
def trattoria(db: Backend) -> Trattoria:
    """A grandchild with a review, and a plain place beside it."""
    Place.objects.create(name="bench", seats=3)
    made = Favourite.objects.create(name="luigi", seats=20, hot_dogs=True, pasta=4)
    Verdict.objects.create(place=made, text="good")
    return made


async def test_rows_of_three_tables_make_one_object(trattoria, world: World, queries):
    """One SELECT joins the parents."""
    queries.clear()
    found = await world(Trattoria.objects.get, name="luigi", hot_dogs=True, pasta=4)
    assert (found.pk, found.id, found.name, found.seats, found.pasta) == (
        trattoria.pk,
        found.pk,
        "luigi",
        20,
        4,
    )
    assert len(queries) == 1


async def test_a_key_needs_no_join(trattoria, world: World, queries):
    """A child's key is its parents': asking for it, or selecting own columns only, reads one table."""
    queries.clear()
    assert await world(Trattoria.objects.filter(id=trattoria.pk).exists)
    assert await world.list(Trattoria.objects.order_by().values_list("pasta", "pk")) == [(4, trattoria.pk)]
    assert not [sql for sql in queries.sql if "JOIN" in sql]


async def test_lookups_cross_from_parent_to_child_and_back(trattoria, world: World):
    """From the parent down by the children's names; from the child over the parent's relations."""
    assert [p.name for p in await world.list(Place.objects.filter(restaurant__trattoria__pasta=4))] == [
        "luigi"
    ]
    assert await world(Trattoria.objects.filter(reviews__text="good").count) == 1
    assert await world(Trattoria.objects.exclude(reviews__text="good").count) == 0
    assert await world(Trattoria.objects.aggregate, Sum("seats"), Max("name")) == {
        "seats__sum": 20,
        "name__max": "luigi",
    }


async def test_children_come_along_with_select_related(trattoria, world: World, queries):
    """Down the one-to-one links with one SELECT; the parent's columns aren't read twice."""
    queries.clear()
    places = await world.list(Place.objects.filter(name="luigi").select_related("restaurant__trattoria"))
    assert places[0].restaurant.trattoria.name == "luigi"
    assert len(queries) == 1
    assert queries[0].sql.count("JOIN") == 2


@pytest.mark.worlds("sync")
def test_a_parents_key_is_known_without_a_query(trattoria, world: World, queries):
    """only() loads the link; the parents' keys have its value."""
    found = Trattoria.objects.only("pasta").get()
    queries.clear()
    assert (found.id, found.restaurant_ptr_id) == (trattoria.pk, trattoria.pk)
    assert not queries
    assert found.name == "luigi"
    assert len(queries) == 1


async def test_an_update_reaches_all_tables(trattoria, world: World):
    """One UPDATE a table, of the rows that matched before the first of them."""
    assert (
        await world(Trattoria.objects.filter(name="luigi").update, name="gino", hot_dogs=False, pasta=5) == 1
    )
    found = await world(Trattoria.objects.get)
    assert (found.name, found.hot_dogs, found.pasta) == ("gino", False, 5)
    assert await world(Place.objects.get, name="bench")


async def test_a_proxy_of_a_child_is_that_child(trattoria, world: World):
    """Its key, its tables and its rows are those of the model it stands for."""
    assert Favourite._meta.pk is Trattoria._meta.pk
    found = await world(Favourite.objects.get, pk=trattoria.pk)
    assert type(found) is Favourite
    found.name = "rosa"
    await world(found.save)
    assert (await world(Place.objects.get, pk=trattoria.pk)).name == "rosa"


async def test_select_related_without_names_leaves_parents_alone(trattoria, world: World, queries):
    """The link to the parent is no relation to follow: its columns are the child's."""
    queries.clear()
    found = (await world.list(Trattoria.objects.select_related()))[0]
    assert "restaurant_ptr" not in found.__dict__


async def test_delete_can_leave_the_parents_rows(trattoria, world: World):
    """delete(keep_parents=True) deletes the row in the child's table alone."""
    pk = trattoria.pk
    await world(trattoria.delete, keep_parents=True)
    assert await world(Trattoria.objects.count) == 0
    assert await world(Restaurant.objects.filter(pk=pk).exists)
    assert await world(Verdict.objects.count) == 1


async def test_an_object_stands_for_its_key_that_is_a_relation(trattoria, world: World):
    """`pk=` takes an object, or objects, of the model whose primary key is a one-to-one relation."""
    badge = await world(Badge.objects.create, place_id=trattoria.pk)
    assert await world(Badge.objects.get, pk=badge) == badge
    assert await world(Badge.objects.get, place=badge) == badge
    assert await world.list(Badge.objects.filter(pk__in=Badge.objects.all())) == [badge]
    assert await world.list(Badge.objects.filter(pk__in=[badge])) == [badge]
    with pytest.raises(ValueError, match='Must be "Place" instance'):
        await world(Badge.objects.get, place=Verdict(pk=1))


async def test_only_may_follow_the_link_to_the_parent(trattoria, world: World):
    """Naming a column of the parent over the link is no error; it is the parent's object that has it then."""
    found = await world(Restaurant.objects.only("place_ptr", "place_ptr__name").get, pk=trattoria.pk)
    assert found.pk == trattoria.pk
    assert "hot_dogs" in found.get_deferred_fields()


async def test_an_update_counts_each_row_once(trattoria, world: World):
    """Also where the condition finds it several times, and the column is in a parent's table."""
    await world(Verdict.objects.create, place=trattoria, text="good")
    assert await world(Trattoria.objects.filter(reviews__text="good").update, seats=7) == 1
    assert (await world(Place.objects.get, pk=trattoria.pk)).seats == 7
