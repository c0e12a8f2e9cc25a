"""bulk_update(): one statement for many rows."""

import datetime
from decimal import Decimal

import pytest

from ormolu import capture_queries
from ormolu.exceptions import DataError, FieldDoesNotExist, IntegrityError
from ormolu.writes.bulk import bulk_create
from ormolu.writes.bulk_update import bulk_update
from ormolu.writes.save import save
from writes.library import START, Author, Book, Document, Item, Note, Publisher, State, Tag

MODELS = [Publisher, Author, Tag, Book, State, Note, Document, Item]


async def authors(run, count=3):
    return await run(bulk_create, Author, [Author(name=f"a{n}", age=n, bio="b") for n in range(count)])


async def test_one_statement(run, statements):
    """Every object gets its own values, by one UPDATE; it counts as unchanged afterwards."""
    found = await authors(run)
    for author in found:
        author.age += 100
        author.bio = None
    statements.clear()
    assert await run(bulk_update, Author, found, ["age", "bio"]) == 3
    assert [sql.split()[0] for sql in statements] == ["UPDATE"]
    assert await run.rows(Author, "age", "bio") == [(100, None), (101, None), (102, None)]
    assert {"_dirty" in author.__dict__ for author in found} == {False}


async def test_other_changes_are_kept(run):
    """Fields that are not named stay changed, and are saved later."""
    (author,) = await authors(run, 1)
    author.age, author.name = 50, "new"
    await run(bulk_update, Author, [author], ["age"])
    assert await run.rows(Author, "name", "age") == [("a0", 50)]
    await run(save, author)
    assert await run.rows(Author, "name", "age") == [("new", 50)]


async def test_kinds_of_values(run):
    """Texts, decimals, booleans, datetimes, JSON, keys that are texts."""
    (item,) = await run(bulk_create, Item, [Item(sku="a", rank=1, stock=1)])
    item.price, item.shown = Decimal("12345.67"), False
    await run(bulk_update, Item, [item], ["price", "shown"])
    (loaded,) = await run.load(Item)
    assert (loaded.price, loaded.shown) == (Decimal("12345.67"), False)
    (note,) = await run(bulk_create, Note, [Note(text="a")])
    note.made = START
    await run(bulk_update, Note, [note], ["made"])
    (loaded_note,) = await run.load(Note)
    assert loaded_note.made == START
    assert isinstance(loaded_note.made, datetime.datetime)
    documents = await run(bulk_create, Document, [Document(name="a"), Document(name="b", data=1)])
    documents[0].data, documents[1].data = {"x": [1, None]}, None
    await run(bulk_update, Document, documents, ["data"])
    assert [d.data for d in await run.load(Document)] == [{"x": [1, None]}, None]
    states = await run(bulk_create, State, [State(code="IL"), State(code="NY")])
    for state in states:
        state.name = state.code.lower()
    await run(bulk_update, State, states, ["name"])
    assert await run.rows(State, "code", "name") == [("IL", "il"), ("NY", "ny")]


async def test_relations(run):
    """By the relation's name; an unsaved object is refused, others are not looked at."""
    found = await authors(run, 2)
    publisher = Publisher(name="P")
    found[0].publisher = publisher
    with pytest.raises(ValueError, match=r"bulk_update\(\) prohibited .* unsaved related object 'publisher'"):
        await run(bulk_update, Author, found, ["publisher"])
    assert await run(bulk_update, Author, found, ["age"]) == 2
    await run(save, publisher)
    assert await run(bulk_update, Author, found, ["publisher"]) == 2
    assert await run.rows(Author, "publisher_id") == [(publisher.pk,), (None,)]


async def test_expressions(run):
    """Values that the database computes, also mixed with plain ones (trap E28)."""
    found = await authors(run)
    column = Author._meta.table.c
    found[0].age, found[1].age, found[2].age = column.age + 10, 50, column.age * 2
    found[0].bio = column.name
    assert await run(bulk_update, Author, found, ["age", "bio"]) == 3
    assert await run.rows(Author, "age", "bio") == [(10, "a0"), (50, "b"), (4, "b")]


async def test_batches_and_duplicates(run, statements):
    """An object counts once in a batch; rows that are gone are not counted."""
    found = await authors(run, 4)
    statements.clear()
    assert await run(bulk_update, Author, [found[0], found[0]], ["age"]) == 1
    assert await run(bulk_update, Author, [found[0], found[0]], ["age"], batch_size=1) == 2
    assert len(statements) == 3
    assert await run(bulk_update, Author, [*found, Author(id=10_000, name="gone")], ["age"]) == 4


async def test_large_batches(run):
    """More rows than a statement's parameters allow."""
    found = await authors(run, 5_000)
    for author in found:
        author.age = author.pk
    assert await run(bulk_update, Author, found, ["age", "name"]) == 5_000
    rows = await run.rows(Author, "id", "age")
    assert {key == age for key, age in rows} == {True}


@pytest.mark.parametrize(
    ("fields", "error", "text"),
    [
        ([], ValueError, "Field names must be given to bulk_update\\(\\)"),
        (["nope"], FieldDoesNotExist, "Author has no field named 'nope'"),
        (["id"], ValueError, "cannot be used with primary key fields"),
        (["pk"], ValueError, "cannot be used with primary key fields"),
        (["book"], ValueError, "can only be used with concrete fields"),
    ],
)
async def test_wrong_fields(run, fields, error, text):
    """Django's errors, also when there are no objects."""
    with pytest.raises(error, match=text):
        await run(bulk_update, Author, [], fields)


async def test_wrong_arguments(run):
    """A batch size that is none, objects without a key."""
    with pytest.raises(ValueError, match="Batch size must be a positive integer"):
        await run(bulk_update, Author, [], ["age"], batch_size=0)
    with pytest.raises(ValueError, match="must have a primary key set"):
        await run(bulk_update, Author, [Author(name="a")], ["age"])
    assert await run(bulk_update, Author, [], ["age"]) == 0


async def test_all_or_nothing(run):
    """A value that does not fit, or a constraint in a later batch, leaves all rows as they were."""
    found = await authors(run)
    found[0].age, found[2].name = 99, "x" * 21
    with pytest.raises(DataError, match=r"Author.name"):
        await run(bulk_update, Author, found, ["age", "name"], batch_size=1)
    tags = await run(bulk_create, Tag, [Tag(name="a"), Tag(name="b"), Tag(name="c")])
    tags[0].name, tags[1].name = "x", "c"
    with pytest.raises(IntegrityError):
        await run(bulk_update, Tag, tags[:2], ["name"], batch_size=1)
    assert await run.rows(Tag, "name") == [("a",), ("b",), ("c",)]
    assert await run.rows(Author, "age") == [(0,), (1,), (2,)]


async def test_deferred_columns(run, world, db):
    """What was deferred is loaded before it is written back, by one query for all; in async code, too."""
    await authors(run)
    found = Author.objects.order_by("pk").defer("age", "bio")
    loaded = await world.list(found)
    loaded[0].age = 50
    with capture_queries() as captured:
        assert await world(Author.objects.bulk_update, loaded, ["age", "bio"]) == 3
    assert [query.sql.split()[0] for query in captured] == ["SELECT", "UPDATE"]
    assert await run.rows(Author, "age", "bio") == [(50, "b"), (1, "b"), (2, "b")]
