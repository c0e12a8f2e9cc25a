"""Lookups of dates and times: `start__year=2024`, `start__date__gte=...`, `opens__hour__lt=9`.

A year that is compared with a plain value becomes a range of the column itself, which an
index on the column serves. Source: Django's documentation, ref/models/querysets, "Field lookups".
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any, cast

from sqlalchemy.sql.elements import ClauseElement

from ormolu.compile.conditions import Condition
from ormolu.compile.terms import Term
from ormolu.fields import DateField, DateTimeField, IntegerField, TimeField, timezones
from ormolu.query.functions import datetime as functions
from ormolu.query.lookups import (
    Exact,
    GreaterThan,
    GreaterThanOrEqual,
    LessThan,
    LessThanOrEqual,
    Lookup,
    Range,
    conclude,
)

__all__ = ["YearExact", "YearGt", "YearGte", "YearLookup", "YearLt", "YearLte", "YearRange"]

_integer = IntegerField()


class YearLookup(Lookup):
    """Base of comparisons of a year: `bounded()` compares the column with the first and last moment."""

    @classmethod
    def build(
        cls, builder: Any, lhs: Term, value: Any, owner: Any, negated: bool, relation: Any, name: str
    ) -> Condition:
        """Return the condition on the column, or for another expression's value that on the year."""
        inner, transform = lhs.inner, lhs.origin
        field: Any = None if inner is None else inner.field
        if value is None or inner is None or not isinstance(field, DateField) or is_expression(value):
            return super().build(builder, lhs, value, owner, negated, relation, name)
        bounds = bounds_of(
            transform.kind == "iso_year", isinstance(inner.field, DateTimeField), transform.tzinfo
        )
        first, last = builder.params.bind_items(owner, value, inner.type, _same, cls.prepare(bounds), 2)
        return conclude(inner, None, cls.bounded(inner.sa, first, last), negated)

    @classmethod
    def prepare(cls, bounds: Callable[[Any], list[Any]]) -> Callable[[Any], list[Any]]:
        """Return what makes the two bounds of a lookup's value."""
        return bounds

    @classmethod
    def bounded(cls, column: Any, first: Any, last: Any) -> Any:
        """Return the comparison of the column."""
        raise NotImplementedError(f"{cls.__name__} must define bounded()")


def is_expression(value: Any) -> bool:
    """Tell whether a value is computed by the database."""
    if isinstance(value, (list, tuple)):
        return any(is_expression(item) for item in cast(Any, value))
    return hasattr(value, "as_term") or isinstance(value, ClauseElement) or hasattr(value, "query")


def _same(value: Any) -> Any:
    return value


def bounds_of(iso: bool, instant: bool, tzinfo: Any) -> Callable[[Any], list[Any]]:
    """Return a function from a year to its first and last date, or moment in a time zone."""

    def bounds(value: Any) -> list[Any]:
        year = _integer.get_prep_value(value)
        if iso:
            first = dt.date.fromisocalendar(year, 1, 1)
            last = (
                dt.date.fromisocalendar(year + 1, 1, 1) - dt.timedelta(days=1) if year < 9999 else dt.date.max
            )
        else:
            first, last = dt.date(year, 1, 1), dt.date(year, 12, 31)
        if not instant:
            return [first, last]
        zone = None
        if timezones.use_tz():
            zone = timezones.get_current_timezone() if tzinfo is None else timezones.zone(tzinfo)
        return [dt.datetime.combine(first, dt.time.min, zone), dt.datetime.combine(last, dt.time.max, zone)]

    return bounds


class YearExact(YearLookup, Exact):
    """The year is this one."""

    @classmethod
    def bounded(cls, column: Any, first: Any, last: Any) -> Any:
        """Return BETWEEN."""
        return column.between(first, last)


class YearGt(YearLookup, GreaterThan):
    """The year is a later one."""

    @classmethod
    def bounded(cls, column: Any, first: Any, last: Any) -> Any:
        """Return: after the last moment."""
        return column > last


class YearGte(YearLookup, GreaterThanOrEqual):
    """The year is this or a later one."""

    @classmethod
    def bounded(cls, column: Any, first: Any, last: Any) -> Any:
        """Return: not before the first moment."""
        return column >= first


class YearLt(YearLookup, LessThan):
    """The year is an earlier one."""

    @classmethod
    def bounded(cls, column: Any, first: Any, last: Any) -> Any:
        """Return: before the first moment."""
        return column < first


class YearLte(YearLookup, LessThanOrEqual):
    """The year is this or an earlier one."""

    @classmethod
    def bounded(cls, column: Any, first: Any, last: Any) -> Any:
        """Return: not after the last moment."""
        return column <= last


class YearRange(YearLookup, Range):
    """The year is one of those from the first to the second, both included."""

    @classmethod
    def build(
        cls, builder: Any, lhs: Term, value: Any, owner: Any, negated: bool, relation: Any, name: str
    ) -> Condition:
        """Return the condition."""
        if isinstance(value, (list, tuple)) and len(cast(Any, value)) == 2 and None not in value:
            return super().build(builder, lhs, value, owner, negated, relation, name)
        return Range.build.__func__(cls, builder, lhs, value, owner, negated, relation, name)  # type: ignore[attr-defined, no-any-return]

    @classmethod
    def prepare(cls, bounds: Callable[[Any], list[Any]]) -> Callable[[Any], list[Any]]:
        """Return what makes the bounds of two years, which may be such as no date has."""

        def both(years: Any) -> list[Any]:
            first, last = (_integer.get_prep_value(year) for year in years)
            if last < dt.MINYEAR or first > dt.MAXYEAR:
                return [bounds(dt.MAXYEAR)[1], bounds(dt.MINYEAR)[0]]
            return [bounds(max(first, dt.MINYEAR))[0], bounds(min(last, dt.MAXYEAR))[1]]

        return both

    @classmethod
    def bounded(cls, column: Any, first: Any, last: Any) -> Any:
        """Return BETWEEN."""
        return column.between(first, last)


for _transform in (functions.ExtractYear, functions.ExtractIsoYear):
    for _lookup in (YearExact, YearGt, YearGte, YearLt, YearLte, YearRange):
        _transform.provide_lookup(_lookup)

for _calendar_part in (
    functions.ExtractYear, functions.ExtractMonth, functions.ExtractDay, functions.ExtractWeekDay,
    functions.ExtractIsoWeekDay, functions.ExtractWeek, functions.ExtractIsoYear, functions.ExtractQuarter,
):  # fmt: skip
    DateField.provide_lookup(_calendar_part)

for _field in (TimeField, DateTimeField):
    for _part in (functions.ExtractHour, functions.ExtractMinute, functions.ExtractSecond):
        _field.provide_lookup(_part)

DateTimeField.provide_lookup(functions.TruncDate)
DateTimeField.provide_lookup(functions.TruncTime)
