"""Ormolu, synchronous."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from benchmarks.schema import NewRow, Row, Target
from ormolu import Count, Max, Min, Sum, atomic, databases

from .base import SyncAdapter
from .ormolu_models import Author, Book, Journal, set_up

CHUNK = 2_000


class OrmoluSync(SyncAdapter):
    """Autocommit, and atomic() where a transaction is asked for."""

    def connect(self) -> None:
        """Configure Ormolu; it connects when it is used."""
        set_up(self.target)

    def disconnect(self) -> None:
        """Close all connections."""
        self.close_threads()
        databases.close_all()

    def insert_each(self, rows: Sequence[NewRow]) -> None:
        """Use create() in autocommit."""
        create = Journal.objects.create
        for level, text, ts in rows:
            create(level=level, text=text, ts=ts)

    def insert_together(self, rows: Sequence[NewRow]) -> None:
        """Use save()."""
        with atomic():
            for level, text, ts in rows:
                Journal(level=level, text=text, ts=ts).save()

    def insert_bulk(self, batches: Sequence[Sequence[NewRow]]) -> None:
        """Use bulk_create()."""
        for rows in batches:
            Journal.objects.bulk_create([Journal(level=level, text=text, ts=ts) for level, text, ts in rows])

    def load_many(self, keys: Sequence[int]) -> list[Journal]:
        """Load many at once."""
        return list(Journal.objects.filter(id__gte=keys[0]).order_by("id"))

    def update_bulk(self, objects: Sequence[Journal], texts: Sequence[str]) -> None:
        """Use bulk_update()."""
        for item, text in zip(objects, texts, strict=True):
            item.text = text
        Journal.objects.bulk_update(objects, ["text"])

    def upsert(self, batches: Sequence[Sequence[Row]]) -> None:
        """Use bulk_upsert(), reading nothing back."""
        for rows in batches:
            objects = [Journal(id=key, level=level, text=text, ts=ts) for key, level, text, ts in rows]
            Journal.objects.bulk_upsert(objects, unique_fields=["id"], returning=False)

    def filter_large(self, levels: Sequence[int]) -> list[Journal]:
        """Evaluate the query set."""
        found: list[Journal] = []
        for level in levels:
            found = list(Journal.objects.filter(level=level))
        return found

    def filter_small(self, levels: Sequence[int]) -> list[Journal]:
        """Slice the query set."""
        found: list[Journal] = []
        for level in levels:
            found = list(Journal.objects.filter(level=level)[:20])
        return found

    def get(self, keys: Sequence[int]) -> Journal | None:
        """Use get(pk=...)."""
        found = None
        for key in keys:
            found = Journal.objects.get(pk=key)
        return found

    def dicts(self, levels: Sequence[int]) -> list[dict[str, Any]]:
        """Use values()."""
        found: list[dict[str, Any]] = []
        for level in levels:
            found = list(Journal.objects.filter(level=level).values("id", "level", "text", "ts"))
        return found

    def tuples(self, levels: Sequence[int]) -> list[Any]:
        """Use values_list()."""
        found: list[Any] = []
        for level in levels:
            found = list(Journal.objects.filter(level=level).values_list("id", "level", "text", "ts"))
        return found

    def load(self, keys: Sequence[int]) -> list[Journal]:
        """Load the objects to change."""
        return [Journal.objects.get(pk=key) for key in keys]

    def save_whole(self, objects: Sequence[Journal], rows: Sequence[NewRow]) -> None:
        """Set all fields and use save(), which writes what changed."""
        with atomic():
            for item, (level, text, ts) in zip(objects, rows, strict=True):
                item.level, item.text, item.ts = level, text, ts
                item.save()

    def save_field(self, objects: Sequence[Journal], texts: Sequence[str]) -> None:
        """Set one field and use save(), which writes what changed."""
        with atomic():
            for item, text in zip(objects, texts, strict=True):
                item.text = text
                item.save()

    def delete(self, objects: Sequence[Journal]) -> None:
        """Use delete()."""
        with atomic():
            for item in objects:
                item.delete()

    def join(self, times: int) -> list[Book]:
        """Use select_related()."""
        found: list[Book] = []
        for _ in range(times):
            found = list(Book.objects.select_related("author"))
        return found

    def prefetch_books(self, times: int) -> list[Author]:
        """Use prefetch_related()."""
        found: list[Any] = []
        for _ in range(times):
            found = list(Author.objects.prefetch_related("books"))
            sum(len(author.books.all()) for author in found)
        return found

    def prefetch_tags(self, times: int) -> list[Book]:
        """Use prefetch_related()."""
        found: list[Any] = []
        for _ in range(times):
            found = list(Book.objects.prefetch_related("tags"))
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
            found = list(Book.objects.values_list("id", "title", "author__name"))
        return found

    def summary(self, levels: Sequence[int]) -> Any:
        """Use aggregate()."""
        found: dict[str, Any] = {}
        for level in levels:
            found = Journal.objects.filter(level=level).aggregate(
                rows=Count("id"), first=Min("id"), last=Max("id"), total=Sum("id")
            )
        return tuple(found.values())

    def group(self, times: int) -> list[Any]:
        """Use values_list().annotate()."""
        found: list[Any] = []
        for _ in range(times):
            found = list(Journal.objects.values_list("level").annotate(Count("id")))
        return found

    def request(self, keys: Sequence[int], texts: Sequence[str]) -> None:
        """Use atomic(), get() and save()."""
        for key, text in zip(keys, texts, strict=True):
            with atomic():
                entry = Journal.objects.get(pk=key)
                entry.text = text
                entry.save()

    def stream(self) -> tuple[int, Journal | None]:
        """Use iterator()."""
        count, last = 0, None
        for item in Journal.objects.iterator(chunk_size=CHUNK):
            count, last = count + 1, item
        return count, last


def create(target: Target) -> SyncAdapter:
    """Return the adapter."""
    return OrmoluSync(target)
