"""`dorm.manager`: where queries begin. A manager has `delete()`, for which Ormolu's own wants `all().delete()`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from typing_extensions import ParamSpec, TypeVar

from ormolu.models.manager import BaseManager, ManagerDescriptor
from ormolu.models.manager import Manager as CoreManager
from ormolu.query.raw import RawQuerySet

if TYPE_CHECKING:
    from collections.abc import Callable

    from ormolu.query.managers import DefaultObjects

    Given = ParamSpec("Given")
    Owner = TypeVar("Owner", default=Any)

    class Objects(DefaultObjects):
        """What `objects` is to type checkers in a model that declares none."""

        def __get__(self, instance: None, owner: Callable[Given, Owner]) -> Manager[Owner, Given]: ...

else:

    class Objects:
        """Nothing at run time."""


M = TypeVar("M", default=Any)
P = ParamSpec("P", default=...)

__all__ = ["BaseManager", "Manager", "ManagerDescriptor"]


class Manager(CoreManager[M, P], Objects):  # type: ignore[misc]
    """The place where queries on a model begin, as djanorm has it."""

    def raw(self, *args: Any, **options: Any) -> RawQuerySet[M]:
        """Return the objects that a statement finds, with any columns: without the key they are what the row has."""
        found = super().raw(*args, **options)
        found.query.needs_key = False
        return found

    async def araw(self, *args: Any, **options: Any) -> RawQuerySet[M]:
        """Run a statement and return its objects. See `raw()`."""
        found = self.raw(*args, **options)
        await found
        return found

    def delete(self) -> tuple[int, dict[str, int]]:
        """Delete all rows, and what refers to them as `on_delete` says; return how many, in all and per model."""
        return self.get_queryset().delete()

    async def adelete(self) -> tuple[int, dict[str, int]]:
        """Delete all rows. See `delete()`."""
        return await self.get_queryset().adelete()
