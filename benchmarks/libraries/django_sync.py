"""Django's ORM."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from benchmarks.schema import NewRow, Row, Target

from .base import SyncAdapter
from .django_models import configure, models

CHUNK = 2_000


class DjangoSync(SyncAdapter):
    """Autocommit, as Django has it, and atomic() where a transaction is asked for."""

    def __init__(self, target: Target) -> None:
        """Configure Django and declare the models."""
        super().__init__(target)
        configure(target)
        self.models = models()
        self.Journal = self.models.Journal

    def connect(self) -> None:
        """Connect now."""
        from django.db import connection, transaction

        self.atomic: Any = transaction.atomic
        self.connection = connection
        connection.ensure_connection()

    def disconnect(self) -> None:
        """Close this thread's and the other threads' connections."""
        self.close_threads()
        self.connection.close()

    def thread_close(self) -> None:
        """Close this thread's connection."""
        self.connection.close()

    def insert_each(self, rows: Sequence[NewRow]) -> None:
        """Use create() in autocommit."""
        create = self.Journal.objects.create
        for level, text, ts in rows:
            create(level=level, text=text, ts=ts)

    def insert_together(self, rows: Sequence[NewRow]) -> None:
        """Use save()."""
        with self.atomic():
            for level, text, ts in rows:
                self.Journal(level=level, text=text, ts=ts).save()

    def insert_bulk(self, batches: Sequence[Sequence[NewRow]]) -> None:
        """Use bulk_create()."""
        for rows in batches:
            self.Journal.objects.bulk_create(
                [self.Journal(level=level, text=text, ts=ts) for level, text, ts in rows]
            )

    def update_bulk(self, objects: Sequence[Any], texts: Sequence[str]) -> None:
        """Use bulk_update(), in batches of a good size."""
        for item, text in zip(objects, texts, strict=True):
            item.text = text
        self.Journal.objects.bulk_update(objects, ["text"], batch_size=500)

    def upsert(self, batches: Sequence[Sequence[Row]]) -> None:
        """Use bulk_create() with update_conflicts."""
        for rows in batches:
            self.Journal.objects.bulk_create(
                [self.Journal(id=key, level=level, text=text, ts=ts) for key, level, text, ts in rows],
                update_conflicts=True,
                unique_fields=["id"],
                update_fields=["level", "text", "ts"],
            )

    def filter_large(self, levels: Sequence[int]) -> list[Any]:
        """Evaluate the query set."""
        found: list[Any] = []
        for level in levels:
            found = list(self.Journal.objects.filter(level=level))
        return found

    def filter_small(self, levels: Sequence[int]) -> list[Any]:
        """Slice the query set."""
        found: list[Any] = []
        for level in levels:
            found = list(self.Journal.objects.filter(level=level)[:20])
        return found

    def get(self, keys: Sequence[int]) -> Any:
        """Use get(pk=...)."""
        found = None
        for key in keys:
            found = self.Journal.objects.get(pk=key)
        return found

    def dicts(self, levels: Sequence[int]) -> list[dict[str, Any]]:
        """Use values()."""
        found: list[dict[str, Any]] = []
        for level in levels:
            found = list(self.Journal.objects.filter(level=level).values("id", "level", "text", "ts"))
        return found

    def tuples(self, levels: Sequence[int]) -> list[Any]:
        """Use values_list()."""
        found: list[Any] = []
        for level in levels:
            found = list(self.Journal.objects.filter(level=level).values_list("id", "level", "text", "ts"))
        return found

    def load(self, keys: Sequence[int]) -> list[Any]:
        """Load the objects to change."""
        by_key = self.Journal.objects.in_bulk(keys)
        return [by_key[key] for key in keys]

    def save_whole(self, objects: Sequence[Any], rows: Sequence[NewRow]) -> None:
        """Use save()."""
        with self.atomic():
            for item, (level, text, ts) in zip(objects, rows, strict=True):
                item.level, item.text, item.ts = level, text, ts
                item.save()

    def save_field(self, objects: Sequence[Any], texts: Sequence[str]) -> None:
        """Use save(update_fields=...)."""
        with self.atomic():
            for item, text in zip(objects, texts, strict=True):
                item.text = text
                item.save(update_fields=["text"])

    def delete(self, objects: Sequence[Any]) -> None:
        """Use delete()."""
        with self.atomic():
            for item in objects:
                item.delete()

    def join(self, times: int) -> list[Any]:
        """Use select_related()."""
        found: list[Any] = []
        for _ in range(times):
            found = list(self.models.Book.objects.select_related("author"))
        return found

    def prefetch_books(self, times: int) -> list[Any]:
        """Use prefetch_related()."""
        found: list[Any] = []
        for _ in range(times):
            found = list(self.models.Author.objects.prefetch_related("books"))
            sum(len(author.books.all()) for author in found)
        return found

    def prefetch_tags(self, times: int) -> list[Any]:
        """Use prefetch_related()."""
        found: list[Any] = []
        for _ in range(times):
            found = list(self.models.Book.objects.prefetch_related("tags"))
            sum(len(book.tags.all()) for book in found)
        return found

    def author_books(self, author: Any) -> list[Any]:
        """Return the prefetched books."""
        return list(author.books.all())

    def book_tags(self, book: Any) -> list[Any]:
        """Return the prefetched tags."""
        return list(book.tags.all())

    def join_tuples(self, times: int) -> list[Any]:
        """Use values_list()."""
        found: list[Any] = []
        for _ in range(times):
            found = list(self.models.Book.objects.values_list("id", "title", "author__name"))
        return found

    def summary(self, levels: Sequence[int]) -> Any:
        """Use aggregate()."""
        from django.db.models import Count, Max, Min, Sum

        found: dict[str, Any] = {}
        for level in levels:
            found = self.Journal.objects.filter(level=level).aggregate(
                rows=Count("id"), first=Min("id"), last=Max("id"), total=Sum("id")
            )
        return tuple(found.values())

    def group(self, times: int) -> list[Any]:
        """Use values().annotate()."""
        from django.db.models import Count

        found: list[Any] = []
        for _ in range(times):
            found = list(self.Journal.objects.values_list("level").annotate(Count("id")))
        return found

    def request(self, keys: Sequence[int], texts: Sequence[str]) -> None:
        """Use atomic(), get() and save(update_fields=...)."""
        for key, text in zip(keys, texts, strict=True):
            with self.atomic():
                entry = self.Journal.objects.get(pk=key)
                entry.text = text
                entry.save(update_fields=["text"])

    def stream(self) -> tuple[int, Any]:
        """Use iterator()."""
        count, last = 0, None
        for item in self.Journal.objects.iterator(chunk_size=CHUNK):
            count, last = count + 1, item
        return count, last


def create(target: Target) -> SyncAdapter:
    """Return the adapter."""
    return DjangoSync(target)
