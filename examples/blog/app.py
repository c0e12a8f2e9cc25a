"""The application, asynchronous: no sessions to pass around, a transaction where one is needed.

Rows that are missing are 404s, rows that the database refuses 409s: `install()` says so once for all routes.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated

from fastapi import FastAPI, Query

from ormolu import aatomic, acreate_tables
from ormolu.contrib.fastapi import install

from .models import Comment, Post, Tag, User
from .schemas import (
    CommentIn,
    CommentOut,
    Page,
    PostChange,
    PostDetail,
    PostIn,
    PostOut,
    UserIn,
    UserOut,
)

Limit = Annotated[int, Query(ge=1, le=100)]


@asynccontextmanager
async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
    await acreate_tables(User, Tag, Post, Comment)
    yield


app = FastAPI(title="Blog", lifespan=lifespan)
install(app, health="/health")


@app.post("/users", status_code=201)
async def add_user(new: UserIn) -> UserOut:
    return UserOut.model_validate(await User.objects.acreate(**new.model_dump()))


@app.get("/users/{key}")
async def user(key: int) -> UserOut:
    return await User.objects.as_schema(UserOut).aget(pk=key)


@app.get("/posts")
async def feed(before: int | None = None, limit: Limit = 20) -> list[PostOut]:
    posts = Post.objects.all() if before is None else Post.objects.filter(pk__lt=before)
    return await posts.as_schema(PostOut)[:limit]


@app.get("/tags/{name}/posts")
async def tagged(name: str, after: str | None = None, limit: Limit = 20) -> Page:
    tag = await Tag.objects.aget(name=name)
    page = await tag.posts.order_by("-pk").as_schema(PostOut).apage(limit, after=after)
    return Page(items=page.items, next=page.next)


@app.post("/posts", status_code=201)
async def add_post(new: PostIn) -> PostDetail:
    async with aatomic(immediate=True):  # it reads and then writes: SQLite asks for the lock at once
        author = await User.objects.aget(pk=new.author_id)
        post = await Post.objects.acreate(author=author, title=new.title, body=new.body)
        await post.tags.aset([(await Tag.objects.aget_or_create(name=name))[0] for name in new.tags])
    return await Post.objects.as_schema(PostDetail).aget(pk=post.pk)


@app.get("/posts/{key}")
async def post(key: int) -> PostDetail:
    return await Post.objects.as_schema(PostDetail).aget(pk=key)


@app.patch("/posts/{key}")
async def change_post(key: int, change: PostChange) -> PostOut:
    async with aatomic(immediate=True):  # it reads and then writes: SQLite asks for the lock at once
        found = await Post.objects.select_related("author").prefetch_related("tags").aget(pk=key)
        await change.aupdate(found)
    return PostOut.model_validate(found)


@app.delete("/posts/{key}", status_code=204)
async def delete_post(key: int) -> None:
    await (await Post.objects.aget(pk=key)).adelete()


@app.post("/posts/{key}/comments", status_code=201)
async def add_comment(key: int, new: CommentIn) -> CommentOut:
    async with aatomic(immediate=True):  # it reads and then writes: SQLite asks for the lock at once
        found = await Post.objects.aget(pk=key)
        author = await User.objects.aget(pk=new.author_id)
        made = await found.comments.acreate(author=author, text=new.text)
    return CommentOut.model_validate(made)
