"""Pickling: a queryset takes its results along; one inside of a question (a lookup's value, a Prefetch) has none.

Source: Django's documentation, ref/models/querysets, "Pickling QuerySets".
"""

from __future__ import annotations

import warnings
from typing import Any

from ormolu import __version__

__all__ = ["VERSION_KEY", "Question", "check_version", "dressed", "undressed"]

VERSION_KEY = "_ormolu_version"
"""In the state of a pickled queryset or object: which version of the library has made it."""


def check_version(state: dict[str, Any], kind: str = "queryset") -> None:
    """Warn of a pickle that another version has made: nothing promises that it is still understood."""
    version = state.pop(VERSION_KEY, None)
    if version is None:
        text = f"Pickled {kind} instance's Ormolu version is not specified."
    elif version != __version__:
        text = f"Pickled {kind} instance's Ormolu version {version} does not match the current version {__version__}."
    else:
        return
    warnings.warn(text, RuntimeWarning, stacklevel=3)


class Question:
    """Stands for a queryset while something that holds it is pickled."""

    __slots__ = ("queryset",)

    def __init__(self, queryset: Any) -> None:
        self.queryset = queryset

    def __reduce__(self) -> tuple[Any, ...]:
        return restored, (type(self.queryset), self.queryset._clone()._as_question())

    def __deepcopy__(self, memo: dict[int, Any]) -> Any:
        return self.queryset._clone()


def restored(cls: type[Any], state: dict[str, Any]) -> Any:
    """Return a queryset of which nothing was read."""
    check_version(state)
    made = object.__new__(cls)
    made.__dict__.update(state)
    return made


def dressed(value: Any) -> Any:
    """Return what to pickle in the place of a value of a question."""
    cls: Any = value.__class__
    if hasattr(cls, "_as_question"):
        return Question(value)
    if value.__class__ is tuple:
        return tuple(map(dressed, value))
    return value


def undressed(value: Any) -> Any:
    """Return the value, in a copy that was made without a pickle."""
    if value.__class__ is tuple:
        return tuple(map(undressed, value))
    return value.queryset if value.__class__ is Question else value
