"""Running programs asynchronously, on the ambient connection or on one of the loop's pool."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Callable, Generator
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

import sqlalchemy as sa
import sqlalchemy.exc

from ormolu.databases import ambient, observation
from ormolu.databases.asynchronous.connection import CLEAN_UP, AsyncConnection
from ormolu.databases.asynchronous.pool import LoopPool, abandon_closed_loops
from ormolu.databases.blocks import Block, arun_hooks
from ormolu.databases.engines import make_async_engine
from ormolu.databases.errors import translate_sqlalchemy
from ormolu.databases.held import held
from ormolu.databases.interplay import cursor_events, guest
from ormolu.databases.terms import Terms
from ormolu.programs import arun

if TYPE_CHECKING:
    from ormolu.databases.database import Database

R = TypeVar("R")
_watch = observation.watch
_log = observation.log
_current = ambient.current
running_loop = ambient.running_loop

__all__ = ["AsyncDriver"]


class AsyncDriver:
    """Runs programs asynchronously. One for each database, with a pool for each event loop."""

    connection_class: ClassVar[type[AsyncConnection]]
    is_async = True
    copies: ClassVar[bool] = False
    """Whether its connections load rows by COPY."""
    pipelines: ClassVar[bool] = False
    """Whether its connections run several statements in one round trip."""
    pooled = True
    """Whether SQLAlchemy's asynchronous engines own its connections."""
    no_params: ClassVar[Any] = ()
    """What stands for no parameters, so that a percent sign in the text is only that."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.vendor = database.vendor
        self.key: object = database.async_key
        self.dialect: Any = make_async_engine(database).dialect
        self.plans: dict[Any, Any] = {}
        self.max_params = 32_767
        self.pools: dict[asyncio.AbstractEventLoop, LoopPool] = {}
        self._last: LoopPool | None = None
        self.closed = False

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.database.alias!r}>"

    def loop_pool(self) -> LoopPool:
        """Return the running loop's pool."""
        loop = running_loop()
        assert loop is not None
        pool = self.pools.get(loop)
        if pool is None:
            abandon_closed_loops()
            pool = self.pools[loop] = LoopPool(self, loop)
        self._last = pool
        return pool

    # -- programs

    async def arun(self, fn: Callable[..., Generator[Any, Any, R]], *args: Any) -> R:
        """Run the program `fn(self, *args)` and return its result.

        On the connection of the transaction that the running task has open, else on one of the pool, in
        autocommit.
        """
        if _current.get() is not None and (ambient_conn := ambient.find(self.key)) is not None:
            return await self._arun_inside(ambient_conn, fn, args)  # type: ignore[no-any-return]
        pool = self._last
        if pool is None or pool.loop is not running_loop():
            pool = self.loop_pool()
        try:
            if pool.ages:
                conn = await pool.checkout()
            else:
                conn = pool.idle.pop()
                if conn.stale():
                    await pool.renew(conn)
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
                async with asyncio.timeout(CLEAN_UP):
                    await conn.control("ROLLBACK")
        except TimeoutError:
            conn.dead()
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

    async def abegin_block(
        self, durable: bool = False, savepoint: bool = True, terms: Terms | None = None
    ) -> tuple[Any, Block]:
        """Enter a transaction block of the running task; return its connection and the block."""
        conn = ambient.find(self.key)
        if conn is not None:
            return conn, conn.open_block(durable, savepoint, terms)
        conn = await self.acheckout()
        try:
            block = conn.open_block(durable, savepoint, terms)
        except BaseException:
            await self._aclean(conn)
            raise
        block.releases = True
        return conn, block

    async def aend_block(self, conn: Any, block: Block, error: bool) -> None:
        """Leave a block; after the outermost one the connection goes back, and then the hooks run."""
        if block not in conn.blocks:
            return
        try:
            await conn.leave(block, error)
        except BaseException:
            if not conn.blocks:
                hooks = conn.take_ready()
                if block.releases:
                    await self._aclean(conn)
                # Committed before it was cancelled: what follows a commit does follow.
                await arun_hooks(hooks)
            raise
        if not conn.blocks:
            hooks = conn.take_ready()
            try:
                if block.releases:
                    await self.arelease(conn)
            finally:  # the same, where the way to the pool is one to wait for
                if block.since:
                    held.note(block, self.database.alias)
                if hooks:
                    await arun_hooks(hooks)

    async def adrive(self, conn: Any, steps: Generator[str, None, R]) -> R:
        """Run the control statements that a change of state asks for."""
        return await conn.drive(steps)  # type: ignore[no-any-return]

    def ambient(self) -> Any:
        """Return the connection of the transaction that the running task has open, or None."""
        return ambient.find_open(self.key)

    async def stream(self, sql: str, params: Any = (), chunk_size: int = 2000) -> AsyncIterator[list[Any]]:
        """Yield a statement's rows in lists, from a cursor on the server.

        Outside of blocks it has a connection and a transaction to itself, so that what happens between the rows
        is no part of it, and a stream that is forgotten half way holds back nobody's changes.
        """
        conn = self.ambient()
        block: Block | None = None
        if conn is None:
            conn = await self.acheckout()
            block = opened = conn.open_block(private=True)
            opened.releases = True
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
            if block is not None:
                await self.aend_block(conn, block, error is not None)

    async def addl(self, fn: Callable[[sa.Connection], R], write: bool = True) -> R:
        """Call `fn` with a SQLAlchemy connection: over the ambient one, or one of its own, in a transaction.

        `fn` is synchronous, and runs as SQLAlchemy's `run_sync` runs it. Needs greenlet.
        """
        from sqlalchemy.util import greenlet_spawn

        conn, block = await self.abegin_block()
        failed = True
        try:
            await conn.begin(write)
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
        loop = running_loop()
        pool = self.pools.get(loop) if loop is not None else None
        if pool is not None:
            await pool.aclose()
            self._last = None

    def close(self) -> None:
        """Let go of all connections without awaiting anything. Prefer `aclose()` where a loop runs."""
        self.closed = True
        self._last = None
        while self.pools:
            with contextlib.suppress(KeyError):  # where a loop has just closed its own
                self.pools.popitem()[1].close_later()
