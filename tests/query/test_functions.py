"""Database functions: each gives what its documentation says, on every database."""

import datetime as dt
import math
from decimal import Decimal
from typing import Any

import pytest

from ormolu import (
    Avg,
    BooleanField,
    CharField,
    DateField,
    DateTimeField,
    DecimalField,
    DurationField,
    ExpressionWrapper,
    F,
    FieldError,
    FloatField,
    IntegerField,
    JSONField,
    Model,
    StdDev,
    Sum,
    TextField,
    TimeField,
    Value,
    Variance,
)
from ormolu.query import functions as f
from support.backends import Backend

UTC = dt.UTC


class Thing(Model):
    name = CharField(max_length=20)
    alias = CharField(max_length=20, null=True)
    text = TextField(default="")
    n = IntegerField(null=True)
    x = FloatField(null=True)
    price = DecimalField(max_digits=6, decimal_places=2, null=True)
    at = DateTimeField(null=True)
    day = DateField(null=True)
    clock = TimeField(null=True)
    span = DurationField(null=True)
    data: Any = JSONField(null=True)
    ok = BooleanField(null=True)


def thing(**values: Any) -> Thing:
    return Thing.objects.create(
        **{
            "name": "John",
            "n": -5,
            "x": 0.5,
            "price": Decimal("12.34"),
            "at": dt.datetime(2024, 2, 29, 23, 30, 15, 123456, tzinfo=UTC),
            "day": dt.date(2024, 2, 29),
            "clock": dt.time(23, 30, 15, 123456),
            "span": dt.timedelta(days=1, seconds=30),
            "data": {"a": [1, 2]},
            "ok": True,
            **values,
        }
    )


def value_of(expression: Any) -> Any:
    return Thing.objects.annotate(result=expression).values_list("result", flat=True).get()


TEXT = [
    (f.Upper("name"), "JOHN"),
    (f.Lower("name"), "john"),
    (f.Length("name"), 4),
    (f.Concat("name", Value("-"), "name"), "John-John"),
    (f.Concat("name", "alias"), "John"),
    (f.Concat("name", "n", output_field=TextField()), "John-5"),
    (f.Left("name", 2), "Jo"),
    (f.Right("name", 3), "ohn"),
    (f.Substr("name", 2), "ohn"),
    (f.Substr("name", 2, 2), "oh"),
    (f.StrIndex("name", Value("h")), 3),
    (f.StrIndex("name", Value("z")), 0),
    (f.LPad("name", 7, Value("xy")), "xyxJohn"),
    (f.RPad("name", 6), "John  "),
    (f.LPad("name", 2), "Jo"),
    (f.LPad("name", None), None),
    (f.Repeat("name", 2), "JohnJohn"),
    (f.Repeat("name", 0), ""),
    (f.Replace("name", Value("oh"), Value("a")), "Jan"),
    (f.Replace("name", Value("oh")), "Jn"),
    (f.Reverse("name"), "nhoJ"),
    (f.Trim(Value(" a ")), "a"),
    (f.LTrim(Value(" a ")), "a "),
    (f.RTrim(Value(" a ")), " a"),
    (f.Chr(Value(8364)), "€"),
    (f.Ord("name"), 74),
    (f.MD5("name"), "61409aa1fd47d4a5332de23cbf59a36f"),
    (f.SHA256("name"), "a8cfcd74832004951b4408cdb0a5dbcd8c7e52d43f7fe244bf720582e05241da"),
    (f.Reverse("alias"), None),
]


@pytest.mark.parametrize(("expression", "expected"), TEXT, ids=lambda value: str(value)[:40])
def test_text(db: Backend, expression: Any, expected: Any) -> None:
    """Functions of text."""
    thing()
    assert value_of(expression) == expected


MATH = [
    (f.Abs("n"), 5),
    (f.Abs("price"), Decimal("12.34")),
    (f.Ceil("x"), 1.0),
    (f.Floor("x"), 0.0),
    (f.Round("price", 1), Decimal("12.3")),
    (f.Round("x"), pytest.approx(0.5, abs=0.5)),
    (f.Sign("n"), -1),
    (f.Power("n", Value(2)), 25.0),
    (f.Sqrt(Value(16)), 4.0),
    (f.Exp(Value(0)), 1.0),
    (f.Ln(Value(1)), 0.0),
    (f.Log(Value(2), Value(8)), pytest.approx(3.0)),
    (f.Mod(Value(7), Value(3)), 1.0),
    (f.Pi(), pytest.approx(3.14159265)),
    (f.Degrees(f.Pi()), pytest.approx(180.0)),
    (f.Radians(Value(180)), pytest.approx(3.14159265)),
    (f.Sin(Value(0.0)), 0.0),
    (f.Cos(Value(0.0)), 1.0),
    (f.Tan(Value(0.0)), 0.0),
    (f.Cot(Value(1.0)), pytest.approx(0.6420926)),
    (f.ASin(Value(1.0)), pytest.approx(1.5707963)),
    (f.ACos(Value(1.0)), 0.0),
    (f.ATan(Value(1.0)), pytest.approx(0.7853981)),
    (f.ATan2(Value(1.0), Value(1.0)), pytest.approx(0.7853981)),
]


@pytest.mark.parametrize(("expression", "expected"), MATH, ids=lambda value: str(value)[:40])
def test_math(db: Backend, expression: Any, expected: Any) -> None:
    """Functions of numbers."""
    thing()
    assert value_of(expression) == expected


def test_results_have_the_class_of_their_field(db: Backend) -> None:
    """Decimals stay decimals, integers become floats where there may be a fraction."""
    thing()
    assert isinstance(value_of(f.Sqrt("price")), Decimal)
    assert isinstance(value_of(f.Sqrt(f.Abs("n"))), float)
    assert isinstance(value_of(f.Ceil("n")), int)


def test_computed_decimals_keep_their_places(db: Backend) -> None:
    """What is computed of a column of two places may have more; it has two at least."""
    for price in "1.00", "1.00", "0.50":
        thing(price=Decimal(price))
    aggregates = Thing.objects.aggregate(mean=Avg("price"), total=Sum("price"))
    assert aggregates["mean"] == pytest.approx(
        Decimal("0.8333333"), abs=Decimal("1e-4")
    )  # MariaDB gives six places
    assert str(aggregates["total"]) == "2.50"
    third = (
        Thing.objects.annotate(result=F("price") / 3).order_by("price").values_list("result", flat=True)[0]
    )
    assert third == pytest.approx(Decimal("0.1666667"), abs=Decimal("1e-4"))


def test_databases_agree_on_digits_signs_and_characters(db: Backend) -> None:
    """Pi and statistics have all their digits, bits keep their sign, a character is its code point."""
    thing(n=-7, text="Ünder")
    thing(n=4, text="Ünder")
    rows = Thing.objects.order_by("n")
    assert rows.annotate(result=f.Pi()).values_list("result", flat=True)[0] == pytest.approx(
        math.pi, abs=1e-14
    )
    assert set(rows.annotate(result=f.Ord("text")).values_list("result", flat=True)) == {0xDC}
    bits = {
        "and": F("n").bitand(5), "or": F("n").bitor(8), "xor": F("n").bitxor(3), "left": F("n").bitleftshift(2),
        "right": F("n").bitrightshift(1),
    }  # fmt: skip
    assert list(rows.values_list(*bits.values())) == [(1, -7, -6, -28, -4), (4, 12, 7, 16, 2)]
    spread = Thing.objects.aggregate(sample=StdDev("n", sample=True), mean=Avg("n"))
    assert spread == {"sample": pytest.approx(7.7781745930520225), "mean": -1.5}
    thing(n=0)
    assert Thing.objects.aggregate(mean=Avg("n"))["mean"] == -1
    thing(n=1)
    thing(n=1)
    thing(n=1)
    assert Thing.objects.aggregate(mean=Avg("n"))["mean"] == 0
    assert Thing.objects.filter(n__gte=0).aggregate(mean=Avg(F("n") - 2))["mean"] == pytest.approx(-0.6)


def test_null_gives_null(db: Backend) -> None:
    """A function of NULL is NULL."""
    thing(n=None, x=None, price=None)
    for expression in (
        f.Floor("x"),
        f.Sqrt("x"),
        f.Round("price", 1),
        f.Mod("n", Value(2)),
        f.Power("n", "x"),
    ):
        assert value_of(expression) is None


def test_random_lies_between_zero_and_one(db: Backend) -> None:
    """Random() is a new number from 0 up to 1 for each row."""
    thing()
    thing()
    one, two = Thing.objects.annotate(result=f.Random()).values_list("result", flat=True)
    assert 0 <= one < 1
    assert one != two


COMPARISON = [
    (f.Coalesce("alias", "name"), "John"),
    (f.NullIf("name", Value("John")), None),
    (f.Greatest("n", Value(3)), 3),
    (f.Least("n", Value(3)), -5),
    (f.Cast("n", CharField(max_length=10)), "-5"),
    (f.Cast(Value("7"), IntegerField()), 7),
    (f.Cast("n", FloatField()), -5.0),
    (f.Cast(Value(1.26), DecimalField(max_digits=4, decimal_places=1)), Decimal("1.3")),
    (f.Cast("at", DateField()), dt.date(2024, 2, 29)),
    (f.Cast("at", TimeField()), dt.time(23, 30, 15, 123456)),
    (f.Cast("day", DateTimeField()), dt.datetime(2024, 2, 29, tzinfo=UTC)),
    (f.Cast(Value("2020-01-02"), DateField()), dt.date(2020, 1, 2)),
    (f.Cast(Value('{"a": 1}'), JSONField()), {"a": 1}),
    (f.JSONObject(name="name", n=F("n") + 1), {"name": "John", "n": -4}),
    (f.JSONObject(data="data", ok="ok", none="alias"), {"data": {"a": [1, 2]}, "ok": True, "none": None}),
    (f.JSONObject(inner=f.JSONObject(n="n")), {"inner": {"n": -5}}),
    (f.JSONArray("name", Value("x"), "n"), ["John", "x", -5]),
]


@pytest.mark.parametrize(("expression", "expected"), COMPARISON, ids=lambda value: str(value)[:40])
def test_comparison_and_conversion(db: Backend, expression: Any, expected: Any) -> None:
    """Functions that compare, convert and build JSON."""
    thing()
    assert value_of(expression) == expected


def test_greatest_and_null(db: Backend) -> None:
    """With a NULL, Greatest is NULL, but on PostgreSQL the greatest of the others."""
    thing(n=None)
    assert value_of(f.Greatest("n", Value(3))) == (3 if db.vendor == "postgresql" else None)


def test_casts_to_two_types_are_two_plans(db: Backend) -> None:
    """The field of a cast is part of the plan's key."""
    thing()
    assert value_of(f.Cast("n", CharField(max_length=5))) == "-5"
    assert value_of(f.Cast("n", FloatField())) == -5.0


def test_collate(db: Backend) -> None:
    """A collation changes comparison; what can't be the name of one is refused."""
    thing()
    name = {"sqlite": "nocase", "postgresql": "C", "mysql": "utf8mb4_bin"}[db.vendor]
    expected = 1 if db.vendor == "sqlite" else 0
    found = Thing.objects.annotate(other=f.Collate("name", name)).filter(other="john")
    assert found.count() == expected
    with pytest.raises(ValueError, match="Invalid collation name"):
        f.Collate("name", 'x" OR 1=1')


DURATIONS = [
    (F("at") + dt.timedelta(microseconds=1), dt.datetime(2024, 2, 29, 23, 30, 15, 123457, tzinfo=UTC)),
    (F("at") - F("span"), dt.datetime(2024, 2, 28, 23, 29, 45, 123456, tzinfo=UTC)),
    (F("day") + dt.timedelta(days=1), dt.datetime(2024, 3, 1, tzinfo=UTC)),
    (F("day") - Value(dt.date(2024, 1, 1)), dt.timedelta(days=59)),
    (F("clock") + dt.timedelta(hours=1), dt.time(0, 30, 15, 123456)),
    (F("clock") - Value(dt.time(23)), dt.timedelta(minutes=30, seconds=15, microseconds=123456)),
    (F("at") - F("at"), dt.timedelta(0)),
    (F("span") + F("span"), dt.timedelta(days=2, seconds=60)),
    (ExpressionWrapper(F("span") * 2, DurationField()), dt.timedelta(days=2, seconds=60)),
    (ExpressionWrapper(F("span") / 2, DurationField()), dt.timedelta(hours=12, seconds=15)),
]


@pytest.mark.parametrize(("expression", "expected"), DURATIONS, ids=lambda value: str(value)[:40])
def test_arithmetic_of_dates(db: Backend, expression: Any, expected: Any) -> None:
    """Dates, times, instants and durations can be added and subtracted, to the microsecond."""
    thing()
    assert value_of(expression) == expected


def test_now(db: Backend) -> None:
    """Now() is the database's clock, and can be stored and compared."""
    made = thing(at=None)
    Thing.objects.update(at=f.Now())
    made.refresh_from_db()
    assert abs(dt.datetime.now(UTC) - made.at) < dt.timedelta(minutes=5)
    assert Thing.objects.filter(at__lte=f.Now()).count() == 1


def test_statistics(db: Backend) -> None:
    """Standard deviation and variance, of the population or of a sample."""
    for n in (2, 4, 4, 4, 5, 5, 7, 9):
        thing(n=n)
    found = Thing.objects.aggregate(s=StdDev("n"), v=Variance("n"), t=Variance("n", sample=True))
    assert found == {"s": pytest.approx(2.0), "v": pytest.approx(4.0), "t": pytest.approx(32 / 7, 1e-4)}
    far = Thing.objects.aggregate(s=StdDev(F("n") + Value(1e10)))
    assert far["s"] == pytest.approx(2.0, 1e-7 if db.vendor == "mysql" else 1e-12)  # which computes so


def test_registered_transforms_are_lookups(db: Backend) -> None:
    """A function that is registered on a field class can be used wherever names can."""

    class Shouted(f.Upper):
        lookup_name = "shouted"
        bilateral = True

    CharField.register_lookup(f.Length)
    CharField.register_lookup(Shouted)
    try:
        thing(name="Al")
        thing(name="John")
        names = Thing.objects.values_list("name", flat=True)
        assert list(names.filter(name__length__gt=2)) == ["John"]
        assert list(names.order_by("-name__length")) == ["John", "Al"]
        assert list(Thing.objects.order_by("id").values_list("name__length", flat=True)) == [2, 4]
        assert list(names.filter(name__shouted="john")) == ["John"]
        assert list(names.filter(name__shouted__in=["al", "x"])) == ["Al"]
    finally:
        CharField._unregister_lookup(f.Length)
        CharField._unregister_lookup(Shouted)
    with pytest.raises(FieldError, match="Unsupported lookup 'length'"):
        Thing.objects.filter(name__length=3)


@pytest.mark.parametrize(
    "make",
    [
        lambda: f.Left("name", 0),
        lambda: f.Substr("name", 0),
        lambda: f.LPad("name", -1),
        lambda: f.Repeat("name", -1),
        lambda: f.Concat("name"),
        lambda: f.Coalesce("name"),
        lambda: f.Greatest("name"),
        lambda: f.Ntile(0),
        lambda: f.Lag("name", 0),
        lambda: f.NthValue("name", 0),
        lambda: f.Extract("at"),
    ],
)
def test_arguments_out_of_range(make: Any) -> None:
    """What can't work is refused when the function is made."""
    with pytest.raises(ValueError):
        make()


def test_mixed_types_want_an_output_field(db: Backend) -> None:
    """A function of unlike types has none itself."""
    thing()
    with pytest.raises(FieldError, match="mixed types"):
        value_of(f.Concat("name", "n"))
