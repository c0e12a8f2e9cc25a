"""Peewee's models, for its two adapters."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from peewee import CharField, DateTimeField, ForeignKeyField, IntegerField, ManyToManyField


def models(database: Any, base: Any) -> Any:
    """Return a namespace with the models, bound to this database."""

    class Journal(base):  # type: ignore[misc]
        level = IntegerField(index=True)
        text = CharField(max_length=200, index=True)
        ts = DateTimeField()

        class Meta:
            table_name = "journal"

    class Author(base):  # type: ignore[misc]
        name = CharField(max_length=100)

        class Meta:
            table_name = "author"

    class Tag(base):  # type: ignore[misc]
        name = CharField(max_length=100)

        class Meta:
            table_name = "tag"

    class Book(base):  # type: ignore[misc]
        title = CharField(max_length=200)
        author = ForeignKeyField(Author, backref="books")

        class Meta:
            table_name = "book"

    class BookTag(base):  # type: ignore[misc]
        book = ForeignKeyField(Book, backref="book_tags")
        tag = ForeignKeyField(Tag)

        class Meta:
            table_name = "book_tags"

    Book._meta.add_field("tags", ManyToManyField(Tag, backref="books", through_model=BookTag))
    namespace = SimpleNamespace(Journal=Journal, Author=Author, Tag=Tag, Book=Book, BookTag=BookTag)
    database.bind(list(vars(namespace).values()))
    return namespace
