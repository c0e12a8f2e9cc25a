"""FilteredRelation: a relation joined under a condition."""

from typing import Any

import pytest

from ormolu import CharField, Count, F, ForeignKey, IntegerField, ManyToManyField, Model, Q, Sum
from ormolu.models import CASCADE
from ormolu.query import FilteredRelation
from support.backends import Backend
from support.worlds import World


class Poet(Model):
    name = CharField(max_length=20)

    class Meta:
        ordering = ["name"]


class Theme(Model):
    label = CharField(max_length=20)


class Poem(Model):
    title = CharField(max_length=20)
    pages = IntegerField()
    author: Any = ForeignKey(Poet, on_delete=CASCADE, related_name="books")
    tags: Any = ManyToManyField(Theme, related_name="books")

    class Meta:
        ordering = ["title"]


class Epic(Poem):
    heroes = IntegerField(default=0)
    source: Any = ForeignKey(Poem, null=True, on_delete=CASCADE, related_name="retold")


MODELS = [Poet, Theme, Poem, Epic]


@pytest.fixture
def books(db: Backend) -> Any:
    """Poet a has a long and a short book, b a short one, c none."""
    a, b = Poet.objects.create(name="a"), Poet.objects.create(name="b")
    Poet.objects.create(name="c")
    x, y = Theme.objects.create(label="x"), Theme.objects.create(label="y")
    for title, pages, author, tags in (("a1", 90, a, [x, y]), ("a2", 10, a, [y]), ("b1", 20, b, [])):
        Poem.objects.create(title=title, pages=pages, author=author).tags.set(tags)
    return Poem.objects.all()


LONG = FilteredRelation("books", condition=Q(books__pages__gt=50))


async def test_rows_without_a_related_row_stay(books, world: World):
    """The condition is part of ON: other authors have NULLs, and no title."""
    found = Poet.objects.annotate(long=LONG).order_by("name").values_list("name", "long__title")
    assert await world.list(found) == [("a", "a1"), ("b", None), ("c", None)]


async def test_filters_speak_of_the_one_join(books, world: World):
    """All filter() calls on the name concern the same joined row."""
    long = Poet.objects.annotate(long=LONG)
    assert [a.name for a in await world.list(long.filter(long__title="a1").filter(long__pages=90))] == ["a"]
    assert await world.list(long.filter(long__title="a2")) == []
    assert [a.name for a in await world.list(long.filter(long__isnull=True))] == ["b", "c"]


async def test_aggregates_take_the_joined_rows(books, world: World):
    """Counting a filtered relation counts what meets the condition; the whole relation is another join."""
    short = FilteredRelation("books", condition=Q(books__pages__lt=50))
    found = Poet.objects.annotate(short=short).annotate(n=Count("short"), pages=Sum("short__pages"))
    rows = found.order_by("name").values_list("name", "n", "pages")
    assert await world.list(rows) == [("a", 1, 10), ("b", 1, 20), ("c", 0, None)]


async def test_other_values_are_other_conditions(books, world: World):
    """Two queries of one shape keep their values apart."""
    for limit, expected in ((50, ["a"]), (15, ["a", "b"])):
        some = FilteredRelation("books", condition=Q(books__pages__gt=limit))
        found = Poet.objects.annotate(some=some).filter(some__isnull=False).distinct()
        assert [a.name for a in await world.list(found)] == expected


async def test_a_condition_may_read_the_model_itself(books, world: World):
    """Names that don't go through the relation are the model's own; F() reads it, too."""
    condition = Q(books__title__startswith=F("name"), name="a") & ~Q(books__pages=10)
    found = Poet.objects.annotate(own=FilteredRelation("books", condition=condition))
    assert await world.list(found.order_by("name").values_list("name", "own__title")) == [
        ("a", "a1"),
        ("b", None),
        ("c", None),
    ]


async def test_many_to_many_and_single_relations(books, world: World):
    """Over a table in between; and forward, where select_related() gives None for what the condition leaves out."""
    tagged = FilteredRelation("tags", condition=Q(tags__label="x"))
    found = Poem.objects.annotate(tagged=tagged).filter(tagged__isnull=False)
    assert [b.title for b in await world.list(found)] == ["a1"]
    writer = FilteredRelation("author", condition=Q(author__name="b"))
    rows = await world.list(Poem.objects.annotate(writer=writer).select_related("writer"))
    assert [getattr(b.writer, "name", None) for b in rows] == [None, None, "b"]


def test_what_makes_no_sense_is_refused():
    """An empty name, a condition that is no Q, one that reaches further than the relation."""
    with pytest.raises(ValueError, match="empty"):
        FilteredRelation("", condition=Q(a=1))
    with pytest.raises(ValueError, match="Q"):
        FilteredRelation("books", condition="pages > 1")
    with pytest.raises(ValueError, match="deeper"):
        FilteredRelation("books", condition=Q(publisher__city__name="x"))


async def test_the_condition_may_be_about_columns_of_a_parent(books, world: World):
    """The parent's row is joined within the relation, so that the others stay."""
    poet = await world(Poet.objects.get, name="c")
    for title, pages in (("e1", 5), ("e2", 500)):
        await world(Epic.objects.create, title=title, pages=pages, author=poet)
    long = FilteredRelation("epic", condition=Q(epic__pages__gt=50))
    found = Poem.objects.filter(title__startswith="e").annotate(long=long).values_list("title", "long__title")
    assert await world.list(found.order_by("title")) == [("e1", None), ("e2", "e2")]


async def test_several_aggregates_count_their_own(books, world: World):
    """One over the name, one over another relation: each is right, as without FilteredRelation."""
    found = Poem.objects.annotate(
        short=FilteredRelation("tags", condition=Q(tags__label="x")), n=Count("short"), m=Count("retold")
    )
    assert await world.list(found.values_list("title", "n", "m")) == [
        ("a1", 1, 0),
        ("a2", 0, 0),
        ("b1", 0, 0),
    ]
