"""djanorm's connections, logging, retries and settings."""

from __future__ import annotations

import logging
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import ormolu
import ormolu.ports.djanorm as dorm
from ormolu.exceptions import ImproperlyConfigured, OperationalError
from ormolu.ports.djanorm.conf import completed
from ormolu.ports.djanorm.db.connection import (
    close_all,
    close_all_async,
    get_async_connection,
    get_connection,
    reset_connections,
)
from ormolu.ports.djanorm.db.utils import awith_transient_retry, with_transient_retry


class Buoy(dorm.Model):
    name = dorm.CharField(max_length=20)


def test_the_public_names_exist() -> None:
    """Each name of __all__ can be had, and what is not there says so."""
    assert [name for name in dorm.__all__ if not hasattr(dorm, name)] == []
    assert set(dorm.__all__) <= set(dir(dorm))
    with pytest.raises(AttributeError, match="has no attribute 'Modell'"):
        dorm.Modell  # type: ignore[attr-defined]


@pytest.mark.worlds("sync")
async def test_transactions_by_hand(db: Any, world: Any) -> None:
    """Without autocommit statements gather until commit() or rollback()."""
    conn = get_connection()
    conn.set_autocommit(False)
    try:
        Buoy.objects.create(name="kept")
        conn.commit()
        Buoy.objects.create(name="lost")
        conn.rollback()
    finally:
        conn.set_autocommit(True)
    assert [buoy.name for buoy in Buoy.objects.all()] == ["kept"]


@pytest.mark.worlds("async")
async def test_transactions_by_hand_in_a_task(db: Any, world: Any) -> None:
    """The same for async code."""
    conn = get_async_connection()
    await conn.set_autocommit(False)
    try:
        await Buoy.objects.acreate(name="kept")
        await conn.commit()
        await Buoy.objects.acreate(name="lost")
        await conn.rollback()
    finally:
        await conn.set_autocommit(True)
    assert [buoy.name async for buoy in Buoy.objects.all()] == ["kept"]


@pytest.mark.worlds("async")
async def test_statements_by_hand(db: Any, world: Any) -> None:
    """Wrappers run SQL, know their tables, and open blocks."""
    conn, aconn = get_connection(), get_async_connection()
    table = Buoy._meta.db_table
    async with aconn.aatomic():
        assert await aconn.execute_write(f"INSERT INTO {table} (name) VALUES (%s)", ["a"]) == 1
    assert [tuple(row) for row in await aconn.execute(f"SELECT name FROM {table}")] == [("a",)]
    assert await aconn.table_exists(table)
    assert not await aconn.table_exists("no_such_table")
    assert conn != aconn
    assert conn == get_connection()
    assert conn.vendor == db.vendor
    await aconn.close()
    await close_all_async()


def test_statements_by_hand_in_sync_code(db: Any) -> None:
    """The same for the synchronous wrapper."""
    conn = get_connection()
    table = Buoy._meta.db_table
    with conn.atomic():
        assert conn.execute_write(f"INSERT INTO {table} (name) VALUES (%s)", ["a"]) == 1
    assert [tuple(row) for row in conn.execute(f"SELECT name FROM {table}")] == [("a",)]
    assert conn.table_exists(table)
    assert conn.settings["URL"] == db.url
    conn.close()
    close_all()
    reset_connections()
    assert Buoy.objects.count() == 1
    with pytest.raises(ImproperlyConfigured, match="no database 'replica'"):
        get_connection("replica")


@pytest.mark.backends("postgresql")
def test_the_figures_of_a_pool(configured: Any) -> None:
    """A server's pool has djanorm's defaults; of SQLite there is only whether it is open."""
    ormolu.connection.fetch("SELECT 1")
    stats = get_connection().pool_stats()
    assert {name: stats[name] for name in ("open", "vendor", "min_size", "max_size")} == {
        "open": True, "vendor": "postgresql", "min_size": 1, "max_size": 10,
    }  # fmt: skip
    assert (stats["pool_size"], stats["pool_available"], stats["requests_waiting"]) == (1, 1, 0)


@pytest.mark.backends("sqlite")
def test_the_figures_of_a_file(configured: Any) -> None:
    """Of SQLite there is only whether it is open."""
    assert get_connection().pool_stats() == {"open": True, "vendor": "sqlite"}


def test_settings_have_djanorms_defaults(monkeypatch: pytest.MonkeyPatch) -> None:
    """Naive datetimes; a server's pool, and its retries; SQLite's journal. What is said counts."""
    monkeypatch.setenv("DORM_RETRY_ATTEMPTS", "5")
    monkeypatch.setenv("DORM_RETRY_BACKOFF", "nonsense")
    server = {"ENGINE": "postgresql", "name": "d", "user": "u", "max_pool_size": 4}
    found = completed(
        {"DATABASES": {"default": server, "file": {"ENGINE": "sqlite", "NAME": "f"}, "url": "sqlite://"}}
    )
    assert found["USE_TZ"] is False
    entry = found["DATABASES"]["default"]
    assert entry["max_pool_size"] == 4
    assert "MAX_POOL_SIZE" not in entry
    assert (entry["MIN_POOL_SIZE"], entry["MAX_IDLE"], entry["MAX_LIFETIME"]) == (1, 600.0, 3600.0)
    assert entry["POOL_CHECK"] is True
    assert (entry["CONNECT_RETRIES"], entry["CONNECT_BACKOFF"]) == (4, 0.1)
    assert found["DATABASES"]["file"]["OPTIONS"] == {"journal_mode": "DELETE"}
    assert found["DATABASES"]["url"] == "sqlite://"
    assert completed({"USE_TZ": True})["USE_TZ"] is True


def test_statements_are_logged_under_djanorms_names(
    db: Any, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Statements at DEBUG, slow ones at WARNING; nothing after `ormolu.configure()`."""
    name = f"dorm.db.backends.{db.vendor}"
    with caplog.at_level(logging.WARNING, name):
        Buoy.objects.count()
    assert caplog.records == []
    monkeypatch.setenv("DORM_SLOW_QUERY_MS", "0")
    with caplog.at_level(logging.WARNING, name):
        Buoy.objects.count()
    assert caplog.records[-1].levelno == logging.WARNING
    assert "slow query" in caplog.records[-1].getMessage()
    monkeypatch.delenv("DORM_SLOW_QUERY_MS")
    with caplog.at_level(logging.DEBUG, name):
        Buoy.objects.count()
    assert "SELECT COUNT(*)" in caplog.records[-1].getMessage()
    caplog.clear()
    ormolu.configure(db.url)
    with caplog.at_level(logging.DEBUG, name):
        Buoy.objects.count()
    assert [record for record in caplog.records if record.name.startswith("dorm.")] == []


def test_pools_are_logged(configured: Any, caplog: pytest.LogCaptureFixture) -> None:
    """Their beginning and end are INFO on dorm.db.lifecycle."""
    with caplog.at_level(logging.INFO, "dorm.db.lifecycle"):
        ormolu.connection.fetch("SELECT 1")
        close_all()
    mine = [record.getMessage() for record in caplog.records if record.name.startswith("dorm.db.lifecycle.")]
    assert mine == ["sync pool of 'default' opened", "sync pool of 'default' closed"]


def test_helpers_try_again_as_the_environment_says(monkeypatch: pytest.MonkeyPatch) -> None:
    """DORM_RETRY_ATTEMPTS counts the calls; in a transaction there is one."""
    monkeypatch.setenv("DORM_RETRY_ATTEMPTS", "4")
    monkeypatch.setenv("DORM_RETRY_BACKOFF", "0.001")
    calls: list[int] = []

    def query() -> str:
        calls.append(1)
        if len(calls) < 4:
            raise OperationalError("server closed the connection unexpectedly")
        return "done"

    assert with_transient_retry(query) == "done"
    assert len(calls) == 4
    calls.clear()
    with pytest.raises(OperationalError):
        with_transient_retry(query, in_transaction=True)
    assert len(calls) == 1


@pytest.mark.worlds("async")
async def test_helpers_of_async_code(world: Any) -> None:
    """awith_transient_retry() awaits; its arguments come before the environment."""
    calls: list[int] = []

    async def query() -> str:
        calls.append(1)
        if len(calls) < 2:
            raise OperationalError("server closed the connection unexpectedly")
        return "done"

    assert await awith_transient_retry(query, attempts=2, backoff=0.001) == "done"
    assert len(calls) == 2


def test_a_settings_file_has_djanorms_defaults(tmp_path: Path) -> None:
    """A program without configure() reads settings.py, or what DORM_SETTINGS names, and gets the same defaults."""
    (tmp_path / "mine.py").write_text("DATABASES = {'default': {'ENGINE': 'sqlite', 'NAME': 'x.db'}}\n")
    code = (
        "import os; os.environ['DORM_SETTINGS'] = 'mine.py'\n"
        "import ormolu.ports.djanorm as dorm\n"
        "from ormolu import databases\n"
        "assert dorm.settings.USE_TZ is False\n"
        "seen = []\n"
        "import logging; logging.getLogger('dorm.db').setLevel(10)\n"
        "handler = logging.Handler(); handler.emit = seen.append; logging.getLogger('dorm').addHandler(handler)\n"
        "assert databases.get().fetch('PRAGMA journal_mode')[0][0] == 'delete'\n"
        "assert any('journal_mode' in record.getMessage() for record in seen), seen\n"
    )
    subprocess.run([sys.executable, "-c", code], cwd=tmp_path, check=True)


@pytest.mark.backends("postgresql", "asyncpg")
async def test_connections_that_the_server_drops_are_replaced(db: Any, world: Any) -> None:
    """The next statement, be it a write, finds a new connection: nothing in the program has to know."""
    dorm.configure(DATABASES={"default": {"ENGINE": "postgresql", "URL": db.url}})
    await world(Buoy.objects.create, name="before")
    with db.engine().begin() as connection:
        connection.exec_driver_sql(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
    await world(Buoy.objects.create, name="after")
    assert await world(Buoy.objects.count) == 2
