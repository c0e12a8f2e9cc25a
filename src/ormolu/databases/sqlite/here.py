"""Short programs of async code, run where they are called: in the event loop's own thread.

A hop to a worker thread and back costs 30 to 200 microseconds, depending on the machine; a row by its key
costs 8. So a program that says of itself that it is brief (`programs.brief`) is begun right here, and nothing
that it does here waits or takes long:

- a lock that another connection holds is not waited for;
- a read that SQLite is not done with within the budget is broken off, by SQLite's progress handler, and remembered;
- a write is what a brief program writes: a row or two;
- a commit does not wait for the disk: it is done here only in write-ahead mode with `synchronous` NORMAL or
  OFF, where SQLite syncs in checkpoints alone, and checkpoints run in a worker.

What can't be done so raises `Elsewhere`; then the same program goes on, at the same step, in a worker. And a
task that finds all its answers here still gives the loop a turn from time to time (`worker.SLICE`).
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Generator
from math import inf
from time import perf_counter
from typing import TYPE_CHECKING, Any

from ormolu import signals
from ormolu.databases.reading import reads_only
from ormolu.databases.sqlite.driver import Elsewhere, SqliteConnection

if TYPE_CHECKING:
    from ormolu.databases.blocks import Block

__all__ = ["Hasty", "Here", "forward", "heard"]

LOOK = 500
"""Instructions of SQLite's virtual machine between two looks at the budget."""

LOOK_TIME = 25e-6
"""Seconds that so many instructions take, more or less: 20 to 140 nanoseconds each.

The budget is counted in looks, for the clock goes on while other threads have the interpreter: a short read would seem
long just when there is much to do, and go to one of those threads.
"""

PATIENCE = 40
"""How many budgets a read may take by the clock: that is for a slow disk, and for functions written in Python."""

REST = 100
"""How often a read that took too long is handed over before it is tried here again."""

MOST = 10_000
"""The most statements to remember."""

COMMITS = 64
"""Commits between two looks at the size of the write-ahead log."""

LOG_SIZE = 4 * 2**20
"""Bytes of write-ahead log from which on a checkpoint is due: SQLite's own default, 1,000 pages of 4 KiB."""


class Heard:
    """Whether anybody listens to a signal that programs send: receivers may do anything, so not here."""

    __slots__ = ("on",)

    signals = (
        signals.pre_init,
        signals.post_init,
        signals.pre_save,
        signals.post_save,
        signals.pre_delete,
        signals.post_delete,
        signals.m2m_changed,
    )

    def __init__(self) -> None:
        self.on = False
        for signal in self.signals:
            signal.watch(self.look)
        self.look()

    def look(self) -> None:
        """Find out again."""
        self.on = any(signal.receivers for signal in self.signals)


heard = Heard()


class Here:
    """What one database needs for it: a connection for autocommit, and what is known about statements."""

    def __init__(self, budget: float, checkpoint: Callable[[], None]) -> None:
        self.looks = round(budget / LOOK_TIME)
        self.patience = budget * PATIENCE
        self.conn: SqliteConnection | None = None
        """The loop's own connection, for programs outside of transactions; None until a worker has made it."""
        self.kinds: dict[str, bool] = {}
        """Whether a statement only reads."""
        self.long: dict[str, int] = {}
        """Reads that took too long, and how often each is still to be handed over."""
        self.syncs = True
        """Whether a commit may wait for the disk."""
        self._checkpoint = checkpoint
        self._log = ""
        self._commits = 0
        self._defers = False
        self._restarts = False
        self._lock = threading.Lock()
        self._closed = False

    def open(self, conn: SqliteConnection) -> None:
        """Take a new connection. Asks it how it commits; call it where waiting is allowed."""
        mode, level, step = (
            conn.native.execute(f"PRAGMA {name}").fetchone()[0]
            for name in ("journal_mode", "synchronous", "wal_autocheckpoint")
        )
        # Whoever has set another checkpoint interval than SQLite's wants to decide that, and not here.
        self.syncs = not (mode == "memory" or (mode == "wal" and level <= 1 and step == 1000))
        if mode == "wal":
            self._log = conn.native.execute("PRAGMA database_list").fetchone()[2] + "-wal"
        self.conn = conn
        if self._closed:  # while it was being made
            self.close()

    @property
    def is_free(self) -> bool:
        """Whether there is a connection of the loop's own, and nobody uses it."""
        return self.conn is not None and not self._lock.locked()

    def take(self) -> Hasty | None:
        """Return the loop's connection for the caller alone, or None if it is in use; then `release()` it."""
        if not self._lock.acquire(blocking=False):
            return None
        conn, face = self.conn, None
        try:
            face = self.face(conn) if conn is not None else None
            return face
        finally:
            if face is None:
                self._lock.release()

    def release(self) -> None:
        """Give the connection back."""
        dead = self.conn is not None and self.conn.is_dead
        self._lock.release()
        if self._closed or dead:
            self.close()

    def close(self) -> None:
        """Give the connection to its pool, now or when whoever uses it is done."""
        self._closed = True
        if self._lock.acquire(blocking=False):
            conn, self.conn = self.conn, None
            self._lock.release()
            if conn is not None:
                conn.driver.give_back(conn)

    def face(self, conn: SqliteConnection) -> Hasty:
        """Return a connection's face for brief programs, and make it such a connection."""
        face: Hasty | None = conn.face
        if face is None or face.here is not self:
            face = conn.face = Hasty(conn, self)
            conn.hurry(face.look, LOOK)
        elif not conn.hurried:
            conn.hurry(face.look, LOOK)
        return face

    def reads(self, sql: str) -> bool:
        """Say whether a statement only reads."""
        known = self.kinds.get(sql)
        if known is None:
            if len(self.kinds) >= MOST:
                self.kinds.clear()
            known = self.kinds[sql] = reads_only(sql)
        return known

    def rests(self, sql: str) -> bool:
        """Say whether a statement is known to take long; after some time it is tried again."""
        left = self.long.get(sql, 0)
        if left > 1:
            self.long[sql] = left - 1
        else:
            self.long.pop(sql, None)
        return left > 0

    def took_long(self, sql: str) -> None:
        """Remember that a statement took too long."""
        if len(self.long) >= MOST:
            self.long.clear()
        self.long[sql] = REST

    def may_commit(self) -> bool:
        """Say whether a commit here would not wait for the disk."""
        if self.syncs or self._defers:
            return False
        if self._restarts:
            self._restarts = False
            return False
        return True

    def committed(self) -> None:
        """Note a commit; see to it that there is a checkpoint from time to time.

        Until it is done commits go to the workers, for what is written meanwhile would keep the log from beginning
        anew; and so does the first one after it, which begins the log anew and waits for the disk.
        """
        self._commits += 1
        if self._commits >= COMMITS and self._log:
            self._commits = 0
            try:
                self._defers = os.stat(self._log).st_size >= LOG_SIZE
            except FileNotFoundError:
                return
            if self._defers:
                self._checkpoint()

    def checkpointed(self) -> None:
        """Note that a checkpoint has been tried."""
        self._defers = False
        self._restarts = True


class Hasty:
    """A connection as brief programs see it here. See the module."""

    __slots__ = ("conn", "deadline", "here", "left", "overran")

    def __init__(self, conn: SqliteConnection, here: Here) -> None:
        self.conn = conn
        self.here = here
        self.deadline = self.left = inf
        self.overran = False

    def __getattr__(self, name: str) -> Any:
        return getattr(self.conn, name)

    def look(self) -> bool:
        """Say whether SQLite is to break off the running statement; its progress handler."""
        self.left -= 1
        if self.left >= 0 and perf_counter() < self.deadline:
            return False
        self.overran = True
        return True

    def fetch(self, sql: str, params: Any = ()) -> Any:
        here = self.here
        if here.long and here.rests(sql):
            raise Elsewhere
        if not here.reads(sql):
            self._allow_write()
            return self.conn.fetch(sql, params)
        if self.conn.attention:
            # Not within the budget: SQLite looks at it at a statement's end, too, and a BEGIN that it breaks off there
            # has been done all the same.
            self.conn.begin(False)
        self.overran = False
        self.left = here.looks
        self.deadline = perf_counter() + here.patience
        try:
            return self.conn.fetch(sql, params)
        except Elsewhere:
            if self.overran:
                here.took_long(sql)
            raise
        finally:
            self.deadline = self.left = inf

    def fetch_many(self, requests: Any) -> Any:
        return [self.fetch(sql, params) for sql, params in requests]

    def execute(self, sql: str, params: Any = ()) -> int:
        self._allow_write()
        return self.conn.execute(sql, params)

    def insert(self, sql: str, params: Any = ()) -> Any:
        self._allow_write()
        return self.conn.insert(sql, params)

    def _allow_write(self) -> None:
        if not self.conn.blocks:
            if not self.here.may_commit():
                raise Elsewhere
            self.here.committed()

    def enter(self, *, durable: bool = False, savepoint: bool = True) -> Any:
        return self.conn.enter(durable=durable, savepoint=savepoint)

    def leave(self, block: Block, error: bool) -> None:
        conn = self.conn
        if block.started and conn.blocks and conn.blocks[0] is block:
            if not self.here.may_commit():
                raise Elsewhere
            self.here.committed()
        conn.in_haste = False  # a commit that fails has failed
        try:
            conn.leave(block, error)
        finally:
            conn.in_haste = True

    def on_commit(self, callback: Callable[[], Any]) -> Any:
        return self.conn.on_commit(callback)


def forward(program: Generator[Any, Any, Any], face: Hasty, step: Any = None) -> tuple[Any, Any]:
    """Drive a program as far as it goes here: from its beginning, or from a step that it waits for.

    Return (None, its result), or the step that is to be done elsewhere and None.
    """
    conn = face.conn
    send = program.send
    conn.in_haste = True
    conn.wants_turn = False
    try:
        if step is None:
            step = send(None)
        while step.brief:
            try:
                result = step.run(face)
            except Elsewhere:
                break
            except BaseException as error:
                step = program.throw(error)
            else:
                step = send(result)
        return step, None
    except StopIteration as stop:
        return None, stop.value
    finally:
        conn.in_haste = False
