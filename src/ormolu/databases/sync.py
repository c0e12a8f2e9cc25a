"""The synchronous driver, whatever is below it: runs programs on the ambient connection or on one of the
pool.

A kind of database adds a connection class; the rest is here.
"""

from __future__ import annotations

import inspect
import logging
import warnings
import weakref
from abc import abstractmethod
from collections.abc import Awaitable, Callable, Generator, Iterator, Sequence
from time import time
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

import sqlalchemy as sa
import sqlalchemy.exc

from ormolu.conf import settings
from ormolu.databases import ambient, observation
from ormolu.databases.blocks import Block, Blocks, run_hooks
from ormolu.databases.errors import translate, translate_sqlalchemy
from ormolu.databases.interplay import cursor_events, guest
from ormolu.databases.pools import LendingPool, Listeners
from ormolu.exceptions import Error, SynchronousOnlyOperation, SyncInAsyncWarning
from ormolu.programs import run

if TYPE_CHECKING:
    from ormolu.databases.database import Database

__all__ = ["SyncConnection", "SyncDriver", "note_sync_in_async"]

R = TypeVar("R")
_watch = observation.watch
_log = observation.log
_levels = observation.levels
_current = ambient.current
running_loop = ambient.running_loop


class SyncConnection(Blocks):
    """A driver's connection with its transaction state. Subclasses run the statements."""

    def __init__(self, driver: SyncDriver, fairy: Any) -> None:
        super().__init__()
        self.driver = driver
        self.fairy = fairy
        self.native: Any = fairy.driver_connection if fairy is not None else None
        self.key = driver.key
        self.born = time()
        self.reviving = False

    # -- statements, each to be given by the subclass

    @abstractmethod
    def fetch(self, sql: str, params: Any = ()) -> Any:
        """Run a statement and return its rows."""

    def fetch_many(self, requests: Sequence[tuple[str, Any]]) -> list[Any]:
        """Run statements and return the rows of each: in one round trip, where a subclass can."""
        return [self.fetch(sql, params) for sql, params in requests]

    @abstractmethod
    def fetch_named(self, sql: str, params: Any = ()) -> tuple[Sequence[str], Any]:
        """Run a statement and return the names of its columns, and its rows."""

    @abstractmethod
    def execute(self, sql: str, params: Any = ()) -> int:
        """Run a statement and return how many rows it changed."""

    @abstractmethod
    def insert(self, sql: str, params: Any = ()) -> Any:
        """Insert one row and return the key that the database gave it."""

    @abstractmethod
    def executemany(self, sql: str, rows: Any) -> int:
        """Run a statement for each row of parameters and return how many rows changed."""

    @abstractmethod
    def stream(self, sql: str, params: Any = (), chunk_size: int = 2000) -> Iterator[list[Any]]:
        """Yield the rows in lists of at most `chunk_size`, without holding all of them."""

    def raw_cursor(self) -> Any:
        """Return a new cursor of the driver."""
        return self.fairy.cursor()

    @abstractmethod
    def control_now(self, sql: str) -> None:
        """Run a control statement."""

    # -- blocks

    def control(self, sql: str) -> None:
        """Run a control statement, reporting it to those who look."""
        if not (_watch.on or _log.isEnabledFor(logging.DEBUG)):
            return self.control_now(sql)
        watcher = observation.Watcher(self.driver.database.alias, self.driver.vendor)
        return observation.Watched(self, watcher).report(lambda text, _: self.control_now(text), sql, ())  # type: ignore[no-any-return]

    def drive(self, steps: Generator[str, None, R]) -> R:
        """Run the control statements that a change of state asks for; return its result."""
        try:
            sql = next(steps)
            while True:
                try:
                    self.control(sql)
                except BaseException as error:
                    sql = steps.throw(error)
                else:
                    sql = next(steps)
        except StopIteration as stop:
            return stop.value  # type: ignore[no-any-return]

    def begin(self, write: bool) -> None:
        """Begin what is entered but not begun; raise in a spoilt block."""
        if (
            len(self.blocks) != 1
            or self.needs_rollback
            or _watch.on
            or (_levels.get(10, True) and _log.isEnabledFor(10))
        ):
            self.drive(self.starting(write))
            return
        # The usual case, said directly: one block, and nobody who looks.
        block = self.blocks[0]
        if not block.started and block.savepoint is None:
            for sql in self.begin_sql(block, write):
                self.control_now(sql)
            self.begun_for_writing = write or block.immediate
            block.started = True
        self.attention = False

    def enter(
        self,
        *,
        durable: bool = False,
        savepoint: bool = True,
        read_only: bool = False,
        immediate: bool = False,
    ) -> Block:
        """Enter a transaction block."""
        return self.open_block(durable=durable, savepoint=savepoint, read_only=read_only, immediate=immediate)

    def leave(self, block: Block, error: bool) -> None:
        """Leave a transaction block."""
        if not self.blocks:
            return
        plain = (
            len(self.blocks) == 1 and self.blocks[0] is block and block.started and block.savepoint is None
        )
        if (
            not plain
            or error
            or self.needs_rollback
            or _watch.on
            or (_levels.get(10, True) and _log.isEnabledFor(10))
        ):
            self.drive(self.closing(block, error))
            return
        # The usual case, said directly: the outermost block commits, and nobody looks.
        try:
            self.control_now("COMMIT")
        except BaseException:
            self.drive(self.closing(block, True))
            raise
        hooks = self.hooks
        try:
            after = self.end_sql(block)
            if after is not None:
                self.control_now(after)
        finally:
            self._forget()
            self.ready.extend(hooks)

    def on_commit(self, callback: Callable[[], Any], robust: bool = False) -> None:
        """Call `callback` after the commit, or at once outside of blocks."""
        self.add_hook(callback, robust)
        if not self.blocks:
            hooks, self.hooks = self.hooks, []
            self.ready += hooks

    def await_(self, callback: Callable[[], Awaitable[Any]]) -> Any:
        """Refuse: there is no task here that could await."""
        raise SynchronousOnlyOperation(
            f"{getattr(callback, '__qualname__', callback)!r} must be awaited, which synchronous code can't "
            "do. Use the async method (asave, adelete, ...), or connect a plain function."
        )

    def as_sqlalchemy(self, fn: Callable[[sa.Connection], R]) -> R:
        """Call `fn` with a SQLAlchemy connection over this one, whose transaction stays ours."""
        try:
            with guest(self):
                # Never closed: that would give our connection to the pool.
                conn = sa.Connection(self.driver.engine, connection=self.fairy)
                result = fn(conn)
                if conn.in_transaction():
                    conn.commit()
                return result
        except sqlalchemy.exc.SQLAlchemyError as error:
            self.spoil(error)
            raise

    # -- errors and the end

    def failed(self, error: BaseException, sql: str, params: Any) -> BaseException:
        """Return our error for the driver's; spoil the block, and bury a connection that is gone."""
        made = self.explain(error, sql, params)
        if made is error:
            raise error
        if isinstance(made, Error):
            if made.connection_invalidated:
                self.dead()
                self.driver.forget_older(self)
            self.spoil(made)
        return made

    def explain(self, error: BaseException, sql: str, params: Any) -> BaseException:
        """Translate a driver's error."""
        made = translate(error, sql, params)
        if isinstance(made, Error):
            made.connection_invalidated = self.disconnected(error)
        return made

    def disconnected(self, error: BaseException) -> bool:
        """Say whether an error means that the connection is gone."""
        return bool(
            isinstance(error, Exception) and self.driver.dialect.is_disconnect(error, self.native, None)
        )


class SyncDriver:
    """Runs programs synchronously. One for each database."""

    connection_class: ClassVar[type[SyncConnection]]
    is_async = False
    pipelines: ClassVar[bool] = False
    """Whether its connections run several statements in one round trip."""
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
        if _current.get() is not None and (ambient_conn := ambient.find(self.key)) is not None:
            return self._run_inside(ambient_conn, fn, args)
        try:
            conn = self._idle.pop()
            if self._recycle > 0 and time() - conn.born > self._recycle:
                conn = self._replace(conn)
        except IndexError:
            conn = self.checkout()
        try:
            if _watch.on or self.engine._has_events or (_levels.get(10, True) and _log.isEnabledFor(10)):
                result = run(fn(self, *args), self.watched(conn))
            else:
                result = run(fn(self, *args), conn)
        except BaseException:
            self._clean(conn)
            raise
        if conn.ready or conn.blocks:
            self._finish(conn)
        else:
            self.release(conn)
        return result

    def _run_inside(self, conn: Any, fn: Callable[..., Generator[Any, Any, R]], args: tuple[Any, ...]) -> R:
        depth = len(conn.blocks)
        try:
            if _watch.on or self.engine._has_events or (_levels.get(10, True) and _log.isEnabledFor(10)):
                return run(fn(self, *args), self.watched(conn))
            return run(fn(self, *args), conn)
        except BaseException:
            # A program interrupted between its steps leaves blocks open that nobody else would close.
            if len(conn.blocks) > depth:
                conn.leave(conn.blocks[depth], True)
            raise

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
        if self._recycle > 0 and time() - conn.born > self._recycle:
            return self._replace(conn)
        return conn

    def hold(self) -> tuple[Any, bool]:
        """Return the ambient connection, or one for the caller alone, and whether it is the latter."""
        conn = self.ambient()
        return (self.checkout_idle(), True) if conn is None else (conn, False)

    def checkout(self) -> Any:
        """Take a connection from SQLAlchemy's pool. Raises ServerUnreachable if there is none to be had."""
        return self.connection_class(self, self.checkout_fairy())

    def checkout_fairy(self) -> Any:
        """Take a pooled connection as SQLAlchemy has it."""
        try:
            return self._pool.connect()
        except Exception as error:
            raise self.database.unreachable(error) from error

    def _replace(self, conn: SyncConnection) -> Any:
        conn.fairy.close()
        return self.checkout()

    def release(self, conn: Any) -> None:
        """Give a connection back after use."""
        if self._lends and not conn.is_dead and not self._pool.waiting and not self._listeners.heard():
            conn.reviving = False
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
        read_only: bool = False,
        immediate: bool = False,
    ) -> tuple[Any, Block]:
        """Enter a transaction block of the running task or thread; return its connection and the block."""
        if running_loop() is not None:
            note_sync_in_async()
        conn = ambient.find(self.key)
        if conn is not None:
            return conn, conn.open_block(durable, savepoint, read_only, immediate)
        conn = self.checkout_idle()
        try:
            block = conn.open_block(durable, savepoint, read_only, immediate)
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
        except BaseException:
            if block.releases:
                self._clean(conn)
            raise
        if block.releases:
            hooks = conn.take_ready()
            self.release(conn)
            if hooks:
                run_hooks(hooks)

    def ambient(self) -> Any:
        """Return the connection of the transaction that the caller has open, or None."""
        return ambient.find(self.key)

    def drive(self, conn: Any, steps: Generator[str, None, R]) -> R:
        """Run the control statements that a change of state asks for."""
        return conn.drive(steps)  # type: ignore[no-any-return]

    def ddl(self, fn: Callable[[sa.Connection], R]) -> R:
        """Call `fn` with a SQLAlchemy connection: over the ambient one, or one of its own, in a transaction.

        Inside `atomic()` it takes part in that transaction. Errors are ours, as everywhere.
        """
        if running_loop() is not None:
            note_sync_in_async()
        conn, block = self.begin_block()
        failed = True
        try:
            conn.begin(True)
            result = conn.as_sqlalchemy(fn)
            failed = False
            return result  # type: ignore[no-any-return]
        except sqlalchemy.exc.SQLAlchemyError as error:
            raise translate_sqlalchemy(error) from error
        finally:
            self.end_block(conn, block, failed)


def note_sync_in_async() -> None:
    """Act on a blocking call inside a running event loop, as the setting SYNC_IN_ASYNC says."""
    policy = settings.SYNC_IN_ASYNC
    if policy == "off":
        return
    text = (
        "A synchronous database call was made inside a running event loop, which stands still until it ends. "
        "Use the async form (aget, acreate, async for, ...), or asyncio.to_thread()."
    )
    if policy == "error":
        raise SynchronousOnlyOperation(text)
    # Point at the caller's line: the first frame outside of this library.
    level = 2
    frame = inspect.currentframe()
    frame = frame.f_back if frame is not None else None
    while frame is not None and str(frame.f_globals.get("__name__", "")).startswith("ormolu."):
        level += 1
        frame = frame.f_back
    warnings.warn(text, SyncInAsyncWarning, stacklevel=level)
