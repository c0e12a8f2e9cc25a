"""Many-to-many relations whose table in between is a child's: its keys may be in its parent's table."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from ormolu import (
    CharField,
    Count,
    ForeignKey,
    ForeignObject,
    IntegerField,
    ManyToManyField,
    Model,
    databases,
)
from ormolu.models import CASCADE
from support.backends import Backend
from support.worlds import World


class Runner(Model):
    name = CharField(max_length=20)


class Club(Model):
    name = CharField(max_length=20)


class Race(Model):
    name = CharField(max_length=20)
    runners = ManyToManyField("Runner", through="RunnersEntry")
    favourites = ManyToManyField("Runner", through="FavouritesEntry", related_name="favoured_in")
    clubs = ManyToManyField("Club", through="ClubsEntry")


class Entry(Model):
    race: Any = ForeignKey(Race, on_delete=CASCADE)


class RunnersEntry(Entry):
    runner: Any = ForeignKey(Runner, on_delete=CASCADE)


class ClubsEntry(Entry):
    club: Any = ForeignKey(Club, on_delete=CASCADE)


class FavouritesEntry(RunnersEntry):
    class Meta:
        proxy = True


class Lane(Model):
    number = IntegerField(unique=True)
    runners = ManyToManyField(Runner, through="Start", related_name="lanes")


class Start(Model):
    lane_number = IntegerField()
    runner: Any = ForeignKey(Runner, on_delete=CASCADE)
    lane: Any = ForeignObject(Lane, on_delete=CASCADE, from_fields=("lane_number",), to_fields=("number",))


@pytest.fixture
def race(db: Backend) -> Race:
    """One with two runners and a club, and one with nobody."""
    Race.objects.create(name="nobody's")
    race = Race.objects.create(name="all's")
    for name in ("ann", "bob"):
        RunnersEntry.objects.create(race=race, runner=Runner.objects.create(name=name))
    ClubsEntry.objects.create(race=race, club=Club.objects.create(name="turtles"))
    return race


async def test_managers_of_both_sides(race: Race, world: World) -> None:
    """Related objects are found over the child's table and its parent's, by a proxy of it, too."""
    ann = await world(Runner.objects.get, name="ann")
    assert [r.name for r in await world.list(race.runners.order_by("name"))] == ["ann", "bob"]
    assert [r.name for r in await world.list(race.favourites.order_by("name"))] == ["ann", "bob"]
    assert await world(race.clubs.count) == 1
    assert await world.list(ann.race_set.all()) == [race]
    assert await world.list(ann.favoured_in.all()) == [race]


async def test_lookups_and_prefetching(race: Race, world: World, queries: Any) -> None:
    """Paths, aggregates and prefetch_related() go the same way."""
    assert await world(Race.objects.get, clubs__name="turtles") == race
    assert await world(Race.objects.exclude(runners__name="ann").get) != race
    assert await world(Club.objects.filter(race__name="all's").count) == 1
    counted = Race.objects.annotate(count=Count("runners")).order_by("-count")
    assert await world.list(counted.values_list("name", "count")) == [("all's", 2), ("nobody's", 0)]
    queries.clear()
    found = await world.list(Race.objects.order_by("pk").prefetch_related("clubs", "runners"))
    assert [[club.name for club in r.clubs.all()] for r in found] == [[], ["turtles"]]
    assert [len(r.runners.all()) for r in found] == [0, 2]
    assert len(queries) == 3


async def test_a_key_without_a_column(race: Race, world: World) -> None:
    """The table in between may refer to a model by a ForeignObject."""
    ann = await world(Runner.objects.get, name="ann")
    lane = await world(Lane.objects.create, number=7)
    await world(Start.objects.create, lane_number=7, runner=ann)
    assert await world.list(lane.runners.all()) == [ann]
    assert await world.list(Runner.objects.filter(lanes__number=7)) == [ann]


@pytest.mark.worlds("sync")
def test_sqlalchemy_joins_the_parents_table(race: Race) -> None:
    """The relationship's secondary is the child's table with its parent's."""
    with Session(databases.get().engine) as session:
        assert session.scalars(select(Race.name).join(Race.clubs).where(Club.name == "turtles")).all() == [
            "all's"
        ]
