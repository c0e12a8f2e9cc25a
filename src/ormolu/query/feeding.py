"""Bulk writes of what comes one after the other: iterables of any length, in constant memory.

A list is one program. Any other iterable, an asynchronous one too, is taken in batches, inside one transaction if there
are several; what it does meanwhile is done by the caller's own thread or task, in that transaction.
"""

from __future__ import annotations

import inspect
from collections.abc import AsyncGenerator, Callable, Iterable, Iterator, Sized
from contextlib import aclosing
from itertools import chain, islice
from typing import Any

from ormolu import transaction

__all__ = ["CHUNK", "Progress", "abatches", "added", "awrite_all", "write_all"]

CHUNK = 5_000
"""How many objects are held at a time, where no batch_size says it."""

Progress = Callable[[int], Any]
"""Called with the number of objects that are written so far. In async code it may be a coroutine function."""

Send = Callable[[Any], tuple[Any, ...]]
"""Gives the program that writes some objects, and its arguments."""


def write_all(
    queryset: Any, objs: Iterable[Any], batch_size: int | None, progress: Progress | None, send: Send
) -> Any:
    """Write objects, all or none; return the result of the program, or the sum of its results."""
    if progress is None and isinstance(objs, Sized):
        return queryset._write(*send(objs))
    parts = _batches(objs, batch_size)
    empty: list[Any] = []
    first, second = next(parts, empty), next(parts, None)
    if second is None:
        return _written(queryset, first, 0, None, progress, send)[1]
    done, total = 0, None
    with _whole(queryset):
        for part in chain((first, second), parts):
            done, total = _written(queryset, part, done, total, progress, send)
    return total


def _written(
    queryset: Any, part: list[Any], done: int, total: Any, progress: Progress | None, send: Send
) -> tuple[int, Any]:
    found = queryset._write(*send(part))
    done += len(part)
    if progress is not None:
        progress(done)
    return done, added(total, found)


async def awrite_all(
    queryset: Any, objs: Any, batch_size: int | None, progress: Progress | None, send: Send
) -> Any:
    """Do the same for async code."""
    if progress is None and isinstance(objs, Sized):
        return await queryset._awrite(*send(objs))
    async with aclosing(abatches(objs, batch_size)) as parts:
        empty: list[Any] = []
        first, second = await anext(parts, empty), await anext(parts, None)
        if second is None:
            return (await _awritten(queryset, first, 0, None, progress, send))[1]
        done, total = 0, None
        async with transaction.aatomic(queryset._write_alias(), savepoint=False):
            for part in (first, second):
                done, total = await _awritten(queryset, part, done, total, progress, send)
            async for part in parts:
                done, total = await _awritten(queryset, part, done, total, progress, send)
        return total


async def _awritten(
    queryset: Any, part: list[Any], done: int, total: Any, progress: Progress | None, send: Send
) -> tuple[int, Any]:
    found = await queryset._awrite(*send(part))
    done += len(part)
    if progress is not None and inspect.isawaitable(waiting := progress(done)):
        await waiting
    return done, added(total, found)


def added(total: Any, found: Any) -> Any:
    """Return the results so far with one more."""
    if total is None:
        return found
    total += found
    return total


def _whole(queryset: Any) -> Any:
    """Return the block that makes several programs one: a transaction, in a session a savepoint of its own."""
    if queryset._binding is not None:
        return queryset._binding.session.begin_nested()
    return transaction.atomic(queryset._write_alias(), savepoint=False)


def _batches(objs: Iterable[Any], size: int | None) -> Iterator[list[Any]]:
    rest = iter(objs)
    while part := list(islice(rest, _size(size))):
        yield part


async def abatches(objs: Any, size: int | None) -> AsyncGenerator[list[Any], None]:
    """Yield lists of what an iterable, asynchronous or not, gives."""
    if not hasattr(objs, "__aiter__"):
        for part in _batches(objs, size):
            yield part
        return
    taken: list[Any] = []
    async for obj in objs:
        taken.append(obj)
        if len(taken) >= _size(size):
            yield taken
            taken = []
    if taken:
        yield taken


def _size(size: int | None) -> int:
    """Return how many to take; what is no size is refused by the program that gets the first of them."""
    return max(1, size or CHUNK)
