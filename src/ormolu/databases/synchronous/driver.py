"""The driver that runs programs synchronously, and keeps connections at hand for them."""

from __future__ import annotations

import logging
import weakref
from collections.abc import Callable, Generator, Iterator
from time import perf_counter, sleep, time
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

import sqlalchemy as sa
import sqlalchemy.exc

from ormolu.databases import ambient, observation
from ormolu.databases.blocks import Block, run_hooks
from ormolu.databases.errors import translate_sqlalchemy
from ormolu.databases.held import held
from ormolu.databases.interplay import cursor_events
from ormolu.databases.pools import LendingPool, Listeners, rested_too_long, rests
from ormolu.databases.retry import may_come_back
from ormolu.databases.synchronous.connection import SyncConnection
from ormolu.databases.synchronous.in_loops import note_sync_in_async
from ormolu.databases.terms import Terms
from ormolu.programs import run

if TYPE_CHECKING:
    from ormolu.databases.database import Database

__all__ = ["SyncDriver"]

R = TypeVar("R")
_watch = observation.watch
_log = observation.log
_levels = observation.levels
_current = ambient.current
running_loop = ambient.running_loop


class SyncDriver:
    """Runs programs synchronously. One for each database."""

    connection_class: ClassVar[type[SyncConnection]]
    is_async = False
    copies: ClassVar[bool] = False
    """Whether its connections load rows by COPY."""
    pipelines: ClassVar[bool] = False
    """Whether its connections run several statements in one round trip."""
    vanishing: ClassVar[bool] = True
    """Whether its connections may vanish while nobody uses them, because a server is at their other end."""
    no_params: ClassVar[Any] = ()
    """What stands for no parameters, so that a percent sign in the text is only that."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.vendor = database.vendor
        self.key: object = database.sync_key
        self.engine: Any = database.engine
        self.dialect: Any = self.engine.dialect
        self.plans: dict[Any, Any] = {}
        self.max_params = 32_766
        self._pool: Any = self.engine.pool
        if isinstance(self._pool, LendingPool):
            self._pool.lender = weakref.ref(self)
        self._listeners = Listeners(self._pool)
        self._idle: list[SyncConnection] = []
        pool = database.config.pool
        self._lends = isinstance(self._pool, LendingPool) and not pool.pre_ping
        self._recycle = pool.recycle
        self._max_idle = pool.max_idle
        self._ages = pool.recycle > 0 or pool.max_idle > 0
        self._retired = False

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.database.alias!r}>"

    # -- programs

    def run(self, fn: Callable[..., Generator[Any, Any, R]], *args: Any) -> R:
        """Run the program `fn(self, *args)` and return its result.

        On the connection of the transaction that the caller has open, else on one of the pool, in autocommit.
        Raises the errors of `ormolu.exceptions`; warns, or raises, inside a running event loop.
        """
        if running_loop() is not None:
            note_sync_in_async()
        conn: Any = None if _current.get() is None else ambient.find(self.key)
        inside = conn is not None
        if not inside:
            try:
                conn = self._idle.pop()
                if self._ages and self._aged(conn):
                    conn = self._replace(conn)
                elif self.vanishing and conn.stale():
                    conn.renew()
            except IndexError:
                conn = self.checkout()
        depth = len(conn.blocks)
        try:
            if _watch.on or self.engine._has_events or (_levels.get(10, True) and _log.isEnabledFor(10)):
                result = run(fn(self, *args), self.watched(conn))
            else:
                result = run(fn(self, *args), conn)
        except BaseException as error:
            conn.shaken(error)
            if not inside:
                self._clean(conn)
            elif len(conn.blocks) > depth:
                # A program interrupted between its steps leaves blocks open that nobody else would close.
                conn.leave(conn.blocks[depth], True)
            raise
        if inside:
            return result
        if conn.ready or conn.blocks:
            self._finish(conn)
        else:
            self.release(conn)
        return result

    def watched(self, conn: Any) -> Any:
        """Return the connection with those who look around it."""
        if cursor_events(self.engine):
            from ormolu.databases.general.through import ThroughConnection

            conn = ThroughConnection(conn)
        return self.with_watcher(conn)

    def with_watcher(self, conn: Any) -> Any:
        """Return the connection with captures, signals and logging around it, if there are any."""
        if not (_watch.on or _log.isEnabledFor(logging.DEBUG)):
            return conn
        return observation.Watched(conn, observation.Watcher(self.database.alias, self.vendor))

    def stream(self, sql: str, params: Any = (), chunk_size: int = 2000) -> Iterator[list[Any]]:
        """Yield a statement's rows in lists, from the ambient connection or one held until the end."""
        if running_loop() is not None:
            note_sync_in_async()
        conn = ambient.find(self.key)
        held = conn is None
        if held:
            conn = self.checkout_idle()
        watcher = observation.Watcher(self.database.alias, self.vendor)
        started = watcher.before(sql, params)
        error: BaseException | None = None
        try:
            yield from conn.stream(sql, params, chunk_size)
        except GeneratorExit:
            raise
        except BaseException as raised:
            error = raised
            raise
        finally:
            watcher.after(sql, params, started, error)
            if held:
                self._clean(conn)

    # -- connections

    def checkout_idle(self) -> Any:
        """Return a connection of the pool for the caller alone, the last used one if there is one."""
        try:
            conn = self._idle.pop()
        except IndexError:
            return self.checkout()
        if self._ages and self._aged(conn):
            return self._replace(conn)
        if self.vanishing and conn.stale():
            conn.renew()
        return conn

    def hold(self) -> tuple[Any, bool]:
        """Return the ambient connection, or one for the caller alone, and whether it is the latter."""
        conn = ambient.find(self.key)
        return (self.checkout_idle(), True) if conn is None else (conn, False)

    def checkout(self) -> Any:
        """Take a connection from SQLAlchemy's pool. Raises ServerUnreachable if there is none to be had."""
        return self.connection_class(self, self.checkout_fairy())

    def checkout_fairy(self) -> Any:
        """Take a pooled connection as SQLAlchemy has it."""
        pauses = self.database.pauses()
        while True:
            try:
                fairy = self._pool.connect()
                if not self._max_idle > 0 or not rested_too_long(fairy, self._max_idle):
                    return fairy
                fairy.invalidate()
                fairy.close()
                continue
            except Exception as error:
                made = self.database.unreachable(error)
                pause = next(pauses, None) if may_come_back(made) else None
                if pause is None:
                    raise made from error
            sleep(pause)

    def _aged(self, conn: SyncConnection) -> bool:
        """Say whether a connection is too old, or was idle for too long, to be used again."""
        now = time()
        return 0 < self._recycle < now - conn.born or 0 < self._max_idle < now - conn.used

    def _replace(self, conn: SyncConnection) -> Any:
        if 0 < self._max_idle < time() - conn.used:
            conn.fairy.invalidate()
        conn.fairy.close()
        return self.checkout()

    def release(self, conn: Any) -> None:
        """Give a connection back after use."""
        if self._lends and not conn.is_dead and not self._pool.waiting and not self._listeners.heard():
            conn.reviving = False
            conn.at_hand = True
            if self._ages:
                conn.used = time()
            self._idle.append(conn)
        else:
            self.give_back(conn)

    def release_clean(self, conn: Any) -> None:
        """Give a connection back that somebody used by hand: nothing may be left open on it."""
        self._clean(conn)

    def give_back(self, conn: Any) -> None:
        """Give a connection to the pool, or close it if its state is unknown, or nobody would use it again."""
        if (conn.is_dead or self._retired) and conn.fairy.is_valid:
            conn.fairy.invalidate()
        elif self._max_idle > 0:
            rests(conn.fairy)
        conn.fairy.close()

    def give_back_one(self) -> bool:
        """Return an idle connection to the pool, for somebody who waits."""
        try:
            self.give_back(self._idle.pop())
        except IndexError:
            return False
        return True

    def one_returned(self) -> None:
        """Do nothing: threads wait in the pool's own queue."""

    def forget_older(self, conn: Any) -> None:
        """After a lost connection, trust none that is as old: a restarted server has dropped them all."""
        self._pool._invalidate(conn.fairy, None, _checkin=False)
        stale, self._idle = self._idle, []
        for one in stale:
            one.dead()
            self.give_back(one)

    def _clean(self, conn: Any) -> None:
        """Release a connection after an error: nothing may be left open on it."""
        try:
            if conn.blocks:
                conn.leave(conn.blocks[0], True)
            if not conn.is_dead and conn.in_transaction():
                conn.control("ROLLBACK")
        except BaseException:
            conn.dead()
            raise
        finally:
            try:
                conn.wipe()
            except BaseException:  # interrupted; not twice
                conn.wipe()
                raise
            conn.take_ready()
            self.release(conn)

    def _finish(self, conn: Any) -> None:
        """Release a connection whose program left hooks, or by mistake blocks, behind."""
        if conn.blocks:
            conn.leave(conn.blocks[0], True)
        hooks = conn.take_ready()
        self.release(conn)
        run_hooks(hooks)

    def after_fork(self) -> None:
        """Be ready for use in a forked process. Only a database in memory gets that far."""

    def close(self) -> None:
        """Give all idle connections back to the pool. Those that are in use will be closed after that."""
        self._lends = False
        while self.give_back_one():
            pass
        self._retired = True

    # -- blocks that span programs

    def begin_block(
        self,
        durable: bool = False,
        savepoint: bool = True,
        terms: Terms | None = None,
    ) -> tuple[Any, Block]:
        """Enter a transaction block of the running task or thread; return its connection and the block."""
        if running_loop() is not None:
            note_sync_in_async()
        conn = None if _current.get() is None else ambient.find(self.key)
        if conn is not None:
            return conn, conn.open_block(durable, savepoint, terms)
        conn = self.checkout_idle()
        try:
            block = conn.open_block(durable, savepoint, terms)
        except BaseException:
            self._clean(conn)
            raise
        block.releases = True
        return conn, block

    def end_block(self, conn: Any, block: Block, error: bool) -> None:
        """Leave a block; after the outermost one the connection goes back, and then the hooks run."""
        if block not in conn.blocks:
            return  # undone already with a block around it
        try:
            conn.leave(block, error)
        except BaseException as raised:
            if block.releases:
                conn.shaken(raised)
                self._clean(conn)
            raise
        if block.releases:
            conn.at_hand = False
            try:
                hooks = conn.take_ready() if conn.ready else None
                self.release(conn)
            except BaseException:
                if not conn.at_hand:  # interrupted before it was given back
                    conn.scrap()
                raise
            if block.since and perf_counter() - block.since > held.limit:
                held.note(block, self.database.alias)
            if hooks:
                run_hooks(hooks)
        elif not conn.blocks:  # a receiver's, on the connection of a program that goes on
            run_hooks(conn.take_ready(), conn.await_)

    def ambient(self) -> Any:
        """Return the connection of the transaction that the caller has open, or None."""
        return ambient.find_open(self.key)

    def drive(self, conn: Any, steps: Generator[str, None, R]) -> R:
        """Run the control statements that a change of state asks for."""
        return conn.drive(steps)  # type: ignore[no-any-return]

    def ddl(self, fn: Callable[[sa.Connection], R], write: bool = True) -> R:
        """Call `fn` with a SQLAlchemy connection: over the ambient one, or one of its own, in a transaction.

        Inside `atomic()` it takes part in that transaction. Errors are ours, as everywhere.
        """
        if running_loop() is not None:
            note_sync_in_async()
        conn, block = self.begin_block()
        failed = True
        try:
            conn.begin(write)
            result = conn.as_sqlalchemy(fn)
            failed = False
            return result  # type: ignore[no-any-return]
        except sqlalchemy.exc.SQLAlchemyError as error:
            raise translate_sqlalchemy(error) from error
        finally:
            self.end_block(conn, block, failed)
