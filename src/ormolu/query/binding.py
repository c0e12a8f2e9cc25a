"""The session-bound door: querysets whose I/O goes through a SQLAlchemy session.

`Author.objects(session)` has everything that `Author.objects` has. Objects are attached to the
session: its identity map is respected, `create()` adds and flushes, nothing commits. With an
AsyncSession the plain names are coroutines: `await Author.objects(session).get(pk=1)`.
"""

from __future__ import annotations

import copy
import weakref
from collections.abc import Callable, Generator
from types import SimpleNamespace
from typing import Any, cast

import sqlalchemy.exc
from sqlalchemy.orm import attributes

from ormolu.databases.errors import translate_sqlalchemy
from ormolu.databases.sqlite import functions
from ormolu.exceptions import SynchronousOnlyOperation
from ormolu.programs import run

POSITIONAL = {"pyformat": "format", "named": "qmark", "numeric": "numeric_dollar"}
VENDORS = {"mariadb": "mysql"}
FUNCTIONS = "ormolu.functions"  # in a connection's info: it has them


class SessionConnection:
    """Runs steps on the connection of a session's transaction."""

    in_atomic = True

    def __init__(self, session: Any, connection: Any) -> None:
        self.session = session
        self.connection = connection

    def _execute(self, sql: str, params: Any, *, many: bool = False) -> Any:
        try:
            return self.connection.exec_driver_sql(sql, params if many else tuple(params) or None)
        except sqlalchemy.exc.DBAPIError as error:
            raise translate_sqlalchemy(error) from error.orig

    def fetch(self, sql: str, params: Any = ()) -> Any:
        """Return all rows."""
        return self._execute(sql, params).fetchall()

    def fetch_many(self, requests: Any) -> Any:
        """Return all rows of each statement."""
        return [self.fetch(sql, params) for sql, params in requests]

    def fetch_named(self, sql: str, params: Any = ()) -> Any:
        """Return the names of the columns, and all rows."""
        result = self._execute(sql, params)
        return list(result.keys()), result.fetchall()

    def execute(self, sql: str, params: Any = ()) -> Any:
        """Return the number of changed rows."""
        return self._execute(sql, params).rowcount

    def insert(self, sql: str, params: Any = ()) -> Any:
        """Return the key of the inserted row."""
        return self._execute(sql, params).lastrowid

    def executemany(self, sql: str, rows: Any) -> Any:
        """Run a statement for each row of parameters; return the number of changed rows."""
        found = [tuple(row) for row in rows]
        return self._execute(sql, found, many=True).rowcount if found else 0

    def enter(self, *, durable: bool = False, savepoint: bool = True, **options: Any) -> Any:
        """Begin a savepoint of the session's transaction."""
        return self.session.begin_nested() if savepoint else None

    def leave(self, token: Any, error: bool) -> None:
        """Release the savepoint, or roll back to it."""
        if token is not None and token.is_active:
            token.rollback() if error else token.commit()

    def on_commit(self, callback: Callable[[], Any], robust: bool = False) -> None:
        """Call a function after the session's next commit."""
        from sqlalchemy import event

        def committed(_session: Any) -> None:
            callback()

        event.listen(self.session, "after_commit", committed, once=True)

    def await_(self, callback: Callable[[], Any]) -> Any:
        """Await an async receiver: possible inside AsyncSession.run_sync() only."""
        from sqlalchemy.util import await_only

        try:
            return await_only(callback())
        except sqlalchemy.exc.MissingGreenlet:
            raise SynchronousOnlyOperation(
                "An async receiver can't be awaited in a synchronous session; use an AsyncSession."
            ) from None


class SessionDriver:
    """Stands in for a database's driver: runs programs on one session."""

    is_async = False

    def __init__(self, session: Any, model: Any) -> None:
        self.session = session
        self.mapper = model.__mapper__
        bind = session.get_bind(self.mapper)
        shared = shared_parts(bind.engine)
        self.dialect = shared.dialect
        self.plans = shared.plans
        self.vendor = shared.vendor
        self.database = shared.database
        self.max_params = 32_766

    def run(self, program: Callable[..., Generator[Any, Any, Any]], *args: Any) -> Any:
        """Flush what is pending, then drive a program on the session's connection."""
        self.flush()
        return run(program(self, *args), SessionConnection(self.session, self.connection()))

    def flush(self) -> None:
        """Flush what is pending, unless the session doesn't want that."""
        session = self.session
        if session.autoflush and (session.new or session.dirty or session.deleted):
            session.flush()

    def connection(self) -> Any:
        """Return the session's connection, with the SQL functions that lookups use, whoever made its engine."""
        connection = self.session.connection(bind_arguments={"mapper": self.mapper})
        if self.vendor == "sqlite" and FUNCTIONS not in connection.info:
            connection.info[FUNCTIONS] = True
            functions.register_over(connection.connection.dbapi_connection)
        return connection

    def stream(self, sql: str, params: Any, chunk_size: int) -> Any:
        """Flush what is pending, then yield lists of rows."""
        self.flush()
        options = {"stream_results": True}  # of this statement alone: a connection would keep them
        run = self.connection().exec_driver_sql
        with run(sql, tuple(params) or None, execution_options=options) as result:
            yield from result.partitions(chunk_size)

    def adopt(self, found: list[Any]) -> list[Any]:
        """Attach objects to the session; one that it holds already is given in place of its double."""
        seen: dict[int, Any] = {}
        return [attach(self.session, instance, seen) for instance in found]


class AsyncSessionDriver:
    """The same for an AsyncSession: a program runs as a whole in its greenlet."""

    def __init__(self, session: Any, model: Any) -> None:
        self.session = session
        self.model = model

    async def arun(self, program: Callable[..., Generator[Any, Any, Any]], *args: Any) -> Any:
        """Flush what is pending, then drive a program on the session's connection."""

        def drive(session: Any) -> Any:
            return SessionDriver(session, self.model).run(program, *args)

        return await self.session.run_sync(drive)


def driver_of(instance: Any) -> SessionDriver | None:
    """Return what runs the programs of an object that a session holds: on that session. None for other objects.

    On another connection they would not see the session's work, and might wait for its locks.
    """
    state = instance.__dict__.get("_sa_instance_state")
    if state is None or state.session_id is None or state.session is None:
        return None
    return SessionDriver(state.session, type(instance))


def adriver_of(instance: Any) -> AsyncSessionDriver | None:
    """The same in async code, for an object that an AsyncSession holds."""
    state = instance.__dict__.get("_sa_instance_state")
    if state is None or state.session_id is None:
        return None
    session = state.async_session
    return None if session is None else AsyncSessionDriver(session, type(instance))


_shared: weakref.WeakKeyDictionary[Any, Any] = weakref.WeakKeyDictionary()


def shared_parts(engine: Any) -> Any:
    """Return what all sessions of an engine share: a dialect with positional parameters, and plans."""
    found = _shared.get(engine)
    if found is None:
        dialect = copy.copy(engine.dialect)
        dialect.paramstyle = POSITIONAL.get(dialect.paramstyle, dialect.paramstyle)
        dialect.positional = True
        vendor = VENDORS.get(dialect.name, dialect.name)
        database = SimpleNamespace(alias=alias_of(engine), vendor=vendor, engine=engine)
        found = _shared[engine] = SimpleNamespace(dialect=dialect, plans={}, vendor=vendor, database=database)
    return found


def alias_of(engine: Any) -> str:
    """Return the alias of the database that an engine belongs to."""
    from ormolu import databases

    for database in databases.opened():
        if engine.url == database.engine.url:
            return database.alias
    return "default"


def attach(session: Any, instance: Any, seen: dict[int, Any]) -> Any:
    """Return the session's object for a loaded one, attached; related objects that were loaded along, too."""
    if id(instance) in seen:
        return seen[id(instance)]
    mapper: Any = cast(Any, type(instance)).__mapper__
    values = instance.__dict__
    key = mapper.identity_key_from_primary_key(
        tuple(values[mapper.get_property_by_column(column).key] for column in mapper.primary_key)
    )
    kept = session.identity_map.get(key)
    if kept is None:
        seen[id(instance)] = instance
        related(session, instance, seen)
        session.add(instance)
        return instance
    seen[id(instance)] = kept
    related(session, instance, seen)
    state, held = attributes.instance_state(kept), kept.__dict__
    for name, value in values.items():
        if name == "_prefetched_objects_cache":
            held.setdefault(name, {}).update(value)
        elif name not in held or name not in mapper.attrs:
            held[name] = value
            state.expired_attributes.discard(name)
    return kept


def related(session: Any, instance: Any, seen: dict[int, Any]) -> None:
    """Attach the objects that an object holds."""
    values = instance.__dict__
    for name, value in list(values.items()):
        if hasattr(value, "_meta") and "_db" in value.__dict__:
            values[name] = attach(session, value, seen)
    cache: dict[str, Any] = values.get("_prefetched_objects_cache") or {}
    for name, value in list(cache.items()):
        if isinstance(value, list):
            cache[name] = [attach(session, item, seen) for item in cast(Any, value)]
        elif hasattr(value, "_meta"):
            cache[name] = attach(session, value, seen)


def is_async(session: Any) -> bool:
    """Tell whether a session is asynchronous."""
    return hasattr(session, "run_sync")


def bind(manager: Any, session: Any) -> Any:
    """Return the queryset of a manager bound to a session: Session, AsyncSession, or a scoped one."""
    from ormolu.query.session_querysets import AsyncSessionQuerySet, session_queryset

    target = session
    if hasattr(session, "registry") and not hasattr(session, "sync_session") and callable(session.registry):
        target = session()  # scoped_session and async_scoped_session hold the real one
    if is_async(target):
        bound: AsyncSessionQuerySet[Any, Any] = AsyncSessionQuerySet(manager, target)
        return bound
    if not hasattr(target, "connection") or not hasattr(target, "identity_map"):
        raise TypeError(
            f"{manager.model.__name__}.objects(session) takes a SQLAlchemy Session or AsyncSession, not {session!r}."
        )
    return session_queryset(manager, target)
