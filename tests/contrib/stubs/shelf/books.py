"""Books, with managers of their own, a proxy, and both spellings of models."""

from __future__ import annotations

import datetime as dt
from typing import ClassVar

from sqlalchemy.orm import Mapped

from ormolu import (
    CASCADE,
    SET_NULL,
    CharField,
    DateField,
    DateTimeField,
    DecimalField,
    ForeignKey,
    IntegerField,
    Manager,
    ManyToManyField,
    Model,
    OneToOneField,
    QuerySet,
    TypedModel,
    key_of,
)
from shelf.people import Author


class Tag(Model):
    name = CharField(max_length=40, primary_key=True)


class BookQuerySet(QuerySet["Book"]):
    def long(self, pages: int = 500, *, name: str = "x") -> BookQuerySet:
        """Return the long ones."""
        return self.filter(pages__gte=pages)


class BookManager(Manager["Book"]):
    def cheap(self) -> QuerySet[Book]:
        """Return the cheap ones."""
        return self.filter(price__lt=5)


class Book(Model):
    title = CharField(max_length=100)
    pages = IntegerField(default=0)
    price = DecimalField(max_digits=6, decimal_places=2, default=0)
    author = ForeignKey(Author, on_delete=CASCADE, related_name="books")
    editor = ForeignKey("shelf.Author", on_delete=SET_NULL, null=True, related_name="edited")
    printed = DateField(null=True)
    tags = ManyToManyField(Tag, related_name="books")
    objects = BookManager()
    thick = BookQuerySet.as_manager()

    class Meta:
        app_label = "shelf"


class Cheap(Book):
    class Meta:
        proxy = True


class Dated(TypedModel):
    day: Mapped[dt.datetime] = DateTimeField()

    class Meta:
        abstract = True


class Review(Dated):
    stars: Mapped[int] = IntegerField()
    text: Mapped[str] = CharField(max_length=100, default="")
    book: Mapped[Book] = ForeignKey(Book, on_delete=CASCADE, related_name="reviews")
    book_id: Mapped[int] = key_of(book)
    objects: ClassVar[Manager[Review]] = Manager()


class Cover(TypedModel):
    book: Mapped[Book] = OneToOneField(Book, on_delete=CASCADE)
    colour: Mapped[str] = CharField(max_length=10)
