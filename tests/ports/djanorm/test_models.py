"""djanorm's models: abstract options, validation before saving, messages, indexes, fields."""

from __future__ import annotations

import datetime as dt
import pickle
from typing import Any

import pytest
import sqlalchemy as sa

import ormolu
import ormolu.ports.djanorm as dorm
from ormolu.ports.djanorm.exceptions import FieldErrors
from ormolu.ports.djanorm.indexes import Index
from ormolu.ports.djanorm.validators import MinValueValidator


class Dated(dorm.Model):
    made = dorm.DateTimeField(auto_now_add=True, null=True)

    class Meta:
        abstract = True
        ordering = ["-made"]
        get_latest_by = "made"


class Labelled(Dated):
    label = dorm.CharField(max_length=20)

    class Meta:
        abstract = True
        ordering = ["label"]


class Parcel(Labelled):
    weight = dorm.IntegerField(validators=[MinValueValidator(1)])
    code = dorm.CharField(max_length=10, unique=True)

    class Meta:
        db_table = "djanorm_parcels"
        indexes = [
            Index(fields=["weight"]),
            Index(fields=["label", "weight"], unique=True, name="one_per_label"),
        ]


class Crate(Dated):
    size = dorm.IntegerField(default=1)
    fragile = dorm.NullBooleanField()
    sent_from = dorm.IPAddressField(null=True)


MODELS = [Parcel, Crate]


def test_options_of_abstract_bases_count_one_by_one() -> None:
    """What a Meta doesn't say comes from the nearest abstract base that does."""
    assert Parcel._meta.ordering == ["label"]
    assert Parcel._meta.get_latest_by == "made"
    assert Parcel._meta.db_table == "djanorm_parcels"
    assert Crate._meta.ordering == ["-made"]
    assert Parcel._meta.abstract is False


def test_the_fields_of_abstract_bases_are_inherited() -> None:
    """`_meta.fields` has the key, the bases' fields and the model's own."""
    assert {field.name for field in Parcel._meta.fields} == {"id", "made", "label", "weight", "code"}


async def test_a_new_instance_is_checked_before_it_is_saved(db: Any, world: Any) -> None:
    """save() and create() refuse a value that another row has, with a ValidationError; an update is not asked."""
    first = await world(Parcel.objects.create, label="a", weight=1, code="x")
    twin = Parcel(label="b", weight=2, code="x")
    with pytest.raises(dorm.ValidationError) as caught:
        await world(twin.save)
    assert caught.value.message == "code: Parcel with this Code already exists."
    with pytest.raises(dorm.ValidationError):
        await world(Parcel.objects.create, label="b", weight=2, code="x")
    first.weight = 5
    await world(first.save)
    assert await world(Parcel.objects.count) == 1


async def test_full_clean_has_a_message(db: Any, world: Any) -> None:
    """The errors of all fields in one text, and by field."""
    parcel = Parcel(label="", weight=0, code="y")
    with pytest.raises(dorm.ValidationError) as caught:
        await world(parcel.full_clean)
    error = caught.value
    assert set(error.message_dict) == {"label", "weight"}
    assert error.message.startswith("label: This field cannot be blank.; weight: Ensure this value")
    assert isinstance(error, FieldErrors)
    assert error == dorm.ValidationError(error.error_dict)
    assert pickle.loads(pickle.dumps(error)).message == error.message


def test_validation_of_ones_own_keeps_its_message() -> None:
    """An error that is raised with one text has that text."""
    with pytest.raises(dorm.ValidationError) as caught:
        raise dorm.ValidationError("end must be after start")
    assert caught.value.message == "end must be after start"


def test_indexes_are_named_after_the_model(db: Any) -> None:
    """Without a name: idx, the model, its fields; `unique=True` makes a unique one."""
    found = ormolu.connection.introspection.get_constraints(None, "djanorm_parcels")
    assert found["idx_parcel_weight"]["unique"] is False
    assert found["one_per_label"]["unique"] is True
    assert found["one_per_label"]["columns"] == ["label", "weight"]


def test_an_index_knows_what_it_is() -> None:
    """It is equal to another of the same fields, unless one is unique."""
    assert Index(fields=["a"], name="n") == Index(fields=["a"], name="n")
    assert Index(fields=["a"], name="n", unique=True) != Index(fields=["a"], name="n")
    assert Index(fields=["a", "b"]).get_name("Parcel") == "idx_parcel_a_b"
    assert Index(fields=["a"], name="n", unique=True).clone().unique


async def test_datetimes_are_naive(db: Any, world: Any) -> None:
    """With djanorm's settings a datetime comes back as it was given, and auto_now_add gives one without a zone."""
    crate = await world(Crate.objects.create)
    assert crate.made is not None
    assert crate.made.tzinfo is None
    moment = dt.datetime(2024, 6, 1, 12, 30)
    await world(Crate.objects.update, made=moment)
    await world(crate.refresh_from_db)
    assert crate.made == moment


async def test_fields_of_djanorm_alone(db: Any, world: Any) -> None:
    """NullBooleanField may be None, IPAddressField is an IPv4 address."""
    crate = await world(Crate.objects.create, sent_from="10.0.0.1")
    assert crate.fragile is None
    with pytest.raises(dorm.ValidationError, match="IPv4"):
        await world(Crate(sent_from="::1").full_clean)


async def test_a_manager_deletes(db: Any, world: Any) -> None:
    """`objects.delete()` deletes all rows."""
    await world(Crate.objects.bulk_create, [Crate(), Crate(size=2)])
    assert await world(Crate.objects.delete) == (2, {Crate._meta.label: 2})
    assert await world(Crate.objects.count) == 0


async def test_a_race_for_a_unique_value_is_no_error(db: Any, world: Any) -> None:
    """get_or_create() gives the row of whoever was faster, also where the check before saving finds it."""
    rival = sa.insert(Parcel._meta.table).values(label="rival", weight=1, code="z")

    def somebody_is_faster(sender: Any, **kwargs: Any) -> None:
        with db.engine().begin() as connection:
            connection.execute(rival)

    dorm.pre_save.connect(somebody_is_faster, sender=Parcel)
    found, created = await world(
        Parcel.objects.get_or_create, code="z", defaults={"label": "mine", "weight": 1}
    )
    assert (found.label, created) == ("rival", False)
    dorm.pre_save.disconnect(somebody_is_faster, sender=Parcel)
    with pytest.raises(dorm.ValidationError):
        await world(Parcel.objects.get_or_create, label="other", defaults={"weight": 1, "code": "z"})
