"""UPDATE and DELETE of the rows that a query finds."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from ormolu.compile.builder import Builder
from ormolu.compile.conditions import combine
from ormolu.compile.params import Params
from ormolu.compile.plan import Plan, empty_plan, finish
from ormolu.compile.select import Parts, as_copy
from ormolu.compile.statements import build, selected
from ormolu.compile.tuples import TupleTerm, flat
from ormolu.exceptions import FieldError, NotSupportedError, OutOfRange, ValidationError
from ormolu.fields.integers import out_of_range, storable
from ormolu.fields.locating import locate


class Assignments:
    """The keywords of update(): pairs of field and value."""

    def __init__(self, pairs: list[tuple[Any, Any]]) -> None:
        self.pairs = [Assignment(field, value) for field, value in pairs]

    def shape(self, shape: Any) -> Any:
        """Return the key."""
        return tuple((pair.field.attname, shape.literal(pair, pair.value)) for pair in self.pairs)


class Assignment:
    """One field and the value it gets."""

    __slots__ = ("field", "value")

    def __init__(self, field: Any, value: Any) -> None:
        self.field = field
        self.value = value


def update(
    driver: Any, query: Any, params: Params, assignments: Assignments, returning: bool = False
) -> Plan:
    """Make the plan of QuerySet.update(); with `returning`, one that gives the rows as the query selects them."""
    builder = build(driver, query, params)
    condition = target(builder)
    values = {pair.field.sa_column: assigned(builder, pair) for pair in assignments.pairs}
    statement = sa.update(builder.root.table).values(values)
    if condition is not None:
        statement = statement.where(condition)
    return returned(builder, statement) if returning else finish(driver, statement, params, None)


def assigned(builder: Builder, pair: Assignment) -> Any:
    """Return what one column is set to."""
    field, value = pair.field, pair.value
    if value is None:
        return sa.null()
    if (
        hasattr(value, "as_term")
        or hasattr(value, "__clause_element__")
        or isinstance(value, sa.ClauseElement)
    ):
        builder.allow_joins = False
        try:
            term = builder.term(value)
        finally:
            builder.allow_joins = True
        if isinstance(term, TupleTerm):
            name = getattr(value, "name", value)
            raise FieldError(
                f"Composite primary keys expressions are not allowed in this query ({field.name}=F({name!r}))."
            )
        if term.aggregate:
            raise FieldError(f"Aggregate functions are not allowed in this query ({field.name}={value!r}).")
        if term.window:
            raise FieldError(f"Window expressions are not allowed in this query ({field.name}={value!r}).")
        if term.joins:
            raise FieldError(
                f"Joined field references are not permitted in this query ({field.name}={value!r})."
            )
        return term.sa
    return builder.params.bind(pair, value, field.sa_type, save_converter(field, builder))


def save_converter(field: Any, builder: Builder) -> Any:
    """Return what prepares a value for being stored in a field."""
    limits = storable(field, builder.vendor)
    connection = builder.connection

    def convert(value: Any) -> Any:
        if hasattr(value, "_meta"):
            value = getattr(value, getattr(field, "target_field", value._meta.pk).attname)
        prepare = field.save_prep_for(value.__class__, connection)
        try:
            value = value if prepare is None else prepare(value)
        except (TypeError, ValueError, ValidationError, OutOfRange) as error:
            raise locate(error, field) from error.__cause__
        if limits is not None and value.__class__ is int and not limits[0] <= value <= limits[1]:
            out_of_range(field, value, *limits)
        return value

    convert.field = field  # type: ignore[attr-defined]  # for errors to name
    return convert


def target(builder: Builder) -> Any:
    """Return the condition that names the rows of the query without joins, None for all rows."""
    query = builder.query
    if builder.root.table is not builder.meta.table:
        raise NotSupportedError(
            "The rows of a CTE can't be changed. Filter the model by their keys (pk__in)."
        )
    keys = flat([builder.key_of(builder.root)])
    parts = Parts(builder, keys, ordered=query.is_sliced)
    if (
        not parts.having
        and not parts.qualify
        and not parts.joins()
        and not query.is_sliced
        and not query.distinct_fields
        and not builder.params.tables
    ):
        return combine("AND", parts.where).sa if parts.where else None
    inner = parts.select().correlate(None)
    if (
        builder.params.tables
    ):  # before an UPDATE MariaDB allows no WITH, and Python's sqlite3 counts no rows then
        inner = inner.add_cte(*(made.table for made in builder.params.tables.values()), nest_here=True)
    if builder.vendor == "mysql":  # which can't read the table it changes, but a copy of it
        inner = as_copy(inner)
    key: Any = keys[0].sa if len(keys) == 1 else sa.tuple_(*(part.sa for part in keys))
    return key.in_(inner)


def delete(driver: Any, query: Any, params: Params, returning: bool = False) -> Plan:
    """Make the plan of deleting the rows of a query, with nothing collected; with `returning`, one that gives them."""
    builder = build(driver, query, params)
    condition = target(builder)
    statement = sa.delete(builder.root.table)
    if condition is not None:
        statement = statement.where(condition)
    return returned(builder, statement) if returning else finish(driver, statement, params, None)


def returned(builder: Builder, statement: Any) -> Plan:
    """Return the plan of an UPDATE or DELETE with RETURNING; see `one_statement()`."""
    terms, decode = selected(builder)
    if any(term.joins or term.aggregate or term.window for term in terms):
        return empty_plan(APART)
    columns = [term.sa for term in flat(terms)]
    return finish(builder.driver, statement.returning(*columns), builder.params, decode)


APART = "the rows hold more than the table's own columns"


def one_statement(plan: Plan) -> bool:
    """Tell whether one statement changes the rows and gives them, too."""
    return plan.extra is not APART
