"""PostgreSQL through psycopg 3, asynchronously."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from ormolu.databases.asynchronous import AsyncConnection, AsyncDriver, LoopPool
from ormolu.databases.postgresql.errors import with_cure
from ormolu.databases.postgresql.psycopg import (
    BINARY,
    apart,
    binary_types,
    broken_off,
    collected,
    cursor_name,
    failing,
    forget_prepared,
)
from ormolu.databases.reading import reads_only
from ormolu.databases.vital import Socket, lost
from ormolu.exceptions import NotSupportedError

if TYPE_CHECKING:
    from ormolu.databases.database import Database

__all__ = ["AsyncPsycopgConnection", "AsyncPsycopgDriver"]


class AsyncPsycopgConnection(AsyncConnection):
    """A psycopg AsyncConnection in autocommit mode, with one cursor for what is fetched at once."""

    joins_controls = True

    def __init__(self, driver: AsyncDriver, pool: LoopPool, fairy: Any) -> None:
        super().__init__(driver, pool, fairy)
        self._adopt()

    def use(self, fairy: Any) -> None:
        super().use(fairy)
        self._adopt()

    def _adopt(self) -> None:
        self.cursor = self.native.cursor()
        self.socket = Socket(self.native.pgconn.socket)

    def stale(self) -> bool:
        return self.socket.speaks() and lost(self.socket, self.native.pgconn)

    async def fetch(self, sql: str, params: Any = None) -> Any:
        if self.attention:
            await self.begin(True)
        try:
            cursor = self.cursor
            await cursor.execute(sql, params)
            return await cursor.fetchall()
        except Exception as error:
            if await self.revived(error, sql):
                return await self.fetch(sql, params)
            raise self.failed(error, sql, params) from error

    async def fetch_many(self, requests: Sequence[tuple[str, Any]]) -> list[Any]:
        """Run statements in a pipeline, with the BEGIN that is due: everything is sent before anything is read."""
        cursors: list[Any] = []
        failed: list[Exception] = []
        try:
            async with self.native.pipeline():
                with collected(failed):
                    if self.attention:
                        with apart(self):
                            await self.begin(True)
                    for sql, params in requests:
                        cursors.append(self.native.cursor())
                        await cursors[-1].execute(sql, params)
            if not failed:
                return [await cursor.fetchall() for cursor in cursors]
        except Exception as error:
            failed.append(error)
        except BaseException:  # the task was cancelled
            broken_off(self)
            raise
        forget_prepared(self)
        if all(reads_only(sql) for sql, _ in requests) and await self.revived(failed[0], "SELECT"):
            return await self.fetch_many(requests)
        raise self.failed(failed[0], *failing(requests, cursors)) from failed[0]

    async def fetch_named(self, sql: str, params: Any = None) -> tuple[Sequence[str], Any]:
        rows = await self.fetch(sql, params)
        return [column.name for column in self.cursor.description or ()], rows

    async def execute(self, sql: str, params: Any = None) -> int:
        if self.attention:
            await self.begin(True)
        try:
            await self.cursor.execute(sql, params)
            count: int = self.cursor.rowcount
            return count
        except Exception as error:
            raise self.failed(error, sql, params) from error

    async def insert(self, sql: str, params: Any = None) -> Any:
        raise NotSupportedError("PostgreSQL has no last row id; use INSERT ... RETURNING with Fetch.")

    async def many(self, sql: str, rows: Any) -> int:
        try:
            await self.cursor.executemany(sql, rows)
            count: int = self.cursor.rowcount
            return count
        except Exception as error:
            raise self.failed(error, sql, None) from error

    async def copy(self, target: Any, rows: Sequence[Any]) -> int:
        """Load rows by COPY; return how many. A transaction in itself outside of blocks."""
        if self.attention:
            await self.begin(True)
        try:
            cursor = self.cursor
            await cursor.execute(target.probe, None)
            types = binary_types(cursor.description)
            async with cursor.copy(target.sql + BINARY if types else target.sql) as copy:
                if types:
                    copy.set_types(types)
                write = copy.write_row
                for row in rows:
                    await write(row)
            count: int = cursor.rowcount
            return count
        except Exception as error:
            raise self.failed(error, target.sql, None) from error

    async def stream(
        self, sql: str, params: Any = None, chunk_size: int = 2000
    ) -> AsyncGenerator[list[Any], None]:
        # The transaction's end closes a cursor that is left half way.
        name = cursor_name()
        cursor = self.cursor
        try:
            await cursor.execute(f"DECLARE {name} CURSOR FOR {sql}", params, prepare=False)
            fetch = f"FETCH FORWARD {chunk_size:d} FROM {name}"
            full = True
            while full:
                await cursor.execute(fetch, None, prepare=False)
                rows = await cursor.fetchall()
                full = len(rows) == chunk_size
                if rows:
                    yield rows
            await cursor.execute(f"CLOSE {name}", None, prepare=False)
        except Exception as error:
            raise self.failed(error, sql, params) from error

    async def control_now(self, sql: str) -> None:
        try:
            await self.cursor.execute(sql, None, prepare=False)
        except Exception as error:
            raise self.failed(error, sql, None) from error

    def in_transaction(self) -> bool:
        status: int = self.native.pgconn.transaction_status
        if status in (1, 4):  # a statement is still running, or the connection is lost
            self.dead()
            return False
        return status != 0

    def explain(self, error: BaseException, sql: str, params: Any) -> BaseException:
        return with_cure(super().explain(error, sql, params))

    def disconnected(self, error: BaseException) -> bool:
        return bool(self.native.closed or self.native.broken)

    async def terminate(self) -> None:
        await self.native.close()

    def cut(self) -> None:
        """Close the socket of a connection whose loop is gone."""
        self.native.pgconn.finish()


class AsyncPsycopgDriver(AsyncDriver):
    """Runs programs on PostgreSQL through psycopg, asynchronously."""

    connection_class: ClassVar[type[AsyncConnection]] = AsyncPsycopgConnection
    pipelines: ClassVar[bool] = True
    copies: ClassVar[bool] = True
    no_params: ClassVar[Any] = None

    def __init__(self, database: Database) -> None:
        super().__init__(database)

        self.max_params = 65_535
