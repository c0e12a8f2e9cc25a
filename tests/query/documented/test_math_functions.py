"""Functions of numbers, as Django's reference of database functions describes them."""

from __future__ import annotations

import math
from decimal import Decimal
from typing import Any

import pytest

from ormolu import DecimalField, F, FloatField, IntegerField, Model, Value
from ormolu.query import functions as f
from support.backends import Backend
from support.worlds import World


class Arrow(Model):
    x = FloatField()
    y = FloatField()
    n = IntegerField(null=True)
    price = DecimalField(max_digits=8, decimal_places=3, null=True)


X, Y = 0.6, -2.37

VALUES = [
    (f.Abs("y"), 2.37),
    (f.ACos("x"), math.acos(X)),
    (f.ASin("x"), math.asin(X)),
    (f.ATan("y"), math.atan(Y)),
    (f.ATan2("y", "x"), math.atan2(Y, X)),
    (f.Ceil("x"), 1.0),
    (f.Ceil("y"), -2.0),
    (f.Cos("y"), math.cos(Y)),
    (f.Cot("x"), 1 / math.tan(X)),
    (f.Degrees("y"), math.degrees(Y)),
    (f.Exp("y"), math.exp(Y)),
    (f.Floor("x"), 0.0),
    (f.Floor("y"), -3.0),
    (f.Ln("x"), math.log(X)),
    (f.Log(Value(2.0), Value(4.0)), 2.0),
    (f.Log("n", "x"), math.log(X, 7)),
    (f.Mod("n", "x"), math.fmod(7, X)),
    (f.Mod("y", "n"), math.fmod(Y, 7)),
    (f.Pi(), math.pi),
    (f.Power("x", "y"), X**Y),
    (f.Power("n", 2), 49.0),
    (f.Radians("y"), math.radians(Y)),
    (f.Round("x"), 1.0),
    (f.Round("y", precision=1), -2.4),
    (f.Round("y", 2), -2.37),
    (f.Sign("x"), 1),
    (f.Sign("y"), -1),
    (f.Sign(Value(0)), 0),
    (f.Sin("y"), math.sin(Y)),
    (f.Sqrt("x"), math.sqrt(X)),
    (f.Tan("y"), math.tan(Y)),
    (f.Sqrt(f.Power("x", 2) + f.Power("y", 2)), math.hypot(X, Y)),
    (f.Degrees(f.Pi()) * 2, 360.0),
    (f.Abs(F("n") - 10), 3),
    (-F("n") + 1, -6),
    (F("n") % 4, 3),
    (F("n") ** 2, 49),
    (F("n") / 2.0, 3.5),
    (F("x") * F("n"), 4.2),
    (2 ** F("n"), 128),
    (100 - F("n") * 2, 86),
    (f.Greatest("x", "y"), X),
    (f.Least("x", "y", Value(-9.5)), -9.5),
]


@pytest.mark.parametrize(("expression", "expected"), VALUES, ids=lambda value: str(value)[:40])
async def test_values(db: Backend, world: World, expression: Any, expected: Any) -> None:
    """A function's value for fractions and integers."""
    await world(Arrow.objects.create, x=X, y=Y, n=7)
    rows = Arrow.objects.annotate(result=expression).values_list("result", flat=True)
    result = await world(rows.get)
    assert result == pytest.approx(expected)
    assert type(result) is type(expected) or isinstance(expression, f.Sign)
    assert (
        await world(Arrow.objects.annotate(result=expression).filter(result__lt=expected + 0.01).count) == 1
    )


TRANSFORMS = [
    f.Abs, f.ACos, f.ASin, f.ATan, f.Ceil, f.Cos, f.Cot, f.Degrees, f.Exp, f.Floor, f.Ln, f.Radians, f.Round,
    f.Sign, f.Sin, f.Sqrt, f.Tan,
]  # fmt: skip


@pytest.mark.parametrize("transform", TRANSFORMS, ids=lambda transform: str(transform.__name__))
async def test_transforms(db: Backend, world: World, transform: Any) -> None:
    """Each function of one number can be registered as a transform, under its own name."""
    name = transform.__name__.lower()
    FloatField.register_lookup(transform)
    try:
        await world(Arrow.objects.create, x=0.25, y=0.75)
        value = await world(Arrow.objects.values_list(f"x__{name}", flat=True).get)
        assert await world(Arrow.objects.filter(**{f"x__{name}__lt": value + 0.1}).count) == 1
        assert await world(Arrow.objects.filter(**{f"x__{name}__gt": value + 0.1}).count) == 0
        assert await world(Arrow.objects.filter(**{f"x__{name}__gt": F(f"x__{name}") - 1}).count) == 1
        assert await world(Arrow.objects.order_by(f"-y__{name}").count) == 1
    finally:
        FloatField.unregister_lookup(transform)


DECIMALS = [
    (f.Abs("price"), Decimal("12.345")),
    (f.Ceil("price"), Decimal(-12)),
    (f.Floor("price"), Decimal(-13)),
    (f.Round("price", 1), Decimal("-12.3")),
    (F("price") * 2, Decimal("-24.690")),
    (F("price") + Decimal("0.005"), Decimal("-12.340")),
    (F("price") - F("n"), Decimal("-19.345")),
    (f.Coalesce("price", Decimal(0)), Decimal("-12.345")),
]


@pytest.mark.parametrize(("expression", "expected"), DECIMALS, ids=lambda value: str(value)[:40])
async def test_decimals(db: Backend, world: World, expression: Any, expected: Any) -> None:
    """Decimals stay decimals, and exact."""
    await world(Arrow.objects.create, x=X, y=Y, n=7, price=Decimal("-12.345"))
    result = await world(Arrow.objects.annotate(result=expression).values_list("result", flat=True).get)
    assert (result, type(result)) == (expected, Decimal)


NOTHING: list[Any] = [
    F("n") / (F("n") - 7), F("n") % (F("n") - 7), F("x") / (F("n") - 7), 1 / (F("x") - F("x")), f.Ln(F("n") - 7),
    f.Sqrt(F("n") - 8), f.Sqrt("y"), f.ACos("n"), f.ASin("n"),
]  # fmt: skip


@pytest.mark.backends("sqlite", "mariadb")
@pytest.mark.parametrize("expression", NOTHING, ids=str)
async def test_without_a_result(db: Backend, world: World, expression: Any) -> None:
    """What has no result is NULL on SQLite and MariaDB, like a value that is missing; PostgreSQL raises an error."""
    await world(Arrow.objects.create, x=X, y=Y, n=7)
    arrows = Arrow.objects.annotate(result=expression)
    assert await world(arrows.values_list("result", flat=True).get) is None
    assert (await world(arrows.get)).result is None
    assert await world(arrows.filter(result=None).count) == 1
    assert await world(arrows.filter(result__gt=0).count) == 0
    assert await world(arrows.exclude(result__gt=0).count) == 1


async def test_random(db: Backend, world: World) -> None:
    """Random() lies from 0 up to 1, in filters and updates as well."""
    await world(Arrow.objects.create, x=5, y=5)
    assert await world(Arrow.objects.filter(x__gt=f.Random()).count) == 1
    await world(Arrow.objects.update, x=f.Random())
    assert await world(Arrow.objects.filter(x__gte=0, x__lt=1).count) == 1
