"""Synchronous calls inside a running event loop."""

from __future__ import annotations

import inspect
import warnings

from ormolu.conf import settings
from ormolu.exceptions import SynchronousOnlyOperation, SyncInAsyncWarning

__all__ = ["note_sync_in_async"]


def note_sync_in_async() -> None:
    """Act on a blocking call inside a running event loop, as the setting SYNC_IN_ASYNC says."""
    policy = settings.SYNC_IN_ASYNC
    if policy == "off":
        return
    text = (
        "A synchronous database call was made inside a running event loop, which stands still until it ends. "
        "Use the async form (aget, acreate, async for, ...), or asyncio.to_thread()."
    )
    if policy == "error":
        raise SynchronousOnlyOperation(text)
    # Point at the caller's line: the first frame outside of this library.
    level = 2
    frame = inspect.currentframe()
    frame = frame.f_back if frame is not None else None
    while frame is not None and str(frame.f_globals.get("__name__", "")).startswith("ormolu."):
        level += 1
        frame = frame.f_back
    warnings.warn(text, SyncInAsyncWarning, stacklevel=level)
