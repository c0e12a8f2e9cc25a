"""Expressions: identity, text, arithmetic of time, and being written to rows."""

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest

from ormolu import (
    Avg,
    BooleanField,
    Case,
    CharField,
    Count,
    DateField,
    DateTimeField,
    DecimalField,
    DurationField,
    F,
    FieldError,
    FloatField,
    ForeignKey,
    Func,
    IntegerField,
    Max,
    Model,
    Q,
    StdDev,
    Subquery,
    Sum,
    TextField,
    TimeField,
    Value,
    Variance,
    When,
)
from ormolu.exceptions import DatabaseError, NotSupportedError
from ormolu.models import CASCADE
from ormolu.query import Expression, ExpressionWrapper
from ormolu.query.functions import Abs, Cast, Ceil, Coalesce, Concat, Floor, Greatest, Least, NullIf
from ormolu.query.lookups import GreaterThan
from support.backends import Backend
from support.worlds import World


class Coin(Model):
    value = DecimalField(max_digits=6, decimal_places=2)


class Trip(Model):
    name = CharField(max_length=20)
    day = DateField()
    start = DateTimeField()
    end = DateTimeField()
    at = TimeField()
    planned = DurationField()
    back = DateField()
    seats = IntegerField(default=2)


START = dt.datetime(2024, 2, 28, 12, tzinfo=dt.UTC)


@pytest.fixture
def trip(db: Backend) -> Trip:
    """A trip of two days and a bit."""
    return Trip.objects.create(
        name="north",
        day=START.date(),
        back=dt.date(2024, 3, 1),
        start=START,
        end=START + dt.timedelta(days=2, microseconds=7),
        at=dt.time(23, 30),
        planned=dt.timedelta(days=2),
    )


async def test_times_are_added_and_subtracted(trip, world: World):
    """The database computes what Python would, over the end of a month and of a day."""
    query = Trip.objects.annotate(
        took=F("end") - F("start"),
        planned_end=F("start") + F("planned"),
        days=F("back") - F("day"),
        later=ExpressionWrapper(F("at") + dt.timedelta(hours=1), output_field=TimeField()),
    )
    found = await world(query.get)
    assert found.took == dt.timedelta(days=2, microseconds=7)
    assert found.planned_end == dt.datetime(2024, 3, 1, 12, tzinfo=dt.UTC)
    assert found.days == dt.timedelta(days=2)
    assert found.later == dt.time(0, 30)


async def test_a_date_and_a_duration_compare_with_dates(trip, world: World):
    """A whole number of days later is that very date: neither before nor after it."""
    assert await world(Trip.objects.filter(back=F("day") + dt.timedelta(days=2)).exists)
    assert not await world(Trip.objects.filter(back__lt=F("day") + F("planned")).exists)
    assert await world(Trip.objects.filter(back__lt=F("day") + dt.timedelta(days=2, hours=1)).exists)


async def test_durations_are_scaled(trip, world: World):
    """A duration times, or by, a number is a duration."""
    half = ExpressionWrapper(F("planned") / F("seats"), output_field=DurationField())
    more = ExpressionWrapper(F("planned") * 1.5, output_field=DurationField())
    found = await world(Trip.objects.annotate(half=half, more=more).get)
    assert (found.half, found.more) == (dt.timedelta(days=1), dt.timedelta(days=3))


@pytest.mark.backends("sqlite")
@pytest.mark.parametrize("aggregate", [Sum, Avg, StdDev, Variance])
@pytest.mark.parametrize("name", ["day", "start", "at"])
def test_texts_of_moments_are_not_added_up(trip, aggregate: Any, name: str):
    """SQLite keeps dates and times as texts, of which there is no sum; durations are numbers."""
    with pytest.raises(NotSupportedError, match="which keeps it as text"):
        Trip.objects.aggregate(result=aggregate(name))
    assert Trip.objects.aggregate(most=Max(name), total=Sum("planned"))["most"] is not None


def test_an_output_field_is_a_field():
    """A class or a name in its place is refused, with what would be right."""
    with pytest.raises(TypeError, match=r"output_field is a field, as in IntegerField\(\)"):
        ExpressionWrapper(F("seats"), output_field=IntegerField)
    with pytest.raises(TypeError, match="output_field is a field"):
        Value(1, output_field="IntegerField")


@pytest.mark.backends("sqlite", "postgresql")
def test_moments_have_no_product(trip):
    """Multiplying a date is an error of the database, not a number."""
    with pytest.raises(DatabaseError):
        list(Trip.objects.filter(start=F("start") * dt.timedelta(1)))


async def test_expressions_are_written(trip, world: World):
    """save() and create() take expressions; each keeps its own literals."""
    trip.name, trip.seats = Func(Value("SOUTH"), function="LOWER"), F("seats") + 3
    await world(trip.save)
    again = await world(Trip.objects.get, pk=trip.pk)
    assert (again.name, again.seats) == ("south", 5)


def test_aggregates_are_not_written(trip):
    """A row has nothing to aggregate."""
    trip.seats = Count("pk")
    with pytest.raises(FieldError, match="Aggregate"):
        trip.save()


def test_equality_is_that_of_the_parameters():
    """How an argument was given, by place or by name, makes no difference."""
    assert Expression(IntegerField()) == Expression(output_field=IntegerField())
    assert hash(Expression(IntegerField())) == hash(Expression(output_field=IntegerField()))
    assert Expression(IntegerField()) != Expression(CharField(max_length=3))
    assert Sum("a", filter=Q(b=1)) == Sum("a", filter=Q(b=1)) != Sum("a", filter=Q(b=2))


def test_the_type_of_a_result_can_be_declared_and_changed():
    """A class declares output_field, and shows it; an instance's can be set."""

    class Length(Func):
        function = "LENGTH"
        output_field = IntegerField()

    assert isinstance(Length.output_field, IntegerField)
    assert Length("name").output_field is Length.output_field
    value = Value("a")
    value.output_field = IntegerField()
    assert isinstance(value.output_field, IntegerField)


def test_expressions_read_as_they_are_written():
    """repr() names the expression and its options."""
    assert repr(Avg("a", filter=Q(b=1))) == "Avg(F(a), filter=(AND: ('b', 1)))"
    assert repr(Count("*", distinct=True)) == "Count('*', distinct=True)"
    assert str(~Q(a=1)) == "(NOT (AND: ('a', 1)))"


def test_slices_of_text(trip):
    """F("name")[1:4] is a part of a text, and has parts itself."""
    assert Trip.objects.values_list(F("name")[1:4][1:], flat=True).get() == "rt"
    with pytest.raises(TypeError, match="int or slice"):
        F("name")["x"]


@pytest.mark.parametrize("alias", ["a b", "a;b", 'a"b', "a--b", "a\x00", "a\x7f", "a#b", "a[b"])
def test_a_name_given_to_a_result_is_only_a_name(alias):
    """What could end a name in SQL is refused (values(), annotate(), alias())."""
    for method in (Trip.objects.annotate, Trip.objects.alias, Trip.objects.values):
        with pytest.raises(ValueError, match="aliases"):
            method(**{alias: F("seats")})


async def test_negation_is_for_conditions(trip, world: World):
    """~F(...) of something that is neither true nor false is refused."""
    with pytest.raises(TypeError, match="non-conditional"):
        await world(Trip.objects.update, name=~F("name"))


async def test_constants_of_other_types_compare(trip, world: World):
    """A float is compared with an integer column as it is, by every way of asking."""
    from ormolu.query.lookups import GreaterThanOrEqual

    wanted: list[Any] = [Q(seats__gte=1.5), GreaterThanOrEqual(F("seats"), 1.5)]
    assert [await world(Trip.objects.filter(part).count) for part in wanted] == [1, 1]
    wanted = [Q(seats__gte=2.1), GreaterThanOrEqual(F("seats"), 2.1)]
    assert [await world(Trip.objects.filter(part).count) for part in wanted] == [0, 0]


class Price(Model):
    amount = DecimalField(max_digits=8, decimal_places=2)
    note = CharField(max_length=20, null=True)


@pytest.fixture
def prices(db: Backend) -> Any:
    """Two prices, one with a note."""
    Price.objects.create(amount=Decimal("1.25"), note="x")
    Price.objects.create(amount=Decimal("2.50"))
    return Price.objects.order_by("amount")


async def test_computed_decimals_are_not_rounded_to_the_columns_places(prices, world: World):
    """A product and a mean may have more places than what they are made of, and never have fewer."""
    squares = await world.list(prices.values_list(F("amount") * F("amount"), flat=True))
    assert squares == [Decimal("1.5625"), Decimal("6.25")]
    found = await world(prices.aggregate, mean=Avg("amount"), most=Max("amount"))
    assert found == {"mean": Decimal("1.875"), "most": Decimal("2.50")}
    assert [str(amount) for amount in await world.list(prices.values_list("amount", flat=True))] == [
        "1.25",
        "2.50",
    ]


async def test_a_negated_condition_is_a_value_like_another(prices, world: World):
    """What is said of it is said of the whole: NOT doesn't swallow that."""
    found = prices.annotate(other=Q(~Q(note="x")))
    assert await world.list(found.values_list("other", flat=True)) == [False, True]
    assert await world(found.filter(other__isnull=False).count) == 2
    assert await world(found.filter(other=True).count) == 1
    assert await world(found.exclude(other=True).count) == 1
    assert await world(found.exclude(other__isnull=False).count) == 0


class Reader(Model):
    lucky = IntegerField(null=True)


class Loan(Model):
    reader: Any = ForeignKey(Reader, on_delete=CASCADE, related_name="loans")
    days = IntegerField()


async def test_an_excluded_comparison_with_an_expression_is_about_the_row_itself(db: Backend, world: World):
    """The subquery reads the expression's columns from the row that it is asked for."""
    for lucky, days in ((3, [3, 5]), (5, [3]), (None, [])):
        reader = await world(Reader.objects.create, lucky=lucky)
        for number in days:
            await world(Loan.objects.create, reader=reader, days=number)
    found = Reader.objects.order_by("pk").values_list("lucky", flat=True)
    assert await world.list(found.exclude(loans__days=Abs(F("lucky")))) == [5, None]
    assert await world.list(found.exclude(loans__days=Coalesce("lucky", Value(3)))) == [5, None]
    assert await world.list(found.exclude(loans__days=F("lucky") + 2)) == [5, None]


async def test_division_of_decimals(db: Backend, world: World):
    """A decimal is divided exactly, also where the database keeps it as an integer."""
    await world(Coin.objects.create, value=Decimal("3.00"))
    halves = Coin.objects.annotate(half=F("value") / 2, third=F("value") / 2 / 2)
    assert await world(halves.values_list("half", "third").get) == (Decimal("1.5"), Decimal("0.75"))
    assert await world(halves.filter(half=Decimal("1.5")).count) == 1


async def test_one_of_the_rows_of_a_sliced_subquery(db: Backend, world: World):
    """Membership in a subquery's rows, also where it is sliced."""
    for value in (1, 2, 3):
        await world(Coin.objects.create, value=value)
    best = Subquery(Coin.objects.order_by("-value").values("value")[:2])
    assert await world(Coin.objects.filter(value__in=best).count) == 2
    assert await world(Coin.objects.exclude(value__in=best).count) == 1
    assert (
        await world(Coin.objects.filter(value__in=Subquery(Coin.objects.none().values("value"))).count) == 0
    )


def test_hashes_of_lists() -> None:
    """Whether a condition's values are a list or a tuple makes no difference to what an expression is."""
    cases = [Case(When(value__in=values, then=1), default=2) for values in ([1, 2], (1, 2))]
    assert hash(cases[0]) == hash(cases[1])


class Switch(Model):
    on = BooleanField(null=True)
    level = IntegerField(null=True)


async def test_negated_conditions_and_null(db: Backend, world: World) -> None:
    """`~F("on")` is SQL's NOT, in which NULL is neither; `~Q()` and exclude() are what is left."""
    for on, level in ((True, 1), (False, 5), (None, None)):
        await world(Switch.objects.create, on=on, level=level)
    high = GreaterThan(F("level"), 3)
    for condition in (~F("on"), F("on"), ~high, high):
        assert await world(Switch.objects.filter(condition).count) == 1
    for condition in (~F("on"), F("on"), ~high):
        assert await world(Switch.objects.exclude(condition).count) == 2
        assert await world(Switch.objects.filter(~Q(condition)).count) == 2
    rows = Switch.objects.annotate(off=~F("on")).order_by("pk")
    assert await world.list(rows.values_list("off", flat=True)) == [False, True, None]
    assert await world(rows.filter(off=True).count) == 1


async def test_a_part_of_a_text_is_a_short_text(prices, world: World):
    """A slice has the type of a CharField, whatever it was cut from, and mixes with such."""
    assert await world.list(prices.values_list(Concat(Value("a"), F("note")[:1]), flat=True)) == ["ax", "a"]
    found = prices.annotate(long=Cast("note", TextField())).values_list(
        Concat(Value("a"), F("long")[:1]), flat=True
    )
    assert await world.list(found) == ["ax", "a"]


async def test_what_is_rounded_down_stays_a_fraction(prices, world: World):
    """Half of a float that was rounded down is no integer."""
    mean = Cast("amount", FloatField())
    assert await world.list(prices.values_list(Floor(mean) / 4, flat=True)) == [0.25, 0.5]
    assert await world.list(prices.values_list(Ceil(mean) / 4, flat=True)) == [0.5, 0.75]


async def test_a_sum_that_is_to_be_a_date(trip: Trip, world: World) -> None:
    """A date and a duration make a date, and no moment, where `output_field` says so."""
    for change in (dt.timedelta(days=1), F("planned")):
        days = Trip.objects.annotate(
            then=ExpressionWrapper(F("day") + change, output_field=DateField()),
            before=ExpressionWrapper(F("day") - change, output_field=DateField()),
        )
        then, before = await world(days.values_list("then", "before").get)
        step = change if isinstance(change, dt.timedelta) else trip.planned
        assert (then, before) == (trip.day + step, trip.day - step)
        assert type(then) is type(before) is dt.date
        assert await world(days.filter(then=trip.day + step).count) == 1


WIDE = 2**40


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        (Greatest("seats", WIDE), WIDE),
        (Least("seats", WIDE), 2),
        (Coalesce("seats", WIDE), 2),
        (NullIf("seats", WIDE), 2),
        (Case(When(seats=2, then=WIDE), default="seats"), WIDE),
        (Value(WIDE, output_field=IntegerField()), WIDE),
        (Greatest("seats", -WIDE), 2),
    ],
    ids=lambda value: str(value)[:40],
)
async def test_integers_of_any_width(trip: Trip, world: World, expression: Any, expected: int) -> None:
    """An integer that is given is of the type of other integers, and what its column has no room for is no error."""
    assert await world(Trip.objects.annotate(x=expression).values_list("x", flat=True).get) == expected
    assert isinstance(Value(WIDE).output_field, IntegerField)


async def test_a_wide_default_of_an_aggregate(trip: Trip, world: World) -> None:
    """The default of a sum may be wider than the column."""
    for default in (1, WIDE, -WIDE):
        found = await world(Trip.objects.filter(seats=0).aggregate, total=Sum("seats", default=default))
        assert found == {"total": default}
