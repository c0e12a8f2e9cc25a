"""Querysets bound to a SQLAlchemy session: the objects are the session's, and nothing commits by itself."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy import String
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine
from sqlalchemy.orm import Mapped, Session, mapped_column

from ormolu import CASCADE, ForeignKey, IntegerField, Model, TimestampMixin, databases
from ormolu.exceptions import IntegrityError, ObjectDoesNotExist


class User(Model, TimestampMixin):
    """Declared as SQLAlchemy's users do."""

    __tablename__ = "session_users"

    name: Mapped[str] = mapped_column(String(50))  # MariaDB needs a length
    email: Mapped[str] = mapped_column(String(50), unique=True)


class Post(Model):
    """Declared as Django's users do."""

    user = ForeignKey(User, on_delete=CASCADE, related_name="posts")
    likes = IntegerField(default=0)


@pytest.fixture
def session(db: Any) -> Iterator[Session]:
    """A session on the library's own engine."""
    with Session(databases.get().engine) as made:
        yield made


def test_objects_are_attached_to_the_session(session: Session) -> None:
    """What a bound queryset reads is the session's own object, once for each row."""
    users = User.objects(session)
    ann = users.create(name="Ann", email="ann@example.com")
    session.commit()
    session.expunge_all()
    found = users.get(email="ann@example.com")
    assert found.pk == ann.pk
    assert sa.inspect(found).persistent
    assert session.get(User, found.pk) is found
    assert users.filter(User.name == "Ann").first() is found


def test_changes_are_flushed_by_the_session(session: Session) -> None:
    """A change of an attribute is written by the unit of work, before the next bound query."""
    users = User.objects(session)
    ann = users.create(name="Ann", email="ann@example.com")
    ann.name = "Anna"
    assert users.filter(name="Anna").count() == 1
    session.rollback()
    assert users.count() == 0


def test_nothing_commits(session: Session) -> None:
    """Creating flushes; another connection sees the row after the session's commit only."""
    User.objects(session).create(name="Ann", email="ann@example.com")
    assert User.objects.count() == 0
    session.commit()
    assert User.objects.count() == 1


def test_get_or_create_keeps_pending_work(session: Session) -> None:
    """A lost race is settled in a savepoint."""
    users = User.objects(session)
    users.create(name="Bob", email="bob@example.com")
    first, created = users.get_or_create(email="ann@example.com", defaults={"name": "Ann"})
    again, twice = users.get_or_create(email="ann@example.com", defaults={"name": "Other"})
    assert (created, twice, again) == (True, False, first)
    with pytest.raises(sa.exc.IntegrityError):
        users.get_or_create(name="nobody", defaults={"email": "bob@example.com"})
    assert users.count() == 2


def test_update_and_delete_reach_the_objects_held(session: Session) -> None:
    """Objects that the session holds follow set-based writes."""
    users = User.objects(session)
    ann = users.create(name="Ann", email="ann@example.com")
    bob = users.create(name="Bob", email="bob@example.com")
    assert users.filter(name="Ann").update(name="Anna") == 1
    assert (ann.name, bob.name) == ("Anna", "Bob")
    assert users.filter(pk=bob.pk).delete()[0] == 1
    assert bob not in session
    assert ann in session


def test_update_or_create_changes_and_flushes(session: Session) -> None:
    """An object that is there is changed, a missing one is made."""
    users = User.objects(session)
    ann, created = users.update_or_create(email="ann@example.com", defaults={"name": "Ann"})
    assert created
    same, created = users.update_or_create(email="ann@example.com", defaults={"name": "Anna"})
    assert (same, created, ann.name) == (ann, False, "Anna")


def test_related_objects_are_the_sessions_too(session: Session) -> None:
    """select_related and prefetch_related give the objects of the identity map."""
    ann = User.objects(session).create(name="Ann", email="ann@example.com")
    Post.objects(session).bulk_create([Post(user=ann), Post(user=ann, likes=3)])
    session.commit()
    posts = list(Post.objects(session).select_related("user").order_by("likes"))
    assert [post.user is ann for post in posts] == [True, True]
    (found,) = User.objects(session).prefetch_related("posts")
    assert found is ann
    assert [post in posts for post in found.posts.all()] == [True, True]


def test_errors_are_ours(session: Session) -> None:
    """DoesNotExist and our IntegrityError, which is SQLAlchemy's as well."""
    users = User.objects(session)
    with pytest.raises(ObjectDoesNotExist):
        users.get(pk=0)
    assert issubclass(IntegrityError, sa.exc.IntegrityError)


def test_what_is_no_session_is_refused(db: Any) -> None:
    """The error says what a manager can be bound to."""
    with pytest.raises(
        TypeError,
        match=r"User\.objects\(session\) takes a SQLAlchemy Session or AsyncSession, a scoped one, a",
    ):
        User.objects("default")


@asynccontextmanager
async def async_session(backend: Any) -> AsyncIterator[AsyncSession]:
    """An AsyncSession on an engine of its own."""
    drivers = {
        "sqlite": "sqlite+aiosqlite",
        "postgresql": "postgresql+psycopg",
        "asyncpg": "postgresql+asyncpg",
    }
    url = sa.make_url(backend.url).set(drivername=drivers[backend.name])
    engine = create_async_engine(url)
    try:
        async with AsyncSession(engine, expire_on_commit=False) as made:
            yield made
    finally:
        await engine.dispose()


@pytest.mark.backends("sqlite", "postgresql")
def test_an_async_session_gives_coroutines(db: Any) -> None:
    """With an AsyncSession the plain names are awaited; refining stays plain."""

    async def use(backend: Any) -> None:
        async with async_session(backend) as session:
            users = User.objects(session)
            ann = await users.create(name="Ann", email="ann@example.com")
            assert ann.created_at is not None
            assert await users.get(id=ann.id) is ann
            assert await users.filter(User.email == "ann@example.com").first() is ann
            assert await users.filter(name="Ann") == [ann]
            assert await users.all() == [ann]
            assert (await users.count(), await users.filter(name="Bob").exists()) == (1, False)
            bob, created = await users.get_or_create(email="bob@example.com", defaults={"name": "Bob"})
            assert created
            assert await users.filter(name__icontains="ÄNN").count() == 0
            await users.bulk_create([User(name=f"u{n}", email=f"u{n}@example.com") for n in range(3)])
            names = [user.name async for user in users.filter(name__startswith="u").order_by("-name")]
            assert names == ["u2", "u1", "u0"]
            assert (await users.filter(name__startswith="u").delete())[0] == 3
            assert await users.filter(pk=bob.pk).update(name="Robert") == 1
            assert bob.name == "Robert"
            await session.commit()

    asyncio.run(use(db))
    assert sorted(User.objects.values_list("name", flat=True)) == ["Ann", "Robert"]


@pytest.mark.backends("asyncpg")
@pytest.mark.worlds("async")
async def test_an_async_session_over_asyncpg(db: Any, world: Any) -> None:
    """The bound door works over SQLAlchemy's asyncpg dialect."""
    async with async_session(db) as session:
        users = User.objects(session)
        ann = await users.create(name="Ann", email="ann@example.com")
        assert await users.filter(name__icontains="an", pk__in=[ann.pk, 5]).count() == 1
        await session.rollback()
        assert await users.count() == 0


def test_a_stream_is_a_read_like_any_other(session: Session) -> None:
    """What is pending is flushed before it, and the connection is as it was after it."""
    session.add(User(name="Ann", email="ann@example.com"))
    assert [user.name for user in User.objects(session).iterator()] == ["Ann"]
    session.add(User(name="Ben", email="ben@example.com"))
    session.flush()
    assert User.objects(session).count() == 2


def test_methods_of_held_objects_use_their_session(session: Session) -> None:
    """What an object does goes over the connection of the session that holds it, and sees its work."""
    ann = User.objects(session).create(name="Ann", email="ann@example.com")
    ann.posts.create(likes=1)
    assert ann.posts.count() == 1
    ann.name = "Anna"
    ann.save()
    ann.refresh_from_db()
    assert ann.name == "Anna"
    (post,) = ann.posts.all()
    post.delete()
    assert ann.posts.count() == 0
    session.rollback()
    assert User.objects.count() == 0
