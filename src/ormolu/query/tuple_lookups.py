"""Lookups of keys of several columns: tuples against tuples, column by column.

Source: Django's documentation, topics/composite-primary-key. In the order of tuples the first column decides, then the
next. A tuple with a None in it equals nothing.
"""

from __future__ import annotations

import json
import operator
from collections.abc import Callable, Sequence
from typing import Any, ClassVar, cast

import sqlalchemy as sa
from sqlalchemy.sql.elements import ClauseElement

from ormolu.compile.conditions import NOTHING, Condition
from ormolu.compile.params import bucket
from ormolu.compile.select import as_copy
from ormolu.compile.terms import Term
from ormolu.compile.tuples import TupleTerm, among
from ormolu.exceptions import EmptyResultSet
from ormolu.fields.composite import TupleField
from ormolu.query.expressions import Expression, expression_of
from ormolu.query.lookups import Lookup, beyond, check_same_database, concluded, mixed, operand, use_once

__all__ = [
    "Tuple",
    "TupleExact",
    "TupleGreaterThan",
    "TupleGreaterThanOrEqual",
    "TupleIn",
    "TupleIsNull",
    "TupleLessThan",
    "TupleLessThanOrEqual",
]

_SEQUENCES: tuple[type[Any], ...] = (list, tuple)
Compare = Callable[[Any, Any], Any]


class Tuple(Expression):
    """Several expressions as one: the left-hand side of a tuple lookup that stands by itself."""

    def __init__(self, *expressions: Any) -> None:
        super().__init__()
        self.expressions = [expression_of(expression) for expression in expressions]

    def get_source_expressions(self) -> list[Any]:
        """Return the expressions."""
        return self.expressions

    def set_source_expressions(self, exprs: Any) -> None:
        """Replace the expressions."""
        self.expressions = list(exprs)

    @property
    def label(self) -> str:
        """What errors call it."""
        return repr(tuple(getattr(expression, "name", expression) for expression in self.expressions))

    def as_term(self, builder: Any) -> Term:
        """Return the terms, as one."""
        parts = [cast(Term, builder.term(expression)) for expression in self.expressions]
        return TupleTerm(parts, TupleField.of(self.label, None, [part.field for part in parts]))


class TupleLookup(Lookup):
    """Base of lookups whose left-hand side is a tuple: a term of several columns, or a tuple of expressions."""

    def __init__(self, lhs: Any, rhs: Any) -> None:
        super().__init__(Tuple(*lhs) if isinstance(lhs, _SEQUENCES) else lhs, rhs)
        if isinstance(self.lhs, Tuple):
            self.check(rhs, Sides(self.lookup_name, self.lhs.label, len(self.lhs.expressions), None))

    @classmethod
    def check(cls, value: Any, sides: Sides) -> None:
        """Raise ValueError for a right-hand side that can't be compared."""

    @classmethod
    def build(
        cls, builder: Any, lhs: Term, value: Any, owner: Any, negated: bool, relation: Any, name: str
    ) -> Condition:
        """Return the condition; under NOT it is made false where it would be NULL."""
        if not isinstance(lhs, TupleTerm):
            raise ValueError(f"{cls.__name__} compares tuples only.")
        sides = Sides(name, lhs.field.name, len(lhs.parts), relation)
        return cls.compared(builder, lhs, value, owner, negated, sides)

    @classmethod
    def compared(
        cls, builder: Any, lhs: TupleTerm, value: Any, owner: Any, negated: bool, sides: Sides
    ) -> Condition:
        """Return the condition."""
        raise TypeError(f"{cls.__name__} must define compared()")


class Sides:
    """What errors say of a lookup, and how its values are read."""

    def __init__(self, lookup: str, name: str, size: int, relation: Any) -> None:
        self.lookup, self.name, self.size, self.relation = lookup, name, size, relation

    def error(self, what: str, value: Any) -> ValueError:
        """Return the error for a value."""
        return ValueError(f"'{self.lookup}' lookup of '{self.name}' {what}. It is {value!r}.")

    def row(self, value: Any, fields: Sequence[Any], each: bool = False) -> list[Any]:
        """Return the values of a tuple, or of an object that a relation is compared with."""
        if hasattr(value, "_meta"):
            return self.key(value, fields)
        if not isinstance(value, _SEQUENCES):
            if self.relation is not None:
                value = (value,)
            elif each:
                raise self.error("must be a collection of tuples or lists", value)
            else:
                raise self.error("must be a tuple or a list", value)
        if len(value) != self.size:
            raise self.error(f"must have {self.size} elements{' each' if each else ''}", value)
        return list(value)

    def key(self, instance: Any, fields: Sequence[Any]) -> list[Any]:
        """Return the values by which an object is referred to."""
        if self.relation is None:
            raise self.error("must be a tuple or a list", instance)
        if not instance._is_pk_set():
            raise ValueError(
                f"Model instances passed to related filters must be saved: this {instance._meta.object_name} has no "
                "primary key."
            )
        return [getattr(instance, field.attname) for field in fields]

    def may_lack(self, value: Any, fields: Sequence[Any]) -> bool:
        """Tell whether an object's key may have a None in it, which its class alone doesn't tell."""
        return hasattr(value, "_meta") and any(field.null for field in fields)


def is_query(value: Any) -> bool:
    """Tell whether a value is a queryset, its query, or a Subquery of one."""
    return hasattr(value, "query") and (hasattr(value, "model") or hasattr(value, "queryset"))


def is_expression(value: Any) -> bool:
    """Tell whether a value is an expression."""
    return (
        hasattr(value, "as_term") or isinstance(value, ClauseElement) or hasattr(value, "__clause_element__")
    )


def selected(builder: Any, value: Any, sides: Sides) -> tuple[Any, Any]:
    """Return the Select of a queryset that has as many columns as the tuple, and the joins of ours that it reads."""
    if hasattr(value, "_db"):
        check_same_database(builder, value)
    select, terms, outer = builder.subquery(value.query, relation=sides.relation)
    if len(terms) != sides.size:
        raise ValueError(
            f"The QuerySet value for the '{sides.lookup}' lookup must have {sides.size} selected fields "
            f"(received {len(terms)})"
        )
    if builder.vendor == "mysql" and value.query.is_sliced:
        select = as_copy(select)
    return select, outer


def whole(lhs: TupleTerm) -> Any:
    """Return a tuple as SQL's row value."""
    return sa.tuple_(*(part.sa for part in lhs.parts))


class Comparison(TupleLookup):
    """Base of comparisons with one other tuple. Subclasses give `element()`."""

    takes_queries: ClassVar[bool] = False

    @classmethod
    def check(cls, value: Any, sides: Sides) -> None:
        """Raise ValueError for anything but a tuple of the same length, or what may give one."""
        if not is_query(value) and not is_expression(value):
            sides.row(value, ())

    @classmethod
    def compared(
        cls, builder: Any, lhs: TupleTerm, value: Any, owner: Any, negated: bool, sides: Sides
    ) -> Condition:
        """Return the condition."""
        if is_query(value):
            return cls.with_query(builder, lhs, value, negated, sides)
        if is_expression(value):
            others = cls.with_expression(builder, lhs, value, sides)
        else:
            items = sides.row(value, lhs.field.fields)
            if sides.may_lack(value, lhs.field.fields):
                use_once(builder)
            if any(item is None for item in items):
                return NOTHING
            for place, (part, item) in enumerate(zip(lhs.parts, items, strict=True)):
                if out_of_range(builder, part, item):
                    use_once(builder)
                    return cls.beyond(builder, lhs, items, place, negated)
            others = cls.with_values(builder, lhs, value, items, owner, sides)
        mine, theirs = [part.sa for part in lhs.parts], [part.sa for part in others]
        return concluded([*lhs.parts, *others], cls.rows(builder, mine, theirs), negated)

    @classmethod
    def rows(cls, builder: Any, mine: list[Any], theirs: list[Any]) -> Any:
        """Return the comparison of elements."""
        raise TypeError(f"{cls.__name__} must define rows()")

    @classmethod
    def beyond(cls, builder: Any, lhs: TupleTerm, items: list[Any], place: int, negated: bool) -> Condition:
        """Return the comparison with a tuple whose item at `place` is an integer that the column can't hold."""
        return NOTHING

    @classmethod
    def with_query(cls, builder: Any, lhs: TupleTerm, value: Any, negated: bool, sides: Sides) -> Condition:
        """Return the comparison with the one row of a queryset."""
        if not cls.takes_queries:
            raise ValueError(f"'{sides.lookup}' doesn't support multi-column subqueries.")
        if value.query.limit is None or value.query.limit[1] != 1:
            raise ValueError(
                f"The QuerySet value for the {sides.lookup} lookup must be limited to one result using slicing."
            )
        try:
            select, outer = selected(builder, value, sides)
        except EmptyResultSet:
            return NOTHING
        condition = concluded(lhs.parts, whole(lhs) == select.scalar_subquery(), negated)
        condition.joins |= outer
        return condition

    @classmethod
    def with_expression(cls, builder: Any, lhs: TupleTerm, value: Any, sides: Sides) -> Sequence[Term]:
        """Return the parts of a reference to another key."""
        if not hasattr(value, "name"):
            raise ValueError(
                f"'{sides.lookup}' subquery lookup of '{sides.name}' only supports OuterRef and QuerySet objects "
                f"(received '{type(value).__name__}')"
            )
        term = builder.term(value)
        if not isinstance(term, TupleTerm) or len(term.parts) != sides.size:
            raise ValueError(
                f"Composite field lookups only work with composite expressions: '{sides.name}' has {sides.size} "
                f"columns, and {value!r} is none of that kind."
            )
        return term.parts

    @classmethod
    def with_values(
        cls, builder: Any, lhs: TupleTerm, value: Any, items: list[Any], owner: Any, sides: Sides
    ) -> Sequence[Term]:
        """Return the values of a tuple or an object as terms."""
        fields = lhs.field.fields
        if any(is_expression(item) or is_query(item) for item in items):
            return [
                operand(builder, part, item, item, None) for part, item in zip(lhs.parts, items, strict=True)
            ]
        bound = bind(builder, lhs, value, owner, lambda given: sides.row(given, fields), 1)
        return [Term(element, None, nullable=False, constant=True) for element in bound]


def out_of_range(builder: Any, part: Term, item: Any) -> bool:
    """Tell whether a value is an integer that a column can't hold."""
    return item.__class__ is int and beyond(builder, part, item) != 0


def bind(
    builder: Any, lhs: TupleTerm, value: Any, owner: Any, prepare: Callable[[Any], list[Any]], rows: int
) -> list[Any]:
    """Return bind parameters for some rows of values; `prepare` gives the values of all of them in one list."""
    columns = [(part.type, mixed(builder, part.field, None)) for part in lhs.parts]
    return builder.params.bind_rows(owner, value, columns, prepare, rows)  # type: ignore[no-any-return]


class TupleExact(Comparison):
    """Equality; None means that a column IS NULL."""

    lookup_name = "exact"
    takes_none = True
    takes_queries = True

    @classmethod
    def compared(
        cls, builder: Any, lhs: TupleTerm, value: Any, owner: Any, negated: bool, sides: Sides
    ) -> Condition:
        """Return `a = x AND b = y`."""
        if value is None:
            return TupleIsNull.compared(builder, lhs, True, owner, negated, sides)
        return super().compared(builder, lhs, value, owner, negated, sides)

    @classmethod
    def rows(cls, builder: Any, mine: list[Any], theirs: list[Any]) -> Any:
        """Return the equality of all parts."""
        return sa.and_(*(one == other for one, other in zip(mine, theirs, strict=True)))


class Ordered(Comparison):
    """Base of comparisons by the order of tuples: of the first column where they differ."""

    strictly: ClassVar[Compare]
    loosely: ClassVar[Compare]
    inclusive: ClassVar[bool] = False
    upwards: ClassVar[bool] = True

    @classmethod
    def rows(cls, builder: Any, mine: list[Any], theirs: list[Any]) -> Any:
        """Return the comparison."""
        return cls.ordered(builder, mine, theirs, cls.inclusive)

    @classmethod
    def ordered(cls, builder: Any, mine: list[Any], theirs: list[Any], inclusive: bool) -> Any:
        """Return the comparison: of rows, or column by column for MySQL, which finds no index for rows."""
        strictly, last = cls.strictly, cls.loosely if inclusive else cls.strictly
        if builder.vendor != "mysql" and len(mine) > 1:
            return last(sa.tuple_(*mine), sa.tuple_(*theirs))
        found = last(mine[-1], theirs[-1])
        for one, other in zip(mine[-2::-1], theirs[-2::-1], strict=True):
            found = sa.or_(strictly(one, other), sa.and_(one == other, found))
        return found

    @classmethod
    def beyond(cls, builder: Any, lhs: TupleTerm, items: list[Any], place: int, negated: bool) -> Condition:
        """Return the comparison of the columns before: that of the one at `place` is the same for all its values."""
        passes = (beyond(builder, lhs.parts[place], items[place]) < 0) is cls.upwards
        if place == 0:
            there = sa.and_(*(part.sa.is_not(None) for part in lhs.parts))
            return concluded(lhs.parts, there, negated) if passes else NOTHING
        parts = lhs.parts[:place]
        theirs = [operand(builder, part, item, items, None).sa for part, item in zip(parts, items)]
        return concluded(
            lhs.parts, cls.ordered(builder, [part.sa for part in parts], theirs, passes), negated
        )


class TupleGreaterThan(Ordered):
    """lhs > rhs."""

    lookup_name = "gt"
    strictly, loosely = operator.gt, operator.ge


class TupleGreaterThanOrEqual(TupleGreaterThan):
    """lhs >= rhs."""

    lookup_name = "gte"
    inclusive = True


class TupleLessThan(Ordered):
    """lhs < rhs."""

    lookup_name = "lt"
    strictly, loosely = operator.lt, operator.le
    upwards = False


class TupleLessThanOrEqual(TupleLessThan):
    """lhs <= rhs."""

    lookup_name = "lte"
    inclusive = True


class TupleIsNull(TupleLookup):
    """True: a column IS NULL. False: none is."""

    lookup_name = "isnull"
    prepare_rhs = False

    @classmethod
    def compared(
        cls, builder: Any, lhs: TupleTerm, value: Any, owner: Any, negated: bool, sides: Sides
    ) -> Condition:
        """Return the test."""
        if is_query(value):
            raise ValueError(f"'{sides.lookup}' doesn't support multi-column subqueries.")
        if not isinstance(value, bool):
            raise ValueError("The QuerySet value for an isnull lookup must be True or False.")
        tests = [part.sa.is_(None) if value else part.sa.is_not(None) for part in lhs.parts]
        condition = concluded(lhs.parts, (sa.or_ if value else sa.and_)(*tests), False)
        condition.rejects, condition.rejects_false = (
            (frozenset(), lhs.strict) if value else (lhs.strict, frozenset())
        )
        condition.null_is_true = value
        return condition


class TupleIn(TupleLookup):
    """Membership in a list of tuples, or in the rows of a queryset."""

    lookup_name = "in"

    @classmethod
    def check(cls, value: Any, sides: Sides) -> None:
        """Raise ValueError for anything but tuples of the same length, or a queryset with as many columns."""
        if is_query(value):
            names = value.query.values_fields
            if names is not None and "pk" not in names and len(names) != sides.size:
                raise ValueError(
                    f"The QuerySet value for the 'in' lookup must have {sides.size} selected fields "
                    f"(received {len(names)})"
                )
        elif is_expression(value):
            raise ValueError(
                f"'in' subquery lookup of {sides.name} must be a Query object (received '{type(value).__name__}')"
            )
        else:
            for item in listed(value, sides):
                sides.row(item, (), True)

    @classmethod
    def compared(
        cls, builder: Any, lhs: TupleTerm, value: Any, owner: Any, negated: bool, sides: Sides
    ) -> Condition:
        """Return the condition; an empty list matches nothing."""
        if is_query(value):
            try:
                select, outer = selected(builder, value, sides)
            except EmptyResultSet:
                return NOTHING
            condition = concluded(lhs.parts, whole(lhs).in_(select), negated)
            condition.joins |= outer
            return condition
        cls.check(value, sides) if is_expression(value) else None
        return cls.with_rows(builder, lhs, value, owner, negated, sides)

    @classmethod
    def with_rows(
        cls, builder: Any, lhs: TupleTerm, value: Any, owner: Any, negated: bool, sides: Sides
    ) -> Condition:
        """Return membership in a list."""
        fields = lhs.field.fields
        items = listed(value, sides)
        rows = [sides.row(item, fields, True) for item in items]
        if any(is_expression(part) or is_query(part) for row in rows for part in row):
            return cls.with_expressions(builder, lhs, rows, negated)
        if any(sides.may_lack(item, fields) for item in items):
            use_once(builder)
        kept = [row for row in rows if None not in row]
        fits = [row for row in kept if not any(map(out_of_range, [builder] * len(row), lhs.parts, row))]
        if len(fits) < len(kept):
            use_once(builder)
            value = owner = kept = fits
        if not kept:
            return NOTHING
        length = bucket(len(kept))
        if length < 0 and builder.vendor != "mysql":
            return concluded(lhs.parts, cls.many(builder, lhs, value, owner, sides), negated)
        if length < 0:
            use_once(builder)
            length = len(kept)
        bound = bind(builder, lhs, value, owner, flattened(sides, fields, length), length)
        size = len(lhs.parts)
        given = [bound[start : start + size] for start in range(0, len(bound), size)]
        return concluded(lhs.parts, among(builder.vendor, [part.sa for part in lhs.parts], given), negated)

    @classmethod
    def with_expressions(
        cls, builder: Any, lhs: TupleTerm, rows: list[list[Any]], negated: bool
    ) -> Condition:
        """Return membership in a list of tuples some of which hold expressions."""
        use_once(builder)
        found: list[list[Term]] = []
        for row in rows:
            if not any(item is None for item in row):
                pairs = zip(lhs.parts, row, strict=True)
                found.append([operand(builder, part, item, item, None) for part, item in pairs])
        if not found:
            return NOTHING
        given = [[term.sa for term in row] for row in found]
        element = among(builder.vendor, [part.sa for part in lhs.parts], given)
        return concluded([*lhs.parts, *(term for row in found for term in row)], element, negated)

    @classmethod
    def many(cls, builder: Any, lhs: TupleTerm, value: Any, owner: Any, sides: Sides) -> Any:
        """Return membership in a list that is too long for one parameter each: an array for each column, or JSON."""
        fields = lhs.field.fields
        converts = [mixed(builder, part.field, None) for part in lhs.parts]
        dialect = builder.driver.dialect

        def column(place: int) -> Callable[[Any], list[Any]]:
            def values(given: Any) -> list[Any]:
                return [converts[place](row[place]) for row in whole_rows(given, sides, fields)]

            return values

        if builder.vendor == "postgresql":
            arrays = [
                builder.params.bind_whole(owner, value, sa.ARRAY(part.type), column(place))
                for place, part in enumerate(lhs.parts)
            ]
            names = [f"c{place}" for place in range(len(arrays))]
            table = sa.func.unnest(*arrays).table_valued(*names).render_derived()
            return whole(lhs).in_(sa.select(*(table.c[name] for name in names)))
        processes = [part.type.dialect_impl(dialect).bind_processor(dialect) for part in lhs.parts]

        def as_json(given: Any) -> str:
            ready = zip(*(column(place)(given) for place in range(len(converts))), strict=True)
            return json.dumps(
                [
                    [item if process is None else process(item) for process, item in zip(processes, row)]
                    for row in ready
                ]
            )

        rows = sa.func.json_each(builder.params.bind_whole(owner, value, sa.Text(), as_json)).table_valued(
            "value"
        )
        items = [
            sa.func.json_extract(rows.c.value, sa.literal_column(f"'$[{place}]'"))
            for place in range(len(converts))
        ]
        return whole(lhs).in_(sa.select(*items))


def listed(value: Any, sides: Sides) -> list[Any]:
    """Return the items of a list of tuples or objects."""
    if isinstance(value, (str, bytes, dict)) or not hasattr(value, "__iter__"):
        raise sides.error("must be a tuple or a list", value)
    return list(value)


def whole_rows(value: Any, sides: Sides, fields: Sequence[Any]) -> list[list[Any]]:
    """Return the rows of a list that have no None in them."""
    rows = [sides.row(item, fields, True) for item in value]
    return [row for row in rows if None not in row]


def flattened(sides: Sides, fields: Sequence[Any], length: int) -> Callable[[Any], list[Any]]:
    """Return a function that gives the values of a list's rows in a row, the last one repeated up to `length`."""

    def fill(value: Any) -> list[Any]:
        rows = whole_rows(value, sides, fields)
        rows.extend([rows[-1]] * (length - len(rows)))
        return [item for row in rows for item in row]

    return fill


for _lookup in (
    TupleExact, TupleGreaterThan, TupleGreaterThanOrEqual, TupleLessThan, TupleLessThanOrEqual, TupleIn, TupleIsNull,
):  # fmt: skip
    TupleField.provide_lookup(_lookup)
