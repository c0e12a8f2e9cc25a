"""Locks that the database keeps for programs: who holds one keeps the others waiting."""

from __future__ import annotations

import asyncio
import threading
import time
from contextlib import asynccontextmanager
from typing import Any

import pytest

from ormolu import databases, transaction
from ormolu.exceptions import (
    LockNotAvailable,
    NotSupportedError,
    OperationalError,
    TransactionManagementError,
)

LOCKING = pytest.mark.backends("postgresql", "asyncpg", "mariadb")
POSTGRES = pytest.mark.backends("postgresql", "asyncpg")


def lock(world: Any, *args: Any, **options: Any) -> Any:
    """Return the lock of the test's world, for `async with`."""
    if world.is_async:
        return transaction.aadvisory_lock(*args, **options)

    @asynccontextmanager
    async def plain() -> Any:
        with transaction.advisory_lock(*args, **options):
            yield

    return plain()


async def is_free(world: Any, key: Any, **options: Any) -> bool:
    """Ask another thread, or task, whether it could have the lock at once."""

    async def ask() -> bool:
        try:
            async with lock(world, key, wait=False, **options):
                return True
        except LockNotAvailable:
            return False

    if world.is_async:
        return await asyncio.create_task(ask())
    answers: list[bool] = []

    def run() -> None:
        try:
            ask().send(None)
        except StopIteration as stop:
            answers.append(stop.value)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join(10)
    return answers[0]


@LOCKING
@pytest.mark.parametrize("key", ["report", 42, -(2**63), "a long name, " * 10])
async def test_one_holds_it(numbers: Any, world: Any, key: Any) -> None:
    """While one holds a lock nobody else gets it; other keys are free; then it is free again."""
    async with lock(world, key):
        assert not await is_free(world, key)
        assert await is_free(world, "another")
        await numbers.add(1)
    assert await is_free(world, key)
    with pytest.raises(ZeroDivisionError):
        async with lock(world, key):
            raise ZeroDivisionError
    assert await is_free(world, key)
    assert await numbers.all() == [1]


@LOCKING
async def test_waiting_for_some_time(numbers: Any, world: Any) -> None:
    """Who waits for so many seconds in vain gets an error that says so, and leaves no trace."""
    held, done = threading.Event(), threading.Event()
    url = numbers.database.config.url

    def hold() -> None:
        with transaction.advisory_lock("busy"):
            held.set()
            done.wait(10)

    if url.get_driver_name() == "asyncpg":
        pytest.skip("held by a thread here")
    thread = threading.Thread(target=hold)
    thread.start()
    held.wait(10)
    started = time.perf_counter()
    try:
        with pytest.raises(LockNotAvailable, match=r"'busy' is held by somebody else for longer than 1"):
            async with lock(world, "busy", wait=1):
                pass
        assert 0.9 < time.perf_counter() - started < 5
        assert isinstance(LockNotAvailable(), OperationalError)
    finally:
        done.set()
        thread.join()
    async with lock(world, "busy", wait=1):
        await numbers.add(1)


@LOCKING
async def test_the_holder_may_take_it_again(numbers: Any, world: Any) -> None:
    """A lock inside of the same lock is no wait, and the outer one lets go of it."""
    async with lock(world, "again"):
        async with lock(world, "again", wait=False):
            pass
        assert not await is_free(world, "again")
    assert await is_free(world, "again")


@POSTGRES
async def test_inside_of_a_block_it_is_the_transactions(numbers: Any, world: Any) -> None:
    """In a transaction the lock is let go of when that has ended, not before."""
    async with world.atomic():
        async with lock(world, "of the block"):
            await numbers.add(1)
        assert not await is_free(world, "of the block")
    assert await is_free(world, "of the block")
    async with world.atomic():
        async with lock(world, "of its own", transaction=False):
            assert not await is_free(world, "of its own")
        assert await is_free(world, "of its own")
    with pytest.raises(TransactionManagementError, match="inside of an 'atomic' block"):
        async with lock(world, "x", transaction=True):
            pass


@POSTGRES
async def test_waiting_in_vain_does_not_spoil_the_block(numbers: Any, world: Any) -> None:
    """A lock that is not to be had in time leaves the block as it was, and its time limit, too."""
    ask = "SELECT current_setting('lock_timeout')"
    async with lock(world, "taken"):

        async def other() -> None:
            async with world.atomic(lock_timeout=9):
                await numbers.add(1)
                for wait in (False, 0.1):
                    with pytest.raises(LockNotAvailable):
                        async with lock(world, "taken", wait=wait):
                            pass
                async with lock(world, "free", wait=0.1):
                    pass
                assert (await world(numbers.database.fetch, ask))[0][0] == "9s"
                await numbers.add(2)

        if world.is_async:
            await asyncio.create_task(other())
        else:
            thread = threading.Thread(target=lambda: world.run(other()))
            thread.start()
            thread.join(10)
    assert await numbers.all() == [1, 2]


@POSTGRES
async def test_shared_locks(numbers: Any, world: Any) -> None:
    """Shared locks go together, and keep an exclusive one out; they can't become one."""
    async with lock(world, "many", shared=True):
        assert await is_free(world, "many", shared=True)
        assert not await is_free(world, "many")
        with pytest.raises(TransactionManagementError, match="can't become exclusive"):
            async with lock(world, "many"):
                pass
    assert await is_free(world, "many")


@POSTGRES
async def test_a_lock_that_was_lost(numbers: Any, world: Any) -> None:
    """A lock whose connection died meanwhile is an error at the end: somebody else may have had it."""
    with pytest.raises(OperationalError, match="was lost with its connection|terminating connection|closed"):
        async with lock(world, "lost"):
            await world(
                numbers.database.fetch,
                "SELECT pg_terminate_backend(pid, 5000) FROM pg_locks WHERE locktype = 'advisory' "
                "AND database = (SELECT oid FROM pg_database WHERE datname = current_database())",
            )
    assert await is_free(world, "lost")


@pytest.mark.backends("mariadb")
async def test_what_mariadb_has_not(numbers: Any, world: Any) -> None:
    """MariaDB's locks are not shared, and not the transaction's: said before anything is locked."""
    with pytest.raises(NotSupportedError, match="no shared advisory locks"):
        async with lock(world, "x", shared=True):
            pass
    with pytest.raises(NotSupportedError, match="take it outside of the block"):
        async with world.atomic(), lock(world, "x"):
            pass
    async with world.atomic(), lock(world, "x", transaction=False):
        await numbers.add(1)


@pytest.mark.backends("sqlite")
async def test_sqlite_has_none(numbers: Any, world: Any) -> None:
    """On SQLite the error says what there is instead."""
    with pytest.raises(NotSupportedError, match=r"atomic\(immediate=True\)"):
        async with lock(world, "x"):
            pass


def test_keys_that_are_none() -> None:
    """A key is a text or a number of 64 bits."""
    with pytest.raises(TypeError, match="a text or a number"), transaction.advisory_lock(None):  # type: ignore[arg-type]
        pass
    with pytest.raises(ValueError, match="64 bits"), transaction.advisory_lock(2**63):
        pass


@pytest.mark.worlds("async")
@POSTGRES
async def test_cancelled_while_waiting(numbers: Any, world: Any) -> None:
    """A task that is cancelled while it waits does not get the lock later."""
    async with lock(world, "queue"):

        async def wait() -> None:
            async with lock(world, "queue"):
                await asyncio.sleep(20)

        task = asyncio.create_task(wait())
        await asyncio.sleep(0.2)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    assert await is_free(world, "queue")
    assert databases.get().adriver.loop_pool().pool.checkedout() == len(
        databases.get().adriver.loop_pool().idle
    )
