"""Whatever interrupts a block, all of it is undone, and its connection is good for the next one."""

from __future__ import annotations

import asyncio
import os
import signal
import threading
import time
from typing import Any

import pytest

from ormolu import databases, transaction
from ormolu.programs import Enter, Execute, Fetch, Leave, atomically, brief

COUNTING = "SELECT 1 UNION ALL SELECT x + 1 FROM c WHERE x < 300000000"
SLOW = {
    "sqlite": f"WITH RECURSIVE c(x) AS ({COUNTING}) SELECT count(*) FROM c",
    "postgresql": "SELECT pg_sleep(20)",
    "mysql": "SELECT sleep(20)",
}


def idle_and_clean(database: Any) -> bool:
    """Say whether no connection at hand has a transaction open."""
    conns = list(database.driver._idle)
    for pool in getattr(database.adriver, "pools", {}).values():
        conns += pool.idle
    return not any(conn.blocks or conn.in_transaction() for conn in conns)


@pytest.mark.worlds("async")
@pytest.mark.parametrize("during", ["statement", "sleep"])
@pytest.mark.parametrize("how", ["cancel", "timeout"])
async def test_a_cancelled_block_leaves_nothing(numbers: Any, world: Any, during: str, how: str) -> None:
    """task.cancel and asyncio.timeout, in a statement or between two, undo the block."""

    async def work() -> None:
        async with transaction.aatomic():
            await numbers.add(1)
            if during == "sleep":
                await asyncio.sleep(20)
            else:
                await numbers.database.afetch(SLOW[numbers.database.vendor])

    started = time.perf_counter()
    if how == "cancel":
        task = asyncio.create_task(work())
        await asyncio.sleep(0.2)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    else:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.2):
                await work()
    assert time.perf_counter() - started < 4
    assert idle_and_clean(numbers.database)
    await numbers.add(2)
    assert await numbers.all() == [2]


@pytest.mark.worlds("async")
async def test_a_cancelled_program_is_whole_or_not_at_all(numbers: Any, world: Any) -> None:
    """A program in autocommit with a block of its own is undone when it is cancelled half way."""
    sql = f"INSERT INTO numbers VALUES ({numbers.mark})"

    def both() -> Any:
        yield Execute(sql, (1,))
        yield Fetch(SLOW[numbers.database.vendor], ())
        yield Execute(sql, (2,))

    def program(_driver: Any) -> Any:
        return (yield from atomically(both()))

    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.2):
            await numbers.database.adriver.arun(program)
    assert await numbers.all() == []
    assert idle_and_clean(numbers.database)


@pytest.mark.worlds("async")
async def test_cancelling_at_any_moment_loses_or_keeps_all(numbers: Any, world: Any) -> None:
    """However soon or late the cancellation comes, both rows of a block are there or neither."""

    async def work(number: int) -> None:
        async with transaction.aatomic():
            await numbers.add(number)
            await numbers.add(number + 1)

    for turn in range(40):
        task = asyncio.create_task(work(turn * 2))
        for _ in range(turn % 20):
            await asyncio.sleep(0)
        if turn >= 20:
            await asyncio.sleep(turn * 0.0001)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    found = await numbers.all()
    assert all(number ^ 1 in found for number in found)
    assert idle_and_clean(numbers.database)
    async with transaction.aatomic():
        await numbers.add(1000)


@pytest.mark.worlds("async")
async def test_cancelled_while_waiting_for_a_connection(numbers: Any, world: Any) -> None:
    """A task that gives up its place in the queue for a connection harms nobody."""
    import ormolu

    options = {"POOL_SIZE": 1, "MAX_OVERFLOW": 0}
    ormolu.configure(DATABASES={"default": {"URL": numbers.database.config.settings["URL"], **options}})
    numbers.database = databases.get()

    async def work(number: int) -> None:
        async with transaction.aatomic():
            await numbers.add(number)
            await asyncio.sleep(0.1)

    first = asyncio.create_task(work(1))
    await asyncio.sleep(0.02)
    second, third = asyncio.create_task(work(2)), asyncio.create_task(work(3))
    await asyncio.sleep(0.02)
    second.cancel()
    await asyncio.gather(first, second, third, return_exceptions=True)
    assert await numbers.all() == [1, 3]


@pytest.mark.worlds("sync")
@pytest.mark.parametrize("during", ["statement", "block"])
async def test_keyboard_interrupt_leaves_nothing(
    request: pytest.FixtureRequest, numbers: Any, world: Any, during: str
) -> None:
    """Ctrl-C in a statement or in the block's own code undoes the block."""
    database = numbers.database
    if during == "statement" and database.vendor == "mysql":
        pytest.skip("PyMySQL's wait is interrupted only where the signal's handler runs")

    def interrupt() -> None:
        time.sleep(0.3)
        if database.vendor == "sqlite" and during == "statement":
            for conn in busy:
                conn.native.interrupt()  # sqlite3 looks at signals only between its statements
        os.kill(os.getpid(), signal.SIGINT)

    busy: list[Any] = []
    thread = threading.Thread(target=interrupt)
    # A shell's background jobs are started with the signal ignored.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    request.addfinalizer(lambda: signal.signal(signal.SIGINT, before))
    with pytest.raises(KeyboardInterrupt):
        try:
            with transaction.atomic():
                numbers.add_now(1)
                busy.append(database.driver.ambient())
                thread.start()
                if during == "statement":
                    database.fetch(SLOW[database.vendor])
                time.sleep(20)
        finally:
            thread.join()
            time.sleep(0.05)
    assert idle_and_clean(database)
    numbers.add_now(2)
    assert numbers.all_now() == [2]


@pytest.mark.worlds("sync")
async def test_a_program_interrupted_between_its_steps(numbers: Any, world: Any) -> None:
    """An interruption that no step sees still closes the blocks that the program has open."""
    sql = f"INSERT INTO numbers VALUES ({numbers.mark})"

    class Interrupting:
        def run(self, _conn: Any) -> Any:
            raise KeyboardInterrupt

    def program(_driver: Any) -> Any:
        token = yield Enter()
        yield Execute(sql, (1,))
        yield Interrupting()
        yield Leave(token, False)

    with pytest.raises(KeyboardInterrupt):
        numbers.database.driver.run(program)
    assert idle_and_clean(numbers.database)
    with transaction.atomic():
        numbers.add_now(2)
        with pytest.raises(KeyboardInterrupt):
            numbers.database.driver.run(program)
        numbers.add_now(3)
    assert numbers.all_now() == [2, 3]


@pytest.mark.worlds("async")
async def test_a_program_that_waits_for_a_worker_is_ended(numbers: Any, world: Any) -> None:
    """One that was begun in the loop's thread and never came to a worker ends with its task, and waits for none."""
    slow = SLOW[numbers.database.vendor]
    ended: list[int] = []

    def long(_driver: Any) -> Any:
        yield Fetch(slow, ())

    @brief
    def quick(_driver: Any) -> Any:
        yield Fetch("SELECT 1", ())

    @brief
    def begun(_driver: Any) -> Any:
        token = yield Enter()
        try:
            yield Fetch(slow, ())
        except BaseException:
            yield Leave(token, True)
            raise
        finally:
            ended.append(1)

    arun = numbers.database.adriver.arun
    for _ in range(3):  # then there is a connection in the loop's thread, where there is to be one
        await arun(quick)
        await asyncio.sleep(0.05)
    others = [asyncio.create_task(arun(long)) for _ in range(4)]
    await asyncio.sleep(0.2)
    last = asyncio.create_task(arun(begun))
    await asyncio.sleep(0.1)
    last.cancel()
    started = time.perf_counter()
    with pytest.raises(asyncio.CancelledError):
        await last
    assert time.perf_counter() - started < 4
    for other in others:
        other.cancel()
    await asyncio.gather(*others, return_exceptions=True)
    assert ended == [1]
    assert idle_and_clean(numbers.database)
