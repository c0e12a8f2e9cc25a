"""`atomic()` and `aatomic()`: a block or a function as one transaction."""

from __future__ import annotations

import asyncio
import functools
import inspect
import time
from collections.abc import Awaitable, Callable
from datetime import timedelta
from types import TracebackType
from typing import TYPE_CHECKING, Any, TypeVar, overload

from ormolu import databases
from ormolu.databases.ambient import end_abandoned, owner

if TYPE_CHECKING:
    from ormolu.databases.terms import Isolation, Terms

__all__ = ["AsyncAtomic", "Atomic", "aatomic", "atomic"]

F = TypeVar("F", bound=Callable[..., Any])
AF = TypeVar("AF", bound=Callable[..., Awaitable[Any]])

DEFAULT = "default"


class _Blocks:
    """What a block asks for, and who has entered it. One object may be entered many times."""

    terms: Terms | None = None
    retries = 0

    def __init__(
        self, using: str | None, savepoint: bool, durable: bool, terms: Terms | None = None, retries: int = 0
    ) -> None:
        self._entered: list[tuple[object, Any, Any, Any]] = []
        self.alias = using or DEFAULT
        self.savepoint = savepoint
        self.durable = durable
        if terms is not None or retries:
            if retries < 0:
                raise ValueError(f"retries must be 0 or more, not {retries!r}.")
            self.terms = terms
            self.retries = retries

    def _refuse_retries(self) -> None:
        name = "aatomic" if isinstance(self, AsyncAtomic) else "atomic"
        raise TypeError(
            f"A with block can't be run again, so {name}(retries={self.retries}) is for functions: decorate one with "
            f"@{name}(retries={self.retries}), or call {name}(retries={self.retries})(function)()."
        )

    def _last(self) -> tuple[Any, Any, Any, Any]:
        """Return what the running task or thread entered last with this object."""
        entered = self._entered
        if len(entered) > 1:
            me = owner()
            for index in range(len(entered) - 1, -1, -1):
                if entered[index][0] == me:
                    return entered[index]
        return entered[-1]


class Atomic(_Blocks):
    """What `atomic()` returns: a context manager and a decorator."""

    def __call__(self, func: F) -> F:
        """Return the function as one transaction: a coroutine function as `aatomic()` would."""
        if inspect.iscoroutinefunction(func):
            return _decorated_async(self, func)  # type: ignore[no-any-return]
        _refuse_generators(func, "atomic")
        options = (self.alias, self.savepoint, self.durable, self.terms)
        if self.retries:

            @functools.wraps(func)
            def atomically(*args: Any, **kwargs: Any) -> Any:
                return _run_again(options, self.retries, func, args, kwargs)

        else:

            @functools.wraps(func)
            def atomically(*args: Any, **kwargs: Any) -> Any:
                with Atomic(*options):
                    return func(*args, **kwargs)

        return atomically  # type: ignore[return-value]

    def __enter__(self) -> None:
        if self.retries:
            self._refuse_retries()
        driver = databases.get(self.alias).driver
        conn, block = driver.begin_block(self.durable, self.savepoint, self.terms)
        try:
            who = conn.frame.owner if block.releases else owner()
            self._entered.append((who, driver, conn, block))
        except BaseException:  # interrupted: nobody will leave it
            driver.end_block(conn, block, True)
            raise

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        entered = self._entered
        try:
            (entry,) = entered
        except ValueError:  # by several tasks or threads, or again in a block inside
            entry = self._last()
        _, driver, conn, block = entry
        try:
            driver.end_block(conn, block, kind is not None)
        except Exception:
            raise
        except BaseException:
            driver.end_block(conn, block, True)  # a KeyboardInterrupt may have let it come to nothing
            raise
        finally:
            entered.remove(entry)

    def __del__(self) -> None:
        """Undo a block whose end a KeyboardInterrupt came before."""
        if not self._entered:
            return
        for who, driver, conn, block in reversed(self._entered):
            end_abandoned(driver, conn, block, who)


class AsyncAtomic(_Blocks):
    """What `aatomic()` returns: an async context manager, and a decorator of coroutine functions."""

    def __call__(self, func: AF) -> AF:
        """Return the coroutine function as one transaction."""
        if not inspect.iscoroutinefunction(func):
            _refuse_generators(func, "aatomic")
            raise TypeError(f"@aatomic is for coroutine functions; use @atomic for {func.__qualname__}().")
        return _decorated_async(self, func)  # type: ignore[no-any-return]

    async def __aenter__(self) -> None:
        if self.retries:
            self._refuse_retries()
        driver = databases.get(self.alias).adriver
        conn, block = await driver.abegin_block(self.durable, self.savepoint, self.terms)
        self._entered.append((owner(), driver, conn, block))

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        entry = self._last()
        self._entered.remove(entry)
        _, driver, conn, block = entry
        await driver.aend_block(conn, block, kind is not None)


def _decorated_async(blocks: _Blocks, func: Any) -> Any:
    options = (blocks.alias, blocks.savepoint, blocks.durable, blocks.terms)
    if blocks.retries:

        @functools.wraps(func)
        async def atomically(*args: Any, **kwargs: Any) -> Any:
            return await _arun_again(options, blocks.retries, func, args, kwargs)

    else:

        @functools.wraps(func)
        async def atomically(*args: Any, **kwargs: Any) -> Any:
            async with AsyncAtomic(*options):
                return await func(*args, **kwargs)

    return atomically


def _refuse_generators(func: Any, name: str) -> None:
    if inspect.isgeneratorfunction(func) or inspect.isasyncgenfunction(func):
        raise TypeError(
            f"@{name} can't make a transaction of {func.__qualname__}(): a generator runs when it is iterated over, "
            "after the block would be left. Open the block inside of it."
        )


def _run_again(options: tuple[Any, ...], retries: int, func: Any, args: Any, kwargs: Any) -> Any:
    """Call a function as a transaction, up to `retries` times more if that loses against another one."""
    from ormolu.transaction.retries import Tries

    tries = Tries(databases.get(options[0]).driver.ambient(), retries)
    while True:
        try:
            with Atomic(*options):
                return func(*args, **kwargs)
        except Exception as error:
            if not tries.another(error):
                raise
        time.sleep(tries.pause())


async def _arun_again(options: tuple[Any, ...], retries: int, func: Any, args: Any, kwargs: Any) -> Any:
    """Await a coroutine function as `_run_again()` calls a function."""
    from ormolu.transaction.retries import Tries

    tries = Tries(databases.get(options[0]).adriver.ambient(), retries)
    while True:
        try:
            async with AsyncAtomic(*options):
                return await func(*args, **kwargs)
        except Exception as error:
            if not tries.another(error):
                raise
        await asyncio.sleep(tries.pause())


def _terms(*options: Any) -> Terms | None:
    """Return what a block asks of its transaction. Most ask for nothing, and load nothing for it."""
    if options == (None, False, False, False, None, None):
        return None
    from ormolu.databases.terms import make_terms

    return make_terms(*options)


@overload
def atomic(using: F) -> F: ...
@overload
def atomic(
    using: str | None = None,
    savepoint: bool = True,
    durable: bool = False,
    *,
    isolation: Isolation | None = None,
    read_only: bool = False,
    deferrable: bool = False,
    immediate: bool = False,
    lock_timeout: float | timedelta | None = None,
    statement_timeout: float | timedelta | None = None,
    retries: int = 0,
) -> Atomic: ...
def atomic(
    using: Any = None,
    savepoint: bool = True,
    durable: bool = False,
    *,
    isolation: Isolation | None = None,
    read_only: bool = False,
    deferrable: bool = False,
    immediate: bool = False,
    lock_timeout: float | timedelta | None = None,
    statement_timeout: float | timedelta | None = None,
    retries: int = 0,
) -> Any:
    """Make a block or a function one transaction: `with atomic():` or `@atomic`.

    The outermost block commits when it ends, and rolls back when an exception leaves it. A block inside is
    a savepoint, or with `savepoint=False` a part of the outer one. `durable=True` insists on being
    outermost (RuntimeError). Nothing is sent before the first statement.

    Of the outermost block can be asked: `isolation`, one of SQL's four levels (SQLite has "serializable" alone);
    `read_only=True`, which lets the database refuse writes; `deferrable=True` for a serializable transaction that only
    reads, on PostgreSQL; `immediate=True`, which takes SQLite's write lock at the first statement even if that one
    reads; `lock_timeout` and `statement_timeout`, seconds after which waiting for a lock, or a statement, fails with
    OperationalError (PostgreSQL, MariaDB, MySQL). NotSupportedError says what a database has instead, ValueError what
    there is at all; inside of a block that has not begun so they are a TransactionManagementError.

    `retries` is for functions: how often one is called again, after a short random pause, when its transaction fails
    with an error whose `retryable` is true (a serialization failure, a deadlock). What it did besides the database is
    done again, too. Inside of another block it is not called again: that one is the transaction.
    """
    if callable(using):
        func: Any = using
        return Atomic(None, savepoint, durable)(func)
    terms = _terms(isolation, read_only, deferrable, immediate, lock_timeout, statement_timeout)
    if terms is None and not retries:
        return Atomic(using, savepoint, durable)
    return Atomic(using, savepoint, durable, terms, retries)


@overload
def aatomic(using: AF) -> AF: ...
@overload
def aatomic(
    using: str | None = None,
    savepoint: bool = True,
    durable: bool = False,
    *,
    isolation: Isolation | None = None,
    read_only: bool = False,
    deferrable: bool = False,
    immediate: bool = False,
    lock_timeout: float | timedelta | None = None,
    statement_timeout: float | timedelta | None = None,
    retries: int = 0,
) -> AsyncAtomic: ...
def aatomic(
    using: Any = None,
    savepoint: bool = True,
    durable: bool = False,
    *,
    isolation: Isolation | None = None,
    read_only: bool = False,
    deferrable: bool = False,
    immediate: bool = False,
    lock_timeout: float | timedelta | None = None,
    statement_timeout: float | timedelta | None = None,
    retries: int = 0,
) -> Any:
    """Make a block or a coroutine function one transaction: `async with aatomic():` or `@aatomic`.

    As `atomic()`, for async code. The block belongs to the task: tasks started inside are outside of it. A task that is
    cancelled inside rolls back.
    """
    if callable(using):
        func: Any = using
        return AsyncAtomic(None, savepoint, durable)(func)
    terms = _terms(isolation, read_only, deferrable, immediate, lock_timeout, statement_timeout)
    return AsyncAtomic(using, savepoint, durable, terms, retries)
