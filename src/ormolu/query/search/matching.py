"""Lookups of full-text search: `text__search="..."`, and comparing a vector with what is looked for.

The first query of a program loads these with all other lookups, so what they need is imported when they are used.

Source: Django's documentation, "Full text search", the `search` lookup.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from ormolu.compile.conditions import Condition
from ormolu.compile.terms import Term
from ormolu.fields import CharField, TextField
from ormolu.fields.search import SearchVectorField
from ormolu.query.lookups import IsNull, Lookup, conclude
from ormolu.query.transforms import Resolved

__all__ = ["SearchLookup", "SearchVectorExact"]


class SearchVectorExact(Lookup):
    """A document meets a query. A text is read as plain words, in the configuration of the document."""

    lookup_name = "exact"
    prepare_rhs = False

    @classmethod
    def build(
        cls, builder: Any, lhs: Term, value: Any, owner: Any, negated: bool, relation: Any, name: str
    ) -> Condition:
        """Return the condition; None is a column without a value."""
        if value is None:
            return IsNull.build(builder, lhs, True, owner, negated, relation, "isnull")
        from ormolu.query.search import elsewhere
        from ormolu.query.search.queries import query_term

        vector = cls.vector(builder, lhs, value)
        if builder.vendor != "postgresql":
            return elsewhere.condition(builder, vector, value, owner, negated)
        rhs = query_term(builder, vector, value, owner)
        element = vector.sa.op("@@", is_comparison=True, return_type=sa.Boolean())(rhs.sa)
        return conclude(vector, rhs, element, negated)

    @classmethod
    def vector(cls, builder: Any, lhs: Term, value: Any) -> Term:
        """Return the left-hand side as a document."""
        return lhs


class SearchLookup(SearchVectorExact):
    """A text meets a query: it is taken apart in the configuration of the query, or of its own full-text index."""

    lookup_name = "search"

    @classmethod
    def vector(cls, builder: Any, lhs: Term, value: Any) -> Term:
        """Return the text as a document."""
        from ormolu.query.search.vectors import SearchVector

        if isinstance(lhs.field, SearchVectorField):
            return lhs
        config = getattr(value, "config", None)
        found: Term = builder.term(SearchVector(Resolved(lhs), config=config or index_config(lhs)))
        found.field.indexed = config is None and found.field.config is not None
        return found


def index_config(term: Term) -> Any:
    """Return the configuration of the FullTextIndex that holds a column, None where there is none."""
    from ormolu.query.search.vectors import SearchConfig

    field = term.field
    meta = getattr(getattr(field, "model", None), "_meta", None)
    for index in () if meta is None else meta.indexes:
        if hasattr(index, "vector") and field.name in index.fields:
            return SearchConfig.from_parameter(index.config)
    return None


SearchVectorField.provide_lookup(SearchVectorExact)
for _field in (CharField, TextField, SearchVectorField):
    _field.provide_lookup(SearchLookup)
