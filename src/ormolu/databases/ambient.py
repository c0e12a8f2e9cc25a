"""Whose transaction is it: the connection that belongs to the code that is running.

An open transaction block puts a frame into a context variable. The frame remembers its *owner*: the asyncio
task that opened it, or the thread where no event loop runs. Contexts are copied into child tasks and into
`asyncio.to_thread`, so a child sees its parent's frames; but it is not their owner, so it never gets their
connection. It works on one of its own, outside the parent's transaction.
"""

from __future__ import annotations

import asyncio.events
from asyncio import current_task
from collections.abc import Callable
from contextvars import ContextVar
from threading import get_ident
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ormolu.databases.blocks import Block

__all__ = [
    "Frame",
    "current",
    "end_abandoned",
    "errands",
    "find",
    "find_open",
    "holder",
    "owner",
    "pop",
    "push",
    "push_for",
    "running_loop",
    "tidy",
]


running_loop: Callable[[], asyncio.AbstractEventLoop | None] = asyncio.events._get_running_loop
"""Return the running event loop, or None; asyncio documents it for low-level code. 30 nanoseconds."""


class Frame:
    """One open transaction: which database's, on which connection, whose."""

    __slots__ = ("conn", "key", "open", "outer", "owner")

    def __init__(self, key: object, conn: Any, who: object, outer: Frame | None) -> None:
        self.key = key
        self.conn = conn
        self.owner = who
        self.outer = outer
        self.open = True


current: ContextVar[Frame | None] = ContextVar("ormolu_transaction", default=None)
"""The innermost frame visible here; None is the common case, and the only thing that hot paths test."""


errands: dict[int, Any] = {}
"""The errand of each thread that does one for a task: see `ormolu.databases.errands`. Empty is the common case."""


def owner() -> object:
    """Return who is running: the current task, or the thread's number outside of tasks.

    A thread that runs synchronous code for a task, which waits for it, counts as that task.
    """
    loop = running_loop()
    if loop is not None:
        task = current_task(loop)
        if task is not None:
            return task
    me = get_ident()
    return errands[me].owner if errands and me in errands else me


def find(key: object) -> Any:
    """Return the connection of the transaction that the running task or thread has open on `key`, or None."""
    frame = current.get()
    if frame is None:
        return None
    me = owner() if errands or running_loop() is not None else get_ident()
    while frame is not None:
        # Compared by identity for tasks, by value for threads.
        if frame.open and frame.key is key and frame.owner == me:
            return frame.conn
        frame = frame.outer
    return None


def find_open(key: object) -> Any:
    """Return that connection if a transaction block is open on it.

    A program lends its connection to the receivers of its signals, also where no block is open.
    """
    conn = find(key)
    return conn if conn is not None and conn.blocks else None


def holder(key: object) -> Any:
    """Return the connection of a transaction that somebody up the chain of contexts (a parent) has open."""
    frame = current.get()
    me = owner()
    while frame is not None:
        if frame.open and frame.key is key and frame.owner != me:
            return frame.conn
        frame = frame.outer
    return None


def push(key: object, conn: Any) -> Frame:
    """Make `conn` the running task's (or thread's) connection for `key`."""
    frame = Frame(key, conn, owner(), current.get())
    current.set(frame)
    return frame


def push_for(conn: Any) -> None:
    """Make a connection the running task's (or thread's) as its `frame`, where it finds that again at any time."""
    conn.frame = frame = Frame(conn.key, conn, owner(), current.get())
    current.set(frame)


def pop(frame: Frame) -> None:
    """End a frame. Safe in another context than `push()`'s, where the frame is simply no longer open."""
    frame.open = False
    frame.conn = None  # the contexts of tasks and threads started meanwhile keep the frame
    if frame.outer is None and current.get() is frame:
        current.set(None)
    else:
        tidy()


def tidy() -> None:
    """Drop frames that were ended elsewhere, so that `current` is None again outside of transactions."""
    top = current.get()
    if top is not None and not top.open:
        while top is not None and not top.open:
            top = top.outer
        current.set(top)


def end_abandoned(driver: Any, conn: Any, block: Block, who: object) -> None:
    """Undo a block whose end a KeyboardInterrupt came before. For `__del__`, which may run in any thread."""
    if who == owner():
        driver.end_block(conn, block, True)
    else:
        conn.wipe()
