"""Models in both spellings, as the other files here use them. Checked by mypy and pyright, never run."""

from sqlalchemy.orm import Mapped, mapped_column

from ormolu import (
    CASCADE,
    SET_NULL,
    BooleanField,
    CharField,
    DateTimeField,
    DecimalField,
    ForeignKey,
    IntegerField,
    JSONField,
    ManyToManyField,
    Model,
    OneToOneField,
    UUIDField,
)


class Author(Model):
    name = CharField(max_length=100)
    age = IntegerField(null=True)
    active = BooleanField(default=True)
    token = UUIDField()
    joined = DateTimeField(auto_now_add=True)
    extra = JSONField(default=dict)
    nickname: Mapped[str | None] = mapped_column(default=None)
    email: Mapped[str] = CharField(max_length=100)

    class Meta:
        ordering = ["name"]


class Tag(Model):
    name = CharField(max_length=40)


class Book(Model):
    title = CharField(max_length=100)
    price = DecimalField(max_digits=6, decimal_places=2)
    author = ForeignKey(Author, on_delete=CASCADE, related_name="books")
    editor = ForeignKey(Author, on_delete=SET_NULL, null=True, related_name="edited")
    tags = ManyToManyField(Tag, related_name="books")


class Cover(Model):
    book = OneToOneField(Book, on_delete=CASCADE)
