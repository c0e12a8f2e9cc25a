"""Lookups: what may stand after the last `__` of a keyword in filter().

A lookup is found through the field (`Field.register_lookup`), builds a condition
from the term on its left and the value on its right, and can stand alone as an
expression: `filter(GreaterThan(F("a"), F("b")))`.
Source: Django's documentation, ref/models/querysets, "Field lookups", and ref/models/lookups.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Sequence
from typing import Any, ClassVar

import sqlalchemy as sa
from sqlalchemy.sql.elements import ClauseElement

from ormolu.compile.conditions import NOTHING, Condition
from ormolu.compile.params import bucket, padded
from ormolu.compile.select import as_copy
from ormolu.compile.shape import width
from ormolu.compile.template import Template
from ormolu.compile.terms import Term, merge
from ormolu.compile.written import writes
from ormolu.exceptions import EmptyResultSet
from ormolu.fields import (
    BooleanField,
    CharField,
    Field,
    IntegerField,
    TextField,
)
from ormolu.fields.integers import integer_range
from ormolu.query.expressions import Expression, condition_term, expression_of
from ormolu.query.lookup_sql import LookupSQL, Sides
from ormolu.query.transforms import Resolved

SUBQUERIES: tuple[type[Any], ...] = (sa.ScalarSelect, sa.SelectBase)


class Lookup(LookupSQL, Expression):
    """Base of all lookups. Subclasses give `lookup_name` and `element()`."""

    lookup_name: ClassVar[str] = ""
    prepare_rhs: ClassVar[bool] = True
    takes_none: ClassVar[bool] = False
    is_transform: ClassVar[bool] = False
    conditional_field = BooleanField()
    # For comparisons of numbers: 0 equal, 1 greater, -1 less. None: not such a comparison.
    order: ClassVar[int | None] = None

    def __init__(self, lhs: Any, rhs: Any) -> None:
        super().__init__()
        self.lhs, self.rhs = lhs if hasattr(lhs, "as_term") else expression_of(lhs), rhs
        self.bilateral_transforms: list[Any] = []

    def get_source_expressions(self) -> list[Any]:
        """Return both sides."""
        return [self.lhs, self.rhs] if hasattr(self.rhs, "as_term") else [self.lhs]

    def set_source_expressions(self, exprs: Any) -> None:
        """Replace both sides, or the left one where the other is a plain value."""
        self.lhs, *others = exprs
        if others:
            (self.rhs,) = others

    def shape(self, shape: Any) -> Any:
        """Return the key."""
        return (self.__class__, shape.item(self.lhs), shape.literal(self, self.rhs))

    @property
    def _output_field_or_none(self) -> Any:
        return self.conditional_field

    def as_condition(self, builder: Any, negated: bool = False) -> Condition:
        """Return this lookup as a condition: by the field's own version of it, where there is one."""
        lhs = builder.term(self.lhs)
        if writes(type(self), builder.vendor):
            return self.copy().standing_alone(builder, lhs, negated)
        lookup = lhs.get_lookup(self.lookup_name) if lhs.field is not None else None
        if lookup is None or not issubclass(lookup, type(self)):
            lookup = type(self)
        return lookup.build(builder, lhs, self.rhs, self, False, None, self.lookup_name)

    def standing_alone(self, builder: Any, lhs: Term, negated: bool) -> Condition:
        """Return the condition of this lookup by a user's SQL."""
        sides = Sides(builder, lhs, self.rhs, self, None, self.prepare_rhs)
        self.lhs, self.rhs = Resolved.of(lhs), sides.rhs()
        return self.written_condition(sides, negated)

    def as_term(self, builder: Any) -> Term:
        """Return this lookup as a value."""
        return condition_term(self.as_condition(builder))

    @classmethod
    def build(
        cls, builder: Any, lhs: Term, value: Any, owner: Any, negated: bool, relation: Any, name: str
    ) -> Condition:
        """Return the condition `lhs <lookup> value`; under NOT it is made false where it would be NULL."""
        if value is None and not cls.takes_none:
            raise ValueError(f"Cannot use None as a query value for the lookup {name!r}; use isnull.")
        if value.__class__ is int and cls.order is not None:
            side = beyond(builder, lhs, value)
            if side:
                return far(lhs, side, cls.order, negated)
        rhs = cls.operand(builder, lhs, value, owner, relation)
        return conclude(lhs, rhs, cls.element(builder, lhs, rhs, owner), negated)

    @classmethod
    def operand(cls, builder: Any, lhs: Term, value: Any, owner: Any, relation: Any) -> Term:
        """Return the right-hand side as a term."""
        return operand(builder, lhs, value, owner, relation, prepare=cls.prepare_rhs)

    @classmethod
    def element(cls, builder: Any, lhs: Term, rhs: Term, owner: Any) -> Any:
        """Return the SQLAlchemy condition."""
        raise NotImplementedError(f"{cls.__name__} must define element()")


def conclude(lhs: Term, rhs: Term | None, element: Any, negated: bool) -> Condition:
    """Return the condition of an element that reads one or two terms."""
    return concluded([lhs] if rhs is None else [lhs, rhs], element, negated)


def concluded(parts: Sequence[Term], element: Any, negated: bool) -> Condition:
    """Return the condition of an element that reads `parts`, with what the compiler must know about it."""
    if negated:
        guards = [p.sa.is_not(None) for p in parts if p.nullable and not p.constant and not p.aggregate]
        if guards:
            element = sa.and_(element, *guards)
    return Condition(
        element,
        joins=frozenset[Any]().union(*(part.joins for part in parts)),
        rejects=frozenset[Any]().union(*(part.strict for part in parts)),
        aggregate=any(part.aggregate for part in parts),
        window=any(part.window for part in parts),
        # Read where the condition comes under HAVING, by itself or beside an aggregate in an OR.
        group=tuple(column for part in parts for column in part.group_columns()),
    )


def beyond(builder: Any, lhs: Term, value: Any) -> int:
    """Return 1 for an integer that is greater than any the column can hold, -1 for one that is less, else 0."""
    field: Any = lhs.field
    if not isinstance(field, IntegerField) or width(value) is int:
        return 0
    low, high = integer_range(lhs.field.get_internal_type(), builder.vendor)
    return 1 if value > high else -1 if value < low else 0


def far(lhs: Term, side: int, order: int, negated: bool) -> Condition:
    """Return a comparison with an integer that no row can hold: false, or true for all that is not NULL."""
    if order == 0 or order == side:
        return NOTHING
    return conclude(lhs, None, lhs.sa.is_not(None), negated)


def operand(builder: Any, lhs: Term, value: Any, owner: Any, relation: Any, *, prepare: bool = True) -> Term:
    """Return the term of a value that is compared with `lhs`."""
    if is_queryset(value):
        return scalar_query(builder, value, relation)
    if hasattr(value, "as_term") or isinstance(value, ClauseElement) or hasattr(value, "__clause_element__"):
        return builder.term(value)  # type: ignore[no-any-return]
    convert = converter(builder, lhs.field, value, relation) if prepare else None
    return Term(
        builder.params.bind(owner, value, lhs.type if prepare else None, convert),
        nullable=False,
        constant=True,
    )


def converter(builder: Any, field: Any, value: Any, relation: Any) -> Callable[[Any], Any] | None:
    """Return what prepares values of this one's class for a field."""
    if hasattr(value, "_meta"):
        take = instance_key(field, relation)
        prepare_key = users_conversion(builder, field)
        return take if prepare_key is None else lambda instance: prepare_key(take(instance))
    if field is None:
        return None
    choose = getattr(field, "prep_for", None)
    if choose is None:
        return field.get_prep_value  # type: ignore[no-any-return]
    prepare: Callable[[Any], Any] | None = choose(value.__class__, builder.connection)
    if value.__class__ is int and getattr(prepare, "__func__", None) is IntegerField._fit:
        return None  # that it fits is part of the plan's key
    return prepare


def users_conversion(builder: Any, field: Any) -> Callable[[Any], Any] | None:
    """Return the conversion of a field whose class converts in a way of its own, None for our classes."""
    while getattr(field, "is_relation", False):
        field = field.target_field
    own: bool = getattr(field, "_user_prepares", False)
    return field.prep_for(object, builder.connection) if own else None


def instance_key(field: Any, relation: Any) -> Callable[[Any], Any]:
    """Return what takes the compared key from a model instance."""
    if relation is None and isinstance(field, (CharField, TextField)):
        return str  # a text is compared with its text, as Django does
    name = field.attname if field is not None and relation is not None else None

    def key(instance: Any) -> Any:
        meta = instance._meta
        attname = (
            name if name is not None and hasattr(instance, name) and _has(meta, name) else meta.pk.attname
        )
        found = getattr(instance, attname)
        while hasattr(found, "_meta"):
            found = found.pk
        if found is None:
            raise ValueError(
                f"Model instances passed to related filters must be saved: this {meta.object_name} has no {attname}."
            )
        return found

    return key


def _has(meta: Any, attname: str) -> bool:
    return any(field.attname == attname for field in meta.concrete_fields)


def scalar_query(builder: Any, queryset: Any, relation: Any) -> Term:
    """Return a queryset as a single value."""
    check_same_database(builder, queryset)
    select, terms, outer = builder.subquery(queryset.query, relation=relation)
    if len(terms) != 1:
        raise ValueError(
            f"The QuerySet value for the exact lookup must have 1 selected fields (received {len(terms)})"
        )
    return Term(select.scalar_subquery(), terms[0].field, joins=outer, constant=True)


def check_one_row(value: Any) -> None:
    """Refuse to compare for equality with a queryset that may have several rows: `__in` was meant."""
    if is_queryset(value) and (value.query.limit is None or value.query.limit[1] != 1):
        raise ValueError(
            "The QuerySet value for an exact lookup must be limited to one result using slicing."
        )


def is_queryset(value: Any) -> bool:
    """Tell whether a value is a queryset."""
    return hasattr(value, "query") and hasattr(value, "model")


def check_same_database(builder: Any, queryset: Any) -> None:
    """Refuse a queryset that was sent to another database with `using()`."""
    alias = builder.alias
    if queryset._db is not None and alias is not None and queryset._db != alias:
        raise ValueError(
            "Subqueries aren't allowed across different databases. Force the inner query to be evaluated using "
            "`list(inner_query)`."
        )


class Exact(Lookup):
    """Equality; None means IS NULL."""

    lookup_name = "exact"
    order = 0
    takes_none = True

    @classmethod
    def build(
        cls, builder: Any, lhs: Term, value: Any, owner: Any, negated: bool, relation: Any, name: str
    ) -> Condition:
        """Return `lhs = value`."""
        if value is None:
            return IsNull.build(builder, lhs, True, owner, negated, relation, "isnull")
        check_one_row(value)
        return super().build(builder, lhs, value, owner, negated, relation, name)

    @classmethod
    def element(cls, builder: Any, lhs: Term, rhs: Term, owner: Any) -> Any:
        """Return equality."""
        return lhs.sa == rhs.sa


class IsNull(Lookup):
    """IS NULL for True, IS NOT NULL for False."""

    lookup_name = "isnull"
    prepare_rhs = False

    @classmethod
    def build(
        cls, builder: Any, lhs: Term, value: Any, owner: Any, negated: bool, relation: Any, name: str
    ) -> Condition:
        """Return the test."""
        if not isinstance(value, bool):
            raise ValueError("The QuerySet value for an isnull lookup must be True or False.")
        condition = conclude(lhs, None, lhs.sa.is_(None) if value else lhs.sa.is_not(None), False)
        condition.rejects, condition.rejects_false = (
            (frozenset(), lhs.strict) if value else (lhs.strict, frozenset())
        )
        condition.null_is_true = value
        return condition


class GreaterThan(Lookup):
    """lhs > rhs."""

    lookup_name = "gt"
    order = 1

    @classmethod
    def element(cls, builder: Any, lhs: Term, rhs: Term, owner: Any) -> Any:
        """Return the comparison."""
        return lhs.sa > rhs.sa


class GreaterThanOrEqual(Lookup):
    """lhs >= rhs."""

    lookup_name = "gte"
    order = 1

    @classmethod
    def element(cls, builder: Any, lhs: Term, rhs: Term, owner: Any) -> Any:
        """Return the comparison."""
        return lhs.sa >= rhs.sa


class LessThan(Lookup):
    """lhs < rhs."""

    lookup_name = "lt"
    order = -1

    @classmethod
    def element(cls, builder: Any, lhs: Term, rhs: Term, owner: Any) -> Any:
        """Return the comparison."""
        return lhs.sa < rhs.sa


class LessThanOrEqual(Lookup):
    """lhs <= rhs."""

    lookup_name = "lte"
    order = -1

    @classmethod
    def element(cls, builder: Any, lhs: Term, rhs: Term, owner: Any) -> Any:
        """Return the comparison."""
        return lhs.sa <= rhs.sa


class In(Lookup):
    """Membership in a list, or in the rows of a queryset."""

    lookup_name = "in"

    @classmethod
    def build(
        cls, builder: Any, lhs: Term, value: Any, owner: Any, negated: bool, relation: Any, name: str
    ) -> Condition:
        """Return the condition; an empty list matches nothing."""
        if value is None:
            raise ValueError("Cannot use None as a query value for the lookup 'in'.")
        if is_queryset(value):
            check_same_database(builder, value)
            return cls.in_query(builder, lhs, value.query, negated, relation)
        if isinstance(value, ClauseElement):
            return conclude(lhs, None, lhs.sa.in_(value), negated)
        rows = getattr(value, "selected_rows", None)
        if rows is not None and not writes(type(value), builder.vendor):
            return cls.in_query(builder, lhs, rows, negated, relation)
        if hasattr(value, "as_term"):
            rhs = builder.term(value)
            among: Any = rhs.sa
            if isinstance(among, Template) and among.name == "raw":
                # It has parentheses. With more of them a SELECT is one value on SQLite.
                return conclude(lhs, None, lhs.sa.bool_op("IN")(among), negated)
            if not isinstance(among, SUBQUERIES):
                among = [among]
            return conclude(lhs, rhs, lhs.sa.in_(among), negated)
        items = list(value)
        if any(hasattr(item, "as_term") or hasattr(item, "query") for item in items):
            terms = [operand(builder, lhs, item, item, relation) for item in items if item is not None]
            return conclude(lhs, merge(None, None, terms), lhs.sa.in_([term.sa for term in terms]), negated)
        kept = [item for item in items if item is not None]
        if not kept:
            return NOTHING
        if any(value.__class__ is int and beyond(builder, lhs, value) for value in kept):
            fits = [value for value in kept if value.__class__ is not int or not beyond(builder, lhs, value)]
            if not fits:
                return NOTHING
            use_once(builder)
            items = kept = fits
            owner = fits
        length = bucket(len(kept))
        if length < 0 and not cls.takes_whole(builder, lhs):
            use_once(builder)
            length = len(kept)
        if length < 0:
            return conclude(lhs, None, cls.many(builder, lhs, items, owner, relation), negated)
        convert = items_converter(builder, lhs.field, kept, relation)
        fill = padded(length)
        bound = builder.params.bind_items(owner, items, lhs.type, convert, fill, length)
        return conclude(lhs, None, lhs.sa.in_(bound), negated)

    @classmethod
    def in_query(cls, builder: Any, lhs: Term, query: Any, negated: bool, relation: Any) -> Condition:
        """Return membership in a subquery."""
        try:
            select, terms, outer = builder.subquery(query, relation=relation)
        except EmptyResultSet:
            return NOTHING
        if len(terms) != 1:
            raise ValueError(
                f"The QuerySet value for an 'in' lookup must have 1 selected field (received {len(terms)})"
            )
        if builder.vendor == "mysql" and query.is_sliced:  # it takes no LIMIT here, but one level down
            select = as_copy(select)
        condition = conclude(lhs, None, lhs.sa.in_(select), negated)
        condition.joins |= outer
        return condition

    @classmethod
    def takes_whole(cls, builder: Any, lhs: Term) -> bool:
        """Tell whether a long list goes as one value: MySQL compares numbers of a JSON text fast, but not texts."""
        return builder.vendor != "mysql" or isinstance(lhs.type, sa.Integer)

    @classmethod
    def many(cls, builder: Any, lhs: Term, items: list[Any], owner: Any, relation: Any) -> Any:
        """Return membership in a list that is too long for one parameter each."""
        convert = items_converter(builder, lhs.field, items, relation)
        type_ = lhs.type
        process = type_.dialect_impl(builder.driver.dialect).bind_processor(builder.driver.dialect)

        def prepare(values: Any) -> list[Any]:
            found = [value for value in values if value is not None]
            return found if convert is None else list(map(convert, found))

        if builder.vendor == "postgresql":
            bound = builder.params.bind_whole(owner, items, sa.ARRAY(type_), prepare)
            return lhs.sa == sa.any_(bound)

        def as_json(values: Any) -> str:
            found = prepare(values)
            return json.dumps([process(value) for value in found] if process is not None else found)

        bound = builder.params.bind_whole(owner, items, sa.Text(), as_json)
        if builder.vendor == "sqlite":
            rows = sa.func.json_each(bound).table_valued("value")
            return lhs.sa.in_(sa.select(rows.c.value))
        rows = sa.func.json_table(bound, sa.text("'$[*]' COLUMNS (value BIGINT PATH '$')")).table_valued(
            "value"
        )
        return lhs.sa.in_(sa.select(rows.c.value))


def use_once(builder: Any) -> None:
    """Say that the plan in the making holds values of this query, and must not be kept."""
    builder.params.single_use = True


def items_converter(builder: Any, field: Any, items: list[Any], relation: Any) -> Callable[[Any], Any] | None:
    """Return what prepares each item of a list, of which the plan's key has the classes; None where nothing need."""
    some = list({item.__class__: item for item in items if item is not None}.values())
    if len(some) == 1:
        return converter(builder, field, some[0], relation)
    return mixed(builder, field, relation)


def mixed(builder: Any, field: Any, relation: Any) -> Callable[[Any], Any]:
    """Return what prepares values of any class for a field."""
    key = instance_key(field, relation)
    prepare = None if field is None else users_conversion(builder, field) or field.get_prep_value

    def convert(value: Any) -> Any:
        if hasattr(value, "_meta"):
            value = key(value)
        return value if prepare is None else prepare(value)

    convert.field = field  # type: ignore[attr-defined]  # for errors to name
    return convert


class Range(Lookup):
    """BETWEEN two values, both included."""

    lookup_name = "range"

    @classmethod
    def build(
        cls, builder: Any, lhs: Term, value: Any, owner: Any, negated: bool, relation: Any, name: str
    ) -> Condition:
        """Return the condition."""
        try:
            items = list(value)
        except TypeError:
            items = []
        if len(items) != 2:
            raise ValueError(f"The lookup 'range' takes two values, not {value!r}.")
        if any(item is None for item in items):
            raise ValueError("Cannot use None as a query value for the lookup 'range'.")
        if any(hasattr(item, "as_term") or hasattr(item, "query") for item in items):
            low, high = (operand(builder, lhs, item, item, relation) for item in items)
            return conclude(
                lhs, merge(None, None, [low, high], strict=True), lhs.sa.between(low.sa, high.sa), negated
            )
        sides = [beyond(builder, lhs, item) if item.__class__ is int else 0 for item in items]
        if sides[0] > 0 or sides[1] < 0:
            return NOTHING
        if any(sides):
            use_once(builder)
            limits = integer_range(lhs.field.get_internal_type(), builder.vendor)
            items = owner = [limit if side else item for item, side, limit in zip(items, sides, limits)]
        convert = mixed(builder, lhs.field, relation)
        bound = builder.params.bind_items(owner, items, lhs.type, convert, list, 2)
        return conclude(lhs, None, lhs.sa.between(*bound), negated)


for _lookup in (Exact, GreaterThan, GreaterThanOrEqual, LessThan, LessThanOrEqual, In, Range, IsNull):
    Field.provide_lookup(_lookup)


class IntegerRounding(Lookup):
    """Comparison of an integer with a fraction: `age__gte=2.5` means `age >= 3`."""

    @classmethod
    def operand(cls, builder: Any, lhs: Term, value: Any, owner: Any, relation: Any) -> Term:
        """Return the value, rounded up where it is a float."""
        if value.__class__ is float:
            return Term(builder.params.bind(owner, value, lhs.type, math.ceil), nullable=False, constant=True)
        return super().operand(builder, lhs, value, owner, relation)


class IntegerGreaterThanOrEqual(IntegerRounding, GreaterThanOrEqual):
    """gte for integers."""


class IntegerLessThan(IntegerRounding, LessThan):
    """lt for integers."""


IntegerField.provide_lookup(IntegerGreaterThanOrEqual)
IntegerField.provide_lookup(IntegerLessThan)


def default_lookup(name: str) -> Any:
    """Return the lookup for a value whose field is not known."""
    return Field.get_lookups().get(name) if hasattr(Field, "get_lookups") else None
