"""From what a user writes to what an engine needs: URLs and dictionaries in Django's form.

Every spelling ends as one `DatabaseConfig`. Credentials are never pasted into URL text, so any character is
safe in them. A name that is not understood is refused with the near miss, never ignored.
"""

from __future__ import annotations

import contextlib
import importlib.util
import os
from collections.abc import Generator, Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import ArgumentError, NoSuchModuleError

from ormolu.exceptions import ImproperlyConfigured, MissingExtra
from ormolu.near import near_names

__all__ = ["DatabaseConfig", "PoolOptions", "parse"]

ENGINES = {
    "sqlite": "sqlite",
    "sqlite3": "sqlite",
    "django.db.backends.sqlite3": "sqlite",
    "postgresql": "postgresql",
    "postgres": "postgresql",
    "psycopg": "postgresql",
    "postgresql_psycopg2": "postgresql",
    "django.db.backends.postgresql": "postgresql",
    "django.db.backends.postgresql_psycopg2": "postgresql",
    "mysql": "mysql",
    "django.db.backends.mysql": "mysql",
    "mariadb": "mariadb",
    "oracle": "oracle",
    "django.db.backends.oracle": "oracle",
    "mssql": "mssql",
}
"""Names for ENGINE, and SQLAlchemy's names of the dialects.

Any `dialect+driver` that SQLAlchemy knows works as well.
"""

KEYS = {
    "ALIAS", "ASYNC_DRIVER", "ATOMIC_REQUESTS", "AUTOCOMMIT", "CONNECT_BACKOFF", "CONNECT_RETRIES",
    "CONN_HEALTH_CHECKS", "CONN_MAX_AGE", "DISABLE_SERVER_SIDE_CURSORS", "DRIVER", "ENGINE", "ENGINE_OPTIONS", "HOST",
    "MAX_IDLE", "MAX_LIFETIME", "MAX_OVERFLOW", "MAX_POOL_SIZE", "MIN_POOL_SIZE", "NAME", "OPTIONS", "PASSWORD",
    "POOL_CHECK", "POOL_PRE_PING", "POOL_RECYCLE", "POOL_SIZE", "POOL_TIMEOUT", "PORT", "TEST", "TIME_ZONE", "URL",
    "USER",
}  # fmt: skip

SYNC_DRIVERS = {"sqlite": "pysqlite", "postgresql": "psycopg", "mysql": "pymysql", "mariadb": "pymysql"}
ASYNC_DRIVERS = {"sqlite": "aiosqlite", "mysql": "aiomysql", "mariadb": "aiomysql", "oracle": "oracledb"}
ASYNC_ONLY = {"asyncpg", "aiosqlite", "aiomysql", "asyncmy", "aioodbc"}
EXTRAS = {
    "psycopg": "postgres",
    "asyncpg": "asyncpg",
    "aiosqlite": "sqlite",
    "pymysql": "mariadb",
    "aiomysql": "mariadb",
}


@dataclass(slots=True)
class PoolOptions:
    """How many connections a database has, and how long they live."""

    size: int = 5
    overflow: int = 10
    timeout: float = 30.0
    recycle: float = -1
    pre_ping: bool = False
    least: int = 0
    """MIN_POOL_SIZE: how many the first use of the pool opens."""
    max_idle: float = -1
    """MAX_IDLE: seconds without use after which a connection is replaced; -1 for any."""
    connect_retries: int = 0
    """CONNECT_RETRIES: how often a connection that can't be made is tried again."""
    connect_backoff: float = 0.1
    """CONNECT_BACKOFF: seconds before the first of these; each waits twice as long as the one before it."""

    @property
    def limit(self) -> int:
        """The most connections open at once in each mode; -1 for no limit."""
        return -1 if self.overflow < 0 else self.size + self.overflow


@dataclass(slots=True)
class DatabaseConfig:
    """One database: where it is, which drivers reach it, and the options of each layer."""

    alias: str
    url: sa.URL
    """SQLAlchemy's URL for the synchronous engine."""
    async_url: sa.URL
    """SQLAlchemy's URL for the asynchronous engine."""
    options: dict[str, Any] = field(default_factory=dict[str, Any])
    """For the driver's connect()."""
    pool: PoolOptions = field(default_factory=PoolOptions)
    engine_options: dict[str, Any] = field(default_factory=dict[str, Any])
    """For SQLAlchemy's create_engine()."""
    settings: dict[str, Any] = field(default_factory=dict[str, Any])
    """What the user wrote, as a dictionary in Django's form."""

    @property
    def dialect(self) -> str:
        """SQLAlchemy's name of the dialect."""
        return self.url.get_backend_name()

    @property
    def vendor(self) -> str:
        """Django's name of the kind of database; MariaDB's is "mysql"."""
        name = self.dialect
        return "mysql" if name == "mariadb" else name

    @property
    def memory(self) -> bool:
        """Whether this is an SQLite database in memory."""
        name = self.url.database
        if self.dialect != "sqlite":
            return False
        return not name or name == ":memory:" or (name.startswith("file:") and "memory" in name)

    @property
    def address(self) -> str:
        """Where the database is, for messages; never with a password."""
        if self.dialect == "sqlite":
            return "memory" if self.memory else f"the file {self.url.database}"
        host = self.url.host or self.options.get("host") or self.url.query.get("host") or "localhost"
        port = self.url.port or self.options.get("port")
        return f"{host}:{port}" if port else str(host)


def parse(alias: str, value: Any) -> DatabaseConfig:
    """Understand one entry of DATABASES: a URL, or a dictionary with URL or ENGINE.

    Raises ImproperlyConfigured, naming the alias, for what it does not understand.
    """
    if isinstance(value, sa.URL):
        return _from_url(alias, value, {"URL": value})
    if isinstance(value, str):
        return _from_url(alias, _make_url(alias, value), {"URL": value})
    if not isinstance(value, Mapping):
        raise ImproperlyConfigured(
            f"DATABASES[{alias!r}] must be a URL or a dictionary, not {type(value).__name__}."
        )
    given: Mapping[Any, Any] = value  # pyright: ignore[reportUnknownVariableType]
    written = _upper_case(alias, {str(key): item for key, item in given.items()})
    _refuse_unknown(alias, written)
    if written.get("URL"):
        url = written["URL"]
        return _from_url(alias, url if isinstance(url, sa.URL) else _make_url(alias, str(url)), written)
    return _from_url(alias, _url_of_parts(alias, written), written)


def _upper_case(alias: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return an entry with its keys in upper case: what a settings library reads from files has them in lower case."""
    written = {key: item for key, item in given.items() if not (key.islower() and key.upper() in KEYS)}
    for key, item in given.items():
        if key in written:
            continue
        if written.setdefault(key.upper(), item) != item:
            raise ImproperlyConfigured(
                f"DATABASES[{alias!r}] has {key!r} and {key.upper()!r}, with different values."
            )
    return written


def _refuse_unknown(alias: str, written: Mapping[str, Any]) -> None:
    for name in written:
        if name not in KEYS:
            close = near_names(name.upper(), KEYS)
            hint = f" Did you mean {close[0]!r}?" if close else f" The keys are: {', '.join(sorted(KEYS))}."
            raise ImproperlyConfigured(f"DATABASES[{alias!r}] has the unknown key {name!r}.{hint}")


def _make_url(alias: str, text: str) -> sa.URL:
    if text == ":memory:":
        text = "sqlite://"
    scheme, separator, rest = text.partition("://")
    if not separator:
        raise ImproperlyConfigured(
            f"DATABASES[{alias!r}] should be a URL such as 'sqlite:///db.sqlite3' or "
            f"'postgresql://user:password@host/name', but has no '://': {text.rpartition('@')[2]!r}."
        )
    backend, plus, driver = scheme.partition("+")
    # PostgreSQL's own tools, and hosting platforms, say postgres://.
    known = {"postgres": "postgresql", "pgsql": "postgresql", "sqlite3": "sqlite"}.get(backend, backend)
    try:
        return sa.make_url(f"{known}{plus}{driver}://{rest}")
    except (ArgumentError, ValueError) as error:
        raise ImproperlyConfigured(
            f"DATABASES[{alias!r}] can't be understood as a URL ({error}). Characters such as @ : / in "
            "a password must be percent-encoded; in the dictionary form (USER, PASSWORD, ...) not."
        ) from None


def _url_of_parts(alias: str, written: Mapping[str, Any]) -> sa.URL:
    engine = written.get("ENGINE")
    if not engine:
        raise ImproperlyConfigured(
            f"DATABASES[{alias!r}] needs 'URL', or 'ENGINE' and 'NAME'. Engines: {', '.join(_short_names())}."
        )
    drivername = ENGINES.get(str(engine).lower()) or str(engine)
    name = written.get("NAME")
    if not name:
        hint = "a file name, or ':memory:'" if drivername == "sqlite" else "the database's name"
        raise ImproperlyConfigured(f"DATABASES[{alias!r}] needs 'NAME': {hint}.")
    if drivername.startswith("sqlite"):
        return sa.URL.create(drivername, database=os.fspath(name) if isinstance(name, Path) else str(name))
    try:
        port = int(written["PORT"]) if written.get("PORT") else None
    except (TypeError, ValueError):
        raise ImproperlyConfigured(
            f"DATABASES[{alias!r}]['PORT'] must be a number, not {written['PORT']!r}."
        ) from None
    host = str(written.get("HOST") or "") or None
    # A path as host is a socket's folder: it has no place in a URL's host part.
    socket = {"host": host} if host and host.startswith("/") else {}
    return sa.URL.create(
        drivername,
        username=str(written["USER"]) if written.get("USER") else None,
        password=str(written["PASSWORD"]) if written.get("PASSWORD") else None,
        host=None if socket else host,
        port=port,
        database=str(name),
        query=socket,
    )


def _short_names() -> list[str]:
    return [name for name in ENGINES if not name.startswith("django.")]


def _from_url(alias: str, url: sa.URL, written: dict[str, Any]) -> DatabaseConfig:
    backend, _, named = url.drivername.partition("+")
    backend = ENGINES.get(backend, backend)
    options: dict[str, Any] = dict(written.get("OPTIONS") or {})
    query = dict(url.query)
    pool = _pool_options(alias, written, query, options)
    sync_driver = str(written.get("DRIVER") or "") or (
        SYNC_DRIVERS.get(backend, "") if named in ASYNC_ONLY or not named else named
    )
    async_driver = str(written.get("ASYNC_DRIVER") or options.pop("ASYNC_DRIVER", "") or "")
    if not async_driver:
        async_driver = _async_driver(backend, named)
    url = url.set(query=query)
    config = DatabaseConfig(
        alias=alias,
        url=url.set(drivername=f"{backend}+{sync_driver}" if sync_driver else backend),
        async_url=url.set(drivername=f"{backend}+{async_driver}" if async_driver else backend),
        options=options,
        pool=pool,
        engine_options=dict(written.get("ENGINE_OPTIONS") or {}),
        settings=written,
    )
    _check_dialect(config)
    return config


def _async_driver(backend: str, named: str) -> str:
    if named in ASYNC_ONLY or (backend == "postgresql" and named == "psycopg"):
        return named
    if backend == "postgresql":
        return "asyncpg" if importlib.util.find_spec("asyncpg") else "psycopg"
    return ASYNC_DRIVERS.get(backend, named)


def _check_dialect(config: DatabaseConfig) -> None:
    """Refuse a dialect that SQLAlchemy does not know; a missing driver is for its first use."""
    try:
        config.url.get_dialect()
    except (NoSuchModuleError, ValueError):  # ValueError: a name with several dots
        name = config.url.drivername.partition("+")[0]
        close = near_names(name, ENGINES)
        hint = f"Did you mean {close[0]!r}?" if close else f"Engines: {', '.join(_short_names())}."
        raise ImproperlyConfigured(
            f"DATABASES[{config.alias!r}] has the unknown engine {config.url.drivername!r}. {hint}"
        ) from None


_pool_defaults: ContextVar[dict[str, Any]] = ContextVar("_pool_defaults", default={})  # noqa: B039 - never changed


@contextlib.contextmanager
def pool_defaults(**options: float) -> Generator[None, None, None]:
    """Let databases that are opened in a `with` block have other pools than usual, where nothing says what they are."""
    token = _pool_defaults.set(options)
    try:
        yield
    finally:
        _pool_defaults.reset(token)


_TRUE = {"1", "true", "yes", "on"}


def _number(alias: str, name: str, value: Any) -> float:
    try:
        return float(value)
    except (TypeError, ValueError):
        raise ImproperlyConfigured(
            f"DATABASES[{alias!r}][{name!r}] must be a number, not {value!r}."
        ) from None


def _pool_options(
    alias: str, written: Mapping[str, Any], query: dict[str, Any], options: dict[str, Any]
) -> PoolOptions:
    """Collect the pool's options: from the entry, the URL's query, the environment (DB_POOL_SIZE, ...)."""
    pool = PoolOptions(**_pool_defaults.get())

    def given(*names: str) -> Any:
        for name in names:
            if written.get(name) is not None:
                return written[name]
        for name in names:
            if name.lower() in query:
                return query.pop(name.lower())
        for name in names:
            if (text := os.environ.get(f"DB_{name}")) is not None:
                return text
        return None

    if (most := given("MAX_POOL_SIZE")) is not None:
        pool.size, pool.overflow = int(_number(alias, "MAX_POOL_SIZE", most)), 0
    if (size := given("POOL_SIZE")) is not None:
        pool.size = int(_number(alias, "POOL_SIZE", size))
    if (overflow := given("MAX_OVERFLOW")) is not None:
        pool.overflow = int(_number(alias, "MAX_OVERFLOW", overflow))
    if (timeout := given("POOL_TIMEOUT")) is not None:
        pool.timeout = _number(alias, "POOL_TIMEOUT", timeout)
    if (idle := given("MAX_IDLE")) is not None:
        pool.max_idle = _number(alias, "MAX_IDLE", idle) or -1
    if (retries := given("CONNECT_RETRIES")) is not None:
        pool.connect_retries = int(_number(alias, "CONNECT_RETRIES", retries))
    if (backoff := given("CONNECT_BACKOFF")) is not None:
        pool.connect_backoff = _number(alias, "CONNECT_BACKOFF", backoff)
    if (recycle := given("POOL_RECYCLE", "CONN_MAX_AGE", "MAX_LIFETIME")) is not None:
        # Django's CONN_MAX_AGE=0 closes after each request; a pool has no requests, and no such limit.
        pool.recycle = _number(alias, "POOL_RECYCLE", recycle) or -1
    if (check := given("POOL_PRE_PING", "POOL_CHECK", "CONN_HEALTH_CHECKS")) is not None:
        pool.pre_ping = check.lower() in _TRUE if isinstance(check, str) else bool(check)
    django_pool: Any = options.pop("pool", None)
    if isinstance(django_pool, dict):
        sizes: dict[str, Any] = {**django_pool}
        if "max_size" in sizes:
            pool.size, pool.overflow = int(sizes["max_size"]), 0
        pool.timeout = float(sizes.get("timeout", pool.timeout))
        pool.least = int(sizes.get("min_size", pool.least))
        pool.max_idle = float(sizes.get("max_idle", pool.max_idle))
        pool.recycle = float(sizes.get("max_lifetime", pool.recycle))
    if pool.size < 1:
        raise ImproperlyConfigured(f"DATABASES[{alias!r}]: the pool needs room for 1 connection at least.")
    if (least := given("MIN_POOL_SIZE")) is not None:
        pool.least = int(_number(alias, "MIN_POOL_SIZE", least))
        if 0 <= pool.limit < pool.least:
            raise ImproperlyConfigured(
                f"DATABASES[{alias!r}] has MIN_POOL_SIZE {least} above MAX_POOL_SIZE {pool.limit}."
            )
    return pool


def need(module: str, purpose: str) -> Any:
    """Import a driver. Raises MissingExtra, with the pip command, if it is not installed."""
    try:
        return importlib.import_module(module)
    except ImportError as error:
        if error.name is not None and error.name.partition(".")[0] != module.partition(".")[0]:
            raise
        raise MissingExtra(
            extra=EXTRAS.get(module.partition(".")[0], "all"), package=module, purpose=purpose
        ) from error
