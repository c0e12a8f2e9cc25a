"""SQLAlchemy's pool owns the connections: its limits, options and events hold for Ormolu's own use as well."""

from __future__ import annotations

import threading
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy import event

import ormolu
from ormolu import databases, transaction
from ormolu.exceptions import OperationalError

SYNC = pytest.mark.worlds("sync")
POSTGRES = pytest.mark.backends("postgresql", "asyncpg")


def configure(backend: Any, **options: Any) -> databases.Database:
    ormolu.configure(DATABASES={"default": {"URL": backend.url, **options}})
    return databases.get()


def test_idle_connections_serve_sqlalchemy_too(configured: Any) -> None:
    """A connection that the driver keeps at hand is given back when SQLAlchemy needs it."""
    database = configure(configured, POOL_SIZE=1, MAX_OVERFLOW=0, POOL_TIMEOUT=2)
    database.fetch("SELECT 1")
    with database.engine.connect() as connection:
        assert connection.execute(sa.text("SELECT 1")).scalar() == 1
    assert [tuple(row) for row in database.fetch("SELECT 2")] == [(2,)]
    assert database.engine.pool.size() == 1


def test_an_exhausted_pool_says_so(configured: Any) -> None:
    """When all connections are in transactions, the error names the limit and the settings."""
    database = configure(configured, POOL_SIZE=1, MAX_OVERFLOW=0, POOL_TIMEOUT=0.1)
    errors: list[BaseException] = []

    def work() -> None:
        try:
            database.fetch("SELECT 1")
        except OperationalError as error:
            errors.append(error)

    with transaction.atomic():
        database.fetch("SELECT 1")
        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
    assert "all 1 were in use for 0.1 seconds" in str(errors[0])
    assert "POOL_SIZE" in str(errors[0])


def test_a_thread_that_waits_gets_the_next_connection(configured: Any) -> None:
    """A connection given back goes to the one who waits for it, not to the driver's own list."""
    database = configure(configured, POOL_SIZE=1, MAX_OVERFLOW=0, POOL_TIMEOUT=5)
    seen: list[Any] = []
    thread = threading.Thread(target=lambda: seen.append(tuple(database.fetch("SELECT 1")[0])))
    with transaction.atomic():
        database.fetch("SELECT 1")
        thread.start()
        thread.join(0.2)
        assert seen == []
    thread.join()
    assert seen == [(1,)]


@pytest.mark.parametrize("name", ["checkout", "checkin"])
def test_pool_events_fire_when_somebody_listens(configured: Any, name: str) -> None:
    """Each use of a connection is a checkout and a checkin for who listens to them, also late."""
    database = databases.get()
    database.fetch("SELECT 1")
    seen: list[str] = []

    def listener(*_args: Any) -> None:
        seen.append(name)

    event.listen(database.engine, name, listener)
    database.fetch("SELECT 1")
    seen.clear()
    for _ in range(3):
        database.fetch("SELECT 1")
    assert len(seen) == 3


def test_listeners_of_all_pools_count_as_well(configured: Any) -> None:
    """A listener on SQLAlchemy's Pool class hears of our pool."""
    database = databases.get()
    database.fetch("SELECT 1")
    seen: list[int] = []

    def listener(*_args: Any) -> None:
        seen.append(1)

    event.listen(sa.Pool, "checkin", listener)
    try:
        database.fetch("SELECT 1")
        assert seen == [1]
    finally:
        event.remove(sa.Pool, "checkin", listener)


@pytest.mark.parametrize("option", ["POOL_CHECK", "CONN_HEALTH_CHECKS", "POOL_PRE_PING"])
def test_a_ping_before_each_use_on_request(configured: Any, option: str) -> None:
    """With health checks on, SQLAlchemy's pool tests each connection before use."""
    database = configure(configured, **{option: True})
    pings: list[int] = []
    dialect: Any = database.engine.dialect
    ping = dialect.do_ping
    dialect.do_ping = lambda connection: pings.append(1) or ping(connection)
    for _ in range(3):
        database.fetch("SELECT 1")
    assert len(pings) >= 2


def test_connections_are_recycled(configured: Any) -> None:
    """A connection older than POOL_RECYCLE is replaced before its next use."""
    database = configure(configured, POOL_RECYCLE=100)
    database.fetch("SELECT 1")
    (conn,) = database.driver._idle
    first = conn.native
    conn.born -= 1000
    conn.fairy._connection_record.starttime -= 1000
    database.fetch("SELECT 1")
    assert database.driver._idle[0].native is not first


@pytest.mark.backends("postgresql")
def test_a_connection_that_died_while_idle_is_replaced(configured: Any) -> None:
    """After the server has cut all connections, reading goes on as if nothing had been."""
    database = databases.get()
    (pid,) = database.fetch("SELECT pg_backend_pid()")[0]
    with sa.create_engine(database.engine.url).connect() as other:
        other.exec_driver_sql(f"SELECT pg_terminate_backend({pid})")
        other.connection.invalidate()
    assert database.fetch("SELECT pg_backend_pid()")[0][0] != pid


@pytest.mark.worlds("async")
@POSTGRES
async def test_an_async_connection_that_died_while_idle_is_replaced(table: Any, world: Any) -> None:
    """The same for asynchronous connections."""
    database = databases.get()
    (pid,) = (await database.afetch("SELECT pg_backend_pid()"))[0]
    ormolu.settings.SYNC_IN_ASYNC = "off"
    database.fetch(f"SELECT pg_terminate_backend({pid})")
    assert (await database.afetch("SELECT pg_backend_pid()"))[0][0] != pid


@pytest.mark.backends("postgresql")
def test_a_connection_that_dies_in_a_block_is_an_error(table: Any) -> None:
    """Inside a block nothing is tried again: the block fails, and the next one works."""
    database = databases.get()
    with pytest.raises(OperationalError), transaction.atomic():
        database.execute("INSERT INTO numbers VALUES (1)")
        (pid,) = database.fetch("SELECT pg_backend_pid()")[0]
        thread = threading.Thread(target=database.fetch, args=(f"SELECT pg_terminate_backend({pid})",))
        thread.start()
        thread.join()
        database.fetch("SELECT 1")
    assert database.fetch("SELECT n FROM numbers") == []


def test_close_and_use_again(configured: Any) -> None:
    """A database that was closed opens again when it is used."""
    database = databases.get()
    database.fetch("SELECT 1")
    databases.close_all()
    assert [tuple(row) for row in database.fetch("SELECT 1")] == [(1,)]


def test_configuring_again_replaces_the_database(configured: Any) -> None:
    """A second configure() closes what the first one opened."""
    database = databases.get()
    database.fetch("SELECT 1")
    ormolu.configure(configured.url)
    assert databases.get() is not database
    assert database._engine is None


@pytest.mark.worlds("async")
@POSTGRES
async def test_tasks_and_async_sessions_wait_for_each_other(configured: Any, world: Any) -> None:
    """Tasks of ours and users of the AsyncEngine take turns on one connection, and give up in time."""
    import asyncio

    database = configure(configured, POOL_SIZE=1, MAX_OVERFLOW=0, POOL_TIMEOUT=0.3)
    order: list[str] = []

    async def ours(name: str) -> None:
        async with transaction.aatomic():
            await database.afetch("SELECT 1")
            await asyncio.sleep(0.02)
            order.append(name)

    async def theirs(name: str) -> None:
        async with database.async_engine.connect() as connection:
            await connection.execute(sa.text("SELECT 1"))
            await asyncio.sleep(0.02)
            order.append(name)

    await database.afetch("SELECT 1")  # connecting may take longer than anybody waits here
    await asyncio.gather(ours("a"), theirs("b"), ours("c"), theirs("d"), ours("e"))
    assert sorted(order) == list("abcde")

    async def hold(seconds: float) -> None:
        async with transaction.aatomic():
            await asyncio.sleep(seconds)

    task = asyncio.create_task(hold(0.6))
    await asyncio.sleep(0)
    with pytest.raises(OperationalError, match="all 1 were in use"):
        await database.afetch("SELECT 1")
    await task
    assert (await database.afetch("SELECT 1"))[0][0] == 1
