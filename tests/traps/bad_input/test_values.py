"""Bad input: a value of the wrong type, or one that does not fit."""

import datetime
import uuid
from decimal import Decimal
from typing import Any

import pytest

from ormolu import (
    BooleanField,
    CharField,
    DateField,
    DateTimeField,
    DecimalField,
    DurationField,
    FloatField,
    IntegerField,
    JSONField,
    Model,
    PositiveIntegerField,
    SmallIntegerField,
    TimeField,
    UUIDField,
    ValidationError,
)
from ormolu.exceptions import DataError, IntegrityError


class Parcel(Model):
    """A field of each kind."""

    text = CharField(max_length=5, default="")
    number = IntegerField(default=0)
    small = SmallIntegerField(default=0)
    positive = PositiveIntegerField(default=0)
    price: Any = DecimalField(max_digits=5, decimal_places=2, null=True)
    weight: Any = FloatField(null=True)
    fragile = BooleanField(default=False)
    day: Any = DateField(null=True)
    moment: Any = DateTimeField(null=True)
    hour: Any = TimeField(null=True)
    span: Any = DurationField(null=True)
    code: Any = UUIDField(default=uuid.uuid4)
    data: Any = JSONField(null=True)

    class Meta:
        app_label = "traps"


WRONG: list[tuple[str, Any]] = [
    ("number", "abc"),
    ("number", object()),
    ("number", [1]),
    ("small", "x"),
    ("price", "abc"),
    ("price", object()),
    ("weight", "heavy"),
    ("fragile", "maybe"),
    ("day", "yesterday"),
    ("day", 5),
    ("moment", "noon"),
    ("hour", "25:99"),
    ("span", "long"),
    ("code", "not-a-uuid"),
    ("data", object()),
]

TOO_LARGE: list[tuple[str, Any]] = [
    ("text", "abcdef"),
    ("positive", -1),
    ("number", 2**70),
    ("price", Decimal("1000.00")),
    ("price", Decimal("NaN")),
    ("price", Decimal("Infinity")),
]

# Every integer column of SQLite holds 64 bits, so there these fit.
BEYOND_THEIR_BITS = [("number", 2**31), ("number", -(2**31) - 1), ("small", 40_000), ("positive", 2**31)]

ERRORS = (ValueError, TypeError, ValidationError, DataError, IntegrityError)


@pytest.mark.parametrize(("name", "value"), WRONG, ids=[f"{n}-{type(v).__name__}-{v}"[:24] for n, v in WRONG])
async def test_a_value_of_the_wrong_type(db: Any, world: Any, name: str, value: Any) -> None:
    """Every way to write a value of the wrong type fails with the field's name, and writes nothing."""
    await refused_everywhere(world, name, value, (ValueError, TypeError, ValidationError))


@pytest.mark.parametrize(("name", "value"), TOO_LARGE, ids=[f"{n}-{v}"[:24] for n, v in TOO_LARGE])
async def test_a_value_that_does_not_fit(db: Any, world: Any, name: str, value: Any) -> None:
    """Every way to write a value that doesn't fit its column fails with the field's name, and writes nothing."""
    await refused_everywhere(world, name, value, (*ERRORS, OverflowError))


@pytest.mark.backends("postgresql", "asyncpg")
@pytest.mark.parametrize(("name", "value"), BEYOND_THEIR_BITS, ids=str)
async def test_an_integer_of_too_many_bits(db: Any, world: Any, name: str, value: Any) -> None:
    """An integer with more bits than its column is refused before the server sees it."""
    await refused_everywhere(world, name, value, DataError)


async def refused_everywhere(world: Any, name: str, value: Any, errors: Any) -> None:
    """Try each way of writing; all must fail and name the field."""
    parcel = await world(Parcel.objects.create, text="old")
    before = await world.list(Parcel.objects.values_list())
    with pytest.raises(errors) as created:
        await world(Parcel.objects.create, **{name: value})
    with pytest.raises(errors) as bulk:
        await world(Parcel.objects.bulk_create, [Parcel(), Parcel(**{name: value})])
    with pytest.raises(errors) as updated:
        await world(Parcel.objects.update, **{name: value})
    setattr(parcel, name, value)
    with pytest.raises(errors) as saved:
        await world(parcel.save)
    with pytest.raises(errors) as bulk_updated:
        await world(Parcel.objects.bulk_update, [parcel], [name])
    assert await world.list(Parcel.objects.values_list()) == before
    for caught in (created, bulk, updated, saved, bulk_updated):
        assert name in str(caught.value), caught.value
        assert "arcel" in str(caught.value), caught.value


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("number", "abc"),
        ("price", "abc"),
        ("day", "yesterday"),
        ("moment", "noon"),
        ("code", "nope"),
        ("number", [1]),
    ],
)
async def test_a_condition_of_the_wrong_type(db: Any, world: Any, name: str, value: Any) -> None:
    """A condition whose value can't be the field's is refused with the field's name."""
    for lookup in ("exact", "gt", "in"):
        given = [value] if lookup == "in" else value
        with pytest.raises((ValueError, TypeError, ValidationError)) as caught:
            await world.list(Parcel.objects.filter(**{f"{name}__{lookup}": given}))
        assert name in str(caught.value) or str(value) in str(caught.value)


async def test_a_condition_that_no_row_can_meet(db: Any, world: Any) -> None:
    """A number that doesn't fit its column is equal to none, and greater than all (not an error of the driver)."""
    await world(Parcel.objects.create, number=5)
    for huge in (2**31, 2**70):
        assert await world(Parcel.objects.filter(number=huge).count) == 0
        assert await world(Parcel.objects.filter(number__in=[huge, 5]).count) == 1
        assert await world(Parcel.objects.filter(number__lt=huge).count) == 1
        assert await world(Parcel.objects.filter(number__gt=huge).count) == 0
        assert await world(Parcel.objects.filter(number__gt=-huge).count) == 1
        assert await world(Parcel.objects.exclude(number=huge).count) == 1


async def test_lookups_that_need_another_kind_of_value(db: Any, world: Any) -> None:
    """isnull takes a boolean, range two values, in a list: anything else is refused and says so."""
    with pytest.raises(ValueError, match="isnull"):
        await world.list(Parcel.objects.filter(price__isnull="no"))
    for nothing in (Parcel.objects.filter(pk__in=[]), Parcel.objects.none()):
        with pytest.raises(ValueError, match="isnull"):
            await world.list(nothing.filter(price__isnull=1))
    with pytest.raises((ValueError, TypeError), match=r"range|two|values"):
        await world.list(Parcel.objects.filter(number__range=5))
    with pytest.raises((ValueError, TypeError)):
        await world.list(Parcel.objects.filter(number__in=5))
    with pytest.raises(ValueError, match="None"):
        await world.list(Parcel.objects.filter(number__gt=None))


async def test_null_where_none_may_be(db: Any, world: Any) -> None:
    """NULL in a required column is an IntegrityError that names the column."""
    with pytest.raises(IntegrityError, match="number"):
        await world(Parcel.objects.create, number=None)
    parcel = await world(Parcel.objects.create)
    parcel.number = None
    with pytest.raises(IntegrityError, match="number"):
        await world(parcel.save)
    with pytest.raises(IntegrityError, match="number"):
        await world(Parcel.objects.update, number=None)
    assert await world(Parcel.objects.filter(number=0).count) == 1


async def test_a_naive_datetime(db: Any, world: Any) -> None:
    """A naive datetime is taken as one of the current time zone, with a warning, as in Django."""
    with pytest.warns(RuntimeWarning, match="naive"):
        parcel = await world(Parcel.objects.create, moment=datetime.datetime(2024, 5, 1, 12))
    await world(parcel.refresh_from_db)
    assert parcel.moment == datetime.datetime(2024, 5, 1, 12, tzinfo=datetime.UTC)
