"""SQLite for async code: programs run in worker threads, each as a whole; brief ones where they are called."""

from __future__ import annotations

import asyncio
import contextvars
import itertools
import threading
from collections import deque
from collections.abc import AsyncIterator, Callable, Generator
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar, cast

import sqlalchemy as sa
import sqlalchemy.exc

from ormolu.databases import ambient, observation
from ormolu.databases.blocks import Block, arun_hooks
from ormolu.databases.errors import translate_sqlalchemy
from ormolu.databases.held import held
from ormolu.databases.sqlite.driver import SqliteConnection, SqliteDriver
from ormolu.databases.sqlite.engine import sqlite_budget
from ormolu.databases.sqlite.here import Hasty, Here, forward, heard
from ormolu.databases.sqlite.worker import Job, Mailbox, Request, Worker
from ormolu.databases.terms import Terms
from ormolu.exceptions import OperationalError
from ormolu.programs import break_off, run

if TYPE_CHECKING:
    from ormolu.databases.database import Database

__all__ = ["AsyncSqliteDriver"]

R = TypeVar("R")
_watch = observation.watch
_log = observation.log

STALL = 0.005
"""Seconds for which a queue of jobs may stand still before one more worker is hired."""

RETIRE = 10.0
"""Seconds without a job after which a worker beyond the first leaves."""


class AsyncSqliteDriver:
    """Runs programs on SQLite for async code. One for each database, for all event loops.

    Brief programs run in the loop's thread, as far as nothing in them has to wait: see `here`. All else is done
    by workers. Programs outside of transactions go to a crew of them with a common queue. A transaction block has
    a worker to itself, so blocks of many tasks can be open at once.
    """

    is_async = True
    pipelines: ClassVar[bool] = False
    pooled = False
    """Whether SQLAlchemy's asynchronous engines own its connections."""
    no_params: ClassVar[Any] = ()
    """What stands for no parameters, so that a percent sign in the text is only that."""
    crew_limit = 4

    def __init__(self, database: Database) -> None:
        self.database = database
        self.vendor = database.vendor
        self.sync = cast(SqliteDriver, database.driver)
        self.key = self.sync.key
        self.dialect = self.sync.dialect
        self.plans = self.sync.plans
        self.max_params = self.sync.max_params
        self.pool: Any = self._make_pool()
        self._queue: SimpleQueue[Any] = SimpleQueue()
        self._crew: list[Worker] = []
        self._busy = 0
        self._done = 0
        self._watching: asyncio.AbstractEventLoop | None = None
        self._lock = threading.Lock()
        self._numbers = itertools.count(1)
        self._mailbox: Mailbox | None = None
        self._mailboxes: dict[Any, Mailbox] = {}
        self._idle: list[Worker] = []
        self._exclusive = 0
        self._limit = database.config.pool.limit
        self._waiters: deque[tuple[asyncio.AbstractEventLoop, asyncio.Future[Worker | None]]] = deque()
        self._here: Here | None = None
        self._budget = sqlite_budget(database.config)
        self._closed = False

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.database.alias!r}>"

    def _make_pool(self) -> Any:
        # The same connections, options and event listeners as the synchronous engine's; its limit is kept
        # here.
        return self.database.engine.pool.unlimited()  # type: ignore[attr-defined]

    # -- programs

    async def arun(self, fn: Callable[..., Generator[Any, Any, R]], *args: Any) -> R:
        """Run the program `fn(self, *args)` and return its result.

        On the connection of the transaction that the running task has open, else on one of the crew's, in
        autocommit. If the task is cancelled, the program is interrupted and undone first.
        """
        conn = ambient.find(self.key) if ambient.current.get() is not None else None
        if getattr(fn, "brief", False) and not heard.on:
            if self._box().tired(conn):
                await asyncio.sleep(0)
            face = self._take_face(conn)
            if face is not None:
                result, hooks = await self._begin_here(face, conn is None, fn, args)
                if hooks:
                    await arun_hooks(hooks)
                return result  # type: ignore[no-any-return]
        result, hooks = await self._hand_over(conn, lambda conn: run(fn(self, *args), conn))
        if hooks:
            await arun_hooks(hooks)
        return result  # type: ignore[no-any-return]

    def _take_face(self, conn: SqliteConnection | None) -> Hasty | None:
        """Return what to begin a brief program on in this thread, or None where that can't be."""
        here = self._here
        if here is None:
            self._open_here()
            return None
        if self._looked_at() or (conn is not None and conn.worker is not None and not conn.worker.is_idle):
            return None
        return here.take() if conn is None else here.face(conn)

    async def _begin_here(
        self, face: Hasty, lent: bool, fn: Callable[..., Any], args: tuple[Any, ...]
    ) -> tuple[Any, list[Any]]:
        """Run a program in this thread as far as nothing has to wait, and the rest of it in a worker's.

        Return its result, and what is to be called after its commit. `lent` is a connection to give back.
        """
        conn = face.conn
        depth = len(conn.blocks)
        keep = not lent
        try:
            try:
                program = fn(self, *args)
                step, result = forward(program, face)
            except BaseException:
                self._undo(conn, depth)
                raise
            if step is not None and conn.wants_turn and not lent:
                step, result = await self._after_others(program, face, step, depth)
            if step is None:
                return result, self._end(conn) if depth == 0 else []
            keep = keep or bool(conn.blocks)
        finally:
            if lent and not keep:
                face.here.release()
        try:
            return await self._hand_over(conn if keep else None, lambda conn: run(program, conn, step), depth)
        except BaseException:
            break_off(program)  # a job that was given up before it began has not ended it
            if keep:
                self._undo(conn, depth)
            raise
        finally:
            ambient.tidy()
            if lent and keep:
                face.here.release()

    async def _after_others(
        self, program: Generator[Any, Any, Any], face: Hasty, step: Any, depth: int
    ) -> tuple[Any, Any]:
        """Wait until a block's connection may write, and go on with its program in this thread.

        In a worker's it would have to be fetched from there while others wait for it. Returns as `forward()`.
        """
        conn = face.conn
        conn.has_turn = True
        try:
            if not await self.sync.turns.await_(conn, conn.patience):
                return step, None  # a worker tells what SQLite says
            return forward(program, face, step)
        except BaseException:
            break_off(program)
            self._undo(conn, depth)
            raise

    async def _hand_over(
        self, conn: SqliteConnection | None, start: Callable[[Any], Any], depth: int | None = None
    ) -> tuple[Any, list[Any]]:
        """Have a program run by a worker: the connection's, or one of the crew. Returns as `_begin_here()`."""
        job = Job(
            lambda conn, job: self._drive(conn, job, start, depth),
            conn,
            self._box(),
            contextvars.copy_context(),
        )
        if conn is not None and conn.worker is not None:
            conn.worker.inbox.put(job)
            return await self._answer(job), job.hooks
        self._enlist(job)
        self._busy += 1
        try:
            return await self._answer(job), job.hooks
        finally:
            self._busy -= 1
            self._done += 1

    def _drive(self, conn: SqliteConnection, job: Job, start: Callable[[Any], Any], depth: int | None) -> Any:
        """Run a program in the worker, leaving no more blocks open than there were, or than `depth`."""
        if depth is None:
            depth = len(conn.blocks)
        try:
            result = start(self.sync.watched(conn) if self._looked_at() else conn)
        except BaseException:
            self._undo(conn, depth)
            raise
        if depth == 0:
            job.hooks = self._end(conn)
        return result

    def _undo(self, conn: SqliteConnection, depth: int) -> None:
        """Undo what a failed program has begun."""
        if len(conn.blocks) > depth:
            conn.leave(conn.blocks[depth], True)
        if depth == 0:
            conn.take_ready()

    def _end(self, conn: SqliteConnection) -> list[Any]:
        """Undo what a program has left open by mistake, and return what is to be called after its commit."""
        if conn.blocks:
            conn.leave(conn.blocks[0], True)
        return conn.take_ready()

    def _looked_at(self) -> bool:
        return bool(_watch.on or self.sync.engine._has_events or _log.isEnabledFor(10))

    async def _answer(self, job: Job) -> Any:
        """Wait for a job, doing what its program asks of the loop meanwhile."""
        value = await job.outcome()
        while isinstance(value, Request):
            worker = job.worker
            assert worker is not None
            conn = job.conn if job.conn is not None else worker.conn
            assert conn is not None
            frame = ambient.push(self.key, conn)
            reply: tuple[Any, BaseException | None]
            try:
                reply = (await value.callback(), None)
            except BaseException as error:
                reply = (None, error)
            finally:
                ambient.pop(frame)
            job.future = job.mailbox.loop.create_future()
            job.settled = False
            worker.inbox.put(reply)
            value = await job.outcome()
        return value

    def _box(self) -> Mailbox:
        loop = asyncio.get_running_loop()
        box = self._mailbox
        if box is None or box.loop is not loop:
            box = self._mailboxes.get(loop)
            if box is None:
                for old in [old for old in self._mailboxes if old.is_closed()]:
                    self._mailboxes.pop(old, None)
                box = self._mailboxes[loop] = Mailbox(loop)
            self._mailbox = box
        return box

    def _enlist(self, job: Job) -> None:
        """Give a job to the crew, seeing to it that somebody works there; after `close()` to one who leaves with it.

        One worker serves best while jobs are short: the interpreter runs one thread at a time anyway.
        Others are hired when jobs wait and none gets done, because one reads long or waits for a lock.
        """
        # `close()` may come from another thread, and the crew's end stands in the same queue.
        with self._lock:
            if self._closed:
                last = self._worker(None).inbox
                last.put(job)
                last.put(None)
                return
            crew = self._crew
            if not crew:
                crew.append(self._worker(self._queue))
            elif self._busy >= len(crew) and not self._is_watched() and len(crew) < self.crew_limit:
                self._watch_for_stall()
            self._queue.put(job)

    def _is_watched(self) -> bool:
        return self._watching is not None and not self._watching.is_closed()

    def _watch_for_stall(self) -> None:
        self._watching = asyncio.get_running_loop()
        self._watching.call_later(STALL, self._look_for_stall, self._done)

    def _look_for_stall(self, done: int) -> None:
        self._watching = None
        crew = len(self._crew)
        if self._queue.empty() or not crew:
            return
        if self._done == done:
            self._hire(crew)
        if len(self._crew) < self.crew_limit:
            self._watch_for_stall()

    def _hire(self, known: int) -> None:
        """Add a worker, unless somebody else has changed the crew since it was looked at."""
        with self._lock:
            if len(self._crew) == known:
                self._crew.append(self._worker(self._queue, self._retire))

    def _retire(self, worker: Worker) -> bool:
        """Let an idle worker go."""
        with self._lock:
            if worker in self._crew and len(self._crew) > 1:
                self._crew.remove(worker)
                return True
        return False

    def _open_here(self) -> None:
        """Have a worker make the connection for brief programs."""
        with self._lock:
            if self._budget <= 0 or self._here is not None or self._closed:
                return
            here = self._here = Here(self._budget, self._checkpoint)
        self._send_off(lambda _conn, _job: here.open(self._connect(None)))

    def _checkpoint(self) -> None:
        """Have a worker write the log back into the database."""
        here = self._here
        assert here is not None

        def checkpoint(conn: SqliteConnection, _job: Job) -> None:
            try:
                conn.native.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()
            finally:
                here.checkpointed()

        self._send_off(checkpoint)

    def _send_off(self, work: Callable[[SqliteConnection, Job], Any]) -> None:
        """Have something done by the crew for which nobody waits. What fails there is tried by whoever needs it."""
        job = Job(work, None, self._box(), contextvars.Context())
        job.future.add_done_callback(lambda future: future.exception())
        self._enlist(job)

    def _worker(
        self, source: SimpleQueue[Any] | None, retire: Callable[[Worker], bool] | None = None
    ) -> Worker:
        name = f"ormolu-{self.database.alias}-{next(self._numbers)}"
        return Worker(name, source, self._connect, retire, RETIRE)

    def _connect(self, worker: Worker | None) -> SqliteConnection:
        try:
            fairy = self.pool.connect()
        except Exception as error:
            raise self.database.unreachable(error) from error
        return SqliteConnection(self.sync, fairy)

    def resting(self) -> int:
        """Return how many connections are kept that nobody uses: of workers with nothing to do, and the loop's own."""
        with self._lock:
            workers = [*self._crew, *self._idle]
        own = self._here is not None and self._here.is_free
        return sum(worker.conn is not None and worker.is_idle for worker in workers) + own

    # -- blocks that span programs

    async def abegin_block(
        self, durable: bool = False, savepoint: bool = True, terms: Terms | None = None
    ) -> tuple[Any, Block]:
        """Enter a transaction block of the running task; return its connection and the block."""
        conn = ambient.find(self.key) if ambient.current.get() is not None else None
        if conn is None:
            conn = await self.acheckout()
            conn.heavy = False
            try:
                block = conn.open_block(durable, savepoint, terms)
            except BaseException:
                self.arelease(conn)
                raise
            block.releases = True
            return conn, block
        return conn, conn.open_block(durable, savepoint, terms)

    async def aend_block(self, conn: Any, block: Block, error: bool) -> None:
        """Leave a block; after the outermost one the connection goes back, and then the hooks run."""
        if block not in conn.blocks:
            return
        outermost = conn.blocks[0] is block
        hooks: list[Any] = []
        stopped: asyncio.CancelledError | None = None
        try:
            if any(one.started for one in conn.blocks):
                if self._may_leave_here(conn, outermost):
                    conn.leave(block, error)
                else:
                    await self._call(conn, lambda conn, _job: conn.leave(block, error))
            else:
                conn.leave(block, error)  # nothing was sent, so there is nothing to wait for
        except asyncio.CancelledError as cancelled:
            stopped = cancelled  # the block is left all the same, so what follows a commit does follow
        finally:
            if outermost:
                ambient.tidy()
                hooks = conn.take_ready()
                if block.releases:
                    self.arelease(conn)
        if outermost:
            if block.since:
                held.note(block, self.database.alias)
            await arun_hooks(hooks)
        if stopped is not None:
            raise stopped

    def _may_leave_here(self, conn: SqliteConnection, outermost: bool) -> bool:
        """Say whether ending a block waits for nothing: all in it was brief, and no disk is asked."""
        here = self._here
        if here is None or conn.heavy or (conn.worker is not None and not conn.worker.is_idle):
            return False
        if outermost:
            if not here.may_commit():
                return False
            here.committed()
        return True

    async def _call(self, conn: Any, work: Callable[[Any, Job], Any]) -> Any:
        """Run a function in a connection's worker to its end, even if the task is cancelled meanwhile."""
        job = Job(work, conn, self._box(), contextvars.copy_context())
        if conn.worker is not None:
            conn.worker.inbox.put(job)
        else:
            self._enlist(job)
        waiter = asyncio.ensure_future(job.future)
        cancelled: BaseException | None = None
        while not waiter.done():
            try:
                await asyncio.shield(waiter)
            except asyncio.CancelledError as error:
                cancelled = error
            except BaseException:
                break
        result = waiter.result()
        if cancelled is not None:
            raise cancelled
        return result

    async def acheckout(self) -> Any:
        """Return a connection, with its worker, for the caller alone."""
        worker = await self._take_worker()
        try:
            if worker.conn is None or worker.conn.is_dead:
                job = Job(lambda conn, _job: None, None, self._box(), contextvars.copy_context())
                worker.inbox.put(job)
                await job.outcome()
        except BaseException:
            self._hand_on(worker)
            raise
        conn = worker.conn
        assert conn is not None
        conn.worker = worker
        return conn

    async def _take_worker(self) -> Worker:
        try:
            return self._idle.pop()
        except IndexError:
            pass
        with self._lock:
            if self._limit < 0 or self._exclusive < self._limit:
                self._exclusive += 1
                return self._worker(None)
            loop = asyncio.get_running_loop()
            future: asyncio.Future[Worker | None] = loop.create_future()
            entry = (loop, future)
            self._waiters.append(entry)
        timeout = self.database.config.pool.timeout
        try:
            async with asyncio.timeout(timeout):
                worker = await future
        except BaseException as error:
            got: Worker | None = None
            with self._lock:
                if entry in self._waiters:
                    self._waiters.remove(entry)
                elif future.done() and not future.cancelled():
                    got = future.result()
            if got is not None:
                self._hand_on(got)
            if isinstance(error, TimeoutError):
                raise OperationalError(
                    f"The database {self.database.alias!r} has no free connection: all {self._limit} are in "
                    f"transactions for {timeout:g} seconds. Raise POOL_SIZE, or shorten the transactions."
                ) from None
            raise
        assert worker is not None
        return worker

    def arelease(self, conn: Any) -> None:
        """Give a connection with its worker back."""
        self._hand_on(conn.worker)

    def _hand_on(self, worker: Worker) -> None:
        """Give a worker to the task that waits longest, or keep it for the next one; after `close()`, stop it."""
        while True:
            try:
                loop, future = self._waiters.popleft()
            except IndexError:
                break
            try:
                loop.call_soon_threadsafe(self._deliver, future, worker)
                return
            except RuntimeError:  # that loop is closed
                continue
        with self._lock:
            if not self._closed:
                self._idle.append(worker)
                return
        worker.stop()

    def _deliver(self, future: asyncio.Future[Worker | None], worker: Worker) -> None:
        if future.done():
            self._hand_on(worker)
        else:
            future.set_result(worker)

    # -- other ways in

    async def stream(self, sql: str, params: Any = (), chunk_size: int = 2000) -> AsyncIterator[list[Any]]:
        """Yield a statement's rows in lists: one hop for each list."""
        conn = ambient.find(self.key)
        held = conn is None
        if held:
            conn = await self.acheckout()
        watcher = observation.Watcher(self.database.alias, self.vendor)
        started = watcher.before(sql, params)
        error: BaseException | None = None
        chunks = conn.stream(sql, params, chunk_size)
        try:
            while rows := await self._call(conn, lambda _conn, _job: next(chunks, None)):
                yield rows
        except GeneratorExit:
            raise
        except BaseException as raised:
            error = raised
            raise
        finally:
            watcher.after(sql, params, started, error)
            chunks.close()
            if held:
                self.arelease(conn)

    async def adrive(self, conn: Any, steps: Generator[str, None, R]) -> R:
        """Run the control statements that a change of state asks for."""
        return await self._call(conn, lambda conn, _job: conn.drive(steps))  # type: ignore[no-any-return]

    def ambient(self) -> Any:
        """Return the connection of the transaction that the running task has open, or None."""
        return ambient.find_open(self.key)

    async def addl(self, fn: Callable[[sa.Connection], R], write: bool = True) -> R:
        """Call `fn`, in the worker, with a SQLAlchemy connection inside the ambient or a new transaction."""
        conn, block = await self.abegin_block()
        failed = True
        try:

            def work(conn: Any, _job: Job) -> Any:
                conn.begin(write)
                return conn.as_sqlalchemy(fn)

            result = await self._call(conn, work)
            failed = False
            return result  # type: ignore[no-any-return]
        except sqlalchemy.exc.SQLAlchemyError as error:
            raise translate_sqlalchemy(error) from error
        finally:
            await self.aend_block(conn, block, failed)

    def close(self) -> None:
        """Stop the workers. Those inside an open transaction end when they are given back."""
        with self._lock:
            self._closed = True
            here, self._here = self._here, None
            crew, self._crew = self._crew, []
            idle, self._idle = self._idle, []
            self._exclusive -= len(idle)
            for _ in crew:
                self._queue.put(None)
        if here is not None:
            self._close_here(here)
        for worker in crew:
            worker.wait()
        for worker in idle:
            worker.stop()
        self._close_pool()

    def _close_here(self, here: Here) -> None:
        here.close()

    def _close_pool(self) -> None:
        self.pool.dispose()

    async def aclose(self) -> None:
        """Stop the workers."""
        await asyncio.to_thread(self.close)
