"""The functions beside `atomic()`: hooks, the rollback flag, savepoints, transactions without blocks.

Each does on the database of an alias what the method of the same name does: see `ormolu.databases.by_hand`.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from ormolu import databases

if TYPE_CHECKING:
    from ormolu.databases.database import Database

DEFAULT = "default"


def get_connection(using: str | None = None) -> Database:
    """Return the database of an alias, for SQL by hand inside the transaction."""
    return databases.get(using or DEFAULT)


# -- after the commit


def on_commit(func: Callable[[], Any], using: str | None = None, robust: bool = False) -> None:
    """Call `func` once the outermost block is committed; at once if there is none; never if it rolls back.

    Functions are called in order; the error of one is raised to who left the block, and ends the series. With `robust`
    it is logged instead. A function given inside a savepoint is forgotten when that is undone. Inside `aatomic()` it
    may be a coroutine function, which is awaited after the commit. After `set_autocommit(False)` it waits for
    `commit()`. Raises TypeError if it can't be called, or not here.
    """
    get_connection(using).on_commit(func, robust)


async def aon_commit(func: Callable[[], Any], using: str | None = None, robust: bool = False) -> None:
    """Call or await `func` after the commit, as `on_commit()` does; at once if there is no block."""
    await get_connection(using).aon_commit(func, robust)


# -- spoiling a block


def set_rollback(rollback: bool, using: str | None = None) -> None:
    """Let the innermost block end in a rollback, without an exception; or, with False, no longer.

    With False after an error, a block that the database has not spoilt itself can go on; roll back to a
    savepoint first. Raises TransactionManagementError outside of blocks.
    """
    get_connection(using).set_rollback(rollback)


def get_rollback(using: str | None = None) -> bool:
    """Tell whether the innermost block will end in a rollback. Raises TransactionManagementError outside."""
    return get_connection(using).get_rollback()


@contextmanager
def mark_for_rollback_on_error(using: str | None = None) -> Generator[None, None, None]:
    """Spoil the block that is open if an exception leaves this one."""
    try:
        yield
    except Exception as error:
        conn = get_connection(using).ambient()
        if conn is not None:
            conn.spoil(error)
        raise


# -- savepoints by hand


def savepoint(using: str | None = None) -> str | None:
    """Set a savepoint and return its name; outside of blocks do nothing, and return None."""
    return get_connection(using).savepoint()


def savepoint_commit(sid: str | None, using: str | None = None) -> None:
    """Let go of a savepoint, keeping its changes."""
    get_connection(using).savepoint_commit(sid)


def savepoint_rollback(sid: str | None, using: str | None = None) -> None:
    """Undo what was done since a savepoint, which stays.

    A spoilt block stays spoilt: see `set_rollback(False)`.
    """
    get_connection(using).savepoint_rollback(sid)


def clean_savepoints(using: str | None = None) -> None:
    """Let the numbers of savepoints begin anew."""
    get_connection(using).clean_savepoints()


async def asavepoint(using: str | None = None) -> str | None:
    """Set a savepoint, as `savepoint()`, in async code."""
    return await get_connection(using).asavepoint()


async def asavepoint_commit(sid: str | None, using: str | None = None) -> None:
    """Let go of a savepoint, as `savepoint_commit()`, in async code."""
    await get_connection(using).asavepoint_commit(sid)


async def asavepoint_rollback(sid: str | None, using: str | None = None) -> None:
    """Undo what was done since a savepoint, as `savepoint_rollback()`, in async code."""
    await get_connection(using).asavepoint_rollback(sid)


# -- without blocks


def get_autocommit(using: str | None = None) -> bool:
    """Tell whether each statement is a transaction of its own, as it is outside of blocks."""
    return get_connection(using).get_autocommit()


def set_autocommit(autocommit: bool, using: str | None = None) -> None:
    """With False, let the thread's statements gather until `commit()` or `rollback()`; with True, commit
    and stop.

    Raises TransactionManagementError inside `atomic()`.
    """
    get_connection(using).set_autocommit(autocommit)


def commit(using: str | None = None) -> None:
    """Commit what gathered since `set_autocommit(False)`; outside of that there is nothing to commit.

    Raises TransactionManagementError inside `atomic()`.
    """
    get_connection(using).commit()


def rollback(using: str | None = None) -> None:
    """Undo what gathered since `set_autocommit(False)`.

    Raises TransactionManagementError inside `atomic()`.
    """
    get_connection(using).rollback()


async def aset_autocommit(autocommit: bool, using: str | None = None) -> None:
    """Let the running task's statements gather until `acommit()` or `arollback()`, as `set_autocommit()` does.

    Before the task ends it must be set back, or the connection would never be used again.
    """
    await get_connection(using).aset_autocommit(autocommit)


async def acommit(using: str | None = None) -> None:
    """Commit what gathered since `aset_autocommit(False)`, as `commit()` does."""
    await get_connection(using).acommit()


async def arollback(using: str | None = None) -> None:
    """Undo what gathered since `aset_autocommit(False)`, as `rollback()` does."""
    await get_connection(using).arollback()
