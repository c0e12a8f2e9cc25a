"""The floor: hand-written code on sqlite3 and on psycopg 3."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator, Sequence
from typing import Any

from benchmarks.schema import NewRow, Row, Target

from .base import SyncAdapter
from .raw_common import (
    Author,
    Book,
    Entry,
    authors_from,
    books_from,
    give_books,
    give_tags,
    joined_books,
    shapes,
    statements,
)

CHUNK = 2_000


class Raw(SyncAdapter):
    """One connection in autocommit, and one more for each thread."""

    connection: Any

    def __init__(self, target: Target) -> None:
        """Choose the parameter style and the loops."""
        super().__init__(target)
        self.sql = statements("qmark" if self.sqlite else "format", target.kind)
        self.make = shapes(target)
        self.local = threading.local()

    def open(self) -> Any:
        """Return a new connection."""
        if self.sqlite:
            return sqlite3.connect(self.target.path, isolation_level=None)
        import psycopg

        return psycopg.connect(autocommit=True, **self.target.keywords())

    def connect(self) -> None:
        """Open the database."""
        self.connection = self.open()

    def disconnect(self) -> None:
        """Close the database."""
        self.connection.close()

    def thread_close(self) -> None:
        """Close this thread's connection."""
        self.local.connection.close()

    def insert_each(self, rows: Sequence[NewRow]) -> None:
        """Insert in autocommit and keep the key."""
        execute, sql, stored = self.connection.execute, self.sql, self.make.stored
        for row in rows:
            values = stored(row)
            if self.sqlite:
                key = execute(sql.insert, values).lastrowid
            else:
                key = execute(sql.insert_returning, values).fetchone()[0]
            Entry(key, *row)

    def insert_together(self, rows: Sequence[NewRow]) -> None:
        """Insert between BEGIN and COMMIT."""
        self.connection.execute("BEGIN")
        self.insert_each(rows)
        self.connection.execute("COMMIT")

    def insert_bulk(self, batches: Sequence[Sequence[NewRow]]) -> None:
        """Insert with executemany."""
        stored, cursor = self.make.stored, self.connection.cursor()
        for rows in batches:
            cursor.execute("BEGIN")
            cursor.executemany(self.sql.insert, [stored(row) for row in rows])
            cursor.execute("COMMIT")

    def update_bulk(self, objects: Sequence[Entry], texts: Sequence[str]) -> None:
        """Use executemany; on PostgreSQL one statement, joined with arrays."""
        for item, text in zip(objects, texts, strict=True):
            item.text = text
        cursor = self.connection.cursor()
        if self.sqlite:
            cursor.execute("BEGIN")
            cursor.executemany(self.sql.update_bulk, [(item.text, item.id) for item in objects])
            cursor.execute("COMMIT")
        else:
            cursor.execute(self.sql.update_bulk, ([i.text for i in objects], [i.id for i in objects]))

    def upsert(self, batches: Sequence[Sequence[Row]]) -> None:
        """Use executemany."""
        stored, cursor = self.make.stored, self.connection.cursor()
        for rows in batches:
            cursor.execute("BEGIN")
            cursor.executemany(self.sql.upsert, [(row[0], *stored(row[1:])) for row in rows])
            cursor.execute("COMMIT")

    def filter_large(self, levels: Sequence[int]) -> list[Entry]:
        """Build slotted objects."""
        execute, sql, entries = self.connection.execute, self.sql.by_level, self.make.entries
        found: list[Entry] = []
        for level in levels:
            found = entries(execute(sql, (level,)).fetchall())
        return found

    def filter_small(self, levels: Sequence[int]) -> list[Entry]:
        """Build 20 slotted objects."""
        execute, sql, entries = self.connection.execute, self.sql.by_level_small, self.make.entries
        found: list[Entry] = []
        for level in levels:
            found = entries(execute(sql, (level,)).fetchall())
        return found

    def get(self, keys: Sequence[int]) -> Entry | None:
        """Build one slotted object for each key."""
        return self.get_on(self.connection, keys)

    def thread_get(self, keys: Sequence[int]) -> Entry | None:
        """Get on this thread's own connection."""
        connection = getattr(self.local, "connection", None)
        if connection is None:
            connection = self.local.connection = self.open()
        return self.get_on(connection, keys)

    def concurrent(self, keys: Sequence[int]) -> list[Any]:
        """Get from 16 threads on PostgreSQL; on one in SQLite, where threads only wait for each other."""
        return [self.get(keys)] if self.sqlite else super().concurrent(keys)

    def get_on(self, connection: Any, keys: Sequence[int]) -> Entry | None:
        """Build one slotted object for each key."""
        execute, sql, entry = connection.execute, self.sql.by_key, self.make.entry
        found = None
        for key in keys:
            found = entry(execute(sql, (key,)).fetchone())
        return found

    def dicts(self, levels: Sequence[int]) -> list[dict[str, Any]]:
        """Build dictionaries."""
        execute, sql, dicts = self.connection.execute, self.sql.by_level, self.make.dicts
        found: list[dict[str, Any]] = []
        for level in levels:
            found = dicts(execute(sql, (level,)).fetchall())
        return found

    def tuples(self, levels: Sequence[int]) -> Sequence[Any]:
        """Take the rows, with datetimes."""
        execute, sql, tuples = self.connection.execute, self.sql.by_level, self.make.tuples
        found: Sequence[Any] = ()
        for level in levels:
            found = tuples(execute(sql, (level,)).fetchall())
        return found

    def load(self, keys: Sequence[int]) -> list[Entry]:
        """Load the objects to change."""
        entry = self.make.entry
        return [entry(self.connection.execute(self.sql.by_key, (key,)).fetchone()) for key in keys]

    def save_whole(self, objects: Sequence[Entry], rows: Sequence[NewRow]) -> None:
        """Update three columns, after setting the attributes."""
        execute, sql, stored = self.connection.execute, self.sql.update, self.make.stored
        execute("BEGIN")
        for item, row in zip(objects, rows, strict=True):
            item.level, item.text, item.ts = row
            execute(sql, (*stored((item.level, item.text, item.ts)), item.id))
        execute("COMMIT")

    def save_field(self, objects: Sequence[Entry], texts: Sequence[str]) -> None:
        """Update one column, after setting the attribute."""
        execute, sql = self.connection.execute, self.sql.update_text
        execute("BEGIN")
        for item, text in zip(objects, texts, strict=True):
            item.text = text
            execute(sql, (item.text, item.id))
        execute("COMMIT")

    def delete(self, objects: Sequence[Entry]) -> None:
        """Delete by key."""
        execute, sql = self.connection.execute, self.sql.delete
        execute("BEGIN")
        for item in objects:
            execute(sql, (item.id,))
        execute("COMMIT")

    def join(self, times: int) -> list[Book]:
        """Build a book and an author from each row."""
        found: list[Book] = []
        for _ in range(times):
            found = joined_books(self.connection.execute(self.sql.joined).fetchall())
        return found

    def prefetch_books(self, times: int) -> list[Author]:
        """Group the books of the authors by hand."""
        found: list[Author] = []
        for _ in range(times):
            found = authors_from(self.connection.execute(self.sql.authors).fetchall())
            give_books(found, self.related(self.sql.books_of, [author.id for author in found]))
        return found

    def prefetch_tags(self, times: int) -> list[Book]:
        """Group the tags of the books by hand."""
        found: list[Book] = []
        for _ in range(times):
            found = books_from(self.connection.execute(self.sql.books).fetchall())
            give_tags(found, self.related(self.sql.tags_of, [book.id for book in found]))
        return found

    def related(self, sql: str, keys: list[int]) -> Any:
        """Return the rows that belong to these keys."""
        if self.sqlite:
            return self.connection.execute(sql.format(marks=",".join("?" * len(keys))), keys).fetchall()
        return self.connection.execute(sql, (keys,)).fetchall()

    def join_tuples(self, times: int) -> Sequence[Any]:
        """Take the rows."""
        found: Sequence[Any] = ()
        for _ in range(times):
            found = self.connection.execute(self.sql.joined_tuples).fetchall()
        return found

    def summary(self, levels: Sequence[int]) -> Any:
        """Take the row."""
        found = None
        for level in levels:
            found = self.connection.execute(self.sql.summary, (level,)).fetchone()
        return found

    def group(self, times: int) -> Sequence[Any]:
        """Take the rows."""
        found: Sequence[Any] = ()
        for _ in range(times):
            found = self.connection.execute(self.sql.groups).fetchall()
        return found

    def request(self, keys: Sequence[int], texts: Sequence[str]) -> None:
        """Begin, get, update one column, commit."""
        execute, sql, entry = self.connection.execute, self.sql, self.make.entry
        for key, text in zip(keys, texts, strict=True):
            execute("BEGIN")
            found = entry(execute(sql.by_key, (key,)).fetchone())
            found.text = text
            execute(sql.update_text, (found.text, found.id))
            execute("COMMIT")

    def stream(self) -> tuple[int, Entry | None]:
        """Read in chunks; with a server-side cursor on PostgreSQL."""
        count, last = 0, None
        for rows in self.chunks():
            for item in self.make.entries(rows):
                count, last = count + 1, item
        return count, last

    def chunks(self) -> Iterator[Any]:
        """Yield the table in lists of rows."""
        if self.sqlite:
            cursor = self.connection.execute(self.sql.everything)
            while rows := cursor.fetchmany(CHUNK):
                yield rows
            return
        with self.connection.transaction(), self.connection.cursor("stream") as cursor:
            cursor.execute(self.sql.everything)
            while rows := cursor.fetchmany(CHUNK):
                yield rows


def create(target: Target) -> SyncAdapter:
    """Return the adapter."""
    return Raw(target)
