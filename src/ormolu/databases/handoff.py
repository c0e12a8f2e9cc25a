"""A lock that threads and asyncio tasks can both wait for, first come, first served.

It guards the one connection of an SQLite database in memory, which both worlds share. The holder may take
it again, for a query inside a loop over another query.
"""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from typing import Any

from ormolu.databases.ambient import owner

__all__ = ["HandoffLock"]


class _ThreadWaiter:
    """A thread in the queue."""

    __slots__ = ("event", "who")

    def __init__(self, who: object) -> None:
        self.who = who
        self.event = threading.Event()

    def wake(self) -> bool:
        self.event.set()
        return True


class _TaskWaiter:
    """A task in the queue. Its loop may be closed by the time its turn comes."""

    __slots__ = ("future", "loop", "who")

    def __init__(self, who: object, loop: asyncio.AbstractEventLoop) -> None:
        self.who = who
        self.loop = loop
        self.future: asyncio.Future[None] = loop.create_future()

    def wake(self) -> bool:
        try:
            self.loop.call_soon_threadsafe(self._set)
        except RuntimeError:
            return False
        return True

    def _set(self) -> None:
        if not self.future.done():
            self.future.set_result(None)


class HandoffLock:
    """A fair, re-entrant lock for threads and tasks. `release()` hands it to the one who waits longest."""

    def __init__(self) -> None:
        self._mutex = threading.Lock()
        self._queue: deque[Any] = deque()
        self.holder: object = None
        self.count = 0

    def _take(self, me: object) -> bool:
        if self.count == 0:
            self.holder = me
            self.count = 1
            return True
        if self.holder == me:
            self.count += 1
            return True
        return False

    def acquire(self, timeout: float) -> bool:
        """Take the lock, blocking the thread for at most `timeout` seconds; say whether that worked."""
        me = owner()
        with self._mutex:
            if self._take(me):
                return True
            waiter = _ThreadWaiter(me)
            self._queue.append(waiter)
        try:
            if waiter.event.wait(timeout):
                return True
        except BaseException:
            self._give_up(waiter)
            raise
        return not self._give_up(waiter, keep=True)

    async def aacquire(self, timeout: float) -> bool:
        """Take the lock, waiting for at most `timeout` seconds; say whether that worked."""
        me = owner()
        with self._mutex:
            if self._take(me):
                return True
            waiter = _TaskWaiter(me, asyncio.get_running_loop())
            self._queue.append(waiter)
        try:
            async with asyncio.timeout(timeout):
                await waiter.future
        except TimeoutError:
            return not self._give_up(waiter, keep=True)
        except BaseException:
            self._give_up(waiter)
            raise
        return True

    def _give_up(self, waiter: Any, keep: bool = False) -> bool:
        """Leave the queue; False if the lock was handed over meanwhile (keep it, or pass it on)."""
        with self._mutex:
            if waiter in self._queue:
                self._queue.remove(waiter)
                return True
        if not keep:
            self.release()
        return False

    def release(self) -> None:
        """Give the lock back once; the last time, hand it on."""
        with self._mutex:
            self.count -= 1
            if self.count > 0:
                return
            self.holder = None
            while self._queue:
                waiter = self._queue.popleft()
                self.holder = waiter.who
                self.count = 1
                if waiter.wake():
                    return
                self.holder = None
                self.count = 0
