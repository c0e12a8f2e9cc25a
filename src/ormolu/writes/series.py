"""Keys that need not be read back, for SQLite gives new rows one number after the other.

RETURNING keeps each row in a table of its own until all are inserted, which takes SQLite as long as the insertion. The
last row's number tells the others' as well, unless a trigger inserts rows between them, or the numbers have run out:
then SQLite looks for free ones. Source: SQLite's documentation, "SQLite Autoincrement" and "RETURNING".
"""

from __future__ import annotations

from typing import Any

from ormolu.programs import FetchWriting, Program

__all__ = ["SERIES_FROM", "is_series"]

SERIES_FROM = 50
"""Fewer rows are inserted sooner than the question is asked."""

_FAR_ENOUGH = 2**62

_TRIGGERS = "SELECT 1 FROM {} WHERE type = 'trigger' AND tbl_name = ? COLLATE NOCASE"


def is_series(driver: Any, table: Any) -> Program[bool]:
    """Tell whether the next rows of a table of SQLite follow one another. For a transaction, which then writes."""
    if table.schema is not None:
        return False
    key = ("series", table)
    sql = driver.plans.get(key)
    if sql is None:
        sql = driver.plans[key] = _question(driver, table)
    ((triggers, last),) = yield FetchWriting(sql, (table.name, table.name))
    return not triggers and (last is None or last < _FAR_ENOUGH)


def _question(driver: Any, table: Any) -> str:
    quote = driver.dialect.identifier_preparer.quote
    (key,) = table.primary_key
    triggers = " UNION ALL ".join(map(_TRIGGERS.format, ("sqlite_master", "sqlite_temp_master")))
    return f"SELECT EXISTS ({triggers}), (SELECT max({quote(key.name)}) FROM {quote(table.name)})"
