"""bulk_create(): keys, conflicts, batches, and values that do not fit."""

import pytest
import sqlalchemy as sa

from ormolu.exceptions import DataError, FieldDoesNotExist, IntegrityError, NotSupportedError
from ormolu.writes.bulk import bulk_create
from ormolu.writes.save import save
from writes.library import (
    Author,
    Book,
    Document,
    Empty,
    Item,
    Note,
    Publisher,
    State,
    Tag,
    Token,
)

MODELS = [Publisher, Author, Tag, Book, Token, State, Note, Document, Item, Empty]


async def test_keys_are_set_in_order(run, statements):
    """All objects get the key of their own row, in one statement, and count as saved."""
    tags = [Tag(name=f"t{n}") for n in range(100)]
    result = await run(bulk_create, Tag, iter(tags))
    assert result == tags
    assert len([sql for sql in statements if sql.startswith("INSERT")]) == 1
    assert await run.rows(Tag, "id", "name") == [(tag.pk, tag.name) for tag in tags]
    assert {tag._state.adding for tag in tags} == {False}
    assert {tag._state.db for tag in tags} == {"default"}


async def test_nothing(run, statements):
    """No objects: no statement."""
    assert await run(bulk_create, Tag, []) == []
    assert statements == []


async def test_given_keys_are_kept(run):
    """Objects with and without a key may be mixed (trap E27)."""
    tags = [Tag(id=100, name="a"), Tag(name="b"), Tag(id=200, name="c"), Tag(name="d")]
    await run(bulk_create, Tag, tags)
    assert [tag.pk for tag in tags[::2]] == [100, 200]
    stored = dict(await run.rows(Tag, "name", "id"))
    assert stored == {tag.name: tag.pk for tag in tags}


async def test_other_kinds_of_keys(run):
    """Keys with a default are made by it; a key that is no number is taken as it is."""
    tokens = await run(bulk_create, Token, [Token(name="a"), Token(name="b")])
    assert {t.id for t in await run.load(Token)} == {t.id for t in tokens}
    await run(bulk_create, State, [State(code=code) for code in ("IL", "NY", "CA")])
    assert await run.rows(State, "code") == [("CA",), ("IL",), ("NY",)]


async def test_a_model_without_columns_of_its_own(run):
    """Rows of defaults only."""
    empties = await run(bulk_create, Empty, [Empty() for _ in range(3)])
    assert await run.rows(Empty, "id") == [(e.pk,) for e in empties]


async def test_batches(run, statements):
    """batch_size rows a statement; all in one transaction."""
    tags = await run(bulk_create, Tag, [Tag(name=str(n)) for n in range(10)], batch_size=3)
    assert len([sql for sql in statements if sql.startswith("INSERT")]) == 4
    assert await run.rows(Tag, "id", "name") == [(tag.pk, tag.name) for tag in tags]
    with pytest.raises(IntegrityError):
        await run(bulk_create, Tag, [Tag(name=n) for n in ("x", "y", "z", "z")], batch_size=1)
    assert await run.count(Tag) == 10
    with pytest.raises(ValueError, match="Batch size must be a positive integer"):
        await run(bulk_create, Tag, [], batch_size=-1)


async def test_more_rows_than_parameters_allow(run):
    """Rows far beyond the driver's limit of parameters (trap E50)."""
    authors = [Author(name="a", age=n) for n in range(40_000)]
    await run(bulk_create, Author, authors)
    rows = await run.rows(Author, "id", "age")
    assert rows == [(author.pk, author.age) for author in authors]


async def test_pre_save_values(run):
    """auto_now and auto_now_add are set."""
    (note,) = await run(bulk_create, Note, [Note(text="a")])
    (loaded,) = await run.load(Note)
    assert note.made is not None
    assert loaded.made == note.made


async def test_relations(run):
    """An unsaved related object is refused; one that was saved after it was assigned gives its key."""
    author = Author(name="Ann")
    books = [Book(title="a", author=author)]
    with pytest.raises(
        ValueError,
        match=r"bulk_create\(\) prohibited to prevent data loss due to unsaved related object 'author'",
    ):
        await run(bulk_create, Book, books)
    await run(save, author)
    await run(bulk_create, Book, books)
    assert await run.rows(Book, "author_id") == [(author.pk,)]


async def test_ignored_conflicts(run):
    """Rows that are there already are left out; no keys are set, as in Django."""
    await run(bulk_create, Tag, [Tag(name="a")])
    tags = [Tag(name="a"), Tag(name="b")]
    await run(bulk_create, Tag, tags, ignore_conflicts=True)
    assert [tag.pk for tag in tags] == [None, None]
    assert [name for (name,) in await run.rows(Tag, "name")] == ["a", "b"]
    with pytest.raises(IntegrityError):
        await run(bulk_create, Tag, tags)


async def test_updated_conflicts(run, statements):
    """Rows that are there already are updated, and the keys of all are known (trap E27)."""
    await run(bulk_create, Item, [Item(sku="a", rank=1, stock=1), Item(sku="b", rank=2, stock=1)])
    items = [Item(sku=sku, rank=rank, stock=9) for sku, rank in (("c", 3), ("b", 7), ("a", 8))]
    options = {"update_conflicts": True, "update_fields": ["rank", "stock"]} | by(run, "sku")
    statements.clear()
    await run(bulk_create, Item, items, **options)
    assert len(statements) == 1
    stored = {
        sku: (key, rank, stock)
        for key, sku, rank, stock in await run.rows(Item, "id", "sku", "rank", "stock")
    }
    assert stored == {item.sku: (item.pk, item.rank, 9) for item in items}


async def test_updated_conflicts_on_the_key(run):
    """ "pk" may be the unique field."""
    (tag,) = await run(bulk_create, Tag, [Tag(name="a")])
    options = {"update_conflicts": True, "update_fields": ["name"]} | by(run, "pk")
    await run(bulk_create, Tag, [Tag(id=tag.pk, name="b")], **options)
    assert await run.rows(Tag, "id", "name") == [(tag.pk, "b")]


@pytest.mark.backends("mariadb")
async def test_mariadb_takes_no_unique_fields(run):
    """There, any unique column that conflicts updates the row: to name some would promise what is not held."""
    options = {"update_conflicts": True, "update_fields": ["rank"], "unique_fields": ["sku"]}
    with pytest.raises(NotSupportedError, match="unique fields"):
        await run(bulk_create, Item, [Item(sku="a", rank=1)], **options)


def by(run, *names):
    """Return the unique fields of an upsert, where the database wants to be told."""
    return {} if run.driver.vendor == "mysql" else {"unique_fields": list(names)}


@pytest.mark.parametrize(
    ("options", "error", "text"),
    [
        ({"ignore_conflicts": True, "update_conflicts": True}, ValueError, "mutually exclusive"),
        ({"update_conflicts": True}, ValueError, "Fields that will be updated .* must be provided"),
        (
            {"update_conflicts": True, "update_fields": ["rank"]},
            ValueError,
            "Unique fields that can trigger the upsert must be provided",
        ),
        (
            {"update_conflicts": True, "update_fields": ["nope"], "unique_fields": ["sku"]},
            FieldDoesNotExist,
            "Item has no field named 'nope'",
        ),
        (
            {"update_conflicts": True, "update_fields": ["id"], "unique_fields": ["sku"]},
            ValueError,
            "cannot be used with primary keys in update_fields",
        ),
    ],
)
@pytest.mark.backends("sqlite", "postgresql", "asyncpg")
async def test_wrong_options(run, options, error, text):
    """Django's errors, before anything is written."""
    with pytest.raises(error, match=text):
        await run(bulk_create, Item, [Item(sku="a", rank=1)], **options)
    assert await run.count(Item) == 0


@pytest.mark.backends("sqlite", "postgresql", "asyncpg")
async def test_relations_are_no_update_fields(run):
    """Many-to-many and reverse relations have no column to update."""
    await run(save, author := Author(name="Ann"))
    options = {"update_conflicts": True, "unique_fields": ["pk"]}
    for name in ("tags",):
        with pytest.raises((ValueError, NotSupportedError), match="concrete fields in update_fields"):
            await run(bulk_create, Book, [Book(title="a", author=author)], update_fields=[name], **options)


async def test_values_that_do_not_fit(run):
    """One wrong value: nothing is written, the error names model and field (trap E42)."""
    with pytest.raises(ValueError, match=r"Author.age"):
        await run(bulk_create, Author, [Author(name="a"), Author(name="b", age="abc")])
    with pytest.raises(DataError, match=r"Author.name"):
        await run(bulk_create, Author, [Author(name="a"), Author(name="b" * 150)])
    with pytest.raises(TypeError, match="takes its instances"):
        await run(bulk_create, Author, [Author(name="a"), {"name": "b"}])
    assert await run.count(Author) == 0


async def test_expressions(run):
    """Values that the database computes may stand among plain ones."""
    tags = await run(bulk_create, Tag, [Tag(name="a"), Tag(name=sa.func.upper("b")), Tag(name="c")])
    assert sorted(await run.rows(Tag, "name")) == [("B",), ("a",), ("c",)]
    assert None not in {tag.pk for tag in tags}


async def test_database_defaults(run):
    """Columns with db_default are left to the database where nobody set them."""
    items = await run(bulk_create, Item, [Item(sku="a", rank=1), Item(sku="b", rank=2, stock=7)])
    assert await run.rows(Item, "sku", "stock") == [("a", 5), ("b", 7)]
    assert [item.stock for item in items] == [5, 7]


async def test_mutable_and_missing_values(run):
    """JSON and NULL come back as they were."""
    await run(bulk_create, Document, [Document(name="a", data={"x": [1]}), Document(name="b")])
    assert [d.data for d in await run.load(Document)] == [{"x": [1]}, None]


@pytest.mark.backends("sqlite")
@pytest.mark.changes_tables
async def test_a_trigger_that_inserts_rows_too(run):
    """Keys are right also where SQLite's numbering is disturbed by a trigger."""
    await run(bulk_create, Tag, [Tag(name="first")])
    await run.sql(
        "CREATE TRIGGER twice AFTER INSERT ON writes_tag WHEN NEW.name NOT LIKE '%!' "
        "BEGIN INSERT INTO writes_tag (name) VALUES (NEW.name || '!'); END"
    )
    for name in ("a", "b"):
        tags = await run(bulk_create, Tag, [Tag(name=f"{name}{n}") for n in range(3)])
        stored = dict(await run.rows(Tag, "name", "id"))
        assert [stored[tag.name] for tag in tags] == [tag.pk for tag in tags]
    assert len(stored) == 13
