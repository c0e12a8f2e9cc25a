"""`dorm.db.utils`: trying again what failed because the database was not there for a moment."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar

from ormolu.databases.retry import aretry_transient, retry_transient
from ormolu.ports.djanorm.conf import retry_attempts, retry_backoff

__all__ = ["awith_transient_retry", "with_transient_retry"]

T = TypeVar("T")


def with_transient_retry(
    func: Callable[[], T],
    *,
    in_transaction: bool = False,
    attempts: int | None = None,
    backoff: float | None = None,
) -> T:
    """Call a function, and again while it fails with a transient error; return its result.

    How often, and after which pause, say DORM_RETRY_ATTEMPTS and DORM_RETRY_BACKOFF where the arguments don't. Inside
    of `atomic()`, and with `in_transaction`, it is called once.
    """
    times = 1 if in_transaction else attempts or retry_attempts()
    return retry_transient(func, attempts=times, backoff=retry_backoff() if backoff is None else backoff)


async def awith_transient_retry(
    coro_factory: Callable[[], Awaitable[T]],
    *,
    in_transaction: bool = False,
    attempts: int | None = None,
    backoff: float | None = None,
) -> T:
    """Await what a function returns, and again while that fails. See `with_transient_retry()`."""
    times = 1 if in_transaction else attempts or retry_attempts()
    pause = retry_backoff() if backoff is None else backoff
    return await aretry_transient(coro_factory, attempts=times, backoff=pause)
