"""Models: relations to themselves, tables in between, one name in two apps, objects that are one."""

from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Session

from ormolu import CASCADE, CharField, ForeignKey, IntegerField, ManyToManyField, Model, databases
from traps import annex
from traps.museum import PAINTERS, Painter, Painting, names, three_painters


class Room(Model):
    name = CharField(max_length=10)
    inside: Any = ForeignKey("self", on_delete=CASCADE, null=True, related_name="rooms")
    doors: Any = ManyToManyField("self")

    class Meta:
        app_label = "traps"


class Guard(Model):
    name = CharField(max_length=10)
    watched: Any = ManyToManyField(Room, through="Watch", related_name="guards")

    class Meta:
        app_label = "traps"


class Watch(Model):
    guard: Any = ForeignKey(Guard, on_delete=CASCADE)
    room: Any = ForeignKey(Room, on_delete=CASCADE)
    hours = IntegerField(default=8)

    class Meta:
        app_label = "traps"


class Catalogue(Model):
    here = CharField(max_length=10)

    class Meta:
        app_label = "traps"


MODELS = [*PAINTERS, Room, Guard, Watch, Catalogue, annex.Catalogue]


async def test_a_relation_to_itself(db: Any, world: Any) -> None:
    """A ForeignKey("self") works forward, backward, in lookups and in deletion (E47)."""
    house = await world(Room.objects.create, name="house")
    hall = await world(Room.objects.create, name="hall", inside=house)
    await world(Room.objects.create, name="niche", inside=hall)
    assert await names(world, house.rooms.all()) == ["hall"]
    assert await names(world, Room.objects.filter(inside__inside=house)) == ["niche"]
    assert await names(world, Room.objects.filter(rooms__name="niche")) == ["hall"]
    assert await names(world, Room.objects.filter(rooms__rooms__name="niche")) == ["house"]
    deleted, _ = await world(house.delete)
    assert deleted == 3


async def test_a_symmetrical_relation_to_itself(db: Any, world: Any) -> None:
    """A ManyToManyField("self") connects both ways (E47)."""
    one = await world(Room.objects.create, name="one")
    two = await world(Room.objects.create, name="two")
    await world(one.doors.add, two)
    assert await names(world, two.doors.all()) == ["one"]
    await world(two.doors.remove, one)
    assert await names(world, one.doors.all()) == []


async def test_a_table_in_between_of_one_s_own(db: Any, world: Any) -> None:
    """A relation through a model of one's own fills and reads its columns (E47)."""
    room = await world(Room.objects.create, name="hall")
    guard = await world(Guard.objects.create, name="Gus")
    await world(guard.watched.add, room, through_defaults={"hours": 3})
    watch = await world(Watch.objects.get, guard=guard)
    assert (watch.room_id, watch.hours) == (room.pk, 3)
    assert await names(world, Guard.objects.filter(watch__hours=3)) == ["Gus"]
    assert await names(world, room.guards.all()) == ["Gus"]


async def test_one_name_in_two_apps(db: Any, world: Any) -> None:
    """Models of one name in two apps are two models with two tables (E47)."""
    first = await world(Catalogue.objects.create, here="a")
    await world(annex.Catalogue.objects.create, there="b", first=first)
    assert Catalogue._meta.db_table != annex.Catalogue._meta.db_table
    assert (await world(Catalogue.objects.get)).here == "a"
    assert (await world(annex.Catalogue.objects.get, first__here="a")).there == "b"


async def test_related_objects_of_one_row(db: Any, world: Any) -> None:
    """Objects made for one row are equal; read through a session they are one object (E53).

    The table of traps asks for one object everywhere. As in Django, a query that is bound to no session makes an object
    for each row of the result; prefetching gives all that refer to one row the same object.
    """
    await three_painters(world)
    of_ann = Painting.objects.filter(painter__name="Ann")
    one, two = await world.list(of_ann.select_related("painter"))
    assert one.painter == two.painter
    one, two = await world.list(of_ann.prefetch_related("painter"))
    assert one.painter is two.painter
    if world.is_async:
        async with AsyncSession(databases.get().async_engine) as session:
            one, two = await Painting.objects(session).filter(painter__name="Ann").select_related("painter")
    else:
        with Session(databases.get().engine) as session:
            one, two = Painting.objects(session).filter(painter__name="Ann").select_related("painter")
    assert one.painter is two.painter


async def test_as_many_statements_as_calls(db: Any, world: Any) -> None:
    """Ten calls send ten statements to the driver, and nothing between them (E51)."""
    await world(Painter.objects.count)
    seen: list[str] = []

    def note(conn: Any, cursor: Any, statement: str, *rest: Any) -> None:
        seen.append(statement)

    database = databases.get()
    engine: sa.Engine = (
        database.async_engine.sync_engine if world.is_async and db.vendor != "sqlite" else database.engine
    )
    sa.event.listen(engine, "before_cursor_execute", note)
    try:
        for _ in range(10):
            await world(Painter.objects.count)
    finally:
        sa.event.remove(engine, "before_cursor_execute", note)
    assert len(seen) == 10, seen


@pytest.mark.slow
async def test_more_values_than_one_statement_takes(db: Any, world: Any) -> None:
    """A list of values may be longer than what a statement takes, and so may a bulk write (E50)."""
    rooms = await world(Room.objects.bulk_create, [Room(name=f"r{n % 7}") for n in range(40_000)])
    assert len({room.pk for room in rooms}) == 40_000
    assert await world(Room.objects.count) == 40_000
    keys = [room.pk for room in rooms]
    assert await world(Room.objects.filter(id__in=[*keys, *range(10**9, 10**9 + 260_000)]).count) == 40_000
    assert await world(Room.objects.exclude(id__in=keys[1:]).count) == 1
    assert len(await world(Room.objects.in_bulk, keys)) == 40_000
    for room in rooms:
        room.name = "x"
    assert await world(Room.objects.bulk_update, rooms, ["name"]) == 40_000
    deleted, _ = await world(Room.objects.filter(id__in=keys).delete)
    assert deleted == 40_000
