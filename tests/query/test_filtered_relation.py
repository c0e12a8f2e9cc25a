"""FilteredRelation: a relation joined under a condition."""

from typing import Any

import pytest

from ormolu import (
    CASCADE,
    Case,
    CharField,
    Count,
    F,
    FieldError,
    FilteredRelation,
    ForeignKey,
    IntegerField,
    ManyToManyField,
    Model,
    Q,
    Sum,
    When,
)
from ormolu.query.lookups import Exact
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


async def test_many_to_many_relations(books, world: World):
    """Over a table in between, the condition is about its far end."""
    tagged = FilteredRelation("tags", condition=Q(tags__label="x"))
    found = Poem.objects.annotate(tagged=tagged).filter(tagged__isnull=False)
    assert [b.title for b in await world.list(found)] == ["a1"]


async def test_forward_relations(books, world: World):
    """Over a key that can't be NULL the join is an inner one (as Django's): the others' rows go."""
    writer = FilteredRelation("author", condition=Q(author__name="b"))
    written = Poem.objects.annotate(writer=writer)
    assert [b.writer.name for b in await world.list(written.select_related("writer"))] == ["b"]
    assert await world.list(written.filter(writer__isnull=True)) == []
    assert await world(written.count) == 3  # nothing reads it, so it isn't joined


async def test_related_objects_come_along(books, world: World, queries: Any):
    """select_related() puts the joined object under the name, with those behind it; defer() reaches into it."""
    found = Poet.objects.annotate(long=LONG).select_related("long__author").order_by("name")
    before = len(queries)
    rows = await world.list(found)
    assert [getattr(poet.long, "title", None) for poet in rows] == ["a1", None, None]
    assert rows[0].long.author is not None
    assert len(queries) == before + 1
    lazy = (await world.list(found.defer("long__pages")))[0].long
    assert lazy.get_deferred_fields() == {"pages"}
    with pytest.raises(ValueError, match="not supported"):
        found.only("long__title")
    plain = (await world.list(Poet.objects.annotate(long=LONG).select_related("long").order_by("name")))[0]
    assert plain.long.author is plain


async def test_relations_behind_relations(books, world: World):
    """The relations on the way are joined once, and the condition speaks of them."""
    themes = FilteredRelation("books__tags", condition=Q(books__pages__gt=50))
    found = Poet.objects.annotate(theme=themes).filter(theme__isnull=False)
    rows = found.order_by("theme__label").values_list("name", "theme__label")
    assert await world.list(rows) == [("a", "x"), ("a", "y")]
    assert await world.list(found.filter(theme__label="x").filter(theme__label="y")) == []


async def test_relations_of_filtered_relations(books, world: World):
    """One may begin with the name of another, which may be a relation's name, too."""
    found = Poet.objects.annotate(
        short=FilteredRelation("books", condition=Q(books__pages__lt=50)),
        tags=FilteredRelation("short__tags", condition=Q(short__tags__label="y")),
    )
    rows = found.order_by("name").values_list("name", "short__title", "tags__label")
    assert await world.list(rows) == [("a", "a2", "y"), ("b", "b1", None), ("c", None, None)]


async def test_a_condition_may_read_other_relations(books, world: World):
    """Their tables are joined before; expressions may stand in it."""
    echo = FilteredRelation("tags", condition=Q(tags__label__lt=F("author__name")))
    await world(
        (await world(Theme.objects.create, label="0")).books.set, await world.list(Poem.objects.all())
    )
    found = Poem.objects.annotate(echo=echo).filter(echo__isnull=False)
    assert await world.list(found.values_list("title", "echo__label")) == [
        ("a1", "0"),
        ("a2", "0"),
        ("b1", "0"),
    ]
    by_case = Q(Case(When(books__pages__gt=50, then=True), default=False), Exact(F("books__title"), "a1"))
    long = Poet.objects.annotate(long=FilteredRelation("books", condition=by_case))
    assert [p.name for p in await world.list(long.filter(long__isnull=False))] == ["a"]
    near = FilteredRelation("books__tags", condition=Q(Exact(F("books__author__name"), "a")))
    labels = Poet.objects.annotate(near=near).exclude(near__label=None).values_list("near__label", flat=True)
    assert sorted(await world.list(labels)) == ["0", "0", "x", "y", "y"]


async def test_excluding(books, world: World):
    """exclude() leaves out whoever has such a related row."""
    long = Poet.objects.annotate(long=LONG)
    assert [a.name for a in await world.list(long.exclude(long__isnull=False))] == ["b", "c"]
    assert [a.name for a in await world.list(long.exclude(long__title="a1"))] == ["b", "c"]


async def test_dictionaries_have_no_relation(books, world: World):
    """values() without names gives the columns."""
    (row,) = await world.list(Poet.objects.annotate(long=LONG).filter(long__title="a1").values())
    assert set(row) == {"id", "name"}


def test_what_makes_no_sense_is_refused():
    """An empty name, a condition that is no Q, one that reaches further than the relation, and more."""
    with pytest.raises(ValueError, match="empty"):
        FilteredRelation("", condition=Q(a=1))
    with pytest.raises(ValueError, match="Q"):
        FilteredRelation("books", condition="pages > 1")
    with pytest.raises(ValueError, match="QuerySet"):
        FilteredRelation("books", condition=Q(books__in=Poem.objects.all()))
    for relation, condition, problem in (
        ("books", Q(books__tags__label="x"), "deeper"),
        ("books", Q(books__tags__label__startswith="x"), "deeper"),
        ("books__tags", Q(books__author__name__startswith="x"), "outside"),
        ("books__title", Q(), "lookups"),
        ("books__title__icontains", Q(), "lookups"),
    ):
        with pytest.raises(ValueError, match=problem):
            Poet.objects.annotate(some=FilteredRelation(relation, condition=condition))
    with pytest.raises(ValueError, match="periods"):
        Poet.objects.annotate(**{"a.b": LONG})
    with pytest.raises(FieldError, match="'boks'.*'books'"):
        Poet.objects.annotate(some=FilteredRelation("boks"))


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


async def test_what_a_forward_relation_leaves_out_is_not_counted(books, world: World):
    """A foreign key that isn't null is joined by INNER JOIN: rows whose row fails the condition are gone for all."""
    by_a = FilteredRelation("author", condition=Q(author__name="a"))
    poems = Poem.objects.alias(poet=by_a).annotate(name=F("poet__name")).order_by("title")
    assert await world.list(poems.values_list("title", "name")) == [("a1", "a"), ("a2", "a")]
    assert await world.list(poems.values_list("title", flat=True)) == ["a1", "a2"]
    assert await world(poems.count) == 2
    assert await world(poems.aggregate, pages=Sum("pages")) == {"pages": 100}
    assert not await world(poems.filter(title="b1").exists)
