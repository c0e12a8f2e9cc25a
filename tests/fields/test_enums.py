"""EnumField: members of an enumeration, in a type of their own where the database has such types."""

import enum
from typing import Any

import pytest
import sqlalchemy as sa

import ormolu
from ormolu import Case, CharField, EnumField, IntegrityError, Model, TextChoices, TextField, Value, When
from ormolu.exceptions import ValidationError
from support.backends import Backend
from support.worlds import World


class PaintColour(enum.Enum):
    RED = "r"
    DARK_BLUE = "b"


class PaintLevel(enum.IntEnum):
    LOW = 1
    HIGH = 5


class PaintState(TextChoices):
    WET = "wet", "Still wet"
    DRY = "dry"


class Paint(Model):
    colour = EnumField(PaintColour)
    other = EnumField(PaintColour, null=True, blank=True)
    level = EnumField(PaintLevel, default=PaintLevel.LOW)
    state = EnumField(PaintState, default=PaintState.WET, type_name="paint_state_type")


class PaintPot(Model):
    colour = EnumField(PaintColour)


async def test_members_come_back(db: Backend, world: World) -> None:
    """Members, their values and texts of these are written; members are read, and found."""
    made = await world(Paint.objects.create, colour="r", level="5")
    paint = await world(Paint.objects.get, pk=made.pk)
    assert (paint.colour, paint.other, paint.level, paint.state) == (
        PaintColour.RED,
        None,
        PaintLevel.HIGH,
        PaintState.WET,
    )
    assert type(paint.state) is PaintState
    for lookup in ({"colour": PaintColour.RED}, {"colour": "r"}, {"level__gte": 5}, {"state__in": ["wet"]}):
        assert await world(Paint.objects.filter(**lookup).count) == 1
    paint.colour = PaintColour.DARK_BLUE
    await world(paint.save)
    await world(Paint.objects.bulk_update, [paint], ["colour"])
    assert await world(Paint.objects.filter(colour=PaintColour.DARK_BLUE).update, other="b") == 1
    assert await world.list(Paint.objects.values_list("other", "level")) == [
        (PaintColour.DARK_BLUE, PaintLevel.HIGH)
    ]
    assert (paint.get_colour_display(), paint.get_state_display()) == ("Dark blue", "Still wet")  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType]


async def test_other_values_are_refused(db: Backend, world: World) -> None:
    """An unknown value is refused with the choices' error, and by the database if it gets there otherwise."""
    for wrong in ({"colour": "x"}, {"colour": "r", "level": 3}):
        with pytest.raises(ValidationError, match="not a valid choice"):
            await world(Paint.objects.create, **wrong)
    with pytest.raises(ValidationError, match="not a valid choice"):
        Paint.objects.filter(colour="x")
    with pytest.raises(ValidationError) as caught:
        Paint(colour="x", level=1).full_clean()
    assert list(caught.value.message_dict) == ["colour"]
    made = await world(Paint.objects.create, colour="r")
    table = Paint._meta.table.name
    for statement in (f"UPDATE {table} SET level = 3", f"UPDATE {table} SET colour = 'x'"):
        with pytest.raises(sa.exc.DBAPIError), db.engine().begin() as connection:
            connection.exec_driver_sql(f"{statement} WHERE id = {made.pk}")
    assert IntegrityError


@pytest.mark.backends("postgresql")
def test_a_type_of_their_own(db: Backend) -> None:
    """PostgreSQL's columns have an ENUM type, which models share, and which goes with the last of their tables."""
    with db.engine().begin() as connection:
        names = connection.exec_driver_sql("SELECT typname FROM pg_type WHERE typtype = 'e'").scalars().all()
        labels = connection.exec_driver_sql("SELECT enum_range(NULL::paint_colour)::text").scalar()
    assert {"paint_colour", "paint_state_type"} <= set(names)
    assert labels == "{r,b}"
    ormolu.drop_tables(PaintPot)
    assert Paint.objects.create(colour="r").pk
    ormolu.create_tables(PaintPot)
    assert PaintPot.objects.create(colour="b").pk


def test_declaration() -> None:
    """The enumeration must have members whose values are all texts or all integers."""
    mixed: Any = enum.Enum("mixed", {"A": 1, "B": "b"})
    for wrong in (mixed, int, "PaintColour", enum.Enum):
        with pytest.raises(TypeError, match=r"EnumField\(\) needs"):
            EnumField(wrong)
    field = Paint._meta.get_field("state")
    name, path, args, kwargs = field.deconstruct()
    assert (name, path, args) == ("state", "ormolu.EnumField", [])
    assert kwargs == {"enum_class": PaintState, "default": PaintState.WET, "type_name": "paint_state_type"}
    assert field.clone().choices == field.choices
    assert field.value_to_string(Paint(colour="r")) == "wet"
    assert field.to_python("dry") is PaintState.DRY


class Mood(str, enum.Enum):  # noqa: UP042  # whose members show themselves as "Mood.CALM", other than a StrEnum's
    CALM = "calm"
    LOUD = "loud"


class Sound(Model):
    mood = CharField(max_length=4)
    note = TextField(default=Mood.CALM)


async def test_texts_that_show_themselves_otherwise(db: Backend, world: World) -> None:
    """A member of a `class Mood(str, Enum)` is the text that it is, wherever a text may stand."""
    await world(Sound.objects.create, mood=Mood.CALM)
    await world(Sound.objects.bulk_create, [Sound(mood=Mood.LOUD, note=Mood.LOUD)])
    sounds = Sound.objects.order_by("pk")
    assert await world.list(sounds.values_list("mood", "note")) == [("calm", "calm"), ("loud", "loud")]
    for lookups in (
        {"mood": Mood.LOUD},
        {"mood__in": [Mood.LOUD]},
        {"note": Mood.LOUD},
        {"mood__gt": Mood.CALM},
    ):
        assert [sound.mood async for sound in world.each(sounds.filter(**lookups))] == ["loud"], lookups
    assert (await world(Sound.objects.get_or_create, mood=Mood.CALM))[1] is False
    chosen = Case(When(mood=Mood.CALM, then=Value(Mood.LOUD)), default=Value("-"))
    assert await world.list(sounds.annotate(x=chosen).values_list("x", flat=True)) == ["loud", "-"]
    assert await world(sounds.filter(mood=Mood.LOUD).update, mood=Mood.CALM) == 1
    assert await world(Sound.objects.filter(mood="calm").count) == 2
    sound = await world(sounds.get, note="loud")
    sound.mood = Mood.LOUD
    await world(sound.save)
    assert await world(Sound.objects.filter(mood="loud").count) == 1
