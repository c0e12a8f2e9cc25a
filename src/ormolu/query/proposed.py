"""Proposed: in an upsert, the row that was to be inserted."""

from __future__ import annotations

from typing import Any

from ormolu.compile.terms import Term
from ormolu.exceptions import FieldError
from ormolu.query.references import F
from ormolu.writes.conflicts import PROPOSED

__all__ = ["Proposed"]


class Proposed(F):
    """A field of the row that `bulk_upsert()` was to insert, where a row is there already (`EXCLUDED` in SQL).

    `F` is the field of the row that is there: `update_fields={"stock": F("stock") + Proposed("stock")}`.
    """

    def as_term(self, builder: Any) -> Term:
        """Return the term of the proposed row's column. Raises FieldError for what is no column of the model."""
        own: Term = builder.ref(self.name)
        column = getattr(own.field, "sa_column", None)
        table = builder.meta.table
        if own.joins or column is None or column.table is not table or getattr(own.sa, "table", None) is None:
            raise FieldError(f"Proposed({self.name!r}) is no column of {builder.meta.object_name}.")
        return Term(table.alias(PROPOSED).c[column.key], own.field, nullable=True)
