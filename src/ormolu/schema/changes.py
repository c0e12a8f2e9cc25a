"""How two fields differ in their columns, and the pieces of which a column is put together again."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Mapping
from typing import Any

import sqlalchemy as sa

from ormolu.schema.tables import FieldParts, loose_constraint

__all__ = ["Change", "Declared", "bare", "effective_default", "given", "plain_constraints"]


class Change:
    """How two fields differ in their columns."""

    def __init__(self, old: FieldParts, new: FieldParts) -> None:
        self.old, self.new = old, new
        self.renamed = old.column.name != new.column.name
        self.type_changes = old.type_sql != new.type_sql
        self.default_changes = old.default_sql != new.default_sql
        self.tightens = old.column.nullable and not new.column.nullable
        self.counting_changes = (old.column.identity is None) != (new.column.identity is None)
        self.key_changes = old.column.primary_key != new.column.primary_key

    @property
    def needs_table(self) -> bool:
        """Whether more than the name and the indexes changes."""
        old, new = self.old, self.new
        return bool(
            self.type_changes
            or self.default_changes
            or old.column.nullable != new.column.nullable
            or self.counting_changes
            or self.key_changes
            or self.gone(old.constraints, new)
            or self.gone(new.constraints, old)
        )

    @property
    def is_empty(self) -> bool:
        """Whether nothing changes."""
        old, new = self.old, self.new
        return not (
            self.renamed
            or self.needs_table
            or old.column.comment != new.column.comment
            or self.gone(old.indexes, new)
            or self.gone(new.indexes, old)
        )

    def gone(self, found: Iterable[Any], other: FieldParts) -> list[Any]:
        """Return which constraints or indexes of one field the other doesn't have."""
        mine = self.old if other is self.new else self.new
        theirs = {other.signature(part) for part in (*other.constraints, *other.indexes)}
        return [part for part in found if mine.signature(part) not in theirs]


class Declared(sa.types.UserDefinedType[Any]):
    """A type by the words that a table was declared with."""

    cache_ok = True

    def __init__(self, text: str) -> None:
        self.text = text

    def get_col_spec(self, **kw: Any) -> str:
        return self.text


def bare(column: sa.Column[Any]) -> sa.Column[Any]:
    """Return a column without what is a constraint or an index by itself."""
    extra: list[Any] = []
    default: Any = None
    if column.computed is not None:
        extra.append(sa.Computed(column.computed.sqltext, column.computed.persisted))
    elif column.identity is not None:
        extra.append(sa.Identity(always=column.identity.always))
    elif column.server_default is not None:
        default = given(column)
    return sa.Column(
        column.name,
        column.type,
        *extra,
        primary_key=column.primary_key,
        nullable=column.nullable,
        server_default=default,
        comment=column.comment,
        autoincrement=column.autoincrement,
    )


def plain_constraints(parts: FieldParts, renamed: Mapping[str, str] | None = None) -> list[Any]:
    """Return a field's constraints, tied to no table."""
    return [loose_constraint(constraint, parts.dialect, renamed) for constraint in parts.constraints]


def effective_default(field: Any, connection: Any) -> Any:
    """Return the value that rows get for a field which is added: its default, "" or the present moment, or None."""
    if field.has_default():
        value = field.get_default()
    elif getattr(field, "generated", False) or field.has_db_default():
        return None
    elif not field.null and field.blank and field.empty_strings_allowed:
        value = b"" if field.get_internal_type() == "BinaryField" else ""
    elif getattr(field, "auto_now", False) or getattr(field, "auto_now_add", False):
        now = datetime.datetime.now(datetime.UTC)
        kind = field.get_internal_type()
        value = now.date() if kind == "DateField" else now.time() if kind == "TimeField" else now
    else:
        return None
    prepared = field.get_db_prep_save(value, connection)
    return None if hasattr(prepared, "as_term") else prepared


def given(column: sa.Column[Any]) -> Any:
    """Return what a column has as its DEFAULT, None for nothing."""
    default: Any = column.server_default
    return None if default is None or column.computed is not None else getattr(default, "arg", None)
