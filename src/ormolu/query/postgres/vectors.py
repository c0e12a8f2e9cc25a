"""Distances of vectors: pgvector's operators, functions of ours on SQLite.

Source: pgvector's documentation, "Querying".
"""

from __future__ import annotations

from typing import Any, ClassVar

import sqlalchemy as sa

from ormolu.compile.terms import Term, merge
from ormolu.exceptions import NotSupportedError
from ormolu.fields import FloatField
from ormolu.fields.vectors import VectorField
from ormolu.query.func import Func
from ormolu.query.values import Value

__all__ = ["CosineDistance", "L1Distance", "L2Distance", "MaxInnerProduct", "VectorDistance"]


class VectorDistance(Func):
    """Base of distances between a vector and another one: a list of numbers, or an expression."""

    symbol: ClassVar[str]
    on_sqlite: ClassVar[str]
    arity = 2
    output_field = FloatField()

    def __init__(self, expression: Any, vector: Any, **extra: Any) -> None:
        if not hasattr(vector, "as_term") and not isinstance(vector, str):
            vector = Value(vector, VectorField())
        super().__init__(expression, vector, **extra)

    def as_term(self, builder: Any) -> Term:
        """Return the distance."""
        terms = self.terms(builder)
        left, right = (term.sa for term in terms)
        field: Any = self._given
        if builder.vendor == "sqlite":
            element = getattr(sa.func, f"ormolu_{self.on_sqlite}_distance")(left, right, type_=sa.Double())
        elif builder.vendor == "postgresql":
            element = left.op(self.symbol, precedence=7, return_type=sa.Double())(right)
        else:
            raise NotSupportedError(f"{type(self).__name__} needs PostgreSQL with pgvector, or SQLite.")
        return merge(element, field, terms, strict=True)


class L2Distance(VectorDistance):
    """The straight line between two vectors."""

    symbol = "<->"
    on_sqlite = "l2"


class MaxInnerProduct(VectorDistance):
    """The inner product, negative: so that the greatest comes first."""

    symbol = "<#>"
    on_sqlite = "inner"


class CosineDistance(VectorDistance):
    """How far the directions differ: 0 for the same one, 2 for the opposite."""

    symbol = "<=>"
    on_sqlite = "cosine"


class L1Distance(VectorDistance):
    """The sum of the differences."""

    symbol = "<+>"
    on_sqlite = "l1"
