"""djast's names and manners."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import Any

import pytest
from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, Session, mapped_column, relationship

from ormolu import CharField, databases
from ormolu.conf import settings as core
from ormolu.exceptions import FieldDoesNotExist, FieldError, MultipleObjectsReturned
from ormolu.ports.djast.database import async_session_factory, get_async_session
from ormolu.ports.djast.db.models import Manager, Model, TimestampMixin
from ormolu.ports.djast.settings import settings

pytestmark = [pytest.mark.backends("sqlite", "postgresql"), pytest.mark.worlds("async")]


class Reader(Model, TimestampMixin):
    """Declared as djast's users do."""

    email: Mapped[str] = mapped_column(String(50), unique=True)
    name: Mapped[str | None] = mapped_column(String(50))
    loans: Mapped[list[ReaderLoan]] = relationship()


class ReaderLoan(Model):
    """With a field of ours beside a column."""

    reader_id: Mapped[int] = mapped_column(ForeignKey(Reader.id))
    title = CharField(max_length=20, default="?")


async def test_bound_manners(db: Any, world: Any) -> None:
    """`get` gives None, `count` and `exists` filter, and what is created is loaded."""
    async with async_session_factory() as session:
        objects = Reader.objects(session)
        assert await objects.get(email="a") is None
        ann = await objects.create(email="a", name="Ann")
        assert (ann.id is not None, ann.created_at == ann.updated_at or ann.created_at <= ann.updated_at) == (
            True,
            True,
        )
        assert await objects.get(email="a") is ann
        assert await objects.count(name="Ann") == 1
        assert not await objects.exists(name="Ben")
        assert await objects.filter(name="Ann") == [ann]
        await objects.create(email="b", name="Ann")
        with pytest.raises(MultipleObjectsReturned):
            await objects.get(name="Ann")
        with pytest.raises(FieldError):
            await objects.filter(nmae="Ann")
        assert await objects.filter(name="Ann").order_by("-email")[:1].values_list("email", flat=True) == [
            "b"
        ]
        assert await Manager(Reader).with_session(session).count() == 2
    assert await Reader.objects.acount() == 0


async def test_bulk_and_delete_all(db: Any, world: Any) -> None:
    """Rows are refreshed when that is asked for; `delete_all()` returns a number, and without filters takes all."""
    async with async_session_factory() as session:
        objects = Reader.objects(session)
        made = await objects.bulk_create([Reader(email=str(n)) for n in range(3)], refresh=True)
        assert all(reader.id and reader.created_at for reader in made)
        assert await objects.delete_all(email="1") == 1
        assert made[1] not in session
        assert await objects.delete_all(name=None) == 2


async def test_delete_all_asks_nothing_of_the_objects(db: Any, world: Any) -> None:
    """Not even of one whose values have to be loaded again, and whose row is gone."""
    async with async_session_factory() as session:
        ann = await Reader.objects(session).create(email="a")
        await Reader.objects(session).create(email="b")
        await session.commit()
        await Reader.objects.filter(email="a").adelete()
        session.expire_all()
        assert await Reader.objects(session).delete_all() == 1
        assert ann in session


async def test_instances(db: Any, world: Any) -> None:
    """save, update and delete take the session; a name that isn't there is refused."""
    async with async_session_factory() as session:
        ann = Reader(email="a")
        await ann.save(session)
        await ann.update(session, name="Ann")
        assert await Reader.objects(session).get(name="Ann") is ann
        with pytest.raises(FieldDoesNotExist, match="Did you mean 'name'"):
            await ann.update(session, nmae="x")
        await ann.delete(session)
        assert await Reader.objects(session).count() == 0
        await session.commit()


async def test_relations_are_awaited(db: Any, world: Any) -> None:
    """`awaitable_attrs` loads; the same without it is refused."""
    async with asynccontextmanager(get_async_session)() as session:
        ann = await Reader.objects(session).create(email="a")
        loan = await ReaderLoan.objects(session).create(reader_id=ann.id)
        await session.commit()
        session.expire_all()
        assert await ann.awaitable_attrs.loans == [loan]
        [found] = await Reader.objects(session).prefetch_related("loans")
        assert found.loans == [loan]
    assert await ReaderLoan.objects.acount() == 1


async def test_races_are_settled(db: Any, world: Any) -> None:
    """Somebody else's row is found, and what was pending stays."""
    async with async_session_factory() as session:
        first, created = await Reader.objects(session).get_or_create(email="a", defaults={"name": "A"})
        again, twice = await Reader.objects(session).update_or_create(email="a", defaults={"name": "B"})
        assert (created, twice, again, again.name) == (True, False, first, "B")


def test_synchronous_sessions_have_the_same_manners(db: Any) -> None:
    """A Session gives the same, without waiting."""
    with Session(databases.get().engine) as session:
        objects = Reader.objects(session)
        assert objects.get(email="a") is None
        ann = objects.create(email="a")
        ann.update(session, name="Ann")
        assert (objects.count(name="Ann"), objects.delete_all(name="Ann")) == (1, 1)


def test_schemas_and_names() -> None:
    """Tables are named for package and class; a schema has the columns that aren't excluded."""
    assert ReaderLoan.__tablename__.endswith("_loan") or ReaderLoan.__tablename__ == "loan"
    schema = Reader.get_schema(exclude={"name"})
    assert sorted(schema.model_fields) == ["created_at", "email", "id", "updated_at"]
    assert schema.model_validate(Reader(email="a")).email == "a"
    columns = Reader.__table__.c
    assert columns.created_at.type.timezone
    assert columns.created_at.server_default is not None


def test_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without any configuration an SQLite file is the default database; else the core's counts."""
    core.DATABASES = {}
    assert settings.DATABASES["default"]["ENGINE"] == "sqlite"
    settings.DATABASES["default"] = {"ENGINE": "sqlite", "NAME": "other.sqlite3"}
    assert databases.get().config.url.database == "other.sqlite3"
