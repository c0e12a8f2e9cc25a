"""The FOREIGN KEY constraint behind a ForeignKey field."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import CompileError
from sqlalchemy.ext.compiler import compiles

from ormolu.exceptions import FieldDoesNotExist, FieldError
from ormolu.fields.columns import add_like_index
from ormolu.near import near_names
from ormolu.writes.on_delete import DatabaseOnDelete


def reference_type(target: Any) -> Any:
    """Return the type of a column that refers to `target`."""
    return target.rel_sa_type


class ReferenceConstraint(sa.ForeignKeyConstraint):
    """The FOREIGN KEY of a ForeignKey field.

    Checked at the end of the transaction where the database can (SQLite, PostgreSQL), as Django has it: rows may be
    saved in any order.
    """


@compiles(ReferenceConstraint, "mysql", "mariadb")
def _compile_reference(constraint: Any, compiler: Any, **kw: Any) -> str:
    """Leave out what MySQL and MariaDB don't know: they check each statement."""
    text = str(compiler.visit_foreign_key_constraint(constraint, **kw))
    if constraint.ondelete == "SET DEFAULT":
        raise CompileError(
            f"{constraint.table.name}.{constraint.column_keys[0]}: MySQL and MariaDB can't carry out "
            "on_delete=DB_SET_DEFAULT. Use SET_DEFAULT."
        )
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
    model = field.related_model._meta.concrete_model
    if target.model is not model and field.remote_field.field_name:
        raise FieldError(
            f"{field.model._meta.label}.{field.name} refers to field {target.name!r} which is not local to model "
            f"{model._meta.label!r}: it is a column of {target.model._meta.label}. Refer to that."
        )
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
    add_reference(field, column, table)


def add_reference(field: Any, column: sa.Column[Any], table: sa.Table) -> None:
    """Add a key's FOREIGN KEY to a table, and the index by which PostgreSQL finds the beginnings of texts."""
    target: Any = field.target_field.sa_column
    if field.db_constraint and target.table is not None:
        policy = field.remote_field.on_delete
        action = policy.action if isinstance(policy, DatabaseOnDelete) else None
        table.append_constraint(
            ReferenceConstraint([column], [target], ondelete=action, deferrable=True, initially="DEFERRED")
        )
    if field.db_index or field.unique:
        add_like_index(column, table)
