"""One test body for both worlds.

A test is written once, as a coroutine function, and never names `get` or `aget` itself::

    async def test_get(db, world):
        author = await world(Author.objects.create, name="Ann")
        assert await world(Author.objects.get, pk=author.pk) == author

In the async world `world(f, ...)` awaits f's twin (`aget`). In the sync world it calls f and never
suspends, so the body runs to its end with no event loop at all, as a sync program would. The idea is that of
psycopg's own tests.
"""

import asyncio
import inspect
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any, ParamSpec, TypeVar

import ormolu

P = ParamSpec("P")
R = TypeVar("R")
T = TypeVar("T")


class World:
    """The sync world, which is the base of the async one: each method says the same thing in both."""

    name = "sync"
    is_async = False

    async def __call__(self, function: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs) -> R:
        """Call `function`, or await its twin, with these arguments."""
        return function(*args, **kwargs)

    async def list(self, results: Iterable[T]) -> list[T]:
        """Fetch everything that a queryset, or another result of both worlds, gives."""
        return [item async for item in self.each(results)]

    async def each(self, results: Iterable[T]) -> AsyncIterator[T]:
        """Iterate over a queryset: `for` in one world, `async for` in the other."""
        for item in results:
            yield item

    async def iterator(self, queryset: Any, **options: Any) -> AsyncIterator[Any]:
        """Stream a queryset: `iterator()` or `aiterator()`."""
        for item in queryset.iterator(**options):
            yield item

    async def attribute(self, instance: Any, name: str) -> Any:
        """Read an attribute that may have to be loaded: plain access, or `aload()`."""
        return getattr(instance, name)

    @asynccontextmanager
    async def atomic(self, *args: Any, **options: Any) -> AsyncIterator[Any]:
        """Open a transaction block: `atomic()` or `aatomic()`."""
        with ormolu.atomic(*args, **options) as block:
            yield block

    async def sleep(self, seconds: float) -> None:
        """Let the others go on. In the sync world there are none."""

    def run(self, coroutine: Coroutine[Any, Any, Any]) -> None:
        """Run a test's body to its end."""
        try:
            coroutine.send(None)
        except StopIteration:
            return
        coroutine.close()
        raise RuntimeError("The body awaited something of its own in the sync world: go through world(...).")


class AsyncWorld(World):
    name = "async"
    is_async = True

    async def __call__(self, function: Callable[P, Any], /, *args: P.args, **kwargs: P.kwargs) -> Any:
        return await twin(function)(*args, **kwargs)

    async def each(self, results: Any) -> AsyncIterator[Any]:
        async for item in results:
            yield item

    async def iterator(self, queryset: Any, **options: Any) -> AsyncIterator[Any]:
        async for item in queryset.aiterator(**options):
            yield item

    async def attribute(self, instance: Any, name: str) -> Any:
        return await instance.aload(name)

    def atomic(self, *args: Any, **options: Any) -> AbstractAsyncContextManager[Any]:
        return ormolu.aatomic(*args, **options)

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)

    def run(self, coroutine: Coroutine[Any, Any, Any]) -> None:
        asyncio.run(_and_close(coroutine))


async def _and_close(body: Awaitable[None]) -> None:
    """Run the body, then close the connections that live on this event loop, which is about to end."""
    try:
        await body
    finally:
        await ormolu.databases.aclose_all()


def twin(function: Callable[..., Any]) -> Callable[..., Awaitable[Any]]:
    """Return the async form of a method or function: the one whose name has an `a` in front."""
    name = f"a{function.__name__}"
    home = getattr(function, "__self__", None)
    if home is None or inspect.ismodule(home):
        home = sys.modules[function.__module__]
    return getattr(home, name)  # type: ignore[no-any-return]


WORLDS: dict[str, World] = {"sync": World(), "async": AsyncWorld()}
