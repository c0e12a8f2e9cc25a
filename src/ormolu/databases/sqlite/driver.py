"""SQLite through Python's own sqlite3, synchronously."""

from __future__ import annotations

import sqlite3
import weakref
from asyncio import CancelledError
from collections.abc import Awaitable, Callable, Generator, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from threading import current_thread
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from ormolu.databases import ambient
from ormolu.databases.blocks import Block
from ormolu.databases.reading import reads_only
from ormolu.databases.sqlite.turns import Turns, Waiter
from ormolu.databases.synchronous import SyncConnection, SyncDriver
from ormolu.databases.terms import Terms, refuse
from ormolu.exceptions import DataError, OperationalError

if TYPE_CHECKING:
    from ormolu.databases.database import Database
    from ormolu.databases.sqlite.worker import Worker

__all__ = ["Elsewhere", "SqliteConnection", "SqliteDriver"]


R = TypeVar("R")


class Elsewhere(Exception):
    """A statement can't be done at once in the event loop's thread: do it where waiting is allowed."""


class SqliteConnection(SyncConnection):
    """A sqlite3 connection in autocommit mode, with our own BEGIN where a block wants one."""

    native: sqlite3.Connection
    knows_state = True

    def __init__(self, driver: SyncDriver, fairy: Any) -> None:
        super().__init__(driver, fairy)
        self.worker: Worker | None = None
        self.cancelled = False
        self.hurried = False
        """Whether SQLite waits for no lock, and is broken off when it takes long: see `here`."""
        self.in_haste = False
        """Whether the event loop's thread is using it so just now."""
        self.heavy = False
        """Whether a worker has done something in the block that is open."""
        self.face: Any = None
        self._patience: tuple[int, int] | None = None
        self.turns: Turns = driver.turns  # type: ignore[attr-defined]
        self.itself: weakref.ref[SqliteConnection] = weakref.ref(self)
        self.waiter: Waiter | None = None
        """What it waits for its turn with: see `turns`."""
        self.written_since = 0.0
        """When the loop's thread began to write in this turn without a pause; 0 where it has not."""
        self.wants_turn = False
        """Whether a statement in haste was stopped because it is somebody else's turn."""

    # -- what the event loop's thread needs

    def hurry(self, look: Callable[[], bool], every: int) -> None:
        """Wait for no lock, checkpoint nothing, and ask `look` every so many instructions whether to go on."""
        execute = self.native.execute
        if self._patience is None:
            self._patience = (
                execute("PRAGMA busy_timeout").fetchone()[0],
                execute("PRAGMA wal_autocheckpoint").fetchone()[0],
            )
        execute("PRAGMA busy_timeout = 0")
        execute("PRAGMA wal_autocheckpoint = 0")
        self.native.set_progress_handler(look, every)
        self.hurried = True

    @property
    def patience(self) -> float:
        """The seconds for which it waits for a lock where waiting is allowed, if it has ever been hurried."""
        return self._patience[0] / 1000 if self._patience is not None else 0.0

    def unhurry(self) -> None:
        """Take back `hurry()`."""
        if self.hurried and self._patience is not None:
            self.native.set_progress_handler(None, 0)
            self.native.execute(f"PRAGMA busy_timeout = {self._patience[0]}")
            self.native.execute(f"PRAGMA wal_autocheckpoint = {self._patience[1]}")
            self.hurried = False

    # -- what a worker's thread needs

    def cancel(self) -> None:
        """Interrupt the running statement and refuse further ones; called from another thread."""
        self.cancelled = True
        self.attention = True
        self.native.interrupt()
        waiter = self.waiter
        if waiter is not None:
            waiter.wake()

    def calm(self) -> None:
        """Forget `cancel()`: what it was meant for has ended."""
        if self.cancelled:
            self.cancelled = False
            self._look()

    def begin(self, write: bool) -> None:
        if self.cancelled:
            raise CancelledError
        if self.hurried and not self.in_haste:
            self.unhurry()
        turn = None
        blocks = self.blocks
        if blocks and (write or blocks[0].immediate) and not blocks[0].started:
            self.has_turn = True
            holder = self.turns.holder
            if holder is None:
                self.turns.holder = self.itself
            elif holder is not self.itself:
                turn = self._wait_for_turn()
        if turn is None:
            super().begin(write)
        else:
            with turn:
                super().begin(write)
        if self.cancelled:  # while it waited for the lock
            self.attention = True
            raise CancelledError

    def await_(self, callback: Callable[[], Awaitable[Any]]) -> Any:
        if self.worker is None or self.worker.thread is not current_thread():
            return super().await_(callback)
        return self.worker.ask(callback)

    def pass_turn(self) -> None:
        self.has_turn = False
        self.written_since = 0.0
        self.turns.pass_on(self.itself)

    def _wait_for_turn(self) -> AbstractContextManager[None]:
        """Let those write first that asked before; return what to begin, or to write, within.

        Raises Elsewhere where nothing may be waited for, CancelledError for a task that was cancelled meanwhile.
        """
        if self.in_haste:
            self.wants_turn = True
            raise Elsewhere
        (timeout,) = self.native.execute("PRAGMA busy_timeout").fetchone()
        mine = self.turns.wait(self, timeout / 1000)
        if self.cancelled:
            self.attention = True
            raise CancelledError
        return nullcontext() if mine else self._without_waiting(timeout)

    @contextmanager
    def _without_waiting(self, timeout: int) -> Generator[None]:
        """Let SQLite decide at once: it was waited for long enough."""
        self.native.execute("PRAGMA busy_timeout = 0")
        try:
            yield
        finally:
            self.native.execute(f"PRAGMA busy_timeout = {timeout}")

    def _in_turn(self, write: Callable[[str, Any], R], sql: str, params: Any) -> R:
        """Write outside of blocks when it is this connection's turn."""
        self.has_turn = True
        try:
            with self._wait_for_turn():
                return write(sql, params)
        finally:
            self.pass_turn()

    # -- statements

    def fetch(self, sql: str, params: Any = ()) -> Any:
        if self.attention:
            self.begin(not reads_only(sql))
        elif self.turns.holder is not None and not self.blocks and not self.has_turn and not reads_only(sql):
            return self._in_turn(self.fetch, sql, params)
        try:
            return self.native.execute(sql, params).fetchall()
        except Exception as error:
            raise self.failed(error, sql, params) from error

    def fetch_named(self, sql: str, params: Any = ()) -> tuple[Sequence[str], Any]:
        if self.attention:
            self.begin(not reads_only(sql))
        try:
            cursor = self.native.execute(sql, params)
            return [column[0] for column in cursor.description or ()], cursor.fetchall()
        except Exception as error:
            raise self.failed(error, sql, params) from error

    def execute(self, sql: str, params: Any = ()) -> int:
        if self.attention:
            self.begin(True)
        elif self.turns.holder is not None and not self.blocks and not self.has_turn:
            return self._in_turn(self.execute, sql, params)
        try:
            return self.native.execute(sql, params).rowcount
        except Exception as error:
            raise self.failed(error, sql, params) from error

    def insert(self, sql: str, params: Any = ()) -> Any:
        if self.attention:
            self.begin(True)
        elif self.turns.holder is not None and not self.blocks and not self.has_turn:
            return self._in_turn(self.insert, sql, params)
        try:
            return self.native.execute(sql, params).lastrowid
        except Exception as error:
            raise self.failed(error, sql, params) from error

    def executemany(self, sql: str, rows: Any) -> int:
        if self.attention:
            self.begin(True)
        if self.blocks:
            return self._many(sql, rows)
        # In autocommit each row would be a transaction of its own: slow, and half done when one fails.
        block = self.open_block()
        error = True
        try:
            self.begin(True)
            count = self._many(sql, rows)
            error = False
            return count
        finally:
            self.leave(block, error)

    def _many(self, sql: str, rows: Any) -> int:
        try:
            return self.native.executemany(sql, rows).rowcount
        except Exception as error:
            raise self.failed(error, sql, None) from error

    def stream(self, sql: str, params: Any = (), chunk_size: int = 2000) -> Iterator[list[Any]]:
        if self.attention:
            self.begin(not reads_only(sql))
        try:
            cursor = self.native.execute(sql, params)
            try:
                while rows := cursor.fetchmany(chunk_size):
                    yield rows
            finally:
                cursor.close()
        except sqlite3.Error as error:
            raise self.failed(error, sql, params) from error

    def control_now(self, sql: str) -> None:
        try:
            self.native.execute(sql)
        except sqlite3.Error as error:
            raise self.failed(error, sql, ()) from error

    def begin_sql(self, block: Block, write: bool) -> list[str]:
        terms = block.terms
        if terms is not None and terms.read_only:
            return ["BEGIN", "PRAGMA query_only = 1"]
        return ["BEGIN IMMEDIATE" if write or block.immediate else "BEGIN"]

    def end_sql(self, block: Block) -> str | None:
        if block.terms is not None and block.terms.read_only:
            return "PRAGMA query_only = 0"
        return block.afterwards

    def check(self, terms: Terms) -> None:
        refuse(terms, "SQLite", ("serializable",), ())

    def reads_only(self, sql: str) -> bool:
        return reads_only(sql)

    def in_transaction(self) -> bool:
        return self.native.in_transaction

    def disconnected(self, error: BaseException) -> bool:
        return isinstance(error, sqlite3.ProgrammingError) and "closed database" in str(error)

    def failed(self, error: BaseException, sql: str, params: Any) -> BaseException:
        if self.in_haste and broken_off(error):
            raise Elsewhere
        return super().failed(error, sql, params)

    def explain(self, error: BaseException, sql: str, params: Any) -> BaseException:
        if isinstance(error, OverflowError):
            return DataError(
                f"{error}: SQLite keeps 64-bit integers.", statement=sql, params=params, orig=error
            )
        if not isinstance(error, sqlite3.Error):
            return error
        if isinstance(error, sqlite3.OperationalError) and "locked" in str(error):
            made = OperationalError(
                f"{error}{self._who_holds_the_lock(sql)}", statement=sql, params=params, orig=error
            )
            if self._began_by_reading(sql):
                made.retryable = True
            return made
        return super().explain(error, sql, params)

    def _began_by_reading(self, sql: str) -> bool:
        """Say whether a statement writes in a transaction that can't: it has seen what is no longer so."""
        return bool(
            self.blocks and not self.begun_for_writing and self.in_transaction() and not reads_only(sql)
        )

    def _who_holds_the_lock(self, sql: str) -> str:
        """Say why the database is locked, as far as this process can know."""
        holder = ambient.holder(self.key)
        if holder is not None and holder.begun_for_writing:
            return (
                ": the task or thread that started this one is inside atomic() and holds the write lock. A "
                "child has a connection of its own, outside its parent's transaction; let the parent write, "
                "or start the children after its block."
            )
        if self._began_by_reading(sql):
            return (
                ": this transaction began by reading, and another connection has written since, or is "
                "writing. Begin it for writing with atomic(immediate=True), or run the block again."
            )
        return ": another connection holds the write lock for longer than the busy timeout."


def broken_off(error: BaseException) -> bool:
    """Say whether a statement that was done in haste may well succeed where it is allowed to wait."""
    if not isinstance(error, sqlite3.OperationalError):
        return False
    code = error.sqlite_errorcode
    if code == sqlite3.SQLITE_INTERRUPT:
        return True
    return code & 0xFF == sqlite3.SQLITE_BUSY and code != sqlite3.SQLITE_BUSY_SNAPSHOT


class SqliteDriver(SyncDriver):
    """Runs programs on SQLite, synchronously."""

    connection_class: ClassVar[type[SyncConnection]] = SqliteConnection
    vanishing: ClassVar[bool] = False

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        # The asynchronous driver's connections are of the same kind, and a transaction of one is known to
        # the other.
        self.key = database
        self.turns = Turns()

    def give_back(self, conn: Any) -> None:
        if conn.hurried and not conn.is_dead:
            conn.unhurry()
        super().give_back(conn)
