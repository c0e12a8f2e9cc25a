"""delete(): remove rows, and do to the rows that refer to them what on_delete says."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from operator import itemgetter
from typing import Any

import sqlalchemy as sa

from ormolu.fields.composite import parts_of
from ormolu.programs import Execute, Program, Sweep, atomically, brief, notify
from ormolu.signals import post_delete, pre_delete
from ormolu.writes.collector import Collector, row_key
from ormolu.writes.delete_plans import can_fast_delete, has_signals
from ormolu.writes.lists import about, at_once, chunks
from ormolu.writes.values import conversion
from ormolu.writes.writers import Writer, forgotten, writer_for

Deleted = tuple[int, dict[str, int]]

__all__ = ["Deleted", "can_fast_delete", "delete_instances"]


@brief
def delete_instances(
    driver: Any, model: Any, instances: Sequence[Any], *, origin: Any = None, keep_parents: bool = False
) -> Program[Deleted]:
    """Delete the rows of instances and what depends on them; return (rows, {label: rows of that model}).

    One DELETE where nothing refers to the model and nobody listens to its signals. Else all rows that are
    concerned are found first, then everything is written in one transaction. The instances lose their key.
    `keep_parents` leaves the rows that a child of a concrete model has in its parents' tables.

    Raises ValueError for an instance without a key; ProtectedError or RestrictedError, before anything is
    written.
    Source: Django's documentation, "Model.delete()", "ForeignKey.on_delete".
    """
    if not instances:
        return 0, {}
    writer: Writer = driver.plans.get(("update", model)) or writer_for(driver, model)
    for instance in instances:
        if instance.__dict__.get(writer.pk_name) is None:  # or its key has several columns
            _check_keys(writer, instance)
    if can_fast_delete(model):
        count = yield from _delete_unseen(writer, instances)
        for instance in instances:
            forgotten(instance, writer)
        return count, {writer.meta.label: count}
    collector = Collector(driver, keep_parents)
    collector.add(model, instances)
    yield from collector.search(model)
    write = _write(collector, origin if origin is not None else instances[0])
    counts = yield from atomically(write, savepoint=False)
    for instance in instances:
        forgotten(instance, writer)
    return _total(counts)


def _check_keys(writer: Writer, instance: Any) -> None:
    for field in writer.keys:
        if getattr(instance, field.attname, None) is None:
            raise ValueError(
                f"{writer.meta.object_name} object can't be deleted because its {field.attname} attribute is "
                "set to None."
            )


def _delete_unseen(writer: Writer, instances: Sequence[Any]) -> Program[int]:
    if len(instances) == 1:
        plan = writer.delete
        (instance,) = instances
        return (yield Execute(plan.sql, plan.bind(instance, instance.__dict__)))  # type: ignore[no-any-return]
    delete = _delete_keys(writer, [row_key(i) for i in instances])
    return (
        yield from (
            delete
            if len(instances) <= at_once(writer.driver, len(writer.keys))
            else atomically(delete, savepoint=False)
        )
    )


def _delete_keys(writer: Writer, keys: Sequence[Any]) -> Program[int]:
    """Delete rows by primary key, in as few statements as the driver's limits allow."""
    driver, table = writer.driver, writer.meta.table
    count = 0
    for part in chunks(driver, keys, len(writer.keys)):
        sql, params = about(driver, writer.model, "rows", [writer.meta.pk], [part], sa.delete(table).where)
        count += yield Sweep(sql, params)
    return count


def _write(collector: Collector, origin: Any) -> Program[dict[str, int]]:
    """Send the signals and write everything that was collected; return the rows deleted, by label."""
    driver = collector.driver
    counts: dict[str, int] = {}
    models = in_order(collector.data)
    for model in models:
        if pre_delete.receivers:
            yield from _announce(pre_delete, model, _in_order_of_keys(collector, model), collector, origin)
    if driver.vendor not in ("sqlite", "postgresql"):
        yield from _unlink(driver, models, collector)
    for model, fields, lists in _leaves_first(collector.unseen):
        _add(counts, model, (yield from _delete_referring(driver, model, fields, lists)))
    for pairs, by, values in collector.updates:
        yield from _set(driver, pairs, by, values)
    for model in models:
        writer = writer_for(driver, model)
        # The rows found last may refer to those found before.
        rows = list(reversed(collector.data[model].values()))
        deleted = yield from _delete_keys(writer, [row_key(row) for row in rows])
        # What the caller named comes first: as rows of a proxy, it may be.
        cls: Any = rows[-1].__class__ if rows else model
        _add(counts, cls if cls._meta.proxy else model, deleted)
        if post_delete.receivers:
            told = reversed(_in_order_of_keys(collector, model))
            yield from _announce(post_delete, model, told, collector, origin)
    for model in models:
        writer = writer_for(driver, model)
        for row in collector.data[model].values():
            forgotten(row, writer)
    return counts


def _delete_referring(driver: Any, model: Any, fields: list[Any], lists: list[list[Any]]) -> Program[int]:
    """Delete, unseen, the rows one of whose keys is among its values."""
    table = model._meta.table
    if (
        sum(len(values) * len(parts_of(f)) for f, values in zip(fields, lists)) <= driver.max_params // 2
        or len(fields) == 1
    ):
        groups = [(fields, lists)]
    else:
        groups = [([field], [values]) for field, values in zip(fields, lists)]
    count = 0
    for group, values in groups:
        size = len(parts_of(group[0]))
        parts = [list(chunks(driver, v, size)) for v in values] if len(group) == 1 else [[v] for v in values]
        for part in zip(*parts):
            sql, params = about(driver, model, "referring", group, part, sa.delete(table).where)
            count += yield Sweep(sql, params)
    return count


def _set(driver: Any, pairs: list[tuple[Any, Any]], by: Any, values: list[Any]) -> Program[None]:
    """Give the columns of a relation other values in the rows whose column `by` is among `values`."""
    model = pairs[0][0].model
    table = model._meta.table
    new = {f.sa_column: sa.bindparam(f"_s{n}", type_=f.sa_column.type) for n, (f, _value) in enumerate(pairs)}
    ready = {f"_s{n}": conversion(driver, field).convert(value) for n, (field, value) in enumerate(pairs)}
    for part in chunks(driver, values, len(parts_of(by))):
        sql, params = about(
            driver,
            model,
            f"set {', '.join(field.attname for field, _value in pairs)}",
            [by],
            [part],
            lambda where: sa.update(table).where(where).values(new),
            ready,
        )
        yield Sweep(sql, params)


def _unlink(driver: Any, models: Sequence[Any], collector: Collector) -> Program[None]:
    """Set keys to NULL that refer to rows deleted before or with theirs: some databases check row by row."""
    for place, model in enumerate(models):
        for field in model._meta.concrete_fields:
            if not field.is_relation or not field.null:
                continue
            target = field.related_model._meta.concrete_model
            if target in models and models.index(target) <= place:
                values = [getattr(row, field.target_field.attname) for row in collector.data[target].values()]
                yield from _set(driver, [(field, None)], field, values)


def in_order(models: Iterable[Any]) -> list[Any]:
    """Return models with those that refer to others before these; within a cycle, those given last first."""
    remaining = list(models)
    ordered: list[Any] = []
    while remaining:
        free = [m for m in remaining if not any(_refers(other, m) for other in remaining if other is not m)]
        for model in reversed(free) if free else remaining[-1:]:
            ordered.append(model)
            remaining.remove(model)
    return ordered


def _refers(model: Any, target: Any) -> bool:
    table = model._meta.table
    fields = (f for f in model._meta.concrete_fields if f.is_relation and f.sa_column.table is table)
    return any(f.related_model._meta.concrete_model is target for f in fields)


def _leaves_first(unseen: list[tuple[Any, list[Any], list[list[Any]]]]) -> list[Any]:
    order = in_order(dict.fromkeys(model for model, _, _ in unseen))
    return sorted(unseen, key=lambda item: order.index(item[0]))


def _add(counts: dict[str, int], model: Any, count: int) -> None:
    if count:
        label = model._meta.label
        counts[label] = counts.get(label, 0) + count


def _in_order_of_keys(collector: Collector, model: Any) -> list[Any]:
    """Return the rows of a model as those who listen are told of them: in no order that the database has chosen."""
    rows = collector.data[model]
    try:
        return [row for _key, row in sorted(rows.items(), key=itemgetter(0))]
    except TypeError:  # keys of a user's own class, which has no order
        return list(rows.values())


def _announce(
    signal: Any, model: Any, rows: Iterable[Any], collector: Collector, origin: Any
) -> Program[None]:
    """Tell those who listen of each row; the sender is the model, or the proxy that the object is of."""
    for row in rows:
        cls: Any = row.__class__
        sender: Any = cls if cls._meta.proxy else model
        if has_signals(sender):
            yield from notify(signal, sender, instance=row, using=collector.using, origin=origin)


def _total(counts: dict[str, int]) -> Deleted:
    return sum(counts.values()), counts
