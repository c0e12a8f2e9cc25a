"""Django's asynchronous methods: the synchronous ones on a thread. There are no asynchronous transactions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from asgiref.sync import sync_to_async

from benchmarks.schema import NewRow, Row, Target

from .base import AsyncAdapter
from .django_models import configure, models

CHUNK = 2_000


class DjangoAsync(AsyncAdapter):
    """Autocommit only."""

    def __init__(self, target: Target) -> None:
        """Configure Django and declare the models."""
        super().__init__(target)
        configure(target)
        self.models = models()
        self.Journal = self.models.Journal

    async def connect(self) -> None:
        """Connect on Django's thread."""
        from django.db import connection

        self.connection = connection
        await sync_to_async(lambda: connection.ensure_connection())()

    async def disconnect(self) -> None:
        """Close on Django's thread."""
        await sync_to_async(lambda: self.connection.close())()

    async def insert_each(self, rows: Sequence[NewRow]) -> None:
        """Use acreate()."""
        for level, text, ts in rows:
            await self.Journal.objects.acreate(level=level, text=text, ts=ts)

    async def insert_bulk(self, batches: Sequence[Sequence[NewRow]]) -> None:
        """Use abulk_create()."""
        for rows in batches:
            await self.Journal.objects.abulk_create(
                [self.Journal(level=level, text=text, ts=ts) for level, text, ts in rows]
            )

    async def load_many(self, keys: Sequence[int]) -> list[Any]:
        """Load many at once."""
        return [entry async for entry in self.Journal.objects.filter(id__gte=keys[0]).order_by("id")]

    async def update_bulk(self, objects: Sequence[Any], texts: Sequence[str]) -> None:
        """Use abulk_update(), in batches of a good size."""
        for item, text in zip(objects, texts, strict=True):
            item.text = text
        await self.Journal.objects.abulk_update(objects, ["text"], batch_size=500)

    async def upsert(self, batches: Sequence[Sequence[Row]]) -> None:
        """Use abulk_create() with update_conflicts."""
        for rows in batches:
            await self.Journal.objects.abulk_create(
                [self.Journal(id=key, level=level, text=text, ts=ts) for key, level, text, ts in rows],
                update_conflicts=True,
                unique_fields=["id"],
                update_fields=["level", "text", "ts"],
            )

    async def filter_large(self, levels: Sequence[int]) -> list[Any]:
        """Iterate over the query set."""
        found: list[Any] = []
        for level in levels:
            found = [entry async for entry in self.Journal.objects.filter(level=level)]
        return found

    async def filter_small(self, levels: Sequence[int]) -> list[Any]:
        """Iterate over the slice."""
        found: list[Any] = []
        for level in levels:
            found = [entry async for entry in self.Journal.objects.filter(level=level)[:20]]
        return found

    async def get(self, keys: Sequence[int]) -> Any:
        """Use aget()."""
        found = None
        for key in keys:
            found = await self.Journal.objects.aget(pk=key)
        return found

    async def dicts(self, levels: Sequence[int]) -> list[dict[str, Any]]:
        """Use values()."""
        found: list[dict[str, Any]] = []
        for level in levels:
            query = self.Journal.objects.filter(level=level).values("id", "level", "text", "ts")
            found = [row async for row in query]
        return found

    async def tuples(self, levels: Sequence[int]) -> list[Any]:
        """Use values_list()."""
        found: list[Any] = []
        for level in levels:
            query = self.Journal.objects.filter(level=level).values_list("id", "level", "text", "ts")
            found = [row async for row in query]
        return found

    async def join(self, times: int) -> list[Any]:
        """Use select_related()."""
        found: list[Any] = []
        for _ in range(times):
            found = [book async for book in self.models.Book.objects.select_related("author")]
        return found

    async def prefetch_books(self, times: int) -> list[Any]:
        """Use prefetch_related()."""
        found: list[Any] = []
        for _ in range(times):
            found = [author async for author in self.models.Author.objects.prefetch_related("books")]
            sum(len(author.books.all()) for author in found)
        return found

    async def prefetch_tags(self, times: int) -> list[Any]:
        """Use prefetch_related()."""
        found: list[Any] = []
        for _ in range(times):
            found = [book async for book in self.models.Book.objects.prefetch_related("tags")]
            sum(len(book.tags.all()) for book in found)
        return found

    def author_books(self, author: Any) -> list[Any]:
        """Return the prefetched books."""
        return list(author.books.all())

    def book_tags(self, book: Any) -> list[Any]:
        """Return the prefetched tags."""
        return list(book.tags.all())

    async def join_tuples(self, times: int) -> list[Any]:
        """Use values_list()."""
        found: list[Any] = []
        for _ in range(times):
            query = self.models.Book.objects.values_list("id", "title", "author__name")
            found = [row async for row in query]
        return found

    async def summary(self, levels: Sequence[int]) -> Any:
        """Use aaggregate()."""
        from django.db.models import Count, Max, Min, Sum

        found: dict[str, Any] = {}
        for level in levels:
            found = await self.Journal.objects.filter(level=level).aaggregate(
                rows=Count("id"), first=Min("id"), last=Max("id"), total=Sum("id")
            )
        return tuple(found.values())

    async def group(self, times: int) -> list[Any]:
        """Use values().annotate()."""
        from django.db.models import Count

        found: list[Any] = []
        for _ in range(times):
            found = [group async for group in self.Journal.objects.values_list("level").annotate(Count("id"))]
        return found

    async def stream(self) -> tuple[int, Any]:
        """Use aiterator()."""
        count, last = 0, None
        async for item in self.Journal.objects.aiterator(chunk_size=CHUNK):
            count, last = count + 1, item
        return count, last


def create(target: Target) -> AsyncAdapter:
    """Return the adapter."""
    return DjangoAsync(target)
