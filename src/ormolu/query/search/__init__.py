"""Full-text search: what is searched, what is asked, how well it fits. One spelling for all databases."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ormolu.lazy import door

if TYPE_CHECKING:
    from ormolu.fields.search import SearchQueryField, SearchVectorField
    from ormolu.query.search.matching import SearchLookup, SearchVectorExact
    from ormolu.query.search.queries import CombinedSearchQuery, SearchQuery
    from ormolu.query.search.ranking import SearchHeadline, SearchRank
    from ormolu.query.search.trigrams import (
        TrigramDistance,
        TrigramSimilarity,
        TrigramStrictWordDistance,
        TrigramStrictWordSimilarity,
        TrigramWordDistance,
        TrigramWordSimilarity,
    )
    from ormolu.query.search.vectors import CombinedSearchVector, SearchConfig, SearchVector

__all__ = [
    "CombinedSearchQuery", "CombinedSearchVector", "SearchConfig", "SearchHeadline", "SearchLookup",
    "SearchQuery", "SearchQueryField", "SearchRank", "SearchVector", "SearchVectorExact", "SearchVectorField",
    "TrigramDistance", "TrigramSimilarity", "TrigramStrictWordDistance", "TrigramStrictWordSimilarity",
    "TrigramWordDistance", "TrigramWordSimilarity",
]  # fmt: skip

if not TYPE_CHECKING:
    _find, __dir__ = door(
        __name__,
        {
            "": "elsewhere",
            "matching": "SearchLookup SearchVectorExact",
            "queries": "CombinedSearchQuery SearchQuery",
            "ranking": "SearchHeadline SearchRank",
            "trigrams": """
                TrigramDistance TrigramSimilarity TrigramStrictWordDistance TrigramStrictWordSimilarity
                TrigramWordDistance TrigramWordSimilarity
            """,
            "vectors": "CombinedSearchVector SearchConfig SearchVector",
        },
    )

    def __getattr__(name):
        """Return a public name; those of fields come from where fields live."""
        if name in ("SearchQueryField", "SearchVectorField"):
            from ormolu.fields import search

            return getattr(search, name)
        return _find(name)
