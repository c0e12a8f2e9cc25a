"""What a program does to the transaction that it is in, step by step: savepoints, hooks, the rollback flag; and
transactions without blocks.

Methods of a database, under Django's names for its `connection`. `ormolu.transaction` has them as functions.
Source: Django's documentation, "Database transactions", low-level APIs.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ormolu.databases.blocks import Hook, arun_hooks, run_hooks
from ormolu.exceptions import TransactionManagementError
from ormolu.signals import is_async_callable

if TYPE_CHECKING:
    from ormolu.databases.unfinished import Unfinished

__all__ = ["ByHand"]


class ByHand(ABC):
    """Transactions by hand. The running thread's or task's, on the connection that its block has."""

    driver: Any
    adriver: Any
    alias: str
    _unfinished: Unfinished | None = None

    @abstractmethod
    def ambient(self) -> Any:
        """Return the connection of the transaction that the running task or thread has open here, or None."""

    # -- what is open

    @property
    def in_atomic_block(self) -> bool:
        """Whether the running task or thread is inside `atomic()` here."""
        conn = self.ambient()
        return conn is not None and conn.in_atomic

    @property
    def needs_rollback(self) -> bool:
        """Whether the innermost block will end in a rollback."""
        conn = self.ambient()
        return conn is not None and bool(conn.needs_rollback)

    @property
    def savepoint_ids(self) -> list[str]:
        """The names of the savepoints that are open, those of inner blocks included, the innermost last."""
        conn = self.ambient()
        return [] if conn is None else list(conn.savepoints)

    @property
    def autocommit(self) -> bool:
        """Whether each statement is a transaction of its own."""
        return self.get_autocommit()

    # -- after the commit

    def on_commit(self, func: Callable[[], Any], robust: bool = False) -> None:
        """Call `func` once the outermost block is committed: see `ormolu.transaction.on_commit()`."""
        if not callable(func):
            raise TypeError("on_commit()'s callback must be a callable.")
        conn = self.ambient()
        if is_async_callable(func) and not _awaits(conn):
            raise TypeError(
                f"on_commit() can't await {getattr(func, '__qualname__', func)!r} here: use aon_commit() in "
                "async code, or a plain function."
            )
        if conn is not None and conn.blocks:
            conn.add_hook(func, robust)
        else:
            run_hooks([Hook(func, (), robust)])

    async def aon_commit(self, func: Callable[[], Any], robust: bool = False) -> None:
        """Call or await `func` after the commit, as `on_commit()` does; at once if there is no block."""
        if not callable(func):
            raise TypeError("aon_commit()'s callback must be a callable.")
        conn = self.adriver.ambient()
        if conn is not None and conn.blocks:
            conn.add_hook(func, robust)
        else:
            await arun_hooks([Hook(func, (), robust)])

    # -- the rollback flag

    def set_rollback(self, rollback: bool) -> None:
        """Let the innermost block end in a rollback, or no longer: see `ormolu.transaction.set_rollback()`."""
        conn = self._needed()
        if rollback:
            conn.spoil(None)
        else:
            conn.unspoil()

    def get_rollback(self) -> bool:
        """Tell whether the innermost block will end in a rollback. TransactionManagementError outside of blocks."""
        return bool(self._needed().needs_rollback)

    def _needed(self) -> Any:
        conn = self.ambient()
        if conn is None or not conn.in_atomic:
            raise TransactionManagementError("The rollback flag doesn't work outside of an 'atomic' block.")
        return conn

    # -- savepoints

    def savepoint(self) -> str | None:
        """Set a savepoint and return its name; outside of blocks do nothing, and return None."""
        driver = self.driver
        conn = driver.ambient()
        return None if conn is None else str(driver.drive(conn, conn.saving()))

    def savepoint_commit(self, sid: str | None) -> None:
        """Let go of a savepoint, keeping its changes."""
        driver = self.driver
        conn = driver.ambient()
        if conn is not None and sid is not None:
            driver.drive(conn, conn.releasing(sid))

    def savepoint_rollback(self, sid: str | None) -> None:
        """Undo what was done since a savepoint, which stays. A spoilt block stays so: see `set_rollback(False)`."""
        driver = self.driver
        conn = driver.ambient()
        if conn is not None and sid is not None:
            driver.drive(conn, conn.undoing(sid))

    def clean_savepoints(self) -> None:
        """Let the numbers of savepoints begin anew."""
        conn = self.ambient()
        if conn is not None and not conn.savepoints:
            conn.counter = 0

    async def asavepoint(self) -> str | None:
        """Set a savepoint, as `savepoint()`, in async code."""
        adriver = self.adriver
        conn = adriver.ambient()
        return None if conn is None else str(await adriver.adrive(conn, conn.saving()))

    async def asavepoint_commit(self, sid: str | None) -> None:
        """Let go of a savepoint, as `savepoint_commit()`, in async code."""
        adriver = self.adriver
        conn = adriver.ambient()
        if conn is not None and sid is not None:
            await adriver.adrive(conn, conn.releasing(sid))

    async def asavepoint_rollback(self, sid: str | None) -> None:
        """Undo what was done since a savepoint, as `savepoint_rollback()`, in async code."""
        adriver = self.adriver
        conn = adriver.ambient()
        if conn is not None and sid is not None:
            await adriver.adrive(conn, conn.undoing(sid))

    # -- without blocks

    def get_autocommit(self) -> bool:
        """Tell whether each statement is a transaction of its own, as it is outside of blocks."""
        conn = self.ambient()
        return conn is None or not conn.blocks

    def set_autocommit(self, autocommit: bool) -> None:
        """With False, let the thread's statements gather until `commit()` or `rollback()`; with True, commit and stop.

        Raises TransactionManagementError inside `atomic()`.
        """
        driver = self.driver
        conn = driver.ambient()
        _forbid_in_atomic(conn)
        if autocommit:
            if conn is not None:
                driver.end_block(conn, conn.blocks[0], False)
        elif conn is None:
            driver.begin_block()[1].manual = True

    def commit(self) -> None:
        """Commit what gathered since `set_autocommit(False)`; outside of that there is nothing to commit.

        Raises TransactionManagementError inside `atomic()`.
        """
        self._end(False)

    def rollback(self) -> None:
        """Undo what gathered since `set_autocommit(False)`. Raises TransactionManagementError inside `atomic()`."""
        self._end(True)

    def _end(self, undo: bool) -> None:
        driver = self.driver
        conn = driver.ambient()
        _forbid_in_atomic(conn)
        if conn is not None:
            try:
                driver.end_block(conn, conn.blocks[0], undo)
            finally:
                driver.begin_block()[1].manual = True

    async def aset_autocommit(self, autocommit: bool) -> None:
        """Let the task's statements gather, or stop that: see `set_autocommit()`.

        When the task ends before that, what gathered is undone, with a ResourceWarning.
        """
        adriver = self.adriver
        conn = adriver.ambient()
        _forbid_in_atomic(conn)
        if autocommit:
            if conn is not None:
                await adriver.aend_block(conn, conn.blocks[0], False)
        elif conn is None:
            await self._abegin()

    async def acommit(self) -> None:
        """Commit what gathered since `aset_autocommit(False)`; see `commit()`."""
        await self._aend(False)

    async def arollback(self) -> None:
        """Undo what gathered since `aset_autocommit(False)`; see `rollback()`."""
        await self._aend(True)

    async def _aend(self, undo: bool) -> None:
        adriver = self.adriver
        conn = adriver.ambient()
        _forbid_in_atomic(conn)
        if conn is not None:
            try:
                await adriver.aend_block(conn, conn.blocks[0], undo)
            finally:
                await self._abegin()

    async def _abegin(self) -> None:
        adriver = self.adriver
        conn, block = await adriver.abegin_block()
        block.manual = True
        if self._unfinished is None:
            from ormolu.databases.unfinished import Unfinished

            self._unfinished = Unfinished(self.alias)
        self._unfinished.watch(adriver, conn, block)


def _awaits(conn: Any) -> bool:
    """Say whether a connection's block was opened by async code. SQLite's connections serve both worlds."""
    if conn is None:
        return False
    return hasattr(conn.driver, "arun") or getattr(conn, "worker", None) is not None


def _forbid_in_atomic(conn: Any) -> None:
    if conn is not None and conn.in_atomic:
        raise TransactionManagementError("This is forbidden when an 'atomic' block is active.")
