"""Parts and beginnings of dates and times: lookups, Extract, Trunc, dates() and datetimes(), time zones."""

import datetime as dt
import zoneinfo
from typing import Any

import pytest

from ormolu import (
    Count,
    DateField,
    DateTimeField,
    F,
    IntegerField,
    Model,
    TimeField,
    capture_queries,
)
from ormolu.exceptions import DataError
from ormolu.fields import timezones
from ormolu.query.functions import (
    Extract,
    ExtractYear,
    Trunc,
    TruncDate,
    TruncDay,
    TruncHour,
    TruncMonth,
    TruncTime,
)
from support.backends import Backend
from support.worlds import World

UTC = dt.UTC
BERLIN = zoneinfo.ZoneInfo("Europe/Berlin")
SAO_PAULO = zoneinfo.ZoneInfo("America/Sao_Paulo")


class Event(Model):
    number = IntegerField()
    at = DateTimeField(null=True)
    day = DateField(null=True)
    clock = TimeField(null=True)


@pytest.fixture
def events(db: Backend) -> list[Event]:
    """Two moments, one of which is in another year in Berlin, and a row of NULLs."""
    rows = [
        (
            dt.datetime(2015, 6, 15, 14, 30, 50, 999999, tzinfo=UTC),
            dt.date(2015, 6, 15),
            dt.time(14, 30, 50, 999999),
        ),
        (dt.datetime(2016, 12, 31, 23, 30, tzinfo=UTC), dt.date(2017, 1, 1), dt.time(0, 0)),
        (None, None, None),
    ]
    return [
        Event.objects.create(number=number, at=at, day=day, clock=clock)
        for number, (at, day, clock) in enumerate(rows, 1)
    ]


def numbers(queryset: Any) -> list[int]:
    return list(queryset.order_by("number").values_list("number", flat=True))


LOOKUPS: list[tuple[dict[str, Any], list[int]]] = [
    ({"at__year": 2016}, [2]),
    ({"at__year__gt": 2015}, [2]),
    ({"at__year__gte": 2015}, [1, 2]),
    ({"at__year__lt": 2016}, [1]),
    ({"at__year__lte": 2016}, [1, 2]),
    ({"at__year__range": (2014, 2015)}, [1]),
    ({"at__year__in": [2015, 2020]}, [1]),
    ({"at__year": F("day__year")}, [1]),
    ({"at__year__isnull": True}, [3]),
    ({"day__iso_year": 2016}, [2]),
    ({"day__quarter": 2}, [1]),
    ({"day__month": 1}, [2]),
    ({"day__week": 52}, [2]),
    ({"day__week_day": 1}, [2]),
    ({"day__iso_week_day": 7}, [2]),
    ({"day__day": "15"}, [1]),
    ({"at__hour__gte": 15}, [2]),
    ({"at__minute": 30}, [1, 2]),
    ({"at__second": 50}, [1]),
    ({"clock__hour": 14}, [1]),
    ({"clock__second__lt": 50}, [2]),
    ({"at__date": dt.date(2015, 6, 15)}, [1]),
    ({"at__date__year": 2016}, [2]),
    ({"at__time__gt": dt.time(15)}, [2]),
]


@pytest.mark.parametrize(("lookup", "expected"), LOOKUPS, ids=[str(lookup) for lookup, _ in LOOKUPS])
def test_lookups(events: list[Event], lookup: dict[str, Any], expected: list[int]) -> None:
    """Parts of dates and times can be compared like integers."""
    assert numbers(Event.objects.filter(**lookup)) == expected


def test_years_are_ranges_of_the_column(events: list[Event]) -> None:
    """A year is compared as a range of the column itself, so that an index on it serves."""
    with capture_queries() as captured:
        numbers(Event.objects.filter(at__year=2016))
        numbers(Event.objects.annotate(y=ExtractYear("day")).filter(y__gte=2016))
    assert "BETWEEN" in captured[0].sql
    assert "EXTRACT" not in captured[0].sql.upper().split("WHERE")[1]
    assert ">=" in captured[1].sql


def test_excluded_parts_keep_null(events: list[Event]) -> None:
    """exclude() keeps the rows where there is no date."""
    assert numbers(Event.objects.exclude(at__year=2015)) == [2, 3]
    assert numbers(Event.objects.exclude(at__month=6)) == [2, 3]


@pytest.mark.parametrize("lookup", [{"at__year": "soon"}, {"at__month": "June"}])
def test_words_are_no_numbers(db: Backend, lookup: dict[str, Any]) -> None:
    """A value that is no integer is refused when the query is built."""
    with pytest.raises(ValueError, match="expected a number"):
        Event.objects.filter(**lookup)


PARTS = {
    "year": (2015, 2017), "iso_year": (2015, 2016), "quarter": (2, 1), "month": (6, 1), "week": (25, 52),
    "week_day": (2, 1), "iso_week_day": (1, 7), "day": (15, 1), "hour": (16, 0), "minute": (30, 30), "second": (50, 0),
}  # fmt: skip


@pytest.mark.usefixtures("zones")
@pytest.mark.parametrize("part", PARTS)
def test_extract_in_a_zone(events: list[Event], part: str) -> None:
    """With tzinfo, a part is that of the zone's clocks."""
    found = Event.objects.order_by("number").annotate(part=Extract("at", part, tzinfo=BERLIN))
    assert tuple(found.values_list("part", flat=True)) == (*PARTS[part], None)


STARTS = {
    "year": dt.datetime(2017, 1, 1), "quarter": dt.datetime(2017, 1, 1), "month": dt.datetime(2017, 1, 1),
    "week": dt.datetime(2016, 12, 26), "day": dt.datetime(2017, 1, 1), "hour": dt.datetime(2017, 1, 1),
    "minute": dt.datetime(2017, 1, 1, 0, 30), "second": dt.datetime(2017, 1, 1, 0, 30),
}  # fmt: skip


@pytest.mark.usefixtures("zones")
@pytest.mark.parametrize("period", STARTS)
def test_trunc_in_a_zone(events: list[Event], period: str) -> None:
    """With tzinfo, a period begins when it does by the zone's clocks, and is shown so."""
    found = Event.objects.annotate(start=Trunc("at", period, tzinfo=BERLIN)).get(number=2).start
    assert (found.replace(tzinfo=None), found.tzinfo) == (STARTS[period], BERLIN)
    date = Trunc("at", period, output_field=DateField(), tzinfo=BERLIN)
    assert Event.objects.annotate(start=date).get(number=2).start == STARTS[period].date()


@pytest.mark.usefixtures("zones")
def test_truncated_values_compare_as_instants(events: list[Event]) -> None:
    """Inside the database as well, a truncated value is the moment when the period begins."""
    start = TruncDay("at", tzinfo=BERLIN)
    assert numbers(Event.objects.annotate(start=start).filter(start__lte=F("at"))) == [1, 2]
    assert numbers(
        Event.objects.annotate(start=start).filter(start=dt.datetime(2017, 1, 1, tzinfo=BERLIN))
    ) == [2]


@pytest.mark.usefixtures("zones")
def test_current_zone(events: list[Event]) -> None:
    """Without tzinfo, the current zone counts, also for queries that were run in another one before."""
    for _ in range(2):
        assert numbers(Event.objects.filter(at__year=2017)) == []
        assert numbers(Event.objects.filter(at__hour=0)) == []
        with timezones.override(BERLIN):
            assert numbers(Event.objects.filter(at__year=2017)) == [2]
            assert numbers(Event.objects.filter(at__hour=0)) == [2]
            assert Event.objects.get(at__hour=0).number == 2
            assert Event.objects.annotate(d=TruncDate("at"), t=TruncTime("at")).get(number=2).d == dt.date(
                2017, 1, 1
            )
        with pytest.raises(Event.DoesNotExist):
            Event.objects.get(at__hour=0)


def test_fixed_offset(events: list[Event]) -> None:
    """A zone may be a plain offset; it counts eastwards."""
    india = dt.timezone(dt.timedelta(hours=5, minutes=30))
    assert Event.objects.annotate(h=Extract("at", "hour", tzinfo=india)).get(number=1).h == 20


@pytest.mark.usefixtures("zones")
def test_beginning_that_does_not_exist(db: Backend) -> None:
    """Where clocks are put forward at midnight, the day still begins at 0:00, as the calendar says."""
    Event.objects.create(number=1, at=dt.datetime(2016, 10, 16, 13, tzinfo=UTC))
    with timezones.override(SAO_PAULO):
        start = Event.objects.annotate(start=TruncDay("at")).get().start
    assert start == dt.datetime(2016, 10, 16, tzinfo=SAO_PAULO)


def test_microseconds_are_not_rounded(events: list[Event]) -> None:
    """The last microsecond of a second belongs to it."""
    found = Event.objects.annotate(s=Trunc("at", "second"), c=Trunc("clock", "second")).get(number=1)
    assert (found.s, found.c) == (dt.datetime(2015, 6, 15, 14, 30, 50, tzinfo=UTC), dt.time(14, 30, 50))


@pytest.mark.usefixtures("zones")
def test_grouping_by_a_period(events: list[Event]) -> None:
    """Rows can be grouped and ordered by a period."""
    found = Event.objects.filter(at__isnull=False).annotate(m=TruncMonth("at", tzinfo=BERLIN)).values("m")
    assert list(found.annotate(n=Count("id")).order_by("-m")) == [
        {"m": dt.datetime(2017, 1, 1, tzinfo=BERLIN), "n": 1},
        {"m": dt.datetime(2015, 6, 1, tzinfo=BERLIN), "n": 1},
    ]


async def test_dates(db: Backend, world: World) -> None:
    """dates() lists each period once, in order, without NULL."""
    for day in (dt.date(2020, 5, 2), dt.date(2020, 5, 20), dt.date(2019, 1, 1), None):
        await world(Event.objects.create, number=1, day=day)
    assert await world.list(Event.objects.dates("day", "year")) == [dt.date(2019, 1, 1), dt.date(2020, 1, 1)]
    assert await world.list(Event.objects.all().dates("day", "month", "DESC")) == [
        dt.date(2020, 5, 1),
        dt.date(2019, 1, 1),
    ]


@pytest.mark.usefixtures("zones")
def test_datetimes(events: list[Event]) -> None:
    """datetimes() lists each period once, in order, without NULL, in a zone."""
    assert list(Event.objects.datetimes("at", "day")) == [
        dt.datetime(2015, 6, 15, tzinfo=UTC),
        dt.datetime(2016, 12, 31, tzinfo=UTC),
    ]
    assert list(Event.objects.datetimes("at", "hour", "DESC", tzinfo=BERLIN)) == [
        dt.datetime(2017, 1, 1, tzinfo=BERLIN),
        dt.datetime(2015, 6, 15, 16, tzinfo=BERLIN),
    ]


def test_errors(db: Backend) -> None:
    """Unknown kinds, orders and fields of another type are refused."""
    with pytest.raises(ValueError, match="'kind' must be one of"):
        Event.objects.dates("at", "hour")
    with pytest.raises(ValueError, match="'order' must be either"):
        Event.objects.datetimes("at", "hour", "up")
    with pytest.raises(TypeError, match="isn't a DateField, TimeField, or DateTimeField"):
        Event.objects.dates("number", "year")
    with pytest.raises(ValueError, match="Cannot extract time component"):
        Event.objects.annotate(x=Extract("day", "hour"))
    with pytest.raises(ValueError, match="Cannot truncate DateField"):
        Event.objects.annotate(x=TruncHour("day"))
    with pytest.raises(DataError, match="doesn't know the period"):
        Trunc("at", "fortnight")


@pytest.mark.parametrize(
    ("years", "expected"), [((0, 2015), [1]), ((2016, 12000), [2]), ((-5, 0), []), ((10000, 12000), [])]
)
def test_a_range_may_name_years_that_no_date_has(events, years: tuple[int, int], expected: list[int]) -> None:
    """It finds what lies between them."""
    found = Event.objects.filter(at__year__range=years).order_by("number")
    assert [event.number for event in found] == expected
