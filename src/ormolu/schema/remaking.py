"""Tables made anew: how SQLite changes what it has no ALTER for.

A new table is made beside the old one, gets its rows, and takes its name. It is put together from the model's columns
and from what the database has beside them, so nothing is lost that a model doesn't know of.

Source: SQLite's documentation, "ALTER TABLE", "Making Other Kinds Of Table Schema Changes".
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.dialects import sqlite
from sqlalchemy.schema import CreateIndex, CreateTable
from sqlalchemy.sql.elements import conv

from ormolu.exceptions import NotSupportedError
from ormolu.schema.changes import Change, Declared, bare, effective_default, plain_constraints
from ormolu.schema.sqlite import Present, look_at
from ormolu.schema.statements import rendered
from ormolu.schema.tables import FieldParts, loose_constraint, plain_copy

if TYPE_CHECKING:
    from ormolu.databases.database import Database

__all__ = ["Remaking"]

_PLAIN: Any = sqlite.dialect()


class Draft:
    """A table as it is to be: SQLAlchemy's, with the indexes and triggers that it gets back."""

    def __init__(self, table: sa.Table, statements: list[str], rows_of: frozenset[str]) -> None:
        self.table = table
        self.statements = statements
        self.rows_of = rows_of
        """The columns that the old table has."""


class Remaking:
    """The part of the schema editor that is SQLite's."""

    connection: Database
    collect_sql: bool

    if TYPE_CHECKING:

        @property
        def dialect(self) -> Any: ...
        def execute(self, sql: Any, params: Any = ()) -> None: ...
        def quote_name(self, name: str) -> str: ...

    # -- drafts

    def draft(
        self, model: Any, renamed: Mapping[str, str] | None = None, without: str | None = None
    ) -> Draft:
        """Return a model's table as it stands in the database, to be changed."""
        copy = plain_copy(model._meta.table, self.dialect, renamed, without)
        there = look_at(self.connection, copy.name)
        if there is None:  # statements are collected for a table that is yet to be made
            indexes = [rendered(CreateIndex(index), self.dialect) for index in copy.indexes]
            copy.indexes.clear()
            names = frozenset(column.name for column in copy.columns if column.computed is None)
            return Draft(copy, indexes, names)
        table = sa.Table(copy.name, sa.MetaData(), comment=copy.comment, **copy.kwargs)
        for column in _columns(copy, there, without):
            table.append_column(column)
        if copy.primary_key.name:
            table.primary_key.name = conv(str(copy.primary_key.name))
        for constraint in there.constraints(without):
            table.append_constraint(constraint)
        names = frozenset(
            column.name for column in there.columns if not column.generated and column.name != without
        )
        return Draft(table, there.statements(without), names)

    def remake(self, draft: Draft) -> None:
        """Make a table anew, with the rows of the old one.

        Raises NotSupportedError where foreign keys are checked: dropping the old one would touch those who refer to it.
        """
        table = draft.table
        if not self.collect_sql and self.connection.fetch("PRAGMA foreign_keys")[0][0]:
            raise NotSupportedError(
                f"SQLite can change {table.name!r} in this way only by making it anew, which must not happen while "
                "foreign keys are checked. Use schema_editor() in a `with` statement, outside of atomic()."
            )
        passing = f"new__{table.name}"
        old, new = self.quote_name(table.name), self.quote_name(passing)
        columns = [
            column.name
            for column in table.columns
            if column.computed is None and column.name in draft.rows_of
        ]
        names = ", ".join(map(self.quote_name, columns))
        counted = self._highest_number(table)
        self.execute(CreateTable(_renamed(table, passing)))
        if names:
            self.execute(f"INSERT INTO {new} ({names}) SELECT {names} FROM {old}")
        self.execute(f"DROP TABLE {old}")
        # Views and triggers that speak of the table stay as they are.
        self.execute("PRAGMA legacy_alter_table = ON")
        self.execute(f"ALTER TABLE {new} RENAME TO {old}")
        self.execute("PRAGMA legacy_alter_table = OFF")
        if counted is not None:
            self.execute(
                "UPDATE sqlite_sequence SET seq = max(seq, %s) WHERE name = %s", [counted, table.name]
            )
        for statement in draft.statements:
            self.execute(statement)

    def _highest_number(self, table: sa.Table) -> int | None:
        """Return the highest key that a table's rows ever had, which is never to be given again."""
        if not table.dialect_options["sqlite"]["autoincrement"] or self.collect_sql:
            return None
        if not self.connection.fetch("SELECT 1 FROM sqlite_master WHERE name = 'sqlite_sequence'"):
            return None
        rows = self.connection.fetch("SELECT seq FROM sqlite_sequence WHERE name = %s", [table.name])
        return int(rows[0][0]) if rows else None

    # -- columns

    def add_remaking(self, model: Any, parts: FieldParts) -> None:
        """Add a column: by ALTER TABLE where SQLite can, else by making the table anew."""
        column = bare(parts.column)
        value = effective_default(parts.field, self.connection)
        filled = value is not None and column.server_default is None and column.computed is None
        if filled:
            column.server_default = sa.DefaultClause(sa.literal(value, column.type))
        # All that ALTER TABLE can: what may be NULL, or has a constant for the rows that are there.
        simple = column.computed is None and not column.primary_key
        simple = simple and (
            filled or (column.nullable and column.server_default is None) or _is_constant(column)
        )
        if simple:
            specification = self.dialect.ddl_compiler(self.dialect, None).get_column_specification(column)
            self.execute(f"ALTER TABLE {self.quote_name(parts.table.name)} ADD COLUMN {specification}")
        constraints = plain_constraints(parts)
        if simple and not filled and not constraints:
            return
        draft = self.draft(model, without=None if simple else column.name)
        made = bare(parts.column)
        if simple:
            replace_column(draft.table, made)
        else:
            draft.table.append_column(made)
        for constraint in constraints:
            draft.table.append_constraint(constraint)
        self.remake(draft)

    def alter_remaking(self, model: Any, change: Change) -> None:
        """Change a column by making its table anew. It has its new name already."""
        old, new = change.old, change.new
        renamed = {old.column.name: new.column.name} if change.renamed else None
        draft = self.draft(model, renamed)
        gone = [_nature(constraint, renamed) for constraint in old.constraints]
        for constraint in list(draft.table.constraints):
            if not isinstance(constraint, sa.PrimaryKeyConstraint) and _nature(constraint) in gone:
                draft.table.constraints.discard(constraint)
        for constraint in plain_constraints(new):
            draft.table.append_constraint(constraint)
        replace_column(draft.table, bare(new.column))
        self.remake(draft)


def replace_column(table: sa.Table, made: sa.Column[Any]) -> None:
    """Make a table's column of a name what another is."""
    column = table.c[made.name]
    column.type, column.nullable, column.comment = made.type, made.nullable, made.comment
    column.autoincrement = made.autoincrement
    column.server_default = made.server_default
    column.computed, column.identity = made.computed, made.identity
    if column.primary_key != made.primary_key:
        table.constraints.discard(table.primary_key)
        for other in table.columns:
            other.primary_key = False
        column.primary_key = made.primary_key
        table.append_constraint(sa.PrimaryKeyConstraint(*([column] if made.primary_key else [])))
    if column.primary_key:
        table.dialect_options["sqlite"]["autoincrement"] = made.identity is not None


def _columns(copy: sa.Table, there: Present, without: str | None) -> list[sa.Column[Any]]:
    """Return the columns of a table: as the model has them, else as the database has."""
    known = {column.name.lower(): column for column in copy.columns}
    made: list[sa.Column[Any]] = []
    for found in there.columns:
        if found.name == without:
            continue
        own = known.get(found.name.lower())
        if own is not None:
            made.append(bare(own))
        elif not found.generated:
            default = None if found.default is None else sa.text(f"({found.default})")
            made.append(
                sa.Column(
                    found.name, Declared(found.type), nullable=not found.not_null, server_default=default
                )
            )
    return made


def _renamed(table: sa.Table, name: str) -> sa.Table:
    """Return a copy of a table under another name; it refers to the same tables, to itself included."""
    metadata = sa.MetaData()
    copy = sa.Table(name, metadata, *(bare(column) for column in table.columns), **table.kwargs)
    if table.primary_key.name:
        copy.primary_key.name = conv(str(table.primary_key.name))
    for constraint in sorted(table.constraints, key=_nature):
        match constraint:
            case sa.UniqueConstraint():
                columns = [copy.c[column.name] for column in constraint.columns]
                copy.append_constraint(sa.UniqueConstraint(*columns, name=constraint.name))
            case sa.CheckConstraint():
                copy.append_constraint(sa.CheckConstraint(constraint.sqltext, name=constraint.name))
            case sa.ForeignKeyConstraint():
                copy.append_constraint(_reference(constraint, metadata))
            case _:
                pass
    return copy


def _reference(constraint: sa.ForeignKeyConstraint, metadata: sa.MetaData) -> sa.ForeignKeyConstraint:
    targets = [element.target_fullname for element in constraint.elements]
    for target in targets:
        table, _, column = target.rpartition(".")
        stub = metadata.tables.get(table)
        if stub is None:
            stub = sa.Table(table, metadata)
        if column not in stub.c:
            stub.append_column(sa.Column(column, sa.types.NullType()))
    return sa.ForeignKeyConstraint(
        [element.parent.name for element in constraint.elements],
        targets,
        name=constraint.name,
        ondelete=constraint.ondelete,
        onupdate=constraint.onupdate,
        deferrable=constraint.deferrable,
        initially=constraint.initially,
    )


def _nature(constraint: Any, renamed: Mapping[str, str] | None = None) -> tuple[str, str]:
    """Return what a constraint is, whatever its name: those that Django made have none."""
    names = renamed or {}
    match constraint:
        case sa.UniqueConstraint():
            return "unique", ",".join(names.get(column.name, column.name) for column in constraint.columns)
        case sa.ForeignKeyConstraint():
            columns = [element.parent.name for element in constraint.elements]
            return "reference", ",".join(names.get(column, column) for column in columns)
        case sa.CheckConstraint():
            condition = loose_constraint(constraint, _PLAIN, renamed).sqltext
            text = str(condition.compile(dialect=_PLAIN, compile_kwargs={"literal_binds": True}))
            return "check", "".join(text.split()).replace('"', "").lower()
        case _:
            return "", str(constraint.name)


def _is_constant(column: sa.Column[Any]) -> bool:
    default = getattr(column.server_default, "arg", None)
    return isinstance(default, (str, sa.BindParameter))
