"""Lookups of JSON: keys (`data__owner__name="Ann"`, `data__tags__0`), has_key, contains and their kin.

What comes from inside a document is compared in a form of its own on each database: JSONB on PostgreSQL;
on SQLite numbers as numbers, all else as JSON text, so that both comparing and reading are exact.
Source: Django's documentation, topics/db/queries, "Querying JSONField".
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

import sqlalchemy as sa

from ormolu.compile.conditions import NOTHING, Condition
from ormolu.compile.params import bucket, padded
from ormolu.compile.terms import Term, merge
from ormolu.exceptions import NotSupportedError
from ormolu.fields import JSONField
from ormolu.query import lookups, text_lookups
from ormolu.query.json_keys import (
    HERE,
    KeyTextTransform,
    KeyTransform,
    KeyTransformFactory,
    final_key,
    is_mariadb,
    keys_of,
    sql,
)
from ormolu.query.lookups import Lookup, conclude, operand

__all__ = [
    "KT", "ContainedBy", "DataContains", "HasAnyKeys", "HasKey", "HasKeys", "JSONExact", "KeyTextTransform",
    "KeyTransform", "KeyTransformExact", "KeyTransformFactory", "KeyTransformIn",
]  # fmt: skip


def KT(lookup: str) -> KeyTextTransform:
    """Return the text value of a key or index inside JSON: `KT("data__owner__name")`."""
    path, _, key = lookup.rpartition("__")
    if not path or not key:
        raise ValueError("Lookup must contain key or index transforms.")
    return KeyTextTransform(key, path)


def document(builder: Any, owner: Any, value: Any, field: Any) -> Any:
    """Return the bind parameter of a value as JSON; None is JSON's null."""
    return document_form(builder, builder.params.bind(owner, value, field.sa_type, _with_null))


def _with_null(value: Any) -> Any:
    return sa.JSON.NULL if value is None else value


def document_form(builder: Any, bound: Any) -> Any:
    """Return a bound document in the form in which the database compares what is inside of documents."""
    if builder.vendor == "postgresql":
        return bound
    if builder.vendor == "mysql":
        return sql(f"JSON_COMPACT({HERE})" if is_mariadb(builder) else f"JSON_EXTRACT({HERE}, '$')", bound)
    return sql(
        f"(CASE JSON_TYPE({HERE}) WHEN 'text' THEN JSON_QUOTE(JSON_EXTRACT({HERE}, '$')) WHEN 'true' THEN 'true' "
        f"WHEN 'false' THEN 'false' WHEN 'null' THEN 'null' ELSE JSON_EXTRACT({HERE}, '$') END)",
        bound,
    )


def is_expression(value: Any) -> bool:
    """Tell whether a value is computed by the database."""
    return hasattr(value, "as_term") or isinstance(value, sa.ClauseElement) or hasattr(value, "query")


def base_of(term: Term) -> Term:
    """Return the document that a key was taken from."""
    while isinstance(term.origin, KeyTransform) and term.inner is not None:
        term = term.inner
    return term


class JSONExact(lookups.Exact):
    """Equality of documents. None is JSON's null; NULL is what `isnull` asks for."""

    @classmethod
    def build(
        cls, builder: Any, lhs: Term, value: Any, owner: Any, negated: bool, relation: Any, name: str
    ) -> Condition:
        """Return `lhs = value`."""
        if is_expression(value):
            lookups.check_one_row(value)
            rhs = operand(builder, lhs, value, owner, relation)
            return conclude(lhs, rhs, cls.equal(builder, lhs.sa, rhs.sa), negated)
        bound = builder.params.bind(owner, value, lhs.field.sa_type, _with_null)
        return conclude(lhs, None, cls.equal(builder, lhs.sa, bound), negated and value is not None)

    @classmethod
    def equal(cls, builder: Any, one: Any, other: Any) -> Any:
        """Return equality, whatever spaces the texts have."""
        if builder.vendor == "sqlite":
            return sa.func.JSON(one) == sa.func.JSON(other)
        if is_mariadb(builder):
            return sa.func.JSON_COMPACT(one) == sa.func.JSON_COMPACT(other)
        if builder.vendor == "mysql":
            return sql(f"JSON_EXTRACT({HERE}, '$')", one) == sql(f"JSON_EXTRACT({HERE}, '$')", other)
        return one == other


class KeyComparison(Lookup):
    """Base of comparisons of what is inside a document with a plain value."""

    takes_none: ClassVar[bool] = True

    @classmethod
    def build(
        cls, builder: Any, lhs: Term, value: Any, owner: Any, negated: bool, relation: Any, name: str
    ) -> Condition:
        """Return the condition; under NOT, documents without the key are left out as well (Django's rule)."""
        if is_expression(value):
            if issubclass(cls, lookups.Exact):
                lookups.check_one_row(value)
            rhs = operand(builder, lhs, value, owner, relation)
        elif builder.vendor == "mysql" and isinstance(value, (int, float)) and cls.lookup_name != "exact":
            rhs = Term(builder.params.bind(owner, value, sa.Float()), nullable=False, constant=True)
        else:
            rhs = Term(document(builder, owner, value, lhs.field), nullable=False, constant=True)
        guarded = negated and value is not None  # Django's rule
        return conclude(base_of(lhs), rhs, cls.element(builder, lhs, rhs, owner), guarded)


class KeyTransformExact(KeyComparison, lookups.Exact):
    """What is inside equals the value. None is JSON's null; a missing key is what `isnull` asks for."""


class KeyTransformLt(KeyComparison, lookups.LessThan):
    """What is inside is less than the value."""


class KeyTransformLte(KeyComparison, lookups.LessThanOrEqual):
    """What is inside is at most the value."""


class KeyTransformGt(KeyComparison, lookups.GreaterThan):
    """What is inside is more than the value."""


class KeyTransformGte(KeyComparison, lookups.GreaterThanOrEqual):
    """What is inside is at least the value."""


class KeyTransformIn(lookups.In):
    """What is inside equals one of the values."""

    @classmethod
    def build(
        cls, builder: Any, lhs: Term, value: Any, owner: Any, negated: bool, relation: Any, name: str
    ) -> Condition:
        """Return the condition."""
        if is_expression(value) or value is None:
            return super().build(builder, lhs, value, owner, negated, relation, name)
        items = [item for item in value if item is not None]
        if not items:
            return NOTHING
        if any(is_expression(item) for item in items):
            terms = [
                operand(builder, lhs, item, item, relation) if is_expression(item)
                else Term(document(builder, item, item, lhs.field), constant=True)
                for item in items
            ]  # fmt: skip
            return conclude(
                base_of(lhs), merge(None, None, terms), lhs.sa.in_([term.sa for term in terms]), negated
            )
        length = bucket(len(list(value)))
        length = len(items) if length < 0 else length
        bound = builder.params.bind_items(owner, list(value), lhs.field.sa_type, None, padded(length), length)
        forms = [document_form(builder, one) for one in bound]
        return conclude(base_of(lhs), None, lhs.sa.in_(forms), negated)


class KeyTransformRange(lookups.Range):
    """What is inside is between two values, both included."""

    @classmethod
    def build(
        cls, builder: Any, lhs: Term, value: Any, owner: Any, negated: bool, relation: Any, name: str
    ) -> Condition:
        """Return the condition; what can't be a range of plain values is as for other fields."""
        given: Any = value
        items: list[Any] = list(given) if isinstance(value, (list, tuple)) else []
        if len(items) != 2 or any(item is None or is_expression(item) for item in items):
            return super().build(builder, lhs, value, owner, negated, relation, name)
        as_number = builder.vendor == "mysql" and all(isinstance(item, (int, float)) for item in items)
        type_ = sa.Float() if as_number else lhs.field.sa_type
        bound = builder.params.bind_items(owner, items, type_, None, list, 2)
        forms = bound if as_number else [document_form(builder, one) for one in bound]
        return conclude(base_of(lhs), None, lhs.sa.between(*forms), negated)


def of_text(base: type[Lookup]) -> type[Lookup]:
    """Return a lookup of text for what is inside a document."""

    def build(
        cls: Any, builder: Any, lhs: Term, value: Any, owner: Any, negated: bool, relation: Any, name: str
    ) -> Condition:
        text = KeyTextTransform.of(builder, lhs)
        condition: Condition = base.build.__func__(  # type: ignore[attr-defined]
            cls, builder, text, value, owner, False, relation, name
        )
        return conclude(base_of(lhs), None, condition.sa, negated)

    name = f"KeyTransform{base.__name__}"
    return type(name, (base,), {"build": classmethod(build), "__doc__": f"{base.__doc__} Inside JSON."})


class HasKeyLookup(Lookup):
    """Base of has_key and its kin."""

    prepare_rhs = False
    postgres_operator: ClassVar[str]
    joined: ClassVar[Callable[..., Any]] = staticmethod(sa.and_)

    @classmethod
    def build(
        cls, builder: Any, lhs: Term, value: Any, owner: Any, negated: bool, relation: Any, name: str
    ) -> Condition:
        """Return the condition."""
        if value is None:
            raise ValueError(f"Cannot use None as a query value for the lookup {name!r}.")
        base, keys = keys_of(lhs)
        if is_expression(value):
            more = keys_of(builder.term(value))[1]
            if not more:
                raise TypeError(f"The lookup {name!r} takes texts and keys inside JSON, not {value!r}.")
            element = cls.with_key(
                builder, base, [*keys, *more[:-1]], sa.literal_column(_quoted(more[-1])), more[-1]
            )
        else:
            element = cls.condition(builder, lhs, base, keys, value, owner)
        return conclude(base, None, element, negated)

    @classmethod
    def condition(cls, builder: Any, lhs: Term, base: Term, keys: list[Any], value: Any, owner: Any) -> Any:
        """Return the condition for plain keys."""
        items = [value] if cls.lookup_name == "has_key" else list(value)
        if builder.vendor == "postgresql":
            if cls.lookup_name == "has_key":
                return cls.tested(lhs.sa, builder.params.bind(owner, value, sa.Text(), str))
            bound = builder.params.bind_whole(owner, items, sa.ARRAY(sa.Text()), _texts)
            return cls.tested(lhs.sa, bound)
        start = KeyTransform.path(builder, keys)

        def path(key: Any) -> str:
            return start + final_key(key)

        if cls.lookup_name == "has_key":
            return cls.present(builder, base, builder.params.bind(owner, value, sa.Text(), path))
        length = bucket(len(items))
        length = len(items) if length < 0 else length
        bound = builder.params.bind_items(owner, items, sa.Text(), path, padded(length), length)
        return cls.joined(*(cls.present(builder, base, one) for one in bound))

    @classmethod
    def with_key(cls, builder: Any, base: Term, keys: list[Any], literal: Any, key: Any) -> Any:
        """Return the condition for a key that is given as an expression: its path counts."""
        if builder.vendor == "postgresql":
            holder = KeyTransform.element(builder, base, keys) if keys else base.sa
            return HasKey.tested(holder, literal)
        path = KeyTransform.path(builder, keys) + final_key(key)
        return cls.present(builder, base, sa.literal_column(_quoted(path)))

    @classmethod
    def tested(cls, holder: Any, right: Any) -> Any:
        """Return PostgreSQL's operator."""
        return holder.op(cls.postgres_operator, is_comparison=True)(right)

    @classmethod
    def present(cls, builder: Any, base: Term, path: Any) -> Any:
        """Return whether there is something at a path, JSON's null included."""
        if builder.vendor == "mysql":
            return sa.func.JSON_CONTAINS_PATH(base.sa, sa.literal_column("'one'"), path) == 1
        return sa.func.JSON_TYPE(base.sa, path).is_not(None)


def _quoted(text: Any) -> str:
    return "'" + str(text).replace("'", "''") + "'"


def _texts(values: Any) -> list[str]:
    return [str(value) for value in values]


class HasKey(HasKeyLookup):
    """The document has a key."""

    lookup_name = "has_key"
    postgres_operator = "?"


class HasKeys(HasKeyLookup):
    """The document has all of the keys."""

    lookup_name = "has_keys"
    postgres_operator = "?&"


class HasAnyKeys(HasKeyLookup):
    """The document has one of the keys."""

    lookup_name = "has_any_keys"
    postgres_operator = "?|"
    joined = staticmethod(sa.or_)


class DataContains(Lookup):
    """The document contains another one. Not on SQLite."""

    lookup_name = "contains"

    @classmethod
    def build(
        cls, builder: Any, lhs: Term, value: Any, owner: Any, negated: bool, relation: Any, name: str
    ) -> Condition:
        """Return the condition."""
        if value is None:
            raise ValueError(f"Cannot use None as a query value for the lookup {name!r}.")
        if is_expression(value):
            rhs = operand(builder, lhs, value, owner, relation)
        else:
            rhs = Term(
                builder.params.bind(owner, value, lhs.field.sa_type, _with_null),
                constant=True,
                nullable=False,
            )
        if builder.vendor == "sqlite":
            if getattr(builder.driver, "checking", False):
                return conclude(lhs, rhs, lhs.sa == rhs.sa, negated)
            raise NotSupportedError(f"{cls.lookup_name} lookup is not supported on this database backend.")
        return conclude(base_of(lhs), rhs, cls.element(builder, lhs, rhs, owner), negated)

    @classmethod
    def element(cls, builder: Any, lhs: Term, rhs: Term, owner: Any) -> Any:
        """Return the condition."""
        if builder.vendor == "mysql":
            return sa.func.JSON_CONTAINS(lhs.sa, rhs.sa) == 1
        return lhs.sa.op("@>", is_comparison=True)(rhs.sa)


class ContainedBy(DataContains):
    """The document is contained in another one. Not on SQLite."""

    lookup_name = "contained_by"

    @classmethod
    def element(cls, builder: Any, lhs: Term, rhs: Term, owner: Any) -> Any:
        """Return the condition."""
        if builder.vendor == "mysql":
            return sa.func.JSON_CONTAINS(rhs.sa, lhs.sa) == 1
        return lhs.sa.op("<@", is_comparison=True)(rhs.sa)


for _lookup in (JSONExact, HasKey, HasKeys, HasAnyKeys, DataContains, ContainedBy):
    JSONField.provide_lookup(_lookup)

_key_lookups: tuple[type[Lookup], ...] = (
    KeyTransformExact, KeyTransformLt, KeyTransformLte, KeyTransformGt, KeyTransformGte, KeyTransformIn,
    KeyTransformRange,
    *map(of_text, (
        text_lookups.IExact, text_lookups.IContains, text_lookups.StartsWith, text_lookups.IStartsWith,
        text_lookups.EndsWith, text_lookups.IEndsWith, text_lookups.Regex, text_lookups.IRegex,
    )),
)  # fmt: skip
for _key_lookup in _key_lookups:
    KeyTransform.provide_lookup(_key_lookup)

JSONField.transform_for_key = KeyTransformFactory
