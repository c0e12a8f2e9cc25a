"""What a schema reads of an object: for each of its fields, where the value stands. Nothing here asks a database."""

from __future__ import annotations

from collections.abc import Callable, Container
from dataclasses import dataclass
from typing import Any, cast
from weakref import WeakKeyDictionary

from pydantic import AliasChoices, AliasPath, BaseModel

from ormolu.exceptions import FieldFetchBlocked, NotLoaded
from ormolu.fields.options import DatabaseDefault
from ormolu.schemas.members import ATTRIBUTE, COLUMN, GENERIC, ONE, Member, member
from ormolu.schemas.options import SchemaOptions
from ormolu.schemas.shapes import nested_models

__all__ = ["MISSING", "Source", "options_of", "sources_of", "values_of"]

DB, STATE, PREFETCHED = "_db", "_sa_instance_state", "_prefetched_objects_cache"
MISSING: Any = object()
Get = Callable[[Any], Any]

_readers: WeakKeyDictionary[Any, dict[Any, Get]] = WeakKeyDictionary()


@dataclass(frozen=True)
class Source:
    """Where one field of a schema takes its value from.

    `path` are the names from the object on, `members` what they mean in the models (None for what only the object
    knows: an annotation).
    """

    name: str
    path: tuple[str, ...]
    members: tuple[Member | None, ...]

    @property
    def last(self) -> Member | None:
        """What the last name means."""
        return self.members[-1]


def options_of(cls: type[BaseModel]) -> SchemaOptions:
    """Return what a schema's `class Meta` says; the defaults for any other Pydantic model."""
    found: SchemaOptions = getattr(cls, "__schema_options__", _PLAIN)
    return found


_PLAIN = SchemaOptions()


def values_of(cls: type[BaseModel], value: Any) -> Any:
    """Return the values that a schema takes of an object, by the names of its fields.

    What is no object is returned as it is. Raises ValueError for an object of another model, NotLoaded for what isn't
    loaded.
    """
    model = cast("Any", type(value))
    readers = _readers.get(cls)
    if readers is None:
        readers = _readers.setdefault(cls, {})
    read = readers.get(model)
    if read is None:
        if not hasattr(model, "_meta"):
            return value
        read = readers[model] = make_reader(cls, model)
    return read(value)


def make_reader(cls: type[BaseModel], model: Any) -> Get:
    """Return what reads objects of a model as a schema."""
    options = options_of(cls)
    wanted = options.model
    if wanted is not None and not issubclass(model, wanted._meta.concrete_model):
        raise ValueError(f"{cls.__name__} reads objects of {wanted._meta.label}, not of {model._meta.label}")
    nested = nested_models(cls)
    load = options.unloaded == "load"
    columns: list[tuple[str, str]] = []
    others: list[tuple[str, Get]] = []
    for source in sources_of(cls, model, nested):
        if is_plain_column(source, model):
            columns.append((source.name, source.path[0]))
        else:
            others.append((source.name, getter(source, load, source.name in nested)))
    late = getattr_or_missing if load else unloaded_column
    # An object without a row has no key yet, and no stamps: its schema neither.
    derived = {name: cls.model_fields[name] for name in getattr(cls, "__schema_derived__", ())}
    later = [name for name, info in derived.items() if info.default is None and info.default_factory is None]

    def read(instance: Any) -> dict[str, Any]:
        data = instance.__dict__
        found: dict[str, Any] = {}
        for name, attname in columns:
            if attname in data:
                found[name] = data[attname]
            elif (value := late(instance, attname)) is not MISSING:
                found[name] = value
        for name, get in others:
            value = get(instance)
            if value is not MISSING:
                found[name] = value
        if DB not in data:
            for name in later:
                if found.get(name, MISSING) is None:
                    del found[name]
        return found

    return read


def sources_of(cls: type[BaseModel], model: Any, nested: Container[str]) -> list[Source]:
    """Return where the fields of a schema take their values from, of objects of a model."""
    found: list[Source] = []
    for name, info in cls.model_fields.items():
        alias: Any = info.validation_alias
        given = alias.choices if isinstance(alias, AliasChoices) else [] if alias is None else [alias]
        paths: list[Any] = [one.path if isinstance(one, AliasPath) else [one] for one in given]
        paths.append([name])
        steps = [
            (path, members_of(model, path, name not in nested))
            for path in paths
            if all(isinstance(part, str) for part in path)
        ]
        path, members = next((step for step in steps if None not in step[1]), steps[-1])
        found.append(Source(name, tuple(path), members))
    return found


def members_of(model: Any, path: Any, as_key: bool) -> tuple[Member | None, ...]:
    """Return what the names of a path mean, one after the other; None for those that are no part of a model."""
    found: list[Member | None] = []
    here = model
    for number, name in enumerate(path):
        last = number == len(path) - 1
        one = None if here is None else member(here, name, as_key=last and as_key)
        found.append(one)
        here = one.related_model if one is not None and one.kind == ONE and not last else None
    return tuple(found)


def is_plain_column(source: Source, model: Any) -> bool:
    """Tell whether a value stands in an object's `__dict__` as it is shown."""
    one = source.last
    return (
        len(source.path) == 1
        and one is not None
        and one.kind == COLUMN
        and source.path[0] == one.name
        and one.field.get_internal_type() != "FileField"
        and not one.field.has_db_default()
        and one.field.descriptor_class is None
        and not (one.field.primary_key and one.field.model is not model)
    )


def getter(source: Source, load: bool, shown: bool) -> Get:
    """Return what gets the value of a source from an object: MISSING where an object without a row has none."""
    steps = [step(name, one, load, shown) for name, one in zip(source.path, source.members)]
    if len(steps) == 1:
        return steps[0]

    def follow(instance: Any) -> Any:
        value = instance
        for get in steps:
            value = get(value)
            if value is None or value is MISSING:
                return value
        return value

    return follow


def step(name: str, one: Member | None, load: bool, shown: bool) -> Get:
    """Return what gets one attribute of an object."""
    if one is None:
        return attribute(name)
    if one.kind == COLUMN:
        return column(one, load)
    if one.kind == ATTRIBUTE:
        return attribute(name)
    if one.kind in (ONE, GENERIC):
        return single(one, load)
    return several(one, load, shown)


def column(one: Member, load: bool) -> Get:
    """Return what gets a column: of a file its URL, nothing for what the database has yet to choose."""
    names = [one.name]
    is_file = one.field.get_internal_type() == "FileField"
    late = getattr_or_missing if load else unloaded_column

    def get(instance: Any) -> Any:
        data = instance.__dict__
        for name in names:
            if name in data:
                break
        else:
            value = parent_key(instance, one.field)
            return late(instance, one.name) if value is MISSING else value
        value = getattr(instance, one.name)
        if value.__class__ is DatabaseDefault:
            return MISSING
        return file_address(value) if is_file else value

    return get


def parent_key(instance: Any, field: Any) -> Any:
    """Return the key of a parent's row from the link to it, which has the same value. MISSING where that isn't it."""
    if not field.primary_key:
        return MISSING
    for parent, link in instance._meta.concrete_model._meta.parents.items():
        if link is not None and link.attname in instance.__dict__ and field in parent._meta.pk_fields:
            return instance.__dict__[link.attname]
    return MISSING


def file_address(value: Any) -> Any:
    """Return the URL of a file: its name, where its storage has no URLs; None where there is no file."""
    if not value:
        return None
    try:
        return value.url
    except (ValueError, NotImplementedError):
        return value.name


def attribute(name: str) -> Get:
    """Return what gets an attribute of the class or of an annotation; a method is called."""

    def get(instance: Any) -> Any:
        try:
            value = getattr(instance, name, MISSING)
            return value() if callable(value) and getattr(value, "__self__", None) is instance else value
        except FieldFetchBlocked as error:  # a ValueError, which Pydantic would take for a wrong value
            raise NotLoaded(
                str(error), model=error.model, attribute=error.attribute, cure=error.cure
            ) from error

    return get


def getattr_or_missing(instance: Any, name: str) -> Any:
    """Return an attribute, loaded if need be."""
    return getattr(instance, name, MISSING)


def unloaded_column(instance: Any, name: str) -> Any:
    """Return a column that an object doesn't have: MISSING without a row, the Session's where that has expired it."""
    data = instance.__dict__
    state = data.get(STATE)
    if state is not None and state.session_id is not None:
        return getattr(instance, name)
    if DB not in data:
        return MISSING
    raise not_loaded(instance, name, f"without only() or defer() of {name!r}")


def not_loaded(instance: Any, name: str, how: str) -> NotLoaded:
    """Return the error for what a schema needs and an object doesn't have."""
    cure = f"load it with the query: {how}, or queryset.as_schema(...), which loads what a schema needs"
    return NotLoaded(model=instance._meta.label, attribute=name, cure=cure)


def single(one: Member, load: bool) -> Get:
    """Return what gets a single related object, None where there is none."""
    name, field = one.name, one.field
    key = getattr(field, "attname", None) if getattr(field, "column", None) is not None else None

    def get(instance: Any) -> Any:
        data = instance.__dict__
        if name in data:
            return data[name]
        held = data.get(PREFETCHED)
        if held is not None and name in held:
            return held[name]
        if key is not None and key in data and data[key] is None:
            return None
        if load:
            return loaded_single(instance, name)
        if DB not in data:
            return None
        found = from_session(instance, name)
        if found is not MISSING:
            return found
        if one.kind == GENERIC and data.get(field.fk_field) is None:
            return None
        verb = "prefetch_related" if one.kind == GENERIC else "select_related"
        raise not_loaded(instance, name, f'{verb}("{name}")')

    return get


def loaded_single(instance: Any, name: str) -> Any:
    """Return a related object, loaded if need be; None where there is none."""
    return getattr(instance, name, None)  # RelatedObjectDoesNotExist is an AttributeError


def from_session(instance: Any, name: str) -> Any:
    """Return what the Session of an object has of an attribute, without a query; MISSING where it hasn't."""
    from sqlalchemy.orm.base import PASSIVE_NO_FETCH, PASSIVE_NO_RESULT

    state = instance.__dict__.get(STATE)
    impl: Any = getattr(getattr(instance.__class__, name, None), "impl", None)
    if state is None or state.session_id is None or impl is None:
        return MISSING
    found = impl.get(state, instance.__dict__, PASSIVE_NO_FETCH)
    return MISSING if found is PASSIVE_NO_RESULT else found


def several(one: Member, load: bool, shown: bool) -> Get:
    """Return what gets a list of related objects; of their keys, where the schema shows no more of them."""
    name = one.name
    keys = not shown

    def get(instance: Any) -> Any:
        data = instance.__dict__
        held = data.get(PREFETCHED)
        if held is not None and name in held:
            found = held[name]
        elif name in data:
            found = data[name]
        elif DB not in data or not instance._is_pk_set():
            found = ()
        elif load:
            related = getattr(instance, name)
            found = related.all() if hasattr(related, "all") else related
        else:
            raise not_loaded(instance, name, f'prefetch_related("{name}")')
        return [related.pk for related in found] if keys else list(found)

    return get
