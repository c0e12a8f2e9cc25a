"""Dates, times and durations in SQL on SQLite: what its own date functions can't do.

A value is ISO 8601 text as the fields store it: `2024-01-01`, `10:00:00.000000`,
`2024-01-01 10:00:00.000000+00:00` (without the offset where time zones are off). Durations are microseconds.
SQLite's own functions know neither microseconds nor time zones. Any NULL gives NULL.
"""

from __future__ import annotations

import datetime as dt
import zoneinfo
from collections.abc import Callable
from functools import lru_cache
from typing import Any

__all__ = ["FUNCTIONS"]

_DAY = 86_400_000_000
_MICROSECOND = dt.timedelta(microseconds=1)
_parse = dt.datetime.fromisoformat


@lru_cache(maxsize=256)
def _zone(name: str) -> dt.tzinfo:
    if name[0] in "+-":
        sign = -1 if name[0] == "-" else 1
        return dt.timezone(sign * dt.timedelta(hours=int(name[1:3]), minutes=int(name[4:6])))
    return dt.UTC if name == "UTC" else zoneinfo.ZoneInfo(name)


def _local(text: str, zone: str) -> dt.datetime:
    """Return the wall-clock time of an instant in a zone; a text without an offset is UTC."""
    value = _parse(text)
    if value.tzinfo is None:
        value = value.replace(tzinfo=dt.UTC)
    return value.astimezone(_zone(zone))


_EXTRACT: dict[str, Callable[[dt.datetime], int]] = {
    "year": lambda value: value.year,
    "iso_year": lambda value: value.isocalendar()[0],
    "quarter": lambda value: (value.month + 2) // 3,
    "month": lambda value: value.month,
    "week": lambda value: value.isocalendar()[1],
    "week_day": lambda value: value.isoweekday() % 7 + 1,
    "iso_week_day": lambda value: value.isoweekday(),
    "day": lambda value: value.day,
    "hour": lambda value: value.hour,
    "minute": lambda value: value.minute,
    "second": lambda value: value.second,
}


def _extract(kind: str, text: str | None, zone: str) -> int | None:
    """Return a part of an instant, as the clocks and calendars of a zone show it."""
    return None if text is None else _EXTRACT[kind](_local(text, zone))


def _start_of_quarter(value: dt.datetime) -> dt.datetime:
    return value.replace(month=(value.month - 1) // 3 * 3 + 1, day=1)


def _start_of_week(value: dt.datetime) -> dt.datetime:
    return value - dt.timedelta(days=value.weekday())


_START: dict[str, Callable[[dt.datetime], dt.datetime]] = {
    "year": lambda value: value.replace(month=1, day=1),
    "quarter": _start_of_quarter,
    "month": lambda value: value.replace(day=1),
    "week": _start_of_week,
    "day": lambda value: value,
}
_CLOCK: dict[str, dict[str, int]] = {
    "hour": {"minute": 0, "second": 0, "microsecond": 0},
    "minute": {"second": 0, "microsecond": 0},
    "second": {"microsecond": 0},
}


def truncate(value: dt.datetime, kind: str) -> dt.datetime:
    """Return the beginning of the year, quarter, ... second that a wall-clock time lies in."""
    clock = _CLOCK.get(kind)
    if clock is not None:
        return value.replace(**clock)  # type: ignore[arg-type]
    return _START[kind](value.replace(hour=0, minute=0, second=0, microsecond=0, fold=0))


def _truncate(kind: str, text: str | None, zone: str, form: str) -> str | None:
    """Return the beginning of a period in a zone: as an instant in UTC, or as its local date or time."""
    if text is None:
        return None
    value = _local(text, zone)
    if kind:
        value = truncate(value, kind)
    if form == "date":
        return value.date().isoformat()
    if form == "time":
        return value.time().isoformat("microseconds")
    return value.astimezone(dt.UTC).isoformat(" ", "microseconds")


def _moment(text: str) -> dt.datetime:
    """Return a date, time or instant as a datetime. Times are on the first day there is."""
    if len(text) > 2 and text[2] == ":":
        return dt.datetime.combine(dt.date(1, 1, 1), dt.time.fromisoformat(text))
    return _parse(text)


def _difference(lhs: str | None, rhs: str | None) -> int | None:
    """Return `lhs - rhs` in microseconds."""
    if lhs is None or rhs is None:
        return None
    left, right = _moment(lhs), _moment(rhs)
    if (left.tzinfo is None) != (right.tzinfo is None):
        left, right = (v if v.tzinfo is not None else v.replace(tzinfo=dt.UTC) for v in (left, right))
    return (left - right) // _MICROSECOND


def _add(connector: str, lhs_kind: str, rhs_kind: str, lhs: Any, rhs: Any) -> str | None:
    """Return a date, time or instant and a duration, added up or subtracted.

    A date becomes an instant, as it does in SQL; a time goes round the clock.
    """
    if lhs is None or rhs is None:
        return None
    moment, span, kind = (rhs, lhs, rhs_kind) if lhs_kind == "DurationField" else (lhs, rhs, lhs_kind)
    amount = -int(span) if connector == "-" else int(span)
    if kind == "TimeField":
        time = _moment(moment)
        passed = ((time - dt.datetime.min) // _MICROSECOND + amount) % _DAY
        return (dt.datetime.min + dt.timedelta(microseconds=passed)).time().isoformat("microseconds")
    value = _parse(moment) + dt.timedelta(microseconds=amount)
    if value.tzinfo is None and _aware():
        value = value.replace(tzinfo=dt.UTC)
    return value.isoformat(" ", "microseconds")


def _aware() -> bool:
    from ormolu.conf import settings

    return bool(settings.USE_TZ)


def _now(zone: str, now: str) -> str:
    """Return the present, which is the same for a whole statement, as wall-clock time of a zone."""
    moment = dt.datetime.fromisoformat(now).replace(tzinfo=dt.UTC).astimezone(_zone(zone))
    return moment.replace(tzinfo=None).isoformat(" ", "microseconds")


def _cast(form: str, value: Any) -> str | None:
    """Return a text of any ISO form as the fields store it; None where it is none."""
    if value is None:
        return None
    try:
        found = _moment(str(value))
    except ValueError:
        return None
    if form == "date":
        return found.date().isoformat()
    if form == "time":
        return found.time().isoformat("microseconds")
    if _aware():
        found = found.replace(tzinfo=dt.UTC) if found.tzinfo is None else found.astimezone(dt.UTC)
    else:
        found = found.replace(tzinfo=None)
    return found.isoformat(" ", "microseconds")


FUNCTIONS: dict[tuple[str, int], tuple[Callable[..., Any], bool]] = {
    ("ormolu_extract", 3): (_extract, True),
    ("ormolu_truncate", 4): (_truncate, True),
    ("ormolu_time_difference", 2): (_difference, True),
    ("ormolu_add_duration", 5): (_add, True),
    ("ormolu_cast_time", 2): (_cast, True),
    ("ormolu_now", 2): (_now, True),
}
"""Function and whether equal arguments give equal results, by name and number of arguments."""
