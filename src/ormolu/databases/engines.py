"""SQLAlchemy engines: one for each database and mode, which owns the pool.

Connections stay in the driver's autocommit mode, so a statement outside of transactions costs one round
trip. Where SQLAlchemy itself begins a transaction (a Session, `engine.begin()`), its dialect emits the
BEGIN that the driver would otherwise have sent by itself: see `_emit_begin`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.exc import NoSuchModuleError

from ormolu.conf import settings
from ormolu.databases.config import EXTRAS, DatabaseConfig, need
from ormolu.databases.interplay import own_transactions
from ormolu.databases.owners import note
from ormolu.databases.pools import AsyncLendingPool, LendingPool
from ormolu.databases.postgresql.arguments import asyncpg_arguments
from ormolu.databases.spelling import spell
from ormolu.databases.sqlite.engine import Releasing, prepare_sqlite, sqlite_arguments
from ormolu.databases.sqlite.stopping import opener
from ormolu.exceptions import ImproperlyConfigured, MissingExtra

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncEngine

    from ormolu.databases.database import Database

__all__ = ["make_async_engine", "make_engine"]


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
    keep_zone(engine)
    own_transactions(engine)
    note(engine, config.alias)
    return engine  # type: ignore[no-any-return]


def make_async_engine(database: Database) -> AsyncEngine:
    """Make an asynchronous engine, for one event loop. Raises MissingExtra without its driver."""
    from sqlalchemy.ext.asyncio import create_async_engine  # needs greenlet; only here

    config = database.config
    need("greenlet", f"Async use of the database {config.alias!r}")
    arguments = pool_arguments(config, AsyncLendingPool)
    url, connect_args, pragmas = config.async_url, dict(config.options), None
    if config.dialect == "sqlite":
        url, pragmas = sqlite_arguments(config, connect_args, url)
        connect_args.pop("check_same_thread")
        connect_args.setdefault("factory", Releasing)
        if config.memory:
            arguments = {"poolclass": sa.StaticPool, "pool_reset_on_return": None}
            connect_args = {"async_creator_fn": database.driver.shared_aiosqlite}  # type: ignore[attr-defined]
            pragmas = None
        elif url.get_driver_name() == "aiosqlite":
            connect_args.setdefault("async_creator_fn", opener(config.alias))
    elif url.get_driver_name() == "asyncpg":
        asked: dict[str, Any] = connect_args.get("server_settings") or {}
        connect_args["server_settings"] = {"timezone": session_zone(), **asked}
        url = asyncpg_arguments(url, connect_args)
    else:
        url = _without_tls_switch(url, connect_args)
        arguments |= dialect_arguments(url, connect_args)
    engine = create(config, create_async_engine, url, connect_args, arguments)
    if pragmas is not None:
        prepare_sqlite(engine.sync_engine, pragmas, config)
    keep_zone(engine.sync_engine)
    own_transactions(engine.sync_engine)
    note(engine.sync_engine, config.alias)
    if config.memory:
        database.driver.guard_async(engine.sync_engine.pool)  # type: ignore[attr-defined]
    return engine  # type: ignore[no-any-return]


def _without_tls_switch(url: sa.URL, connect_args: dict[str, Any]) -> sa.URL:
    """Take `ssl_disabled`, a word of PyMySQL's, from drivers that encrypt only where `ssl` is given."""
    if url.get_driver_name() in ("aiomysql", "asyncmy"):
        connect_args.pop("ssl_disabled", None)
        return url.difference_update_query(["ssl_disabled"])
    return url


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
        # Ours come back with nothing open, by construction, and a ROLLBACK is then no round trip (but on MySQL). Those
        # that SQLAlchemy's sessions used may not, when their own ROLLBACK was cancelled.
        "pool_reset_on_return": "rollback",
    }


def session_zone() -> str:
    """Return the time zone that PostgreSQL's sessions live in: UTC, or TIME_ZONE where USE_TZ is off, as with Django.

    psycopg reads instants in the session's zone; and a day that is added to a wall-clock time, or a date that is
    compared with one, is one of that zone.
    """
    return "UTC" if settings.USE_TZ else settings.TIME_ZONE or "UTC"


def keep_zone(engine: sa.Engine) -> None:
    """Let psycopg's new connections live in `session_zone()`. One statement, where the server's default differs."""
    if engine.dialect.driver != "psycopg":
        return

    def connected(connection: Any, _record: Any) -> None:
        zone, native = session_zone(), getattr(connection, "driver_connection", connection)
        if native.info.parameter_status("TimeZone") != zone:
            cursor = connection.cursor()
            cursor.execute("SELECT set_config('TimeZone', %s, false)", (zone,))
            cursor.close()

    event.listen(engine.pool, "connect", connected)


def dialect_arguments(url: sa.URL, connect_args: dict[str, Any]) -> dict[str, Any]:
    """Add what a driver needs to start in autocommit; return arguments for positional parameters."""
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
    dialect: Any = url.get_dialect()
    style = dialect.default_paramstyle
    positional = {
        "pyformat": "format",
        "format": "format",  # said aloud: else SQLAlchemy asks the driver, and pymysql says pyformat
        "named": "numeric" if driver in ("cx_oracle", "oracledb") else "qmark",
    }
    return {"paramstyle": positional[style]} if style in positional else {}


def create(
    config: DatabaseConfig, make: Any, url: sa.URL, connect_args: Any, arguments: dict[str, Any]
) -> Any:
    """Call create_engine(), with errors that name the alias and the cure."""
    try:
        engine = make(url, connect_args=connect_args, **{**arguments, **config.engine_options})
    except (ImportError, NoSuchModuleError) as error:
        driver = url.drivername.partition("+")[2] or url.drivername
        raise MissingExtra(
            extra=EXTRAS.get(driver, "all"), package=driver, purpose=f"The database {config.alias!r}"
        ) from error
    except TypeError as error:
        raise ImproperlyConfigured(f"DATABASES[{config.alias!r}]: {error}") from error
    spell(engine.dialect)
    return engine
