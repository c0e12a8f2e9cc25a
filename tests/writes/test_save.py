"""save(): which statement is sent, with which columns, and what the instance knows afterwards."""

import asyncio
import datetime
import uuid
from typing import Any

import pytest
import sqlalchemy as sa

from ormolu import databases, signals, transaction
from ormolu.exceptions import DatabaseError, DataError, FieldError, IntegrityError
from ormolu.writes.delete import delete_instances
from ormolu.writes.save import save
from writes.library import (
    Author,
    Award,
    Book,
    Document,
    Empty,
    Item,
    Note,
    Passport,
    Publisher,
    State,
    Tag,
    Token,
)

MODELS = [Publisher, Author, Tag, Book, Award, Passport, Token, State, Note, Document, Item, Empty]


async def test_a_new_instance_is_inserted_and_gets_its_key(run, statements):
    """One INSERT; the key comes back, and the instance counts as saved, with nothing changed."""
    author = Author(name="Ann", age=30)
    await run(save, author)
    assert [sql.split()[0] for sql in statements] == ["INSERT"]
    assert author.__dict__["_db"] == "default"
    assert "_dirty" not in author.__dict__
    assert await run.rows(Author, "id", "name", "age", "bio") == [(author.pk, "Ann", 30, None)]


async def test_only_changed_columns_are_written(run, statements):
    """An UPDATE names the assigned column and no other, so that two writers don't overwrite each other."""
    await run(save, Author(name="Ann", age=30))
    (one,) = await run.load(Author)
    (two,) = await run.load(Author)
    one.age, two.name = 31, "Anna"
    statements.clear()
    await run(save, one)
    await run(save, two)
    assert [sql.split(" WHERE ")[0].count("=") for sql in statements] == [1, 1]
    assert await run.rows(Author, "name", "age") == [("Anna", 31)]


async def test_saving_unchanged_asks_whether_the_row_is_there(run, statements):
    """Nothing is written when nothing changed, but a row that is gone is inserted again, as in Django."""
    author = Author(name="Ann")
    await run(save, author)
    statements.clear()
    await run(save, author)
    assert [sql.split()[0] for sql in statements] == ["SELECT"]
    (other,) = await run.load(Author)
    await run(delete_instances, Author, [other])
    await run(save, author)
    assert await run.rows(Author, "id", "name") == [(author.pk, "Ann")]


async def test_a_row_that_is_gone_is_inserted(run):
    """An UPDATE that finds no row is followed by an INSERT of all columns."""
    author = Author(name="Ann", age=3)
    await run(save, author)
    (other,) = await run.load(Author)
    await run(delete_instances, Author, [other])
    author.age = 4
    await run(save, author)
    assert await run.rows(Author, "id", "name", "age") == [(author.pk, "Ann", 4)]


async def test_an_explicit_key_updates_or_inserts(run, statements):
    """A key without a default that was set by hand: UPDATE, then INSERT if there was no row (trap E25)."""
    await run(save, Author(id=77, name="Ann"))
    assert [sql.split()[0] for sql in statements] == ["UPDATE", "INSERT"]
    await run(save, Author(id=77, name="Bob"))
    assert [sql.split()[0] for sql in statements] == ["UPDATE", "INSERT", "UPDATE"]
    assert await run.rows(Author, "id", "name") == [(77, "Bob")]


async def test_a_key_with_a_default_inserts(run, statements):
    """A UUID key is made by its default; a new instance is inserted without an UPDATE first (trap E25)."""
    token = Token(name="a")
    await run(save, token)
    await run(save, Token(id=uuid.uuid4(), name="b"))
    assert [sql.split()[0] for sql in statements] == ["INSERT", "INSERT"]
    loaded = {t.id: t.name for t in await run.load(Token)}
    assert loaded[token.id] == "a"
    with pytest.raises(IntegrityError):
        await run(save, Token(id=token.id, name="c"))


async def test_a_copy_by_clearing_the_key(run):
    """With the key set to None, a loaded instance is inserted as a new row."""
    author = Author(name="Ann", age=3)
    await run(save, author)
    first = author.pk
    author.pk = None
    await run(save, author)
    assert author.pk != first
    assert await run.rows(Author, "name", "age") == [("Ann", 3), ("Ann", 3)]


async def test_changing_the_key_writes_another_row(run):
    """A changed key names another row: all columns are written there."""
    author = Author(name="Ann", age=3)
    await run(save, author)
    first = author.pk
    author.id = first + 100
    await run(save, author)
    assert await run.rows(Author, "id", "name", "age") == [(first, "Ann", 3), (first + 100, "Ann", 3)]


async def test_deferred_columns_are_kept(run, statements):
    """A column that is not loaded is never written (trap E26), but one that was assigned is."""
    await run(save, Author(name="Ann", age=30, bio="precious"))
    (author,) = await run.load(Author, "name")
    author.name = "Bob"
    await run(save, author)
    assert await run.rows(Author, "name", "age", "bio") == [("Bob", 30, "precious")]
    author.age = 31
    await run(save, author)
    assert await run.rows(Author, "name", "age", "bio") == [("Bob", 31, "precious")]


async def test_a_partly_loaded_row_that_is_gone(run):
    """It can't be inserted again: the rest of it is not known."""
    await run(save, Author(name="Ann"))
    (author,) = await run.load(Author, "name")
    await run(delete_instances, Author, await run.load(Author))
    author.name = "Bob"
    with pytest.raises(DatabaseError, match=r"did not affect any rows.*Author"):
        await run(save, author)


async def test_update_fields(run, statements):
    """Exactly the named columns are written, by name or attname; an empty list does nothing at all."""
    author = Author(name="Ann", age=30)
    await run(save, author)
    author.name, author.age = "Bob", 31
    await run(save, author, update_fields=["name"])
    assert await run.rows(Author, "name", "age") == [("Bob", 30)]
    await run(save, author, update_fields=[])
    publisher = Publisher(name="P")
    await run(save, publisher)
    author.publisher = publisher
    await run(save, author, update_fields=["publisher"])
    assert await run.rows(Author, "publisher_id", "age") == [(publisher.pk, 30)]


@pytest.mark.parametrize("name", ["nope", "id", "book"])
async def test_update_fields_of_other_names(run, name):
    """Unknown names, the key and relations without a column are refused with Django's text."""
    author = Author(name="Ann")
    await run(save, author)
    with pytest.raises(ValueError, match=f"fields do not exist in this model, are m2m .*: {name}"):
        await run(save, author, update_fields=[name])


async def test_update_fields_and_force_update_need_the_row(run):
    """A forced update raises if there is no key or no row."""
    with pytest.raises(ValueError, match=r"Cannot force an update in save\(\) with no primary key"):
        await run(save, Author(name="Ann"), force_update=True)
    with pytest.raises(DatabaseError, match="Forced update did not affect any rows"):
        await run(save, Author(id=5, name="Ann"), force_update=True)
    with pytest.raises(DatabaseError, match="Save with update_fields did not affect any rows"):
        await run(save, Author(id=5, name="Ann"), update_fields=["name"])
    with pytest.raises(ValueError, match="Cannot force both insert and updating in model saving"):
        await run(save, Author(name="Ann"), force_insert=True, force_update=True)
    with pytest.raises(ValueError, match="Cannot force both insert and updating in model saving"):
        await run(save, Author(name="Ann"), force_insert=True, update_fields=["name"])


async def test_force_insert(run, statements):
    """No UPDATE is tried; a key that is there is an IntegrityError; other values are refused."""
    await run(save, Author(id=5, name="Ann"), force_insert=True)
    assert [sql.split()[0] for sql in statements] == ["INSERT"]
    with pytest.raises(IntegrityError):
        await run(save, Author(id=5, name="Ann"), force_insert=True)
    with pytest.raises(TypeError, match="force_insert must be a bool or tuple"):
        await run(save, Author(name="Ann"), force_insert=1)
    with pytest.raises(TypeError, match="must be a model subclass"):
        await run(save, Author(name="Ann"), force_insert=(object,))
    with pytest.raises(TypeError, match=r"Invalid force_insert member. Book must be a base of Author"):
        await run(save, Author(name="Ann"), force_insert=(Book,))


async def test_auto_now(run):
    """auto_now_add is set once; auto_now counts as changed in every save of a changed or unchanged row."""
    note = Note(text="a")
    await run(save, note)
    made, changed = note.made, note.changed
    assert isinstance(made, datetime.datetime)
    note.text = "b"
    await run(save, note)
    assert note.made == made
    assert note.changed > changed
    ((_, stored),) = await run.rows(Note, "id", "changed")
    (loaded,) = await run.load(Note)
    assert stored is not None
    assert loaded.changed == note.changed
    assert loaded.made == made


async def test_auto_now_and_update_fields(run):
    """Only the fields named are stamped."""
    note = Note(text="a")
    await run(save, note)
    before = note.changed
    note.text = "b"
    await run(save, note, update_fields=["text"])
    assert note.changed == before


async def test_a_mutable_value_changed_in_place_is_written(run, statements):
    """JSON that was changed inside is noticed, after loading and after saving; else it is not written."""
    document = Document(name="a", data={"n": [1]})
    await run(save, document)
    document.data["n"].append(2)
    await run(save, document)
    (loaded,) = await run.load(Document)
    assert loaded.data == {"n": [1, 2]}
    loaded.data["n"][0] = True
    await run(save, loaded)
    (again,) = await run.load(Document)
    assert again.data["n"][0] is True
    statements.clear()
    await run(save, document)
    assert [sql.split()[0] for sql in statements] == ["SELECT"]


async def test_none_is_null_in_json(run):
    """None is SQL's NULL, not JSON's null."""
    await run(save, Document(name="a", data=None))
    assert await run.rows(Document, "data") == [(None,)]


async def test_an_unsaved_related_object(run):
    """Saving would lose the relation (trap E42): ValueError with Django's text, nothing written."""
    with pytest.raises(
        ValueError,
        match=r"save\(\) prohibited to prevent data loss due to unsaved related object 'publisher'",
    ):
        await run(save, Author(name="Ann", publisher=Publisher(name="P")))
    assert await run.count(Author) == 0


async def test_a_related_object_saved_after_it_was_assigned(run):
    """Its key is taken over when the instance is saved."""
    publisher = Publisher(name="P")
    author = Author(name="Ann", publisher=publisher)
    await run(save, publisher)
    await run(save, author)
    assert author.publisher_id == publisher.pk
    assert await run.rows(Author, "publisher_id") == [(publisher.pk,)]


async def test_database_defaults(run, statements):
    """A column with db_default that nobody set is left to the database and read back."""
    item = Item(sku="a", rank=1)
    await run(save, item)
    assert item.stock == 5
    await run(save, Item(sku="b", rank=2, stock=7))
    assert await run.rows(Item, "stock") == [(5,), (7,)]
    item.rank = 3
    await run(save, item)
    assert await run.rows(Item, "rank", "stock") == [(3, 5), (2, 7)]


async def test_a_model_without_columns_of_its_own(run):
    """An INSERT of defaults only; saving again finds the row."""
    empty = Empty()
    await run(save, empty)
    await run(save, empty)
    await run(save, Empty(id=empty.pk))
    assert await run.count(Empty) == 1


async def test_expressions(run):
    """SQL given as a value is computed by the database, and its result is read back."""
    author = Author(name="Ann", age=30)
    await run(save, author)
    author.age = Author._meta.table.c.age + 1
    await run(save, author)
    assert author.age == 31
    await run(save, author)
    assert await run.rows(Author, "age") == [(31,)]
    fresh = Author(name=sa.func.upper("bob"), age=2)
    await run(save, fresh)
    assert fresh.name == "BOB"
    with pytest.raises(FieldError, match="can only be used to update, not to insert"):
        await run(save, Author(name="x", age=Author._meta.table.c.age + 1))


@pytest.mark.parametrize(
    ("make", "error", "text"),
    [
        (lambda: Author(name="x" * 21), DataError, "too long for .*Author.name.*: 21 characters"),
        (
            lambda: Author(name="x", age="abc"),
            ValueError,
            "'age' expected a number but got 'abc'.*Author.age",
        ),
        (lambda: Author(name="x", age=[1]), TypeError, "'age' expected a number.*Author.age"),
        (lambda: State(code="abc"), DataError, "State.code"),
        (lambda: Author(name="x", publisher_id="abc"), ValueError, "expected a number.*Author.publisher"),
    ],
)
async def test_values_that_do_not_fit(run, make, error, text):
    """Nothing is written, and the error names model and field (trap E42)."""
    with pytest.raises(error, match=text):
        await run(save, make())
    assert await run.count(Author) == 0


@pytest.mark.backends("sqlite")
async def test_integers_beyond_64_bits(run):
    """SQLite's driver can't take them: DataError, naming model and field."""
    with pytest.raises(DataError, match=r"Author.age"):
        await run(save, Author(name="x", age=2**63))
    await run(save, Author(name="x", age=2**63 - 1))


async def test_values_of_other_classes_are_converted(run):
    """A number given as a text, a text given as a number: converted by the field, as in Django."""
    await run(save, Author(name=12, age="30"))
    assert await run.rows(Author, "name", "age") == [("12", 30)]


async def test_signals(run):
    """pre_save and post_save carry Django's keywords; a receiver may still change what is written."""
    seen: list[tuple[str, Any]] = []

    def before(sender, instance, created, raw, using, update_fields, **rest):
        seen.append(("pre", (sender, created, raw, using, update_fields)))
        instance.bio = "seen"

    def after(sender, instance, created, **rest):
        seen.append(("post", (created, instance.pk is not None)))

    signals.pre_save.connect(before, sender=Author)
    signals.post_save.connect(after, sender=Author)
    try:
        author = Author(name="Ann")
        await run(save, author)
        await run(save, author, update_fields=["bio"])
        await run(save, Publisher(name="P"))
    finally:
        signals.pre_save.disconnect(before, sender=Author)
        signals.post_save.disconnect(after, sender=Author)
    assert seen == [
        ("pre", (Author, True, False, "default", None)),
        ("post", (True, True)),
        ("pre", (Author, False, False, "default", frozenset({"bio"}))),
        ("post", (False, True)),
    ]
    assert await run.rows(Author, "bio") == [("seen",)]


@pytest.mark.worlds("async")
async def test_async_receivers(run):
    """An async receiver is awaited, in the task that saves."""
    seen = []

    async def after(instance, **rest):
        seen.append(instance.pk)

    signals.post_save.connect(after, sender=Author)
    try:
        author = Author(name="Ann")
        await run(save, author)
    finally:
        signals.post_save.disconnect(after, sender=Author)
    assert seen == [author.pk]


@pytest.mark.worlds("async")
async def test_async_receivers_with_blocks_of_their_own(run):
    """A transaction that an async receiver opens and ends leaves the saving program its connection."""
    seen = []

    async def before(instance, **rest):
        async with transaction.aatomic():
            await transaction.aon_commit(lambda: seen.append(instance.name))
            await databases.get().afetch("SELECT 1")
        assert seen[-1:] == [instance.name]  # committed, and so called, though the row is not written yet

    async def save_one(name):
        await run(save, Author(name=name))

    async def save_in_a_block(name):
        async with transaction.aatomic():
            await run(save, Author(name=name))

    async def after(instance, **rest):
        async with transaction.aatomic():
            await databases.get().afetch("SELECT 1")

    signals.pre_save.connect(before, sender=Author)
    signals.post_save.connect(after, sender=Author)
    try:
        await asyncio.wait_for(asyncio.gather(*(save_one(f"a{n}") for n in range(4))), 10)
        signals.pre_save.disconnect(before, sender=Author)
        await asyncio.wait_for(asyncio.gather(*(save_in_a_block(f"b{n}") for n in range(4))), 10)
        await asyncio.wait_for(save_one("c"), 10)
    finally:
        signals.pre_save.disconnect(before, sender=Author)
        signals.post_save.disconnect(after, sender=Author)
    assert sorted(seen) == ["a0", "a1", "a2", "a3"]
    assert len(await run.rows(Author, "name")) == 9


@pytest.mark.worlds("async")
async def test_async_receivers_are_outside_of_blocks(run):
    """A receiver in a save outside of blocks is so, too, though it works on the saving program's connection."""
    seen = []

    async def before(instance, **rest):
        assert await transaction.asavepoint() is None
        await transaction.acommit()
        await transaction.aset_autocommit(True)
        assert databases.get().get_autocommit()
        seen.extend([tag async for tag in Tag.objects.all().aiterator()])

    signals.pre_save.connect(before, sender=Author)
    try:
        await run(save, Tag(name="new"))
        await run(save, Author(name="Ann"))
    finally:
        signals.pre_save.disconnect(before, sender=Author)
    assert len(seen) == 1
    assert await run.rows(Author, "name") == [("Ann",)]


@pytest.mark.worlds("async")
async def test_what_waits_for_a_receivers_commit_does_not_wait_for_the_save(run):
    """A sync receiver's own transaction is over when its block is: also where the save then fails."""
    if databases.get().vendor != "sqlite":
        pytest.skip("elsewhere the synchronous driver would block the loop")
    seen = []

    async def later():
        seen.append(await databases.get().afetch("SELECT 2"))

    def before(instance, **rest):
        with transaction.atomic():
            databases.get().fetch("SELECT 1")
            transaction.on_commit(lambda: seen.append(1))
            transaction.on_commit(later)
        assert seen == [1, [(2,)]]

    await run(save, Tag(name="taken"))
    signals.pre_save.connect(before, sender=Tag)
    try:
        with pytest.raises(IntegrityError):
            await run(save, Tag(name="taken"))
    finally:
        signals.pre_save.disconnect(before, sender=Tag)
    assert seen == [1, [(2,)]]


async def test_sqlalchemy_state_is_kept_in_step(run):
    """Once SQLAlchemy has looked at an instance, it knows of our saves: identity, nothing to flush."""
    author = Author(name="Ann")
    state = sa.inspect(author)
    assert state.transient
    await run(save, author)
    assert state.detached
    assert state.identity == (author.pk,)
    author.age = 9
    assert state.modified
    await run(save, author)
    assert not state.modified
    assert await run.rows(Author, "age") == [(9,)]
