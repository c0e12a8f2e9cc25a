"""The fixtures themselves: one body runs in both worlds, and can't cheat in either."""

import asyncio

import pytest

from ormolu import CharField, Model
from support.backends import Backend
from support.worlds import WORLDS, World, twin


class Thing(Model):
    name = CharField(max_length=10)

    class Meta:
        app_label = "worlds"


def double(number: int) -> int:
    return number * 2


async def adouble(number: int) -> int:
    await asyncio.sleep(0)
    return number * 2


async def test_body_runs_in_each_world(world: World) -> None:
    """`world(f)` calls f, or awaits its twin."""
    assert await world(double, 4) == 8
    in_loop = asyncio.events._get_running_loop() is not None
    assert in_loop is world.is_async


def test_sync_world_refuses_to_wait() -> None:
    """A body that awaits something by itself can't be run without an event loop, and says so."""
    with pytest.raises(RuntimeError, match="sync world"):
        WORLDS["sync"].run(asyncio.sleep(0))


def test_twin_has_an_a_in_front() -> None:
    """The twin of a function is its neighbour; that of a method is a method of the same object."""
    assert twin(double) is adouble
    assert twin(Thing.objects.get).__name__ == "aget"


@pytest.mark.parametrize("name", ["one", "two"])
async def test_tables_are_empty_at_first(db: Backend, world: World, name: str) -> None:
    """Every test finds its tables there, and empty, on each database and in each world."""
    assert await world(Thing.objects.count) == 0
    await world(Thing.objects.create, name=name)
    assert [thing.name for thing in await world.list(Thing.objects.all())] == [name]
