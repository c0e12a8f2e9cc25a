"""Tasks that end in the middle of what they began by hand: `aset_autocommit(False)` without an end.

A task's transaction is nobody's when the task is done. Its connection goes back to the pool then, what gathered on it
is undone, and a ResourceWarning says so.
"""

from __future__ import annotations

import asyncio
import warnings
from typing import Any

from ormolu.databases.loops import when_loop_ends

__all__ = ["Unfinished"]


class Unfinished:
    """The transactions without blocks that tasks have open on one database."""

    def __init__(self, alias: str) -> None:
        self._alias = alias
        self._open: dict[asyncio.Task[Any], _Watch] = {}
        self._cleaning: set[asyncio.Task[None]] = set()

    def watch(self, adriver: Any, conn: Any, block: Any) -> None:
        """See to it that the block, the running task's outermost one, ends with the task at the latest."""
        task = asyncio.current_task()
        if task is None:
            return
        watch = self._open.get(task)
        if watch is None:
            watch = self._open[task] = _Watch()
            watch.guard = when_loop_ends(watch.end)
            task.add_done_callback(self._done)
        watch.adriver, watch.conn, watch.block = adriver, conn, block

    def _done(self, task: asyncio.Task[Any]) -> None:
        watch = self._open.pop(task)
        if not watch.is_open:
            return
        cleaning = task.get_loop().create_task(watch.end())
        self._cleaning.add(cleaning)
        cleaning.add_done_callback(self._cleaning.discard)
        warnings.warn(
            f"{task!r} has ended after aset_autocommit(False) on {self._alias!r}, and without acommit(), arollback() "
            "or aset_autocommit(True): what it did since then is undone.",
            ResourceWarning,
            stacklevel=1,
            source=task,
        )


class _Watch:
    """What a task has open just now. The guard ends it where the loop ends with the task."""

    adriver: Any = None
    conn: Any = None
    block: Any = None
    guard: object = None

    @property
    def is_open(self) -> bool:
        return self.conn is not None and self.block in self.conn.blocks

    async def end(self) -> None:
        """Undo what is open, and give the connection back."""
        if self.is_open:
            await self.adriver.aend_block(self.conn, self.block, True)
