"""DDL of SQLAlchemy's as SQL text, and whether a database has such a thing at all."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from itertools import groupby
from types import SimpleNamespace
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine.mock import MockConnection
from sqlalchemy.schema import AddConstraint, CreateIndex

from ormolu.schema.names import split_table_name

__all__ = ["Statement", "adding", "applies", "recorder", "rendered", "statements_for"]


class Statement:
    """One statement: `str()` is its SQL. It knows which table and columns it is about."""

    __slots__ = ("columns", "sql", "table")

    def __init__(self, sql: str, table: str = "", columns: Collection[str] = ()) -> None:
        self.sql = sql
        self.table = table
        self.columns = frozenset(columns)

    def __str__(self) -> str:
        return self.sql

    def __repr__(self) -> str:
        return f"<Statement {self.sql!r}>"

    def references_table(self, table: str) -> bool:
        """Tell whether it is about a table."""
        return split_table_name(table)[1] == self.table

    def references_column(self, table: str, column: str) -> bool:
        """Tell whether it is about a column of a table."""
        return self.references_table(table) and column in self.columns


def rendered(element: Any, dialect: Any) -> str:
    """Return the SQL of a DDL element, or of a statement with its values in it."""
    if isinstance(element, str):
        return element
    options = {} if isinstance(element, sa.schema.ExecutableDDLElement) else {"literal_binds": True}
    text = unless_shared(element, str(element.compile(dialect=dialect, compile_kwargs=options)).strip())
    # A statement that is sent without parameters is taken as it stands.
    return text.replace("%%", "%") if dialect.identifier_preparer._double_percents else text


def unless_shared(element: Any, sql: str) -> str:
    """Return the SQL that makes or drops a type of PostgreSQL so that other tables may have it, too."""
    kind = str(getattr(element, "__visit_name__", ""))
    if not kind.endswith(("_enum_type", "_domain_type")):
        return sql
    made = kind.startswith("create")
    fine = "duplicate_object" if made else "dependent_objects_still_exist OR undefined_object"
    return f"DO $$ BEGIN {sql}; EXCEPTION WHEN {fine} THEN NULL; END $$"


def adding(constraint: Any) -> AddConstraint:
    """Return ALTER TABLE ... ADD for a constraint. CREATE TABLE goes on having it, too."""
    return AddConstraint(constraint, isolate_from_table=False)


def applies(part: Any, dialect: Any) -> bool:
    """Tell whether a constraint or an index is made on a database."""
    rule = part._ddl_if
    if rule is None:
        return True
    return bool(rule._should_execute(None, part, None, compiler=SimpleNamespace(dialect=dialect)))


def recorder(dialect: Any, note: Any) -> Any:
    """Return what SQLAlchemy and Alembic take for a connection: `note` gets what they would execute."""

    def execute(element: Any, *args: Any, **kwargs: Any) -> None:
        note(element)

    return MockConnection(dialect, execute)


def statements_for(dialect: Any, tables: list[sa.Table], drop: bool = False) -> list[Any]:
    """Return the elements that create or drop tables, in one order that foreign keys allow."""
    made: list[Any] = []
    engine = recorder(dialect, made.append)
    for metadata, group in _by_metadata(tables):
        act = metadata.drop_all if drop else metadata.create_all
        act(engine, tables=group, checkfirst=False)
    steady: list[Any] = []
    for is_index, run in groupby(made, key=lambda element: isinstance(element, CreateIndex)):
        found = list(run)
        steady += sorted(found, key=_place) if is_index else found  # a table keeps its indexes in a set
    return steady


def _place(create: Any) -> tuple[int, int, str]:
    """Return where an index stands among those of its table: in the order of the columns."""
    index = create.element
    first: Any = index.expressions[0]
    places = [column.name for column in index.table.columns]
    place = places.index(first.name) if isinstance(first, sa.Column) else len(places)
    return place, len(index.expressions), str(index.name)


def _by_metadata(tables: list[sa.Table]) -> Iterable[tuple[sa.MetaData, list[sa.Table]]]:
    groups: dict[sa.MetaData, list[sa.Table]] = {}
    for table in tables:
        groups.setdefault(table.metadata, []).append(table)
    return groups.items()
