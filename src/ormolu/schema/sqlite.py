"""SQLite's tables as they are: what a table that is made anew must have again.

Constraints are read from the text of CREATE TABLE. That has those without a name, which Django makes, and the
names that columns have after they were renamed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.sql.elements import conv

from ormolu.schema.names import check_name, foreign_key_name, unique_name

__all__ = ["Present", "look_at"]

_TOKEN = re.compile(r"'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|`[^`]*`|\[[^\]]*\]|\w+|\s+|.", re.DOTALL)


class Column(NamedTuple):
    """A column as PRAGMA table_xinfo has it."""

    name: str
    type: str
    not_null: bool
    default: str | None
    generated: bool


class Check(NamedTuple):
    """A CHECK: its name, if it has one, its text, and which columns it is about."""

    name: str | None
    text: str
    columns: tuple[str, ...]


class Present:
    """A table as it is in the database."""

    def __init__(self, name: str, sql: str) -> None:
        self.name = name
        self.sql = sql
        self.columns: list[Column] = []
        self.uniques: list[tuple[str | None, tuple[str, ...]]] = []
        self.references: list[dict[str, Any]] = []
        self.others: list[tuple[str, str, tuple[str, ...]]] = []
        """Indexes and triggers: name, SQL, the columns of an index."""

    @property
    def checks(self) -> list[Check]:
        """The CHECKs, in the order of the text."""
        names = [column.name for column in self.columns]
        return [Check(name, text, _about(text, names)) for name, text in checks_in(self.sql)]

    def constraints(self, without: str | None = None) -> Iterator[sa.schema.Constraint]:
        """Yield SQLAlchemy's constraints for those of the table that are not about the column `without`."""
        for name, columns in self.uniques:
            if without not in columns:
                yield sa.UniqueConstraint(*columns, name=conv(name or unique_name(self.name, columns)))
        for found in self.references:
            if without not in found["columns"]:
                yield _reference(self.name, found)
        for check in self.checks:
            if without not in check.columns:
                name = check.name or (
                    check_name(self.name, check.columns[0]) if len(check.columns) == 1 else None
                )
                yield sa.CheckConstraint(
                    sa.text(check.text.replace(":", r"\:")), name=conv(name) if name else None
                )

    def statements(self, without: str | None = None) -> list[str]:
        """Return the SQL of the indexes and triggers that are not about the column `without`."""
        return [
            sql
            for _, sql, columns in self.others
            if without is None or (without not in columns and not _mentions(sql, without))
        ]


def look_at(database: Any, table: str) -> Present | None:
    """Return a table as it is, None if it isn't there. A handful of queries."""
    rows = database.fetch("SELECT sql FROM sqlite_master WHERE type = 'table' AND name = %s", [table])
    if not rows:
        return None
    found = Present(table, rows[0][0])
    sql = 'SELECT name, type, "notnull", dflt_value, hidden FROM pragma_table_xinfo(%s)'
    for name, kind, not_null, default, hidden in database.fetch(sql, [table]):
        found.columns.append(Column(name, kind, bool(not_null), default, hidden != 0))
    given = {columns: name for name, columns in uniques_in(found.sql)}
    for name, origin in database.fetch(
        "SELECT name, origin FROM pragma_index_list(%s) ORDER BY seq DESC", [table]
    ):
        columns = tuple(
            row[0]
            for row in database.fetch("SELECT name FROM pragma_index_info(%s) ORDER BY seqno", [name])
            if row[0] is not None
        )
        if origin == "u":
            found.uniques.append((given.get(columns), columns))
        elif origin == "c":
            text = database.fetch("SELECT sql FROM sqlite_master WHERE type = 'index' AND name = %s", [name])
            found.others.append((name, text[0][0], columns))
    sql = "SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND tbl_name = %s"
    found.others += [(name, text, ()) for name, text in database.fetch(sql, [table])]
    found.references = _references(database, table, found.sql)
    return found


def _references(database: Any, table: str, text: str) -> list[dict[str, Any]]:
    found: dict[int, dict[str, Any]] = {}
    columns = 'id, "table", "from", "to", on_update, on_delete'
    sql = f"SELECT {columns} FROM pragma_foreign_key_list(%s) ORDER BY id DESC, seq"
    for number, target, column, to, on_update, on_delete in database.fetch(sql, [table]):
        one = found.setdefault(
            number,
            {"target": target, "columns": [], "to": [], "onupdate": on_update, "ondelete": on_delete},
        )
        one["columns"].append(column)
        one["to"].append(to)
    deferred = re.search(r"DEFERRABLE\s+INITIALLY\s+DEFERRED", text, re.IGNORECASE) is not None
    return [{**one, "deferred": deferred} for one in found.values()]


def _reference(table: str, found: dict[str, Any]) -> sa.ForeignKeyConstraint:
    target = found["target"]
    # Without columns it refers to the key of a table, whose name SQLite alone knows.
    to = [f"{target}.{column or 'id'}" for column in found["to"]]
    actions = {
        name: found[name] for name in ("ondelete", "onupdate") if found[name] not in (None, "NO ACTION")
    }
    name = foreign_key_name(table, found["columns"][0], target, found["to"][0] or "id")
    timing: dict[str, Any] = {"deferrable": True, "initially": "DEFERRED"} if found["deferred"] else {}
    return sa.ForeignKeyConstraint(found["columns"], to, name=conv(name), **actions, **timing)


# -- the text of CREATE TABLE


def checks_in(sql: str) -> Iterator[tuple[str | None, str]]:
    """Yield the name, if it has one, and the text of each CHECK."""
    spaced = _TOKEN.findall(sql)
    place = 0
    words = [(n, token) for n, token in enumerate(spaced) if not token.isspace()]
    while place < len(words):
        if words[place][1].lower() == "check" and place + 1 < len(words) and words[place + 1][1] == "(":
            named = place >= 2 and words[place - 2][1].lower() == "constraint"
            start = words[place + 1][0] + 1
            end = _closing(spaced, start)
            yield (bare_name(words[place - 1][1]) if named else None), "".join(spaced[start:end]).strip()
            while place < len(words) and words[place][0] < end:
                place += 1
        place += 1


def _closing(tokens: list[str], start: int) -> int:
    """Return where the parenthesis ends that was opened just before `start`."""
    depth = 1
    for number in range(start, len(tokens)):
        depth += {"(": 1, ")": -1}.get(tokens[number], 0)
        if depth == 0:
            return number
    return len(tokens)


def uniques_in(sql: str) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Yield the name and the columns of each UNIQUE constraint that has a name."""
    words = [token for token in _TOKEN.findall(sql) if not token.isspace()]
    for place in range(len(words) - 3):
        if (
            words[place].lower() == "constraint"
            and words[place + 2].lower() == "unique"
            and words[place + 3] == "("
        ):
            end = words.index(")", place)
            columns = tuple(bare_name(word) for word in words[place + 4 : end] if word != ",")
            yield bare_name(words[place + 1]), columns


def bare_name(identifier: str) -> str:
    """Return an identifier without its quotes."""
    if identifier[:1] == '"':
        return identifier[1:-1].replace('""', '"')
    return identifier.strip("`[]")


def _about(text: str, names: list[str]) -> tuple[str, ...]:
    return tuple(name for name in names if _mentions(text, name))


def _mentions(text: str, column: str) -> bool:
    """Tell whether a column's name stands in SQL text, outside of its strings."""
    wanted = column.lower()
    return any(token[0] != "'" and bare_name(token).lower() == wanted for token in _TOKEN.findall(text))
