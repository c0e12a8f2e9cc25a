"""The asynchronous floors: sqlite3 on a thread of its own, one hop for each unit; asyncpg on PostgreSQL."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Sequence
from queue import SimpleQueue
from typing import Any

from benchmarks.schema import NewRow, Row, Target
from benchmarks.workloads import TASKS

from .base import AsyncAdapter
from .raw import Raw
from .raw_asyncpg import AsyncpgRaw
from .raw_common import Entry

Job = tuple[Callable[..., Any], tuple[Any, ...], "asyncio.Future[Any]"]


class Hop:
    """A thread that runs functions one after the other."""

    def __init__(self) -> None:
        """Start the thread."""
        self.loop = asyncio.get_running_loop()
        self.jobs: SimpleQueue[Job | None] = SimpleQueue()
        self.thread = threading.Thread(target=self.work, daemon=True)
        self.thread.start()

    def __call__(self, function: Callable[..., Any], *args: Any) -> asyncio.Future[Any]:
        """Run the function on the thread; await what this returns."""
        future: asyncio.Future[Any] = self.loop.create_future()
        self.jobs.put((function, args, future))
        return future

    def work(self) -> None:
        """Run jobs until there is None."""
        notify = self.loop.call_soon_threadsafe
        while (job := self.jobs.get()) is not None:
            function, args, future = job
            try:
                notify(future.set_result, function(*args))
            except Exception as error:
                notify(future.set_exception, error)

    def stop(self) -> None:
        """End the thread."""
        self.jobs.put(None)
        self.thread.join()


class SqliteWorker(AsyncAdapter):
    """Hand each unit of work, as the sync floor does it, to the thread: one hop, whatever it holds."""

    def __init__(self, target: Target) -> None:
        """Take the sync floor along."""
        super().__init__(target)
        self.raw = Raw(target)

    async def connect(self) -> None:
        """Start the thread and connect on it."""
        self.hop = Hop()
        await self.hop(self.raw.connect)

    async def disconnect(self) -> None:
        """Close and end the thread."""
        await self.hop(self.raw.disconnect)
        self.hop.stop()

    async def statement(self, sql: str) -> None:
        """Run a statement in a hop."""
        await self.hop(self.raw.connection.execute, sql)

    async def insert_each(self, rows: Sequence[NewRow]) -> None:
        """One hop a row."""
        for row in rows:
            await self.hop(self.raw.insert_each, (row,))

    async def insert_together(self, rows: Sequence[NewRow]) -> None:
        """One hop a row, and two."""
        await self.statement("BEGIN")
        await self.insert_each(rows)
        await self.statement("COMMIT")

    async def insert_bulk(self, batches: Sequence[Sequence[NewRow]]) -> None:
        """One hop a batch."""
        for rows in batches:
            await self.hop(self.raw.insert_bulk, (rows,))

    async def update_bulk(self, objects: Sequence[Entry], texts: Sequence[str]) -> None:
        """One hop."""
        await self.hop(self.raw.update_bulk, objects, texts)

    async def upsert(self, batches: Sequence[Sequence[Row]]) -> None:
        """One hop a batch."""
        for rows in batches:
            await self.hop(self.raw.upsert, (rows,))

    async def filter_large(self, levels: Sequence[int]) -> Any:
        """One hop a query; the objects are built on the thread."""
        return await self.each(self.raw.filter_large, levels)

    async def filter_small(self, levels: Sequence[int]) -> Any:
        """One hop a query."""
        return await self.each(self.raw.filter_small, levels)

    async def get(self, keys: Sequence[int]) -> Any:
        """One hop a query."""
        return await self.each(self.raw.get, keys)

    async def dicts(self, levels: Sequence[int]) -> Any:
        """One hop a query."""
        return await self.each(self.raw.dicts, levels)

    async def tuples(self, levels: Sequence[int]) -> Any:
        """One hop a query."""
        return await self.each(self.raw.tuples, levels)

    async def each(self, function: Callable[[Sequence[int]], Any], values: Sequence[int]) -> Any:
        """One hop for each value."""
        found = None
        for value in values:
            found = await self.hop(function, (value,))
        return found

    async def load(self, keys: Sequence[int]) -> list[Entry]:
        """Load the objects to change."""
        found: list[Entry] = await self.hop(self.raw.load, keys)
        return found

    async def save_whole(self, objects: Sequence[Entry], rows: Sequence[NewRow]) -> None:
        """One hop a statement."""
        await self.statement("BEGIN")
        for item, row in zip(objects, rows, strict=True):
            item.level, item.text, item.ts = row
            await self.hop(
                self.raw.connection.execute, self.raw.sql.update, (*self.raw.make.stored(row), item.id)
            )
        await self.statement("COMMIT")

    async def save_field(self, objects: Sequence[Entry], texts: Sequence[str]) -> None:
        """One hop a statement."""
        await self.statement("BEGIN")
        for item, text in zip(objects, texts, strict=True):
            item.text = text
            await self.hop(self.raw.connection.execute, self.raw.sql.update_text, (text, item.id))
        await self.statement("COMMIT")

    async def delete(self, objects: Sequence[Entry]) -> None:
        """One hop a statement."""
        await self.statement("BEGIN")
        for item in objects:
            await self.hop(self.raw.connection.execute, self.raw.sql.delete, (item.id,))
        await self.statement("COMMIT")

    async def join(self, times: int) -> Any:
        """One hop a query."""
        return await self.repeat(self.raw.join, times)

    async def prefetch_books(self, times: int) -> Any:
        """One hop for both queries."""
        return await self.repeat(self.raw.prefetch_books, times)

    async def prefetch_tags(self, times: int) -> Any:
        """One hop for both queries."""
        return await self.repeat(self.raw.prefetch_tags, times)

    async def join_tuples(self, times: int) -> Any:
        """One hop a query."""
        return await self.repeat(self.raw.join_tuples, times)

    async def summary(self, levels: Sequence[int]) -> Any:
        """One hop a query."""
        return await self.each(self.raw.summary, levels)

    async def group(self, times: int) -> Any:
        """One hop a query."""
        return await self.repeat(self.raw.group, times)

    async def repeat(self, function: Callable[[int], Any], times: int) -> Any:
        """One hop each time."""
        found = None
        for _ in range(times):
            found = await self.hop(function, 1)
        return found

    async def request(self, keys: Sequence[int], texts: Sequence[str]) -> None:
        """One hop for the whole transaction."""
        for key, text in zip(keys, texts, strict=True):
            await self.hop(self.raw.request, (key,), (text,))

    async def concurrent(self, keys: Sequence[int]) -> list[Any]:
        """Get from 64 tasks."""
        return await asyncio.gather(*(self.get(keys[start::TASKS]) for start in range(TASKS)))

    async def stream(self) -> tuple[int, Entry | None]:
        """One hop a chunk; the objects are built on the thread."""
        count, last = 0, None
        chunks = self.raw.chunks()
        entries = self.raw.make.entries
        while found := await self.hop(lambda: entries(next(chunks, ()))):
            for item in found:
                count, last = count + 1, item
        return count, last


def create(target: Target) -> AsyncAdapter:
    """Return the adapter."""
    return SqliteWorker(target) if target.kind == "sqlite" else AsyncpgRaw(target)
