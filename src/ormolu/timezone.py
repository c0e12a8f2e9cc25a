"""The current time zone, and datetimes in it. Source: Django's documentation, ref/utils, "django.utils.timezone"."""

from ormolu.fields.timezones import (
    activate,
    deactivate,
    get_current_timezone,
    get_default_timezone,
    is_aware,
    is_naive,
    localtime,
    make_aware,
    make_naive,
    now,
    override,
)

__all__ = [
    "activate",
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
]
