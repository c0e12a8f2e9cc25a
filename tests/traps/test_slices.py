"""Slices and order: what a part of a query is, and what may still be done with it."""

from typing import Any

import pytest

from traps.museum import Counter

MODELS = [Counter]


async def fill(world: Any, number: int = 6) -> Any:
    await world(Counter.objects.bulk_create, [Counter(number=n) for n in range(number)])
    return Counter.objects.order_by("number")


async def numbers(world: Any, queryset: Any) -> list[int]:
    return [counter.number for counter in await world.list(queryset)]


async def test_slices_of_slices(db: Any, world: Any) -> None:
    """A slice of a slice counts from the slice's own start (E37)."""
    counters = await fill(world)
    assert await numbers(world, counters[2:5][1:2]) == [3]
    assert await numbers(world, counters[4:]) == [4, 5]
    assert await numbers(world, counters[:4][2:]) == [2, 3]
    assert await numbers(world, counters[2:5][1:9]) == [3, 4]
    assert await numbers(world, counters[1:3][2:]) == []


def test_index_into_a_slice(db: Any) -> None:
    """An index into a slice counts from the slice's start (E37)."""
    Counter.objects.bulk_create([Counter(number=n) for n in range(6)])
    counters = Counter.objects.order_by("number")
    assert counters[2:5][0].number == 2
    assert counters[3].number == 3
    with pytest.raises(IndexError):
        counters[2:4][2]


async def test_a_slice_is_not_refined(db: Any, world: Any) -> None:
    """Filtering and ordering after a slice are refused, as in Django (E37)."""
    counters = await fill(world)
    with pytest.raises(TypeError, match="slice"):
        counters[:3].filter(number=1)
    with pytest.raises(TypeError, match="slice"):
        counters[:3].order_by("-number")
    with pytest.raises(TypeError, match="slice"):
        await world(counters[:3].get, number=1)


async def test_a_slice_is_neither_deleted_nor_updated(db: Any, world: Any) -> None:
    """delete() and update() of a slice raise TypeError and touch no row.

    The table of traps (E37) would delete two rows and update one. Django's documentation forbids both with
    TypeError, and we follow it; what must not happen is that all rows go.
    """
    counters = await fill(world)
    with pytest.raises(TypeError, match="delete"):
        await world(counters[:2].delete)
    with pytest.raises(TypeError, match="update"):
        await world(counters[:1].update, number=77)
    assert await numbers(world, counters) == [0, 1, 2, 3, 4, 5]


async def test_first_and_reverse_follow_the_default_order(db: Any, world: Any) -> None:
    """first(), last() and reverse() start from Meta.ordering (E38)."""
    await world(Counter.objects.bulk_create, [Counter(number=n) for n in (2, 3, 1)])
    assert (await world(Counter.objects.first)).number == 3
    assert (await world(Counter.objects.last)).number == 1
    assert await numbers(world, Counter.objects.reverse()) == [1, 2, 3]
    assert await numbers(world, Counter.objects.order_by("number").reverse()) == [3, 2, 1]
    assert await numbers(world, Counter.objects.all()) == [3, 2, 1]
