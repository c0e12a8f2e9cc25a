"""save(): write one instance, as an INSERT or as an UPDATE of what changed (decision D9)."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Any

import sqlalchemy as sa

from ormolu.exceptions import DatabaseError
from ormolu.programs import Execute, Fetch, Insert, Program, notify
from ormolu.signals import post_save, pre_save
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
from ormolu.writes.writers import Writer, writer_for, written


def save(
    driver: Any,
    instance: Any,
    *,
    force_insert: bool | tuple[type, ...] = False,
    force_update: bool = False,
    update_fields: Iterable[str] | None = None,
) -> Program[None]:
    """Write an instance to its table.

    A new instance is inserted; if it was given a primary key that has no default, an UPDATE of all columns
    is tried first. A known instance writes the columns that changed: those assigned since it was loaded or
    saved, those that pre_save() stamps (auto_now), and mutable values (JSON, arrays, a user's types) that
    differ from what was loaded. If nothing changed, one SELECT asks whether the row is still there, so that a
    row that is gone is inserted, as in Django. Columns that are not loaded are never written.

    One statement, or two where an UPDATE found no row. pre_save and post_save are sent when somebody listens.
    An expression is computed by the database and its result read back, or left to be loaded.

    Raises ValueError for an unsaved related object, contradictory arguments or unknown update_fields;
    DataError, ValueError or TypeError, naming model and field, for a value that does not fit, before anything
    is written; DatabaseError when a forced update found no row.
    Source: Django's documentation, "Model instance reference", "Saving objects".
    """
    d: dict[str, Any] = instance.__dict__
    model = instance.__class__
    writer: Writer = driver.plans.get(("update", model)) or writer_for(driver, model)
    if writer.check_related is not None:
        writer.check_related("save", instance, d)
    only: frozenset[str] | None = None
    if force_insert is not False or update_fields is not None:
        if force_insert and (force_update or update_fields):
            raise ValueError("Cannot force both insert and updating in model saving.")
        force_insert = _forced(writer.model, force_insert)
        if update_fields is not None:
            only = frozenset(update_fields)
            if not only:
                return
            _check_update_fields(writer, only)
    if pre_save.receivers:
        yield from notify(
            pre_save,
            writer.model,
            instance=instance,
            created=bool(force_insert) or "_db" not in d,
            raw=False,
            using=writer.alias,
            update_fields=only,
        )
    known = d.get("_db") == writer.alias
    if force_insert:
        created = yield from insert_instance(writer, instance, d)
    elif known and only is None and writer.pk is not None and d.get(writer.pk_name) is not None:
        created = yield from _save_known(writer, instance, d, force_update)
    else:
        created = yield from _save_other(writer, instance, d, force_update, only)
    if post_save.receivers:
        yield from notify(
            post_save,
            writer.model,
            instance=instance,
            created=created,
            raw=False,
            using=writer.alias,
            update_fields=only,
        )


def insert_one(driver: Any, instance: Any) -> Program[None]:
    """Insert an instance with no signals: what save(force_insert=True) does at its core."""
    writer = writer_for(driver, instance.__class__)
    yield from insert_instance(writer, instance, instance.__dict__)


def _save_known(writer: Writer, instance: Any, d: dict[str, Any], force_update: bool) -> Program[bool]:
    """Save an instance whose row was loaded from, or written to, this database."""
    names = changed_names(writer, instance, d)
    if (yield from _update(writer, instance, d, names)):
        return False
    if force_update:
        raise DatabaseError(_forced_text(writer))
    if any(name not in d for name in writer.names):
        raise DatabaseError(
            f"Save with update_fields did not affect any rows: the row of this {writer.model.__name__} is "
            "gone, and it can't be inserted again because not all of its columns were loaded."
        )
    return (yield from insert_instance(writer, instance, d))


def _save_other(
    writer: Writer, instance: Any, d: dict[str, Any], force_update: bool, only: frozenset[str] | None
) -> Program[bool]:
    """Save with update_fields, or an instance that is new, or known to another database."""
    adding = "_db" not in d
    default_keys(writer, instance, d)
    keyed = all(d.get(name) is not None for name in writer.key_names)
    if not keyed:
        if force_update or only is not None:
            raise ValueError("Cannot force an update in save() with no primary key.")
        return (yield from insert_instance(writer, instance, d))
    if adding and writer.pk_given and not force_update and only is None:
        return (yield from insert_instance(writer, instance, d))
    if only is not None:
        loaded = (f.attname for f in writer.fields.values() if f.name in only or f.attname in only)
        names = tuple(name for name in loaded if name in d)
        _stamp(writer, instance, d, [f for f in writer.stamped if f.attname in names])
        force_update = True
    else:
        known = d.get("_db") == writer.alias
        names = changed_names(writer, instance, d) if known else all_names(writer, instance, d)
    if (yield from _update(writer, instance, d, names)):
        return False
    if force_update:
        raise DatabaseError(
            "Save with update_fields did not affect any rows." if only is not None else _forced_text(writer)
        )
    return (yield from insert_instance(writer, instance, d))


def changed_names(writer: Writer, instance: Any, d: dict[str, Any]) -> tuple[str, ...]:
    """Return the attnames of the columns that a save of a known instance writes."""
    dirty: Collection[str] = d.get("_dirty") or ()
    state = d.get("_sa_instance_state")
    if state is not None:
        dirty = {*dirty, *state.committed_state}
    if writer.plain:
        if not dirty:
            return ()
        if len(dirty) == 1:
            (name,) = dirty
            if name in writer.name_set and name in d:
                return (name,)
    elif writer.stamped:
        stamped = _stamp(writer, instance, d, writer.stamped)
        # pre_save() may have assigned other fields, too.
        dirty = {*dirty, *(d.get("_dirty") or ()), *stamped}
    if writer.mutable:
        dirty = {*dirty, *writer.changed_in_place(d)}
    if not writer.key_names.isdisjoint(dirty):
        # It names another row now, for which everything is new.
        return tuple(name for name in writer.names if name in d)
    return tuple(name for name in writer.names if name in dirty and name in d)


def all_names(writer: Writer, instance: Any, d: dict[str, Any]) -> tuple[str, ...]:
    """Return the attnames of all loaded columns, stamped by pre_save() as for an update."""
    if writer.stamped:
        _stamp(writer, instance, d, writer.stamped)
    return tuple(name for name in writer.names if name in d and not is_database_default(d[name]))


def _stamp(writer: Writer, instance: Any, d: dict[str, Any], fields: Iterable[Any]) -> list[str]:
    """Call pre_save() of fields; return those whose value is to be written: auto_now, and what it changed."""
    changed: list[str] = []
    for field in fields:
        name = field.attname
        if name not in d and not getattr(field, "auto_now", False):
            continue  # not loaded: reading it would load it
        before = d.get(name)
        value = field.pre_save(instance, False)
        if getattr(field, "auto_now", False):
            changed.append(name)
        elif value is not before:
            # What pre_save() returns is written, even if it does not assign it.
            changed.append(name)
        d[name] = value
    return changed


def _update(writer: Writer, instance: Any, d: dict[str, Any], names: tuple[str, ...]) -> Program[bool]:
    """Write these columns; return whether the row was there."""
    if not names:
        found = yield Fetch(writer.exists.sql, writer.exists.bind(instance, d))
        if not found:
            return False
        written(d, writer.alias)
        return True
    plan = writer.updates.get(names) or writer.update(names)
    try:
        params = plan.bind(instance, d)
    except NeedsStatement:
        return (yield from _update_with_expressions(writer, d, names))
    if not (yield Execute(plan.sql, params)):
        return False
    if writer.mutable:
        writer.remember(d, names)
    written(d, writer.alias)
    return True


def _update_with_expressions(writer: Writer, d: dict[str, Any], names: Sequence[str]) -> Program[bool]:
    """Write columns some of whose values the database computes, and read those back if it can return them."""
    driver = writer.driver
    values = {writer.fields[name]: d[name] for name in names}
    computed = [f for f in values if is_expression(d[f.attname])]
    statement: Any = sa.update(writer.meta.table).where(*(f.sa_column == d[f.attname] for f in writer.keys))
    can_return = bool(driver.dialect.update_returning)
    if can_return:
        statement = statement.returning(*(f.sa_column for f in computed))
    sql, params = run_with_expressions(driver, statement, writer.model, values)
    if not can_return:
        if not (yield Execute(sql, params)):
            return False
        for field in computed:
            del d[field.attname]  # not known here: loaded when it is next read
    else:
        rows = yield Fetch(sql, params)
        if not rows:
            return False
        take_returned(d, [conversion(driver, f) for f in computed], rows[0])
    writer.remember(d, names)
    written(d, writer.alias)
    return True


def insert_instance(writer: Writer, instance: Any, d: dict[str, Any]) -> Program[bool]:
    """Insert the instance; always True, for "created"."""
    if writer.default_keys:
        default_keys(writer, instance, d)
    generated = writer.pk_generated and d.get(writer.pk_name) is None
    plan = writer.insert_new if generated else writer.insert_keyed
    try:
        if plan is None:
            plan = _usual_plan(writer, generated)
        params = plan.bind(instance, d)
    except (NeedsStatement, KeyError):
        return (yield from _insert_rest(writer, instance, d))
    if not generated:
        yield Execute(plan.sql, params)
    elif plan.returning:
        (row,) = yield Fetch(plan.sql, params)
        d[writer.pk_name] = row[0]
    else:
        d[writer.pk_name] = yield Insert(plan.sql, params)
    if writer.mutable:
        writer.remember(d, writer.names)
    written(d, writer.alias)
    return True


def _usual_plan(writer: Writer, generated: bool) -> InsertPlan:
    """Make the plan that inserts all columns, without the primary key if the database makes that."""
    fields = list(writer.fields.values())
    if not generated:
        plan = writer.insert_keyed = writer.insert([*writer.keys, *fields], ())
    else:
        plan = writer.insert_new = writer.insert(fields, [writer.pk] if uses_returning(writer) else ())
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
        (row,) = yield Fetch(sql, params)
        take_returned(d, [conversion(driver, f) for f in returned], row)
    elif not returning and not computed:
        yield Execute(sql, params)
    else:
        last = yield Insert(sql, params)
        for field in (*returning, *computed):
            d.pop(field.attname, None)  # not known here: loaded when it is next read
        if writer.pk in returning:
            d[writer.pk_name] = last
    writer.remember(d, writer.names)
    written(d, writer.alias)
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
            value = field.pre_save(instance, True)
            if not is_database_default(value):
                values[field] = value
                continue
        returning.append(field)
    return values, returning


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


def _forced(model: Any, force_insert: Any) -> bool:
    """Check force_insert; return whether this model's own table is meant."""
    members = force_insert
    if isinstance(force_insert, bool):
        return force_insert
    if not isinstance(force_insert, tuple):
        raise TypeError("force_insert must be a bool or tuple.")
    for member in members:
        if not _is_model(model, member):
            raise TypeError(f"Invalid force_insert member. {member!r} must be a model subclass.")
        if not issubclass(model, member):
            raise TypeError(
                f"Invalid force_insert member. {member.__qualname__} must be a base of {model.__qualname__}."
            )
    return bool(members)


def _is_model(model: Any, member: Any) -> bool:
    """Tell whether `member` is a model, or the class that all models derive from."""
    if not isinstance(member, type):
        return False
    return hasattr(member, "_meta") or (issubclass(model, member) and member.__name__ == "Model")


def _check_update_fields(writer: Writer, only: frozenset[str]) -> None:
    allowed = {name for field in writer.fields.values() for name in (field.name, field.attname)}
    unknown = only - allowed
    if unknown:
        raise ValueError(
            "The following fields do not exist in this model, are m2m fields, primary keys, or are "
            f"non-concrete fields: {', '.join(sorted(unknown))}"
        )


def _forced_text(writer: Writer) -> str:
    return f"Forced update did not affect any rows. ({writer.model.__name__})"
