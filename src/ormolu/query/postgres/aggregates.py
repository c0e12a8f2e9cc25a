"""Aggregates of PostgreSQL: arrays, JSON, bits, truth values, statistics of two variables.

ArrayAgg, JSONBAgg and StringAgg work on the other databases, too; the rest needs PostgreSQL.
Source: Django's documentation, "PostgreSQL specific aggregation functions".
"""

from __future__ import annotations

import sqlite3
import warnings
from typing import Any, ClassVar

import sqlalchemy as sa

from ormolu.compile.template import Template
from ormolu.compile.terms import Term
from ormolu.exceptions import NotSupportedError
from ormolu.fields import ArrayField, BooleanField, FloatField, IntegerField, JSONField, TextField
from ormolu.query.aggregates import Aggregate
from ormolu.query.expressions import expression_of
from ormolu.query.postgres.needs import needs_postgresql
from ormolu.query.values import Value

__all__ = [
    "ArrayAgg", "BitAnd", "BitOr", "BitXor", "BoolAnd", "BoolOr", "Corr", "CovarPop", "JSONBAgg", "RegrAvgX",
    "RegrAvgY", "RegrCount", "RegrIntercept", "RegrR2", "RegrSXX", "RegrSXY", "RegrSYY", "RegrSlope",
    "StatAggregate", "StringAgg",
]  # fmt: skip


class PostgresAggregate(Aggregate):
    """Base of aggregates that only PostgreSQL has."""

    def called(self, builder: Any, terms: list[Term]) -> tuple[Any, Any, Any, list[Term]]:
        """Return the call."""
        needs_postgresql(builder, type(self).__name__)
        return super().called(builder, terms)


class Ordered(Aggregate):
    """Base of aggregates whose result has an order, that of `order_by`."""

    allow_distinct = True
    caller: ClassVar[int] = 2  # how far away the call is that a warning is about

    def __init__(self, *expressions: Any, order_by: Any = None, ordering: Any = None, **options: Any) -> None:
        if ordering:
            warnings.warn(
                "The ordering argument is deprecated. Use order_by instead.",
                DeprecationWarning,
                stacklevel=self.caller,
            )
            if order_by:
                raise TypeError("Cannot specify both order_by and ordering.")
        super().__init__(*expressions, order_by=order_by or ordering or None, **options)

    def called(self, builder: Any, terms: list[Term]) -> tuple[Any, Any, Any, list[Term]]:
        """Return the call."""
        if self.order_by and not getattr(builder.driver, "checking", False):
            self.check_order(builder.vendor)
        return super().called(builder, terms)

    def check_order(self, vendor: str) -> None:
        """Raise NotSupportedError where such an aggregate has no order."""
        if vendor == "sqlite" and sqlite3.sqlite_version_info < (3, 44):
            raise NotSupportedError(
                f"order_by in {type(self).__name__} needs SQLite 3.44; this is {sqlite3.sqlite_version}."
            )
        if vendor == "mysql" and not isinstance(self, StringAgg):
            raise NotSupportedError(f"{type(self).__name__} has no order_by on MariaDB and MySQL.")


class Collected(Ordered):
    """Base of aggregates that are a JSON array on databases without arrays."""

    def called(self, builder: Any, terms: list[Term]) -> tuple[Any, Any, Any, list[Term]]:
        """Return the call."""
        element, field, why, parts = super().called(builder, terms)
        if builder.vendor == "sqlite":  # where the array of no rows is empty
            element = sa.func.nullif(element, sa.literal_column("'[]'"), type_=element.type)
        return element, field, why, parts

    def call(self, builder: Any, args: list[Any], type_: Any) -> Any:
        """Return the call."""
        if builder.vendor == "postgresql":
            return super().call(builder, args, type_)
        name = "JSON_ARRAYAGG" if builder.vendor == "mysql" else "json_group_array"
        return getattr(sa.func, name)(*args, type_=type_)


class ArrayAgg(Collected):
    """The values as a list, None among them; NULL where there are no rows."""

    function = "ARRAY_AGG"
    name = "ArrayAgg"
    arity = 1

    def aggregate_field(self, terms: list[Term]) -> tuple[Any, Any]:
        """A list of what the argument is."""
        if self._given is not None:
            return self._given, None
        field, why = self.field(terms)
        return (None if field is None else ArrayField(field)), why

    def _resolve_output_field(self) -> Any:
        field = super()._resolve_output_field()
        return None if field is None else ArrayField(field)


class JSONBAgg(Collected):
    """The values as a JSON array; NULL where there are no rows."""

    function = "JSONB_AGG"
    name = "JSONBAgg"
    arity = 1
    result_field = JSONField()


class StringAgg(Ordered):
    """The texts one after the other, with `delimiter` between them."""

    function = "STRING_AGG"
    name = "StringAgg"
    arity = 2
    caller = 3
    result_field = TextField()

    def __init__(self, expression: Any, delimiter: Any, **options: Any) -> None:
        between = delimiter if hasattr(delimiter, "as_term") else Value(str(delimiter))
        super().__init__(expression, between, **options)

    def called(self, builder: Any, terms: list[Term]) -> tuple[Any, Any, Any, list[Term]]:
        """Return the call, its arguments as texts."""
        if builder.vendor == "postgresql":
            terms = [term.replace(sa=sa.cast(term.sa, sa.Text())) if n == 0 and not is_text(term) else term
                     for n, term in enumerate(terms)]  # fmt: skip
        return super().called(builder, terms)

    def call(self, builder: Any, args: list[Any], type_: Any) -> Any:
        """Return the call."""
        if builder.vendor == "sqlite":
            return sa.func.group_concat(*args, type_=type_)
        if builder.vendor == "mysql":
            text, between = args
            return Template("group_concat", ["GROUP_CONCAT(", " SEPARATOR ", ")"], [text, between], type_)
        return super().call(builder, args, type_)


def is_text(term: Term) -> bool:
    """Tell whether a term is a text."""
    return isinstance(term.type, sa.String)


class BitAnd(PostgresAggregate):
    """The bits that all values have."""

    function = "BIT_AND"
    name = "BitAnd"
    arity = 1


class BitOr(PostgresAggregate):
    """The bits that one of the values has."""

    function = "BIT_OR"
    name = "BitOr"
    arity = 1


class BitXor(PostgresAggregate):
    """The bits that an odd number of values has. PostgreSQL 14."""

    function = "BIT_XOR"
    name = "BitXor"
    arity = 1


class BoolAnd(PostgresAggregate):
    """Whether all values are true."""

    function = "BOOL_AND"
    name = "BoolAnd"
    arity = 1
    result_field = BooleanField()


class BoolOr(PostgresAggregate):
    """Whether one of the values is true."""

    function = "BOOL_OR"
    name = "BoolOr"
    arity = 1
    result_field = BooleanField()


class StatAggregate(PostgresAggregate):
    """Base of statistics of a dependent variable `y` and an independent one `x`."""

    arity = 2
    result_field: Any = FloatField()

    def __init__(self, y: Any, x: Any, **options: Any) -> None:
        if not x or not y:
            raise ValueError("Both y and x must be provided.")
        super().__init__(expression_of(y), expression_of(x), **options)


class Corr(StatAggregate):
    """The correlation coefficient."""

    function = "CORR"
    name = "Corr"


class CovarPop(StatAggregate):
    """The covariance of all, or with `sample=True` that of a sample."""

    name = "CovarPop"

    def __init__(self, y: Any, x: Any, sample: bool = False, **options: Any) -> None:
        self.function = "COVAR_SAMP" if sample else "COVAR_POP"
        super().__init__(y, x, **options)
        self.sample = sample

    def shape(self, shape: Any) -> Any:
        """Return the key."""
        return (*super().shape(shape), self.sample)


class RegrAvgX(StatAggregate):
    """The mean of x."""

    function = "REGR_AVGX"
    name = "RegrAvgX"


class RegrAvgY(StatAggregate):
    """The mean of y."""

    function = "REGR_AVGY"
    name = "RegrAvgY"


class RegrCount(StatAggregate):
    """The number of rows that have both."""

    function = "REGR_COUNT"
    name = "RegrCount"
    result_field = IntegerField()
    empty_result_set_value = 0


class RegrIntercept(StatAggregate):
    """Where the line of least squares meets the axis of y."""

    function = "REGR_INTERCEPT"
    name = "RegrIntercept"


class RegrR2(StatAggregate):
    """The square of the correlation coefficient."""

    function = "REGR_R2"
    name = "RegrR2"


class RegrSlope(StatAggregate):
    """The slope of the line of least squares."""

    function = "REGR_SLOPE"
    name = "RegrSlope"


class RegrSXX(StatAggregate):
    """The sum of squares of x."""

    function = "REGR_SXX"
    name = "RegrSXX"


class RegrSXY(StatAggregate):
    """The sum of products of x and y."""

    function = "REGR_SXY"
    name = "RegrSXY"


class RegrSYY(StatAggregate):
    """The sum of squares of y."""

    function = "REGR_SYY"
    name = "RegrSYY"
