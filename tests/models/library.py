"""The models that the tests of instances and managers share."""

from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from ormolu.fields import CharField, DateField, IntegerField
from ormolu.models import (
    CASCADE,
    SET_NULL,
    CheckConstraint,
    ForeignKey,
    Manager,
    ManyToManyField,
    Model,
    OneToOneField,
    TimestampMixin,
    UniqueConstraint,
)
from ormolu.query.q import Q


class Author(Model):
    name = CharField(max_length=20)
    age = IntegerField(default=0)

    class Meta:
        app_label = "shelf"
        ordering = ("id",)

    def __str__(self) -> str:
        return self.name


class Tag(Model):
    name = CharField(max_length=20, unique=True)

    class Meta:
        app_label = "shelf"
        ordering = ("id",)

    def __str__(self) -> str:
        return self.name


class Shown(Manager["Book"]):
    """Finds books that aren't hidden."""

    def get_queryset(self) -> Any:
        return super().get_queryset().exclude(title="hidden")

    def long(self) -> Any:
        return self.filter(pages__gte=100)


class Book(Model):
    title = CharField(max_length=20, default="t")
    pages = IntegerField(default=0)
    author = ForeignKey(Author, CASCADE, related_name="books")
    editor = ForeignKey(Author, SET_NULL, null=True, blank=True, related_name="edited")
    tags = ManyToManyField(Tag, related_name="books")
    shown = Shown()
    objects = Manager["Book"]()

    class Meta:
        app_label = "shelf"
        ordering = ("id",)

    def __str__(self) -> str:
        return self.title


class Profile(Model):
    author = OneToOneField(Author, CASCADE)
    friends = ManyToManyField("self")
    follows = ManyToManyField("self", symmetrical=False, related_name="followers")

    class Meta:
        app_label = "shelf"


class Club(Model):
    members = ManyToManyField(Author, through="Membership", related_name="clubs")

    class Meta:
        app_label = "shelf"


class Membership(Model):
    club = ForeignKey(Club, CASCADE)
    author = ForeignKey(Author, CASCADE)
    rank = IntegerField(default=1)

    class Meta:
        app_label = "shelf"


class Note(Model, TimestampMixin):
    text = CharField(max_length=20)
    day = DateField(null=True, blank=True)
    topic = CharField(max_length=20, null=True, blank=True, unique_for_date="day")
    rank = IntegerField(default=1)

    class Meta:
        app_label = "shelf"
        unique_together = ("text", "rank")
        constraints = (
            CheckConstraint(condition=Q(rank__gte=0), name="%(class)s_rank"),
            UniqueConstraint(fields=["topic"], condition=Q(rank=1), name="one_first_topic"),
        )


class Shelf(Model):
    """Declared in SQLAlchemy's way, beside the others."""

    key: Mapped[int] = mapped_column(primary_key=True)
    place: Mapped[str | None] = mapped_column(sa.String(50))  # MariaDB needs a length
    owner_id: Mapped[int] = mapped_column(sa.ForeignKey(Author.__table__.c.id))
    owner: Mapped[Author] = relationship()
    boxes: Mapped[list["Box"]] = relationship(back_populates="shelf")

    class Meta:
        app_label = "shelf"


class Box(Model):
    shelf_key: Mapped[int | None] = mapped_column(sa.ForeignKey(Shelf.__table__.c.key))
    shelf: Mapped[Shelf | None] = relationship(back_populates="boxes")

    class Meta:
        app_label = "shelf"


MODELS = [Author, Tag, Book, Profile, Club, Membership, Note, Shelf, Box]
