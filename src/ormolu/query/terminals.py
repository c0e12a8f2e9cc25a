"""What querysets do, as programs: written once, run synchronously or asynchronously."""

from __future__ import annotations

import json
from collections.abc import Callable, Generator, Iterable, Sequence
from typing import Any

from ormolu import writes
from ormolu.compile import change, statements
from ormolu.compile.plan import Plan, remember
from ormolu.compile.shape import SCALARS, width
from ormolu.compile.statements import plan_for
from ormolu.compile.summary import Aggregates
from ormolu.compile.summary import aggregate as aggregate_plan
from ormolu.exceptions import EmptyResultSet, IntegrityError
from ormolu.fields.registry import LookupRegistry
from ormolu.programs import Enter, Execute, Leave, Reading, brief
from ormolu.query.explaining import explain_prefix
from ormolu.query.prefetch import prefetch
from ormolu.query.q import Q

Program = Generator[Any, Any, Any]
MOST_FOR_GET = 21


def reading(plan: Plan, values: Any, nothing: Any) -> Program:
    """Return what a plan reads; `nothing`, without asking the database, where no row can meet its conditions."""
    if plan.empty:
        return nothing
    try:
        params = plan.bind(values)
    except EmptyResultSet:
        return nothing
    return plan.decode((yield plan.step(plan.sql, params)))  # type: ignore[misc]


def changing(plan: Plan, values: Any) -> Program:
    """Return how many rows a plan changes: 0, without asking the database, where none can meet its conditions."""
    if plan.empty:
        return 0
    try:
        params = plan.bind(values)
    except EmptyResultSet:
        return 0
    return (yield Execute(plan.sql, params))


def nothing(driver: Any) -> Program:
    """Ask for nothing but a connection."""
    return
    yield


def rows(driver: Any, query: Any) -> Program:
    """Return the results of a query as a list. One SELECT."""
    return reading(*plan_for(driver, query, "rows", statements.rows), [])


@brief
def results(driver: Any, queryset: Any) -> Program:
    """Return the results of a queryset, prefetches included. One SELECT and one per prefetch."""
    found = yield from rows(driver, queryset.query)
    if queryset._binding is not None and queryset.query.values_fields is None:
        found = driver.adopt(found)
    if queryset._known and queryset.query.values_fields is None:
        attach_known(found, queryset._known)
    if queryset._prefetch and found and queryset.query.values_fields is None:
        yield from prefetch(driver, found, queryset._prefetch, queryset._db)
    return found


def attach_known(found: list[Any], known: dict[Any, dict[Any, Any]]) -> None:
    """Give objects the related objects that are known already (those of a related manager)."""
    for field, objects in known.items():
        attname, name = field.attname, field.name
        if getattr(field, "from_fields", None):  # a ForeignObject, whose key stands in several columns
            for instance in found:
                data = instance.__dict__
                if name not in data and (related := objects.get(field.key_in(data))) is not None:
                    data[name] = related
            continue
        for instance in found:
            data = instance.__dict__
            if name not in data and data.get(attname) in objects:
                data[name] = objects[data[attname]]


@brief
def one(driver: Any, queryset: Any, lookups: Any) -> Program:
    """Return the one object; DoesNotExist or MultipleObjectsReturned else."""
    found = yield from results(driver, queryset)
    return the_one(queryset.model, found)


@brief
def one_by(driver: Any, source: Any, lookups: dict[str, Any]) -> Program:
    """Return the one object that meets plain lookups on a manager, or on a queryset of which nothing else was asked.

    The plan is found by the lookups' names and the classes of their values alone,
    with no query built: this is what `objects.get(pk=1)` costs.
    """
    values = (*lookups.values(), MOST_FOR_GET)
    if len(values) == 2:
        (name,) = lookups
        value = values[0]
        edition = LookupRegistry.edition
        key: Any = (
            one_by,
            edition,
            source.model,
            name,
            width(value) if value.__class__ is int else value.__class__,
        )
    else:
        classes = tuple([width(value) if value.__class__ is int else value.__class__ for value in values])
        key = (one_by, LookupRegistry.edition, source.model, tuple(lookups), classes)
    plan = driver.plans.get(key)
    if plan is None:
        parts = key_parts(source.model._meta, lookups)
        if parts is not None:
            return one_by(driver, source, parts)
        return first_one_by(driver, source, lookups, key, values)
    return Reading(plan, values, EmptyResultSet)  # type: ignore[return-value]


def key_parts(meta: Any, lookups: dict[str, Any]) -> dict[str, Any] | None:
    """Return lookups with a key of several columns taken apart; None where there is none of plain values."""
    given: Any = lookups.get("pk")
    if not meta.is_composite_pk or given.__class__ not in (tuple, list):
        return None
    names = [field.attname for field in meta.pk_fields]
    if len(given) != len(names) or not SCALARS.issuperset(map(type, given)):
        return None
    parts = dict(zip(names, given))
    rest = {name: value for name, value in lookups.items() if name != "pk"}
    return None if parts.keys() & rest.keys() else {**parts, **rest}


def first_one_by(
    driver: Any, source: Any, lookups: dict[str, Any], key: Any, values: tuple[Any, ...]
) -> Program:
    """Do what `one_by()` does by a query, and keep its plan, if it is one for all values of these classes."""
    model = source.model
    prepared = source.all()._prepare_get((), lookups)
    if SCALARS.issuperset([value.__class__ for value in values]):
        single_key = len(lookups) == 1 and next(iter(lookups)) in ("pk", model._meta.pk.attname)
        if single_key or lookups.keys() == {field.attname for field in model._meta.pk_fields}:
            prepared.query.limit = None  # a key has one row
        plan, given = plan_for(driver, prepared.query, "rows", statements.rows)
        if plan.owners is not None and plan.zone is None and tuple(given) in (values, values[:-1]):
            single = Plan(plan.sql, plan.bind, single_of(plan, model))
            single.owners = plan.owners
            remember(driver.plans, key, single)
    return (yield from one(driver, prepared, lookups))


def single_of(plan: Plan, model: Any) -> Callable[[Any], Any]:
    """Return what makes the one object of a plan's rows; see `the_one()`."""
    decode: Any = plan.decode

    def single(rows: Any) -> Any:
        found = decode(rows)
        return found[0] if len(found) == 1 else the_one(model, found)

    return single


def the_one(model: Any, found: Any) -> Any:
    """Return the one object of a list; raise where there is none, or several."""
    if len(found) == 1:
        return found[0]
    name = model._meta.object_name
    if not found:
        raise model.DoesNotExist(f"{name} matching query does not exist.")
    count = len(found) if len(found) < MOST_FOR_GET else f"more than {MOST_FOR_GET - 1}"
    raise model.MultipleObjectsReturned(f"get() returned more than one {name} -- it returned {count}!")


@brief
def first_of(driver: Any, queryset: Any) -> Program:
    """Return the first object or None."""
    found = yield from results(driver, queryset)
    return found[0] if found else None


@brief
def count(driver: Any, query: Any) -> Program:
    """Return the number of rows. One SELECT."""
    return reading(*plan_for(driver, query, "count", statements.count), 0)


@brief
def exists(driver: Any, query: Any) -> Program:
    """Return whether there is a row. One SELECT."""
    return reading(*plan_for(driver, query, "exists", statements.exists), False)


@brief
def aggregate(driver: Any, query: Any, expressions: dict[str, Any]) -> Program:
    """Return a dict of summaries. One SELECT."""
    aggregates = Aggregates(expressions)
    plan, values = plan_for(
        driver, query, "aggregate", lambda d, q, p: aggregate_plan(d, q, p, aggregates), aggregates
    )
    found = yield from reading(plan, values, None)
    return (aggregates.of_nothing() or dict.fromkeys(expressions)) if found is None else found


def update(driver: Any, query: Any, pairs: list[tuple[Any, Any]]) -> Program:
    """Set columns of all rows; return how many rows matched. One UPDATE; one more for each parent model's table."""
    if not pairs:
        return 0
    table = query.model._meta.table
    if any(field.sa_column.table is not table for field, _value in pairs):
        token = yield Enter(False, False)
        try:
            count = yield from update_family(driver, query, pairs)
        except BaseException:
            yield Leave(token, True)
            raise
        yield Leave(token, False)
        return count
    return (yield from update_table(driver, query, pairs))


def update_family(driver: Any, query: Any, pairs: list[tuple[Any, Any]]) -> Program:
    """Set columns that are in parents' tables. The keys are read first: a change may end that a row matches."""
    groups: dict[Any, list[tuple[Any, Any]]] = {}
    for field, value in pairs:
        groups.setdefault(field.model._meta.concrete_model, []).append((field, value))
    keys = query.copy()
    keys.values_fields = tuple(model._meta.pk.attname for model in groups)
    keys.ops, keys.row_kind = (*keys.ops, ("values", keys.values_fields)), "tuple"
    keys.select_related, keys.deferred = False, (frozenset(), True)
    matched: list[tuple[Any, ...]] = yield from rows(driver, keys)
    found = list(dict.fromkeys(matched))  # a join may have repeated rows
    for place, (model, group) in enumerate(groups.items()):
        some = query.for_model(model)
        some.ops = (("filter", Q(pk__in=[row[place] for row in found])),)
        yield from update_table(driver, some, group)
    return len(found)


def update_table(driver: Any, query: Any, pairs: list[tuple[Any, Any]]) -> Program:
    """Set columns of a model's own table. One UPDATE."""
    assignments = change.Assignments(pairs)
    plan, values = plan_for(
        driver, query, "update", lambda d, q, p: change.update(d, q, p, assignments), assignments
    )
    return (yield from changing(plan, values))


def delete_rows(driver: Any, query: Any) -> Program:
    """Delete all rows with one DELETE, nothing collected; return how many."""
    return changing(*plan_for(driver, query, "delete", change.delete))


@brief
def insert(driver: Any, instance: Any) -> Program:
    """Insert an object whose class has no save() of its own."""
    return writes.save.save(driver, instance, force_insert=True)


@brief
def save_new(driver: Any, instance: Any) -> Program:
    """Insert an object and return it."""
    yield from writes.overrides.saving(driver, instance, force_insert=True)
    return instance


@brief
def get_or_create(
    driver: Any, queryset: Any, lookups: dict[str, Any], params: Callable[[], dict[str, Any]]
) -> Program:
    """Return (object, created). A race that another one won gives the other's object.

    `params` gives the values of a new object; it is called only when one is needed.
    """
    model = queryset.model
    limited = queryset._limited_for_get()
    try:
        return (yield from one(driver, limited, lookups)), False
    except model.DoesNotExist:
        pass
    values = called(params())
    queryset._check_reverse(values)
    token = yield Enter()
    try:
        instance = yield from save_new(driver, model(**values))
    except IntegrityError as error:
        yield Leave(token, True)
        try:
            return (yield from one(driver, limited, lookups)), False
        except model.DoesNotExist:
            raise error from error.__cause__
    except BaseException:
        yield Leave(token, True)
        raise
    yield Leave(token, False)
    return instance, True


@brief
def update_or_create(
    driver: Any,
    locked: Any,
    lookups: dict[str, Any],
    defaults: dict[str, Any] | None,
    params: Callable[[], dict[str, Any]],
) -> Program:
    """Return (object, created); an object that is there is locked, changed and saved in one transaction."""
    from ormolu.writes.overrides import saving

    token = yield Enter()
    try:
        instance, created = yield from get_or_create(driver, locked, lookups, params)
        if not created:
            changes = called(defaults or {})
            for name, value in changes.items():
                setattr(instance, name, value)
            only = fields_to_update(instance, changes)
            yield from saving(driver, instance, **({} if only is None else {"update_fields": only}))
    except BaseException:
        yield Leave(token, True)
        raise
    yield Leave(token, False)
    return instance, created


def fields_to_update(instance: Any, defaults: dict[str, Any]) -> set[str] | None:
    """Return the fields to save for `defaults`: None (all) where one is no column of the model."""
    meta = instance._meta
    names = {name for field in meta.concrete_fields for name in (field.name, field.attname)}
    pks = {"pk", *(name for field in meta.pk_fields for name in (field.name, field.attname))}
    if not set(defaults) <= names - pks:
        return None
    changed = set(defaults)
    changed |= {f.name for f in meta.concrete_fields if getattr(f, "auto_now", False) and f.name not in pks}
    if any(f.__class__.pre_save is not PLAIN_PRE_SAVE() for f in meta.concrete_fields):
        changed |= {
            f.name
            for f in meta.concrete_fields
            if f.__class__.pre_save is not PLAIN_PRE_SAVE() and f.name not in pks
        }
    return changed


def PLAIN_PRE_SAVE() -> Any:
    """Return the pre_save that does nothing of its own."""
    from ormolu.fields import Field

    return Field.pre_save


def called(values: dict[str, Any]) -> dict[str, Any]:
    """Return values with callables called."""
    return {name: value() if callable(value) else value for name, value in values.items()}


@brief
def in_bulk(driver: Any, queryset: Any, name: str, keys: Sequence[Any] | None) -> Program:
    """Return a dict from key to object."""
    if keys is not None:
        if not keys:
            return {}
        queryset = queryset.filter(**{f"{name}__in": tuple(keys)})
    found = yield from results(driver, queryset)
    attname = queryset.model._meta.get_field(name if name != "pk" else queryset.model._meta.pk.name).attname
    return {getattr(instance, attname): instance for instance in found}


def bulk_create(driver: Any, model: Any, objs: Iterable[Any], options: dict[str, Any]) -> Program:
    """Insert many objects; return them."""
    from ormolu.writes.bulk import bulk_create as program

    return (yield from program(driver, model, objs, **options))


def bulk_update(driver: Any, queryset: Any, objs: Any, fields: Any, batch_size: int | None) -> Program:
    """Write some fields of many objects, where their rows are the queryset's; return how many rows matched."""
    from ormolu.writes.bulk_update import bulk_update as program

    def among(instances: list[Any]) -> Program:
        keys = queryset.filter(pk__in=[o.pk for o in instances]).order_by().values_list("pk", flat=True)
        found = set((yield from rows(driver, keys.query)))
        return [o for o in instances if o.pk in found]

    narrowed = "query" in queryset.__dict__ and (queryset.query.ops or queryset.query.is_sliced)
    return (yield from program(driver, queryset.model, objs, fields, batch_size, among if narrowed else None))


def delete(driver: Any, queryset: Any) -> Program:
    """Delete the rows of a queryset as on_delete says; return (total, {label: count})."""
    from ormolu.writes.delete import can_fast_delete, delete_instances

    model = queryset.model
    if can_fast_delete(model):
        number = yield from delete_rows(driver, queryset.query)
        return number, {model._meta.label: number} if number else {}
    found = yield from results(driver, queryset)
    return (yield from delete_instances(driver, model, found))


@brief
def explain(driver: Any, query: Any, format: str | None, options: dict[str, Any]) -> Program:
    """Return the database's plan as text."""
    prefix = explain_prefix(driver, format, options)
    plan, values = plan_for(driver, query, "rows", statements.rows)
    if plan.empty:
        return ""
    found = yield plan.step(f"{prefix} {plan.sql}", plan.bind(values))
    return "\n".join(" ".join(map(plain_text, row)) for row in found)


def plain_text(value: Any) -> str:
    """Return a part of a plan as text; JSON that the driver took apart is JSON again."""
    return json.dumps(value) if isinstance(value, (list, dict)) else str(value)
