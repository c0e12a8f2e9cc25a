"""Ormolu, asynchronous: SQLite on a worker thread, asyncpg on PostgreSQL."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from benchmarks.schema import NewRow, Row, Target
from ormolu import Count, Max, Min, Sum, aatomic, databases

from .base import AsyncAdapter
from .ormolu_models import Author, Book, Journal, set_up

CHUNK = 2_000


class OrmoluAsync(AsyncAdapter):
    """Autocommit, and aatomic() where a transaction is asked for."""

    def __init__(self, target: Target, driver: str = "asyncpg") -> None:
        """Choose the driver for PostgreSQL."""
        super().__init__(target)
        self.driver = driver

    async def connect(self) -> None:
        """Configure Ormolu; it connects when it is used."""
        set_up(self.target, self.driver)

    async def disconnect(self) -> None:
        """Close all connections."""
        await databases.get().adriver.aclose()

    async def insert_each(self, rows: Sequence[NewRow]) -> None:
        """Use acreate() in autocommit."""
        create = Journal.objects.acreate
        for level, text, ts in rows:
            await create(level=level, text=text, ts=ts)

    async def insert_together(self, rows: Sequence[NewRow]) -> None:
        """Use asave()."""
        async with aatomic():
            for level, text, ts in rows:
                await Journal(level=level, text=text, ts=ts).asave()

    async def insert_bulk(self, batches: Sequence[Sequence[NewRow]]) -> None:
        """Use abulk_create()."""
        for rows in batches:
            await Journal.objects.abulk_create(
                [Journal(level=level, text=text, ts=ts) for level, text, ts in rows]
            )

    async def load_many(self, keys: Sequence[int]) -> list[Journal]:
        """Load many at once."""
        return await Journal.objects.filter(id__gte=keys[0]).order_by("id")

    async def update_bulk(self, objects: Sequence[Journal], texts: Sequence[str]) -> None:
        """Use abulk_update()."""
        for item, text in zip(objects, texts, strict=True):
            item.text = text
        await Journal.objects.abulk_update(objects, ["text"])

    async def upsert(self, batches: Sequence[Sequence[Row]]) -> None:
        """Use abulk_upsert(), reading nothing back."""
        for rows in batches:
            objects = [Journal(id=key, level=level, text=text, ts=ts) for key, level, text, ts in rows]
            await Journal.objects.abulk_upsert(objects, unique_fields=["id"], returning=False)

    async def filter_large(self, levels: Sequence[int]) -> list[Journal]:
        """Await the query set."""
        found: list[Journal] = []
        for level in levels:
            found = await Journal.objects.filter(level=level)
        return found

    async def filter_small(self, levels: Sequence[int]) -> list[Journal]:
        """Slice the query set."""
        found: list[Journal] = []
        for level in levels:
            found = await Journal.objects.filter(level=level)[:20]
        return found

    async def get(self, keys: Sequence[int]) -> Journal | None:
        """Use aget(pk=...)."""
        found = None
        for key in keys:
            found = await Journal.objects.aget(pk=key)
        return found

    async def dicts(self, levels: Sequence[int]) -> list[dict[str, Any]]:
        """Use values()."""
        found: list[dict[str, Any]] = []
        for level in levels:
            found = await Journal.objects.filter(level=level).values("id", "level", "text", "ts")
        return found

    async def tuples(self, levels: Sequence[int]) -> list[Any]:
        """Use values_list()."""
        found: list[Any] = []
        for level in levels:
            found = await Journal.objects.filter(level=level).values_list("id", "level", "text", "ts")
        return found

    async def load(self, keys: Sequence[int]) -> list[Journal]:
        """Load the objects to change."""
        return [await Journal.objects.aget(pk=key) for key in keys]

    async def save_whole(self, objects: Sequence[Journal], rows: Sequence[NewRow]) -> None:
        """Set all fields and use asave(), which writes what changed."""
        async with aatomic():
            for item, (level, text, ts) in zip(objects, rows, strict=True):
                item.level, item.text, item.ts = level, text, ts
                await item.asave()

    async def save_field(self, objects: Sequence[Journal], texts: Sequence[str]) -> None:
        """Set one field and use asave(), which writes what changed."""
        async with aatomic():
            for item, text in zip(objects, texts, strict=True):
                item.text = text
                await item.asave()

    async def delete(self, objects: Sequence[Journal]) -> None:
        """Use adelete()."""
        async with aatomic():
            for item in objects:
                await item.adelete()

    async def join(self, times: int) -> list[Book]:
        """Use select_related()."""
        found: list[Book] = []
        for _ in range(times):
            found = await Book.objects.select_related("author")
        return found

    async def prefetch_books(self, times: int) -> list[Author]:
        """Use prefetch_related()."""
        found: list[Any] = []
        for _ in range(times):
            found = await Author.objects.prefetch_related("books")
            sum(len(author.books.all()) for author in found)
        return found

    async def prefetch_tags(self, times: int) -> list[Book]:
        """Use prefetch_related()."""
        found: list[Any] = []
        for _ in range(times):
            found = await Book.objects.prefetch_related("tags")
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
            found = await Book.objects.values_list("id", "title", "author__name")
        return found

    async def summary(self, levels: Sequence[int]) -> Any:
        """Use aaggregate()."""
        found: dict[str, Any] = {}
        for level in levels:
            found = await Journal.objects.filter(level=level).aaggregate(
                rows=Count("id"), first=Min("id"), last=Max("id"), total=Sum("id")
            )
        return tuple(found.values())

    async def group(self, times: int) -> list[Any]:
        """Use values_list().annotate()."""
        found: list[Any] = []
        for _ in range(times):
            found = await Journal.objects.values_list("level").annotate(Count("id"))
        return found

    async def request(self, keys: Sequence[int], texts: Sequence[str]) -> None:
        """Use aatomic(), aget() and asave()."""
        for key, text in zip(keys, texts, strict=True):
            async with aatomic():
                entry = await Journal.objects.aget(pk=key)
                entry.text = text
                await entry.asave()

    async def stream(self) -> tuple[int, Journal | None]:
        """Use aiterator()."""
        count, last = 0, None
        async for item in Journal.objects.aiterator(chunk_size=CHUNK):
            count, last = count + 1, item
        return count, last


def create(target: Target) -> AsyncAdapter:
    """Return the adapter."""
    return OrmoluAsync(target)
