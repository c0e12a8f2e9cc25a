"""Models with all that the tools of the ecosystem look at: relations of each kind, choices, JSON, UUID keys."""

from __future__ import annotations

from ormolu import (
    CASCADE,
    DB_CASCADE,
    BooleanField,
    CharField,
    DateField,
    DecimalField,
    ForeignKey,
    IntegerField,
    JSONField,
    ManyToManyField,
    Model,
    OneToOneField,
    TextChoices,
    TextField,
    TimestampMixin,
    UUIDPKMixin,
)


class State(TextChoices):
    DRAFT = "draft", "A draft"
    PRINTED = "printed", "In print"


class EcoAuthor(Model, UUIDPKMixin):
    name = CharField(max_length=50)
    born = DateField(null=True, blank=True)

    class Meta:
        app_label = "eco"

    def __str__(self) -> str:
        return self.name


class EcoTag(Model):
    word = CharField(max_length=20, unique=True)

    class Meta:
        app_label = "eco"

    def __str__(self) -> str:
        return self.word


class EcoBook(Model, TimestampMixin):
    title = CharField(max_length=100, db_index=True)
    state = CharField(max_length=10, choices=State, default=State.DRAFT)
    price = DecimalField(max_digits=8, decimal_places=2, null=True, blank=True)
    pages = IntegerField(default=0)
    in_stock = BooleanField(default=True)
    details = JSONField(default=dict, blank=True)
    blurb = TextField(default="", blank=True)
    author = ForeignKey(EcoAuthor, on_delete=CASCADE, related_name="books")
    tags = ManyToManyField(EcoTag, related_name="books", blank=True)

    class Meta:
        app_label = "eco"
        unique_together = [("author", "title")]

    def __str__(self) -> str:
        return self.title


class EcoCover(Model):
    book = OneToOneField(EcoBook, on_delete=DB_CASCADE, related_name="cover")
    colour = CharField(max_length=20)

    class Meta:
        app_label = "eco"


MODELS = [EcoAuthor, EcoTag, EcoBook, EcoCover]
