"""Piccolo, on aiosqlite and asyncpg; its prefetch of collections returns dictionaries."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from piccolo.columns import M2M, ForeignKey, Integer, LazyTableReference, Serial, Timestamp, Varchar
from piccolo.engine.postgres import PostgresEngine
from piccolo.engine.sqlite import SQLiteEngine
from piccolo.query.functions.aggregate import Count, Max, Min, Sum
from piccolo.table import Table

from benchmarks.schema import NewRow, Row, Target
from benchmarks.workloads import POOL

from .base import AsyncAdapter

CHUNK = 2_000


class Journal(Table, tablename="journal"):
    """An entry of the journal."""

    id = Serial(primary_key=True)
    level = Integer(index=True)
    text = Varchar(200, index=True)
    ts = Timestamp()


class Author(Table, tablename="author"):
    """An author."""

    id = Serial(primary_key=True)
    name = Varchar(100)


class Tag(Table, tablename="tag"):
    """A tag."""

    id = Serial(primary_key=True)
    name = Varchar(100)


class Book(Table, tablename="book"):
    """A book."""

    id = Serial(primary_key=True)
    title = Varchar(200)
    author = ForeignKey(Author, db_column_name="author_id")
    tags = M2M(LazyTableReference("BookTag", module_path=__name__))


class BookTag(Table, tablename="book_tags"):
    """The table between books and tags."""

    id = Serial(primary_key=True)
    book = ForeignKey(Book, db_column_name="book_id")
    tag = ForeignKey(Tag, db_column_name="tag_id")


class PiccoloAsync(AsyncAdapter):
    """Autocommit, and the engine's transaction() where one is asked for."""

    engine: Any

    async def connect(self) -> None:
        """Make the engine; a pool on PostgreSQL, a connection for each query on SQLite."""
        if self.sqlite:
            self.engine = SQLiteEngine(path=self.target.path)
        else:
            self.engine = PostgresEngine(config=self.target.keywords("database"), extensions=())
            await self.engine.start_connection_pool(min_size=1, max_size=POOL)
        for table in (Journal, Author, Tag, Book, BookTag):
            table._meta._db = self.engine

    async def disconnect(self) -> None:
        """Close the pool."""
        if not self.sqlite:
            await self.engine.close_connection_pool()

    async def insert_each(self, rows: Sequence[NewRow]) -> None:
        """Use save() in autocommit."""
        for level, text, ts in rows:
            await Journal(level=level, text=text, ts=ts).save()

    async def insert_together(self, rows: Sequence[NewRow]) -> None:
        """Use save()."""
        async with self.engine.transaction():
            await self.insert_each(rows)

    async def insert_bulk(self, batches: Sequence[Sequence[NewRow]]) -> None:
        """Use insert()."""
        for rows in batches:
            await Journal.insert(*[Journal(level=level, text=text, ts=ts) for level, text, ts in rows])

    async def upsert(self, batches: Sequence[Sequence[Row]]) -> None:
        """Use insert() with on_conflict()."""
        for rows in batches:
            objects = [Journal(id=key, level=level, text=text, ts=ts) for key, level, text, ts in rows]
            await Journal.insert(*objects).on_conflict(
                target=Journal.id, action="DO UPDATE", values=[Journal.level, Journal.text, Journal.ts]
            )

    async def filter_large(self, levels: Sequence[int]) -> list[Any]:
        """Use objects()."""
        found: list[Any] = []
        for level in levels:
            found = await Journal.objects().where(Journal.level == level)
        return found

    async def filter_small(self, levels: Sequence[int]) -> list[Any]:
        """Use objects() with a limit."""
        found: list[Any] = []
        for level in levels:
            found = await Journal.objects().where(Journal.level == level).limit(20)
        return found

    async def get(self, keys: Sequence[int]) -> Any:
        """Use objects().get()."""
        found = None
        for key in keys:
            found = await Journal.objects().get(Journal.id == key)
        return found

    async def dicts(self, levels: Sequence[int]) -> list[dict[str, Any]]:
        """Use select()."""
        found: list[dict[str, Any]] = []
        for level in levels:
            query = Journal.select(Journal.id, Journal.level, Journal.text, Journal.ts)
            found = await query.where(Journal.level == level)
        return found

    async def load(self, keys: Sequence[int]) -> list[Any]:
        """Load the objects to change."""
        found = await Journal.objects().where(Journal.id.is_in(list(keys)))
        by_key = {entry.id: entry for entry in found}
        return [by_key[key] for key in keys]

    async def save_whole(self, objects: Sequence[Any], rows: Sequence[NewRow]) -> None:
        """Use save()."""
        async with self.engine.transaction():
            for item, (level, text, ts) in zip(objects, rows, strict=True):
                item.level, item.text, item.ts = level, text, ts
                await item.save()

    async def save_field(self, objects: Sequence[Any], texts: Sequence[str]) -> None:
        """Use save() with a column."""
        async with self.engine.transaction():
            for item, text in zip(objects, texts, strict=True):
                item.text = text
                await item.save([Journal.text])

    async def delete(self, objects: Sequence[Any]) -> None:
        """Use remove()."""
        async with self.engine.transaction():
            for item in objects:
                await item.remove()

    async def join(self, times: int) -> list[Any]:
        """Use objects() with the foreign key."""
        found: list[Any] = []
        for _ in range(times):
            found = await Book.objects(Book.author)
        return found

    async def prefetch_tags(self, times: int) -> list[Any]:
        """Select the tags as lists of dictionaries."""
        found: list[Any] = []
        for _ in range(times):
            found = await Book.select(Book.id, Book.title, Book.author, Book.tags(Tag.id, Tag.name))
            sum(len(book["tags"]) for book in found)
        return found

    def key(self, item: Any) -> int:
        """Look into the dictionary."""
        key: int = item["id"]
        return key

    def book_tags(self, book: Any) -> list[Any]:
        """Look into the dictionary."""
        return list(book["tags"])

    def tag_name(self, tag: Any) -> str:
        """Look into the dictionary."""
        name: str = tag["name"]
        return name

    async def summary(self, levels: Sequence[int]) -> Any:
        """Select functions."""
        found: Any = {}
        key = Journal.id
        for level in levels:
            query = Journal.select(Count(), Min(key), Max(key), Sum(key)).where(Journal.level == level)
            found = await query.first()
        return tuple(found.values())

    async def group(self, times: int) -> list[Any]:
        """Use group_by()."""
        found: list[Any] = []
        for _ in range(times):
            groups = await Journal.select(Journal.level, Count()).group_by(Journal.level)
            found = [(group["level"], group["count"]) for group in groups]
        return found

    async def request(self, keys: Sequence[int], texts: Sequence[str]) -> None:
        """Use transaction(), get() and save() with a column."""
        for key, text in zip(keys, texts, strict=True):
            async with self.engine.transaction():
                entry = await Journal.objects().get(Journal.id == key)
                assert entry
                entry.text = text
                await entry.save([Journal.text])

    async def stream(self) -> tuple[int, Any]:
        """Read in batches."""
        count, last = 0, None
        async with await Journal.objects().batch(batch_size=CHUNK) as batches:
            async for batch in batches:
                for item in batch:
                    count, last = count + 1, item
        return count, last


def create(target: Target) -> AsyncAdapter:
    """Return the adapter."""
    return PiccoloAsync(target)
