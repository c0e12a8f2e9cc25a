"""An asynchronous connection: statements, transaction blocks, errors."""

from __future__ import annotations

import asyncio
import logging
from abc import abstractmethod
from asyncio import CancelledError
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator, Sequence
from time import time
from typing import TYPE_CHECKING, Any, TypeVar

from ormolu.databases import ambient, observation
from ormolu.databases.blocks import Block, Blocks
from ormolu.databases.errors import translate
from ormolu.databases.reading import reads_only
from ormolu.databases.terms import IMMEDIATE
from ormolu.exceptions import Error

if TYPE_CHECKING:
    from ormolu.databases.asynchronous.driver import AsyncDriver
    from ormolu.databases.asynchronous.pool import LoopPool

R = TypeVar("R")
_watch = observation.watch
_log = observation.log

__all__ = ["CLEAN_UP", "AsyncConnection"]

CLEAN_UP = 5.0
"""Seconds that the server has for a ROLLBACK before the connection is cut."""


class AsyncConnection(Blocks):
    """A driver's asynchronous connection with its transaction state. Subclasses run the statements."""

    def __init__(self, driver: AsyncDriver, pool: LoopPool, fairy: Any) -> None:
        super().__init__()
        self.driver = driver
        self.pool = pool
        self.fairy = fairy
        self.native: Any = fairy.driver_connection
        self.key = driver.key
        self.born = self.used = time()
        self.reviving = False

    # -- statements, each to be given by the subclass

    @abstractmethod
    async def fetch(self, sql: str, params: Any = ()) -> Any:
        """Run a statement and return its rows."""

    async def fetch_many(self, requests: Sequence[tuple[str, Any]]) -> list[Any]:
        """Run statements and return the rows of each: in one round trip, where a subclass can."""
        return [await self.fetch(sql, params) for sql, params in requests]

    @abstractmethod
    async def fetch_named(self, sql: str, params: Any = ()) -> tuple[Sequence[str], Any]:
        """Run a statement and return the names of its columns, and its rows."""

    @abstractmethod
    async def execute(self, sql: str, params: Any = ()) -> int:
        """Run a statement and return how many rows it changed."""

    @abstractmethod
    async def insert(self, sql: str, params: Any = ()) -> Any:
        """Insert one row and return the key that the database gave it."""

    @abstractmethod
    async def many(self, sql: str, rows: Any) -> int:
        """Run a statement for each row of parameters, inside a transaction."""

    @abstractmethod
    def stream(self, sql: str, params: Any = (), chunk_size: int = 2000) -> AsyncGenerator[list[Any], None]:
        """Yield the rows in lists of at most `chunk_size`, inside a transaction."""

    @abstractmethod
    async def control_now(self, sql: str) -> None:
        """Run a control statement."""

    @abstractmethod
    async def terminate(self) -> None:
        """Cut the connection without a word to the server."""

    async def executemany(self, sql: str, rows: Any) -> int:
        """Run a statement for each row of parameters, all or none; return how many rows changed."""
        if self.blocks:
            if self.attention:
                await self.begin(True)
            return await self.many(sql, rows)
        block = self.open_block()
        failed = True
        try:
            await self.begin(True)
            count = await self.many(sql, rows)
            failed = False
            return count
        finally:
            await self.leave(block, failed)

    # -- blocks

    async def control(self, sql: str) -> None:
        """Run a control statement, reporting it to those who look."""
        if not (_watch.on or _log.isEnabledFor(logging.DEBUG)):
            return await self.control_now(sql)
        watcher = observation.Watcher(self.driver.database.alias, self.driver.vendor)
        watched = observation.AsyncWatched(self, watcher)
        await watched.report(lambda text, _: self.control_now(text), sql, ())

    async def drive(self, steps: Generator[str, None, R]) -> R:
        """Run the control statements that a change of state asks for; return its result."""
        try:
            sql = next(steps)
            while True:
                try:
                    await self.control(sql)
                except BaseException as error:
                    sql = steps.throw(error)
                else:
                    sql = next(steps)
        except StopIteration as stop:
            return stop.value  # type: ignore[no-any-return]

    async def begin(self, write: bool) -> None:
        """Begin what is entered but not begun, on another connection if this one is gone; raise in a spoilt block."""
        try:
            await self.drive(self.starting(write))
        except Error as error:
            if (
                not error.connection_invalidated
                or self.reviving
                or any(block.started for block in self.blocks)
            ):
                raise
            self.unspoil()
            await self.renew()
            await self.drive(self.starting(write))

    async def enter(
        self,
        *,
        durable: bool = False,
        savepoint: bool = True,
        immediate: bool = False,
    ) -> Block:
        """Enter a transaction block."""
        return self.open_block(durable, savepoint, IMMEDIATE if immediate else None)

    async def leave(self, block: Block, error: bool) -> None:
        """Leave a transaction block.

        Undoing goes on even if the task is cancelled meanwhile, and so does a commit for which functions wait.
        """
        if not self.blocks:
            return
        if not error and not (self.hooks and len(self.blocks) == 1):
            await self.drive(self.closing(block, False))
            return
        # What shall happen after a commit has to know of it; else one that is cut off is as good as none.
        work = asyncio.ensure_future(self._end(block, error))
        cancelled: CancelledError | None = None
        limit: asyncio.TimerHandle | None = None
        while not work.done():
            try:
                await asyncio.shield(work)
            except CancelledError as raised:
                if cancelled is None:
                    limit = work.get_loop().call_later(CLEAN_UP, work.cancel)
                cancelled = raised
        if limit is not None:
            limit.cancel()
        ambient.tidy()
        work.result()
        if cancelled is not None:
            raise cancelled

    async def _end(self, block: Block, error: bool) -> None:
        if not error:
            await self.drive(self.closing(block, False))
            return
        try:
            async with asyncio.timeout(CLEAN_UP):
                await self.drive(self.closing(block, True))
        except TimeoutError:
            self.dead()

    async def on_commit(self, callback: Callable[[], Any], robust: bool = False) -> None:
        """Call `callback` after the commit, or after the program outside of blocks."""
        self.add_hook(callback, robust)
        if not self.blocks:
            hooks, self.hooks = self.hooks, []
            self.ready += hooks

    async def await_(self, callback: Callable[[], Awaitable[Any]]) -> Any:
        """Await what `callback` returns, with this connection as the ambient one."""
        frame = ambient.push(self.key, self)
        try:
            return await callback()
        finally:
            ambient.pop(frame)

    # -- errors and the end

    def failed(self, error: BaseException, sql: str, params: Any) -> BaseException:
        """Return our error for the driver's; spoil the block, and bury a connection that is gone."""
        made = self.explain(error, sql, params)
        if made is error:
            raise error
        if isinstance(made, Error):
            if self.disconnected(error):
                made.connection_invalidated = True
                self.dead()
                self.pool.forget_older(self)
            self.spoil(made)
        return made

    def explain(self, error: BaseException, sql: str, params: Any) -> BaseException:
        """Translate a driver's error."""
        return translate(error, sql, params)

    @abstractmethod
    def disconnected(self, error: BaseException) -> bool:
        """Say whether an error means that the connection is gone."""

    def use(self, fairy: Any) -> None:
        """Work on another connection of the pool from now on."""
        self.fairy = fairy
        self.native = fairy.driver_connection
        self.is_dead = False

    async def renew(self) -> None:
        """Take another connection of the pool instead of this one, which is gone."""
        self.reviving = True
        self.dead()
        self.pool.forget_older(self)
        await self.pool.discard(self)
        self.use(await self.pool.fairy())
        self.born = time()

    def stale(self) -> bool:
        """Say whether the connection is known to be gone, without asking the server. Asked of idle ones."""
        return False

    async def revived(self, error: BaseException, sql: str) -> bool:
        """Replace a connection that died while it lay idle; say whether the statement may be tried again.

        Only outside of blocks, and only for reading: nothing can have happened twice.
        """
        if self.blocks or self.reviving or not self.disconnected(error) or not reads_only(sql):
            return False
        await self.renew()
        return True
