"""Pony, on sqlite3 and psycopg2; it has no bulk insert and no streaming."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from types import SimpleNamespace
from typing import Any

from pony import orm

from benchmarks.schema import NewRow, Target

from .base import SyncAdapter


def models(database: Any) -> Any:
    """Return a namespace with the entities of this database."""

    class Journal(database.Entity):  # type: ignore[misc]
        _table_ = "journal"
        id = orm.PrimaryKey(int, auto=True)
        level = orm.Required(int, index=True)
        text = orm.Required(str, 200, index=True)
        ts = orm.Required(datetime, 6)

    class Author(database.Entity):  # type: ignore[misc]
        _table_ = "author"
        id = orm.PrimaryKey(int, auto=True)
        name = orm.Required(str, 100)
        books = orm.Set("Book")

    class Tag(database.Entity):  # type: ignore[misc]
        _table_ = "tag"
        id = orm.PrimaryKey(int, auto=True)
        name = orm.Required(str, 100)
        books = orm.Set("Book", table="book_tags", column="book_id")

    class Book(database.Entity):  # type: ignore[misc]
        _table_ = "book"
        id = orm.PrimaryKey(int, auto=True)
        title = orm.Required(str, 200)
        author = orm.Required(Author, column="author_id")
        tags = orm.Set(Tag, table="book_tags", column="tag_id")

    return SimpleNamespace(Journal=Journal, Author=Author, Tag=Tag, Book=Book)


class PonySync(SyncAdapter):
    """A db_session for each unit of work; queries are generator expressions, as in its documentation."""

    def connect(self) -> None:
        """Bind a new database object."""
        self.database = orm.Database()
        self.models = models(self.database)
        self.Journal = self.models.Journal
        if self.sqlite:
            self.database.bind(provider="sqlite", filename=self.target.path)
        else:
            self.database.bind(provider="postgres", **self.target.keywords("database"))
        self.database.generate_mapping(check_tables=False)

    def disconnect(self) -> None:
        """Close this thread's and the other threads' connections."""
        self.close_threads()
        self.database.disconnect()

    def thread_close(self) -> None:
        """Close this thread's connection."""
        self.database.disconnect()

    def insert_each(self, rows: Sequence[NewRow]) -> None:
        """Open a session for each."""
        for level, text, ts in rows:
            with orm.db_session:
                self.Journal(level=level, text=text, ts=ts)

    def insert_together(self, rows: Sequence[NewRow]) -> None:
        """Flush each."""
        with orm.db_session:
            for level, text, ts in rows:
                self.Journal(level=level, text=text, ts=ts).flush()

    def filter_large(self, levels: Sequence[int]) -> list[Any]:
        """Use a new session for each query: instances are built anew."""
        found: list[Any] = []
        entries = self.Journal
        for level in levels:
            with orm.db_session:
                found = list(orm.select(entry for entry in entries if entry.level == level))
        return found

    def filter_small(self, levels: Sequence[int]) -> list[Any]:
        """Slice the query."""
        found: list[Any] = []
        entries = self.Journal
        for level in levels:
            with orm.db_session:
                found = list(orm.select(entry for entry in entries if entry.level == level)[:20])
        return found

    def get(self, keys: Sequence[int]) -> Any:
        """Use one session for all keys."""
        found = None
        with orm.db_session:
            for key in keys:
                found = self.Journal[key]
        return found

    def thread_get(self, keys: Sequence[int]) -> Any:
        """Use a session for each key."""
        found = None
        for key in keys:
            with orm.db_session:
                found = self.Journal[key]
        return found

    def dicts(self, levels: Sequence[int]) -> list[dict[str, Any]]:
        """Build them from tuples: there is nothing nearer."""
        names = ("id", "level", "text", "ts")
        found: list[dict[str, Any]] = []
        entries = self.Journal
        for level in levels:
            with orm.db_session:
                rows = orm.select((e.id, e.level, e.text, e.ts) for e in entries if e.level == level)
                found = [dict(zip(names, row, strict=True)) for row in rows]
        return found

    def tuples(self, levels: Sequence[int]) -> list[Any]:
        """Select columns."""
        found: list[Any] = []
        entries = self.Journal
        for level in levels:
            with orm.db_session:
                found = list(orm.select((e.id, e.level, e.text, e.ts) for e in entries if e.level == level))
        return found

    def load(self, keys: Sequence[int]) -> list[Any]:
        """Open the session that the changes are made in."""
        self.session: Any = orm.db_session()
        self.session.__enter__()
        return [self.Journal[key] for key in keys]

    def save_whole(self, objects: Sequence[Any], rows: Sequence[NewRow]) -> None:
        """Set and flush each."""
        for item, (level, text, ts) in zip(objects, rows, strict=True):
            item.set(level=level, text=text, ts=ts)
            item.flush()
        self.session.__exit__(None, None, None)

    def save_field(self, objects: Sequence[Any], texts: Sequence[str]) -> None:
        """Set and flush each."""
        for item, text in zip(objects, texts, strict=True):
            item.text = text
            item.flush()
        self.session.__exit__(None, None, None)

    def delete(self, objects: Sequence[Any]) -> None:
        """Delete and flush each."""
        for item in objects:
            item.delete()
            item.flush()
        self.session.__exit__(None, None, None)

    def join(self, times: int) -> list[Any]:
        """Use prefetch(); there is no joined loading."""
        found: list[Any] = []
        books, author = self.models.Book, self.models.Author
        for _ in range(times):
            with orm.db_session:
                found = list(orm.select(book for book in books).prefetch(author))
        return found

    def prefetch_books(self, times: int) -> list[Any]:
        """Use prefetch()."""
        found: list[Any] = []
        authors = self.models.Author
        for _ in range(times):
            with orm.db_session:
                found = list(
                    orm.select(author for author in authors).prefetch(authors.books, self.models.Book)
                )
                sum(len(author.books) for author in found)
        return found

    def prefetch_tags(self, times: int) -> list[Any]:
        """Look at each collection: Pony loads them in batches. Its prefetch() fails here on SQLite."""
        found: list[Any] = []
        books = self.models.Book
        for _ in range(times):
            with orm.db_session:
                found = list(orm.select(book for book in books))
                sum(1 for book in found for tag in book.tags if tag.name)  # else it loads keys alone
        return found

    def join_tuples(self, times: int) -> list[Any]:
        """Select attributes."""
        found: list[Any] = []
        books = self.models.Book
        for _ in range(times):
            with orm.db_session:
                found = list(orm.select((book.id, book.title, book.author.name) for book in books))
        return found

    def summary(self, levels: Sequence[int]) -> Any:
        """Select functions."""
        found = None
        entries = self.Journal
        for level in levels:
            with orm.db_session:
                found = orm.select(
                    (orm.count(e), orm.min(e.id), orm.max(e.id), orm.sum(e.id))
                    for e in entries
                    if e.level == level
                ).first()
        return found

    def group(self, times: int) -> list[Any]:
        """Count in a query."""
        found: list[Any] = []
        entries = self.Journal
        for _ in range(times):
            with orm.db_session:
                found = list(orm.select((entry.level, orm.count()) for entry in entries))
        return found

    def request(self, keys: Sequence[int], texts: Sequence[str]) -> None:
        """Open a session for each."""
        for key, text in zip(keys, texts, strict=True):
            with orm.db_session:
                entry = self.Journal[key]
                entry.text = text

    def stream(self) -> tuple[int, Any]:
        """Read it all: there is no streaming."""
        count, last = 0, None
        entries = self.Journal
        with orm.db_session:
            for item in orm.select(entry for entry in entries):
                count, last = count + 1, item
        return count, last


def create(target: Target) -> SyncAdapter:
    """Return the adapter."""
    return PonySync(target)
