"""The blog's data: the same for every application."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from examples.blog.models import Comment, Post, Tag, User

from ormolu import configure, create_tables, databases

__all__ = ["POSTS", "USERS", "fill"]

USERS, TAGS, POSTS, COMMENTS = 100, 50, 1000, 4
EPOCH = datetime(2026, 1, 1, tzinfo=UTC)


def fill(url: str) -> None:
    """Make the tables of a database, and their rows, which are functions of their number."""
    configure(url)
    create_tables(User, Tag, Post, Comment)
    User.objects.bulk_create([User(username=f"user{n}", email=f"user{n}@example.com") for n in range(USERS)])
    Tag.objects.bulk_create([Tag(name=f"tag{n}") for n in range(TAGS)])
    Post.objects.bulk_create(
        [
            Post(
                author_id=n % USERS + 1,
                title=f"Title {n}",
                body="Some words. " * 40,
                created_at=EPOCH + timedelta(hours=n),
            )
            for n in range(POSTS)
        ]
    )
    through = Post.tags.through
    through.objects.bulk_create(
        [through(post_id=n + 1, tag_id=(n + k * 7) % TAGS + 1) for n in range(POSTS) for k in range(3)]
    )
    Comment.objects.bulk_create(
        [
            Comment(post_id=n + 1, author_id=(n + k) % USERS + 1, text=f"Comment {k}")
            for n in range(POSTS)
            for k in range(COMMENTS)
        ]
    )
    databases.close_all()
