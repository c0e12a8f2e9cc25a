"""The types of attributes that fields declare; null fields may be None, subclasses of fields included."""

import datetime as dt
import decimal
import enum
import uuid
from pathlib import Path
from typing import Any, assert_type

import pydantic
from sqlalchemy.orm import InstrumentedAttribute, Mapped

from ormolu import fields
from ormolu.contrib.pgvector import VectorField
from ormolu.contrib.postgres import fields as pg


class Settings(pydantic.BaseModel):
    """What JSON may be checked by."""

    theme: str = "light"


class Colour(enum.Enum):
    """What an EnumField holds."""

    RED = "r"


class Short(fields.CharField):
    """A user's field, which keeps the type of its base."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, max_length=5, **options)


class Row:
    """Stands for a model: what matters here is the attributes."""

    name = fields.CharField(max_length=10)
    nick = fields.CharField("nickname", max_length=10, null=True)
    mail = fields.EmailField(null=True)
    slug = fields.SlugField()
    site = fields.URLField(null=True)
    age = fields.IntegerField(default=3)
    count = fields.PositiveIntegerField(null=True)
    key = fields.BigAutoField(primary_key=True)
    done = fields.BooleanField(default=False)
    price = fields.DecimalField(max_digits=5, decimal_places=2)
    made = fields.DateTimeField(auto_now_add=True)
    seen = fields.DateTimeField(null=True)
    day = fields.DateField(null=True)
    took = fields.DurationField()
    code = fields.UUIDField(default=uuid.uuid4)
    paper = fields.FileField()
    picture = fields.ImageField(null=True)
    counts: fields.JSONField[dict[str, int]] = fields.JSONField()
    settings = fields.JSONField(schema=Settings)
    perhaps_settings = fields.JSONField(schema=Settings, null=True)
    several = fields.JSONField(schema=list[Settings], default=list)
    either: fields.JSONField[Settings | int] = fields.JSONField(schema=Settings | int)
    colour = fields.EnumField(Colour)
    no_colour = fields.EnumField(Colour, null=True)
    ages = pg.IntegerRangeField()
    days = pg.DateRangeField()
    moments = pg.DateTimeRangeField(default_bounds="[]")
    rates = pg.DecimalRangeField()
    pairs = pg.HStoreField()
    embedding = VectorField(dimensions=3)
    no_embedding = VectorField(null=True)
    words: fields.ArrayField[list[str]] = fields.ArrayField(fields.CharField(max_length=5))
    folded = pg.CITextField()
    annotated: Mapped[str] = fields.CharField(max_length=100)
    perhaps: Mapped[str | None] = fields.CharField(max_length=100, null=True)
    short = Short()


def instances_have_values(row: Row) -> None:
    assert_type(row.name, str)
    assert_type(row.nick, str | None)
    assert_type(row.mail, str | None)
    assert_type(row.slug, str)
    assert_type(row.site, str | None)
    assert_type(row.age, int)
    assert_type(row.count, int | None)
    assert_type(row.key, int)
    assert_type(row.done, bool)
    assert_type(row.price, decimal.Decimal)
    assert_type(row.made, dt.datetime)
    assert_type(row.seen, dt.datetime | None)
    assert_type(row.day, dt.date | None)
    assert_type(row.took, dt.timedelta)
    assert_type(row.code, uuid.UUID)
    assert_type(row.paper, fields.FieldFile)
    assert_type(row.picture, fields.ImageFieldFile)
    assert_type(row.counts, dict[str, int])
    assert_type(row.settings, Settings)
    assert_type(row.perhaps_settings, Settings | None)
    assert_type(row.several, list[Settings])
    assert_type(row.either, Settings | int)
    assert_type(row.colour, Colour)
    assert_type(row.no_colour, Colour | None)
    assert_type(row.ages, pg.Range[int])
    assert_type(row.days, pg.Range[dt.date])
    assert_type(row.moments, pg.Range[dt.datetime])
    assert_type(row.rates, pg.Range[decimal.Decimal])
    assert_type(row.pairs, dict[str, str | None])
    assert_type(row.embedding, list[float])
    assert_type(row.no_embedding, list[float] | None)
    assert_type(row.words, list[str])
    assert_type(row.folded, str)
    assert_type(row.annotated, str)
    assert_type(row.perhaps, str | None)
    assert_type(row.short, str)


def files_are_set_to_names_and_content(row: Row) -> None:
    row.paper = "a.txt"
    row.paper = Path("a.txt")
    row.paper = None


def classes_have_mapped_attributes() -> None:
    assert_type(Row.name, InstrumentedAttribute[str])
    assert_type(Row.count, InstrumentedAttribute[int | None])


def mistakes_are_seen(row: Row) -> None:
    row.age = "old"  # type: ignore[assignment]  # pyright: ignore[reportAttributeAccessIssue]
    fields.CharField(max_lenght=5)  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue]
