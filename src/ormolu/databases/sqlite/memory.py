"""SQLite in memory: one connection for everybody, one user at a time.

Such a database lives as long as its connection, so threads, tasks, both worlds, and SQLAlchemy's own
sessions share one. A lock that threads and tasks can wait for, in turn, keeps each transaction whole.
Whoever holds it may take it again.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Generator, Iterator
from typing import TYPE_CHECKING, Any, TypeVar

from sqlalchemy import event

from ormolu.databases import ambient
from ormolu.databases.blocks import arun_hooks
from ormolu.databases.handoff import HandoffLock
from ormolu.databases.interplay import GUEST
from ormolu.databases.sqlite.adriver import AsyncSqliteDriver
from ormolu.databases.sqlite.driver import SqliteConnection, SqliteDriver
from ormolu.databases.sqlite.here import Here, heard
from ormolu.databases.sqlite.stopping import connections
from ormolu.exceptions import OperationalError
from ormolu.programs import Fetch, brief, run

if TYPE_CHECKING:
    from ormolu.databases.database import Database

__all__ = ["AsyncMemoryDriver", "MemoryConnection", "MemoryDriver"]

R = TypeVar("R")


class MemoryConnection(SqliteConnection):
    """The shared connection."""

    def dead(self) -> None:
        """Stay: closing it would lose the database, and what is open can be asked and rolled back."""

    def scrap(self) -> None:
        """Stay."""

    def hosts(self) -> bool:
        if self.guests:
            return True
        if not self.blocks:
            return False
        if self.attention:
            self.begin(True)  # SQLAlchemy's statements are the first in this block
        return True


class _Unclosable:
    """The shared sqlite3 connection as aiosqlite gets it: closing it would lose the database."""

    def __init__(self, native: Any) -> None:
        self._native = native

    def __getattr__(self, name: str) -> Any:
        return getattr(self._native, name)

    def __setattr__(self, name: str, value: Any) -> None:
        if name == "_native":
            object.__setattr__(self, name, value)
        else:
            setattr(self._native, name, value)

    def close(self) -> None:
        """Do nothing."""


class MemoryDriver(SqliteDriver):
    """Runs programs on the shared connection, holding its lock."""

    connection_class = MemoryConnection

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self.lock = HandoffLock()
        self.timeout = float(database.config.options.get("timeout", 5.0))
        self._lends = False
        self.conn = MemoryConnection(self, self.checkout_fairy())
        self.conn.fairy.info[GUEST] = self.conn
        event.listen(self._pool, "checkout", lambda *_: self._acquire())
        event.listen(self._pool, "checkin", lambda *_: self.lock.release())

    def after_fork(self) -> None:
        self.lock = HandoffLock()

    def _acquire(self) -> None:
        if not self.lock.acquire(self.timeout):
            raise self.locked()

    def locked(self) -> OperationalError:
        """Return the error for a lock that was not to be had in time."""
        text = (
            f"database is locked: the database {self.database.alias!r} is in memory and has one connection, "
            f"which another thread or task has held for {self.timeout:g} seconds, perhaps in a transaction."
        )
        if ambient.holder(self.key) is not None:
            text += (
                " The task or thread that started this one is inside atomic(); a child can't take part in "
                "its parent's transaction. Let the parent write, or use a database file."
            )
        return OperationalError(text)

    def checkout(self) -> Any:
        self._acquire()
        return self.conn

    def give_back(self, conn: Any) -> None:
        self.lock.release()

    def give_back_one(self) -> bool:
        return False

    def stream(self, sql: str, params: Any = (), chunk_size: int = 2000) -> Iterator[list[Any]]:
        # The rows are in memory anyway; a cursor left half read would keep everybody else waiting.
        rows = self.run(_fetch, sql, params)
        for start in range(0, len(rows), chunk_size):
            yield rows[start : start + chunk_size]

    async def shared_aiosqlite(self, *_args: Any, **_options: Any) -> Any:
        """Return the shared connection for SQLAlchemy's asynchronous engine."""
        return await connections(self.database.alias)(lambda: _Unclosable(self.conn.native))

    def guard_async(self, pool: Any) -> None:
        """Let an asynchronous engine's pool take the lock as well."""
        from sqlalchemy.util import await_only

        def acquire(_dbapi: Any, record: Any, _fairy: Any) -> None:
            record.info[GUEST] = self.conn
            if not await_only(self.lock.aacquire(self.timeout)):
                raise self.locked()

        event.listen(pool, "checkout", acquire)
        event.listen(pool, "checkin", lambda *_: self.lock.release())


class AsyncMemoryDriver(AsyncSqliteDriver):
    """Runs programs on the shared connection in one worker thread."""

    crew_limit = 1
    sync: MemoryDriver

    def _make_pool(self) -> Any:
        return self.database.engine.pool

    async def arun(self, fn: Callable[..., Generator[Any, Any, R]], *args: Any) -> R:
        if ambient.current.get() is not None and ambient.find(self.key) is not None:
            return await super().arun(fn, *args)
        is_brief = getattr(fn, "brief", False) and not heard.on
        if is_brief and self._box().tired(None):
            await asyncio.sleep(0)
        await self._acquire()
        try:
            conn = self.sync.conn
            face = self._take_face(conn) if is_brief else None
            if face is not None:
                result, hooks = await self._begin_here(face, False, fn, args)
            else:
                result, hooks = await self._hand_over(conn, lambda conn: run(fn(self, *args), conn))
        finally:
            self.sync.lock.release()
        if hooks:
            await arun_hooks(hooks)
        return result  # type: ignore[no-any-return]

    def _open_here(self) -> None:
        if self._budget > 0 and not self._closed:
            here = Here(self._budget, self._checkpoint)
            here.open(self.sync.conn)
            self._here = here

    async def _acquire(self) -> None:
        if not await self.sync.lock.aacquire(self.sync.timeout):
            raise self.sync.locked()

    async def acheckout(self) -> Any:
        await self._acquire()
        return self.sync.conn

    def arelease(self, conn: Any) -> None:
        self.sync.lock.release()

    async def stream(self, sql: str, params: Any = (), chunk_size: int = 2000) -> AsyncIterator[list[Any]]:
        rows = await self.arun(_fetch, sql, params)
        for start in range(0, len(rows), chunk_size):
            yield rows[start : start + chunk_size]

    def _close_here(self, here: Here) -> None:
        """Keep the connection, which is the database."""

    def _close_pool(self) -> None:
        """Keep the connection, which is the synchronous driver's."""


@brief
def _fetch(_driver: Any, sql: str, params: Any) -> Generator[Any, Any, Any]:
    return (yield Fetch(sql, params))
