"""The types of attributes that fields declare; null fields may be None, subclasses of fields included."""

import datetime as dt
import decimal
import uuid
from typing import Any, assert_type

from sqlalchemy.orm import InstrumentedAttribute, Mapped

from ormolu import fields


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
    picture = fields.ImageField(null=True)
    counts: fields.JSONField[dict[str, int]] = fields.JSONField()
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
    assert_type(row.picture, str | None)
    assert_type(row.counts, dict[str, int])
    assert_type(row.annotated, str)
    assert_type(row.perhaps, str | None)
    assert_type(row.short, str)


def classes_have_mapped_attributes() -> None:
    assert_type(Row.name, InstrumentedAttribute[str])
    assert_type(Row.count, InstrumentedAttribute[int | None])


def mistakes_are_seen(row: Row) -> None:
    row.age = "old"  # type: ignore[assignment]  # pyright: ignore[reportAttributeAccessIssue]
    fields.CharField(max_lenght=5)  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue]
