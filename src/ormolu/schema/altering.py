"""Changes of columns: the part of the schema editor that Alembic's operations do."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.schema import CreateIndex, SetColumnComment

from ormolu.exceptions import MissingExtra, NotSupportedError
from ormolu.schema.changes import Change, bare, effective_default, given
from ormolu.schema.dropping import Dropping
from ormolu.schema.names import key_name
from ormolu.schema.statements import adding, recorder
from ormolu.schema.tables import FieldParts, bare_copy

if TYPE_CHECKING:
    from ormolu.databases.database import Database
    from ormolu.schema.statements import Statement

__all__ = ["Altering"]


class Altering(Dropping):
    """add_field(), remove_field(), alter_field()."""

    connection: Database
    collect_sql: bool
    deferred_sql: list[Statement]

    if TYPE_CHECKING:

        @property
        def dialect(self) -> Any: ...
        def execute(self, sql: Any, params: Any = ()) -> None: ...
        def statement(self, element: Any, columns: Any = ()) -> Any: ...
        def create_model(self, model: Any) -> None: ...
        def delete_model(self, model: Any) -> None: ...
        def alter_db_table(self, model: Any, old_db_table: str, new_db_table: str) -> None: ...
        def _table_name(self, db_table: str) -> str: ...
        def _defer(self, constraints: Iterable[Any]) -> None: ...

    @property
    def remakes(self) -> bool:
        """Whether tables are made anew where others are altered: SQLite."""
        return bool(self.dialect.name == "sqlite")

    # -- Alembic

    def operations(self) -> Any:
        """Return Alembic's operations, whose statements this editor runs. Raises MissingExtra without Alembic."""
        try:
            from alembic.migration import MigrationContext
            from alembic.operations import Operations
        except ImportError as error:
            raise MissingExtra(extra="migrations", package="alembic", purpose="Altering a table") from error
        connection = recorder(self.dialect, self.execute)
        return Operations(MigrationContext.configure(connection=connection))

    # -- columns

    def add_field(self, model: Any, field: Any) -> None:
        """Add a field's column, with its constraints and indexes, or the table of a many-to-many field.

        Rows that are there get the field's default. One that has neither a default nor may be NULL is refused by the
        database where there are rows.
        """
        if field.many_to_many:
            through = self._through(model, field)
            if through._meta.auto_created:
                self.create_model(through)
            return
        if getattr(field, "column", None) is None:
            return
        parts = FieldParts(model, field, self.dialect)
        if self.remakes:
            self.add_remaking(model, parts)
        else:
            self._add_column(model, parts)
        for index in parts.indexes:
            self.execute(CreateIndex(index))

    def _through(self, model: Any, field: Any) -> Any:
        if field.remote_field.resolved is None or getattr(field.remote_field, "through", None) is None:
            raise NotSupportedError(
                f"{field!r} belongs to no model yet: give it to one (contribute_to_class) before its table is made."
            )
        return field.remote_field.through

    def _add_column(self, model: Any, parts: FieldParts) -> None:
        """Add a column with all that it has, on a database that can ALTER."""
        value = effective_default(parts.field, self.connection)
        filled = value is not None and parts.column.server_default is None and parts.column.computed is None
        if filled:
            parts.column.server_default = sa.DefaultClause(sa.literal(value, parts.column.type))
        table, schema = parts.table.name, parts.table.schema
        operations = self.operations()
        column = bare(parts.column)
        operations.add_column(table, column, schema=schema)
        if filled:
            operations.alter_column(
                table, column.name, server_default=None, schema=schema,
                existing_type=column.type, existing_nullable=column.nullable,
            )  # fmt: skip
        if parts.column.comment and self.dialect.supports_comments and not self.dialect.inline_comments:
            self.execute(SetColumnComment(parts.column))
        self._add_constraints(parts.constraints)

    def _add_constraints(self, constraints: Iterable[Any]) -> None:
        for constraint in constraints:
            if isinstance(constraint, sa.ForeignKeyConstraint):
                self._defer([constraint])
            else:
                self.execute(adding(constraint))

    def remove_field(self, model: Any, field: Any) -> None:
        """Remove a field's column, with its constraints and indexes, or the table of a many-to-many field."""
        if field.many_to_many:
            through = self._through(model, field)
            if through._meta.auto_created:
                self.delete_model(through)
            return
        column = getattr(field, "column", None)
        if column is None:
            return
        name = model._meta.table.name
        self.deferred_sql = [s for s in self.deferred_sql if not s.references_column(name, column)]
        if self.remakes:
            self.remake(self.draft(model, without=column))
            return
        if field.is_relation and self.dialect.name in ("mysql", "mariadb"):
            for found, details in self.constraints_of(model).items():
                if details["foreign_key"] and details["columns"] == [column]:
                    self._drop_constraint(model, found, "foreignkey")
        cascade = " CASCADE" if self.dialect.name == "postgresql" else ""
        quoted = self.dialect.identifier_preparer.quote(column)
        self.execute(f"ALTER TABLE {self._table_name(model._meta.db_table)} DROP COLUMN {quoted}{cascade}")

    # -- altering

    def alter_field(self, model: Any, old_field: Any, new_field: Any, strict: bool = False) -> None:
        """Change a field's column into that of another: name, type, NULL, default, constraints, indexes, comment.

        Rows with NULL get the new field's default where it must not be NULL. Raises ValueError where one is a
        many-to-many field and the other isn't, or their tables are models of their own.
        """
        if old_field.many_to_many or new_field.many_to_many:
            self._alter_many_to_many(model, old_field, new_field)
            return
        if old_field.column is None and new_field.column is None:
            return
        if old_field.column is None or new_field.column is None:
            raise ValueError(f"{old_field!r} can't become {new_field!r}: one of them has no column.")
        old = FieldParts(model, old_field, self.dialect)
        new = FieldParts(model, new_field, self.dialect)
        change = Change(old, new)
        if change.is_empty:
            return
        self.deferred_sql = [
            s for s in self.deferred_sql if not s.references_column(old.table.name, old.column.name)
        ]
        referring = self._referring(model, change)
        if self.remakes:
            self._alter_on_sqlite(model, change)
            for other, parts in referring:
                draft = self.draft(other)
                draft.table.c[parts.column.name].type = _type_for_keys(new)
                self.remake(draft)
            return
        for other, parts in referring:
            for constraint in parts.constraints:
                self._drop_part(other, constraint, parts)
        self._alter_column(model, change)
        for _, parts in referring:
            self._retype(parts, _type_for_keys(new))

    def _referring(self, model: Any, change: Change) -> list[tuple[Any, FieldParts]]:
        """Return the keys of other tables that refer to a column whose type changes, and must have the new type."""
        column = change.old.column
        if not change.type_changes or not (column.primary_key or change.old.field.unique):
            return []
        there = set(self.connection.introspection.table_names())
        found: list[tuple[Any, FieldParts]] = []
        for rel in model._meta.all_related:
            field = rel.field
            if getattr(field, "column", None) is None or field.model._meta.table.name not in there:
                continue
            if field.target_field.column == column.name:
                found.append((field.model, FieldParts(field.model, field, self.dialect)))
        return found

    def _retype(self, parts: FieldParts, type_: Any) -> None:
        """Give a key the type of what it refers to, and its constraints back."""
        column = parts.column
        self.operations().alter_column(
            parts.table.name,
            column.name,
            schema=parts.table.schema,
            type_=type_,
            existing_type=column.type,
            existing_nullable=column.nullable,
            **self._converting(column.name, type_),
        )
        self._add_constraints(parts.constraints)

    def _converting(self, column: str, type_: Any) -> dict[str, Any]:
        """Return how the values of a column are converted, where the database wants to be told."""
        if self.dialect.name != "postgresql":
            return {}
        quoted = self.dialect.identifier_preparer.quote(column)
        return {"postgresql_using": f"{quoted}::{type_.compile(self.dialect)}"}

    def _alter_many_to_many(self, model: Any, old: Any, new: Any) -> None:
        both = old.many_to_many and new.many_to_many
        throughs = [self._through(model, field) for field in (old, new)] if both else []
        if not both or not all(through._meta.auto_created for through in throughs):
            if both and throughs[0]._meta.db_table == throughs[1]._meta.db_table:
                return
            raise ValueError(
                f"{old!r} can't become {new!r}: their tables differ in kind. Remove the one, and add the other."
            )
        before, after = (through._meta for through in throughs)
        self.alter_db_table(throughs[0], before.db_table, after.db_table)
        for names in ("m2m_field_name", "m2m_reverse_field_name"):
            fields = [
                meta.get_field(getattr(field, names)()) for meta, field in ((before, old), (after, new))
            ]
            self.alter_field(throughs[1], *fields)

    def _rename(self, model: Any, change: Change) -> None:
        quote = self.dialect.identifier_preparer.quote
        old, new = quote(change.old.column.name), quote(change.new.column.name)
        self.execute(f"ALTER TABLE {self._table_name(model._meta.db_table)} RENAME COLUMN {old} TO {new}")

    def _fill(self, model: Any, change: Change) -> None:
        """Give rows with NULL the default of a field that must not be NULL."""
        value = effective_default(change.new.field, self.connection)
        if value is None or not change.tightens:
            return
        column = self.dialect.identifier_preparer.quote(change.new.column.name)
        table = self._table_name(model._meta.db_table)
        process = change.new.column.type.dialect_impl(self.dialect).bind_processor(self.dialect)
        value = value if process is None else process(value)
        self.execute(f"UPDATE {table} SET {column} = %s WHERE {column} IS NULL", [value])

    def _alter_on_sqlite(self, model: Any, change: Change) -> None:
        old, new = change.old, change.new
        for index in change.gone(old.indexes, new):
            self._drop_index(model, index)
        if change.renamed:
            self._rename(model, change)
        if change.needs_table:
            self._fill(model, change)
            self.alter_remaking(model, change)
        for index in change.gone(new.indexes, old):
            self.execute(CreateIndex(index))

    def _alter_column(self, model: Any, change: Change) -> None:
        old, new = change.old, change.new
        for index in change.gone(old.indexes, new):
            self._drop_index(model, index)
        for constraint in change.gone(old.constraints, new):
            self._drop_part(model, constraint, old)
        if change.renamed:
            self._rename(model, change)
        if change.key_changes:
            self._stop_counting(model, change, old.column.type)
            self._drop_key(model)
        options: dict[str, Any] = {}
        if change.type_changes:
            options = {"type_": new.column.type, **self._converting(new.column.name, new.column.type)}
        if change.default_changes:
            options["server_default"] = given(new.column)
        if new.column.comment != old.column.comment and self.dialect.supports_comments:
            options["comment"] = new.column.comment
        if options:
            self._operate(change, **options)
        self._fill(model, change)
        if change.old.column.nullable != new.column.nullable:
            self._operate(change, nullable=new.column.nullable, type_changed=True)
        if change.key_changes and new.column.primary_key:
            key = sa.PrimaryKeyConstraint(
                bare_copy(new.table).c[new.column.name], name=key_name(new.table.name)
            )
            self.execute(adding(key))
        self._start_counting(model, change)
        self._add_constraints(change.gone(new.constraints, old))
        for index in change.gone(new.indexes, old):
            self.execute(CreateIndex(index))

    def _drop_key(self, model: Any) -> None:
        for name, found in self.constraints_of(model).items():
            if found["primary_key"]:
                self._drop_constraint(model, name, "primary")

    def _stop_counting(self, model: Any, change: Change, type_: Any) -> None:
        """Let a column's values be given by hand, where the database has given them."""
        if change.old.column.identity is None or not change.counting_changes:
            return
        table = self._table_name(model._meta.db_table)
        column = self.dialect.identifier_preparer.quote(change.new.column.name)
        if self.dialect.name == "postgresql":
            self.execute(f"ALTER TABLE {table} ALTER COLUMN {column} DROP IDENTITY IF EXISTS")
        else:
            self.execute(f"ALTER TABLE {table} MODIFY {column} {type_.compile(self.dialect)} NOT NULL")

    def _start_counting(self, model: Any, change: Change) -> None:
        """Let the database give a column's values, after those that are there; or stop that."""
        new = change.new.column
        if new.identity is None:
            if not change.key_changes:
                self._stop_counting(model, change, new.type)
            return
        table = self._table_name(model._meta.db_table)
        column = self.dialect.identifier_preparer.quote(new.name)
        if self.dialect.name != "postgresql":  # which forgets it whenever the type changes
            kind = new.type.compile(self.dialect)
            self.execute(f"ALTER TABLE {table} MODIFY {column} {kind} NOT NULL AUTO_INCREMENT")
        elif change.counting_changes:
            self.execute(f"ALTER TABLE {table} ALTER COLUMN {column} ADD GENERATED BY DEFAULT AS IDENTITY")
            highest = f"SELECT COALESCE(MAX({column}), 0) + 1 FROM {table}"
            self.execute(
                f"SELECT setval(pg_get_serial_sequence(%s, %s), ({highest}), false)", [table, new.name]
            )

    def _operate(self, change: Change, type_changed: bool = False, **options: Any) -> None:
        old, new = change.old.column, change.new.column
        known = new if type_changed else old
        self.operations().alter_column(
            change.new.table.name,
            new.name,
            schema=change.new.table.schema,
            existing_type=known.type,
            existing_nullable=old.nullable,
            existing_server_default=given(known),
            existing_comment=known.comment,
            **options,
        )


def _type_for_keys(parts: FieldParts) -> Any:
    """Return the type of a column that refers to a field's."""
    return getattr(parts.field, "rel_sa_type", None) or parts.column.type
