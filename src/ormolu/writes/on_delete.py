"""What happens to rows that refer to a row that is deleted: the values of ForeignKey(on_delete=...).

Each is a callable `handler(collector, field, rows, using)`, as in Django, so a handler of one's own is a
function that calls one of these. It does no I/O: it tells the collector what to do with the rows.
Those whose names begin with DB_ are the database's: an ON DELETE clause of the foreign key.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ormolu.lazy import public_path

__all__ = [
    "CASCADE",
    "DB_CASCADE",
    "DB_SET_DEFAULT",
    "DB_SET_NULL",
    "DO_NOTHING",
    "PROTECT",
    "RESTRICT",
    "SET",
    "SET_DEFAULT",
    "SET_NULL",
    "DatabaseOnDelete",
    "OnDelete",
]


class OnDelete:
    """A policy for the rows that refer to a deleted row."""

    name = ""

    def needs_rows(self, field: Any) -> bool:
        """Tell whether the rows must be looked at, or a statement without looking is enough."""
        return True

    def problem_of(self, field: Any) -> str:
        """Return what a field lacks for this policy, an empty text for nothing."""
        return ""

    def __call__(self, collector: Any, field: Any, rows: Sequence[Any], using: str) -> None:
        """Tell the collector what to do with `rows`, which refer through `field` to rows to be deleted."""
        raise TypeError(f"{self!r} must define __call__().")

    def __repr__(self) -> str:
        return self.name

    def __reduce__(self) -> str | tuple[Any, ...]:
        return self.name

    def deconstruct(self) -> tuple[str, tuple[Any, ...], dict[str, Any]]:
        """Return path, arguments and keywords, for migrations."""
        return f"ormolu.{self.name}", (), {}


class _Cascade(OnDelete):
    name = "CASCADE"

    def __call__(self, collector: Any, field: Any, rows: Sequence[Any], using: str) -> None:
        collector.cascade(field, rows)


class _Protect(OnDelete):
    name = "PROTECT"

    def __call__(self, collector: Any, field: Any, rows: Sequence[Any], using: str) -> None:
        collector.protect(field, rows)


class _Restrict(OnDelete):
    name = "RESTRICT"

    def __call__(self, collector: Any, field: Any, rows: Sequence[Any], using: str) -> None:
        collector.restrict(field, rows)


class _DoNothing(OnDelete):
    name = "DO_NOTHING"

    def needs_rows(self, field: Any) -> bool:
        return False

    def __call__(self, collector: Any, field: Any, rows: Sequence[Any], using: str) -> None:
        """Leave the rows alone."""


class _Setting(OnDelete):
    """A policy that gives the column another value."""

    def value_for(self, field: Any) -> Any:
        """Return the new value of the column (may be an awaitable)."""
        raise TypeError(f"{self!r} must define value_for().")

    def __call__(self, collector: Any, field: Any, rows: Sequence[Any], using: str) -> None:
        collector.assign(field, rows, self.value_for(field))


class _SetNull(_Setting):
    name = "SET_NULL"

    def needs_rows(self, field: Any) -> bool:
        return False

    def problem_of(self, field: Any) -> str:
        if field.column is None:  # a ForeignObject: what its columns take is theirs to say
            return ""
        return "" if field.null else "it takes no NULL. Give it null=True"

    def value_for(self, field: Any) -> Any:
        return None


class _SetDefault(_Setting):
    name = "SET_DEFAULT"

    def problem_of(self, field: Any) -> str:
        known = field.column is None or field.null or field.has_default() or field.has_db_default()
        return "" if known else "it has no default. Give it one, or null=True"

    def needs_rows(self, field: Any) -> bool:
        # A function is called only if there are rows.
        return callable(field.default)

    def value_for(self, field: Any) -> Any:
        return field.get_default()


class SET(_Setting):
    """Give the column this value, or what this function returns (an object stands for its key).

    The function is called only if there are rows to change; it may be async in async code.
    """

    name = "SET"

    def needs_rows(self, field: Any) -> bool:
        return callable(self.value)

    def __init__(self, value: Any) -> None:
        self.value = value

    def value_for(self, field: Any) -> Any:
        return self.value() if callable(self.value) else self.value

    def __repr__(self) -> str:
        return f"SET({self.value!r})"

    def __reduce__(self) -> tuple[Any, ...]:
        return SET, (self.value,)

    def __eq__(self, other: object) -> bool:
        return self.value == other.value if isinstance(other, SET) else NotImplemented

    def __hash__(self) -> int:
        return hash((SET, id(self.value)))

    def deconstruct(self) -> tuple[str, tuple[Any, ...], dict[str, Any]]:
        return public_path(type(self)), (self.value,), {}


class DatabaseOnDelete(OnDelete):
    """A policy that the database carries out: the ON DELETE clause `action` of the foreign key.

    No row is loaded, no signal is sent and nothing is counted. Source: Django 6.1's documentation of on_delete.
    """

    action = ""

    def needs_rows(self, field: Any) -> bool:
        return False

    def problem_of(self, field: Any) -> str:
        if not getattr(field, "db_constraint", False):
            return "it has no foreign key constraint that could say so"
        return ""

    def __call__(self, collector: Any, field: Any, rows: Sequence[Any], using: str) -> None:
        """Leave the rows to the database."""


class _DbCascade(DatabaseOnDelete):
    name = "DB_CASCADE"
    action = "CASCADE"


class _DbSetNull(DatabaseOnDelete):
    name = "DB_SET_NULL"
    action = "SET NULL"

    def problem_of(self, field: Any) -> str:
        return super().problem_of(field) or ("" if field.null else "it takes no NULL. Give it null=True")


class _DbSetDefault(DatabaseOnDelete):
    name = "DB_SET_DEFAULT"
    action = "SET DEFAULT"

    def problem_of(self, field: Any) -> str:
        return super().problem_of(field) or (
            "" if field.has_db_default() else "the database has no default for it. Give it a db_default"
        )


CASCADE = _Cascade()
"""Delete the rows, too."""
PROTECT = _Protect()
"""Refuse the deletion with ProtectedError."""
RESTRICT = _Restrict()
"""Refuse the deletion with RestrictedError, unless a cascade deletes the rows as well."""
SET_NULL = _SetNull()
"""Set the column to NULL."""
SET_DEFAULT = _SetDefault()
"""Set the column to the field's default."""
DO_NOTHING = _DoNothing()
"""Leave the rows alone; the database may refuse."""
DB_CASCADE = _DbCascade()
"""Let the database delete the rows, too (`ON DELETE CASCADE`)."""
DB_SET_NULL = _DbSetNull()
"""Let the database set the column to NULL (`ON DELETE SET NULL`)."""
DB_SET_DEFAULT = _DbSetDefault()
"""Let the database set the column to its `db_default` (`ON DELETE SET DEFAULT`). Not on MySQL and MariaDB."""
