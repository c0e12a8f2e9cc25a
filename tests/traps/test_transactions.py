"""Transactions: whole or not at all, also when nested, cancelled, concurrent, or left by a child task."""

import asyncio
import threading
from typing import Any

import pytest

import ormolu
from ormolu import IntegrityError, OperationalError, aatomic, atomic
from traps.museum import Museum, Painter, Painting, Style, names

MODELS = [Museum, Painter, Painting, Style]


class Stop(Exception):
    """What makes a block fail."""


async def test_an_outer_block_takes_back_the_inner_one(db: Any, world: Any) -> None:
    """What an inner block did is rolled back with the outer one (E1, E3)."""
    with pytest.raises(Stop):
        async with world.atomic():
            async with world.atomic():
                await world(Museum.objects.create, name="inner")
            raise Stop
    assert await world(Museum.objects.count) == 0


async def test_an_inner_block_fails_alone(db: Any, world: Any) -> None:
    """A failed inner block leaves the outer one's work alone (E1)."""
    async with world.atomic():
        await world(Style.objects.create, name="kept")
        with pytest.raises(IntegrityError):
            async with world.atomic():
                await world(Style.objects.create, name="lost")
                await world(Style.objects.create, name="kept")
        await world(Style.objects.create, name="after")
    assert await names(world, Style.objects.all()) == ["after", "kept"]


async def test_a_block_that_begins_with_a_compound_write(db: Any, world: Any) -> None:
    """Writes that open blocks of their own take part in one that is open (E2)."""
    for write, args, kwargs in [
        (Style.objects.get_or_create, (), {"name": "a"}),
        (Style.objects.bulk_create, ([Style(name="b"), Style(name="c")],), {}),
        (Style.objects.update_or_create, (), {"name": "d", "defaults": {"slug": "e"}}),
    ]:
        with pytest.raises(Stop):
            async with world.atomic():
                await world(write, *args, **kwargs)
                raise Stop
        assert await world(Style.objects.count) == 0


@pytest.mark.backends("sqlite", "postgresql")
def test_threads_that_add_up(db: Any) -> None:
    """Of concurrent read-change-write blocks each counts, or fails with an error; none is lost (E4)."""
    start = Painter.objects.create(name="Ann", age=0)
    errors: list[BaseException] = []

    def work() -> None:
        for _ in range(5):
            try:
                with atomic():
                    # PostgreSQL's default isolation needs the change to be made by the database.
                    if db.vendor == "postgresql":
                        Painter.objects.filter(pk=start.pk).update(age=ormolu.F("age") + 1)
                    else:
                        painter = Painter.objects.get(pk=start.pk)
                        painter.age += 1
                        painter.save()
            except OperationalError as error:
                errors.append(error)
        ormolu.databases.get().close()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert Painter.objects.get().age + len(errors) == 20


@pytest.mark.backends("sqlite")
def test_immediate_blocks_wait_for_each_other(db: Any) -> None:
    """On SQLite atomic(immediate=True) lets read-change-write blocks take turns, without errors (E4)."""
    start = Painter.objects.create(name="Ann", age=0)

    def work() -> None:
        for _ in range(5):
            with atomic(immediate=True):
                painter = Painter.objects.get(pk=start.pk)
                painter.age += 1
                painter.save()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert Painter.objects.get().age == 20


@pytest.mark.worlds("async")
@pytest.mark.parametrize("how", ["cancel", "timeout"])
async def test_a_cancelled_block_leaves_nothing(db: Any, world: Any, how: str) -> None:
    """Cancellation inside a block rolls it back, and the next write is on its own (E5)."""
    entered = asyncio.Event()

    async def partial() -> None:
        async with aatomic():
            await Style.objects.acreate(name="partial")
            entered.set()
            await asyncio.sleep(60)

    if how == "cancel":
        task = asyncio.create_task(partial())
        await entered.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    else:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(1):
                await partial()
    await Style.objects.acreate(name="later")
    assert await names(world, Style.objects.all()) == ["later"]


def test_an_interrupted_block_leaves_nothing(db: Any) -> None:
    """KeyboardInterrupt inside a block rolls it back (E5)."""

    def interrupted() -> None:
        with atomic():
            Style.objects.create(name="partial")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    Style.objects.create(name="later")
    assert [style.name for style in Style.objects.all()] == ["later"]


@pytest.mark.worlds("async")
async def test_a_task_that_outlives_its_block(db: Any, world: Any) -> None:
    """A task that was started inside a block has its own connection: its later write is kept (E6)."""
    ended = asyncio.Event()

    async def write_later() -> None:
        await ended.wait()
        await Style.objects.acreate(name="later")

    with pytest.raises(Stop):
        async with aatomic():
            task = asyncio.create_task(write_later())
            await asyncio.sleep(0)
            raise Stop
    ended.set()
    await task
    assert await names(world, Style.objects.all()) == ["later"]


@pytest.mark.worlds("async")
async def test_children_with_blocks_of_their_own(db: Any, world: Any) -> None:
    """Of gathered children, each with its block, the failing one alone is rolled back (E7)."""

    async def child(number: int) -> None:
        async with aatomic():
            await Style.objects.acreate(name=f"s{number}")
            if number == 2:
                raise Stop

    async with aatomic():
        results = await asyncio.gather(*map(child, range(4)), return_exceptions=True)
    assert [type(result) for result in results if result is not None] == [Stop]
    assert await names(world, Style.objects.all()) == ["s0", "s1", "s3"]


@pytest.mark.worlds("async")
async def test_related_object_inside_a_block(db: Any, world: Any) -> None:
    """Inside a block an unloaded relation is an error, and aload() reads in that block (E8)."""
    ann = await Painter.objects.acreate(name="old")
    await Painting.objects.acreate(title="x", painter=ann)
    async with aatomic():
        await Painter.objects.filter(pk=ann.pk).aupdate(name="new")
        painting = await Painting.objects.aget()
        with pytest.raises(ormolu.NotLoaded, match="painter"):
            painting.painter.name
        await painting.aload("painter")
        assert painting.painter.name == "new"


async def test_an_error_outside_a_block_leaves_no_transaction(db: Any, world: Any) -> None:
    """After an IntegrityError in autocommit another connection can write at once (E9)."""
    await world(Style.objects.create, name="s")
    with pytest.raises(IntegrityError):
        await world(Style.objects.create, name="s")
    failures: list[BaseException] = []

    def elsewhere() -> None:
        try:
            if world.is_async:
                asyncio.run(_create_and_close())
            else:
                Style.objects.create(name="t")
        except BaseException as error:
            failures.append(error)

    thread = threading.Thread(target=elsewhere)
    thread.start()
    if world.is_async:
        await asyncio.to_thread(thread.join)
    else:
        thread.join()
    assert failures == []
    assert await names(world, Style.objects.all()) == ["s", "t"]


async def _create_and_close(names: tuple[str, ...] = ("t",)) -> None:
    for name in names:
        await Style.objects.acreate(name=name)
    await ormolu.databases.aclose_all()


@pytest.mark.worlds("async")
async def test_an_event_loop_for_each_thread(db: Any, world: Any) -> None:
    """Threads that each run an event loop of their own all write (E45)."""

    def work(number: int) -> None:
        asyncio.run(_create_and_close(tuple(f"s{number}{n}" for n in range(10))))

    await asyncio.gather(*(asyncio.to_thread(work, number) for number in range(4)))
    assert await Style.objects.acount() == 40


@pytest.mark.worlds("async")
async def test_concurrent_blocks_run_at_once(db: Any, world: Any) -> None:
    """Blocks that only read do not wait for one another (E46)."""
    together = asyncio.Barrier(8)

    async def read() -> None:
        async with aatomic():
            await Style.objects.acount()
            await together.wait()

    async with asyncio.timeout(20):
        await asyncio.gather(*(read() for _ in range(8)))
