"""db_default: values that the database gives, of expressions."""

from __future__ import annotations

import datetime
from decimal import Decimal
from typing import Any

from ormolu import CharField, DateTimeField, DecimalField, F, IntegerField, Length, Lower, Model, Now, Value
from support.worlds import World


class Parcel(Model):
    name = CharField(max_length=20)
    seen: Any = DateTimeField(db_default=Now())
    label: Any = CharField(max_length=20, db_default=Lower(Value("NONE")))
    size: Any = IntegerField(db_default=Length(Value("four")))
    price: Any = DecimalField(max_digits=6, decimal_places=2, db_default=Value(Decimal("1.5")))


async def test_defaults_of_a_row_that_is_there(db: Any, world: World) -> None:
    """An object made with the key of a row writes the defaults of what nobody set, and has them then."""
    old = await world(Parcel.objects.create, name="a", label="old", size=9, price=Decimal(7))
    columns = ("label", "size", "price")

    async def stored() -> tuple[Any, ...]:
        found = await world.list(Parcel.objects.values_list(*columns))
        await world(Parcel.objects.update, label="old", size=9, price=Decimal(7))
        return tuple(found[0])

    made = Parcel(pk=old.pk, name="b")
    await world(made.save)
    assert (made.label, made.size, made.price) == await stored() == ("none", 4, Decimal("1.5"))
    made = Parcel(pk=old.pk, name="b")
    await world(made.save, update_fields=["size"])
    assert made.size == 4
    assert await stored() == ("old", 4, Decimal(7))
    made = Parcel(pk=old.pk, name="b", label="new")
    await world(Parcel.objects.bulk_update, [made], ["label", "size", "price"])
    assert await stored() == ("new", 4, Decimal("1.5"))


async def test_expressions_as_defaults(db: Any, world: World) -> None:
    """The object has what the database chose, and a default of any field may be an expression."""
    before = datetime.datetime.now(datetime.UTC) - datetime.timedelta(minutes=5)
    parcel = await world(Parcel.objects.create, name="a")
    assert (parcel.label, parcel.size, parcel.price) == ("none", 4, Decimal("1.5"))
    assert before < parcel.seen < before + datetime.timedelta(minutes=10)
    await world(Parcel.objects.bulk_create, [Parcel(name="b"), Parcel(name="c", size=1)])
    assert await world.list(Parcel.objects.order_by("name").values_list("size", flat=True)) == [4, 4, 1]
    assert await world(Parcel.objects.filter(seen__lte=Now(), seen__gt=before, size=F("size")).count) == 3
