"""union(), intersection(), difference(): several querysets as one."""

from __future__ import annotations

import datetime as dt
import uuid
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ormolu import (
    CASCADE,
    CTE,
    Avg,
    CharField,
    Count,
    DatabaseError,
    DateTimeField,
    DecimalField,
    Exists,
    F,
    ForeignKey,
    IntegerField,
    Model,
    OuterRef,
    Sum,
    Upper,
    UUIDField,
    Value,
)  # fmt: skip
from ormolu.exceptions import NotSupportedError
from ormolu.query.functions import TruncMonth
from support.backends import Backend
from support.worlds import World


class Crate(Model):
    number = IntegerField()
    label = CharField(max_length=20, null=True)

    class Meta:
        ordering = ["-number"]


class Sigil(Model):
    code = UUIDField()
    replaced = UUIDField(null=True)


class Bottle(Model):
    number = IntegerField()
    crate: Any = ForeignKey(Crate, on_delete=CASCADE, related_name="bottles")


class Toll(Model):
    price = DecimalField(max_digits=6, decimal_places=2)
    at = DateTimeField()


@pytest.fixture
def crates(db: Backend) -> Any:
    """Ten crates, numbered from 0; a bottle in each even one."""
    Crate.objects.bulk_create([Crate(number=n, label="abc"[n % 3]) for n in range(10)])
    for crate in Crate.objects.filter(number__in=[0, 2, 4, 6, 8]):
        Bottle.objects.create(number=crate.number * 10, crate=crate)
    return Crate.objects


async def numbers(world: World, queryset: Any) -> list[int]:
    return [crate.number for crate in await world.list(queryset)]


async def test_the_three_operations(crates: Any, world: World) -> None:
    """Each row once, in the order that is asked for; union(all=True) repeats."""
    low, high, even = (
        crates.filter(number__lt=4),
        crates.filter(number__gt=2),
        crates.filter(number__in=[2, 4]),
    )
    assert await numbers(world, low.union(even).order_by("number")) == [0, 1, 2, 3, 4]
    assert await numbers(world, low.union(even, all=True).order_by("-number")) == [4, 3, 2, 2, 1, 0]
    assert await numbers(world, low.intersection(high)) == [3]
    assert await numbers(world, low.difference(high, even).order_by("number")) == [0, 1]
    assert await numbers(world, crates.union(low, even).order_by("number")[2:4]) == [2, 3]


async def test_what_can_be_asked_of_the_result(crates: Any, world: World) -> None:
    """Counting, existence, first and last, an index, summaries, get()."""
    both = crates.filter(number__lt=2).union(crates.filter(number__gt=8))
    assert await world(both.count) == 3
    assert await world(both[:2].count) == 2
    assert await world(both.exists)
    assert not await world(both.none().exists)
    assert (await world(both.first)).number == 0
    assert (await world(both.order_by("number").last)).number == 9
    assert await world(both.aggregate, Sum("number"), n=Count("pk")) == {"number__sum": 10, "n": 3}
    assert await world(both.order_by("-number")[:2].aggregate, Sum("number")) == {"number__sum": 10}
    assert (await world(crates.filter(number=1).intersection(crates.filter(number__lt=5)).get)).number == 1
    assert not both.ordered
    assert both.order_by("number").ordered


async def test_columns(crates: Any, world: World) -> None:
    """values() before, on all sides alike, or after; the order may name what is not selected."""
    low, high = crates.filter(number__lt=2), crates.filter(number__gt=8)
    pairs = low.values_list("number", "label").union(high.values_list("number", "label")).order_by("number")
    assert await world.list(pairs) == [(0, "a"), (1, "b"), (9, "a")]
    assert await world.list(low.union(high).order_by("number").values("label")) == [
        {"label": "a"},
        {"label": "b"},
        {"label": "a"},
    ]
    assert await world.list(low.union(high).values_list("label", flat=True).order_by("label")) == ["a", "b"]
    assert await world.list(pairs.values_list("label", flat=True)) == ["a", "b", "a"]
    with pytest.raises(DatabaseError, match="does not match any column"):
        await world.list(low.values("label").union(high.values("label")).order_by("number"))


async def test_orders(crates: Any, world: World) -> None:
    """Expressions, annotations and related columns order objects, which stay what they are."""
    low, high = crates.filter(number__lt=3), crates.filter(number__gt=7)
    assert await numbers(world, low.union(high).order_by(Upper("label").desc(), "number")) == [2, 8, 1, 0, 9]
    marked = [side.annotate(mark=Value(mark)) for side, mark in ((low, 2), (high, 1))]
    found = await world.list(marked[0].union(marked[1]).order_by("mark", F("number") * -1))
    assert [(crate.mark, crate.number) for crate in found] == [(1, 9), (1, 8), (2, 2), (2, 1), (2, 0)]
    bottles = Bottle.objects.filter(number__lt=30).union(Bottle.objects.filter(number__gt=70))
    ordered = await world.list(bottles.order_by("-crate__number"))
    assert [bottle.number for bottle in ordered] == [80, 20, 0]
    assert "_order0" not in vars(ordered[0])
    assert await numbers(world, low.union(high).order_by(F("label").asc(nulls_first=True), "-number").reverse()) == [
        2, 8, 1, 0, 9,
    ]  # fmt: skip


async def test_slices_and_orders_inside(crates: Any, world: World) -> None:
    """A sliced queryset takes part with its slice, on every database; combinations combine."""
    first, last = crates.order_by("number")[:2], crates.order_by("-number")[:2]
    assert await numbers(world, first.union(last).order_by("number")) == [0, 1, 8, 9]
    ends = first.union(last)
    assert await numbers(world, ends.difference(crates.filter(number=9)).order_by("number")) == [0, 1, 8]
    assert await numbers(world, ends.order_by("number")[1:3].union(crates.filter(number=5)).order_by("-number")) == [
        8, 5, 1,
    ]  # fmt: skip


async def test_empty_querysets(crates: Any, world: World) -> None:
    """What can't find anything is left out, or empties the whole."""
    some, empty = crates.filter(number__lt=2), crates.filter(number__in=[])
    for nothing in (empty, crates.none(), crates.all()[:0]):
        assert await numbers(world, some.union(nothing).order_by("number")) == [0, 1]
        assert await numbers(world, nothing.union(some).order_by("number")) == [0, 1]
        assert await numbers(world, some.intersection(nothing)) == []
        assert await numbers(world, nothing.difference(some)) == []
        assert await numbers(world, some.difference(nothing).order_by("number")) == [0, 1]
    assert await numbers(world, crates.none().union(crates.none())) == []
    assert await numbers(world, some.union(some)[:0]) == []


async def test_as_subqueries(db: Backend, crates: Any, world: World) -> None:
    """In `__in`, by objects and by values; in EXISTS, with references outwards."""
    ends = crates.filter(number__lt=2).union(crates.filter(number__gt=8))
    assert await world(crates.filter(pk__in=ends).count) == 3
    assert await world(crates.exclude(number__in=ends.values("number")).count) == 7
    assert await world(Bottle.objects.filter(crate__in=ends).count) == 1
    if db.vendor == "mysql":
        return  # a table in FROM, as the combination is one, does not see the enclosing query there
    mine = Bottle.objects.filter(crate=OuterRef("pk"))
    either = mine.filter(number__lt=20).union(mine.filter(number=80))
    assert await numbers(world, crates.filter(Exists(either)).order_by("number")) == [0, 8]


async def test_rows_of_several_models(crates: Any, world: World) -> None:
    """Columns are matched by their places; objects are the first model's."""
    rows = crates.filter(number__gt=7).values_list("number").union(Bottle.objects.values_list("number"))
    assert sorted(await world.list(rows)) == [(0,), (8,), (9,), (20,), (40,), (60,), (80,)]


def test_what_is_refused(crates: Any) -> None:
    """What has no meaning for a combination says so."""
    both = crates.all().union(crates.all())
    for name in ("alias", "annotate", "defer", "delete", "distinct", "exclude", "extra", "filter", "only"):
        with pytest.raises(NotSupportedError, match=rf"Calling QuerySet\.{name}\(\) after union\(\)"):
            getattr(both, name)(
                *(() if name in ("delete", "distinct", "annotate", "alias", "extra") else ("pk",))
            )
    with pytest.raises(NotSupportedError, match="with filters after union"):
        both.get(pk=1)
    with pytest.raises(TypeError, match="operator with combined queryset"):
        both | crates.all()
    with pytest.raises(DatabaseError, match="same number of columns, not 1, 2"):
        list(crates.values_list("pk").union(crates.values_list("pk", "label")))
    with pytest.raises(NotSupportedError, match="two databases"):
        crates.using("default").union(crates.using("other"))


SETS = st.sets(st.integers(0, 9), max_size=6)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(first=SETS, second=SETS, third=SETS)
def test_they_are_the_operations_of_sets(
    crates: Any, first: set[int], second: set[int], third: set[int]
) -> None:
    """What Python's sets give, the database gives: also nested."""
    one, two, three = (crates.filter(number__in=chosen) for chosen in (first, second, third))

    def found(queryset: Any) -> list[int]:
        return list(queryset.order_by("number").values_list("number", flat=True))

    assert found(one.union(two, three)) == sorted(first | second | third)
    assert found(one.intersection(two)) == sorted(first & second)
    assert found(one.difference(two, three)) == sorted(first - second - third)
    assert found(one.union(two).intersection(three.union(two))) == sorted((first | second) & (third | second))
    assert found(one.difference(two.intersection(three))) == sorted(first - (second & third))


async def test_a_later_query_may_have_nulls(db: Backend, world: World) -> None:
    """Where the first query's column has none."""
    seal = await world(Sigil.objects.create, code=uuid.UUID(int=5))
    codes, replaced = (
        Sigil.objects.values_list("code", flat=True),
        Sigil.objects.values_list("replaced", flat=True),
    )
    assert set(await world.list(codes.union(replaced))) == {seal.code, None}


async def test_what_the_queries_compute_keeps_its_type(db: Backend, world: World) -> None:
    """A column of a combination, and of a CTE, is read as what was computed, and not as a stored column is."""
    at = dt.datetime(2024, 3, 15, 12, tzinfo=dt.UTC)
    await world(Toll.objects.create, price=Decimal("1.25"), at=at)
    await world(Toll.objects.create, price=Decimal("1.50"), at=at)
    means = Toll.objects.values(all=Value(1)).annotate(mean=Avg("price")).values("mean")
    exact = Decimal("1.375")
    assert await world.list(means.union(means, all=True)) == [{"mean": exact}, {"mean": exact}]
    stored = Toll.objects.filter(price="1.50").values("price")
    assert await world.list(stored.union(means).order_by("price")) == [
        {"price": exact},
        {"price": Decimal("1.50")},
    ]
    table = CTE(means)
    assert await world.list(table.join(Toll, price="1.50").values_list(table.col.mean)) == [(exact,)]
    objects = Toll.objects.annotate(part=F("price") / 2).union(Toll.objects.annotate(part=F("price") + 1))
    assert sorted([toll.part for toll in await world.list(objects)]) == [
        Decimal("0.625"), Decimal("0.75"), Decimal("2.25"), Decimal("2.5")
    ]  # fmt: skip


@pytest.mark.usefixtures("zones")
async def test_local_times_stay_local(db: Backend, world: World) -> None:
    """Where all queries truncate alike, the result is on the clocks of the zone; else it is the moment."""
    zone = ZoneInfo("Europe/Paris")
    at = dt.datetime(2024, 3, 15, 12, tzinfo=dt.UTC)
    await world(Toll.objects.create, price=Decimal(1), at=at)
    months = Toll.objects.values(start=TruncMonth("at", tzinfo=zone))
    start = dt.datetime(2024, 3, 1, tzinfo=zone)
    (row,) = await world.list(months.union(months))
    assert (row["start"], row["start"].utcoffset()) == (start, dt.timedelta(hours=1))
    table = CTE(months)
    (row,) = await world.list(table.queryset())
    assert (row["start"], row["start"].utcoffset()) == (start, dt.timedelta(hours=1))
    mixed = months.union(Toll.objects.values("at")).order_by("start")
    assert [row["start"] for row in await world.list(mixed)] == [start, at]
    objects = Toll.objects.annotate(start=TruncMonth("at", tzinfo=zone)).union(
        Toll.objects.annotate(start=F("at"))
    )
    assert sorted([toll.start for toll in await world.list(objects)]) == [start, at]


async def test_a_column_may_be_selected_twice(db: Backend, world: World) -> None:
    """Each place has its own values in the later queries, also when the first has one column in both."""
    at = dt.datetime(2024, 3, 15, 12, tzinfo=dt.UTC)
    await world(Toll.objects.create, price=Decimal(4), at=at)
    same = Toll.objects.values_list("price", F("price"))
    other = Toll.objects.values_list("price", F("price") / 2)
    assert sorted(await world.list(same.union(other))) == [(4, 2), (4, 4)]
    objects = Toll.objects.annotate(part=F("price")).union(Toll.objects.annotate(part=F("price") / 2))
    assert [(t.price, t.part) for t in await world.list(objects.order_by("part"))] == [(4, 2), (4, 4)]
    sliced = Toll.objects.annotate(part=F("price") / 2).union(Toll.objects.annotate(part=F("price"))[:1])
    assert [(t.price, t.part) for t in await world.list(sliced.order_by("part"))] == [(4, 2), (4, 4)]
