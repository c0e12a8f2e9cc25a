"""The SQL of parts and beginnings of dates and times, for each database.

`zone` is the name of a time zone, "" where a value is a wall-clock time. The zone stands in the
SQL as text: as a parameter it would make two different expressions of the same one in
SELECT and GROUP BY.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from ormolu.compile.template import Template
from ormolu.compile.terms import Term
from ormolu.fields import DateTimeField, TimeField, timezones

__all__ = ["PERIODS", "cast_local", "extract", "now", "truncate"]

PERIODS = ("year", "quarter", "month", "week", "day", "hour", "minute", "second")

_POSTGRES_PARTS = {"week_day": "DOW", "iso_week_day": "ISODOW", "iso_year": "ISOYEAR"}
_MYSQL_PARTS = {
    "week_day": "DAYOFWEEK({})",
    "iso_week_day": "WEEKDAY({}) + 1",
    "week": "WEEK({}, 3)",
    "iso_year": "TRUNCATE(YEARWEEK({}, 3), -2) / 100",
}
# Where a part stands in the text of an instant: fixed places, exact also for microseconds, which
# SQLite's own strftime() would round.
_SQLITE_PLACES = {
    "year": (1, 4),
    "month": (6, 2),
    "day": (9, 2),
    "hour": (12, 2),
    "minute": (15, 2),
    "second": (18, 2),
}
_SQLITE_WEEKS = {
    "quarter": "(CAST(substr({}, 6, 2) AS INTEGER) + 2) / 3",
    "week": "(CAST(strftime('%j', date(substr({}, 1, 10), '-3 days', 'weekday 4')) AS INTEGER) - 1) / 7 + 1",
    "iso_year": "CAST(strftime('%Y', date(substr({}, 1, 10), '-3 days', 'weekday 4')) AS INTEGER)",
    "week_day": "CAST(strftime('%w', substr({}, 1, 10)) AS INTEGER) + 1",
    "iso_week_day": "(CAST(strftime('%w', substr({}, 1, 10)) AS INTEGER) + 6) % 7 + 1",
}
_SQLITE_STARTS = {
    "year": "substr({}, 1, 4) || '-01-01'",
    "quarter": (
        "substr({}, 1, 5) || CASE WHEN substr({}, 6, 2) < '04' THEN '01' WHEN substr({}, 6, 2) < '07' THEN '04' "
        "WHEN substr({}, 6, 2) < '10' THEN '07' ELSE '10' END || '-01'"
    ),
    "month": "substr({}, 1, 7) || '-01'",
    "week": "date(substr({}, 1, 10), '-6 days', 'weekday 1')",
    "day": "substr({}, 1, 10)",
    "hour": "substr({}, 1, 13) || ':00:00.000000'",
    "minute": "substr({}, 1, 16) || ':00.000000'",
    "second": "substr({}, 1, 19) || '.000000'",
}
_SQLITE_CLOCK = {
    "hour": "substr({}, 1, 2) || ':00:00.000000'",
    "minute": "substr({}, 1, 5) || ':00.000000'",
    "second": "substr({}, 1, 8) || '.000000'",
}
_MYSQL_STARTS = {
    "year": "DATE_FORMAT({}, '%Y-01-01')",
    "quarter": "MAKEDATE(YEAR({}), 1) + INTERVAL QUARTER({}) QUARTER - INTERVAL 1 QUARTER",
    "month": "DATE_FORMAT({}, '%Y-%m-01')",
    "week": "DATE(DATE_SUB({}, INTERVAL WEEKDAY({}) DAY))",
    "day": "DATE({})",
    "hour": "DATE_FORMAT({}, '%Y-%m-%d %H:00:00')",
    "minute": "DATE_FORMAT({}, '%Y-%m-%d %H:%i:00')",
    "second": "DATE_FORMAT({}, '%Y-%m-%d %H:%i:%s')",
}


def sql(text: str, element: Any, type_: Any = None) -> Any:
    """Return SQL text with an element in each pair of braces."""
    pieces = text.split("{}")
    return Template(
        "moment", pieces, [element] * (len(pieces) - 1), type_ if type_ is not None else sa.Text()
    )


def quoted(text: str) -> str:
    """Return a name of a zone or period as an SQL literal."""
    return "'" + text.replace("'", "''") + "'"


def at_zone(zone: str) -> str:
    """Return PostgreSQL's words for a zone. An offset in quotes alone would count the other way round."""
    return f"AT TIME ZONE INTERVAL {quoted(zone)}" if zone[0] in "+-" else f"AT TIME ZONE {quoted(zone)}"


def own_zone(builder: Any) -> str:
    """Return the zone in which instants are wall-clock times where no other is asked for: UTC with USE_TZ.

    Without it they are stored as wall-clock times, which need no zone, except on PostgreSQL.
    """
    if timezones.use_tz():
        return "UTC"
    return timezones.zone_name(timezones.get_default_timezone()) if builder.vendor == "postgresql" else ""


def local(builder: Any, term: Term, zone: str) -> Any:
    """Return an instant as wall-clock time, on PostgreSQL and MySQL."""
    if not zone or (builder.vendor == "mysql" and zone == "UTC"):
        return term.sa
    if builder.vendor == "postgresql":
        return sql(f"({{}} {at_zone(zone)})", term.sa)
    return sql(f"CONVERT_TZ({{}}, '+00:00', {quoted(zone)})", term.sa)


def extract(builder: Any, kind: str, term: Term, zone: str) -> Any:
    """Return a part of a date, time, instant or duration as an integer."""
    integer = sa.Integer()
    if builder.vendor == "postgresql":
        part = _POSTGRES_PARTS.get(kind, kind.upper())
        text = f"EXTRACT({part} FROM {{}})" + (" + 1" if kind == "week_day" else "")
        if kind == "second":
            text = f"FLOOR({text})"
        return sql(f"CAST({text} AS INTEGER)", local(builder, term, zone), integer)
    if builder.vendor == "mysql":
        text = _MYSQL_PARTS.get(kind, f"EXTRACT({kind.upper()} FROM {{}})")
        return sql(f"CAST({text} AS SIGNED)", local(builder, term, zone), integer)
    if zone not in ("", "UTC"):
        return sql(f"ormolu_extract({quoted(kind)}, {{}}, {quoted(zone)})", term.sa, integer)
    if kind in _SQLITE_PLACES:
        start, length = _SQLITE_PLACES[kind]
        if isinstance(term.field, TimeField):
            start -= 11
        return sql(f"CAST(substr({{}}, {start}, {length}) AS INTEGER)", term.sa, integer)
    return sql(f"({_SQLITE_WEEKS[kind]})", term.sa, integer)


def truncate(builder: Any, kind: str, term: Term, zone: str, field: Any) -> Any:
    """Return the beginning of a period: an instant, a date or a time, as `field` is."""
    source, type_ = term.field, field.sa_type
    instant = isinstance(field, DateTimeField)
    form = "time" if isinstance(field, TimeField) else "datetime" if instant else "date"
    if builder.vendor == "postgresql":
        value = local(builder, term, zone)
        if isinstance(source, TimeField):
            return sql(f"CAST(DATE_TRUNC({quoted(kind)}, {{}}) AS time)", value, type_)
        if not isinstance(source, DateTimeField):
            value = sql("CAST({} AS timestamp)", value)
        text = f"DATE_TRUNC({quoted(kind)}, {{}})"
        if not instant:
            return sql(f"CAST({text} AS {form})", value, type_)
        return sql(f"({text} {at_zone(zone)})" if zone else text, value, type_)
    if builder.vendor == "mysql":
        return mysql_start(kind, local(builder, term, zone), zone, form, isinstance(source, TimeField), type_)
    if isinstance(source, TimeField):
        return sql(f"({_SQLITE_CLOCK[kind]})", term.sa, type_)
    if zone not in ("", "UTC"):
        text = f"ormolu_truncate({quoted(kind)}, {{}}, {quoted(zone)}, {quoted(form)})"
        return sql(text, term.sa, type_)
    return sqlite_start(kind, term.sa, zone, form, type_)


def sqlite_start(kind: str, value: Any, zone: str, form: str, type_: Any) -> Any:
    """Return the beginning of a period as text."""
    text = _SQLITE_STARTS[kind]
    clock = kind in ("hour", "minute", "second")
    if form == "date":
        return sql(f"({_SQLITE_STARTS['day'] if clock else text})", value, type_)
    if form == "time":
        return sql(f"substr({text}, 12)" if clock else "substr({}, 1, 0) || '00:00:00.000000'", value, type_)
    if not clock:
        text += " || ' 00:00:00.000000'"
    if zone:
        text += " || '+00:00'"
    return sql(f"({text})", value, type_)


def mysql_start(kind: str, value: Any, zone: str, form: str, is_time: bool, type_: Any) -> Any:
    """Return the beginning of a period for MySQL and MariaDB."""
    if is_time:
        pattern = {"hour": "%H:00:00", "minute": "%H:%i:00", "second": "%H:%i:%s"}[kind]
        return sql(f"CAST(DATE_FORMAT({{}}, '{pattern}') AS TIME(6))", value, type_)
    text = _MYSQL_STARTS[kind]
    text = f"CAST({text} AS DATETIME(6))"
    if form != "datetime":
        return sql(f"CAST({text} AS {'DATE' if form == 'date' else 'TIME(6)'})", value, type_)
    if zone not in ("", "UTC"):
        text = f"CONVERT_TZ({text}, {quoted(zone)}, '+00:00')"
    return sql(text, value, type_)


def cast_local(builder: Any, form: str, term: Term, zone: str, type_: Any) -> Any:
    """Return the date or the time of day of an instant, as the clocks of a zone show it."""
    if builder.vendor in ("postgresql", "mysql"):
        target = form if builder.vendor == "postgresql" else {"date": "DATE", "time": "TIME(6)"}[form]
        return sql(f"CAST({{}} AS {target})", local(builder, term, zone), type_)
    if zone not in ("", "UTC"):
        return sql(f"ormolu_truncate('', {{}}, {quoted(zone)}, {quoted(form)})", term.sa, type_)
    if isinstance(term.field, DateTimeField):
        return sql("substr({}, 1, 10)" if form == "date" else "substr({}, 12, 15)", term.sa, type_)
    return sql(f"ormolu_cast_time({quoted(form)}, {{}})", term.sa, type_)


def now(builder: Any, type_: Any) -> Any:
    """Return the present: an instant, or with USE_TZ off the wall-clock time of TIME_ZONE."""
    aware = timezones.use_tz()
    zone = "" if aware else timezones.zone_name(timezones.get_default_timezone())
    if builder.vendor == "postgresql":
        text = "STATEMENT_TIMESTAMP()"
    elif builder.vendor == "mysql":
        text = (
            "UTC_TIMESTAMP(6)"
            if zone in ("", "UTC")
            else f"CONVERT_TZ(UTC_TIMESTAMP(6), '+00:00', {quoted(zone)})"
        )
    elif aware:
        text = "strftime('%Y-%m-%d %H:%M:%f000+00:00', 'now')"
    else:
        text = "strftime('%Y-%m-%d %H:%M:%f000', 'now')"
        text = text if zone == "UTC" else f"ormolu_now({quoted(zone)}, {text})"
    return sql(text, None, type_)
