"""Whether a statement only reads, by its text."""

from __future__ import annotations

import re
from functools import lru_cache

__all__ = ["reads_only"]

_READS = re.compile(r"(?:\s|--[^\n]*\n|/\*.*?\*/)*(?:SELECT|VALUES|PRAGMA|EXPLAIN)\b", re.I | re.S)
_WITH = re.compile(r"(?:\s|--[^\n]*\n|/\*.*?\*/)*WITH\b", re.I | re.S)
_WRITES = re.compile(r"\b(?:INSERT|UPDATE|DELETE|REPLACE)\b", re.I)


@lru_cache(maxsize=256)
def reads_only(sql: str) -> bool:
    """Say whether a statement certainly changes nothing. Asked once for each transaction."""
    return bool(_READS.match(sql) or (_WITH.match(sql) and not _WRITES.search(sql)))
