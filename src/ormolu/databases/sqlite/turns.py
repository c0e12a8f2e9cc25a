"""Whose turn it is to write to an SQLite database, among the connections of this process.

SQLite lets one connection write at a time. Those that wait look again after pauses of up to 100 milliseconds, and
whoever looks first has it: with many of them the lock lies idle for most of the time, and some wait until they are
told that the database is locked. So our connections take turns, those that wait in the order in which they asked, and
the one that is done wakes the next.

SQLite's own lock still decides. Other processes, and connections that others have opened, know nothing of turns; and
where nobody waits, taking one is setting an attribute.
"""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from abc import ABC, abstractmethod
from collections import deque
from contextlib import suppress
from itertools import islice
from time import monotonic
from typing import TYPE_CHECKING
from weakref import ref

if TYPE_CHECKING:
    from ormolu.databases.sqlite.driver import SqliteConnection

__all__ = ["Turns", "Waiter"]

LOOK = 0.1
"""Seconds after which one that waits looks whether the holder of the turn is still there."""

STARVED = 0.2
"""Seconds of waiting after which the turn is kept for whoever waits longest.

Until then somebody else may be faster than the thread or task that has to wake up first, and the lock doesn't lie idle.
"""

TASKS = 8
"""How many tasks are woken at once: they run one after the other, as a rule a whole block each, in one loop's turn."""

IDLE = 1.0
"""Seconds after which a holder that is in no transaction isn't believed any more."""


class Waiter(ABC):
    """A connection in the queue."""

    in_task = False

    def __init__(self, who: ref[SqliteConnection]) -> None:
        self.who = who
        self.since = monotonic()
        self.woken = False
        self.suspect: tuple[object, float] = (None, 0.0)
        """A holder that was seen in no transaction, and since when."""

    @property
    def is_gone(self) -> bool:
        """Whether nobody can wake it any more."""
        return False

    @abstractmethod
    def wake(self) -> None:
        """Let it look whether it is its turn now. From any thread."""


class ThreadWaiter(Waiter):
    """One whose thread waits."""

    def __init__(self, who: ref[SqliteConnection]) -> None:
        super().__init__(who)
        self.event = threading.Event()

    def wake(self) -> None:
        self.event.set()


class TaskWaiter(Waiter):
    """One whose task waits."""

    in_task = True

    def __init__(self, who: ref[SqliteConnection]) -> None:
        super().__init__(who)
        self.event = asyncio.Event()
        self.loop = asyncio.get_running_loop()

    @property
    def is_gone(self) -> bool:
        return self.loop.is_closed()

    def wake(self) -> None:
        with suppress(RuntimeError):  # the loop was closed just now
            self.loop.call_soon_threadsafe(self.event.set)


class Turns:
    """The queue of one database. `holder` is the connection that may write, or None.

    Set without a lock where it is None: of two threads that do so at once, SQLite lets one wait.
    """

    __slots__ = ("_lock", "_waiting", "holder")

    def __init__(self) -> None:
        self.holder: ref[SqliteConnection] | None = None
        self._lock = threading.Lock()
        self._waiting: deque[Waiter] = deque()

    def wait(self, conn: SqliteConnection, seconds: float) -> bool:
        """Wait for a connection's turn, for so long or until it is cancelled; say whether it has it.

        One that hasn't may ask SQLite all the same: the holder may be wrong.
        """
        waiter = ThreadWaiter(conn.itself)
        if self._joins(waiter):
            conn.waiter = waiter
            try:
                end = waiter.since + seconds
                while not conn.cancelled and (left := end - monotonic()) > 0 and not self._takes(waiter):
                    waiter.event.wait(min(LOOK, left))
                    waiter.event.clear()
            finally:
                conn.waiter = None
                self._leaves(waiter)
        return self.holder is conn.itself

    async def await_(self, conn: SqliteConnection, seconds: float) -> bool:
        """Do the same in a task."""
        waiter = TaskWaiter(conn.itself)
        if self._joins(waiter):
            try:
                end = waiter.since + seconds
                while (left := end - monotonic()) > 0 and not self._takes(waiter):
                    with suppress(TimeoutError):
                        async with asyncio.timeout(min(LOOK, left)):
                            await waiter.event.wait()
                    waiter.event.clear()
            finally:
                self._leaves(waiter)
        return self.holder is conn.itself

    def pass_on(self, who: ref[SqliteConnection]) -> None:
        """End a connection's turn, and wake the one that waits longest."""
        with self._lock:
            if self.holder is not who:
                return
            self.holder = None
            first = self._first()
            if first is not None:
                if monotonic() - first.since > STARVED:
                    self.holder = first.who
                self._wake_some()

    def _joins(self, waiter: Waiter) -> bool:
        """Put one into the queue, or give it the turn at once; say whether it is in the queue."""
        with self._lock:
            if self._holds() is None:
                self.holder = waiter.who
                return False
            self._waiting.append(waiter)
            return True

    def _leaves(self, waiter: Waiter) -> None:
        """Take one out of the queue. If it was woken, and doesn't want the turn any more, the next one is."""
        with self._lock:
            if waiter in self._waiting:
                self._waiting.remove(waiter)
            if self.holder is None:
                self._wake_some()

    def _wake_some(self) -> None:
        """Wake the first one that waits; if it is a task, those behind it as well, up to the first thread."""
        for place, waiter in enumerate(islice(self._waiting, TASKS)):
            if place and (self.holder is not None or not waiter.in_task):
                break
            if not waiter.woken:
                waiter.woken = True
                waiter.wake()
            if not waiter.in_task:
                break

    def _takes(self, waiter: Waiter) -> bool:
        """Say whether it is this one's turn now: it was given to it, or is nobody's, and it was woken or is the first.

        Nobody's is also the turn of a connection that is gone, or has long forgotten that it has it.
        """
        with self._lock:
            woken, waiter.woken = waiter.woken, False
            if self.holder is not waiter.who:
                holder = self._holds()
                free = holder is None and (woken or self._first() is waiter)
                if free or (holder is not None and self._has_forgotten(holder, waiter)):
                    self.holder = waiter.who
            return self.holder is waiter.who

    def _first(self) -> Waiter | None:
        """Return the one that waits longest, of those that can be woken."""
        while self._waiting and self._waiting[0].is_gone:
            self._waiting.popleft()
        return self._waiting[0] if self._waiting else None

    def _has_forgotten(self, holder: SqliteConnection, waiter: Waiter) -> bool:
        """Say whether a holder was in no transaction whenever this one has looked, for some time.

        One that was woken just now had no time yet to begin. Should it be taken for such a one, it waits on.
        """
        now = monotonic()
        if _writes(holder):
            waiter.suspect = (None, 0.0)
        elif waiter.suspect[0] is not self.holder:
            waiter.suspect = (self.holder, now)
        return waiter.suspect[0] is self.holder and now - waiter.suspect[1] > IDLE

    def _holds(self) -> SqliteConnection | None:
        return self.holder() if self.holder is not None else None


def _writes(conn: SqliteConnection) -> bool:
    """Say whether a connection is in a transaction; one that is closed is in none."""
    try:
        return conn.in_transaction()
    except sqlite3.Error:
        return False
