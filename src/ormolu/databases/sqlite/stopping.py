"""aiosqlite connections whose thread is told to stop once, and stops also when nobody waits for it any more.

SQLAlchemy closes a connection of a cancelled task in a task of its own, and if that is cancelled, too, stops the thread
beside it. aiosqlite's `close()` then waits for a thread that is gone, and `asyncio.run()` for `close()`, for ever. And
a thread that has something to say to an event loop that is closed by then ends with that error, its connection open.
"""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
from collections.abc import Callable
from functools import partial
from typing import Any

from ormolu.databases.config import need

__all__ = ["connections", "opener"]


def connections(alias: str) -> Callable[[Callable[[], Any]], Any]:
    """Return what makes an aiosqlite connection of a function that opens one. Raises MissingExtra without aiosqlite."""
    aiosqlite: Any = need("aiosqlite", f"SQLAlchemy's AsyncSession on the database {alias!r}")

    class Connection(aiosqlite.Connection):  # type: ignore[misc]
        stopped = False
        _tx: Any

        def __init__(self, *args: Any, **options: Any) -> None:
            super().__init__(*args, **options)  # pyright: ignore[reportUnknownMemberType]
            self._tx = _Requests(self._tx)

        def stop(self) -> Any:
            if self.stopped:
                return None
            self.stopped = True
            return super().stop()  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]

    def made(open_one: Callable[[], Any]) -> Any:
        connection = Connection(open_one, iter_chunk_size=64)
        connection._thread.daemon = True
        return connection

    return made


class _Requests:
    """A connection's queue, from which its thread has functions to call and the futures of their results."""

    def __init__(self, queue: Any) -> None:
        self._queue = queue

    def put_nowait(self, request: tuple[asyncio.Future[Any] | None, Callable[[], Any]]) -> None:
        future, function = request
        self._queue.put_nowait((future and _Reply(future), function))


class _Reply:
    """A future of a loop that may be closed when its result is there."""

    def __init__(self, future: asyncio.Future[Any]) -> None:
        self._future = future

    def get_loop(self) -> _Reply:
        return self

    def call_soon_threadsafe(self, callback: Callable[[Any, Any], None], _: _Reply, result: Any) -> None:
        with contextlib.suppress(RuntimeError):
            self._future.get_loop().call_soon_threadsafe(callback, self._future, result)


def opener(alias: str) -> Callable[..., Any]:
    """Return what SQLAlchemy's engine calls, with the arguments of sqlite3, for a new connection."""
    made = connections(alias)
    return lambda *args, **options: made(partial(sqlite3.connect, *args, **options))
