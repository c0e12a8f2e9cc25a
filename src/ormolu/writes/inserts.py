"""Insert a row of an instance: with its key or without, with what the database fills or computes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from ormolu.exceptions import ObjectDoesNotExist
from ormolu.programs import Program, Write, WriteNew, WriteReturning
from ormolu.writes import unsure
from ormolu.writes.statements import InsertPlan, expression_value, run_with_expressions
from ormolu.writes.values import (
    NeedsStatement,
    conversion,
    has_database_default,
    is_database_default,
    is_expression,
    is_generated,
    plain_type,
)
from ormolu.writes.writers import Writer

STATE = "_sa_instance_state"  # in the `__dict__` of an object that SQLAlchemy knows


def insert_instance(writer: Writer, instance: Any, d: dict[str, Any]) -> Program[bool]:
    """Insert the instance; always True, for "created"."""
    if STATE in d and writer.meta.local_many_to_many:
        refuse_collections(writer.meta, d)
    if writer.default_keys:
        default_keys(writer, instance, d)
    if writer.places is not None:
        yield from writer.places.give(d)
    generated = writer.pk_generated and d.get(writer.pk_name) is None
    plan = writer.insert_new if generated else writer.insert_keyed
    try:
        if plan is None:
            plan = _usual_plan(writer, generated)
        params = plan.bind(instance, d)
    except (NeedsStatement, KeyError):
        return (yield from _insert_rest(writer, instance, d))
    if plan.returning:
        step: Write = WriteReturning(plan.sql, params)
        (row,) = yield step
        take_returned(d, plan.returning, row)
    elif generated:
        step = WriteNew(plan.sql, params)
        key = yield step
        d[writer.pk_name] = key if writer.load_key is None else writer.load_key(key)
    else:
        step = Write(plan.sql, params)
        yield step
    if writer.generated and not plan.returning:
        for field in writer.generated:
            d.pop(field.attname, None)  # not known here: loaded when it is next read
    if step.era is not None:
        unsure.note(d, step.era, writer.names)
        if writer.meta.version is not None:
            unsure.note_insert(d, step.era)
    if writer.mutable:
        writer.remember(d, writer.names)
    return True


def refuse_collections(meta: Any, d: dict[str, Any]) -> None:
    """Raise TypeError where a many-to-many relation was assigned before there was a row: only a Session writes that."""
    for field in meta.local_many_to_many:
        if d.get(field.name):
            raise TypeError(
                f"{meta.object_name}.{field.name} was given before the object is saved. Save it without, then use "
                f"{field.name}.set(); or let a SQLAlchemy Session write both."
            )


def _usual_plan(writer: Writer, generated: bool) -> InsertPlan:
    """Make the plan that inserts all columns, without the primary key if the database makes that."""
    fields = list(writer.fields.values())
    computed = writer.generated if writer.driver.dialect.insert_returning else ()
    if not generated:
        plan = writer.insert_keyed = writer.insert([*writer.keys, *fields], computed)
    else:
        key = (writer.pk,) if computed or uses_returning(writer) else ()
        plan = writer.insert_new = writer.insert(fields, (*key, *computed))
    return plan


def uses_returning(writer: Writer) -> bool:
    """Tell whether a generated key must come by RETURNING; elsewhere the driver tells the last id."""
    if writer.driver.vendor in ("sqlite", "mysql", "mariadb"):
        return not isinstance(plain_type(writer.pk.sa_column.type, writer.driver.dialect), sa.Integer)
    return True


def _insert_rest(writer: Writer, instance: Any, d: dict[str, Any]) -> Program[bool]:
    """Insert an instance with columns that are left to the database, or with expressions."""
    driver = writer.driver
    values, returning = insert_values(writer, instance, d)
    computed = [f for f, value in values.items() if is_expression(value)]
    returned = [*returning, *computed] if driver.dialect.insert_returning else []
    if computed:
        for field in computed:
            expression_value(driver, writer.model, field, values[field], inserting=True)
        statement: Any = sa.insert(writer.meta.table).inline()
        if returned:
            statement = statement.returning(*(f.sa_column for f in returned))
        sql, params = run_with_expressions(driver, statement, writer.model, values)
    else:
        plan = writer.insert(list(values), returned)
        ready = {f.attname: conversion(driver, f).convert(value) for f, value in values.items()}
        sql, params = plan.sql, tuple(ready[c.attname] for c in plan.conversions)
    if returned:
        step: Write = WriteReturning(sql, params)
        (row,) = yield step
        take_returned(d, [conversion(driver, f) for f in returned], row)
    elif not returning and not computed:
        step = Write(sql, params)
        yield step
    else:
        step = WriteNew(sql, params)
        last = yield step
        for field in (*returning, *computed):
            d.pop(field.attname, None)  # not known here: loaded when it is next read
        if writer.pk in returning:
            d[writer.pk_name] = last if writer.load_key is None else writer.load_key(last)
    if step.era is not None:
        unsure.note(d, step.era, writer.names)
        if writer.meta.version is not None:
            unsure.note_insert(d, step.era)
    writer.remember(d, writer.names)
    return True


def insert_values(writer: Writer, instance: Any, d: dict[str, Any]) -> tuple[dict[Any, Any], list[Any]]:
    """Return the values to insert by field, and the fields that the database fills and should return."""
    values: dict[Any, Any] = {}
    returning: list[Any] = []
    for field in (*writer.keys, *writer.fields.values()):
        name = field.attname
        key = name in writer.key_names
        if key and d.get(name) is None and is_generated(field):
            returning.append(field)
            continue
        if name in d or not has_database_default(field):
            value = d.get(name) if writer.as_it_is else _pre_save(field, instance, d)
            if not is_database_default(value):
                values[field] = value
                continue
        returning.append(field)
    return values, [*returning, *writer.generated]


def _pre_save(field: Any, instance: Any, d: dict[str, Any]) -> Any:
    """Return what a field has to be inserted. Raises ValueError for one that wasn't loaded while there was a row."""
    try:
        return field.pre_save(instance, True)
    except ObjectDoesNotExist as error:
        if field.attname in d:
            raise
        raise ValueError(
            f"This {instance.__class__.__name__} can't be inserted: {field.attname!r} was not loaded before it was "
            "deleted, or made a new one. Set it first."
        ) from error


def take_returned(d: dict[str, Any], conversions: Sequence[Any], row: Sequence[Any]) -> None:
    """Put values that the database returned into an instance's `__dict__`."""
    for conversion_, value in zip(conversions, row):
        load = conversion_.load
        d[conversion_.attname] = value if load is None else load(value)


def default_keys(writer: Writer, instance: Any, d: dict[str, Any]) -> None:
    """Give a missing key its default."""
    for field in writer.default_keys:
        if d.get(field.attname) is None:
            d[field.attname] = field.get_pk_value_on_save(instance)
