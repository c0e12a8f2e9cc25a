"""Several terms as one: keys of several columns in a query.

A tuple has no SQL of its own: a lookup compares its parts, a select list and an order take them one by one. Whatever
wants a single value gets an error.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, NoReturn

import sqlalchemy as sa

from ormolu.compile.template import Template
from ormolu.compile.terms import Term
from ormolu.fields.composite import TupleField, parts_of

__all__ = ["NotSingle", "TupleTerm", "among", "columns_of", "flat", "width"]


class NotSingle(ValueError):
    """A tuple stands where a single value is needed."""


class TupleTerm(Term):
    """Terms that stand together; `field` is a TupleField."""

    __slots__ = ("parts",)

    def __init__(self, parts: Sequence[Term], field: Any) -> None:
        self.parts = tuple(parts)
        self.field = field
        self.joins = frozenset[Any]().union(*(part.joins for part in parts))
        self.strict = frozenset[Any]().union(*(part.strict for part in parts))
        self.aggregate = any(part.aggregate for part in parts)
        self.window = any(part.window for part in parts)
        self.nullable = any(part.nullable for part in parts)
        self.constant = all(part.constant for part in parts)
        self.why = self.group = self.origin = self.inner = self.convert = self.depends = None

    @property
    def sa(self) -> NoReturn:
        """Raise NotSingle: there is no such element."""
        raise NotSingle("CompositePrimaryKey cannot be used as a lookup value.")

    type = sa  # pyright: ignore[reportIncompatibleMethodOverride, reportAssignmentType]

    def group_columns(self) -> tuple[Any, ...]:
        """What GROUP BY must name so that these terms may be selected."""
        return tuple(column for part in self.parts for column in part.group_columns())

    def replace(self, **changes: Any) -> TupleTerm:
        """Return a copy whose parts have some attributes changed."""
        field = changes.pop("field", self.field)
        return TupleTerm([part.replace(**changes) for part in self.parts], field)

    def mapped(self, change: Callable[[Term], Term]) -> TupleTerm:
        """Return a copy with each part changed."""
        return TupleTerm([change(part) for part in self.parts], self.field)


def flat(terms: Iterable[Term]) -> list[Term]:
    """Return terms with the parts of tuples in their place."""
    found: list[Term] = []
    for term in terms:
        found.extend(term.parts if isinstance(term, TupleTerm) else (term,))
    return found


def width(term: Term) -> int:
    """Return how many columns of a row a term has."""
    return len(term.parts) if isinstance(term, TupleTerm) else 1


def columns_of(field: Any) -> tuple[Any, ...]:
    """Return the columns that a field's values stand in."""
    return tuple(part.sa_column for part in parts_of(field))


def among(vendor: str, elements: Sequence[Any], rows: Sequence[Sequence[Any]]) -> Any:
    """Return the condition that several elements together are one of some rows of elements."""
    if len(rows) == 1:
        return sa.and_(*(mine == theirs for mine, theirs in zip(elements, rows[0], strict=True)))
    # SQLite takes a list of rows as a table only, and finds an index for one that is a SELECT, not a bare VALUES.
    before, between, after = (
        ("(SELECT * FROM (VALUES (", "), (", ")))") if vendor == "sqlite" else ("((", "), (", "))")
    )
    pieces: list[str] = []
    for number, row in enumerate(rows):
        pieces += [between if number else before, *([", "] * (len(row) - 1))]
    given = [element for row in rows for element in row]
    listed = Template("rows", [*pieces, after], given, sa.types.NullType())
    return sa.tuple_(*elements).op("IN", is_comparison=True)(listed)


def is_tuple(field: Any) -> bool:
    """Tell whether a field's values are tuples."""
    return isinstance(field, TupleField)
