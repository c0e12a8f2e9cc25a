"""Functions of PostgreSQL. Source: Django's documentation, "PostgreSQL specific database functions"."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from ormolu.compile.terms import Term
from ormolu.fields import DateTimeField, UUIDField
from ormolu.query.func import Func
from ormolu.query.postgres.needs import needs_postgresql

__all__ = ["RandomUUID", "TransactionNow"]


class RandomUUID(Func):
    """A random UUID (version 4), another one for each row."""

    arity = 0
    output_field = UUIDField()

    def as_term(self, builder: Any) -> Term:
        """Return the call."""
        needs_postgresql(builder, "RandomUUID", "; UUIDField(default=uuid.uuid4) does not")
        element = sa.func.gen_random_uuid(type_=self._given.sa_type)
        return Term(element, self._given, nullable=False)


class TransactionNow(Func):
    """When the transaction began, by the database's clock; outside of one, when the statement did."""

    arity = 0
    output_field = DateTimeField()

    def as_term(self, builder: Any) -> Term:
        """Return the time."""
        needs_postgresql(builder, "TransactionNow", "; Now(), the beginning of the statement, does not")
        element: Any = sa.type_coerce(sa.literal_column("CURRENT_TIMESTAMP"), self._given.sa_type)
        return Term(element, self._given, nullable=False, constant=True)
