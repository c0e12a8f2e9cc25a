"""Reading dates, times and durations from text, in the forms that people write.

Source: Django's documentation, `django.utils.dateparse`; ISO 8601.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable
from typing import TypeVar

__all__ = [
    "duration_iso_text",
    "duration_text",
    "parse_date",
    "parse_datetime",
    "parse_duration",
    "parse_time",
]

T = TypeVar("T")

_DATE = re.compile(r"(?P<year>\d{4})-(?P<month>\d{1,2})-(?P<day>\d{1,2})")
_CLOCK = r"(?P<hour>\d{1,2}):(?P<minute>\d{1,2})(?::(?P<second>\d{1,2})(?:[.,](?P<fraction>\d{1,6})\d*)?)?"
_TIME = re.compile(_CLOCK)
_DATETIME = re.compile(_DATE.pattern + r"[T ]" + _CLOCK + r"\s*(?P<zone>Z|[+-]\d{2}(?::?\d{2})?)?")

_NUMBER = r"\d+(?:[.,]\d+)?"
_DURATION = re.compile(
    r"(?:(?P<days>-?\d+) (?:days?, )?)?(?P<sign>-?)"
    r"(?:(?:(?P<hours>\d+):)(?=\d+:\d+))?(?:(?P<minutes>\d+):)?(?P<seconds>\d+)(?:[.,](?P<fraction>\d{1,6})\d*)?"
)
_ISO_DURATION = re.compile(
    rf"(?P<sign>[-+]?)P(?:(?P<days>{_NUMBER})D)?"
    rf"(?:T(?:(?P<hours>{_NUMBER})H)?(?:(?P<minutes>{_NUMBER})M)?(?:(?P<seconds>{_NUMBER})S)?)?"
)
_POSTGRES_DURATION = re.compile(
    r"(?:(?P<days>-?\d+) (?:days? ?))?"
    r"(?:(?P<sign>[-+])?(?P<hours>\d+):(?P<minutes>\d\d):(?P<seconds>\d\d)(?:\.(?P<fraction>\d{1,6}))?)?"
)


def parse_date(text: str) -> dt.date | None:
    """Return the date of "2024-2-9" or an ISO form, else None. Raises ValueError for no real date."""
    match = _DATE.fullmatch(text)
    if match is not None:
        return dt.date(*(int(part) for part in match.groups()))
    # Compact and week forms ("20240209", "2024-W06-5") are read by Python; a longer text is no date alone.
    return _iso(dt.date.fromisoformat, text)


def parse_time(text: str) -> dt.time | None:
    """Return the time of "9:05" or an ISO form, without an offset, else None. Raises ValueError."""
    match = _TIME.fullmatch(text)
    if match is not None:
        return dt.time(*_clock(match))
    found = _iso(dt.time.fromisoformat, text)
    return None if found is None else found.replace(tzinfo=None)


def parse_datetime(text: str) -> dt.datetime | None:
    """Return the datetime of "2024-2-9 9:05" or an ISO form, aware if the text has an offset, else None.

    Raises ValueError for no real date or time.
    """
    match = _DATETIME.fullmatch(text)
    if match is None:
        return _iso(dt.datetime.fromisoformat, text)
    year, month, day = (int(match[name]) for name in ("year", "month", "day"))
    return dt.datetime(year, month, day, *_clock(match), tzinfo=_zone(match["zone"]))


def _clock(match: re.Match[str]) -> tuple[int, int, int, int]:
    fraction = (match["fraction"] or "").ljust(6, "0")
    return int(match["hour"]), int(match["minute"]), int(match["second"] or 0), int(fraction)


def _zone(text: str | None) -> dt.tzinfo | None:
    if text is None:
        return None
    if text == "Z":
        return dt.UTC
    digits = text[1:].replace(":", "").ljust(4, "0")
    offset = dt.timedelta(hours=int(digits[:2]), minutes=int(digits[2:]))
    return dt.timezone(-offset if text[0] == "-" else offset)


def _iso(read: Callable[[str], T], text: str) -> T | None:
    try:
        return read(text)
    except ValueError:
        return None


def parse_duration(text: str) -> dt.timedelta | None:
    """Return the duration of "3 days, 04:05:06.7", "P3DT4H5M6.7S" or PostgreSQL's form, else None."""
    for pattern in (_DURATION, _ISO_DURATION, _POSTGRES_DURATION):
        match = pattern.fullmatch(text)
        if match is not None and any(match.groupdict().values()):
            return _duration(match.groupdict(), iso=pattern is _ISO_DURATION)
    return None


def _duration(parts: dict[str, str | None], *, iso: bool) -> dt.timedelta:
    numbers = {
        name: float((parts.get(name) or "0").replace(",", "."))
        for name in ("days", "hours", "minutes", "seconds")
    }
    fraction = int((parts.get("fraction") or "").ljust(6, "0"))
    days = dt.timedelta(days=numbers.pop("days"))
    clock = dt.timedelta(**numbers, microseconds=fraction)
    sign = -1 if parts.get("sign") == "-" else 1
    # "-P3DT4H" is minus all of it; in "3 days -04:00:00" the sign belongs to the clock.
    return sign * (days + clock) if iso else days + sign * clock


def duration_text(value: dt.timedelta) -> str:
    """Return "3 04:05:06.000007", which `parse_duration()` reads."""
    hours, rest = divmod(value.seconds, 3600)
    minutes, seconds = divmod(rest, 60)
    text = f"{hours:02}:{minutes:02}:{seconds:02}"
    if value.days:
        text = f"{value.days} {text}"
    return f"{text}.{value.microseconds:06}" if value.microseconds else text


def duration_iso_text(value: dt.timedelta) -> str:
    """Return "P3DT04H05M06S", ISO 8601's form."""
    sign, value = ("-", -value) if value < dt.timedelta(0) else ("", value)
    hours, rest = divmod(value.seconds, 3600)
    minutes, seconds = divmod(rest, 60)
    fraction = f".{value.microseconds:06}" if value.microseconds else ""
    return f"{sign}P{value.days}DT{hours:02}H{minutes:02}M{seconds:02}{fraction}S"
