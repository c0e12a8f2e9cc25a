"""SQLAlchemy's ORM on AsyncSession."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import joinedload, selectinload

from benchmarks.schema import NewRow, Row, Target

from .base import AsyncAdapter
from .sqlalchemy_models import Author, Book, Journal, async_engine, upsert_of

CHUNK = 2_000


class SqlalchemyAsync(AsyncAdapter):
    """Sessions on one engine."""

    async def connect(self) -> None:
        """Make the engine."""
        self.engine = async_engine(self.target)

    async def disconnect(self) -> None:
        """Close the engine's connections."""
        await self.engine.dispose()

    async def insert_each(self, rows: Sequence[NewRow]) -> None:
        """Open a session for each."""
        for level, text, ts in rows:
            async with AsyncSession(self.engine, expire_on_commit=False) as session, session.begin():
                session.add(Journal(level=level, text=text, ts=ts))

    async def insert_together(self, rows: Sequence[NewRow]) -> None:
        """Add and flush each."""
        async with AsyncSession(self.engine) as session, session.begin():
            for level, text, ts in rows:
                session.add(Journal(level=level, text=text, ts=ts))
                await session.flush()

    async def insert_bulk(self, batches: Sequence[Sequence[NewRow]]) -> None:
        """Add all and flush once."""
        for rows in batches:
            async with AsyncSession(self.engine) as session, session.begin():
                session.add_all([Journal(level=level, text=text, ts=ts) for level, text, ts in rows])

    async def update_bulk(self, objects: Sequence[Journal], texts: Sequence[str]) -> None:
        """Use the bulk update by primary key."""
        values = [{"id": item.id, "text": text} for item, text in zip(objects, texts, strict=True)]
        await self.session.execute(update(Journal), values)
        await self.session.commit()
        await self.session.close()

    async def upsert(self, batches: Sequence[Sequence[Row]]) -> None:
        """Use the upsert statement of the dialect with a list of rows."""
        statement = upsert_of(Journal, self.target.kind)
        for rows in batches:
            async with AsyncSession(self.engine) as session, session.begin():
                await session.execute(statement, [row._asdict() for row in rows])

    async def filter_large(self, levels: Sequence[int]) -> Sequence[Any]:
        """Use a new session for each query."""
        found: Sequence[Any] = ()
        for level in levels:
            async with AsyncSession(self.engine) as session:
                found = (await session.scalars(select(Journal).where(Journal.level == level))).all()
        return found

    async def filter_small(self, levels: Sequence[int]) -> Sequence[Any]:
        """Use a new session for each query."""
        found: Sequence[Any] = ()
        for level in levels:
            async with AsyncSession(self.engine) as session:
                found = (await session.scalars(select(Journal).where(Journal.level == level).limit(20))).all()
        return found

    async def get(self, keys: Sequence[int]) -> Any:
        """Use one session for all keys."""
        found = None
        async with AsyncSession(self.engine) as session:
            for key in keys:
                found = await session.get(Journal, key)
        return found

    async def task_get(self, keys: Sequence[int]) -> Any:
        """Use a session for each key."""
        found = None
        for key in keys:
            async with AsyncSession(self.engine) as session:
                found = await session.get(Journal, key)
        return found

    async def dicts(self, levels: Sequence[int]) -> list[dict[str, Any]]:
        """Build them from mappings."""
        found: list[dict[str, Any]] = []
        for level in levels:
            async with AsyncSession(self.engine) as session:
                query = select(Journal.id, Journal.level, Journal.text, Journal.ts).where(
                    Journal.level == level
                )
                found = [dict(row) for row in (await session.execute(query)).mappings()]
        return found

    async def tuples(self, levels: Sequence[int]) -> Sequence[Any]:
        """Take SQLAlchemy's rows."""
        found: Sequence[Any] = ()
        for level in levels:
            async with AsyncSession(self.engine) as session:
                query = select(Journal.id, Journal.level, Journal.text, Journal.ts).where(
                    Journal.level == level
                )
                found = (await session.execute(query)).all()
        return found

    async def load(self, keys: Sequence[int]) -> list[Journal]:
        """Open the session that the changes are made in."""
        self.session = AsyncSession(self.engine, expire_on_commit=False)
        rows = await self.session.scalars(select(Journal).where(Journal.id.in_(keys)))
        by_key = {entry.id: entry for entry in rows}
        return [by_key[key] for key in keys]

    async def save_whole(self, objects: Sequence[Journal], rows: Sequence[NewRow]) -> None:
        """Flush after each object."""
        for item, (level, text, ts) in zip(objects, rows, strict=True):
            item.level, item.text, item.ts = level, text, ts
            await self.session.flush()
        await self.session.commit()
        await self.session.close()

    async def save_field(self, objects: Sequence[Journal], texts: Sequence[str]) -> None:
        """Flush after each object."""
        for item, text in zip(objects, texts, strict=True):
            item.text = text
            await self.session.flush()
        await self.session.commit()
        await self.session.close()

    async def delete(self, objects: Sequence[Journal]) -> None:
        """Flush after each object."""
        for item in objects:
            await self.session.delete(item)
            await self.session.flush()
        await self.session.commit()
        await self.session.close()

    async def join(self, times: int) -> Sequence[Any]:
        """Load with joinedload."""
        found: Sequence[Any] = ()
        for _ in range(times):
            async with AsyncSession(self.engine) as session:
                query = select(Book).options(joinedload(Book.author, innerjoin=True))
                found = (await session.scalars(query)).all()
        return found

    async def prefetch_books(self, times: int) -> Sequence[Any]:
        """Load with selectinload."""
        found: Sequence[Any] = ()
        for _ in range(times):
            async with AsyncSession(self.engine) as session:
                found = (await session.scalars(select(Author).options(selectinload(Author.books)))).all()
                sum(len(author.books) for author in found)
        return found

    async def prefetch_tags(self, times: int) -> Sequence[Any]:
        """Load with selectinload."""
        found: Sequence[Any] = ()
        for _ in range(times):
            async with AsyncSession(self.engine) as session:
                found = (await session.scalars(select(Book).options(selectinload(Book.tags)))).all()
                sum(len(book.tags) for book in found)
        return found

    async def join_tuples(self, times: int) -> Sequence[Any]:
        """Take SQLAlchemy's rows."""
        found: Sequence[Any] = ()
        for _ in range(times):
            async with AsyncSession(self.engine) as session:
                query = select(Book.id, Book.title, Author.name).join(Book.author)
                found = (await session.execute(query)).all()
        return found

    async def summary(self, levels: Sequence[int]) -> Any:
        """Take the row."""
        found = None
        key = Journal.id
        for level in levels:
            async with AsyncSession(self.engine) as session:
                query = select(func.count(), func.min(key), func.max(key), func.sum(key))
                found = (await session.execute(query.where(Journal.level == level))).one()
        return found

    async def group(self, times: int) -> Sequence[Any]:
        """Count in a session."""
        found: Sequence[Any] = ()
        for _ in range(times):
            async with AsyncSession(self.engine) as session:
                query = select(Journal.level, func.count()).group_by(Journal.level)
                found = (await session.execute(query)).all()
        return found

    async def request(self, keys: Sequence[int], texts: Sequence[str]) -> None:
        """Open a session for each."""
        for key, text in zip(keys, texts, strict=True):
            async with AsyncSession(self.engine) as session, session.begin():
                entry = await session.get_one(Journal, key)
                entry.text = text

    async def stream(self) -> tuple[int, Any]:
        """Use stream_scalars with yield_per."""
        count, last = 0, None
        async with AsyncSession(self.engine) as session:
            query = select(Journal).execution_options(yield_per=CHUNK)
            async for item in await session.stream_scalars(query):
                count, last = count + 1, item
        return count, last


def create(target: Target) -> AsyncAdapter:
    """Return the adapter."""
    return SqlalchemyAsync(target)
