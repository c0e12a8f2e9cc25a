"""The application on Django's ORM and its asynchronous methods."""

# mypy: allow-subclassing-any

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlsplit

import django
from asgiref.sync import sync_to_async
from django.apps import AppConfig
from django.conf import settings
from fastapi import FastAPI

from .contract import Missing, application

url = urlsplit(os.environ["BLOG_URL"])
database: dict[str, Any] = {"CONN_MAX_AGE": None}
if url.scheme.startswith("sqlite"):
    pragmas = "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA foreign_keys=ON;"
    options = {"init_command": pragmas, "timeout": 30, "transaction_mode": "IMMEDIATE"}
    database |= {"ENGINE": "django.db.backends.sqlite3", "NAME": url.path[1:], "OPTIONS": options}
else:
    names = {"NAME": url.path[1:], "HOST": url.hostname, "PORT": url.port, "USER": url.username}
    database |= {"ENGINE": "django.db.backends.postgresql", "PASSWORD": url.password or "", **names}


class Blog(AppConfig):
    """The application that the models belong to."""

    name = __name__
    label = "blog"


settings.configure(DATABASES={"default": database}, USE_TZ=True, INSTALLED_APPS=[f"{__name__}.Blog"])
django.setup()

from django.db import models, transaction  # noqa: E402


class User(models.Model):
    username = models.CharField(max_length=40)
    email = models.EmailField()
    joined_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        app_label = "blog"


class Tag(models.Model):
    name = models.CharField(max_length=40)

    class Meta:
        app_label = "blog"


class Post(models.Model):
    author = models.ForeignKey(User, models.CASCADE, related_name="posts")
    title = models.CharField(max_length=200)
    body = models.TextField()
    created_at = models.DateTimeField(auto_now_add=True)
    tags = models.ManyToManyField(Tag, related_name="posts")

    class Meta:
        app_label = "blog"


class Comment(models.Model):
    post = models.ForeignKey(Post, models.CASCADE, related_name="comments")
    author = models.ForeignKey(User, models.CASCADE, related_name="comments")
    text = models.TextField()
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        app_label = "blog"


def feed() -> Any:
    return Post.objects.select_related("author").prefetch_related(
        models.Prefetch("tags", queryset=Tag.objects.order_by("id"))
    )


class DjangoStore:
    """Asynchronous methods where there are some; transactions need a thread."""

    async def user(self, key: int) -> Any:
        try:
            return await User.objects.aget(pk=key)
        except User.DoesNotExist:
            raise Missing from None

    async def feed(self, before: int | None, limit: int) -> Any:
        queryset = feed() if before is None else feed().filter(pk__lt=before)
        return [post async for post in queryset.order_by("-pk")[:limit]]

    async def post(self, key: int) -> Any:
        comments = models.Prefetch(
            "comments", queryset=Comment.objects.order_by("id").select_related("author")
        )
        try:
            return await feed().prefetch_related(comments).aget(pk=key)
        except Post.DoesNotExist:
            raise Missing from None

    async def comment(self, key: int, author: int, text: str) -> Any:
        @transaction.atomic
        def work() -> Any:
            try:
                by = User.objects.get(pk=author)
                Post.objects.get(pk=key)
            except (User.DoesNotExist, Post.DoesNotExist):
                raise Missing from None
            return Comment.objects.create(post_id=key, author=by, text=text)

        return await sync_to_async(work)()

    async def change(self, key: int, values: dict[str, Any]) -> Any:
        @transaction.atomic
        def work() -> Any:
            try:
                found = feed().get(pk=key)
            except Post.DoesNotExist:
                raise Missing from None
            for name, value in values.items():
                setattr(found, name, value)
            found.save(update_fields=list(values))
            return found

        return await sync_to_async(work)()


@asynccontextmanager
async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
    yield


app = application(DjangoStore(), lifespan)
