"""What repositories write past the unit of work: rows in bulk, with conflicts, and deletions by on_delete."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Literal, cast

import sqlalchemy as sa
from sqlalchemy.exc import InvalidRequestError

from ormolu.exceptions import NotSupportedError
from ormolu.programs import Program, atomically
from ormolu.query import binding
from ormolu.query.async_session_querysets import AsyncSessionQuerySet
from ormolu.query.binding import SessionDriver
from ormolu.query.queryset import QuerySet
from ormolu.query.session_querysets import SessionQuerySet, bound
from ormolu.writes.bulk import prepared
from ormolu.writes.conflicts import Conflict
from ormolu.writes.writers import writer_for

__all__ = ["OnConflict", "delete", "insert", "on_session", "refresh"]

OnConflict = Literal["fail", "nothing", "update"]
DB = "_db"  # in the `__dict__` of an object that has a row
POLICIES = ("fail", "nothing", "update")
_MOST = 5_000


def insert(
    session: Any,
    model: Any,
    rows: Iterable[Any],
    on_conflict: str,
    unique_fields: Iterable[str] | None,
    update_fields: Iterable[str] | None,
    batch_size: int | None,
) -> list[Any]:
    """Insert rows through a Session, all or none; return the session's objects. See `Repository.bulk_insert()`."""
    if on_conflict not in POLICIES:
        raise ValueError(f"on_conflict is one of {', '.join(map(repr, POLICIES))}, not {on_conflict!r}.")
    unique = None if unique_fields is None else tuple(unique_fields)
    if on_conflict == "update" and not unique:
        raise ValueError(
            'on_conflict="update" must be told which row is the same: unique_fields=["email"], for instance.'
        )
    found = list(rows)
    if not found:
        return []
    driver = _driver_of(session, model)
    objects = model._base_manager(session)
    with session.begin_nested():  # an error leaves the session and its transaction as they were
        if on_conflict == "nothing" and not unique:
            made = [_instance(model, row) for row in found]
            return _of_keys(objects, model, made, driver.run(insert_new, model, made, batch_size))
        if on_conflict == "fail":
            made = [_instance(model, row) for row in found]
            objects.bulk_create(made, batch_size=batch_size or _MOST)
            return driver.adopt(made)
        # Not the bound queryset's own, which has all objects of the session read again.
        upsert: Any = cast(Any, QuerySet).bulk_upsert
        result: Any = upsert(
            objects,
            found,
            unique_fields=unique,
            update_fields=() if on_conflict == "nothing" else update_fields,
            batch_size=batch_size,
        )
        if on_conflict == "nothing":
            return driver.adopt(result.inserted)
        for instance in result.updated:
            _expire_twin(session, instance)
        written = {id(instance) for instance in (*result.inserted, *result.updated)}
        return driver.adopt([instance for instance in result.objects if id(instance) in written])


def _driver_of(session: Any, model: Any) -> SessionDriver:
    """Return what runs programs on a Session, with a dialect that knows its server: what RETURNING there is."""
    session.connection(bind_arguments={"mapper": model.__mapper__})
    driver = SessionDriver(session, model)
    if driver.dialect.server_version_info is None:  # it was copied before the engine's first connection
        binding._shared.pop(driver.database.engine, None)
        driver = SessionDriver(session, model)
    return driver


def _expire_twin(session: Any, instance: Any) -> None:
    """Let the object that the session holds for the same row take what the row holds now."""
    mapper: Any = cast(Any, type(instance)).__mapper__
    values = instance.__dict__
    key = tuple(values[mapper.get_property_by_column(column).key] for column in mapper.primary_key)
    held = session.identity_map.get(mapper.identity_key_from_primary_key(key))
    if held is not None and held is not instance:
        session.expire(held)


def _instance(model: Any, row: Any) -> Any:
    if isinstance(row, Mapping):
        return model(**row)
    if not isinstance(row, model):
        raise TypeError(f"bulk_insert() of {model.__name__} takes its objects, or dictionaries, not {row!r}.")
    return row


class AnyConflict(Conflict):
    """Leave rows out that any constraint refuses, and tell which were inserted."""

    def __init__(self) -> None:
        super().__init__(False, explicit=True)

    def build(self, driver: Any, table: Any) -> Any:
        """Return an INSERT that passes over what conflicts."""
        return Conflict(False).build(driver, table)


def insert_new(driver: Any, model: Any, instances: list[Any], batch_size: int | None) -> Program[list[Any]]:
    """Insert the instances that conflict with no row; return the keys of the new rows, as tuples."""
    writer = writer_for(driver, model)
    if not driver.dialect.insert_returning:
        raise NotSupportedError(
            "This database doesn't tell which rows it has inserted: bulk_insert() needs unique_fields here."
        )
    if writer.parents:
        raise ValueError("Can't bulk insert a multi-table inherited model")
    insertions = yield from prepared(
        writer, instances, AnyConflict(), batch_size, True, "bulk_insert", apart=True
    )
    yield from atomically(_each(insertions), savepoint=False)
    keys: list[Any] = []
    for insertion in insertions:
        loads = [c.load for c in insertion.plan.returning[: len(writer.keys)]]
        keys += [
            tuple(part if load is None else load(part) for part, load in zip(row, loads))
            for row in insertion.found
        ]
    return keys


def _each(insertions: Iterable[Any]) -> Program[None]:
    for insertion in insertions:
        yield from insertion.run()


def _of_keys(objects: Any, model: Any, made: list[Any], keys: list[Any]) -> list[Any]:
    """Return the objects of the rows that were inserted, in the order in which they were given as far as that's known.

    They are read: columns that the database fills have its values.
    """
    names = [field.attname for field in model._meta.pk_fields]
    order = {tuple(i.__dict__.get(name) for name in names): n for n, i in enumerate(made)}
    found: dict[Any, Any] = {}
    for start in range(0, len(keys), _MOST):
        part = keys[start : start + _MOST]
        wanted = [key[0] if len(key) == 1 else key for key in part]
        for instance in objects.filter(pk__in=wanted):
            found[tuple(getattr(instance, name) for name in names)] = instance
    if all(key in order for key in keys):
        keys = sorted(keys, key=order.__getitem__)
    return [found[key] for key in keys if key in found]


def on_session(query: Any, model: Any, session: Any) -> Any:
    """Return a queryset of a model that asks through a Session. Raises TypeError for what is no query of the model."""
    if isinstance(query, AsyncSessionQuerySet):
        query = cast(Any, query)._queryset
    found: Any = query
    if not isinstance(found, QuerySet):
        raise TypeError(
            f"A query is a selection (repository.where()), a QuerySet, or a Select of {model.__name__}, not {query!r}."
        )
    asked: Any = cast(Any, found).model
    if not issubclass(asked, model):
        raise TypeError(f"The query is of {asked.__name__}, and the repository of {model.__name__}.")
    if isinstance(found, SessionQuerySet) and found.session is session:
        return cast(Any, found)
    return bound(cast(Any, found).all(), asked, session)  # without what it has found elsewhere


def delete(session: Any, instance: Any) -> None:
    """Delete an object's row through a Session, as on_delete says; the object leaves the session."""
    state: Any = sa.inspect(instance)
    if state.pending:
        session.expunge(instance)
        return
    if state.transient:
        raise ValueError(f"{instance!r} can't be deleted: it has no row.")
    if state.detached:
        session.add(instance)
    instance.delete()
    if instance in session and DB not in instance.__dict__:  # its class may only mark rows as deleted
        session.expunge(instance)


def refresh(session: Any, instance: Any) -> None:
    """Load an object's columns again through a Session. Raises DoesNotExist where the row is gone."""
    try:
        session.refresh(instance)
    except InvalidRequestError as error:
        if not sa.inspect(instance).persistent:
            raise
        model: Any = cast(Any, type(instance))
        raise model.DoesNotExist(f"{type(instance).__name__} matching query does not exist.") from error
