"""A connection of a synchronous driver, with the state of its transaction."""

from __future__ import annotations

import logging
from abc import abstractmethod
from collections.abc import Awaitable, Callable, Generator, Iterator, Sequence
from sys import is_finalizing
from time import perf_counter, time
from typing import TYPE_CHECKING, Any, TypeVar

import sqlalchemy as sa
import sqlalchemy.exc

from ormolu.databases import observation
from ormolu.databases.blocks import Block, Blocks
from ormolu.databases.errors import translate
from ormolu.databases.held import held
from ormolu.databases.interplay import guest
from ormolu.databases.reading import reads_only
from ormolu.databases.terms import IMMEDIATE
from ormolu.exceptions import Error, SynchronousOnlyOperation
from ormolu.programs import break_off

if TYPE_CHECKING:
    from ormolu.databases.synchronous.driver import SyncDriver

__all__ = ["SyncConnection"]

R = TypeVar("R")
_watch = observation.watch
_log = observation.log
_levels = observation.levels


class SyncConnection(Blocks):
    """A driver's connection with its transaction state. Subclasses run the statements."""

    fairy: Any = None
    at_hand = False
    """Whether it was put to the driver's idle connections after its last block."""

    def __init__(self, driver: SyncDriver, fairy: Any) -> None:
        super().__init__()
        self.fairy = fairy
        self.driver = driver
        self.native: Any = fairy.driver_connection if fairy is not None else None
        self.key = driver.key
        self.born = self.used = time()
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
        except BaseException as raised:
            # Now, and not when the error is forgotten: the connection is somebody else's by then.
            break_off(steps)
            if not isinstance(raised, Exception):
                self.spoil(raised)  # a savepoint may not have been undone
            raise

    def begin(self, write: bool) -> None:
        """Begin what is entered but not begun, on another connection if this one is gone; raise in a spoilt block."""
        block = self.blocks[0] if len(self.blocks) == 1 else None
        try:
            if (
                block is None
                or block.started
                or self.needs_rollback
                or block.terms is not None
                or _watch.on
                or (_levels.get(10, True) and _log.isEnabledFor(10))
            ):
                self.drive(self.starting(write))
                return
            # The usual case, said directly: one block, and nobody who looks.
            for sql in self.begin_sql(block, write):
                self.control_now(sql)
            self.begun_for_writing = write or block.immediate
            block.started = True
            if held.limit:
                block.since = perf_counter()
            self.attention = False
        except Error as error:
            if not error.connection_invalidated or self.reviving or any(one.started for one in self.blocks):
                raise
            self.unspoil()
            self.renew()
            self.begin(write)

    def enter(
        self,
        *,
        durable: bool = False,
        savepoint: bool = True,
        immediate: bool = False,
    ) -> Block:
        """Enter a transaction block."""
        return self.open_block(durable, savepoint, IMMEDIATE if immediate else None)

    def leave(self, block: Block, error: bool) -> None:
        """Leave a transaction block."""
        if not self.blocks:
            return
        if (
            error
            or len(self.blocks) != 1
            or self.blocks[0] is not block
            or not block.started
            or self.needs_rollback
            or _watch.on
            or (_levels.get(10, True) and _log.isEnabledFor(10))
        ):
            self.drive(self.closing(block, error))
            return
        # The usual case, said directly: the outermost block commits, and nobody looks.
        try:
            self.control_now("COMMIT")
        except BaseException as failure:
            if not (self.knows_state or isinstance(failure, Exception)):
                self.dead()  # interrupted: it may be committed, or not
            self.drive(self.closing(block, True))
            raise
        hooks = self.hooks
        try:
            if block.terms is not None or block.afterwards is not None:
                after = self.end_sql(block)
                if after is not None:
                    self.control_now(after)
        finally:
            self._forget(True)
            if hooks:
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

    def use(self, fairy: Any) -> None:
        """Work on another connection of the pool from now on."""
        self.fairy = fairy
        self.native = fairy.driver_connection
        self.is_dead = False

    def renew(self) -> None:
        """Take another connection of the pool instead of this one, which is gone."""
        self.reviving = True
        self.dead()
        self.driver.forget_older(self)
        if self.fairy.is_valid:
            self.fairy.invalidate()
        self.fairy.close()
        self.use(self.driver.checkout_fairy())
        self.born = time()

    def revived(self, error: BaseException, sql: str) -> bool:
        """Replace a connection that died while it lay idle; say whether the statement may be tried again.

        Only outside of blocks, and only for reading: nothing can have happened twice.
        """
        if self.blocks or self.reviving or not self.disconnected(error) or not reads_only(sql):
            return False
        self.renew()
        return True

    def stale(self) -> bool:
        """Say whether the connection is known to be gone, without asking the server. Asked of idle ones."""
        return False

    def scrap(self) -> None:
        """Close the connection, if it is still ours, and let the pool make another one when it needs one."""
        if self.fairy is not None and self.fairy.is_valid:
            self.fairy.invalidate()

    def __del__(self) -> None:
        """Close a connection that nobody gave back: a KeyboardInterrupt came before its user could."""
        if not is_finalizing():
            self.scrap()

    def disconnected(self, error: BaseException) -> bool:
        """Say whether an error means that the connection is gone."""
        return bool(
            isinstance(error, Exception) and self.driver.dialect.is_disconnect(error, self.native, None)
        )
