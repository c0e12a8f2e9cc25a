"""Likeness of texts by their trigrams, and texts without accents: PostgreSQL's extensions pg_trgm and unaccent.

Source: Django's documentation, "Full text search", "Trigram similarity", and "PostgreSQL specific lookups".
"""

from __future__ import annotations

from typing import Any, ClassVar

import sqlalchemy as sa
from sqlalchemy.sql.elements import Grouping

from ormolu.compile.terms import Term
from ormolu.exceptions import NotSupportedError
from ormolu.fields import CharField, FloatField, TextField
from ormolu.query.func import Func
from ormolu.query.lookups import Lookup
from ormolu.query.transforms import Transform
from ormolu.query.values import Value

__all__ = [
    "TrigramDistance", "TrigramSimilar", "TrigramSimilarity", "TrigramStrictWordDistance",
    "TrigramStrictWordSimilar", "TrigramStrictWordSimilarity", "TrigramWordDistance", "TrigramWordSimilar",
    "TrigramWordSimilarity", "Unaccent",
]  # fmt: skip


def require_postgresql(builder: Any, what: str, extension: str) -> None:
    """Raise NotSupportedError on other databases."""
    if builder.vendor != "postgresql" and not getattr(builder.driver, "checking", False):
        raise NotSupportedError(
            f"{what} is there on PostgreSQL only, with its extension {extension} "
            f"(CREATE EXTENSION {extension}); this is {builder.vendor}."
        )


def text_of(value: Any) -> Any:
    """Return a text as a value, leave an expression as it is."""
    return value if hasattr(value, "as_term") else Value(value)


class _Likeness(Func):
    """A number that tells how like two texts are."""

    output_field = FloatField()

    def call(self, builder: Any, args: list[Any], type_: Any) -> Any:
        """Return the call."""
        require_postgresql(builder, type(self).__name__, "pg_trgm")
        return super().call(builder, args, type_)


class TrigramSimilarity(_Likeness):
    """How many trigrams two texts share: from 0 to 1."""

    function = "similarity"

    def __init__(self, expression: Any, string: Any, **extra: Any) -> None:
        super().__init__(expression, text_of(string), **extra)


class TrigramDistance(_Likeness):
    """1 less the similarity. An index (GiST, `gist_trgm_ops`) serves an order by it."""

    function = ""
    arg_joiner = " <-> "
    template = "(%(expressions)s)"

    def __init__(self, expression: Any, string: Any, **extra: Any) -> None:
        super().__init__(expression, text_of(string), **extra)


class TrigramWordSimilarity(_Likeness):
    """How like a text is to any part of another."""

    function = "word_similarity"

    def __init__(self, string: Any, expression: Any, **extra: Any) -> None:
        super().__init__(text_of(string), expression, **extra)


class TrigramStrictWordSimilarity(TrigramWordSimilarity):
    """The same for parts that are whole words."""

    function = "strict_word_similarity"


class TrigramWordDistance(_Likeness):
    """1 less the word similarity."""

    function = ""
    arg_joiner = " <<-> "
    template = "(%(expressions)s)"

    def __init__(self, string: Any, expression: Any, **extra: Any) -> None:
        super().__init__(text_of(string), expression, **extra)


class TrigramStrictWordDistance(TrigramWordDistance):
    """1 less the strict word similarity."""

    arg_joiner = " <<<-> "


class TrigramSimilar(Lookup):
    """The texts are more alike than `pg_trgm.similarity_threshold`."""

    lookup_name = "trigram_similar"
    operator: ClassVar[str] = "%"

    @classmethod
    def element(cls, builder: Any, lhs: Term, rhs: Term, owner: Any) -> Any:
        """Return the comparison."""
        require_postgresql(builder, f"The lookup {cls.lookup_name}", "pg_trgm")
        text = sa.cast(rhs.sa, sa.Text()) if rhs.constant else Grouping(rhs.sa)
        return Grouping(lhs.sa).op(cls.operator, is_comparison=True, return_type=sa.Boolean())(text)


class TrigramWordSimilar(TrigramSimilar):
    """A part of the text is like the value."""

    lookup_name = "trigram_word_similar"
    operator = "%>"


class TrigramStrictWordSimilar(TrigramSimilar):
    """A part of the text that is made of whole words is like the value."""

    lookup_name = "trigram_strict_word_similar"
    operator = "%>>"


class Unaccent(Transform):
    """The text without accents; what it is compared with is taken without them, too."""

    function = "unaccent"
    lookup_name = "unaccent"
    bilateral = True

    def call(self, builder: Any, args: list[Any], type_: Any) -> Any:
        """Return the call."""
        require_postgresql(builder, "unaccent", "unaccent")
        return super().call(builder, args, type_)


for _field in (CharField, TextField):
    for _lookup in (TrigramSimilar, TrigramWordSimilar, TrigramStrictWordSimilar, Unaccent):
        _field.provide_lookup(_lookup)
