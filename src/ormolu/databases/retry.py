"""Trying again what failed because a server was not there for a moment: a restart, a failover, a full house.

    total = retry_transient(lambda: Order.objects.count())
    total = await aretry_transient(lambda: Order.objects.acount())

Connections that can't be made are tried again by themselves if a database has CONNECT_RETRIES. A statement that was
sent is not: it may have been done. Whoever calls these functions says that doing it twice is fine.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from ormolu.exceptions import Error, IntegrityError, LockNotAvailable, OutOfRange, ServerUnreachable

__all__ = ["aretry_transient", "is_transient", "may_come_back", "retry_transient"]

T = TypeVar("T")

ATTEMPTS, BACKOFF = 3, 0.1
_KINDS = frozenset({"OperationalError", "InterfaceError"})
_NEVER = (IntegrityError, OutOfRange)
_REFUSALS = (
    "password",
    "authentication",
    "access denied",
    "does not exist",
    "unknown database",
    "no such table",
)
"""What a server says that will say the same the next time."""


def is_transient(error: BaseException) -> bool:
    """Say whether an error is one that time may cure: the connection was lost or not to be had, or a lock not.

    An OperationalError or InterfaceError, of this library, SQLAlchemy or a driver, that names neither a wrong password
    nor something that isn't there; and whatever says of itself that it is `retryable`.
    """
    if isinstance(error, Error) and (error.retryable or error.connection_invalidated):
        return True
    if isinstance(error, LockNotAvailable):
        return True
    if isinstance(error, _NEVER) or not any(kind.__name__ in _KINDS for kind in type(error).__mro__):
        return isinstance(error, ConnectionError)
    text = str(error).lower()
    return not any(words in text for words in _REFUSALS)


def may_come_back(error: BaseException) -> bool:
    """Say whether a connection that could not be made may be made a moment later."""
    return isinstance(error, ServerUnreachable) and is_transient(error)


def retry_transient(function: Callable[[], T], *, attempts: int = ATTEMPTS, backoff: float = BACKOFF) -> T:
    """Call a function, and again after a pause while it fails with a transient error; return its result.

    At most `attempts` times in all; the pause is `backoff` seconds at first, and twice as long each time. Inside of
    `atomic()` it is called once: what was done before in that transaction is gone. The last error is raised.
    """
    tries = _Tries(attempts, backoff)
    while True:
        try:
            return function()
        except Exception as error:
            pause = tries.pause_after(error)
            if pause is None:
                raise
        time.sleep(pause)


async def aretry_transient(
    function: Callable[[], Awaitable[T]], *, attempts: int = ATTEMPTS, backoff: float = BACKOFF
) -> T:
    """Await what a function returns, and again after a pause while that fails. See `retry_transient()`."""
    tries = _Tries(attempts, backoff)
    while True:
        try:
            return await function()
        except Exception as error:
            pause = tries.pause_after(error)
            if pause is None:
                raise
        await asyncio.sleep(pause)


class _Tries:
    """How often something was tried."""

    def __init__(self, attempts: int, backoff: float) -> None:
        if attempts < 1:
            raise ValueError(f"attempts must be 1 or more, not {attempts!r}.")
        self._left = 1 if _in_transaction() else attempts
        self._pause = backoff

    def pause_after(self, error: BaseException) -> float | None:
        """Return how long to wait before the next try, None if there is none."""
        self._left -= 1
        if self._left <= 0 or not is_transient(error):
            return None
        pause, self._pause = self._pause, self._pause * 2
        return pause


def _in_transaction() -> bool:
    from ormolu import databases

    found: list[Any] = databases.opened()
    return any(database.ambient() is not None for database in found)
