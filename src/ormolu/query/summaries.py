"""QuerySet: the terminals that say something about all rows, or give them by key."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Self, cast

from ormolu.query import terminals
from ormolu.query.asking import Asking
from ormolu.query.chain import M, R, as_expression
from ormolu.query.naming import check_alias, check_selected, named_expressions
from ormolu.query.references import F

__all__ = ["Summaries"]


class Summaries(Asking[M, R]):
    """`count()`, `exists()`, `contains()`, `aggregate()`, `in_bulk()`."""

    def count(self) -> int:
        """Return the number of rows: SELECT COUNT(*), or the length of results that are there."""
        if self._result_cache is not None:
            return len(self._result_cache)
        return self._run(terminals.count, self.query)  # type: ignore[no-any-return]

    async def acount(self) -> int:
        """Return the number of rows."""
        if self._result_cache is not None:
            return len(self._result_cache)
        return await self._arun(terminals.count, self.query)  # type: ignore[no-any-return]

    def exists(self) -> bool:
        """Return whether there is a row: SELECT 1 ... LIMIT 1."""
        if self._result_cache is not None:
            return bool(self._result_cache)
        return self._run(terminals.exists, self.query)  # type: ignore[no-any-return]

    async def aexists(self) -> bool:
        """Return whether there is a row."""
        if self._result_cache is not None:
            return bool(self._result_cache)
        return await self._arun(terminals.exists, self.query)  # type: ignore[no-any-return]

    def _prepare_contains(self, obj: Any) -> Self | bool:
        self._not_combined("contains")
        if self.query.values_fields is not None:
            raise TypeError("Cannot call QuerySet.contains() after .values() or .values_list().")
        if not hasattr(obj, "_meta"):
            raise TypeError("'obj' must be a model instance.")
        if obj._meta.concrete_model is not self.model._meta.concrete_model:  # type: ignore[attr-defined]
            return False
        if not obj._is_pk_set():
            raise ValueError("QuerySet.contains() cannot be used on unsaved objects.")
        if self._result_cache is not None:
            return obj in self._result_cache
        return self.filter(pk=obj.pk)

    def contains(self, obj: Any) -> bool:
        """Return whether an object is among the rows."""
        found = self._prepare_contains(obj)
        return found if isinstance(found, bool) else found.exists()

    async def acontains(self, obj: Any) -> bool:
        """Return whether an object is among the rows."""
        found = self._prepare_contains(obj)
        return found if isinstance(found, bool) else await found.aexists()

    def aggregate(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
        """Return a dict of summaries over all rows. One SELECT."""
        wanted = self._aggregates(args, kwargs)
        return self._run(terminals.aggregate, self.query, wanted) if wanted else {}

    async def aaggregate(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
        """Return a dict of summaries over all rows. One SELECT."""
        wanted = self._aggregates(args, kwargs)
        return await self._arun(terminals.aggregate, self.query, wanted) if wanted else {}

    def _aggregates(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> dict[str, Any]:
        if self.query.distinct_fields:
            raise NotImplementedError(
                "aggregate() + distinct(fields) not implemented."
            )  # Django's class and text
        for arg in args:
            try:
                arg.default_alias  # noqa: B018
            except (AttributeError, TypeError):
                raise TypeError("Complex aggregates require an alias") from None
        for name in kwargs:
            check_alias(name)
        kwargs = {name: as_expression(value) for name, value in kwargs.items()}
        named = named_expressions(args, kwargs, "aggregate")
        if any(op[0] == "annotate" for op in self.query.ops):
            for expression in named.values():
                for part in expression.flatten() if hasattr(expression, "flatten") else ():
                    if isinstance(part, F):
                        check_selected(self.query, part.name, "aggregate over")
        return named

    def _prepare_bulk(self, name: str) -> None:
        if self.query.is_sliced:
            raise TypeError("Cannot use 'limit' or 'offset' with in_bulk().")
        if self.query.values_fields is not None:
            raise TypeError("in_bulk() cannot be used with values() or values_list().")
        meta: Any = cast(Any, self.model)._meta
        if name == "pk":
            return
        unique = {c.fields[0] for c in meta.unique_constraints if len(c.fields) == 1}
        field = meta.get_field(name)
        if not field.unique and name not in unique and self.query.distinct_fields != (name,):
            raise ValueError(f"in_bulk()'s field_name must be a unique field but {name!r} isn't.")

    def in_bulk(self, id_list: Iterable[Any] | None = None, *, field_name: str = "pk") -> dict[Any, R]:
        """Return a dict from key to object, for these keys or for all rows."""
        self._prepare_bulk(field_name)
        keys = None if id_list is None else list(id_list)
        return self._run(terminals.in_bulk, self, field_name, keys)  # type: ignore[no-any-return]

    async def ain_bulk(self, id_list: Iterable[Any] | None = None, *, field_name: str = "pk") -> dict[Any, R]:
        """Return a dict from key to object, for these keys or for all rows."""
        self._prepare_bulk(field_name)
        keys = None if id_list is None else list(id_list)
        return await self._arun(terminals.in_bulk, self, field_name, keys)  # type: ignore[no-any-return]
