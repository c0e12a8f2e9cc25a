"""What querysets do, as programs: written once, run synchronously or asynchronously."""

from __future__ import annotations

import json
from collections.abc import Callable, Generator, Iterable, Sequence
from typing import Any

from ormolu import writes
from ormolu.compile import change, statements
from ormolu.compile.locking import OWN, SHARED
from ormolu.compile.plan import Plan, remember
from ormolu.compile.shape import SCALARS, width
from ormolu.compile.statements import plan_for
from ormolu.compile.summary import Aggregates
from ormolu.compile.summary import aggregate as aggregate_plan
from ormolu.exceptions import DatabaseError, EmptyResultSet, IntegrityError, ValidationError
from ormolu.fields.registry import LookupRegistry
from ormolu.programs import Enter, Execute, Fetch, Leave, Reading, Write, atomically, brief
from ormolu.query.explaining import explain_prefix
from ormolu.query.prefetch import prefetch
from ormolu.query.q import Q

Program = Generator[Any, Any, Any]
MOST_FOR_GET = 21
ATTEMPTS = 20  # of a transaction that is lost to others; each time one of these has got its work done
UNIQUE_VIOLATION = "23505"
GAP_LOCKS = ("mysql", "mariadb")


def reading(plan: Plan, values: Any, nothing: Any) -> Program:
    """Return what a plan reads; `nothing`, without asking the database, where no row can meet its conditions."""
    if plan.empty:
        return nothing
    try:
        params = plan.bind(values)
    except EmptyResultSet:
        return nothing
    return plan.decode((yield plan.step(plan.sql, params)))  # type: ignore[misc]


def changing(plan: Plan, values: Any, eras: list[Any] | None = None) -> Program:
    """Return how many rows a plan changes: 0, without asking the database, where none can meet its conditions.

    The part of the transaction that this belongs to is added to `eras`: see `ormolu.programs.Write`.
    """
    if plan.empty:
        return 0
    try:
        params = plan.bind(values)
    except EmptyResultSet:
        return 0
    if eras is None:
        return (yield Execute(plan.sql, params))
    step = Write(plan.sql, params)
    count = yield step
    eras.append(step.era)
    return count


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
    if queryset.query.values_fields is not None:
        return found
    into = queryset._into
    if queryset._binding is not None:
        if into is None:
            found = driver.adopt(found, queryset.query.select_for_update is not None)
        else:
            driver = Apart(driver)
    if queryset._known:
        attach_known(found, queryset._known)
    if queryset._prefetch and found:
        yield from prefetch(driver, found, queryset._prefetch, queryset._db)
    if into is None:
        return found
    if into.loops and found:
        yield from into.deepen(driver, found, queryset._db)
    return into(found)


class Apart:
    """A session's driver whose objects the session isn't told of: they are gone as soon as schemas are made of them."""

    def __init__(self, driver: Any) -> None:
        self._driver = driver

    def __getattr__(self, name: str) -> Any:
        if name == "adopt":
            raise AttributeError(name)
        return getattr(self._driver, name)


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


def update(driver: Any, query: Any, pairs: list[tuple[Any, Any]], eras: list[Any] | None = None) -> Program:
    """Set columns of all rows; return how many rows matched. One UPDATE; one more for each parent model's table."""
    if not pairs:
        return 0
    table = query.model._meta.table
    if any(field.sa_column.table is not table for field, _value in pairs):
        # On SQLite the keys that are read first must not be old when their rows are written.
        changing_all = update_family(driver, query, pairs, eras)
        return (yield from atomically(changing_all, savepoint=False, immediate=driver.vendor == "sqlite"))
    return (yield from update_table(driver, query, pairs, eras))


def update_family(driver: Any, query: Any, pairs: list[tuple[Any, Any]], eras: list[Any] | None) -> Program:
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
        yield from update_table(driver, some, group, eras)
    return len(found)


def update_table(
    driver: Any, query: Any, pairs: list[tuple[Any, Any]], eras: list[Any] | None = None
) -> Program:
    """Set columns of a model's own table. One UPDATE."""
    assignments = change.Assignments(pairs)
    plan, values = plan_for(
        driver, query, "update", lambda d, q, p: change.update(d, q, p, assignments), assignments
    )
    return (yield from changing(plan, values, eras))


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
    first, again = ways_to_look(driver, queryset._as_objects()._limited_for_get())
    try:
        instance = yield from one(driver, first, lookups)
        if again is not first and first.query.select_for_update != queryset.query.select_for_update:
            instance = yield from one(driver, again, lookups)
        return instance, False
    except model.DoesNotExist:
        pass
    values = called(params())
    queryset._check_reverse(values)
    token = yield Enter()
    try:
        instance = yield from save_new(driver, model(**values))
    except (DatabaseError, ValidationError) as error:
        yield Leave(token, True)
        if isinstance(
            error, ValidationError
        ):  # Meta.validate_on_save may have found the row that won the race
            try:
                return (yield from one(driver, again, lookups)), False
            except model.DoesNotExist:
                raise error from error.__cause__
        if not isinstance(error, IntegrityError) and not (error.retryable and is_outermost(token)):
            raise
        try:
            look = one(driver, again, lookups)
            return (yield from (look if again is first else atomically(look))), False
        except model.DoesNotExist:
            if not is_outermost(token) and (yield from is_unseen(driver, error)):
                error.retryable = True
            raise error from error.__cause__
    except BaseException:
        yield Leave(token, True)
        raise
    yield Leave(token, False)
    return instance, True


def ways_to_look(driver: Any, queryset: Any) -> tuple[Any, Any]:
    """Return the queryset that looks for an object, and the one that looks again after a lost race.

    InnoDB locks the gap where a row is missing, and two who hold it keep each other from inserting one: so the first
    look takes no lock. The second has to take one, or it would see what the transaction saw before.
    """
    if driver.vendor not in GAP_LOCKS:
        return queryset, queryset
    asked = queryset.query.select_for_update
    if asked is None or asked == OWN:
        first, again = queryset._clone(), queryset._clone()
        first.query.select_for_update = None
        again.query.select_for_update = asked or SHARED
        return first, again
    return queryset, queryset


def is_unseen(driver: Any, error: DatabaseError) -> Program:
    """Tell whether a duplicate is of a row that the transaction can't see, but one that begins now would."""
    if driver.vendor != "postgresql" or getattr(error.orig, "sqlstate", None) != UNIQUE_VIOLATION:
        return False
    ((level,),) = yield Fetch("SHOW transaction_isolation")
    return level in ("repeatable read", "serializable")


def is_outermost(token: Any) -> bool:
    """Tell whether a block was a transaction of its own, of which nothing is left."""
    return getattr(token, "savepoint", "") is None


@brief
def update_or_create(
    driver: Any,
    locked: Any,
    lookups: dict[str, Any],
    defaults: dict[str, Any] | None,
    params: Callable[[], dict[str, Any]],
) -> Program:
    """Return (object, created); an object that is there is locked, changed and saved in one transaction.

    Where that is its own, and lost against another one (a deadlock, a serialization failure), it is run again.
    """
    attempt = 0
    while True:
        attempt += 1
        token = yield Enter()
        try:
            found = yield from update_or_create_once(driver, locked, lookups, defaults, params)
        except BaseException as error:
            yield Leave(token, True)
            lost = isinstance(error, DatabaseError) and error.retryable and is_outermost(token)
            if not lost or attempt == ATTEMPTS:
                raise
        else:
            yield Leave(token, False)
            return found


def update_or_create_once(
    driver: Any, locked: Any, lookups: dict[str, Any], defaults: Any, params: Callable[[], dict[str, Any]]
) -> Program:
    """Do the work of `update_or_create()`, in a transaction that is open."""
    from ormolu.writes.overrides import saving

    instance, created = yield from get_or_create(driver, locked, lookups, params)
    if not created:
        changes = called(defaults or {})
        for name, value in changes.items():
            setattr(instance, name, value)
        only = fields_to_update(instance, changes)
        yield from saving(driver, instance, **({} if only is None else {"update_fields": only}))
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
    into = queryset._into
    found = yield from results(driver, queryset._made_later()._loading([name]))
    attname = queryset.model._meta.get_field(name if name != "pk" else queryset.model._meta.pk.name).attname
    keys = [getattr(instance, attname) for instance in found]
    return dict(zip(keys, found if into is None else into.made(found)))


def bulk_create(driver: Any, model: Any, objs: Iterable[Any], options: dict[str, Any]) -> Program:
    """Insert many objects; return them."""
    from ormolu.writes.bulk import bulk_create as program

    made = yield from program(driver, model, objs, **options)
    if options.get("update_conflicts"):
        forget_versions(model, made)
    return made


def bulk_upsert(driver: Any, model: Any, objs: Iterable[Any], options: dict[str, Any]) -> Program:
    """Insert many objects or update their rows; return what became of them."""
    from ormolu.writes.upsert import bulk_upsert as program

    made = yield from program(driver, model, objs, **options)
    return made


def forget_versions(model: Any, instances: Iterable[Any]) -> None:
    """Leave the versions of rows that an upsert may have counted up to be loaded."""
    version = model._meta.version
    if version is not None:
        for instance in instances:
            instance.__dict__.pop(version.attname, None)


def bulk_update(driver: Any, queryset: Any, objs: Any, fields: Any, batch_size: int | None) -> Program:
    """Write some fields of many objects, where their rows are the queryset's; return how many rows matched."""
    from ormolu.query.fetching import fill_columns
    from ormolu.writes.bulk_update import bulk_update as program

    def among(instances: list[Any]) -> Program:
        keys = queryset.filter(pk__in=[o.pk for o in instances]).order_by().values_list("pk", flat=True)
        found = set((yield from rows(driver, keys.query)))
        return [o for o in instances if o.pk in found]

    narrowed = "query" in queryset.__dict__ and (queryset.query.ops or queryset.query.is_sliced)
    chosen = among if narrowed else None
    if queryset.model._meta.version is None:
        return (yield from program(driver, queryset.model, objs, fields, batch_size, chosen, fill_columns))
    from ormolu.writes.versions import claimed_all

    many = list(objs)
    if narrowed:
        many = yield from among(many)
    changing = program(driver, queryset.model, many, fields, batch_size, fill=fill_columns)
    return (yield from claimed_all(driver, queryset.model, many, changing))


def delete(driver: Any, queryset: Any, origin: Any = None) -> Program:
    """Delete the rows of a queryset as on_delete says; return (total, {label: count}). Signals name the origin."""
    from ormolu.writes.delete import delete_instances
    from ormolu.writes.delete_plans import can_fast_delete, delete_plan, has_signals

    model = queryset.model
    if can_fast_delete(model):
        number = yield from delete_rows(driver, queryset.query)
        return number, {model._meta.label: number} if number else {}
    queryset = queryset._as_objects()
    needed = queryset if has_signals(model) else queryset.only(*(f.name for f in delete_plan(model).needed))
    found = yield from results(driver, needed)
    return (yield from delete_instances(driver, model, found, origin=queryset if origin is None else origin))


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
