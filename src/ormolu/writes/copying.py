"""COPY on PostgreSQL: what it needs to know of a table, and when it is the way to go."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ormolu.exceptions import NotSupportedError
from ormolu.programs import Copy, Program, atomically
from ormolu.writes.lists import takes_array

__all__ = ["COPY_FROM", "CopyTarget", "copy_rows"]

COPY_FROM = 1_000
"""How many rows COPY is faster for than INSERT."""


class CopyTarget:
    """Columns of a table, for the drivers' COPY. `probe` is a query that tells the columns' types, and reads no row."""

    __slots__ = ("columns", "may", "probe", "schema", "sql", "table")

    def __init__(self, driver: Any, model: Any, fields: Sequence[Any]) -> None:
        table, prepare = model._meta.table, driver.dialect.identifier_preparer
        self.table: str = table.name
        self.schema: str | None = table.schema
        self.columns = [field.sa_column.name for field in fields]
        names = ", ".join(map(prepare.quote, self.columns))
        whole = prepare.format_table(table)
        self.sql = f"COPY {whole} ({names}) FROM STDIN"
        self.probe = f"SELECT {names} FROM {whole} LIMIT 0"
        # Not known before it is tried: there are tables with row-level security, views, servers without it.
        self.may: bool | None = None if fields and all(takes_array(driver, f) for f in fields) else False


def copy_rows(target: CopyTarget, rows: Sequence[Any]) -> Program[bool]:
    """Load rows; return whether that was possible. What the database does not COPY into, it takes INSERTs for."""
    if target.may:
        return (yield Copy(target, rows)) is not None
    try:
        done: Any = yield from atomically(_copy(target, rows))
    except NotSupportedError:
        target.may = False
        return False
    if done is not None:
        target.may = True
    return done is not None


def _copy(target: CopyTarget, rows: Sequence[Any]) -> Program[Any]:
    return (yield Copy(target, rows))
