"""Closing databases while somebody is using them."""

import asyncio
import threading
from typing import Any

import pytest

import ormolu
from ormolu import CharField, Model, aatomic, atomic


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
