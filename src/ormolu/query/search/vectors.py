"""Documents: SearchVector, what it is made of, and the configuration that takes it apart into words."""

from __future__ import annotations

import re
from typing import Any, NamedTuple

import sqlalchemy as sa

from ormolu.compile.template import Template
from ormolu.compile.terms import Term, merge
from ormolu.exceptions import FieldError
from ormolu.fields import CharField, TextField
from ormolu.fields.search import SearchVectorField
from ormolu.query.expressions import Expression, expression_of
from ormolu.query.func import Func

__all__ = ["CombinedSearchVector", "Document", "SearchConfig", "SearchVector", "SearchVectorCombinable"]

NAME = re.compile(r"\w+(\.\w+)?")
WEIGHTS = ("A", "B", "C", "D")


class SearchConfig(Expression):
    """The name of a text search configuration ("english"), or an expression that gives it (`F("language")`)."""

    def __init__(self, config: Any) -> None:
        super().__init__()
        if isinstance(config, str) and not NAME.fullmatch(config):
            raise ValueError(f"{config!r} is not the name of a text search configuration.")
        self.config = config

    @classmethod
    def from_parameter(cls, config: Any) -> Any:
        """Return what was given for `config` as a SearchConfig, None for None."""
        return config if config is None or isinstance(config, cls) else cls(config)

    def get_source_expressions(self) -> list[Any]:
        """Return the expression."""
        return [] if isinstance(self.config, str) else [self.config]

    def set_source_expressions(self, exprs: Any) -> None:
        """Replace the expression."""
        if exprs:
            (self.config,) = exprs

    def as_term(self, builder: Any) -> Term:
        """Return the configuration: by its name as it stands, so that the database can see that an index fits."""
        if isinstance(self.config, str):
            return Term(sa.literal_column(f"'{self.config}'::regconfig"), nullable=False, constant=True)
        term = builder.term(expression_of(self.config))
        return merge(Template("config", ["(", ")::regconfig"], [term.sa], sa.Text()), None, [term])


class Document(NamedTuple):
    """What a vector was made of: columns, each with its weight, for databases that index columns."""

    parts: tuple[tuple[Term, str | None], ...]


class SearchVectorCombinable:
    """What can be added to a SearchVector."""

    config: Any

    def _combine(self, other: Any, connector: str, reversed: bool) -> CombinedSearchVector:
        if not isinstance(other, SearchVectorCombinable) or connector != "+":
            raise TypeError(
                "SearchVector can only be combined with other SearchVector instances, got "
                f"{type(other).__name__}."
            )
        first, second = (other, self) if reversed else (self, other)
        return CombinedSearchVector(first, "||", second, self.config)


class SearchVector(SearchVectorCombinable, Func):
    """The words of one or more texts, to be searched: `annotate(search=SearchVector("title", "body"))`.

    Names or expressions; other values than texts are made text, NULL is an empty one. `config` is the text search
    configuration, `weight` a letter from "A" to "D". With no expression at all it is what the model's FullTextIndex
    holds (`index="name"` says which, where there are several). Vectors are joined with `+`.
    Source: Django's documentation, "Full text search", SearchVector.
    """

    function = "to_tsvector"
    keyed_parts = frozenset({"source_expressions", "config", "weight", "index"})

    def __init__(
        self, *expressions: Any, config: Any = None, weight: str | None = None, index: str | None = None,
        output_field: Any = None,
    ) -> None:  # fmt: skip
        if weight is not None and weight not in WEIGHTS:
            raise ValueError(f"The weight of a SearchVector is one of {', '.join(WEIGHTS)}, not {weight!r}.")
        if expressions and index is not None:
            raise TypeError("SearchVector() takes expressions or the name of an index, not both.")
        super().__init__(*expressions, output_field=output_field)
        self.config = SearchConfig.from_parameter(config)
        self.weight, self.index = weight, index

    def as_term(self, builder: Any) -> Term:
        """Return the vector; on databases that have none the text."""
        if not self.source_expressions:
            whole: Term = builder.term(self._of_index(builder))
            whole.field.indexed = True
            return whole
        terms = self.terms(builder)
        field = vector_field(self.config, tuple((term, self.weight) for term in terms))
        text = joined([as_text(builder, term) for term in terms])
        if builder.vendor != "postgresql":
            return merge(sa.type_coerce(text, field.sa_type), field, terms, nullable=False)
        args = [text]
        if self.config is not None:
            config = builder.term(self.config)
            terms = [*terms, config]
            args = [config.sa, text]
        element: Any = sa.func.to_tsvector(*args, type_=field.sa_type)
        if self.weight is not None:
            element = sa.func.setweight(element, sa.literal_column(f"'{self.weight}'"), type_=field.sa_type)
        return merge(element, field, terms, nullable=False)

    def _of_index(self, builder: Any) -> Any:
        meta = builder.meta.concrete_model._meta
        indexes = [
            index
            for model in (meta.model, *meta.get_parent_list())
            for index in model._meta.indexes
            if hasattr(index, "vector")
        ]
        found = [index for index in indexes if self.index is None or index.name == self.index]
        if len(found) == 1:
            return found[0].vector
        names = ", ".join(index.name for index in indexes) or "none"
        what = (
            "SearchVector() with no expression"
            if self.index is None
            else f"SearchVector(index={self.index!r})"
        )
        raise FieldError(f"{what} stands for one FullTextIndex of {meta.label}, which has: {names}.")


class CombinedSearchVector(SearchVectorCombinable, Expression):
    """Vectors, one after the other."""

    def __init__(self, lhs: Any, connector: str, rhs: Any, config: Any, output_field: Any = None) -> None:
        super().__init__(output_field)
        self.lhs, self.connector, self.rhs, self.config = lhs, connector, rhs, config

    def get_source_expressions(self) -> list[Any]:
        """Return both sides."""
        return [self.lhs, self.rhs]

    def set_source_expressions(self, exprs: Any) -> None:
        """Replace both sides."""
        self.lhs, self.rhs = exprs

    def as_term(self, builder: Any) -> Term:
        """Return the two vectors as one."""
        terms: list[Term] = [builder.term(self.lhs), builder.term(self.rhs)]
        parts = tuple(part for term in terms for part in term.field.document.parts)
        field = vector_field(self.config, parts)
        between = " || " if builder.vendor == "postgresql" else " || ' ' || "
        element = Template("vectors", ["(", between, ")"], [term.sa for term in terms], field.sa_type)
        return merge(element, field, terms, nullable=False)

    def __str__(self) -> str:
        return f"({self.lhs} {self.connector} {self.rhs})"


def vector_field(config: Any, parts: tuple[tuple[Term, str | None], ...]) -> SearchVectorField:
    """Return the field of a vector, which knows what it was made of."""
    field = SearchVectorField()
    field.config, field.document = config, Document(parts)
    return field


def as_text(builder: Any, term: Term) -> Any:
    """Return a term as text that is never NULL."""
    element = term.sa
    if not isinstance(term.field, (CharField, TextField)):
        element = sa.cast(element, sa.CHAR() if builder.vendor == "mysql" else sa.Text())
    return sa.func.coalesce(element, sa.literal_column("''")) if term.nullable else element


def joined(texts: list[Any]) -> Any:
    """Return texts with a space between them."""
    if len(texts) == 1:
        return texts[0]
    return Template("document", ["(", *[" || ' ' || "] * (len(texts) - 1), ")"], texts, sa.Text())
