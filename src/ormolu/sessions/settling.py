"""What ends a session, to its end: a cancelled task waits for it, and is cancelled then."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

__all__ = ["settled"]


async def settled(work: Coroutine[Any, Any, None]) -> None:
    """Await a commit, a rollback or a close, which a cancellation of this task can't stop half way.

    The cancellation is raised once the work is done: whether a transaction was committed is certain, and its
    connection is back in the pool. Raises what the work raises.
    """
    task = asyncio.ensure_future(work)
    cancelled: asyncio.CancelledError | None = None
    while not task.done():
        try:
            await asyncio.wait((task,))
        except asyncio.CancelledError as error:
            cancelled = error
    if cancelled is None:
        return task.result()
    if not task.cancelled():
        task.exception()  # it was looked at: no complaint of the loop
    raise cancelled
