"""save(): write one instance, as an INSERT or as an UPDATE of what changed (decision D9)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ormolu.exceptions import DatabaseError
from ormolu.programs import Fetch, Program, atomically, notify
from ormolu.signals import post_save, pre_save
from ormolu.writes import unsure
from ormolu.writes.files import store_files
from ormolu.writes.inserts import default_keys, insert_instance
from ormolu.writes.updates import all_names, changed_names, stale, stamp, update_row
from ormolu.writes.validating import validate
from ormolu.writes.values import is_database_default
from ormolu.writes.writers import Writer, writer_for, written

Forced = tuple[type, ...]
"""The classes whose tables an INSERT is forced for."""


def save(
    driver: Any,
    instance: Any,
    *,
    force_insert: bool | tuple[type, ...] = False,
    force_update: bool = False,
    update_fields: Iterable[str] | None = None,
    raw: bool = False,
) -> Program[None]:
    """Write an instance to its table.

    A new instance is inserted; if it was given a primary key that has no default, an UPDATE of all columns
    is tried first. A known instance writes the columns that changed: those assigned since it was loaded or
    saved, those that pre_save() stamps (auto_now), and mutable values (JSON, arrays, a user's types) that
    differ from what was loaded. If nothing changed, one SELECT asks whether the row is still there, so that a
    row that is gone is inserted, as in Django. Columns that are not loaded are never written.

    One statement, or two where an UPDATE found no row. pre_save and post_save are sent when somebody listens.
    An expression is computed by the database and its result read back, or left to be loaded.
    With `raw` the values are written as they are, to the model's own table alone: no parent's row, no pre_save().

    A row with a version (`Meta.version_field`) is written only if it has the object's: StaleObjectError else.
    With Meta.validate_on_save the instance is validated after pre_save: ValidationError, before anything is written.

    Raises ValueError for an unsaved related object, contradictory arguments or unknown update_fields;
    DataError, ValueError or TypeError, naming model and field, for a value that does not fit, before anything
    is written; DatabaseError when a forced update found no row.
    Source: Django's documentation, "Model instance reference", "Saving objects".
    """
    d: dict[str, Any] = instance.__dict__
    model = instance.__class__
    writer: Writer = driver.plans.get(("update", model)) or writer_for(driver, model)
    if raw:
        writer = writer.raw
    if "_sa_instance_state" in d:
        _identify(d)
    if unsure.UNSURE in d:
        unsure.settle(instance, d)
    if writer.check_related is not None:
        writer.check_related("save", instance, d)
    forced: Forced = ()
    only: frozenset[str] | None = None
    if force_insert is not False or update_fields is not None:
        if force_insert and (force_update or update_fields):
            raise ValueError("Cannot force both insert and updating in model saving.")
        forced = _forced(model, force_insert)
        if update_fields is not None:
            only = frozenset(update_fields)
            if not only:
                return
            _check_update_fields(writer, only)
    if writer.generic:
        for field in writer.generic:
            yield from field.settle(driver, "save", (instance,))
    if pre_save.receivers:
        yield from notify(
            pre_save,
            writer.model,
            instance=instance,
            created=bool(forced) or "_db" not in d,
            raw=raw,
            using=writer.alias,
            update_fields=only,
        )
    if writer.laborious:
        created = yield from _save_laboriously(writer, instance, d, forced, force_update, only)
    elif forced or only is not None or d.get("_db") != writer.alias or d.get(writer.pk_name) is None:
        created = yield from _save_table(writer, instance, d, bool(forced), force_update, only)
    else:  # the usual case, said here: each program that a step passes through takes time
        names = changed_names(writer, instance, d)
        created = not (yield from update_row(writer, instance, d, names, force_update))
        if created:
            yield from _insert_missing(writer, instance, d, force_update)
    if only is None and not (raw and writer.meta.parents):
        written(d, writer.alias)
    else:
        _written_partly(writer, instance, d, only)
    if post_save.receivers:
        yield from notify(
            post_save,
            writer.model,
            instance=instance,
            created=created,
            raw=raw,
            using=writer.alias,
            update_fields=only,
        )


def _save_laboriously(
    writer: Writer,
    instance: Any,
    d: dict[str, Any],
    forced: Forced,
    force_update: bool,
    only: frozenset[str] | None,
) -> Program[bool]:
    """Save what is to be validated, or has files, or rows in several tables; return whether a row was inserted."""
    if writer.validates:
        yield from validate(writer, instance, only)
    if writer.files:
        yield from store_files(writer, [instance], only)
    if writer.parents:
        return (yield from _save_with_parents(writer, instance, d, forced, force_update, only))
    return (yield from _save_table(writer, instance, d, bool(forced), force_update, only))


def _written_partly(writer: Writer, instance: Any, d: dict[str, Any], only: frozenset[str] | None) -> None:
    """Note that some columns were written: the others are as changed as they were, or all of them for a new row."""
    dirty: dict[str, Any] = d.get("_dirty") or {}
    new_row = d.get("_db") != writer.alias or not writer.key_names.isdisjoint(dirty)
    written(d, writer.alias)
    rest: list[str] = []
    for field in writer.meta.concrete_fields:
        name = field.attname
        done = name in writer.fields if only is None else (field.name in only or name in only)
        if not done and name not in writer.key_names and name in d and (new_row or name in dirty):
            rest.append(name)
    unsure.mark_changed(instance, d, rest)


def _identify(d: dict[str, Any]) -> None:
    """Put back the primary key of an object that a Session has expired, as it does at each commit."""
    state = d["_sa_instance_state"]
    if "_db" in d and state.key is not None and state.expired_attributes:
        mapper = state.manager.mapper
        for column, value in zip(mapper.primary_key, state.key[1]):
            d.setdefault(mapper.get_property_by_column(column).key, value)


def _save_table(
    writer: Writer,
    instance: Any,
    d: dict[str, Any],
    forced: bool,
    force_update: bool,
    only: frozenset[str] | None,
) -> Program[bool]:
    """Save the columns of one table; return whether a row was inserted."""
    if forced:
        return (yield from insert_instance(writer, instance, d))
    if only is not None or d.get("_db") != writer.alias or d.get(writer.pk_name) is None:
        return (yield from _save_other(writer, instance, d, force_update, only))
    names = changed_names(writer, instance, d)
    if (yield from update_row(writer, instance, d, names, force_update)):
        return False
    return (yield from _insert_missing(writer, instance, d, force_update))


def _save_with_parents(
    writer: Writer,
    instance: Any,
    d: dict[str, Any],
    forced: Forced,
    force_update: bool,
    only: frozenset[str] | None,
) -> Program[bool]:
    """Save an instance that has a row in its parents' tables, too; return whether its own row was inserted."""
    versioned = writer.meta.version is not None  # its error may be caught, and the transaction go on
    if not forced and d.get("_db") == writer.alias and d.get(writer.pk_name) is not None:
        changes = _changes(writer, instance, d, only)
        if len(changes) > 1:
            done = yield from atomically(_update_tables(instance, d, changes), savepoint=versioned)
        else:
            done = yield from (
                _update_tables(instance, d, changes) if changes else update_row(writer, instance, d, ())
            )
        if done:
            return False
        if versioned and _same_row(writer, d):
            raise stale(writer, d, None)
    tables = _save_tables(writer, instance, d, forced, force_update, only, {})
    return (yield from atomically(tables, savepoint=versioned))


def _same_row(writer: Writer, d: dict[str, Any]) -> bool:
    """Tell whether an object stands for the row that it was loaded from: its key wasn't set since."""
    dirty = d.get("_dirty")
    return not dirty or all(table.key_names.isdisjoint(dirty) for table in (writer, *writer.all_parents))


def _changes(
    writer: Writer, instance: Any, d: dict[str, Any], only: frozenset[str] | None
) -> list[tuple[Writer, tuple[str, ...]]]:
    """Return what is to be written to which table."""
    found: list[tuple[Writer, tuple[str, ...]]] = []
    _share_keys(writer, d, known=True)
    for table in (*writer.all_parents, writer):
        names = changed_names(table, instance, d) if only is None else named(table, instance, d, only)
        if names or table.version is not None:
            found.append((table, names))
    return found if any(names for _, names in found) else []


def _share_keys(writer: Writer, d: dict[str, Any], known: bool = False) -> None:
    """Give each parent's row its key: the child's link has it. Of a known row with two keys the parent's counts."""
    for parent, link in writer.parents:
        if link is not None and d.get(parent.pk_name) != d.get(link.attname):
            if d.get(parent.pk_name) is None:
                d[parent.pk_name] = d[link.attname]
            elif known:
                d[link.attname] = d[parent.pk_name]
                d.pop(link.name, None)
        _share_keys(parent, d, known)


def _update_tables(
    instance: Any, d: dict[str, Any], changes: list[tuple[Writer, tuple[str, ...]]]
) -> Program[bool]:
    """Write to the tables; return whether all of the rows were there."""
    for table, names in changes:
        if not (yield from update_row(table, instance, d, names, counts=table.version is not None)):
            return False
    return True


def _save_tables(
    writer: Writer,
    instance: Any,
    d: dict[str, Any],
    forced: Forced,
    force_update: bool,
    only: frozenset[str] | None,
    saved: dict[Writer, bool],
) -> Program[bool]:
    """Save the rows of the parents, then the own one. `saved`: which are, and whether they were inserted."""
    inserted = False
    _share_keys(writer, d)
    for parent, link in writer.parents:
        if parent not in saved:  # a parent of two parents has one row
            saved[parent] = yield from _save_tables(parent, instance, d, forced, False, only, saved)
        created = saved[parent]
        inserted = inserted or created
        if link is not None:
            d[link.attname] = d[parent.pk_name]
            d.pop(link.name, None)
    insert = inserted or (bool(forced) and issubclass(writer.model, forced))
    return (yield from _save_table(writer, instance, d, insert, force_update, only))


def _insert_missing(writer: Writer, instance: Any, d: dict[str, Any], force_update: bool) -> Program[bool]:
    """Insert an instance again whose row was there once, and isn't any more; always True, for "created"."""
    if writer.version is not None and _same_row(writer, d):
        raise stale(writer, d, None)
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
        if writer.version is None and not any(
            f.name in only or f.attname in only for f in writer.fields.values()
        ):
            return False  # other tables of the model have these fields: nothing is to be done, nor looked for, here
        names = named(writer, instance, d, only)
        force_update = True
    else:
        known = d.get("_db") == writer.alias
        names = changed_names(writer, instance, d) if known else all_names(writer, instance, d)
        defaults = not known and any(is_database_default(d[name]) for name in names)
        # An UPDATE that writes defaults is compiled each time, and mostly there is no row for it: ask first.
        if (
            defaults
            and not force_update
            and not (yield Fetch(writer.exists.sql, writer.exists.bind(instance, d)))
        ):
            return (yield from insert_instance(writer, instance, d))
    if (yield from update_row(writer, instance, d, names, force_update)):
        return False
    if force_update:
        raise DatabaseError(
            "Save with update_fields did not affect any rows." if only is not None else _forced_text(writer)
        )
    return (yield from insert_instance(writer, instance, d))


def named(writer: Writer, instance: Any, d: dict[str, Any], only: frozenset[str]) -> tuple[str, ...]:
    """Return the attnames that update_fields means, stamped by pre_save(); those not loaded left out."""
    wanted = [f for f in writer.fields.values() if f.name in only or f.attname in only]
    if writer.version is not None:
        wanted = [f for f in wanted if f is not writer.version]
    stamp(writer, instance, d, [f for f in wanted if f in writer.stamped])
    return tuple(f.attname for f in wanted if f.attname in d)


def _forced(model: Any, force_insert: Any) -> Forced:
    """Check force_insert; return the classes that are meant."""
    members = force_insert
    if isinstance(force_insert, bool):
        return (model,) if force_insert else ()
    if not isinstance(force_insert, tuple):
        raise TypeError("force_insert must be a bool or tuple.")
    for member in members:
        if not _is_model(model, member):
            raise TypeError(f"Invalid force_insert member. {member!r} must be a model subclass.")
        if not issubclass(model, member):
            raise TypeError(
                f"Invalid force_insert member. {member.__qualname__} must be a base of {model.__qualname__}."
            )
    return members  # type: ignore[no-any-return]


def _is_model(model: Any, member: Any) -> bool:
    """Tell whether `member` is a model, or the class that all models derive from."""
    if not isinstance(member, type):
        return False
    return hasattr(member, "_meta") or (issubclass(model, member) and member.__name__ == "Model")


def _check_update_fields(writer: Writer, only: frozenset[str]) -> None:
    tables = (writer, *writer.all_parents)
    fields = [field for table in tables for field in (*table.fields.values(), *table.generated)]
    allowed = {name for field in fields for name in (field.name, field.attname)}
    unknown = only - allowed
    if unknown:
        raise ValueError(
            "The following fields do not exist in this model, are m2m fields, primary keys, or are "
            f"non-concrete fields: {', '.join(sorted(unknown))}. Fields of {writer.model._meta.label} that can be "
            f"written are: {', '.join(sorted({field.name for field in fields}))}"
        )


def _forced_text(writer: Writer) -> str:
    return f"Forced update did not affect any rows. ({writer.model.__name__})"
