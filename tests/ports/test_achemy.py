"""Achemy's names and manners: what its document shows, and what it promises."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

import ormolu
from ormolu import databases
from ormolu.exceptions import IntegrityError
from ormolu.ports.achemy import AchemyEngine, Base, BaseRepository, PGUUIDPKMixin, UpdateMixin, UUIDPKMixin
from ormolu.ports.achemy.config import DatabaseConfig

pytestmark = [pytest.mark.backends("sqlite", "asyncpg"), pytest.mark.worlds("async")]


class AppBase(Base):
    __abstract__ = True


class AchemyUser(AppBase, UUIDPKMixin, UpdateMixin):
    __tablename__ = "achemy_users"

    name: Mapped[str] = mapped_column(sa.String(50))
    email: Mapped[str] = mapped_column(sa.String(50), unique=True)
    is_active: Mapped[bool] = mapped_column(default=True)


class AchemyCity(AppBase, PGUUIDPKMixin):
    __tablename__ = "achemy_cities"

    name: Mapped[str] = mapped_column(sa.String(50))


class AchemyUsers(BaseRepository[AchemyUser]):
    async def active(self) -> list[AchemyUser]:
        return await self.all(query=self.where(AchemyUser.is_active == True).order_by(AchemyUser.name))  # noqa: E712


def config_of(backend: Any) -> DatabaseConfig:
    return DatabaseConfig(dsn=backend.url)


@asynccontextmanager
async def opened(backend: Any) -> AsyncIterator[Any]:
    """Give a repository of users on a session of an engine of its own."""
    engine = AchemyEngine(config_of(backend))
    _, factory = engine.session()
    async with factory() as session:
        yield AchemyUsers(session)
    await engine.dispose_engines()


def user(name: str, **values: Any) -> AchemyUser:
    return AchemyUser(name=name, email=f"{name.lower()}@example.com", **values)


async def test_saving_is_adding(db: Any, world: Any) -> None:
    """`save()` alone neither flushes nor commits; `commit=True` does."""
    async with opened(db) as users:
        ann = await users.save(user("Ann"))
        assert ann in users.session.new
    assert await AchemyUser.objects.acount() == 0
    async with opened(db) as users:
        await users.add(user("Ann"), commit=True)
        await users.add_all([user("Bob")])
        await users.add_all([user("Cid")], commit=False)
    assert await AchemyUser.objects.acount() == 2


async def test_asking_by_selects(db: Any, world: Any) -> None:
    """`where()` and `select()` are SQLAlchemy's, and what they say is asked by `all()`, `first()`, `count()`."""
    async with opened(db) as users:
        ann, bob = await users.add_all([user("Ann"), user("Bob", is_active=False)])
        assert await users.active() == [ann]
        assert isinstance(users.where(), sa.Select)
        assert await users.all(query=users.select().order_by(AchemyUser.name.desc())) == [bob, ann]
        assert await users.all(users.where(AchemyUser.name > "A", is_active=False).limit(1)) == [bob]
        assert await users.first(order_by=AchemyUser.name.desc()) is bob
        assert await users.count(query=users.where(is_active=True)) == 1
        assert await users.get(ann.id) is ann
        assert await users.get(uuid.uuid4()) is None
        assert await users.find_by(name="Ann", is_active=True) is ann
        assert await users.find_last_modified(users.where(is_active=True)) is ann
        with pytest.raises(ValueError, match="find_by"):
            await users.find_by()
        with pytest.raises(AttributeError, match="nmae"):
            await users.find_by(nmae="Ann")


async def test_deleting_commits(db: Any, world: Any) -> None:
    """Unless it is told `commit=False`; an object that was never saved is left alone."""
    async with opened(db) as users:
        ann, bob = await users.add_all([user("Ann"), user("Bob")])
        await users.delete(user("Cid"))
        await users.delete(ann)
        await users.delete(bob, commit=False)
        await users.session.rollback()
    assert [found.name async for found in AchemyUser.objects.all()] == ["Bob"]


async def test_bulk_insert(db: Any, world: Any) -> None:
    """Each policy, by Achemy's names."""
    async with opened(db) as users:
        await users.add(user("Alice"), commit=True)
        rows = [{"name": n, "email": f"{n.lower()}@example.com"} for n in ("Eve", "Alice", "Frank")]
        options: dict[str, Any] = {"on_conflict_index_elements": ["email"]}
        found = await users.bulk_insert(rows, on_conflict="nothing", commit=False, **options)
        assert [one.name for one in found] == ["Eve", "Frank"]
        await users.session.rollback()
        changed = [{"name": "Alicia", "email": "alice@example.com"}]
        await users.bulk_insert(changed, on_conflict="update", **options)
        with pytest.raises(IntegrityError):
            await users.bulk_insert(changed)
        assert await users.bulk_insert([{"name": "Z", "email": "z"}], returning=False) is None
    assert sorted([one.name async for one in AchemyUser.objects.all()]) == ["Alicia", "Z"]


async def test_a_managed_repository(db: Any, world: Any) -> None:
    """`engine.repository()` commits, or rolls back on an error; a class of one's own may stand for the model."""
    engine = AchemyEngine(config_of(db))
    async with engine.repository(AchemyUser) as repo:
        await repo.save(user("Ann"))
    with pytest.raises(ZeroDivisionError):
        async with engine.repository(AchemyUsers) as users:
            assert len(await users.active()) == 1
            await users.save(user("Bob"))
            1 / 0
    assert await AchemyUser.objects.acount() == 1
    async with engine.repository(AchemyCity) as cities:
        assert isinstance((await cities.create(name="Rome")).id, uuid.UUID)
    await engine.dispose_engines()


def test_sessions_of_several_loops(db: Any) -> None:
    """One factory serves the loops of several `asyncio.run()`, each with connections of its own."""
    engine = AchemyEngine(config_of(db))
    _, factory = engine.session()

    async def count() -> int:
        async with factory() as session:
            return await AchemyUsers(session).count()

    assert [asyncio.run(count()), asyncio.run(count())] == [0, 0]
    asyncio.run(engine.dispose_engines())


def test_plain_data() -> None:
    """`to_dict()`, `dump_model()` and `load()`, which passes over what the model doesn't have."""
    made = AchemyUser.load({"name": "Eve", "email": "e", "shoe_size": 3})
    assert sa.inspect(made).transient
    assert set(made.to_dict()) == {"id", "name", "email", "is_active", "created_at", "updated_at"}
    assert made.to_dict(fields=["name"], with_meta=True)["__metadata__"]["table"] == "achemy_users"
    assert made.dump_model()["id"] == str(made.id)
    with pytest.raises(ValueError, match="loaded from a dictionary"):
        AchemyUser.load([1])  # type: ignore[arg-type]


def test_configurations() -> None:
    """Parts become a URL whatever the password holds; a DSN is taken as it is."""
    config = DatabaseConfig(db="d", user="u", password="p@ss/w:rd", host="h", port=1)
    assert config.url().password == "p@ss/w:rd"
    assert config.uri() == "postgresql+asyncpg://u:p%40ss%2Fw%3Ard@h:1/d"
    assert DatabaseConfig(dialect="sqlite", db="x.db").uri() == "sqlite+aiosqlite:///x.db"
    assert AchemyEngine(config).database.config.url.database == "d"
    with pytest.raises(TypeError, match="takes a DatabaseConfig"):
        AchemyEngine({"db": "d"})  # type: ignore[arg-type]


@pytest.mark.backends("postgresql", "mariadb")
@pytest.mark.parametrize("driver", ["asyncpg", "psycopg", None])
async def test_the_time_for_a_connection(db: Any, world: Any, driver: str | None) -> None:
    """`connect_timeout` is told to each driver in its own words, to that of synchronous code as well."""
    url = sa.make_url(db.url)
    if driver is not None and db.vendor == "postgresql":
        url = url.set(drivername=f"postgresql+{driver}")
    engine = AchemyEngine(DatabaseConfig(dsn=url.render_as_string(hide_password=False), connect_timeout=7))
    async with engine.repository(AchemyUser) as users:
        assert await users.count() == 0

    def count() -> int:
        with engine.database.repository(AchemyUser) as users:
            return users.count()

    assert await asyncio.to_thread(count) == 0
    await engine.dispose_engines()


def test_the_configured_database_is_shared(db: Any) -> None:
    """Where the program has configured the same database, the engine is that one, and shares its pool."""
    assert AchemyEngine(config_of(db)).database.config.url == databases.get().config.url
    if db.vendor == "sqlite":
        assert AchemyEngine(config_of(db)).database is databases.get()
    other = AchemyEngine(DatabaseConfig(dialect="sqlite", db="other.sqlite3"))
    assert other.database is not databases.get()
    assert ormolu.databases.aliases() == ["default"]


SOURCE = """
from sqlalchemy.orm import Mapped, mapped_column
from ormolu.ports.achemy import Base, IntPKMixin

class Planet(Base, IntPKMixin):
    __tablename__ = "planets"
    name: Mapped[str] = mapped_column()
"""


def test_the_schema_command(tmp_path: Path) -> None:
    """`generate-schemas MODULE --output FILE` writes a class a model, called as Achemy's are; errors are messages."""
    (tmp_path / "planets.py").write_text(SOURCE)
    command = [sys.executable, "-m", "ormolu.ports.achemy.cli", "generate-schemas"]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([*filter(None, sys.path)])}

    def call(*words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*command, *words], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
        )

    done = call("planets", "--output", "schemas.py")
    assert done.returncode == 0, done.stderr
    assert "class PlanetSchema(BaseModel):" in (tmp_path / "schemas.py").read_text()
    wrong = call("no_planets", "--output", "schemas.py")
    assert (wrong.returncode, "no_planets" in wrong.stderr, "Traceback" in wrong.stderr) == (1, True, False)
