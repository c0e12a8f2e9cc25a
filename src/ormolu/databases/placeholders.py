"""Placeholders of SQL by hand: `%s` and `%(name)s` on every database, and what its driver wants instead."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any, TypeGuard, cast

__all__ = ["PLACEHOLDER", "for_driver"]

PLACEHOLDER = re.compile(r"%(?:%|s|\((\w+)\)s)")
"""A percent sign that stands for itself (`%%`), a value, or a value by name, as PEP 249 and Django write them."""

_MARKS: dict[str, tuple[Callable[[int], str], str]] = {
    "qmark": (lambda number: "?", "%"),
    "numeric_dollar": (lambda number: f"${number}", "%"),
    "numeric": (lambda number: f":{number}", "%"),
    "format": (lambda number: "%s", "%%"),
}
"""For each `paramstyle`: a placeholder by its number, and a percent sign."""


def for_driver(style: str, sql: str, params: object) -> tuple[str, Any]:
    """Return a statement and its parameters as a driver of that `paramstyle` takes them.

    `params` is a sequence for `%s`, or a mapping for `%(name)s`. Raises TypeError when they are neither, or
    are not as many as the placeholders, and KeyError for a name that the mapping lacks.
    """
    text, names = _written(style, sql)
    if isinstance(params, Mapping):
        return text, _by_name(names, cast("Mapping[str, Any]", params))
    if not _in_order(params):
        kind = type(params).__name__
        raise TypeError(f"Parameters are a list or a tuple for %s, or a dictionary for %(name)s: not {kind}.")
    if any(names):
        raise TypeError(f"The statement names its parameters ({_listed(names)}): give a dictionary.")
    if len(names) != len(params):
        raise TypeError(
            f"The statement has {len(names)} placeholders (%s), and {len(params)} parameters were given."
        )
    return text, params


def _in_order(params: object) -> TypeGuard[Sequence[Any]]:
    return isinstance(params, Sequence) and not isinstance(params, (str, bytes))


def _by_name(names: Sequence[str | None], params: Mapping[str, Any]) -> list[Any]:
    if not all(names):
        raise TypeError("The statement has parameters without names (%s): give a list or a tuple.")
    missing = [name for name in names if name not in params]
    if missing:
        raise KeyError(
            f"The statement's parameter {missing[0]!r} is not among {', '.join(map(repr, params))}."
        )
    return [params[name] for name in names if name is not None]


def _listed(names: Sequence[str | None]) -> str:
    return ", ".join(dict.fromkeys(name for name in names if name))


@lru_cache(maxsize=500)
def _written(style: str, sql: str) -> tuple[str, tuple[str | None, ...]]:
    """Return the statement in the driver's style, and the name of each placeholder, None where it has none."""
    names: list[str | None] = []
    mark, percent = _MARKS[style]

    def replace(found: re.Match[str]) -> str:
        if found[0] == "%%":
            return percent
        names.append(found[1])
        return mark(len(names))

    text = PLACEHOLDER.sub(replace, sql)
    return text, tuple(names)
