"""The transaction around an object and its lists of keys, which are written by statements of their own."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager, AbstractContextManager
from typing import Any

from sqlalchemy.orm import object_session

from ormolu.databases.routing import router
from ormolu.transaction import aatomic, atomic

__all__ = [
    "ablock_around",
    "ablock_through",
    "asynchronous",
    "block_around",
    "block_through",
    "connection_of",
]


def block_through(manager: Any) -> AbstractContextManager[Any]:
    """Return the block in which a manager or queryset makes an object: a savepoint of its session, if it has one."""
    queryset = queryset_of(manager)
    if queryset._binding is not None:
        return queryset._binding.session.begin_nested()  # type: ignore[no-any-return]
    return atomic(alias_of(manager, queryset))


def ablock_through(manager: Any) -> AbstractAsyncContextManager[Any]:
    """The same in async code."""
    queryset = queryset_of(manager)
    if queryset._binding is not None:
        return asynchronous(queryset._binding.session).begin_nested()  # type: ignore[no-any-return]
    return aatomic(alias_of(manager, queryset))


def block_around(instance: Any) -> AbstractContextManager[Any]:
    """Return the block in which an object is saved: a savepoint of its session, if one holds it."""
    session = object_session(instance)
    return atomic(alias_to_write(instance)) if session is None else session.begin_nested()


def ablock_around(instance: Any) -> AbstractAsyncContextManager[Any]:
    """The same in async code."""
    session = object_session(instance)
    if session is None:
        return aatomic(alias_to_write(instance))
    return asynchronous(session).begin_nested()  # type: ignore[no-any-return]


def connection_of(manager: Any) -> Any:
    """Return the Connection that a manager is bound to, or None. No session holds the objects that it makes."""
    binding = queryset_of(manager)._binding
    return binding.session if binding is not None and not hasattr(binding.session, "identity_map") else None


def queryset_of(manager: Any) -> Any:
    """Return the queryset of a manager; one that was given as it is."""
    inner = manager.__dict__.get("_queryset", manager)  # of the face that an asynchronous session has
    if hasattr(inner, "_binding"):
        return inner
    # That of a relation may be made of objects that were loaded along, and know of no session.
    return (getattr(inner, "_unrelated_queryset", None) or inner.get_queryset)()


def alias_of(manager: Any, queryset: Any) -> str:
    """Return the alias that a manager writes to, which for those of relations is their object's."""
    asked = manager if hasattr(manager, "_write_alias") else queryset
    return str(asked._write_alias())


def alias_to_write(instance: Any) -> str:
    """Return the alias that an object is written to."""
    return router.db_for_write(type(instance), instance=instance)


def asynchronous(session: Any) -> Any:
    """Return the AsyncSession or AsyncConnection around a synchronous one."""
    from sqlalchemy.ext.asyncio import AsyncConnection, async_session

    if hasattr(session, "identity_map"):
        return async_session(session)
    return AsyncConnection._retrieve_proxy_for_target(session, regenerate=False)
