"""Managers: where queries begin (`Author.objects`)."""

from __future__ import annotations

import copy
import inspect
from collections.abc import Callable
from itertools import count
from typing import TYPE_CHECKING, Any, ClassVar, Self, cast, overload

from typing_extensions import ParamSpec, TypeVar

from ormolu import databases, query
from ormolu.databases.routing import router
from ormolu.lazy import public_path
from ormolu.query.manager_methods import M, P, QuerySetMethods
from ormolu.writes.overrides import HEARD, hear_overrides

if TYPE_CHECKING:
    from sqlalchemy import Connection
    from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession, async_scoped_session
    from sqlalchemy.orm import Session, scoped_session

    from ormolu.query.async_session_querysets import AsyncSessionQuerySet
    from ormolu.query.connection_binding import ConnectionQuerySet
    from ormolu.query.queryset import QuerySet
    from ormolu.query.session_querysets import SessionQuerySet

_creation = count()
# What a QuerySet has and a manager hasn't.
_ONLY_QUERYSETS = frozenset({"delete", "adelete", "as_manager", "resolve_expression", "shape"})


if TYPE_CHECKING:
    Owner = TypeVar("Owner", default=Any)
    Given = ParamSpec("Given", default=...)

    class DefaultObjects:
        """What `objects` is to type checkers in a model that declares none: `Author.objects` is a `Manager[Author]`.

        Managers derive from it, so that `objects = PostManager()` may stand in its place, with its own type. What the
        model's constructor takes goes with it, for `create()`.
        """

        def __get__(self, instance: None, owner: Callable[Given, Owner]) -> Manager[Owner, Given]: ...

else:

    class DefaultObjects:
        """Nothing at run time."""


def adriver_of(manager: BaseManager[Any]) -> Any:
    """Return the asynchronous driver of the database that a manager writes to; of a bound one what runs there."""
    if hasattr(manager, "_session") or hasattr(manager, "instance"):
        binding = getattr(manager.get_queryset(), "_binding", None)
        if binding is not None:
            return binding
    alias = manager._db or router.db_for_write(manager.model, **manager._hints)
    return databases.get(alias).adriver


class BaseManager(DefaultObjects, QuerySetMethods[M, P]):
    """What all managers have, without the methods of a QuerySet class of one's own."""

    if TYPE_CHECKING:

        def __get__(self, instance: Any, owner: Any) -> Self: ...  # type: ignore[override]  # pyright: ignore

    else:
        # Type parameters mean nothing at run time, as in Django: `Manager[Author]` is Manager itself.
        def __class_getitem__(cls, item):
            return cls

    creation_counter: int
    auto_created = False
    use_in_migrations = False
    do_not_call_in_templates = True
    """Of Django's templates: `author.books.all` is asked of the manager, not of what calling it gives."""
    _queryset_class: ClassVar[type[QuerySet[Any, Any]]]
    _built_with_asmanager = False
    _bound_class: ClassVar[type[Any] | None] = None
    """Of what class its querysets are on a Session: one that derives from SessionQuerySet."""
    _async_bound_class: ClassVar[type[Any] | None] = None
    """Of what class their faces are on an AsyncSession: one that derives from AsyncSessionQuerySet."""
    _is_plain = True
    """Whether its queries begin as QuerySet itself: no class of this manager has a say in it."""

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        own = [vars(base) for base in cls.__mro__[: cls.__mro__.index(BaseManager)]]
        cls._is_plain = not any("get_queryset" in body or "_queryset_class" in body for body in own)
        hear_overrides(cls, HEARD, adriver_of)

    def __new__(cls, *args: Any, **kwargs: Any) -> Self:
        manager = super().__new__(cls)
        manager._constructor_args = (args, kwargs)
        return manager

    def __init__(self) -> None:
        super().__init__()
        self.creation_counter = next(_creation)
        self.model: Any = None
        self.name: str = ""
        self._db: str | None = None
        self._hints: dict[str, Any] = {}

    _constructor_args: tuple[tuple[Any, ...], dict[str, Any]]

    def __str__(self) -> str:
        return f"{self.model._meta.label}.{self.name}"

    def __repr__(self) -> str:
        owner = self.model._meta.label if self.model is not None else "no model"
        return f"<{type(self).__name__} {self.name!r} of {owner}>"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, type(self)) and self.__dict__ == other.__dict__

    def __hash__(self) -> int:
        return id(self)

    @classmethod
    def from_queryset(cls, queryset_class: type[Any], class_name: str | None = None) -> type[Self]:
        """Return a subclass of this manager whose querysets are of this class, with its public methods.

        A method with `queryset_only = True` stays out; one with a leading underscore comes in only with
        `queryset_only = False`.
        """
        name = class_name or f"{cls.__name__}From{queryset_class.__name__}"
        body = {"_queryset_class": queryset_class, **passed_on(cls, queryset_class)}
        return cast("type[Self]", type(name, (cls,), body))

    # Belonging to a model

    def contribute_to_class(self, cls: Any, name: str) -> None:
        """Become the manager `name` of a model."""
        self.name = self.name or name
        self.model = cls
        type.__setattr__(cls, name, ManagerDescriptor(self))
        cls._meta.add_manager(self)

    def clone_for(self, model: type[Any]) -> Self:
        """Return a copy that belongs to a model which inherits this manager."""
        twin = copy.copy(self)
        twin.model = model
        return twin

    def deconstruct(
        self,
    ) -> tuple[bool, str | None, str | None, tuple[Any, ...] | None, dict[str, Any] | None]:
        """Return what makes this manager again: (as_manager, its path, its queryset's path, args, kwargs)."""
        queryset_class = self._queryset_class
        if self._built_with_asmanager:
            return True, None, f"{queryset_class.__module__}.{queryset_class.__name__}", None, None
        cls = type(self)
        if not hasattr(inspect.getmodule(cls), cls.__name__):
            raise ValueError(
                f"Could not find manager {cls.__name__} in {cls.__module__}.\nPlease note that you need to inherit "
                "from managers you dynamically generated with 'from_queryset()'."
            )
        return False, public_path(cls), None, *self._constructor_args

    def check(self, **kwargs: Any) -> list[Any]:
        """Return the problems of the declaration: none."""
        return []

    # Databases

    def db_manager(self, using: str | None = None, hints: dict[str, Any] | None = None) -> Self:
        """Return a copy that works on this database."""
        twin = copy.copy(self)
        twin._db = using or self._db
        twin._hints = hints or self._hints
        return twin

    @property
    def db(self) -> str:
        """The alias of the database that will be read."""
        return self._db or router.db_for_read(self.model, **self._hints)

    # Queries

    def get_queryset(self) -> QuerySet[M]:
        """Return a new QuerySet. Override it to change what this manager finds."""
        return self._queryset_class(model=self.model, using=self._db, hints=self._hints)

    def all(self) -> QuerySet[M]:
        """Return a new QuerySet of all objects."""
        return self.get_queryset()

    def get(self, *args: Any, **kwargs: Any) -> M:
        """See `QuerySet.get()`."""
        if args or not kwargs or not self._is_plain:
            return self.get_queryset().get(*args, **kwargs)
        # What a queryset's get() would do, without one.
        alias = router.alias_to_read(self.model, self._db, self._hints)
        return databases.get(alias).driver.run(query.terminals.one_by, self, kwargs)  # type: ignore[no-any-return]

    async def aget(self, *args: Any, **kwargs: Any) -> M:
        """See `QuerySet.aget()`."""
        if args or not kwargs or not self._is_plain:
            return await self.get_queryset().aget(*args, **kwargs)
        alias = router.alias_to_read(self.model, self._db, self._hints)
        return await databases.get(alias).adriver.arun(query.terminals.one_by, self, kwargs)  # type: ignore[no-any-return]

    @overload
    def __call__(self, session: Session | scoped_session[Any]) -> SessionQuerySet[M]: ...
    @overload
    def __call__(
        self, session: AsyncSession | async_scoped_session[Any] | AsyncConnection
    ) -> AsyncSessionQuerySet[M]: ...
    @overload
    def __call__(self, session: Connection) -> ConnectionQuerySet[M]: ...
    def __call__(self, session: Any) -> Any:
        """Bind this manager to a SQLAlchemy session or connection: `await Author.objects(session).get(...)`.

        With an AsyncSession or AsyncConnection the plain names are asynchronous, with a Session or Connection
        synchronous; scoped sessions count as those that they hold. Objects are attached to a session. Nothing commits.
        Raises TypeError for anything else.
        """
        from ormolu.query.bound_managers import bind

        return bind(self, session)


class Manager(BaseManager[M, P]):
    """The place where queries on a model begin: `objects`, unless a model declares managers of its own.

    Subclass it, or make one of a QuerySet subclass with `from_queryset()` or `as_manager()`, to add methods.
    """


class EmptyManager(Manager[M]):
    """A manager that finds nothing."""

    def __init__(self, model: Any) -> None:
        super().__init__()
        self.model = model

    def get_queryset(self) -> QuerySet[M]:
        """Return a QuerySet of nothing."""
        return super().get_queryset().none()


class ManagerDescriptor:
    """`Author.objects`: the manager, of the class that is asked. Instances have none."""

    def __init__(self, manager: BaseManager[Any] | None, role: str = "") -> None:
        self.manager = manager
        self.role = role
        self.owner: Any = None  # the class that was found to have this very manager

    def __get__(self, instance: Any, owner: type[Any]) -> Any:
        manager = self.manager
        if owner is self.owner and instance is None:
            return manager
        if instance is not None:
            raise AttributeError(f"Manager isn't accessible via {owner.__name__} instances")
        if manager is None:
            return getattr(owner._meta, self.role)
        if owner._meta.swappable and owner._meta.swapped:
            raise AttributeError(
                f"Manager isn't available; '{owner._meta.label}' has been swapped for '{owner._meta.swapped}'"
            )
        if manager.model is owner and not owner._meta.abstract:
            if not owner._meta.swappable:  # the setting may change
                self.owner = owner
            return manager
        if owner._meta.abstract:
            raise AttributeError(f"Manager isn't available; {owner.__name__} is abstract")
        return owner._meta.managers_map[manager.name]


def passed_on(manager_class: type[Any], queryset_class: type[Any]) -> dict[str, Any]:
    """Return the methods that a manager class lacks, each of which calls a new queryset's."""
    found: dict[str, Any] = {}
    for name, method in inspect.getmembers(queryset_class, inspect.isfunction):
        if hasattr(manager_class, name) or name in _ONLY_QUERYSETS:
            continue
        only = getattr(method, "queryset_only", None)
        if only or (only is None and name.startswith("_")):
            continue
        found[name] = _passing(name, method)
    return found


def _passing(name: str, method: Callable[..., Any]) -> Callable[..., Any]:
    def pass_on(self: Any, *args: Any, **kwargs: Any) -> Any:
        return getattr(self.get_queryset(), name)(*args, **kwargs)

    pass_on.__name__ = name
    pass_on.__qualname__ = f"Manager.{name}"
    pass_on.__doc__ = method.__doc__
    return pass_on


def manager_class(queryset_class: type[Any]) -> type[Manager[Any]]:
    """Return the class of `queryset_class.as_manager()`."""
    made: type[Manager[Any]] = Manager[Any].from_queryset(queryset_class)
    return made


class _LibrarysQuerySet:
    """`_queryset_class` of managers that name none: QuerySet, imported when a manager first makes one."""

    def __get__(self, instance: Any, owner: Any) -> type[QuerySet[Any, Any]]:
        from ormolu.query.queryset import QuerySet

        for name, listed in (*vars(QuerySetMethods).items(), *vars(BaseManager).items()):
            if (listed.__doc__ or "").startswith("See `QuerySet."):
                listed.__doc__ = getattr(QuerySet, name).__doc__
        BaseManager._queryset_class = QuerySet
        return QuerySet


BaseManager._queryset_class = cast(Any, _LibrarysQuerySet())
