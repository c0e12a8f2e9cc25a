"""Cancelling a task exactly where it waits for the n-th time.

    cut = Cut(coroutine, at=3)
    task = asyncio.create_task(cut.run())

runs the coroutine as a task of its own, and cancels that when it waits for the third time. How is said by `when`:

- "before": at once, so that what it waits for is cancelled, too;
- "after": when what it waits for has come about, before the task gets to know;
- "twice": at once, and the next time that it waits once more, in the middle of its cleaning up.

With `instead` something else happens at that place, and the task goes on.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Generator
from typing import Any

WHEN = ("before", "after", "twice")
PATIENCE = 20.0
"""Seconds that a task has, or hangs."""


class Cut:
    """A coroutine, and where it is cut off."""

    def __init__(
        self,
        coroutine: Coroutine[Any, Any, Any],
        at: int,
        when: str = "before",
        instead: Callable[[], None] | None = None,
    ) -> None:
        self.coroutine = coroutine
        self.instead = instead
        self.at = at
        self.when = when
        self.waits = 0
        """How often it has waited."""
        self.struck = False
        """Whether it was cancelled."""

    async def run(self) -> Any:
        """Be the coroutine."""
        return await self

    async def finish(self) -> Any:
        """Run it as a task; return its result, or the exception that it ended with. Raise TimeoutError if it hangs."""
        task = asyncio.create_task(self.run())
        done, _ = await asyncio.wait({task}, timeout=PATIENCE)
        if not done:
            raise TimeoutError(f"hangs after its wait number {self.waits}: {task.get_stack()}")
        return asyncio.CancelledError() if task.cancelled() else task.exception() or task.result()

    def __await__(self) -> Generator[Any, Any, Any]:
        task = asyncio.current_task()
        assert task is not None
        value: Any = None
        error: BaseException | None = None
        while True:
            try:
                waited_for = self.coroutine.send(value) if error is None else self.coroutine.throw(error)
            except StopIteration as stop:
                return stop.value
            finally:
                error = None  # it would keep alive what the frames of its traceback hold: cursors, locks
            self.waits += 1
            if self.waits == self.at or (self.when == "twice" and self.waits == self.at + 1):
                self._strike(task, waited_for)
            value = None
            try:
                value = yield waited_for
            except BaseException as raised:
                error = raised

    def _strike(self, task: asyncio.Task[Any], waited_for: Any) -> None:
        if self.instead is not None:
            self.struck = True
            self.instead()
        elif self.when == "after" and waited_for is not None:

            def strike(_future: Any) -> None:
                self.struck = True
                task.cancel()

            waited_for.add_done_callback(strike)
        else:
            self.struck = True
            task.cancel()
