"""Arithmetic of dates, times and durations for SQLite, which has texts and numbers in their place.

Moments are texts as the column types store them, durations are whole microseconds. NULL makes NULL; so does
a result that no date can hold.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

__all__ = ["add_duration", "time_difference"]

_DAY = 86_400_000_000
_MICROSECOND = dt.timedelta(microseconds=1)


def add_duration(connector: str, left_kind: str, right_kind: str, left: Any, right: Any) -> str | None:
    """Return a moment plus or minus a duration; one of the two operands is a DurationField's number."""
    if left is None or right is None:
        return None
    text, span, kind = (right, left, right_kind) if left_kind == "DurationField" else (left, right, left_kind)
    if connector == "-":
        span = -span
    if kind == "TimeField" or (isinstance(text, str) and "-" not in text):
        return _time_text((_microseconds_of_day(text) + span) % _DAY)
    moment = _moment(text)
    try:
        moved = moment + dt.timedelta(microseconds=span)
    except OverflowError:
        return None
    if kind == "DateField" and not (moved.hour or moved.minute or moved.second or moved.microsecond):
        return moved.date().isoformat()  # which compares with other dates as it should
    return moved.isoformat(" ", "microseconds")


def time_difference(left: Any, right: Any) -> int | None:
    """Return the microseconds from one moment, or time of day, to another."""
    if left is None or right is None:
        return None
    if "-" not in str(left):
        return _microseconds_of_day(left) - _microseconds_of_day(right)
    one, other = _moment(left), _moment(right)
    if one.tzinfo is None or other.tzinfo is None:
        one, other = one.replace(tzinfo=None), other.replace(tzinfo=None)
    return (one - other) // _MICROSECOND


def _moment(text: Any) -> dt.datetime:
    return dt.datetime.fromisoformat(str(text))


def _microseconds_of_day(text: Any) -> int:
    time = dt.time.fromisoformat(str(text))
    return ((time.hour * 60 + time.minute) * 60 + time.second) * 1_000_000 + time.microsecond


def _time_text(microseconds: int) -> str:
    return (dt.datetime.min + dt.timedelta(microseconds=microseconds)).time().isoformat("microseconds")
