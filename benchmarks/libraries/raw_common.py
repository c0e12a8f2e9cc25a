"""Hold what the bare drivers share: SQL, slotted objects, and the loops that build them from rows."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from benchmarks.schema import NewRow, Target

parse = datetime.fromisoformat


class Entry:
    """An instance, as cheap as Python has them."""

    __slots__ = ("id", "level", "text", "ts")

    def __init__(self, id: int, level: int, text: str, ts: datetime) -> None:
        """Take the values."""
        self.id = id
        self.level = level
        self.text = text
        self.ts = ts


class Author:
    """An author, with room for books."""

    __slots__ = ("books", "id", "name")

    def __init__(self, id: int, name: str) -> None:
        """Take the values."""
        self.id = id
        self.name = name
        self.books: list[Book] = []


class Book:
    """A book, with room for its author and tags."""

    __slots__ = ("author", "author_id", "id", "tags", "title")

    def __init__(self, id: int, title: str, author_id: int) -> None:
        """Take the values."""
        self.id = id
        self.title = title
        self.author_id = author_id
        self.author: Author | None = None
        self.tags: list[Tag] = []


class Tag:
    """A tag."""

    __slots__ = ("id", "name")

    def __init__(self, id: int, name: str) -> None:
        """Take the values."""
        self.id = id
        self.name = name


class Statements(NamedTuple):
    """The SQL of all workloads, in one driver's parameter style."""

    insert: str
    insert_returning: str
    by_level: str
    by_level_small: str
    by_key: str
    update: str
    upsert: str
    update_bulk: str
    update_text: str
    delete: str
    everything: str
    joined: str
    authors: str
    books_of: str
    books: str
    tags_of: str
    groups: str
    joined_tuples: str
    summary: str


def statements(style: str, kind: str) -> Statements:
    """Return the SQL for a driver's style: ``qmark``, ``format`` or ``dollar``."""
    entry = "SELECT id, level, text, ts FROM journal"
    in_list = "IN ({marks})" if kind == "sqlite" else "= ANY(?)"
    texts = Statements(
        insert="INSERT INTO journal (level, text, ts) VALUES (?, ?, ?)",
        insert_returning="INSERT INTO journal (level, text, ts) VALUES (?, ?, ?) RETURNING id",
        by_level=f"{entry} WHERE level = ?",
        by_level_small=f"{entry} WHERE level = ? LIMIT 20",
        by_key=f"{entry} WHERE id = ?",
        update="UPDATE journal SET level = ?, text = ?, ts = ? WHERE id = ?",
        upsert=(
            "INSERT INTO journal (id, level, text, ts) VALUES (?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET "
            "level = excluded.level, text = excluded.text, ts = excluded.ts"
        ),
        update_bulk=(
            "UPDATE journal SET text = ? WHERE id = ?"
            if kind == "sqlite"
            else "UPDATE journal SET text = new.text FROM unnest(?::text[], ?::int[]) AS new (text, id) "
            "WHERE journal.id = new.id"
        ),
        update_text="UPDATE journal SET text = ? WHERE id = ?",
        delete="DELETE FROM journal WHERE id = ?",
        everything=entry,
        joined=(
            "SELECT b.id, b.title, b.author_id, a.id, a.name FROM book b JOIN author a ON a.id = b.author_id"
        ),
        authors="SELECT id, name FROM author",
        books_of=f"SELECT id, title, author_id FROM book WHERE author_id {in_list}",
        books="SELECT id, title, author_id FROM book",
        tags_of=(
            "SELECT bt.book_id, t.id, t.name FROM tag t JOIN book_tags bt ON bt.tag_id = t.id "
            f"WHERE bt.book_id {in_list}"
        ),
        groups="SELECT level, count(*) FROM journal GROUP BY level",
        joined_tuples="SELECT b.id, b.title, a.name FROM book b JOIN author a ON a.id = b.author_id",
        summary="SELECT count(*), min(id), max(id), sum(id) FROM journal WHERE level = ?",
    )
    return Statements(*(_restyled(text, style) for text in texts))


def _restyled(text: str, style: str) -> str:
    if style == "dollar":
        head, *rest = text.split("?")
        return head + "".join(f"${number}{part}" for number, part in enumerate(rest, 1))
    return text.replace("?", "%s") if style == "format" else text


def entries(rows: Iterable[Any]) -> list[Entry]:
    """Build entries from rows whose datetimes are datetimes."""
    return [Entry(key, level, text, ts) for key, level, text, ts in rows]


def parsed_entries(rows: Iterable[Any]) -> list[Entry]:
    """Build entries from rows whose datetimes are text."""
    return [Entry(key, level, text, parse(ts)) for key, level, text, ts in rows]


def entry(row: Any) -> Entry:
    """Build one entry from a row whose datetime is a datetime."""
    return Entry(*row)


def parsed_entry(row: Any) -> Entry:
    """Build one entry from a row whose datetime is text."""
    key, level, text, ts = row
    return Entry(key, level, text, parse(ts))


def dicts(rows: Iterable[Any]) -> list[dict[str, Any]]:
    """Build dictionaries from rows whose datetimes are datetimes."""
    return [{"id": key, "level": level, "text": text, "ts": ts} for key, level, text, ts in rows]


def parsed_dicts(rows: Iterable[Any]) -> list[dict[str, Any]]:
    """Build dictionaries from rows whose datetimes are text."""
    return [{"id": key, "level": level, "text": text, "ts": parse(ts)} for key, level, text, ts in rows]


def tuples(rows: Sequence[Any]) -> Sequence[Any]:
    """Return rows whose datetimes are datetimes as they are."""
    return rows


def parsed_tuples(rows: Sequence[Any]) -> Sequence[Any]:
    """Build tuples from rows whose datetimes are text."""
    return [(key, level, text, parse(ts)) for key, level, text, ts in rows]


def stored(row: NewRow) -> tuple[int, str, str]:
    """Return a row as SQLite stores it."""
    level, text, ts = row
    return level, text, ts.isoformat(" ", "microseconds")


def unchanged(row: NewRow) -> NewRow:
    """Return a row as it is, for a driver that takes datetimes."""
    return row


def joined_books(rows: Iterable[Any]) -> list[Book]:
    """Build books with an author each from joined rows."""
    books = []
    for key, title, author_id, author_key, name in rows:
        book = Book(key, title, author_id)
        book.author = Author(author_key, name)
        books.append(book)
    return books


def authors_from(rows: Iterable[Any]) -> list[Author]:
    """Build authors."""
    return [Author(key, name) for key, name in rows]


def books_from(rows: Iterable[Any]) -> list[Book]:
    """Build books."""
    return [Book(key, title, author_id) for key, title, author_id in rows]


def give_books(authors: list[Author], rows: Iterable[Any]) -> int:
    """Put books into their authors' lists and return how many there are."""
    by_key = {author.id: author.books for author in authors}
    for key, title, author_id in rows:
        by_key[author_id].append(Book(key, title, author_id))
    return sum(len(author.books) for author in authors)


def give_tags(books: list[Book], rows: Iterable[Any]) -> int:
    """Put tags into their books' lists and return how many there are."""
    by_key = {book.id: book.tags for book in books}
    for book_id, key, name in rows:
        by_key[book_id].append(Tag(key, name))
    return sum(len(book.tags) for book in books)


class Shapes(NamedTuple):
    """The loops for one driver."""

    entry: Callable[[Any], Entry]
    entries: Callable[[Iterable[Any]], list[Entry]]
    dicts: Callable[[Iterable[Any]], list[dict[str, Any]]]
    tuples: Callable[[Sequence[Any]], Sequence[Any]]
    stored: Callable[[NewRow], tuple[Any, ...]]


def shapes(target: Target) -> Shapes:
    """Return the loops for this database."""
    if target.kind == "sqlite":
        return Shapes(parsed_entry, parsed_entries, parsed_dicts, parsed_tuples, stored)
    return Shapes(entry, entries, dicts, tuples, unchanged)
