"""What a user writes for a database, and what becomes of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import ormolu
from ormolu import databases
from ormolu.databases.config import parse
from ormolu.databases.engines import asyncpg_arguments
from ormolu.exceptions import ImproperlyConfigured, MissingExtra, OperationalError, ServerUnreachable

DJANGO = {
    "ENGINE": "django.db.backends.postgresql",
    "NAME": "shop",
    "USER": "me@home",
    "PASSWORD": "p@:/?#ß",
    "HOST": "db.example",
    "PORT": "5433",
}


@pytest.mark.parametrize(
    ("given", "vendor", "sync", "asynchronous"),
    [
        ("sqlite:///db.sqlite3", "sqlite", "sqlite+pysqlite", "sqlite+aiosqlite"),
        ("postgres://h/d", "postgresql", "postgresql+psycopg", "postgresql+asyncpg"),
        ("postgresql+psycopg://h/d", "postgresql", "postgresql+psycopg", "postgresql+psycopg"),
        ("postgresql+asyncpg://h/d", "postgresql", "postgresql+psycopg", "postgresql+asyncpg"),
        ("mysql://h/d", "mysql", "mysql+pymysql", "mysql+aiomysql"),
        ("mariadb://h/d", "mysql", "mariadb+pymysql", "mariadb+aiomysql"),
        ({"URL": "postgresql://h", "ASYNC_DRIVER": "psycopg"}, "postgresql", *["postgresql+psycopg"] * 2),
        ({"ENGINE": "sqlite", "NAME": Path("x.db")}, "sqlite", "sqlite+pysqlite", "sqlite+aiosqlite"),
        (DJANGO, "postgresql", "postgresql+psycopg", "postgresql+asyncpg"),
        ("mssql+pyodbc://h/d", "mssql", "mssql+pyodbc", "mssql+pyodbc"),
    ],
)  # fmt: skip
def test_drivers(given: Any, vendor: str, sync: str, asynchronous: str) -> None:
    """Each spelling names its vendor, and the drivers of both worlds."""
    config = parse("default", given)
    assert (config.vendor, config.url.drivername, config.async_url.drivername) == (vendor, sync, asynchronous)


def test_djangos_form() -> None:
    """Django's keys arrive in the URL, whatever characters they hold."""
    url = parse("default", DJANGO).url
    assert (url.username, url.password, url.host, url.port, url.database) == (
        "me@home", "p@:/?#ß", "db.example", 5433, "shop",
    )  # fmt: skip
    assert "p@:" not in parse("default", DJANGO).address
    socket = parse("default", {**DJANGO, "HOST": "/run/postgresql"}).url
    assert socket.host is None
    assert socket.query["host"] == "/run/postgresql"


def test_pool_options(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pool options come from keys, the URL's query, Django's OPTIONS["pool"], and DB_* variables."""
    url = "postgresql://h/d"
    assert parse("a", url).pool.limit == 15
    pool = parse(
        "a", {"URL": url, "MIN_POOL_SIZE": 1, "MAX_POOL_SIZE": 7, "POOL_TIMEOUT": 3, "POOL_CHECK": True}
    ).pool
    assert (pool.size, pool.overflow, pool.timeout, pool.pre_ping) == (7, 0, 3.0, True)
    pool = parse("a", f"{url}?pool_size=3&max_overflow=1&pool_recycle=60&sslmode=require").pool
    assert (pool.size, pool.overflow, pool.recycle) == (3, 1, 60)
    assert parse("a", {"URL": url, "CONN_MAX_AGE": 90}).pool.recycle == 90
    assert parse("a", {"URL": url, "CONN_MAX_AGE": 0}).pool.recycle == -1
    assert parse("a", {"URL": url, "OPTIONS": {"pool": {"max_size": 4, "timeout": 2}}}).pool.limit == 4
    monkeypatch.setenv("DB_POOL_SIZE", "11")
    monkeypatch.setenv("DB_POOL_PRE_PING", "true")
    assert parse("a", url).pool.size == 11
    assert parse("a", url).pool.pre_ping is True
    assert parse("a", {"URL": url, "POOL_SIZE": 2}).pool.size == 2


@pytest.mark.parametrize(
    ("given", "text"),
    [
        ({"ENGINE": "postgresq", "NAME": "x"}, r"unknown engine 'postgresq'. Did you mean 'postgresql'\?"),
        ({"ENGINE": "sqlite", "NAME": "x", "PASWORD": "y"}, r"unknown key 'PASWORD'. Did you mean 'PASSWORD'\?"),
        ({"ENGINE": "sqlite"}, "needs 'NAME': a file name, or ':memory:'"),
        ({"NAME": "x"}, "needs 'URL', or 'ENGINE' and 'NAME'"),
        ({"URL": "sqlite://", "POOL_SIZE": "many"}, "'POOL_SIZE'.* must be a number, not 'many'"),
        ({"URL": "postgresql://h/d", "MAX_POOL_SIZE": 1, "MIN_POOL_SIZE": 3}, "MIN_POOL_SIZE 3 above MAX_POOL_SIZE 1"),
        ({**DJANGO, "PORT": "x"}, "'PORT'.* must be a number"),
        ("db.sqlite3", "should be a URL such as"),
        ("nosuch://h/d", "unknown engine 'nosuch'"),
        (42, "must be a URL or a dictionary, not int"),
    ],
)  # fmt: skip
def test_what_is_not_understood_is_refused(given: Any, text: str) -> None:
    """The error names the alias, the mistake, and the choices or the near miss."""
    with pytest.raises(ImproperlyConfigured, match=text) as caught:
        parse("default", given)
    assert "default" in str(caught.value)


def test_keys_may_be_in_lower_case() -> None:
    """What a settings library has read from a file is understood; a key that is there twice must say one thing."""
    config = parse(
        "default", {"ENGINE": "postgresql", "name": "d", "user": "u", "host": "h", "port": 5433, "NAME": "d"}
    )
    assert config.url.render_as_string() == "postgresql+psycopg://u@h:5433/d"
    with pytest.raises(ImproperlyConfigured, match="has 'name' and 'NAME', with different values"):
        parse("default", {"ENGINE": "postgresql", "name": "a", "NAME": "b"})
    with pytest.raises(ImproperlyConfigured, match="unknown key 'nmae'. Did you mean 'NAME'"):
        parse("default", {"ENGINE": "postgresql", "nmae": "a"})


def test_how_long_connections_are_kept_and_sought() -> None:
    """MAX_IDLE, MIN_POOL_SIZE and the tries to connect, in an entry or in Django's `pool`."""
    given = {"MAX_IDLE": 60, "MIN_POOL_SIZE": 2, "CONNECT_RETRIES": 3, "CONNECT_BACKOFF": 0.5}
    pool = parse("default", {"URL": "postgresql://h/d", **given}).pool
    assert (pool.max_idle, pool.least, pool.connect_retries, pool.connect_backoff) == (60, 2, 3, 0.5)
    sizes = {"min_size": 1, "max_size": 4, "max_idle": 9, "max_lifetime": 99}
    pool = parse("default", {"URL": "postgresql://h/d", "OPTIONS": {"pool": sizes}}).pool
    assert (pool.least, pool.limit, pool.max_idle, pool.recycle) == (1, 4, 9, 99)


def test_asyncpg_understands_libpqs_options() -> None:
    """Options in libpq's and psycopg's words become asyncpg's arguments."""
    import sqlalchemy as sa

    arguments: dict[str, Any] = {"connect_timeout": 3, "application_name": "shop", "prepare_threshold": None}
    url = asyncpg_arguments(
        sa.make_url("postgresql+asyncpg://h/d?sslmode=require&options=-c%20search_path%3Dx"), arguments
    )
    assert not url.query
    assert arguments["ssl"] == "require"
    assert arguments["timeout"] == 3.0
    assert arguments["statement_cache_size"] == 0
    assert arguments["server_settings"] == {"application_name": "shop", "search_path": "x"}


def test_aliases() -> None:
    """An alias that is not configured is refused with the near miss; with nothing configured three ways are told."""
    ormolu.configure(DATABASES={"default": "sqlite://", "replica": "sqlite://"})
    assert databases.aliases() == ["default", "replica"]
    with pytest.raises(ImproperlyConfigured, match=r"no database 'replika'. Did you mean 'replica'\?"):
        databases.get("replika")
    ormolu.configure(DATABASES={})
    with pytest.raises(ImproperlyConfigured, match=r"ormolu.configure.*DATABASE_URL.*settings.py"):
        databases.get()
    ormolu.settings.reset()


def test_an_unreachable_server_is_named() -> None:
    """Alias, host, port and what to do; the same in both worlds, and it is an OperationalError."""
    import asyncio

    ormolu.configure(DATABASES={"shop": "postgresql://me:secret@127.0.0.1:9/x"})
    database = databases.get("shop")
    for call in (lambda: database.fetch("SELECT 1"), lambda: asyncio.run(database.afetch("SELECT 1"))):
        with pytest.raises(ServerUnreachable, match=r"'shop' \(postgresql, 127.0.0.1:9\)") as caught:
            call()
        assert isinstance(caught.value, OperationalError)
        assert "Check that the server runs" in str(caught.value)
        assert "secret" not in str(caught.value)
    ormolu.settings.reset()


def test_a_missing_driver_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """A driver that is not installed is an error with the pip command, raised when it is needed."""
    import sys

    monkeypatch.setitem(sys.modules, "pymysql", None)
    ormolu.configure("mysql://h/d")
    with pytest.raises(MissingExtra, match=r'pip install "ormolu\[mariadb\]"'):
        databases.get().fetch("SELECT 1")
    ormolu.settings.reset()
