"""Dates, times, instants and durations.

SQLite has no such types. What is stored there is ISO 8601 text of a fixed width, so that the order of the
texts is that of the values, and one C function reads it back: `2024-01-01 10:00:00.000000+00:00` for an
instant (always UTC), the same without the offset where time zones are off. Others' texts are read as well.
"""

from __future__ import annotations

import datetime as dt
from functools import partial
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import processors

from ormolu.fields import timezones
from ormolu.fields.types.base import Processor, ValueType

__all__ = ["DateTimeType", "DateType", "DurationType", "TimeType"]

_MYSQL = ("mysql", "mariadb")
_UTC = dt.UTC
_parse = dt.datetime.fromisoformat


class DateType(ValueType):
    """DATE."""

    impl = sa.Date
    accepts = (dt.date,)

    def bind_processor(self, dialect: sa.Dialect) -> Processor | None:
        return iso_text if dialect.name == "sqlite" else None

    def result_processor(self, dialect: sa.Dialect, coltype: object) -> Processor | None:
        return processors.str_to_date if dialect.name == "sqlite" else None


class TimeType(ValueType):
    """TIME without a zone, to the microsecond."""

    impl = sa.Time
    accepts = (dt.time,)

    def load_dialect_impl(self, dialect: sa.Dialect) -> sa.types.TypeEngine[Any]:
        if dialect.name in _MYSQL:
            from sqlalchemy.dialects.mysql import TIME

            return dialect.type_descriptor(TIME(fsp=6))
        return dialect.type_descriptor(sa.Time())

    def bind_processor(self, dialect: sa.Dialect) -> Processor | None:
        return time_text if dialect.name == "sqlite" else None

    def result_processor(self, dialect: sa.Dialect, coltype: object) -> Any:
        if dialect.name == "sqlite":
            return processors.str_to_time
        if dialect.name not in _MYSQL:
            return None
        return self._inner_result_processor(dialect, coltype)


class DateTimeType(ValueType):
    """An instant (stored and read as UTC) where `settings.USE_TZ` is on, else a wall-clock time.

    PostgreSQL's column has a time zone in both cases, so the setting may change without a migration: a wall-clock
    time is one of TIME_ZONE. Source: Django's documentation, "Time zones", "PostgreSQL".
    """

    impl = sa.DateTime
    accepts = (dt.datetime,)

    def load_dialect_impl(self, dialect: sa.Dialect) -> sa.types.TypeEngine[Any]:
        if dialect.name in _MYSQL:
            from sqlalchemy.dialects.mysql import DATETIME

            return dialect.type_descriptor(DATETIME(fsp=6))
        return dialect.type_descriptor(
            sa.DateTime(timezone=dialect.name == "postgresql" or timezones.use_tz())
        )

    def bind_processor(self, dialect: sa.Dialect) -> Processor | None:
        aware = timezones.use_tz()
        if dialect.name == "sqlite":
            return utc_text if aware else naive_text
        if dialect.name in _MYSQL:
            return _naive_utc if aware else partial(_refuse_aware, backend="MySQL")
        return made_aware if aware or dialect.name == "postgresql" else _local

    def result_processor(self, dialect: sa.Dialect, coltype: object) -> Processor | None:
        aware = timezones.use_tz()
        if dialect.name == "sqlite":
            return read_utc if aware else processors.str_to_datetime
        if dialect.name == "postgresql" and not aware:
            return partial(wall_clock, zone=timezones.get_default_timezone())
        return _as_utc if aware and dialect.name in _MYSQL else None


class DurationType(ValueType):
    """INTERVAL on PostgreSQL, microseconds as a BIGINT elsewhere."""

    impl = sa.BigInteger
    accepts = (dt.timedelta,)

    def load_dialect_impl(self, dialect: sa.Dialect) -> sa.types.TypeEngine[Any]:
        if dialect.name == "postgresql":
            from sqlalchemy.dialects.postgresql import INTERVAL

            return dialect.type_descriptor(INTERVAL())
        return dialect.type_descriptor(sa.BigInteger())

    def bind_processor(self, dialect: sa.Dialect) -> Processor | None:
        return None if dialect.name == "postgresql" else _microseconds

    def result_processor(self, dialect: sa.Dialect, coltype: object) -> Processor | None:
        return None if dialect.name == "postgresql" else _duration

    def literal_processor(self, dialect: sa.Dialect) -> Any:
        if dialect.name != "postgresql":
            return super().literal_processor(dialect)
        return _interval_literal


def _interval_literal(value: dt.timedelta) -> str:
    return f"'{value.days} days {value.seconds} seconds {value.microseconds} microseconds'::interval"


def iso_text(value: dt.date | None) -> str | None:
    """Return a date as SQLite stores it."""
    return None if value is None else value.isoformat()


def time_text(value: dt.time | None) -> str | None:
    """Return a time of day as SQLite stores it. Raises ValueError for an aware one."""
    if value is None:
        return None
    if value.tzinfo is not None:
        raise ValueError("SQLite backend does not support timezone-aware times.")
    return value.isoformat("microseconds")


def utc_text(value: dt.datetime | None) -> str | None:
    """Return an instant as SQLite stores it: in UTC."""
    if value is None:
        return None
    if value.tzinfo is None:
        value = timezones.make_aware(value)
    return value.astimezone(_UTC).isoformat(" ", "microseconds")


def naive_text(value: dt.datetime | None) -> str | None:
    """Return a wall-clock time as SQLite stores it. Raises ValueError for an aware one."""
    if value is None:
        return None
    if value.tzinfo is not None:
        _refuse_aware(value, backend="SQLite")
    return value.isoformat(" ", "microseconds")


def _refuse_aware(value: dt.datetime | None, *, backend: str) -> dt.datetime | None:
    if value is not None and value.tzinfo is not None:
        raise ValueError(f"{backend} backend does not support timezone-aware datetimes when USE_TZ is False.")
    return value


def read_utc(text: str | None) -> dt.datetime | None:
    """Return the aware value of a stored text; one without an offset is UTC."""
    if text is None:
        return None
    value = _parse(text)
    return value if value.tzinfo is not None else value.replace(tzinfo=_UTC)


def made_aware(value: dt.datetime | None) -> dt.datetime | None:
    """Return a naive value as one in TIME_ZONE, and an aware one as it is."""
    if value is None or value.tzinfo is not None:
        return value
    return timezones.make_aware(value)


def _local(value: dt.datetime | None) -> dt.datetime | None:
    """Return an aware value as wall-clock time in the default zone: the column would just drop its offset."""
    if value is None or value.tzinfo is None:
        return value
    return timezones.make_naive(value, timezones.get_default_timezone())


def wall_clock(value: dt.datetime | None, *, zone: dt.tzinfo) -> dt.datetime | None:
    """Return an aware value as wall-clock time of a zone."""
    if value is None or value.tzinfo is None:
        return value
    return value.astimezone(zone).replace(tzinfo=None)


def _naive_utc(value: dt.datetime | None) -> dt.datetime | None:
    value = made_aware(value)
    return None if value is None else value.astimezone(_UTC).replace(tzinfo=None)


def _as_utc(value: dt.datetime | None) -> dt.datetime | None:
    return None if value is None else value.replace(tzinfo=_UTC)


def _microseconds(value: dt.timedelta | None) -> int | None:
    if value is None:
        return None
    return (value.days * 86_400 + value.seconds) * 1_000_000 + value.microseconds


def _duration(value: int | None) -> dt.timedelta | None:
    return None if value is None else dt.timedelta(0, 0, value)
