"""SQLAlchemy's ORM: a Session for each unit of work, flushed after each object that is saved by itself."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session, joinedload, selectinload

from benchmarks.schema import NewRow, Row, Target

from .base import SyncAdapter
from .sqlalchemy_models import Author, Book, Journal, sync_engine, upsert_of

CHUNK = 2_000


class SqlalchemyOrm(SyncAdapter):
    """Sessions on one engine."""

    def connect(self) -> None:
        """Make the engine."""
        self.engine = sync_engine(self.target)

    def disconnect(self) -> None:
        """Close the engine's connections."""
        self.close_threads()
        self.engine.dispose()

    def insert_each(self, rows: Sequence[NewRow]) -> None:
        """Open a session for each."""
        for level, text, ts in rows:
            with Session(self.engine, expire_on_commit=False) as session, session.begin():
                session.add(Journal(level=level, text=text, ts=ts))

    def insert_together(self, rows: Sequence[NewRow]) -> None:
        """Add and flush each."""
        with Session(self.engine) as session, session.begin():
            for level, text, ts in rows:
                session.add(Journal(level=level, text=text, ts=ts))
                session.flush()

    def insert_bulk(self, batches: Sequence[Sequence[NewRow]]) -> None:
        """Add all and flush once."""
        for rows in batches:
            with Session(self.engine) as session, session.begin():
                session.add_all([Journal(level=level, text=text, ts=ts) for level, text, ts in rows])

    def update_bulk(self, objects: Sequence[Journal], texts: Sequence[str]) -> None:
        """Use the bulk update by primary key."""
        values = [{"id": item.id, "text": text} for item, text in zip(objects, texts, strict=True)]
        self.session.execute(update(Journal), values)
        self.session.commit()
        self.session.close()

    def upsert(self, batches: Sequence[Sequence[Row]]) -> None:
        """Use the upsert statement of the dialect with a list of rows."""
        statement = upsert_of(Journal, self.target.kind)
        for rows in batches:
            with Session(self.engine) as session, session.begin():
                session.execute(statement, [row._asdict() for row in rows])

    def filter_large(self, levels: Sequence[int]) -> Sequence[Any]:
        """Use a new session for each query: instances are built anew."""
        found: Sequence[Any] = ()
        for level in levels:
            with Session(self.engine) as session:
                found = session.scalars(select(Journal).where(Journal.level == level)).all()
        return found

    def filter_small(self, levels: Sequence[int]) -> Sequence[Any]:
        """Use a new session for each query."""
        found: Sequence[Any] = ()
        for level in levels:
            with Session(self.engine) as session:
                found = session.scalars(select(Journal).where(Journal.level == level).limit(20)).all()
        return found

    def get(self, keys: Sequence[int]) -> Any:
        """Use one session for all keys."""
        found = None
        with Session(self.engine) as session:
            for key in keys:
                found = session.get(Journal, key)
        return found

    def thread_get(self, keys: Sequence[int]) -> Any:
        """Use a session for each key."""
        found = None
        for key in keys:
            with Session(self.engine) as session:
                found = session.get(Journal, key)
        return found

    def dicts(self, levels: Sequence[int]) -> list[dict[str, Any]]:
        """Build them from mappings."""
        found: list[dict[str, Any]] = []
        for level in levels:
            with Session(self.engine) as session:
                query = select(Journal.id, Journal.level, Journal.text, Journal.ts).where(
                    Journal.level == level
                )
                found = [dict(row) for row in session.execute(query).mappings()]
        return found

    def tuples(self, levels: Sequence[int]) -> Sequence[Any]:
        """Take SQLAlchemy's rows."""
        found: Sequence[Any] = ()
        for level in levels:
            with Session(self.engine) as session:
                query = select(Journal.id, Journal.level, Journal.text, Journal.ts).where(
                    Journal.level == level
                )
                found = session.execute(query).all()
        return found

    def load(self, keys: Sequence[int]) -> list[Journal]:
        """Open the session that the changes are made in."""
        self.session = Session(self.engine, expire_on_commit=False)
        by_key = {
            entry.id: entry for entry in self.session.scalars(select(Journal).where(Journal.id.in_(keys)))
        }
        return [by_key[key] for key in keys]

    def save_whole(self, objects: Sequence[Journal], rows: Sequence[NewRow]) -> None:
        """Flush after each object."""
        for item, (level, text, ts) in zip(objects, rows, strict=True):
            item.level, item.text, item.ts = level, text, ts
            self.session.flush()
        self.session.commit()
        self.session.close()

    def save_field(self, objects: Sequence[Journal], texts: Sequence[str]) -> None:
        """Flush after each object."""
        for item, text in zip(objects, texts, strict=True):
            item.text = text
            self.session.flush()
        self.session.commit()
        self.session.close()

    def delete(self, objects: Sequence[Journal]) -> None:
        """Flush after each object."""
        for item in objects:
            self.session.delete(item)
            self.session.flush()
        self.session.commit()
        self.session.close()

    def join(self, times: int) -> Sequence[Any]:
        """Load with joinedload."""
        found: Sequence[Any] = ()
        for _ in range(times):
            with Session(self.engine) as session:
                found = session.scalars(select(Book).options(joinedload(Book.author, innerjoin=True))).all()
        return found

    def prefetch_books(self, times: int) -> Sequence[Any]:
        """Load with selectinload."""
        found: Sequence[Any] = ()
        for _ in range(times):
            with Session(self.engine) as session:
                found = session.scalars(select(Author).options(selectinload(Author.books))).all()
                sum(len(author.books) for author in found)
        return found

    def prefetch_tags(self, times: int) -> Sequence[Any]:
        """Load with selectinload."""
        found: Sequence[Any] = ()
        for _ in range(times):
            with Session(self.engine) as session:
                found = session.scalars(select(Book).options(selectinload(Book.tags))).all()
                sum(len(book.tags) for book in found)
        return found

    def join_tuples(self, times: int) -> Sequence[Any]:
        """Take SQLAlchemy's rows."""
        found: Sequence[Any] = ()
        for _ in range(times):
            with Session(self.engine) as session:
                found = session.execute(select(Book.id, Book.title, Author.name).join(Book.author)).all()
        return found

    def summary(self, levels: Sequence[int]) -> Any:
        """Take the row."""
        found = None
        key = Journal.id
        for level in levels:
            with Session(self.engine) as session:
                query = select(func.count(), func.min(key), func.max(key), func.sum(key))
                found = session.execute(query.where(Journal.level == level)).one()
        return found

    def group(self, times: int) -> Sequence[Any]:
        """Count in a session."""
        found: Sequence[Any] = ()
        for _ in range(times):
            with Session(self.engine) as session:
                found = session.execute(select(Journal.level, func.count()).group_by(Journal.level)).all()
        return found

    def request(self, keys: Sequence[int], texts: Sequence[str]) -> None:
        """Open a session for each."""
        for key, text in zip(keys, texts, strict=True):
            with Session(self.engine) as session, session.begin():
                entry = session.get_one(Journal, key)
                entry.text = text

    def stream(self) -> tuple[int, Any]:
        """Use yield_per."""
        count, last = 0, None
        with Session(self.engine) as session:
            for item in session.scalars(select(Journal).execution_options(yield_per=CHUNK)):
                count, last = count + 1, item
        return count, last


def create(target: Target) -> SyncAdapter:
    """Return the adapter."""
    return SqlalchemyOrm(target)
