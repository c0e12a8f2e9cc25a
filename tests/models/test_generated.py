"""GeneratedField: columns that the database computes."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from ormolu import (
    CharField,
    CheckConstraint,
    DecimalField,
    F,
    FieldError,
    GeneratedField,
    IntegerField,
    Lower,
    Model,
    Q,
    UniqueConstraint,
    ValidationError,
)
from support.worlds import World


class Priced(Model):
    amount = IntegerField()
    price = DecimalField(max_digits=8, decimal_places=2)
    total: Any = GeneratedField(
        expression=F("amount") * F("price"),
        output_field=DecimalField(max_digits=12, decimal_places=2),
        db_persist=True,
    )

    class Meta:
        abstract = True


class OrderLine(Priced):
    name = CharField(max_length=20, null=True)
    key: Any = GeneratedField(
        expression=Lower("name"), output_field=CharField(max_length=20), db_persist=True, null=True
    )

    class Meta:
        constraints = [
            CheckConstraint(condition=Q(total__lt=1000), name="generated_small"),
            UniqueConstraint(fields=["key"], name="generated_key"),
        ]


class Guess(Model):
    amount = IntegerField(null=True)
    double: Any = GeneratedField(expression=F("amount") * 2, output_field=IntegerField(), db_persist=True)


class Offer(Priced):
    code = CharField(max_length=20, primary_key=True)


async def test_saving_brings_the_value_back(db: Any, world: World) -> None:
    """After an INSERT and after an UPDATE the object has what the database computed, with no further query."""
    line = OrderLine(amount=2, price=Decimal("1.50"), name="Tea")
    with pytest.raises(AttributeError, match="unsaved"):
        _ = line.total
    await world(line.save)
    assert await known(world, line, "total") == Decimal("3.00")
    assert await known(world, line, "key") == "tea"
    line.amount = 4
    await world(line.save)
    assert await known(world, line, "total") == Decimal("6.00")
    line.amount = F("amount") + 1  # type: ignore[assignment]
    await world(line.save)
    assert await known(world, line, "total") == Decimal("7.50")
    assert (await world(OrderLine.objects.get)).total == Decimal("7.50")


async def known(world: World, instance: Any, name: str) -> Any:
    """Read a column that a database without RETURNING leaves to be loaded."""
    if name not in instance.__dict__:
        await world(instance.refresh_from_db, fields=[name])
    return getattr(instance, name)


async def test_rows_with_a_key_of_their_own(db: Any, world: World) -> None:
    """A key that is given changes nothing of it; bulk_create() leaves the columns to be loaded."""
    offer = await world(Offer.objects.create, code="a", amount=1, price=2)
    assert await known(world, offer, "total") == Decimal("2.00")
    made = await world(Offer.objects.bulk_create, [Offer(code="b", amount=3, price=1)])
    assert await known(world, made[0], "total") == Decimal("3.00")


async def test_many_rows(db: Any, world: World) -> None:
    """bulk_create() reads them back with the keys; bulk_update() and update() have them computed anew."""
    lines = await world(OrderLine.objects.bulk_create, [OrderLine(amount=n, price=2) for n in (1, 2)])
    assert [await known(world, line, "total") for line in lines] == [Decimal("2.00"), Decimal("4.00")]
    lines[0].amount = 10
    await world(OrderLine.objects.bulk_update, lines, ["amount", "total"])
    assert await world(OrderLine.objects.bulk_update, lines, ["total"]) == 0
    await world(OrderLine.objects.filter(amount=2).update, price=3)
    totals = OrderLine.objects.order_by("pk").values_list("total", flat=True)
    assert await world.list(totals) == [Decimal("20.00"), Decimal("6.00")]


async def test_queries_take_it_for_its_output_field(db: Any, world: World) -> None:
    """Lookups, orders, aggregates and deferral."""
    await world(OrderLine.objects.create, amount=2, price=2, name="TEA")
    await world(OrderLine.objects.create, amount=1, price=2)
    assert await world(OrderLine.objects.filter(key__startswith="te", total__gte=4).count) == 1
    assert [line.total for line in await world.list(OrderLine.objects.order_by("-total"))] == [4, 2]
    (line,) = await world.list(OrderLine.objects.defer("total").filter(name="TEA"))
    assert line.get_deferred_fields() == {"total"}
    await world(line.save)
    assert await known(world, line, "total") == 4


async def test_it_cannot_be_written(db: Any, world: World) -> None:
    """update() says so; what is assigned to an object is not written."""
    line = await world(OrderLine.objects.create, amount=2, price=2)
    with pytest.raises(FieldError, match="computes"):
        await world(OrderLine.objects.update, total=7)
    line.total = Decimal(9)
    await world(line.save)
    await world(line.refresh_from_db)
    assert line.total == 4


@pytest.mark.worlds("sync")
def test_validation_computes_it(db: Any) -> None:
    """Constraints over it are checked with the object's own values."""
    OrderLine(amount=2, price=2, name="Tea").full_clean()
    with pytest.raises(ValidationError, match="generated_small"):
        OrderLine(amount=2000, price=2).full_clean()
    OrderLine.objects.create(amount=1, price=1, name="tea")
    with pytest.raises(ValidationError, match="key"):
        OrderLine(amount=2, price=2, name="TEA").full_clean()


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ({"editable": True}, "editable"),
        ({"blank": False}, "blank"),
        ({"default": 1}, "default"),
        ({"db_default": 1}, "database default"),
        ({"db_persist": None}, "db_persist"),
    ],
)
def test_options_that_make_no_sense(options: dict[str, Any], problem: str) -> None:
    """Are refused when the field is made."""
    given: dict[str, Any] = {
        "expression": F("a"),
        "output_field": IntegerField(),
        "db_persist": True,
        **options,
    }
    with pytest.raises(ValueError, match=problem):
        GeneratedField(**given)


def test_deconstruction() -> None:
    """It can be made again from its parts."""
    field = OrderLine._meta.get_field("total")
    _, path, args, kwargs = field.deconstruct()
    assert (path, args, set(kwargs)) == (
        "ormolu.GeneratedField",
        [],
        {"expression", "output_field", "db_persist"},
    )
    assert GeneratedField(**kwargs).db_persist is True


async def test_what_is_computed_of_null(db: Any, world: World) -> None:
    """It is NULL, which no option has to allow; exclude() finds it among the others."""
    guess = await world(Guess.objects.create)
    assert guess.double is None
    await world(Guess.objects.bulk_create, [Guess(amount=2), Guess()])
    assert await world(Guess.objects.filter(double=None).count) == 2
    assert await world(Guess.objects.exclude(double=4).count) == 2
    assert await world(Guess.objects.filter(double=4).update, amount=None) == 1
