"""Models as plain data, and back."""

from __future__ import annotations

import datetime as dt
import decimal
import enum
import json
import uuid
from typing import Any

import pytest
import sqlalchemy as sa

from ormolu import (
    SET_NULL,
    BinaryField,
    CharField,
    DateField,
    DateTimeField,
    DecimalField,
    DurationField,
    FloatField,
    ForeignKey,
    IntegerField,
    JSONField,
    Model,
    TextChoices,
    TimeField,
    UUIDField,
)
from ormolu.exceptions import FieldDoesNotExist, ValidationError
from ormolu.repository import DataMixin, dump_model, load, to_dict
from ormolu.repository.data import jsonable


class Shade(TextChoices):
    RED = "r"
    BLUE = "b"


class Everything(Model, DataMixin):
    code = UUIDField(default=uuid.uuid4)
    shade = CharField(max_length=1, choices=Shade, default=Shade.RED)
    price = DecimalField(max_digits=6, decimal_places=2)
    day = DateField()
    moment = DateTimeField()
    hour = TimeField()
    length = DurationField()
    weight = FloatField()
    blob = BinaryField()
    more = JSONField(default=dict)
    parent = ForeignKey("self", null=True, on_delete=SET_NULL)


def everything(**values: Any) -> Everything:
    given: dict[str, Any] = {
        "price": decimal.Decimal("1.50"),
        "day": dt.date(2024, 2, 29),
        "moment": dt.datetime(2024, 2, 29, 12, tzinfo=dt.UTC),
        "hour": dt.time(1, 2, 3),
        "length": dt.timedelta(days=-1, seconds=5, microseconds=7),
        "weight": 0.5,
        "blob": b"\x00\xff",
        "more": {"a": [1, None]},
    }
    return Everything(**{**given, **values})


def test_to_dict_has_the_mapped_columns() -> None:
    """Columns by attribute, a relation by its key, and nothing else."""
    made = everything(id=3, parent_id=2)
    found = made.to_dict()
    assert list(found) == [field.attname for field in Everything._meta.concrete_fields]
    assert (found["id"], found["parent_id"], found["code"]) == (3, 2, made.code)
    assert to_dict(made, fields=["id", "parent"]) == {"id": 3, "parent_id": 2}
    assert "blob" not in to_dict(made, exclude=["blob"])
    with pytest.raises(FieldDoesNotExist, match="Did you mean 'price'"):
        made.to_dict(fields=["prise"])


def test_dump_model_is_json() -> None:
    """`json.dumps()` takes it, and its values are what people expect in JSON."""
    found = json.loads(json.dumps(everything().dump_model()))
    assert (found["price"], found["shade"], found["weight"]) == ("1.50", "r", 0.5)
    assert (found["day"], found["hour"]) == ("2024-02-29", "01:02:03")
    assert found["moment"] == "2024-02-29T12:00:00+00:00"
    assert found["length"] == "-P0DT86394.999993S"
    assert found["blob"] == "AP8="
    assert found["more"] == {"a": [1, None]}


def test_load_makes_a_new_object() -> None:
    """It belongs to no session, and takes back what the other two gave."""
    made = everything(id=1)
    for data in (made.to_dict(), json.loads(json.dumps(made.dump_model()))):
        again = Everything.load(data)
        assert sa.inspect(again).transient
        assert to_dict(again) == to_dict(made)


def test_load_is_strict() -> None:
    """An unknown name and a wrong value are errors, unless strictness is given up."""
    data = {**dump_model(everything()), "prise": 3}
    with pytest.raises(FieldDoesNotExist, match="Did you mean 'price'"):
        load(Everything, data)
    assert load(Everything, data, strict=False).price == decimal.Decimal("1.50")
    with pytest.raises(ValidationError):
        load(Everything, {"code": "no uuid"})
    with pytest.raises(ValidationError, match="Base64"):
        load(Everything, {"blob": "a"})
    with pytest.raises(TypeError, match="loaded from a dictionary"):
        load(Everything, [("code", 1)])  # type: ignore[arg-type]


def test_values_without_a_form_in_json() -> None:
    """Numbers that JSON has not are None; members, sets and keys that are no text become what JSON has."""
    member = enum.Enum("Level", {"LOW": 1})
    assert jsonable(float("nan")) is None
    assert jsonable({uuid.UUID(int=1): {member.LOW}}) == {str(uuid.UUID(int=1)): [1]}
    assert jsonable(dt.timedelta(seconds=90)) == "P0DT90S"
    assert IntegerField().to_python(jsonable(3)) == 3


def test_a_value_that_the_database_will_choose_is_none() -> None:
    """Before it is saved, an object has no key of the database's."""
    assert to_dict(everything())["id"] is None
