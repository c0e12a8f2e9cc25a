"""Querysets that others are joined to: common table expressions, plain or recursive, and lateral subqueries.

The calls of a CTE are those that users of the package django-cte know.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic, cast

from typing_extensions import TypeVar

from ormolu.compile.common_tables import column_of
from ormolu.compile.shape import Uncacheable
from ormolu.compile.terms import Term
from ormolu.query.expressions import Expression
from ormolu.query.q import Q, of_lookups

__all__ = ["CTE", "Column", "Lateral"]

M = TypeVar("M", default=Any)
N = TypeVar("N")


class Joinable:
    """A queryset that other querysets are joined to."""

    lateral = False

    def __init__(self, queryset: Any, name: str) -> None:
        if not name.isidentifier():
            raise ValueError(f"The name of a {type(self).__name__} is an identifier, not {name!r}.")
        self.name = name
        self.query: Any = None
        if queryset is not None:
            self._take(queryset)

    def _take(self, queryset: Any) -> None:
        if not hasattr(queryset, "query"):
            queryset = queryset.all()
        self.query = queryset.query.copy()
        self._db = queryset._db

    @property
    def col(self) -> Columns:
        """The columns, by name: `cte.col.total`."""
        return Columns(self)

    def _joined(self, model_or_queryset: Any, condition: Q, outer: bool) -> Any:
        queryset = model_or_queryset
        if not hasattr(queryset, "query"):
            queryset = (
                queryset._default_manager if hasattr(queryset, "_default_manager") else queryset
            ).all()
        if queryset.query.is_sliced:
            raise TypeError("Cannot join to a query once a slice has been taken.")
        queryset._not_combined("join")
        return queryset._with("join_common", Joined(self, condition, outer))

    def shape(self, shape: Any) -> Any:
        """Return the key. What was met before, or is being met, is told by its number."""
        if self.query is None:
            raise Uncacheable
        number = shape.seen.get(id(self))
        if number is not None:
            return (type(self), number)
        shape.seen[id(self)] = number = len(shape.seen)
        shape.owners.append(self)
        return (type(self), number, self.name, self.query.key(shape))

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name}>"


class CTE(Joinable, Generic[M]):
    """A queryset as a table of its own: `WITH name AS (...)`.

    `cte.col.total` is a column of it, for expressions; `cte.join(Order, region=cte.col.region_id)` a queryset joined
    to it; `cte.queryset()` a queryset of its rows. Its columns are those of `values()`, else the model's and what is
    annotated. The WITH clause is written where the CTE is used.
    """

    def __init__(self, queryset: Any, name: str = "cte") -> None:
        self.recurs = False
        super().__init__(queryset, name)

    @classmethod
    def recursive(cls, make_queryset: Callable[[CTE[Any]], Any], name: str = "cte") -> CTE[Any]:
        """Return a CTE that reads itself: `make_queryset(cte)` gives `base.union(cte.join(...), all=True)`.

        The base is where it begins. What is joined to the CTE is repeated for the rows that were added last, until
        there are none. Without `all=True` a row that is there already is not added again, so that a cycle ends.
        """
        made: CTE[Any] = cls(None, name)
        made.recurs = True
        queryset = make_queryset(made)
        query = queryset.query
        if query.is_sliced or query.order_by:
            raise ValueError(
                "The queryset of a recursive CTE has no order and no slice. Give them to what reads it."
            )
        made._take(queryset)
        return made

    def join(self, model_or_queryset: Any, *args: Any, outer: bool = False, **kwargs: Any) -> Any:
        """Return a queryset joined to this CTE where conditions hold: `cte.join(Order, region=cte.col.region_id)`.

        They are those of `filter()`, and stand in ON. With `outer` rows that meet none stay, with NULLs.
        """
        if not args and not kwargs:
            raise TypeError("join() needs a condition, such as id=cte.col.id.")
        return self._joined(model_or_queryset, cast(Any, of_lookups(args, kwargs)), outer)

    def queryset(self) -> Any:
        """Return a queryset of the rows of this CTE: objects, or dicts where its own queryset has `values()`."""
        if self.query is None:
            raise ValueError("A recursive CTE has no queryset of its rows while it is being made: join it.")
        made = self.query.model._base_manager.using(self._db).order_by()
        objects = self._leaf().values_fields is None
        ops: list[Any] = [("from_common", Joined(self, Q(), False))]
        names = self._annotated() if objects else list(self._leaf().values_fields)
        ops.extend(("annotate", name, Column(self, name), True) for name in names)
        if not objects:
            ops.append(("values", tuple(names)))
            made.query.values_fields, made.query.row_kind = tuple(names), "dict"
        made.query.ops = tuple(ops)
        return made

    def _leaf(self) -> Any:
        """Return the query that says which columns there are."""
        query = self.query
        while query.combined is not None and query.values_fields is None:
            query = query.combined.queries[0]
        return query

    def _annotated(self) -> list[str]:
        found = [op[1] for op in self._leaf().ops if op[0] == "annotate" and op[3]]
        return list(dict.fromkeys(found))

    def shape(self, shape: Any) -> Any:
        """Return the key."""
        return (self.recurs, super().shape(shape))


class Lateral(Joinable):
    """A queryset that is asked for each row of another, which it reads by `OuterRef`: the top N of each group.

    `best.join(Author)` is a queryset joined to its rows, `best.col.title` a column of them, for expressions. It may be
    sliced. PostgreSQL and MySQL have this; others raise NotSupportedError, which names what does the same.
    """

    lateral = True

    def __init__(self, queryset: Any, name: str = "beside") -> None:
        if getattr(getattr(queryset, "query", None), "combined", None) is not None:
            raise TypeError("A Lateral is of one query, not of several that are combined.")
        super().__init__(queryset, name)

    def join(self, model_or_queryset: Any, *, outer: bool = False) -> Any:
        """Return a queryset joined to the rows found for each of its own; with `outer` those with none stay."""
        return self._joined(model_or_queryset, Q(), outer)


class Columns:
    """The columns of a CTE as attributes."""

    def __init__(self, cte: Joinable) -> None:
        self._cte = cte

    def __getattr__(self, name: str) -> Column:
        if name.startswith("__"):
            raise AttributeError(name)
        return Column(self._cte, name)


class Column(Expression):
    """One column of a CTE that the query, or the one around it, is joined to."""

    def __init__(self, cte: Joinable, name: str, output_field: Any = None) -> None:
        super().__init__(output_field)
        self.cte = cte
        self.name = name

    def shape(self, shape: Any) -> Any:
        """Return the key."""
        return (Column, self.cte.shape(shape), self.name, shape.item(self._given))

    def as_term(self, builder: Any) -> Term:
        """Return the column."""
        term = column_of(builder, self.cte, self.name)
        return term if self._given is None else term.replace(field=self._given)

    def __repr__(self) -> str:
        return f"{self.cte.name}.{self.name}"


class Joined:
    """A CTE as a part of a query: the condition under which its rows are joined."""

    def __init__(self, cte: Joinable, condition: Q, outer: bool) -> None:
        self.cte, self.condition, self.outer = cte, condition, outer

    def shape(self, shape: Any) -> Any:
        """Return the key."""
        return (self.cte.shape(shape), self.condition.shape(shape), self.outer)
