"""SQLAlchemy engines: one for each database and mode, which owns the pool.

Connections stay in the driver's autocommit mode, so a statement outside of transactions costs one round trip. Where
SQLAlchemy itself begins a transaction (a Session, `engine.begin()`), its dialect emits the BEGIN that the driver
would otherwise have sent by itself: see `_emit_begin`.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.exc import NoSuchModuleError

from ormolu.databases.config import EXTRAS, DatabaseConfig
from ormolu.databases.pools import LendingPool
from ormolu.exceptions import ImproperlyConfigured, MissingExtra

if TYPE_CHECKING:
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
    arguments = pool_arguments(config)
    url = config.url
    connect_args = dict(config.options)
    pragmas: dict[str, Any] = {}
    if config.dialect == "sqlite":
        url, pragmas = sqlite_arguments(config, connect_args)
        if config.memory:
            arguments = {"poolclass": sa.StaticPool}
    engine = create(config, sa.create_engine, url, connect_args, arguments)
    if config.dialect == "sqlite":
        prepare_sqlite(engine, pragmas, config)
    own_transactions(engine)
    return engine


def pool_arguments(config: DatabaseConfig) -> dict[str, Any]:
    """Return the pool's part of create_engine()'s arguments."""
    pool = config.pool
    return {
        "poolclass": LendingPool,
        "pool_size": pool.size,
        "max_overflow": pool.overflow,
        "pool_timeout": pool.timeout,
        "pool_recycle": pool.recycle,
        "pool_pre_ping": pool.pre_ping,
        "pool_use_lifo": True,
        # A connection comes back with nothing open, by construction; a ROLLBACK each time would be a round trip.
        "pool_reset_on_return": None,
    }


def create(
    config: DatabaseConfig, make: Any, url: sa.URL, connect_args: Any, arguments: dict[str, Any]
) -> Any:
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


def own_transactions(engine: Any) -> None:
    """Let SQLAlchemy's own transactions begin explicitly, and leave ours alone.

    The dialect object belongs to this engine only, so its methods can be set on the instance. A "begin" listener
    would do as well, but it makes every statement of the engine take the path that looks for listeners.
    """
    dialect = engine.dialect
    commit, rollback = dialect.do_commit, dialect.do_rollback

    def do_begin(connection: Any) -> None:
        if not _info(connection).get(GUEST):
            emit_begin(connection)

    def do_commit(connection: Any) -> None:
        if not _info(connection).get(GUEST):
            commit(connection)

    def do_rollback(connection: Any) -> None:
        guest = _info(connection).get(GUEST)
        if guest:
            # Only the block around it can roll back; so it will.
            guest.spoil(None)
        else:
            rollback(connection)

    dialect.do_begin = do_begin
    dialect.do_commit = do_commit
    dialect.do_rollback = do_rollback


def _info(connection: Any) -> Any:
    try:
        return connection.info
    except (AttributeError, NotImplementedError):  # while the dialect is set up, on the first connection
        return {}


def emit_begin(connection: Any) -> None:
    """Send BEGIN if the driver is in autocommit and SQLAlchemy has not asked for that itself."""
    native = connection.driver_connection
    if getattr(native, "isolation_level", "") is None:  # sqlite3 without its implicit BEGIN
        if not native.in_transaction:
            native.execute("BEGIN")
    elif getattr(native, "autocommit", False) is True and _info(connection).get("ormolu_autocommit"):
        connection.cursor().execute("BEGIN")


# -- SQLite


def sqlite_arguments(config: DatabaseConfig, connect_args: dict[str, Any]) -> tuple[sa.URL, dict[str, Any]]:
    """Split what a user gave for SQLite into the URL, connect() arguments and pragmas."""
    url = config.url
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
