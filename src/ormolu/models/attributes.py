"""Column attributes of a model: reads at the speed of a plain attribute, writes that are remembered."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from sqlalchemy.orm.base import (
    PASSIVE_NO_FETCH,
    PASSIVE_NO_RESULT,
    _MappedAttribute,  # pyright: ignore[reportPrivateUsage]
)
from sqlalchemy.util.concurrency import in_greenlet

from ormolu import query
from ormolu.exceptions import NotLoaded
from ormolu.models.state import DB, DIRTY, PREFETCHED, STATE, mark_dirty

if TYPE_CHECKING:
    from ormolu.models.prefetching import Parts

Setter = Callable[[Any, Any], None]


def COLUMN(instance: Any, value: Any) -> None:
    """Stand among a model's setters for a plain column, which `Model.__setattr__` sets itself."""


class PrefetchesByHand:
    """What has `get_prefetch_querysets()`; it also has the former method, for one queryset."""

    def get_prefetch_querysets(self, instances: Any, querysets: Sequence[Any] | None = None) -> Parts:
        """Return the queryset of all related objects of `instances`, and how to hand them out."""
        raise TypeError("made by subclasses")

    def get_prefetch_queryset(self, instances: Any, queryset: Any = None) -> Parts:
        """Do the same for one queryset. Deprecated, as in Django."""
        import warnings

        warnings.warn(
            "get_prefetch_queryset() is deprecated. Use get_prefetch_querysets() instead.",
            DeprecationWarning,
            stacklevel=2,
        )
        return self.get_prefetch_querysets(instances, None if queryset is None else [queryset])


class OverAttribute(_MappedAttribute[Any]):
    """Base of the descriptors that stand over SQLAlchemy's: to its mappers they are mapped attributes."""

    __slots__ = ("attribute",)

    def __init__(self, attribute: Any) -> None:
        self.attribute = attribute


class FastColumn(OverAttribute):
    """Stand between a model class and SQLAlchemy's attribute for one column.

    On the class it is SQLAlchemy's InstrumentedAttribute. On an instance it is asked only where the value isn't in
    `__dict__`: it has no `__set__`, so that a loaded value is found first. `Model.__setattr__` does the writing.
    """

    __slots__ = ("attname", "field")

    def __init__(self, attribute: Any, attname: str, field: Any) -> None:
        super().__init__(attribute)
        self.attname = attname
        self.field = field

    def __repr__(self) -> str:
        return f"<FastColumn {self.attribute}>"

    def __get__(self, instance: Any, owner: type[Any]) -> Any:
        if instance is None:
            return self.attribute
        return load_column(self, instance)

    @property
    def name(self) -> str:
        """The attribute."""
        return self.attname

    def not_loaded(self, instance: Any) -> NotLoaded:
        """Return the error for async code."""
        return not_loaded_column(instance._meta.label, self.attname)

    def fetch_one(self, instance: Any) -> None:
        """Load the column of one instance."""
        instance.refresh_from_db(fields=[self.attname])

    def fetch_many(self, instances: Sequence[Any]) -> None:
        """Load the column of many instances."""
        if query.fetching.fills_many(instances[0]):
            query.fetching.fetch_columns(instances, [self.attname])
        else:
            self.fetch_one(instances[0])


def load_column(column: FastColumn, instance: Any) -> Any:
    """Load one column that an instance doesn't have, as its fetch mode says.

    Raises NotLoaded in async code, AttributeError for an instance without a row.
    """
    values, attname = instance.__dict__, column.attname
    state = values.get(STATE)
    if state is not None and state.session_id is not None:
        return session_load(instance, attname, column.attribute)
    meta = instance._meta
    if state is not None and state.key is not None and attname == meta.pk.attname and len(state.key[1]) == 1:
        # A session has expired the object and let it go: its identity is still known.
        return state.key[1][0]
    if DB not in values:
        raise AttributeError(f"'{meta.object_name}' object has no attribute '{attname}': nobody set it.")
    link = parent_link(meta, attname)
    if link is not None and link in values:
        values[attname] = values[link]
        return values[link]
    query.fetching.fetch(column, instance)
    return values[attname]


def parent_link(meta: Any, attname: str) -> str | None:
    """Return the attname that has the same value as a parent model's key: that of the child's link to it."""
    for parent, link in meta.concrete_model._meta.parents.items():
        if link is None:
            continue
        if parent._meta.pk.attname == attname:
            return str(link.attname)
        further = parent_link(parent._meta, attname)
        if further is not None:
            return str(link.attname) if further == parent._meta.pk.attname else further
    return None


def session_load(instance: Any, name: str, attribute: Any) -> Any:
    """Let SQLAlchemy load an attribute of an object that a Session holds."""
    state = instance.__dict__[STATE]
    if state.async_session is not None and not in_greenlet():
        # No query may be sent from here; but the session may hold the object that is asked for.
        found = attribute.impl.get(state, instance.__dict__, PASSIVE_NO_FETCH)
        if found is PASSIVE_NO_RESULT:
            raise NotLoaded(model=instance._meta.label, attribute=name, cure=f'use await obj.aload("{name}")')
        return found
    return attribute.__get__(instance, type(instance))


def not_loaded_column(label: str, attname: str) -> NotLoaded:
    """Return the error for a column that was touched in async code before it was loaded."""
    cure = f'use await obj.aload("{attname}"), or load it with the query (defer() or only() left it out)'
    return NotLoaded(model=label, attribute=attname, cure=cure)


def column_setter(attname: str, attribute: Any) -> Setter:
    """Return the function that sets a column of an instance and remembers what changed."""

    def set_column(instance: Any, value: Any) -> None:
        values = instance.__dict__
        if DB in values:
            dirty = values.get(DIRTY)
            if dirty is None or attname not in dirty:
                mark_dirty(values, attname)
        if STATE in values:
            attribute.__set__(instance, value)
        else:
            values[attname] = value

    return set_column


def key_setter(attname: str, attribute: Any, relation: str) -> Setter:
    """Return the setter of a foreign key's column, which lets go of the related object when the key changes."""
    set_column = column_setter(attname, attribute)

    def set_key(instance: Any, value: Any) -> None:
        values = instance.__dict__
        if PREFETCHED in values:
            values[PREFETCHED].pop(relation, None)
        if relation in values and values.get(attname) != value:
            del values[relation]
            state = values.get(STATE)
            if state is not None:
                state.committed_state.pop(relation, None)
        set_column(instance, value)

    return set_key


def own_setter(attname: str, descriptor: Any) -> Setter:
    """Return the setter of a column whose field brought a descriptor of its own."""

    def set_own(instance: Any, value: Any) -> None:
        if DB in instance.__dict__:
            mark_dirty(instance.__dict__, attname)
        descriptor.__set__(instance, value)

    return set_own


def pk_property(attname: str) -> property:
    """Return the `pk` attribute of a model: its key's value."""

    def get_pk(instance: Any) -> Any:
        try:
            return instance.__dict__[attname]
        except KeyError:
            return getattr(instance, attname)

    def set_pk(instance: Any, value: Any) -> None:
        setattr(instance, attname, value)

    return property(get_pk, set_pk, doc=f"The primary key, `{attname}`.")
