"""union(), intersection(), difference(): several querysets as one SELECT.

Source: Django's documentation, ref/models/querysets, "union()" and what follows it.
"""

from __future__ import annotations

from typing import Any, Self

from ormolu.exceptions import NotSupportedError
from ormolu.query.chain import Chain, M, R
from ormolu.query.query import Query

__all__ = ["Combined", "SetOperations"]


class Combined:
    """The queries of a set operation, in order. `kind` is the method's name."""

    __slots__ = ("all", "kind", "queries")

    def __init__(self, kind: str, queries: tuple[Query, ...], all: bool = False) -> None:
        self.kind = kind
        self.queries = queries
        self.all = all

    def shape(self, shape: Any) -> Any:
        """Return the key."""
        return self.kind, self.all, tuple(query.key(shape) for query in self.queries)


class SetOperations(Chain[M, R]):
    """The part of a QuerySet that combines it with others as a whole.

    The result has the model and the columns of the first; the others need as many columns of like types. It can be
    ordered, sliced, counted, asked for `values()` and combined again, and serve as a subquery.
    """

    def union(self, *other_qs: Any, all: bool = False) -> Self:
        """Return the rows of this queryset and of others, each once; with `all`, as often as they are found."""
        querysets = [queryset for queryset in (self, *other_qs) if not queryset.query.is_nothing]
        if self.query.is_nothing and querysets:
            if len(querysets) == 1:
                return querysets[0]._clone()  # type: ignore[no-any-return]
            return querysets[0]._combine("union", querysets, all)  # type: ignore[no-any-return]
        return self._combine("union", querysets, all) if querysets else self._clone()

    def intersection(self, *other_qs: Any) -> Self:
        """Return the rows that all of the querysets have, each once."""
        for queryset in (self, *other_qs):
            if queryset.query.is_nothing:
                return queryset._clone()  # type: ignore[no-any-return]
        return self._combine("intersection", [self, *other_qs], False)

    def difference(self, *other_qs: Any) -> Self:
        """Return the rows of this queryset that none of the others has, each once."""
        if self.query.is_nothing:
            return self._clone()
        others = [queryset for queryset in other_qs if not queryset.query.is_nothing]
        return self._combine("difference", [self, *others], False)

    def _combine(self, kind: str, querysets: list[Any], all: bool) -> Self:
        for queryset in querysets:
            if queryset._db != self._db and None not in (queryset._db, self._db):
                raise NotSupportedError(
                    f"{kind}() can't combine querysets of two databases, {self._db!r} and {queryset._db!r}."
                )
        made = self._clone()
        query = made.query = Query(self.query.model)
        query.combined = Combined(kind, tuple(queryset.query for queryset in querysets), all)
        query.default_ordering = False
        query.fetch_mode = self.query.fetch_mode
        query.values_fields, query.row_kind = self.query.values_fields, self.query.row_kind
        return made
