"""Transactions by hand, as functions and as methods of the database: without blocks, savepoints, flags."""

from __future__ import annotations

import asyncio
import logging
import time
from typing import Any

import pytest

from ormolu import databases, transaction
from ormolu.conf import override
from ormolu.exceptions import IntegrityError, TransactionManagementError


async def test_without_blocks(numbers: Any, world: Any) -> None:
    """After set_autocommit(False) statements gather until commit() or rollback(); then more of them."""
    database = numbers.database
    await world(transaction.set_autocommit, False)
    try:
        assert not transaction.get_autocommit()
        assert not database.autocommit
        assert not database.in_atomic_block
        await numbers.add(1)
        await world(transaction.rollback)
        await numbers.add(2)
        await world(transaction.commit)
        await numbers.add(3)
        await world(database.rollback)
        await numbers.add(4)
    finally:
        await world(database.set_autocommit, True)
    assert transaction.get_autocommit()
    assert database.autocommit
    assert await numbers.all() == [2, 4]


async def test_an_error_without_blocks_is_undone_by_rollback(numbers: Any, world: Any) -> None:
    """After an error nothing is accepted until rollback(), which makes all good again."""
    await world(transaction.set_autocommit, False)
    try:
        await numbers.add(1)
        with pytest.raises(IntegrityError):
            await numbers.add(1)
        with pytest.raises(TransactionManagementError):
            await numbers.add(2)
        await world(transaction.rollback)
        await numbers.add(3)
        await world(transaction.commit)
    finally:
        await world(transaction.set_autocommit, True)
    assert await numbers.all() == [3]


async def test_a_block_inside_is_a_savepoint(numbers: Any, world: Any) -> None:
    """atomic() after set_autocommit(False) can fail alone, and forbids commit() inside."""
    await world(transaction.set_autocommit, False)
    try:
        await numbers.add(1)
        with pytest.raises(ZeroDivisionError):
            async with world.atomic():
                await numbers.add(2)
                for call in (transaction.commit, transaction.rollback):
                    with pytest.raises(TransactionManagementError, match="forbidden when an 'atomic' block"):
                        await world(call)
                raise ZeroDivisionError
        await world(transaction.commit)
    finally:
        await world(transaction.set_autocommit, True)
    assert await numbers.all() == [1]


async def test_hooks_without_blocks_wait_for_commit(numbers: Any, world: Any) -> None:
    """on_commit() after set_autocommit(False) waits for commit(); rollback() forgets it."""
    called: list[int] = []
    await world(transaction.set_autocommit, False)
    try:
        await numbers.add(1)
        await world(transaction.on_commit, lambda: called.append(1))
        await world(transaction.rollback)
        assert called == []
        await numbers.add(2)
        await world(transaction.on_commit, lambda: called.append(2))
        await world(transaction.commit)
        assert called == [2]
    finally:
        await world(transaction.set_autocommit, True)


@pytest.mark.worlds("async")
async def test_gathering_belongs_to_the_task(numbers: Any, world: Any) -> None:
    """Another task's statements are transactions of their own meanwhile."""
    if numbers.database.vendor != "sqlite":  # whose write lock it holds
        await transaction.aset_autocommit(False)
        await numbers.add(1)
        await asyncio.create_task(numbers.add(2))
        await transaction.arollback()
        await transaction.aset_autocommit(True)
        assert await numbers.all() == [2]
    assert transaction.get_autocommit()


async def test_savepoints(numbers: Any, world: Any) -> None:
    """Savepoints by hand undo a part, and let go of it; the database lists those that are open."""
    database = numbers.database
    assert database.savepoint_ids == []
    assert await world(transaction.savepoint) is None
    async with world.atomic():
        await numbers.add(1)
        first = await world(transaction.savepoint)
        await numbers.add(2)
        second = await world(database.savepoint)
        await numbers.add(3)
        assert database.savepoint_ids == [first, second]
        await world(transaction.savepoint_rollback, second)
        await world(transaction.savepoint_commit, second)
        assert database.savepoint_ids == [first]
        await world(database.savepoint_commit, first)
        async with world.atomic():
            assert len(database.savepoint_ids) == 1
    assert database.savepoint_ids == []
    assert await numbers.all() == [1, 2]


async def test_recovery_by_hand(numbers: Any, world: Any) -> None:
    """After an error: roll back to a savepoint, take back the flag, go on."""
    async with world.atomic():
        await numbers.add(1)
        sid = await world(transaction.savepoint)
        with pytest.raises(IntegrityError):
            await numbers.add(1)
        assert transaction.get_rollback()
        await world(transaction.savepoint_rollback, sid)
        transaction.set_rollback(False)
        assert not numbers.database.get_rollback()
        await numbers.add(2)
    assert await numbers.all() == [1, 2]


async def test_a_long_transaction_is_said(numbers: Any, world: Any, caplog: pytest.LogCaptureFixture) -> None:
    """A block that is open for longer than LONG_TRANSACTION_MS is logged, with the line where it begins."""
    with override(LONG_TRANSACTION_MS=600), caplog.at_level(logging.WARNING, "ormolu.transaction"):
        async with world.atomic():
            await numbers.add(1)
        async with world.atomic():
            time.sleep(0.7)
            await numbers.add(2)  # nothing was begun before this
        assert caplog.records == []
        async with world.atomic():
            await numbers.add(3)
            time.sleep(0.7)
    assert len(caplog.records) == 1
    text = caplog.records[0].getMessage()
    assert "on 'default' was open for " in text
    assert "(LONG_TRANSACTION_MS is 600)" in text
    if world.is_async:
        assert f"test_a_long_transaction_is_said in {__file__}, line " in text


async def test_no_limit_for_long_transactions(
    numbers: Any, world: Any, caplog: pytest.LogCaptureFixture
) -> None:
    """LONG_TRANSACTION_MS of 0 says nothing."""
    with override(LONG_TRANSACTION_MS=0):
        async with world.atomic():
            await numbers.add(1)
    assert caplog.records == []
    assert databases.get().ambient() is None
