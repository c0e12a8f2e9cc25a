"""Django's settings and models, for its two adapters."""

# mypy: allow-subclassing-any

from __future__ import annotations

from typing import Any

import django
from django.apps import AppConfig
from django.conf import settings

from benchmarks.schema import Target


class Bench(AppConfig):
    """The application that the models belong to; without one Django knows no reverse relations."""

    name = __name__
    label = "bench"


def configure(target: Target) -> None:
    """Set Django up as it comes, with connections that stay open and naive datetimes."""
    database: dict[str, Any] = {"CONN_MAX_AGE": None}
    if target.kind == "sqlite":
        database |= {"ENGINE": "django.db.backends.sqlite3", "NAME": target.path}
    else:
        database |= {
            "ENGINE": "django.db.backends.postgresql",
            "NAME": target.name,
            "HOST": target.host,
            "PORT": target.port,
            "USER": target.user,
            "PASSWORD": target.password,
        }
    settings.configure(DATABASES={"default": database}, USE_TZ=False, INSTALLED_APPS=[f"{__name__}.Bench"])
    django.setup()


def models() -> Any:
    """Return a namespace with the models; call `configure` first."""
    from types import SimpleNamespace

    from django.db import models

    class Journal(models.Model):
        level = models.IntegerField(db_index=True)
        text = models.CharField(max_length=200, db_index=True)
        ts = models.DateTimeField()

        class Meta:
            app_label = "bench"
            db_table = "journal"

    class Author(models.Model):
        name = models.CharField(max_length=100)

        class Meta:
            app_label = "bench"
            db_table = "author"

    class Tag(models.Model):
        name = models.CharField(max_length=100)

        class Meta:
            app_label = "bench"
            db_table = "tag"

    class Book(models.Model):
        title = models.CharField(max_length=200)
        author = models.ForeignKey(Author, models.CASCADE, related_name="books")
        tags = models.ManyToManyField(Tag, db_table="book_tags")

        class Meta:
            app_label = "bench"
            db_table = "book"

    return SimpleNamespace(Journal=Journal, Author=Author, Tag=Tag, Book=Book)
