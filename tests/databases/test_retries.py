"""A function that is a transaction is run again when that lost against another one, and only then."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest

from ormolu import databases, transaction
from ormolu.exceptions import IntegrityError, OperationalError
from ormolu.transaction import retries


def lost(number: int = 0) -> OperationalError:
    """Return the error of a transaction that lost."""
    error = OperationalError(f"lost {number}")
    error.retryable = True
    return error


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retries, "FIRST", 0.001)


async def call(world: Any, options: dict[str, Any], body: Any) -> Any:
    """Call a body as a function that is a transaction, in the world of the test."""
    if world.is_async:

        @transaction.aatomic(**options)
        async def work() -> Any:
            return await body()

        return await work()

    @transaction.atomic(**options)
    def work_now() -> Any:
        coroutine = body()
        try:
            coroutine.send(None)
        except StopIteration as stop:
            return stop.value
        raise AssertionError("the sync world awaits nothing")

    return work_now()


async def test_it_is_run_again_until_it_succeeds(numbers: Any, world: Any) -> None:
    """Each attempt is a transaction of its own; what a lost one wrote and hooked is gone."""
    attempts: list[int] = []
    hooks: list[int] = []

    async def body() -> str:
        attempts.append(len(attempts))
        await numbers.add(attempts[-1])
        number = attempts[-1]
        await world(transaction.on_commit, lambda: hooks.append(number))
        if number < 2:
            raise lost(number)
        return "done"

    assert await call(world, {"retries": 3}, body) == "done"
    assert attempts == [0, 1, 2]
    assert hooks == [2]
    assert await numbers.all() == [2]


async def test_it_gives_up(numbers: Any, world: Any) -> None:
    """After so many retries the last error is raised, and says how often it was tried."""
    attempts: list[int] = []

    async def body() -> None:
        attempts.append(len(attempts))
        await numbers.add(1)
        raise lost(attempts[-1])

    with pytest.raises(OperationalError, match="lost 2") as caught:
        await call(world, {"retries": 2}, body)
    assert caught.value.__notes__ == ["The transaction was tried 3 times."]
    assert await numbers.all() == []


async def test_other_errors_are_raised_at_once(numbers: Any, world: Any) -> None:
    """An error that would come again is not waited for."""
    attempts: list[int] = []

    async def body() -> None:
        attempts.append(1)
        await numbers.add(1)
        await numbers.add(1)

    with pytest.raises(IntegrityError) as caught:
        await call(world, {"retries": 2}, body)
    assert attempts == [1]
    assert not caught.value.retryable
    assert not hasattr(caught.value, "__notes__")


async def test_an_error_with_such_a_cause_counts(numbers: Any, world: Any) -> None:
    """A program's own error, raised from the database's, does not hide that the transaction lost."""
    attempts: list[int] = []

    async def body() -> int:
        attempts.append(1)
        if len(attempts) == 1:
            raise RuntimeError("could not book") from lost()
        return len(attempts)

    assert await call(world, {"retries": 1}, body) == 2


async def test_inside_of_a_block_only_that_one_could_be_run_again(numbers: Any, world: Any) -> None:
    """A function inside of a block is called once: it is a part of the transaction that lost."""
    attempts: list[int] = []

    async def body() -> None:
        attempts.append(1)
        raise lost()

    with pytest.raises(OperationalError, match="lost"):
        async with world.atomic():
            await call(world, {"retries": 5}, body)
    assert attempts == [1]


async def test_what_a_hook_raises_is_not_retried(numbers: Any, world: Any) -> None:
    """Once it is committed a transaction is not run again, whatever its hooks meet."""

    async def body() -> None:
        await numbers.add(1)

        def hook() -> None:
            raise lost()

        await world(transaction.on_commit, hook)

    with pytest.raises(OperationalError, match="lost"):
        await call(world, {"retries": 5}, body)
    assert await numbers.all() == [1]


async def test_a_with_block_can_not(numbers: Any, world: Any) -> None:
    """A with block runs once; the error says what to do instead."""
    with pytest.raises(TypeError, match=r"decorate one with @a?atomic\(retries=3\), or call"):
        async with world.atomic(retries=3):
            pass


@pytest.mark.worlds("sync")
@pytest.mark.backends("postgresql", "mariadb")
async def test_deadlocks(numbers: Any, world: Any) -> None:
    """Two functions that lock two rows in opposite order both succeed."""
    numbers.add_now(1)
    numbers.add_now(2)
    database = numbers.database
    meet = threading.Barrier(2)
    calls: list[str] = []
    errors: list[BaseException] = []

    @transaction.atomic(retries=5)
    def move(name: str, first: int, second: int) -> None:
        calls.append(name)
        database.execute("UPDATE numbers SET n = n WHERE n = %s", (first,))
        database.fetch("SELECT n FROM numbers WHERE n = %s FOR UPDATE", (first,))
        if calls.count(name) == 1:
            meet.wait(10)
        database.fetch("SELECT n FROM numbers WHERE n = %s FOR UPDATE", (second,))

    def run(*args: Any) -> None:
        try:
            move(*args)
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=run, args=args) for args in (("a", 1, 2), ("b", 2, 1))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert errors == []
    assert len(calls) >= 3  # more where the one that was undone comes back before the other has gone on


@pytest.mark.worlds("async")
@pytest.mark.backends("postgresql", "asyncpg")
async def test_serialization_failures(numbers: Any, world: Any) -> None:
    """Tasks that each write what depends on all rows do so one after the other, as it seems."""
    await numbers.add(1)
    database = numbers.database
    tried: list[int] = []

    @transaction.aatomic(isolation="serializable", retries=50)
    async def follow(number: int) -> None:
        tried.append(number)
        rows = await database.afetch("SELECT sum(n) FROM numbers")
        await asyncio.sleep(0.002)
        await numbers.add(int(rows[0][0]) * 7 + number)

    await asyncio.gather(*(follow(number) for number in range(6)))
    found = await numbers.all()
    steps = [found[place] - 7 * sum(found[:place]) for place in range(1, 7)]
    assert sorted(steps) == [0, 1, 2, 3, 4, 5]
    assert len(tried) > 6


@pytest.mark.worlds("async")
@pytest.mark.backends("sqlite")
async def test_sqlite_read_then_written_by_another(numbers: Any, world: Any) -> None:
    """On SQLite a transaction that read what another one has changed since can't write, and is run again."""
    calls: list[int] = []

    @transaction.aatomic(retries=2)
    async def work() -> None:
        calls.append(1)
        seen = await numbers.all()
        if len(calls) == 1:
            await asyncio.create_task(numbers.add(1))
        await numbers.add(10 + len(seen))

    await work()
    assert await numbers.all() == [1, 11]
    assert len(calls) == 2


async def test_coroutine_functions_and_generators(numbers: Any, world: Any) -> None:
    """@atomic of a coroutine function is what @aatomic is; a generator function is refused by both."""

    @transaction.atomic
    async def add_two() -> None:
        await databases.get().aexecute("INSERT INTO numbers VALUES (1)")
        raise IntegrityError("no")

    if world.is_async:
        with pytest.raises(IntegrityError):
            await add_two()
        assert await numbers.all() == []

    def rows() -> Any:
        yield 1

    with pytest.raises(TypeError, match="a generator runs when it is iterated over"):
        transaction.atomic(rows)
    with pytest.raises(TypeError, match="a generator runs when it is iterated over"):
        transaction.aatomic(rows)  # type: ignore[call-overload]
