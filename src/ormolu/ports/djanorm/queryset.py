"""`dorm.queryset`: the querysets. What `union()`, `intersection()` and `difference()` give is a CombinedQuerySet."""

from __future__ import annotations

from typing import Any

from ormolu.query.queryset import QuerySet
from ormolu.query.raw import RawQuerySet

__all__ = ["CombinedQuerySet", "QuerySet", "RawQuerySet"]


class _IsCombined(type):
    """`isinstance(queryset, CombinedQuerySet)` asks whether it combines others."""

    def __instancecheck__(cls, instance: Any) -> bool:
        return isinstance(instance, QuerySet) and instance.query.combined is not None  # pyright: ignore[reportUnknownMemberType]


class CombinedQuerySet(metaclass=_IsCombined):
    """For isinstance() only: true of what `union()`, `intersection()` and `difference()` return."""

    def __init__(self) -> None:
        raise TypeError("A CombinedQuerySet is made by union(), intersection() or difference().")
