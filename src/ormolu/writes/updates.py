"""Write columns of a row that is there: which ones, and the UPDATE itself."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Any

import sqlalchemy as sa

from ormolu.programs import Execute, Fetch, Program
from ormolu.writes.inserts import take_returned
from ormolu.writes.statements import UpdatePlan, compile_ready, run_with_expressions
from ormolu.writes.values import NeedsStatement, conversion, is_database_default, is_expression
from ormolu.writes.writers import Writer


def changed_names(writer: Writer, instance: Any, d: dict[str, Any]) -> tuple[str, ...]:
    """Return the attnames of the columns that a save of a known instance writes."""
    dirty: Collection[str] = d.get("_dirty") or ()
    state = d.get("_sa_instance_state")
    if state is not None:
        dirty = {*dirty, *state.committed_state}
    if writer.plain:
        if not dirty:
            return ()
        names = tuple(dirty)
        if names in writer.updates and all(map(d.__contains__, names)):
            return names  # as it was before, in the same order
    elif writer.stamped:
        stamped = stamp(writer, instance, d, writer.stamped)
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
        stamp(writer, instance, d, writer.stamped)
    return tuple(name for name in writer.names if name in d and not is_database_default(d[name]))


def stamp(writer: Writer, instance: Any, d: dict[str, Any], fields: Iterable[Any]) -> list[str]:
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


def update_row(
    writer: Writer, instance: Any, d: dict[str, Any], names: tuple[str, ...], force: bool = False
) -> Program[bool]:
    """Write these columns; return whether the row was there.

    With Meta.select_on_save it is asked first, and the UPDATE believed, unless it is forced.
    """
    asks = writer.meta.select_on_save and not force
    if asks or not names:
        found = yield Fetch(writer.exists.sql, writer.exists.bind(instance, d))
        if not found or not names:
            return bool(found)
    plan = writer.updates.get(names) or writer.update(names)
    try:
        params = plan.bind(instance, d)
    except NeedsStatement:
        return (yield from _update_with_expressions(writer, d, names))
    if writer.generated:
        if not (yield from _update_generated(writer, plan, d, params)) and not asks:
            return False
    elif not (yield Execute(plan.sql, params)) and not asks:
        return False
    if writer.mutable:
        writer.remember(d, names)
    return True


def _update_generated(writer: Writer, plan: UpdatePlan, d: dict[str, Any], params: Any) -> Program[bool]:
    """Write columns of a row with generated ones: these come back, or are left to be loaded."""
    if plan.returning:
        rows = yield Fetch(plan.sql, params)
        if rows:
            take_returned(d, plan.returning, rows[0])
        return bool(rows)
    found = yield Execute(plan.sql, params)
    for field in writer.generated:
        d.pop(field.attname, None)
    return bool(found)


def _update_with_expressions(writer: Writer, d: dict[str, Any], names: Sequence[str]) -> Program[bool]:
    """Write columns some of whose values the database computes, and read those back: by RETURNING, or with a SELECT."""
    driver = writer.driver
    values = {writer.fields[name]: d[name] for name in names}
    computed = [*(f for f in values if is_expression(d[f.attname])), *writer.generated]
    key = [f.sa_column == d[f.attname] for f in writer.keys]
    statement: Any = sa.update(writer.meta.table).where(*key)
    can_return = bool(driver.dialect.update_returning)
    if can_return:
        statement = statement.returning(*(f.sa_column for f in computed))
    sql, params = run_with_expressions(driver, statement, writer.model, values)
    if not can_return:
        if not (yield Execute(sql, params)):
            return False
        select = sa.select(*(f.sa_column for f in computed)).where(*key)
        sql, params = compile_ready(driver, select, {})
    rows = yield Fetch(sql, params)
    if not rows:
        return False
    take_returned(d, [conversion(driver, f) for f in computed], rows[0])
    writer.remember(d, names)
    return True
