"""What is known about an instance's row, for us and for SQLAlchemy.

An instance's `__dict__` is the record: a loaded column stands under its attname; `_db` is there exactly when the row
is known to exist; `_dirty` holds the old values of columns that were set since. SQLAlchemy's InstanceState is made of
these when SQLAlchemy first asks for it, and kept in step from then on.
"""

from __future__ import annotations

from collections.abc import Iterator, MutableMapping
from typing import TYPE_CHECKING, Any, cast
from weakref import ref

from sqlalchemy import event
from sqlalchemy.exc import UnboundExecutionError
from sqlalchemy.orm import LoaderCallableStatus, PassiveFlag, Session, object_session
from sqlalchemy.orm.instrumentation import manager_of_class
from sqlalchemy.orm.state import InstanceState
from sqlalchemy.util.concurrency import await_only, in_greenlet

from ormolu import query
from ormolu.exceptions import UnresolvedRelation
from ormolu.fields.options import DatabaseDefault
from ormolu.writes import unsure
from ormolu.writes.unsure import UNSURE

if TYPE_CHECKING:
    from ormolu.query.fetch_modes import FetchMode

STATE = "_sa_instance_state"
DB = "_db"
USING = "_using"
"""Where the alias of an object stands that has no row: of the database that it should go to, or was deleted from."""
DIRTY = "_dirty"
PREFETCHED = "_prefetched_objects_cache"
INTERNAL = frozenset({STATE, DB, USING, DIRTY, PREFETCHED, UNSURE, "_raw"})
LAST_RUN = "ormolu_last_run"
COLUMNS = "ormolu_columns"
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
        missing = columns_of(manager).difference(values)
        if missing:  # only() and defer() left them out: to SQLAlchemy they would be None
            state.callables = {name: LoadColumn(name) for name in missing}
        if UNSURE in values:
            unsure.settle(instance, values)
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


class LoadColumn:
    """Load a column that a queryset left out, when it is read from an object that a Session holds."""

    __slots__ = ("name",)

    def __init__(self, name: str) -> None:
        self.name = name

    def __call__(self, state: Any, passive: Any) -> Any:
        if state.key is None:
            return LoaderCallableStatus.ATTR_EMPTY
        if not passive & PassiveFlag.SQL_OK:
            return LoaderCallableStatus.PASSIVE_NO_RESULT
        state.expired_attributes.add(self.name)
        return state._load_expired(state, passive)


def columns_of(manager: Any) -> frozenset[str]:
    """Return the names of a class's columns, but for those that its mapping defers. Found out once for a mapping."""
    attributes = manager.mapper.column_attrs
    known: tuple[Any, frozenset[str]] | None = manager.info.get(COLUMNS)
    if known is None or known[0] is not attributes:
        found = frozenset(name for name in attributes.keys() if manager[name].impl.callable_ is None)  # noqa: SIM118
        known = manager.info[COLUMNS] = attributes, found
    return known[1]


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
            values[USING] = values.pop(DB)
            values.pop(DIRTY, None)
            values.pop(STATE, None)
        elif not value and DB not in values:
            values[DB] = values.pop(USING, None) or DEFAULT_ALIAS
            self._count_as_changed()

    @property
    def db(self) -> str | None:
        """The alias of the database that the row is in, or should go to."""
        alias: str | None = self._values.get(DB) or self._values.get(USING)
        return None if alias is None else str(alias)

    @db.setter
    def db(self, alias: str | None) -> None:
        values = self._values
        if DB not in values:
            values[USING] = alias
        elif values[DB] != alias:
            values[DB] = alias
            self._count_as_changed()

    def _count_as_changed(self) -> None:
        """Let the next save write all columns: nobody knows what the row is that the object now stands for."""
        meta = self._instance._meta
        keys = set(meta.pk_fields)
        names = [f.attname for f in meta.concrete_fields if f not in keys and f.attname in self._values]
        unsure.mark_changed(self._instance, self._values, names)

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
        _stamp(field, instance, True)


def _before_update(mapper: Any, connection: Any, instance: Any) -> None:
    if instance._meta.stamped_fields and instance.__dict__[STATE].committed_state:
        for field in instance._meta.stamped_fields:
            _stamp(field, instance, False)


def _stamp(field: Any, instance: Any, add: bool) -> None:
    """Call a field's pre_save(); under an asynchronous session in a thread, where it stores a file."""
    waits = getattr(field, "waits_for_storage", None)
    if waits is not None and in_greenlet() and waits(instance.__dict__):
        import asyncio

        await_only(asyncio.to_thread(field.pre_save, instance, add))
    else:
        field.pre_save(instance, add)


def _loaded(instance: Any, context: Any) -> None:
    from ormolu.models import in_place  # imported when a Session loads the first object

    values = instance.__dict__
    mapper = cast(Any, type(instance)).__mapper__
    if context is None:  # merge() has made it: a new object, or with load=False one that has a row
        session = object_session(instance)
        if DB not in values and values[STATE].key is not None:
            values[DB] = alias_of(session, mapper)
        return
    if DB not in values:
        values[DB] = _alias_of_loaded(context, mapper)
    in_place.remember(instance, context.session)


def _alias_of_loaded(context: Any, mapper: Any) -> str:
    """Return the alias of what a query of a Session loads, asked once for all of its rows of a model."""
    info = context.session.info
    run, found = info.get(LAST_RUN, (None, {}))
    if run != context.runid:
        run, found = info[LAST_RUN] = (context.runid, {})
    if mapper not in found:
        found[mapper] = alias_of(context.session, mapper)
    return found[mapper]  # type: ignore[no-any-return]


def _refreshed(instance: Any, context: Any, attrs: Any) -> None:
    from ormolu.models import in_place

    forget_changes(instance.__dict__, attrs)
    # Not context.session: an UPDATE of the Session's that is repeated on its objects, and a composite(), have none.
    in_place.remember(instance, object_session(instance), attrs)


def _expired(instance: Any, attrs: Any) -> None:
    if instance is not None:  # nobody holds the object any more
        forget_changes(instance.__dict__, attrs)


def _flushed(mapper: Any, connection: Any, instance: Any) -> None:
    from ormolu.models import in_place

    values = instance.__dict__
    values.pop(DIRTY, None)
    if DB not in values:
        values[DB] = alias_of(object_session(instance), mapper, values.pop(USING, None), connection.engine)
    in_place.remember(instance, object_session(instance))


def _before_writing(session: Session, context: Any = None, instances: Any = None) -> None:
    from ormolu.models import in_place

    in_place.note_changes(session)


def _row_deleted(mapper: Any, connection: Any, instance: Any) -> None:
    instance.__dict__.pop(DB, None)
    instance.__dict__.pop(DIRTY, None)


def _rolled_back_insert(session: Any, instance: Any) -> None:
    values = getattr(instance, "__dict__", {})  # None where nobody holds the object any more
    if DB in values and STATE in values:
        values[USING] = values.pop(DB)
        values.pop(DIRTY, None)


def _rolled_back_delete(session: Any, instance: Any) -> None:
    if hasattr(instance, "_meta") and STATE in instance.__dict__:
        instance.__dict__.setdefault(DB, alias_of(session, cast(Any, type(instance)).__mapper__))


def forget_changes(values: dict[str, Any], attnames: Any = None) -> None:
    """Drop the record of changes, of some columns or of all."""
    if UNSURE in values:
        unsure.forget(values, attnames)
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


def alias_of(session: Any, mapper: Any, given: str | None = None, engine: Any = None) -> str:
    """Return the alias of the database that a session has a model's rows in: what its `info` says, else its engine's.

    `given` stands in for that of an engine that is nobody's; the session is asked for the engine if none is told.
    """
    if session is None:
        return given or DEFAULT_ALIAS
    named = session.info.get("ormolu_alias")
    if named is not None:
        return str(named)
    if engine is None:
        try:
            engine = session.get_bind(mapper).engine
        except UnboundExecutionError:
            return given or DEFAULT_ALIAS
    from ormolu.databases import owners  # imported when a Session loads or writes the first object

    return owners.alias_of(engine) or given or DEFAULT_ALIAS


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
    event.listen(Session, "before_flush", _before_writing)
    event.listen(Session, "before_commit", _before_writing)  # with nothing else to write it does not flush
    event.listen(Session, "persistent_to_transient", _rolled_back_insert)
    event.listen(Session, "deleted_to_persistent", _rolled_back_delete)
