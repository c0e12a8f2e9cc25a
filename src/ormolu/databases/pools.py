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
from threading import get_ident
from time import time
from typing import Any, Protocol

from sqlalchemy.pool import AsyncAdaptedQueuePool, ConnectionPoolEntry, QueuePool

__all__ = ["AsyncLendingPool", "Lender", "LendingPool", "Listeners", "rested_too_long", "rests"]


class Lender(Protocol):
    """A driver that keeps idle connections checked out."""

    def give_back_one(self) -> bool:
        """Return one idle connection to the pool; say whether there was one."""
        ...

    def one_returned(self) -> None:
        """Hear that somebody has given a connection to the pool."""
        ...


class _Lending(QueuePool):
    """What both pools add: ask the lender before waiting, and count who waits."""

    lender: weakref.ref[Lender] | None = None
    waiting = 0

    def exhausted(self) -> bool:
        """Say whether whoever wants a connection now must wait for one to be given back."""
        return self._max_overflow >= 0 and self._overflow >= self._max_overflow and self._pool.empty()

    def _do_return_conn(self, record: ConnectionPoolEntry) -> None:
        super()._do_return_conn(record)
        lender = self.lender() if self.lender is not None else None
        if lender is not None:
            lender.one_returned()

    def _do_get(self) -> ConnectionPoolEntry:
        lender = self.lender() if self.lender is not None else None
        if lender is None or not self.exhausted() or lender.give_back_one():
            return super()._do_get()
        with self._overflow_lock:
            self.waiting += 1
        try:
            return super()._do_get()
        finally:
            with self._overflow_lock:
                self.waiting -= 1


class LendingPool(_Lending):
    """A queue pool whose driver may keep connections at hand.

    It counts right again what a KeyboardInterrupt made the queue pool miscount. That may come between any two lines:
    after a place was counted and before there is a connection in it, or after a connection was taken from the queue and
    before anybody has it. Such a connection is collected as garbage; so how many there are is known by looking.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self._records: list[weakref.ref[Any]] = []
        self._making: set[int] = set()
        super().__init__(*args, **kwargs)

    def _inc_overflow(self) -> bool:
        self._making.add(get_ident())
        return super()._inc_overflow()

    def _create_connection(self) -> ConnectionPoolEntry:
        try:
            record = super()._create_connection()
            with self._overflow_lock:
                self._records = [ref for ref in self._records if ref() is not None]
                self._records.append(weakref.ref(record))
            return record
        finally:
            self._making.discard(get_ident())

    def exhausted(self) -> bool:
        if not super().exhausted():
            return False
        self.recount()
        return super().exhausted()

    def checkedout(self) -> int:
        self.recount()
        return super().checkedout()

    def recount(self) -> None:
        """Count the connections that there are, and those that other threads are making, if some were lost."""
        with self._overflow_lock:
            there = sum(ref() is not None for ref in self._records)
            there += len(self._making - {get_ident()})
            self._overflow = min(self._overflow, there - self.size())

    def unlimited(self) -> LendingPool:
        """Return a pool of the same connections, options and listeners whose user keeps the limit itself."""
        pool: Any = self.recreate()
        pool._max_overflow = -1
        return pool  # type: ignore[no-any-return]


class AsyncLendingPool(_Lending, AsyncAdaptedQueuePool):
    """The same for asynchronous connections.

    One comes back unfit when SQLAlchemy's `executemany` was cancelled as psycopg's pipeline was entered or left: that
    ends with an AssertionError, which says nothing of the connection, and each further one would, too.
    """

    def _do_return_conn(self, record: ConnectionPoolEntry) -> None:
        if getattr(record.driver_connection, "_pipeline", None) is not None:
            record.invalidate()
        super()._do_return_conn(record)


_IDLE = "ormolu_idle_since"


def rests(fairy: Any) -> None:
    """Note that a connection goes back to its pool, where MAX_IDLE limits how long it may lie."""
    if fairy.is_valid:
        fairy.info[_IDLE] = time()


def rested_too_long(fairy: Any, max_idle: float) -> bool:
    """Say whether a connection of the pool has lain there for longer than `max_idle` seconds."""
    since = fairy.info.pop(_IDLE, None)
    return since is not None and time() - since > max_idle


class Listeners:
    """Whether somebody listens to a pool's events. Asked after each use of a connection.

    SQLAlchemy keeps a placeholder for each event until its first listener; asking it takes 0.1 microseconds each,
    comparing it takes 0.03. Listeners of all pools (`event.listen(Pool, ...)`) are in the placeholder's own list.
    """

    __slots__ = ("_checkin", "_checkout", "_dispatch", "_everywhere", "_reset")

    def __init__(self, pool: Any) -> None:
        self._dispatch: Any = pool.dispatch
        self._checkin, self._checkout, self._reset = _placeholders(self._dispatch)
        self._everywhere = [one.parent_listeners for one in (self._checkin, self._checkout, self._reset)]

    def heard(self) -> object:
        """Return something true if an event of the pool would be heard."""
        dispatch = self._dispatch
        first, second, third = self._everywhere
        return (
            dispatch.checkin is not self._checkin
            or dispatch.checkout is not self._checkout
            or dispatch.reset is not self._reset
            or first
            or second
            or third
        )

    def __bool__(self) -> bool:
        return bool(self.heard())


def _placeholders(dispatch: Any) -> tuple[Any, Any, Any]:
    """Return what stands for the events that nobody listens to; nothing equals it where somebody does already."""
    empty: type[Any] = dispatch.detach.__class__

    def placeholder(one: Any) -> Any:
        return one if isinstance(one, empty) else _Taken()

    return placeholder(dispatch.checkin), placeholder(dispatch.checkout), placeholder(dispatch.reset)


class _Taken:
    """Stands for an event that had listeners from the start."""

    parent_listeners: tuple[Any, ...] = ()
