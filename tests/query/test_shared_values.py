"""One value in two places of a query, and two equal values: each query has a plan of its own."""

from __future__ import annotations

from typing import Any

import pytest

from ormolu import BooleanField, CharField, IntegerField, Model, Q, Value
from support.backends import Backend
from support.worlds import World


class Lamp(Model):
    name = CharField(max_length=20)
    lit = BooleanField(default=True)
    colour = CharField(max_length=20, null=True)
    watts = IntegerField(default=0)


@pytest.fixture
def lamps(db: Backend) -> Any:
    """Three lamps, two of which are lit."""
    for name, lit, colour, watts in (("a", True, None, 1), ("b", True, None, 60), ("c", False, "red", 60)):
        Lamp.objects.create(name=name, lit=lit, colour=colour, watts=watts)
    return Lamp.objects.order_by("name")


async def names(world: World, queryset: Any) -> list[str]:
    """Return the names of the lamps that a queryset finds."""
    return [lamp.name for lamp in await world.list(queryset)]


async def test_one_condition_used_twice(lamps: Any, world: World) -> None:
    """A query with one Q in two places leaves no plan to a query with two equal Qs, or the values were misplaced."""
    once = Q(lit=True)
    assert await names(world, lamps.filter(once).filter(once, watts=60)) == ["b"]
    assert await names(world, lamps.filter(Q(lit=True)).filter(Q(lit=True), watts=60)) == ["b"]
    assert await names(world, lamps.filter(once).filter(once, watts=60)) == ["b"]


async def test_one_condition_about_none_used_twice(lamps: Any, world: World) -> None:
    """The same where the value is None."""
    for condition, other in ((Q(colour=None),) * 2, (Q(colour=None), Q(colour=None))):
        assert await names(world, lamps.filter(condition | other, name="b")) == ["b"]
        assert await names(world, lamps.filter(condition | other).exclude(name="b")) == ["a"]


async def test_one_value_used_twice(lamps: Any, world: World) -> None:
    """The same where the value is an expression, and a slice comes after it."""
    value = Value(True)
    for first, second in ((value, value), (Value(True), Value(True)), (Value(False), value)):
        rows = lamps.annotate(first=first, second=second, third=Value(4)).values_list(
            "first", "second", "third"
        )
        assert await world.list(rows[:1]) == [(first.value, True, 4)]
