"""`queryset.as_schema()`: what it gives, with which queries and columns, in both worlds."""

from __future__ import annotations

import re
from operator import itemgetter
from typing import Any

import pytest
from pydantic import AliasPath, BaseModel, ConfigDict, Field, ValidationError, computed_field

import ormolu
from ormolu import CharField, Count, FieldError, ManyToManyField, Model, Prefetch
from ormolu.schemas import Schema, schema_for
from schemas.shelf import MODELS as SHELF
from schemas.shelf import (
    ShelfAuthor,
    ShelfBook,
    ShelfCountry,
    ShelfPublisher,
    ShelfTag,
    fill,
)


class Crate(Model):
    """Its tags are required, of who makes one."""

    name = CharField(max_length=20)
    tags = ManyToManyField(ShelfTag, related_name="+")

    class Meta:
        app_label = "shelf"


MODELS = [*SHELF, Crate]


class CountryOut(Schema):
    class Meta:
        model = ShelfCountry
        fields = ("name",)


class PublisherOut(Schema):
    class Meta:
        model = ShelfPublisher
        fields = ("name", "country")
        nested = {"country": CountryOut}


class TagOut(Schema):
    class Meta:
        model = ShelfTag
        fields = ("name",)


class BookOut(Schema):
    class Meta:
        model = ShelfBook
        fields = ("title", "publisher", "tags")
        nested = {"publisher": PublisherOut, "tags": TagOut}


class AuthorOut(Schema):
    class Meta:
        model = ShelfAuthor
        fields = ("id", "name", "books")
        nested = {"books": BookOut}


@pytest.fixture
def filled(db: Any) -> None:
    """Make the shelf's rows."""
    fill()


def columns(sql: str) -> set[str]:
    """Return the columns that a SELECT names before its FROM, without tables."""
    return set(re.findall(r'\."(\w+)"', sql.partition("FROM")[0]))


async def test_rows_are_schemas(filled: Any, world: Any) -> None:
    """Each row is a schema, with what lies below it, all the way down."""
    ann, bob = await world.list(ShelfAuthor.objects.order_by("name").as_schema(AuthorOut))
    found = ann.model_dump(exclude={"id"})
    found["books"].sort(key=itemgetter("title"))
    assert found == {
        "name": "Ann",
        "books": [
            {
                "title": "One",
                "publisher": {"name": "Press", "country": {"name": "Austria"}},
                "tags": [{"name": "new"}, {"name": "old"}],
            },
            {"title": "Two", "publisher": None, "tags": []},
        ],
    }
    assert bob.books == []


async def test_one_query_and_one_for_each_list(filled: Any, world: Any) -> None:
    """Single relations are joined; each relation to many takes one query, and no row takes one of its own."""
    with ormolu.capture_queries() as seen:
        await world.list(ShelfAuthor.objects.as_schema(AuthorOut))
    assert len(seen) == 3
    authors, books, tags = (one.sql for one in seen)
    assert columns(authors) == {"id", "name"}
    assert columns(books) == {"id", "title", "author_id", "publisher_id", "name", "country_id"}
    assert columns(tags) == {"id", "name", "shelfbook_id"}


async def test_lists_of_keys_may_be_empty(filled: Any, world: Any) -> None:
    """What a rule demands of input, a list with something in it, is not demanded of a row."""
    keys = schema_for(Crate, fields=("name", "tags"))
    with pytest.raises(ValidationError, match="too_short"):
        keys(name="a", tags=[])
    assert keys.model_json_schema()["properties"]["tags"]["minItems"] == 1
    crate = await world(Crate.objects.create, name="a")
    [found] = await world.list(Crate.objects.as_schema(keys))
    assert found.model_dump() == {"name": "a", "tags": []}
    tag = await world(ShelfTag.objects.get, name="new")
    await world(crate.tags.add, tag)
    [found] = await world.list(Crate.objects.as_schema(keys))
    assert found.model_dump() == {"name": "a", "tags": [tag.pk]}


async def test_rows_of_a_union(filled: Any, world: Any) -> None:
    """Relations are loaded for it, too: each with a query, for nothing can be joined to it."""
    one, two = (ShelfBook.objects.filter(title=title) for title in ("One", "Two"))
    with ormolu.capture_queries() as seen:
        found = await world.list(one.union(two).order_by("title").as_schema(BookOut))
    press = {"name": "Press", "country": {"name": "Austria"}}
    assert [book.model_dump(exclude={"tags"}) for book in found] == [
        {"title": "One", "publisher": press},
        {"title": "Two", "publisher": None},
    ]
    assert [len(book.tags) for book in found] == [2, 0]
    assert len(seen) == 4


async def test_changed_rows_are_schemas(filled: Any, world: Any) -> None:
    """`returning()` gives what the queryset gives: by one statement, and where rows are read again."""
    names = schema_for(ShelfTag, fields=("name",))
    tags = ShelfTag.objects.filter(name="old").as_schema(names)
    assert [tag.model_dump() for tag in await world(tags.returning().update, name="older")] == [
        {"name": "older"}
    ]
    gone = ShelfBook.objects.filter(title="Two").as_schema(schema_for(ShelfBook, fields=("title", "tags")))
    assert [book.model_dump() for book in await world(gone.returning().update, listed=False)] == [
        {"title": "Two", "tags": []}
    ]
    assert [book.title for book in await world(gone.returning().delete)] == ["Two"]


async def test_every_way_to_ask(filled: Any, world: Any) -> None:
    """`get`, `first`, slices, pages, `in_bulk`, streams: all give schemas, whatever is refined before or after."""
    rows = ShelfAuthor.objects.as_schema(schema_for(ShelfAuthor, fields=("name",)))
    assert (await world(rows.get, email="ann@example.com")).model_dump() == {"name": "Ann"}
    assert (await world(rows.order_by("-name").first)).name == "Bob"
    assert await world(rows.filter(name="Cy").first) is None
    assert [one.name for one in await world.list(rows.order_by("name")[1:2])] == ["Bob"]
    assert [one.name async for one in world.iterator(rows.order_by("name"))] == ["Ann", "Bob"]
    assert await world(rows.count) == 2
    found = await world(rows.in_bulk, ["ann@example.com"], field_name="email")
    assert found["ann@example.com"].name == "Ann"
    page = await world(rows.order_by("email").page, 1)
    assert [one.name for one in page] == ["Ann"]
    rest = await world(rows.order_by("email").page, 1, after=page.next)
    assert [one.name for one in rest] == ["Bob"]
    with pytest.raises(ShelfAuthor.DoesNotExist):
        await world(rows.get, name="Cy")


async def test_other_verbs_are_about_objects(filled: Any, world: Any) -> None:
    """What writes does what it does without a schema: `get_or_create` gives the object, `delete` deletes."""
    rows = ShelfTag.objects.as_schema(TagOut)
    tag, created = await world(rows.get_or_create, name="new")
    assert (type(tag), created) == (ShelfTag, False)
    assert await world(rows.filter(name="old").update, note="x") == 1
    await world(rows.filter(name="old").delete)
    assert [one.name for one in await world.list(rows)] == ["new"]


async def test_an_annotation_is_a_field(filled: Any, world: Any) -> None:
    """A field that has the name of an annotation shows it, made before `as_schema()` or after."""

    class Counted(Schema):
        books_count: int

        class Meta:
            model = ShelfAuthor
            fields = ("name",)

    before = ShelfAuthor.objects.annotate(books_count=Count("books")).as_schema(Counted)
    after = ShelfAuthor.objects.as_schema(Counted).annotate(books_count=Count("books"))
    for rows in (before, after):
        found = await world.list(rows.order_by("name"))
        assert [one.model_dump() for one in found] == [
            {"books_count": 2, "name": "Ann"},
            {"books_count": 0, "name": "Bob"},
        ]


async def test_a_plain_pydantic_model_does_as_well(filled: Any, world: Any) -> None:
    """Any Pydantic model is read: fields by their names, objects and lists by their models, paths by AliasPath."""

    class Slim(BaseModel):
        name: str

    class Book(BaseModel):
        model_config = ConfigDict(from_attributes=True)
        title: str
        tags: list[Slim]
        tag_keys: list[int] = Field(validation_alias="tags")
        author: int
        writer: str = Field(validation_alias=AliasPath("author", "name"))
        state_shown: str = Field(validation_alias="get_state_display")

        @computed_field
        @property
        def loud(self) -> str:
            return self.title.upper()

    with ormolu.capture_queries() as seen:
        first = await world(ShelfBook.objects.order_by("title").as_schema(Book).first)
    assert first is not None
    assert (first.writer, first.loud, first.state_shown) == ("Ann", "ONE", "Draft")
    assert [tag.name for tag in first.tags] == ["new", "old"]
    assert len(first.tag_keys) == 2
    assert len(seen) == 2
    assert columns(seen[0].sql) == {"id", "title", "author_id", "name", "state"}


async def test_a_property_has_all_columns(filled: Any, world: Any) -> None:
    """A property of the model may read any column; with `Meta.needs` only those that it is said to read are loaded."""

    class Shown(Schema):
        shown: str

        class Meta:
            model = ShelfAuthor
            fields = ("id",)

    class Told(Shown):
        class Meta:
            needs = {"shown": ("name", "email")}

    for schema, wanted in (
        (Shown, {"id", "name", "email", "bio", "age"}),
        (Told, {"id", "name", "email"}),
    ):
        with ormolu.capture_queries() as seen:
            found = await world(ShelfAuthor.objects.order_by("name").as_schema(schema).first)
        assert found.shown == "Ann <ann@example.com>"
        assert columns(seen[0].sql) == wanted


async def test_a_property_never_asks_for_each_row(filled: Any, world: Any) -> None:
    """A property that reads a relation which isn't loaded raises, where a query for each row would come of it."""

    class Odd(Schema):
        author_name: str

        class Meta:
            model = ShelfBook
            fields = ("title",)
            needs = {"author_name": ("title",)}

    ShelfBook.author_name = property(lambda self: self.author.name)
    try:
        with pytest.raises(ormolu.NotLoaded, match="author"):
            await world.list(ShelfBook.objects.as_schema(Odd))

        class Even(Odd):
            class Meta:
                needs = {"author_name": ("author__name",)}

        with ormolu.capture_queries() as seen:
            found = await world.list(ShelfBook.objects.order_by("title").as_schema(Even))
        assert [one.author_name for one in found] == ["Ann", "Ann"]
        assert len(seen) == 1
    finally:
        del ShelfBook.author_name


async def test_ones_own_prefetch_stays(filled: Any, world: Any) -> None:
    """A relation that the queryset prefetches with a queryset of its own keeps that; what lies below is added."""
    printed = Prefetch("books", ShelfBook.objects.filter(state="printed"))
    rows = ShelfAuthor.objects.prefetch_related(printed).as_schema(AuthorOut)
    with ormolu.capture_queries() as seen:
        ann = await world(rows.get, name="Ann")
    assert [book.title for book in ann.books] == ["Two"]
    assert len(seen) == 3


async def test_a_reverse_single_relation_is_joined(filled: Any, world: Any) -> None:
    """The other side of a OneToOneField comes by the same query, None where there is no object."""

    class WithPage(Schema):
        class Meta:
            model = ShelfAuthor
            fields = ("name",)
            nested = {"profile": schema_for(ShelfAuthor.profile.rel.related_model, fields=("page",))}

    with ormolu.capture_queries() as seen:
        ann, bob = await world.list(ShelfAuthor.objects.order_by("name").as_schema(WithPage))
    assert (ann.profile.page, bob.profile) == ("ann.example.com", None)
    assert len(seen) == 1


async def test_related_managers_have_it(filled: Any, world: Any) -> None:
    """`author.books.as_schema()` reads the objects of a relation."""
    ann = await world(ShelfAuthor.objects.get, name="Ann")
    found = await world.list(ann.books.order_by("title").as_schema(BookOut))
    assert [one.title for one in found] == ["One", "Two"]


def test_as_schema_after_values_is_an_error() -> None:
    """Rows of `values()` are no objects, from which schemas could be read."""
    with pytest.raises(TypeError, match="as_schema"):
        ShelfAuthor.objects.values("name").as_schema(AuthorOut)


def test_as_schema_takes_pydantic_models_of_the_model() -> None:
    """A class that is no Pydantic model, or a schema of another model, is refused when the query is built."""
    with pytest.raises(TypeError, match="Pydantic model"):
        ShelfAuthor.objects.as_schema(dict)
    with pytest.raises(TypeError, match="ShelfBook"):
        ShelfAuthor.objects.as_schema(BookOut)


class ShelfNode(ormolu.Model):
    name = ormolu.CharField(max_length=10)
    parent = ormolu.ForeignKey("self", on_delete=ormolu.CASCADE, null=True, related_name="children")

    class Meta:
        app_label = "shelf"


class NodeOut(Schema):
    class Meta:
        model = ShelfNode
        fields = ("name",)
        nested = {"children": "NodeOut"}


class NodeUp(Schema):
    class Meta:
        model = ShelfNode
        fields = ("name",)
        nested = {"parent": "NodeUp"}


async def test_a_tree_takes_a_query_for_each_level(db: Any, world: Any) -> None:
    """A schema within itself is loaded level by level, down or up, to the end."""
    root = await world(ShelfNode.objects.create, name="root")
    left = await world(ShelfNode.objects.create, name="left", parent=root)
    await world(ShelfNode.objects.create, name="right", parent=root)
    await world(ShelfNode.objects.create, name="leaf", parent=left)
    with ormolu.capture_queries() as seen:
        (tree,) = await world.list(ShelfNode.objects.filter(parent=None).as_schema(NodeOut))
    assert len(seen) == 4
    assert columns(seen[-1].sql) == {"id", "name", "parent_id"}
    found = tree.model_dump()
    found["children"].sort(key=itemgetter("name"))
    assert found == {
        "name": "root",
        "children": [
            {"name": "left", "children": [{"name": "leaf", "children": []}]},
            {"name": "right", "children": []},
        ],
    }
    leaf = await world(ShelfNode.objects.as_schema(NodeUp).get, name="leaf")
    assert leaf.parent.parent.name == "root"
    assert leaf.parent.parent.parent is None
    assert [
        one.name async for one in world.iterator(ShelfNode.objects.filter(parent=left).as_schema(NodeUp))
    ] == ["leaf"]


async def test_rows_that_refer_in_circles(db: Any, world: Any) -> None:
    """A tree that is none is an error, and no endless loop."""
    node = await world(ShelfNode.objects.create, name="x")
    await world(ShelfNode.objects.update, parent=node)
    with pytest.raises(FieldError, match="circles"):
        await world.list(ShelfNode.objects.as_schema(NodeUp))


MODELS = [*MODELS, ShelfNode]
