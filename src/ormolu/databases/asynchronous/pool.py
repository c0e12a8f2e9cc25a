"""The connections of one event loop."""

from __future__ import annotations

import asyncio
import contextlib
import weakref
from collections import deque
from collections.abc import Awaitable
from time import time
from typing import TYPE_CHECKING, Any

from ormolu.databases.interplay import GUEST
from ormolu.databases.loops import when_loop_ends
from ormolu.databases.observation import note_pool
from ormolu.databases.pools import AsyncLendingPool, Listeners, rested_too_long, rests
from ormolu.databases.retry import may_come_back

if TYPE_CHECKING:
    from ormolu.databases.asynchronous.driver import AsyncDriver

__all__ = ["LoopPool", "abandon_closed_loops"]

# Until they are closed: a driver that is forgotten before that would take them along, with their connections open.
_open: set[LoopPool] = set()


def abandon_closed_loops() -> None:
    """Cut the connections of event loops that were closed without a chance to close them."""
    for pool in list(_open):  # other threads add theirs meanwhile
        if pool.loop.is_closed():
            pool.driver.pools.pop(pool.loop, None)
            pool.abandon()


class LoopPool:
    """One event loop's engine and idle connections."""

    def __init__(self, driver: AsyncDriver, loop: asyncio.AbstractEventLoop) -> None:
        self.driver = driver
        self.loop = loop
        self.engine = driver.database.async_engine_of(loop)
        self.pool: Any = self.engine.sync_engine.pool
        config = driver.database.config.pool
        self.closed = driver.closed  # for a program that came late; then it keeps nothing
        self.lends = False
        if isinstance(self.pool, AsyncLendingPool) and not config.pre_ping and not self.closed:
            self.lends = True
            self.pool.lender = weakref.ref(self)
        self.recycle = config.recycle
        self.max_idle = config.max_idle
        self.ages = config.recycle > 0 or config.max_idle > 0
        self.listeners = Listeners(self.pool)
        self.idle: list[Any] = []
        self.waiters: deque[asyncio.Future[Any]] = deque()
        self.timeout = config.timeout
        self._guard = when_loop_ends(self.aclose)
        self._closing: asyncio.Task[None] | None = None
        self._leaving: set[Any] = set()
        self._discarding: asyncio.Task[None] | None = None
        note_pool(driver.database.alias, driver.vendor, True, True)
        _open.add(self)

    async def fairy(self) -> Any:
        """Take a connection from SQLAlchemy's pool. Raises ServerUnreachable if there is none to be had."""
        from sqlalchemy.util import greenlet_spawn

        database = self.driver.database
        pauses = database.pauses()
        while True:
            try:
                fairy = await greenlet_spawn(self.pool.connect)
                if not self.max_idle > 0 or not rested_too_long(fairy, self.max_idle):
                    return fairy
                await greenlet_spawn(fairy.invalidate)
                await greenlet_spawn(fairy.close)
                continue
            except Exception as error:
                made = database.unreachable(error)
                pause = next(pauses, None) if may_come_back(made) else None
                if pause is None:
                    raise made from error
            await asyncio.sleep(pause)

    async def checkout(self) -> Any:
        """Return a connection for the caller alone, the last used one if there is one."""
        while True:
            while self.idle:
                conn = self.idle.pop()
                if self.ages:
                    now = time()
                    if 0 < self.max_idle < now - conn.used:
                        await self.discard(conn)
                        continue
                    if 0 < self.recycle < now - conn.born:
                        await self.return_fairy(conn)
                        continue
                if conn.stale():
                    await self.renew(conn)
                return conn
            if not self.lends or self.listeners or not self.pool.exhausted():
                return self.driver.connection_class(self.driver, self, await self._another())
            conn = await self._wait()
            if conn is not None:
                return conn

    async def _another(self) -> Any:
        """Take one more connection from the pool; where that is given up, its place is somebody else's."""
        try:
            return await self.fairy()
        except BaseException:
            self.one_returned()
            raise

    async def renew(self, conn: Any) -> None:
        """Replace a connection that was at hand, and is gone."""
        try:
            await conn.renew()
        except BaseException:
            self.discard_later(conn)
            raise

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
                if self.ages:
                    conn.used = time()
                self.idle.append(conn)
            return None
        if self.closed:
            return self.retire(conn)
        return self.discard(conn) if conn.is_dead else self.return_fairy(conn)

    async def return_fairy(self, conn: Any) -> None:
        """Give a connection to the pool."""
        from sqlalchemy.util import greenlet_spawn

        conn.fairy.info.pop(GUEST, None)  # from now on SQLAlchemy may use it for itself
        if self.max_idle > 0:
            rests(conn.fairy)
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
            self.discard_later(one)

    def discard_later(self, conn: Any) -> None:
        """Cut a connection from where nothing can be awaited: in a task, or when the pool is closed."""
        self._leaving.add(conn)
        if self._discarding is None or self._discarding.done():
            self._discarding = self.loop.create_task(self._discard_leaving())

    async def _discard_leaving(self) -> None:
        while self._leaving:
            conn = next(iter(self._leaving))
            await self.discard(conn)
            self._leaving.discard(conn)  # not before: the task may be cancelled, or never have begun

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
        await self._discard_leaving()
        await greenlet_spawn(self.pool.dispose)  # the engine may have another pool by now
        note_pool(self.driver.database.alias, self.driver.vendor, True, False)
        if self.driver.pools.get(self.loop) is self:
            self.driver.pools.pop(self.loop, None)
        await self.driver.database.drop_async_engine(self.loop, self.engine)
        _open.discard(self)

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
        _open.discard(self)
        left = [*self.idle, *self._leaving]
        self.idle.clear()
        self._leaving.clear()
        for conn in left:
            with contextlib.suppress(Exception):
                conn.fairy.detach()  # or the pool would complain when it is collected
            with contextlib.suppress(Exception):
                conn.cut()
        with contextlib.suppress(Exception):
            self.engine.sync_engine.dispose(close=False)
