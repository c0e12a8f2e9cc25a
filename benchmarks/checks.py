"""Compare what a library returned, and what it left in the database, with what should be there."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .probe import Probe
from .schema import (
    AUTHORS,
    BOOKS,
    JOURNAL_ROWS,
    LEVELS,
    ROWS_PER_LEVEL,
    Row,
    author_name,
    author_of,
    book_title,
    journal_row,
    new_rows,
    tag_name,
    tags_of,
)

SMALL = 20

Input = tuple[Any, ...]


class WrongResult(AssertionError):
    """What a library returned or left in the database is not what was asked for."""


def expect(found: object, wanted: object, what: str) -> None:
    """Raise `WrongResult` unless both are equal."""
    if found != wanted:
        raise WrongResult(f"{what}: found {shortened(found)}, wanted {shortened(wanted)}")


def shortened(value: object) -> str:
    """Return a representation of bounded length."""
    text = repr(value)
    return text if len(text) < 300 else f"{text[:300]}..."


def typed(row: Any) -> Row:
    """Return a row after looking at the types of its values; raises `WrongResult`."""
    found = tuple(type(value).__name__ for value in row)
    expect(found, ("int", "int", "str", "datetime"), "types")
    return Row(*row)


def check_entries(found: Sequence[Any], level: int, count: int) -> None:
    """Compare rows of one level with the stored ones."""
    expect(len(found), count, "number of rows")
    for row in found:
        key = row[0]
        expect(typed(row), journal_row(key), f"row {key}")
        expect(row[1], level, "level")
    expect(len({row[0] for row in found}), count, "different rows")


def check_large(adapter: Any, probe: Probe, args: Input, result: Any) -> None:
    """Check the instances of a large filter."""
    check_entries([adapter.row(entry) for entry in result], args[0][-1], ROWS_PER_LEVEL)


def check_small(adapter: Any, probe: Probe, args: Input, result: Any) -> None:
    """Check the instances of a small filter."""
    check_entries([adapter.row(entry) for entry in result], args[0][-1], SMALL)


def check_dicts(adapter: Any, probe: Probe, args: Input, result: Any) -> None:
    """Check dictionaries."""
    expect({type(row) for row in result} <= {dict}, True, "dictionaries")
    rows = [(row["id"], row["level"], row["text"], row["ts"]) for row in result]
    check_entries(rows, args[0][-1], ROWS_PER_LEVEL)


def check_tuples(adapter: Any, probe: Probe, args: Input, result: Any) -> None:
    """Check tuples; a library's own row that is sequence-like will do."""
    check_entries([tuple(row) for row in result], args[0][-1], ROWS_PER_LEVEL)


def check_got(adapter: Any, probe: Probe, args: Input, result: Any) -> None:
    """Check the instance that was got last."""
    expect(typed(adapter.row(result)), journal_row(args[0][-1]), "instance")


def check_concurrent(adapter: Any, probe: Probe, args: Input, result: Any) -> None:
    """Check the instances that the tasks got last: all are among those asked for."""
    wanted = set(args[0])
    for entry in result:
        row = typed(adapter.row(entry))
        expect(row.id in wanted, True, f"{row.id} was asked for")
        expect(row, journal_row(row.id), "instance")


def check_inserted(adapter: Any, probe: Probe, args: Input, result: Any) -> None:
    """Check that exactly the rows of the input were added."""
    rows = (
        args[0] if args[0] and isinstance(args[0][0], tuple) else [row for batch in args[0] for row in batch]
    )
    expect([row[1:] for row in probe.added()], rows, "rows in the database")


def check_saved(adapter: Any, probe: Probe, args: Input, result: Any) -> None:
    """Check that every object was stored with its new values."""
    expect([row[1:] for row in probe.added()], args[1], "rows in the database")


def check_field(adapter: Any, probe: Probe, args: Input, result: Any) -> None:
    """Check that the text was changed, and nothing else."""
    wanted = [(level, text, ts) for (level, _, ts), text in zip(new_rows(len(args[1])), args[1], strict=True)]
    expect([row[1:] for row in probe.added()], wanted, "rows in the database")


def check_upserted(adapter: Any, probe: Probe, args: Input, result: Any) -> None:
    """Check that every row has the values that it was given, and that there are no others."""
    wanted = sorted(row for batch in args[0] for row in batch)
    expect([tuple(row) for row in probe.added()], [tuple(row) for row in wanted], "rows in the database")


def check_deleted(adapter: Any, probe: Probe, args: Input, result: Any) -> None:
    """Check that only the row that was to stay is there."""
    expect(len(probe.added()), 1, "rows in the database")


def check_join(adapter: Any, probe: Probe, args: Input, result: Any) -> None:
    """Check books with their authors."""
    found = sorted((book.id, book.title, adapter.book_author(book)) for book in result)
    expect(found, [(n, book_title(n), author_name(author_of(n))) for n in range(1, BOOKS + 1)], "books")


def check_books(adapter: Any, probe: Probe, args: Input, result: Any) -> None:
    """Check authors with their books."""
    found = {author.id: sorted(book.title for book in adapter.author_books(author)) for author in result}
    wanted: dict[int, list[str]] = {n: [] for n in range(1, AUTHORS + 1)}
    for book in range(1, BOOKS + 1):
        wanted[author_of(book)].append(book_title(book))
    expect(found, {author: sorted(titles) for author, titles in wanted.items()}, "books of authors")


def check_tags(adapter: Any, probe: Probe, args: Input, result: Any) -> None:
    """Check books with their tags."""
    found = {
        adapter.key(book): sorted(adapter.tag_name(tag) for tag in adapter.book_tags(book)) for book in result
    }
    wanted = {n: sorted(tag_name(tag) for tag in tags_of(n)) for n in range(1, BOOKS + 1)}
    expect(found, wanted, "tags of books")


def check_groups(adapter: Any, probe: Probe, args: Input, result: Any) -> None:
    """Check the number of rows of each level."""
    expect(sorted(tuple(group) for group in result), [(n, ROWS_PER_LEVEL) for n in range(LEVELS)], "groups")


def check_join_tuples(adapter: Any, probe: Probe, args: Input, result: Any) -> None:
    """Check tuples of books and their authors."""
    found = sorted(tuple(row) for row in result)
    expect(found, [(n, book_title(n), author_name(author_of(n))) for n in range(1, BOOKS + 1)], "books")


def check_summary(adapter: Any, probe: Probe, args: Input, result: Any) -> None:
    """Check what was found out about a level."""
    keys = range(args[0][-1] or LEVELS, JOURNAL_ROWS + 1, LEVELS)
    expect(tuple(result), (len(keys), keys[0], keys[-1], sum(keys)), "summary")


def check_stream(adapter: Any, probe: Probe, args: Input, result: Any) -> None:
    """Check how many rows came by, and one of them."""
    count, last = result
    expect(count, JOURNAL_ROWS, "number of rows")
    row = typed(adapter.row(last))
    expect(row, journal_row(row.id), "last instance")
