"""What becomes of a model's fields and Meta in its table, beside the columns: constraints, indexes, comment, place."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.sql.elements import conv

from ormolu.conf import settings
from ormolu.models.indexes import column_of
from ormolu.schema.names import index_name, split_table_name


def expand_name(name: str, meta: Any) -> str:
    """Return a name with `%(app_label)s` and `%(class)s` filled in."""
    return name % {"app_label": meta.app_label.lower(), "class": meta.model_name} if "%(" in name else name


def take_quotes(cls: type[Any], meta: Any) -> None:
    """Let a class about to be mapped have the table, and the schema, that `db_table` names in quotes."""
    schema, name = split_table_name(meta.db_table)
    type.__setattr__(cls, "__tablename__", name)
    if schema is None:
        return
    given: Any = vars(cls).get("__table_args__") or ()
    parts: tuple[Any, ...] = tuple(given) if given.__class__ is tuple else (given,)
    options: dict[str, Any] = dict(parts[-1]) if parts and parts[-1].__class__ is dict else {}
    others = parts[:-1] if options else parts
    type.__setattr__(cls, "__table_args__", (*others, {**options, "schema": schema}))


def add_to_table(meta: Any) -> None:
    """Add Meta.unique_together, Meta.indexes and Meta.constraints to a model's table, its comment and tablespace."""
    if meta.db_table_comment:
        meta.table.comment = meta.db_table_comment
    for names in meta.unique_together:
        meta.table.append_constraint(together(meta, names, meta.table))
    # An abstract base's Meta serves several models: each has its own copies.
    meta.indexes = [index.clone() for index in meta.indexes]
    meta.constraints = [constraint.clone() for constraint in meta.constraints]
    for part in (*meta.indexes, *meta.constraints):
        if part.name:
            part.name = expand_name(part.name, meta)
        part.add_to(meta)


def set_tablespace(meta: Any) -> None:
    """Put a table where Meta.db_tablespace, or the setting DEFAULT_TABLESPACE, says. PostgreSQL."""
    space = meta.db_tablespace or settings.DEFAULT_TABLESPACE
    if space:
        meta.table.dialect_options["postgresql"]["tablespace"] = space


def together(meta: Any, names: Any, table: sa.Table) -> sa.UniqueConstraint:
    """Return the constraint of one entry of Meta.unique_together, named as Django names it."""
    columns = [column_of(meta, name, "unique_together", table) for name in names]
    name = index_name(meta.db_table, [column.name for column in columns], "_uniq")
    return sa.UniqueConstraint(*columns, name=conv(name))
