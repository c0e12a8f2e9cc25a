"""Operators and functions that databases spell differently."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.sql.elements import Grouping

from ormolu.exceptions import DatabaseError
from ormolu.fields import DecimalField, timezones
from ormolu.fields.types import DateTimeType, DateType

if TYPE_CHECKING:
    from ormolu.compile.builder import Builder
    from ormolu.compile.terms import Term

SYMBOLS = {"%%": "%"}
REAL: sa.REAL[Any] = sa.REAL()
PARTIAL = ("/", "%%", "^")
BITS = ("&", "|", "<<", ">>", "#")
MOMENTS = ("DateField", "DateTimeField", "TimeField")


def operation(builder: Builder, connector: str, lhs: Term, rhs: Term, field: Any) -> Any:
    """Return `lhs connector rhs` for the builder's database."""
    type_ = field.sa_type if field is not None else sa.types.NullType()
    if involves_time(lhs, rhs):
        return temporal(builder, connector, lhs, rhs, type_)
    left, right = typed(lhs, rhs), typed(rhs, lhs)
    if builder.vendor == "mysql" and connector in BITS:
        return mysql_bits(connector, left, right, type_)
    if connector == "/" and builder.vendor == "sqlite" and isinstance(field, DecimalField):
        left = sa.cast(left, REAL)  # SQLite keeps 3.00 as an integer, whose half would be 1
    if connector == "^":
        return sa.func.power(left, right, type_=type_)
    if connector == "#":
        return exclusive_or(builder, left, right, type_)
    symbol = SYMBOLS.get(connector, connector)
    return left.op(symbol, precedence=100, return_type=type_)(right)


def may_lack_result(vendor: str, connector: str, field: Any) -> bool:
    """Tell whether an operator between two values may give NULL.

    PostgreSQL raises an error where there is no result. Others give NULL for a division by zero, for what is no
    number (infinity less infinity, a root of a negative one), MariaDB also for a time out of range.
    """
    if vendor == "postgresql":
        return False
    kind = "" if field is None else field.get_internal_type()
    return connector in PARTIAL or kind == "FloatField" or (vendor != "sqlite" and kind in MOMENTS)


def typed(term: Term, other: Term) -> Any:
    """Return the element; a literal takes the type of the other side's column where it has none."""
    return term.sa


def exclusive_or(builder: Builder, left: Any, right: Any, type_: Any) -> Any:
    """Return the bitwise exclusive OR; SQLite has no operator for it."""
    if builder.vendor == "sqlite":
        return sa.type_coerce((left.op("|")(right)).op("-")(left.op("&")(right)), type_)
    return left.op("#" if builder.vendor == "postgresql" else "^", return_type=type_)(right)


def mysql_bits(connector: str, left: Any, right: Any, type_: Any) -> Any:
    """Return a bit operation for MySQL and MariaDB, whose result has no sign until it is cast."""
    if connector == ">>":
        found = sa.func.floor(left.op("/", precedence=100)(sa.func.power(2, right)))
    else:
        found = left.op("^" if connector == "#" else connector, precedence=100)(right)
    return sa.type_coerce(sa.cast(found, sa.BigInteger()), type_)


def involves_time(lhs: Term, rhs: Term) -> bool:
    """Tell whether dates, times or durations take part."""
    kinds = {term.field.get_internal_type() for term in (lhs, rhs) if term.field is not None}
    return bool(kinds & {"DateField", "DateTimeField", "TimeField", "DurationField"})


def temporal(builder: Builder, connector: str, lhs: Term, rhs: Term, type_: Any) -> Any:
    """Return arithmetic of dates, times and durations."""
    kinds = [term.field.get_internal_type() if term.field is not None else "" for term in (lhs, rhs)]
    if builder.vendor == "postgresql":
        left, right = cast_time(lhs, kinds[0], kinds[1]), cast_time(rhs, kinds[1], kinds[0])
        if connector == "-" and kinds == ["DateField", "DateField"]:
            # date - date is an integer of days on PostgreSQL.
            days = Grouping(left.op("-", precedence=100)(right))
            return sa.type_coerce(days.op("*")(sa.literal_column("interval '1 day'")), type_)
        element = left.op(connector, precedence=100)(right)
        if "DateField" in kinds and isinstance(type_, DateTimeType):
            # A date and an interval make a time without a zone.
            zone = dt.UTC if timezones.use_tz() else timezones.get_default_timezone()
            name = timezones.zone_name(zone).replace("'", "''")
            element = sa.func.timezone(sa.literal_column(f"'{name}'"), element)
        elif "DateField" in kinds and isinstance(type_, DateType):
            return sa.cast(element, type_)  # the day of it
        return sa.type_coerce(element, type_)
    if kinds == ["DurationField", "DurationField"] or ("DurationField" in kinds and kinds.count("") == 1):
        return lhs.sa.op(SYMBOLS.get(connector, connector), precedence=100, return_type=type_)(rhs.sa)
    if not any(kind in MOMENTS for kind in kinds):
        return scaled(connector, lhs.sa, rhs.sa, type_)
    if builder.vendor == "sqlite":
        if connector not in "+-":
            raise DatabaseError(
                f"Dates and times can be added and subtracted; {connector!r} has no meaning for them."
            )
        if connector == "-" and "DurationField" not in kinds:
            return sa.func.ormolu_time_difference(lhs.sa, rhs.sa, type_=type_)
        return sa.func.ormolu_add_duration(connector, kinds[0], kinds[1], lhs.sa, rhs.sa, type_=type_)
    return mysql_temporal(connector, kinds, lhs.sa, rhs.sa, type_)


def scaled(connector: str, left: Any, right: Any, type_: Any) -> Any:
    """Return a duration, stored as a number of microseconds, times or by a number."""
    if connector == "/":
        double: sa.Double[Any] = sa.Double()
        left = sa.cast(left, double)  # else a quotient of integers would be cut off
    return sa.type_coerce(left.op(connector, precedence=100)(right), type_)


def cast_time(term: Term, kind: str, other: str) -> Any:
    """Return an operand; a literal is cast, for its type is not known to the server."""
    if term.constant and kind:
        return sa.cast(term.sa, term.field.sa_type)
    return term.sa


def mysql_temporal(connector: str, kinds: list[str], left: Any, right: Any, type_: Any) -> Any:
    """Return arithmetic of dates and durations for MySQL and MariaDB."""
    unit: sa.ColumnElement[Any] = sa.literal_column("MICROSECOND")
    if connector == "-" and "DurationField" not in kinds:
        if "TimeField" in kinds:
            difference = of_clock(left).op("-")(of_clock(right))
            return sa.type_coerce(
                sa.cast(sa.type_coerce(difference, sa.BigInteger()), sa.BigInteger()), type_
            )
        return sa.func.timestampdiff(unit, right, left, type_=type_)
    moment, span = (right, left) if kinds[0] == "DurationField" else (left, right)
    if connector == "-":
        span = sa.literal_column("-1").op("*")(span)
    if "TimeField" in kinds:
        return sa.func.addtime(
            moment, sa.func.sec_to_time(span.op("/")(sa.literal_column("1000000"))), type_=type_
        )
    found = sa.func.timestampadd(unit, span, moment, type_=type_)
    return sa.cast(found, type_) if isinstance(type_, DateType) else found


def of_clock(time: Any) -> Any:
    """Return a time of day in microseconds, for MySQL and MariaDB."""
    return sa.func.time_to_sec(time).op("*")(sa.literal_column("1000000"))
