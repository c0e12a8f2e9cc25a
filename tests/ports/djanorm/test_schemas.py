"""djanorm's schemas."""

from __future__ import annotations

from typing import Any

import pytest

import ormolu.ports.djanorm as dorm

pytest.importorskip("pydantic")

from pydantic import BaseModel, ValidationError, field_validator

from ormolu.ports.djanorm.contrib.pydantic import DormSchema, schema_for


class Harbour(dorm.Model):
    name = dorm.CharField(max_length=20)


class Flag(dorm.Model):
    name = dorm.CharField(max_length=20)


class Ship(dorm.Model):
    name = dorm.CharField(max_length=20)
    crew = dorm.IntegerField(default=1)
    home = dorm.ForeignKey(Harbour, on_delete=dorm.CASCADE, null=True)
    flags = dorm.ManyToManyField(Flag)


class HarbourOut(DormSchema):
    class Meta:
        model = Harbour


class FlagOut(DormSchema):
    class Meta:
        model = Flag
        fields = ("name",)


class ShipOut(DormSchema):
    class Meta:
        model = Ship
        nested = {"home": HarbourOut, "flags": FlagOut}


class ShipIn(DormSchema):
    captain: str

    @field_validator("name")
    @classmethod
    def capital(cls, value: str) -> str:
        return value.upper()

    class Meta:
        model = Ship
        exclude = ("id", "home")
        optional = ("crew",)


def test_what_is_not_loaded_is_loaded(db: Any) -> None:
    """A schema of a plain instance reads its relations, be they loaded or not."""
    ship = Ship.objects.create(name="Ark", home=Harbour.objects.create(name="Ur"))
    ship.flags.add(Flag.objects.create(name="red"))
    alone = Ship.objects.create(name="Raft")
    found = ShipOut.model_validate(Ship.objects.get(pk=ship.pk)).model_dump()
    assert found["home"] == {"id": ship.home_id, "name": "Ur"}
    assert found["flags"] == [{"name": "red"}]
    empty = ShipOut.model_validate(alone).model_dump()
    assert (empty["home"], empty["flags"]) == (None, [])


def test_fields_of_ones_own_and_validators() -> None:
    """The class body adds fields and validators, `optional` lets names be left out."""
    ship = ShipIn(name="ark", captain="Noah")
    assert (ship.name, ship.crew, ship.captain) == ("ARK", None, "Noah")
    assert set(ShipIn.model_fields) == {"captain", "name", "crew"}
    with pytest.raises(ValidationError, match="captain"):
        ShipIn(name="ark")


def test_a_schema_without_a_class() -> None:
    """`only`, `exclude`, `optional`, `name` and `base`."""

    class Base(BaseModel):
        pass

    made = schema_for(Ship, only=("name", "crew"), optional=("name",), name="Slim", base=Base)
    assert (made.__name__, set(made.model_fields), issubclass(made, Base)) == ("Slim", {"name", "crew"}, True)
    assert made(crew=3).model_dump() == {"name": None, "crew": 3}
    assert set(schema_for(Ship, exclude=("id", "home")).model_fields) == {"name", "crew"}


async def test_querysets_give_schemas(db: Any, world: Any) -> None:
    """What the core offers is there as well: `as_schema()` loads what the schema needs, in async code too."""
    harbour = await world(Harbour.objects.create, name="Ur")
    await world(Ship.objects.create, name="Ark", home=harbour)
    found = await world.list(Ship.objects.as_schema(ShipOut))
    assert [ship.home.name for ship in found] == ["Ur"]
