"""SQLAlchemy's own asynchronous engine and sessions, on the same databases."""

import asyncio
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from ormolu import CASCADE, CharField, ForeignKey, IntegrityError, Model, NotLoaded, databases


class Shelf(Model):
    name = CharField(max_length=10)

    class Meta:
        app_label = "async_sessions"


class Jar(Model):
    shelf: Any = ForeignKey(Shelf, on_delete=CASCADE)

    class Meta:
        app_label = "async_sessions"


@pytest.mark.worlds("async")
async def test_an_async_session_s_connections_are_set_up(db: Any, world: Any) -> None:
    """A connection of the asynchronous engine has the same pragmas and functions as ours."""
    await Shelf.objects.acreate(name="\u00c1")
    async with AsyncSession(databases.get().async_engine) as session:
        found = await Shelf.objects(session).filter(name__icontains="\u00e1")
        assert [shelf.name for shelf in found] == ["\u00c1"]
        session.add(Jar(shelf_id=10**6))
        with pytest.raises((IntegrityError, sa.exc.IntegrityError)):
            await session.commit()


@pytest.mark.worlds("async")
async def test_unloaded_attributes_of_an_async_session_s_objects(db: Any, world: Any) -> None:
    """What a commit expired raises NotLoaded, which names aload(); and that loads it through the session."""
    shelf = await Shelf.objects.acreate(name="top")
    await Jar.objects.acreate(shelf=shelf)
    async with AsyncSession(databases.get().async_engine) as session:
        jar = await Jar.objects(session).get()
        await session.commit()
        for name in ("shelf_id", "shelf"):
            with pytest.raises(NotLoaded, match=rf"async_sessions\.Jar\.{name} .*aload"):
                getattr(jar, name)
        await jar.aload("shelf_id")
        assert jar.shelf_id == shelf.pk
        await jar.aload("shelf")
        assert jar.shelf.name == "top"
        assert jar.shelf in session
        again = await Jar.objects(session).get()
        assert again is jar


@pytest.mark.backends("sqlite")
@pytest.mark.worlds("async")
async def test_a_connection_that_is_stopped_while_it_closes(db: Any, world: Any) -> None:
    """It closes. SQLAlchemy stops what a cancelled task was closing, and the end of the loop waits for both."""
    async with databases.get().async_engine.connect() as connection:
        native: Any = (await connection.get_raw_connection()).driver_connection
        closing = asyncio.ensure_future(native.close())
        await asyncio.sleep(0)
        native.stop()
        await asyncio.wait_for(closing, 5)
        await connection.invalidate()
    assert await Shelf.objects.acount() == 0
