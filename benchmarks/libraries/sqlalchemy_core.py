"""SQLAlchemy Core: rows, not instances; statements are built each time, as programs do."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Table, bindparam, delete, func, insert, select, update

from benchmarks.schema import NewRow, Row, Target

from .base import SyncAdapter
from .sqlalchemy_models import Author, Book, Journal, sync_engine, upsert_of

CHUNK = 2_000
journal: Any = Journal.__table__
book: Any = Book.__table__
author: Any = Author.__table__
table: Table = journal


class SqlalchemyCore(SyncAdapter):
    """Connections of one engine."""

    def connect(self) -> None:
        """Make the engine."""
        self.engine = sync_engine(self.target)

    def disconnect(self) -> None:
        """Close the engine's connections."""
        self.close_threads()
        self.engine.dispose()

    def insert_each(self, rows: Sequence[NewRow]) -> None:
        """Begin for each row."""
        for level, text, ts in rows:
            with self.engine.begin() as connection:
                result = connection.execute(insert(table).values(level=level, text=text, ts=ts))
                assert result.inserted_primary_key

    def insert_together(self, rows: Sequence[NewRow]) -> None:
        """Begin once."""
        with self.engine.begin() as connection:
            for level, text, ts in rows:
                result = connection.execute(insert(table).values(level=level, text=text, ts=ts))
                assert result.inserted_primary_key

    def insert_bulk(self, batches: Sequence[Sequence[NewRow]]) -> None:
        """Execute with a list."""
        for rows in batches:
            with self.engine.begin() as connection:
                values = [{"level": level, "text": text, "ts": ts} for level, text, ts in rows]
                connection.execute(insert(table), values)

    def update_bulk(self, objects: Sequence[int], texts: Sequence[str]) -> None:
        """Execute with a list."""
        statement = update(table).where(journal.c.id == bindparam("key")).values(text=bindparam("new"))
        values = [{"key": key, "new": text} for key, text in zip(objects, texts, strict=True)]
        with self.engine.begin() as connection:
            connection.execute(statement, values)

    def upsert(self, batches: Sequence[Sequence[Row]]) -> None:
        """Execute with a list."""
        statement = upsert_of(table, self.target.kind)
        for rows in batches:
            with self.engine.begin() as connection:
                connection.execute(statement, [row._asdict() for row in rows])

    def filter_large(self, levels: Sequence[int]) -> Sequence[Any]:
        """Take rows."""
        found: Sequence[Any] = ()
        with self.engine.connect() as connection:
            for level in levels:
                found = connection.execute(select(table).where(journal.c.level == level)).all()
        return found

    def filter_small(self, levels: Sequence[int]) -> Sequence[Any]:
        """Take 20 rows."""
        found: Sequence[Any] = ()
        with self.engine.connect() as connection:
            for level in levels:
                found = connection.execute(select(table).where(journal.c.level == level).limit(20)).all()
        return found

    def get(self, keys: Sequence[int]) -> Any:
        """Use one connection for all keys."""
        found = None
        with self.engine.connect() as connection:
            for key in keys:
                found = connection.execute(select(table).where(journal.c.id == key)).one()
        return found

    def thread_get(self, keys: Sequence[int]) -> Any:
        """Take a connection from the pool for each key."""
        found = None
        for key in keys:
            with self.engine.connect() as connection:
                found = connection.execute(select(table).where(journal.c.id == key)).one()
        return found

    def dicts(self, levels: Sequence[int]) -> list[dict[str, Any]]:
        """Build them from mappings."""
        found: list[dict[str, Any]] = []
        with self.engine.connect() as connection:
            for level in levels:
                rows = connection.execute(select(table).where(journal.c.level == level)).mappings()
                found = [dict(row) for row in rows]
        return found

    def tuples(self, levels: Sequence[int]) -> Sequence[Any]:
        """Take rows."""
        return self.filter_large(levels)

    def load(self, keys: Sequence[int]) -> list[int]:
        """Return the keys: there are no objects."""
        return list(keys)

    def save_whole(self, objects: Sequence[int], rows: Sequence[NewRow]) -> None:
        """Update three columns."""
        with self.engine.begin() as connection:
            for key, (level, text, ts) in zip(objects, rows, strict=True):
                change = update(table).where(journal.c.id == key).values(level=level, text=text, ts=ts)
                connection.execute(change)

    def save_field(self, objects: Sequence[int], texts: Sequence[str]) -> None:
        """Update one column."""
        with self.engine.begin() as connection:
            for key, text in zip(objects, texts, strict=True):
                connection.execute(update(table).where(journal.c.id == key).values(text=text))

    def delete(self, objects: Sequence[int]) -> None:
        """Delete by key."""
        with self.engine.begin() as connection:
            for key in objects:
                connection.execute(delete(table).where(journal.c.id == key))

    def join_tuples(self, times: int) -> Sequence[Any]:
        """Take rows."""
        found: Sequence[Any] = ()
        with self.engine.connect() as connection:
            for _ in range(times):
                found = connection.execute(select(book.c.id, book.c.title, author.c.name).join(author)).all()
        return found

    def summary(self, levels: Sequence[int]) -> Any:
        """Take the row."""
        found = None
        key = journal.c.id
        with self.engine.connect() as connection:
            for level in levels:
                query = select(func.count(), func.min(key), func.max(key), func.sum(key))
                found = connection.execute(query.where(journal.c.level == level)).one()
        return found

    def group(self, times: int) -> Sequence[Any]:
        """Take rows."""
        found: Sequence[Any] = ()
        with self.engine.connect() as connection:
            for _ in range(times):
                query = select(journal.c.level, func.count()).group_by(journal.c.level)
                found = connection.execute(query).all()
        return found

    def request(self, keys: Sequence[int], texts: Sequence[str]) -> None:
        """Begin for each."""
        for key, text in zip(keys, texts, strict=True):
            with self.engine.begin() as connection:
                row = connection.execute(select(table).where(journal.c.id == key)).one()
                connection.execute(update(table).where(journal.c.id == row.id).values(text=text))

    def stream(self) -> tuple[int, Any]:
        """Use yield_per."""
        count, last = 0, None
        with self.engine.connect() as connection:
            for item in connection.execution_options(yield_per=CHUNK).execute(select(table)):
                count, last = count + 1, item
        return count, last


def create(target: Target) -> SyncAdapter:
    """Return the adapter."""
    return SqlalchemyCore(target)
