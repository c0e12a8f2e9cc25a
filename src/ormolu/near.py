"""Near misses of a name, for the hint of an error."""

from __future__ import annotations

from collections.abc import Iterable

__all__ = ["near_names"]


def near_names(name: str, known: Iterable[str], n: int = 1, cutoff: float = 0.6) -> list[str]:
    """Return up to `n` of the known names that are most like `name`, the nearest first."""
    import difflib  # a millisecond that only errors pay for

    return difflib.get_close_matches(name, list(known), n, cutoff)
