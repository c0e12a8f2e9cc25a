"""Write columns of a row that is there: which ones, and the UPDATE itself."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Any

import sqlalchemy as sa

from ormolu.exceptions import StaleObjectError
from ormolu.programs import Fetch, Program, Write, WriteReturning
from ormolu.writes import unsure
from ormolu.writes.inserts import take_returned
from ormolu.writes.statements import UpdatePlan, compile_ready, next_version, run_with_expressions
from ormolu.writes.values import NeedsStatement, conversion, is_computed
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
    return tuple(name for name in writer.names if name in d)


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
    writer: Writer,
    instance: Any,
    d: dict[str, Any],
    names: tuple[str, ...],
    force: bool = False,
    counts: bool = False,
) -> Program[bool]:
    """Write these columns; return whether the row was there.

    With Meta.select_on_save it is asked first, and the UPDATE believed, unless it is forced. A row that has a version
    is written only if that is the object's; StaleObjectError else. With `counts` it gets a new one in any case.
    """
    if writer.usual and names:
        plan = writer.updates.get(names) or writer.update(names)
        try:
            step = Write(plan.sql, plan.bind(instance, d))
        except NeedsStatement:
            return (yield from _update_with_expressions(writer, d, names)) is not None
        if not (yield step):
            return False
        if step.era is not None:
            unsure.note(d, step.era, names)
        return True
    if writer.version is not None and (names or counts):
        return (yield from _update_version(writer, instance, d, names))
    asks = writer.meta.select_on_save and not force
    if asks or not names:
        found = yield Fetch(writer.exists.sql, writer.exists.bind(instance, d))
        if not found or not names:
            return bool(found)
    plan = writer.updates.get(names) or writer.update(names)
    try:
        params = plan.bind(instance, d)
    except NeedsStatement:
        return (yield from _update_with_expressions(writer, d, names)) is not None
    step = Write(plan.sql, params) if not plan.returning else WriteReturning(plan.sql, params)
    found = yield step
    if not found and not asks:
        return False
    if writer.generated:
        _take_generated(writer, plan, d, found)
    if step.era is not None:
        unsure.note(d, step.era, names)
    if writer.mutable:
        writer.remember(d, names)
    return True


def _update_version(
    writer: Writer, instance: Any, d: dict[str, Any], names: tuple[str, ...]
) -> Program[bool]:
    """Write these columns of a row that has the object's version, and count that up; return whether it was there.

    A version that isn't loaded is asked for first. Raises StaleObjectError where the row has another one.
    """
    name: str = writer.version.attname
    if name not in d:
        rows = yield Fetch(writer.versions.sql, writer.versions.bind(instance, d))
        if not rows:
            return False
        d[name] = rows[0][0]
    before = d[name]
    plan = writer.updates.get(names) or writer.update(names)
    step: Write | None
    try:
        params = plan.bind(instance, d)
    except NeedsStatement:
        step = yield from _update_with_expressions(writer, d, names)
    else:
        step = Write(plan.sql, params) if not plan.returning else WriteReturning(plan.sql, params)
        found = yield step
        if writer.generated:
            _take_generated(writer, plan, d, found)
        if found and step.era is not None:
            unsure.note(d, step.era, names)
        step = step if found else None
    if step is None:
        rows = yield Fetch(writer.versions.sql, writer.versions.bind(instance, d))
        if rows:
            raise stale(writer, d, rows[0][0])
        return False
    d[name] = int(before) + 1
    if step.era is not None:
        unsure.note_version(d, step.era, name, before)
    if writer.mutable:
        writer.remember(d, names)
    return True


def stale(writer: Writer, d: dict[str, Any], found: Any) -> StaleObjectError:
    """Return the error for a row that has another version than the object, or (found: None) is gone."""
    keys = tuple(d.get(field.attname) for field in writer.keys)
    return StaleObjectError(
        model=writer.model,
        key=keys[0] if len(keys) == 1 else keys,
        expected=d.get(writer.meta.version.attname),
        found=found,
    )


def _take_generated(writer: Writer, plan: UpdatePlan, d: dict[str, Any], found: Any) -> None:
    """Take what the database computed for the row's generated columns, or leave it to be loaded."""
    if not plan.returning:
        for field in writer.generated:
            d.pop(field.attname, None)
    elif found:
        take_returned(d, plan.returning, found[0])


def _update_with_expressions(
    writer: Writer, d: dict[str, Any], names: Sequence[str]
) -> Program[Write | None]:
    """Write columns some of whose values the database computes, and read those back: by RETURNING, or with a SELECT.

    Return the step that wrote them, None where the row wasn't there.
    """
    driver = writer.driver
    values = {writer.fields[name]: d[name] for name in names}
    computed = [*(f for f in values if is_computed(d[f.attname])), *writer.generated]
    key = [f.sa_column == d[f.attname] for f in writer.keys]
    statement: Any = sa.update(writer.meta.table).where(*key)
    version = writer.version
    if version is not None:
        statement = statement.where(version.sa_column == d[version.attname])
        statement = statement.values({version.sa_column: next_version(version)})
    can_return = bool(driver.dialect.update_returning)
    if can_return:
        statement = statement.returning(*(f.sa_column for f in computed))
    sql, params = run_with_expressions(driver, statement, writer.model, values)
    step = WriteReturning(sql, params) if can_return else Write(sql, params)
    rows = yield step
    if not rows:
        return None
    if not can_return:
        select = sa.select(*(f.sa_column for f in computed)).where(*key)
        rows = yield Fetch(*compile_ready(driver, select, {}))
    expressions = {name: d[name] for name in names if is_computed(d[name])}
    take_returned(d, [conversion(driver, f) for f in computed], rows[0])
    if step.era is not None:
        unsure.note(d, step.era, names)
        unsure.note_computed(d, step.era, expressions)
    writer.remember(d, names)
    return step
