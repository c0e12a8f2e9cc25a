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
from ormolu.models.state import DB, DIRTY, PREFETCHED, STATE, USING, mark_dirty

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


class DeferredAttribute(FastColumn):
    """The descriptor of a field's column, for classes of one's own that a field names as its `descriptor_class`.

    It is made with the field alone. On the class it is SQLAlchemy's attribute; on an instance it gives the value, and
    loads that where it isn't there yet. A subclass with a `__set__` is asked at each reading and each writing; the
    value stands in the instance's `__dict__` under `self.field.attname`.
    Source: Django's documentation, "Model field reference", `Field.descriptor_class`.
    """

    def __init__(self, field: Any) -> None:
        super().__init__(None, field.attname, field)

    def __get__(self, instance: Any, owner: type[Any] | None = None) -> Any:
        if instance is None:
            return self.attribute
        values = instance.__dict__
        return values[self.attname] if self.attname in values else load_column(self, instance)


def load_column(column: FastColumn, instance: Any) -> Any:
    """Load one column that an instance doesn't have, as its fetch mode says.

    Raises NotLoaded in async code, DoesNotExist for a row that is gone, AttributeError for an instance without one.
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
        if column.field.generated:
            raise AttributeError(
                f"Cannot read a generated field from an unsaved model: {meta.object_name}.{attname} is computed by "
                "the database."
            )
        if hasattr(instance, "__dataclass_fields__"):
            return None  # its constructor doesn't take it (`init=False`): not set yet, as SQLAlchemy has it
        if USING in values:
            raise meta.model.DoesNotExist(
                f"{meta.object_name}.{attname} can't be loaded any more: it was not before the object was deleted, or "
                "made a new one."
            )
        raise AttributeError(f"'{meta.object_name}' object has no attribute '{attname}': nobody set it.")
    if key_of_parent(instance, values, attname):
        return values[attname]
    query.fetching.fetch(column, instance)
    return values[attname]


def key_of_parent(instance: Any, values: dict[str, Any], attname: str) -> bool:
    """Take the key of a parent's row from where it stands, too: the child's link to it, or the parent's object."""
    for parent, link in instance._meta.concrete_model._meta.parents.items():
        if link is None or not any(
            m._meta.pk.attname == attname for m in (parent, *parent._meta.all_parents)
        ):
            continue
        if link.attname in values and leads_to(link, attname):
            values[attname] = values[link.attname]
            return True
        held = values.get(link.name)
        known: dict[str, Any] = held.__dict__ if held is not None else {}
        if attname in known or (held is not None and key_of_parent(held, known, attname)):
            values[attname] = known[attname]
            return True
    return False


def leads_to(link: Any, attname: str) -> bool:
    """Tell whether a link to a parent has the value of a parent's column: it refers to that, or to such a link."""
    target = link.target_field
    while target.attname != attname:
        if not (target.is_relation and target.remote_field.parent_link):
            return False
        target = target.target_field
    return True


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


def validated_setter(name: str, setter: Setter, attname: str | None = None) -> Setter:
    """Return a setter that goes through SQLAlchemy's attribute, whose `@validates` is a listener to it.

    `attname` is the column of a relation. What is refused leaves the instance as it was.
    """
    names = (name,) if attname is None else (attname, name)

    def set_validated(instance: Any, value: Any) -> None:
        values = instance.__dict__
        if STATE not in values:
            instance._sa_instance_state  # noqa: B018 - which makes it
        before = {one: values[one] for one in names if one in values}
        unchanged = [one for one in names if one not in (values.get(DIRTY) or ())]
        try:
            setter(instance, value)
        except BaseException:
            values.update(before)
            dirty: dict[str, Any] = values.get(DIRTY) or {}
            for one in unchanged:
                dirty.pop(one, None)
            if not dirty:
                values.pop(DIRTY, None)
            raise

    return set_validated


def own_setter(attname: str, descriptor: Any) -> Setter:
    """Return the setter of a column whose field brought a descriptor of its own."""

    def set_own(instance: Any, value: Any) -> None:
        if DB in instance.__dict__:
            mark_dirty(instance.__dict__, attname)
        descriptor.__set__(instance, value)

    return set_own


def pk_property(attname: str, targets: tuple[str, ...] = (), links: tuple[str, ...] = ()) -> property:
    """Return the `pk` attribute of a model: its key's value.

    `targets` are the keys of a child's parents that it doesn't share its own with: a new primary key is that of these
    rows, too. `links` are the child's links to its parents, and theirs to their own, which None makes new rows of.
    """

    def get_pk(instance: Any) -> Any:
        try:
            return instance.__dict__[attname]
        except KeyError:
            return getattr(instance, attname)

    def set_pk(instance: Any, value: Any) -> None:
        for name in targets:
            setattr(instance, name, value)
        for name in links if value is None else ():
            setattr(instance, name, None)
        setattr(instance, attname, value)

    return property(get_pk, set_pk, doc=f"The primary key, `{attname}`.")
