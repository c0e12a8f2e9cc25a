"""Fields of PostgreSQL's full-text search: a document's words, and what is asked of them."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import sqlalchemy as sa

from ormolu.fields.base import Field
from ormolu.fields.types.base import ValueType

__all__ = ["SearchQueryField", "SearchVectorField"]


class _SearchType(ValueType):
    """A type that only PostgreSQL has; a text elsewhere."""

    impl = sa.Text
    accepts = (str,)
    native = ""

    def load_dialect_impl(self, dialect: sa.Dialect) -> sa.types.TypeEngine[Any]:
        if dialect.name != "postgresql":
            return dialect.type_descriptor(sa.Text())
        from sqlalchemy.dialects import postgresql

        return dialect.type_descriptor(getattr(postgresql, self.native)())


class _VectorType(_SearchType):
    """TSVECTOR."""

    native = "TSVECTOR"


class _QueryType(_SearchType):
    """TSQUERY."""

    native = "TSQUERY"


class SearchVectorField(Field[Any]):
    """The words of a document, made ready to be searched: a TSVECTOR column of PostgreSQL.

    Fill it with `update(field=SearchVector("title", "body"))`, or by a trigger of yours, and compare it with a text
    or a SearchQuery. Other databases have no such type; a `FullTextIndex` serves them all.
    Source: Django's documentation, "Full text search", SearchVectorField.
    """

    description = "Words of a document"
    empty_strings_allowed = False

    # Of the result of a SearchVector: which columns it was made of, and how they were taken apart.
    document: Any = None
    config: Any = None
    indexed: bool = False
    """Whether it is what a FullTextIndex holds: a query that names no configuration is read in the index's."""

    @cached_property
    def sa_type(self) -> sa.types.TypeEngine[Any]:
        """TSVECTOR."""
        return _VectorType()

    def get_internal_type(self) -> str:
        """Return "SearchVectorField"."""
        return "SearchVectorField"


class SearchQueryField(Field[Any]):
    """What is asked of documents: a TSQUERY. The type of a SearchQuery."""

    description = "Query of documents"
    empty_strings_allowed = False

    @cached_property
    def sa_type(self) -> sa.types.TypeEngine[Any]:
        """TSQUERY."""
        return _QueryType()

    def get_internal_type(self) -> str:
        """Return "SearchQueryField"."""
        return "SearchQueryField"
