"""Managers bound to a session or a connection: `Author.objects(session)`.

What is bound has everything that the manager has. For a manager that is no more than the library's, it is a queryset.
The methods that a user's manager has of its own, and those of a related manager (`author.books(session).add(...)`),
run on a twin of the manager whose querysets are bound, too.
"""

from __future__ import annotations

from contextlib import nullcontext
from functools import cache
from typing import Any, cast

from ormolu.query.binding import is_async, real, sync_of
from ormolu.query.session_querysets import SessionQuerySet, bound, bound_to_connection

__all__ = ["bind"]

LIBRARYS = frozenset({"ormolu.query.managers", "ormolu.query.manager_methods"})
NOT_PASSED_ON = frozenset(
    {"get_queryset", "all", "db_manager", "check", "deconstruct", "contribute_to_class"}
)


def bind(manager: Any, session: Any) -> Any:
    """Return a manager's queryset, bound to a session or a connection. Raises TypeError for anything else."""
    target = real(session, f"{manager.model.__name__}.objects(session)")
    queryset = bound_queryset(manager, sync_of(target))
    if not is_async(target):
        return queryset
    face: Any = manager._async_bound_class
    if face is None:
        from ormolu.query.async_session_querysets import AsyncSessionQuerySet

        face = AsyncSessionQuerySet
    return face(manager, target, queryset)


def bound_queryset(manager: Any, session: Any) -> Any:
    """Return a manager's queryset, bound to a Session or a Connection, with the manager's own methods."""
    cls: Any = manager.__class__
    names = own_names(cls)
    if not names:
        return to(session, manager.get_queryset(), manager)
    instance = getattr(manager, "instance", None)
    if hasattr(session, "identity_map") and instance is not None and instance not in session:
        session.add(instance)  # so that what is done to it is done in its session
    twin: Any = object.__new__(twin_class(cls))
    twin.__dict__.update(manager.__dict__)
    twin._session = session
    queryset = twin.get_queryset()
    queryset.__class__ = root_class(cast(Any, type(queryset)), names)
    queryset._manager = twin
    return queryset


def to(session: Any, queryset: Any, manager: Any) -> Any:
    """Return a queryset bound to a Session or a Connection."""
    if not hasattr(session, "identity_map"):
        return bound_to_connection(queryset, session)
    return bound(queryset, manager.model, session, manager._bound_class or SessionQuerySet)


@cache
def own_names(cls: type[Any]) -> frozenset[str]:
    """Return the public methods that a manager's class has beside those of every manager."""
    found: set[str] = set()
    for base in cls.__mro__:
        if base.__module__ in LIBRARYS or base is object:
            break
        for name, value in vars(base).items():
            passed_on = getattr(value, "__qualname__", "") == f"Manager.{name}"
            if callable(value) and not name.startswith("_") and not passed_on:
                found.add(name)
    return frozenset(found - NOT_PASSED_ON)


@cache
def twin_class(cls: type[Any]) -> type[Any]:
    """Return a class of managers as `cls`, whose querysets are bound to the manager's `_session`."""

    def get_queryset(self: Any) -> Any:
        above = cast(Any, super)(made, self)
        return to(self._session, above.get_queryset(), self)

    def _unrelated_queryset(self: Any) -> Any:
        above = cast(Any, super)(made, self)
        return to(self._session, above._unrelated_queryset(), self)

    def _run(self: Any, program: Any, *args: Any) -> Any:
        self._remove_prefetched_objects()
        return self.get_queryset()._binding.run(program, self, *args)

    async def _arun(self: Any, program: Any, *args: Any) -> Any:
        self._remove_prefetched_objects()
        return await self.get_queryset()._binding.arun(program, self, *args)

    body: dict[str, Any] = {"get_queryset": get_queryset, "__module__": cls.__module__}
    if hasattr(cls, "_unrelated_queryset"):
        body.update(_unrelated_queryset=_unrelated_queryset, _run=_run, _arun=_arun)
        # A manager of many to many may ask the table between alone, over a connection of its own choice; and what
        # it does in several steps is a part of the session's transaction.
        body.update(
            count=_of_queryset("count"), exists=_of_queryset("exists"), _whole=_within, _block=_within
        )
    made: Any = type(f"Bound{cls.__name__}", (cls,), body)
    return made  # type: ignore[no-any-return]


@cache
def root_class(cls: type[Any], names: frozenset[str]) -> type[Any]:
    """Return the class of what binding gives: a queryset whose manager answers to some names.

    A queryset that is made from it is a plain one: the manager knows nothing of its conditions.
    """

    def _clone(self: Any) -> Any:
        above = cast(Any, super)(root, self)
        made = above._clone()
        made.__class__ = cls
        del made.__dict__["_manager"]
        return made

    body: dict[str, Any] = {"_clone": _clone, "_chain": _clone, "__module__": cls.__module__}
    body["_hears_overrides"] = False
    for name in names:
        body[name] = _of_manager(name)
    root: Any = type(cls.__name__, (cls,), body)
    return root  # type: ignore[no-any-return]


def _within(self: Any, block: Any, **terms: Any) -> Any:
    return nullcontext()


def _of_queryset(name: str) -> Any:
    def call(self: Any) -> Any:
        return getattr(self.get_queryset(), name)()

    return call


def _of_manager(name: str) -> Any:
    def call(self: Any, *args: Any, **kwargs: Any) -> Any:
        return getattr(self._manager, name)(*args, **kwargs)

    call.__name__ = name
    call.of_manager = True  # type: ignore[attr-defined]
    return call
