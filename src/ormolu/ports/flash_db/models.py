"""`Model`, and its manager. What differs from the core is said in `ormolu.ports.flash_db`."""

from __future__ import annotations

from collections.abc import Callable
from inspect import isawaitable
from typing import TYPE_CHECKING, Any

from sqlalchemy.ext.asyncio import AsyncAttrs, AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

import ormolu
from ormolu.ports.flash_db.db import let_go, write
from ormolu.ports.flash_db.errors import DoesNotExistError
from ormolu.ports.flash_db.querysets import QuerySet, given
from ormolu.query.chain import M

__all__ = ["Model", "ModelManager"]

PASSED_ON = (
    "aggregate", "bulk_create", "bulk_update", "count", "create", "earliest", "exists", "first", "get", "get_or_create",
    "last", "latest", "limit", "offset", "update_or_create", "values", "values_list",
)  # fmt: skip
"""What the manager asks of a new QuerySet."""


class ModelManager(ormolu.Manager[M]):
    """`User.objects`: its methods take the session first. `objects.filter(...)` gives a lazy QuerySet."""

    _queryset_class = QuerySet

    if TYPE_CHECKING:

        def get_queryset(self) -> QuerySet[M, M]: ...
        def all(self) -> QuerySet[M, M]: ...
        def filter(self, *args: Any, **lookups: Any) -> QuerySet[M, M]: ...
        def exclude(self, *args: Any, **lookups: Any) -> QuerySet[M, M]: ...
        def distinct(self, *fields: str) -> QuerySet[M, M]: ...
        def only(self, *fields: str) -> QuerySet[M, M]: ...
        def defer(self, *fields: Any) -> QuerySet[M, M]: ...
        def order_by(self, *fields: Any) -> QuerySet[M, M]: ...
        def limit(self, number: int) -> QuerySet[M, M]: ...
        def offset(self, number: int) -> QuerySet[M, M]: ...

        # Each is a coroutine where a session comes first, else the core's.
        def aggregate(self, *args: Any, **options: Any) -> Any: ...
        def bulk_create(self, *args: Any, **options: Any) -> Any: ...
        def bulk_update(self, *args: Any, **options: Any) -> Any: ...
        def count(self, *args: Any, **options: Any) -> Any: ...
        def create(self, *args: Any, **options: Any) -> Any: ...
        def earliest(self, *args: Any, **options: Any) -> Any: ...
        def exists(self, *args: Any, **options: Any) -> Any: ...
        def first(self, *args: Any, **options: Any) -> Any: ...
        def get(self, *args: Any, **options: Any) -> Any: ...
        def get_or_create(self, *args: Any, **options: Any) -> Any: ...
        def last(self, *args: Any, **options: Any) -> Any: ...
        def latest(self, *args: Any, **options: Any) -> Any: ...
        def update(self, *args: Any, **options: Any) -> Any: ...
        def update_or_create(self, *args: Any, **options: Any) -> Any: ...
        def values(self, *args: Any, **options: Any) -> Any: ...
        def values_list(self, *args: Any, **options: Any) -> Any: ...

    if not TYPE_CHECKING:

        def all(self):
            """Return a queryset of all objects, which says that all are meant."""
            return self.get_queryset().all()

    async def get_by_pk(self, db: AsyncSession, pk: Any, *, pk_column: str = "id") -> M:
        """Return the object of a key. Raises DoesNotExistError, a ValueError."""
        return await self.get(db, **{pk_column: pk})  # type: ignore[no-any-return]

    async def delete_by_pk(
        self, db: AsyncSession, pk: Any, *, pk_column: str = "id", raise_if_missing: bool = False
    ) -> int:
        """Delete the row of a key, and return how many there were: 1 or 0. Raises DoesNotExistError if asked to."""
        number: int = await self.filter(**{pk_column: pk}).delete(db)
        if raise_if_missing and not number:
            raise DoesNotExistError(f"No row with {pk_column} {pk!r}.")
        return number


def _passing(name: str) -> Callable[..., Any]:
    def pass_on(self: Any, *args: Any, **options: Any) -> Any:
        return getattr(self.get_queryset(), name)(*args, **options)

    pass_on.__name__ = name
    pass_on.__qualname__ = f"ModelManager.{name}"
    pass_on.__doc__ = getattr(QuerySet, name).__doc__
    return pass_on


def _update(self: Any, *args: Any, **values: Any) -> Any:
    """Change the object of a key, and return it: `await objects.update(db, pk, name="Ann")`.

    Without a session it is the core's `update()`. Raises DoesNotExistError, a ValueError.
    """
    if not given(args):
        return self.get_queryset().update(*args, **values)
    if len(args) == 1:
        return self.get_queryset().update(*args, **values)  # says that conditions are missing

    async def update() -> Any:
        found = await self.get(args[0], pk=args[1])
        await found.update(args[0], **values)
        return found

    return update()


# After the class is made: these aren't overrides that its asynchronous twins should run in a thread.
for _name in PASSED_ON:
    setattr(ModelManager, _name, _passing(_name))
ModelManager.update = _update  # type: ignore[method-assign]


class Model(AsyncAttrs, ormolu.Model):
    """A model with an integer key, `objects` whose methods take the session, and methods of its own that do.

    Each names its table by `__tablename__`; without one it is named as Ormolu's models are.
    """

    __abstract__ = True

    id: Mapped[int] = mapped_column(primary_key=True, index=True)
    objects = ModelManager[Any]()

    def save(self, *args: Any, **options: Any) -> Any:
        """Clean and write this object: `await user.save(db)`. Committed at once, where the session is get_db()'s."""
        try:
            self.clean()
        except BaseException:
            if given(args):
                let_go(args[0], (self,))
            raise
        return self._settled(args, super().save(*args, **options))

    def delete(self, *args: Any, **options: Any) -> Any:
        """Delete this object's row: `await user.delete(db)`. Committed at once, where the session is get_db()'s."""
        return self._settled(args, super().delete(*args, **options))

    def update(self, *args: Any, **values: Any) -> Any:
        """Set attributes and save: `await user.update(db, name="Ann")`."""
        return self._settled(args, super().update(*args, **values))

    def _settled(self, args: tuple[Any, ...], written: Any) -> Any:
        return write(args[0], written) if isawaitable(written) and given(args) else written
