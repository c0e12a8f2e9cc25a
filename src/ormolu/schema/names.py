"""Names of indexes and constraints: Django's, so that a database which Django made goes on unchanged.

A name that is made is of parts of the table's and the columns' names, and of a digest of the whole of both. PostgreSQL
itself names what Django leaves unnamed (keys, unique columns, checks of a column): those names are here as well, so
that a constraint has the same name on every database.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from hashlib import md5
from typing import Any

import sqlalchemy as sa

__all__ = [
    "LONGEST",
    "NAMING_CONVENTION",
    "check_name",
    "foreign_key_name",
    "index_name",
    "key_name",
    "meta_index_name",
    "split_table_name",
    "unique_name",
]

LONGEST = 63
"""Characters of an identifier: PostgreSQL's limit, and that of names which are to be the same everywhere."""

_QUOTED = re.compile(r'"((?:[^"]|"")+)"')


def digest(*names: str, length: int) -> str:
    """Return the beginning of a digest over names."""
    return md5("".join(names).encode(), usedforsecurity=False).hexdigest()[:length]


def split_table_name(name: str) -> tuple[str | None, str]:
    """Return the schema, or None, and the name of a table from `db_table`.

    Django's users write `'"name"'` for a name in quotes, and so `'"schema"."name"'` for a table of another schema.
    """
    if not name.startswith('"'):
        return None, name
    parts = [part.replace('""', '"') for part in _QUOTED.findall(name)]
    if not parts or len(parts) > 2:
        return None, name
    return (parts[0], parts[1]) if len(parts) == 2 else (None, parts[0])


def index_name(table: str, columns: Sequence[str], suffix: str = "", longest: int | None = LONGEST) -> str:
    """Return the name of an index or constraint over columns; `suffix` says what it is for.

    Parts are cut where the whole would be longer than `longest`, the digest and most of the suffix never.
    """
    limit = longest or 200
    table = split_table_name(table)[1]
    ending = f"{digest(table, *columns, length=8)}{suffix}"
    joined = "_".join(columns)
    name = f"{table}_{joined}_{ending}"
    if len(name) > limit:
        ending = ending[: limit // 3] if len(ending) > limit / 3 else ending
        share = (limit - len(ending)) // 2 - 1
        name = f"{table[:share]}_{joined[:share]}_{ending}"
    return _begun_with_letter(name)


def foreign_key_name(table: str, column: str, to_table: str, to_column: str) -> str:
    """Return the name of a foreign key."""
    return index_name(table, [column], f"_fk_{split_table_name(to_table)[1]}_{to_column}")


def meta_index_name(table: str, columns: Sequence[str], suffix: str, longest: int = 30) -> str:
    """Return the name of an index of `Meta.indexes` that has none.

    A descending column is given with a minus. Raises ValueError for a suffix that is too long.
    """
    table = split_table_name(table)[1]
    ending = f"{digest(table, *columns, suffix, length=6)}_{suffix}"
    name = f"{table[:11]}_{columns[0].lstrip('-')[:7]}_{ending}"
    if len(name) > longest:
        raise ValueError(
            f"The name {name!r} is too long for every database. Is the suffix {suffix!r} longer than 3 characters?"
        )
    return _begun_with_letter(name)


def _begun_with_letter(name: str) -> str:
    return f"D{name[1:]}" if name[0] == "_" or name[0].isdigit() else name


def server_name(table: str, column: str, label: str) -> str:
    """Return the name that PostgreSQL gives to what it makes of a column: `table_column_label`, the longer part cut."""
    table = split_table_name(table)[1]
    room = LONGEST - len(label) - (2 if column else 1)
    while len(table) + len(column) > room:
        if len(table) > len(column):
            table = table[:-1]
        else:
            column = column[:-1]
    return "_".join(part for part in (table, column, label) if part)


def key_name(table: str) -> str:
    """Return the name of a table's primary key."""
    return server_name(table, "", "pkey")


def unique_name(table: str, columns: Sequence[str]) -> str:
    """Return the name of a UNIQUE constraint that has no other."""
    return server_name(table, "_".join(columns), "key")


def check_name(table: str, column: str) -> str:
    """Return the name of a CHECK of one column."""
    return server_name(table, column, "check")


def _index_label(index: Any, table: sa.Table) -> str:
    return index_name(table.name, [column.name for column in index.columns])


def _unique_label(constraint: Any, table: sa.Table) -> str:
    return unique_name(table.name, [column.name for column in constraint.columns])


def _check_label(constraint: Any, table: sa.Table) -> str:
    """Name a CHECK constraint that has no name: after its columns, else by its place."""
    columns = [column.name for column in constraint.columns]
    unnamed = [c for c in table.constraints if isinstance(c, sa.CheckConstraint)]
    return check_name(table.name, "_".join(columns) or str(len(unnamed)))


def _foreign_key_label(constraint: Any, table: sa.Table) -> str:
    element = constraint.elements[0]
    *_, to_table, to_column = element.target_fullname.split(".")
    return foreign_key_name(table.name, element.parent.name, to_table, to_column)


def _key_label(constraint: Any, table: sa.Table) -> str:
    return key_name(table.name)


_LABELS: dict[str, Callable[[Any, sa.Table], str]] = {
    "ix": _index_label,
    "uq": _unique_label,
    "ck": _check_label,
    "fk": _foreign_key_label,
    "pk": _key_label,
}

NAMING_CONVENTION: dict[str, Any] = {
    **{kind: f"%({kind}_label)s" for kind in _LABELS},
    **{f"{kind}_label": label for kind, label in _LABELS.items()},
}
"""Names for what has none, which Alembic and ALTER TABLE can rely on. What was given a name keeps it."""
