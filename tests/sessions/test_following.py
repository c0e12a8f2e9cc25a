"""What a session holds after rows were deleted past its unit of work: objects that are gone, keys that were set."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Session

from ormolu import CASCADE, SET_NULL, CharField, ForeignKey, Model, databases
from ormolu.repository import AsyncRepository, Repository

pytestmark = pytest.mark.backends("sqlite", "postgresql")


class Badge(Model):
    """Marks branches."""

    name = CharField(max_length=20)


class Branch(Model):
    """Stands in a tree."""

    name = CharField(max_length=20)
    parent = ForeignKey("self", on_delete=CASCADE, null=True, related_name="branches")
    badge = ForeignKey(Badge, on_delete=SET_NULL, null=True, related_name="branches")


@asynccontextmanager
async def opened(world: Any) -> AsyncIterator[Any]:
    """A session of this world."""
    if world.is_async:
        async with AsyncSession(databases.get().async_engine, expire_on_commit=False) as session:
            yield session
    else:
        with Session(databases.get().engine, expire_on_commit=False) as session:
            yield session


async def of(world: Any, found: Any) -> Any:
    """The result of a call, awaited where it has to be."""
    return await found if world.is_async else found


async def tree(world: Any, session: Any) -> tuple[Any, Any, Any]:
    """A branch, one on it, and one that stands alone."""
    branches = Branch.objects(session)
    root = await of(world, branches.create(name="root"))
    twig = await of(world, branches.create(name="twig", parent=root))
    alone = await of(world, branches.create(name="alone"))
    return root, twig, alone


HOW: dict[str, Any] = {
    "queryset": lambda world, session, one: Branch.objects(session).filter(pk=one.pk).delete(),
    "session": lambda world, session, one: one.delete(session),
    "object": lambda world, session, one: one.adelete() if world.is_async else one.delete(),
    "repository": lambda world, session, one: (AsyncRepository if world.is_async else Repository)(
        session, Branch
    ).delete(one),
}


@pytest.mark.parametrize("how", HOW)
async def test_rows_of_the_same_table_go_along(db: Any, world: Any, how: str) -> None:
    """What a cascade deletes in the object's own table leaves the session; other objects stay, loaded as they were."""
    async with opened(world) as session:
        root, twig, alone = await tree(world, session)
        await of(world, HOW[how](world, session, root))
        assert (root in session, twig in session, alone in session) == (False, False, True)
        assert alone.name == "alone"
        assert await of(world, session.get(Branch, twig.pk)) is None
        alone.name = "changed"
        await of(world, session.commit())
    assert [one.name for one in await world.list(Branch.objects.all())] == ["changed"]


async def test_keys_that_were_set_follow(db: Any, world: Any) -> None:
    """An object whose key on_delete has set to NULL says so, at once and in async code."""
    async with opened(world) as session:
        badge = await of(world, Badge.objects(session).create(name="b"))
        other = await of(world, Badge.objects(session).create(name="c"))
        with_it = await of(world, Branch.objects(session).create(name="x", badge=badge))
        without = await of(world, Branch.objects(session).create(name="y", badge=other))
        await of(world, Badge.objects(session).filter(name="b").delete())
        assert (with_it.badge_id, with_it.badge) == (None, None)
        assert (without.badge_id, without.badge) == (other.pk, other)
        await of(world, session.rollback())


async def test_a_locked_object_is_as_its_row(db: Any, world: Any) -> None:
    """select_for_update() loads an object that the session holds again, but for what was set and isn't flushed."""
    async with opened(world) as session:
        badge = await of(world, Badge.objects(session).create(name="b"))
        held = await of(world, Branch.objects(session).create(name="x", badge=badge))
        await of(world, session.commit())
        other = await world(Badge.objects.create, name="c")
        await world(Branch.objects.filter(pk=held.pk).update, name="y", badge=other)
        assert await of(world, Branch.objects(session).get(pk=held.pk)) is held
        assert (held.name, held.badge) == ("x", badge)
        locked = Branch.objects(session).select_for_update()
        assert await of(world, locked.get(pk=held.pk)) is held
        assert (held.name, held.badge_id, "badge" in held.__dict__) == ("y", other.pk, False)
        held.name = "z"
        with session.no_autoflush:
            await of(world, locked.get(pk=held.pk))
        assert held.name == "z"
        await of(world, session.commit())
    assert (await world(Branch.objects.get)).name == "z"
