"""Fetch modes: what reading an attribute does that was not loaded. For one object, for its peers, or not at all."""

import asyncio
import copy
import gc
import pickle
import weakref
from typing import Any

import pytest

from ormolu import (
    CASCADE,
    FETCH_ONE,
    FETCH_PEERS,
    RAISE,
    CharField,
    FetchMode,
    FieldFetchBlocked,
    ForeignKey,
    JSONField,
    ManyToManyField,
    Model,
    NotLoaded,
    OneToOneField,
    Prefetch,
    conf,
)
from support.backends import Backend
from support.worlds import World


class House(Model):
    """A publisher of books."""

    name = CharField(max_length=20)

    class Meta:
        app_label = "fetching"
        ordering = ["name"]


class Writer(Model):
    name = CharField(max_length=20)
    house: Any = ForeignKey(House, on_delete=CASCADE, null=True, related_name="writers")

    class Meta:
        app_label = "fetching"
        ordering = ["name"]


class Portrait(Model):
    """A writer may have one."""

    file = CharField(max_length=20)
    writer: Any = OneToOneField(Writer, on_delete=CASCADE, related_name="portrait")

    class Meta:
        app_label = "fetching"
        ordering = ["file"]


class Mark(Model):
    label = CharField(max_length=20)

    class Meta:
        app_label = "fetching"
        ordering = ["label"]


class Volume(Model):
    title = CharField(max_length=20)
    extra = JSONField(default=dict)
    writer: Any = ForeignKey(Writer, on_delete=CASCADE, related_name="volumes")
    marks: Any = ManyToManyField(Mark, related_name="volumes")

    class Meta:
        app_label = "fetching"
        ordering = ["title"]


class Heard(Model):
    """A model whose own refresh_from_db() must see each load."""

    text = CharField(max_length=20)
    loads: list[Any] = []

    def refresh_from_db(self, using: Any = None, fields: Any = None, from_queryset: Any = None) -> None:
        self.loads.append(fields)
        super().refresh_from_db(using, fields, from_queryset)

    class Meta:
        app_label = "fetching"


MODELS = [House, Writer, Portrait, Mark, Volume, Volume.marks.through, Heard]


@pytest.fixture
def library(db: Backend) -> None:
    """Two houses, four writers (two with portraits), twelve volumes of two marks each."""
    houses = House.objects.bulk_create([House(name=name) for name in "xy"])
    writers = Writer.objects.bulk_create(
        [Writer(name=name, house=houses[n % 2]) for n, name in enumerate("abcd")]
    )
    Portrait.objects.bulk_create([Portrait(file=f"{w.name}.png", writer=w) for w in writers[:2]])
    marks = Mark.objects.bulk_create([Mark(label=label) for label in "mn"])
    volumes = Volume.objects.bulk_create(
        [Volume(title=f"{w.name}{n}", writer=w, extra={"n": n}) for w in writers for n in range(3)]
    )
    for volume in volumes:
        volume.marks.set(marks)


def read_writers(volumes: Any) -> list[str]:
    return [volume.writer.name for volume in volumes]


def test_peers_get_their_related_objects_with_one_query(library, queries):
    """The default: the first book that is asked for its writer fetches the writers of all."""
    queries.clear()
    assert read_writers(Volume.objects.all()) == sorted("abcd" * 3)
    assert len(queries) == 2


def test_a_list_of_ones_own_makes_no_difference(library, queries):
    """Peers are known though the queryset and its list are gone, and they are one object for one row."""
    volumes = list(Volume.objects.all())[3:9]
    queries.clear()
    assert volumes[0].writer is volumes[1].writer
    assert read_writers(volumes) == ["b"] * 3 + ["c"] * 3
    assert len(queries) == 1
    assert queries[0].sql.count("?") + queries[0].sql.count("%s") <= 2  # of six volumes, not of twelve


def test_a_whole_tree_takes_one_query_per_relation(library, queries):
    """What was fetched for peers are peers again."""
    queries.clear()
    found = [volume.writer.house.name for volume in list(Volume.objects.all())]
    assert found == ["x"] * 3 + ["y"] * 3 + ["x"] * 3 + ["y"] * 3
    assert len(queries) == 3


@pytest.mark.parametrize(
    ("query", "number"),
    [
        (lambda: Volume.objects.select_related("writer"), 2),
        (lambda: Volume.objects.prefetch_related("writer"), 3),
        (lambda: Volume.objects.prefetch_related(Prefetch("writer", Writer.objects.order_by("name"))), 3),
        (lambda: Volume.objects.select_related("writer__house"), 1),
    ],
)
def test_objects_that_came_along_are_peers(library, queries, query, number):
    """Those of select_related() and of prefetch_related(), in a loop and in a list."""
    for read in (iter, lambda found: list(found)[:]):
        queries.clear()
        assert {volume.writer.house.name for volume in read(query())} == {"x", "y"}
        assert len(queries) == number


def test_prefetched_sets_are_peers(library, queries):
    """All objects of all sets: one query for what they lack, while their holders live or don't."""
    queries.clear()
    houses = list(House.objects.prefetch_related("writers__volumes"))
    volumes = [v for house in houses for writer in house.writers.all() for v in writer.volumes.all()]
    del houses
    assert len(queries) == 3
    assert len(volumes[0]._state.peers) == 12
    writers = list(Writer.objects.prefetch_related("volumes"))
    sets = [list(writer.volumes.defer("extra")) for writer in writers]
    queries.clear()
    assert [volume.extra["n"] for volume in sets[0]] == [0, 1, 2]
    assert len(queries) == 1


def test_one_to_one_objects_both_ways(library, queries):
    """Also where there is none: that is known of all peers after one query."""
    queries.clear()
    assert [hasattr(writer, "portrait") for writer in list(Writer.objects.all())] == [
        True,
        True,
        False,
        False,
    ]
    assert len(queries) == 2
    queries.clear()
    portraits = list(Portrait.objects.all())
    assert [portrait.writer.name for portrait in portraits] == ["a", "b"]
    assert portraits[0].writer.portrait is portraits[0]
    assert len(queries) == 2


def test_deferred_columns(library, queries):
    """One query fills a column of all peers that lack it, and leaves what somebody has set."""
    volumes = list(Volume.objects.defer("title", "extra"))
    volumes[1].title = "mine"
    queries.clear()
    assert volumes[0].title == "a0"
    assert [volume.title for volume in volumes[1:3]] == ["mine", "a2"]
    assert [volume.extra["n"] for volume in volumes[:3]] == [0, 1, 2]
    assert len(queries) == 2
    volumes[0].extra["n"] = 7  # a change in place is noticed
    for volume in volumes[:2]:
        volume.save()
    assert [query.sql.split()[0] for query in queries[2:]] == ["UPDATE", "UPDATE"]
    assert Volume.objects.get(title="mine").pk == volumes[1].pk
    assert Volume.objects.get(pk=volumes[0].pk).extra == {"n": 7}


def test_an_override_of_refresh_from_db_sees_each_load(db):
    """Then columns are loaded for one object, by that method."""
    Heard.loads.clear()
    Heard.objects.bulk_create([Heard(text="a"), Heard(text="b")])
    assert [heard.text for heard in list(Heard.objects.defer("text").order_by("pk"))] == ["a", "b"]
    assert Heard.loads == [["text"], ["text"]]


def test_fetch_one(library, queries):
    """One query for each object, and for the objects that were fetched so."""
    queries.clear()
    volumes = list(Volume.objects.fetch_mode(FETCH_ONE)[:3])
    assert [volume.writer.house.name for volume in volumes] == ["x"] * 3
    assert len(queries) == 1 + 3 + 3


async def test_raise(library, world: World, queries):
    """Nothing is fetched: the error says what, of which model, and what to do. It is heard in both worlds."""
    volumes = await world.list(Volume.objects.fetch_mode(RAISE).defer("title").select_related("writer"))
    number = len(queries)
    for read, label, name in (
        (lambda: volumes[0].title, "Volume", "title"),
        (lambda: volumes[0].writer.house, "Writer", "house"),
        (lambda: volumes[0].writer.portrait, "Writer", "portrait"),
    ):
        with pytest.raises(FieldFetchBlocked, match="RAISE") as caught:
            read()
        error = caught.value
        assert isinstance(error, NotLoaded)
        assert error.model.endswith(label)
        assert error.attribute == name
        assert f'select_related("{name}")' in error.cure
    assert len(queries) == number


async def test_the_mode_goes_along(library, world: World):
    """Related objects have the mode of the object they were loaded for, by whatever way."""
    query = Writer.objects.fetch_mode(RAISE)
    for writer in await world.list(query.prefetch_related("volumes").select_related("house")):
        assert writer._state.fetch_mode is RAISE
        assert writer.house._state.fetch_mode is RAISE
        assert {volume._state.fetch_mode for volume in writer.volumes.all()} == {RAISE}
        assert {volume._state.fetch_mode for volume in await world.list(writer.volumes.filter())} == {RAISE}
    assert (await world(query.get, name="a"))._state.fetch_mode is RAISE
    joined = query.filter(name="a").union(query.filter(name="b"))
    assert {writer._state.fetch_mode for writer in await world.list(joined)} == {RAISE}
    assert (await world(Writer.objects.get, name="a"))._state.fetch_mode is FETCH_PEERS


def test_the_default_is_a_setting(library, queries):
    """FETCH_MODE holds for all objects whose query didn't say."""
    volumes, special = list(Volume.objects.all()), list(Volume.objects.fetch_mode(FETCH_PEERS))
    with conf.override(FETCH_MODE="one"):
        queries.clear()
        read_writers(volumes[:3])
        assert len(queries) == 3
        read_writers(special)
        assert len(queries) == 4
    with conf.override(FETCH_MODE="raise"), pytest.raises(FieldFetchBlocked):
        volumes[5].writer


def test_a_mode_of_ones_own(library, queries):
    """A subclass decides, and may look at the peers."""

    class Counting(FetchMode):
        seen: list[Any] = []

        def fetch(self, fetcher: Any, instance: Any) -> None:
            self.seen.append((fetcher.name, len(instance._state.peers)))
            fetcher.fetch_one(instance)

    volumes = list(Volume.objects.fetch_mode(Counting())[:2])
    assert read_writers(volumes) == ["a", "a"]
    assert Counting.seen == [("writer", 2), ("writer", 2)]


def test_the_mode_of_an_object_can_be_set(library, queries):
    """It leaves its peers then; the others keep theirs."""
    volumes = list(Volume.objects.all())
    volumes[0]._state.fetch_mode = FETCH_ONE
    assert volumes[0]._state.db == "default"
    queries.clear()
    assert read_writers(volumes[:3]) == ["a"] * 3
    assert len(queries) == 2
    assert len(volumes[1]._state.peers) == 11


def test_peers_keep_nothing_alive(library):
    """An object dies with its last user, without the garbage collector."""
    gc.disable()
    try:
        volumes = list(Volume.objects.select_related("writer").prefetch_related("marks"))
        volumes[0].writer.house
        links = [weakref.ref(o) for v in volumes for o in (v, v.writer)]
        links += [weakref.ref(mark) for mark in volumes[0].__dict__["_prefetched_objects_cache"]["marks"]]
        last = volumes.pop()
        del volumes
        assert len({id(link()) for link in links if link() is not None}) == 4
        assert [peer() for peer in last._state.peers] == [last]
        del last
        assert not any(link() for link in links)
    finally:
        gc.enable()


def test_nobody_pays_for_a_list_that_dies_with_its_objects(library):
    """Weak references are made only where objects survive their list."""
    found = Volume.objects.all()
    first = found[0]
    peers = found._fetch_all()
    origin: Any = peers[0].__dict__["_db"]
    assert origin == "default"
    assert not hasattr(origin, "links")
    assert len(origin.objects(Volume)) == 12
    assert len(first._state.peers) == 1
    del found, peers
    assert origin.links == []


def test_peers_are_found_where_nobody_had_asked_for_long(library, queries):
    """After some results without a question no references are made. A late question is answered all the same."""
    query = Volume.objects.select_related("writer")
    early, *others = [list(query.all()) for _ in range(30)]
    origins: list[Any] = [found[0].__dict__["_db"] for found in (early, *others)]
    assert origins[0].links
    assert origins[-1].links is None
    queries.clear()
    gone = others[-1].pop(5)
    del gone
    assert [volume.writer.house.name for volume in others[-1][:3]] == ["x"] * 3
    assert len(queries) == 1
    assert len(others[-1][0]._state.peers) == 11
    assert len(others[-2][0]._state.peers) == 12
    assert len(early[0]._state.peers) == 12
    late = list(query.all())
    assert len(late[0].__dict__["_db"].links) == 12


def test_copies_and_pickles_are_alone(library, queries):
    """They have their mode, and no peers; a shallow copy sees those of the original."""
    volumes = list(Volume.objects.fetch_mode(RAISE))
    for made in (pickle.loads(pickle.dumps(volumes))[0], copy.deepcopy(volumes[0])):
        assert made._state.fetch_mode is RAISE
        assert len(made._state.peers) == 1
    assert len(copy.copy(volumes[0])._state.peers) == 13
    plain = pickle.loads(pickle.dumps(Volume.objects.all()))
    queries.clear()
    assert read_writers(plain)[:1] == ["a"]
    assert plain[0]._state.fetch_mode is FETCH_PEERS
    assert type(plain[0].__dict__["_db"]) is str
    assert pickle.loads(pickle.dumps([FETCH_ONE, FETCH_PEERS, RAISE])) == [FETCH_ONE, FETCH_PEERS, RAISE]


async def test_saving_and_refreshing_keep_peers(library, world: World):
    """They are still objects that were loaded together; a deleted one is none of them."""
    volumes = await world.list(Volume.objects.all())
    volumes[0].title = "other"
    await world(volumes[0].save)
    await world(volumes[1].refresh_from_db)
    assert len(volumes[0]._state.peers) == len(volumes[1]._state.peers) == 12
    await world(volumes[2].delete)
    assert len(volumes[0]._state.peers) == 11
    assert len(volumes[2]._state.peers) == 1


def test_a_row_that_is_gone_is_its_own_objects_error(library, queries):
    """The others get what is there; the one whose related row, or own row, is gone raises."""
    volumes = list(Volume.objects.defer("title"))
    volumes[0].__dict__["writer_id"] = 10_000
    volumes[4].__dict__["writer_id"] = 10_000
    assert volumes[1].writer.name == "a"
    for place in (0, 4):
        with pytest.raises(Writer.DoesNotExist):
            volumes[place].writer
    Volume.objects.filter(pk=volumes[3].pk).delete()
    assert volumes[1].title == "a1"
    with pytest.raises(Volume.DoesNotExist):
        volumes[3].title


@pytest.mark.worlds("async")
async def test_aload_fetches_for_all_peers(library, world: World, queries):
    """One query per relation; several names, paths, columns and sets at once."""
    volumes = await Volume.objects.defer("title")
    queries.clear()
    with pytest.raises(NotLoaded, match="aload"):
        volumes[0].writer
    assert (await volumes[0].aload("writer")).name == "a"
    assert read_writers(volumes) == sorted("abcd" * 3)
    assert len(queries) == 1
    await volumes[1].aload("writer__house", "title", "marks", "writer__portrait", "writer__volumes")
    assert len(queries) == 6
    for volume in volumes:
        assert volume.title[0] == volume.writer.name
        assert volume.writer.house.name in "xy"
        assert [mark.label for mark in volume.marks.all()] == ["m", "n"]
        assert len(volume.writer.volumes.all()) == 3
    assert hasattr(volumes[0].writer, "portrait")
    await volumes[2].aload("writer__house", "title", "marks")
    assert len(queries) == 6


@pytest.mark.worlds("async")
async def test_aload_for_one(library, world: World, queries):
    """FETCH_ONE and an object without peers load for that object alone; RAISE doesn't forbid what is asked for."""
    volumes = await Volume.objects.fetch_mode(FETCH_ONE)
    await volumes[0].aload("writer")
    with pytest.raises(NotLoaded):
        volumes[1].writer
    alone = await Volume.objects.defer("title").aget(pk=volumes[0].pk)
    assert await alone.aload("title") == "a0"
    strict = await Volume.objects.fetch_mode(RAISE).defer("title", "writer")
    await strict[0].aload("title", "writer")
    assert [(v.title[0], v.writer.name) for v in strict[:4]] == [("a", "a")] * 3 + [("b", "b")]


@pytest.mark.worlds("async")
async def test_tasks_that_load_at_once(library, world: World):
    """Several tasks may load for the same peers."""
    volumes = await Volume.objects.all()
    await asyncio.gather(*(volume.aload("writer", "marks") for volume in volumes))
    assert read_writers(volumes) == sorted("abcd" * 3)


def test_more_peers_than_a_statement_takes_values(library, queries):
    """Long lists of keys are no obstacle."""
    House.objects.bulk_create([House(name=str(n)) for n in range(40_000)])
    Writer.objects.bulk_create(
        [Writer(name="z", house_id=pk) for pk in House.objects.values_list("pk", flat=True)]
    )
    writers = list(Writer.objects.filter(name="z").only("pk"))
    queries.clear()
    assert {writer.house.name for writer in writers[:3]} <= {"x", "y", *map(str, range(40_000))}
    assert len(queries) == 2
