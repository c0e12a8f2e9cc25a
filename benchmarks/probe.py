"""Look into a library's database from outside, and put it back as it was."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Protocol

from .schema import JOURNAL_ROWS, NewRow, Row, Target, sqlite_value


class Connection(Protocol):
    """The part of a driver's connection that is used here, the same in sqlite3 and psycopg."""

    def execute(self, sql: str, values: Sequence[Any] = ..., /) -> Any:
        """Run one statement and return a cursor."""


class Probe:
    """Insert, read and remove rows of ``journal`` beyond the stored ones, on a connection of its own."""

    def __init__(self, target: Target) -> None:
        """Open the connection, in autocommit."""
        self.sqlite = target.kind == "sqlite"
        self.connection: Any
        if self.sqlite:
            self.connection = sqlite3.connect(target.path, isolation_level=None, timeout=10)
        else:
            import psycopg

            self.connection = psycopg.connect(autocommit=True, **target.keywords())

    def insert(self, rows: Sequence[NewRow]) -> list[int]:
        """Add rows and return their keys, in order."""
        if not self.sqlite:
            columns = [list(column) for column in zip(*rows)]
            sql = (
                "INSERT INTO journal (level, text, ts) SELECT level, text, ts FROM "
                "unnest(%s::int[], %s::text[], %s::timestamp[]) WITH ORDINALITY AS new (level, text, ts, n) "
                "ORDER BY n RETURNING id"
            )
            return [key for (key,) in self.connection.execute(sql, columns).fetchall()]
        sql = "INSERT INTO journal (level, text, ts) VALUES (?, ?, ?) RETURNING id"
        self.connection.execute("BEGIN")
        keys = [self.connection.execute(sql, [sqlite_value(v) for v in row]).fetchone()[0] for row in rows]
        self.connection.execute("COMMIT")
        return keys

    def added(self) -> list[Row]:
        """Return the rows beyond the stored ones, in the order of their keys."""
        sql = f"SELECT id, level, text, ts FROM journal WHERE id > {JOURNAL_ROWS} ORDER BY id"
        rows = self.connection.execute(sql).fetchall()
        if self.sqlite:
            return [Row(key, level, text, datetime.fromisoformat(ts)) for key, level, text, ts in rows]
        return [Row(*row) for row in rows]

    def clean(self) -> None:
        """Remove the rows beyond the stored ones."""
        self.connection.execute(f"DELETE FROM journal WHERE id > {JOURNAL_ROWS}")

    def tidy(self) -> None:
        """Put the table in order, so that no library's queries pay for how many rows its writes have left behind.

        A library that does more in a round leaves more dead rows, and PostgreSQL then reads it by another plan.
        """
        if not self.sqlite:
            self.connection.execute("VACUUM (ANALYZE) journal")

    def close(self) -> None:
        """Close the connection."""
        self.connection.close()
