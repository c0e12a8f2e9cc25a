"""Whether constraints hold for an object that isn't saved yet: programs that ask the database.

Source: Django's documentation, "Constraints reference", validate().
"""

from __future__ import annotations

from collections.abc import Collection, Generator
from typing import Any, cast

import sqlalchemy as sa
from sqlalchemy.sql import visitors
from sqlalchemy.sql.elements import Grouping

from ormolu.exceptions import FieldError
from ormolu.fields.options import DatabaseDefault
from ormolu.models.ddl import columns_in, element_of, with_values
from ormolu.programs import Fetch
from ormolu.writes.values import is_expression

Answer = Generator[Any, Any, bool]

ONE: Any = sa.select(cast("Any", sa.literal_column("1")))


def asked(driver: Any, statement: Any) -> Answer:
    """Run a statement and tell whether it gives a row. One query."""
    from ormolu.writes.statements import compile_ready

    sql, params = compile_ready(driver, statement, {})
    return bool((yield Fetch(sql, params)))


def unasked_columns(meta: Any, instance: Any, exclude: Collection[str] | None) -> set[str]:
    """Return the columns of fields that aren't to be validated, or whose values the database is to compute."""
    names = {meta.pk.name if name == "pk" else name for name in exclude or ()}
    values: dict[str, Any] = instance.__dict__
    return {
        field.column
        for field in meta.concrete_fields
        if field.name in names or is_expression(values.get(field.attname))
    }


def columns_read(meta: Any, element: Any, dialect: Any) -> set[str]:
    """Return the names of a model's columns that an element reads; behind a generated one, those that it is made of."""
    names = columns_in(element, meta.table)
    for field in meta.concrete_fields:
        if field.generated and field.column in names:
            names |= columns_in(element_of(meta.model, field.expression, dialect), meta.table)
    return names


def is_raw(element: Any) -> bool:
    """Tell whether there is SQL text in an element, which may name columns that can't be seen."""
    from ormolu.compile.template import Template

    return any(isinstance(part, Template) and part.name == "raw" for part in visitors.iterate(element))


def values_of(meta: Any, instance: Any, dialect: Any, used: Collection[str]) -> dict[str, Any]:
    """Return an instance's values of the columns that are used: what the database would choose, where it is to choose.

    The others are not looked at: they may not be loaded, or hold what can't be converted.
    """
    values: dict[str, Any] = {}
    fields = [field for field in meta.concrete_fields if field.column in used]
    generated = [field for field in fields if field.generated]
    for field in fields:
        if field.generated:
            continue
        value = getattr(instance, field.attname)
        if isinstance(value, DatabaseDefault):
            values[field.column] = field.sa_column.server_default.arg
        else:
            values[field.column] = field.get_prep_value(value)
    computed = {
        field.column: with_values(
            element_of(meta.model, field.expression, dialect), meta.table, values, dialect
        )
        for field in generated
    }
    return {**values, **{name: Grouping(element) for name, element in computed.items()}}


def condition_holds(
    driver: Any,
    model: Any,
    instance: Any,
    condition: Any,
    exclude: Collection[str] | None,
    unknown: bool = True,
) -> Generator[Any, Any, bool | None]:
    """Ask the database whether a condition holds for an instance's values. One query.

    `unknown` is the answer where the condition is NULL. None where it can't be asked: the condition reads an excluded
    field, or one whose value is an expression, another table, or is SQL text.
    """
    meta, dialect = model._meta, driver.dialect
    element = element_of(model, condition, dialect)
    try:
        used = columns_read(meta, element, dialect)
    except FieldError:
        return None
    if used & unasked_columns(meta, instance, exclude) or is_raw(element):
        return None
    # In brackets: a NOT before it must reach all of it, whatever it is.
    element = Grouping(with_values(element, meta.table, values_of(meta, instance, dialect, used), dialect))
    test: Any = sa.case((sa.not_(element), 0), (element, 1), else_=1 if unknown else 0)
    return (yield from asked(driver, ONE.where(test == 1)))


def other_row(
    driver: Any,
    model: Any,
    instance: Any,
    conditions: Collection[Any],
) -> Answer:
    """Ask the database for a row, not the instance's own, that meets conditions. One query."""
    meta = model._meta
    conditions = list(conditions)
    if not instance._state.adding and instance._is_pk_set():
        own = [
            f.sa_column == sa.literal(getattr(instance, f.attname), f.sa_column.type) for f in meta.pk_fields
        ]
        conditions.append(sa.not_(sa.and_(*own)))
    return (yield from asked(driver, ONE.select_from(meta.table).where(*conditions).limit(1)))
