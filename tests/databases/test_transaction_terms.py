"""What a block asks of its transaction: isolation, reading only, time limits; refused where there is no such thing."""

from __future__ import annotations

import threading
import time
from datetime import timedelta
from typing import Any

import pytest

from ormolu import databases, transaction
from ormolu.exceptions import DatabaseError, NotSupportedError, OperationalError, TransactionManagementError


def elsewhere(function: Any, *args: Any) -> Any:
    """Call a function in another thread, and so on another connection."""
    results: list[Any] = []
    thread = threading.Thread(target=lambda: results.append(function(*args)))
    thread.start()
    thread.join(10)
    return results[0]


@pytest.mark.backends("postgresql", "asyncpg", "mariadb")
@pytest.mark.parametrize(
    ("level", "seen"),
    [("read committed", [1, 2]), ("repeatable read", [1]), ("REPEATABLE_READ", [1]), ("serializable", [1])],
)
async def test_isolation_decides_what_is_seen_of_others(
    numbers: Any, world: Any, level: Any, seen: list[int]
) -> None:
    """A block sees what others commit meanwhile at READ COMMITTED, and not above that."""
    if numbers.database.vendor == "mysql" and level == "serializable":
        pytest.skip("there a serializable transaction locks what it reads, and the other one would wait")
    await numbers.add(1)
    async with world.atomic(isolation=level):
        assert await numbers.all() == [1]
        if numbers.database.config.url.get_driver_name() == "asyncpg":
            async_elsewhere(numbers)
        else:
            elsewhere(numbers.add_now, 2)
        assert await numbers.all() == seen
    assert await numbers.all() == [1, 2]


def async_elsewhere(numbers: Any) -> None:
    """Add 2 on another connection: asyncpg has no synchronous side."""
    import psycopg

    url = numbers.database.config.url.set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(url) as connection:
        connection.execute("INSERT INTO numbers VALUES (2)")


@pytest.mark.backends("postgresql", "asyncpg")
async def test_postgresql_begins_with_the_terms(numbers: Any, world: Any) -> None:
    """All terms arrive at the server, in one message, and are gone with the transaction."""
    names = ("transaction_isolation", "transaction_read_only", "transaction_deferrable", "lock_timeout",
             "statement_timeout")  # fmt: skip
    ask = f"SELECT {', '.join(f'''current_setting('{name}')''' for name in names)}"
    plain = tuple((await world(numbers.database.fetch, ask))[0])
    with databases.capture_queries() as queries:
        async with world.atomic(
            isolation="serializable", read_only=True, deferrable=True, lock_timeout=0.5,
            statement_timeout=timedelta(seconds=7),
        ):  # fmt: skip
            rows = await world(numbers.database.fetch, ask)
    assert tuple(rows[0]) == ("serializable", "on", "on", "500ms", "7s")
    assert queries.sql == [
        "BEGIN ISOLATION LEVEL SERIALIZABLE READ ONLY DEFERRABLE; SET LOCAL lock_timeout = 500; "
        "SET LOCAL statement_timeout = 7000",
        ask,
        "COMMIT",
    ]
    assert tuple((await world(numbers.database.fetch, ask))[0]) == plain


async def test_read_only_refuses_writes_and_ends_with_the_block(numbers: Any, world: Any) -> None:
    """A read-only block reads, refuses to write, and leaves a connection that writes again."""
    await numbers.add(1)
    with pytest.raises(DatabaseError):
        async with world.atomic(read_only=True):
            assert await numbers.all() == [1]
            await numbers.add(2)
    await numbers.add(3)
    assert await numbers.all() == [1, 3]


@pytest.mark.backends("postgresql", "asyncpg", "mariadb")
@pytest.mark.parametrize("end", ["commit", "roll back"])
async def test_time_limits(numbers: Any, world: Any, end: str) -> None:
    """A statement that takes longer than the block allows fails; after the block there is no such limit."""
    slow = {"postgresql": "SELECT pg_sleep(2)", "mysql": "SELECT SLEEP(2)"}[numbers.database.vendor]
    quick = slow.replace("2", "0.3")
    started = time.perf_counter()
    with pytest.raises(OperationalError) as caught:
        async with world.atomic(statement_timeout=0.1):
            await world(numbers.database.fetch, slow)
    assert caught.value.__cause__ is not None
    assert time.perf_counter() - started < 1.5
    async with world.atomic(statement_timeout=timedelta(seconds=5), lock_timeout=5):
        await numbers.add(1)
        transaction.set_rollback(end == "roll back")
    async with world.atomic():
        await world(numbers.database.fetch, quick)
    assert await numbers.all() == ([1] if end == "commit" else [])


@pytest.mark.worlds("sync")
@pytest.mark.backends("postgresql", "mariadb")
async def test_lock_timeout(numbers: Any, world: Any) -> None:
    """Who waits for a row for longer than the block allows gets an OperationalError."""
    numbers.add_now(1)
    waits, done = threading.Event(), threading.Event()

    def hold() -> None:
        with transaction.atomic():
            numbers.database.execute("UPDATE numbers SET n = 5 WHERE n = 1")
            waits.set()
            done.wait(10)

    thread = threading.Thread(target=hold)
    thread.start()
    waits.wait(10)
    try:
        with pytest.raises(OperationalError), transaction.atomic(lock_timeout=0.2):
            numbers.database.execute("UPDATE numbers SET n = 6 WHERE n = 1")
    finally:
        done.set()
        thread.join()
    assert numbers.all_now() == [5]


@pytest.mark.backends("sqlite")
async def test_sqlite_says_what_it_has(numbers: Any, world: Any) -> None:
    """SQLite's transactions are serializable; the error for anything else names that."""
    async with world.atomic(isolation="serializable"):
        await numbers.add(1)
    with pytest.raises(NotSupportedError, match="SQLite: isolation may be 'serializable'"):
        async with world.atomic(isolation="read committed"):
            pass
    with pytest.raises(NotSupportedError, match=r"lock_timeout on SQLite.*immediate, read_only"):
        async with world.atomic(lock_timeout=1):
            pass
    assert not numbers.database.in_atomic_block
    assert await numbers.all() == [1]


@pytest.mark.backends("mariadb")
async def test_mariadb_says_what_it_has(numbers: Any, world: Any) -> None:
    """What MariaDB has no word for is refused when the block is entered."""
    with pytest.raises(NotSupportedError, match="deferrable on MariaDB"):
        async with world.atomic(isolation="serializable", read_only=True, deferrable=True):
            pass
    await numbers.add(1)


def test_terms_that_make_no_sense() -> None:
    """What no database has is a ValueError that names the choices, before anything is asked of one."""
    with pytest.raises(
        ValueError, match="'read committed', 'repeatable read', 'serializable', not 'snapshot'"
    ):
        transaction.atomic(isolation="snapshot")  # type: ignore[call-overload]
    with pytest.raises(ValueError, match="isolation='serializable' and read_only=True"):
        transaction.aatomic(deferrable=True)
    with pytest.raises(ValueError, match="lock_timeout must be a number of seconds above 0"):
        transaction.atomic(lock_timeout=0)
    with pytest.raises(ValueError, match="immediate=True takes the write lock"):
        transaction.atomic(immediate=True, read_only=True)
    with pytest.raises(ValueError, match="retries must be 0 or more"):
        transaction.atomic(retries=-1)


async def test_an_inner_block_can_not_change_the_transaction(numbers: Any, world: Any) -> None:
    """Terms of an inner block must be those of the outermost one, or weaker; else the error says where to say so."""
    async with world.atomic(isolation="serializable"):
        async with world.atomic(isolation="serializable"):
            await numbers.add(1)
        if numbers.database.vendor != "sqlite":
            async with world.atomic(isolation="read committed"):
                await numbers.add(2)
        with pytest.raises(TransactionManagementError, match=r"read_only=True\).*in the outermost block"):
            async with world.atomic(read_only=True):
                pass
        await numbers.add(3)
    with pytest.raises(TransactionManagementError, match="the database's own isolation"):
        async with world.atomic(), world.atomic(isolation="serializable"):
            pass
    assert 3 in await numbers.all()


@pytest.mark.backends("sqlite")
async def test_an_inner_block_may_ask_for_the_write_lock(numbers: Any, world: Any) -> None:
    """immediate=True of an inner block holds for the transaction, if that has not begun yet."""
    with databases.capture_queries() as queries:
        async with world.atomic(), world.atomic(immediate=True):
            await numbers.all()
    assert queries.sql[0] == "BEGIN IMMEDIATE"


@pytest.mark.backends("postgresql", "asyncpg")
async def test_terms_and_savepoints_before_statements_that_travel_together(numbers: Any, world: Any) -> None:
    """Statements in a pipeline can be the first ones of a nested block, or of one with terms."""
    from ormolu.programs import Fetch, FetchMany

    def program(_driver: Any) -> Any:
        return (yield FetchMany([Fetch("SELECT 1"), Fetch("SELECT 2")]))

    async def both() -> list[Any]:
        if world.is_async:
            found = await numbers.database.adriver.arun(program)
        else:
            found = numbers.database.driver.run(program)
        return [tuple(rows[0]) for rows in found]

    async with world.atomic(), world.atomic():
        assert await both() == [(1,), (2,)]
    async with world.atomic(isolation="serializable", lock_timeout=1):
        assert await both() == [(1,), (2,)]
