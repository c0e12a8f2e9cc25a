"""Annotated models, as the other files here use them, and what a checker sees of them."""

import datetime as dt
import uuid
from decimal import Decimal
from typing import Any, ClassVar, assert_type

from sqlalchemy import Select, select
from sqlalchemy.orm import InstrumentedAttribute, Mapped, mapped_column

from models import Tag
from ormolu import (
    CASCADE,
    SET_NULL,
    BigAutoField,
    BooleanField,
    CharField,
    DateTimeField,
    DecimalField,
    ForeignKey,
    IntegerField,
    JSONField,
    Manager,
    ManyToManyField,
    OneToOneField,
    QuerySet,
    TextChoices,
    TypedModel,
    UUIDField,
    key_of,
)
from ormolu.models import ManyRelatedManager, ReverseManager


class Level(TextChoices):
    HIGH = "h"
    LOW = "l"


class Writer(TypedModel):
    id: Mapped[int] = BigAutoField(primary_key=True)
    name: Mapped[str] = CharField(max_length=100)
    age: Mapped[int | None] = IntegerField(null=True, default=None)
    active: Mapped[bool] = BooleanField(default=True)
    token: Mapped[uuid.UUID] = UUIDField(default=uuid.uuid4)
    joined: Mapped[dt.datetime] = DateTimeField(auto_now_add=True, init=False)
    extra: Mapped[dict[str, int]] = JSONField(default=dict)
    level: Mapped[str] = CharField(max_length=1, choices=Level.choices, default=Level.LOW)
    nickname: Mapped[str | None] = mapped_column(default=None)
    novels: ClassVar[ReverseManager["Novel"]]

    class Meta:
        ordering = ["name"]


class NovelManager(Manager["Novel"]):
    def long(self) -> QuerySet["Novel"]:
        return self.filter(pages__gte=500)


class Novel(TypedModel):
    title: Mapped[str] = CharField(max_length=100)
    pages: Mapped[int] = IntegerField()
    price: Mapped[Decimal] = DecimalField(max_digits=6, decimal_places=2, default=Decimal(1))
    writer: Mapped[Writer] = ForeignKey(Writer, on_delete=CASCADE, related_name="novels")
    writer_id: Mapped[int] = key_of(writer)
    editor: Mapped[Writer | None] = ForeignKey(Writer, on_delete=SET_NULL, null=True, default=None)
    tags: ClassVar[ManyToManyField[Tag]] = ManyToManyField(Tag)
    objects: ClassVar[NovelManager] = NovelManager()


class Dated(TypedModel):
    day: Mapped[dt.date] = DateTimeField()

    class Meta:
        abstract = True


class Review(Dated):
    stars: Mapped[int] = IntegerField()
    novel: Mapped[Novel] = OneToOneField(Novel, on_delete=CASCADE, init=False)
    novel_id: Mapped[int]


class LongReview(Review):
    text: Mapped[str] = CharField(max_length=10_000)


def constructors(writer: Writer) -> None:
    assert_type(Writer(name="Ann"), Writer)
    Writer(
        name="Ann", age=None, active=False, token=uuid.uuid4(), extra={"a": 1}, level=Level.HIGH, nickname="A"
    )
    Novel(title="T", pages=3, writer=writer)
    Novel(title="T", pages=3, writer=writer, writer_id=3, editor=writer, price=Decimal(2))
    Review(day=dt.date(2025, 1, 1), stars=3, novel_id=7)
    LongReview(day=dt.date(2025, 1, 1), stars=3, novel_id=7, text="Good.")


def managers(writer: Writer) -> None:
    assert_type(Writer.objects.create(name="Ann", age=3), Writer)
    assert_type(Writer.objects.get(pk=3), Writer)
    assert_type(Writer.objects.filter(name="Ann"), QuerySet[Writer])
    assert_type(Writer.objects.get_or_create(name="Ann", defaults={"age": 3}), tuple[Writer, bool])
    assert_type(Novel.objects.long(), QuerySet[Novel])
    assert_type(Novel.objects.create(title="T", pages=3, writer=writer), Novel)
    assert_type(LongReview.objects.first(), LongReview | None)


async def managers_in_async_code() -> None:
    assert_type(await Writer.objects.acreate(name="Ann", age=3), Writer)
    async for writer in Writer.objects.all():
        assert_type(writer, Writer)


def attributes(writer: Writer, novel: Novel, review: LongReview) -> None:
    assert_type(writer.id, int)
    assert_type(writer.name, str)
    assert_type(writer.age, int | None)
    assert_type(writer.joined, dt.datetime)
    assert_type(writer.extra, dict[str, int])
    assert_type(writer.pk, Any)
    assert_type(novel.writer, Writer)
    assert_type(novel.writer_id, int)
    assert_type(novel.editor, Writer | None)
    assert_type(novel.tags, ManyRelatedManager[Tag])
    assert_type(writer.novels, ReverseManager[Novel])
    assert_type(writer.novels.all(), QuerySet[Novel])
    assert_type(review.novel.title, str)
    assert_type(Writer.name, InstrumentedAttribute[str])
    assert_type(select(Writer.name), Select[str])
    writer.name = "Bob"
    novel.writer = writer
