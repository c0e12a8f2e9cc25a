"""Functions that compare and convert.

Source: Django's documentation, ref/models/database-functions, "Comparison and conversion functions".
"""

from __future__ import annotations

import re
from typing import Any

import sqlalchemy as sa

from ormolu.compile.template import Template
from ormolu.compile.terms import Term, merge
from ormolu.fields import DateField, DateTimeField, DecimalField, JSONField
from ormolu.query.func import Func
from ormolu.query.functions import moments
from ormolu.query.values import Value

__all__ = ["Cast", "Coalesce", "Collate", "Greatest", "Least", "NullIf"]

_COLLATION = re.compile(r"^[\w-]+(\.[\w-]+)?$")
_TIMES = {"DateField": "date", "DateTimeField": "datetime", "TimeField": "time"}


class Cast(Func):
    """A value as one of another type: CAST(... AS type)."""

    function = "CAST"
    arity = 1

    def __init__(self, expression: Any, output_field: Any) -> None:
        super().__init__(expression, output_field=output_field)

    def shape(self, shape: Any) -> Any:
        """Return the key: the field counts."""
        return (*super().shape(shape), shape.item(self._given))

    def as_term(self, builder: Any) -> Term:
        """Return the cast."""
        term = builder.term(self.source_expressions[0])
        # A text that is no date is NULL where it is no error; so is a document's null, made anything else.
        nullable = term.nullable or builder.vendor != "postgresql" or isinstance(term.field, JSONField)
        return merge(cast(builder, term, self._given), self._given, [term], strict=True, nullable=nullable)


def cast(builder: Any, term: Term, field: Any) -> Any:
    """Return a term as a value of a field."""
    type_, kind = field.sa_type, field.get_internal_type()
    if kind in _TIMES:
        return cast_time(builder, term, _TIMES[kind], type_)
    if isinstance(field, JSONField) and builder.vendor != "postgresql":
        if builder.vendor == "sqlite":
            return sa.func.JSON(term.sa, type_=type_)
        return sa.func.JSON_EXTRACT(term.sa, sa.literal_column("'$'"), type_=type_)
    if isinstance(field, DecimalField) and builder.vendor == "sqlite":
        return cast_decimal(term, field)
    if getattr(type_, "collation", None):
        type_ = type(type_)(type_.length)
    return sa.type_coerce(sa.cast(term.sa, type_), field.sa_type)


def cast_time(builder: Any, term: Term, form: str, type_: Any) -> Any:
    """Return a date, time or instant; of an instant those in UTC."""
    if isinstance(term.field, DateTimeField):
        if form == "datetime":
            return sa.type_coerce(term.sa, type_)
        return moments.cast_local(builder, form, term, moments.own_zone(builder), type_)
    if builder.vendor == "sqlite":
        return moments.sql(f"ormolu_cast_time('{form}', {{}})", term.sa, type_)
    if builder.vendor == "postgresql" and form == "datetime" and isinstance(term.field, DateField):
        zone = moments.at_zone(moments.own_zone(builder))
        return moments.sql(f"(CAST({{}} AS timestamp) {zone})", term.sa, type_)
    if builder.vendor == "mysql":
        return moments.sql(f"CAST({{}} AS {form.upper()}{'' if form == 'date' else '(6)'})", term.sa, type_)
    return sa.cast(term.sa, type_)


def cast_decimal(term: Term, field: Any) -> Any:
    """Return a decimal for SQLite, which would keep more places than the type has."""
    if field.sa_type.is_wide:
        return sa.type_coerce(sa.cast(term.sa, sa.Text()), field.sa_type)
    number: Any = sa.cast(term.sa, sa.Numeric())
    if field.decimal_places is not None:
        number = sa.func.round(number, sa.literal_column(str(field.decimal_places)))
    return sa.type_coerce(number, field.sa_type)


class _Several(Func):
    """A function of two or more expressions."""

    def __init__(self, *expressions: Any, **extra: Any) -> None:
        if len(expressions) < 2:
            raise ValueError(f"{type(self).__name__} must take at least two expressions")
        super().__init__(*expressions, **extra)


class Coalesce(_Several):
    """The first value that is not NULL."""

    function = "COALESCE"

    def as_term(self, builder: Any) -> Term:
        """Return the call."""
        term = super().as_term(builder)
        return term.replace(nullable=all(part.nullable for part in self.terms(builder)))

    @property
    def empty_result_set_value(self) -> Any:
        """The value where no row is read: that of the first expression that has one, if all before it are known."""
        for part in self.get_source_expressions():
            value = getattr(part, "empty_result_set_value", NotImplemented)
            if value is not None:
                return value
        return None


class Greatest(_Several):
    """The greatest value. With a NULL among them: NULL on SQLite and MySQL; PostgreSQL passes over NULLs."""

    function = "GREATEST"

    def call(self, builder: Any, args: list[Any], type_: Any) -> Any:
        """Return the call; SQLite has MAX for this."""
        name = "MAX" if builder.vendor == "sqlite" else "GREATEST"
        return Template("greatest", [f"{name}(", *[", "] * (len(args) - 1), ")"], args, _type(type_))


class Least(_Several):
    """The smallest value. With a NULL among them: NULL on SQLite and MySQL; PostgreSQL passes over NULLs."""

    function = "LEAST"

    def call(self, builder: Any, args: list[Any], type_: Any) -> Any:
        """Return the call; SQLite has MIN for this."""
        name = "MIN" if builder.vendor == "sqlite" else "LEAST"
        return Template("least", [f"{name}(", *[", "] * (len(args) - 1), ")"], args, _type(type_))


def _type(type_: Any) -> Any:
    return sa.types.NullType() if type_ is None else type_


class NullIf(Func):
    """NULL where two values are equal, else the first."""

    function = "NULLIF"
    arity = 2


class Collate(Func):
    """A text under another collation. Raises ValueError for what can't be the name of one."""

    function = "COLLATE"
    arity = 1

    def __init__(self, expression: Any, collation: str) -> None:
        if not collation or not _COLLATION.match(collation):
            raise ValueError(f"Invalid collation name: {collation!r}.")
        super().__init__(expression)
        self.collation = collation

    def shape(self, shape: Any) -> Any:
        """Return the key: the collation counts."""
        return (*super().shape(shape), self.collation)

    def call(self, builder: Any, args: list[Any], type_: Any) -> Any:
        """Return the text with its collation."""
        name = self.collation if builder.vendor == "mysql" else f'"{self.collation}"'
        return Template("collate", ["", f" COLLATE {name}"], args, _type(type_))


def value_of(item: Any) -> Any:
    """Return a plain value as an expression."""
    return item if hasattr(item, "as_term") else Value(item)
