"""Synchronous code of a user's, run for an async task: an overridden `save()` that `asave()` must not pass over.

An *errand* is done in a thread of its own, as synchronous code is written for: it may block, and read what is not
loaded. What it asks of a database goes back to the task that waits for it, and is done there by the asynchronous
drivers, so it is part of that task's transaction, on that task's connection.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable, Generator, Iterator
from contextvars import copy_context
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any, TypeVar

import sqlalchemy as sa

from ormolu.databases import ambient
from ormolu.databases.terms import Terms
from ormolu.exceptions import NotSupportedError

if TYPE_CHECKING:
    from ormolu.databases.database import Database

__all__ = ["Errand", "LentDriver", "in_thread"]

R = TypeVar("R")


async def in_thread(function: Callable[[], R]) -> R:
    """Call a synchronous function in a thread; its queries are those of the task that awaits this.

    If the task is cancelled, the function's next query raises CancelledError, and its end is awaited.
    """
    return await Errand().run(function)  # type: ignore[no-any-return]


class Errand:
    """One call of a synchronous function for a task, which does what the function asks of databases."""

    def __init__(self) -> None:
        self.loop = asyncio.get_running_loop()
        self.owner = ambient.owner()
        """The task, to which the thread's transactions belong."""
        self.stopped: asyncio.CancelledError | None = None
        self._message: asyncio.Future[Any] = self.loop.create_future()
        self._replies: SimpleQueue[tuple[Any, BaseException | None, Any]] = SimpleQueue()
        self._drivers: dict[int, LentDriver] = {}

    # -- in the task

    async def run(self, function: Callable[[], Any]) -> Any:
        """Start the thread, and answer it until it ends."""
        thread = threading.Thread(
            target=copy_context().run, args=(self._inside, function), name="ormolu-errand", daemon=True
        )
        thread.start()
        while True:
            message = await self._next()
            if isinstance(message, _Outcome):
                break
            reply = await self._answer(message)
            self._message = self.loop.create_future()
            self._replies.put((*reply, ambient.current.get()))
        if self.stopped is not None:
            raise self.stopped
        if message.error is not None:
            raise message.error
        return message.value

    async def _next(self) -> Any:
        while not self._message.done():
            try:
                await asyncio.shield(self._message)
            except asyncio.CancelledError as cancelled:
                self.stopped = cancelled  # the thread can't be stopped, only told so when it next asks
        return self._message.result()

    async def _answer(self, message: _Request) -> tuple[Any, BaseException | None]:
        if self.stopped is not None and not message.last:
            return None, asyncio.CancelledError()
        try:
            return await message.make(), None
        except BaseException as error:
            return None, error

    def _arrive(self, message: Any) -> None:
        self._message.set_result(message)

    # -- in the thread

    def _inside(self, function: Callable[[], Any]) -> None:
        me = threading.get_ident()
        ambient.errands[me] = self
        try:
            outcome = _Outcome(function(), None)
        except BaseException as error:
            outcome = _Outcome(None, error)
        finally:
            del ambient.errands[me]
        self.loop.call_soon_threadsafe(self._arrive, outcome)

    def ask(self, make: Callable[[], Awaitable[R]], *, last: bool = False) -> R:
        """Let the task await something, and return its result. `last` is done for a cancelled task, too."""
        self.loop.call_soon_threadsafe(self._arrive, _Request(make, last))
        value, error, frame = self._replies.get()
        ambient.current.set(frame)  # blocks are opened and left in the task's context
        if error is not None:
            raise error
        return value  # type: ignore[no-any-return]

    def driver(self, database: Database) -> LentDriver:
        """Return what stands for a database's synchronous driver in this thread."""
        found = self._drivers.get(id(database))
        if found is None:

            async def adriver() -> Any:
                return database.adriver

            found = self._drivers[id(database)] = LentDriver(self, self.ask(adriver, last=True))
        return found


class _Request:
    __slots__ = ("last", "make")

    def __init__(self, make: Callable[[], Awaitable[Any]], last: bool) -> None:
        self.make = make
        self.last = last


class _Outcome:
    __slots__ = ("error", "value")

    def __init__(self, value: Any, error: BaseException | None) -> None:
        self.value = value
        self.error = error


class LentDriver:
    """What an errand sees as the synchronous driver: it hands everything to the asynchronous one."""

    is_async = False

    def __init__(self, errand: Errand, adriver: Any) -> None:
        self._errand = errand
        self._adriver = adriver

    def __getattr__(self, name: str) -> Any:
        return getattr(self._adriver, name)  # the dialect, the plans

    def run(self, fn: Callable[..., Generator[Any, Any, R]], *args: Any) -> R:
        """Run a program; see `SyncDriver.run()`."""
        return self._errand.ask(lambda: self._adriver.arun(fn, *args))  # type: ignore[no-any-return]

    def stream(self, sql: str, params: Any = (), chunk_size: int = 2000) -> Iterator[list[Any]]:
        """Yield a statement's rows in lists."""
        ask = self._errand.ask
        chunks = self._adriver.stream(sql, params, chunk_size)
        try:
            while True:
                try:
                    yield ask(chunks.__anext__)
                except StopAsyncIteration:
                    return
        finally:
            ask(chunks.aclose, last=True)

    def begin_block(
        self, durable: bool = False, savepoint: bool = True, terms: Terms | None = None
    ) -> tuple[Any, Any]:
        """Enter a transaction block of the task."""
        return self._errand.ask(lambda: self._adriver.abegin_block(durable, savepoint, terms))  # type: ignore[no-any-return]

    def end_block(self, conn: Any, block: Any, error: bool) -> None:
        """Leave a transaction block of the task."""
        self._errand.ask(lambda: self._adriver.aend_block(conn, block, error), last=True)

    def drive(self, conn: Any, steps: Generator[str, None, R]) -> R:
        """Run the control statements that a change of state asks for."""
        return self._errand.ask(lambda: self._adriver.adrive(conn, steps))  # type: ignore[no-any-return]

    def ambient(self) -> Any:
        """Return the connection of the transaction that the task has open, or None."""
        return ambient.find_open(self._adriver.key)

    def ddl(self, fn: Callable[[sa.Connection], R], write: bool = True) -> R:
        """Call `fn` with a SQLAlchemy connection."""
        return self._errand.ask(lambda: self._adriver.addl(fn, write))  # type: ignore[no-any-return]

    def hold(self) -> Any:
        """Refuse: a DB-API cursor needs a synchronous connection."""
        raise NotSupportedError(
            "There is no DB-API cursor in synchronous code that an async task runs (an overridden save(), say): "
            "use get_connection().fetch() or execute()."
        )
