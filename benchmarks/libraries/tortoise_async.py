"""Tortoise, on aiosqlite and asyncpg."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tortoise import Tortoise, connections, fields
from tortoise.functions import Count, Max, Min, Sum
from tortoise.models import Model
from tortoise.transactions import in_transaction

from benchmarks.schema import NewRow, Row, Target
from benchmarks.workloads import POOL

from .base import AsyncAdapter


class Journal(Model):
    """An entry of the journal."""

    id = fields.IntField(primary_key=True)
    level = fields.IntField(db_index=True)
    text = fields.CharField(max_length=200, db_index=True)
    ts = fields.DatetimeField()

    class Meta:
        """Name the table."""

        table = "journal"


class Author(Model):
    """An author."""

    id = fields.IntField(primary_key=True)
    name = fields.CharField(max_length=100)
    books: Any

    class Meta:
        """Name the table."""

        table = "author"


class Tag(Model):
    """A tag."""

    id = fields.IntField(primary_key=True)
    name = fields.CharField(max_length=100)

    class Meta:
        """Name the table."""

        table = "tag"


class Book(Model):
    """A book."""

    id = fields.IntField(primary_key=True)
    title = fields.CharField(max_length=200)
    author: Any = fields.ForeignKeyField("bench.Author", related_name="books")
    tags: Any = fields.ManyToManyField(
        "bench.Tag", through="book_tags", forward_key="tag_id", backward_key="book_id", related_name="books"
    )

    class Meta:
        """Name the table."""

        table = "book"


class TortoiseAsync(AsyncAdapter):
    """Autocommit, and in_transaction() where a transaction is asked for."""

    initialised = False

    async def connect(self) -> None:
        """Initialise Tortoise, once, for naive datetimes; connections are made when they are used."""
        if self.initialised:
            return
        self.initialised = True
        if self.sqlite:
            engine, credentials = "sqlite", {"file_path": self.target.path}
        else:
            engine, credentials = (
                "asyncpg",
                self.target.keywords("database") | {"minsize": 1, "maxsize": POOL},
            )
        await Tortoise.init(
            {
                "connections": {
                    "default": {"engine": f"tortoise.backends.{engine}", "credentials": credentials},
                },
                "apps": {"bench": {"models": [__name__], "default_connection": "default"}},
                "use_tz": False,
            },
            _enable_global_fallback=True,
        )

    async def disconnect(self) -> None:
        """Close the connections."""
        await connections.close_all(discard=False)

    async def insert_each(self, rows: Sequence[NewRow]) -> None:
        """Use create() in autocommit."""
        for level, text, ts in rows:
            await Journal.create(level=level, text=text, ts=ts)

    async def insert_together(self, rows: Sequence[NewRow]) -> None:
        """Use save()."""
        async with in_transaction():
            for level, text, ts in rows:
                await Journal(level=level, text=text, ts=ts).save()

    async def insert_bulk(self, batches: Sequence[Sequence[NewRow]]) -> None:
        """Use bulk_create()."""
        for rows in batches:
            await Journal.bulk_create([Journal(level=level, text=text, ts=ts) for level, text, ts in rows])

    async def update_bulk(self, objects: Sequence[Any], texts: Sequence[str]) -> None:
        """Use bulk_update(), in batches of a good size."""
        for item, text in zip(objects, texts, strict=True):
            item.text = text
        async with in_transaction():
            await Journal.bulk_update(objects, fields=["text"], batch_size=100)

    async def upsert(self, batches: Sequence[Sequence[Row]]) -> None:
        """Use bulk_create() with on_conflict."""
        for rows in batches:
            await Journal.bulk_create(
                [Journal(id=key, level=level, text=text, ts=ts) for key, level, text, ts in rows],
                on_conflict=["id"],
                update_fields=["level", "text", "ts"],
            )

    async def filter_large(self, levels: Sequence[int]) -> list[Any]:
        """Await the query set."""
        found: list[Any] = []
        for level in levels:
            found = await Journal.filter(level=level)
        return found

    async def filter_small(self, levels: Sequence[int]) -> list[Any]:
        """Limit the query set."""
        found: list[Any] = []
        for level in levels:
            found = await Journal.filter(level=level).limit(20)
        return found

    async def get(self, keys: Sequence[int]) -> Any:
        """Use get(pk=...)."""
        found = None
        for key in keys:
            found = await Journal.get(pk=key)
        return found

    async def dicts(self, levels: Sequence[int]) -> list[dict[str, Any]]:
        """Use values()."""
        found: list[dict[str, Any]] = []
        for level in levels:
            found = await Journal.filter(level=level).values("id", "level", "text", "ts")
        return found

    async def tuples(self, levels: Sequence[int]) -> list[Any]:
        """Use values_list()."""
        found: Any = []
        for level in levels:
            found = await Journal.filter(level=level).values_list("id", "level", "text", "ts")
        return list(found)

    async def load(self, keys: Sequence[int]) -> list[Any]:
        """Load the objects to change."""
        by_key = await Journal.in_bulk(keys, "id")
        return [by_key[key] for key in keys]

    async def save_whole(self, objects: Sequence[Any], rows: Sequence[NewRow]) -> None:
        """Use save()."""
        async with in_transaction():
            for item, (level, text, ts) in zip(objects, rows, strict=True):
                item.level, item.text, item.ts = level, text, ts
                await item.save()

    async def save_field(self, objects: Sequence[Any], texts: Sequence[str]) -> None:
        """Use save(update_fields=...)."""
        async with in_transaction():
            for item, text in zip(objects, texts, strict=True):
                item.text = text
                await item.save(update_fields=["text"])

    async def delete(self, objects: Sequence[Any]) -> None:
        """Use delete()."""
        async with in_transaction():
            for item in objects:
                await item.delete()

    async def join(self, times: int) -> list[Any]:
        """Use select_related()."""
        found: list[Any] = []
        for _ in range(times):
            found = await Book.all().select_related("author")
        return found

    async def prefetch_books(self, times: int) -> list[Any]:
        """Use prefetch_related()."""
        found: list[Any] = []
        for _ in range(times):
            found = await Author.all().prefetch_related("books")
            sum(len(author.books) for author in found)
        return found

    async def prefetch_tags(self, times: int) -> list[Any]:
        """Use prefetch_related()."""
        found: list[Any] = []
        for _ in range(times):
            found = await Book.all().prefetch_related("tags")
            sum(len(book.tags) for book in found)
        return found

    async def join_tuples(self, times: int) -> list[Any]:
        """Use values_list()."""
        found: Any = []
        for _ in range(times):
            found = await Book.all().values_list("id", "title", "author__name")
        return list(found)

    async def summary(self, levels: Sequence[int]) -> Any:
        """Annotate, and select the annotations alone."""
        found: Any = ()
        for level in levels:
            query = Journal.filter(level=level).annotate(
                rows=Count("id"), first=Min("id"), last=Max("id"), total=Sum("id")
            )
            (found,) = await query.values_list("rows", "first", "last", "total")
        return found

    async def group(self, times: int) -> list[Any]:
        """Use group_by()."""
        found: Any = []
        for _ in range(times):
            found = await Journal.annotate(count=Count("id")).group_by("level").values_list("level", "count")
        return list(found)

    async def request(self, keys: Sequence[int], texts: Sequence[str]) -> None:
        """Use in_transaction(), get() and save(update_fields=...)."""
        for key, text in zip(keys, texts, strict=True):
            async with in_transaction():
                entry = await Journal.get(pk=key)
                entry.text = text
                await entry.save(update_fields=["text"])

    async def stream(self) -> tuple[int, Any]:
        """Iterate over the query set, which reads it all first."""
        count, last = 0, None
        async for item in Journal.all():
            count, last = count + 1, item
        return count, last


def create(target: Target) -> AsyncAdapter:
    """Return the adapter."""
    return TortoiseAsync(target)
