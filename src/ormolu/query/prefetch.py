"""prefetch_related(): related objects of many objects, with one query per relation."""

from __future__ import annotations

import copy
import warnings
from collections.abc import Callable, Generator, Iterable, Sequence
from functools import cached_property
from operator import attrgetter
from typing import Any, cast

from sqlalchemy.orm.attributes import set_committed_value

from ormolu.compile import statements
from ormolu.compile.joins import column_field
from ormolu.compile.names import plain_field, unknown
from ormolu.compile.peers import Together
from ormolu.compile.statements import plan_for
from ormolu.exceptions import EmptyResultSet, FieldDoesNotExist
from ormolu.programs import Await, brief
from ormolu.query.chain import without_face
from ormolu.query.fetch_modes import given_mode
from ormolu.query.own_prefetch import own_prefetch
from ormolu.query.pickling import dressed, undressed
from ormolu.query.together import together

SEP = "__"
Computed = (property, cached_property)
Program = Generator[Any, Any, Any]
Groups = dict[Any, list[Any]]
"""Related objects by the keys of their holders."""


class Prefetch:
    """One relation to prefetch, with the queryset for it and where to put the results.

    `lookup` is a path of relations; `queryset` the objects to choose from (of the last
    relation); `to_attr` the name of a list attribute to use in place of the manager's cache.
    """

    def __init__(self, lookup: str, queryset: Any = None, to_attr: str | None = None) -> None:
        queryset = without_face(queryset)
        self.lookup = lookup
        self.prefetch_through = lookup
        self.prefetch_to = lookup
        if queryset is not None and (
            not hasattr(queryset, "query")
            or not hasattr(queryset.query, "ops")
            or queryset.query.values_fields is not None
        ):
            raise ValueError("Prefetch querysets cannot use raw(), values(), and values_list().")
        if to_attr:
            self.prefetch_to = SEP.join([*lookup.split(SEP)[:-1], to_attr])
        self.queryset = queryset
        self.querysets: tuple[Any, ...] = () if queryset is None else (queryset,)
        self.to_attr = to_attr

    def __eq__(self, other: object) -> bool:
        return self.prefetch_to == other.prefetch_to if isinstance(other, Prefetch) else NotImplemented

    def __hash__(self) -> int:
        return hash((Prefetch, self.prefetch_to))

    def __getstate__(self) -> dict[str, Any]:
        return {name: dressed(value) for name, value in self.__dict__.items()}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update({name: undressed(value) for name, value in state.items()})

    def __repr__(self) -> str:
        return f"Prefetch({self.lookup!r}, to_attr={self.to_attr!r})"

    def get_current_prefetch_to(self, level: int) -> str:
        """Return the path up to a level, as results are kept: with `to_attr` in place of the last relation."""
        return SEP.join(self.prefetch_to.split(SEP)[: level + 1])

    def get_current_to_attr(self, level: int) -> tuple[str, bool]:
        """Return the attribute of a level, and whether it is a `to_attr`."""
        parts = self.prefetch_to.split(SEP)
        return parts[level], bool(self.to_attr) and level == len(parts) - 1

    def get_current_querysets(self, level: int) -> list[Any] | None:
        """Return the querysets that were given for a level; None where there are none."""
        at_its_end = self.get_current_prefetch_to(level) == self.prefetch_to
        return [self.queryset] if self.queryset is not None and at_its_end else None

    def get_current_queryset(self, level: int) -> Any:
        """Return the queryset that was given for a level. Deprecated, as in Django."""
        warnings.warn(
            "Prefetch.get_current_queryset() is deprecated. Use get_current_querysets() instead.",
            DeprecationWarning,
            stacklevel=2,
        )
        found = self.get_current_querysets(level)
        return None if found is None else found[0]

    def add_prefix(self, prefix: str) -> Prefetch:
        """Return the same prefetch seen from further out."""
        made = copy.copy(self)
        made.lookup = made.prefetch_through = prefix + SEP + self.lookup
        made.prefetch_to = prefix + SEP + self.prefetch_to
        return made


PLAIN = Prefetch("")
"""What is asked of the relations on the way: all of their objects."""


def as_prefetch(lookup: Any) -> Prefetch:
    """Return a lookup given as a name as a Prefetch."""
    return lookup if isinstance(lookup, Prefetch) else Prefetch(lookup)


class Level:
    """The objects that a path of relations leads to. Those of a generic key may be of several models (`mixed`)."""

    __slots__ = ("mixed", "objects")

    def __init__(self, objects: Iterable[Any], mixed: bool = False) -> None:
        self.objects: list[Any] = list(objects)
        self.mixed = mixed

    def parts(self, name: str) -> list[list[Any]]:
        """Return the objects by their model: of those models that have an attribute, if any of them has it."""
        if not self.mixed:
            return [self.objects]
        groups: dict[Any, list[Any]] = {}
        for instance in self.objects:
            groups.setdefault(instance.__class__, []).append(instance)
        return [part for model, part in groups.items() if hasattr(model, name)] or list(groups.values())


@brief
def prefetch(driver: Any, instances: Sequence[Any], lookups: Iterable[Any], db: str | None = None) -> Program:
    """Load what `lookups` name for all instances, level by level. One SELECT per relation.

    Those of one level go in one round trip, where the driver has pipelines.
    """
    if not instances:
        return
    wanted = [as_prefetch(lookup) for lookup in lookups]
    if len(wanted) < 2 or not getattr(driver, "pipelines", False):
        yield from follow_all(driver, instances, wanted, {}, db)
        return
    done: dict[str, dict[str, Level]] = {}
    for groups in apart(wanted, accessors(instances[0]._meta)):
        programs = [
            (follow_all, (instances, group, done.setdefault(first, {}), db))
            for first, group in groups.items()
        ]
        yield from together(driver, programs)


def apart(lookups: Iterable[Prefetch], relations: dict[str, Any]) -> list[dict[str, list[Prefetch]]]:
    """Return lookups in groups that have nothing to do with each other, by the attribute that they begin at.

    One that begins at an attribute of the user's own, which may be made of what was loaded, comes after all before it.
    """
    found: list[dict[str, list[Prefetch]]] = [{}]
    for lookup in lookups:
        first = lookup.prefetch_to.partition(SEP)[0]
        if first not in found[-1]:
            if lookup.prefetch_through.partition(SEP)[0] not in relations:
                found.append({})
            found[-1][first] = []
        found[-1][first].append(lookup)
    return [groups for groups in found if groups]


def follow_all(
    driver: Any,
    instances: Sequence[Any],
    lookups: Iterable[Prefetch],
    done: dict[str, Level],
    db: str | None,
) -> Program:
    """Load lookups one after the other; `done` is what was loaded before."""
    queue = list(lookups)
    while queue:
        lookup = queue.pop(0)
        if lookup.prefetch_to in done:
            if lookup.querysets:
                raise ValueError(
                    f"'{lookup.prefetch_to}' lookup was already seen with a different queryset. "
                    "You may need to adjust the ordering of your lookups."
                )
            continue
        # What the querysets themselves prefetch comes next: later lookups may go on from there.
        queue[:0] = yield from follow(driver, instances, lookup, done, db)


def follow(
    driver: Any, instances: Sequence[Any], lookup: Prefetch, done: dict[str, Level], db: str | None
) -> Program:
    """Load one lookup; return the prefetches that its own querysets ask for."""
    level = Level(instances)
    through, to = lookup.prefetch_through.split(SEP), lookup.prefetch_to.split(SEP)
    more: list[Prefetch] = []
    for number, name in enumerate(through):
        path = SEP.join(to[: number + 1])
        if not level.objects:
            return more
        if path in done:
            level = done[path]
            continue
        last = number == len(through) - 1
        found, level = level, Level((), level.mixed)
        for part in found.parts(name):
            relation = find_relation(part[0], name, lookup.lookup, last)
            if relation is None:
                level.objects.extend(plain_values(part, name))
                continue
            done[path] = level
            given = lookup if last else PLAIN
            load_related: Any = getattr(relation, "load_related", None)
            if load_related is not None:
                level.mixed = True
                program: Program = load_related(driver, part, given)
                level.objects.extend((yield from program))
                continue
            objects, nested = yield from load(driver, part, relation, name, given.queryset, given.to_attr, db)
            if isinstance(objects, Together) and isinstance(instances, Together):
                instances.related.append(objects)
            level.objects.extend(objects)
            more.extend(as_prefetch(extra).add_prefix(path) for extra in nested)
    return more


def plain_values(level: Sequence[Any], name: str) -> list[Any]:
    """Return what a plain attribute (the `to_attr` of an earlier prefetch) holds."""
    found: list[Any] = []
    for instance in level:
        value = getattr(instance, name, None)
        found.extend(
            cast(Any, value) if isinstance(value, (list, tuple)) else [] if value is None else [value]
        )
    return found


def find_relation(instance: Any, name: str, lookup: str, last: bool) -> Any:
    """Return the relation that an accessor name stands for, None for a plain attribute on the way."""
    meta = instance._meta
    relations = accessors(meta)
    if name in relations:
        return relations[name]
    own = own_prefetch(instance, name)
    if own is not None:
        return own
    if not last and (
        name in instance.__dict__ or isinstance(getattr(instance.__class__, name, None), Computed)
    ):
        return None
    try:
        meta.get_field(name)
    except FieldDoesNotExist:
        pass
    else:
        if not last or not hasattr(meta.get_field(name), "path_infos"):
            raise ValueError(
                f"'{lookup}' does not resolve to an item that supports prefetching - this is an invalid "
                "parameter to prefetch_related()."
            )
    text = unknown(name, sorted(relations), "relation", meta)
    raise AttributeError(
        f"Cannot find '{name}' on {meta.object_name} object, '{lookup}' is an invalid parameter to "
        f"prefetch_related(). {text}"
    )


def accessors(meta: Any) -> dict[str, Any]:
    """Return the relations of a model by the name of the attribute that holds them."""
    found = {field.name: field for field in (*meta.fields, *meta.many_to_many) if field.is_relation}
    found.update((name, rel) for rel in meta.related_objects if (name := rel.get_accessor_name()) is not None)
    found.update((field.name, field) for field in meta.virtual_fields if hasattr(field, "for_concrete_model"))
    found.update((field.name, field) for field in meta.private_fields if hasattr(field, "prop"))
    for parent in meta.parents:
        found = {**accessors(parent._meta), **found}
    return found


def load(
    driver: Any,
    level: Sequence[Any],
    relation: Any,
    name: str,
    queryset: Any,
    to_attr: str | None,
    db: str | None,
) -> Program:
    """Load one relation of many objects and hand the results out; return them and nested prefetches."""
    hops = getattr(relation, "prefetch_hops", relation.path_infos)()
    first = hops[0]
    if to_attr:
        check_to_attr(level[0]._meta, to_attr)
    key_of = key_getter(first)
    cached = [] if queryset is not None or to_attr else [o for o in level if is_loaded(o, name)]
    todo = level if not cached else [o for o in level if not is_loaded(o, name)]
    holders = {key_of(o): o for o in todo}
    holders.pop(None, None)
    nested: tuple[Any, ...] = ()
    groups: Groups = {}
    found: list[Any] = []
    if holders:
        target = related_queryset(hops[-1].to_meta.model, relation, queryset)
        nested = target._prefetch
        query = target.query.copy()
        if query.fetch_mode is None:
            query.fetch_mode = given_mode(todo[0])
        if (relation.many_to_one or relation.one_to_one) and not query.is_sliced:
            query.order_by, query.default_ordering = (), False  # there is only one for each
        back = back_to_one(relation)
        alike = first.restriction is None
        early = back if alike and not hasattr(driver, "adopt") else None
        query.ops = (*query.ops, ("linked", Linked(hops, list(holders), early)))
        if target._db is None or target._db == driver.database.alias:
            groups, found = yield from linked_rows(driver, query, holders)
        else:
            groups, found = yield from elsewhere(driver, target._db, linked_rows, query, holders)
        if not alike:
            groups = like_keys(first, groups)
        if back is not None and early is None:
            refer_back(groups, back, holders)
    assign(todo, key_of, groups, relation, name, to_attr, queryset)
    for instance in cached:
        found.extend(loaded_values(instance, name))
    return found, nested


def back_to_one(relation: Any) -> str | None:
    """Return the attribute of related objects that refers to their one holder; None where there may be several."""
    source = getattr(relation, "field", None)
    if source is None or not (source.many_to_one and relation.one_to_many):
        return None
    return str(source.name)


def refer_back(groups: Groups, back: str, holders: dict[Any, Any]) -> None:
    """Let related objects refer to their holders."""
    for key, found in groups.items():
        for related in found if key in holders else ():
            related.__dict__[back] = holders[key]


def check_to_attr(meta: Any, to_attr: str) -> None:
    """Refuse a list that would take the place of a field or of a manager."""
    if to_attr in accessors(meta) or any(field.name == to_attr for field in meta.get_fields()):
        raise ValueError(f"to_attr={to_attr} conflicts with a field on the {meta.object_name} model.")


def related_queryset(model: Any, relation: Any, queryset: Any) -> Any:
    """Return the queryset to load related objects from."""
    if queryset is not None:
        return queryset
    single = relation.many_to_one or relation.one_to_one
    manager = model._base_manager if single else model._default_manager
    return manager.get_queryset()


def key_getter(hop: Any) -> Callable[[Any], Any]:
    """Return what gives the value of an object that a hop begins with: a tuple where it has several columns."""
    attnames = [str(column_field(hop.from_meta, near).attname) for near, _far in hop.pairs]
    values = attrgetter(*attnames)
    if len(attnames) == 1:
        return values

    def key_of(instance: Any) -> Any:
        key = values(instance)
        return None if None in key else key

    return key_of


def like_keys(hop: Any, groups: Groups) -> Groups:
    """Return groups whose keys are values of the holder's key, of which the related rows may keep a text."""
    near, far = (
        plain_field(column_field(meta, column)) for meta, column in zip(ends(hop), hop.pairs[0], strict=True)
    )
    if near.get_internal_type() == far.get_internal_type():
        return groups
    return {near.to_python(key): found for key, found in groups.items()}


def ends(hop: Any) -> tuple[Any, Any]:
    """Return what is known of the two models of a hop."""
    return hop.from_meta, hop.to_meta


class Linked:
    """An operation: only rows that are linked over `hops` to one of `values`; their key is selected, too.

    `back` is the attribute of a row's object that refers to its holder.
    """

    __slots__ = ("back", "hops", "values")

    def __init__(self, hops: Sequence[Any], values: list[Any], back: str | None) -> None:
        self.hops = hops
        self.values = values
        self.back = back

    def shape(self, shape: Any) -> Any:
        """Return the key: the values count only by their number."""
        return (
            "linked",
            tuple(id(hop.join_field) for hop in self.hops),
            self.hops[0].reverse,
            self.back,
            shape.literal(self, self.values),
        )


def linked_rows(driver: Any, query: Any, holders: dict[Any, Any]) -> Program:
    """Return related objects by the keys of their holders, and all of them. `holders` are objects by key."""
    plan, values = plan_for(driver, query, "linked", statements.linked)
    try:
        params = None if plan.empty else plan.bind(values)
    except EmptyResultSet:
        params = None
    if params is None:
        return {}, []
    decode: Any = plan.decode
    found: list[Any]
    groups: Groups
    groups, found = decode((yield plan.step(plan.sql, params)), holders)
    adopt = getattr(driver, "adopt", None)
    if adopt is None:
        return groups, found
    adopted = dict(zip(map(id, found), adopt(found), strict=True))
    groups = {key: [adopted[id(o)] for o in group] for key, group in groups.items()}
    return groups, list({id(o): o for o in adopted.values()}.values())


def elsewhere(driver: Any, alias: str, program: Any, *args: Any) -> Program:
    """Run a part of a program on another database; return its result."""
    from ormolu import databases

    other = databases.get(alias)
    if not driver.is_async:
        return other.driver.run(program, *args)
    found: list[Any] = []

    async def run() -> None:
        found.append(await other.adriver.arun(program, *args))

    yield Await(run)
    return found[0]


class Chosen(list[Any]):
    """Prefetched objects, and the queryset that they were chosen by: what `.all().all()` asks again."""

    __slots__ = ("queryset",)

    def __init__(self, found: Iterable[Any], queryset: Any) -> None:
        super().__init__(found)
        self.queryset = queryset


def assign(
    level: Sequence[Any],
    key_of: Callable[[Any], Any],
    groups: Groups,
    relation: Any,
    name: str,
    to_attr: str | None,
    queryset: Any,
) -> None:
    """Put related objects where their holders look for them."""
    if relation.many_to_one or relation.one_to_one:
        assign_single(level, key_of, groups, relation, name, to_attr)
        return
    plain = hasattr(relation, "prop")
    for instance in level:
        data = instance.__dict__
        found = list(groups.get(key_of(instance), ()))
        if queryset is not None and not to_attr:
            found = Chosen(found, queryset)
        if to_attr:
            data[to_attr] = found
        elif plain and data.get("_sa_instance_state") is not None:
            set_committed_value(instance, name, found)  # a collection that its session looks after
        elif "_prefetched_objects_cache" in data:
            data["_prefetched_objects_cache"][name] = found
        else:
            data["_prefetched_objects_cache"] = {name: found}


def assign_single(
    level: Sequence[Any],
    key_of: Callable[[Any], Any],
    groups: Groups,
    relation: Any,
    name: str,
    to_attr: str | None,
) -> None:
    """Put single related objects where their holders look for them."""
    reverse = bool(getattr(relation, "auto_created", False)) and not getattr(relation, "concrete", False)
    required = not reverse and getattr(relation, "null", True) is False
    for instance in level:
        found = groups.get(key_of(instance))
        related = found[-1] if found else None
        data = instance.__dict__
        if to_attr:
            data[to_attr] = related
        elif reverse or (related is None and required):  # there, None says that reading it is an error
            data.setdefault("_prefetched_objects_cache", {})[name] = related
        else:
            data[name] = related
        if related is None:
            continue
        if reverse:
            related.__dict__[relation.field.name] = instance
        elif relation.one_to_one and relation.remote_field is not None:
            accessor = relation.remote_field.get_accessor_name()
            if accessor:
                related.__dict__.setdefault("_prefetched_objects_cache", {})[accessor] = instance


def is_loaded(instance: Any, name: str) -> bool:
    """Tell whether an object has its related objects already."""
    data = instance.__dict__
    return name in data or ("_prefetched_objects_cache" in data and name in data["_prefetched_objects_cache"])


def loaded_values(instance: Any, name: str) -> list[Any]:
    """Return the related objects that an object has already."""
    data = instance.__dict__
    value = data[name] if name in data else data["_prefetched_objects_cache"][name]
    if value is None:
        return []
    return list(value) if not hasattr(value, "_meta") else [value]


def check_alike(instances: Sequence[Any]) -> None:
    """Refuse objects of unlike models, which have no relations in common. Raises ValueError."""
    model = instances[0]._meta.concrete_model
    for cls in {instance.__class__ for instance in instances}:
        other = cls._meta.concrete_model
        if not (issubclass(other, model) or issubclass(model, other)):
            raise ValueError(
                f"Objects of {model._meta.label} and of {other._meta.label} can't be prefetched for together: "
                "call prefetch_related_objects() once for each model."
            )


def prefetch_related_objects(instances: Sequence[Any], *lookups: Any) -> None:
    """Prefetch for objects of one model that are there already. One SELECT per relation.

    Raises ValueError for objects of several models.
    Source: Django's documentation, ref/models/querysets, `prefetch_related_objects()`.
    """
    if instances:
        check_alike(instances)
        driver = _driver(instances)
        driver.run(prefetch, instances, lookups)


async def aprefetch_related_objects(instances: Sequence[Any], *lookups: Any) -> None:
    """Prefetch for objects of one model that are there already, asynchronously. See `prefetch_related_objects()`."""
    if instances:
        from ormolu import databases

        check_alike(instances)
        driver = databases.get(instances[0].__dict__.get("_db") or "default").adriver
        await driver.arun(prefetch, instances, lookups)


def _driver(instances: Sequence[Any]) -> Any:
    from ormolu import databases

    return databases.get(instances[0].__dict__.get("_db") or "default").driver
