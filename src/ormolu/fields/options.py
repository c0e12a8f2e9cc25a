"""What a field may be told, with the value that leaving it out means."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from typing import TYPE_CHECKING, Any, Final, TypedDict

from ormolu.near import near_names

__all__ = ["COMMON_OPTIONS", "NOT_PROVIDED", "DatabaseDefault", "FieldOptions", "Missing", "unknown_option"]


class Missing:
    """Type of `NOT_PROVIDED`, which says that an option was left out where None is a value."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "NOT_PROVIDED"

    def __bool__(self) -> bool:
        return False

    def __reduce__(self) -> str:
        return "NOT_PROVIDED"


NOT_PROVIDED: Final = Missing()


if TYPE_CHECKING:

    class PlainOptions(TypedDict, total=False):
        """Keyword options that every field takes, beside `verbose_name`, `null` and `init`."""

        name: str | None
        primary_key: bool
        max_length: int | None
        unique: bool
        blank: bool
        db_index: bool
        rel: Any
        default: Any
        editable: bool
        serialize: bool
        unique_for_date: str | None
        unique_for_month: str | None
        unique_for_year: str | None
        choices: Any
        help_text: str
        db_column: str | None
        db_tablespace: str | None
        auto_created: bool
        validators: Iterable[Callable[[Any], Any]]
        error_messages: Mapping[str, Any] | None
        db_comment: str | None
        db_default: Any

    class FieldOptions(PlainOptions, total=False):
        """Those, and whether the constructor of a TypedModel has the field, for type checkers."""

        init: bool

else:
    FieldOptions = dict[str, Any]  # making a TypedDict compiles the annotation of each key


COMMON_OPTIONS: Final[dict[str, Any]] = {
    "verbose_name": None,
    "primary_key": False,
    "max_length": None,
    "unique": False,
    "blank": False,
    "null": False,
    "db_index": False,
    "default": NOT_PROVIDED,
    "db_default": NOT_PROVIDED,
    "editable": True,
    "serialize": True,
    "unique_for_date": None,
    "unique_for_month": None,
    "unique_for_year": None,
    "choices": None,
    "help_text": "",
    "db_column": None,
    "db_comment": None,
    "db_tablespace": None,
    "auto_created": False,
    "validators": [],
    "error_messages": None,
}
"""Options of `deconstruct()`, in its order."""


class DatabaseDefault:
    """Value of an attribute whose value the database will choose, until the row is saved and read back."""

    __slots__ = ("field",)

    def __init__(self, field: Any) -> None:
        self.field = field

    def __repr__(self) -> str:
        return f"<DatabaseDefault of {self.field}>"


def unknown_option(owner: str, unknown: Iterable[str], known: Collection[str]) -> TypeError:
    """Return the error for an option that `owner` does not have, with the nearest one that it has."""
    name = sorted(unknown)[0]
    near = near_names(name, known)
    hint = f"Did you mean {near[0]!r}? " if near else ""
    return TypeError(f"{owner}() has no option {name!r}. {hint}Options are: {', '.join(sorted(known))}.")
