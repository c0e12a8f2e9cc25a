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

from ormolu.databases import owners
from ormolu.databases.errors import translate_sqlalchemy
from ormolu.databases.sqlite import functions
from ormolu.exceptions import SynchronousOnlyOperation
from ormolu.programs import run
from ormolu.query.after_commit import after_commit

POSITIONAL = {"pyformat": "format", "named": "qmark", "numeric": "numeric_dollar"}
VENDORS = {"mariadb": "mysql"}
FUNCTIONS = "ormolu.functions"  # in a connection's info: it has them


def flush(session: Any) -> None:
    """Flush; errors of the database are ours, which are SQLAlchemy's as well."""
    try:
        session.flush()
    except sqlalchemy.exc.DBAPIError as error:
        raise translate_sqlalchemy(error) from error.orig


class SessionConnection:
    """Runs steps on the connection of a session's transaction."""

    in_atomic = True
    calls_here = True
    """A user's synchronous function is called where it is: the session can't be used from a thread of another's."""
    # The session itself knows what a rollback undoes.
    blocks = savepoints = ()
    eras = None

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
        """Call a function after the commit of the session's transaction."""
        after_commit(self.session, callback, robust)

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
        self._share(session.get_bind(self.mapper).engine)

    def _share(self, engine: Any) -> None:
        shared = shared_parts(engine)
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
            flush(session)

    def connection(self) -> Any:
        """Return the session's connection, with the SQL functions that lookups use, whoever made its engine."""
        return self._with_functions(self.session.connection(bind_arguments={"mapper": self.mapper}))

    def _with_functions(self, connection: Any) -> Any:
        if self.vendor == "sqlite" and FUNCTIONS not in connection.info:
            connection.info[FUNCTIONS] = True
            functions.register_over(connection.connection.dbapi_connection)
        return connection

    def untouched(self) -> bool:
        """Tell whether the next statement is the first one of the session's transaction, on SQLite."""
        session = self.session
        if self.vendor != "sqlite" or session.new or session.dirty or session.deleted:
            return False
        transaction = session.get_transaction()
        return transaction is None or (transaction.nested is False and not transaction._connections)

    def begin_again(self) -> None:
        """Let go of what SQLite's transaction has read, which was its first statement.

        Begun by reading, it could not write any more once another connection has: "database is locked", at once.
        """
        connection = self.connection()
        adapted = connection.connection.dbapi_connection
        if getattr(adapted, "driver_connection", adapted).in_transaction:
            connection.exec_driver_sql("COMMIT")
            connection.exec_driver_sql("BEGIN")

    def stream(self, sql: str, params: Any, chunk_size: int) -> Any:
        """Flush what is pending, then yield lists of rows."""
        self.flush()
        options = {"stream_results": True}  # of this statement alone: a connection would keep them
        run = self.connection().exec_driver_sql
        try:
            with run(sql, tuple(params) or None, execution_options=options) as result:
                yield from result.partitions(chunk_size)
        except sqlalchemy.exc.DBAPIError as error:
            raise translate_sqlalchemy(error) from error.orig

    def adopt(self, found: list[Any], locked: bool = False) -> list[Any]:
        """Attach objects to the session; one that it holds already is given in place of its double.

        What was `locked` is as it was read: the session's objects take it, but for what was set and isn't flushed.
        """
        seen: dict[int, Any] = {}
        return [attach(self.session, instance, seen, locked) for instance in found]


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
        alias = owners.alias_of(engine) or "default"
        database = SimpleNamespace(alias=alias, vendor=vendor, engine=engine)
        found = _shared[engine] = SimpleNamespace(dialect=dialect, plans={}, vendor=vendor, database=database)
    return found


def attach(session: Any, instance: Any, seen: dict[int, Any], locked: bool = False) -> Any:
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
        related(session, instance, seen, locked)
        session.add(instance)
        return instance
    seen[id(instance)] = kept
    related(session, instance, seen, locked)
    state, held = attributes.instance_state(kept), kept.__dict__
    for name, value in values.items():
        if name == "_prefetched_objects_cache":
            held.setdefault(name, {}).update(value)
        elif name not in held or name not in mapper.attrs:
            held[name] = value
            state.expired_attributes.discard(name)
        elif locked and name not in state.committed_state and held[name] != value:
            attributes.set_committed_value(kept, name, value)
            forget_related(kept, name)
    return kept


def forget_related(instance: Any, attname: str) -> None:
    """Forget the object that a key led to before it was read anew."""
    for field in instance._meta.concrete_fields:
        if field.is_relation and field.attname == attname:
            instance.__dict__.pop(field.name, None)


def related(session: Any, instance: Any, seen: dict[int, Any], locked: bool) -> None:
    """Attach the objects that an object holds."""
    values = instance.__dict__
    for name, value in list(values.items()):
        if hasattr(value, "_meta") and "_db" in value.__dict__:
            values[name] = attach(session, value, seen, locked)
    cache: dict[str, Any] = values.get("_prefetched_objects_cache") or {}
    for name, value in list(cache.items()):
        if isinstance(value, list):
            cache[name] = [attach(session, item, seen, locked) for item in cast(Any, value)]
        elif hasattr(value, "_meta"):
            cache[name] = attach(session, value, seen, locked)


def is_async(session: Any) -> bool:
    """Tell whether a session or connection is asynchronous."""
    return hasattr(session, "run_sync")


def is_scoped(value: Any) -> bool:
    """Tell whether something is a scoped_session or an async_scoped_session."""
    return hasattr(value, "registry") and callable(value) and not isinstance(value, type)


def is_session(value: Any) -> bool:
    """Tell whether something is what a manager can be bound to: a session, a scoped one, or a connection."""
    if isinstance(value, (str, type)) or value is None:
        return False
    if is_scoped(value):
        return True
    if hasattr(value, "run_sync"):
        return hasattr(value, "sync_session") or hasattr(value, "sync_connection")
    return (hasattr(value, "connection") and hasattr(value, "identity_map")) or hasattr(
        value, "exec_driver_sql"
    )


def real(session: Any, what: str) -> Any:
    """Return a session or connection; of a scoped one the one of the moment. Raises TypeError for anything else."""
    if not is_session(session):
        raise TypeError(
            f"{what} takes a SQLAlchemy Session or AsyncSession, a scoped one, a Connection or an AsyncConnection, "
            f"not {session!r}."
        )
    return session() if is_scoped(session) else session


def sync_of(session: Any) -> Any:
    """Return the synchronous session or connection inside an asynchronous one, or what was given."""
    if not is_async(session):
        return session
    return session.sync_session if hasattr(session, "sync_session") else session.sync_connection
