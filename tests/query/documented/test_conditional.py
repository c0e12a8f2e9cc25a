"""Conditional expressions: the examples of Django's page about them, with data of our own."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from ormolu import (
    BooleanField,
    Case,
    CharField,
    Count,
    DateField,
    Exists,
    F,
    IntegerField,
    Max,
    Model,
    OuterRef,
    Q,
    Sum,
    Value,
    When,
)  # fmt: skip
from ormolu.query.lookups import GreaterThan, LessThan
from support.backends import Backend
from support.worlds import World

TODAY = dt.date(2024, 3, 10)
MONTH_AGO, YEAR_AGO = TODAY - dt.timedelta(days=30), TODAY - dt.timedelta(days=365)


class Member(Model):
    name = CharField(max_length=20)
    joined = DateField()
    level = CharField(max_length=1, default="R")
    then = IntegerField(default=0)
    active = BooleanField(default=True)


@pytest.fixture
def members(db: Backend) -> Any:
    """Ann for a month, Bo since last week, Cy for ten years."""
    for name, days, level in (("Ann", 36, "R"), ("Bo", 5, "G"), ("Cy", 3650, "P")):
        Member.objects.create(name=name, joined=TODAY - dt.timedelta(days=days), level=level)
    return Member.objects.order_by("name")


DISCOUNTS: list[tuple[Any, list[Any]]] = [
    (Case(When(level="G", then=Value("5%")), When(level="P", then=Value("10%")), default=Value("0%")),
     ["0%", "5%", "10%"]),
    (Case(When(joined__lte=YEAR_AGO, then=Value("10%")), When(joined__lte=MONTH_AGO, then=Value("5%")),
          default=Value("0%")), ["5%", "0%", "10%"]),
    (Case(When(level="G", then="name")), [None, "Bo", None]),
    (Case(When(level="G", then=F("name")), default="level"), ["R", "Bo", "P"]),
    (Case(When(joined__gt=dt.date(2024, 1, 1), joined__lt=dt.date(2024, 3, 1), then="level")), ["R", None, None]),
    (Case(When(Q(name__startswith="A") | Q(name__startswith="C"), then=Value(1)), default=Value(0)), [1, 0, 1]),
    (Case(When(~Q(level="G"), joined__lte=YEAR_AGO, then=Value(1))), [None, None, 1]),
    (Case(When(GreaterThan(F("joined"), dt.date(2024, 1, 1)) & LessThan(F("joined"), dt.date(2024, 3, 1)),
               then="level"), default=Value("-")), ["R", "-", "-"]),
    (Case(When(Exists(Member.objects.filter(joined__lt=OuterRef("joined")).values("pk")), then=Value("not first")),
          default=Value("first")), ["not first", "not first", "first"]),
    (Case(When(then__exact=0, then=1)), [1, 1, 1]),
    (Case(When(Q(then=0), then=1), default=F("then") + 5), [1, 1, 1]),
    (Case(When(level="R", then=Case(When(active=True, then=Value(1)), default=Value(2))), default=Value(3)), [1, 3, 3]),
    (Case(When(level__in=["G", "P"], then=F("then") + 2), default=0, output_field=IntegerField()), [0, 2, 2]),
    (Case(When(active=True, then=Value(True)), default=Value(False)), [True, True, True]),
    (Case(default=Value(7)), [7, 7, 7]),
    (Case(When(pk__in=[], then=Value(1)), default=Value(2)), [2, 2, 2]),
    (Case(When(~Q(pk__in=[]), then=Value(1)), default=Value(2)), [1, 1, 1]),
    (Case(When(joined__lte=YEAR_AGO, then=YEAR_AGO), default=F("joined")),
     [TODAY - dt.timedelta(days=36), TODAY - dt.timedelta(days=5), YEAR_AGO]),
]  # fmt: skip


@pytest.mark.parametrize(("case", "expected"), DISCOUNTS, ids=[str(n) for n in range(len(DISCOUNTS))])
async def test_annotations(members: Any, world: World, case: Any, expected: list[Any]) -> None:
    """The first branch whose condition holds gives the value, else the default does, else nothing."""
    rows = members.annotate(value=case)
    found = await world.list(rows.values_list("value", flat=True))
    assert found == expected
    assert [type(value) for value in found] == [type(value) for value in expected]
    assert [member.value for member in await world.list(rows)] == expected
    wanted = [value for value in expected if value is not None]
    assert await world(rows.filter(value=wanted[0]).count) == expected.count(wanted[0])
    assert await world(rows.filter(value=None).count) == expected.count(None)


async def test_filters(members: Any, world: World) -> None:
    """A Case stands on the right of a lookup, or is the condition itself."""
    long_ago = Case(When(level="G", then=MONTH_AGO), When(level="P", then=YEAR_AGO))
    names = members.values_list("name", flat=True)
    assert await world.list(names.filter(joined__lte=long_ago)) == ["Cy"]
    true = Case(When(level="G", then=Value(True)), default=Value(False), output_field=BooleanField())
    assert await world.list(names.filter(true)) == ["Bo"]
    assert await world.list(names.filter(~true)) == ["Ann", "Cy"]
    assert await world.list(names.exclude(true)) == ["Ann", "Cy"]
    assert await world.list(names.filter(true | Q(name="Cy"))) == ["Bo", "Cy"]
    same = Member.objects.filter(level=OuterRef("level")).exclude(pk=OuterRef("pk"))
    assert await world.list(names.filter(~Exists(same))) == ["Ann", "Bo", "Cy"]
    await world(Member.objects.create, name="Di", joined=TODAY, level="G")
    assert await world.list(names.filter(~Exists(same.values("pk")))) == ["Ann", "Cy"]
    assert await world.list(names.filter(Exists(same) & Q(name="Di"))) == ["Di"]


async def test_order(members: Any, world: World) -> None:
    """A Case sorts."""
    order = Case(When(name="Cy", then=0), When(name="Ann", then=1), default=2)
    assert [m.name for m in await world.list(Member.objects.order_by(order))] == ["Cy", "Ann", "Bo"]
    assert [m.name for m in await world.list(Member.objects.order_by(order.desc()))] == ["Bo", "Ann", "Cy"]


async def test_update(members: Any, world: World) -> None:
    """A Case gives each row its own new value."""
    levels = Case(
        When(joined__lte=YEAR_AGO, then=Value("P")),
        When(joined__lte=MONTH_AGO, then=Value("G")),
        default=Value("R"),
    )
    assert await world(Member.objects.update, level=levels) == 3
    assert await world.list(members.values_list("name", "level")) == [("Ann", "G"), ("Bo", "R"), ("Cy", "P")]
    await world(Member.objects.update, then=Case(When(level="G", then=F("then") + 7), default=F("then")))
    assert await world.list(members.values_list("then", flat=True)) == [7, 0, 0]
    await world(Member.objects.update, active=Case(When(level="G", then=False), default=~F("active")))
    assert await world.list(members.values_list("active", flat=True)) == [False, False, False]


async def test_aggregation(members: Any, world: World) -> None:
    """Conditional aggregates: by `filter`, and by a Case within."""
    for name, level in (("Di", "R"), ("Ed", "P"), ("Flo", "P")):
        await world(Member.objects.create, name=name, level=level, joined=TODAY)
    by_filter = {f"n_{level}": Count("pk", filter=Q(level=level)) for level in "RGPX"}
    by_case = {f"m_{level}": Sum(Case(When(level=level, then=1), default=0)) for level in "RGPX"}
    found = await world(Member.objects.aggregate, **by_filter, **by_case)
    assert found == {
        "n_R": 2, "n_G": 1, "n_P": 3, "n_X": 0, "m_R": 2, "m_G": 1, "m_P": 3, "m_X": 0
    }  # fmt: skip
    latest = Max(Case(When(level="P", then="joined")))
    assert (await world(Member.objects.aggregate, latest=latest))["latest"] == TODAY
    groups = (
        Member.objects.annotate(old=Case(When(joined__lt=MONTH_AGO, then=Value("old")), default=Value("new")))
        .values("old").annotate(n=Count("pk"), paying=Count("pk", filter=~Q(level="R"))).order_by("old")
    )  # fmt: skip
    assert await world.list(groups) == [
        {"old": "new", "n": 4, "paying": 3}, {"old": "old", "n": 2, "paying": 1},
    ]  # fmt: skip


def test_what_is_no_condition() -> None:
    """A When wants a condition that says something, and a Case wants Whens."""
    for wrong in (
        lambda: When(),
        lambda: When(then=Value(1)),
        lambda: When(Value(1), then=2),
        lambda: Case(Value(1)),
    ):
        with pytest.raises(TypeError):
            wrong()
    with pytest.raises(ValueError, match="empty"):
        When(Q(), then=Value(1))
