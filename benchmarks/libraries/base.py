"""Say what an adapter is: one method for each workload, and a few ways to look at its objects.

The methods, and what they are given (`benchmarks.workloads` names them):

===================  ================  ==============================================================
``insert_each``      rows              create each row in its own transaction
``insert_together``  rows              create objects and save() them in one transaction
``insert_bulk``      batches of rows   one bulk insert of instances for each batch
``filter_large``     levels            all rows of each level, as a list of instances
``filter_small``     levels            20 rows of each level
``get``              keys              one instance for each key
``dicts``            levels            all rows of each level
``tuples``           levels            the same
``load``             keys              the objects that the next three change (not timed)
``load_many``        keys              the same for many of them, in their order (not timed)
``save_whole``       objects, rows     set three fields, save, in one transaction
``save_field``       objects, texts    set one field, save, in one transaction
``delete``           objects           delete, in one transaction
``update_bulk``      objects, texts    set one field of each, write all with the bulk update
``upsert``           batches of rows   with keys: insert or update with one bulk call for each batch
``join``             times             all books with their author, in one statement
``join_tuples``      times             (key, title, author's name) of all books, in one statement
``prefetch_books``   times             all authors with their books, looking at each list
``prefetch_tags``    times             all books with their tags, looking at each list
``group``            times             (level, number of rows) for all levels
``summary``          levels            (number, smallest key, greatest key, their sum) of each level
``request``          keys, texts       for each: begin, get, set one field, save, commit
``concurrent``       keys              get all keys from 64 tasks, or from 16 threads
``stream``                             iterate over the table: (number of rows, last instance)
===================  ================  ==============================================================

Each returns what it read last. A method that a library has no API for is left out.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any, ClassVar

from benchmarks.schema import Target
from benchmarks.workloads import TASKS, THREADS


class Adapter:
    """Hold what sync and async adapters share: how the checks look at a library's objects."""

    asynchronous: ClassVar[bool]

    def __init__(self, target: Target) -> None:
        """Remember the database; connect() opens it."""
        self.target = target
        self.sqlite = target.kind == "sqlite"

    def load_many(self, keys: Sequence[int]) -> Any:
        """Load many objects to change."""
        return self.load(keys)  # type: ignore[attr-defined]

    def row(self, entry: Any) -> tuple[Any, ...]:
        """Return the values of an entry of the journal."""
        return entry.id, entry.level, entry.text, entry.ts

    def key(self, item: Any) -> int:
        """Return the key of an object."""
        key: int = item.id
        return key

    def book_author(self, book: Any) -> str:
        """Return the name of the author that was loaded with the book."""
        name: str = book.author.name
        return name

    def author_books(self, author: Any) -> list[Any]:
        """Return the books that were loaded with the author."""
        return list(author.books)

    def book_tags(self, book: Any) -> list[Any]:
        """Return the tags that were loaded with the book."""
        return list(book.tags)

    def tag_name(self, tag: Any) -> str:
        """Return the name of a tag."""
        name: str = tag.name
        return name


class SyncAdapter(Adapter):
    """Run on the calling thread, and `concurrent` on 16 threads."""

    asynchronous = False
    _threads: ThreadPoolExecutor | None = None

    def connect(self) -> None:
        """Open the database."""

    def disconnect(self) -> None:
        """Close the database; a later connect() opens it again."""

    def thread_close(self) -> None:
        """Close what `thread_get` opened on this thread."""

    def get(self, keys: Sequence[int]) -> Any:
        """Get one instance for each key."""
        raise NotImplementedError

    def thread_get(self, keys: Sequence[int]) -> Any:
        """Do what `get` does, on one of the threads."""
        return self.get(keys)

    def concurrent(self, keys: Sequence[int]) -> list[Any]:
        """Share the keys out to 16 threads."""
        return self._on_each_thread(self.thread_get, keys)

    def close_threads(self) -> None:
        """End the threads that `concurrent` started, and their connections."""
        if self._threads is not None:
            self._on_each_thread(lambda keys: self.thread_close(), ())
            self._threads.shutdown()
            self._threads = None

    def _on_each_thread(self, work: Callable[[Sequence[int]], Any], keys: Sequence[int]) -> list[Any]:
        if self._threads is None:
            self._threads = ThreadPoolExecutor(THREADS)
        barrier = Barrier(THREADS)

        def job(part: Sequence[int]) -> Any:
            barrier.wait(30)
            return work(part)

        jobs = [self._threads.submit(job, keys[start::THREADS]) for start in range(THREADS)]
        return [job.result() for job in jobs]


class AsyncAdapter(Adapter):
    """Run in an event loop, and `concurrent` in 64 tasks."""

    asynchronous = True

    async def connect(self) -> None:
        """Open the database."""

    async def disconnect(self) -> None:
        """Close the database; a later connect() opens it again."""

    async def get(self, keys: Sequence[int]) -> Any:
        """Get one instance for each key."""
        raise NotImplementedError

    async def task_get(self, keys: Sequence[int]) -> Any:
        """Do what `get` does, in one of the tasks."""
        return await self.get(keys)

    async def concurrent(self, keys: Sequence[int]) -> list[Any]:
        """Share the keys out to 64 tasks."""
        return await asyncio.gather(*(self.task_get(keys[start::TASKS]) for start in range(TASKS)))
