"""Making SQLAlchemy columns of fields."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.sql.elements import conv

from ormolu.exceptions import FieldError
from ormolu.schema.names import check_name, index_name

__all__ = [
    "add_check",
    "add_like_index",
    "complete_table",
    "dialect_of",
    "make_column",
    "quoted",
    "type_text",
]

LIKE_CLASSES = (("varchar", "varchar_pattern_ops"), ("text", "text_pattern_ops"))
"""PostgreSQL's operator classes for LIKE, by the beginning of a column's type."""


def make_column(field: Any) -> sa.Column[Any]:
    """Return a new column with the field's name, type, constraints, defaults and comment."""
    return sa.Column(
        field.column,
        field.sa_type,
        *field.column_items(),
        primary_key=field.primary_key,
        # What is computed of NULL is NULL, whatever the field says; as in Django it is let be.
        nullable=(field.null or field.generated) and not field.primary_key,
        unique=(field.unique and not field.primary_key) or None,
        index=(field.db_index and not field.unique) or None,
        default=_python_default(field),
        server_default=_server_default(field),
        comment=field.db_comment,
        info={"field": field},
        # SQLAlchemy would count up any integer key; here only an AutoField's is.
        autoincrement="auto" if getattr(field, "counts_up", False) else False,
    )


def complete_table(field: Any, column: sa.Column[Any], table: sa.Table) -> None:
    """Add to a table what a field's column brings along, beside what SQLAlchemy makes of the column itself."""
    attach = getattr(field, "attach_to_table", None)
    if attach is not None:
        attach(column, table)
    if (field.db_index or field.unique) and not field.is_relation:
        add_like_index(column, table)


def _python_default(field: Any) -> Any:
    """Return the default for statements that are not ours: a plain `insert(table)`, a Session's flush."""
    if getattr(field, "auto_now", False) or getattr(field, "auto_now_add", False):
        return sa.ColumnDefault(lambda context: field.present())
    if not field.has_default():
        return None
    if callable(field.default):
        return sa.ColumnDefault(lambda context: field.get_default())
    return None if field.default is None else sa.ColumnDefault(field.default)


def _server_default(field: Any) -> Any:
    """Return the SQL for `db_default`: a value, or an expression with `__clause_element__`."""
    if not field.has_db_default():
        return None
    value = field.db_default
    if hasattr(value, "as_term"):
        return None  # an expression of ours: the model sets it, once there is one
    if hasattr(value, "__clause_element__"):
        return value.__clause_element__()
    if isinstance(value, sa.ClauseElement):
        return value
    return sa.literal(field.get_prep_value(value), type_=field.sa_type)


def add_check(column: sa.Column[Any], table: sa.Table, condition: Any, dialect: str | None = None) -> None:
    """Add a CHECK of one column, named as PostgreSQL would name it; on one kind of database only if that is named."""
    name = conv(check_name(table.name, column.name))
    if any(constraint.name == name for constraint in table.constraints):
        return  # the table of another model, too
    check = sa.CheckConstraint(condition, name=name)
    if dialect is not None:
        check.ddl_if(dialect=dialect)
    table.append_constraint(check)


def add_like_index(column: sa.Column[Any], table: sa.Table) -> None:
    """Add the second index by which PostgreSQL finds texts by their beginning, whatever the column's collation."""
    if (
        not isinstance(column.type, sa.String)
        or isinstance(column.type, sa.Enum)
        or column.type.collation is not None
    ):
        return
    kind = "text" if isinstance(column.type, sa.Text) else "varchar"
    name = conv(index_name(table.name, [column.name], "_like"))
    if any(index.name == name for index in table.indexes):
        return
    operators = {column.key: dict(LIKE_CLASSES)[kind]}
    sa.Index(name, column, postgresql_ops=operators).ddl_if(dialect="postgresql")


def quoted(name: str, connection: Any) -> str:
    """Return a column's name as SQL has it on `connection`."""
    return dialect_of(connection).identifier_preparer.quote_identifier(name)


def type_text(type_: sa.types.TypeEngine[Any], connection: Any) -> str:
    """Return the SQL of a type on `connection`: a database, driver, engine or dialect."""
    return type_.compile(dialect=dialect_of(connection)).lower()


def dialect_of(connection: Any) -> sa.Dialect:
    """Return SQLAlchemy's dialect of `connection`: a database, driver, engine or dialect."""
    if isinstance(connection, sa.Dialect):
        return connection
    dialect = getattr(connection, "dialect", None) or getattr(
        getattr(connection, "engine", None), "dialect", None
    )
    if dialect is None:
        vendor = getattr(connection, "vendor", None)
        if vendor is None:
            raise FieldError(f"{connection!r} is no database: it has neither a dialect nor a vendor.")
        dialect = sa.make_url(f"{vendor}://").get_dialect()()
    return dialect
