"""The asynchronous driver, for drivers that are asynchronous themselves.

Their connections belong to one event loop, so each loop has an engine and a pool of its own, which is closed when
the loop ends. A kind of database adds a connection class; the rest is here.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import weakref
from asyncio import CancelledError, _get_running_loop
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Generator
from time import time
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

import sqlalchemy as sa
import sqlalchemy.exc

from ormolu.databases import ambient, observation
from ormolu.databases.blocks import Block, Blocks, arun_hooks
from ormolu.databases.engines import make_async_engine
from ormolu.databases.interplay import cursor_events, guest
from ormolu.databases.errors import translate, translate_sqlalchemy
from ormolu.databases.loops import when_loop_ends
from ormolu.databases.pools import AsyncLendingPool, must_return
from ormolu.exceptions import Error, OperationalError
from ormolu.programs import arun

if TYPE_CHECKING:
    from ormolu.databases.database import Database

__all__ = ["AsyncConnection", "AsyncDriver", "LoopPool"]

R = TypeVar("R")
_watch = observation.watch
_log = observation.log
_current = ambient.current

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
        self.born = time()
        self.reviving = False

    # -- statements, each to be given by the subclass

    async def fetch(self, sql: str, params: Any = ()) -> Any:
        """Run a statement and return its rows."""
        raise NotImplementedError

    async def execute(self, sql: str, params: Any = ()) -> int:
        """Run a statement and return how many rows it changed."""
        raise NotImplementedError

    async def insert(self, sql: str, params: Any = ()) -> Any:
        """Insert one row and return the key that the database gave it."""
        raise NotImplementedError

    async def many(self, sql: str, rows: Any) -> int:
        """Run a statement for each row of parameters, inside a transaction."""
        raise NotImplementedError

    def stream(self, sql: str, params: Any = (), chunk_size: int = 2000) -> AsyncGenerator[list[Any], None]:
        """Yield the rows in lists of at most `chunk_size`, inside a transaction."""
        raise NotImplementedError

    async def control_now(self, sql: str) -> None:
        """Run a control statement."""
        raise NotImplementedError

    async def terminate(self) -> None:
        """Cut the connection without a word to the server."""
        raise NotImplementedError

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
        report = observation.AsyncWatched(self, watcher)._report
        await report(lambda text, _: self.control_now(text), sql, ())

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
        """Begin what is entered but not begun; raise in a spoilt block."""
        await self.drive(self.starting(write))

    async def enter(
        self,
        *,
        durable: bool = False,
        savepoint: bool = True,
        read_only: bool = False,
        immediate: bool = False,
    ) -> Block:
        """Enter a transaction block."""
        return self.open_block(durable=durable, savepoint=savepoint, read_only=read_only, immediate=immediate)

    async def leave(self, block: Block, error: bool) -> None:
        """Leave a transaction block. Undoing goes on even if the task is cancelled meanwhile."""
        if not self.blocks:
            return
        if not error:
            await self.drive(self.closing(block, False))
            return
        work = asyncio.ensure_future(self._undo(block))
        cancelled: CancelledError | None = None
        while not work.done():
            try:
                await asyncio.shield(work)
            except CancelledError as raised:
                cancelled = raised
        ambient.tidy()
        work.result()
        if cancelled is not None:
            raise cancelled

    async def _undo(self, block: Block) -> None:
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

    def disconnected(self, error: BaseException) -> bool:
        """Say whether an error means that the connection is gone."""
        raise NotImplementedError

    def use(self, fairy: Any) -> None:
        """Work on another connection of the pool from now on."""
        self.fairy = fairy
        self.native = fairy.driver_connection
        self.is_dead = False

    async def revived(self, error: BaseException) -> bool:
        """Replace a connection that died while it lay idle; say whether the statement may be tried again.

        Only outside of blocks, and only for reading: nothing can have happened twice.
        """
        if self.blocks or self.reviving or not self.disconnected(error):
            return False
        self.reviving = True
        self.pool.forget_older(self)
        await self.pool.discard(self)
        self.use(await self.pool.fairy())
        return True


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
        self.idle: list[Any] = []
        self._guard = when_loop_ends(self.aclose)

    async def fairy(self) -> Any:
        """Take a connection from SQLAlchemy's pool. Raises ServerUnreachable if there is none to be had."""
        from sqlalchemy.util import greenlet_spawn

        try:
            return await greenlet_spawn(self.pool.connect)
        except Exception as error:
            raise self.driver.database.unreachable(error) from error

    async def checkout(self) -> Any:
        """Return a connection for the caller alone, the last used one if there is one."""
        while self.idle:
            conn = self.idle.pop()
            if self.recycle > 0 and time() - conn.born > self.recycle:
                await self.return_fairy(conn)
                continue
            return conn
        return self.driver.connection_class(self.driver, self, await self.fairy())

    def release(self, conn: Any) -> Awaitable[None] | None:
        """Keep a connection for the next one; or return what must be awaited to give it back."""
        if self.lends and not conn.is_dead and not must_return(self.pool):
            conn.reviving = False
            self.idle.append(conn)
            return None
        return self.discard(conn) if conn.is_dead else self.return_fairy(conn)

    async def return_fairy(self, conn: Any) -> None:
        """Give a connection to the pool."""
        from sqlalchemy.util import greenlet_spawn

        await greenlet_spawn(conn.fairy.close)

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
        """Return an idle connection to the pool, for somebody who waits (called by the pool, in a greenlet)."""
        try:
            self.idle.pop().fairy.close()
        except IndexError:
            return False
        return True

    async def aclose(self) -> None:
        """Close all idle connections."""
        while self.idle:
            await self.return_fairy(self.idle.pop())
        self.driver.pools.pop(self.loop, None)
        await self.driver.database.drop_async_engine(self.loop)

    def abandon(self) -> None:
        """Let go of connections whose loop is closed; nothing can be awaited on them any more."""
        idle, self.idle = self.idle, []
        for conn in idle:
            with contextlib.suppress(Exception):
                conn.cut()
        with contextlib.suppress(Exception):
            self.engine.sync_engine.dispose(close=False)


class AsyncDriver:
    """Runs programs asynchronously. One for each database, with a pool for each event loop."""

    connection_class: ClassVar[type[AsyncConnection]]
    is_async = True
    no_params: ClassVar[Any] = ()
    """What stands for no parameters, so that a percent sign in the text is only that."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.vendor = database.vendor
        self.key: object = self
        self.dialect: Any = make_async_engine(database).dialect
        self.plans: dict[Any, Any] = {}
        self.max_params = 32_767
        self.pools: dict[asyncio.AbstractEventLoop, LoopPool] = {}
        self._last: LoopPool | None = None

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.database.alias!r}>"

    def loop_pool(self) -> LoopPool:
        """Return the running loop's pool."""
        loop = _get_running_loop()
        assert loop is not None
        pool = self.pools.get(loop)
        if pool is None:
            for old in [old for old in self.pools if old.is_closed()]:
                self.pools.pop(old).abandon()
            pool = self.pools[loop] = LoopPool(self, loop)
        self._last = pool
        return pool

    # -- programs

    async def arun(self, fn: Callable[..., Generator[Any, Any, R]], *args: Any) -> R:
        """Run the program `fn(self, *args)` and return its result.

        On the connection of the transaction that the running task has open, else on one of the pool, in autocommit.
        """
        if _current.get() is not None and (ambient_conn := ambient.find(self.key)) is not None:
            return await self._arun_inside(ambient_conn, fn, args)  # type: ignore[no-any-return]
        pool = self._last
        if pool is None or pool.loop is not _get_running_loop():
            pool = self.loop_pool()
        try:
            if pool.recycle > 0:
                conn = await pool.checkout()
            else:
                conn = pool.idle.pop()
        except IndexError:
            conn = await pool.checkout()
        try:
            if _watch.on or conn.pool.engine.sync_engine._has_events or _log.isEnabledFor(10):
                result = await arun(fn(self, *args), self.watched(conn))
            else:
                result = await arun(fn(self, *args), conn)
        except BaseException:
            await self._aclean(conn)
            raise
        if conn.ready or conn.blocks:
            await self._afinish(conn)
        elif (wait := pool.release(conn)) is not None:
            await wait
        return result

    async def _arun_inside(self, conn: Any, fn: Callable[..., Any], args: tuple[Any, ...]) -> Any:
        depth = len(conn.blocks)
        try:
            if _watch.on or conn.pool.engine.sync_engine._has_events or _log.isEnabledFor(10):
                return await arun(fn(self, *args), self.watched(conn))
            return await arun(fn(self, *args), conn)
        except BaseException:
            # A program interrupted between its steps leaves blocks open that nobody else would close.
            if len(conn.blocks) > depth:
                await conn.leave(conn.blocks[depth], True)
            raise

    def watched(self, conn: Any) -> Any:
        """Return the connection with those who look around it."""
        if cursor_events(conn.pool.engine.sync_engine):
            from ormolu.databases.general.through import AsyncThroughConnection

            conn = AsyncThroughConnection(conn)
        return self.with_watcher(conn)

    def with_watcher(self, conn: Any) -> Any:
        """Return the connection with captures, signals and logging around it, if there are any."""
        if not (_watch.on or _log.isEnabledFor(logging.DEBUG)):
            return conn
        return observation.AsyncWatched(conn, observation.Watcher(self.database.alias, self.vendor))

    # -- connections

    async def acheckout(self) -> Any:
        """Return a connection for the caller alone."""
        return await self.loop_pool().checkout()

    async def arelease(self, conn: Any) -> None:
        """Give a connection back after use."""
        wait = conn.pool.release(conn)
        if wait is not None:
            await wait

    async def _aclean(self, conn: Any) -> None:
        """Release a connection after an error: nothing may be left open on it."""
        try:
            if conn.blocks:
                await conn.leave(conn.blocks[0], True)
            if not conn.is_dead and conn.in_transaction():
                await conn.control("ROLLBACK")
        except BaseException:
            conn.dead()
            raise
        finally:
            conn.take_ready()
            await self.arelease(conn)

    async def _afinish(self, conn: Any) -> None:
        """Release a connection whose program left hooks, or by mistake blocks, behind."""
        if conn.blocks:
            await conn.leave(conn.blocks[0], True)
        hooks = conn.take_ready()
        await self.arelease(conn)
        await arun_hooks(hooks)

    # -- blocks that span programs

    async def abegin_block(self, **options: Any) -> tuple[Any, Block]:
        """Enter a transaction block of the running task; return its connection and the block."""
        conn = ambient.find(self.key)
        if conn is not None:
            return conn, conn.open_block(**options)
        conn = await self.acheckout()
        try:
            return conn, conn.open_block(**options)
        except BaseException:
            await self._aclean(conn)
            raise

    async def aend_block(self, conn: Any, block: Block, error: bool) -> None:
        """Leave a block; after the outermost one the connection goes back, and then the hooks run."""
        if block not in conn.blocks:
            return
        try:
            await conn.leave(block, error)
        except BaseException:
            if not conn.blocks:
                hooks = conn.take_ready()
                await self._aclean(conn)
                # Committed before it was cancelled: what follows a commit does follow.
                await arun_hooks(hooks)
            raise
        if not conn.blocks:
            hooks = conn.take_ready()
            await self.arelease(conn)
            if hooks:
                await arun_hooks(hooks)

    async def adrive(self, conn: Any, steps: Generator[str, None, R]) -> R:
        """Run the control statements that a change of state asks for."""
        return await conn.drive(steps)  # type: ignore[no-any-return]

    def ambient(self) -> Any:
        """Return the connection of the transaction that the running task has open, or None."""
        return ambient.find(self.key)

    async def stream(self, sql: str, params: Any = (), chunk_size: int = 2000) -> AsyncIterator[list[Any]]:
        """Yield a statement's rows in lists, from a cursor on the server."""
        conn, block = await self.abegin_block(savepoint=False)
        watcher = observation.Watcher(self.database.alias, self.vendor)
        started = watcher.before(sql, params)
        error: BaseException | None = None
        try:
            if conn.attention:
                await conn.begin(True)
            chunks = conn.stream(sql, params, chunk_size)
            try:
                async for rows in chunks:
                    yield rows
            finally:
                await chunks.aclose()
        except GeneratorExit:
            raise
        except BaseException as raised:
            error = raised
            raise
        finally:
            watcher.after(sql, params, started, error)
            await self.aend_block(conn, block, error is not None)

    async def addl(self, fn: Callable[[sa.Connection], R]) -> R:
        """Call `fn` with a SQLAlchemy connection over the ambient one, or over one of its own in a transaction.

        `fn` is synchronous, and runs as SQLAlchemy's `run_sync` runs it. Needs greenlet.
        """
        from sqlalchemy.util import greenlet_spawn

        conn, block = await self.abegin_block()
        failed = True
        try:
            await conn.begin(True)
            result = await greenlet_spawn(self._with_sqlalchemy, conn, fn)
            failed = False
            return result  # type: ignore[no-any-return]
        except sqlalchemy.exc.SQLAlchemyError as error:
            conn.spoil(error)
            raise translate_sqlalchemy(error) from error
        finally:
            await self.aend_block(conn, block, failed)

    def _with_sqlalchemy(self, conn: Any, fn: Callable[[sa.Connection], R]) -> R:
        with guest(conn):
            # Never closed: that would give our connection to the pool.
            connection = sa.Connection(conn.pool.engine.sync_engine, connection=conn.fairy)
            result = fn(connection)
            if connection.in_transaction():
                connection.commit()
            return result

    async def aclose(self) -> None:
        """Close the running loop's connections."""
        loop = _get_running_loop()
        pool = self.pools.get(loop) if loop is not None else None
        if pool is not None:
            await pool.aclose()
            self._last = None

    def close(self) -> None:
        """Let go of all connections without awaiting anything. Prefer `aclose()` where a loop runs."""
        for pool in list(self.pools.values()):
            pool.abandon()
        self.pools.clear()
        self._last = None


__all__ += ["OperationalError"]
