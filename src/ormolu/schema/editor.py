"""`connection.schema_editor()`: changes of tables, by models and fields.

SQLAlchemy writes what creates and drops; Alembic what alters (the extra "migrations", imported when first needed), and
makes a table anew where SQLite can't alter it. The statements run on the connection of the block, one by one.

Source: Django's documentation, "SchemaEditor".
"""

from __future__ import annotations

from collections.abc import Collection, Generator, Iterable, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.schema import (
    AddConstraint,
    CreateTable,
    DropTable,
    SetTableComment,
)

from ormolu.databases.ambient import end_abandoned, owner
from ormolu.exceptions import IntegrityError
from ormolu.schema.altering import Altering
from ormolu.schema.names import index_name, split_table_name
from ormolu.schema.statements import Statement, adding, applies, rendered, statements_for
from ormolu.schema.tables import bare_copy, loose_constraint

if TYPE_CHECKING:
    from typing import Self

    from ormolu.databases.database import Database

__all__ = ["SchemaEditor"]

UNDOES_DDL = frozenset({"sqlite", "postgresql"})
"""Databases that undo DDL with its transaction."""


class SchemaEditor(Altering):
    """Changes the tables of one database. Use it in a `with` statement.

    The block is one transaction where the database undoes DDL (SQLite, PostgreSQL), unless `atomic=False`. Foreign keys
    are added when it ends, so that tables may be created in any order. With `collect_sql` nothing is run: the
    statements are in `collected_sql`.
    """

    def __init__(self, database: Database, collect_sql: bool = False, atomic: bool = True) -> None:
        self.connection = database
        self.collect_sql = collect_sql
        self.collected_sql: list[str] = []
        self.deferred_sql: list[Statement] = []
        self.atomic = atomic and database.driver.dialect.name in UNDOES_DDL
        self._block: tuple[Any, Any] | None = None
        self._owner: object = None
        self._keys_were_on = False

    @property
    def dialect(self) -> Any:
        """SQLAlchemy's dialect, which knows the server once there was a connection."""
        return self.connection.driver.dialect

    def __repr__(self) -> str:
        return f"<SchemaEditor of {self.connection!r}>"

    # -- the block

    def __enter__(self) -> Self:
        if self.dialect.name == "mysql" and not self.dialect.server_version_info:
            self.connection.fetch("SELECT 1")  # which of the two it is, the server says
        if not self.collect_sql and self.atomic:
            self._begin()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        failed = True
        try:
            if kind is None:
                deferred, self.deferred_sql = self.deferred_sql, []
                for statement in deferred:
                    self.execute(statement)
                self._check_keys()
                failed = False
        finally:
            self._end(failed)

    def _begin(self) -> None:
        driver = self.connection.driver
        inside = driver.ambient() is not None
        if self.dialect.name == "sqlite" and not inside:
            self._keys_were_on = self.keys_are_checked()
        self._owner = owner()
        conn, block = driver.begin_block()
        self._block = conn, block
        if self._keys_were_on:
            # A table that is made anew is dropped first. That must not touch the rows which refer to it.
            block.afterwards = "PRAGMA foreign_keys = ON"
            try:
                driver.drive(conn, _each("PRAGMA foreign_keys = OFF"))
            except BaseException:  # the with statement has not begun, so it ends nothing
                self._end(True)
                raise

    def _end(self, failed: bool) -> None:
        if self._block is None:
            return
        end = self.connection.driver.end_block
        try:
            end(*self._block, failed)
        except Exception:
            raise
        except BaseException:
            end(*self._block, True)  # a KeyboardInterrupt may have let it come to nothing
            raise
        finally:
            self._block = None

    def __del__(self) -> None:
        """Undo a block whose end a KeyboardInterrupt came before."""
        if self._block is not None:
            end_abandoned(self.connection.driver, *self._block, self._owner)

    def keys_are_checked(self) -> bool:
        """Tell whether SQLite checks foreign keys on this connection."""
        return bool(self.connection.fetch("PRAGMA foreign_keys")[0][0])

    def _check_keys(self) -> None:
        """Raise IntegrityError for rows that refer to nothing, where the database hasn't looked itself."""
        if not self._keys_were_on:
            return
        wrong = self.connection.fetch("PRAGMA foreign_key_check")
        if wrong:
            table, row, target, _ = wrong[0]
            raise IntegrityError(
                f"The row {row} of {table!r} refers to a row of {target!r} that isn't there "
                f"({len(wrong)} such rows in all)."
            )

    # -- statements

    def execute(self, sql: Any, params: Sequence[Any] | None = ()) -> None:
        """Run a statement: SQL text with `%s` placeholders, a statement of `create_sql()`, or SQLAlchemy's DDL.

        None is passed over: it is what `create_sql()` returns where there is nothing to do. So may be a list of these.
        """
        if sql is None:
            return
        if sql.__class__ is list:
            for one in sql:
                self.execute(one)
            return
        text = str(sql) if isinstance(sql, (str, Statement)) else rendered(sql, self.dialect)
        if self.collect_sql:
            ending = "" if text.rstrip().endswith(";") else ";"
            values = tuple(self.quote_value(value) for value in params or ())
            self.collected_sql.append((text % values if values else text) + ending)
            return
        self.connection.execute(text, params or None)

    def quote_name(self, name: str) -> str:
        """Return a name in quotes; one that has them already is left as it is."""
        if name.startswith('"') and name.endswith('"'):
            return name
        quoted: str = self.dialect.identifier_preparer.quote(name)
        return quoted

    def quote_value(self, value: Any) -> str:
        """Return a value as SQL text. For reading: to the database, values go as parameters."""
        return rendered(sa.literal(value), self.dialect)

    def statement(self, element: Any, columns: Collection[str] = ()) -> Statement | None:
        """Return a DDL element as a statement, None where the database has none such."""
        part = element.element
        if not applies(part, self.dialect):
            return None
        return Statement(rendered(element, self.dialect), part.table.name, columns)

    def constraint_text(self, constraint: Any) -> str:
        """Return a constraint as it stands in CREATE TABLE."""
        compiler: Any = self.dialect.ddl_compiler(self.dialect, None)
        return str(compiler.process(constraint))

    def bare_table(self, model: Any) -> sa.Table:
        """Return a table with the name and the columns of a model's, for one statement."""
        return bare_copy(model._meta.table)

    # -- tables

    def create_model(self, model: Any) -> None:
        """Create a model's table, with its constraints, indexes and many-to-many tables."""
        inline = self.dialect.name == "sqlite"
        for element in statements_for(self.dialect, self._tables(model)):
            if isinstance(element, CreateTable) and not inline:
                table = element.element
                self.execute(CreateTable(table, include_foreign_key_constraints=[]))
                self._defer(table.foreign_key_constraints)
            elif isinstance(element, AddConstraint) and not inline:
                continue  # a foreign key of a cycle; it is deferred already
            else:
                self.execute(element)

    def _defer(self, constraints: Iterable[Any]) -> None:
        for constraint in sorted(constraints, key=lambda constraint: str(constraint.name)):
            columns = [element.parent.name for element in constraint.elements]
            found = self.statement(adding(constraint), columns)
            if found is not None:
                self.deferred_sql.append(found)

    def delete_model(self, model: Any) -> None:
        """Drop a model's table, and its many-to-many tables. Rows are lost."""
        tables = self._tables(model)
        cascade = " CASCADE" if self.dialect.name == "postgresql" else ""
        for element in statements_for(self.dialect, tables, drop=True):
            if isinstance(element, DropTable):
                self.execute(f"{rendered(element, self.dialect)}{cascade}")
            elif not isinstance(element, sa.schema.DropConstraint):
                self.execute(element)
        names = {table.name for table in tables}
        self.deferred_sql = [found for found in self.deferred_sql if found.table not in names]

    def _tables(self, model: Any) -> list[sa.Table]:
        meta = model._meta
        throughs = [field.remote_field.through._meta for field in meta.local_many_to_many]
        return [meta.table, *(through.table for through in throughs if through.auto_created)]

    def alter_db_table(self, model: Any, old_db_table: str, new_db_table: str) -> None:
        """Rename a model's table."""
        if old_db_table == new_db_table:
            return
        old, new = (self._table_name(name) for name in (old_db_table, new_db_table))
        if self.dialect.name == "postgresql":
            new = self.quote_name(split_table_name(new_db_table)[1])
        self.execute(f"ALTER TABLE {old} RENAME TO {new}")
        for found in self.deferred_sql:
            if found.references_table(old_db_table):
                found.sql, found.table = found.sql.replace(old, new), split_table_name(new_db_table)[1]

    def _table_name(self, db_table: str) -> str:
        schema, name = split_table_name(db_table)
        return ".".join(self.quote_name(part) for part in (schema, name) if part)

    def alter_db_table_comment(
        self, model: Any, old_db_table_comment: str, new_db_table_comment: str
    ) -> None:
        """Change the comment of a model's table. SQLite has none."""
        if self.dialect.supports_comments:
            table = bare_copy(model._meta.table)
            table.comment = new_db_table_comment or ""
            self.execute(SetTableComment(table))

    def alter_db_tablespace(self, model: Any, old_db_tablespace: str, new_db_tablespace: str) -> None:
        """Move a model's table to another tablespace. PostgreSQL."""
        if self.dialect.name == "postgresql":
            table = self._table_name(model._meta.db_table)
            self.execute(f"ALTER TABLE {table} SET TABLESPACE {self.quote_name(new_db_tablespace)}")

    # -- indexes and constraints

    def add_index(self, model: Any, index: Any) -> None:
        """Add an index of `Meta.indexes`; nothing where the database has none such."""
        self.execute(index.create_sql(model, self))

    def remove_index(self, model: Any, index: Any) -> None:
        """Remove an index of `Meta.indexes`."""
        self.execute(index.remove_sql(model, self))

    def rename_index(self, model: Any, old_index: Any, new_index: Any) -> None:
        """Rename an index; on SQLite it is made anew."""
        old, new = self.quote_name(old_index.name), self.quote_name(new_index.name)
        if self.dialect.name == "postgresql":
            self.execute(f"ALTER INDEX {old} RENAME TO {new}")
        elif self.dialect.name in ("mysql", "mariadb"):
            self.execute(f"ALTER TABLE {self._table_name(model._meta.db_table)} RENAME INDEX {old} TO {new}")
        else:
            self.remove_index(model, old_index)
            self.add_index(model, new_index)

    def add_constraint(self, model: Any, constraint: Any) -> None:
        """Add a constraint of `Meta.constraints`; nothing where the database has none such."""
        made = self._as_constraint(model, constraint)
        if made is None:
            self.execute(constraint.create_sql(model, self))
        elif applies(made, self.dialect):
            draft = self.draft(model)
            _drop_named(draft.table, constraint.name)
            draft.table.append_constraint(loose_constraint(made, self.dialect))
            self.remake(draft)

    def remove_constraint(self, model: Any, constraint: Any) -> None:
        """Remove a constraint of `Meta.constraints`."""
        made = self._as_constraint(model, constraint)
        if made is None:
            self.execute(constraint.remove_sql(model, self))
        elif applies(made, self.dialect):
            draft = self.draft(model)
            _drop_named(draft.table, constraint.name)
            self.remake(draft)

    def _as_constraint(self, model: Any, constraint: Any) -> Any:
        """Return SQLAlchemy's constraint where only a table that is made anew can have or lose it."""
        if self.dialect.name != "sqlite" or not hasattr(constraint, "element"):
            return None
        made = constraint.element(model._meta, self.bare_table(model))
        return None if isinstance(made, sa.Index) else made

    def alter_unique_together(
        self, model: Any, old_unique_together: Iterable[Any], new_unique_together: Iterable[Any]
    ) -> None:
        """Add and remove constraints so that groups of fields are unique together as the new value says."""
        olds = [tuple(names) for names in old_unique_together]
        news = [tuple(names) for names in new_unique_together]
        for names in olds:
            if names not in news:
                self._remove_together(model, names)
        for names in news:
            if names not in olds:
                self._add_together(model, names)

    def _together(self, model: Any, names: Sequence[str]) -> tuple[list[str], str]:
        columns = [model._meta.get_field(name).column for name in names]
        return columns, index_name(model._meta.db_table, columns, "_uniq")

    def _add_together(self, model: Any, names: Sequence[str]) -> None:
        columns, name = self._together(model, names)
        table = self.bare_table(model)
        if self.dialect.name == "sqlite":  # what Django makes there, and no table need be made anew
            index = sa.Index(name, *(table.c[column] for column in columns), unique=True)
            self.execute(sa.schema.CreateIndex(index))
            return
        constraint = sa.UniqueConstraint(*(table.c[column] for column in columns), name=name)
        table.append_constraint(constraint)
        self.execute(adding(constraint))

    def _remove_together(self, model: Any, names: Sequence[str]) -> None:
        columns, expected = self._together(model, names)
        self.drop_unique(model, columns, expected)

    # -- names that other code asks for, though they are Django's own business

    def _create_index_name(self, table_name: str, column_names: Sequence[str], suffix: str = "") -> str:
        longest = None if self.dialect.name == "sqlite" else min(self.dialect.max_identifier_length, 64)
        return index_name(table_name, column_names, suffix, longest)

    def _model_indexes_sql(self, model: Any) -> list[Statement]:
        made = statements_for(self.dialect, [model._meta.table])
        found = [self.statement(element) for element in made if isinstance(element, sa.schema.CreateIndex)]
        return [statement for statement in found if statement is not None]


def _each(*texts: str) -> Generator[str, None, None]:
    yield from texts


def _drop_named(table: sa.Table, name: str) -> None:
    for constraint in [c for c in table.constraints if c.name == name]:
        table.constraints.discard(constraint)
