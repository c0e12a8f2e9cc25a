"""What a user's class says in place of the library: an override that its asynchronous twin must not pass over.

Django's `asave()` is its `save()` in a thread, so whoever overrides `save()` alone is heard in both worlds. Here the
twins are programs of their own; so where a class overrides `save()` nearer than `asave()`, the latter runs the
former: in SQLite's worker, or as an errand (`ormolu.databases.errands`), in the caller's transaction both times.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial, wraps
from inspect import iscoroutinefunction
from typing import Any, TypeVar

from sqlalchemy.util.concurrency import in_greenlet

from ormolu.databases.ambient import running_loop
from ormolu.programs import Await, Program

__all__ = [
    "HEARD",
    "Call",
    "call_override",
    "hear_overrides",
    "is_librarys",
    "librarys",
    "prefers_sync",
    "saving",
]

HEARD = (
    "aggregate", "bulk_create", "bulk_update", "bulk_upsert", "contains", "count", "create", "delete", "earliest",
    "exists", "explain", "first", "get", "get_or_create", "in_bulk", "last", "latest", "update", "update_or_create",
)  # fmt: skip
"""What a QuerySet or manager may override alone, and is then heard in asynchronous code as well."""
F = TypeVar("F", bound=Callable[..., Any])
_librarys: set[Any] = set()


def librarys(method: F) -> F:
    """Mark a method as the library's own, for which a program may do the work directly. A decorator."""
    _librarys.add(method)
    return method


def is_librarys(method: Any) -> bool:
    """Say whether a class's method is the library's own."""
    return method in _librarys


def prefers_sync(cls: Any, name: str) -> bool:
    """Say whether a class overrides a method nearer than its asynchronous twin."""
    for base in cls.__mro__:
        if f"a{name}" in base.__dict__:
            return False
        if name in base.__dict__:
            return True
    return False


class Call:
    """A step: call a user's synchronous function, whose queries are part of the program's transaction.

    SQLite's workers call it where they are; from an event loop it is an errand.
    """

    __slots__ = ("function",)
    brief = False

    def __init__(self, function: Callable[[], Any]) -> None:
        self.function = function

    def run(self, conn: Any) -> Any:
        if (
            running_loop() is None
            or getattr(conn, "calls_here", False)
            or not (iscoroutinefunction(conn.await_) or in_greenlet())
        ):
            return self.function()  # the thread waits, as synchronous code does
        from ormolu.databases.errands import in_thread

        return conn.await_(partial(in_thread, self.function))


def _call(driver: Any, function: Callable[[], Any]) -> Program[Any]:
    return (yield Call(function))


async def call_override(driver: Any, function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """Call a user's synchronous method for async code. `driver` is the asynchronous one of its database."""
    call = partial(function, *args, **kwargs)
    if getattr(driver, "pooled", False):
        from ormolu.databases.errands import in_thread

        return await in_thread(call)  # holding no connection meanwhile, outside of transactions
    return await driver.arun(_call, call)


def saving(driver: Any, instance: Any, **options: Any) -> Program[None]:
    """Save an instance inside a program: by its class's own save() or asave(), where it has one."""
    from ormolu.writes.save import save

    cls: Any = instance.__class__
    if is_librarys(cls.save) and (is_librarys(cls.asave) or not driver.is_async):
        return save(driver, instance, **options)
    return _saving_itself(driver, instance, options)


def _saving_itself(driver: Any, instance: Any, options: dict[str, Any]) -> Program[None]:
    options["using"] = getattr(driver, "using", driver.database.alias)  # a connection that was handed in
    if not driver.is_async:
        instance.save(**options)
    elif prefers_sync(type(instance), "save"):
        yield Call(partial(instance.save, **options))
    else:
        yield Await(partial(instance.asave, **options))


def hear_overrides(cls: Any, names: Iterable[str], driver_of: Callable[[Any], Any]) -> None:
    """Let the asynchronous methods of a new class run the synchronous ones that it overrides alone.

    `driver_of(instance)` gives the asynchronous driver of the database that it works on.
    """
    for name in names:
        if prefers_sync(cls, name):
            setattr(cls, f"a{name}", _twin(getattr(cls, name), name, driver_of))


def _twin(method: Any, name: str, driver_of: Callable[[Any], Any]) -> Any:
    @wraps(method)
    async def twin(self: Any, *args: Any, **kwargs: Any) -> Any:
        return await call_override(driver_of(self), getattr(self, name), *args, **kwargs)

    twin.__name__ = f"a{name}"
    twin.__qualname__ = f"{method.__qualname__.rpartition('.')[0]}.a{name}"
    return twin
