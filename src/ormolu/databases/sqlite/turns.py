"""Whose turn it is to write to an SQLite database, among the connections of this process.

SQLite lets one connection write at a time. Those that wait look again after pauses of up to 100 milliseconds, and
whoever looks first has it: with many of them the lock lies idle for most of the time, and some wait until they are
told that the database is locked. So our connections take turns in the order in which they asked, and the one that is
done wakes the next.

SQLite's own lock still decides. Other processes, and connections that others have opened, know nothing of turns; and
where nobody waits, taking one is setting an attribute.
"""

from __future__ import annotations

import threading
from collections import deque
from time import monotonic
from typing import TYPE_CHECKING
from weakref import ref

if TYPE_CHECKING:
    from ormolu.databases.sqlite.driver import SqliteConnection

__all__ = ["Turns", "Waiter"]

LOOK = 0.1
"""Seconds after which one that waits looks whether the holder of the turn is still there."""

IDLE = 1.0
"""Seconds after which a holder that is in no transaction isn't believed any more."""


class Waiter:
    """A connection in the queue."""

    __slots__ = ("event", "who")

    def __init__(self, who: ref[SqliteConnection]) -> None:
        self.who = who
        self.event = threading.Event()


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
        waiter = Waiter(conn.itself)
        with self._lock:
            if self._is_free():
                self.holder = conn.itself
                return True
            self._waiting.append(waiter)
        began = monotonic()
        conn.waiter = waiter
        try:
            while not conn.cancelled and (left := began + seconds - monotonic()) > 0:
                if waiter.event.wait(min(LOOK, left)) or self._inherits(waiter, monotonic() - began):
                    break
        finally:
            conn.waiter = None
            with self._lock:
                if waiter in self._waiting:
                    self._waiting.remove(waiter)
        return self.holder is conn.itself

    def pass_on(self, who: ref[SqliteConnection]) -> None:
        """End a connection's turn: it is that of the one that waits longest."""
        with self._lock:
            if self.holder is who:
                self._wake_next()

    def _wake_next(self) -> None:
        if self._waiting:
            waiter = self._waiting.popleft()
            self.holder = waiter.who
            waiter.event.set()
        else:
            self.holder = None

    def _is_free(self) -> bool:
        return self.holder is None or self.holder() is None

    def _inherits(self, waiter: Waiter, waited: float) -> bool:
        """Let the first in the queue have the turn of a holder that is gone, or has long forgotten that it has it."""
        with self._lock:
            holder = self.holder() if self.holder is not None else None
            lost = holder is None or (waited > IDLE and not holder.in_transaction())
            if lost:
                self._wake_next()
            return lost and self.holder is waiter.who
