"""What is asked of documents: SearchQuery, and queries joined with `&`, `|` and `~`."""

from __future__ import annotations

from typing import Any, NamedTuple

import sqlalchemy as sa

from ormolu.compile.template import Template
from ormolu.compile.terms import Term, merge
from ormolu.fields.search import SearchQueryField
from ormolu.query.expressions import Expression
from ormolu.query.func import Func
from ormolu.query.search.vectors import SearchConfig
from ormolu.query.values import Value

__all__ = [
    "Asked",
    "CombinedSearchQuery",
    "as_indexed",
    "SearchQuery",
    "SearchQueryCombinable",
    "query_term",
    "text_term",
]

FUNCTIONS = {
    "plain": "plainto_tsquery",
    "phrase": "phraseto_tsquery",
    "raw": "to_tsquery",
    "websearch": "websearch_to_tsquery",
}


class SearchQueryCombinable:
    """What can stand between `&` and `|`."""

    BITAND, BITOR = "&&", "||"
    config: Any

    def _combine(self, other: Any, connector: str, reversed: bool) -> CombinedSearchQuery:
        if not isinstance(other, SearchQueryCombinable):
            raise TypeError(
                f"SearchQuery can only be combined with other SearchQuery instances, got {type(other).__name__}."
            )
        first, second = (other, self) if reversed else (self, other)
        return CombinedSearchQuery(first, connector, second, self.config)

    def read_in(self, config: Any) -> Any:
        """Return the query, read in a configuration if it names none."""
        return self

    def __and__(self, other: Any) -> CombinedSearchQuery:
        return self._combine(other, self.BITAND, False)

    def __or__(self, other: Any) -> CombinedSearchQuery:
        return self._combine(other, self.BITOR, False)

    def __rand__(self, other: Any) -> CombinedSearchQuery:
        return self._combine(other, self.BITAND, True)

    def __ror__(self, other: Any) -> CombinedSearchQuery:
        return self._combine(other, self.BITOR, True)


class SearchQuery(SearchQueryCombinable, Func):
    """Words to look for, as a user gives them.

    `search_type` says how the text is read: "plain" (all words), "phrase" (in this order), "websearch" (quotes, `or`
    and `-`, as search engines know them; no text is an error), or "raw", the database's own language, in which a
    text may be wrong. Queries are joined with `&` and `|`, and negated with `~`.
    Source: Django's documentation, "Full text search", SearchQuery.
    """

    keyed_parts = frozenset({"source_expressions", "config", "search_type", "invert"})

    def __init__(
        self, value: Any, output_field: Any = None, *, config: Any = None, invert: bool = False,
        search_type: str = "plain",
    ) -> None:  # fmt: skip
        if search_type not in FUNCTIONS:
            raise ValueError(
                f"Unknown search_type argument '{search_type}'. Choices are: {', '.join(FUNCTIONS)}."
            )
        super().__init__(value if hasattr(value, "as_term") else Value(value), output_field=output_field)
        self.config = SearchConfig.from_parameter(config)
        self.invert, self.search_type = invert, search_type

    def shape(self, shape: Any) -> Any:
        """Return the key: the text does not count."""
        return (
            SearchQuery,
            shape.item(self.source_expressions[0]),
            shape.item(self.config),
            self.invert,
            self.search_type,
        )

    @property
    def text(self) -> Any:
        """The expression of the text."""
        return self.source_expressions[0]

    def __invert__(self) -> SearchQuery:
        return type(self)(
            self.text, self._given, config=self.config, invert=not self.invert, search_type=self.search_type
        )

    def read_in(self, config: Any) -> SearchQuery:
        """Return the query, read in a configuration if it names none."""
        if self.config is not None:
            return self
        return type(self)(
            self.text, self._given, config=config, invert=self.invert, search_type=self.search_type
        )

    def as_term(self, builder: Any) -> Term:
        """Return the query; on databases that have none its text."""
        term = builder.term(self.text)
        if builder.vendor != "postgresql":
            return term  # type: ignore[no-any-return]
        return tsquery(builder, term, self.config, self.search_type, self.invert)

    def _resolve_output_field(self) -> Any:
        return SearchQueryField()

    def __str__(self) -> str:
        made = f"{type(self).__name__}({self.text!r})"
        return f"~{made}" if self.invert else made


class CombinedSearchQuery(SearchQueryCombinable, Expression):
    """Two queries, of which documents must meet both (`&&`) or one (`||`)."""

    def __init__(
        self, lhs: Any, connector: str, rhs: Any, config: Any, output_field: Any = None, invert: bool = False
    ) -> None:
        super().__init__(output_field)
        self.lhs, self.connector, self.rhs, self.config, self.invert = lhs, connector, rhs, config, invert

    def get_source_expressions(self) -> list[Any]:
        """Return both sides."""
        return [self.lhs, self.rhs]

    def set_source_expressions(self, exprs: Any) -> None:
        """Replace both sides."""
        self.lhs, self.rhs = exprs

    def shape(self, shape: Any) -> Any:
        """Return the key: the texts do not count."""
        return (CombinedSearchQuery, shape.item(self.lhs), self.connector, shape.item(self.rhs), self.invert)

    def __invert__(self) -> CombinedSearchQuery:
        return type(self)(self.lhs, self.connector, self.rhs, self.config, self._given, not self.invert)

    def read_in(self, config: Any) -> CombinedSearchQuery:
        """Return the queries, read in a configuration where they name none."""
        sides = [side.read_in(config) for side in (self.lhs, self.rhs)]
        return type(self)(sides[0], self.connector, sides[1], self.config, self._given, self.invert)

    def as_term(self, builder: Any) -> Term:
        """Return the two queries as one; databases that have none are asked for each."""
        terms: list[Term] = [builder.term(self.lhs), builder.term(self.rhs)]
        field = SearchQueryField()
        opening = "!!(" if self.invert else "("
        element = Template(
            "queries", [opening, f" {self.connector} ", ")"], [term.sa for term in terms], field.sa_type
        )
        return merge(element, field, terms, strict=True, nullable=any(term.nullable for term in terms))

    def _resolve_output_field(self) -> Any:
        return SearchQueryField()

    def __str__(self) -> str:
        made = f"({self.lhs} {self.connector} {self.rhs})"
        return f"~{made}" if self.invert else made


class Asked(NamedTuple):
    """One text that is looked for: a value (its owner is known to the query's parameters) or an expression."""

    value: Any
    owner: Any
    kind: str = "plain"
    invert: bool = False

    @classmethod
    def of(cls, value: Any, owner: Any) -> Any:
        """Return what a lookup or a SearchQuery looks for; a CombinedSearchQuery stays what it is."""
        if isinstance(value, CombinedSearchQuery):
            return value
        kind, invert = "plain", False
        if isinstance(value, SearchQuery):
            kind, invert, value = value.search_type, value.invert, value.text
        if isinstance(value, Value):
            value, owner = value.value, value
        return cls(value, owner, kind, invert)


def tsquery(builder: Any, text: Term, config: Any, search_type: str, invert: bool = False) -> Term:
    """Return a text as PostgreSQL's query."""
    field = SearchQueryField()
    terms, args = [text], [text.sa]
    if config is not None:
        chosen = builder.term(config)
        terms, args = [*terms, chosen], [chosen.sa, text.sa]
    element: Any = getattr(sa.func, FUNCTIONS[search_type])(*args, type_=field.sa_type)
    if invert:
        element = Template("not", ["!!(", ")"], [element], field.sa_type)
    return merge(element, field, terms, strict=True, nullable=text.nullable)


def query_term(builder: Any, vector: Term, value: Any, owner: Any) -> Term:
    """Return what a vector is compared with as PostgreSQL's query: a query, or a text in the vector's configuration."""
    if isinstance(value, SearchQueryCombinable):
        return builder.term(as_indexed(vector, value))  # type: ignore[no-any-return]
    config = getattr(vector.field, "config", None)
    return tsquery(builder, text_term(builder, value, owner), config, "plain")


def as_indexed(vector: Term, query: Any) -> Any:
    """Return a query, read in the configuration of the index if the vector is what an index holds."""
    if getattr(vector.field, "indexed", False) and isinstance(query, SearchQueryCombinable):
        return query.read_in(vector.field.config)
    return query


def text_term(builder: Any, value: Any, owner: Any) -> Term:
    """Return a text that is given as a value, or by an expression."""
    from ormolu.query.lookups import operand

    if hasattr(value, "as_term") or hasattr(value, "query") or hasattr(value, "__clause_element__"):
        return operand(builder, Term(sa.null()), value, owner, None)
    bound = builder.params.bind(owner, value, sa.Text(), str)
    return Term(bound, nullable=False, constant=True)
