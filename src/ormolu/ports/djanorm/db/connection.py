"""`dorm.db.connection`: a database's connections, as an object for each world.

`get_connection()` and `get_async_connection()` give wrappers over one `ormolu.databases.Database`; nothing is
connected by that. `set_autocommit()`, `commit()` and `rollback()` are the running thread's or task's, on a connection
of its own until autocommit is on again.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ormolu import databases
from ormolu.databases.database import Database
from ormolu.databases.health import ahealth_check, health_check
from ormolu.transaction import AsyncAtomic, Atomic, aatomic, atomic

__all__ = [
    "AsyncConnection",
    "Connection",
    "ahealth_check",
    "close_all",
    "close_all_async",
    "get_async_connection",
    "get_connection",
    "health_check",
    "reset_connections",
]


class _Wrapper:
    """What both have: which database it is, now and after another `configure()`."""

    def __init__(self, alias: str) -> None:
        self.alias = alias

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.alias!r}>"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, type(self)) and other.alias == self.alias

    def __hash__(self) -> int:
        return hash((type(self), self.alias))

    @property
    def database(self) -> Database:
        """Ormolu's own object for the database."""
        return databases.get(self.alias)

    @property
    def vendor(self) -> str:
        """The kind of database: "sqlite", "postgresql", ..."""
        return self.database.vendor

    @property
    def settings(self) -> dict[str, Any]:
        """The entry of DATABASES."""
        return self.database.settings


class Connection(_Wrapper):
    """The connections of synchronous code."""

    def set_autocommit(self, enabled: bool) -> None:
        """With False, let the thread's statements gather until `commit()` or `rollback()`; with True, commit them."""
        self.database.set_autocommit(enabled)

    def commit(self) -> None:
        """Commit what gathered since `set_autocommit(False)`."""
        self.database.commit()

    def rollback(self) -> None:
        """Undo what gathered since `set_autocommit(False)`."""
        self.database.rollback()

    def atomic(self) -> Atomic:
        """Return a block that is one transaction."""
        return atomic(self.alias)

    def execute(self, sql: str, params: Any = None) -> list[Any]:
        """Run a statement; return its rows."""
        return self.database.fetch(sql, params)

    def execute_write(self, sql: str, params: Any = None) -> int:
        """Run a statement; return how many rows it changed."""
        return self.database.execute(sql, params)

    def table_exists(self, table_name: str) -> bool:
        """Say whether there is a table of this name."""
        return table_name in self.database.introspection.table_names()

    def pool_stats(self) -> dict[str, Any]:
        """Return the pool's figures; of SQLite only whether it is open."""
        return _figures(self.database.pool_stats())

    def close(self) -> None:
        """Close the idle connections. They open again when needed."""
        self.database.close()


class AsyncConnection(_Wrapper):
    """The connections of asynchronous code: of the running event loop."""

    async def set_autocommit(self, enabled: bool) -> None:
        """With False, let the task's statements gather until `commit()` or `rollback()`; with True, commit them.

        Before the task ends it must be set back.
        """
        await self.database.aset_autocommit(enabled)

    async def commit(self) -> None:
        """Commit what gathered since `set_autocommit(False)`."""
        await self.database.acommit()

    async def rollback(self) -> None:
        """Undo what gathered since `set_autocommit(False)`."""
        await self.database.arollback()

    def aatomic(self) -> AsyncAtomic:
        """Return a block that is one transaction."""
        return aatomic(self.alias)

    async def execute(self, sql: str, params: Any = None) -> list[Any]:
        """Run a statement; return its rows."""
        return await self.database.afetch(sql, params)

    async def execute_write(self, sql: str, params: Any = None) -> int:
        """Run a statement; return how many rows it changed."""
        return await self.database.aexecute(sql, params)

    async def table_exists(self, table_name: str) -> bool:
        """Say whether there is a table of this name."""

        def look(editor: Any) -> bool:
            return table_name in editor.connection.introspection.table_names()

        return await self.database.achange_schema(look, atomic=False)

    def pool_stats(self) -> dict[str, Any]:
        """Return the figures of the running event loop's pool; of SQLite only whether it is open."""
        return _figures(self.database.async_pool_stats())

    async def close(self) -> None:
        """Close the idle connections. They open again when needed."""
        await self.database.aclose()


def _figures(stats: Mapping[str, Any]) -> dict[str, Any]:
    if stats["vendor"] == "sqlite":
        return {"open": True, "vendor": "sqlite"}  # a file is there whenever it is asked
    return {name: value for name, value in stats.items() if name != "alias"}


def get_connection(alias: str = "default") -> Connection:
    """Return the synchronous connections of a database. Raises ImproperlyConfigured for an unknown alias."""
    return Connection(databases.get(alias).alias)


def get_async_connection(alias: str = "default") -> AsyncConnection:
    """Return the asynchronous connections of a database. Raises ImproperlyConfigured for an unknown alias."""
    return AsyncConnection(databases.get(alias).alias)


def close_all() -> None:
    """Close the idle connections of all databases. They open again when needed."""
    databases.close_all()


async def close_all_async() -> None:
    """Close the idle connections of all databases, those of the running event loop properly."""
    await databases.aclose_all()


def reset_connections() -> None:
    """Close all connections, so that the next query makes new ones."""
    databases.close_all()
