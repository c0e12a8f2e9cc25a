"""Blocks: all of their changes or none, nested as deep as one likes."""

from __future__ import annotations

from typing import Any

import pytest

import ormolu
from ormolu import databases, transaction
from ormolu.exceptions import IntegrityError, OperationalError, TransactionManagementError


class Stop(Exception):
    pass


async def test_a_block_commits(numbers: Any, world: Any) -> None:
    """What was written in a block is there after it."""
    async with world.atomic():
        await numbers.add(1)
    assert await numbers.all() == [1]


async def test_a_block_rolls_back_on_an_exception(numbers: Any, world: Any) -> None:
    """An exception that leaves the block undoes it, and goes on."""
    with pytest.raises(Stop):
        async with world.atomic():
            await numbers.add(1)
            raise Stop
    assert await numbers.all() == []


async def test_an_inner_block_as_first_statement_belongs_to_the_outer_one(numbers: Any, world: Any) -> None:
    """A savepoint that is the first thing in a transaction does not commit by itself."""
    with pytest.raises(Stop):
        async with world.atomic():
            async with world.atomic():
                await numbers.add(1)
            raise Stop
    assert await numbers.all() == []


async def test_a_program_of_several_writes_belongs_to_the_block(numbers: Any, world: Any) -> None:
    """A program with a block of its own, and one with many rows, are undone with the outer block."""
    from ormolu.programs import Execute, ExecuteMany, atomically

    def both(_driver: Any) -> Any:
        yield Execute(f"INSERT INTO numbers VALUES ({numbers.mark})", (1,))
        yield ExecuteMany(f"INSERT INTO numbers VALUES ({numbers.mark})", [(2,), (3,)])

    def program(driver: Any) -> Any:
        return (yield from atomically(both(driver)))

    async def go() -> None:
        if world.is_async:
            await numbers.database.adriver.arun(program)
        else:
            numbers.database.driver.run(program)

    with pytest.raises(Stop):
        async with world.atomic():
            await go()
            raise Stop
    assert await numbers.all() == []
    await go()
    assert await numbers.all() == [1, 2, 3]


async def test_an_inner_block_is_undone_alone(numbers: Any, world: Any) -> None:
    """An exception caught around an inner block leaves the outer one's changes."""
    async with world.atomic():
        await numbers.add(1)
        with pytest.raises(Stop):
            async with world.atomic():
                await numbers.add(2)
                raise Stop
        await numbers.add(3)
    assert await numbers.all() == [1, 3]


async def test_an_error_of_the_database_spoils_the_block(numbers: Any, world: Any) -> None:
    """After an error inside a block no statement is accepted, and its changes are gone."""
    async with world.atomic():
        await numbers.add(1)
        with pytest.raises(IntegrityError):
            await numbers.add(1)
        with pytest.raises(TransactionManagementError, match="until the end of the 'atomic' block"):
            await numbers.add(2)
    assert await numbers.all() == []


async def test_a_savepoint_confines_an_error(numbers: Any, world: Any) -> None:
    """An error inside an inner block, caught around it, leaves the outer one usable."""
    async with world.atomic():
        await numbers.add(1)
        with pytest.raises(IntegrityError):
            async with world.atomic():
                await numbers.add(1)
        await numbers.add(2)
    assert await numbers.all() == [1, 2]


async def test_an_error_swallowed_inside_an_inner_block_undoes_that_block(numbers: Any, world: Any) -> None:
    """An inner block whose error was caught within it is undone at its end, silently."""
    async with world.atomic():
        async with world.atomic():
            await numbers.add(1)
            with pytest.raises(IntegrityError):
                await numbers.add(1)
        await numbers.add(2)
    assert await numbers.all() == [2]


async def test_an_inner_block_without_savepoint_spoils_the_outer_one(numbers: Any, world: Any) -> None:
    """With savepoint=False an inner block's failure undoes everything."""
    async with world.atomic():
        await numbers.add(1)
        with pytest.raises(Stop):
            async with world.atomic(savepoint=False):
                raise Stop
        with pytest.raises(TransactionManagementError):
            await numbers.add(2)
    assert await numbers.all() == []


async def test_nothing_is_sent_before_the_first_statement(numbers: Any, world: Any) -> None:
    """Blocks without statements cost no statement at all."""
    with databases.capture_queries() as queries:
        async with world.atomic(), world.atomic():
            pass
    assert queries.sql == []


async def test_a_durable_block_must_be_outermost(numbers: Any, world: Any) -> None:
    """durable=True inside another block is refused, before it does anything."""
    async with world.atomic(durable=True):
        with pytest.raises(RuntimeError, match="durable atomic block cannot be nested"):
            async with world.atomic(durable=True):
                raise AssertionError
        await numbers.add(1)
    assert await numbers.all() == [1]


async def test_set_rollback(numbers: Any, world: Any) -> None:
    """set_rollback(True) undoes the block at its end, without an exception."""
    async with world.atomic():
        await numbers.add(1)
        assert transaction.get_rollback() is False
        transaction.set_rollback(True)
        assert transaction.get_rollback() is True
    assert await numbers.all() == []
    with pytest.raises(TransactionManagementError, match="outside of an 'atomic' block"):
        transaction.set_rollback(True)


async def test_savepoints_by_hand(numbers: Any, world: Any) -> None:
    """A savepoint set by hand can be gone back to."""
    async with world.atomic():
        await numbers.add(1)
        sid = await world(transaction.savepoint)
        await numbers.add(2)
        await world(transaction.savepoint_rollback, sid)
        await world(transaction.savepoint_commit, sid)
        await numbers.add(3)
    assert await numbers.all() == [1, 3]
    assert await world(transaction.savepoint) is None


async def test_a_spoilt_block_can_go_on_from_a_savepoint(numbers: Any, world: Any) -> None:
    """After an error, going back to a savepoint and set_rollback(False) make the block usable again."""
    async with world.atomic():
        sid = await world(transaction.savepoint)
        await numbers.add(1)
        with pytest.raises(IntegrityError):
            await numbers.add(1)
        await world(transaction.savepoint_rollback, sid)
        transaction.set_rollback(False)
        await numbers.add(2)
    assert await numbers.all() == [2]


async def test_hooks_run_after_the_commit(numbers: Any, world: Any) -> None:
    """on_commit functions run in order after the outermost commit, outside of the transaction."""
    seen: list[Any] = []
    async with world.atomic():
        transaction.on_commit(lambda: seen.append(("first", transaction.get_autocommit())))
        async with world.atomic():
            await numbers.add(1)
            transaction.on_commit(lambda: seen.append("second"))
        assert seen == []
    assert seen == [("first", True), "second"]


async def test_hooks_of_what_was_undone_never_run(numbers: Any, world: Any) -> None:
    """Functions registered in a block that was rolled back are forgotten, those around it are not."""
    seen: list[str] = []
    async with world.atomic():
        transaction.on_commit(lambda: seen.append("outer"))
        with pytest.raises(Stop):
            async with world.atomic():
                transaction.on_commit(lambda: seen.append("inner"))
                raise Stop
        sid = await world(transaction.savepoint)
        transaction.on_commit(lambda: seen.append("after savepoint"))
        await world(transaction.savepoint_rollback, sid)
    assert seen == ["outer"]
    with pytest.raises(Stop):
        async with world.atomic():
            transaction.on_commit(lambda: seen.append("lost"))
            raise Stop
    assert seen == ["outer"]


async def test_a_robust_hook_does_not_stop_the_others(numbers: Any, world: Any, caplog: Any) -> None:
    """A robust function's exception is logged; another's ends the series, and propagates."""
    seen: list[int] = []

    def fail() -> None:
        raise Stop

    async with world.atomic():
        transaction.on_commit(fail, robust=True)
        transaction.on_commit(lambda: seen.append(1))
    assert seen == [1]
    assert "on_commit()" in caplog.text
    with pytest.raises(Stop):
        async with world.atomic():
            transaction.on_commit(fail)
            transaction.on_commit(lambda: seen.append(2))
    assert seen == [1]


async def test_a_hook_outside_of_blocks_runs_at_once(numbers: Any, world: Any) -> None:
    """With no transaction to wait for, on_commit calls the function."""
    seen: list[int] = []
    transaction.on_commit(lambda: seen.append(1))
    assert seen == [1]
    with pytest.raises(TypeError, match="must be a callable"):
        transaction.on_commit(3)  # type: ignore[arg-type]


@pytest.mark.worlds("async")
async def test_async_hooks_are_awaited(numbers: Any, world: Any) -> None:
    """In async code a hook may be a coroutine function, and may query."""
    seen: list[Any] = []

    async def hook() -> None:
        seen.append(await numbers.all())

    async with world.atomic():
        await numbers.add(1)
        transaction.on_commit(hook)
    assert seen == [[1]]
    await transaction.aon_commit(hook)
    assert seen == [[1], [1]]


@pytest.mark.worlds("sync")
async def test_an_async_hook_is_refused_in_sync_code(numbers: Any, world: Any) -> None:
    """A hook that nobody could await is an error when it is registered."""

    async def hook() -> None:
        pass

    with transaction.atomic(), pytest.raises(TypeError, match="aon_commit"):
        transaction.on_commit(hook)


@pytest.mark.worlds("sync")
async def test_decorators(numbers: Any, world: Any) -> None:
    """@atomic with and without arguments makes a function one transaction, also when it calls itself."""

    @transaction.atomic
    def plain(depth: int) -> None:
        numbers.add_now(depth)
        if depth < 3:
            plain(depth + 1)
        else:
            raise Stop

    @transaction.atomic(using="default", durable=True)
    def with_options() -> str:
        numbers.add_now(9)
        return "done"

    with pytest.raises(Stop):
        plain(1)
    assert with_options() == "done"
    assert numbers.all_now() == [9]


@pytest.mark.worlds("async")
async def test_async_decorators(numbers: Any, world: Any) -> None:
    """@aatomic makes a coroutine function one transaction, and refuses a plain one."""

    @transaction.aatomic
    async def work() -> None:
        await numbers.add(1)
        raise Stop

    with pytest.raises(Stop):
        await work()
    assert await numbers.all() == []
    with pytest.raises(TypeError, match="use @atomic"):
        transaction.aatomic(lambda: None)


@pytest.mark.backends("sqlite", "postgresql", "asyncpg")
async def test_read_only_blocks_refuse_writes(numbers: Any, world: Any) -> None:
    """In a read-only block the database refuses to write; afterwards it does not."""
    with pytest.raises(ormolu.DatabaseError):
        async with world.atomic(read_only=True):
            assert await numbers.all() == []
            await numbers.add(1)
    await numbers.add(2)
    assert await numbers.all() == [2]


async def test_an_error_outside_of_blocks_leaves_nothing_open(numbers: Any, world: Any) -> None:
    """After a failed statement in autocommit, others can write at once."""
    await numbers.add(1)
    with pytest.raises(IntegrityError):
        await numbers.add(1)
    numbers.database.close()
    await numbers.add(2)
    assert await numbers.all() == [1, 2]


async def test_many_rows_are_all_or_none_in_autocommit(numbers: Any, world: Any) -> None:
    """A statement run for many rows keeps none of them if one fails."""
    from ormolu.programs import ExecuteMany

    def program(_driver: Any, *values: int) -> Any:
        return (yield ExecuteMany(f"INSERT INTO numbers VALUES ({numbers.mark})", [(v,) for v in values]))

    async def go(*values: int) -> Any:
        if world.is_async:
            return await numbers.database.adriver.arun(program, *values)
        return numbers.database.driver.run(program, *values)

    with pytest.raises(IntegrityError):
        await go(1, 2, 1)
    assert await numbers.all() == []
    assert await go(1, 2, 3) == 3


@pytest.mark.worlds("sync")
async def test_autocommit_by_hand(numbers: Any, world: Any) -> None:
    """set_autocommit(False) gathers statements until commit() or rollback(); atomic() inside is a savepoint."""
    transaction.set_autocommit(False)
    try:
        assert not transaction.get_autocommit()
        numbers.add_now(1)
        transaction.rollback()
        numbers.add_now(2)
        transaction.commit()
        with pytest.raises(Stop), transaction.atomic():
            with pytest.raises(TransactionManagementError, match="forbidden"):
                transaction.commit()
            numbers.add_now(3)
            raise Stop
        numbers.add_now(4)
    finally:
        transaction.set_autocommit(True)
    assert transaction.get_autocommit()
    assert numbers.all_now() == [2, 4]


@pytest.mark.worlds("sync")
async def test_ten_reads_are_ten_statements(numbers: Any, world: Any) -> None:
    """No checkout, ping or reset statement stands beside what the program asked for."""
    seen: list[str] = []
    native = None
    if numbers.database.vendor == "sqlite":
        native = numbers.database.driver.checkout_idle()
        native.native.set_trace_callback(seen.append)
        numbers.database.driver.release(native)
    with databases.capture_queries() as queries:
        for _ in range(10):
            numbers.all_now()
    assert len(queries) == 10
    if native is not None:
        assert len(seen) == 10
        native.native.set_trace_callback(None)


async def test_a_savepoint_that_is_lost_takes_the_outer_block_with_it(numbers: Any, world: Any) -> None:
    """Where the database has undone the whole transaction (as at a deadlock), what follows is not written alone.

    And whoever has handled the inner block's error is told.
    """
    lost = OperationalError("deadlock")
    lost.retryable = True
    for going_on in (True, False):
        with pytest.raises(TransactionManagementError, match="savepoint could not be rolled back") as caught:
            async with world.atomic():
                await numbers.add(1)
                with pytest.raises(OperationalError):
                    async with world.atomic():
                        await numbers.add(2)
                        await world(numbers.database.execute, "ROLLBACK")
                        numbers.database.ambient().spoil(lost)
                        raise lost
                if going_on:
                    with pytest.raises(TransactionManagementError):
                        await numbers.add(3)
        assert caught.value.__cause__ is lost  # so that it is tried again where that was asked for
        assert await numbers.all() == []


async def test_functions_of_a_savepoint_that_could_not_be_released_are_forgotten(
    numbers: Any, world: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A savepoint whose release fails is undone, and what waited for its commit is not called."""
    called: list[str] = []
    async with world.atomic():
        await numbers.add(1)
        conn = numbers.database.ambient()
        run_control = conn.control_now

        def failing(sql: str) -> Any:
            if sql.startswith("RELEASE"):
                monkeypatch.undo()
                raise Stop
            return run_control(sql)

        with pytest.raises(Stop):
            async with world.atomic():
                await numbers.add(2)
                await world(transaction.on_commit, lambda: called.append("inner"))
                monkeypatch.setattr(conn, "control_now", failing)
        await world(transaction.on_commit, lambda: called.append("outer"))
    assert called == ["outer"]
    assert await numbers.all() == [1]
