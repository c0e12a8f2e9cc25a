"""`create()`, `apply()`, `update()`: what a schema writes; and what reading an object from the database needs."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Session

import ormolu
from ormolu import NotLoaded, m2m_changed
from ormolu.schemas import Schema, schema_for
from schemas.shelf import MODELS, ShelfAuthor, ShelfBook, ShelfTag, fill

__all__ = ["MODELS"]


class AuthorIn(Schema):
    confirm: str = ""

    class Meta:
        model = ShelfAuthor


class AuthorPatch(AuthorIn):
    class Meta:
        optional = "__all__"


class TagOut(Schema):
    class Meta:
        model = ShelfTag
        fields = ("name",)


class BookIn(Schema):
    class Meta:
        model = ShelfBook
        fields = ("title", "author", "tags", "price")


class BookOut(Schema):
    class Meta:
        model = ShelfBook
        fields = ("title", "author", "tags")
        nested = {"author": schema_for(ShelfAuthor, name="Writer", fields=("name",)), "tags": TagOut}


class BookLazy(BookOut):
    class Meta:
        unloaded = "load"


@pytest.fixture
def filled(db: Any) -> None:
    """Make the shelf's rows."""
    fill()


async def test_create(db: Any, world: Any) -> None:
    """`create()` saves what the schema has, without what is read-only or no field of the model."""
    given = AuthorIn(id=77, name="Cy", email="cy@example.com", confirm="yes")
    author = await world(given.create, bio="Born.")
    found = await world(ShelfAuthor.objects.get)
    assert (found.pk, found.pk != 77, found.name, found.bio) == (author.pk, True, "Cy", "Born.")


async def test_create_with_lists_of_keys(filled: Any, world: Any) -> None:
    """Keys of related objects are set after the object."""
    tags = [tag.pk for tag in await world.list(ShelfTag.objects.all())]
    author = await world(ShelfAuthor.objects.get, name="Bob")
    book = await world(BookIn(title="Three", author_id=author.pk, tags=tags).create)
    assert [tag.name for tag in await world.list(book.tags.all())] == ["new", "old"]
    await world(schema_for(ShelfBook, fields=("tags",))(tags=tags[:1]).update, book)
    assert [tag.name for tag in await world.list(book.tags.all())] == ["new"]


@asynccontextmanager
async def no_tags() -> AsyncIterator[None]:
    """Let nothing be tagged."""

    def refuse(sender: Any, action: str, **kwargs: Any) -> None:
        if action == "pre_add":
            raise LookupError("no tags")

    m2m_changed.connect(refuse)
    try:
        yield
    finally:
        m2m_changed.disconnect(refuse)


async def test_an_object_and_its_lists_are_one_transaction(filled: Any, world: Any) -> None:
    """Where a list can't be set, nothing was made, and nothing of the object was saved."""
    tag = await world(ShelfTag.objects.get, name="new")
    author = await world(ShelfAuthor.objects.get, name="Bob")
    book = await world(ShelfBook.objects.create, title="Old", author=author)
    made = BookIn(title="Three", author_id=author.pk, tags=[tag.pk])
    before = await world(ShelfBook.objects.count)
    async with no_tags():
        for manager in (None, ShelfBook.objects.filter(pk=1), author.books):
            with pytest.raises(LookupError):
                await world(made.create, *([] if manager is None else [manager]))
        with pytest.raises(LookupError):
            await world(
                schema_for(ShelfBook, fields=("title", "tags"))(title="New", tags=[tag.pk]).update, book
            )
    assert await world(ShelfBook.objects.count) == before
    assert (await world(ShelfBook.objects.get, pk=book.pk)).title == "Old"


@pytest.mark.parametrize("kind", ["session", "connection"])
async def test_an_object_and_its_lists_in_a_session(filled: Any, world: Any, kind: str) -> None:
    """They are undone to the last of them, and the session's transaction goes on with what was there before."""
    tag = await world(ShelfTag.objects.get, name="new")
    author = await world(ShelfAuthor.objects.get, name="Bob")
    before = await world(ShelfBook.objects.count)
    made = BookIn(title="Three", author_id=author.pk, tags=[tag.pk])
    patch = schema_for(ShelfBook, fields=("title", "tags"))(title="New", tags=[tag.pk])
    engine: Any = ormolu.databases.get().async_engine if world.is_async else ormolu.databases.get().engine
    session_class: Any = AsyncSession if world.is_async else Session
    async with entered(world, session_class(engine) if kind == "session" else engine.connect()) as where:
        books = ShelfBook.objects(where)
        kept = await said(world, books.create(title="Kept", author=author))
        async with no_tags():
            for manager in (books, books.filter(pk=1)):
                with pytest.raises(LookupError):
                    await world(made.create, manager)
            if kind == "session":
                with pytest.raises(LookupError):
                    await world(patch.update, kept)
        assert await said(world, books.count()) == before + 1
        whole = await world(made.create, books)
        assert await said(world, books.filter(title="Kept").exists())
        key = whole.pk
        await said(world, where.commit())
    assert await world(ShelfBook.objects.count) == before + 2
    book = await world(ShelfBook.objects.get, pk=key)
    assert [tag.name for tag in await world.list(book.tags.all())] == ["new"]


@asynccontextmanager
async def entered(world: Any, manager: Any) -> AsyncIterator[Any]:
    """Enter what is a context manager of this world."""
    if world.is_async:
        async with manager as value:
            yield value
    else:
        with manager as value:
            yield value


async def said(world: Any, value: Any) -> Any:
    """Return a value, awaited where it has to be."""
    return await value if world.is_async else value


async def test_create_through_a_manager(filled: Any, world: Any) -> None:
    """Any manager may make the object: that of a relation gives the key."""
    author = await world(ShelfAuthor.objects.get, name="Bob")
    book = await world(schema_for(ShelfBook, fields=("title",))(title="Mine").create, author.books)
    assert book.author_id == author.pk


async def test_update_writes_what_was_given(filled: Any, world: Any) -> None:
    """`update()` sets what was given and saves what changed; nothing else, and no key."""
    author = await world(ShelfAuthor.objects.get, name="Ann")
    with ormolu.capture_queries() as seen:
        changed = await world(
            AuthorPatch.model_validate({"id": 99, "name": "Anna", "age": None}).update, author
        )
    updates = [one.sql for one in seen if one.sql.startswith("UPDATE")]
    assert changed is author
    assert len(updates) == 1
    assert "email" not in updates[0]
    found = await world(ShelfAuthor.objects.get, pk=author.pk)
    assert (found.name, found.age, found.email) == ("Anna", None, "ann@example.com")


def test_apply_sets_without_saving() -> None:
    """`apply()` sets what was given; with `exclude_unset=False` what wasn't takes its default."""
    author = ShelfAuthor(id=5, name="Ann", email="ann@example.com", bio="Long.", age=3)
    assert AuthorPatch(name="Anna").apply(author) is author
    assert (author.pk, author.name, author.bio, author.age) == (5, "Anna", "Long.", 3)
    AuthorIn(name="Ann", email="a@example.com").apply(author, exclude_unset=False)
    assert (author.pk, author.name, author.bio, author.age) == (5, "Ann", "", None)


def test_nested_objects_are_not_written() -> None:
    """What a nested object means for the database isn't guessed: that is an error which says what to do."""
    given = BookOut(title="x", author={"name": "Ann"}, tags=[])
    with pytest.raises(TypeError, match=r"author=\.\.\."):
        given.create()
    book = given.apply(ShelfBook(), author=ShelfAuthor(id=4, name="Ann"))
    assert (book.title, book.author_id) == ("x", 4)


async def test_unloaded_is_an_error_with_a_cure(filled: Any, world: Any) -> None:
    """Reading an object asks for nothing: what isn't loaded raises NotLoaded, which names the query that loads it."""
    book = await world(ShelfBook.objects.prefetch_related("tags").order_by("title").first)
    with pytest.raises(NotLoaded, match=r'select_related\("author"\)'):
        BookOut.model_validate(book)
    book = await world(ShelfBook.objects.select_related("author").order_by("title").first)
    with pytest.raises(NotLoaded, match=r'prefetch_related\("tags"\)'):
        BookOut.model_validate(book)
    book = await world(ShelfBook.objects.only("id").order_by("title").first)
    with pytest.raises(NotLoaded, match="as_schema"):
        TitleOut.model_validate(book)
    book = await world(
        ShelfBook.objects.select_related("author").prefetch_related("tags").order_by("title").first
    )
    with ormolu.capture_queries() as seen:
        assert BookOut.model_validate(book).author.name == "Ann"
    assert not seen


class TitleOut(Schema):
    class Meta:
        model = ShelfBook
        fields = ("title",)


@pytest.mark.worlds("sync")
async def test_meta_may_let_it_load(filled: Any, world: Any) -> None:
    """With `Meta.unloaded = "load"` reading an object loads what it lacks."""
    book = ShelfBook.objects.order_by("title").first()
    found = BookLazy.model_validate(book)
    assert (found.author.name, [tag.name for tag in found.tags]) == ("Ann", ["new", "old"])


@pytest.mark.worlds("sync")
async def test_sessions(filled: Any, db: Any, world: Any) -> None:
    """A session's manager reads rows as schemas, past its identity map; its objects are read with what they hold."""
    with Session(ormolu.connections["default"].engine) as session:
        found = ShelfBook.objects(session).as_schema(BookOut).get(title="One")
        assert (found.author.name, [tag.name for tag in found.tags]) == ("Ann", ["new", "old"])
        assert not list(session.identity_map)
        author = AuthorIn(name="Cy", email="cy@example.com").create(ShelfAuthor.objects(session))
        assert author in session
        session.commit()
        assert schema_for(ShelfAuthor).model_validate(author).name == "Cy"


@pytest.mark.worlds("async")
@pytest.mark.backends("sqlite", "asyncpg")
async def test_async_sessions(filled: Any, db: Any, world: Any) -> None:
    """An AsyncSession's manager does the same, awaited."""
    async with AsyncSession(ormolu.connections["default"].async_engine) as session:
        rows = ShelfBook.objects(session).as_schema(BookOut)
        found = await rows.get(title="One")
        assert (found.author.name, [tag.name for tag in found.tags]) == ("Ann", ["new", "old"])
        assert [one.title async for one in rows.order_by("title")] == ["One", "Two"]
        assert (await rows.order_by("-title").first()).title == "Two"
        author = await AuthorIn(name="Cy", email="cy@example.com").acreate(ShelfAuthor.objects(session))
        assert author in session
