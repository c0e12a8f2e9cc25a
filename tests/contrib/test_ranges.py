"""Range fields: values, lookups and transforms on PostgreSQL; values alone elsewhere."""

import datetime as dt
import pickle
from decimal import Decimal
from typing import Any

import psycopg.types.range
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import ormolu
from ormolu import DateTimeField, F, FloatField, IntegerField, Model, Value
from ormolu.contrib.postgres.fields import (
    BigIntegerRangeField,
    DateRangeField,
    DateTimeRangeField,
    DateTimeTZRange,
    DecimalRangeField,
    IntegerRangeField,
    NumericRange,
    Range,
    RangeBoundary,
    RangeField,
)
from ormolu.contrib.postgres.validators import RangeMaxValueValidator
from ormolu.exceptions import DataError, NotSupportedError, ValidationError
from ormolu.fields.types.ranges import canonical
from support.backends import Backend
from support.worlds import World

UTC = dt.UTC
ALL = ("sqlite", "postgresql", "asyncpg", "mariadb")
DAY = dt.date(2024, 1, 1)
NOON = dt.datetime(2024, 1, 1, 12, tzinfo=UTC)
HOUR = dt.timedelta(hours=1)


class Stay(Model):
    ages = IntegerRangeField(null=True, db_default=(5, 10))
    many = BigIntegerRangeField(null=True)
    price = DecimalRangeField(null=True, default_bounds="[]")
    open = DateTimeRangeField(null=True)
    days = DateRangeField(null=True)
    size = IntegerField(default=0)
    weight = FloatField(default=0)
    at = DateTimeField(null=True)


VALUES: dict[str, list[tuple[Any, Any]]] = {
    "ages": [
        ((0, 10), Range(0, 10)),
        (Range(0, 9, bounds="[]"), Range(0, 10)),
        (NumericRange(None, 3, "()"), Range(None, 3, bounds="()")),
        (Range(empty=True), Range(empty=True)),
        (psycopg.types.range.Range(1, 2), Range(1, 2)),
        ((4, 4), Range(empty=True)),
        (("1", 2), Range(1, 2)),
        (None, None),
    ],
    "many": [(Range(1, 2), Range(1, 2)), ((-(2**40), 2**62), Range(-(2**40), 2**62))],
    "price": [
        ((Decimal("1.5"), 3), Range(Decimal("1.5"), Decimal(3), bounds="[]")),
        (Range(1, 2, bounds="()"), Range(Decimal(1), Decimal(2), bounds="()")),
        (Range(None, None), Range(None, None, bounds="()")),
    ],
    "open": [
        ((NOON, NOON + HOUR), Range(NOON, NOON + HOUR)),
        (DateTimeTZRange(None, NOON, "(]"), Range(None, NOON, bounds="(]")),
    ],
    "days": [
        ((DAY, dt.date(2024, 2, 1)), Range(DAY, dt.date(2024, 2, 1))),
        (Range("2024-01-01", DAY, bounds="[]"), Range(DAY, dt.date(2024, 1, 2))),
    ],
}


@pytest.mark.parametrize("name", VALUES)
@pytest.mark.backends(*ALL)
async def test_values_come_back(db: Backend, world: World, name: str) -> None:
    """A range, a pair or a driver's own range is read as SQLAlchemy's Range in canonical form, and found by it."""
    for given_value, expected in VALUES[name]:
        made = await world(Stay.objects.create, **{name: given_value})
        found = await world(Stay.objects.get, pk=made.pk)
        value = getattr(found, name)
        assert value == expected
        assert value is None or type(value) is Range
        if value is not None:
            assert (value.lower, value.upper, value.bounds) == (
                expected.lower,
                expected.upper,
                expected.bounds,
            )
            assert await world(Stay.objects.filter(**{name: given_value, "pk": made.pk}).exists)
            assert await world(Stay.objects.filter(**{f"{name}__in": [expected], "pk": made.pk}).exists)


@pytest.mark.backends(*ALL)
async def test_other_ways_to_write(db: Backend, world: World) -> None:
    """The column's default, bulk_create, bulk_update and update() write ranges, too."""
    if db.vendor != "mysql":  # where a TEXT column has no default
        made = await world(Stay.objects.create)
        await world(made.refresh_from_db)
        assert made.ages == Range(5, 10)
    stays = await world(Stay.objects.bulk_create, [Stay(ages=(n, n + 1), days=None) for n in range(3)])
    for stay in stays:
        stay.ages = (stay.ages[0] if isinstance(stay.ages, tuple) else stay.ages.lower, 9)
    await world(Stay.objects.bulk_update, stays, ["ages"])
    await world(Stay.objects.filter(pk=stays[0].pk).update, price=(1, 2))
    found = await world.list(Stay.objects.filter(pk__in=[s.pk for s in stays]).order_by("pk"))
    assert [s.ages for s in found] == [Range(0, 9), Range(1, 9), Range(2, 9)]
    assert found[0].price == Range(Decimal(1), Decimal(2), bounds="[]")


async def find(world: World, **lookups: Any) -> list[int]:
    found = Stay.objects.filter(**lookups).order_by("size").values_list("size", flat=True)
    return await world.list(found)


@pytest.mark.backends("postgresql", "asyncpg")
async def test_lookups(db: Backend, world: World) -> None:
    """Each operator, with a range, a pair, a single value, another column."""
    for size, ages in enumerate([(0, 10), (5, 15), (None, 0), Range(empty=True), None]):
        await world(Stay.objects.create, size=size, ages=ages, many=None if ages is None else ages)
    assert await find(world, ages__contains=8) == [0, 1]
    assert await find(world, ages__contains=(3, 8)) == [0]
    assert await find(world, ages__contains=F("size")) == [0]
    assert await find(world, ages__contains=Value(12)) == [1]
    assert await find(world, ages__contains=F("ages")) == [0, 1, 2, 3]
    assert await find(world, ages__contained_by=Range(0, 20)) == [0, 1, 3]
    assert await find(world, ages__overlap=(3, 8)) == [0, 1]
    assert await find(world, ages__fully_lt=(5, 10)) == [2]
    assert await find(world, ages__fully_gt=(-9, -3)) == [0, 1]
    assert await find(world, ages__not_lt=(5, 10)) == [1]
    assert await find(world, ages__not_gt=(5, 10)) == [0, 2]
    assert await find(world, ages__adjacent_to=(0, 5)) == [1, 2]
    assert await find(world, many__contains=3_000_000_000) == []
    assert await find(world, many__overlap=(3, 8)) == [0, 1]
    assert await find(world, ages__gt=(0, 11)) == [1]


@pytest.mark.backends("postgresql", "asyncpg")
async def test_transforms(db: Backend, world: World) -> None:
    """The ends and what is known of them can be compared, selected and ordered by."""
    for size, price in enumerate([(None, 10), (10, None), (5, 15), Range(5, 15, bounds="(]")]):
        price = Range(*price, bounds="[)") if isinstance(price, tuple) else price
        await world(Stay.objects.create, size=size, price=price)
    assert await find(world, price__startswith=5) == [2, 3]
    assert await find(world, price__endswith__gte=15) == [2, 3]
    assert await find(world, price__lower_inc=True) == [1, 2]
    assert await find(world, price__lower_inf=True) == [0]
    assert await find(world, price__upper_inc=True) == [3]
    assert await find(world, price__upper_inf=False) == [0, 2, 3]
    assert await find(world, price__isempty=True) == []
    ends = Stay.objects.order_by(F("price__endswith").desc(nulls_last=True), "size")
    assert await world.list(ends.values_list("price__startswith", "price__endswith")) == [
        (Decimal(5), Decimal(15)),
        (Decimal(5), Decimal(15)),
        (None, Decimal(10)),
        (Decimal(10), None),
    ]


@pytest.mark.backends("postgresql", "asyncpg")
async def test_values_within_a_range(db: Backend, world: World) -> None:
    """contained_by of numbers and times."""
    for n in range(3):
        await world(Stay.objects.create, size=n, weight=n * 1.5, at=NOON + n * HOUR, price=(0, 2))
    assert await find(world, size__contained_by=(1, 3)) == [1, 2]
    assert await find(world, weight__contained_by=Range(Decimal("1.2"), 2)) == [1]
    assert await find(world, at__contained_by=(NOON, NOON + HOUR)) == [0]
    assert await find(world, at__date__contained_by=("2024-01-01", "2024-01-02")) == [0, 1, 2]
    assert await find(world, weight__contained_by=F("price")) == [0, 1]
    assert await find(world, id__contained_by=(0, None)) == [0, 1, 2]
    rest = Stay.objects.exclude(size__contained_by=(1, 3)).values_list("size", flat=True)
    assert await world.list(rest) == [0]


@pytest.mark.backends("sqlite", "mariadb")
def test_lookups_need_postgresql(db: Backend) -> None:
    """Elsewhere a range is stored and compared as a whole; anything else says what it needs."""
    for name in ("ages__contains", "ages__overlap", "ages__startswith", "size__contained_by"):
        with pytest.raises(NotSupportedError, match="needs PostgreSQL"):
            list(Stay.objects.filter(**{name: (1, 2) if "starts" not in name else 1}))


def test_wrong_values_are_refused() -> None:
    """What is no range is refused with the name of the field; ends in the wrong order, too."""
    with pytest.raises(TypeError, match="'ages' expected a range"):
        Stay.objects.filter(ages=5)
    with pytest.raises(DataError, match="lower bound must be less"):
        list(Stay.objects.filter(ages=(5, 1)))
    with pytest.raises(TypeError, match="Cannot use 'default_bounds' with DateRangeField"):
        DateRangeField(default_bounds="[]")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    with pytest.raises(ValueError, match="default_bounds must be one of"):
        DecimalRangeField(default_bounds="][")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    field = Stay._meta.get_field("ages")
    for value in ("[1", "[1, 2]", 7):
        with pytest.raises(ValidationError, match="not a range"):
            field.to_python(value)


def test_values() -> None:
    """A range goes to text and back, can be pickled and hashed; Django's names have positional bounds."""
    field = Stay._meta.get_field("days")
    stay = Stay(days=(DAY, None))
    assert field.value_to_string(stay) == '{"lower": "2024-01-01", "upper": null, "bounds": "[)"}'
    assert field.to_python(field.value_to_string(stay)) == Range(DAY, None)
    value = NumericRange(1, 2, "[]")
    assert pickle.loads(pickle.dumps(value)) == value == Range(1, 3)
    assert 2 in value
    RangeMaxValueValidator(5)(Range(0, 5))
    with pytest.raises(ValidationError):
        RangeMaxValueValidator(5)(Range(0, None))
    assert str(RangeBoundary(False, True).as_term(None).sa) == "'(]'"
    path = field.deconstruct()[1]
    assert path == "ormolu.contrib.postgres.fields.DateRangeField"
    assert DecimalRangeField(default_bounds="[]").deconstruct()[3] == {"default_bounds": "[]"}


class EvenRangeField(RangeField[Range[int]]):
    """A user's kind of range."""

    base_field = IntegerField
    range_type = "INT4RANGE"
    step = 1


@pytest.mark.backends("postgresql")
def test_a_users_range(db: Backend) -> None:
    """A subclass of RangeField names what its ends are."""
    with ormolu.models.registry.isolated():

        class Even(Model):
            evens = EvenRangeField()

        ormolu.create_tables(Even)
        try:
            Even.objects.create(evens=(2, 4))
            assert Even.objects.get(evens__contains=3).evens == Range(2, 4)
        finally:
            ormolu.drop_tables(Even)


bounds = st.sampled_from(["[)", "(]", "[]", "()"])


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.none() | st.integers(-5, 5), st.none() | st.integers(-5, 5), bounds)
def test_canonical_form_has_the_same_points(lower: int | None, upper: int | None, how: Any) -> None:
    """Bringing a discrete range to its canonical form keeps its points."""
    if lower is not None and upper is not None and lower > upper:
        return
    given_range: Range[int] = Range(lower, upper, bounds=how)
    made = canonical(given_range, 1)
    points = [n for n in range(-8, 9) if n in given_range]
    assert points == [n for n in range(-8, 9) if n in made]
    assert made.empty == (not points)
    assert canonical(made, 1) == made
