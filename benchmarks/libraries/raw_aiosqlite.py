"""The floor on aiosqlite: one hop to its thread for each statement, with ``execute_fetchall``."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import Any

import aiosqlite

from benchmarks.schema import Target

from .base import AsyncAdapter
from .raw_cursor_async import CHUNK, CursorRaw


class AiosqliteRaw(CursorRaw):
    """One connection, shared by all tasks."""

    async def connect(self) -> None:
        """Open the database."""
        self.connection = await aiosqlite.connect(self.target.path, isolation_level=None)

    async def disconnect(self) -> None:
        """Close the database."""
        await self.connection.close()

    async def fetch(self, sql: str, values: Sequence[Any] = ()) -> Any:
        """Return all rows of a query."""
        return await self.connection.execute_fetchall(sql, values)

    async def execute(self, sql: str, values: Sequence[Any] = ()) -> Any:
        """Run a statement; fetching nothing is the one-hop way."""
        return await self.connection.execute_fetchall(sql, values)

    async def insert(self, values: Sequence[Any]) -> int:
        """Insert an entry and return its key."""
        rows: Any = await self.connection.execute_fetchall(self.sql.insert_returning, values)
        key: int = rows[0][0]
        return key

    async def executemany(self, sql: str, rows: Sequence[Any]) -> None:
        """Run a statement for each row."""
        await self.connection.executemany(sql, rows)

    async def related(self, sql: str, keys: list[int]) -> Any:
        """Return the rows that belong to these keys."""
        return await self.fetch(sql.format(marks=",".join("?" * len(keys))), keys)

    async def chunks(self, sql: str) -> AsyncIterator[Any]:
        """Yield the rows of a query in lists."""
        async with self.connection.execute(sql) as cursor:
            while rows := await cursor.fetchmany(CHUNK):
                yield rows


def create(target: Target) -> AsyncAdapter:
    """Return the adapter."""
    return AiosqliteRaw(target, "qmark")
