"""Full-text search of SQLite: FTS5 tables that a FullTextIndex keeps beside a model's own.

Source: SQLite's documentation, "FTS5".
"""

from __future__ import annotations

from typing import Any, NamedTuple

import sqlalchemy as sa

from ormolu.compile.template import Template
from ormolu.compile.terms import Term
from ormolu.fields import FloatField, TextField
from ormolu.query.search.indexed import Indexed
from ormolu.query.search.queries import Asked, text_term

__all__ = ["headline", "meets", "rank", "texts"]

WORDS = 35  # PostgreSQL's default
MOST_WORDS = 64  # of snippet()
LETTERS = "DCBA"


def quoted(name: str) -> str:
    """Return an identifier in quotes."""
    doubled = name.replace('"', '""')
    return f'"{doubled}"'


class Texts(NamedTuple):
    """Texts that are looked for: their terms, and how each is read."""

    terms: list[Term]
    kinds: list[str]


def texts(builder: Any, index: Indexed, asked: list[Asked]) -> Texts:
    """Return texts as elements."""
    terms = [text_term(builder, one.value, one.owner) for one in asked]
    return Texts(terms, [one.kind for one in asked])


def in_columns(index: Indexed, expression: Any) -> Any:
    """Return an expression of FTS5 about the columns that are meant."""
    if set(index.used) == set(index.columns):
        return expression
    names = f"{{{' '.join(quoted(name) for name in index.used)}}}"
    return sa.func.ormolu_search_in(sa.literal(names), expression)


def wanted(text: Term, kind: str) -> Any:
    """Return a text as FTS5 reads it."""
    return sa.func.ormolu_search(sa.literal_column(f"'{kind}'"), text.sa)


def meets(builder: Any, index: Indexed, texts: Texts) -> Any:
    """Return the condition that a row's document meets a text."""
    (text,), (kind,) = texts
    found = among(index, in_columns(index, wanted(text, kind)))
    if kind != "websearch":
        return found
    mustnt = sa.func.ormolu_search_except(text.sa)
    others = among(index, in_columns(index, mustnt))
    return sa.or_(found, sa.and_(mustnt.is_not(None), index.without(others)))


def among(index: Indexed, expression: Any) -> Any:
    """Return the condition that a row is among those that the FTS5 table finds."""
    name = quoted(index.name)
    pieces = [f"(SELECT rowid FROM {name} WHERE {name} MATCH ", ")"]
    rows = Template("search", pieces, [expression], sa.Integer())
    return index.key.op("IN", is_comparison=True, return_type=sa.Boolean())(rows)


def any_of(index: Indexed, texts: Texts) -> Any:
    """Return the expression that rows meet which meet one of several texts."""
    found = [wanted(text, kind) for text, kind in zip(*texts)]
    if not found:
        return sa.literal_column("'\"\"'", sa.Text())
    pieces = ["('(' || ", *[" || ') OR (' || "] * (len(found) - 1), " || ')')"]
    return in_columns(index, Template("any", pieces, found, sa.Text()) if len(found) > 1 else found[0])


def rank(builder: Any, index: Indexed, texts: Texts, weights: Any) -> Any:
    """Return how well a row's document meets texts, by BM25.

    Ranked at once, and kept for the statement (LIMIT holds SQLite from asking again for each row): what BM25 needs
    to know of all rows, it finds out anew for each question.
    """
    name = quoted(index.name)
    numbers = ", ".join(repr(weight_of(index.used.get(column, ""), weights)) for column in index.columns)
    best = f"(SELECT rowid AS i, -bm25({name}, {numbers}) AS r FROM {name} WHERE {name} MATCH "
    pieces = [
        f"COALESCE((SELECT ormolu_found.r FROM {best}",
        " LIMIT -1) AS ormolu_found WHERE ormolu_found.i = ",
        "), 0.0)",
    ]
    return Template("rank", pieces, [any_of(index, texts), index.key], FloatField().sa_type)


def weight_of(letter: str | None, weights: Any) -> float:
    """Return the weight of a column: that of its letter, 1 for one without, 0 for one that isn't searched."""
    if letter is None:
        return 1.0
    return float(weights[LETTERS.index(letter)]) if letter else 0.0


def headline(builder: Any, index: Indexed, text: Term, texts: Texts, options: dict[str, Any]) -> Any:
    """Return the part of a row's text that meets texts, with its words marked; else how it begins."""
    name, whole = quoted(index.name), bool(options.get("HighlightAll"))
    (column,) = index.used
    marks = [options.get("StartSel", "<b>"), options.get("StopSel", "</b>")]
    count = int(options.get("MaxWords", WORDS))
    function, last = "highlight", ")"
    if not whole:
        marks.append(options.get("FragmentDelimiter", " ... "))
        function, last = "snippet", f", {max(1, min(count, MOST_WORDS))})"
    pieces = [
        f"COALESCE((SELECT {function}({name}, {index.columns.index(column)}, ",
        *[", "] * (len(marks) - 1),
        f"{last} FROM {name} WHERE {name} MATCH ",
        f" AND {name}.rowid = ",
        "), " if whole else "), ormolu_first_words(",
        ")" if whole else f", {count}))",
    ]
    elements = [*(sa.literal(mark) for mark in marks), any_of(index, texts), index.key, text.sa]
    return Template("headline", pieces, elements, TextField().sa_type)
