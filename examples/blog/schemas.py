"""What the routes take and give: read off the models, with their limits."""

from __future__ import annotations

from pydantic import BaseModel, Field

from ormolu.schemas import Schema

from .models import Comment, Post, Tag, User

__all__ = [
    "AuthorOut", "CommentIn", "CommentOut", "Page", "PostChange", "PostDetail", "PostIn", "PostOut", "TagOut", "UserIn",
    "UserOut",
]  # fmt: skip


class UserOut(Schema):
    class Meta:
        model = User
        fields = ("id", "username", "email", "joined_at")


class UserIn(Schema):
    class Meta:
        model = User
        fields = ("username", "email")


class AuthorOut(Schema):
    class Meta:
        model = User
        fields = ("id", "username")


class TagOut(Schema):
    class Meta:
        model = Tag
        fields = ("id", "name")


class CommentOut(Schema):
    class Meta:
        model = Comment
        fields = ("id", "text", "created_at", "author")
        nested = {"author": AuthorOut}


class CommentIn(Schema):
    author_id: int

    class Meta:
        model = Comment
        fields = ("text",)


class PostOut(Schema):
    class Meta:
        model = Post
        fields = ("id", "title", "created_at", "author", "tags")
        nested = {"author": AuthorOut, "tags": TagOut}


class PostDetail(Schema):
    class Meta:
        model = Post
        fields = ("id", "title", "created_at", "author", "tags", "body", "comments")
        nested = {"author": AuthorOut, "tags": TagOut, "comments": CommentOut}


class PostIn(Schema):
    author_id: int
    tags: list[str] = Field(default=[], max_length=10)

    class Meta:
        model = Post
        fields = ("title", "body")


class PostChange(Schema):
    class Meta:
        model = Post
        fields = ("title", "body")
        optional = "__all__"


class Page(BaseModel):
    """Some posts, and the cursor of those that follow."""

    items: list[PostOut]
    next: str | None
