"""`&`, `|` and `^` between querysets: one query with the conditions of both."""

from __future__ import annotations

from typing import Any, cast

from ormolu.query.chain import Chain, M, R
from ormolu.query.query import Merged, conditions_of
from ormolu.query.value_rows import ValueRows

__all__ = ["Merging"]

OPERATORS = {"AND": "&", "OR": "|", "XOR": "^"}


class Merging(ValueRows[M, R]):
    """The part of a QuerySet that combines its conditions with another's."""

    def __and__(self, other: Any) -> Any:
        return self._merge(other, "AND")

    def __or__(self, other: Any) -> Any:
        return self._merge(other, "OR")

    def __xor__(self, other: Any) -> Any:
        return self._merge(other, "XOR")

    def _of_keys(self) -> Any:
        """Return a queryset of the same objects with no slice, so that it can be combined."""
        if not self.query.is_sliced:
            return self
        manager: Any = cast(Any, self.model)._base_manager
        return manager.using(self._db).filter(pk__in=self.values("pk"))

    def _merge(self, given: Any, connector: str) -> Any:
        if not isinstance(given, Chain):
            return NotImplemented
        other: Any = cast(Any, given)
        if self.model is not other.model:
            raise TypeError("Cannot combine queries on two different base models.")
        for one in (self, other):
            if one.query.combined is not None:
                raise TypeError(f"Cannot use {OPERATORS[connector]} operator with combined queryset.")
        mine_of_row, theirs_of_row = self.query.values_fields, other.query.values_fields
        if mine_of_row is not None and set(mine_of_row) != set(theirs_of_row or ()):
            raise TypeError("Merging 'QuerySet' classes must involve the same values in each case.")
        if self.query.is_sliced or other.query.is_sliced:
            if connector == "AND":
                raise TypeError("Cannot combine queries once a slice has been taken.")
            if not self.query.is_nothing and not other.query.is_nothing:
                return self._of_keys()._merge(other._of_keys(), connector)
        if self.query.distinct != other.query.distinct:
            raise TypeError("Cannot combine a unique query with a non-unique query.")
        if self.query.distinct_fields != other.query.distinct_fields:
            raise TypeError("Cannot combine queries with different distinct fields.")
        mine, theirs = conditions_of(self.query), conditions_of(other.query)
        nothing = [any(op[0] == "nothing" for op in q.query.ops) for q in (self, other)]
        made = self._clone()
        for field, objects in other._known.items():
            made._known = {**made._known, field: {**made._known.get(field, {}), **objects}}
        if any(nothing):
            keep = other if nothing[0] and connector != "AND" else self
            return (
                self if nothing[0] and connector == "AND" else other if connector == "AND" else keep
            )._clone()
        if connector == "AND":
            made.query.ops = (*self.query.ops, *theirs)
        else:
            rest = tuple(op for op in self.query.ops if op not in mine)
            everything = connector == "OR" and (not mine or not theirs)
            merged = () if everything else (("merged", Merged(connector, self.query, other.query)),)
            made.query.ops = (*rest, *merged)
        if not made.query.order_by:
            made.query.order_by = other.query.order_by
        return made
