"""With USE_TZ off, datetimes are wall-clock times of TIME_ZONE, on every database alike."""

from __future__ import annotations

import datetime as dt

import pytest

import ormolu
from ormolu import DateField, DateTimeField, F, IntegerField, Model
from ormolu.conf import override
from ormolu.query.functions import Cast, ExtractHour, Now, TruncDate, TruncDay, TruncHour, TruncTime

pytestmark = pytest.mark.backends("sqlite", "postgresql", "asyncpg", "mariadb")

LATE = dt.datetime(2024, 12, 31, 22, 30, 15, 250_000)
CHICAGO = dt.timezone(dt.timedelta(hours=-6))


class Shift(Model):
    starts = DateTimeField()
    day = DateField(default=dt.date(2024, 5, 6))
    hours = IntegerField(default=1)


@pytest.fixture
def naive(db):
    with override(USE_TZ=False, TIME_ZONE="America/Chicago"):
        yield db


async def test_values_come_back_as_they_were_given(naive, world):
    """Written, read, compared: always the same wall-clock time."""
    shift = await world(Shift.objects.create, starts=LATE)
    await world(shift.refresh_from_db)
    assert shift.starts == LATE
    assert await world(Shift.objects.get, starts=LATE)
    assert (
        await world(Shift.objects.filter(starts__range=(LATE, LATE)).values_list("starts", flat=True).get)
        == LATE
    )
    assert await world(Shift.objects.filter(starts__lt=LATE).exists) is False
    await world(Shift.objects.update, starts=F("starts") + dt.timedelta(hours=1))
    assert (await world(Shift.objects.get)).starts == LATE + dt.timedelta(hours=1)


async def test_parts_and_periods(naive, world):
    """Lookups and functions read the clocks of TIME_ZONE, also late in the evening."""
    await world(Shift.objects.create, starts=LATE)
    for lookups in (
        {"starts__year": 2024}, {"starts__date": LATE.date()}, {"starts__hour": 22}, {"starts__month": 12},
        {"starts__time": LATE.time()},
    ):  # fmt: skip
        assert await world(Shift.objects.filter(**lookups).count) == 1, lookups
    found = await world(
        Shift.objects.annotate(
            hour=ExtractHour("starts"), trunc_day=TruncDay("starts"), trunc_hour=TruncHour("starts"),
            date=TruncDate("starts"), cast=Cast("starts", DateField()), time=TruncTime("starts"),
        ).get
    )  # fmt: skip
    assert (found.hour, found.date, found.cast, found.time) == (22, LATE.date(), LATE.date(), LATE.time())
    assert found.trunc_day == dt.datetime(2024, 12, 31)
    assert found.trunc_hour == dt.datetime(2024, 12, 31, 22)
    assert await world.list(Shift.objects.datetimes("starts", "day")) == [dt.datetime(2024, 12, 31)]
    assert await world.list(Shift.objects.dates("starts", "day")) == [dt.date(2024, 12, 31)]


@pytest.mark.backends("sqlite", "postgresql", "asyncpg")  # MariaDB may not know the zones
async def test_now(naive, world):
    """Now() is the present time of TIME_ZONE."""
    await world(Shift.objects.create, starts=LATE)
    found = await world(Shift.objects.annotate(now=Now()).get)
    assert abs(found.now - ormolu.fields.timezones.now()) < dt.timedelta(minutes=1)
    assert await world(Shift.objects.filter(starts__lt=Now()).count) == 1


@pytest.mark.backends("postgresql", "asyncpg")
async def test_postgresql_stores_instants(naive, world):
    """The column has a time zone: the setting may change without a migration, and aware values are taken."""
    await world(Shift.objects.create, starts=LATE)
    with override(USE_TZ=True, TIME_ZONE="UTC"):
        assert (await world(Shift.objects.get)).starts == LATE.replace(tzinfo=CHICAGO)
    await world(Shift.objects.create, starts=dt.datetime(2025, 1, 1, tzinfo=dt.UTC))
    assert await world(Shift.objects.filter(starts=dt.datetime(2024, 12, 31, 18)).count) == 1


@pytest.mark.backends("postgresql", "asyncpg")
async def test_the_sessions_zone_does_not_matter(naive, world):
    """What the server thinks the local time is makes no difference."""
    database = ormolu.databases.get()
    async with world.atomic():
        await world(database.execute, "SET LOCAL TIME ZONE 'Asia/Tokyo'")
        await world(Shift.objects.create, starts=LATE)
        shift = await world(
            Shift.objects.annotate(date=TruncDate("starts"), cast=Cast("starts", DateField())).get
        )
        assert (shift.starts, shift.date, shift.cast) == (LATE, LATE.date(), LATE.date())
        midnight = Cast("day", DateTimeField())
        assert (await world(Shift.objects.annotate(midnight=midnight).get)).midnight == dt.datetime(
            2024, 5, 6
        )
        assert await world(Shift.objects.filter(starts__gt=midnight + dt.timedelta(days=239)).count) == 1
        later = F("day") + dt.timedelta(days=239, hours=22)
        found = await world(
            Shift.objects.annotate(later=ormolu.ExpressionWrapper(later, DateTimeField())).get
        )
        assert found.later == dt.datetime(2024, 12, 31, 22)
        assert await world(Shift.objects.annotate(hour=TruncHour("starts")).filter(hour__lte=LATE).count) == 1


@pytest.mark.backends("postgresql", "asyncpg")
async def test_days_are_those_of_the_zone(db, world):
    """A day added over a change of the clocks keeps the time of day; a date is its midnight there."""
    ormolu.configure(db.url, USE_TZ=False, TIME_ZONE="America/Chicago")
    await world(Shift.objects.create, starts=dt.datetime(2024, 3, 9, 8), day=dt.date(2024, 3, 9))
    await world(Shift.objects.update, starts=F("starts") + dt.timedelta(days=2))
    assert (await world(Shift.objects.get)).starts == dt.datetime(2024, 3, 11, 8)
    await world(Shift.objects.update, starts=dt.datetime(2024, 3, 9, 0))
    assert await world(Shift.objects.filter(day__gte=F("starts")).count) == 1
    await world(Shift.objects.update, starts=dt.datetime(2024, 3, 8, 23))
    assert await world(Shift.objects.filter(day__lte=F("starts")).count) == 0
    zone = (await world(ormolu.databases.get().fetch, "SHOW TimeZone"))[0][0]
    assert zone == "America/Chicago"


@pytest.mark.backends("postgresql", "asyncpg")
async def test_instants_are_read_in_utc(db, world):
    """With USE_TZ, aware values are in UTC, whatever the server's own zone is."""
    database = ormolu.databases.get()
    name = database.config.url.database
    await world(database.execute, f"ALTER DATABASE \"{name}\" SET TimeZone = 'Asia/Tokyo'")
    try:
        ormolu.configure(db.url)
        shift = await world(Shift.objects.create, starts=LATE.replace(tzinfo=CHICAGO))
        await world(shift.refresh_from_db)
        assert shift.starts.tzname() == "UTC"
        assert (shift.starts.day, shift.starts.hour) == (1, 4)
    finally:
        await world(ormolu.databases.get().execute, f'ALTER DATABASE "{name}" RESET TimeZone')


@pytest.mark.changes_tables
@pytest.mark.parametrize("column", ["timestamptz", "timestamp"])
@pytest.mark.backends("postgresql", "asyncpg")
async def test_results_of_every_shape_have_them(naive, world, column):
    """Also of a column that has no time zone itself, and of none at all."""
    with naive.engine().begin() as connection:
        connection.exec_driver_sql(f"ALTER TABLE {Shift._meta.db_table} ALTER COLUMN starts TYPE {column}")
    assert await world.list(Shift.objects.values_list("starts")) == []
    moments = [LATE, LATE + dt.timedelta(days=200)]
    await world(Shift.objects.bulk_create, [Shift(starts=moment) for moment in moments])
    if column == "timestamp":  # what is stored is the session's time then, whatever its zone
        with naive.engine().begin() as connection:
            for pk, moment in enumerate(moments, 1):
                connection.exec_driver_sql(
                    f"UPDATE {Shift._meta.db_table} SET starts = '{moment}' WHERE id = {pk}"
                )
    rows = Shift.objects.order_by("pk")
    assert [shift.starts for shift in await world.list(rows)] == moments
    assert await world.list(rows.values_list("starts")) == [(moment,) for moment in moments]
    assert await world.list(rows.values_list("starts", flat=True)) == moments
    assert await world.list(rows.values("starts")) == [{"starts": moment} for moment in moments]
    assert await world.list(rows.values_list("hours", "starts")) == [(1, moment) for moment in moments]
