"""Models with a field of each kind, for the tests of types and of written schemas."""

from __future__ import annotations

import datetime as dt
import enum
import uuid
from decimal import Decimal
from typing import Any

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from ormolu import (
    CASCADE,
    ArrayField,
    BigIntegerField,
    BinaryField,
    BooleanField,
    CharField,
    CompositePrimaryKey,
    DateField,
    DateTimeField,
    DecimalField,
    DurationField,
    EmailField,
    EnumField,
    FileField,
    FloatField,
    ForeignKey,
    GeneratedField,
    GenericIPAddressField,
    IntegerField,
    JSONField,
    Model,
    PositiveSmallIntegerField,
    SlugField,
    TextChoices,
    TextField,
    TimeField,
    URLField,
    UUIDField,
    ValidationError,
    VersionField,
)
from ormolu.contrib.postgres.fields import IntegerRangeField
from ormolu.fields.validators import MinValueValidator, RegexValidator


def validate_even(value: int) -> None:
    """Refuse odd numbers."""
    if value % 2:
        raise ValidationError("%(value)s is odd.", code="odd", params={"value": value})


class KindColour(enum.Enum):
    RED = "red"
    BLUE = "blue"


class KindState(TextChoices):
    FREE = "free", "Free"
    TAKEN = "taken", "Taken"


class Kinds(Model):
    """A field of each kind."""

    name = CharField(max_length=20, help_text='What "it" is called.')
    text = TextField(blank=True)
    email = EmailField(blank=True)
    site = URLField(null=True)
    slug = SlugField()
    code = CharField(max_length=5, validators=[RegexValidator(r"^\d+\Z", "Digits, please.", "digits")])
    even = IntegerField(validators=[validate_even, MinValueValidator(2)])
    small = PositiveSmallIntegerField(default=1)
    big = BigIntegerField(default=2**40)
    ratio = FloatField(default=0.5)
    price = DecimalField("net price", max_digits=6, decimal_places=2, default=1)
    state = CharField(max_length=5, choices=KindState, default=KindState.FREE)
    level = IntegerField(choices=[(1, "one"), (2, "two")], null=True)
    colour = EnumField(KindColour, default=KindColour.RED)
    flag = BooleanField(default=False)
    token = UUIDField(default=uuid.uuid4)
    day = DateField(default=dt.date(2024, 1, 2))
    at = DateTimeField(null=True)
    dt = TimeField(null=True)
    length = DurationField(null=True)
    address = GenericIPAddressField(null=True)
    data = JSONField(default=dict, blank=True)
    tags = ArrayField(CharField(max_length=5), default=list, blank=True, size=3)
    blob = BinaryField(null=True)
    photo = FileField(blank=True)
    span = IntegerRangeField(null=True)
    parent = ForeignKey("self", on_delete=CASCADE, null=True)
    double = GeneratedField(expression="even", output_field=IntegerField(), db_persist=True)
    version = VersionField()
    created = DateTimeField(auto_now_add=True)

    class Meta:
        app_label = "kinds"


class KindPlain(Model):
    """Columns as SQLAlchemy has them."""

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(30))
    colour: Mapped[KindColour | None]
    when: Mapped[dt.datetime] = mapped_column(default=lambda: dt.datetime(2024, 1, 1))
    amount: Mapped[Decimal] = mapped_column(default=Decimal("2.5"))

    class Meta:
        app_label = "kinds"


class KindPart(Model):
    """A key of two columns."""

    pk = CompositePrimaryKey("tenant", "number")
    tenant = CharField(max_length=10)
    number = IntegerField()
    note = TextField(default="-")

    class Meta:
        app_label = "kinds"


MODELS: list[type[Any]] = [KindPlain, KindPart]
