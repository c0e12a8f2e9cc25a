"""Schemas, as type checkers see them."""

from __future__ import annotations

from typing import Any, assert_type

from ormolu import CASCADE, CharField, ForeignKey, Model
from ormolu.query import QuerySet
from ormolu.query.keyset import Page
from ormolu.schemas import Schema, generate, schema_for


class Author(Model):
    name = CharField(max_length=50)


class Book(Model):
    title = CharField(max_length=50)
    author = ForeignKey(Author, on_delete=CASCADE)


class AuthorOut(Schema):
    name: str

    class Meta:
        model = Author


class BookOut(Schema):
    author: AuthorOut

    class Meta:
        model = Book
        fields = ("title",)


def rows() -> None:
    found = Book.objects.as_schema(BookOut)
    assert_type(found, QuerySet[Book, BookOut])
    assert_type(found.filter(title="x").order_by("title"), QuerySet[Book, BookOut])
    assert_type(found.first(), BookOut | None)
    assert_type(found.get(pk=1), BookOut)
    assert_type(found[0].author.name, str)
    assert_type(list(found[:2]), list[BookOut])
    assert_type(found.page(5), Page[BookOut])
    assert_type(found.in_bulk([1]), dict[Any, BookOut])
    assert_type(Book.objects.filter(title="x").as_schema(BookOut), QuerySet[Book, BookOut])
    for one in found:
        assert_type(one, BookOut)


async def arows() -> None:
    found = Book.objects.as_schema(BookOut)
    assert_type(await found, list[BookOut])
    assert_type(await found.afirst(), BookOut | None)
    assert_type(await found.aget(pk=1), BookOut)
    async for one in found:
        assert_type(one, BookOut)


def made() -> None:
    assert_type(schema_for(Author), type[Schema])
    assert_type(Author.get_schema(exclude={"name"}), type[Schema])
    assert_type(BookOut.model_validate(Book()), BookOut)
    assert_type(generate("app.models"), str)
    AuthorOut(name="x")
    AuthorOut(name=1)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
