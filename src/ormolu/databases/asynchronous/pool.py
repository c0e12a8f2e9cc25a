"""The connections of one event loop."""

from __future__ import annotations

import asyncio
import contextlib
import weakref
from collections import deque
from collections.abc import Awaitable
from time import time
from typing import TYPE_CHECKING, Any

from ormolu.databases.loops import when_loop_ends
from ormolu.databases.pools import AsyncLendingPool, Listeners

if TYPE_CHECKING:
    from ormolu.databases.asynchronous.driver import AsyncDriver

__all__ = ["LoopPool"]


class LoopPool:
    """One event loop's engine and idle connections."""

    def __init__(self, driver: AsyncDriver, loop: asyncio.AbstractEventLoop) -> None:
        self.driver = driver
        self.loop = loop
        self.engine = driver.database.async_engine_of(loop)
        self.pool: Any = self.engine.sync_engine.pool
        if isinstance(self.pool, AsyncLendingPool):
            self.pool.lender = weakref.ref(self)
        config = driver.database.config.pool
        self.lends = isinstance(self.pool, AsyncLendingPool) and not config.pre_ping
        self.recycle = config.recycle
        self.listeners = Listeners(self.pool)
        self.idle: list[Any] = []
        self.waiters: deque[asyncio.Future[Any]] = deque()
        self.timeout = config.timeout
        self.closed = False
        self._guard = when_loop_ends(self.aclose)
        self._closing: asyncio.Task[None] | None = None

    async def fairy(self) -> Any:
        """Take a connection from SQLAlchemy's pool. Raises ServerUnreachable if there is none to be had."""
        from sqlalchemy.util import greenlet_spawn

        try:
            return await greenlet_spawn(self.pool.connect)
        except Exception as error:
            raise self.driver.database.unreachable(error) from error

    async def checkout(self) -> Any:
        """Return a connection for the caller alone, the last used one if there is one."""
        while True:
            while self.idle:
                conn = self.idle.pop()
                if self.recycle > 0 and time() - conn.born > self.recycle:
                    await self.return_fairy(conn)
                    continue
                return conn
            if not self.lends or self.listeners or not self.pool.exhausted():
                return self.driver.connection_class(self.driver, self, await self.fairy())
            conn = await self._wait()
            if conn is not None:
                return conn

    async def _wait(self) -> Any:
        """Wait for the next connection that is free; None if it is in the pool.

        In the pool's own queue a waiting task costs a greenlet, and the connection's way through the pool as well;
        from hand to hand it is one future.
        """
        future: asyncio.Future[Any] = self.loop.create_future()
        self.waiters.append(future)
        try:
            async with asyncio.timeout(self.timeout):
                return await future
        except BaseException as error:
            if future.done() and not future.cancelled():
                await self.pass_on(future.result())
            if isinstance(error, TimeoutError):
                raise self.driver.database.exhausted() from None
            raise
        finally:
            with contextlib.suppress(ValueError):
                self.waiters.remove(future)

    async def pass_on(self, conn: Any) -> None:
        """Give a connection, or the news of one in the pool, to somebody else."""
        if conn is None:
            self.one_returned()
        elif (wait := self.release(conn)) is not None:
            await wait

    def one_returned(self) -> None:
        """Let the task that waits longest look into the pool."""
        self._hand(None)

    def _hand(self, conn: Any) -> bool:
        """Hand a connection to the task that waits longest; say whether there was one."""
        while self.waiters:
            future = self.waiters.popleft()
            if not future.done():
                future.set_result(conn)
                return True
        return False

    def release(self, conn: Any) -> Awaitable[None] | None:
        """Keep a connection for the next one; or return what must be awaited to give it back."""
        if self.lends and not conn.is_dead and not self.pool.waiting and not self.listeners:
            conn.reviving = False
            if not self.waiters or not self._hand(conn):
                self.idle.append(conn)
            return None
        if self.closed:
            return self.retire(conn)
        return self.discard(conn) if conn.is_dead else self.return_fairy(conn)

    async def return_fairy(self, conn: Any) -> None:
        """Give a connection to the pool."""
        from sqlalchemy.util import greenlet_spawn

        await greenlet_spawn(conn.fairy.close)

    async def retire(self, conn: Any) -> None:
        """Close a connection that was in use when the pool was closed."""
        from sqlalchemy.util import greenlet_spawn

        with contextlib.suppress(Exception):
            await greenlet_spawn(conn.fairy.invalidate)

    async def discard(self, conn: Any) -> None:
        """Cut a connection, and let the pool make another one when it needs one."""
        from sqlalchemy.util import greenlet_spawn

        with contextlib.suppress(Exception):
            await conn.terminate()
        if conn.fairy.is_valid:
            with contextlib.suppress(Exception):
                await greenlet_spawn(conn.fairy.invalidate)
        with contextlib.suppress(Exception):
            await greenlet_spawn(conn.fairy.close)

    def forget_older(self, conn: Any) -> None:
        """After a lost connection, trust none that is as old: a restarted server has dropped them all."""
        self.pool._invalidate(conn.fairy, None, _checkin=False)
        for one in self.idle:
            one.is_dead = True
        stale, self.idle = self.idle, []
        for one in stale:
            self.loop.create_task(self.discard(one))

    def give_back_one(self) -> bool:
        """Return an idle connection to the pool, which calls this, in a greenlet, for one who waits."""
        try:
            self.idle.pop().fairy.close()
        except IndexError:
            return False
        return True

    async def aclose(self) -> None:
        """Close all idle connections. Those that are in use will be closed after that."""
        self.lends, self.closed = False, True
        from sqlalchemy.util import greenlet_spawn

        while self.idle:
            await self.return_fairy(self.idle.pop())
        await greenlet_spawn(self.pool.dispose)  # the engine may have another pool by now
        if self.driver.pools.get(self.loop) is self:
            del self.driver.pools[self.loop]
        await self.driver.database.drop_async_engine(self.loop, self.engine)

    def close_later(self) -> None:
        """Close from where nothing can be awaited: by the loop, if it still runs."""
        if self.loop.is_running():
            self.loop.call_soon_threadsafe(self._start_closing)
        else:
            self.abandon()

    def _start_closing(self) -> None:
        self._closing = self.loop.create_task(self.aclose())

    def abandon(self) -> None:
        """Cut connections whose loop has stopped; nothing can be awaited on them any more."""
        idle, self.idle = self.idle, []
        for conn in idle:
            with contextlib.suppress(Exception):
                conn.fairy.detach()  # or the pool would complain when it is collected
            with contextlib.suppress(Exception):
                conn.cut()
        with contextlib.suppress(Exception):
            self.engine.sync_engine.dispose(close=False)
