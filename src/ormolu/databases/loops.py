"""When an event loop ends: what must be closed while it can still run."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncGenerator, Awaitable, Callable

__all__ = ["when_loop_ends"]


def when_loop_ends(callback: Callable[[], Awaitable[None]]) -> object:
    """Await `callback()` when the running loop is about to be closed; keep what this returns until then.

    `asyncio.run` and its like close the asynchronous generators that are still open at the end. So one is
    started here, and waits for that.
    """

    async def guard() -> AsyncGenerator[None, None]:
        try:
            yield
        finally:
            await callback()

    waiting = guard()
    with contextlib.suppress(StopIteration):
        waiting.__anext__().send(None)  # up to the yield: there is nothing to await before it
    return waiting
