"""A model of several concrete parents: one object, a row in each parent's table, one mapped class."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from ormolu import (
    AutoField,
    CharField,
    DateTimeField,
    F,
    FieldError,
    ForeignKey,
    IntegerField,
    ManyToManyField,
    Model,
    OneToOneField,
    create_tables,
    databases,
    drop_tables,
)
from ormolu.models import CASCADE
from ormolu.models.registry import isolated
from ormolu.signals import post_save
from support.backends import Backend
from support.worlds import World

DEPRECATED = r"positional arguments to save\(\)"


class Herald(Model):
    herald_name = CharField(max_length=20)


class Courier(Model):
    courier_id = AutoField(primary_key=True)
    speed = IntegerField(default=1, db_column="velocity")
    seen = DateTimeField(auto_now=True)
    chief: Any = ForeignKey("self", on_delete=CASCADE, null=True, related_name="staff")
    stations = ManyToManyField(Herald, related_name="couriers")


class Postman(Herald, Courier):
    bag = IntegerField(default=0)


class HeadPostman(Postman):
    rank = IntegerField(default=1)


class Postage(Model):
    postman: Any = ForeignKey(Courier, on_delete=CASCADE, related_name="postages")


class Vessel(Model):
    mass = IntegerField(default=0)


class Sailing(Vessel):
    sailing: Any = OneToOneField(Vessel, on_delete=CASCADE, primary_key=True, parent_link=True)
    masts = IntegerField(default=1)


class Steaming(Vessel):
    steaming: Any = OneToOneField(Vessel, on_delete=CASCADE, primary_key=True, parent_link=True)
    boilers = IntegerField(default=1)


class SteamSailer(Sailing, Steaming):
    crew = IntegerField(default=0)


class SlowSailer(SteamSailer):
    class Meta:
        proxy = True


class LightSailer(SteamSailer):
    class Meta:
        proxy = True


class SlowLightSailer(SlowSailer, LightSailer):
    class Meta:
        proxy = True


@pytest.fixture
def postman(db: Backend) -> Postman:
    """One whose parents' keys differ."""
    Courier.objects.create(speed=9)
    return Postman.objects.create(herald_name="hermes", speed=5, bag=3)


async def test_a_row_in_each_table_makes_one_object(postman: Postman, world: World, queries: Any) -> None:
    """Every parent has a row; one SELECT joins them all; isinstance() holds for all parents."""
    assert (postman.courier_id, postman.courier_ptr_id) != (postman.id, postman.herald_ptr_id)
    assert isinstance(postman, Herald)
    assert isinstance(postman, Courier)
    queries.clear()
    found = await world(Postman.objects.get, herald_name="hermes", speed=5, bag=3)
    assert len(queries) == 1
    assert (found.pk, found.id, found.courier_id, found.speed) == (
        postman.pk,
        postman.id,
        postman.courier_id,
        5,
    )
    assert [f.name for f in Postman._meta.fields if f.model is Courier] == [
        "courier_id",
        "speed",
        "seen",
        "chief",
    ]
    assert list(Postman._meta.parents) == [Herald, Courier]


async def test_lookups_orders_and_values_reach_every_parent(postman: Postman, world: World) -> None:
    """From the child to each parent's columns and relations, and back by the child's name."""
    await world(postman.stations.add, postman)
    await world(Postage.objects.create, postman=postman)
    assert await world.list(Postman.objects.order_by("-speed").values_list("herald_name", "speed")) == [
        ("hermes", 5)
    ]
    assert await world(Courier.objects.get, postman__herald_name="hermes") == await world(
        Courier.objects.get, pk=postman.courier_id
    )
    assert (
        await world(Postman.objects.filter(postages__isnull=False, stations__herald_name="hermes").count) == 1
    )
    assert await world(Postman.objects.exclude(postages__postman__speed=5).count) == 0
    courier = await world(Courier.objects.select_related("postman").get, speed=5)
    assert courier.postman == postman
    assert courier.postman.herald_name == "hermes"
    partly = await world(Postman.objects.only("speed").get)
    assert partly.get_deferred_fields() >= {"herald_name", "bag", "seen"}
    assert partly.speed == 5


async def test_changes_reach_every_table(postman: Postman, world: World) -> None:
    """save() writes the tables that changed; update() and update_fields, too."""
    postman.herald_name, postman.speed, postman.bag = "iris", 6, 4
    await world(postman.save)
    assert await world.list(Herald.objects.values_list("herald_name", flat=True)) == ["iris"]
    assert await world(Postman.objects.filter(herald_name="iris").update, speed=F("speed") + 1, bag=7) == 1
    await world(postman.refresh_from_db)
    assert (postman.speed, postman.bag) == (7, 7)
    postman.speed, postman.bag = 8, 8
    await world(postman.save, update_fields=["speed"])
    assert await world.list(Postman.objects.values_list("speed", "bag")) == [(8, 7)]


async def test_delete_takes_all_rows(postman: Postman, world: World) -> None:
    """The parents' rows go with the child's, whichever it is found by; so does what refers to them."""
    other = await world(HeadPostman.objects.create, herald_name="x", speed=2)
    await world(Postage.objects.create, postman=other)
    count, by_model = await world(postman.delete)
    assert count == 3
    assert set(by_model) == {m._meta.label for m in (Postman, Herald, Courier)}
    await world(Courier.objects.filter(pk=other.courier_id).delete)
    assert await world(Herald.objects.count) == await world(HeadPostman.objects.count) == 0
    assert await world(Courier.objects.count) == 1


async def test_a_copy_has_rows_of_its_own(postman: Postman, world: World) -> None:
    """With pk = None (and the first parent's key) the next save() inserts into all tables."""
    copy = await world(Postman.objects.get, pk=postman.pk)
    copy.pk = None
    copy.id = None
    copy._state.adding = True
    copy.herald_name = "copy"
    await world(copy.save)
    assert await world(Postman.objects.count) == 2
    assert (await world(Postman.objects.get, pk=postman.pk)).herald_name == "hermes"


@pytest.mark.usefixtures("postman")
async def test_a_copy_of_a_grandchild_has_rows_of_its_own(world: World) -> None:
    """The links in between are emptied with the primary key."""
    head = await world(HeadPostman.objects.create, herald_name="head", speed=4)
    head.pk = None
    head.id = None
    head.courier_id = head.courier_ptr_id = None
    head._state.adding = True
    await world(head.save)
    assert await world(HeadPostman.objects.count) == 2
    assert await world(Herald.objects.count) == 3


async def test_parents_objects_need_no_query(postman: Postman, world: World, queries: Any) -> None:
    """They are made of the child's columns; a changed link changes the key that the child has of that parent."""
    head = await world(HeadPostman.objects.create, herald_name="head", speed=4)
    found = await world(HeadPostman.objects.get, pk=head.pk)
    found.speed = 11
    queries.clear()
    parent = found.postman_ptr
    assert type(parent) is Postman
    assert (parent.herald_name, parent.speed) == ("head", 11)
    assert (parent.courier_ptr.speed, parent.courier_ptr.postman) == (11, parent)
    assert not queries
    await world(parent.courier_ptr.save)
    assert (await world(Courier.objects.get, pk=head.courier_id)).speed == 11
    other = await world(Courier.objects.create, speed=1)
    parent.courier_ptr = other
    assert parent.courier_id == other.pk


@pytest.mark.worlds("sync")
def test_the_parents_of_objects_loaded_together_are_peers(postman: Postman, queries: Any) -> None:
    """One query loads what the parents of all children lack."""
    chief = Courier.objects.create(speed=3)
    for name in "ab":
        Postman.objects.create(herald_name=name, chief=chief)
    found = list(Postman.objects.filter(chief=chief))
    queries.clear()
    assert [p.courier_ptr.chief.speed for p in found] == [3, 3]
    assert len(queries) == 1


async def test_a_relation_that_the_parents_object_holds_is_the_childs(
    postman: Postman, world: World, queries: Any
):
    """From the parent over the one-to-one link down, what the parent holds isn't loaded again."""
    chief = await world(Courier.objects.create, speed=3)
    await world(Courier.objects.filter(pk=postman.courier_id).update, chief=chief)
    courier = await world(Courier.objects.select_related("chief", "postman").get, pk=postman.courier_id)
    queries.clear()
    assert courier.postman.chief is courier.chief
    assert not queries


async def test_a_diamond_has_one_row_at_its_top(db: Backend, world: World, queries: Any) -> None:
    """Each table is written once, and the keys of all rows are the same."""
    made = await world(SteamSailer.objects.create, mass=7, masts=2, boilers=3, crew=4)
    inserts = [sql for sql in queries.sql if sql.startswith("INSERT")]
    assert len(inserts) == 4
    found = await world(SteamSailer.objects.get, mass=7, boilers=3)
    assert {found.pk, found.id, found.sailing_id, found.steaming_id, found.steaming_ptr_id} == {made.pk}
    assert SteamSailer._meta.get_parent_list() == [Sailing, Steaming, Vessel]
    assert SteamSailer._meta.get_ancestor_link(Vessel).name == "sailing_ptr"
    found.mass, found.boilers = 8, 9
    await world(found.save)
    assert await world(Steaming.objects.filter(mass=8, boilers=9, steamsailer__crew=4).count) == 1
    assert (await world(found.delete))[0] == 4
    assert await world(Vessel.objects.count) == 0


async def test_insertion_may_be_forced_for_some_parents(db: Backend, world: World, queries: Any) -> None:
    """`force_insert` takes a tuple of parents; those that are not meant are updated if they are there."""
    vessel = await world(Vessel.objects.create)
    sailer = SteamSailer(pk=vessel.pk, mass=5)
    queries.clear()
    await world(sailer.save, force_insert=(Sailing, Steaming))
    sent = [sql.split()[0] for sql in queries.sql if sql.split()[0] in ("INSERT", "UPDATE")]
    assert sent == ["UPDATE", "INSERT", "INSERT", "INSERT"]
    assert (await world(Vessel.objects.get)).mass == 5
    with pytest.raises(TypeError, match="force_insert must be a bool or tuple"):
        await world(sailer.save, force_insert=[])


async def test_proxies_of_proxies(db: Backend, world: World) -> None:
    """A proxy may derive from several proxies of one model."""
    made = await world(SlowLightSailer.objects.create, mass=1, boilers=2)
    assert isinstance(made, SlowSailer)
    assert isinstance(made, LightSailer)
    assert await world(SlowLightSailer.objects.get, boilers=2) == made
    assert SlowLightSailer._meta.concrete_model is SteamSailer
    assert list(SlowLightSailer._meta.parents) == [SteamSailer]


async def test_a_raw_save_writes_one_table_as_it_is(db: Backend, world: World) -> None:
    """save_base(raw=True) leaves parents alone and stamps nothing; receivers are told."""
    told: list[Any] = []

    def note(sender: Any, raw: bool, **_: Any) -> None:
        told.append((sender, raw))

    herald = await world(Herald.objects.create, herald_name="h")
    courier = Courier(courier_id=5, speed=2, seen=None)
    post_save.connect(note)
    try:
        with pytest.raises(Exception, match=r"(?i)null"):  # auto_now isn't asked
            async with world.atomic():
                await world(courier.save_base, raw=True)
        await world(courier.save)
        postman = Postman(herald_ptr_id=herald.pk, courier_ptr_id=5, bag=1)
        await world(postman.save_base, raw=True)
    finally:
        post_save.disconnect(note)
    assert told == [(Courier, False), (Postman, True)]
    found = await world(Postman.objects.get)
    assert (found.herald_name, found.speed, found.bag) == ("h", 2, 1)


@pytest.mark.worlds("sync")
def test_positions_of_save_are_deprecated(postman: Postman) -> None:
    """They are understood, with a warning that names the caller's line."""
    with pytest.warns(DeprecationWarning, match=DEPRECATED) as warned:
        postman.save(False, True)
    assert warned[0].filename == __file__
    with (
        pytest.warns(DeprecationWarning, match=DEPRECATED),
        pytest.raises(TypeError, match="multiple values for argument 'using'"),
    ):
        postman.save(False, False, None, using="default")
    with (
        pytest.warns(DeprecationWarning, match=DEPRECATED),
        pytest.raises(TypeError, match="from 1 to 5 positional arguments"),
    ):
        postman.save(False, False, None, None, None)


@pytest.mark.worlds("sync")
def test_sqlalchemy_sees_one_mapped_class(postman: Postman) -> None:
    """select() joins all tables; a Session inserts, changes and deletes a row in each."""
    with Session(databases.get().engine) as session:
        found = session.scalars(select(Postman).where(Postman.speed == 5)).one()
        assert (found.herald_name, found.bag, found.courier_ptr_id) == ("hermes", 3, postman.courier_id)
        found.speed = 6
        made = HeadPostman(herald_name="new", speed=1, chief=Courier(speed=77))
        session.add(made)
        session.add(SteamSailer(mass=1, masts=2, boilers=3))
        session.commit()
        assert (made.courier_id, made.chief.speed) == (made.courier_ptr_id, 77)
        assert {s.boilers for s in session.scalars(select(SteamSailer))} == {3}
        session.delete(session.scalars(select(SteamSailer)).one())
        session.delete(found)
        session.commit()
    assert Vessel.objects.count() == 0
    assert list(Postman.objects.values_list("herald_name", "speed")) == [("new", 1)]
    assert Postman.__table__ is Postman._meta.table
    assert Postman.__bases__ == (Herald, Courier)


@pytest.mark.worlds("sync")
def test_columns_may_be_declared_as_in_sqlalchemy_and_later(db: Backend) -> None:
    """A field that is added to the class when it exists is one more column of its own table."""
    with isolated():

        class Left(Model):
            left_id = AutoField(primary_key=True)

        class Right(Model):
            right_id = AutoField(primary_key=True)

        class Both(Left, Right):
            pass

        Both.add_to_class("late", IntegerField(default=3))
        assert "late" in Both._meta.table.columns
        assert "late" in str(select(Both))


@pytest.mark.worlds("sync")
def test_a_field_that_a_parent_gets_later_is_its_childrens(db: Backend) -> None:
    """Of children of its chain, of further parents' and of proxies: read, set and saved as any other."""
    with isolated():

        class Stem(Model):
            stem_id = AutoField(primary_key=True)

        class Leaf(Model):
            leaf_id = AutoField(primary_key=True)

        class Plant(Stem, Leaf):
            pass

        class PottedPlant(Plant):
            class Meta:
                proxy = True

        Stem.add_to_class("height", IntegerField(default=1))
        Leaf.add_to_class("veins", IntegerField(default=2))
        Leaf.add_to_class("twig", ForeignKey(Stem, on_delete=CASCADE, null=True, related_name="+"))
        Leaf.add_to_class("shades", ManyToManyField(Stem, related_name="+"))
        create_tables(Plant)
        made: Any = PottedPlant.objects.create(height=3, veins=4)
        made.height, made.veins, made.twig = 5, 6, made
        made.save()
        made.shades.add(made)
        for model in (Plant, PottedPlant):
            found: Any = model._default_manager.get(height=5, veins=6, shades__height=5)
            assert found.twig_id == made.pk
        with Session(databases.get().engine) as session:
            assert session.scalars(select(Plant)).one().veins == 6
        drop_tables(Plant)


@pytest.mark.worlds("sync")
def test_parents_with_a_field_of_one_name_are_refused() -> None:
    """Two keys called `id`, above all: the error names both."""
    with (
        isolated(),
        pytest.raises(FieldError, match=r"'id' from parent model .*One.* clashes .*'id' from parent.*Two"),
    ):

        class One(Model):
            pass

        class Two(Model):
            pass

        class OneAndTwo(One, Two):
            pass


@pytest.mark.worlds("sync")
def test_only_a_parent_link_links_to_the_parent() -> None:
    """A one-to-one relation to the parent is one, unless it says parent_link=True; also one in an abstract base."""
    with isolated():

        class Tree(Model):
            pass

        class Sapling(Tree):
            mother: Any = OneToOneField(Tree, on_delete=CASCADE, related_name="child_of")

        class Rooted(Model):
            root: Any = OneToOneField("Tree", on_delete=CASCADE, parent_link=True)

            class Meta:
                abstract = True

        class Oak(Rooted, Tree):
            pass

        assert Sapling._meta.parents[Tree].name == "tree_ptr"
        assert Oak._meta.parents[Tree].name == Oak._meta.pk.name == "root"
