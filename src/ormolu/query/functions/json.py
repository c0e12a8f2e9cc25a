"""Functions that build JSON.

Source: Django's documentation, ref/models/database-functions, "JSON Functions".
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from ormolu.compile.template import Template
from ormolu.compile.terms import Term, merge
from ormolu.fields import BooleanField, CharField, JSONField, TextField
from ormolu.query.func import Func
from ormolu.query.values import Value

__all__ = ["JSONArray", "JSONObject"]


class JSONArray(Func):
    """A JSON array of values."""

    function = "JSON_ARRAY"
    output_field = JSONField()

    def as_term(self, builder: Any) -> Term:
        """Return the array."""
        terms = self.terms(builder)
        args = [member(builder, term) for term in terms]
        name = "JSONB_BUILD_ARRAY" if builder.vendor == "postgresql" else "JSON_ARRAY"
        return merge(
            getattr(sa.func, name)(*args, type_=self._given.sa_type), self._given, terms, nullable=False
        )


class JSONObject(Func):
    """A JSON object, of keywords: `JSONObject(name="name", age=F("age") * 2)`."""

    function = "JSON_OBJECT"
    output_field = JSONField()

    def __init__(self, **fields: Any) -> None:
        expressions: list[Any] = []
        for key, value in fields.items():
            expressions.extend((Value(key), value))
        super().__init__(*expressions)

    def as_term(self, builder: Any) -> Term:
        """Return the object."""
        terms = self.terms(builder)
        args = [term.sa if n % 2 == 0 else member(builder, term) for n, term in enumerate(terms)]
        if builder.vendor == "postgresql":
            args = [sa.cast(arg, sa.Text()) if n % 2 == 0 else arg for n, arg in enumerate(args)]
        name = "JSONB_BUILD_OBJECT" if builder.vendor == "postgresql" else "JSON_OBJECT"
        return merge(
            getattr(sa.func, name)(*args, type_=self._given.sa_type), self._given, terms, nullable=False
        )


def member(builder: Any, term: Term) -> Any:
    """Return a value as it goes into JSON: JSON stays JSON, and a truth value one."""
    if builder.vendor == "postgresql":
        text = term.constant and isinstance(term.field, (CharField, TextField))
        return sa.cast(term.sa, sa.Text()) if text else term.sa
    if isinstance(term.field, JSONField):
        pieces = ["JSON(", ")"] if builder.vendor == "sqlite" else ["JSON_EXTRACT(", ", '$')"]
        return Template("json", pieces, [term.sa], sa.Text())
    if isinstance(term.field, BooleanField):
        pieces = ["(CASE WHEN ", " THEN JSON('true') WHEN NOT ", " THEN JSON('false') END)"]
        if builder.vendor != "sqlite":
            pieces = [piece.replace("JSON(", "JSON_EXTRACT(").replace("e')", "e', '$')") for piece in pieces]
        return Template("boolean", pieces, [term.sa, term.sa], sa.Text())
    return term.sa
