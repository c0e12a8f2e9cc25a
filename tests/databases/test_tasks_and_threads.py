"""A transaction belongs to one task or thread; others work beside it, on connections of their own."""

from __future__ import annotations

import asyncio
import contextvars
import threading
import time
from typing import Any

import pytest

import ormolu
from ormolu import databases, transaction
from ormolu.exceptions import OperationalError, SynchronousOnlyOperation, SyncInAsyncWarning

ASYNC = pytest.mark.worlds("async")
SYNC = pytest.mark.worlds("sync")


@ASYNC
async def test_children_of_a_block_write_outside_of_it(numbers: Any, world: Any) -> None:
    """Gathered children with blocks of their own succeed or fail each for itself."""

    async def child(number: int) -> None:
        async with transaction.aatomic():
            await numbers.add(number)
            if number == 3:
                raise ValueError(number)

    async with transaction.aatomic():
        assert await numbers.all() == []
        results = await asyncio.gather(*(child(n) for n in range(4)), return_exceptions=True)
    assert [type(result) for result in results] == [type(None)] * 3 + [ValueError]
    assert await numbers.all() == [0, 1, 2]


@ASYNC
async def test_a_child_that_outlives_the_block_keeps_its_writes(numbers: Any, world: Any) -> None:
    """A task started inside a block that writes after the block's end has written."""
    ended = asyncio.Event()

    async def child() -> None:
        await ended.wait()
        await numbers.add(7)

    async with transaction.aatomic():
        await numbers.add(1)
        task = asyncio.create_task(child())
    ended.set()
    await task
    assert await numbers.all() == [1, 7]


@ASYNC
async def test_blocks_of_many_tasks_are_open_at_once(numbers: Any, world: Any) -> None:
    """Ten blocks that read and then wait take as long as one."""

    async def work() -> None:
        async with transaction.aatomic():
            await numbers.all()
            await asyncio.sleep(0.2)

    await asyncio.gather(*(work() for _ in range(10)))  # the connections are made here
    started = time.perf_counter()
    await asyncio.gather(*(work() for _ in range(10)))
    assert time.perf_counter() - started < 1.0


@ASYNC
async def test_a_thread_started_by_a_task_is_outside_of_its_block(numbers: Any, world: Any) -> None:
    """asyncio.to_thread copies the context, but not the right to the parent's connection."""
    async with transaction.aatomic():
        await numbers.all()
        await asyncio.to_thread(numbers.add_now, 1)
        assert numbers.database.driver.ambient() is None or numbers.database.vendor == "sqlite"
        raise_after = await asyncio.to_thread(numbers.all_now)
    assert raise_after == [1]


@SYNC
async def test_a_thread_with_a_copied_context_is_outside_of_the_block(numbers: Any, world: Any) -> None:
    """A thread that runs in a copy of the context has a connection of its own."""
    seen: list[Any] = []
    with transaction.atomic():
        numbers.all_now()
        context = contextvars.copy_context()
        thread = threading.Thread(
            target=context.run, args=(lambda: seen.append(numbers.database.driver.ambient()),)
        )
        thread.start()
        thread.join()
    assert seen == [None]


@ASYNC
@pytest.mark.backends("sqlite")
async def test_a_child_locked_out_by_its_parent_is_told_so(numbers: Any, world: Any) -> None:
    """Where the parent holds SQLite's write lock, the child's error names the cause and the cure."""
    ormolu.configure(DATABASES={"default": {"URL": numbers.database.config.url, "OPTIONS": {"timeout": 0.1}}})
    numbers.database = databases.get()
    async with transaction.aatomic():
        await numbers.add(1)
        with pytest.raises(OperationalError, match=r"locked: the task or thread that started this one"):
            await asyncio.create_task(numbers.add(2))
    assert await numbers.all() == [1]


@SYNC
async def test_threads_lose_no_update(numbers: Any, world: Any) -> None:
    """Threads that read, compute and write in blocks end with the right sum, or with errors that add up."""
    database = numbers.database
    numbers.add_now(0)
    done: list[int] = []
    lock = "" if database.vendor == "sqlite" else " FOR UPDATE"

    def work() -> None:
        for _ in range(10):
            try:
                with transaction.atomic(immediate=True):
                    (value,) = database.fetch(f"SELECT n FROM numbers{lock}")[0]
                    database.execute(f"UPDATE numbers SET n = {int(value) + 1}")
            except OperationalError:
                continue
            done.append(1)

    threads = [threading.Thread(target=work) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert numbers.all_now() == [len(done)]
    assert len(done) == 60


@SYNC
@pytest.mark.backends("sqlite")
async def test_an_upgrade_that_came_too_late_names_the_cure(numbers: Any, world: Any) -> None:
    """A block that began by reading and lost the race to write is told of atomic(immediate=True)."""
    with pytest.raises(OperationalError, match=r"atomic\(immediate=True\)"), transaction.atomic():
        assert numbers.all_now() == []
        thread = threading.Thread(target=numbers.add_now, args=(1,))
        thread.start()
        thread.join()
        numbers.add_now(2)
    assert numbers.all_now() == [1]


@SYNC
async def test_event_loops_in_several_threads(numbers: Any, world: Any) -> None:
    """Each thread may run an event loop of its own; all of them write."""
    from support.worlds import WORLDS

    items = type(numbers)(WORLDS["async"])

    async def write(start: int) -> None:
        for number in range(start, start + 10):
            await items.add(number)

    threads = [threading.Thread(target=asyncio.run, args=(write(10 * n),)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert numbers.all_now() == list(range(40))


@SYNC
async def test_event_loops_one_after_the_other(numbers: Any, world: Any) -> None:
    """A new event loop works after another one has ended without closing anything."""
    from support.worlds import WORLDS

    items = type(numbers)(WORLDS["async"])
    for number in range(3):
        asyncio.run(items.add(number))
    assert asyncio.run(items.all()) == [0, 1, 2]


@ASYNC
async def test_sixty_four_tasks_at_once(numbers: Any, world: Any) -> None:
    """More tasks than connections take turns."""
    await asyncio.gather(*(numbers.add(n) for n in range(64)))

    async def one(number: int) -> None:
        async with transaction.aatomic():
            await numbers.add(number)

    await asyncio.gather(*(one(n) for n in range(64, 128)))
    assert await numbers.all() == list(range(128))


@ASYNC
@pytest.mark.backends("sqlite", "postgresql")
async def test_sync_calls_in_a_running_loop_are_noticed(numbers: Any, world: Any) -> None:
    """A blocking call where a loop runs warns, raises or passes, as the setting says."""
    ormolu.settings.SYNC_IN_ASYNC = "warn"
    with pytest.warns(SyncInAsyncWarning, match="aget, acreate") as warned:
        numbers.all_now()
    assert warned[0].filename.endswith(("conftest.py", "test_tasks_and_threads.py"))
    ormolu.settings.SYNC_IN_ASYNC = "error"
    with pytest.raises(SynchronousOnlyOperation):
        numbers.all_now()
    ormolu.settings.SYNC_IN_ASYNC = "off"
    assert numbers.all_now() == []


@ASYNC
@pytest.mark.backends("sqlite")
async def test_a_sync_call_inside_an_async_block_sees_its_changes_on_sqlite(numbers: Any, world: Any) -> None:
    """On SQLite both worlds' connections are of one kind, so the task's transaction is one for both."""
    ormolu.settings.SYNC_IN_ASYNC = "off"
    async with transaction.aatomic():
        await numbers.add(1)
        assert numbers.all_now() == [1]
