"""Connections of one process take turns in writing to an SQLite database, in the order in which they asked."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
import threading
import time
import weakref
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import ormolu
from ormolu import CharField, IntegerField, Model, aatomic, atomic, databases
from ormolu.databases.sqlite import turns as module
from ormolu.databases.sqlite.turns import Turns
from ormolu.exceptions import OperationalError


class Entry(Model):
    text = CharField(max_length=20, unique=True)
    number = IntegerField(default=0)

    class Meta:
        app_label = "turns"


@pytest.fixture
def configured(tmp_path: Path) -> Iterator[Callable[..., Any]]:
    """Return what configures a database in a file, with so many seconds to wait for a lock."""

    def configure(seconds: float = 5.0, size: int = 40) -> Any:
        options = {"timeout": seconds}
        url = f"sqlite:///{tmp_path / 'db.sqlite3'}"
        ormolu.configure(
            DATABASES={"default": {"URL": url, "OPTIONS": options, "POOL_SIZE": size, "MAX_OVERFLOW": 0}}
        )
        maker = threading.Thread(target=ormolu.create_tables, args=(Entry,))  # not in a loop's thread
        maker.start()
        maker.join()
        return databases.get()

    yield configure
    databases.close_all()
    ormolu.settings.reset()


def turns() -> Turns:
    """Return the queue of the database."""
    return databases.get().driver.turns  # type: ignore[attr-defined,no-any-return]


async def queued(many: int) -> None:
    """Wait until so many connections are in the queue."""
    async with asyncio.timeout(20):
        while len(turns()._waiting) != many:
            await asyncio.sleep(0.001)


def texts() -> list[str]:
    """Return what was written, in its order."""
    return list(Entry.objects.order_by("pk").values_list("text", flat=True))


async def write_in_block(text: str) -> None:
    async with aatomic():
        await Entry.objects.acreate(text=text)


async def write_after_reading(text: str) -> None:
    async with aatomic(immediate=True):
        assert not await Entry.objects.filter(text=text).aexists()
        await Entry.objects.acreate(text=text)


async def write_alone(text: str) -> None:
    await Entry.objects.acreate(text=text)


async def write_in_thread(text: str) -> None:
    def write() -> None:
        with atomic():
            Entry.objects.create(text=text)

    await asyncio.to_thread(write)


WAYS = [write_in_block, write_after_reading, write_in_thread, write_alone]


async def test_first_come_first_served(configured: Any) -> None:
    """Blocks, single statements and threads that wait for a lock have it in their order, as soon as it is free."""
    configured()
    tasks = []
    async with aatomic():
        await Entry.objects.acreate(text="first")
        for n in range(20):
            way = WAYS[n % 3] if n != 19 else write_alone
            tasks.append(asyncio.create_task(way(f"{n:02}")))
            await queued(n + 1)
    await asyncio.gather(*tasks)
    assert await asyncio.to_thread(texts) == ["first", *(f"{n:02}" for n in range(20))]
    assert turns().holder is None


async def test_many_at_once_lose_nothing(configured: Any) -> None:
    """More writers than would ever be served in time if each looked for itself: none is told that it is locked."""
    configured(seconds=3)

    async def add(n: int) -> None:
        for k in range(10):
            await WAYS[(n + k) % 4](f"{n}-{k}")
            async with aatomic(immediate=True):
                entry = await Entry.objects.order_by("pk").afirst()
                assert entry is not None
                entry.number += 1
                await asyncio.sleep(0)
                await entry.asave()

    await write_alone("counter")
    await asyncio.gather(*(add(n) for n in range(30)))
    assert await Entry.objects.acount() == 301
    assert (await Entry.objects.aget(text="counter")).number == 300
    assert turns().holder is None


@pytest.mark.parametrize("way", WAYS)
async def test_waiting_has_an_end(configured: Any, way: Any) -> None:
    """After the busy timeout it is SQLite's error, once; then all goes on as before."""
    database = configured(seconds=0.2)
    async with aatomic():
        await Entry.objects.acreate(text="first")
        task = asyncio.create_task(way("late"))
        with pytest.raises(OperationalError, match="database is locked"):
            await task
    await way("later")
    assert await asyncio.to_thread(texts) == ["first", "later"]
    assert turns().holder is None
    assert await asyncio.to_thread(database.fetch, "PRAGMA busy_timeout") == [(200,)]


@pytest.mark.parametrize("way", [write_in_block, write_after_reading, write_alone])
async def test_who_is_cancelled_leaves_the_queue(configured: Any, way: Any) -> None:
    """A cancelled task waits no longer, and those behind it have their turn."""
    configured()
    async with aatomic():
        await Entry.objects.acreate(text="first")
        tasks = []
        for n in range(3):
            tasks.append(asyncio.create_task(way(f"{n}")))
            await queued(n + 1)
        async with asyncio.timeout(2):
            tasks[0].cancel()
            with pytest.raises(asyncio.CancelledError):
                await tasks[0]
        await queued(2)
    await asyncio.gather(*tasks[1:])
    assert await asyncio.to_thread(texts) == ["first", "1", "2"]
    assert turns().holder is None


async def test_a_turn_that_comes_with_a_cancellation(configured: Any) -> None:
    """Cancelled in the very moment that it was handed the turn, a task hands it on."""
    configured()
    for n in range(30):
        async with aatomic():
            await Entry.objects.acreate(text=f"{n}-first")
            tasks = [asyncio.create_task(write_in_block(f"{n}-{k}")) for k in range(3)]
            await queued(3)
        for _ in range(n % 5):
            await asyncio.sleep(0)
        tasks[0].cancel()
        async with asyncio.timeout(3):
            with contextlib.suppress(asyncio.CancelledError):
                await tasks[0]
            await asyncio.gather(*tasks[1:])
    assert turns().holder is None


async def test_other_processes_are_waited_for(configured: Any, tmp_path: Path) -> None:
    """Whoever has the turn still waits for a lock of somebody who knows of none."""
    configured()
    other = sqlite3.connect(tmp_path / "db.sqlite3", isolation_level=None, check_same_thread=False)
    other.execute("BEGIN IMMEDIATE")
    tasks = [asyncio.create_task(way(str(n))) for n, way in enumerate(WAYS[:3])]
    await queued(2)
    await asyncio.to_thread(other.execute, "COMMIT")
    other.close()
    await asyncio.gather(*tasks)
    assert sorted(await asyncio.to_thread(texts)) == ["0", "1", "2"]


@pytest.mark.parametrize("closed", [False, True])
def test_a_holder_that_is_gone(configured: Any, closed: bool) -> None:
    """A turn whose connection was collected or closed, or has forgotten it, is nobody's."""
    database = configured()

    class Gone:
        pass

    gone: Any = Gone()
    turns().holder = weakref.ref(gone)
    del gone
    Entry.objects.create(text="first")
    idle = database.driver.checkout()
    turns().holder = idle.itself
    if closed:
        idle.native.close()
    with atomic():
        Entry.objects.create(text="second")
    assert texts() == ["first", "second"]
    assert turns().holder is None
    idle.scrap()


def test_who_was_just_woken_keeps_the_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    """Others that have waited for long don't take the turn from one that had no time yet to begin."""
    monkeypatch.setattr(module, "IDLE", 0.4)

    class Connection:
        def __init__(self, busy: bool = False) -> None:
            self.itself = weakref.ref(self)
            self.cancelled = False
            self.waiter: Any = None
            self.busy = busy

        def in_transaction(self) -> bool:
            return self.busy

    queue, writes, first, second = Turns(), Connection(busy=True), Connection(), Connection()
    had: list[bool] = []
    holder: Any = writes.itself
    queue.holder = holder
    threads = []
    for many, conn in enumerate((first, second), 1):
        waits: Any = conn
        threads.append(threading.Thread(target=lambda conn=waits: had.append(queue.wait(conn, 5))))
        threads[-1].start()
        while len(queue._waiting) < many:
            time.sleep(0.001)
    time.sleep(0.5)
    queue.pass_on(holder)
    threads[0].join()
    time.sleep(0.25)
    assert queue.holder is first.itself
    threads[1].join()  # the first has forgotten that it has it
    assert had == [True, True]
    assert queue.holder is second.itself


def test_a_long_queue(configured: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody in it is told that the database is locked, though all of them look whether the holder is still there."""
    monkeypatch.setattr(module, "LOOK", 0.002)
    monkeypatch.setattr(module, "IDLE", 0.01)
    configured(seconds=30)
    errors: list[Exception] = []

    def write(name: int) -> None:
        try:
            for n in range(5):
                with atomic():
                    Entry.objects.create(text=f"{name}-{n}")
                    time.sleep(0.002)
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=write, args=(n,)) for n in range(24)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert Entry.objects.count() == 120
    assert turns().holder is None


def test_tasks_of_a_loop_that_is_gone(configured: Any) -> None:
    """Who waits in a loop that was closed in the middle keeps nobody waiting."""
    configured()
    loop = asyncio.new_event_loop()
    for text in ("a", "b"):  # from the second on they write in the loop's own thread
        loop.run_until_complete(write_in_block(text))
    with atomic():
        Entry.objects.create(text="first")
        task = loop.create_task(write_in_block("never"))
        loop.run_until_complete(queued(1))
        assert turns()._waiting[0].in_task
        loop.close()
    for text in ("second", "third"):
        with atomic():
            Entry.objects.create(text=text)
    assert texts() == ["a", "b", "first", "second", "third"]
    assert turns().holder is None
    task._log_destroy_pending = False  # type: ignore[attr-defined]


def test_threads_that_are_interrupted(configured: Any) -> None:
    """What breaks out of the waiting, as KeyboardInterrupt does, leaves the queue as it was."""
    configured()
    begun, done = threading.Event(), threading.Event()

    def hold() -> None:
        with atomic():
            Entry.objects.create(text="first")
            begun.set()
            done.wait(20)

    class Stop(BaseException):
        pass

    thread = threading.Thread(target=hold)
    thread.start()
    begun.wait(20)
    wait = threading.Event.wait

    def stop(self: threading.Event, timeout: float | None = None) -> bool:
        raise Stop

    threading.Event.wait = stop  # type: ignore[method-assign]
    try:
        with pytest.raises(Stop), atomic():
            Entry.objects.create(text="second")
        with pytest.raises(Stop):
            Entry.objects.create(text="third")
    finally:
        threading.Event.wait = wait  # type: ignore[method-assign]
        done.set()
        thread.join()
    assert not turns()._waiting
    Entry.objects.create(text="fourth")
    assert texts() == ["first", "fourth"]
    assert turns().holder is None
