"""What people write into a search box, taken apart: words, "phrases", `or`, and `-` for what mustn't be there.

No text is an error. Source: PostgreSQL's documentation, "Parsing Queries", websearch_to_tsquery.
"""

from __future__ import annotations

import re
import unicodedata

__all__ = ["alternatives", "has_word"]

_PARTS = re.compile(r'(-?)"([^"]*)"?|([^\s"]+)')
_OR = re.compile("or", re.I)


def has_word(text: str) -> bool:
    """Say whether there is a word in a text: letters, numbers, characters for private use."""
    return any(char.isalpha() or char.isnumeric() or unicodedata.category(char) == "Co" for char in text)


def alternatives(text: str) -> list[tuple[list[str], list[str]]]:
    """Return, for each side of an `or`, the words and phrases that must be there, and those that mustn't."""
    found: list[tuple[list[str], list[str]]] = [([], [])]
    for minus, phrase, word in _PARTS.findall(text):
        if _OR.fullmatch(word):
            found.append(([], []))
            continue
        if word[:1] == "-":
            minus, word = "-", word[1:]
        if has_word(phrase or word):
            found[-1][bool(minus)].append(phrase or word)
    return [side for side in found if any(side)]
