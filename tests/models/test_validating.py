"""full_clean() in both worlds, what subclasses change of it, and Meta.validate_on_save."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

import ormolu
from ormolu import (
    CASCADE,
    CharField,
    CompositePrimaryKey,
    DateField,
    ForeignKey,
    IntegerField,
    Model,
    OneToOneField,
    UniqueConstraint,
    aatomic,
    capture_queries,
)
from ormolu.exceptions import IntegrityError, ValidationError
from ormolu.query.functions import Lower
from ormolu.query.q import Q
from ormolu.signals import pre_save


class Market(Model):
    name = CharField(max_length=20, unique=True)
    rank = IntegerField(default=0, validators=[])
    town = CharField(max_length=20, blank=True)

    class Meta:
        constraints = [
            UniqueConstraint(Lower("town"), name="one_town", violation_error_message="There is one there."),
        ]

    def clean(self) -> None:
        if self.rank < 0:
            raise ValidationError(
                {"rank": ValidationError("Too low: %(n)s", code="low", params={"n": self.rank})}
            )
        if not self.town:
            self.town = self.name


class Stall(Model):
    market = ForeignKey(Market, on_delete=CASCADE)


class Asking(Model):
    name = CharField(max_length=20)

    async def aclean(self) -> None:
        if await Market.objects.filter(name=self.name).aexists():
            raise ValidationError("taken")


class Checked(Model):
    name = CharField(max_length=20, unique=True)
    size = IntegerField(default=0)

    class Meta:
        validate_on_save = True


class Strict(Model):
    name = CharField(max_length=20)
    size = IntegerField(default=1)

    class Meta:
        validate_on_save = "full"

    def clean(self) -> None:
        if self.size < 0:
            raise ValidationError({"size": "negative"})


class Lax(Model):
    name = CharField(max_length=20, unique=True)

    class Meta:
        validate_on_save = False


class Plainly(Model):
    name = CharField(max_length=20, unique=True)


class Slot(Model):
    pk = CompositePrimaryKey("room", "hour")
    room = IntegerField()
    hour = IntegerField()
    title = CharField(max_length=20)

    class Meta:
        constraints = [UniqueConstraint(fields=["title"], condition=~Q(title=""), name="one_title")]


class Boat(Model):
    boat_id = IntegerField(primary_key=True)
    sail = CharField(max_length=20, unique=True)


class Car(Model):
    car_id = IntegerField(primary_key=True)
    plate = CharField(max_length=20, unique=True)


class Amphibian(Boat, Car):
    boat_ptr = OneToOneField(Boat, on_delete=CASCADE, parent_link=True, primary_key=True)
    car_ptr = OneToOneField(Car, on_delete=CASCADE, parent_link=True)


class Fair(Model):
    day = DateField()
    town = CharField(max_length=20, default="")


class Truck(Car):
    class Meta:
        proxy = True


async def wrong(world: Any, instance: Any, **options: Any) -> Any:
    with pytest.raises(ValidationError) as caught:
        await world(instance.full_clean, **options)
    return caught.value


async def test_all_errors_at_once(db, world):
    """Errors of fields, of clean(), of uniqueness and of constraints come together, with codes and params."""
    await world(Market.objects.create, name="a", town="Rome")
    error = await wrong(world, Market(name="a", town="ROME", rank=-2))
    assert error.message_dict == {
        "rank": ["Too low: -2"],
        "name": ["Market with this Name already exists."],
        "__all__": ["There is one there."],
    }
    assert (error.error_dict["rank"][0].code, error.error_dict["name"][0].code) == ("low", "unique")
    assert error.error_dict["rank"][0].params == {"n": -2}
    with pytest.raises(TypeError):
        await world(Market(name="", rank="x").full_clean, exclude=["name"])  # clean() is called all the same
    await world(Market(name="", rank=1).full_clean, exclude=["name"])
    taken = Market(name="a", town="ROME")
    await world(taken.full_clean, validate_unique=False, validate_constraints=False)
    market = Market(name="b")
    await world(market.full_clean)
    assert market.town == "b"
    error = await wrong(world, Stall(market_id=0))
    assert list(error.message_dict) == ["market"]


async def test_cleaning_is_no_change(db, world):
    """full_clean() of a loaded object that is right changes nothing: save() then writes nothing (D9)."""
    await world(Market.objects.create, name="a", town="b")
    market = await world(Market.objects.get)
    await world(market.full_clean)
    with capture_queries() as queries:
        await world(market.save)
    assert not any("UPDATE" in query.sql for query in queries)
    market.rank = "3"
    await world(market.full_clean)
    assert market.rank == 3
    with capture_queries() as queries:
        await world(market.save)
    assert [query.sql.count("=") for query in queries if "UPDATE" in query.sql] == [2]


@pytest.mark.worlds("async")
async def test_asynchronous_parts(db, world):
    """afull_clean() awaits an aclean() of the class's own; each part has its own asynchronous form."""
    async with aatomic():
        await Market.objects.acreate(name="a", town="x")  # not committed: seen all the same
        with pytest.raises(ValidationError, match="taken"):
            await Asking(name="a").afull_clean()
        await Asking(name="b").afull_clean()
        with pytest.raises(ValidationError):
            await Market(name="c", rank="y").aclean_fields()
        market = Market(name="a", town="X")
        await market.aclean_fields()
        for part in (market.avalidate_unique, market.avalidate_constraints):
            with pytest.raises(ValidationError):
                await part()
            await part(exclude=["name", "town"])


async def test_composite_keys(db, world):
    """An object's own row isn't another one; a row that shares a part of its key is."""
    one = await world(Slot.objects.create, room=1, hour=1, title="x")
    await world(one.full_clean)
    assert (await wrong(world, Slot(room=1, hour=2, title="x"))).message_dict == {
        "__all__": ["Constraint “one_title” is violated."]
    }
    two = await world(Slot.objects.create, room=1, hour=2, title="y")
    two.title = "x"
    await wrong(world, two)
    assert "already exists" in str(await wrong(world, Slot(room=1, hour=1, title="z")))


async def test_several_parents(db, world):
    """Each parent's row is known by its own key."""
    thing = await world(Amphibian.objects.create, boat_id=1, car_id=2, sail="s", plate="p")
    await world(Boat.objects.create, boat_id=2, sail="t")
    await world(Car.objects.create, car_id=1, plate="q")
    await world(thing.full_clean)
    thing.plate = "q"
    assert list((await wrong(world, thing)).message_dict) == ["plate"]


async def test_uniqueness_on_save(db, world):
    """validate_on_save=True: save() of a new object looks for others with its unique values, and writes nothing."""
    await world(Checked.objects.create, name="a")
    with pytest.raises(ValidationError) as caught:
        await world(Checked.objects.create, name="a")
    assert caught.value.message_dict == {"name": ["Checked with this Name already exists."]}
    other = Checked(name="")
    await world(other.save)  # only uniqueness
    other.name = "a"
    with pytest.raises(IntegrityError):
        await world(other.save)
    assert await world(Checked.objects.count) == 2

    def named(sender: Any, instance: Any, **rest: Any) -> None:
        instance.name = "b"

    pre_save.connect(named, sender=Checked)
    try:
        await world(Checked.objects.create, name="a")  # what a receiver sets is what is looked at
    finally:
        pre_save.disconnect(named, sender=Checked)


async def test_everything_on_save(db, world):
    """validate_on_save="full": each save() is a full_clean() before; with update_fields, of these fields."""
    with pytest.raises(ValidationError):
        await world(Strict.objects.create, name="", size=1)
    strict = await world(Strict.objects.create, name="a", size="7")
    assert strict.size == 7
    strict.name, strict.size = "", -1
    with pytest.raises(ValidationError) as caught:
        await world(strict.save)
    assert sorted(caught.value.message_dict) == ["name", "size"]
    strict.size = 3
    await world(strict.save, update_fields=["size"])
    assert (await world(Strict.objects.get)).name == "a"
    await world(Strict.objects.bulk_create, [Strict(name="")])  # not asked


async def test_the_setting(db, world):
    """VALIDATE_ON_SAVE is for models that say nothing; Meta comes first."""
    await world(Plainly.objects.create, name="a")
    await world(Lax.objects.create, name="a")
    with capture_queries() as queries:
        await world(Plainly.objects.create, name="b")
    assert len([query for query in queries if "SELECT" in query.sql and "INSERT" not in query.sql]) == 0
    with ormolu.conf.override(VALIDATE_ON_SAVE=True):
        with pytest.raises(ValidationError):
            await world(Plainly.objects.create, name="a")
        with pytest.raises(IntegrityError):
            await world(Lax.objects.create, name="a")
    with pytest.raises(IntegrityError):
        await world(Plainly.objects.create, name="a")


def test_wrong_settings():
    """Another value is refused."""
    with pytest.raises(TypeError, match="validate_on_save"):

        class Odd(Model):
            class Meta:
                validate_on_save = "some"

    with (
        ormolu.conf.override(VALIDATE_ON_SAVE="some"),
        pytest.raises(ormolu.ImproperlyConfigured, match="VALIDATE_ON_SAVE"),
    ):
        _ = ormolu.settings.VALIDATE_ON_SAVE


async def test_proxies(db, world):
    """What is unique is so among the rows of the proxy's model, by whose name they go."""
    await world(Truck.objects.create, car_id=1, plate="p")
    error = await wrong(world, Truck(car_id=1, plate="p"))
    assert error.message_dict == {
        "plate": ["Car with this Plate already exists."],
        "car_id": ["Car with this Car id already exists."],
    }


async def test_neighbours_by_date(db, world):
    """get_next_by_FOO() and get_previous_by_FOO() go by date, then by key, and take conditions."""
    days = [dt.date(2020, 1, 2), dt.date(2020, 1, 1), dt.date(2020, 1, 2), dt.date(2020, 1, 3)]
    second, first, third, last = [await world(Fair.objects.create, day=day) for day in days]
    last.town = "Rome"
    await world(last.save)
    assert await world(first.get_next_by_day) == second
    assert await world(second.get_next_by_day) == third
    assert await world(third.get_previous_by_day) == second
    assert await world(first.get_next_by_day, town="Rome") == last
    with pytest.raises(Fair.DoesNotExist):
        await world(last.get_next_by_day)
    with pytest.raises(ValueError, match="unsaved"):
        await world(Fair(day=days[0]).get_next_by_day)
