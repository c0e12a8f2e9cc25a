"""`connection.introspection`: what a database has, by Django's names, over SQLAlchemy's Inspector.

Methods take a cursor first, as Django's do; it may be None. They look through the transaction that is open.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

import sqlalchemy as sa

from ormolu.databases.routing import router
from ormolu.schema.names import split_table_name
from ormolu.schema.present import Details, constraints_of
from ormolu.signals import known_models

if TYPE_CHECKING:
    from ormolu.databases.database import Database

__all__ = ["FieldInfo", "Introspection", "TableInfo"]

R = TypeVar("R")


class TableInfo(NamedTuple):
    """A table (`type` is "t") or a view ("v")."""

    name: str
    type: str
    comment: str | None = None


class FieldInfo(NamedTuple):
    """A column. `type_code` is SQLAlchemy's type; the order of the first seven is that of a cursor's description."""

    name: str
    type_code: Any
    display_size: int | None
    internal_size: int | None
    precision: int | None
    scale: int | None
    null_ok: bool
    default: str | None
    collation: str | None
    is_autofield: bool
    comment: str | None


class Introspection:
    """Looks at the tables of one database."""

    def __init__(self, database: Database) -> None:
        self.connection = database

    def __repr__(self) -> str:
        return f"<Introspection of {self.connection!r}>"

    def _look(self, function: Callable[[sa.Connection, Any], R]) -> R:
        return self.connection.driver.ddl(lambda conn: function(conn, sa.inspect(conn)), write=False)

    def identifier_converter(self, name: str) -> str:
        """Return a name as it is compared with those of the database: unchanged."""
        return name

    # -- tables

    def get_table_list(self, cursor: Any = None) -> list[TableInfo]:
        """Return the tables and views."""

        def look(conn: sa.Connection, inspector: Any) -> list[TableInfo]:
            comments: dict[Any, Any] = {}
            if conn.dialect.supports_comments:
                found = inspector.get_multi_table_comment(kind=sa.engine.reflection.ObjectKind.ANY)
                comments = {key[1]: value["text"] for key, value in found.items()}
            tables = [TableInfo(name, "t", comments.get(name)) for name in inspector.get_table_names()]
            return tables + [TableInfo(name, "v", comments.get(name)) for name in inspector.get_view_names()]

        return sorted(self._look(look))

    def table_names(self, cursor: Any = None, include_views: bool = False) -> list[str]:
        """Return the names of the tables, and of the views if asked for, in order."""
        return sorted(info.name for info in self.get_table_list() if include_views or info.type == "t")

    def django_table_names(self, only_existing: bool = False, include_views: bool = True) -> list[str]:
        """Return the names of the tables that models have, those of many-to-many relations included."""
        names = dict.fromkeys(split_table_name(model._meta.db_table)[1] for model in self._models())
        if not only_existing:
            return list(names)
        there = set(self.table_names(include_views=include_views))
        return [name for name in names if name in there]

    def installed_models(self, tables: Iterable[str]) -> set[Any]:
        """Return the models whose tables are among those named."""
        wanted = set(tables)
        return {model for model in self._models() if model._meta.db_table in wanted}

    def _models(self) -> list[Any]:
        alias = self.connection.alias
        return [
            model
            for model in known_models()
            if model._meta.can_migrate()
            and router.allow_migrate(
                alias, model._meta.app_label, model_name=model._meta.model_name, model=model
            )
        ]

    # -- columns

    def get_table_description(self, cursor: Any, table_name: str) -> list[FieldInfo]:
        """Return the columns of a table, in order. Raises NoSuchTableError (SQLAlchemy's) for one that isn't there."""
        schema, name = split_table_name(table_name)

        def look(conn: sa.Connection, inspector: Any) -> list[FieldInfo]:
            keys = inspector.get_pk_constraint(name, schema=schema)["constrained_columns"]
            lone = keys[0] if len(keys) == 1 else None
            counts = conn.dialect.name == "sqlite"
            return [
                _field_info(column, counts and column["name"] == lone)
                for column in inspector.get_columns(name, schema=schema)
            ]

        return self._look(look)

    def get_field_type(self, data_type: Any, description: FieldInfo) -> str | tuple[str, dict[str, Any]]:
        """Return the name of the field class that a column is best described by, with its options if it needs some."""
        name = field_name_for(data_type)
        if description.is_autofield:
            name = {"BigIntegerField": "BigAutoField", "SmallIntegerField": "SmallAutoField"}.get(
                name, "AutoField"
            )
        if name == "DecimalField" and description.precision is not None:
            return name, {"max_digits": description.precision, "decimal_places": description.scale}
        return name

    # -- keys, constraints, sequences

    def get_primary_key_columns(self, cursor: Any, table_name: str) -> list[str] | None:
        """Return the columns of a table's primary key, None for a table without one."""
        schema, name = split_table_name(table_name)
        found = self._look(lambda conn, inspector: inspector.get_pk_constraint(name, schema=schema))
        return list(found["constrained_columns"]) or None

    def get_primary_key_column(self, cursor: Any, table_name: str) -> str | None:
        """Return the first column of a table's primary key, None for a table without one."""
        columns = self.get_primary_key_columns(cursor, table_name)
        return columns[0] if columns else None

    def get_relations(self, cursor: Any, table_name: str) -> dict[str, tuple[str, str]]:
        """Return the foreign keys of a table: for each column the column and the table that it refers to."""
        schema, name = split_table_name(table_name)
        keys = self._look(lambda conn, inspector: inspector.get_foreign_keys(name, schema=schema))
        return {
            column: (other, key["referred_table"])
            for key in keys
            for column, other in zip(key["constrained_columns"], key["referred_columns"], strict=True)
        }

    def get_constraints(self, cursor: Any, table_name: str) -> dict[str, Details]:
        """Return the constraints and indexes of a table by name.

        Each has `columns`, `primary_key`, `unique`, `foreign_key` (table and column, or None), `check`, `index`;
        indexes have `orders` ("ASC", "DESC") and `type` as well, on PostgreSQL also `options` and `definition`.
        """
        schema, name = split_table_name(table_name)
        return self._look(lambda conn, inspector: constraints_of(conn, inspector, name, schema))

    def get_sequences(
        self, cursor: Any, table_name: str, table_fields: Collection[Any] = ()
    ) -> list[dict[str, Any]]:
        """Return the sequences that number a table's rows: each with `table`, `column`, and `name` if it has one."""
        counting = [info.name for info in self.get_table_description(cursor, table_name) if info.is_autofield]
        name = split_table_name(table_name)[1]
        if self.connection.driver.dialect.name != "postgresql":
            return [{"table": name, "column": column} for column in counting]
        found: list[dict[str, Any]] = []
        for column in counting:
            rows = self.connection.fetch(
                "SELECT pg_get_serial_sequence(%s, %s)", [_regclass(table_name), column]
            )
            found.append({"name": rows[0][0].rpartition(".")[2], "table": name, "column": column})
        return found

    def sequence_list(self) -> list[dict[str, Any]]:
        """Return the sequences of all models' tables that are there."""
        there = set(self.table_names())
        found: list[dict[str, Any]] = []
        for model in self._models():
            if split_table_name(model._meta.db_table)[1] in there:
                found += self.get_sequences(None, model._meta.db_table)
        return found


def _regclass(table_name: str) -> str:
    return ".".join(f'"{part}"' for part in split_table_name(table_name) if part)


def _field_info(column: Any, lone_key: bool) -> FieldInfo:
    type_ = column["type"]
    default = column["default"]
    counts = bool(column.get("identity")) or (isinstance(default, str) and default.startswith("nextval("))
    counts = counts or column.get("autoincrement") is True
    length = getattr(type_, "length", None)
    return FieldInfo(
        column["name"],
        type_,
        length,
        length,
        getattr(type_, "precision", None),
        getattr(type_, "scale", None),
        bool(column["nullable"]),
        None if counts else default,
        getattr(type_, "collation", None),
        counts or (lone_key and isinstance(type_, sa.Integer) and not isinstance(type_, sa.BigInteger)),
        column.get("comment"),
    )


# The first that fits counts, so that a type stands before those that it derives from.
_FIELDS: Sequence[tuple[str, str]] = (
    ("Boolean", "BooleanField"),
    ("Uuid", "UUIDField"),
    ("JSON", "JSONField"),
    ("INET", "GenericIPAddressField"),
    ("SmallInteger", "SmallIntegerField"),
    ("BigInteger", "BigIntegerField"),
    ("Integer", "IntegerField"),
    ("Float", "FloatField"),
    ("Numeric", "DecimalField"),
    ("Interval", "DurationField"),
    ("INTERVAL", "DurationField"),
    ("DateTime", "DateTimeField"),
    ("Date", "DateField"),
    ("Time", "TimeField"),
    ("Text", "TextField"),
    ("LONGTEXT", "TextField"),
    ("String", "CharField"),
    ("_Binary", "BinaryField"),
)


def field_name_for(type_: Any) -> str:
    """Return the name of the field class for a type of SQLAlchemy's: "TextField" for one that no field has."""
    bases = {base.__name__ for base in type(type_).__mro__}
    if "TINYINT" in bases and type_.display_width == 1:  # what MySQL and MariaDB have for BOOLEAN
        return "BooleanField"
    name = next((field for base, field in _FIELDS if base in bases), "TextField")
    if getattr(type_, "unsigned", False) and name.endswith("IntegerField"):
        return f"Positive{name}"
    return name
