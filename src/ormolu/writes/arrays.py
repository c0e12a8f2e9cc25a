"""Columns of many rows as PostgreSQL's arrays.

asyncpg writes lists itself, and fast. psycopg goes through each one in Python, twice; for the usual classes of values
an array's text is made here, several times faster, and the cast that stands in the statement reads it.
Source: PostgreSQL's documentation, "Arrays", "Array Value Input".
"""

from __future__ import annotations

import datetime
import decimal
import uuid
from collections.abc import Callable, Iterable, Sequence
from typing import Any

__all__ = ["array_maker"]

Columns = Iterable[Sequence[Any]]

_NONE = type(None)


def array_maker(driver: Any) -> Callable[[Columns], tuple[Any, ...]]:
    """Return the function that makes parameters of columns: one array of each."""
    return _texts if driver.dialect.driver == "psycopg" else _lists


def _lists(columns: Columns) -> tuple[Any, ...]:
    return tuple(map(list, columns))


def _texts(columns: Columns) -> tuple[Any, ...]:
    return tuple(map(_text, columns))


def _text(column: Sequence[Any]) -> Any:
    """Return an array as text, or as a list where the driver knows better how a value is written."""
    kinds = set(map(type, column))
    nulls = _NONE in kinds
    kinds.discard(_NONE)
    if not kinds:
        return list(column)
    write = _WRITERS.get(kinds.pop())
    if write is None or kinds:
        return list(column)
    if nulls:
        return "{" + ",".join(["NULL" if value is None else write(value) for value in column]) + "}"
    return "{" + ",".join(map(write, column)) + "}"


def _quoted(value: str) -> str:
    if "\\" in value or '"' in value:
        value = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{value}"'


def _iso(value: Any) -> str:
    return f'"{value.isoformat()}"'


def _bool(value: bool) -> str:
    return "t" if value else "f"


_WRITERS: dict[type, Callable[[Any], str]] = {
    int: str,
    str: _quoted,
    bool: _bool,
    float: repr,
    decimal.Decimal: str,
    uuid.UUID: str,
    datetime.datetime: _iso,
    datetime.date: _iso,
    datetime.time: _iso,
}
