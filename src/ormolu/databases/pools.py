"""SQLAlchemy's pool, and a short cut to it.

A checkout through SQLAlchemy's pool costs 7 microseconds: an event check, a proxy object, weak references,
a lock. A statement by primary key on SQLite costs 5. So a driver keeps connections that it is done with
*checked out* in a short list of its own and takes the last one from there the next time (0.2 microseconds).
The pool stays the owner:

- every connection is made, counted, recycled, pre-pinged and closed by it; the list can't hold more than
  its limit;
- when the pool is exhausted it takes connections back from the list before it makes anybody wait, and while
  somebody waits nothing goes to the list;
- when somebody listens to the pool's checkout, checkin or reset events, or wants a ping at each checkout,
  the list is not used, so each of them happens as SQLAlchemy documents it.
"""

from __future__ import annotations

import weakref
from typing import Any, Protocol

from sqlalchemy.pool import AsyncAdaptedQueuePool, ConnectionPoolEntry, QueuePool

__all__ = ["AsyncLendingPool", "Lender", "LendingPool"]


class Lender(Protocol):
    """A driver that keeps idle connections checked out."""

    def give_back_one(self) -> bool:
        """Return one idle connection to the pool; say whether there was one."""
        ...


class _Lending(QueuePool):
    """What both pools add: ask the lender before waiting, and count who waits."""

    lender: weakref.ref[Lender] | None = None
    waiting = 0

    def _do_get(self) -> ConnectionPoolEntry:
        lender = self.lender() if self.lender is not None else None
        exhausted = self._max_overflow >= 0 and self._overflow >= self._max_overflow and self._pool.empty()
        if lender is None or not exhausted or lender.give_back_one():
            return super()._do_get()
        with self._overflow_lock:
            self.waiting += 1
        try:
            return super()._do_get()
        finally:
            with self._overflow_lock:
                self.waiting -= 1


class LendingPool(_Lending):
    """A queue pool whose driver may keep connections at hand."""

    def unlimited(self) -> LendingPool:
        """Return a pool of the same connections, options and listeners whose user keeps the limit itself."""
        pool: Any = self.recreate()
        pool._max_overflow = -1
        return pool  # type: ignore[no-any-return]


class AsyncLendingPool(_Lending, AsyncAdaptedQueuePool):
    """The same for asynchronous connections."""


def must_return(pool: Any) -> bool:
    """Say whether connections must go back to the pool after each use: somebody listens, or waits."""
    dispatch = pool.dispatch
    return bool(pool.waiting or dispatch.checkin or dispatch.checkout or dispatch.reset)
