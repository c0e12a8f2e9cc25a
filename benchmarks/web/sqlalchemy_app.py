"""The application on SQLAlchemy's ORM and AsyncSession."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any

from fastapi import FastAPI
from sqlalchemy import Column, DateTime, ForeignKey, Table, event, func, select
from sqlalchemy.ext.asyncio import async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, joinedload, mapped_column, relationship, selectinload

from .contract import Missing, application


class Base(DeclarativeBase):
    pass


post_tags = Table(
    "blog_post_tags",
    Base.metadata,
    Column("id", primary_key=True),
    Column("post_id", ForeignKey("blog_post.id")),
    Column("tag_id", ForeignKey("blog_tag.id")),
)


class User(Base):
    __tablename__ = "blog_user"
    id: Mapped[int] = mapped_column(primary_key=True)
    username: Mapped[str]
    email: Mapped[str]
    joined_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())


class Tag(Base):
    __tablename__ = "blog_tag"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]


class Post(Base):
    __tablename__ = "blog_post"
    id: Mapped[int] = mapped_column(primary_key=True)
    author_id: Mapped[int] = mapped_column(ForeignKey("blog_user.id"))
    title: Mapped[str]
    body: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), default=datetime.now)
    author: Mapped[User] = relationship()
    tags: Mapped[list[Tag]] = relationship(secondary=post_tags, order_by=Tag.id)
    comments: Mapped[list[Comment]] = relationship(order_by="Comment.id")


class Comment(Base):
    __tablename__ = "blog_comment"
    id: Mapped[int] = mapped_column(primary_key=True)
    post_id: Mapped[int] = mapped_column(ForeignKey("blog_post.id"))
    author_id: Mapped[int] = mapped_column(ForeignKey("blog_user.id"))
    text: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), default=datetime.now)
    author: Mapped[User] = relationship()


url = os.environ["BLOG_URL"]
sqlite = url.startswith("sqlite")
pool: dict[str, Any] = {"pool_size": 16, "max_overflow": 0}
engine = create_async_engine(
    url.replace("sqlite:", "sqlite+aiosqlite:").replace("postgresql:", "postgresql+asyncpg:"), **pool
)
sessions = async_sessionmaker(engine, expire_on_commit=False)

if sqlite:

    @event.listens_for(engine.sync_engine, "connect")
    def connected(connection: Any, _record: Any) -> None:
        for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "foreign_keys=ON", "busy_timeout=30000"):
            connection.execute(f"PRAGMA {pragma}")


FEED = (joinedload(Post.author), selectinload(Post.tags))


class SqlalchemyStore:
    """A session for each request."""

    async def user(self, key: int) -> Any:
        async with sessions() as session:
            if (found := await session.get(User, key)) is None:
                raise Missing
            return found

    async def feed(self, before: int | None, limit: int) -> Any:
        statement = select(Post).options(*FEED).order_by(Post.id.desc()).limit(limit)
        if before is not None:
            statement = statement.where(Post.id < before)
        async with sessions() as session:
            return (await session.scalars(statement)).all()

    async def post(self, key: int) -> Any:
        comments = selectinload(Post.comments).joinedload(Comment.author)
        async with sessions() as session:
            if (found := await session.get(Post, key, options=(*FEED, comments))) is None:
                raise Missing
            return found

    async def comment(self, key: int, author: int, text: str) -> Any:
        async with sessions() as session, session.begin():
            if await session.get(Post, key) is None or (by := await session.get(User, author)) is None:
                raise Missing
            made = Comment(post_id=key, author=by, text=text)
            session.add(made)
            await session.flush()
            return made

    async def change(self, key: int, values: dict[str, Any]) -> Any:
        async with sessions() as session, session.begin():
            if (found := await session.get(Post, key, options=FEED)) is None:
                raise Missing
            for name, value in values.items():
                setattr(found, name, value)
            return found


@asynccontextmanager
async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
    yield
    await engine.dispose()


app = application(SqlalchemyStore(), lifespan)
