"""The SQLAlchemy models and engines of the three SQLAlchemy adapters."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Column, Engine, ForeignKey, Integer, String, Table, create_engine
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship

from benchmarks.schema import Target
from benchmarks.workloads import POOL


class Base(DeclarativeBase):
    """The base of the models."""


book_tags = Table(
    "book_tags",
    Base.metadata,
    Column("id", Integer, primary_key=True),
    Column("book_id", ForeignKey("book.id")),
    Column("tag_id", ForeignKey("tag.id")),
)


class Journal(Base):
    """An entry of the journal."""

    __tablename__ = "journal"

    id: Mapped[int] = mapped_column(primary_key=True)
    level: Mapped[int] = mapped_column(index=True)
    text: Mapped[str] = mapped_column(String(200), index=True)
    ts: Mapped[datetime]


class Author(Base):
    """An author."""

    __tablename__ = "author"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(100))
    books: Mapped[list[Book]] = relationship(back_populates="author")


class Tag(Base):
    """A tag."""

    __tablename__ = "tag"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(100))


class Book(Base):
    """A book."""

    __tablename__ = "book"

    id: Mapped[int] = mapped_column(primary_key=True)
    title: Mapped[str] = mapped_column(String(200))
    author_id: Mapped[int] = mapped_column(ForeignKey("author.id"))
    author: Mapped[Author] = relationship(back_populates="books")
    tags: Mapped[list[Tag]] = relationship(secondary=book_tags)


def sync_engine(target: Target) -> Engine:
    """Return an engine on sqlite3 or psycopg."""
    url = f"sqlite:///{target.path}" if target.kind == "sqlite" else target.url("postgresql+psycopg")
    return create_engine(url, pool_size=POOL)


def async_engine(target: Target) -> AsyncEngine:
    """Return an engine on aiosqlite or asyncpg."""
    url = (
        f"sqlite+aiosqlite:///{target.path}" if target.kind == "sqlite" else target.url("postgresql+asyncpg")
    )
    return create_async_engine(url, pool_size=POOL)


def upsert_of(target: Any, kind: str) -> Any:
    """Return the INSERT that updates a journal's row that is there already."""
    insert: Any = sqlite.insert if kind == "sqlite" else postgresql.insert
    statement = insert(target)
    new = statement.excluded
    return statement.on_conflict_do_update(
        index_elements=["id"], set_={"level": new.level, "text": new.text, "ts": new.ts}
    )
