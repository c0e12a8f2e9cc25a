"""bulk_create(): insert many instances in few statements."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from ormolu.programs import Program, atomically
from ormolu.writes.conflicts import Conflict, check_instances, make_conflict
from ormolu.writes.files import store_files
from ormolu.writes.inserts import STATE, default_keys, refuse_collections
from ormolu.writes.many import Insertion
from ormolu.writes.values import has_database_default, is_database_default
from ormolu.writes.writers import Writer, writer_for

__all__ = ["bulk_create", "check_batch_size", "insert_all", "prepared"]

Group = tuple[list[Any], bool, tuple[Any, ...]]
"""Instances, whether the database makes their keys, and the fields that it is to fill."""


def bulk_create(
    driver: Any,
    model: Any,
    objs: Iterable[Any],
    *,
    batch_size: int | None = None,
    ignore_conflicts: bool = False,
    update_conflicts: bool = False,
    update_fields: Iterable[str] | None = None,
    unique_fields: Iterable[str] | None = None,
    returning: bool = True,
) -> Program[Any]:
    """Insert instances, all or none; return them as a list, with their primary keys set.

    No signals are sent. A conflict with an existing row raises IntegrityError, or is ignored (then no keys
    are set), or updates `update_fields` of that row (`unique_fields` say which constraint is meant). Objects
    with and without a key may be mixed; those with one go first. One statement for each batch: on PostgreSQL
    for any number of rows, elsewhere for some hundred. With `returning=False` nothing is read back, and the result is
    how many rows were inserted. PostgreSQL has rows by COPY, from a thousand on, where nothing is to be read back.

    Raises ValueError for contradictory arguments or an unsaved related object; DataError, ValueError or
    TypeError, naming model and field, for a value that does not fit, before anything is written.
    Source: Django's documentation, "QuerySet API reference", bulk_create().
    """
    check_batch_size(batch_size)
    writer = writer_for(driver, model)
    if writer.parents:
        raise ValueError("Can't bulk create a multi-table inherited model")
    instances = list(objs)
    conflict = make_conflict(driver, model, ignore_conflicts, update_conflicts, update_fields, unique_fields)
    if not instances:
        return instances if returning else 0
    found = yield from prepared(writer, instances, conflict, batch_size, returning)
    yield from insert_all(found)
    return instances if returning else sum(insertion.count for insertion in found)


def check_batch_size(batch_size: int | None) -> None:
    """Raise ValueError for a size that is none."""
    if batch_size is not None and batch_size <= 0:
        raise ValueError("Batch size must be a positive integer.")


def prepared(
    writer: Writer,
    instances: list[Any],
    conflict: Conflict | None,
    batch_size: int | None,
    wanted: bool,
    operation: str = "bulk_create",
    **options: Any,
) -> Program[list[Insertion]]:
    """Make instances ready: generic keys, places, checks; return what inserts them, every value converted."""
    for field in writer.generic:
        yield from field.settle(writer.driver, operation, instances)
    groups = _groups(writer, instances, operation)
    if writer.files:
        yield from store_files(writer, instances)
    if writer.places is not None:
        yield from writer.places.give_all(instances)
    return [Insertion(writer, *group, conflict, batch_size, wanted, **options) for group in groups]


def insert_all(found: Sequence[Insertion]) -> Program[None]:
    """Run insertions, all or none."""
    if len(found) == 1 and found[0].is_single():
        yield from found[0].run()
    else:
        yield from atomically(_run_all(found), savepoint=False)


def _run_all(found: Sequence[Insertion]) -> Program[None]:
    for insertion in found:
        yield from insertion.run()


def _groups(writer: Writer, instances: list[Any], operation: str) -> list[Group]:
    """Check the instances; return them in groups that one statement can insert, those with a key first."""
    keyed, new = _check(writer, instances, operation)
    groups: list[Group] = []
    defaults = [f for f in writer.fields.values() if has_database_default(f)]
    for part, generated in ((keyed, False), (new, True)):
        if not part:
            continue
        if not defaults:
            groups.append((part, generated, ()))
            continue
        by_left: dict[tuple[Any, ...], list[Any]] = {}
        for instance in part:
            d = instance.__dict__
            left = tuple([f for f in defaults if f.attname not in d or is_database_default(d[f.attname])])
            by_left.setdefault(left, []).append(instance)
        groups += [(some, generated, left) for left, some in by_left.items()]
    return groups


def _check(writer: Writer, instances: list[Any], operation: str) -> tuple[list[Any], list[Any]]:
    """Check the instances; return those with a key and those without."""
    check_instances(operation, writer.meta, instances)
    if writer.meta.local_many_to_many:
        for instance in instances:
            if STATE in instance.__dict__:
                refuse_collections(writer.meta, instance.__dict__)
    if writer.check_related is not None:
        for instance in instances:
            writer.check_related(operation, instance, instance.__dict__)
    names = tuple(writer.key_names)
    for instance in instances if writer.default_keys else ():
        default_keys(writer, instance, instance.__dict__)
    if len(names) == 1:
        (name,) = names
        new = [i for i in instances if i.__dict__.get(name) is None]
        if has_database_default(writer.pk):
            new = [i for i in instances if _is_new(i.__dict__.get(name))]
    else:
        new = [i for i in instances if any(i.__dict__.get(name) is None for name in names)]
    if not new:
        return instances, new
    if len(new) == len(instances):
        return [], new
    chosen = {id(instance) for instance in new}
    return [i for i in instances if id(i) not in chosen], new


def _is_new(key: Any) -> bool:
    return key is None or is_database_default(key)
