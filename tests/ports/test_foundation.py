"""The foundation layer's names."""

from __future__ import annotations

import subprocess
import sys
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import String, select
from sqlalchemy.exc import InvalidRequestError
from sqlalchemy.orm import Mapped, mapped_column

from ormolu.ports import foundation
from ormolu.ports.foundation import Base, get_session, get_sync_session, legacy

pytestmark = pytest.mark.backends("sqlite", "postgresql")


class Letter(Base):
    """Declared as the foundation layer's users do."""

    __tablename__ = "foundation_letters"

    id: Mapped[int] = mapped_column(primary_key=True, init=False)
    text: Mapped[str] = mapped_column(String(50))


def test_a_class_without_a_table_name_is_refused() -> None:
    """The error names the attribute; nothing is left of the class."""
    with pytest.raises(InvalidRequestError, match="__tablename__"):

        class Nameless(Base):
            id: Mapped[int] = mapped_column(primary_key=True, init=False)


def test_synchronous_sessions(db: Any) -> None:
    """Each block is a transaction."""
    with get_sync_session() as session:
        session.add(Letter(text="a"))
    with pytest.raises(ZeroDivisionError), get_sync_session() as session:
        session.add(Letter(text="b"))
        raise ZeroDivisionError
    with get_sync_session() as session:
        assert [letter.text for letter in session.scalars(select(Letter))] == ["a"]


@pytest.mark.worlds("async")
async def test_asynchronous_sessions(db: Any, world: Any) -> None:
    """The dependency begins a transaction, and commits it; objects are expired then, as in the original."""
    async with asynccontextmanager(get_session)() as session:
        assert session.in_transaction()
        letter = Letter("a")
        session.add(letter)
    async with foundation.get_async_session() as session:
        assert (await session.scalars(select(Letter.text))).all() == ["a"]
    assert await Letter.objects.aget(text="a")


TABLES = """
import asyncio
from sqlalchemy import Engine, inspect
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlalchemy.orm import Mapped, mapped_column
from ormolu.ports.foundation import *

class Parcel(Base):
    __tablename__ = "foundation_parcels"
    id: Mapped[int] = mapped_column(primary_key=True, init=False)

def there():
    return inspect(sync_engine).has_table("foundation_parcels")

assert isinstance(sync_engine, Engine) and isinstance(async_engine, AsyncEngine)
create_tables()
made = there()
drop_tables()
dropped = there()
asyncio.run(create_tables_async())
again = there()
asyncio.run(drop_tables_async())
print(made, dropped, again, there())
"""


def test_tables_and_engines(configured: Any, tmp_path: Path) -> None:
    """Tables of all models are made and dropped in both worlds; the engines are SQLAlchemy's."""
    assert run(TABLES, tmp_path, DATABASE_URL=configured.url) == ["True False True False"]


def run(program: str, directory: Path, **environment: str) -> list[str]:
    """Run a program in a process of its own, whose models are its own; return the lines that it prints."""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", program],
        capture_output=True,
        text=True,
        cwd=directory,
        env={"PYTHONPATH": ":".join(sys.path), **environment},
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_old_names_warn(db: Any) -> None:
    """Each says which name has taken its place; `get_session` is synchronous there."""
    with pytest.warns(DeprecationWarning, match=r"get_session .* import get_sync_session"):
        old = legacy.get_session
    with old() as session:
        session.add(Letter("a"))
    with pytest.warns(DeprecationWarning, match="SyncSessionLocal"), legacy.SessionLocal() as session:
        assert session.scalars(select(Letter.text)).all() == ["a"]
    with pytest.warns(DeprecationWarning, match="import get_session"):
        assert legacy.get_db is get_session
    with pytest.raises(AttributeError, match="nonsense"):
        legacy.nonsense


POOL = """
from ormolu.ports.foundation import async_engine, sync_engine
for engine in (sync_engine, async_engine.sync_engine):
    p = engine.pool
    print(p.size(), p._max_overflow, int(p._timeout), p._recycle, p._pre_ping)
"""


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({}, "10 20 30 1800 True"),
        ({"DB_POOL_SIZE": "3", "DB_POOL_PRE_PING": "false", "DB_POOL_RECYCLE": "60"}, "3 20 30 60.0 False"),
    ],
)
def test_the_pool(environment: dict[str, str], expected: str, tmp_path: Path) -> None:
    """It is the original's, unless the environment says otherwise. Nothing is connected."""
    url = "postgresql+psycopg://u:p@localhost/none"
    assert run(POOL, tmp_path, DATABASE_URL=url, **environment) == [expected, expected]
