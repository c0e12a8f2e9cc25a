"""The models, which all of the blog's programs share."""

from __future__ import annotations

from ormolu import (
    CASCADE,
    CharField,
    DateTimeField,
    EmailField,
    ForeignKey,
    ManyToManyField,
    Model,
    TextField,
)

__all__ = ["Comment", "Post", "Tag", "User"]


class User(Model):
    username = CharField(max_length=40, unique=True)
    email = EmailField(unique=True)
    joined_at = DateTimeField(auto_now_add=True)

    class Meta:
        app_label = "blog"
        ordering = ("username",)


class Tag(Model):
    name = CharField(max_length=40, unique=True)

    class Meta:
        app_label = "blog"
        ordering = ("id",)


class Post(Model):
    author = ForeignKey(User, CASCADE, related_name="posts")
    title = CharField(max_length=200)
    body = TextField()
    created_at = DateTimeField(auto_now_add=True)
    tags = ManyToManyField(Tag, related_name="posts")

    class Meta:
        app_label = "blog"
        ordering = ("-id",)


class Comment(Model):
    post = ForeignKey(Post, CASCADE, related_name="comments")
    author = ForeignKey(User, CASCADE, related_name="comments")
    text = TextField()
    created_at = DateTimeField(auto_now_add=True)

    class Meta:
        app_label = "blog"
        ordering = ("id",)
