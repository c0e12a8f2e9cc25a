"""djanorm's configuration and models, for its two adapters."""

# mypy: allow-untyped-calls

from __future__ import annotations

from typing import Any

import dorm

from benchmarks.schema import Target
from benchmarks.workloads import POOL


def configure(target: Target) -> None:
    """Set djanorm up as its documentation does, with a pool that holds all connections of a workload."""
    database: dict[str, Any]
    if target.kind == "sqlite":
        database = {"ENGINE": "sqlite", "NAME": target.path}
    else:
        database = {
            "ENGINE": "postgresql",
            "NAME": target.name,
            "HOST": target.host,
            "PORT": target.port,
            "USER": target.user,
            "PASSWORD": target.password,
            "MAX_POOL_SIZE": POOL,
        }
    dorm.configure(DATABASES={"default": database}, INSTALLED_APPS=[])


class Journal(dorm.Model):
    """An entry of the journal."""

    level = dorm.IntegerField(db_index=True)
    text = dorm.CharField(max_length=200, db_index=True)
    ts = dorm.DateTimeField()

    class Meta:
        """Name the table."""

        db_table = "journal"
        app_label = "bench"


class Author(dorm.Model):
    """An author."""

    name = dorm.CharField(max_length=100)

    class Meta:
        """Name the table."""

        db_table = "author"
        app_label = "bench"


class Tag(dorm.Model):
    """A tag."""

    name = dorm.CharField(max_length=100)

    class Meta:
        """Name the table."""

        db_table = "tag"
        app_label = "bench"


class Book(dorm.Model):
    """A book; the table between books and tags is ``book_tags`` by djanorm's own rule."""

    title = dorm.CharField(max_length=200)
    author = dorm.ForeignKey(Author, on_delete=dorm.CASCADE, related_name="books")
    tags = dorm.ManyToManyField(Tag)

    class Meta:
        """Name the table."""

        db_table = "book"
        app_label = "bench"
