"""Transactions: all of a block's changes, or none.

    with transaction.atomic():
        ...                                   # one transaction; commits at the end, rolls back on an exception
        with transaction.atomic():            # a savepoint
            ...

A block belongs to the thread, or to the asyncio task, that entered it. A task that is started inside, or a
function handed to `asyncio.to_thread`, has a connection of its own, outside the transaction.

Source: Django's documentation, "Database transactions".
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Awaitable, Callable
from contextlib import ContextDecorator
from types import TracebackType
from typing import Any, TypeVar, overload

from ormolu import databases
from ormolu.databases.ambient import owner
from ormolu.databases.database import Database
from ormolu.exceptions import TransactionManagementError

__all__ = ["Atomic", "TransactionManagementError", "atomic", "get_connection", "on_commit"]

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
        conn, block = driver.begin_block(**self.options)
        self._entered.append((owner(), driver, conn, block))

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        driver, conn, block = _take(self._entered)
        driver.end_block(conn, block, kind is not None)


def _take(entered: list[tuple[object, Any, Any, Any]]) -> tuple[Any, Any, Any]:
    """Return what the running task or thread entered last with this object."""
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

    The outermost block commits when it ends, and rolls back when an exception leaves it. A block inside is a
    savepoint, or with `savepoint=False` a part of the outer one. `durable=True` insists on being outermost
    (RuntimeError). `read_only=True` lets the database refuse writes; `immediate=True` takes SQLite's write lock at
    the first statement even if that one reads. Nothing is sent before the first statement.
    """
    if callable(using):
        return Atomic(None, savepoint, durable, read_only, immediate)(using)
    return Atomic(using, savepoint, durable, read_only, immediate)


class AsyncAtomic:
    """What `aatomic()` returns: an async context manager, and a decorator of coroutine functions."""

    def __init__(
        self, using: str | None, savepoint: bool, durable: bool, read_only: bool = False, immediate: bool = False
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
        return AsyncAtomic(None, savepoint, durable, read_only, immediate)(using)
    return AsyncAtomic(using, savepoint, durable, read_only, immediate)


def get_connection(using: str | None = None) -> Database:
    """Return the database of an alias, for SQL by hand inside the transaction."""
    return databases.get(using or DEFAULT)


def on_commit(func: Callable[[], Any], using: str | None = None, robust: bool = False) -> None:
    """Call `func` once the outermost block is committed; at once if there is none; never if it rolls back.

    With `robust` its exception is logged, and the other functions still run. Raises TypeError if it can't be called.
    """
    if not callable(func):
        raise TypeError("on_commit()'s callback must be a callable.")
    conn = databases.get(using or DEFAULT).driver.ambient()
    if conn is not None:
        conn.add_hook(func, robust)
    else:
        from ormolu.databases.blocks import Hook, run_hooks

        run_hooks([Hook(func, (), robust)])
