"""SQLAlchemy engines: one for each database and mode, which owns the pool.

Connections stay in the driver's autocommit mode, so a statement outside of transactions costs one round trip. Where
SQLAlchemy itself begins a transaction (a Session, `engine.begin()`), its dialect emits the BEGIN that the driver
would otherwise have sent by itself: see `_emit_begin`.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.exc import NoSuchModuleError

from ormolu.databases.config import EXTRAS, DatabaseConfig, need
from ormolu.databases.pools import AsyncLendingPool, LendingPool
from ormolu.exceptions import ImproperlyConfigured, MissingExtra

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncEngine

    from ormolu.databases.database import Database

__all__ = ["GUEST", "make_engine"]

GUEST = "ormolu_guest"
"""Key in a pooled connection's `info`: its transaction is ours, so SQLAlchemy neither begins nor ends it."""

SQLITE_PRAGMAS: dict[str, Any] = {
    "journal_mode": "WAL",
    "synchronous": "NORMAL",
    "foreign_keys": True,
}
"""Defaults; an OPTIONS entry or a query parameter of the same name replaces one, None leaves it alone."""

_KNOWN_PRAGMAS = {
    "auto_vacuum", "cache_size", "case_sensitive_like", "foreign_keys", "journal_mode", "journal_size_limit",
    "mmap_size", "page_size", "recursive_triggers", "secure_delete", "synchronous", "temp_store", "wal_autocheckpoint",
}  # fmt: skip


def make_engine(database: Database) -> sa.Engine:
    """Make the synchronous engine of a database. Raises MissingExtra if its driver is not installed."""
    config = database.config
    arguments = pool_arguments(config, LendingPool)
    url, connect_args, pragmas = config.url, dict(config.options), None
    if config.dialect == "sqlite":
        url, pragmas = sqlite_arguments(config, connect_args)
        if config.memory:
            arguments = {"poolclass": sa.StaticPool, "pool_reset_on_return": None}
    else:
        arguments |= dialect_arguments(url, connect_args)
    engine = create(config, sa.create_engine, url, connect_args, arguments)
    if pragmas is not None:
        prepare_sqlite(engine, pragmas, config)
    own_transactions(engine)
    return engine  # type: ignore[no-any-return]


def make_async_engine(database: Database) -> AsyncEngine:
    """Make an asynchronous engine of a database, for one event loop. Raises MissingExtra without its driver."""
    from sqlalchemy.ext.asyncio import create_async_engine  # needs greenlet; only here

    config = database.config
    need("greenlet", f"Async use of the database {config.alias!r}")
    arguments = pool_arguments(config, AsyncLendingPool)
    url, connect_args, pragmas = config.async_url, dict(config.options), None
    if config.dialect == "sqlite":
        url, pragmas = sqlite_arguments(config, connect_args, url)
        connect_args.pop("check_same_thread")
        if config.memory:
            arguments = {"poolclass": sa.StaticPool, "pool_reset_on_return": None}
    elif url.get_driver_name() == "asyncpg":
        url = asyncpg_arguments(url, connect_args)
    else:
        arguments |= dialect_arguments(url, connect_args)
    engine = create(config, create_async_engine, url, connect_args, arguments)
    if pragmas is not None:
        prepare_sqlite(engine.sync_engine, pragmas, config)
    own_transactions(engine.sync_engine)
    return engine  # type: ignore[no-any-return]


def pool_arguments(config: DatabaseConfig, poolclass: type[Any]) -> dict[str, Any]:
    """Return the pool's part of create_engine()'s arguments."""
    pool = config.pool
    return {
        "poolclass": poolclass,
        "pool_size": pool.size,
        "max_overflow": pool.overflow,
        "pool_timeout": pool.timeout,
        "pool_recycle": pool.recycle,
        "pool_pre_ping": pool.pre_ping,
        "pool_use_lifo": True,
        # A connection comes back with nothing open, by construction; a ROLLBACK each time would be a round trip.
        "pool_reset_on_return": None,
    }


def dialect_arguments(url: sa.URL, connect_args: dict[str, Any]) -> dict[str, Any]:
    """Add what a driver needs to start in autocommit; return create_engine() arguments for positional parameters."""
    driver = url.get_driver_name()
    if driver in ("psycopg", "pymysql", "aiomysql", "asyncmy"):
        connect_args.setdefault("autocommit", True)
    if driver == "psycopg":
        level = connect_args.pop("isolation_level", None)
        if level is not None:
            name = str(getattr(level, "name", level)).lower().replace("_", " ")
            given = str(connect_args.get("options", ""))
            escaped = name.replace(" ", "\\ ")
            connect_args["options"] = f"{given} -c default_transaction_isolation={escaped}".strip()
    style = url.get_dialect().default_paramstyle
    positional = {"pyformat": "format", "named": "numeric" if driver in ("cx_oracle", "oracledb") else "qmark"}
    return {"paramstyle": positional[style]} if style in positional else {}


def asyncpg_arguments(url: sa.URL, connect_args: dict[str, Any]) -> sa.URL:
    """Turn options in libpq's words (sslmode, connect_timeout, ...) into asyncpg's."""
    options = {**url.query, **connect_args}
    connect_args.clear()
    settings: dict[str, str] = dict(options.pop("server_settings", None) or {})
    for name, value in options.items():
        if name == "sslmode":
            connect_args["ssl"] = value
        elif name == "connect_timeout":
            connect_args["timeout"] = float(value)
        elif name == "application_name":
            settings[name] = str(value)
        elif name == "isolation_level":
            level = str(getattr(value, "name", value)).lower().replace("_", " ")
            settings["default_transaction_isolation"] = level
        elif name == "options":
            for part in str(value).split("-c"):
                key, equals, text = part.strip().partition("=")
                if equals:
                    settings[key.strip()] = text.strip().replace("\\ ", " ")
        elif name == "prepare_threshold":
            if value is None:  # psycopg's way to say: never prepare, there is a PgBouncer
                connect_args |= {"statement_cache_size": 0, "prepared_statement_cache_size": 0}
        elif name not in ("server_side_binding", "binary", "autocommit"):
            connect_args[name] = value
    if settings:
        connect_args["server_settings"] = settings
    connect_args.setdefault("statement_cache_size", 512)
    for name in ("statement_cache_size", "prepared_statement_cache_size", "max_cached_statement_lifetime"):
        if isinstance(connect_args.get(name), str):
            connect_args[name] = int(connect_args[name])
    return url.set(query={})


def create(config: DatabaseConfig, make: Any, url: sa.URL, connect_args: Any, arguments: dict[str, Any]) -> Any:
    """Call create_engine(), with errors that name the alias and the cure."""
    try:
        return make(url, connect_args=connect_args, **{**arguments, **config.engine_options})
    except (ImportError, NoSuchModuleError) as error:
        driver = url.drivername.partition("+")[2] or url.drivername
        raise MissingExtra(
            extra=EXTRAS.get(driver, "all"), package=driver, purpose=f"The database {config.alias!r}"
        ) from error
    except TypeError as error:
        raise ImproperlyConfigured(f"DATABASES[{config.alias!r}]: {error}") from error


# -- SQLAlchemy's transactions and ours

_AUTOCOMMIT_DRIVERS = ("psycopg", "asyncpg", "pymysql", "aiomysql", "asyncmy", "pysqlite", "aiosqlite")


def has_autocommit(dialect: Any) -> bool:
    """Say whether connections of this dialect are set up in their driver's autocommit mode."""
    return dialect.driver in _AUTOCOMMIT_DRIVERS


def own_transactions(engine: Any) -> None:
    """Let SQLAlchemy's own transactions begin explicitly, and leave ours alone.

    The dialect object belongs to this engine only, so its methods can be set on the instance. A "begin" listener
    would do as well, but it makes every statement of the engine take the path that looks for listeners.
    """
    dialect = engine.dialect
    commit, rollback, set_level = dialect.do_commit, dialect.do_rollback, dialect.set_isolation_level
    forced: set[int] = set()  # connections that a user of SQLAlchemy has set to AUTOCOMMIT

    def do_begin(connection: Any) -> None:
        if active_guest(connection) is None and id(connection.dbapi_connection) not in forced:
            emit_begin(connection)

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
def guest(conn: Any) -> Iterator[None]:
    """Keep SQLAlchemy's hands off the transaction of one of our connections while it works on it."""
    info = conn.fairy.info
    before = info.get(GUEST)
    info[GUEST] = conn
    adapted = conn.fairy.dbapi_connection
    begins_itself = hasattr(adapted, "_transaction")  # asyncpg's adapter, unless it is told not to
    level = adapted.isolation_level if begins_itself else None
    if begins_itself:
        adapted.isolation_level = "autocommit"
    try:
        yield
    finally:
        if begins_itself:
            adapted.isolation_level = level
        if before is None:
            info.pop(GUEST, None)


def active_guest(connection: Any) -> Any:
    """Return the connection of ours whose transaction this is, or None if it is SQLAlchemy's own."""
    try:
        return connection.info.get(GUEST)
    except (AttributeError, NotImplementedError):  # while the dialect is set up, on the first connection
        return None


def emit_begin(connection: Any) -> None:
    """Send BEGIN if the driver is in autocommit, where it would not send one by itself."""
    adapted = connection.dbapi_connection
    native = getattr(adapted, "driver_connection", adapted)
    if isinstance(native, sqlite3.Connection):
        if native.isolation_level is None and not native.in_transaction:
            native.execute("BEGIN")
    elif hasattr(adapted, "in_transaction") and hasattr(adapted, "isolation_level"):  # aiosqlite's adapter
        if not native.in_transaction:
            connection.cursor().execute("BEGIN")
    elif hasattr(native, "get_autocommit"):  # pymysql, aiomysql
        if native.get_autocommit():
            connection.cursor().execute("BEGIN")
    elif hasattr(native, "pgconn") and native.autocommit:
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


# -- SQLite


def sqlite_arguments(
    config: DatabaseConfig, connect_args: dict[str, Any], url: sa.URL | None = None
) -> tuple[sa.URL, dict[str, Any]]:
    """Split what a user gave for SQLite into the URL, connect() arguments and pragmas."""
    url = url if url is not None else config.url
    query = dict(url.query)
    pragmas = dict(SQLITE_PRAGMAS)
    for source in (query, connect_args):
        for name in [name for name in source if name in _KNOWN_PRAGMAS]:
            pragmas[name] = source.pop(name)
        if (busy := source.pop("busy_timeout", None)) is not None:
            connect_args["timeout"] = float(busy) / 1000 if float(busy) >= 100 else float(busy)
    pragmas.update(connect_args.pop("pragmas", None) or {})
    for statement in str(connect_args.pop("init_command", "") or "").split(";"):
        name, equals, value = statement.replace("PRAGMA", "").replace("pragma", "").partition("=")
        if equals:
            pragmas[name.strip()] = value.strip()
    if str(connect_args.pop("transaction_mode", "") or "").upper() not in (
        "",
        "IMMEDIATE",
        "DEFERRED",
        "EXCLUSIVE",
    ):
        raise ImproperlyConfigured(
            f"DATABASES[{config.alias!r}]['OPTIONS']['transaction_mode'] must be IMMEDIATE, DEFERRED or EXCLUSIVE."
        )
    connect_args.setdefault("timeout", float(query.pop("timeout", 5.0)))
    connect_args.setdefault("cached_statements", 512)
    connect_args["isolation_level"] = None
    connect_args["check_same_thread"] = False
    if config.memory or query.get("mode") in ("ro", "memory") or query.get("immutable"):
        pragmas.pop("journal_mode", None)
    if (url.database or "").startswith("file:"):
        query.setdefault("uri", "true")
    elif url.database and url.database != ":memory:":
        url = url.set(database=os.path.expanduser(url.database))
    return url.set(query=query), pragmas


def prepare_sqlite(engine: Any, pragmas: dict[str, Any], config: DatabaseConfig) -> None:
    """Set up every new SQLite connection: pragmas and functions."""
    from ormolu.databases.sqlite import functions

    statements = [f"PRAGMA {name} = {_pragma_value(config, name, value)}" for name, value in pragmas.items()
                  if value is not None]  # fmt: skip

    def prepare(connection: Any, _record: Any) -> None:
        native = getattr(connection, "driver_connection", connection)
        for statement in statements:
            native.execute(statement)
        functions.register(native)

    event.listen(engine, "connect", prepare)


def _pragma_value(config: DatabaseConfig, name: str, value: Any) -> str:
    """Return a pragma's value as SQL; it can't be a parameter, so only words and numbers pass."""
    text = str(int(value)) if isinstance(value, bool) else str(value)
    if not name.isidentifier() or not text.replace("-", "").replace("_", "").isalnum():
        raise ImproperlyConfigured(
            f"DATABASES[{config.alias!r}] has the pragma {name!r} with the value {value!r}; it must be a word or a number."
        )
    return text
