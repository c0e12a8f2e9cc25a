"""What a checker sees of columns and relations, on instances and on the class."""

import datetime as dt
import uuid
from decimal import Decimal
from typing import Any, assert_type

from sqlalchemy import Select, select
from sqlalchemy.orm import InstrumentedAttribute

from models import Author, Book, Cover, Tag


def columns_of_an_instance(author: Author, book: Book) -> None:
    assert_type(author.name, str)
    assert_type(author.email, str)
    assert_type(author.active, bool)
    assert_type(author.token, uuid.UUID)
    assert_type(author.joined, dt.datetime)
    assert_type(author.nickname, str | None)
    assert_type(author.age, int | None)
    assert_type(book.price, Decimal)


def columns_of_the_class() -> None:
    assert_type(Author.name, InstrumentedAttribute[str])
    assert_type(Author.email, InstrumentedAttribute[str])
    assert_type(Book.price, InstrumentedAttribute[Decimal])


def relations(book: Book, cover: Cover) -> None:
    assert_type(book.author, Author)
    assert_type(book.author.name, str)
    assert_type(book.editor, Author | None)
    assert_type(cover.book, Book)
    for tag in book.tags.all():
        assert_type(tag, Tag)


def writing(author: Author, book: Book) -> None:
    author.name = "Ann"
    author.age = None
    book.author = author
    book.editor = None


def in_sqlalchemy() -> None:
    assert_type(select(Author), Select[Author])
    assert_type(select(Author.name), Select[str])


def anything(author: Author) -> Any:
    return author.extra
