"""Streaming: rows as they arrive, prefetched by chunk, in constant memory."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from ormolu import CASCADE, CharField, ForeignKey, Model
from support.backends import Backend
from support.worlds import World


class River(Model):
    name = CharField(max_length=20)

    class Meta:
        app_label = "streaming"


class Ship(Model):
    name = CharField(max_length=20)
    river: Any = ForeignKey(River, on_delete=CASCADE, related_name="ships")

    class Meta:
        app_label = "streaming"


class Wave(Model):
    height = CharField(max_length=20)

    class Meta:
        app_label = "streaming"


MODELS = [River, Ship, Wave]


@pytest.fixture
def ships(db: Backend) -> None:
    """Three rivers, ten ships."""
    rivers = River.objects.bulk_create([River(name=name) for name in "abc"])
    Ship.objects.bulk_create([Ship(name=str(n), river=rivers[n % 3]) for n in range(10)])


def selects(queries: Any) -> int:
    """Count the questions: a cursor's FETCHes, and the transaction around it, are none."""
    return sum("SELECT" in query.sql for query in queries)


async def test_prefetching_goes_by_chunk(ships, world: World, queries):
    """One query for the stream, and one per relation and chunk."""
    queries.clear()
    query = Ship.objects.prefetch_related("river__ships").order_by("pk")
    names = [
        (ship.name, ship.river.name, len(ship.river.ships.all()))
        async for ship in world.iterator(query, chunk_size=4)
    ]
    assert names[:3] == [("0", "a", 4), ("1", "b", 3), ("2", "c", 3)]
    assert len(names) == 10
    assert selects(queries) == 1 + 3 * 2


async def test_values_leave_prefetches_out(ships, world: World, queries):
    """There are no objects to prefetch for, as when the queryset is read at once."""
    names = River.objects.prefetch_related("ships").order_by("name").values_list("name", flat=True)
    queries.clear()
    assert [name async for name in world.iterator(names, chunk_size=2)] == list("abc")
    assert selects(queries) == 1


def test_the_chunk_are_the_peers(ships, queries):
    """What wasn't prefetched is fetched for the chunk."""
    queries.clear()
    names = [ship.river.name for ship in Ship.objects.order_by("pk").iterator(chunk_size=4)]
    assert names == list("abcabcabca")
    assert selects(queries) == 1 + 3


@pytest.mark.worlds("async")
async def test_aload_in_a_stream(ships, world: World, queries):
    """In async code, too."""
    queries.clear()
    names: list[str] = []
    async for ship in Ship.objects.order_by("pk").aiterator(chunk_size=4):
        await ship.aload("river")
        names.append(ship.river.name)
    assert names == list("abcabcabca")
    assert selects(queries) == 1 + 3


async def test_a_stream_may_be_left(ships, world: World):
    """Half way: the connection is free for the next query."""
    async for ship in world.iterator(Ship.objects.order_by("pk"), chunk_size=2):
        if ship.name == "3":
            break
    assert await world(Ship.objects.count) == 10


MEASURED = """
import asyncio, sys, tracemalloc
from ormolu import CASCADE, CharField, ForeignKey, Model, configure

configure(sys.argv[1])
world, rows = sys.argv[2], int(sys.argv[3])


class River(Model):
    name = CharField(max_length=20)

    class Meta:
        db_table = "streaming_river"


class Ship(Model):
    name = CharField(max_length=20)
    river = ForeignKey(River, on_delete=CASCADE, related_name="ships")

    class Meta:
        db_table = "streaming_ship"


query = Ship.objects.prefetch_related("river")


def read():
    return sum(len(ship.river.name) for ship in query[:rows].iterator(chunk_size=500))


async def aread():
    count = 0
    async for ship in query[:rows].aiterator(chunk_size=500):
        count += len(ship.river.name)
    return count


def once():
    return read() if world == "sync" else asyncio.run(aread())


tracemalloc.start()
assert once() == rows
print(tracemalloc.get_traced_memory()[1])
"""


@pytest.mark.parametrize("kind", ["sync", "async"])
@pytest.mark.backends("sqlite", "postgresql")
def test_memory_stays_flat(db: Backend, tmp_path: Path, kind: str) -> None:
    """Ten times the rows take no more memory at their peak, prefetching included."""
    rivers = River.objects.bulk_create([River(name="a")])
    Ship.objects.bulk_create([Ship(name=f"ship {n}", river=rivers[0]) for n in range(40_000)])

    def peak(rows: int) -> int:
        found = subprocess.run(
            [sys.executable, "-c", MEASURED, db.url, kind, str(rows)],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
            capture_output=True,
            text=True,
            check=False,
        )
        assert found.returncode == 0, found.stderr
        return int(found.stdout)

    assert peak(40_000) < peak(4_000) * 1.25


MILLION = """
import asyncio, json, resource, sys
from ormolu import CharField, Model, configure

configure(sys.argv[1])


class Wave(Model):
    height = CharField(max_length=20)

    class Meta:
        db_table = "streaming_wave"


def objects(rows):
    return sum(1 for wave in Wave.objects.all()[:rows].iterator())


def dicts(rows):
    return sum(1 for wave in Wave.objects.values("id", "height")[:rows].iterator())


async def aobjects(rows):
    count = 0
    async for wave in Wave.objects.all()[:rows].aiterator():
        count += 1
    return count


def peak(rows):
    assert objects(rows) == dicts(rows) == asyncio.run(aobjects(rows)) == rows
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


print(json.dumps([peak(100_000), peak(1_000_000)]))
"""

NUMBERS = {
    "sqlite": "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000000) SELECT i FROM n",
    "postgresql": "SELECT i FROM generate_series(1, 1000000) AS n(i)",
}


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="it has no getrusage()")
@pytest.mark.backends("sqlite", "postgresql")
def test_a_million_rows(db: Backend, tmp_path: Path) -> None:
    """Memory for 100,000 rows, as objects, as dictionaries and asynchronously, is enough for 1,000,000."""
    with db.engine().begin() as connection:
        connection.exec_driver_sql(f"INSERT INTO streaming_wave (height) {NUMBERS[db.vendor]}")
    found = subprocess.run(
        [sys.executable, "-c", MILLION, db.url],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert found.returncode == 0, found.stderr
    few, many = json.loads(found.stdout)
    print(f"peak resident memory: {few} for 100,000 rows, {many} for 1,000,000")
    assert many < few * 1.05
