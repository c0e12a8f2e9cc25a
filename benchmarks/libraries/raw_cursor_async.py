"""The floors on asynchronous drivers whose connections have execute(): aiosqlite and psycopg 3."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import Any

from benchmarks.schema import NewRow, Row, Target

from .base import AsyncAdapter
from .raw_common import (
    Author,
    Book,
    Entry,
    authors_from,
    books_from,
    give_books,
    give_tags,
    joined_books,
    shapes,
    statements,
)

CHUNK = 2_000


class CursorRaw(AsyncAdapter):
    """Hand-written code over the few calls in which the two drivers differ."""

    def __init__(self, target: Target, style: str) -> None:
        """Choose the parameter style and the loops."""
        super().__init__(target)
        self.sql = statements(style, target.kind)
        self.make = shapes(target)

    async def fetch(self, sql: str, values: Sequence[Any] = ()) -> Any:
        """Return all rows of a query."""
        raise NotImplementedError

    async def execute(self, sql: str, values: Sequence[Any] = ()) -> Any:
        """Run a statement."""
        raise NotImplementedError

    async def insert(self, values: Sequence[Any]) -> int:
        """Insert an entry and return its key."""
        raise NotImplementedError

    async def executemany(self, sql: str, rows: Sequence[Any]) -> None:
        """Run a statement for each row."""
        raise NotImplementedError

    async def related(self, sql: str, keys: list[int]) -> Any:
        """Return the rows that belong to these keys."""
        raise NotImplementedError

    def chunks(self, sql: str) -> AsyncIterator[Any]:
        """Yield the rows of a query in lists."""
        raise NotImplementedError

    async def insert_each(self, rows: Sequence[NewRow]) -> None:
        """Insert in autocommit and keep the key."""
        for row in rows:
            Entry(await self.insert(self.make.stored(row)), *row)

    async def insert_together(self, rows: Sequence[NewRow]) -> None:
        """Insert between BEGIN and COMMIT."""
        await self.execute("BEGIN")
        await self.insert_each(rows)
        await self.execute("COMMIT")

    async def insert_bulk(self, batches: Sequence[Sequence[NewRow]]) -> None:
        """Insert with executemany."""
        for rows in batches:
            await self.execute("BEGIN")
            await self.executemany(self.sql.insert, [self.make.stored(row) for row in rows])
            await self.execute("COMMIT")

    async def update_bulk(self, objects: Sequence[Entry], texts: Sequence[str]) -> None:
        """Use executemany; on PostgreSQL one statement, joined with arrays."""
        for item, text in zip(objects, texts, strict=True):
            item.text = text
        if not self.sqlite:
            await self.execute(self.sql.update_bulk, ([i.text for i in objects], [i.id for i in objects]))
            return
        await self.execute("BEGIN")
        await self.executemany(self.sql.update_bulk, [(item.text, item.id) for item in objects])
        await self.execute("COMMIT")

    async def upsert(self, batches: Sequence[Sequence[Row]]) -> None:
        """Use executemany."""
        for rows in batches:
            await self.execute("BEGIN")
            values = [(row[0], *self.make.stored(row[1:])) for row in rows]
            await self.executemany(self.sql.upsert, values)
            await self.execute("COMMIT")

    async def filter_large(self, levels: Sequence[int]) -> list[Entry]:
        """Build slotted objects."""
        found: list[Entry] = []
        for level in levels:
            found = self.make.entries(await self.fetch(self.sql.by_level, (level,)))
        return found

    async def filter_small(self, levels: Sequence[int]) -> list[Entry]:
        """Build 20 slotted objects."""
        found: list[Entry] = []
        for level in levels:
            found = self.make.entries(await self.fetch(self.sql.by_level_small, (level,)))
        return found

    async def get(self, keys: Sequence[int]) -> Entry | None:
        """Build one slotted object for each key."""
        found = None
        for key in keys:
            rows = await self.fetch(self.sql.by_key, (key,))
            found = self.make.entry(rows[0])
        return found

    async def dicts(self, levels: Sequence[int]) -> list[dict[str, Any]]:
        """Build dictionaries."""
        found: list[dict[str, Any]] = []
        for level in levels:
            found = self.make.dicts(await self.fetch(self.sql.by_level, (level,)))
        return found

    async def tuples(self, levels: Sequence[int]) -> Sequence[Any]:
        """Take the rows, with datetimes."""
        found: Sequence[Any] = ()
        for level in levels:
            found = self.make.tuples(await self.fetch(self.sql.by_level, (level,)))
        return found

    async def load(self, keys: Sequence[int]) -> list[Entry]:
        """Load the objects to change."""
        return [self.make.entry((await self.fetch(self.sql.by_key, (key,)))[0]) for key in keys]

    async def save_whole(self, objects: Sequence[Entry], rows: Sequence[NewRow]) -> None:
        """Update three columns, after setting the attributes."""
        await self.execute("BEGIN")
        for item, row in zip(objects, rows, strict=True):
            item.level, item.text, item.ts = row
            await self.execute(self.sql.update, (*self.make.stored(row), item.id))
        await self.execute("COMMIT")

    async def save_field(self, objects: Sequence[Entry], texts: Sequence[str]) -> None:
        """Update one column, after setting the attribute."""
        await self.execute("BEGIN")
        for item, text in zip(objects, texts, strict=True):
            item.text = text
            await self.execute(self.sql.update_text, (item.text, item.id))
        await self.execute("COMMIT")

    async def delete(self, objects: Sequence[Entry]) -> None:
        """Delete by key."""
        await self.execute("BEGIN")
        for item in objects:
            await self.execute(self.sql.delete, (item.id,))
        await self.execute("COMMIT")

    async def join(self, times: int) -> list[Book]:
        """Build a book and an author from each row."""
        found: list[Book] = []
        for _ in range(times):
            found = joined_books(await self.fetch(self.sql.joined))
        return found

    async def prefetch_books(self, times: int) -> list[Author]:
        """Group the books of the authors by hand."""
        found: list[Author] = []
        for _ in range(times):
            found = authors_from(await self.fetch(self.sql.authors))
            give_books(found, await self.related(self.sql.books_of, [author.id for author in found]))
        return found

    async def prefetch_tags(self, times: int) -> list[Book]:
        """Group the tags of the books by hand."""
        found: list[Book] = []
        for _ in range(times):
            found = books_from(await self.fetch(self.sql.books))
            give_tags(found, await self.related(self.sql.tags_of, [book.id for book in found]))
        return found

    async def join_tuples(self, times: int) -> Sequence[Any]:
        """Take the rows."""
        found: Sequence[Any] = ()
        for _ in range(times):
            found = await self.fetch(self.sql.joined_tuples)
        return found

    async def summary(self, levels: Sequence[int]) -> Any:
        """Take the row."""
        found = None
        for level in levels:
            found = (await self.fetch(self.sql.summary, (level,)))[0]
        return found

    async def group(self, times: int) -> Sequence[Any]:
        """Take the rows."""
        found: Sequence[Any] = ()
        for _ in range(times):
            found = await self.fetch(self.sql.groups)
        return found

    async def request(self, keys: Sequence[int], texts: Sequence[str]) -> None:
        """Begin, get, update one column, commit."""
        for key, text in zip(keys, texts, strict=True):
            await self.execute("BEGIN")
            found = self.make.entry((await self.fetch(self.sql.by_key, (key,)))[0])
            found.text = text
            await self.execute(self.sql.update_text, (found.text, found.id))
            await self.execute("COMMIT")

    async def stream(self) -> tuple[int, Entry | None]:
        """Read in chunks."""
        count, last = 0, None
        async for rows in self.chunks(self.sql.everything):
            for item in self.make.entries(rows):
                count, last = count + 1, item
        return count, last
