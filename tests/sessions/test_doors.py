"""Every door of a manager: sessions, scoped sessions and connections, in both worlds."""

from __future__ import annotations

import asyncio
import pickle
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from unittest.mock import patch

import pytest
from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncSession, async_scoped_session, async_sessionmaker
from sqlalchemy.orm import Session, scoped_session, sessionmaker

from ormolu import (
    CASCADE,
    CharField,
    Count,
    F,
    ForeignKey,
    IntegerField,
    Manager,
    ManyToManyField,
    Model,
    NotLoaded,
    OuterRef,
    Prefetch,
    QuerySet,
    databases,
    post_delete,
    post_save,
    pre_save,
)
from ormolu.exceptions import DatabaseError, DataError, IntegrityError, ProgrammingError, ValidationError
from ormolu.query.async_session_querysets import AsyncSessionQuerySet
from ormolu.query.raw import RawQuerySet
from ormolu.repository import AsyncRepository, Repository

DOORS = ("session", "scoped", "connection")


class ShelfManager(Manager[Any]):
    """With methods that refine, that ask, and that wait; and one that it overrides."""

    def tall(self) -> Any:
        return self.filter(height__gte=3)

    def how_many_tall(self) -> int:
        return self.tall().count()

    async def awaited_tall(self) -> int:
        return await self.tall().acount()

    def create(self, **kwargs: Any) -> Any:
        kwargs.setdefault("label", "none")
        return super().create(**kwargs)

    async def awaited_create(self, name: str) -> Any:
        return await self.acreate(name=name)


class Room(Model):
    """Has shelves."""

    name = CharField(max_length=20)


class Shelf(Model):
    """Holds volumes."""

    name = CharField(max_length=20, unique=True)
    room = ForeignKey(Room, on_delete=CASCADE, related_name="shelves", null=True)
    label = CharField(max_length=20, default="")
    height = IntegerField(default=1)

    objects = ShelfManager()

    class Meta:
        ordering = ["name"]


class Volume(Model):
    """Stands on a shelf."""

    title = CharField(max_length=20)
    shelf = ForeignKey(Shelf, on_delete=CASCADE, related_name="volumes", null=True)
    topics = ManyToManyField("Topic", related_name="volumes")


class CountingQuerySet(QuerySet[Any]):
    """Overrides one method, and calls its twin in another."""

    def create(self, **kwargs: Any) -> Any:
        return super().create(**{**kwargs, "name": kwargs["name"].upper()})

    async def awaited_create(self, name: str) -> Any:
        return await self.acreate(name=name)


class Counted(Model):
    """Is made by querysets of a class of their own."""

    name = CharField(max_length=20)

    objects = CountingQuerySet.as_manager()


class Topic(Model):
    """What a volume is about."""

    name = CharField(max_length=20)

    class Meta:
        validate_on_save = "full"


class Careful(Model):
    """Has a save() of its own."""

    name = CharField(max_length=20)
    slug = CharField(max_length=20, blank=True)

    def save(self, *args: Any, **kwargs: Any) -> Any:
        self.slug = self.name.lower()
        return super().save(*args, **kwargs)


pytestmark = pytest.mark.backends("sqlite", "postgresql")


@asynccontextmanager
async def door(kind: str, world: Any) -> AsyncIterator[Any]:
    """A session or connection of some kind."""
    if world.is_async:
        engine = databases.get().async_engine
        if kind == "connection":
            async with engine.connect() as connection:
                yield connection
        elif kind == "session":
            async with AsyncSession(engine, expire_on_commit=False) as session:
                yield session
        else:
            made = async_scoped_session(async_sessionmaker(engine, expire_on_commit=False), lambda: 1)
            yield made
            await made.remove()
    else:
        engine = databases.get().engine
        if kind == "connection":
            with engine.connect() as connection:
                yield connection
        elif kind == "session":
            with Session(engine, expire_on_commit=False) as session:
                yield session
        else:
            registry = scoped_session(sessionmaker(engine, expire_on_commit=False))
            yield registry
            registry.remove()


async def of(world: Any, found: Any) -> Any:
    """The result of a call, awaited where it has to be; a queryset's as a list."""
    if world.is_async:
        return await found
    return list(found) if isinstance(found, (QuerySet, RawQuerySet)) else found


@pytest.mark.parametrize("kind", DOORS)
async def test_what_it_gives_is_what_the_ambient_one_gives(db: Any, world: Any, kind: str) -> None:
    """The same rows, numbers and values; nothing commits."""
    for n in range(6):
        shelf = await world(Shelf.objects.create, name=f"s{n}", height=n)
        await world(Volume.objects.create, title=f"v{n}", shelf=shelf)
    questions = [
        lambda m: m.all(),
        lambda m: m.filter(height__gt=2).exclude(name="s4").order_by("-height"),
        lambda m: m.values("name", "height"),
        lambda m: m.values_list("name", flat=True)[1:3],
        lambda m: m.annotate(n=Count("volumes")).values_list("name", "n"),
        lambda m: m.distinct().only("name").filter(volumes__title__in=["v1", "v2"]),
        lambda m: m.filter(height=1).union(m.filter(height=2)),
        lambda m: m.none(),
        lambda m: m.reverse()[:2],
        lambda m: m.raw(f"SELECT * FROM {Shelf._meta.db_table} ORDER BY name"),
    ]
    terminals = [
        ("count", ()), ("exists", ()), ("first", ()), ("last", ()), ("get", ({"name": "s1"},)),
        ("get_or_none", ({"name": "none"},)), ("latest", ("height",)), ("earliest", ("height",)),
        ("aggregate", (Count("id"),)), ("in_bulk", ()),
    ]  # fmt: skip
    async with door(kind, world) as where:
        bound = Shelf.objects(where)
        for ask in questions:
            assert await of(world, ask(bound)) == await world.list(ask(Shelf.objects))
        for name, args in terminals:
            given = [a for a in args if not isinstance(a, dict)]
            named = {k: v for a in args if isinstance(a, dict) for k, v in a.items()}
            ambient = await world(getattr(Shelf.objects, name), *given, **named)
            assert await of(world, getattr(bound, name)(*given, **named)) == ambient, name


@pytest.mark.parametrize("kind", DOORS)
async def test_writes_stay_in_the_transaction(db: Any, world: Any, kind: str) -> None:
    """Whatever is written through it is seen through it, and undone by its rollback."""
    async with door(kind, world) as where:
        shelves = Shelf.objects(where)
        one = await of(world, shelves.create(name="one"))
        assert one.label == "none"
        same, created = await of(world, shelves.get_or_create(name="one"))
        assert (same, created) == (one, False)
        two, created = await of(world, shelves.get_or_create(name="two", defaults={"height": 4}))
        assert created
        two, created = await of(world, shelves.update_or_create(name="two", defaults={"height": 5}))
        assert (two.height, created) == (5, False)
        await of(world, shelves.bulk_create([Shelf(name="three"), Shelf(name="four")]))
        assert await of(world, shelves.filter(name="four").update(height=7)) == 1
        assert (await of(world, shelves.filter(name="three").delete()))[0] == 1
        assert await of(world, shelves.count()) == 3
        two.height = 8
        await of(world, shelves.bulk_update([two], ["height"]))
        assert await of(world, shelves.filter(height=8).exists())
        await of(world, where.rollback())
    assert await world(Shelf.objects.count) == 0


@pytest.mark.parametrize("kind", DOORS)
async def test_errors_of_the_database_are_ours(db: Any, world: Any, kind: str) -> None:
    """Whichever method writes, through the unit of work or past it."""
    await world(Shelf.objects.create, name="one")
    for write in (
        lambda m: m.create(name="one"),
        lambda m: m.bulk_create([Shelf(name="new"), Shelf(name="one")]),
        lambda m: m.bulk_create([Shelf(name="one")], batch_size=5),
    ):
        async with door(kind, world) as where:
            with pytest.raises(IntegrityError):
                await of(world, write(Shelf.objects(where)))
            await of(world, where.rollback())


@pytest.mark.parametrize("kind", ["session", "scoped"])
async def test_sets_are_written_past_objects_whose_rows_are_gone(db: Any, world: Any, kind: str) -> None:
    """update() and delete() ask nothing of the session's objects that are to be loaded again."""
    await world(Shelf.objects.bulk_create, [Shelf(name="one"), Shelf(name="two")])
    async with door(kind, world) as where:
        held = list(await of(world, Shelf.objects(where).all()))
        await of(world, where.commit())
        await world(Shelf.objects.filter(name="one").delete)
        where.expire_all()
        assert await of(world, Shelf.objects(where).all().update(height=9)) == 1
        where.expire_all()
        assert (await of(world, Shelf.objects(where).all().delete()))[0] == 1
        assert [one in where for one in held] == [True, False]
        await of(world, where.rollback())


@pytest.mark.parametrize("kind", DOORS)
async def test_a_managers_own_methods(db: Any, world: Any, kind: str) -> None:
    """Methods that refine, that ask, and that wait, work bound; those of related managers do, too."""
    async with door(kind, world) as where:
        shelves = Shelf.objects(where)
        tall = await of(world, shelves.create(name="tall", height=5))
        await of(world, shelves.create(name="low"))
        assert await of(world, shelves.tall()) == [tall]
        assert await of(world, shelves.tall().exclude(name="x").count()) == 1
        assert await of(world, shelves.how_many_tall()) == 1
        if world.is_async:
            assert await shelves.awaited_tall() == 1
        volume = await of(world, tall.volumes(where).create(title="a"))
        assert volume.shelf_id == tall.pk
        topic = await of(world, Topic.objects(where).create(name="t"))
        await of(world, volume.topics(where).add(topic))
        assert await of(world, volume.topics(where).all()) == [topic]
        assert await of(world, topic.volumes(where).filter(title="a").count()) == 1
        await of(world, volume.topics(where).clear())
        assert await of(world, volume.topics(where).exists()) is False
        await of(world, where.rollback())
    assert await world(Volume.objects.count) == 0


@pytest.mark.worlds("async")
@pytest.mark.parametrize("kind", DOORS)
async def test_twins_of_what_is_overridden(db: Any, world: Any, kind: str) -> None:
    """The twin of an overridden method runs that where the manager is bound, and not over a connection of its own."""
    async with door(kind, world) as where:
        shelf = await Shelf.objects(where).awaited_create("s")
        one = await Counted.objects(where).awaited_create("one")
        two = await Counted.objects(where).filter(name="x").awaited_create("two")
        assert (shelf.label, one.name, two.name) == ("none", "ONE", "TWO")
        assert await Shelf.objects(where).count() == 1
        assert await Counted.objects(where).count() == 2
        await where.rollback()
    assert await Shelf.objects.acount() == 0
    assert await Counted.objects.acount() == 0


@pytest.mark.worlds("async")
async def test_overridden_methods_of_related_managers(db: Any, world: Any) -> None:
    """Of an object that a session holds they create in that session, in both forms."""
    async with door("session", world) as where:
        room = await Room.objects(where).create(name="r")
        shelf = await room.shelves.acreate(name="s")
        again = await where.run_sync(lambda _session: room.shelves.create(name="t"))
        assert (shelf.label, again.label, await room.shelves.acount()) == ("none", "none", 2)
        await where.rollback()
    assert await Shelf.objects.acount() == 0


def test_a_synchronous_session_is_not_awaited(db: Any) -> None:
    """The error says what to take."""
    with Session(databases.get().engine) as session, pytest.raises(TypeError, match="synchronous Session"):
        asyncio.run(Shelf.objects(session).acount())
    with (
        databases.get().engine.connect() as connection,
        pytest.raises(TypeError, match="synchronous Connection"),
    ):
        asyncio.run(Shelf.objects(connection).acount())


@pytest.mark.parametrize("kind", ["session", "scoped"])
async def test_columns_that_were_left_out(db: Any, world: Any, kind: str) -> None:
    """They are loaded when they are read, each by itself, and never None; in async code, when they are asked for."""
    room = await world(Room.objects.create, name="hall")
    for n in range(2):
        await world(Shelf.objects.create, name=f"s{n}", height=n + 5, label="oak", room=room)
    async with door(kind, world) as where:
        shelves = Shelf.objects(where).only("name")
        first, second = await of(world, shelves.order_by("name"))
        if world.is_async:
            with pytest.raises(NotLoaded, match="aload"):
                _ = first.height
        assert await world.attribute(first, "height") == 5
        assert "label" not in first.__dict__
        second.label = "ash"
        assert await of(world, Shelf.objects(where).filter(label="ash").get()) is second
        assert (second.height, second.label) == (6, "ash")  # loaded with the rest
        again = await of(world, shelves.get(name="s0"))
        assert (again is first, again.height) == (True, 5)

        where.expunge_all()
        [hall] = await of(world, Room.objects(where).prefetch_related(Prefetch("shelves", shelves)))
        assert [await world.attribute(shelf, "height") for shelf in hall.shelves.all()] == [5, 6]
        where.expunge_all()
        by_name = await of(world, Shelf.objects(where).only("height").in_bulk(["s1"], field_name="name"))
        assert [(name, shelf.height) for name, shelf in by_name.items()] == [("s1", 6)]
        where.expunge_all()
        book = Volume(title="v", shelf=await of(world, shelves.get(name="s1")))
        await of(world, book.save(where))
        assert "height" not in book.shelf.__dict__
        await of(world, where.rollback())


@pytest.mark.parametrize("kind", ["session", "scoped"])
async def test_an_object_without_some_columns_is_added(db: Any, world: Any, kind: str) -> None:
    """What an ambient queryset left out is loaded by the session, once the object is its own."""
    await world(Shelf.objects.create, name="a", height=5)
    shelf = await world(Shelf.objects.defer("height").get)
    copied = pickle.loads(pickle.dumps(shelf))
    async with door(kind, world) as where:
        where.add(shelf)
        assert await world.attribute(shelf, "height") == 5
        where.expunge(shelf)
        where.add(copied)
        assert await world.attribute(copied, "height") == 5


@pytest.mark.parametrize("kind", DOORS)
async def test_one_queryset_within_another(db: Any, world: Any, kind: str) -> None:
    """A bound one stands where an ambient one may: in filter(), annotate(), Prefetch(); also where it deletes."""
    for n in range(3):
        shelf = await world(Shelf.objects.create, name=f"s{n}", height=n)
        for title in "ab"[:n]:
            await world(Volume.objects.create, title=f"{title}{n}", shelf=shelf)
    async with door(kind, world) as where:
        shelves, volumes = Shelf.objects(where), Volume.objects(where)
        assert shelves.all().model is Shelf
        last = volumes.filter(shelf=OuterRef("pk")).order_by("-title").values("title")[:1]
        assert await of(world, shelves.annotate(last=last).values_list("last", flat=True)) == [
            None,
            "a1",
            "b2",
        ]
        assert await of(world, shelves.filter(volumes__in=volumes.filter(title="a1")).count()) == 1
        chosen = Prefetch("volumes", volumes.order_by("-title"))
        found = await of(world, shelves.prefetch_related(chosen))
        assert [[volume.title for volume in shelf.volumes.all()] for shelf in found] == [
            [],
            ["a1"],
            ["b2", "a2"],
        ]
        if kind != "connection":
            assert found[1].volumes.all()[0] in where
        number, _ = await of(world, volumes.filter(shelf__in=shelves.filter(height=2)).delete())
        assert number == 2
        await of(world, where.rollback())


@pytest.mark.parametrize("kind", DOORS)
async def test_what_is_not_written(db: Any, world: Any, kind: str) -> None:
    """A slice, and what is no instance: the error says so, as that of an ambient queryset does."""
    async with door(kind, world) as where:
        first = Shelf.objects(where).all()[:1]
        with pytest.raises(TypeError, match="Cannot update a query once a slice"):
            await of(world, first.update(height=1))
        with pytest.raises(TypeError, match="'limit' or 'offset' with delete"):
            await of(world, first.delete())
        for wrong in ({"name": "a"}, Room(name="a")):
            with pytest.raises(TypeError, match="takes its instances"):
                await of(world, Shelf.objects(where).bulk_create([wrong]))
        with pytest.raises(TypeError, match="takes its instances"):
            await of(world, Room.objects(where).bulk_update([Shelf(pk=1, name="a")], ["name"]))


@pytest.mark.backends("postgresql", "asyncpg")
@pytest.mark.parametrize("kind", DOORS)
async def test_errors_have_the_class_of_their_code(db: Any, world: Any, kind: str) -> None:
    """Also those of asyncpg, for which SQLAlchemy's adapter has no class."""
    await world(Shelf.objects.create, name="a", height=1)
    async with door(kind, world) as where:
        with pytest.raises(DataError):
            await of(world, Shelf.objects(where).filter(height=1).update(height=F("height") / 0))
        await of(world, where.rollback())
        with pytest.raises(ProgrammingError):
            await of(world, Shelf.objects(where).raw("SELECT id, nothing FROM nowhere"))
        await of(world, where.rollback())


async def test_errors_are_ours(db: Any, world: Any) -> None:
    """What the database refuses is the library's error, however the row came into the session."""
    await world(Shelf.objects.create, name="a")
    ways = [
        lambda where: Shelf.objects(where).create(name="a"),
        lambda where: Shelf.objects(where).bulk_create([Shelf(name="a")]),
        lambda where: Shelf(name="a").save(where),
        lambda where: (AsyncRepository if world.is_async else Repository)(where, Shelf).add(Shelf(name="a")),
    ]
    for way in ways:
        async with door("session", world) as where:
            with pytest.raises(IntegrityError):
                await of(world, way(where))
    async with door("session", world) as where:
        where.add(Shelf(name="a"))
        with pytest.raises(IntegrityError):  # flushed before the query
            await of(world, Shelf.objects(where).count())
    async with door("session", world) as where:
        rows = Shelf.objects(where).filter(name__regex="(").iterator()
        with pytest.raises(DatabaseError):
            _ = [one async for one in rows] if world.is_async else list(rows)


@pytest.mark.parametrize("kind", DOORS)
async def test_an_objects_methods(db: Any, world: Any, kind: str) -> None:
    """save, update, refresh and delete take it; signals are sent, and nothing commits."""
    seen: list[tuple[str, bool | None]] = []

    def note(sender: Any, instance: Any, created: bool | None = None, **kwargs: Any) -> None:
        seen.append((instance.name, created))

    signals = (pre_save, post_save, post_delete)
    for signal in signals:
        signal.connect(note, sender=Shelf)
    try:
        async with door(kind, world) as where:
            shelf = Shelf(name="a")
            await of(world, shelf.save(where))
            shelf.name = "b"
            await of(world, shelf.save(where))
            await of(world, shelf.update(where, name="c"))
            await of(world, Shelf.objects(where).filter(pk=shelf.pk).update(height=9))
            shelf.name = "lost"
            await of(world, shelf.refresh(where))
            assert (shelf.name, shelf.height) == ("c", 9)
            shelf.height = 10
            await of(world, shelf.save(where, update_fields=["height"]))
            assert await of(world, Shelf.objects(where).values_list("height", flat=True).get()) == 10
            await of(world, shelf.delete(where))
            assert await of(world, Shelf.objects(where).count()) == 0
            await of(world, where.rollback())
    finally:
        for signal in signals:
            signal.disconnect(note, sender=Shelf)
    saves = [("a", True), ("b", False), ("c", False), ("c", False)]
    assert seen == [pair for pair in saves for _ in (pre_save, post_save)] + [("c", None)]


@pytest.mark.parametrize("kind", DOORS)
async def test_validation_and_overrides(db: Any, world: Any, kind: str) -> None:
    """Meta.validate_on_save holds, and a model's own save() is heard."""
    async with door(kind, world) as where:
        with pytest.raises(ValidationError):
            await of(world, Topic.objects(where).create(name=""))
        assert await of(world, Topic.objects(where).count()) == 0
        careful = await of(world, Careful.objects(where).create(name="ANN"))
        assert careful.slug == "ann"
        found, _ = await of(world, Careful.objects(where).get_or_create(name="BEN"))
        assert found.slug == "ben"
        careful.name = "CLEO"
        await of(world, careful.save(where))
        assert await of(world, Careful.objects(where).filter(slug="cleo").count()) == 1


async def test_streams(db: Any, world: Any) -> None:
    """iterator() gives rows little by little, in a session of either kind."""
    await world(Shelf.objects.bulk_create, [Shelf(name=f"{n:03}") for n in range(450)])
    async with door("session", world) as where:
        rows = Shelf.objects(where).iterator(chunk_size=100)
        found = [one async for one in rows] if world.is_async else list(rows)
        assert len(found) == 450
        assert found[0] in where


def test_deletion_by_cascade_of_the_database_objects(db: Any) -> None:
    """What on_delete deleted along leaves the session's view, too."""
    with Session(databases.get().engine) as session:
        shelf = Shelf.objects(session).create(name="a")
        shelf.volumes.create(title="v")
        statements: list[str] = []
        event.listen(session, "after_flush", lambda *_: statements.append("flush"))
        total, numbers = shelf.delete(session)
        assert (total, numbers[Volume._meta.label]) == (2, 1)
        assert Volume.objects(session).count() == 0


REASONS = {
    "as_manager": "makes a manager", "prefilled": "the library's own", "resolve_expression": "of expressions",
    "shape": "the library's own", "query": "no method", "db": "no method", "ordered": "no method",
    "statement": "no method", "returning": "refused in sessions", "model": "no method",
}  # fmt: skip


def test_every_public_method_is_there(db: Any) -> None:
    """Each method of a queryset is one of its asynchronous face: refining, or a coroutine; or there is a reason."""
    import inspect

    face: Any = AsyncSessionQuerySet(Shelf.objects, None, Shelf.objects.get_queryset())
    for name in dir(QuerySet):
        if name.startswith("_") or name in REASONS:
            continue
        method = getattr(face, name)
        twin = f"a{name}"
        asks = hasattr(QuerySet, twin) and inspect.iscoroutinefunction(getattr(QuerySet, twin))
        if name in ("iterator", "raw", "aiterator", "araw", "values", "values_list"):  # awaited in the end
            assert callable(method)
        elif asks or inspect.iscoroutinefunction(getattr(QuerySet, name)):
            assert inspect.iscoroutinefunction(method), name
        else:
            assert callable(method) or name == "later", name


def test_what_is_neither_is_refused(db: Any) -> None:
    """The error lists what may be given; so do the methods of objects."""
    for wrong in ("default", 3, None, Shelf):
        with pytest.raises(TypeError, match="AsyncConnection"):
            Shelf.objects(wrong)  # type: ignore[call-overload]
    with pytest.raises(TypeError, match=r"Shelf\.refresh\(session\)"):
        Shelf(name="a").refresh("default")  # type: ignore[call-overload]


@pytest.mark.parametrize("kind", DOORS)
async def test_several_steps_of_related_managers(db: Any, world: Any, kind: str) -> None:
    """They are a part of the session's transaction, and open no other beside it."""
    begun: list[str] = []
    shelf = await world(Shelf.objects.create, name="a")
    async with door(kind, world) as where:
        volume = await of(world, Volume.objects(where).create(title="v"))
        with (
            patch("ormolu.transaction.atomic", begun.append),
            patch("ormolu.transaction.aatomic", begun.append),
        ):
            topics, volumes = volume.topics(where), shelf.volumes(where)
            made = await of(world, topics.create(name="x"))
            assert await of(world, topics.get_or_create(name="x")) == (made, False)
            assert (await of(world, topics.update_or_create(name="y")))[1]
            await of(world, volumes.set([volume]))
            await of(world, volumes.set([volume], clear=True))
            assert await of(world, volumes.count()) == 1
            assert await of(world, topics.count()) == 2
        await of(world, where.rollback())
    assert not begun
    assert await world(Topic.objects.count) == 0
