"""Managers: where queries begin (`Author.objects`)."""

from __future__ import annotations

import copy
import inspect
from itertools import count
from typing import Any, Generic, TypeVar

M = TypeVar("M")

_creation = count()


class Manager(Generic[M]):
    """The place where queries on a model begin. Subclass it, or make one of a QuerySet, to add methods of yours."""

    auto_created = False
    use_in_migrations = False
    _queryset_class: Any = None

    def __init__(self) -> None:
        self.creation_counter = next(_creation)
        self.model: Any = None
        self.name: str = ""
        self._db: str | None = None
        self._hints: dict[str, Any] = {}

    def contribute_to_class(self, cls: type[Any], name: str) -> None:
        """Become the manager `name` of a model."""
        self.name = self.name or name
        self.model = cls
        type.__setattr__(cls, name, ManagerDescriptor(self, ""))
        cls._meta.add_manager(self)

    def clone_for(self, model: type[Any]) -> Manager[M]:
        """Return a copy that belongs to a model which inherits this manager."""
        twin = copy.copy(self)
        twin.model = model
        return twin

    def get_queryset(self) -> Any:
        """Return a new QuerySet of all the objects."""
        if self._queryset_class is None:
            from ormolu.query.queryset import QuerySet

            return QuerySet(self.model, using=self._db)
        return self._queryset_class(model=self.model, using=self._db, hints=self._hints)

    def all(self) -> Any:
        """Return a new QuerySet of all the objects."""
        return self.get_queryset()


class ManagerDescriptor:
    """`Author.objects`: the manager, of the class that is asked; instances have none."""

    def __init__(self, manager: Manager[Any] | None, role: str) -> None:
        self.manager = manager
        self.role = role

    def __get__(self, instance: Any, owner: type[Any]) -> Any:
        manager = self.manager
        if instance is not None:
            raise AttributeError(f"Manager isn't accessible via {owner.__name__} instances")
        if manager is None:
            return getattr(owner._meta, self.role)
        if manager.model is owner:
            return manager
        if owner._meta.abstract:
            raise AttributeError(f"Manager isn't available; {owner.__name__} is abstract")
        return owner._meta.managers_map[manager.name]
