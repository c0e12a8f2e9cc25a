"""A script over the same models: who writes, and about what."""

from __future__ import annotations

from ormolu import Count, create_tables

from .models import Comment, Post, Tag, User

__all__ = ["lines"]


def lines(most: int = 5) -> list[str]:
    """Return the report: the busiest authors, and the tags they use."""
    authors = (
        User.objects.annotate(written=Count("posts")).filter(written__gt=0).order_by("-written", "username")
    )
    found = []
    for author in authors[:most].prefetch_related("posts__tags"):
        tags = sorted({tag.name for post in author.posts.all() for tag in post.tags.all()})
        found.append(f"{author.username}: {author.written} posts, about {', '.join(tags) or 'nothing'}")
    return found


if __name__ == "__main__":
    create_tables(User, Tag, Post, Comment)
    print("\n".join(lines()) or "Nobody has written anything.")
