"""`AchemyEngine`: a database of a configuration, with session factories and repositories that manage themselves."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from typing import TYPE_CHECKING, Any, TypeVar

from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker

from ormolu import databases
from ormolu.conf import settings
from ormolu.databases import Database
from ormolu.databases.config import parse
from ormolu.ports.achemy.repositories import BaseRepository, managed

if TYPE_CHECKING:
    from ormolu.ports.achemy.config import DatabaseConfig

__all__ = ["AchemyEngine"]

M = TypeVar("M")
R = TypeVar("R", bound="BaseRepository[Any]")


class AchemyEngine:
    """A database as Achemy's programs have it: `engine.session()`, `engine.repository(User)`.

    It is a `Database` of Ormolu's (`database`), with its pool. Where the program has configured the same one under the
    alias "default" (`ormolu.configure()`), it is that, so that `User.objects` and repositories share connections.
    """

    def __init__(self, config: DatabaseConfig, **options: Any) -> None:
        if not hasattr(config, "build_dsn"):
            raise TypeError(f"AchemyEngine takes a DatabaseConfig, not {config!r}.")
        self.config = config
        self.database = _database(config, options)

    def __repr__(self) -> str:
        return f"<AchemyEngine: {self.database.vendor}, {self.database.config.address}>"

    def engine(self) -> AsyncEngine:
        """Return SQLAlchemy's engine: of the running event loop, or one that the next loop may use."""
        return self.database.async_engine

    def session(self, **session_kwargs: Any) -> tuple[AsyncEngine, async_sessionmaker[AsyncSession]]:
        """Return an engine, and a factory of sessions that don't expire their objects when they commit.

        A session works on the engine of the event loop in which it is made, so the factory may be made anywhere.
        """
        options: dict[str, Any] = {"expire_on_commit": False, "info": {"ormolu_alias": self.database.alias}}
        return self.engine(), LoopSessions(self.database, **{**options, **session_kwargs})

    def repository(self, model: type[M]) -> AbstractAsyncContextManager[BaseRepository[M]]:
        """Return a block that gives a repository with a transaction of its own: committed at its end, else undone."""
        return managed(self.database, model)

    async def dispose_engines(self) -> None:
        """Close all idle connections. The engine can be used again."""
        await self.database.drop_async_engine(None)
        await self.database.aclose()


class LoopSessions(async_sessionmaker[AsyncSession]):
    """A factory of sessions, each on the engine of the running loop."""

    def __init__(self, database: Database, **options: Any) -> None:
        super().__init__(**options)
        self._database = database

    def __call__(self, **options: Any) -> AsyncSession:
        """Return a new session."""
        if "bind" not in options and self.kw.get("bind") is None:
            options["bind"] = self._database.async_engine
        return super().__call__(**options)


def _database(config: DatabaseConfig, options: dict[str, Any]) -> Database:
    entry: dict[str, Any] = {"URL": config.uri()}
    engine_options = {**config.create_engine_kwargs, **options}
    if config.debug:
        engine_options.setdefault("echo", True)
    if engine_options:
        entry["ENGINE_OPTIONS"] = engine_options
    if config.url().get_backend_name() == "postgresql":
        # libpq's word, which asyncpg gets as its own.
        entry["OPTIONS"] = {"connect_timeout": config.connect_timeout}
    made = Database(parse("achemy", entry))
    if "default" in settings.DATABASES:
        known = databases.get()
        if known.config.url == made.config.url and not engine_options:
            return known
    return made
