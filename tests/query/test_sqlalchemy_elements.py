"""SQLAlchemy's aggregates, window functions and orders in querysets."""

from typing import Any

import pytest
from sqlalchemy import desc, func, text

from ormolu import CharField, IntegerField, Model, Sum
from support.backends import Backend
from support.worlds import World


class Cup(Model):
    colour = CharField(max_length=20)
    size = IntegerField()
    chips = IntegerField(null=True)


@pytest.fixture
def cups(db: Backend) -> Any:
    """Two red cups and a blue one, one of them with chips."""
    for colour, size, chips in ("red", 1, None), ("red", 2, 3), ("blue", 4, None):
        Cup.objects.create(colour=colour, size=size, chips=chips)
    return Cup.objects.order_by("size")


async def test_aggregates(cups, world: World):
    """They summarize in aggregate(), and group in annotate(), as ours do."""
    found = await world(
        cups.aggregate, most=func.max(Cup.size), mean=func.sum(Cup.size) / func.count(Cup.id), n=func.count()
    )
    assert {**found, "mean": int(found["mean"])} == {"most": 4, "mean": 2, "n": 3}
    by_colour = Cup.objects.values("colour").annotate(n=func.count(Cup.id)).order_by("colour")
    assert await world.list(by_colour.values_list("colour", "n")) == [("blue", 1), ("red", 2)]
    assert await world.list(by_colour.filter(n__gt=1).values_list("colour", flat=True)) == ["red"]
    with pytest.raises(TypeError, match="is not an aggregate expression"):
        await world(cups.aggregate, size=Cup.size + 1)


@pytest.mark.backends("sqlite", "postgresql")
async def test_filtered_aggregates(cups, world: World):
    """FILTER belongs to the aggregate."""
    large = func.count(Cup.id).filter(Cup.size > 1)
    assert await world(cups.aggregate, n=large) == {"n": 2}


async def test_window_functions(cups, world: World):
    """A condition on one is a query around the query; over groups they see the groups."""
    place = func.row_number().over(partition_by=Cup.colour, order_by=Cup.size.desc())
    largest = cups.annotate(place=place).filter(place=1)
    assert await world.list(largest.values_list("size", flat=True)) == [2, 4]
    groups = Cup.objects.values("colour").annotate(total=Sum("size"))
    ranked = groups.annotate(rank=func.rank().over(order_by=func.sum(Cup.size).desc())).order_by("rank")
    assert await world.list(ranked.values_list("colour", "rank")) == [("blue", 1), ("red", 2)]


@pytest.mark.parametrize(
    ("order", "sizes"),
    [
        (Cup.chips.nulls_first(), [1, 4, 2]),
        (Cup.chips.nulls_last(), [2, 1, 4]),
        (Cup.chips.desc().nulls_last(), [2, 1, 4]),
        (Cup.chips.asc().nulls_first(), [1, 4, 2]),
    ],
)
def test_nulls(cups, order: Any, sizes: list[int]):
    """nulls_first() and nulls_last() stand alone or around a direction, and turn round with it."""
    assert list(cups.order_by(order, "size").values_list("size", flat=True)) == sizes
    turned = cups.order_by(order, "-size").reverse()
    assert list(turned.values_list("size", flat=True)) == (
        [*sizes[-2:], sizes[0]] if sizes[0] == 2 else [sizes[-1], *sizes[:2]]
    )


def test_texts_and_directions(cups):
    """A text orders as it stands."""
    assert list(cups.order_by(desc(Cup.size)).values_list("size", flat=True)) == [4, 2, 1]
    assert list(cups.order_by(text("size")).values_list("size", flat=True)) == [1, 2, 4]
