"""SQLAlchemy's aggregates, window functions and orders in querysets."""

from typing import Any

import pytest
from sqlalchemy import desc, func, literal, or_, select, text, tuple_
from sqlalchemy.orm import aliased

from ormolu import BooleanField, CharField, IntegerField, Model, Sum, databases
from support.backends import Backend
from support.worlds import World


class Cup(Model):
    colour = CharField(max_length=20)
    size = IntegerField()
    chips = IntegerField(null=True)
    glazed = BooleanField(null=True)


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


async def test_plans_are_kept(cups: Any, world: World) -> None:
    """Elements of one form share a plan, whatever their values; what is used twice is told from what is equal."""
    plans = databases.get().driver.plans
    chosen = Cup.objects.order_by("size").values_list("size", flat=True)

    async def sizes(*conditions: Any, **lookups: Any) -> list[int]:
        return await world.list(chosen.filter(*conditions, **lookups))

    assert await sizes(Cup.size > 1) == [2, 4]
    known = len(plans)
    assert await sizes(Cup.size > 2) == [4]
    assert await sizes(Cup.size > 0) == [1, 2, 4]
    assert len(plans) == known
    once = Cup.size > 1
    assert await sizes(once, or_(once, Cup.colour == "red"), size__lt=4) == [2]
    assert await sizes(Cup.size > 0, or_(Cup.size > 1, Cup.colour == "red"), size__lt=4) == [1, 2]
    assert await sizes(once, or_(once, Cup.colour == "red"), size__lt=3) == [2]
    assert await sizes(Cup.size.in_([1, 4])) == [1, 4]
    assert await sizes(Cup.size.in_([2])) == [2]
    assert await sizes(Cup.size.not_in([2, 3]), Cup.colour == "red") == [1]
    assert await sizes(tuple_(Cup.size, Cup.colour).in_([(1, "red"), (4, "red"), (4, "blue")])) == [1, 4]
    assert await sizes(Cup.size.in_([])) == []
    assert await sizes(Cup.chips == None) == [1, 4]  # noqa: E711
    assert await sizes(Cup.chips == 3) == [2]
    more = aliased(Cup)
    for least, expected in ((1, [1, 2]), (4, [])):
        larger = select(more.id).where(more.size > Cup.size, more.size > least).exists()
        assert await sizes(larger) == expected


async def test_values_of_all_kinds(cups: Any, world: World) -> None:
    """A kept plan converts each value as the first one's type does."""
    for first, second in ((1, 2.5), (10, 0.25)):
        found = cups.annotate(x=Cup.size + first, y=Cup.size * second).values_list("x", "y")
        assert [(x, float(y)) for x, y in await world.list(found)] == [
            (size + first, size * second) for size in (1, 2, 4)
        ]
    for colour, expected in (("red", 2), ("blue", 1), ("grün", 0)):
        assert await world(Cup.objects.filter(func.lower(Cup.colour) == colour).count) == expected
    for colour in ("red", "blue"):
        await world(Cup.objects.filter(Cup.size == 1).update, colour=func.upper(colour))
        assert (await world(Cup.objects.get, size=1)).colour == colour.upper()


async def test_truth(cups: Any, world: World) -> None:
    """`is_()` asks for true, false or neither, `==` for a value; negated, what is missing counts with `is_not()`."""
    for size, glazed in ((1, True), (2, False)):
        await world(Cup.objects.filter(size=size).update, glazed=glazed)
    asked: list[tuple[Any, list[int]]] = [
        (Cup.glazed.is_(True), [1]),
        (Cup.glazed.is_(False), [2]),
        (Cup.glazed.is_(None), [4]),
        (Cup.glazed.is_not(True), [2, 4]),
        (Cup.glazed == True, [1]),  # noqa: E712
        (Cup.glazed != True, [2]),  # noqa: E712
        (Cup.glazed == literal(False), [2]),
        (~Cup.glazed, [2]),
    ]
    for condition, expected in asked:
        assert await world.list(cups.filter(condition).values_list("size", flat=True)) == expected
        found = select(Cup.size).where(condition).order_by(Cup.size)
        with databases.get().engine.connect() as connection:
            assert list(connection.scalars(found)) == expected
