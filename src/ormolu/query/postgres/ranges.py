"""Lookups and transforms of range fields, and `contained_by` of numbers, dates and times.

Source: Django's documentation, "Querying Range Fields"; PostgreSQL's documentation, "Range Functions and Operators".
"""

from __future__ import annotations

from typing import Any, ClassVar, cast

import sqlalchemy as sa

from ormolu.compile.terms import Term, merge
from ormolu.fields import BooleanField, DateField, DateTimeField, DecimalField, FloatField, IntegerField
from ormolu.fields.ranges import (
    BigIntegerRangeField,
    DateRangeField,
    DateTimeRangeField,
    DecimalRangeField,
    IntegerRangeField,
    RangeField,
)
from ormolu.fields.types.ranges import is_range
from ormolu.query.func import Func
from ormolu.query.lookups import Lookup, operand
from ormolu.query.postgres.needs import is_expression, needs_postgresql
from ormolu.query.transforms import Transform

__all__ = [
    "AdjacentToLookup", "ContainedBy", "ContainedByRange", "Contains", "EndsWith", "FullyGreaterThan",
    "FullyLessThan", "IsEmpty", "LowerInclusive", "LowerInfinite", "NotGreaterThan", "NotLessThan", "Overlap",
    "RangeBoundary", "RangeStartsWith", "UpperInclusive", "UpperInfinite",
]  # fmt: skip


WHY = "; elsewhere they are stored as text"


class RangeLookup(Lookup):
    """Base of lookups that are an operator between two ranges."""

    symbol: ClassVar[str]

    @classmethod
    def element(cls, builder: Any, lhs: Term, rhs: Term, owner: Any) -> Any:
        """Return the operator."""
        needs_postgresql(builder, f"The lookup {cls.lookup_name!r} of ranges", WHY)
        return lhs.sa.op(cls.symbol, is_comparison=True, return_type=sa.Boolean())(rhs.sa)


class Contains(RangeLookup):
    """The range contains another one, or a single value."""

    lookup_name = "contains"
    symbol = "@>"

    @classmethod
    def operand(cls, builder: Any, lhs: Term, value: Any, owner: Any, relation: Any) -> Term:
        """Return the right-hand side: a range, or a value of the kind of its ends."""
        base = lhs.field.base_field
        if is_expression(value):
            rhs = operand(builder, lhs, value, owner, relation)
            if rhs.field is None or isinstance(rhs.field, RangeField):
                return rhs
            return rhs.replace(sa=sa.cast(rhs.sa, base.sa_type))
        if is_range(value) or isinstance(value, (list, tuple)):
            return operand(builder, lhs, value, owner, relation)
        bound = builder.params.bind(owner, value, base.sa_type, base.get_prep_value)
        return Term(sa.cast(bound, base.sa_type), base, constant=True, nullable=False)


class ContainedBy(RangeLookup):
    """The range lies within another one."""

    lookup_name = "contained_by"
    symbol = "<@"


class Overlap(RangeLookup):
    """The ranges have points in common."""

    lookup_name = "overlap"
    symbol = "&&"


class FullyLessThan(RangeLookup):
    """All points of the range are less than those of the other one."""

    lookup_name = "fully_lt"
    symbol = "<<"


class FullyGreaterThan(RangeLookup):
    """All points of the range are greater than those of the other one."""

    lookup_name = "fully_gt"
    symbol = ">>"


class NotLessThan(RangeLookup):
    """No point of the range is less than all of the other one."""

    lookup_name = "not_lt"
    symbol = "&>"


class NotGreaterThan(RangeLookup):
    """No point of the range is greater than all of the other one."""

    lookup_name = "not_gt"
    symbol = "&<"


class AdjacentToLookup(RangeLookup):
    """The one begins where the other ends."""

    lookup_name = "adjacent_to"
    symbol = "-|-"


def range_of(field: Any) -> tuple[type[RangeField[Any]], Any]:
    """Return the field of the ranges that a field's values may lie in, and what to cast these to, or None."""
    kind: str = field.get_internal_type()
    if kind in ("DateField", "DateTimeField"):
        return (DateRangeField if kind == "DateField" else DateTimeRangeField), None
    if kind in ("FloatField", "DecimalField"):
        return DecimalRangeField, sa.Numeric() if kind == "FloatField" else None
    if "Big" in kind:
        return BigIntegerRangeField, None
    return IntegerRangeField, sa.Integer() if "Small" in kind else None


class ContainedByRange(Lookup):
    """The value lies within a range: `age__contained_by=Range(18, 65)`."""

    lookup_name = "contained_by"

    @classmethod
    def operand(cls, builder: Any, lhs: Term, value: Any, owner: Any, relation: Any) -> Term:
        """Return the range."""
        field = range_of(lhs.field)[0]()
        field.set_attributes_from_name(getattr(lhs.field, "name", None) or "value")
        if is_expression(value):
            return operand(builder, lhs, value, owner, relation)
        bound = builder.params.bind(owner, value, field.sa_type, field.get_prep_value)
        return Term(bound, field, constant=True, nullable=False)

    @classmethod
    def element(cls, builder: Any, lhs: Term, rhs: Term, owner: Any) -> Any:
        """Return the operator."""
        needs_postgresql(builder, "The lookup 'contained_by'", WHY)
        type_ = range_of(lhs.field)[1]
        left = lhs.sa if type_ is None else sa.cast(lhs.sa, type_)
        return left.op("<@", is_comparison=True, return_type=sa.Boolean())(rhs.sa)


class RangeTransform(Transform):
    """Base of functions of a range."""

    def transformed(self, builder: Any, terms: list[Term]) -> Term:
        """Return the call."""
        needs_postgresql(builder, f"The transform {self.lookup_name!r} of ranges", WHY)
        field: Any = self._given if self._given is not None else getattr(terms[0].field, "base_field", None)
        element = getattr(sa.func, cast(str, self.function))(
            terms[0].sa, type_=None if field is None else field.sa_type
        )
        # An end that is infinite is NULL.
        return merge(element, field, terms, strict=True, nullable=True)


class RangeStartsWith(RangeTransform):
    """The lower end."""

    lookup_name = "startswith"
    function = "lower"


class EndsWith(RangeTransform):
    """The upper end."""

    lookup_name = "endswith"
    function = "upper"


class IsEmpty(RangeTransform):
    """Whether the range has no points."""

    lookup_name = "isempty"
    function = "isempty"
    output_field = BooleanField()


class LowerInclusive(RangeTransform):
    """Whether the lower end belongs to the range."""

    lookup_name = "lower_inc"
    function = "lower_inc"
    output_field = BooleanField()


class LowerInfinite(RangeTransform):
    """Whether the range has no lower end."""

    lookup_name = "lower_inf"
    function = "lower_inf"
    output_field = BooleanField()


class UpperInclusive(RangeTransform):
    """Whether the upper end belongs to the range."""

    lookup_name = "upper_inc"
    function = "upper_inc"
    output_field = BooleanField()


class UpperInfinite(RangeTransform):
    """Whether the range has no upper end."""

    lookup_name = "upper_inf"
    function = "upper_inf"
    output_field = BooleanField()


class RangeBoundary(Func):
    """The bounds of a range as SQL functions take them, such as `TsTzRange("start", "end", RangeBoundary())`."""

    def __init__(self, inclusive_lower: bool = True, inclusive_upper: bool = False) -> None:
        super().__init__()
        self.lower = "[" if inclusive_lower else "("
        self.upper = "]" if inclusive_upper else ")"

    def as_term(self, builder: Any) -> Term:
        """Return the text of the bounds."""
        return Term(sa.literal_column(f"'{self.lower}{self.upper}'"), None, constant=True, nullable=False)


for _lookup in (
    Contains, ContainedBy, Overlap, FullyLessThan, FullyGreaterThan, NotLessThan, NotGreaterThan,
    AdjacentToLookup, RangeStartsWith, EndsWith, IsEmpty, LowerInclusive, LowerInfinite, UpperInclusive,
    UpperInfinite,
):  # fmt: skip
    RangeField.provide_lookup(_lookup)
for _field in (IntegerField, FloatField, DecimalField, DateField, DateTimeField):
    _field.provide_lookup(ContainedByRange)
