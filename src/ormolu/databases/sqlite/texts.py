"""Functions of text that SQLite lacks. Any NULL gives NULL."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any

__all__ = ["FUNCTIONS"]


def _lpad(text: Any, length: Any, fill: Any) -> str | None:
    if text is None or length is None or fill is None:
        return None
    whole, size, part = str(text), int(length), str(fill)
    missing = size - len(whole)
    if missing <= 0:
        return whole[: max(size, 0)]
    return (part * missing)[:missing] + whole


def _rpad(text: Any, length: Any, fill: Any) -> str | None:
    if text is None or length is None or fill is None:
        return None
    whole, size, part = str(text), int(length), str(fill)
    return (whole + part * max(size - len(whole), 0))[: max(size, 0)]


def _repeat(text: Any, count: Any) -> str | None:
    return None if text is None or count is None else str(text) * int(count)


def _reverse(text: Any) -> str | None:
    return None if text is None else str(text)[::-1]


def _digest(name: str) -> Callable[[Any], str | None]:
    make = getattr(hashlib, name)

    def digest(value: Any) -> str | None:
        if value is None:
            return None
        return str(make(value if isinstance(value, bytes) else str(value).encode()).hexdigest())

    return digest


FUNCTIONS: dict[tuple[str, int], Callable[..., Any]] = {
    ("lpad", 3): _lpad,
    ("rpad", 3): _rpad,
    ("repeat", 2): _repeat,
    ("reverse", 1): _reverse,
    **{(name, 1): _digest(name) for name in ("md5", "sha1", "sha224", "sha256", "sha384", "sha512")},
}
"""Functions by name and number of arguments."""
