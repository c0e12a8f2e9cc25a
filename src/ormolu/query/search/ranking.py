"""How well documents meet a query, and the parts of them that do: SearchRank, SearchHeadline."""

from __future__ import annotations

from typing import Any, cast

import sqlalchemy as sa

from ormolu.compile.terms import Term, merge
from ormolu.fields import FloatField, TextField
from ormolu.query.expressions import expression_of
from ormolu.query.func import Func
from ormolu.query.search import elsewhere
from ormolu.query.search.matching import index_config
from ormolu.query.search.queries import SearchQuery, SearchQueryCombinable, as_indexed
from ormolu.query.search.vectors import SearchConfig, SearchVector, SearchVectorCombinable
from ormolu.query.values import Value

__all__ = ["SearchHeadline", "SearchRank"]

# PostgreSQL's defaults, in the order of `weights`: D, C, B, A.
WEIGHTS = (0.1, 0.2, 0.4, 1.0)


class SearchRank(Func):
    """How well a document meets a query: the higher, the better; 0 for one that doesn't.

    `weights` are four numbers, for the letters D, C, B and A. `normalization` and `cover_density` are PostgreSQL's;
    other databases rank in a way of their own (BM25 on SQLite), so compare ranks of one query with each other only.
    Source: Django's documentation, "Full text search", SearchRank.
    """

    output_field = FloatField()
    keyed_parts = frozenset({"source_expressions", "vector", "query", "weights", "normalization"})

    def __init__(
        self,
        vector: Any,
        query: Any,
        weights: Any = None,
        normalization: Any = None,
        cover_density: bool = False,
    ) -> None:
        vector = vector_of(vector)
        query = query_of(query)
        if weights is not None and not hasattr(weights, "as_term"):
            weights = tuple(float(weight) for weight in weights)
            if len(weights) != 4:
                raise ValueError(
                    "The weights of a SearchRank are four numbers, for the letters D, C, B and A."
                )
        if normalization is not None:
            normalization = expression_of(normalization)
        super().__init__(vector, query, *([] if normalization is None else [normalization]))
        self.weights, self.normalization, self.cover_density = weights, normalization, cover_density

    def shape(self, shape: Any) -> Any:
        """Return the key."""
        parts = tuple(shape.item(part) for part in self.source_expressions)
        return (
            SearchRank,
            parts,
            shape.item(self.weights),
            self.normalization is not None,
            self.cover_density,
        )

    def as_term(self, builder: Any) -> Term:
        """Return the rank."""
        vector = builder.term(self.source_expressions[0])
        if builder.vendor != "postgresql":
            return elsewhere.rank(builder, vector, self.source_expressions[1], self.weights or WEIGHTS)
        terms = [vector, builder.term(as_indexed(vector, self.source_expressions[1]))]
        args = [term.sa for term in terms]
        if self.weights is not None:
            args.insert(0, self._weights(builder, terms))
        if self.normalization is not None:
            number = builder.term(self.source_expressions[2])
            terms.append(number)
            args.append(number.sa)
        name = "ts_rank_cd" if self.cover_density else "ts_rank"
        field = FloatField()
        return merge(getattr(sa.func, name)(*args, type_=field.sa_type), field, terms)

    def _weights(self, builder: Any, terms: list[Term]) -> Any:
        weights: Any = self.weights
        if hasattr(weights, "as_term"):
            given = builder.term(weights)
            terms.append(given)
            numbers: Any = sa.ARRAY(cast(Any, sa.REAL()))
            return cast(Any, sa.cast(given.sa, numbers))
        return sa.literal_column(f"'{{{', '.join(map(repr, weights))}}}'::real[]", sa.Text())


class SearchHeadline(Func):
    """The part of a text that meets a query, with the words that do marked: `<b>` before and `</b>` after them.

    The options are PostgreSQL's. SQLite knows `start_sel`, `stop_sel`, `max_words` (at most 64), `highlight_all` and
    `fragment_delimiter`; other databases have nothing of the kind. The text itself is not escaped.
    Source: Django's documentation, "Full text search", SearchHeadline.
    """

    function = "ts_headline"
    output_field = TextField()
    keyed_parts = frozenset({"source_expressions", "config", "options_given"})

    def __init__(
        self, expression: Any, query: Any, *, config: Any = None, start_sel: str | None = None,
        stop_sel: str | None = None, max_words: int | None = None, min_words: int | None = None,
        short_word: int | None = None, highlight_all: bool | None = None, max_fragments: int | None = None,
        fragment_delimiter: str | None = None,
    ) -> None:  # fmt: skip
        super().__init__(expression, query_of(query))
        self.config = SearchConfig.from_parameter(config)
        given = {
            "StartSel": start_sel, "StopSel": stop_sel, "MaxWords": max_words, "MinWords": min_words,
            "ShortWord": short_word, "HighlightAll": highlight_all, "MaxFragments": max_fragments,
            "FragmentDelimiter": fragment_delimiter,
        }  # fmt: skip
        self.options_given = {name: value for name, value in given.items() if value is not None}

    def as_term(self, builder: Any) -> Term:
        """Return the headline."""
        text = builder.term(self.source_expressions[0])
        if builder.vendor != "postgresql":
            return elsewhere.headline(builder, text, self.source_expressions[1], self.options_given)
        query = self.source_expressions[1]
        chosen = self.config
        if chosen is None and (chosen := index_config(text)) is not None:
            query = query.read_in(chosen) if isinstance(query, SearchQueryCombinable) else query
        terms = [text, builder.term(query)]
        args = [term.sa for term in terms]
        if chosen is not None:
            config = builder.term(chosen)
            terms.append(config)
            args.insert(0, config.sa)
        if self.options_given:
            args.append(sa.literal(options_text(self.options_given), sa.Text()))
        field = TextField()
        return merge(sa.func.ts_headline(*args, type_=field.sa_type), field, terms)


def options_text(options: dict[str, Any]) -> str:
    """Return options of ts_headline as PostgreSQL reads them, texts in quotes."""
    return ", ".join(f"{name}={option_text(value)}" for name, value in options.items())


def option_text(value: Any) -> str:
    """Return the value of an option."""
    if isinstance(value, str):
        quoted = value.replace("\\", "\\\\").replace("'", "''")
        return f"'{quoted}'"
    return str(value).lower()


def vector_of(value: Any) -> Any:
    """Return what is ranked as a vector: a name is a SearchVector of it."""
    if isinstance(value, SearchVectorCombinable) or hasattr(value, "as_term"):
        return value
    return SearchVector(value)


def query_of(value: Any) -> Any:
    """Return what is looked for as a query."""
    if isinstance(value, SearchQueryCombinable) or (
        hasattr(value, "as_term") and not isinstance(value, Value)
    ):
        return value
    return SearchQuery(value)
