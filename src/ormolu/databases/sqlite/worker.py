"""Threads that run whole programs on SQLite for async code: one hop for each program.

A hop to a thread and back costs about 27 microseconds, several times what a small statement does; so a
program goes over as a whole, and its rows are turned into objects there. The results that finish before the
loop gets to run travel together, in one wake-up.
"""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import Awaitable, Callable
from contextvars import Context
from queue import Empty, SimpleQueue
from time import perf_counter
from typing import TYPE_CHECKING, Any

from ormolu.databases import ambient

if TYPE_CHECKING:
    from ormolu.databases.sqlite.driver import SqliteConnection

__all__ = ["Job", "Mailbox", "Request", "Worker"]


SLICE = 0.0005
"""Seconds for which programs that run in the loop's own thread may keep it from turning."""

WRITING = 0.005
"""Seconds for which those of one block that writes may do so: others wait for its end, and for each turn meanwhile."""


class Mailbox:
    """Where an event loop finds the results of its jobs. One for each loop."""

    __slots__ = ("armed", "items", "loop", "since", "turning")

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        self.items: deque[tuple[Job, Any, BaseException | None]] = deque()
        self.armed = False
        self.turning = False
        self.since = 0.0

    def tired(self, conn: SqliteConnection | None) -> bool:
        """Say whether the loop is due to turn: whether our programs have kept it for a `SLICE`.

        A block that others wait for, because it writes, has a longer one of its own.
        """
        now = perf_counter()
        if conn is not None and conn.has_turn:
            if 0 < now - conn.written_since <= WRITING:
                return False
            fresh, conn.written_since = conn.written_since == 0, now
            return not fresh
        if self.turning:
            return now - self.since > SLICE
        self.turning = True
        self.since = now
        self.loop.call_soon(self._turned)
        return False

    def _turned(self) -> None:
        self.turning = False

    def post(self, job: Job, value: Any, error: BaseException | None) -> None:
        """Deliver an outcome, from any thread."""
        self.items.append((job, value, error))
        if not self.armed:
            self.armed = True
            try:
                self.loop.call_soon_threadsafe(self.drain)
            except RuntimeError:  # the loop is closed: nobody waits any more
                self.items.clear()

    def drain(self) -> None:
        """Hand out what has arrived. The flag goes down first, so that nothing arrives unnoticed."""
        self.armed = False
        items = self.items
        while items:
            job, value, error = items.popleft()
            job.settle(value, error)


class Request:
    """What a program in a worker asks of the loop: await this, and tell me the result."""

    __slots__ = ("callback",)

    def __init__(self, callback: Callable[[], Awaitable[Any]]) -> None:
        self.callback = callback


class Job:
    """Something to do on a connection in a worker, and the future of its outcome."""

    __slots__ = (
        "_turns",
        "abandoned",
        "conn",
        "context",
        "future",
        "hooks",
        "mailbox",
        "settled",
        "waiter",
        "work",
        "worker",
    )

    def __init__(
        self, work: Callable[[SqliteConnection, Job], Any], conn: Any, mailbox: Mailbox, context: Context
    ) -> None:
        self.work = work
        self.conn = conn
        self.mailbox = mailbox
        self.context = context
        self.future: asyncio.Future[Any] = mailbox.loop.create_future()
        self.waiter: asyncio.Future[None] | None = None
        self._turns = [None]
        self.abandoned = False
        self.settled = False
        self.worker: Worker | None = None
        self.hooks: list[Any] = []

    def take_turn(self) -> bool:
        """Say whether the caller is the first to ask: the worker that begins the work, or the task that gives it up."""
        try:
            self._turns.pop()
        except IndexError:
            return False
        return True

    def settle(self, value: Any, error: BaseException | None) -> None:
        """Set the outcome, in the loop."""
        future = self.future
        if self.abandoned and isinstance(value, Request):
            self.refuse()
            return
        self.settled = True
        if not future.done():
            if error is None:
                future.set_result(value)
            else:
                future.set_exception(error)
        elif self.waiter is not None and not self.waiter.done():
            self.waiter.set_result(None)

    async def outcome(self) -> Any:
        """Wait for the outcome.

        When the waiting task is cancelled the work is interrupted, and its end awaited, before the
        cancellation goes on: nothing may still be running on a connection that somebody then rolls back or
        reuses. Work that has not begun never will, and is not waited for.
        """
        try:
            return await self.future
        except asyncio.CancelledError:
            if self.take_turn():
                raise
            asks = self.asks()
            # The work may have ended after the future was cancelled, before this task got to know.
            if asks or (self.future.cancelled() and not self.settled):
                self.waiter = self.mailbox.loop.create_future()
                self.abandon()
                if asks:
                    self.refuse()
                await finished(self.waiter)
            raise

    def asks(self) -> bool:
        """Say whether the outcome is a request, which the worker waits to be told the result of."""
        future = self.future
        if not future.done() or future.cancelled() or future.exception() is not None:
            return False
        return isinstance(future.result(), Request)

    def refuse(self) -> None:
        """Tell a program that asks for something that nobody waits for it any more: it shall end."""
        if self.worker is not None:
            self.worker.inbox.put((None, asyncio.CancelledError()))

    def abandon(self) -> None:
        """Stop the work as soon as possible."""
        self.abandoned = True
        worker = self.worker
        if worker is not None:
            worker.interrupt(self)


async def finished(future: asyncio.Future[None]) -> None:
    """Wait for a future that always comes soon, through any number of cancellations."""
    while not future.done():
        try:
            await asyncio.shield(future)
        except asyncio.CancelledError:
            continue


class Worker:
    """A thread that takes jobs from a queue and runs them, one at a time, on a connection that it opens."""

    def __init__(
        self,
        name: str,
        source: SimpleQueue[Any] | None,
        connect: Callable[[Worker], SqliteConnection],
        retire: Callable[[Worker], bool] | None = None,
        patience: float | None = None,
    ) -> None:
        self.inbox: SimpleQueue[Any] = SimpleQueue()
        """Jobs for this worker alone: those inside a transaction, and answers to its requests."""
        self._source = source if source is not None else self.inbox
        self._connect = connect
        self._retire = retire
        self._patience = patience if retire is not None else None
        self._lock = threading.Lock()
        self._job: Job | None = None
        self.conn: SqliteConnection | None = None
        self.thread = threading.Thread(target=self._loop, name=name, daemon=True)
        self.thread.start()

    @property
    def is_idle(self) -> bool:
        """Whether no job is running here, and so nobody uses the connection in this thread."""
        return self._job is None

    def _loop(self) -> None:
        while True:
            try:
                item = self._source.get(timeout=self._patience)
            except Empty:
                if self._retire is not None and self._retire(self):
                    break
                continue
            if item is None:
                break
            self._perform(item)
            del item  # or the last result would stay in memory until the next job
        if self.conn is not None:
            self.conn.driver.give_back(self.conn)
            self.conn = None

    def _perform(self, job: Job) -> None:
        value: Any = None
        error: BaseException | None = None
        outer = self._job
        try:
            if not job.take_turn():
                raise asyncio.CancelledError
            conn = job.conn if job.conn is not None else self._own_connection()
            before = conn.worker
            conn.worker = self
            conn.heavy = True
            if conn.hurried:
                conn.unhurry()
            with self._lock:
                self._job = job
                job.worker = self
            try:
                value = job.context.run(self._inside, conn, job)
            finally:
                with self._lock:
                    self._job = outer
                    job.worker = None
                conn.worker = before
                conn.calm()
        except BaseException as raised:
            error = raised
        job.mailbox.post(job, value, error)

    def _inside(self, conn: SqliteConnection, job: Job) -> Any:
        # Synchronous queries of receivers, which run in this thread, belong to the same transaction.
        frame = ambient.push(conn.key, conn)
        try:
            return job.work(conn, job)
        finally:
            ambient.pop(frame)

    def _own_connection(self) -> SqliteConnection:
        conn = self.conn
        if conn is None or conn.is_dead:
            if conn is not None:
                self.conn = None
                conn.driver.give_back(conn)
            conn = self.conn = self._connect(self)
        return conn

    def ask(self, callback: Callable[[], Awaitable[Any]]) -> Any:
        """Let the loop await something for the running job; meanwhile do the jobs that it causes."""
        job = self._job
        assert job is not None
        job.mailbox.post(job, Request(callback), None)
        while True:
            item = self.inbox.get()
            if isinstance(item, Job):
                self._perform(item)
                continue
            value, error = item
            if error is not None:
                raise error
            return value

    def interrupt(self, job: Job) -> None:
        """Interrupt a job's statement, if it is still this job that runs."""
        with self._lock:
            if self._job is job:
                conn = job.conn if job.conn is not None else self.conn
                if conn is not None:
                    conn.cancel()

    def stop(self) -> None:
        """End the thread after what is queued, and give its connection back."""
        self._source.put(None)
        self.wait()

    def wait(self) -> None:
        """Wait for the thread's end, unless this is the thread."""
        if self.thread is not threading.current_thread():
            self.thread.join(timeout=5)
