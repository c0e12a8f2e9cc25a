"""Peewee's asyncio extension (playhouse.pwasyncio): greenlets over aiosqlite and asyncpg."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from peewee import fn, prefetch
from playhouse.pwasyncio import AsyncModel, AsyncPostgresqlDatabase, AsyncSqliteDatabase

from benchmarks.schema import NewRow, Row, Target
from benchmarks.workloads import POOL

from .base import AsyncAdapter
from .peewee_models import models

COLUMNS = ("id", "level", "text", "ts")
CHUNK = 2_000


class PeeweeAsync(AsyncAdapter):
    """Autocommit, and atomic() where a transaction is asked for."""

    async def connect(self) -> None:
        """Make the pool and declare the models for it."""
        if self.sqlite:
            self.database: Any = AsyncSqliteDatabase(self.target.path, pool_size=POOL)
        else:
            keywords = self.target.keywords("database")
            name = keywords.pop("database")
            self.database = AsyncPostgresqlDatabase(name, pool_size=POOL, **keywords)
        self.models = models(self.database, AsyncModel)
        self.Journal = self.models.Journal
        self.columns = [getattr(self.Journal, name) for name in COLUMNS]

    async def disconnect(self) -> None:
        """Close the pool."""
        await self.database.close_pool()

    async def insert_each(self, rows: Sequence[NewRow]) -> None:
        """Use acreate() in autocommit."""
        for level, text, ts in rows:
            await self.Journal.acreate(level=level, text=text, ts=ts)

    async def insert_together(self, rows: Sequence[NewRow]) -> None:
        """Use asave()."""
        async with self.database.atomic():
            for level, text, ts in rows:
                await self.Journal(level=level, text=text, ts=ts).asave()

    async def insert_bulk(self, batches: Sequence[Sequence[NewRow]]) -> None:
        """Use abulk_create()."""
        for rows in batches:
            objects = [self.Journal(level=level, text=text, ts=ts) for level, text, ts in rows]
            async with self.database.atomic():
                await self.Journal.abulk_create(objects)

    async def load_many(self, keys: Sequence[int]) -> list[Any]:
        """Load many at once."""
        query = self.Journal.select().where(self.Journal.id >= keys[0]).order_by(self.Journal.id)
        return await self.database.list(query)

    async def update_bulk(self, objects: Sequence[Any], texts: Sequence[str]) -> None:
        """Use abulk_update(), in batches of a good size."""
        for item, text in zip(objects, texts, strict=True):
            item.text = text
        async with self.database.atomic():
            await self.Journal.abulk_update(objects, [self.Journal.text], batch_size=100)

    async def upsert(self, batches: Sequence[Sequence[Row]]) -> None:
        """Use insert_many() with on_conflict()."""
        journal = self.Journal
        for rows in batches:
            query = journal.insert_many([row._asdict() for row in rows]).on_conflict(
                conflict_target=[journal.id], preserve=[journal.level, journal.text, journal.ts]
            )
            async with self.database.atomic():
                await self.database.aexecute(query)

    async def filter_large(self, levels: Sequence[int]) -> list[Any]:
        """Use list()."""
        found: list[Any] = []
        for level in levels:
            found = await self.database.list(self.Journal.select().where(self.Journal.level == level))
        return found

    async def filter_small(self, levels: Sequence[int]) -> list[Any]:
        """Use list() with a limit."""
        found: list[Any] = []
        for level in levels:
            found = await self.database.list(
                self.Journal.select().where(self.Journal.level == level).limit(20)
            )
        return found

    async def get(self, keys: Sequence[int]) -> Any:
        """Use aget_by_id()."""
        found = None
        for key in keys:
            found = await self.Journal.aget_by_id(key)
        return found

    async def task_get(self, keys: Sequence[int]) -> Any:
        """Give the task's connection back after each, or only 16 of the tasks would get one."""
        found = None
        for key in keys:
            async with self.database:
                found = await self.Journal.aget_by_id(key)
        return found

    async def dicts(self, levels: Sequence[int]) -> list[dict[str, Any]]:
        """Use dicts()."""
        found: list[dict[str, Any]] = []
        for level in levels:
            query = self.Journal.select(*self.columns).where(self.Journal.level == level).dicts()
            found = await self.database.list(query)
        return found

    async def tuples(self, levels: Sequence[int]) -> list[Any]:
        """Use tuples()."""
        found: list[Any] = []
        for level in levels:
            query = self.Journal.select(*self.columns).where(self.Journal.level == level).tuples()
            found = await self.database.list(query)
        return found

    async def load(self, keys: Sequence[int]) -> list[Any]:
        """Load the objects to change."""
        return [await self.Journal.aget_by_id(key) for key in keys]

    async def save_whole(self, objects: Sequence[Any], rows: Sequence[NewRow]) -> None:
        """Use asave()."""
        async with self.database.atomic():
            for item, (level, text, ts) in zip(objects, rows, strict=True):
                item.level, item.text, item.ts = level, text, ts
                await item.asave()

    async def save_field(self, objects: Sequence[Any], texts: Sequence[str]) -> None:
        """Use asave(only=...)."""
        only = [self.Journal.text]
        async with self.database.atomic():
            for item, text in zip(objects, texts, strict=True):
                item.text = text
                await item.asave(only=only)

    async def delete(self, objects: Sequence[Any]) -> None:
        """Use adelete_instance()."""
        async with self.database.atomic():
            for item in objects:
                await item.adelete_instance()

    async def join(self, times: int) -> list[Any]:
        """Select both and join."""
        found: list[Any] = []
        book, author = self.models.Book, self.models.Author
        for _ in range(times):
            found = await self.database.list(book.select(book, author).join(author))
        return found

    async def prefetch_books(self, times: int) -> list[Any]:
        """Use prefetch()."""
        found: list[Any] = []
        for _ in range(times):
            found = await self.database.run(prefetch, self.models.Author.select(), self.models.Book.select())
            sum(len(author.books) for author in found)
        return found

    async def prefetch_tags(self, times: int) -> list[Any]:
        """Use prefetch() through the table in between."""
        found: list[Any] = []
        book, link, tag = self.models.Book, self.models.BookTag, self.models.Tag
        for _ in range(times):
            found = await self.database.run(prefetch, book.select(), link.select(), tag.select())
            sum(len(book.book_tags) for book in found)
        return found

    def book_tags(self, book: Any) -> list[Any]:
        """Return the prefetched tags."""
        return [link.tag for link in book.book_tags]

    async def join_tuples(self, times: int) -> list[Any]:
        """Use tuples()."""
        found: list[Any] = []
        book, author = self.models.Book, self.models.Author
        for _ in range(times):
            query = book.select(book.id, book.title, author.name).join(author).tuples()
            found = await self.database.list(query)
        return found

    async def summary(self, levels: Sequence[int]) -> Any:
        """Select functions."""
        found = None
        key = self.Journal.id
        for level in levels:
            query = self.Journal.select(fn.COUNT(key), fn.MIN(key), fn.MAX(key), fn.SUM(key))
            (found,) = await self.database.list(query.where(self.Journal.level == level).tuples())
        return found

    async def group(self, times: int) -> list[Any]:
        """Use group_by()."""
        found: list[Any] = []
        level = self.Journal.level
        for _ in range(times):
            query = self.Journal.select(level, fn.COUNT(self.Journal.id)).group_by(level).tuples()
            found = await self.database.list(query)
        return found

    async def request(self, keys: Sequence[int], texts: Sequence[str]) -> None:
        """Use atomic(), aget_by_id() and asave(only=...)."""
        only = [self.Journal.text]
        for key, text in zip(keys, texts, strict=True):
            async with self.database.atomic():
                entry = await self.Journal.aget_by_id(key)
                entry.text = text
                await entry.asave(only=only)

    async def stream(self) -> tuple[int, Any]:
        """Use iterate(), which reads on inside a transaction on PostgreSQL."""
        count, last = 0, None
        async with self.database.atomic():
            async for item in self.database.iterate(self.Journal.select(), buffer_size=CHUNK):
                count, last = count + 1, item
        return count, last


def create(target: Target) -> AsyncAdapter:
    """Return the adapter."""
    return PeeweeAsync(target)
