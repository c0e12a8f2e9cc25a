"""What is known about an instance's row, for us and for SQLAlchemy.

An instance's `__dict__` is the record: a loaded column stands under its attname; `_db` is there exactly when the row
is known to exist; `_dirty` holds the old values of columns that were set since. SQLAlchemy's InstanceState is made of
these when SQLAlchemy first asks for it, and kept in step from then on.
"""

from __future__ import annotations

from collections.abc import Iterator, MutableMapping
from typing import TYPE_CHECKING, Any
from weakref import ref

from sqlalchemy import event
from sqlalchemy.orm import LoaderCallableStatus, Session
from sqlalchemy.orm.instrumentation import manager_of_class
from sqlalchemy.orm.state import InstanceState

from ormolu import query
from ormolu.exceptions import UnresolvedRelation
from ormolu.fields.options import DatabaseDefault

if TYPE_CHECKING:
    from ormolu.query.fetch_modes import FetchMode

STATE = "_sa_instance_state"
DB = "_db"
DIRTY = "_dirty"
PREFETCHED = "_prefetched_objects_cache"
INTERNAL = frozenset({STATE, DB, DIRTY, PREFETCHED, "_raw", "_using"})
DEFAULT_ALIAS = "default"
NO_VALUE = LoaderCallableStatus.NO_VALUE
"""Stands in `_dirty` for the old value of a column that wasn't loaded."""


class LazyInstanceState:
    """Give SQLAlchemy the InstanceState of an instance, made on first use.

    Not a data descriptor: once made, the state in the instance's `__dict__` is found first.
    """

    def __get__(self, instance: Any, owner: type[Any]) -> Any:
        if instance is None:
            raise AttributeError(STATE)  # as on any class that isn't instrumented this way
        manager: Any = manager_of_class(owner)
        if manager is None or not manager.is_mapped:
            raise AttributeError(STATE)
        return make_state(instance, instance.__dict__, manager)


def make_state(instance: Any, values: dict[str, Any], manager: Any) -> Any:
    """Build the InstanceState of an instance that has none, with its identity and its changes."""
    mapper = manager.mapper
    if not mapper.configured:
        mapper._check_configure()
        if not mapper.configured:
            raise_unresolved(mapper.class_)
    state: Any = InstanceState(instance, manager)
    values[STATE] = state
    if DB in values:
        give_key(state, values, mapper)
        for attname, old in values.get(DIRTY, {}).items():
            if attname in manager:
                state._modified_event(values, manager[attname].impl, old)
    else:
        for name in [name for name, value in values.items() if type(value) is DatabaseDefault]:
            del values[name]  # SQLAlchemy leaves out what isn't set, and reads what the database chose
        # Objects that were set before: to be cascaded to, and to be copied from when this one is flushed.
        for name in mapper.relationships.keys():  # noqa: SIM118 - not a dict
            if values.get(name) is not None:
                state._modified_event(values, manager[name].impl, NO_VALUE)
    return state


def give_key(state: Any, values: dict[str, Any], mapper: Any) -> None:
    """Tell SQLAlchemy that the row exists."""
    key = tuple(values.get(mapper.get_property_by_column(column).key) for column in mapper.primary_key)
    if None not in key:
        state.key = mapper.identity_key_from_primary_key(key)


def raise_unresolved(model: Any) -> None:
    """Raise UnresolvedRelation for the first relation of a model whose target doesn't exist."""
    for cls in (model, *model._meta.get_parent_list()):
        for field in (*cls._meta.local_fields, *cls._meta.local_many_to_many):
            if field.is_relation and not field.is_resolved:
                field.unresolved()
    raise UnresolvedRelation(
        f"{model._meta.label} isn't mapped yet: a model that it refers to doesn't exist."
    )


def row_exists(values: dict[str, Any]) -> bool:
    """Tell from an instance's `__dict__` whether its row is known to exist."""
    return DB in values


def mark_dirty(values: dict[str, Any], attname: str) -> None:
    """Note that a column of a loaded instance is about to be set."""
    dirty = values.get(DIRTY)
    if dirty is None:
        dirty = values[DIRTY] = {}
    if attname not in dirty:
        dirty[attname] = values.get(attname, NO_VALUE)


def written(instance: Any) -> None:
    """Bring SQLAlchemy's state, if there is one, in step after our own save wrote the instance."""
    values = instance.__dict__
    state = values.get(STATE)
    if state is None or state.session_id is not None:
        return
    if DB in values and state.key is None:
        give_key(state, values, state.manager.mapper)
    state._commit_all(values)


def deleted(instance: Any) -> None:
    """Bring SQLAlchemy's state, if there is one, in step after our own delete removed the row."""
    values = instance.__dict__
    state = values.get(STATE)
    if state is not None and state.session_id is None:
        del values[STATE]


class ModelState:
    """`instance._state`, as Django has it: a view on the instance's `__dict__`."""

    __slots__ = ("_values", "_instance")

    def __init__(self, instance: Any) -> None:
        self._instance = instance
        self._values: dict[str, Any] = instance.__dict__

    def __repr__(self) -> str:
        return f"<ModelState: adding={self.adding}, db={self.db!r}>"

    @property
    def adding(self) -> bool:
        """Whether the row isn't known to exist."""
        return DB not in self._values

    @adding.setter
    def adding(self, value: bool) -> None:
        values = self._values
        if value and DB in values:
            values["_using"] = values.pop(DB)
            values.pop(DIRTY, None)
            values.pop(STATE, None)
        elif not value and DB not in values:
            values[DB] = values.pop("_using", None) or DEFAULT_ALIAS

    @property
    def db(self) -> str | None:
        """The alias of the database that the row is in, or should go to."""
        alias: str | None = self._values.get(DB) or self._values.get("_using")
        return None if alias is None else str(alias)

    @db.setter
    def db(self, alias: str | None) -> None:
        self._values[DB if DB in self._values else "_using"] = alias

    @property
    def fetch_mode(self) -> FetchMode:
        """What reading an attribute does that isn't loaded."""
        return query.mode_of(self._instance)

    @fetch_mode.setter
    def fetch_mode(self, mode: FetchMode) -> None:
        query.fetch_modes.give_mode(self._instance, mode)

    @property
    def peers(self) -> tuple[ref[Any], ...]:
        """Weak references to the objects that were loaded together with this one, itself included."""
        return tuple(map(ref, query.fetch_modes.peers_of(self._instance)))

    @property
    def fields_cache(self) -> FieldsCache:
        """The related objects that the instance holds, by field name."""
        return FieldsCache(self._instance)


class FieldsCache(MutableMapping[str, Any]):
    """The related objects that an instance holds: forward ones by field name, reverse one-to-one by accessor."""

    __slots__ = ("_instance",)

    def __init__(self, instance: Any) -> None:
        self._instance = instance

    def _place(self, name: str) -> dict[str, Any]:
        values: dict[str, Any] = self._instance.__dict__
        if any(field.name == name for field in self._instance._meta.fields):
            return values
        place: dict[str, Any] = values.setdefault(PREFETCHED, {})
        return place

    def __getitem__(self, name: str) -> Any:
        return self._place(name)[name]

    def __setitem__(self, name: str, value: Any) -> None:
        self._place(name)[name] = value

    def __delitem__(self, name: str) -> None:
        del self._place(name)[name]

    def __iter__(self) -> Iterator[str]:
        values = self._instance.__dict__
        held = values.get(PREFETCHED, {})
        for field in self._instance._meta.fields:
            if field.is_relation and field.name in values:
                yield field.name
        for rel in self._instance._meta.related_objects:
            if not rel.multiple and rel.cache_name in held:
                yield rel.cache_name

    def __len__(self) -> int:
        return sum(1 for _ in self)


# Keeping our record in step with a Session.


def _before_insert(mapper: Any, connection: Any, instance: Any) -> None:
    for field in instance._meta.stamped_fields:
        field.pre_save(instance, True)


def _before_update(mapper: Any, connection: Any, instance: Any) -> None:
    if instance._meta.stamped_fields and instance.__dict__[STATE].committed_state:
        for field in instance._meta.stamped_fields:
            field.pre_save(instance, False)


def _loaded(instance: Any, context: Any) -> None:
    instance.__dict__.setdefault(DB, alias_of(context.session))


def _refreshed(instance: Any, context: Any, attrs: Any) -> None:
    forget_changes(instance.__dict__, attrs)


def _expired(instance: Any, attrs: Any) -> None:
    if instance is not None:  # nobody holds the object any more
        forget_changes(instance.__dict__, attrs)


def _flushed(mapper: Any, connection: Any, instance: Any) -> None:
    values = instance.__dict__
    values.pop(DIRTY, None)
    if DB not in values:
        values[DB] = values.pop("_using", None) or DEFAULT_ALIAS


def _row_deleted(mapper: Any, connection: Any, instance: Any) -> None:
    instance.__dict__.pop(DB, None)
    instance.__dict__.pop(DIRTY, None)


def _rolled_back_insert(session: Any, instance: Any) -> None:
    values = getattr(instance, "__dict__", {})  # None where nobody holds the object any more
    if DB in values and STATE in values:
        values["_using"] = values.pop(DB)
        values.pop(DIRTY, None)


def _rolled_back_delete(session: Any, instance: Any) -> None:
    if hasattr(instance, "_meta") and STATE in instance.__dict__:
        instance.__dict__.setdefault(DB, alias_of(session))


def forget_changes(values: dict[str, Any], attnames: Any = None) -> None:
    """Drop the record of changes, of some columns or of all."""
    dirty = values.get(DIRTY)
    if not dirty:
        return
    if attnames is None:
        del values[DIRTY]
        return
    for name in attnames:
        dirty.pop(name, None)
    if not dirty:
        del values[DIRTY]


def alias_of(session: Any) -> str:
    """Return the alias of the database that a session works on, as far as it says so in `session.info`."""
    return str(session.info.get("ormolu_alias", DEFAULT_ALIAS)) if session is not None else DEFAULT_ALIAS


def listen(base: type[Any]) -> None:
    """Keep instances of `base` and its subclasses in step with what a Session does with them."""
    event.listen(base, "load", _loaded, propagate=True)
    event.listen(base, "refresh", _refreshed, propagate=True)
    event.listen(base, "expire", _expired, propagate=True)
    event.listen(base, "before_insert", _before_insert, propagate=True)
    event.listen(base, "before_update", _before_update, propagate=True)
    event.listen(base, "after_insert", _flushed, propagate=True)
    event.listen(base, "after_update", _flushed, propagate=True)
    event.listen(base, "after_delete", _row_deleted, propagate=True)
    event.listen(Session, "persistent_to_transient", _rolled_back_insert)
    event.listen(Session, "deleted_to_persistent", _rolled_back_delete)
