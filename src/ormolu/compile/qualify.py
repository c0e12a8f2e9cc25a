"""Conditions on window functions: a query around the one that computes them.

SQL has no clause for such conditions (a few databases call it QUALIFY). The inner query computes
each condition as a column of its own, for the rows that the other conditions leave; the outer one keeps the
rows where it is true, and only then come DISTINCT, ORDER BY and LIMIT.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import sqlalchemy as sa
from sqlalchemy.sql.elements import Label

from ormolu.compile.conditions import combine
from ormolu.compile.ordering import Order
from ormolu.compile.terms import Term
from ormolu.compile.tuples import flat
from ormolu.exceptions import NotSupportedError

if TYPE_CHECKING:
    from ormolu.compile.select import Parts

__all__ = ["qualified"]


class _Columns:
    """The select list of the inner query; what occurs several times stands in it once."""

    def __init__(self, terms: list[Term]) -> None:
        self.elements = [term.sa for term in terms]
        self.labels = [named(element, f"c{number}") for number, element in enumerate(self.elements)]

    def name(self, element: Any) -> str:
        """Return the name of an element's column, which is added where there is none."""
        for known, label in zip(self.elements, self.labels, strict=True):
            if known is element or known.compare(element):
                return str(label.name)
        self.elements.append(element)
        self.labels.append(named(element, f"c{len(self.labels)}"))
        return str(self.labels[-1].name)


def qualified(parts: Parts, *, limits: bool, distinct: bool) -> Any:
    """Return the Select of a query with conditions on window functions."""
    builder, query = parts.builder, parts.builder.query
    columns = _Columns(parts.terms)
    shown = [label.name for label in columns.labels]
    orders = [(columns.name(entry.term.sa), entry) for entry in parts.orders]
    unique = distinct and query.distinct
    distinct_on = flat(builder.ref(name) for name in query.distinct_fields) if unique else []
    on = [columns.name(term.sa) for term in distinct_on]
    inner = parts.filtered([*columns.labels, combine("AND", parts.qualify).sa.label("kept")])
    if builder.outer is not None:
        inner = inner.correlate_except(builder.root.table, *(join.table for join in builder.tree.joins))
    rows = inner.subquery("w")
    select = sa.select(*(rows.c[name] for name in shown)).where(rows.c.kept)
    if unique:
        select = distinct_rows(builder, select, [rows.c[name] for name in on])
    for name, entry in orders:
        select = select.order_by(Order(Term(rows.c[name]), entry.descending, entry.nulls).element())
    return parts.limited(select) if limits else select


def distinct_rows(builder: Any, select: Any, on: list[Any]) -> Any:
    """Return the Select without repetitions, with elements `on` the first row of each.

    Raises NotSupportedError for elements where the database has no DISTINCT ON.
    """
    if not on or getattr(builder.driver, "checking", False):
        return select.distinct()
    if builder.vendor != "postgresql":
        raise NotSupportedError(
            f"DISTINCT ON fields is not supported by {builder.vendor}. Number the rows of each group with "
            "Window(RowNumber(), partition_by=...), and filter by the number 1."
        )
    from sqlalchemy.dialects.postgresql import distinct_on

    return select.ext(distinct_on(*on))


def named(element: Any, name: str) -> Any:
    """Return an element under a name of its own; one that has been given a name keeps it."""
    return cast(Any, element) if isinstance(element, Label) else element.label(name)
