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


async def test_expressions_as_defaults(db: Any, world: World) -> None:
    """The object has what the database chose, and a default of any field may be an expression."""
    before = datetime.datetime.now(datetime.UTC) - datetime.timedelta(minutes=5)
    parcel = await world(Parcel.objects.create, name="a")
    assert (parcel.label, parcel.size, parcel.price) == ("none", 4, Decimal("1.5"))
    assert before < parcel.seen < before + datetime.timedelta(minutes=10)
    await world(Parcel.objects.bulk_create, [Parcel(name="b"), Parcel(name="c", size=1)])
    assert await world.list(Parcel.objects.order_by("name").values_list("size", flat=True)) == [4, 4, 1]
    assert await world(Parcel.objects.filter(seen__lte=Now(), seen__gt=before, size=F("size")).count) == 3
