"""Querysets whose terminal methods take the session first."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, cast

from sqlalchemy.ext.asyncio import AsyncSession

from ormolu.exceptions import MultipleObjectsReturned, ObjectDoesNotExist
from ormolu.ports.flash_db.db import write
from ormolu.ports.flash_db.errors import DoesNotExistError, MultipleObjectsReturnedError
from ormolu.query.async_session_querysets import AsyncSessionQuerySet
from ormolu.query.chain import M, R
from ormolu.query.q import Q
from ormolu.query.queryset import QuerySet as CoreQuerySet
from ormolu.query.session_querysets import bound

__all__ = ["QuerySet"]


def given(args: Sequence[Any]) -> bool:
    """Tell whether the first argument is a session."""
    return bool(args) and isinstance(args[0], AsyncSession)


def narrows(op: tuple[Any, ...]) -> bool:
    """Tell whether an operation of a query is a condition: an empty Q is none, nor is an annotation."""
    if op[0] == "filter":
        return any(not isinstance(part, Q) or narrows(("filter", part)) for part in op[1].children)
    return op[0] in ("merged", "nothing")


class QuerySet(CoreQuerySet[M, R]):
    """A lazy query. With a session as first argument a terminal method is a coroutine; without, it is the core's."""

    _hears_overrides = False

    def _on(self, session: AsyncSession) -> AsyncSessionQuerySet[M, R]:
        """Return this query with the core's manners, on a session."""
        plain: Any = object.__new__(cast(Any, CoreQuerySet))
        plain.__dict__.update(self._clone().__dict__)
        return AsyncSessionQuerySet(None, session, bound(plain, self.model, session.sync_session))

    # Reading

    async def fetch(self, db: AsyncSession) -> Sequence[R]:
        """Return the results as a list."""
        return await self._on(db)

    def get(self, *args: Any, **lookups: Any) -> Any:
        """Return the one object that meets the conditions: `await objects.get(db, User.name == "Ann")`.

        Raises DoesNotExistError or MultipleObjectsReturnedError, which are ValueErrors.
        """
        if not given(args):
            return super().get(*args, **lookups)
        return self._get(args[0], args[1:], lookups)

    async def _get(self, db: AsyncSession, conditions: tuple[Any, ...], lookups: dict[str, Any]) -> R:
        try:
            return await self._on(db).get(*conditions, **lookups)
        except ObjectDoesNotExist as error:
            raise DoesNotExistError(f"{self._name} not found.") from error
        except MultipleObjectsReturned as error:
            raise MultipleObjectsReturnedError(
                f"Several {self._name} objects found, where one was wanted."
            ) from error

    @property
    def _name(self) -> str:
        return str(cast(Any, self.model)._meta.object_name)

    def first(self, *args: Any) -> Any:
        """Return the first object, None where there is none: `await queryset.first(db)`."""
        return self._on(*args).first() if given(args) else super().first(*args)

    def last(self, *args: Any) -> Any:
        """Return the last object, None where there is none: `await queryset.last(db)`."""
        return self._on(*args).last() if given(args) else super().last(*args)

    def latest(self, *args: Any, field: str | None = None) -> Any:
        """Return the object with the greatest value of a field, by default `created_at`: `await objects.latest(db)`."""
        return self._extreme_of("latest", args, field)

    def earliest(self, *args: Any, field: str | None = None) -> Any:
        """Return the object with the least value of a field, by default `created_at`: `await objects.earliest(db)`."""
        return self._extreme_of("earliest", args, field)

    def _extreme_of(self, name: str, args: tuple[Any, ...], field: str | None) -> Any:
        if not given(args):
            return getattr(super(), name)(*args, *([field] if field else []))
        return getattr(self._on(args[0]), name)(*(args[1:] or (field or "created_at",)))

    def count(self, *args: Any, **lookups: Any) -> Any:
        """Return how many objects meet the conditions: `await objects.count(db, User.age > 18)`."""
        if not given(args):
            return super().count(*args)
        return self.filter(*args[1:], **lookups)._on(args[0]).count()

    def exists(self, *args: Any, **lookups: Any) -> Any:
        """Return whether an object meets the conditions: `await objects.exists(db, email=email)`."""
        if not given(args):
            return super().exists(*args)
        return self.filter(*args[1:], **lookups)._on(args[0]).exists()

    def values(self, *args: Any, **expressions: Any) -> Any:
        """Return dictionaries: `await objects.values(db, "name")`; without a session a queryset of them."""
        if not given(args):
            return super().values(*args, **expressions)
        return self._on(args[0]).values(*args[1:], **expressions).fetch()

    def values_list(self, *args: Any, **options: Any) -> Any:
        """Return tuples, or with `flat=True` values: `await objects.values_list(db, "name", flat=True)`."""
        if not given(args):
            return super().values_list(*args, **options)
        return self._on(args[0]).values_list(*args[1:], **options).fetch()

    def aggregate(self, *args: Any, **aggregates: Any) -> Any:
        """Return a dictionary of computed values: `await objects.aggregate(db, total=Sum("pages"))`."""
        if not given(args):
            return super().aggregate(*args, **aggregates)
        return self._on(args[0]).aggregate(*args[1:], **aggregates)

    def limit(self, number: int) -> Any:
        """Keep this many rows at most."""
        return self[:number]

    def offset(self, number: int) -> Any:
        """Leave out the first rows."""
        return self[number:]

    # Writing

    def _meant(self, what: str) -> None:
        if not any(map(narrows, self.query.ops)) and not getattr(self, "_all_meant", False):
            raise ValueError(f"{what} without filters: say all(), if all rows are meant.")

    def all(self) -> Any:
        """Return a copy, which says that all rows are meant."""
        made = super().all()
        made.__dict__["_all_meant"] = True
        return made

    def create(self, *args: Any, **values: Any) -> Any:
        """Clean, insert and return an object: `await objects.create(db, name="Ann")`."""
        if not given(args):
            return super().create(*args, **values)
        return self._written(args[0], "create", (), values)

    def get_or_create(self, *args: Any, **lookups: Any) -> Any:
        """Return (object, created): `await objects.get_or_create(db, email=email, defaults={...})`."""
        if not given(args):
            return super().get_or_create(*args, **lookups)
        return self._written(args[0], "get_or_create", args[1:], lookups)

    def update_or_create(self, *args: Any, **lookups: Any) -> Any:
        """Return (object, created): `await objects.update_or_create(db, email=email, defaults={...})`."""
        if not given(args):
            return super().update_or_create(*args, **lookups)
        return self._written(args[0], "update_or_create", args[1:], lookups)

    def bulk_create(self, *args: Any, ignore_conflicts: bool = False, **options: Any) -> Any:
        """Insert objects, or dictionaries of values, and return the objects: `await objects.bulk_create(db, rows)`."""
        if ignore_conflicts:
            options["ignore_conflicts"] = True
        if not given(args):
            return super().bulk_create(*args, **options)
        rows: Iterable[Any] = args[1]
        made: Any = self.model
        objs = [made(**row) if isinstance(row, dict) else row for row in rows]
        return self._cleaned(args[0], "bulk_create", objs, args[2:], options)

    def bulk_update(self, *args: Any, **options: Any) -> Any:
        """Write some fields of many objects: `await objects.bulk_update(db, users, ["name"])`."""
        if not given(args):
            return super().bulk_update(*args, **options)
        return self._cleaned(args[0], "bulk_update", list(args[1]), args[2:], options)

    async def _cleaned(
        self, db: AsyncSession, name: str, objs: list[Any], args: Sequence[Any], options: dict[str, Any]
    ) -> Any:
        for one in objs:
            one.clean()
        return await self._written(db, name, (objs, *args), options)

    def update(self, *args: Any, **values: Any) -> Any:
        """Set columns of all rows, and return how many: `await queryset.update(db, name="Ann")`.

        Raises ValueError for a queryset without conditions, unless `all()` was said.
        """
        if not given(args):
            return super().update(**values)
        self._meant("Refusing to update")
        return self._written(args[0], "update", args[1:], values)

    def delete(self, *args: Any) -> Any:
        """Delete all rows, and return how many of this model's: `await queryset.delete(db)`.

        Raises ValueError for a queryset without conditions, unless `all()` was said.
        """
        if not given(args):
            return super().delete()
        self._meant("Refusing to delete")
        return self._delete(args[0])

    async def _delete(self, db: AsyncSession) -> int:
        numbers: dict[str, int]
        _total, numbers = await self._written(db, "delete", (), {})
        return numbers.get(cast(Any, self.model)._meta.label, 0)

    async def _written(
        self, db: AsyncSession, name: str, args: Sequence[Any], options: dict[str, Any]
    ) -> Any:
        return await write(db, getattr(self._on(db), name)(*args, **options))
