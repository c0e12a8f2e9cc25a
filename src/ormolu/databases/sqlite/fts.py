"""What users look for, in the language of SQLite's FTS5: SQL functions that every connection has.

A user's text is never a syntax error there: words and phrases go in as quoted strings, and what has no letter or
digit in it is left out. Only "raw" text is taken as it is. Source: SQLite's documentation, "FTS5", 3.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from ormolu.databases.websearch import alternatives, has_word

__all__ = ["FUNCTIONS"]

NOTHING = '""'
"""Meets no document."""


def _quoted(text: str) -> str:
    doubled = text.replace('"', '""')
    return f'"{doubled}"'


def _words(text: str) -> list[str]:
    return [_quoted(word) for word in text.split() if has_word(word)]


def _of_websearch(text: str) -> str:
    sides: list[str] = []
    for must, mustnt in alternatives(text):
        if must:
            side = f"({' AND '.join(map(_quoted, must))})"
            sides.append(f"({side} NOT ({' OR '.join(map(_quoted, mustnt))}))" if mustnt else side)
    return " OR ".join(sides)


_READERS: dict[str, Callable[[str], str]] = {
    "plain": lambda text: " AND ".join(_words(text)),
    "phrase": lambda text: _quoted(text) if has_word(text) else "",
    "websearch": _of_websearch,
    "raw": str,
}


def wanted(kind: str, text: Any) -> str:
    """Return what documents must meet, as an expression of FTS5."""
    return (_READERS[kind](str(text)) if text is not None else "") or NOTHING


def excepted(text: Any) -> str | None:
    """Return what documents mustn't meet, where one side of an `or` says nothing but that; None else.

    FTS5 has no NOT with nothing before it: `wanted()` leaves such a side out.
    """
    sides = [mustnt for must, mustnt in alternatives(str(text)) if not must] if text is not None else []
    return " AND ".join(f"({' OR '.join(map(_quoted, mustnt))})" for mustnt in sides) or None


def in_columns(columns: str, expression: Any) -> Any:
    """Return an expression about some columns only, `{"a" "b"}`."""
    return None if expression is None else f"{columns} : ({expression})"


def first_words(text: Any, count: int) -> Any:
    """Return the beginning of a text."""
    if text is None:
        return None
    words = re.match(rf"\s*(?:\S+\s*){{0,{int(count)}}}", str(text))
    return words[0].rstrip() if words is not None else ""


FUNCTIONS: dict[tuple[str, int], Callable[..., Any]] = {
    ("ormolu_search", 2): wanted,
    ("ormolu_search_except", 1): excepted,
    ("ormolu_search_in", 2): in_columns,
    ("ormolu_first_words", 2): first_words,
}
