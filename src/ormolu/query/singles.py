"""QuerySet: the terminals that give one object."""

from __future__ import annotations

from typing import Any, Self, cast

from ormolu.exceptions import NotSupportedError
from ormolu.query import terminals
from ormolu.query.asking import Asking
from ormolu.query.chain import M, R
from ormolu.query.q import of_lookups

__all__ = ["Singles"]

GET_LIMIT = ("limit", terminals.MOST_FOR_GET)


class Singles(Asking[M, R]):
    """`get()`, and the first and last by some order."""

    def _limited_for_get(self) -> Self:
        if self.query.limit is not None:
            return self
        made = self._clone()
        made.query.limit = ("limit", terminals.MOST_FOR_GET)
        return made

    def _prepare_get(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Self:
        query = self.query
        if query.combined is not None and (args or kwargs):
            raise NotSupportedError(
                f"Calling QuerySet.get(...) with filters after {query.combined.kind}() is not supported."
            )
        if query.is_sliced and (args or kwargs):
            raise TypeError("Cannot filter a query once a slice has been taken.")
        made = self._clone()
        if args or kwargs:
            made.query.ops = (*query.ops, ("filter", of_lookups(args, kwargs)))
        ordered = query.default_ordering or query.order_by
        if ordered and not query.is_sliced and not query.distinct_fields:
            made.query.order_by, made.query.default_ordering = (), False
        if query.limit is None:
            made.query.limit = GET_LIMIT
        return made

    def get(self, *args: Any, **kwargs: Any) -> R:
        """Return the one object that meets the conditions.

        Raises the model's DoesNotExist where there is none, MultipleObjectsReturned
        where there are several.
        """
        if "query" not in self.__dict__ and kwargs and not args and self._binding is None:
            return self._run(terminals.one_by, self, kwargs)  # type: ignore[no-any-return]
        return self._run(terminals.one, self._prepare_get(args, kwargs), kwargs)  # type: ignore[no-any-return]

    async def aget(self, *args: Any, **kwargs: Any) -> R:
        """Return the one object that meets the conditions. See `get()`."""
        if "query" not in self.__dict__ and kwargs and not args and self._binding is None:
            return await self._arun(terminals.one_by, self, kwargs)  # type: ignore[no-any-return]
        return await self._arun(terminals.one, self._prepare_get(args, kwargs), kwargs)  # type: ignore[no-any-return]

    def get_or_none(self, *args: Any, **kwargs: Any) -> R | None:
        """Return the one object that meets the conditions, None where there is none."""
        try:
            return self.get(*args, **kwargs)
        except self.model.DoesNotExist:  # type: ignore[attr-defined]
            return None

    async def aget_or_none(self, *args: Any, **kwargs: Any) -> R | None:
        """Return the one object that meets the conditions, None where there is none."""
        try:
            return await self.aget(*args, **kwargs)
        except self.model.DoesNotExist:  # type: ignore[attr-defined]
            return None

    def _prepare_first(self, last: bool = False) -> Self:
        made = self._clone() if self.ordered else self._by_pk()
        if last:
            if self.query.is_sliced:
                raise TypeError("Cannot reverse a query once a slice has been taken.")
            made.query.reversed = not made.query.reversed
        made.query.slice(None, 1)
        return made

    def _by_pk(self) -> Self:
        names = self._grouping_names()
        meta: Any = cast(Any, self.model)._meta
        if names and "pk" not in names and not all({f.name, f.attname} & set(names) for f in meta.pk_fields):
            raise TypeError(
                "Cannot use QuerySet.first() on an unordered queryset performing aggregation. "
                "Add an ordering with order_by()."
            )
        return self._ordered_by(("pk",))

    def _grouping_names(self) -> tuple[str, ...]:
        """Return the names of the values() that the last aggregate groups by; none: by rows, or not at all."""
        chosen: tuple[str, ...] = ()
        names: tuple[str, ...] = ()
        for op in self.query.ops:
            if op[0] == "values":
                chosen = op[1]
            elif op[0] == "annotate" and getattr(op[2], "contains_aggregate", False):
                names = chosen
        return names

    def first(self) -> R | None:
        """Return the first object, None where there is none. Without an order: by key."""
        if self._result_cache is not None and self.ordered:
            return self._result_cache[0] if self._result_cache else None
        return self._run(terminals.first_of, self._prepare_first())  # type: ignore[no-any-return]

    async def afirst(self) -> R | None:
        """Return the first object, None where there is none. Without an order: by key."""
        return await self._arun(terminals.first_of, self._prepare_first())  # type: ignore[no-any-return]

    def last(self) -> R | None:
        """Return the last object, None where there is none. Without an order: by key."""
        return self._run(terminals.first_of, self._prepare_first(True))  # type: ignore[no-any-return]

    async def alast(self) -> R | None:
        """Return the last object, None where there is none. Without an order: by key."""
        return await self._arun(terminals.first_of, self._prepare_first(True))  # type: ignore[no-any-return]

    def _extreme(self, fields: tuple[Any, ...], latest: bool) -> Self:
        if self.query.is_sliced:
            raise TypeError("Cannot change a query once a slice has been taken.")
        by: Any = fields or cast(Any, self.model)._meta.get_latest_by
        if not by:
            raise ValueError(
                "earliest() and latest() require either fields as positional arguments or 'get_latest_by' "
                "in the model's Meta."
            )
        names = (by,) if isinstance(by, str) else tuple(by)
        made = self.order_by(*names)
        return (made.reverse() if latest else made)._sliced(None, 1)

    def earliest(self, *fields: Any) -> R:
        """Return the first object by these fields, else by Meta.get_latest_by; DoesNotExist where there is none."""
        return self._run(terminals.one, self._extreme(fields, False), None)  # type: ignore[no-any-return]

    async def aearliest(self, *fields: Any) -> R:
        """Return the first object by these fields. See `earliest()`."""
        return await self._arun(terminals.one, self._extreme(fields, False), None)  # type: ignore[no-any-return]

    def latest(self, *fields: Any) -> R:
        """Return the last object by these fields, else by Meta.get_latest_by; DoesNotExist where there is none."""
        return self._run(terminals.one, self._extreme(fields, True), None)  # type: ignore[no-any-return]

    async def alatest(self, *fields: Any) -> R:
        """Return the last object by these fields. See `latest()`."""
        return await self._arun(terminals.one, self._extreme(fields, True), None)  # type: ignore[no-any-return]
