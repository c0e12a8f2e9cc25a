"""Lookups and transforms of HStoreField: `data__owner="Bob"`, has_key and its kin, contains, keys, values.

Where the column is JSON text they are those of JSON.
Source: Django's documentation, "Querying HStoreField".
"""

from __future__ import annotations

from typing import Any, ClassVar

import sqlalchemy as sa

from ormolu.compile.conditions import Condition
from ormolu.compile.template import Template
from ormolu.compile.terms import Term, merge
from ormolu.fields import ArrayField, TextField
from ormolu.fields.hstore import HStoreField
from ormolu.query import json_lookups
from ormolu.query.json_keys import KeyTextTransform
from ormolu.query.lookups import Exact, Lookup, operand
from ormolu.query.postgres.needs import needs_postgresql
from ormolu.query.transforms import Resolved, Transform

__all__ = [
    "ContainedBy", "Contains", "HStoreExact", "HasAnyKeys", "HasKey", "HasKeys", "KeyTransform",
    "KeyTransformFactory", "KeysTransform", "ValuesTransform",
]  # fmt: skip


class HStoreLookup(Lookup):
    """Base of lookups that are an operator on PostgreSQL, and a lookup of JSON elsewhere."""

    symbol: ClassVar[str]
    elsewhere: ClassVar[Any]

    @classmethod
    def build(
        cls, builder: Any, lhs: Term, value: Any, owner: Any, negated: bool, relation: Any, name: str
    ) -> Condition:
        """Return the condition."""
        if builder.vendor != "postgresql":
            found: Condition = cls.elsewhere.build(builder, lhs, value, owner, negated, relation, name)
            return found
        return super().build(builder, lhs, value, owner, negated, relation, name)

    @classmethod
    def element(cls, builder: Any, lhs: Term, rhs: Term, owner: Any) -> Any:
        """Return the operator."""
        return lhs.sa.op(cls.symbol, is_comparison=True, return_type=sa.Boolean())(rhs.sa)


class HStoreExact(Exact):
    """All keys and values are equal; None means IS NULL."""

    @classmethod
    def element(cls, builder: Any, lhs: Term, rhs: Term, owner: Any) -> Any:
        """Return equality."""
        if builder.vendor == "postgresql":
            return lhs.sa == rhs.sa
        return json_lookups.JSONExact.equal(builder, lhs.sa, rhs.sa)


class Contains(HStoreLookup):
    """The field has all of these pairs."""

    lookup_name = "contains"
    symbol = "@>"
    elsewhere: ClassVar[Any] = json_lookups.DataContains


class ContainedBy(HStoreLookup):
    """The field has no pairs but these."""

    lookup_name = "contained_by"
    symbol = "<@"
    elsewhere: ClassVar[Any] = json_lookups.ContainedBy


class HasKey(HStoreLookup):
    """The field has a key."""

    lookup_name = "has_key"
    symbol = "?"
    elsewhere: ClassVar[Any] = json_lookups.HasKey

    @classmethod
    def operand(cls, builder: Any, lhs: Term, value: Any, owner: Any, relation: Any) -> Term:
        """Return the key."""
        if hasattr(value, "as_term"):
            return operand(builder, lhs, value, owner, relation)
        return Term(builder.params.bind(owner, value, sa.Text(), str), constant=True, nullable=False)


class HasKeys(HStoreLookup):
    """The field has all of the keys."""

    lookup_name = "has_keys"
    symbol = "?&"
    elsewhere: ClassVar[Any] = json_lookups.HasKeys

    @classmethod
    def operand(cls, builder: Any, lhs: Term, value: Any, owner: Any, relation: Any) -> Term:
        """Return the keys as an array."""
        if hasattr(value, "as_term"):
            return operand(builder, lhs, value, owner, relation)
        keys = builder.params.bind_whole(owner, list(value), sa.ARRAY(sa.Text()), _texts)
        return Term(keys, constant=True, nullable=False)


class HasAnyKeys(HasKeys):
    """The field has one of the keys."""

    lookup_name = "has_any_keys"
    symbol = "?|"
    elsewhere: ClassVar[Any] = json_lookups.HasAnyKeys


def _texts(values: Any) -> list[str]:
    return [str(value) for value in values]


class KeyTransform(Transform):
    """The text at a key."""

    output_field = TextField()
    arity = None

    def __init__(self, key_name: str, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.key_name = key_name

    def shape(self, shape: Any) -> Any:
        """Return the key of the plan."""
        return (*super().shape(shape), self.key_name)

    def transformed(self, builder: Any, terms: list[Term]) -> Term:
        """Return what stands at the key."""
        (term,) = terms
        if builder.vendor != "postgresql":
            return KeyTextTransform(self.key_name, Resolved(term)).as_term(builder)
        key = str(self.key_name).replace("'", "''")
        element = Template("hstore", ["(", f" -> '{key}')"], [term.sa], sa.Text())
        return merge(element, self._given, terms, strict=True, nullable=True)


class KeyTransformFactory:
    """Makes the transforms of one key: what a field returns for a name that is no lookup."""

    is_transform = True

    def __init__(self, key_name: str) -> None:
        self.key_name = key_name

    def __call__(self, *args: Any, **kwargs: Any) -> KeyTransform:
        return KeyTransform(self.key_name, *args, **kwargs)

    def apply(self, builder: Any, term: Term) -> Term:
        """Return the transform of a term."""
        return self(Resolved.of(term)).as_term(builder)


class _ArrayOf(Transform):
    """Base of the arrays of keys and values."""

    output_field = ArrayField(TextField())

    def transformed(self, builder: Any, terms: list[Term]) -> Term:
        """Return the call."""
        needs_postgresql(builder, f"The transform {self.lookup_name!r} of an HStoreField")
        element = getattr(sa.func, str(self.function))(terms[0].sa, type_=self._given.sa_type)
        return merge(element, self._given, terms, strict=True)


class KeysTransform(_ArrayOf):
    """The keys, in no particular order."""

    lookup_name = "keys"
    function = "akeys"


class ValuesTransform(_ArrayOf):
    """The values, in no particular order."""

    lookup_name = "values"
    function = "avals"


for _lookup in (
    HStoreExact,
    Contains,
    ContainedBy,
    HasKey,
    HasKeys,
    HasAnyKeys,
    KeysTransform,
    ValuesTransform,
):
    HStoreField.provide_lookup(_lookup)

HStoreField.transform_for_key = KeyTransformFactory
