"""`GenericPrefetch`: what to choose the objects of a generic key from."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ormolu.query.prefetch import Prefetch

__all__ = ["GenericPrefetch"]


class GenericPrefetch(Prefetch):
    """Prefetch a GenericForeignKey, with a queryset for each model that wants one of its own.

    Models that none of the `querysets` is of are loaded as usual.
    """

    def __init__(self, lookup: str, querysets: Iterable[Any], to_attr: str | None = None) -> None:
        checked = tuple(Prefetch(lookup, queryset).queryset for queryset in querysets)
        super().__init__(lookup, to_attr=to_attr)
        self.querysets = checked

    def __repr__(self) -> str:
        return f"GenericPrefetch({self.lookup!r}, to_attr={self.to_attr!r})"
