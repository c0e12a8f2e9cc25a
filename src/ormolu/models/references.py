"""The FOREIGN KEY constraint behind a ForeignKey field."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.compiler import compiles

from ormolu.exceptions import FieldDoesNotExist, FieldError
from ormolu.near import near_names


def reference_type(target: Any) -> Any:
    """Return the type of a column that refers to `target`."""
    return getattr(target, "rel_sa_type", None) or target.sa_type


class ReferenceConstraint(sa.ForeignKeyConstraint):
    """The FOREIGN KEY of a ForeignKey field.

    Checked at the end of the transaction where the database can (SQLite, PostgreSQL), as Django has it: rows may be
    saved in any order.
    """


@compiles(ReferenceConstraint, "mysql", "mariadb")
def _compile_reference(constraint: Any, compiler: Any, **kw: Any) -> str:
    """Leave out what MySQL and MariaDB don't know: they check each statement."""
    text = str(compiler.visit_foreign_key_constraint(constraint, **kw))
    return text.replace(" DEFERRABLE INITIALLY DEFERRED", "")


def set_reference(field: Any) -> None:
    """Give a key's column the type of the column it refers to, and its FOREIGN KEY constraint."""
    column: sa.Column[Any] = field.sa_column
    try:
        target = field.target_field
    except FieldDoesNotExist as error:
        names = [f.name for f in field.related_model._meta.concrete_fields]
        near = near_names(str(field.remote_field.field_name), names)
        hint = f" Did you mean {near[0]!r}?" if near else ""
        raise FieldError(
            f"{field.model._meta.label}.{field.name}: to_field={field.remote_field.field_name!r} is no field of "
            f"{field.related_model._meta.label}.{hint}"
        ) from error
    column.type = reference_type(target)
    table: Any = column.table
    if table is None:
        return
    for old in [
        c
        for c in table.constraints
        if isinstance(c, ReferenceConstraint) and c.columns.contains_column(column)
    ]:
        table.constraints.discard(old)
        table.foreign_keys.difference_update(old.elements)
        column.foreign_keys.difference_update(old.elements)
    if field.db_constraint and target.sa_column.table is not None:
        table.append_constraint(
            ReferenceConstraint([column], [target.sa_column], deferrable=True, initially="DEFERRED")
        )
