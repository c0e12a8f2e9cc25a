"""Full-text search of MySQL and MariaDB: MATCH ... AGAINST, in boolean mode, through FULLTEXT indexes.

Source: MariaDB's documentation, "Full-Text Index Overview".
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, NamedTuple

import sqlalchemy as sa

from ormolu.compile.template import Template
from ormolu.compile.terms import Term
from ormolu.databases.websearch import alternatives
from ormolu.exceptions import NotSupportedError
from ormolu.fields import FloatField
from ormolu.query.search.indexed import Indexed
from ormolu.query.search.queries import Asked

__all__ = ["headline", "meets", "rank", "texts"]

_WORD = re.compile(r"\w+")


def quoted(text: str) -> str:
    """Return a word, or a phrase in quotes; nothing in it is an operator."""
    words = _WORD.findall(text)
    return words[0] if len(words) == 1 else f'"{" ".join(words)}"' if words else ""


def plain(text: Any) -> str:
    """Return all words of a text, each of which must be there."""
    return " ".join(f"+{word}" for word in map(quoted, str(text).split()) if word)


def phrase(text: Any) -> str:
    """Return the words of a text in their order."""
    return quoted(str(text))


def websearch(text: Any) -> str:
    """Return what people write into a search box; sides of an `or` that only say what mustn't be there are left out."""
    sides = [
        " ".join([*(f"+{quoted(part)}" for part in must), *(f"-{quoted(part)}" for part in mustnt)])
        for must, mustnt in alternatives(str(text))
        if must
    ]
    return sides[0] if len(sides) == 1 else " ".join(f"({side})" for side in sides)


def excepted(text: Any) -> str:
    """Return what mustn't be there, where one side of an `or` says nothing but that."""
    sides = [mustnt for must, mustnt in alternatives(str(text)) if not must]
    return " ".join(f"+({' '.join(map(quoted, mustnt))})" for mustnt in sides)


READERS: dict[str, Callable[[Any], str]] = {
    "plain": plain,
    "phrase": phrase,
    "websearch": websearch,
    "raw": str,
}


class Texts(NamedTuple):
    """Texts that are looked for: their terms, and for each what mustn't be there, where it may say that alone."""

    terms: list[Term]
    others: list[Any]


def texts(builder: Any, index: Indexed, asked: list[Asked]) -> Texts:
    """Return texts as parameters, in the language of boolean mode."""
    found = Texts([], [])
    for one in asked:
        if hasattr(one.value, "as_term") or hasattr(one.value, "query"):
            raise NotSupportedError("MySQL and MariaDB search for values, not for what an expression gives.")
        bind = builder.params.bind
        found.terms.append(Term(bind(one.owner, one.value, sa.Text(), READERS[one.kind]), constant=True))
        found.others.append(
            bind(one.owner, one.value, sa.Text(), excepted) if one.kind == "websearch" else None
        )
    return found


def against(index: Indexed, text: Any) -> Any:
    """Return how well a row meets a text: 0 if it doesn't."""
    columns = [index.table.c[name] for name in index.columns]
    pieces = ["MATCH (", *[", "] * (len(columns) - 1), ") AGAINST (", " IN BOOLEAN MODE)"]
    return Template("match", pieces, [*columns, text], FloatField().sa_type)


def meets(builder: Any, index: Indexed, texts: Texts) -> Any:
    """Return the condition that a row meets a text."""
    found = against(index, texts.terms[0].sa) > sa.literal_column("0")
    (others,) = texts.others
    if others is None:
        return found
    meets_others = against(index, others) > sa.literal_column("0")
    return sa.or_(found, sa.and_(others != sa.literal_column("''"), index.without(meets_others)))


def rank(builder: Any, index: Indexed, texts: Texts, weights: Any) -> Any:
    """Return how well a row meets texts. A FULLTEXT index knows no weights."""
    if not texts.terms:
        return sa.literal_column("0.0", FloatField().sa_type)
    ranks = [against(index, term.sa) for term in texts.terms]
    return Template("rank", ["(", *[" + "] * (len(ranks) - 1), ")"], ranks, FloatField().sa_type)


def headline(builder: Any, index: Indexed, text: Term, texts: Texts, options: dict[str, Any]) -> Any:
    """Raise NotSupportedError: there is nothing of the kind."""
    raise NotSupportedError(
        "MySQL and MariaDB can't mark the words of a text that meet a query (SearchHeadline)."
    )
