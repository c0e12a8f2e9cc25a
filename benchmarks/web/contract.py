"""What every application answers: the routes, and the shape of what they give."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from typing import Annotated, Any, Protocol

from fastapi import FastAPI, HTTPException
from pydantic import BaseModel, BeforeValidator, ConfigDict

__all__ = ["Conflict", "Missing", "Store", "application"]


def listed(value: Any) -> Any:
    """Return what a manager of Django's or a relation of Tortoise's holds."""
    return list(value) if hasattr(value, "__iter__") else list(value.all())


class Out(BaseModel):
    """Reads the attributes of an object."""

    model_config = ConfigDict(from_attributes=True)


class UserOut(Out):
    id: int
    username: str
    email: str
    joined_at: datetime


class AuthorOut(Out):
    id: int
    username: str


class TagOut(Out):
    id: int
    name: str


class CommentOut(Out):
    id: int
    text: str
    created_at: datetime
    author: AuthorOut


class PostOut(Out):
    id: int
    title: str
    created_at: datetime
    author: AuthorOut
    tags: Annotated[list[TagOut], BeforeValidator(listed)]


class PostDetail(PostOut):
    body: str
    comments: Annotated[list[CommentOut], BeforeValidator(listed)]


class NewComment(BaseModel):
    author_id: int
    text: str


class PostChange(BaseModel):
    title: str | None = None
    body: str | None = None


class Missing(Exception):
    """There is no such row."""


class Conflict(Exception):
    """The database has refused the row."""


class Store(Protocol):
    """What an application does with its database, in its library's own words."""

    async def user(self, key: int) -> Any:
        """Return a user, or raise Missing."""

    async def feed(self, before: int | None, limit: int) -> Any:
        """Return the newest posts, with author and tags."""

    async def post(self, key: int) -> Any:
        """Return a post with author, tags, comments and their authors, or raise Missing."""

    async def comment(self, key: int, author: int, text: str) -> Any:
        """Add a comment to a post; return it with its author. Raises Missing."""

    async def change(self, key: int, values: dict[str, Any]) -> Any:
        """Change a post in a transaction; return it with author and tags. Raises Missing."""


Lifespan = Callable[[FastAPI], AbstractAsyncContextManager[None]]


def application(store: Store, lifespan: Callable[[FastAPI], AsyncIterator[None]] | Lifespan) -> FastAPI:
    """Return the application over a store."""
    app = FastAPI(lifespan=lifespan)  # type: ignore[arg-type]

    async def found(work: Any) -> Any:
        try:
            return await work
        except Missing:
            raise HTTPException(404) from None
        except Conflict:
            raise HTTPException(409) from None

    @app.get("/health")
    async def health() -> dict[str, str]:
        return {"status": "ok"}

    @app.get("/users/{key}", response_model=UserOut)
    async def user(key: int) -> Any:
        return await found(store.user(key))

    @app.get("/posts", response_model=list[PostOut])
    async def feed(before: int | None = None, limit: int = 20) -> Any:
        return await store.feed(before, limit)

    @app.get("/posts/{key}", response_model=PostDetail)
    async def post(key: int) -> Any:
        return await found(store.post(key))

    @app.post("/posts/{key}/comments", response_model=CommentOut, status_code=201)
    async def comment(key: int, new: NewComment) -> Any:
        return await found(store.comment(key, new.author_id, new.text))

    @app.patch("/posts/{key}", response_model=PostOut)
    async def change(key: int, values: PostChange) -> Any:
        return await found(store.change(key, values.model_dump(exclude_unset=True)))

    return app
