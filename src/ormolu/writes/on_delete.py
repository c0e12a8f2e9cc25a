"""What happens to rows that refer to a row that is deleted: the values of ForeignKey(on_delete=...).

Each is a callable `handler(collector, field, rows, using)`, as in Django, so a handler of one's own is a
function that calls one of these. It does no I/O: it tells the collector what to do with the rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

__all__ = ["CASCADE", "DO_NOTHING", "PROTECT", "RESTRICT", "SET", "SET_DEFAULT", "SET_NULL", "OnDelete"]


class OnDelete:
    """A policy for the rows that refer to a deleted row."""

    name = ""

    def needs_rows(self, field: Any) -> bool:
        """Tell whether the rows must be looked at, or a statement without looking is enough."""
        return True

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

    def value_for(self, field: Any) -> Any:
        return None


class _SetDefault(_Setting):
    name = "SET_DEFAULT"

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
        return "ormolu.SET", (self.value,), {}


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
