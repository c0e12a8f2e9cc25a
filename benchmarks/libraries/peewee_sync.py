"""Peewee, on sqlite3 and psycopg 3."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from peewee import Model, PostgresqlDatabase, SqliteDatabase, fn, prefetch

from benchmarks.schema import NewRow, Row, Target

from .base import SyncAdapter
from .peewee_models import models

COLUMNS = ("id", "level", "text", "ts")


class PeeweeSync(SyncAdapter):
    """Autocommit, and atomic() where a transaction is asked for."""

    def __init__(self, target: Target) -> None:
        """Declare the models."""
        super().__init__(target)
        self.database: Any
        if self.sqlite:
            self.database = SqliteDatabase(target.path)
        else:
            keywords = target.keywords("database")
            self.database = PostgresqlDatabase(keywords.pop("database"), prefer_psycopg3=True, **keywords)
        self.models = models(self.database, Model)
        self.Journal = self.models.Journal
        self.columns = [getattr(self.Journal, name) for name in COLUMNS]

    def connect(self) -> None:
        """Connect now."""
        self.database.connect(reuse_if_open=True)

    def disconnect(self) -> None:
        """Close this thread's and the other threads' connections."""
        self.close_threads()
        self.database.close()

    def thread_close(self) -> None:
        """Close this thread's connection."""
        self.database.close()

    def insert_each(self, rows: Sequence[NewRow]) -> None:
        """Use create() in autocommit."""
        create = self.Journal.create
        for level, text, ts in rows:
            create(level=level, text=text, ts=ts)

    def insert_together(self, rows: Sequence[NewRow]) -> None:
        """Use save()."""
        with self.database.atomic():
            for level, text, ts in rows:
                self.Journal(level=level, text=text, ts=ts).save()

    def insert_bulk(self, batches: Sequence[Sequence[NewRow]]) -> None:
        """Use bulk_create()."""
        for rows in batches:
            with self.database.atomic():
                self.Journal.bulk_create(
                    [self.Journal(level=level, text=text, ts=ts) for level, text, ts in rows]
                )

    def load_many(self, keys: Sequence[int]) -> list[Any]:
        """Load many at once."""
        query = self.Journal.select().where(self.Journal.id >= keys[0]).order_by(self.Journal.id)
        return list(query)

    def update_bulk(self, objects: Sequence[Any], texts: Sequence[str]) -> None:
        """Use bulk_update(), in batches of a good size."""
        for item, text in zip(objects, texts, strict=True):
            item.text = text
        with self.database.atomic():
            self.Journal.bulk_update(objects, [self.Journal.text], batch_size=100)

    def upsert(self, batches: Sequence[Sequence[Row]]) -> None:
        """Use insert_many() with on_conflict()."""
        journal = self.Journal
        for rows in batches:
            query = journal.insert_many([row._asdict() for row in rows]).on_conflict(
                conflict_target=[journal.id], preserve=[journal.level, journal.text, journal.ts]
            )
            with self.database.atomic():
                query.execute()

    def filter_large(self, levels: Sequence[int]) -> list[Any]:
        """Evaluate the query."""
        found: list[Any] = []
        for level in levels:
            found = list(self.Journal.select().where(self.Journal.level == level))
        return found

    def filter_small(self, levels: Sequence[int]) -> list[Any]:
        """Limit the query."""
        found: list[Any] = []
        for level in levels:
            found = list(self.Journal.select().where(self.Journal.level == level).limit(20))
        return found

    def get(self, keys: Sequence[int]) -> Any:
        """Use get_by_id()."""
        found = None
        for key in keys:
            found = self.Journal.get_by_id(key)
        return found

    def dicts(self, levels: Sequence[int]) -> list[dict[str, Any]]:
        """Use dicts()."""
        found: list[dict[str, Any]] = []
        for level in levels:
            found = list(self.Journal.select(*self.columns).where(self.Journal.level == level).dicts())
        return found

    def tuples(self, levels: Sequence[int]) -> list[Any]:
        """Use tuples()."""
        found: list[Any] = []
        for level in levels:
            found = list(self.Journal.select(*self.columns).where(self.Journal.level == level).tuples())
        return found

    def load(self, keys: Sequence[int]) -> list[Any]:
        """Load the objects to change."""
        return [self.Journal.get_by_id(key) for key in keys]

    def save_whole(self, objects: Sequence[Any], rows: Sequence[NewRow]) -> None:
        """Use save()."""
        with self.database.atomic():
            for item, (level, text, ts) in zip(objects, rows, strict=True):
                item.level, item.text, item.ts = level, text, ts
                item.save()

    def save_field(self, objects: Sequence[Any], texts: Sequence[str]) -> None:
        """Use save(only=...)."""
        only = [self.Journal.text]
        with self.database.atomic():
            for item, text in zip(objects, texts, strict=True):
                item.text = text
                item.save(only=only)

    def delete(self, objects: Sequence[Any]) -> None:
        """Use delete_instance()."""
        with self.database.atomic():
            for item in objects:
                item.delete_instance()

    def join(self, times: int) -> list[Any]:
        """Select both and join."""
        found: list[Any] = []
        book, author = self.models.Book, self.models.Author
        for _ in range(times):
            found = list(book.select(book, author).join(author))
        return found

    def prefetch_books(self, times: int) -> list[Any]:
        """Use prefetch()."""
        found: list[Any] = []
        for _ in range(times):
            found = list(prefetch(self.models.Author.select(), self.models.Book.select()))
            sum(len(author.books) for author in found)
        return found

    def prefetch_tags(self, times: int) -> list[Any]:
        """Use prefetch() through the table in between: Peewee has no other way."""
        found: list[Any] = []
        for _ in range(times):
            found = list(
                prefetch(self.models.Book.select(), self.models.BookTag.select(), self.models.Tag.select())
            )
            sum(len(book.book_tags) for book in found)
        return found

    def book_tags(self, book: Any) -> list[Any]:
        """Return the prefetched tags."""
        return [link.tag for link in book.book_tags]

    def join_tuples(self, times: int) -> list[Any]:
        """Use tuples()."""
        found: list[Any] = []
        book, author = self.models.Book, self.models.Author
        for _ in range(times):
            found = list(book.select(book.id, book.title, author.name).join(author).tuples())
        return found

    def summary(self, levels: Sequence[int]) -> Any:
        """Select functions."""
        found = None
        key = self.Journal.id
        for level in levels:
            query = self.Journal.select(fn.COUNT(key), fn.MIN(key), fn.MAX(key), fn.SUM(key))
            (found,) = query.where(self.Journal.level == level).tuples()
        return found

    def group(self, times: int) -> list[Any]:
        """Use group_by()."""
        found: list[Any] = []
        level = self.Journal.level
        for _ in range(times):
            found = list(self.Journal.select(level, fn.COUNT(self.Journal.id)).group_by(level).tuples())
        return found

    def request(self, keys: Sequence[int], texts: Sequence[str]) -> None:
        """Use atomic(), get_by_id() and save(only=...)."""
        only = [self.Journal.text]
        for key, text in zip(keys, texts, strict=True):
            with self.database.atomic():
                entry = self.Journal.get_by_id(key)
                entry.text = text
                entry.save(only=only)

    def stream(self) -> tuple[int, Any]:
        """Use iterator(), on PostgreSQL with the server-side cursor of playhouse."""
        count, last = 0, None
        if self.sqlite:
            for item in self.Journal.select().iterator():
                count, last = count + 1, item
            return count, last
        from playhouse.postgres_ext import ServerSide

        with self.database.atomic():
            for item in ServerSide(self.Journal.select()):
                count, last = count + 1, item
        return count, last


def create(target: Target) -> SyncAdapter:
    """Return the adapter."""
    return PeeweeSync(target)
