"""Subquery and Exists: a queryset inside an expression."""

from __future__ import annotations

from typing import Any, ClassVar

import sqlalchemy as sa

from ormolu.compile.conditions import EVERYTHING, NOTHING, Condition, combine, negate
from ormolu.compile.joins import multiple
from ormolu.compile.terms import Term
from ormolu.exceptions import EmptyResultSet
from ormolu.fields import BooleanField
from ormolu.query.expressions import Expression, condition_term


def columns_of(reads: list[Term]) -> tuple[Any, ...]:
    """Return what GROUP BY must name so that a subquery may read these terms of the enclosing query."""
    return tuple(column for term in reads for column in term.group_columns())


def depends(reads: list[Term], outer: frozenset[Any]) -> tuple[Any, ...] | None:
    """Return the columns that determine a subquery; None where it reads joins that repeat rows."""
    return None if any(map(multiple, outer)) else columns_of(reads)


class Subquery(Expression):
    """The single value of a queryset, for each row of the enclosing query.

    The queryset refers to that row by `OuterRef`. It should select one column
    (`values("x")`) and one row (`[:1]`).
    """

    contains_aggregate = False
    empty_result_set_value: Any = None
    ordered: ClassVar[bool] = False  # whether the order of the rows counts, that of Meta.ordering included

    def __init__(self, queryset: Any, output_field: Any = None, **extra: Any) -> None:
        super().__init__(output_field)
        self.query = getattr(queryset, "query", queryset)
        self.selected_rows: Any = self.query  # something may be one of them: `filter(pk__in=Subquery(...))`
        self.queryset = queryset
        self.extra = extra

    def shape(self, shape: Any) -> Any:
        """Return the key."""
        return (self.__class__, self.query.shape(shape), shape.item(self._given))

    @property
    def keeps_order(self) -> bool:
        """Whether to order the rows: a function around the subquery may be given several (`ARRAY(SELECT ...)`)."""
        return self.ordered or bool(self.query.order_by)

    def as_term(self, builder: Any) -> Term:
        """Return the scalar subquery."""
        reads: list[Term] = []
        try:
            select, terms, outer = builder.subquery(self.query, reads=reads, ordered=self.keeps_order)
        except EmptyResultSet:
            return Term(sa.null(), self._given, constant=True)
        field = self._given if self._given is not None else terms[0].field
        element: Any = select.scalar_subquery()
        if self._given is not None:
            element = sa.type_coerce(element, self._given.sa_type)
        group = (element,) if not any(term.aggregate for term in reads) else columns_of(reads)
        return Term(element, field, joins=outer, why=terms[0].why, group=group, depends=depends(reads, outer))

    def _resolve_output_field(self) -> Any:
        fields = self.query.values_fields
        if not fields:
            return self.query.model._meta.pk
        return self.query.model._meta.get_field(fields[0])


class Exists(Subquery):
    """Whether a queryset has rows."""

    conditional_field = BooleanField()
    empty_result_set_value = False

    def __init__(self, queryset: Any, negated: bool = False, **extra: Any) -> None:
        super().__init__(queryset, **extra)
        self.negated, self.selected_rows = negated, None

    def shape(self, shape: Any) -> Any:
        """Return the key."""
        return (*super().shape(shape), self.negated)

    def __invert__(self) -> Exists:
        return Exists(self.queryset, negated=not self.negated, **self.extra)

    def as_condition(self, builder: Any, negated: bool = False) -> Condition:
        """Return EXISTS(...)."""
        found = exists(builder, self.query)
        return negate(found) if self.negated else found

    def as_term(self, builder: Any) -> Term:
        """Return EXISTS(...) as a value."""
        condition = self.as_condition(builder)
        if condition in (EVERYTHING, NOTHING):
            return Term(sa.literal(condition is EVERYTHING), BooleanField(), constant=True, nullable=False)
        known = not any(map(multiple, condition.joins))
        return condition_term(condition).replace(nullable=False, depends=condition.group if known else None)

    def _resolve_output_field(self) -> Any:
        return self.conditional_field


def exists(builder: Any, query: Any) -> Condition:
    """Return EXISTS(a query). A union has rows where one of its queries has: so each may refer to the outer row."""
    if query.is_nothing:
        return NOTHING
    if query.combined is not None and query.combined.kind == "union" and not query.is_sliced:
        return combine("OR", [exists(builder, part) for part in query.combined.queries])
    plain = not query.is_sliced and not query.distinct_fields
    reads: list[Term] = []
    try:
        select, _terms, outer = builder.subquery(query, reads=reads)
    except EmptyResultSet:
        return NOTHING
    if plain and not select._group_by_clauses and not select._having_criteria:
        select = select.with_only_columns(sa.literal_column("1"), maintain_column_froms=True)
    return Condition(select.exists(), joins=outer, group=columns_of(reads))
