"""Transactions: all of a block's changes, or none.

    with transaction.atomic():
        ...                                   # one transaction; commits at the end, rolls back on an
        exception with transaction.atomic():            # a savepoint
            ...

A block belongs to the thread, or to the asyncio task, that entered it. A task that is started inside, or a
function handed to `asyncio.to_thread`, has a connection of its own, outside the transaction.

Source: Django's documentation, "Database transactions".
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Awaitable, Callable, Generator
from contextlib import ContextDecorator, contextmanager
from types import TracebackType
from typing import TYPE_CHECKING, Any, TypeVar, overload

from ormolu import databases
from ormolu.databases.ambient import owner
from ormolu.databases.blocks import Hook, arun_hooks, run_hooks
from ormolu.exceptions import TransactionManagementError
from ormolu.signals import is_async_callable

if TYPE_CHECKING:
    from ormolu.databases.database import Database

__all__ = [
    "AsyncAtomic", "Atomic", "TransactionManagementError", "aatomic", "aon_commit", "asavepoint",
    "asavepoint_commit", "asavepoint_rollback", "atomic", "clean_savepoints", "commit", "get_autocommit",
    "get_connection", "get_rollback", "mark_for_rollback_on_error", "on_commit", "rollback", "savepoint",
    "savepoint_commit", "savepoint_rollback", "set_autocommit", "set_rollback",
]  # fmt: skip

F = TypeVar("F", bound=Callable[..., Any])
AF = TypeVar("AF", bound=Callable[..., Awaitable[Any]])

DEFAULT = "default"


class Atomic(ContextDecorator):
    """What `atomic()` returns: a context manager and a decorator."""

    def __init__(
        self,
        using: str | None,
        savepoint: bool,
        durable: bool,
        read_only: bool = False,
        immediate: bool = False,
    ) -> None:
        self.using = using
        self.options = {
            "savepoint": savepoint,
            "durable": durable,
            "read_only": read_only,
            "immediate": immediate,
        }
        self._entered: list[tuple[object, Any, Any, Any]] = []

    def _recreate_cm(self) -> Atomic:
        return Atomic(self.using, **self.options)

    def __enter__(self) -> None:
        driver = databases.get(self.using or DEFAULT).driver
        options = self.options
        # Said one by one: `**options` would cost as much as the rest.
        conn, block = driver.begin_block(
            durable=options["durable"],
            savepoint=options["savepoint"],
            read_only=options["read_only"],
            immediate=options["immediate"],
        )
        self._entered.append((owner(), driver, conn, block))

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        driver, conn, block = _take(self._entered)
        driver.end_block(conn, block, kind is not None)


def _take(entered: list[tuple[object, Any, Any, Any]]) -> tuple[Any, Any, Any]:
    """Return what the running task or thread entered last with this object."""
    if len(entered) == 1:
        return entered.pop()[1:]
    me = owner()
    for index in range(len(entered) - 1, -1, -1):
        if entered[index][0] == me:
            return entered.pop(index)[1:]
    return entered.pop()[1:]


@overload
def atomic(using: F) -> F: ...
@overload
def atomic(
    using: str | None = None,
    savepoint: bool = True,
    durable: bool = False,
    *,
    read_only: bool = False,
    immediate: bool = False,
) -> Atomic: ...
def atomic(
    using: Any = None,
    savepoint: bool = True,
    durable: bool = False,
    *,
    read_only: bool = False,
    immediate: bool = False,
) -> Any:
    """Make a block or a function one transaction: `with atomic():` or `@atomic`.

    The outermost block commits when it ends, and rolls back when an exception leaves it. A block inside is
    a savepoint, or with `savepoint=False` a part of the outer one. `durable=True` insists on being
    outermost (RuntimeError). `read_only=True` lets the database refuse writes; `immediate=True` takes
    SQLite's write lock at the first statement even if that one reads. Nothing is sent before the first
    statement.
    """
    if callable(using):
        return Atomic(None, savepoint, durable, read_only, immediate)(using)
    return Atomic(using, savepoint, durable, read_only, immediate)


class AsyncAtomic:
    """What `aatomic()` returns: an async context manager, and a decorator of coroutine functions."""

    def __init__(
        self,
        using: str | None,
        savepoint: bool,
        durable: bool,
        read_only: bool = False,
        immediate: bool = False,
    ) -> None:
        self.using = using
        self.options = {
            "savepoint": savepoint,
            "durable": durable,
            "read_only": read_only,
            "immediate": immediate,
        }
        self._entered: list[tuple[object, Any, Any, Any]] = []

    def __call__(self, func: AF) -> AF:
        if not inspect.iscoroutinefunction(func):
            raise TypeError(f"@aatomic is for coroutine functions; use @atomic for {func.__qualname__}().")

        @functools.wraps(func)
        async def atomically(*args: Any, **kwargs: Any) -> Any:
            async with AsyncAtomic(self.using, **self.options):
                return await func(*args, **kwargs)

        return atomically  # type: ignore[return-value]

    async def __aenter__(self) -> None:
        driver = databases.get(self.using or DEFAULT).adriver
        conn, block = await driver.abegin_block(**self.options)
        self._entered.append((owner(), driver, conn, block))

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        driver, conn, block = _take(self._entered)
        await driver.aend_block(conn, block, kind is not None)


def aatomic(
    using: Any = None,
    savepoint: bool = True,
    durable: bool = False,
    *,
    read_only: bool = False,
    immediate: bool = False,
) -> Any:
    """Make a block or a coroutine function one transaction: `async with aatomic():` or `@aatomic`.

    As `atomic()`, for async code. The block belongs to the task: tasks started inside are outside of it.
    """
    if callable(using):
        func: Any = using
        return AsyncAtomic(None, savepoint, durable, read_only, immediate)(func)
    return AsyncAtomic(using, savepoint, durable, read_only, immediate)


def get_connection(using: str | None = None) -> Database:
    """Return the database of an alias, for SQL by hand inside the transaction."""
    return databases.get(using or DEFAULT)


def _inside(using: str | None) -> Any:
    """Return the connection of the block that the caller is in, or None."""
    return databases.get(using or DEFAULT).ambient()


# -- after the commit


def on_commit(func: Callable[[], Any], using: str | None = None, robust: bool = False) -> None:
    """Call `func` once the outermost block is committed; at once if there is none; never if it rolls back.

    With `robust` its exception is logged, and the other functions still run. Inside `aatomic()` it may be a
    coroutine function, which is awaited after the commit. Raises TypeError if it can't be called, or not
    here.
    """
    if not callable(func):
        raise TypeError("on_commit()'s callback must be a callable.")
    conn = _inside(using)
    if (
        is_async_callable(func)
        and (conn is None or not hasattr(conn.driver, "arun"))
        and not _in_aatomic(conn)
    ):
        raise TypeError(
            f"on_commit() can't await {getattr(func, '__qualname__', func)!r} here: use aon_commit() in "
            "async code, or a plain function."
        )
    if conn is not None and conn.blocks:
        conn.add_hook(func, robust)
    else:
        run_hooks([Hook(func, (), robust)])


def _in_aatomic(conn: Any) -> bool:
    """Say whether a connection's block was opened by async code. SQLite's connections serve both worlds."""
    return conn is not None and getattr(conn, "worker", None) is not None


async def aon_commit(func: Callable[[], Any], using: str | None = None, robust: bool = False) -> None:
    """Call or await `func` after the commit, as `on_commit()` does; at once if there is no block."""
    if not callable(func):
        raise TypeError("aon_commit()'s callback must be a callable.")
    conn = databases.get(using or DEFAULT).adriver.ambient()
    if conn is not None and conn.blocks:
        conn.add_hook(func, robust)
    else:
        await arun_hooks([Hook(func, (), robust)])


# -- spoiling a block


def set_rollback(rollback: bool, using: str | None = None) -> None:
    """Let the innermost block end in a rollback, without an exception; or, with False, no longer.

    With False after an error, a block that the database has not spoilt itself can go on; roll back to a
    savepoint first. Raises TransactionManagementError outside of blocks.
    """
    conn = _needed(using)
    if rollback:
        conn.spoil(None)
    else:
        conn.unspoil()


def get_rollback(using: str | None = None) -> bool:
    """Tell whether the innermost block will end in a rollback. Raises TransactionManagementError outside."""
    return bool(_needed(using).needs_rollback)


def _needed(using: str | None) -> Any:
    conn = _inside(using)
    if conn is None or not conn.in_atomic:
        raise TransactionManagementError("The rollback flag doesn't work outside of an 'atomic' block.")
    return conn


@contextmanager
def mark_for_rollback_on_error(using: str | None = None) -> Generator[None, None, None]:
    """Spoil the block that is open if an exception leaves this one."""
    try:
        yield
    except Exception as error:
        conn = _inside(using)
        if conn is not None:
            conn.spoil(error)
        raise


# -- savepoints by hand


def savepoint(using: str | None = None) -> str | None:
    """Set a savepoint and return its name; outside of blocks do nothing, and return None."""
    driver = databases.get(using or DEFAULT).driver
    conn = driver.ambient()
    return None if conn is None else str(driver.drive(conn, conn.saving()))


def savepoint_commit(sid: str | None, using: str | None = None) -> None:
    """Let go of a savepoint, keeping its changes."""
    driver = databases.get(using or DEFAULT).driver
    conn = driver.ambient()
    if conn is not None and sid is not None:
        driver.drive(conn, conn.releasing(sid))


def savepoint_rollback(sid: str | None, using: str | None = None) -> None:
    """Undo what was done since a savepoint, which stays.

    A spoilt block stays spoilt: see `set_rollback(False)`.
    """
    driver = databases.get(using or DEFAULT).driver
    conn = driver.ambient()
    if conn is not None and sid is not None:
        driver.drive(conn, conn.undoing(sid))


def clean_savepoints(using: str | None = None) -> None:
    """Let the numbers of savepoints begin anew."""
    conn = _inside(using)
    if conn is not None and not conn.savepoints:
        conn.counter = 0


async def asavepoint(using: str | None = None) -> str | None:
    """Set a savepoint, as `savepoint()`, in async code."""
    adriver = databases.get(using or DEFAULT).adriver
    conn = adriver.ambient()
    return None if conn is None else str(await adriver.adrive(conn, conn.saving()))


async def asavepoint_commit(sid: str | None, using: str | None = None) -> None:
    """Let go of a savepoint, as `savepoint_commit()`, in async code."""
    adriver = databases.get(using or DEFAULT).adriver
    conn = adriver.ambient()
    if conn is not None and sid is not None:
        await adriver.adrive(conn, conn.releasing(sid))


async def asavepoint_rollback(sid: str | None, using: str | None = None) -> None:
    """Undo what was done since a savepoint, as `savepoint_rollback()`, in async code."""
    adriver = databases.get(using or DEFAULT).adriver
    conn = adriver.ambient()
    if conn is not None and sid is not None:
        await adriver.adrive(conn, conn.undoing(sid))


# -- without blocks


def get_autocommit(using: str | None = None) -> bool:
    """Tell whether each statement is a transaction of its own, as it is outside of blocks."""
    conn = _inside(using)
    return conn is None or not conn.blocks


def set_autocommit(autocommit: bool, using: str | None = None) -> None:
    """With False, let the thread's statements gather until `commit()` or `rollback()`; with True, commit
    and stop.

    Raises TransactionManagementError inside `atomic()`.
    """
    driver = databases.get(using or DEFAULT).driver
    conn = driver.ambient()
    _forbid_in_atomic(conn)
    if autocommit:
        if conn is not None:
            driver.end_block(conn, conn.blocks[0], False)
    elif conn is None:
        _, block = driver.begin_block()
        block.manual = True


def commit(using: str | None = None) -> None:
    """Commit what gathered since `set_autocommit(False)`; outside of that there is nothing to commit.

    Raises TransactionManagementError inside `atomic()`.
    """
    _end(using, False)


def rollback(using: str | None = None) -> None:
    """Undo what gathered since `set_autocommit(False)`.

    Raises TransactionManagementError inside `atomic()`.
    """
    _end(using, True)


def _end(using: str | None, undo: bool) -> None:
    driver = databases.get(using or DEFAULT).driver
    conn = driver.ambient()
    _forbid_in_atomic(conn)
    if conn is not None:
        driver.end_block(conn, conn.blocks[0], undo)
        _, block = driver.begin_block()
        block.manual = True


def _forbid_in_atomic(conn: Any) -> None:
    if conn is not None and conn.in_atomic:
        raise TransactionManagementError("This is forbidden when an 'atomic' block is active.")
