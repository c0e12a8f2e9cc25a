"""Tables as SQLAlchemy has them, apart from their models: what an ALTER starts from, and what it is to end with."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa
from sqlalchemy.sql import visitors
from sqlalchemy.sql.elements import conv

from ormolu.schema.names import NAMING_CONVENTION
from ormolu.schema.statements import adding, applies, rendered

__all__ = ["FieldParts", "bare_copy", "bind", "loose_constraint", "plain_copy"]


def bare_copy(table: sa.Table) -> sa.Table:
    """Return a table of the same name and columns, without constraints and indexes."""
    columns = [
        sa.Column(column.name, column.type, key=column.key, nullable=column.nullable)
        for column in table.columns
    ]
    return sa.Table(
        table.name, sa.MetaData(naming_convention=NAMING_CONVENTION), *columns, schema=table.schema
    )


def plain_copy(
    table: sa.Table, dialect: Any, renamed: Mapping[str, str] | None = None, without: str | None = None
) -> sa.Table:
    """Return a copy of a table as it is on one kind of database, each constraint and index by itself.

    `renamed` has columns that have another name by now; what is about the column `without` is left out.
    """
    names = renamed or {}
    copy = sa.Table(
        table.name,
        sa.MetaData(),
        *(_column(column, names, dialect) for column in table.columns if column.name != without),
        schema=table.schema,
        comment=table.comment,
        **table.kwargs,
    )
    if table.primary_key.name:
        copy.primary_key.name = conv(str(table.primary_key.name))
    for constraint in table.constraints:
        if applies(constraint, dialect) and not _is_about(constraint, without, table, dialect):
            made = loose_constraint(constraint, dialect, names)
            if made is not None:
                copy.append_constraint(made)
    for index in table.indexes:
        if applies(index, dialect) and not _is_about(index, without, table, dialect):
            _copy_index(index, copy, names, dialect)
    return copy


def _column(column: sa.Column[Any], names: Mapping[str, str], dialect: Any) -> sa.Column[Any]:
    extra: list[Any] = []
    default: Any = column.server_default
    if column.computed is not None:
        extra.append(sa.Computed(_text(column.computed.sqltext, names, dialect), column.computed.persisted))
        default = None
    elif column.identity is not None:
        extra.append(sa.Identity(always=column.identity.always))
        default = None
    name = names.get(column.name, column.name)
    return sa.Column(
        name,
        column.type,
        *extra,
        primary_key=column.primary_key,
        nullable=column.nullable,
        server_default=None if default is None else default.arg,
        comment=column.comment,
        autoincrement=column.autoincrement,
    )


def _text(expression: Any, names: Mapping[str, str], dialect: Any = None) -> Any:
    """Return an expression with the columns by their present names, and tied to no table."""
    if dialect is not None and hasattr(expression, "resolved"):
        expression = expression.resolved(dialect)

    def replace(part: Any, **kw: Any) -> Any:
        found: Any = part
        if isinstance(part, sa.Column):
            return sa.column(names.get(found.name, found.name), found.type)
        return None

    traverse: Any = visitors.replacement_traverse
    return traverse(expression, {}, replace)


def loose_constraint(constraint: Any, dialect: Any, renamed: Mapping[str, str] | None = None) -> Any:
    """Return a copy of a constraint that belongs to no table yet, None for what no ALTER is about."""
    names = renamed or {}
    name = conv(str(constraint.name)) if constraint.name else None
    timing = {"deferrable": constraint.deferrable, "initially": constraint.initially}
    match constraint:
        case sa.UniqueConstraint():
            columns = [names.get(column.name, column.name) for column in constraint.columns]
            return sa.UniqueConstraint(*columns, name=name, **timing, **constraint.kwargs)
        case sa.CheckConstraint() if not constraint._type_bound:
            return sa.CheckConstraint(_text(constraint.sqltext, names, dialect), name=name)
        case sa.ForeignKeyConstraint():
            columns = [names.get(e.parent.name, e.parent.name) for e in constraint.elements]
            own = constraint.elements[0].parent.table.fullname
            targets = [_target(element.target_fullname, own, names) for element in constraint.elements]
            actions: Any = {"ondelete": constraint.ondelete, "onupdate": constraint.onupdate}
            return sa.ForeignKeyConstraint(columns, targets, name=name, **actions, **timing)
        case _:
            return None


def _target(fullname: str, own: str, names: Mapping[str, str]) -> str:
    table, _, column = fullname.rpartition(".")
    return f"{table}.{names.get(column, column)}" if table == own else fullname


def _copy_index(index: sa.Index, copy: sa.Table, names: Mapping[str, str], dialect: Any) -> None:
    parts: list[Any] = []
    for part in index.expressions:
        found: Any = part
        if isinstance(found, sa.Column):
            parts.append(copy.c[names.get(found.name, found.name)])
        else:
            parts.append(_text(found, names, dialect))
    options = {
        option: _text(value, names, dialect) if isinstance(value, sa.ClauseElement) else value
        for option, value in index.kwargs.items()
    }
    sa.Index(conv(str(index.name)), *parts, unique=index.unique, _table=copy, **options)


def _is_about(part: Any, column: str | None, table: sa.Table, dialect: Any) -> bool:
    """Tell whether a constraint or an index has something to do with a column."""
    if column is None:
        return False
    if isinstance(part, sa.ForeignKeyConstraint):
        return any(element.parent.name == column for element in part.elements)
    if isinstance(part, sa.CheckConstraint):
        return column in _names_in(part.sqltext, dialect)
    return any(
        column in _names_in(expression, dialect) for expression in getattr(part, "expressions", part.columns)
    )


def _names_in(expression: Any, dialect: Any) -> set[str]:
    if hasattr(expression, "resolved"):
        expression = expression.resolved(dialect)
    return {part.name for part in visitors.iterate(expression) if isinstance(part, sa.Column)}


def bind(field: Any, model: Any) -> Any:
    """Let a field that no class body has know which model it is for, and find what it refers to. Return it."""
    if getattr(field, "model", None) is None:
        field.model = model
    remote = field.remote_field
    if remote is not None and remote.resolved is None:
        if remote.to == "self":
            remote.model = model
        else:
            label, _, name = str(remote.to).rpartition(".")
            remote.model = model._meta.apps.get_model(label or model._meta.app_label, name)
    return field


class FieldParts:
    """What a field is in a table: a column of its own, constraints and indexes."""

    def __init__(self, model: Any, field: Any, dialect: Any) -> None:
        meta = model._meta
        self.field = bind(field, model)
        self.dialect = dialect
        table = sa.Table(
            meta.table.name, sa.MetaData(naming_convention=NAMING_CONVENTION), schema=meta.table.schema
        )
        self.table = table
        self.column: sa.Column[Any] = field.make_column()
        table.append_column(self.column)
        field.complete_table(self.column, table)

    @property
    def constraints(self) -> list[Any]:
        """The constraints without the primary key."""
        found = [
            constraint
            for constraint in self.table.constraints
            if not isinstance(constraint, sa.PrimaryKeyConstraint) and applies(constraint, self.dialect)
        ]
        return sorted(found, key=lambda constraint: str(constraint.name))

    @property
    def indexes(self) -> list[sa.Index]:
        """The indexes."""
        found = [index for index in self.table.indexes if applies(index, self.dialect)]
        return sorted(found, key=lambda index: str(index.name))

    @property
    def type_sql(self) -> str:
        """The column's type in SQL, with its collation."""
        found: str = self.dialect.ddl_compiler(self.dialect, None).get_column_specification(self._typed())
        return found

    def _typed(self) -> sa.Column[Any]:
        return sa.Column("x", self.column.type)

    @property
    def default_sql(self) -> str | None:
        """The column's DEFAULT in SQL."""
        compiler: Any = self.dialect.ddl_compiler(self.dialect, None)
        if self.column.computed is not None or self.column.identity is not None:
            return None
        found: str | None = compiler.get_column_default_string(self.column)
        return found

    def signature(self, part: Any) -> str:
        """Return what a constraint or an index is, with its name left out."""
        make: Any = sa.schema.CreateIndex if isinstance(part, sa.Index) else adding
        text = rendered(make(part), self.dialect)
        quoted = self.dialect.identifier_preparer.quote
        return text.replace(quoted(str(part.name)), "").replace(quoted(self.column.name), "?")
