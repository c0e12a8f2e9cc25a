"""The names of django.contrib.postgres.search; they live in `ormolu.query.search`."""

from __future__ import annotations

from ormolu.fields.search import SearchQueryField, SearchVectorField
from ormolu.query.search import (
    CombinedSearchQuery,
    CombinedSearchVector,
    SearchConfig,
    SearchHeadline,
    SearchLookup,
    SearchQuery,
    SearchRank,
    SearchVector,
    SearchVectorExact,
    TrigramDistance,
    TrigramSimilarity,
    TrigramStrictWordDistance,
    TrigramStrictWordSimilarity,
    TrigramWordDistance,
    TrigramWordSimilarity,
)
from ormolu.query.search.queries import SearchQueryCombinable
from ormolu.query.search.vectors import SearchVectorCombinable

__all__ = [
    "CombinedSearchQuery", "CombinedSearchVector", "SearchConfig", "SearchHeadline", "SearchLookup",
    "SearchQuery", "SearchQueryCombinable", "SearchQueryField", "SearchRank", "SearchVector",
    "SearchVectorCombinable", "SearchVectorExact", "SearchVectorField", "TrigramDistance", "TrigramSimilarity",
    "TrigramStrictWordDistance", "TrigramStrictWordSimilarity", "TrigramWordDistance", "TrigramWordSimilarity",
]  # fmt: skip
