"""What SQLite is set up with, and databases in memory."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

import ormolu
from ormolu import databases, transaction
from ormolu.databases.sqlite import functions
from ormolu.exceptions import ImproperlyConfigured, IntegrityError, OperationalError


def one(database: Any, sql: str, params: Any = None) -> Any:
    return database.fetch(sql, params)[0][0]


@pytest.fixture
def file(tmp_path: Path) -> Any:
    ormolu.configure(f"sqlite:///{tmp_path / 'db.sqlite3'}")
    yield databases.get()
    ormolu.settings.reset()


def test_defaults(file: Any) -> None:
    """WAL, foreign keys, synchronous=NORMAL and a busy timeout of five seconds."""
    assert one(file, "PRAGMA journal_mode") == "wal"
    assert one(file, "PRAGMA foreign_keys") == 1
    assert one(file, "PRAGMA synchronous") == 1
    assert one(file, "PRAGMA busy_timeout") == 5000


def test_pragmas_and_timeout_can_be_set(tmp_path: Path) -> None:
    """OPTIONS and the URL's query set pragmas; nonsense is refused."""
    path = tmp_path / "db.sqlite3"
    options = {"journal_mode": "DELETE", "foreign_keys": False, "timeout": 1, "pragmas": {"cache_size": -99}}
    ormolu.configure(DATABASES={"default": {"ENGINE": "sqlite", "NAME": path, "OPTIONS": options}})
    database = databases.get()
    assert one(database, "PRAGMA journal_mode") == "delete"
    assert one(database, "PRAGMA foreign_keys") == 0
    assert one(database, "PRAGMA cache_size") == -99
    assert one(database, "PRAGMA busy_timeout") == 1000
    ormolu.configure(f"sqlite:///{path}?busy_timeout=300&synchronous=OFF")
    assert one(databases.get(), "PRAGMA busy_timeout") == 300
    assert one(databases.get(), "PRAGMA synchronous") == 0
    ormolu.configure(f"sqlite:///{path}?synchronous=OFF;DROP")
    with pytest.raises(ImproperlyConfigured, match="must be a word or a number"):
        databases.get().fetch("SELECT 1")
    ormolu.settings.reset()


def test_foreign_keys_are_enforced(file: Any) -> None:
    """A row that refers to nothing is refused."""
    file.execute("CREATE TABLE a (id INTEGER PRIMARY KEY)")
    file.execute("CREATE TABLE b (a INTEGER REFERENCES a (id))")
    with pytest.raises(IntegrityError, match="FOREIGN KEY"):
        file.execute("INSERT INTO b VALUES (1)")


@pytest.mark.parametrize(
    ("first", "begin"),
    [
        ("SELECT 1", "BEGIN"),
        ("WITH x AS (SELECT 1) SELECT * FROM x", "BEGIN"),
        ("-- note\n SELECT 1", "BEGIN"),
        ("DELETE FROM t", "BEGIN IMMEDIATE"),
        ("WITH x AS (SELECT 1) DELETE FROM t", "BEGIN IMMEDIATE"),
        ("INSERT INTO t VALUES (1) RETURNING n", "BEGIN IMMEDIATE"),
    ],
)
def test_how_a_transaction_begins(file: Any, first: str, begin: str) -> None:
    """A transaction that begins with a write takes the write lock at once; one that reads does not."""
    file.execute("CREATE TABLE t (n)")
    with databases.capture_queries() as queries, transaction.atomic():
        file.fetch(first)
    assert queries.sql[0] == begin


def test_immediate_on_request(file: Any) -> None:
    """atomic(immediate=True) takes the write lock with the first statement, whatever that is."""
    with databases.capture_queries() as queries, transaction.atomic(immediate=True):
        file.fetch("SELECT 1")
    assert queries.sql[0] == "BEGIN IMMEDIATE"


def test_functions(file: Any) -> None:
    """Connections know REGEXP and Unicode case folding, and what others have added."""
    assert one(file, "SELECT 'abc' REGEXP '^a.c$'") == 1
    assert one(file, "SELECT NULL REGEXP 'a'") is None
    assert one(file, "SELECT ormolu_casefold('ÁÉß')") == "áéss"
    functions.add("ormolu_test_double", 1, lambda n: n * 2)
    file.close()
    assert one(file, "SELECT ormolu_test_double(21)") == 42
    assert one(asyncio.run(_returning(file)), "SELECT ormolu_test_double(4)") == 8


async def _returning(database: Any) -> Any:
    assert (await database.afetch("SELECT ormolu_test_double(3)")) == [(6,)]
    return database


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    """A file that can't be opened is an error with its path."""
    ormolu.configure(f"sqlite:///{tmp_path}/none/db.sqlite3")
    with pytest.raises(OperationalError, match=r"none/db.sqlite3.*Check that the folder exists"):
        databases.get().fetch("SELECT 1")
    ormolu.settings.reset()


def test_integers_that_do_not_fit(file: Any) -> None:
    """A number of more than 64 bits is a DataError, not Python's OverflowError."""
    with pytest.raises(ormolu.DatabaseError, match="64-bit"):
        file.fetch("SELECT %s", (2**70,))


# -- in memory


@pytest.mark.parametrize(
    "url", ["sqlite://", ":memory:", "sqlite:///:memory:", "sqlite:///file::memory:?uri=true"]
)
def test_memory_is_one_database_for_all(url: str) -> None:
    """Threads, tasks, both worlds and SQLAlchemy's engine see the same database in memory."""
    ormolu.configure(url)
    database = databases.get()
    database.execute("CREATE TABLE t (n INTEGER)")

    async def write() -> None:
        await database.aexecute("INSERT INTO t VALUES (1)")
        async with database.async_engine.begin() as connection:
            await connection.execute(sa.text("INSERT INTO t VALUES (2)"))

    asyncio.run(write())
    thread = threading.Thread(target=database.execute, args=("INSERT INTO t VALUES (3)",))
    thread.start()
    thread.join()
    with database.engine.begin() as connection:
        connection.execute(sa.text("INSERT INTO t VALUES (4)"))
    databases.close_all()
    assert [row[0] for row in database.fetch("SELECT n FROM t ORDER BY n")] == [1, 2, 3, 4]
    ormolu.settings.reset()


def test_memory_keeps_transactions_apart(memory: Any) -> None:
    """While one thread is in a block, others wait; what it undid they never see."""
    memory.execute("CREATE TABLE t (n INTEGER)")
    seen: list[int] = []
    thread = threading.Thread(target=lambda: seen.append(one(memory, "SELECT count(*) FROM t")))
    with pytest.raises(KeyError), transaction.atomic():
        memory.execute("INSERT INTO t VALUES (1)")
        thread.start()
        thread.join(0.1)
        raise KeyError
    thread.join()
    assert seen == [0]


def test_memory_queries_inside_queries(memory: Any) -> None:
    """A query inside a loop over another one, and one inside a block, work on the one connection."""
    memory.execute("CREATE TABLE t (n INTEGER)")
    for number in range(5):
        memory.execute("INSERT INTO t VALUES (%s)", (number,))
    for rows in memory.driver.stream("SELECT n FROM t ORDER BY n", (), 2):
        for (number,) in rows:
            memory.execute("UPDATE t SET n = %s WHERE n = %s", (number + 100, number))
    assert one(memory, "SELECT min(n) FROM t") == 100


async def test_memory_and_many_tasks() -> None:
    """Tasks take turns, each with its whole transaction."""
    ormolu.configure("sqlite://")
    database = databases.get()
    await database.aexecute("CREATE TABLE t (n INTEGER)")

    async def work(number: int) -> None:
        async with transaction.aatomic():
            (count,) = (await database.afetch("SELECT count(*) FROM t"))[0]
            await asyncio.sleep(0.001)
            await database.aexecute("INSERT INTO t VALUES (%s)", (count,))
            if number % 2:
                raise KeyError

    await asyncio.gather(*(work(n) for n in range(20)), return_exceptions=True)
    assert await database.afetch("SELECT n FROM t ORDER BY n") == [(n,) for n in range(10)]
    ormolu.settings.reset()


def test_a_child_that_waits_for_its_parent_in_vain(memory: Any) -> None:
    """In memory a child of a block can only wait; the error says why."""
    ormolu.configure(DATABASES={"default": {"URL": "sqlite://", "OPTIONS": {"timeout": 0.1}}})
    database = databases.get()
    database.execute("CREATE TABLE t (n INTEGER)")

    async def main() -> None:
        async with transaction.aatomic():
            await database.aexecute("INSERT INTO t VALUES (1)")
            with pytest.raises(OperationalError, match="is inside atomic"):
                await asyncio.create_task(database.aexecute("INSERT INTO t VALUES (2)"))

    asyncio.run(main())


def test_sqlalchemy_inside_a_block_in_memory(memory: Any) -> None:
    """A SQLAlchemy connection used inside a block is part of it: its commit does not end the block."""
    memory.execute("CREATE TABLE t (n INTEGER)")
    with pytest.raises(KeyError), transaction.atomic():
        with memory.engine.begin() as connection:
            connection.execute(sa.text("INSERT INTO t VALUES (1)"))
        assert one(memory, "SELECT count(*) FROM t") == 1
        raise KeyError
    assert one(memory, "SELECT count(*) FROM t") == 0
