"""Full-text search where there are no vectors: through the index that a model's FullTextIndex makes.

Each database has a module with the same functions: which rows meet a query, how well, and by which words.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

import sqlalchemy as sa

from ormolu.compile.conditions import Condition, combine, negate
from ormolu.compile.terms import Term, merge
from ormolu.exceptions import NotSupportedError
from ormolu.fields import FloatField, TextField
from ormolu.query.lookups import conclude
from ormolu.query.search.indexed import Indexed, indexed
from ormolu.query.search.queries import Asked, CombinedSearchQuery, SearchQuery

__all__ = ["condition", "headline", "rank"]


def spelling(builder: Any) -> Any:
    """Return the module with the database's SQL."""
    homes = {"sqlite": "fts5", "mysql": "match_against"}
    if builder.vendor not in homes:
        raise NotSupportedError(f"There is no full-text search on {builder.vendor}.")
    return import_module(f"ormolu.query.search.{homes[builder.vendor]}")


def unchecked(builder: Any) -> bool:
    """Tell whether names are checked only: which database it will be isn't known then."""
    return bool(getattr(builder.driver, "checking", False))


def condition(builder: Any, vector: Term, value: Any, owner: Any, negated: bool) -> Condition:
    """Return the condition that a document meets a query, or a text."""
    if unchecked(builder):
        return conclude(vector, None, sa.literal_column("1") == 1, negated)
    return _condition(builder, vector, indexed(builder, vector), Asked.of(value, owner), negated)


def _condition(builder: Any, vector: Term, index: Indexed, query: Any, negated: bool) -> Condition:
    if isinstance(query, CombinedSearchQuery):
        inner = negated != query.invert
        sides = [Asked.of(side, side) for side in (query.lhs, query.rhs)]
        parts = [_condition(builder, vector, index, side, inner) for side in sides]
        whole = combine("AND" if query.connector == query.BITAND else "OR", parts)
        return negate(whole) if query.invert else whole
    texts = spelling(builder).texts(builder, index, [query])
    element = spelling(builder).meets(builder, index, texts)
    if query.invert:
        element = index.without(element)
    row = merge(index.key, None, [vector, *texts.terms], constant=False, nullable=index.joined)
    return conclude(row, None, element, negated)


def rank(builder: Any, vector: Term, query: Any, weights: Any) -> Term:
    """Return how well a document meets a query."""
    field = FloatField()
    if unchecked(builder):
        return merge(sa.literal_column("0.0", field.sa_type), field, [vector])
    if hasattr(weights, "as_term"):
        raise NotSupportedError(
            f"The weights of a SearchRank are numbers on {builder.vendor}, no expression."
        )
    index = indexed(builder, vector)
    texts = spelling(builder).texts(builder, index, leaves(query))
    element = spelling(builder).rank(builder, index, texts, weights)
    return merge(element, field, [vector, *texts.terms], nullable=False)


def headline(builder: Any, text: Term, query: Any, options: dict[str, Any]) -> Term:
    """Return the part of a text that meets a query, with its words marked."""
    field = TextField()
    if unchecked(builder):
        return merge(text.sa, field, [text])
    index = indexed(builder, text)
    texts = spelling(builder).texts(builder, index, leaves(query))
    element = spelling(builder).headline(builder, index, text, texts, options)
    return merge(element, field, [text, *texts.terms])


def leaves(query: Any) -> list[Asked]:
    """Return the texts that a query looks for; what mustn't be there isn't among them."""
    if isinstance(query, CombinedSearchQuery):
        return [] if query.invert else [*leaves(query.lhs), *leaves(query.rhs)]
    if isinstance(query, SearchQuery) and query.invert:
        return []
    return [Asked.of(query, query)]
