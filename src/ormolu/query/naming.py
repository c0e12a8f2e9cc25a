"""What queries may call things: names of annotations, aliases, near misses."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from typing import Any

from ormolu.exceptions import FieldError
from ormolu.near import near_names
from ormolu.query.query import Query

__all__ = ["check_alias", "check_selected", "named_expressions", "near"]


def check_selected(query: Query, name: str, verb: str) -> None:
    """Refuse to read the result of alias(), which is for conditions and orders."""
    selected = [op[3] for op in query.ops if op[0] == "annotate" and op[1] == name]
    if name in query.filtered_relations:
        return
    if selected and not selected[-1]:
        raise FieldError(f"Cannot {verb} the '{name}' alias. Use annotate() to promote it.")


def named_expressions(args: Iterable[Any], kwargs: dict[str, Any], method: str) -> dict[str, Any]:
    """Return expressions by name; positional ones name themselves."""
    named: dict[str, Any] = {}
    for arg in args:
        try:
            name = arg.default_alias
        except (AttributeError, TypeError):
            key = getattr(arg, "key", None) or getattr(arg, "name", None)
            if isinstance(key, str) and hasattr(arg, "compile"):
                name = key
            elif hasattr(arg, "as_term"):
                raise TypeError("Complex annotations require an alias") from None
            else:
                raise TypeError(f"QuerySet.{method}() received non-expression(s): {arg}.") from None
        if name in kwargs:
            raise ValueError(
                f"The named annotation '{name}' conflicts with the default name for another annotation."
            )
        named[name] = arg
    for name, value in kwargs.items():
        if not (
            hasattr(value, "as_term")
            or hasattr(value, "filtered_hops")
            or hasattr(value, "__clause_element__")
            or hasattr(value, "compile")
        ):
            raise TypeError(f"QuerySet.{method}() received non-expression(s): {value}.")
        named[name] = value
    return named


_FORBIDDEN = frozenset("'`\"[];#")


def check_alias(name: str) -> None:
    """Refuse aliases that could be more than a name (trap of injected SQL)."""
    if name.isidentifier():
        return
    unsafe = any(char in _FORBIDDEN or char.isspace() or unicodedata.category(char) == "Cc" for char in name)
    if unsafe or "--" in name or "/*" in name or "*/" in name:
        raise ValueError(
            "Column aliases cannot contain whitespace characters, hashes, control characters, quotation marks, "
            "semicolons, or SQL comments."
        )


def near(name: str, known: Iterable[str]) -> str:
    """Return a hint with the near miss."""
    found = near_names(name, list(known))
    return f" Did you mean {found[0]!r}?" if found else ""
