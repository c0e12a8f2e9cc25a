"""Statements by way of SQLAlchemy's own Connection: for dialects without a driver of ours, and for listeners.

OpenTelemetry's instrumentation, and others, listen to SQLAlchemy's cursor events. When somebody does, the
native drivers run their statements here too, so that the events fire.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
import sqlalchemy.exc

from ormolu.databases.interplay import guest

__all__ = ["Through", "ThroughConnection", "AsyncThroughConnection"]


FETCHES = frozenset({"fetch", "fetch_named"})


class Through:
    """SQL text on a SQLAlchemy connection whose transaction is not SQLAlchemy's business."""

    __slots__ = ("connection",)

    def __init__(self, engine: sa.Engine, fairy: Any) -> None:
        # Never closed: that would give the connection to the pool.
        self.connection = sa.Connection(engine, connection=fairy)

    def _execute(self, sql: str, params: Any) -> sa.CursorResult[Any]:
        if params is None:  # taken as it is, percent signs included
            return self.connection.exec_driver_sql(sql, None, execution_options={"no_parameters": True})
        return self.connection.exec_driver_sql(sql, tuple(params))

    def fetch(self, sql: str, params: Any) -> Any:
        result = self._execute(sql, params)
        try:
            return [tuple(row) for row in result]
        finally:
            result.close()

    def fetch_named(self, sql: str, params: Any) -> Any:
        result = self._execute(sql, params)
        try:
            return list(result.keys()), [tuple(row) for row in result]
        finally:
            result.close()

    def execute(self, sql: str, params: Any) -> int:
        result = self._execute(sql, params)
        try:
            return result.rowcount
        finally:
            result.close()

    def insert(self, sql: str, params: Any) -> Any:
        result = self._execute(sql, params)
        try:
            return result.lastrowid
        finally:
            result.close()

    def stream(self, sql: str, params: Any, options: dict[str, Any]) -> sa.CursorResult[Any]:
        """Return a result whose rows are still to be fetched."""
        parameters = tuple(params) if params else None
        return self.connection.exec_driver_sql(sql, parameters, execution_options=options)

    def executemany(self, sql: str, rows: Any) -> int:
        many = [tuple(row) for row in rows]
        if not many:
            return 0
        result = self.connection.exec_driver_sql(sql, many)
        try:
            return result.rowcount if result.rowcount >= 0 else len(many)
        finally:
            result.close()


class ThroughConnection:
    """A native synchronous connection whose statements fire SQLAlchemy's events."""

    __slots__ = ("conn", "through")

    def __init__(self, conn: Any) -> None:
        self.conn = conn
        self.through = Through(conn.driver.engine, conn.fairy)

    def _do(self, name: str, sql: str, params: Any) -> Any:
        conn = self.conn
        if name == "executemany" and not conn.blocks:
            return self._all_or_none(sql, params)
        if conn.attention:
            conn.begin(name not in FETCHES or not conn.reads_only(sql))
        try:
            with guest(conn):
                return getattr(self.through, name)(sql, params)
        except sqlalchemy.exc.DBAPIError as error:
            raise conn.failed(original(error), sql, params) from error

    def _all_or_none(self, sql: str, rows: Any) -> Any:
        block = self.conn.enter()
        failed = True
        try:
            count = self._do("executemany", sql, rows)
            failed = False
            return count
        finally:
            self.conn.leave(block, failed)

    def fetch(self, sql: str, params: Any = ()) -> Any:
        return self._do("fetch", sql, params)

    def fetch_many(self, requests: Any) -> Any:
        return [self.fetch(sql, params) for sql, params in requests]

    def fetch_named(self, sql: str, params: Any = ()) -> Any:
        return self._do("fetch_named", sql, params)

    def execute(self, sql: str, params: Any = ()) -> Any:
        return self._do("execute", sql, params)

    def insert(self, sql: str, params: Any = ()) -> Any:
        return self._do("insert", sql, params)

    def executemany(self, sql: str, rows: Any) -> Any:
        return self._do("executemany", sql, rows)

    def copy(self, target: Any, rows: Any) -> None:
        """Do nothing, and say so: SQLAlchemy has no COPY, and those who listen are to see the INSERTs."""

    def __getattr__(self, name: str) -> Any:
        return getattr(self.conn, name)


class AsyncThroughConnection:
    """A native asynchronous connection whose statements fire SQLAlchemy's events."""

    __slots__ = ("conn", "through")

    def __init__(self, conn: Any) -> None:
        self.conn = conn
        self.through = Through(conn.pool.engine.sync_engine, conn.fairy)

    async def _do(self, name: str, sql: str, params: Any) -> Any:
        from sqlalchemy.util import greenlet_spawn

        conn = self.conn
        if name == "executemany" and not conn.blocks:
            return await self._all_or_none(sql, params)
        if conn.attention:
            await conn.begin(True)
        try:
            with guest(conn):
                return await greenlet_spawn(getattr(self.through, name), sql, params)
        except sqlalchemy.exc.DBAPIError as error:
            raise conn.failed(original(error), sql, params) from error

    async def _all_or_none(self, sql: str, rows: Any) -> Any:
        block = await self.conn.enter()
        failed = True
        try:
            count = await self._do("executemany", sql, rows)
            failed = False
            return count
        finally:
            await self.conn.leave(block, failed)

    async def fetch(self, sql: str, params: Any = ()) -> Any:
        return await self._do("fetch", sql, params)

    async def fetch_many(self, requests: Any) -> Any:
        return [await self.fetch(sql, params) for sql, params in requests]

    async def fetch_named(self, sql: str, params: Any = ()) -> Any:
        return await self._do("fetch_named", sql, params)

    async def execute(self, sql: str, params: Any = ()) -> Any:
        return await self._do("execute", sql, params)

    async def insert(self, sql: str, params: Any = ()) -> Any:
        return await self._do("insert", sql, params)

    async def executemany(self, sql: str, rows: Any) -> Any:
        return await self._do("executemany", sql, rows)

    async def copy(self, target: Any, rows: Any) -> None:
        """Do nothing, and say so: SQLAlchemy has no COPY, and those who listen are to see the INSERTs."""

    def __getattr__(self, name: str) -> Any:
        return getattr(self.conn, name)


def original(error: sqlalchemy.exc.DBAPIError) -> BaseException:
    """Return the driver's own exception from SQLAlchemy's, also from under an async adapter's look-alike."""
    orig: BaseException = error.orig if error.orig is not None else error
    driver_error = getattr(orig, "driver_exception", None)
    if isinstance(driver_error, BaseException) and driver_error is not orig:
        return driver_error
    return orig
