"""The application on Tortoise."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from fastapi import FastAPI
from tortoise import fields
from tortoise.contrib.fastapi import RegisterTortoise
from tortoise.exceptions import DoesNotExist
from tortoise.models import Model
from tortoise.query_utils import Prefetch
from tortoise.transactions import in_transaction

from .contract import Missing, application


class User(Model):
    id = fields.IntField(primary_key=True)
    username = fields.CharField(max_length=40)
    email = fields.CharField(max_length=254)
    joined_at = fields.DatetimeField(auto_now_add=True)

    class Meta:
        table = "blog_user"


class Tag(Model):
    id = fields.IntField(primary_key=True)
    name = fields.CharField(max_length=40)

    class Meta:
        table = "blog_tag"


class Post(Model):
    id = fields.IntField(primary_key=True)
    author: Any = fields.ForeignKeyField("blog.User", related_name="posts")
    title = fields.CharField(max_length=200)
    body = fields.TextField()
    created_at = fields.DatetimeField(auto_now_add=True)
    tags: Any = fields.ManyToManyField(
        "blog.Tag",
        through="blog_post_tags",
        forward_key="tag_id",
        backward_key="post_id",
        related_name="posts",
    )
    comments: Any

    class Meta:
        table = "blog_post"


class Comment(Model):
    id = fields.IntField(primary_key=True)
    post: Any = fields.ForeignKeyField("blog.Post", related_name="comments")
    author: Any = fields.ForeignKeyField("blog.User", related_name="comments")
    text = fields.TextField()
    created_at = fields.DatetimeField(auto_now_add=True)

    class Meta:
        table = "blog_comment"


def tags() -> Prefetch:
    return Prefetch("tags", queryset=Tag.all().order_by("id"))


class TortoiseStore:
    """Querysets in autocommit; a transaction where something is changed."""

    async def user(self, key: int) -> Any:
        try:
            return await User.get(id=key)
        except DoesNotExist:
            raise Missing from None

    async def feed(self, before: int | None, limit: int) -> Any:
        queryset = Post.all() if before is None else Post.filter(id__lt=before)
        return await queryset.order_by("-id").limit(limit).select_related("author").prefetch_related(tags())

    async def post(self, key: int) -> Any:
        comments = Prefetch("comments", queryset=Comment.all().order_by("id").select_related("author"))
        try:
            return await Post.get(id=key).select_related("author").prefetch_related(tags(), comments)
        except DoesNotExist:
            raise Missing from None

    async def comment(self, key: int, author: int, text: str) -> Any:
        async with in_transaction():
            try:
                by = await User.get(id=author)
                await Post.get(id=key)
            except DoesNotExist:
                raise Missing from None
            return await Comment.create(post_id=key, author=by, text=text)

    async def change(self, key: int, values: dict[str, Any]) -> Any:
        async with in_transaction():
            try:
                found = await Post.get(id=key).select_related("author").prefetch_related(tags())
            except DoesNotExist:
                raise Missing from None
            found.update_from_dict(values)
            await found.save(update_fields=list(values))
            return found


def address() -> str:
    url = os.environ["BLOG_URL"]
    if url.startswith("sqlite"):
        return f"{url}?journal_mode=WAL&synchronous=NORMAL&foreign_keys=ON&busy_timeout=30000"
    return f"{url.replace('postgresql:', 'asyncpg:')}?minsize=1&maxsize=16"


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    async with RegisterTortoise(app, db_url=address(), modules={"blog": [__name__]}, use_tz=True):
        yield


app = application(TortoiseStore(), lifespan)
