"""Routers: reads go where they say, writes where they say."""

from collections.abc import Iterator
from typing import Any

import pytest

import ormolu
from traps.museum import Museum, Painter, Style

MODELS = [Museum, Painter, Style]


class ReadElsewhere:
    """A router that reads from a replica."""

    def db_for_read(self, model: Any, **hints: Any) -> str:
        return "replica"

    def db_for_write(self, model: Any, **hints: Any) -> str:
        return "default"

    def allow_relation(self, one: Any, other: Any, **hints: Any) -> bool:
        return True


@pytest.fixture
def replica(db: Any, backends: Any) -> Iterator[None]:
    """A second database, empty, that the router reads from."""
    other = backends.fresh(db.name)
    ormolu.configure(DATABASES={"default": db.url, "replica": other.url}, DATABASE_ROUTERS=[ReadElsewhere()])
    ormolu.create_tables(*MODELS, using="replica")
    yield
    ormolu.drop_tables(*MODELS, using="replica")
    ormolu.configure(db.url)


async def test_writes_go_to_the_router_s_choice(replica: None, db: Any, world: Any) -> None:
    """create(), save(), bulk_create(), update() and delete() ask the router for writing (E31)."""
    created = await world(Museum.objects.create, name="created")
    saved = Museum(name="saved")
    await world(saved.save)
    (bulk,) = await world(Museum.objects.bulk_create, [Museum(name="bulk")])
    assert {m._state.db for m in (created, saved, bulk)} == {"default"}
    here, there = Museum.objects.using("default"), Museum.objects.using("replica")
    assert sorted(await world.list(here.values_list("name", flat=True))) == ["bulk", "created", "saved"]
    assert await world(there.count) == 0
    assert await world(Museum.objects.count) == 0
    assert await world(Museum.objects.filter(name="bulk").update, city="C") == 1
    assert await world(Museum.objects.bulk_update, [bulk], ["name"]) == 1
    await world(Museum.objects.filter(name="bulk").delete)
    assert await world(here.count) == 2


async def test_get_or_create_of_a_row_that_the_replica_lacks(replica: None, db: Any, world: Any) -> None:
    """get_or_create() looks where it would write (E31)."""
    await world(Style.objects.create, name="pop")
    _, created = await world(Style.objects.get_or_create, name="pop")
    assert created is False
    assert await world(Style.objects.using("default").count) == 1


async def test_a_lock_is_taken_where_writes_go(replica: None, db: Any, world: Any) -> None:
    """select_for_update() asks the router for writing: a replica has nothing to lock."""
    await world(Museum.objects.create, name="here")
    locked = Museum.objects.select_for_update()
    assert (locked.db, Museum.objects.all().db) == ("default", "replica")
    async with world.atomic():
        assert [museum.name for museum in await world.list(locked)] == ["here"]
