"""Models that the tests of schemas share: books, their writers, publishers and tags."""

from __future__ import annotations

import datetime as dt
from typing import Any

from ormolu import (
    CASCADE,
    SET_NULL,
    BooleanField,
    CharField,
    DateTimeField,
    DecimalField,
    EmailField,
    ForeignKey,
    IntegerField,
    ManyToManyField,
    Model,
    OneToOneField,
    TextChoices,
    TextField,
)
from ormolu.fields.validators import MaxValueValidator, MinValueValidator


class ShelfState(TextChoices):
    """What has become of a book."""

    DRAFT = "draft", "Draft"
    PRINTED = "printed", "In print"


class ShelfCountry(Model):
    name = CharField(max_length=40)
    code = CharField(max_length=2)

    class Meta:
        app_label = "shelf"


class ShelfPublisher(Model):
    name = CharField(max_length=40)
    country = ForeignKey(ShelfCountry, on_delete=SET_NULL, null=True)
    founded = IntegerField(default=1900)

    class Meta:
        app_label = "shelf"


class ShelfTag(Model):
    name = CharField(max_length=20, unique=True)
    note = TextField(blank=True)

    class Meta:
        app_label = "shelf"
        ordering = ("name",)


class ShelfAuthor(Model):
    name = CharField("full name", max_length=50, help_text="As on the cover.")
    email = EmailField(unique=True)
    bio = TextField(blank=True)
    age = IntegerField(null=True, validators=[MinValueValidator(0), MaxValueValidator(150)])

    class Meta:
        app_label = "shelf"

    @property
    def shown(self) -> str:
        """Name and address."""
        return f"{self.name} <{self.email}>"


class ShelfProfile(Model):
    author = OneToOneField(ShelfAuthor, on_delete=CASCADE, related_name="profile")
    page = TextField(default="")

    class Meta:
        app_label = "shelf"


class ShelfBook(Model):
    title = CharField(max_length=80)
    author = ForeignKey(ShelfAuthor, on_delete=CASCADE, related_name="books")
    publisher = ForeignKey(ShelfPublisher, on_delete=SET_NULL, null=True, related_name="books")
    tags = ManyToManyField(ShelfTag, related_name="books", blank=True)
    state = CharField(max_length=10, choices=ShelfState, default=ShelfState.DRAFT)
    price = DecimalField(max_digits=6, decimal_places=2, default=1)
    listed = BooleanField(default=True)
    created = DateTimeField(auto_now_add=True)

    class Meta:
        app_label = "shelf"


MODELS: list[type[Any]] = [
    ShelfCountry,
    ShelfPublisher,
    ShelfTag,
    ShelfAuthor,
    ShelfProfile,
    ShelfBook,
]
NOW = dt.datetime(2024, 5, 1, 12, tzinfo=dt.UTC)


def fill() -> None:
    """Make two writers, of whom the first has two books and a profile."""
    country = ShelfCountry.objects.create(name="Austria", code="AT")
    press = ShelfPublisher.objects.create(name="Press", country=country)
    ann = ShelfAuthor.objects.create(name="Ann", email="ann@example.com", age=40)
    ShelfAuthor.objects.create(name="Bob", email="bob@example.com")
    ShelfProfile.objects.create(author=ann, page="ann.example.com")
    tags = [ShelfTag.objects.create(name=name) for name in ("new", "old")]
    first = ShelfBook.objects.create(title="One", author=ann, publisher=press, price="12.50")
    first.tags.set(tags)
    ShelfBook.objects.create(title="Two", author=ann, state=ShelfState.PRINTED)
