"""Ormolu's settings and models, for its adapters."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from benchmarks.schema import Target
from benchmarks.workloads import POOL
from ormolu import (
    CASCADE,
    CharField,
    DateTimeField,
    ForeignKey,
    IntegerField,
    ManyToManyField,
    Model,
    configure,
)


def set_up(target: Target, async_driver: str = "asyncpg") -> None:
    """Configure Ormolu for naive datetimes, with as many connections as the others have."""
    database: dict[str, Any] = {"POOL_SIZE": POOL, "MAX_OVERFLOW": 0}
    if target.kind == "sqlite":
        database |= {"ENGINE": "sqlite", "NAME": target.path}
    else:
        database |= {
            "ENGINE": "postgresql",
            "NAME": target.name,
            "HOST": target.host,
            "PORT": target.port,
            "USER": target.user,
            "PASSWORD": target.password,
            "ASYNC_DRIVER": async_driver,
        }
    configure(DATABASES={"default": database}, USE_TZ=False)


class Journal(Model):
    """An entry of the journal."""

    level = IntegerField(db_index=True)
    text = CharField(max_length=200, db_index=True)
    ts = DateTimeField()

    class Meta:
        """Name the table."""

        app_label = "bench"
        db_table = "journal"


class Author(Model):
    """An author."""

    name = CharField(max_length=100)

    if TYPE_CHECKING:
        books: Any

    class Meta:
        """Name the table."""

        app_label = "bench"
        db_table = "author"


class Tag(Model):
    """A tag."""

    name = CharField(max_length=100)

    class Meta:
        """Name the table."""

        app_label = "bench"
        db_table = "tag"


class Book(Model):
    """A book."""

    title = CharField(max_length=200)
    author = ForeignKey(Author, on_delete=CASCADE, related_name="books")
    tags = ManyToManyField(Tag, db_table="book_tags")

    class Meta:
        """Name the table."""

        app_label = "bench"
        db_table = "book"
