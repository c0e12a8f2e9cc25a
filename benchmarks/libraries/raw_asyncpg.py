"""The floor on asyncpg: one connection, and asyncpg's own pool, as it comes, for 64 tasks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import asyncpg

from benchmarks.schema import NewRow, Row, Target
from benchmarks.workloads import POOL

from .base import AsyncAdapter
from .raw_common import (
    Author,
    Book,
    Entry,
    authors_from,
    books_from,
    dicts,
    entries,
    entry,
    give_books,
    give_tags,
    joined_books,
    statements,
)

CHUNK = 2_000


class AsyncpgRaw(AsyncAdapter):
    """Hand-written code on asyncpg."""

    def __init__(self, target: Target) -> None:
        """Write the SQL in asyncpg's parameter style."""
        super().__init__(target)
        self.sql = statements("dollar", target.kind)

    async def connect(self) -> None:
        """Open one connection and a pool."""
        self.connection: Any = await asyncpg.connect(**self.target.keywords("database"))
        self.pool: Any = await asyncpg.create_pool(
            min_size=0, max_size=POOL, **self.target.keywords("database")
        )

    async def disconnect(self) -> None:
        """Close both."""
        await self.connection.close()
        await self.pool.close()

    async def insert_each(self, rows: Sequence[NewRow]) -> None:
        """Insert in autocommit and keep the key."""
        fetchval, sql = self.connection.fetchval, self.sql.insert_returning
        for row in rows:
            Entry(await fetchval(sql, *row), *row)

    async def insert_together(self, rows: Sequence[NewRow]) -> None:
        """Insert in a transaction."""
        async with self.connection.transaction():
            await self.insert_each(rows)

    async def insert_bulk(self, batches: Sequence[Sequence[NewRow]]) -> None:
        """Insert with executemany."""
        for rows in batches:
            await self.connection.executemany(self.sql.insert, rows)

    async def update_bulk(self, objects: Sequence[Entry], texts: Sequence[str]) -> None:
        """One statement, joined with arrays."""
        for item, text in zip(objects, texts, strict=True):
            item.text = text
        sql = self.sql.update_bulk
        await self.connection.execute(sql, [i.text for i in objects], [i.id for i in objects])

    async def upsert(self, batches: Sequence[Sequence[Row]]) -> None:
        """Use executemany."""
        for rows in batches:
            await self.connection.executemany(self.sql.upsert, rows)

    async def filter_large(self, levels: Sequence[int]) -> list[Entry]:
        """Build slotted objects."""
        found: list[Entry] = []
        for level in levels:
            found = entries(await self.connection.fetch(self.sql.by_level, level))
        return found

    async def filter_small(self, levels: Sequence[int]) -> list[Entry]:
        """Build 20 slotted objects."""
        found: list[Entry] = []
        for level in levels:
            found = entries(await self.connection.fetch(self.sql.by_level_small, level))
        return found

    async def get(self, keys: Sequence[int]) -> Entry | None:
        """Build one slotted object for each key."""
        fetchrow, sql = self.connection.fetchrow, self.sql.by_key
        found = None
        for key in keys:
            found = entry(await fetchrow(sql, key))
        return found

    async def task_get(self, keys: Sequence[int]) -> Entry | None:
        """Take a connection from the pool for each key."""
        found = None
        for key in keys:
            async with self.pool.acquire() as connection:
                found = entry(await connection.fetchrow(self.sql.by_key, key))
        return found

    async def dicts(self, levels: Sequence[int]) -> list[dict[str, Any]]:
        """Build dictionaries."""
        found: list[dict[str, Any]] = []
        for level in levels:
            found = dicts(await self.connection.fetch(self.sql.by_level, level))
        return found

    async def tuples(self, levels: Sequence[int]) -> list[Any]:
        """Build tuples from records."""
        found: list[Any] = []
        for level in levels:
            found = [tuple(row) for row in await self.connection.fetch(self.sql.by_level, level)]
        return found

    async def load(self, keys: Sequence[int]) -> list[Entry]:
        """Load the objects to change."""
        return [entry(await self.connection.fetchrow(self.sql.by_key, key)) for key in keys]

    async def save_whole(self, objects: Sequence[Entry], rows: Sequence[NewRow]) -> None:
        """Update three columns, after setting the attributes."""
        execute, sql = self.connection.execute, self.sql.update
        async with self.connection.transaction():
            for item, row in zip(objects, rows, strict=True):
                item.level, item.text, item.ts = row
                await execute(sql, item.level, item.text, item.ts, item.id)

    async def save_field(self, objects: Sequence[Entry], texts: Sequence[str]) -> None:
        """Update one column, after setting the attribute."""
        execute, sql = self.connection.execute, self.sql.update_text
        async with self.connection.transaction():
            for item, text in zip(objects, texts, strict=True):
                item.text = text
                await execute(sql, item.text, item.id)

    async def delete(self, objects: Sequence[Entry]) -> None:
        """Delete by key."""
        execute, sql = self.connection.execute, self.sql.delete
        async with self.connection.transaction():
            for item in objects:
                await execute(sql, item.id)

    async def join(self, times: int) -> list[Book]:
        """Build a book and an author from each row."""
        found: list[Book] = []
        for _ in range(times):
            found = joined_books(await self.connection.fetch(self.sql.joined))
        return found

    async def prefetch_books(self, times: int) -> list[Author]:
        """Group the books of the authors by hand."""
        found: list[Author] = []
        for _ in range(times):
            found = authors_from(await self.connection.fetch(self.sql.authors))
            give_books(found, await self.connection.fetch(self.sql.books_of, [author.id for author in found]))
        return found

    async def prefetch_tags(self, times: int) -> list[Book]:
        """Group the tags of the books by hand."""
        found: list[Book] = []
        for _ in range(times):
            found = books_from(await self.connection.fetch(self.sql.books))
            give_tags(found, await self.connection.fetch(self.sql.tags_of, [book.id for book in found]))
        return found

    async def join_tuples(self, times: int) -> list[Any]:
        """Build tuples from records."""
        found: list[Any] = []
        for _ in range(times):
            found = [tuple(row) for row in await self.connection.fetch(self.sql.joined_tuples)]
        return found

    async def summary(self, levels: Sequence[int]) -> Any:
        """Take the row."""
        found = None
        for level in levels:
            found = await self.connection.fetchrow(self.sql.summary, level)
        return found

    async def group(self, times: int) -> list[Any]:
        """Take the rows."""
        found: list[Any] = []
        for _ in range(times):
            found = await self.connection.fetch(self.sql.groups)
        return found

    async def request(self, keys: Sequence[int], texts: Sequence[str]) -> None:
        """Begin, get, update one column, commit."""
        for key, text in zip(keys, texts, strict=True):
            async with self.connection.transaction():
                found = entry(await self.connection.fetchrow(self.sql.by_key, key))
                found.text = text
                await self.connection.execute(self.sql.update_text, found.text, found.id)

    async def stream(self) -> tuple[int, Entry | None]:
        """Read in chunks through a server-side cursor."""
        count, last = 0, None
        async with self.connection.transaction():
            cursor = await self.connection.cursor(self.sql.everything)
            while rows := await cursor.fetch(CHUNK):
                for item in entries(rows):
                    count, last = count + 1, item
        return count, last


def create(target: Target) -> AsyncAdapter:
    """Return the adapter."""
    return AsyncpgRaw(target)
