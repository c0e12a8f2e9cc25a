"""Asynchronous generators that nobody finishes, and tasks that give up waiting for a connection."""

from __future__ import annotations

import asyncio
import gc
import random
from collections.abc import Iterator

import pytest

import ormolu
from cancellation.library import Outside, Tag, Work, make_tables
from ormolu import databases, transaction
from support.backends import Backend, Backends
from support.pools import pool_faults


@pytest.fixture(scope="module", params=("sqlite", "postgresql", "asyncpg"))
def prepared(request: pytest.FixtureRequest, backends: Backends) -> Iterator[tuple[Backend, Outside]]:
    """A database with the tables, and the view of it from outside."""
    backend = backends.fresh(request.param)
    outside = make_tables(backend.url)
    yield backend, outside
    outside.close()
    databases.close_all()


@pytest.mark.parametrize("how", ["closed", "forgotten", "cancelled", "broken off in a block"])
def test_streams_left_half_way(prepared: tuple[Backend, Outside], how: str) -> None:
    """A stream that is not read to its end gives its connection back, and holds nobody up."""
    backend, outside = prepared
    ormolu.configure(backend.url)
    outside.reset()

    async def read() -> None:
        async for _work in Work.objects.order_by("pk").aiterator(chunk_size=2):
            await asyncio.sleep(20)

    async def main() -> None:
        if how == "closed":
            stream = Work.objects.order_by("pk").aiterator(chunk_size=2)
            assert (await anext(stream)).pk == 1
            await stream.aclose()
        elif how == "forgotten":
            stream = Work.objects.order_by("pk").aiterator(chunk_size=2)
            assert (await anext(stream)).pk == 1
            del stream
            gc.collect()
        elif how == "cancelled":
            task = asyncio.create_task(read())
            await asyncio.sleep(0.1)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        else:
            async with transaction.aatomic():
                async for work in Work.objects.order_by("pk").aiterator(chunk_size=2):
                    await Work.objects.filter(pk=work.pk).aupdate(pages=0)
                    break
        await Tag.objects.acreate(name=how)
        for _ in range(100):
            faults = [*pool_faults(), *outside.others()]
            if not faults:
                break
            await asyncio.sleep(0.02)
        assert faults == []
        await databases.aclose_all()

    asyncio.run(main())


@pytest.mark.parametrize("size", [1, 3])
def test_a_crowd_that_gives_up(prepared: tuple[Backend, Outside], size: int) -> None:
    """Tasks that wait for a connection, and are cancelled at any time, take nobody's place and lose no connection."""
    backend, outside = prepared
    ormolu.configure(DATABASES={"default": {"URL": backend.url, "POOL_SIZE": size, "MAX_OVERFLOW": 0}})
    outside.reset()

    async def work(number: int) -> None:
        async with transaction.aatomic(immediate=True):  # on SQLite, reading first could mean to lose
            await Tag.objects.acount()
            await asyncio.sleep(0.001)
            await Tag.objects.acreate(name=f"number {number}")

    async def main() -> None:
        tasks = [asyncio.create_task(work(number)) for number in range(60)]
        for task in random.sample(tasks, 40):
            await asyncio.sleep(random.uniform(0, 0.002))
            task.cancel()
        results = await asyncio.gather(*tasks, return_exceptions=True)
        kinds = {type(result) for result in results}
        done = sum(result is None for result in results)
        assert done >= 20, kinds
        assert await Tag.objects.filter(name__startswith="number").acount() >= done
        assert pool_faults() == []
        await databases.aclose_all()

    asyncio.run(main())


def test_a_connection_that_is_given_up_while_it_is_made(prepared: tuple[Backend, Outside]) -> None:
    """Its place goes to those who wait for one: nobody would ever give it back."""
    backend, _outside = prepared
    ormolu.configure(
        DATABASES={"default": {"URL": backend.url, "POOL_SIZE": 1, "MAX_OVERFLOW": 0, "POOL_TIMEOUT": 5}}
    )

    async def main() -> None:
        for turns in range(8):
            first = asyncio.create_task(Tag.objects.acount())
            others = [asyncio.create_task(Tag.objects.acount()) for _ in range(3)]
            for _ in range(turns):
                await asyncio.sleep(0)
            first.cancel()
            assert {type(count) for count in await asyncio.gather(*others)} == {int}
            await asyncio.gather(first, return_exceptions=True)
            assert pool_faults() == []
            await databases.aclose_all()

    asyncio.run(main())


@pytest.mark.parametrize("last", ["task", "loop"])
def test_transactions_by_hand_end_with_their_task(prepared: tuple[Backend, Outside], last: str) -> None:
    """What gathers after aset_autocommit(False) is undone when its task ends, and the connection goes back."""
    backend, outside = prepared
    ormolu.configure(DATABASES={"default": {"URL": backend.url, "POOL_SIZE": 1, "MAX_OVERFLOW": 0}})
    outside.reset()

    async def leave_open() -> None:
        await transaction.aset_autocommit(False)
        await Tag.objects.acreate(name="kept")
        await transaction.acommit()
        await Tag.objects.acreate(name="lost")

    async def main() -> None:
        if last == "loop":
            await leave_open()
            return
        await asyncio.create_task(leave_open())
        for _ in range(100):
            faults = [*pool_faults(), *outside.others()]
            if not faults:
                break
            await asyncio.sleep(0.02)
        assert faults == []
        await databases.aclose_all()

    with pytest.warns(ResourceWarning, match=r"has ended after aset_autocommit\(False\) on 'default'"):
        asyncio.run(main())
    assert outside.others() == []

    async def look() -> list[str]:
        names = [tag.name async for tag in Tag.objects.filter(name__in=["kept", "lost"])]
        await databases.aclose_all()
        return names

    assert asyncio.run(look()) == ["kept"]
