"""FullTextIndex: an entry of Meta.indexes that makes a model's texts searchable, on each database in its way."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import md5
from typing import Any, cast

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.schema import CreateIndex, DropIndex

from ormolu.exceptions import ImproperlyConfigured
from ormolu.lazy import public_path
from ormolu.models.ddl import Late
from ormolu.models.indexes import column_of
from ormolu.query.search.vectors import NAME, SearchVector

__all__ = ["FullTextIndex"]

TOKENIZERS = {
    "english": "porter unicode61 remove_diacritics 2",
    "simple": "unicode61 remove_diacritics 0",
}
"""SQLite's tokenizers for PostgreSQL's configurations; for others words are compared whole, without accents."""

LONGEST_NAME = 50

TRIGGERS = ("insert", "delete", "update")
"""What the names of SQLite's triggers end with."""


class FullTextIndex:
    """A full-text index over columns of text: `indexes = [FullTextIndex(fields=["title", "body"])]`.

    On PostgreSQL a GIN index, on SQLite an FTS5 table that triggers keep in step, on MySQL and MariaDB a FULLTEXT
    index. `weights` gives each field a letter from "A" (the most) to "D". `config` is PostgreSQL's text search
    configuration; SQLite has stems of English only. `tokenize` is given to FTS5 in place of what `config` stands for.
    `SearchVector()` stands for what the index holds.
    """

    def __init__(
        self,
        *,
        fields: Sequence[str],
        weights: Sequence[str] | None = None,
        config: str = "english",
        tokenize: str | None = None,
        name: str | None = None,
    ) -> None:
        if not isinstance(fields, (list, tuple)) or not fields:
            raise ValueError("FullTextIndex.fields must be a list or tuple of names.")
        if weights is not None and (len(weights) != len(fields) or not set(weights) <= set("ABCD")):
            raise ValueError("FullTextIndex.weights has a letter from A to D for each field.")
        if not NAME.fullmatch(config):
            raise ValueError(f"{config!r} is not the name of a text search configuration.")
        self.fields = list(fields)
        self.weights = None if weights is None else tuple(weights)
        self.config = config
        self.tokenize = tokenize
        self.name = name or ""

    def __repr__(self) -> str:
        return f"<FullTextIndex: fields={self.fields!r} name={self.name!r}>"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, FullTextIndex) and self.deconstruct() == other.deconstruct()

    def __hash__(self) -> int:
        return hash((type(self), self.name, tuple(self.fields)))

    def clone(self) -> FullTextIndex:
        """Return a copy, to be given to another model."""
        return type(self)(**self.deconstruct()[2])

    def deconstruct(self) -> tuple[str, tuple[Any, ...], dict[str, Any]]:
        """Return (path, args, kwargs) that make this index again."""
        kwargs: dict[str, Any] = {"fields": self.fields, "config": self.config, "name": self.name}
        for option in ("weights", "tokenize"):
            if getattr(self, option) is not None:
                kwargs[option] = getattr(self, option)
        return public_path(type(self)), (), kwargs

    @property
    def vector(self) -> Any:
        """What the index holds, as an expression."""
        if self.weights is None:
            return SearchVector(*self.fields, config=self.config)
        parts: list[Any] = [
            SearchVector(field, weight=weight, config=self.config)
            for field, weight in zip(self.fields, self.weights, strict=True)
        ]
        whole = parts[0]
        for part in parts[1:]:
            whole += part
        return whole

    def add_to(self, meta: Any) -> None:
        """Add the index to a model's table."""
        if not self.name:
            columns = [column_of(meta, name, "indexes").name for name in self.fields]
            self.name = default_name(meta.table.name, columns)
        table = meta.table
        self._elements(meta, table)
        for sql in self.sqlite_ddl(meta):
            event.listen(table, "after_create", _on_sqlite(sql))
        event.listen(table, "before_drop", _on_sqlite(f"DROP TABLE IF EXISTS {quoted(self.name)}"))

    def _elements(self, meta: Any, table: sa.Table) -> list[sa.Index]:
        """Add PostgreSQL's index and that of MySQL and MariaDB to a table; return them."""
        columns = [column_of(meta, name, "indexes", table) for name in self.fields]
        vector = sa.Index(self.name, Late(meta.model, self.vector), _table=table, postgresql_using="gin")
        vector.ddl_if(dialect="postgresql")
        words = sa.Index(
            self.name, *columns, _table=table, mysql_prefix="FULLTEXT", mariadb_prefix="FULLTEXT"
        )
        words.ddl_if(callable_=cast(Any, _on_mysql))
        return [vector, words]

    def create_sql(self, model: Any, schema_editor: Any) -> list[Any]:
        """Return the statements that make the index, of the rows that are there, too."""
        if schema_editor.dialect.name == "sqlite":
            name = quoted(self.name)
            fill = f"INSERT INTO {name} ({name}) VALUES ('rebuild')"
            return [*self.sqlite_ddl(model._meta), fill]
        found = self._elements(model._meta, schema_editor.bare_table(model))
        return [schema_editor.statement(CreateIndex(index)) for index in found]

    def remove_sql(self, model: Any, schema_editor: Any) -> list[Any]:
        """Return the statements that drop the index."""
        if schema_editor.dialect.name == "sqlite":
            triggers = [f"DROP TRIGGER {quoted(f'{self.name}_{suffix}')}" for suffix in TRIGGERS]
            return [*triggers, f"DROP TABLE {quoted(self.name)}"]
        found = self._elements(model._meta, schema_editor.bare_table(model))
        return [schema_editor.statement(DropIndex(index)) for index in found]

    def sqlite_ddl(self, meta: Any) -> list[str]:
        """Return the statements that make the FTS5 table, with the triggers that keep it in step."""
        columns = [column_of(meta, name, "indexes").name for name in self.fields]
        key = meta.pk.sa_column
        if not isinstance(key.type, sa.Integer) and not isinstance(
            key.type.dialect_impl(_sqlite()), sa.Integer
        ):
            raise ImproperlyConfigured(
                f"The FullTextIndex of {meta.label} needs an integer key: FTS5 knows rows by their number."
            )
        name, table, row = quoted(self.name), quoted(meta.table.name), quoted(key.name)
        names = ", ".join(map(quoted, columns))
        tokenize = self.tokenize or TOKENIZERS.get(self.config, "unicode61 remove_diacritics 2")
        options = [
            f"content={text(meta.table.name)}",
            f"content_rowid={text(key.name)}",
            f"tokenize={text(tokenize)}",
        ]
        old, new = (", ".join(f"{which}.{quoted(c)}" for c in columns) for which in ("old", "new"))
        add = f"INSERT INTO {name} (rowid, {names}) VALUES (new.{row}, {new});"
        remove = f"INSERT INTO {name} ({name}, rowid, {names}) VALUES ('delete', old.{row}, {old});"
        triggers = [
            ("insert", "INSERT", add),
            ("delete", "DELETE", remove),
            ("update", f"UPDATE OF {row}, {names}", f"{remove} {add}"),
        ]
        return [
            f"CREATE VIRTUAL TABLE {name} USING fts5({names}, {', '.join(options)})",
            *(
                f"CREATE TRIGGER {quoted(f'{self.name}_{suffix}')} AFTER {when} ON {table} BEGIN {what} END"
                for suffix, when, what in triggers
            ),
        ]


def quoted(name: str) -> str:
    """Return an identifier in quotes."""
    doubled = name.replace('"', '""')
    return f'"{doubled}"'


def text(value: str) -> str:
    """Return a text as SQL."""
    doubled = value.replace("'", "''")
    return f"'{doubled}'"


def default_name(table: str, columns: list[str]) -> str:
    """Return a name for the index of a table's columns."""
    name = f"{table}_{'_'.join(columns)}_search"
    if len(name) <= LONGEST_NAME:
        return name
    return f"{name[: LONGEST_NAME - 9]}_{md5(name.encode(), usedforsecurity=False).hexdigest()[:8]}"


def _sqlite() -> Any:
    from sqlalchemy.dialects import sqlite

    return sqlite.dialect()


def _on_sqlite(sql: str) -> Any:
    ddl: Any = cast(Any, sa.DDL)(sql.replace("%", "%%"))
    return ddl.execute_if(dialect="sqlite")


def _on_mysql(ddl: Any, target: Any, bind: Any, *, dialect: Any = None, **kw: Any) -> bool:
    return (dialect or bind.dialect).name in ("mysql", "mariadb")
