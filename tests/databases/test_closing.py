"""Closing databases while somebody is using them."""

import asyncio
import sqlite3
import threading
from typing import Any

import pytest
import sqlalchemy as sa

import ormolu
from ormolu import CharField, Model, aatomic, atomic
from ormolu.programs import Fetch


class Guest(Model):
    name = CharField(max_length=10)

    class Meta:
        app_label = "closing"


def test_a_block_survives_close_in_another_thread(db: Any) -> None:
    """A thread that closes all idle connections does not pull others out of their transactions."""
    with pytest.raises(KeyError), atomic():
        Guest.objects.create(name="a")
        thread = threading.Thread(target=ormolu.databases.close_all)
        thread.start()
        thread.join()
        assert ormolu.databases.get().in_atomic_block
        Guest.objects.create(name="b")
        raise KeyError
    assert Guest.objects.count() == 0


def test_a_cursor_survives_close(db: Any) -> None:
    """A cursor gives its connection to the driver that it is of, and no later one finds it there."""
    cursor = ormolu.databases.get().cursor()
    cursor.execute("SELECT 1")
    ormolu.databases.close_all()
    assert list(cursor) == [(1,)]
    Guest.objects.count()
    driver: Any = ormolu.databases.get().driver
    cursor.close()
    assert all(conn.driver is driver for conn in driver._idle)


@pytest.mark.worlds("async")
async def test_an_async_block_survives_close_in_another_thread(db: Any, world: Any) -> None:
    """The same for a task, whose connection belongs to its event loop."""
    with pytest.raises(KeyError):
        async with aatomic():
            await Guest.objects.acreate(name="a")
            await asyncio.to_thread(ormolu.databases.close_all)
            assert ormolu.databases.get().in_atomic_block
            await Guest.objects.acreate(name="b")
            raise KeyError
    assert await Guest.objects.acount() == 0
    await ormolu.databases.aclose_all()
    if db.vendor == "sqlite":
        # Leaving WAL takes a lock that nobody gets while another connection is open.
        with sqlite3.connect(sa.make_url(db.url).database or "", timeout=0.2) as alone:
            assert alone.execute("PRAGMA journal_mode = DELETE").fetchone() == ("delete",)
        alone.close()


@pytest.mark.worlds("async")
async def test_threads_with_loops_close_what_they_opened(db: Any, world: Any) -> None:
    """Loops that close all databases while other loops use them leave no connection open, and disturb nobody."""

    async def write(number: int) -> None:
        for n in range(10):
            await Guest.objects.acreate(name=f"{number}{n}")
        await ormolu.databases.aclose_all()

    def work(number: int) -> None:
        asyncio.run(write(number))

    await asyncio.gather(*(asyncio.to_thread(work, number) for number in range(4)))
    assert await Guest.objects.acount() == 40


@pytest.mark.worlds("async")
async def test_tasks_that_go_on_while_all_is_closed_leave_nothing_open(db: Any, world: Any) -> None:
    """A program that comes upon a driver just closed is done, by a worker and on a connection that end with it."""
    done = False

    async def read() -> None:
        while not done:
            await Guest.objects.acount()

    before = {thread.name for thread in threading.enumerate() if thread.name.startswith("ormolu-")}
    readers = [asyncio.create_task(read()) for _ in range(8)]
    for _ in range(20):
        await asyncio.sleep(0.01)
        await ormolu.databases.aclose_all()
    late = ormolu.databases.get().adriver
    await late.aclose()
    assert await late.arun(_count) == 0
    done = True
    await asyncio.gather(*readers)
    await ormolu.databases.aclose_all()
    if not db.url.endswith("://"):  # one in memory stays open
        for thread in [one for one in threading.enumerate() if one.name.startswith("ormolu-")]:
            thread.join(0.5)
        left = {thread.name for thread in threading.enumerate() if thread.name.startswith("ormolu-")}
        assert left <= before


@pytest.mark.worlds("async")
async def test_a_receiver_may_close_all(db: Any, world: Any) -> None:
    """A receiver that closes all databases, in the thread that saves, does not wait for itself."""

    def close(**_named: Any) -> None:
        ormolu.databases.close_all()

    ormolu.signals.pre_save.connect(close, sender=Guest)
    try:
        await Guest.objects.acreate(name="a")
    finally:
        ormolu.signals.pre_save.disconnect(close, sender=Guest)
    assert await Guest.objects.acount() == 1


def _count(driver: Any) -> Any:
    ((count,),) = yield Fetch("SELECT count(*) FROM closing_guest", driver.no_params)
    return count


@pytest.mark.worlds("async")
@pytest.mark.backends("postgresql", "asyncpg")
async def test_a_program_that_comes_late_leaves_no_connection(db: Any, world: Any) -> None:
    """A driver that was closed meanwhile keeps nothing that a loop would have to close, and nothing of the next one."""
    late: Any = ormolu.databases.get().adriver
    await ormolu.databases.aclose_all()
    assert await Guest.objects.acount() == 0
    assert await late.arun(_count) == 0
    (pool,) = late.pools.values()
    assert (pool.idle, pool.pool.checkedout()) == ([], 1)  # the new driver's own
    assert await Guest.objects.acount() == 0


@pytest.mark.worlds("async")
@pytest.mark.backends("postgresql", "asyncpg")
async def test_what_is_not_trusted_any_more_is_closed_when_the_loop_ends_at_once(db: Any, world: Any) -> None:
    """Connections as old as one that was lost are cut in a task, which may never come to begin."""
    pids: list[int] = []

    async def lose() -> None:
        driver: Any = ormolu.databases.get().adriver
        conns = [await driver.acheckout() for _ in range(3)]
        for conn in conns:
            pids.extend(pid for (pid,) in await conn.fetch("SELECT pg_backend_pid()"))
        for conn in conns[1:]:
            await driver.arelease(conn)
        pool = driver.loop_pool()
        pool.forget_older(conns[0])
        await driver.arelease(conns[0])

    await asyncio.to_thread(lambda: asyncio.run(lose()))
    left = f"SELECT count(*) FROM pg_stat_activity WHERE pid IN ({', '.join(map(str, pids))})"
    for _ in range(100):
        ((count,),) = await ormolu.databases.get().afetch(left)
        if not count:
            break
        await asyncio.sleep(0.02)
    assert (len(pids), count) == (3, 0)
