"""Objects of a session know the database that they are from, whoever made the session."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine
from sqlalchemy.orm import Session

from ormolu import CharField, Model, configure, create_tables, databases
from ormolu.repository import AsyncUnitOfWork, UnitOfWork
from ormolu.sessions import async_session_scope, session_scope


class Leaf(Model):
    """Lies in either database."""

    name = CharField(max_length=20)


@pytest.fixture
def two(tmp_path: Path) -> Iterator[str]:
    """Two databases, the second one with a leaf in it; its path."""
    urls = {alias: f"sqlite:///{tmp_path / alias}.sqlite3" for alias in ("default", "second")}
    configure(DATABASES={alias: {"URL": url} for alias, url in urls.items()})
    for alias in urls:
        create_tables(Leaf, using=alias)
    Leaf.objects.using("second").create(name="old")
    yield str(tmp_path / "second.sqlite3")
    databases.close_all()


def used(session: Session) -> list[str | None]:
    """The aliases of what a session makes, of what is read through it, and of what it reads itself."""
    made = Leaf.objects(session).create(name="new")
    read = Leaf.objects(session).get(name="old")
    session.expunge(read)
    selected = session.scalars(sa.select(Leaf).where(Leaf.name == "old")).one()
    added = Leaf(name="added")
    session.add(added)
    session.flush()
    return [one._state.db for one in (made, read, selected, added)]


def test_synchronous_sessions(two: str) -> None:
    """Our own, those on our engine, and those on an engine that the program has made."""
    with session_scope("second") as session:
        assert used(session) == ["second"] * 4
        session.rollback()
    with UnitOfWork("second") as work:
        assert used(work.session) == ["second"] * 4
        work.rollback()
    own = sa.create_engine(f"sqlite:///{two}")
    for engine in (databases.get("second").engine, own):
        with Session(engine) as session:
            assert used(session) == ["second"] * 4
    own.dispose()


def test_asynchronous_sessions(two: str) -> None:
    """The same; and an object that is saved after its session goes to where it is from."""

    async def body() -> None:
        async with async_session_scope("second") as session:
            assert await session.run_sync(used) == ["second"] * 4
            await session.rollback()
        async with AsyncUnitOfWork("second") as work:
            assert await work.session.run_sync(used) == ["second"] * 4
            await work.rollback()
        own = create_async_engine(f"sqlite+aiosqlite:///{two}")
        for engine in (databases.get("second").async_engine, own):
            async with AsyncSession(engine) as session:
                assert await session.run_sync(used) == ["second"] * 4
        await own.dispose()
        async with async_session_scope("second") as session:
            leaf: Any = await Leaf.objects(session).get(name="old")
        leaf.name = "newer"
        await leaf.asave()
        assert await Leaf.objects.using("second").filter(name="newer").aexists()
        await databases.aclose_all()

    asyncio.run(body())


def test_an_engine_of_nobody(two: str) -> None:
    """An object keeps the alias that it was given, where a session's database isn't one of those configured."""
    engine = sa.create_engine("sqlite://")
    Leaf.metadata.create_all(engine, tables=[Leaf.__table__])  # type: ignore[attr-defined]
    with Session(engine) as session:
        told = Leaf(name="told")
        told._state.db = "second"
        session.add_all([told, plain := Leaf(name="plain")])
        session.flush()
        assert (told._state.db, plain._state.db) == ("second", "default")
    engine.dispose()
