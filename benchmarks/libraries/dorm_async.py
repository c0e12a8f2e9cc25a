"""djanorm (``import dorm``), asynchronous."""

# mypy: allow-untyped-calls

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import dorm
from dorm import transaction
from dorm.db.connection import close_all_async

from benchmarks.schema import NewRow, Row, Target

from .base import AsyncAdapter
from .dorm_models import Author, Book, Journal, configure

CHUNK = 2_000


class DormAsync(AsyncAdapter):
    """Autocommit, and aatomic() where a transaction is asked for."""

    async def connect(self) -> None:
        """Configure djanorm; it connects when it is used."""
        configure(self.target)

    async def disconnect(self) -> None:
        """Close all connections."""
        await close_all_async()

    async def insert_each(self, rows: Sequence[NewRow]) -> None:
        """Use acreate() in autocommit."""
        for level, text, ts in rows:
            await Journal.objects.acreate(level=level, text=text, ts=ts)

    async def insert_together(self, rows: Sequence[NewRow]) -> None:
        """Use asave()."""
        async with transaction.aatomic():
            for level, text, ts in rows:
                await Journal(level=level, text=text, ts=ts).asave()

    async def insert_bulk(self, batches: Sequence[Sequence[NewRow]]) -> None:
        """Use abulk_create()."""
        for rows in batches:
            objects = [Journal(level=level, text=text, ts=ts) for level, text, ts in rows]
            await Journal.objects.abulk_create(objects)

    async def load_many(self, keys: Sequence[int]) -> list[Any]:
        """Load many at once."""
        return [item async for item in Journal.objects.filter(id__gte=keys[0]).order_by("id")]

    async def update_bulk(self, objects: Sequence[Any], texts: Sequence[str]) -> None:
        """Use abulk_update(), in batches of a good size."""
        for item, text in zip(objects, texts, strict=True):
            item.text = text
        await Journal.objects.abulk_update(objects, ["text"], batch_size=100)

    async def upsert(self, batches: Sequence[Sequence[Row]]) -> None:
        """Use abulk_create() with update_conflicts."""
        for rows in batches:
            await Journal.objects.abulk_create(
                [Journal(id=key, level=level, text=text, ts=ts) for key, level, text, ts in rows],
                update_conflicts=True,
                unique_fields=["id"],
                update_fields=["level", "text", "ts"],
            )

    async def filter_large(self, levels: Sequence[int]) -> list[Any]:
        """Iterate over the query set."""
        found: list[Any] = []
        for level in levels:
            found = [entry async for entry in Journal.objects.filter(level=level)]
        return found

    async def filter_small(self, levels: Sequence[int]) -> list[Any]:
        """Iterate over the slice."""
        found: list[Any] = []
        for level in levels:
            found = [entry async for entry in Journal.objects.filter(level=level)[:20]]
        return found

    async def get(self, keys: Sequence[int]) -> Any:
        """Use aget()."""
        found = None
        for key in keys:
            found = await Journal.objects.aget(pk=key)
        return found

    async def dicts(self, levels: Sequence[int]) -> list[dict[str, Any]]:
        """Use values()."""
        found: list[dict[str, Any]] = []
        for level in levels:
            found = [
                row async for row in Journal.objects.filter(level=level).values("id", "level", "text", "ts")
            ]
        return found

    async def tuples(self, levels: Sequence[int]) -> list[Any]:
        """Use values_list()."""
        found: list[Any] = []
        for level in levels:
            query = Journal.objects.filter(level=level).values_list("id", "level", "text", "ts")
            found = [row async for row in query]
        return found

    async def load(self, keys: Sequence[int]) -> list[Any]:
        """Load the objects to change."""
        return [await Journal.objects.aget(pk=key) for key in keys]

    async def save_whole(self, objects: Sequence[Any], rows: Sequence[NewRow]) -> None:
        """Use asave()."""
        async with transaction.aatomic():
            for item, (level, text, ts) in zip(objects, rows, strict=True):
                item.level, item.text, item.ts = level, text, ts
                await item.asave()

    async def save_field(self, objects: Sequence[Any], texts: Sequence[str]) -> None:
        """Use asave(update_fields=...)."""
        async with transaction.aatomic():
            for item, text in zip(objects, texts, strict=True):
                item.text = text
                await item.asave(update_fields=["text"])

    async def delete(self, objects: Sequence[Any]) -> None:
        """Use adelete()."""
        async with transaction.aatomic():
            for item in objects:
                await item.adelete()

    async def join(self, times: int) -> list[Any]:
        """Use select_related()."""
        found: list[Any] = []
        for _ in range(times):
            found = [book async for book in Book.objects.select_related("author")]
        return found

    async def prefetch_books(self, times: int) -> list[Any]:
        """Use prefetch_related()."""
        found: list[Any] = []
        for _ in range(times):
            found = [author async for author in Author.objects.prefetch_related("books")]
            sum(len(author.books.all()) for author in found)
        return found

    async def prefetch_tags(self, times: int) -> list[Any]:
        """Use prefetch_related()."""
        found: list[Any] = []
        for _ in range(times):
            found = [book async for book in Book.objects.prefetch_related("tags")]
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
            query = Book.objects.values_list("id", "title", "author__name")
            found = [row async for row in query]
        return found

    async def summary(self, levels: Sequence[int]) -> Any:
        """Use aaggregate()."""
        found: dict[str, Any] = {}
        for level in levels:
            found = await Journal.objects.filter(level=level).aaggregate(
                rows=dorm.Count("id"), first=dorm.Min("id"), last=dorm.Max("id"), total=dorm.Sum("id")
            )
        return tuple(found.values())

    async def group(self, times: int) -> list[Any]:
        """Use values().annotate(), as in Django."""
        found: list[Any] = []
        for _ in range(times):
            groups = Journal.objects.values("level").annotate(count=dorm.Count("id"))
            found = [(group["level"], group["count"]) async for group in groups]
        return found

    async def request(self, keys: Sequence[int], texts: Sequence[str]) -> None:
        """Use aatomic(), aget() and asave(update_fields=...)."""
        for key, text in zip(keys, texts, strict=True):
            async with transaction.aatomic():
                entry = await Journal.objects.aget(pk=key)
                entry.text = text
                await entry.asave(update_fields=["text"])

    async def stream(self) -> tuple[int, Any]:
        """Use aiterator()."""
        count, last = 0, None
        async for item in Journal.objects.all().aiterator(chunk_size=CHUNK):
            count, last = count + 1, item
        return count, last


def create(target: Target) -> AsyncAdapter:
    """Return the adapter."""
    return DormAsync(target)
