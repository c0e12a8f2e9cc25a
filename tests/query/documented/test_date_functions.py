"""Functions of dates and times, as Django's reference of database functions describes them."""

from __future__ import annotations

import datetime as dt
import zoneinfo
from typing import Any

import pytest

from ormolu import Count, DateField, DateTimeField, F, Max, Min, Model, TimeField
from ormolu.fields import timezones
from ormolu.query import functions as f
from support.backends import Backend
from support.worlds import World

UTC = dt.UTC
EAST = zoneinfo.ZoneInfo("Australia/Sydney")
STARTED = dt.datetime(2015, 6, 15, 23, 30, 1, 321, tzinfo=UTC)
STOPPED = dt.datetime(2015, 12, 31, 22, 11, 27, 999, tzinfo=UTC)

PARTS = {
    "year": 2015, "iso_year": 2015, "quarter": 2, "month": 6, "day": 15, "week": 25, "week_day": 2, "iso_week_day": 1,
    "hour": 23, "minute": 30, "second": 1,
}  # fmt: skip
PARTS_IN_THE_EAST = {**PARTS, "day": 16, "week_day": 3, "iso_week_day": 2, "hour": 9}
EXTRACTS: dict[str, Any] = {
    "year": f.ExtractYear, "iso_year": f.ExtractIsoYear, "quarter": f.ExtractQuarter, "month": f.ExtractMonth,
    "day": f.ExtractDay, "week": f.ExtractWeek, "week_day": f.ExtractWeekDay, "iso_week_day": f.ExtractIsoWeekDay,
    "hour": f.ExtractHour, "minute": f.ExtractMinute, "second": f.ExtractSecond,
}  # fmt: skip


class Trial(Model):
    started = DateTimeField()
    start_day = DateField(null=True)
    start_time = TimeField(null=True)
    stopped = DateTimeField(null=True)
    stop_day = DateField(null=True)


@pytest.fixture
def trial(db: Backend) -> Trial:
    """One trial, of half a year."""
    return Trial.objects.create(
        started=STARTED, start_day=STARTED.date(), start_time=STARTED.time(), stopped=STOPPED,
        stop_day=STOPPED.date(),
    )  # fmt: skip


@pytest.mark.usefixtures("trial")
@pytest.mark.parametrize("column", ["started", "start_day", "start_time"])
async def test_extract(world: World, column: str) -> None:
    """Every part by Extract, by the class for it, and by the lookup; for days and clocks those that they have."""
    clock = ("hour", "minute", "second")
    names = [name for name in PARTS if column == "started" or (name in clock) == (column == "start_time")]
    wanted = {name: PARTS[name] for name in names}
    for make in (lambda name: f.Extract(column, name), lambda name: EXTRACTS[name](column)):
        rows = Trial.objects.annotate(**{f"its_{name}": make(name) for name in names})
        found = await world(rows.values(*(f"its_{name}" for name in names)).get)
        assert found == {f"its_{name}": value for name, value in wanted.items()}
    for name, value in wanted.items():
        assert await world(Trial.objects.filter(**{f"{column}__{name}": value}).count) == 1
        assert await world(Trial.objects.filter(**{f"{column}__{name}__gt": value}).count) == 0
        assert await world(Trial.objects.filter(**{f"{column}__{name}": EXTRACTS[name](column)}).count) == 1
        assert await world(Trial.objects.order_by(f"{column}__{name}").first) is not None


@pytest.mark.usefixtures("trial", "zones")
async def test_extract_in_a_zone(world: World) -> None:
    """A part is that of the current time zone, or of the one that is asked for."""
    with timezones.override(EAST):
        rows = Trial.objects.annotate(**{f"its_{name}": make("started") for name, make in EXTRACTS.items()})
        found = await world(rows.values(*(f"its_{name}" for name in PARTS)).get)
    assert found == {f"its_{name}": value for name, value in PARTS_IN_THE_EAST.items()}
    asked = {f"its_{name}": make("started", tzinfo=EAST) for name, make in EXTRACTS.items()}
    with timezones.override(zoneinfo.ZoneInfo("America/Chicago")):
        found = await world(Trial.objects.annotate(**asked).values(*asked).get)
    assert found == {f"its_{name}": value for name, value in PARTS_IN_THE_EAST.items()}


@pytest.mark.usefixtures("trial")
async def test_extract_on_both_sides(world: World) -> None:
    """A part can be compared with another column's."""
    assert await world(Trial.objects.filter(started__year=f.Extract("stopped", "year")).count) == 1
    assert await world(Trial.objects.filter(started__month__lt=f.ExtractMonth("stop_day")).count) == 1
    assert await world(Trial.objects.exclude(start_day__quarter=F("stopped__quarter")).count) == 1


BEGINNINGS = {
    "year": dt.datetime(2015, 1, 1), "quarter": dt.datetime(2015, 4, 1), "month": dt.datetime(2015, 6, 1),
    "week": dt.datetime(2015, 6, 15), "day": dt.datetime(2015, 6, 15), "hour": dt.datetime(2015, 6, 15, 23),
    "minute": dt.datetime(2015, 6, 15, 23, 30), "second": dt.datetime(2015, 6, 15, 23, 30, 1),
}  # fmt: skip
IN_THE_EAST = {
    "year": dt.datetime(2015, 1, 1), "quarter": dt.datetime(2015, 4, 1), "month": dt.datetime(2015, 6, 1),
    "week": dt.datetime(2015, 6, 15), "day": dt.datetime(2015, 6, 16), "hour": dt.datetime(2015, 6, 16, 9),
    "minute": dt.datetime(2015, 6, 16, 9, 30), "second": dt.datetime(2015, 6, 16, 9, 30, 1),
}  # fmt: skip
TRUNCS: dict[str, Any] = {
    "year": f.TruncYear, "quarter": f.TruncQuarter, "month": f.TruncMonth, "week": f.TruncWeek, "day": f.TruncDay,
    "hour": f.TruncHour, "minute": f.TruncMinute, "second": f.TruncSecond,
}  # fmt: skip


async def values(world: World, **expressions: Any) -> dict[str, Any]:
    return dict(await world(Trial.objects.annotate(**expressions).values(*expressions).get))


@pytest.mark.usefixtures("trial")
async def test_trunc(world: World) -> None:
    """The beginning of each period: of instants, days and clocks, as what they are or as something less."""
    wanted = {name: value.replace(tzinfo=UTC) for name, value in BEGINNINGS.items()}
    assert await values(world, **{n: f.Trunc("started", n) for n in wanted}) == wanted
    assert await values(world, **{n: make("started") for n, make in TRUNCS.items()}) == wanted
    dates = {name: value.date() for name, value in BEGINNINGS.items()}
    as_dates = {n: f.Trunc("started", n, output_field=DateField()) for n in dates}
    assert await values(world, **as_dates) == dates
    periods = ("year", "quarter", "month", "week", "day")
    days = {n: dates[n] for n in periods}
    assert await values(world, **{n: TRUNCS[n]("start_day") for n in days}) == days
    clocks = {n: BEGINNINGS[n].time() for n in ("hour", "minute", "second")}
    assert await values(world, **{n: TRUNCS[n]("start_time") for n in clocks}) == clocks
    as_clocks = {n: TRUNCS[n]("started", output_field=TimeField()) for n in clocks}
    assert await values(world, **as_clocks) == clocks
    found = await values(world, date=f.TruncDate("started"), time=f.TruncTime("started"))
    assert found == {"date": STARTED.date(), "time": STARTED.time()}


@pytest.mark.usefixtures("trial", "zones")
async def test_trunc_in_a_zone(world: World) -> None:
    """A period begins when it does in the current zone, or in the one that is asked for."""
    wanted = {name: value.replace(tzinfo=EAST) for name, value in IN_THE_EAST.items()}
    with timezones.override(EAST):
        assert await values(world, **{n: f.Trunc("started", n) for n in wanted}) == wanted
    found = await values(world, **{n: make("started", tzinfo=EAST) for n, make in TRUNCS.items()})
    assert found == wanted
    assert found["year"].utcoffset() == dt.timedelta(hours=11)
    assert found["month"].utcoffset() == dt.timedelta(hours=10)
    found = await values(
        world, date=f.TruncDate("started", tzinfo=EAST), time=f.TruncTime("started", tzinfo=EAST)
    )
    assert found == {"date": dt.date(2015, 6, 16), "time": dt.time(9, 30, 1, 321)}


@pytest.fixture
def three(db: Backend) -> None:
    """Two trials on one day, one on another."""
    for at in (
        dt.datetime(2014, 6, 15, 14, 30, 50, 321, tzinfo=UTC),
        dt.datetime(2014, 6, 15, 14, 40, 2, 123, tzinfo=UTC),
        dt.datetime(2015, 12, 31, 17, 5, 27, 999, tzinfo=UTC),
    ):
        Trial.objects.create(started=at, start_day=at.date(), start_time=at.time())


@pytest.mark.usefixtures("three")
async def test_groups(world: World) -> None:
    """Rows are grouped by the period that they fall into."""

    async def counted(expression: Any) -> list[Any]:
        groups = Trial.objects.annotate(period=expression).values("period").annotate(n=Count("id"))
        return await world.list(groups.order_by("period").values_list("period", "n"))

    day = dt.datetime(2014, 6, 15, tzinfo=UTC)
    assert await counted(f.Trunc("started", "day", output_field=DateTimeField())) == [
        (day, 2), (dt.datetime(2015, 12, 31, tzinfo=UTC), 1),
    ]  # fmt: skip
    assert await counted(f.TruncYear("start_day")) == [(dt.date(2014, 1, 1), 2), (dt.date(2015, 1, 1), 1)]
    assert await counted(f.TruncHour("started", output_field=TimeField())) == [
        (dt.time(14), 2),
        (dt.time(17), 1),
    ]
    assert await counted(f.TruncDate("started")) == [(dt.date(2014, 6, 15), 2), (dt.date(2015, 12, 31), 1)]
    assert await counted(f.ExtractYear("started")) == [(2014, 2), (2015, 1)]
    assert await counted(F("started__month")) == [(6, 2), (12, 1)]
    on_day = Trial.objects.annotate(period=f.TruncDay("started")).filter(period=day).order_by("started")
    assert [trial.started.minute for trial in await world.list(on_day)] == [30, 40]
    assert await world(Trial.objects.filter(started__date=dt.date(2014, 6, 15)).count) == 2
    assert await world(Trial.objects.filter(started__time__lt=dt.time(14, 35)).count) == 1


@pytest.mark.usefixtures("three", "zones")
async def test_groups_in_a_zone(world: World) -> None:
    """The groups are those of the time zone."""
    months = Trial.objects.annotate(month=f.TruncMonth("started", tzinfo=EAST)).values("month")
    found = await world.list(months.annotate(n=Count("id")).order_by("month").values_list("month", "n"))
    assert found == [
        (dt.datetime(2014, 6, 1, tzinfo=EAST), 2), (dt.datetime(2016, 1, 1, tzinfo=EAST), 1),
    ]  # fmt: skip


async def test_now(db: Backend, world: World) -> None:
    """Now() is a moment between now and then, in filters, updates and new rows."""
    trial = await world(Trial.objects.create, started=f.Now())
    assert await world(Trial.objects.filter(started__lte=f.Now()).count) == 1
    await world(Trial.objects.update, stopped=f.Now() + dt.timedelta(days=1), start_day=f.TruncDate(f.Now()))
    await world(trial.refresh_from_db)
    assert dt.timedelta(hours=23) < trial.stopped - trial.started < dt.timedelta(hours=25)
    assert (
        await world(Trial.objects.filter(stopped__gt=f.Now(), started__year=f.ExtractYear(f.Now())).count)
        == 1
    )


@pytest.mark.usefixtures("three")
async def test_comparison(world: World) -> None:
    """The later and the earlier of several moments, and the first that there is."""
    early = dt.datetime(2015, 1, 1, tzinfo=UTC)
    rows = Trial.objects.order_by("started").annotate(
        later=f.Greatest("started", early),
        sooner=f.Least("started", early),
        end=f.Coalesce("stopped", "started"),
    )
    first, _second, last = await world.list(rows)
    assert (first.later, first.sooner, first.end) == (early, first.started, first.started)
    assert (last.later, last.sooner) == (last.started, early)
    found = await world(Trial.objects.aggregate, first=Min("start_time"), last=Max(f.TruncYear("started")))
    assert found == {"first": dt.time(14, 30, 50, 321), "last": dt.datetime(2015, 1, 1, tzinfo=UTC)}
