"""The floor on psycopg 3's asynchronous connection, and its pool for 64 tasks."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import Any

import psycopg
import psycopg_pool

from benchmarks.schema import Target
from benchmarks.workloads import POOL

from .base import AsyncAdapter
from .raw_common import Entry
from .raw_cursor_async import CHUNK, CursorRaw


class PsycopgRaw(CursorRaw):
    """One connection in autocommit, and a pool."""

    connection: Any
    pool: Any

    async def connect(self) -> None:
        """Open one connection and a pool."""
        self.connection = await psycopg.AsyncConnection.connect(autocommit=True, **self.target.keywords())
        self.pool = psycopg_pool.AsyncConnectionPool(
            self.target.url("postgresql"), min_size=0, max_size=POOL, open=False, kwargs={"autocommit": True}
        )
        await self.pool.open()

    async def disconnect(self) -> None:
        """Close both."""
        await self.connection.close()
        await self.pool.close()

    async def fetch(self, sql: str, values: Sequence[Any] = ()) -> Any:
        """Return all rows of a query."""
        cursor = await self.connection.execute(sql, values)
        return await cursor.fetchall()

    async def execute(self, sql: str, values: Sequence[Any] = ()) -> Any:
        """Run a statement."""
        return await self.connection.execute(sql, values)

    async def insert(self, values: Sequence[Any]) -> int:
        """Insert an entry and return its key."""
        cursor = await self.connection.execute(self.sql.insert_returning, values)
        key: int = (await cursor.fetchone())[0]
        return key

    async def executemany(self, sql: str, rows: Sequence[Any]) -> None:
        """Run a statement for each row."""
        await self.connection.cursor().executemany(sql, rows)

    async def related(self, sql: str, keys: list[int]) -> Any:
        """Return the rows that belong to these keys."""
        return await self.fetch(sql, (keys,))

    async def task_get(self, keys: Sequence[int]) -> Entry | None:
        """Take a connection from the pool for each key."""
        found = None
        for key in keys:
            async with self.pool.connection() as connection:
                cursor = await connection.execute(self.sql.by_key, (key,))
                found = self.make.entry(await cursor.fetchone())
        return found

    async def chunks(self, sql: str) -> AsyncIterator[Any]:
        """Yield the rows of a query in lists, through a server-side cursor."""
        async with self.connection.transaction(), self.connection.cursor("stream") as cursor:
            await cursor.execute(sql)
            while rows := await cursor.fetchmany(CHUNK):
                yield rows


def create(target: Target) -> AsyncAdapter:
    """Return the adapter."""
    return PsycopgRaw(target, "format")
