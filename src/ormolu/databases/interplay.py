"""SQLAlchemy's transactions and ours, on connections of the same pool.

Connections stay in the driver's autocommit mode. Where SQLAlchemy itself begins a transaction (a Session,
`engine.begin()`), its dialect sends the BEGIN that the driver would otherwise have sent by itself. Where
SQLAlchemy works on a connection inside a transaction of ours, it neither begins nor ends anything.
"""

from __future__ import annotations

import contextlib
from collections.abc import Generator
from typing import Any

__all__ = ["active_guest", "cursor_events", "guest", "has_autocommit", "own_transactions"]

GUEST = "ormolu_guest"
"""Key in a pooled connection's `info`: its transaction is ours, so SQLAlchemy neither begins nor ends it."""


_AUTOCOMMIT_DRIVERS = ("psycopg", "asyncpg", "pymysql", "aiomysql", "asyncmy", "pysqlite", "aiosqlite")


def has_autocommit(dialect: Any) -> bool:
    """Say whether connections of this dialect are set up in their driver's autocommit mode."""
    return dialect.driver in _AUTOCOMMIT_DRIVERS


def own_transactions(engine: Any) -> None:
    """Let SQLAlchemy's own transactions begin explicitly, and leave ours alone.

    The dialect object belongs to this engine only, so its methods can be set on the instance. A "begin"
    listener would do as well, but it makes every statement of the engine take the path that looks for
    listeners.
    """
    dialect = engine.dialect
    commit, rollback, set_level = dialect.do_commit, dialect.do_rollback, dialect.set_isolation_level
    forced: set[int] = set()  # connections that a user of SQLAlchemy has set to AUTOCOMMIT

    def do_begin(connection: Any) -> None:
        if active_guest(connection) is None and id(connection.dbapi_connection) not in forced:
            emit_begin(dialect, connection)

    def do_commit(connection: Any) -> None:
        if active_guest(connection) is None:
            commit(connection)

    def do_rollback(connection: Any) -> None:
        guest = active_guest(connection)
        if guest is None:
            rollback(connection)
        else:
            guest.spoil(None)  # only the block around it can roll back; so it will

    def set_isolation_level(connection: Any, level: str) -> None:
        if level == "AUTOCOMMIT":
            forced.add(id(connection))
            set_level(connection, level)
            return
        forced.discard(id(connection))
        set_level(connection, level)
        if level == dialect.default_isolation_level:
            restore_autocommit(dialect, connection)

    dialect.do_begin = do_begin
    dialect.do_commit = do_commit
    dialect.do_rollback = do_rollback
    dialect.set_isolation_level = set_isolation_level


def cursor_events(engine: Any) -> bool:
    """Say whether somebody listens to an engine's statements. Asked only if it has listeners of any kind."""
    events = engine.dispatch
    return bool(
        events.before_cursor_execute
        or events.after_cursor_execute
        or events.before_execute
        or events.after_execute
    )


@contextlib.contextmanager
def guest(conn: Any) -> Generator[None, None, None]:
    """Keep SQLAlchemy's hands off the transaction of one of our connections while it works on it."""
    info = conn.fairy.info
    before = info.get(GUEST)
    info[GUEST] = conn
    adapted = conn.fairy.dbapi_connection
    begins_itself = hasattr(adapted, "_transaction")  # asyncpg's adapter, unless it is told not to
    level = adapted.isolation_level if begins_itself else None
    if begins_itself:
        adapted.isolation_level = "autocommit"
    conn.guests += 1
    try:
        yield
    finally:
        conn.guests -= 1
        if begins_itself:
            adapted.isolation_level = level
        if before is None:
            info.pop(GUEST, None)


def active_guest(connection: Any) -> Any:
    """Return the connection of ours whose transaction this is, or None if it is SQLAlchemy's own."""
    try:
        conn = connection.info.get(GUEST)
    except NotImplementedError:  # while the dialect is set up, on the first connection
        return None
    return conn if conn is not None and conn.hosts() else None


def emit_begin(dialect: Any, connection: Any) -> None:
    """Send BEGIN if the driver is in autocommit, where it would not send one by itself."""
    adapted = connection.dbapi_connection
    native = getattr(adapted, "driver_connection", adapted)
    driver = dialect.driver
    if driver == "pysqlite":
        if native.isolation_level is None and not native.in_transaction:
            native.execute("BEGIN")
    elif driver == "aiosqlite":
        if native.isolation_level is None and not native.in_transaction:
            connection.cursor().execute("BEGIN")
    elif driver == "psycopg":
        if native.autocommit:
            connection.cursor().execute("BEGIN")
    elif driver in ("pymysql", "aiomysql", "asyncmy") and native.get_autocommit():
        connection.cursor().execute("BEGIN")


def restore_autocommit(dialect: Any, adapted: Any) -> None:
    """Put a connection back into its driver's autocommit mode after SQLAlchemy has set another level."""
    if dialect.driver == "psycopg":
        if hasattr(adapted, "set_autocommit"):
            adapted.set_isolation_level(None)
            adapted.set_autocommit(True)
        else:
            adapted.isolation_level = None
            adapted.autocommit = True
    elif dialect.driver in ("pysqlite", "aiosqlite"):
        adapted.isolation_level = None
    elif dialect.driver in ("pymysql", "aiomysql", "asyncmy"):
        adapted.autocommit(True)
