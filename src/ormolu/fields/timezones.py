"""Time zones: the default one (`settings.TIME_ZONE`), the current one, and conversions.

Source: Django's documentation, "Time zones" and `django.utils.timezone`.
"""

from __future__ import annotations

import datetime as dt
import zoneinfo
from collections.abc import Generator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import lru_cache
from typing import Any

__all__ = [
    "activate",
    "current_zone",
    "deactivate",
    "get_current_timezone",
    "get_default_timezone",
    "is_aware",
    "is_naive",
    "localtime",
    "make_aware",
    "make_naive",
    "now",
    "override",
    "use_tz",
    "zone",
    "zone_name",
]

_current: ContextVar[dt.tzinfo | None] = ContextVar("ormolu_timezone", default=None)


def use_tz() -> bool:
    """Return whether datetimes are aware (`settings.USE_TZ`)."""
    from ormolu.conf import settings

    return bool(settings.USE_TZ)


@lru_cache(maxsize=64)
def _named(name: str) -> dt.tzinfo:
    return dt.UTC if name == "UTC" else zoneinfo.ZoneInfo(name)


def zone(value: dt.tzinfo | str) -> dt.tzinfo:
    """Return the zone of that name. Raises zoneinfo.ZoneInfoNotFoundError."""
    return _named(value) if isinstance(value, str) else value


def get_default_timezone() -> dt.tzinfo:
    """Return the zone of `settings.TIME_ZONE`."""
    from ormolu.conf import settings

    return zone(settings.TIME_ZONE or "UTC")


def get_current_timezone() -> dt.tzinfo:
    """Return the zone that was activated in this task or thread, else the default one."""
    return _current.get() or get_default_timezone()


def zone_name(timezone: dt.tzinfo) -> str:
    """Return the name by which databases know a zone: `Europe/Berlin`, `UTC`, or an offset as `+05:30`."""
    if timezone is dt.UTC:
        return "UTC"
    name = getattr(timezone, "key", None) or getattr(timezone, "zone", None)
    if isinstance(name, str):
        return name
    offset = timezone.utcoffset(None)
    if offset is None:
        raise ValueError(f"{timezone!r} has neither a name nor a fixed offset: use zoneinfo.ZoneInfo.")
    minutes = int(offset.total_seconds()) // 60
    return f"{'-' if minutes < 0 else '+'}{abs(minutes) // 60:02}:{abs(minutes) % 60:02}"


def current_zone() -> str:
    """Return the name of the current zone, "" where `settings.USE_TZ` is off."""
    return zone_name(get_current_timezone()) if use_tz() else ""


def activate(timezone: dt.tzinfo | str) -> None:
    """Make `timezone` the current one in this task or thread."""
    _current.set(zone(timezone))


def deactivate() -> None:
    """Make the default zone the current one again."""
    _current.set(None)


@contextmanager
def override(timezone: dt.tzinfo | str | None) -> Generator[None]:
    """Make `timezone` (None: the default one) the current zone inside a block."""
    token = _current.set(None if timezone is None else zone(timezone))
    try:
        yield
    finally:
        _current.reset(token)


def now() -> dt.datetime:
    """Return the present time: aware, in UTC, where USE_TZ is on, else naive local time of TIME_ZONE."""
    if use_tz():
        return dt.datetime.now(dt.UTC)
    return dt.datetime.now(get_default_timezone()).replace(tzinfo=None)


def is_aware(value: dt.datetime | dt.time) -> bool:
    """Return whether a value knows its offset from UTC."""
    return value.utcoffset() is not None


def is_naive(value: dt.datetime | dt.time) -> bool:
    """Return whether a value doesn't know its offset from UTC."""
    return value.utcoffset() is None


def make_aware(value: dt.datetime, timezone: dt.tzinfo | None = None) -> dt.datetime:
    """Return a naive value as one in `timezone`, by default TIME_ZONE. Raises ValueError for an aware one."""
    if is_aware(value):
        raise ValueError(f"make_aware expects a naive datetime, got {value}")
    return value.replace(tzinfo=timezone or get_default_timezone())


def make_naive(value: dt.datetime, timezone: dt.tzinfo | None = None) -> dt.datetime:
    """Return an aware value as wall-clock time in `timezone` (default: current). Raises ValueError."""
    if is_naive(value):
        raise ValueError("make_naive() cannot be applied to a naive datetime")
    return value.astimezone(timezone or get_current_timezone()).replace(tzinfo=None)


def localtime(value: dt.datetime | None = None, timezone: dt.tzinfo | None = None) -> Any:
    """Return an aware value (default: the present) in `timezone` (default: the current one)."""
    value = now() if value is None else value
    if is_naive(value):
        raise ValueError("localtime() cannot be applied to a naive datetime")
    return value.astimezone(timezone or get_current_timezone())
