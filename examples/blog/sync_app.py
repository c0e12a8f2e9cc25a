"""The same application through the synchronous doors: FastAPI runs each route in a thread of its own."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI

from ormolu import acreate_tables, atomic
from ormolu.contrib.fastapi import install

from .app import Limit
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


@asynccontextmanager
async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
    await acreate_tables(User, Tag, Post, Comment)
    yield


app = FastAPI(title="Blog, synchronous", lifespan=lifespan)
install(app, health="/health")


@app.post("/users", status_code=201)
def add_user(new: UserIn) -> UserOut:
    return UserOut.model_validate(User.objects.create(**new.model_dump()))


@app.get("/users/{key}")
def user(key: int) -> UserOut:
    return User.objects.as_schema(UserOut).get(pk=key)


@app.get("/posts")
def feed(before: int | None = None, limit: Limit = 20) -> list[PostOut]:
    posts = Post.objects.all() if before is None else Post.objects.filter(pk__lt=before)
    return list(posts.as_schema(PostOut)[:limit])


@app.get("/tags/{name}/posts")
def tagged(name: str, after: str | None = None, limit: Limit = 20) -> Page:
    tag = Tag.objects.get(name=name)
    page = tag.posts.order_by("-pk").as_schema(PostOut).page(limit, after=after)
    return Page(items=page.items, next=page.next)


@app.post("/posts", status_code=201)
def add_post(new: PostIn) -> PostDetail:
    with atomic(immediate=True):
        author = User.objects.get(pk=new.author_id)
        post = Post.objects.create(author=author, title=new.title, body=new.body)
        post.tags.set([Tag.objects.get_or_create(name=name)[0] for name in new.tags])
    return Post.objects.as_schema(PostDetail).get(pk=post.pk)


@app.get("/posts/{key}")
def post(key: int) -> PostDetail:
    return Post.objects.as_schema(PostDetail).get(pk=key)


@app.patch("/posts/{key}")
def change_post(key: int, change: PostChange) -> PostOut:
    with atomic(immediate=True):
        found = Post.objects.select_related("author").prefetch_related("tags").get(pk=key)
        change.update(found)
    return PostOut.model_validate(found)


@app.delete("/posts/{key}", status_code=204)
def delete_post(key: int) -> None:
    Post.objects.get(pk=key).delete()


@app.post("/posts/{key}/comments", status_code=201)
def add_comment(key: int, new: CommentIn) -> CommentOut:
    with atomic(immediate=True):
        found = Post.objects.get(pk=key)
        author = User.objects.get(pk=new.author_id)
        made = found.comments.create(author=author, text=new.text)
    return CommentOut.model_validate(made)
