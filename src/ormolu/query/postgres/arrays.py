"""Lookups and transforms of ArrayField: contains, contained_by, overlap, len, `tags__0`, `tags__0_2`; ArraySubquery.

PostgreSQL has operators for them. Elsewhere an array is JSON text, and what `json_arrays` can say of that is said.
Source: Django's documentation, "Querying ArrayField"; PostgreSQL's documentation, "Array Functions and Operators".
"""

from __future__ import annotations

import re
from typing import Any, ClassVar, cast

import sqlalchemy as sa

from ormolu.compile.conditions import Condition
from ormolu.compile.template import Template
from ormolu.compile.terms import Term, merge
from ormolu.fields import ArrayField, IntegerField
from ormolu.query import lookups
from ormolu.query.lookups import Lookup, conclude, operand
from ormolu.query.postgres import json_arrays
from ormolu.query.postgres.needs import is_expression, needs_postgresql
from ormolu.query.subqueries import Subquery
from ormolu.query.transforms import Resolved, Transform

SLICE = re.compile(r"(\d+)_(\d+)", re.ASCII)
"""How two indexes are written in a name."""

__all__ = [
    "ArrayContainedBy", "ArrayContains", "ArrayExact", "ArrayLenTransform", "ArrayOverlap", "ArraySubquery",
    "IndexTransform", "SliceTransform",
]  # fmt: skip


def constructed(builder: Any, lhs: Term, items: Any) -> Term:
    """Return an array of which some items are expressions."""
    needs_postgresql(builder, "A list with expressions in it, which an array is compared with,")
    from sqlalchemy.dialects.postgresql import array

    each = lhs.replace(sa=lhs.sa, field=lhs.field.base_field)
    terms = [operand(builder, each, item, item, None) for item in items]
    made: Any = array([term.sa for term in terms])
    return merge(sa.cast(made, lhs.type), lhs.field, terms, strict=False, nullable=False)


class ArrayLookup(Lookup):
    """Base of lookups with an array on both sides: what is computed is cast to the type of the left one."""

    @classmethod
    def operand(cls, builder: Any, lhs: Term, value: Any, owner: Any, relation: Any) -> Term:
        """Return the right-hand side."""
        if isinstance(value, (list, tuple)) and any(map(is_expression, cast(Any, value))):
            return constructed(builder, lhs, value)
        rhs = operand(builder, lhs, value, owner, relation, prepare=cls.prepare_rhs)
        if is_expression(value) and builder.vendor == "postgresql":
            return rhs.replace(sa=sa.cast(rhs.sa, lhs.type))
        return rhs


class ArrayExact(ArrayLookup, lookups.Exact):
    """The arrays are equal; None means IS NULL."""

    @classmethod
    def element(cls, builder: Any, lhs: Term, rhs: Term, owner: Any) -> Any:
        """Return equality; texts that SQLite has computed are brought to one form."""
        if builder.vendor == "sqlite" and (lhs.origin is not None or not rhs.constant):
            return sa.func.json(lhs.sa) == sa.func.json(rhs.sa)
        return lhs.sa == rhs.sa


class ArrayGreaterThan(ArrayLookup, lookups.GreaterThan):
    """The array comes after the other one: the first items that differ decide."""


class ArrayGreaterThanOrEqual(ArrayLookup, lookups.GreaterThanOrEqual):
    """The array is equal to the other one, or comes after it."""


class ArrayLessThan(ArrayLookup, lookups.LessThan):
    """The array comes before the other one."""


class ArrayLessThanOrEqual(ArrayLookup, lookups.LessThanOrEqual):
    """The array is equal to the other one, or comes before it."""


class ArrayOperator(ArrayLookup):
    """Base of lookups that are an operator on PostgreSQL."""

    symbol: ClassVar[str]

    @classmethod
    def element(cls, builder: Any, lhs: Term, rhs: Term, owner: Any) -> Any:
        """Return the operator, or what says the same of JSON text."""
        if builder.vendor == "postgresql":
            return lhs.sa.op(cls.symbol, is_comparison=True, return_type=sa.Boolean())(rhs.sa)
        return json_arrays.condition(builder, cls.lookup_name, lhs.sa, rhs.sa)


class ArrayContains(ArrayOperator):
    """The array has all of the items."""

    lookup_name = "contains"
    symbol = "@>"


class ArrayContainedBy(ArrayOperator):
    """The array has no items but these."""

    lookup_name = "contained_by"
    symbol = "<@"


class ArrayOverlap(ArrayOperator):
    """The array has one of the items; of a queryset's arrays, with one of these."""

    lookup_name = "overlap"
    symbol = "&&"

    @classmethod
    def build(
        cls, builder: Any, lhs: Term, value: Any, owner: Any, negated: bool, relation: Any, name: str
    ) -> Condition:
        """Return the condition."""
        if not hasattr(value, "query") or not hasattr(value, "model"):
            return super().build(builder, lhs, value, owner, negated, relation, name)
        needs_postgresql(builder, "The lookup 'overlap' with a queryset")
        lookups.check_same_database(builder, value)
        select, terms, outer = builder.subquery(value.query, relation=relation)
        if len(terms) != 1:
            raise ValueError(
                f"The QuerySet value for an 'overlap' lookup must have 1 selected field (received {len(terms)})"
            )
        among = sa.any_(select.scalar_subquery())
        found = conclude(
            lhs, None, lhs.sa.op("&&", is_comparison=True, return_type=sa.Boolean())(among), negated
        )
        found.joins |= outer
        return found


class ArrayLenTransform(Transform):
    """The number of items; 0 of an empty array."""

    lookup_name = "len"
    output_field = IntegerField()

    def transformed(self, builder: Any, terms: list[Term]) -> Term:
        """Return the length of the first dimension."""
        (term,) = terms
        if builder.vendor == "postgresql":
            # Of an empty array array_length() is NULL, and cardinality() 0; of NULL both are NULL.
            element: Any = sa.func.coalesce(
                sa.func.array_length(term.sa, sa.literal_column("1")), sa.func.cardinality(term.sa)
            )
        else:
            element = json_arrays.length(builder, term.sa)
        return merge(sa.type_coerce(element, sa.Integer()), self._given, terms, strict=True)


class IndexTransform(Transform):
    """One item, counted from 1 as PostgreSQL does: what `tags__0` becomes."""

    arity = None

    def __init__(self, index: int, base_field: Any, *expressions: Any, **extra: Any) -> None:
        super().__init__(*expressions, **extra)
        self.index = index
        self.base_field = base_field() if isinstance(base_field, type) else base_field
        self._given = self.base_field

    def shape(self, shape: Any) -> Any:
        """Return the key."""
        return (*super().shape(shape), self.index, shape.item(self.base_field))

    def transformed(self, builder: Any, terms: list[Term]) -> Term:
        """Return the item. What is taken of an item of a nested array is one subscript after the other."""
        (term,) = terms
        if builder.vendor == "postgresql":
            pieces = ["", f"[{self.index}]"] if isinstance(term.origin, IndexTransform) else None
            pieces = pieces or ["(", f")[{self.index}]"]
            element: Any = Template("item", pieces, [term.sa], self.base_field.sa_type)
        else:
            element = json_arrays.item(builder, term.sa, self.index - 1, self.base_field.sa_type)
        return merge(element, self.base_field, terms, strict=True, nullable=True)


class SliceTransform(Transform):
    """Some items, from and to numbers that PostgreSQL counts from 1: what `tags__0_2` becomes."""

    arity = None

    def __init__(self, start: int, end: int | None, *expressions: Any, **extra: Any) -> None:
        super().__init__(*expressions, **extra)
        self.start, self.end = start, end

    def shape(self, shape: Any) -> Any:
        """Return the key."""
        return (*super().shape(shape), self.start, self.end)

    def transformed(self, builder: Any, terms: list[Term]) -> Term:
        """Return the items."""
        (term,) = terms
        return merge(
            slice_of(builder, term.sa, self.start, self.end, term.type),
            term.field,
            terms,
            why=term.why,
            strict=True,
        )


def slice_of(builder: Any, element: Any, start: int, end: int | None, type_: Any) -> Any:
    """Return the items of an array from `start` to `end`, both included, counted from 1."""
    if builder.vendor == "postgresql":
        to = "" if end is None else str(end)
        return Template("slice", ["(", f")[{start}:{to}]"], [element], type_)
    return json_arrays.part(builder, element, start - 1, end, type_)


class _Factory:
    """Makes the transforms of one number: what a field returns for a name that is no lookup."""

    is_transform = True

    def __init__(self, cls: type[Transform], *numbers: Any) -> None:
        self.cls, self.numbers = cls, numbers

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        made: Any = self.cls
        return made(*self.numbers, *args, **kwargs)

    def apply(self, builder: Any, term: Term) -> Term:
        """Return the transform of a term."""
        return self(Resolved.of(term)).as_term(builder)  # type: ignore[no-any-return]


def numbered(field: Any, name: str) -> Any:
    """Return the transform that a name stands for: an index, two that are a slice, or None."""
    if name.isdecimal():
        return _Factory(IndexTransform, int(name) + 1, field.base_field)
    found = SLICE.fullmatch(name)
    return None if found is None else _Factory(SliceTransform, int(found[1]) + 1, int(found[2]))


class _Rows(Subquery):
    """The rows of a subquery, in their order."""

    ordered = True


class ArraySubquery(Subquery):
    """The values of a queryset's one column, as an array, for each row of the enclosing query. PostgreSQL."""

    def as_term(self, builder: Any) -> Term:
        """Return ARRAY(SELECT ...)."""
        needs_postgresql(builder, "ArraySubquery")
        inner = _Rows(self.queryset).as_term(builder)
        field = self._given
        if field is None:
            field = ArrayField(inner.output_field)
        # SQLAlchemy puts a scalar subquery into parentheses, which are the constructor's, too.
        element = Template("array", ["ARRAY", ""], [inner.sa], field.sa_type)
        return inner.replace(sa=element, field=field, nullable=False)

    def _resolve_output_field(self) -> Any:
        return ArrayField(super()._resolve_output_field())


for _lookup in (
    ArrayExact, ArrayGreaterThan, ArrayGreaterThanOrEqual, ArrayLessThan, ArrayLessThanOrEqual, ArrayContains,
    ArrayContainedBy, ArrayOverlap, ArrayLenTransform,
):  # fmt: skip
    ArrayField.provide_lookup(_lookup)

ArrayField.transform_for_number = numbered
ArrayField.slice_element = staticmethod(slice_of)
