"""Making SQLAlchemy columns of fields."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.sql.elements import conv

from ormolu.exceptions import FieldError

__all__ = ["make_column", "type_text"]


def make_column(field: Any) -> sa.Column[Any]:
    """Return a new column with the field's name, type, constraints, defaults and comment."""
    column: sa.Column[Any] = sa.Column(
        field.column,
        field.sa_type,
        *field.column_items(),
        primary_key=field.primary_key,
        nullable=field.null and not field.primary_key,
        unique=(field.unique and not field.primary_key) or None,
        index=(field.db_index and not field.unique) or None,
        default=_python_default(field),
        server_default=_server_default(field),
        comment=field.db_comment,
        info={"field": field},
        # SQLAlchemy would count up any integer key; here only an AutoField's is.
        autoincrement="auto" if getattr(field, "counts_up", False) else False,
    )
    attach = getattr(field, "attach_to_table", None)
    if attach is not None:
        event.listen(column, "after_parent_attach", attach)
    return column


def _python_default(field: Any) -> Any:
    """Return the default for statements that are not ours: a plain `insert(table)`, a Session's flush."""
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
    if hasattr(value, "__clause_element__"):
        return value.__clause_element__()
    if isinstance(value, sa.ClauseElement):
        return value
    return sa.literal(value, type_=field.sa_type)


def add_minimum_check(column: sa.Column[Any], table: sa.Table, minimum: int = 0) -> None:
    """Add the constraint that no value is below `minimum`, named as PostgreSQL would name it."""
    name = conv(f"{table.name}_{column.name}_check"[:63])
    table.append_constraint(sa.CheckConstraint(column >= minimum, name=name))


def type_text(type_: sa.types.TypeEngine[Any], connection: Any) -> str:
    """Return the SQL of a type on `connection`: a database, driver, engine or dialect."""
    return type_.compile(dialect=_dialect_of(connection)).lower()


def _dialect_of(connection: Any) -> sa.Dialect:
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
