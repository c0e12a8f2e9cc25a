"""What a user's managers and descriptors say is heard where related objects are made and prefetched."""

from operator import attrgetter
from typing import Any

import pytest

from ormolu import CASCADE, FETCH_ONE, CharField, ForeignKey, Manager, ManyToManyField, Model, Prefetch
from ormolu.query import mode_of
from support.backends import Backend
from support.worlds import World


class LoudManager(Manager["Song"]):
    def create(self, **kwargs: Any) -> Any:
        return super().create(**{**kwargs, "title": kwargs["title"].upper()})

    def get_or_create(self, defaults: Any = None, **kwargs: Any) -> Any:
        found, created = super().get_or_create(defaults, **kwargs)
        found.heard = True
        return found, created


class Choir(Model):
    name = CharField(max_length=20)


class Song(Model):
    title = CharField(max_length=20)
    choir: Any = ForeignKey(Choir, on_delete=CASCADE, null=True)
    sung_by: Any = ManyToManyField(Choir, related_name="repertoire")

    objects = LoudManager()


class Verse(Model):
    song: Any = ForeignKey(Song, on_delete=CASCADE, related_name="verses")
    text = CharField(max_length=20)

    def save(self) -> None:  # type: ignore[override]
        self.text = self.text.upper()
        super().save()


class Sheet(Model):
    song: Any = ForeignKey(Song, on_delete=CASCADE, db_constraint=False)


class FirstSong:
    """A descriptor with a way of its own to prefetch: the first song of each choir."""

    def __get__(self, instance: Any, owner: Any) -> Any:
        return self if instance is None else instance.__dict__["first_song"]

    def is_cached(self, instance: Any) -> bool:
        return "first_song" in instance.__dict__

    def get_prefetch_querysets(self, instances: Any, querysets: Any = None) -> Any:
        queryset = querysets[0] if querysets else Song.objects.order_by("pk")
        found = queryset.filter(choir__in=instances)
        return found, attrgetter("choir_id"), attrgetter("pk"), True, "first_song", True


type.__setattr__(Choir, "first_song", FirstSong())


async def test_create_of_the_default_manager(db: Backend, world: World) -> None:
    """Managers of both kinds of relation go through it."""
    choir = await world(Choir.objects.create, name="x")
    song = await world(choir.song_set.create, title="a")
    assert (song.title, song.choir) == ("A", choir)
    assert (await world(Song.objects.get, pk=song.pk)).choir_id == choir.pk
    other = await world(choir.repertoire.create, title="b")
    assert other.title == "B"
    assert await world.list(choir.repertoire.all()) == [other]
    found, created = await world(choir.song_set.get_or_create, title="A")
    assert (found.pk, created, found.heard) == (song.pk, False, True)
    found, created = await world(choir.repertoire.get_or_create, title="c")
    assert (created, found.heard) == (True, True)
    assert await world(choir.repertoire.count) == 2


async def test_a_descriptor_that_prefetches_itself(db: Backend, world: World, queries: Any) -> None:
    """It gives the queryset, and says what belongs together; other lookups go on from there."""
    choirs = [await world(Choir.objects.create, name=name) for name in "xyz"]
    songs = [await world(choirs[n].song_set.create, title=title) for n, title in enumerate("ab")]
    await world(Sheet.objects.create, song=songs[0])
    queries.clear()
    found = await world.list(Choir.objects.prefetch_related("first_song__sheet_set").order_by("pk"))
    assert len(queries) == 3
    assert [choir.first_song for choir in found] == [*songs, None]
    assert len(found[0].first_song.sheet_set.all()) == 1
    lookup = Prefetch("first_song", queryset=Song.objects.filter(title="B"), to_attr="chosen")
    found = await world.list(Choir.objects.prefetch_related(lookup).order_by("pk"))
    assert [choir.chosen for choir in found] == [None, songs[1], None]


@pytest.mark.worlds("sync")
def test_prefetching_by_hand(db: Backend) -> None:
    """Accessors and managers of the library offer the same method."""
    choir = Choir.objects.create(name="x")
    song = choir.song_set.create(title="a")
    choir.repertoire.add(song)
    for holder, instance, related in (
        (Song.choir, song, choir),
        (choir.song_set, choir, song),
        (choir.repertoire, choir, song),
    ):
        queryset, of_related, of_instance, _single, _name, _is = holder.get_prefetch_querysets([instance])
        (found,) = queryset
        assert found == related
        assert of_related(found) == of_instance(instance)
        with pytest.raises(ValueError, match="length of 1"):
            holder.get_prefetch_querysets([instance], [queryset, queryset])
        with pytest.warns(DeprecationWarning, match="get_prefetch_querysets"):
            holder.get_prefetch_queryset([instance])


def test_querysets_that_cannot_be_prefetched(db: Backend) -> None:
    """values() and raw() have no objects that could know their holders."""
    for queryset in (Song.objects.values(), Song.objects.raw("SELECT 1")):
        with pytest.raises(ValueError, match="raw"):
            Prefetch("song_set", queryset)
    prefetch = Prefetch("song_set__sheet_set", Sheet.objects.all(), to_attr="sheets")
    assert prefetch.get_current_prefetch_to(0) == "song_set"
    assert prefetch.get_current_prefetch_to(1) == "song_set__sheets"
    assert [prefetch.get_current_to_attr(n) for n in (0, 1)] == [("song_set", False), ("sheets", True)]
    assert prefetch.get_current_querysets(0) is None
    assert prefetch.get_current_querysets(1) == [prefetch.queryset]


@pytest.mark.backends("sqlite")
async def test_a_required_object_that_was_not_found(db: Backend, world: World, queries: Any) -> None:
    """Reading it says so, with no further query; another key forgets that."""
    song = await world(Song.objects.create, title="a")
    sheet = await world(Sheet.objects.create, song_id=song.pk + 7)
    found = await world(Sheet.objects.prefetch_related("song").get, pk=sheet.pk)
    queries.clear()
    with pytest.raises(Song.DoesNotExist):
        found.song
    with pytest.raises(AttributeError):
        found.song
    assert len(queries) == 0
    found.song = song
    assert found.song == song
    found.song_id = song.pk
    assert found.song == song


async def test_known_objects_of_combined_querysets(db: Backend, world: World, queries: Any) -> None:
    """`&` and `|` keep what both sides know."""
    one, two = [await world(Choir.objects.create, name=name) for name in "xy"]
    for choir in (one, two):
        await world(choir.song_set.create, title="a")
    queries.clear()
    found = await world.list((one.song_set.all() | two.song_set.all()).order_by("pk"))
    assert [song.choir is choir for song, choir in zip(found, (one, two), strict=True)] == [True, True]
    assert len(queries) == 1


async def test_fetch_modes_of_new_and_raw_objects(db: Backend, world: World) -> None:
    """They have the mode that was asked for."""
    choir = await world(Choir.objects.fetch_mode(FETCH_ONE).create, name="x")
    assert mode_of(choir) is FETCH_ONE
    sql = f"SELECT * FROM {Choir._meta.db_table}"
    for raw in (Choir.objects.raw(sql).fetch_mode(FETCH_ONE), Choir.objects.fetch_mode(FETCH_ONE).raw(sql)):
        assert [mode_of(found) for found in await world.list(raw)] == [FETCH_ONE]
    assert [mode_of(found) is FETCH_ONE for found in await world.list(Choir.objects.raw(sql))] == [False]


async def test_save_that_takes_nothing(db: Backend, world: World) -> None:
    """add(bulk=False) calls save() without arguments."""
    song = await world(Song.objects.create, title="x")
    await world(song.verses.add, Verse(text="a"), bulk=False)
    assert (await world(song.verses.get)).text == "A"
