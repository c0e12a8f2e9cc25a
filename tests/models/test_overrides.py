"""A method that a class overrides is heard in both worlds, also where its asynchronous twin is not overridden."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest
from sqlalchemy.orm import Session

import ormolu
from ormolu import CASCADE, CharField, ForeignKey, IntegerField, Manager, Model, QuerySet
from ormolu.exceptions import IntegrityError, NotSupportedError


class Owner(Model):
    name = CharField(max_length=50)


class Log(Model):
    text = CharField(max_length=100)


class Titled:
    """A mixin that is no model."""

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.slug = self.title.lower()
        super().save(*args, **kwargs)


class Page(Titled, Model):
    title = CharField(max_length=50, unique=True)
    slug = CharField(max_length=50)
    owner = ForeignKey(Owner, on_delete=CASCADE, null=True, related_name="pages")

    def delete(self, *args: Any, **kwargs: Any) -> Any:
        Log.objects.create(text=f"deleted {self.title}")
        return super().delete(*args, **kwargs)

    def refresh_from_db(self, *args: Any, **kwargs: Any) -> None:
        super().refresh_from_db(*args, **kwargs)
        self.refreshed = True


class Note(Model):
    """Whose save() does what synchronous code may do."""

    text = CharField(max_length=50)
    owner = ForeignKey(Owner, on_delete=CASCADE)

    def save(self, *args: Any, **kwargs: Any) -> None:
        with ormolu.atomic():
            self.text += f" of {self.owner.name}"
            super().save(*args, **kwargs)
            Log.objects.create(text="saved")
            ormolu.on_commit(lambda: seen.append(self.text))
            if self.text.startswith("bad"):
                raise ValueError(self.text)


class Both(Model):
    text = CharField(max_length=50)

    def save(self, *args: Any, **kwargs: Any) -> None:
        seen.append("save")
        super().save(*args, **kwargs)

    async def asave(self, *args: Any, **kwargs: Any) -> None:
        seen.append("asave")
        await super().asave(*args, **kwargs)


class Asynchronous(Model):
    text = CharField(max_length=50)

    async def asave(self, *args: Any, **kwargs: Any) -> None:
        seen.append("asave")
        await super().asave(*args, **kwargs)


class Soft(QuerySet[Any]):
    def delete(self) -> tuple[int, dict[str, int]]:
        number = self.update(gone=1)
        return number, {"soft": number}

    def create(self, **kwargs: Any) -> Any:
        return super().create(**{"text": "by default", **kwargs})


class Counted(Manager[Any]):
    def count(self) -> int:
        return 1000 + super().count()


class Kept(Model):
    text = CharField(max_length=50)
    gone = IntegerField(default=0)
    objects = Soft.as_manager()
    counted = Counted()


seen: list[Any] = []


@pytest.fixture(autouse=True)
def nothing_seen():
    seen.clear()


async def test_save_alone(db, world):
    """An override of save() is called by asave(), and by all that saves single objects."""
    page = Page(title="A")
    await world(page.save)
    assert page.slug == "a"
    page.title = "B"
    await world(page.save, update_fields=["title", "slug"])
    assert (await world(Page.objects.get, slug="b")).title == "B"
    assert (await world(Page.objects.create, title="C")).slug == "c"
    assert (await world(Page.objects.get_or_create, title="D"))[0].slug == "d"
    assert (await world(Page.objects.update_or_create, title="E"))[0].slug == "e"
    changed, created = await world(Page.objects.update_or_create, title="E", defaults={"slug": "-"})
    assert (changed.slug, created) == ("e", False)
    ann = await world(Owner.objects.create, name="Ann")
    assert (await world(ann.pages.create, title="F")).slug == "f"
    assert (await world(ann.pages.get_or_create, title="G"))[0].slug == "g"
    await world(ann.pages.add, Page(title="H"), bulk=False)
    assert [p.slug for p in await world.list(ann.pages.order_by("title"))] == ["f", "g", "h"]


async def test_delete_and_refresh_alone(db, world):
    """The same holds for delete() and refresh_from_db()."""
    page = await world(Page.objects.create, title="A")
    await world(page.refresh_from_db)
    assert page.refreshed
    assert (await world(page.delete))[0] == 1
    assert [log.text for log in await world.list(Log.objects.all())] == ["deleted A"]


async def test_an_override_works_in_the_callers_transaction(db, world):
    """What an override does is undone with the block around the call, its hooks too; its own blocks nest."""
    ann = await world(Owner.objects.create, name="Ann")
    loaded = await world(Note(text="a", owner_id=ann.pk).save)
    assert loaded is None
    assert seen == ["a of Ann"]
    with pytest.raises(RuntimeError):
        async with world.atomic():
            await world(Note.objects.create, text="b", owner_id=ann.pk)
            assert await world(Note.objects.count) == 2
            assert seen == ["a of Ann"]
            raise RuntimeError
    async with world.atomic():
        await world(Note.objects.create, text="c", owner_id=ann.pk)
        with pytest.raises(ValueError):
            await world(Note.objects.create, text="bad", owner_id=ann.pk)
        assert seen == ["a of Ann"]
    assert seen == ["a of Ann", "c of Ann"]
    assert [n.text for n in await world.list(Note.objects.order_by("pk"))] == ["a of Ann", "c of Ann"]
    assert await world(Log.objects.count) == 2
    with pytest.raises(ValueError):
        await world(Note(text="bad", owner_id=ann.pk).save)
    assert await world(Log.objects.count) == 2


async def test_both(db, world):
    """Where both are overridden, each world has its own."""
    expected = f"{'a' if world.is_async else ''}save"
    both = await world(Both.objects.create, text="a")
    await world(both.save)
    await world(Both.objects.get_or_create, text="b")
    await world(Both.objects.update_or_create, text="b", defaults={"text": "c"})
    assert seen == [expected] * 4


@pytest.mark.worlds("async")
async def test_asave_alone(db, world):
    """An override of asave() is called by asynchronous programs."""
    await Asynchronous.objects.acreate(text="a")
    await Asynchronous.objects.aget_or_create(text="b")
    await Asynchronous.objects.aupdate_or_create(text="b", defaults={"text": "c"})
    assert seen == ["asave"] * 3


async def test_querysets_and_managers(db, world):
    """A QuerySet's or manager's method is heard in the same way."""
    kept = await world(Kept.objects.create)
    assert kept.text == "by default"
    assert await world(Kept.objects.all().delete) == (1, {"soft": 1})
    assert (await world(Kept.objects.get)).gone == 1
    assert await world(Kept.counted.count) == 1001
    assert await world(Kept.counted.all().count) == 1


async def test_a_sessions_querysets(db):
    """With a session, too: an override calls what the session does."""
    with Session(ormolu.databases.get().engine) as session:
        kept = Kept.objects(session).create()
        assert kept.text == "by default"
        assert kept in session
        assert Kept.objects(session).all().delete() == (1, {"soft": 1})


async def test_patched_for_a_while(db, world, monkeypatch):
    """A save() that is set on the class later counts as well."""
    saved = Owner.save

    def save(self: Any, *args: Any, **kwargs: Any) -> None:
        seen.append(self.name)
        saved(self, *args, **kwargs)

    monkeypatch.setattr(Owner, "save", save)
    await world(Owner.objects.create, name="A")
    await world(Owner.objects.get_or_create, name="B")
    assert seen == ["A", "B"]


@pytest.mark.worlds("async")
@pytest.mark.backends("sqlite", "postgresql", "asyncpg", "mariadb")
async def test_an_override_may_block(db, world, monkeypatch):
    """An override runs in another thread than the event loop's, which goes on meanwhile."""
    go_on = threading.Event()
    original = Titled.save

    def save(self: Any, *args: Any, **kwargs: Any) -> None:
        seen.append(go_on.wait(5))
        original(self, *args, **kwargs)

    monkeypatch.setattr(Titled, "save", save)
    task = asyncio.create_task(Page(title="A").asave())
    await asyncio.sleep(0.02)
    go_on.set()
    await task
    assert seen == [True]


@pytest.mark.worlds("async")
async def test_a_cancelled_override(db, world, monkeypatch):
    """A cancelled task's override ends at its next query, and its transaction is undone."""
    begun, go_on = threading.Event(), threading.Event()
    original = Titled.save

    def save(self: Any, *args: Any, **kwargs: Any) -> None:
        with ormolu.atomic():
            Log.objects.create(text="begun")
            begun.set()
            go_on.wait(5)
            original(self, *args, **kwargs)

    monkeypatch.setattr(Titled, "save", save)
    task = asyncio.create_task(Page(title="A").asave())
    while not begun.is_set():
        await asyncio.sleep(0.005)
    task.cancel()
    await asyncio.sleep(0.01)
    assert not task.done()
    go_on.set()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await Log.objects.acount() == 0
    assert await Page.objects.acount() == 0


@pytest.mark.worlds("async")
@pytest.mark.backends("postgresql", "asyncpg", "mariadb")
async def test_many_at_once(db, world):
    """Overrides of many tasks, in transactions and outside, don't starve one another."""
    ann = await Owner.objects.acreate(name="Ann")

    async def add(number: int) -> None:
        if number % 2:
            async with ormolu.aatomic():
                await Note.objects.acreate(text=str(number), owner_id=ann.pk)
        else:
            await Note.objects.acreate(text=str(number), owner_id=ann.pk)

    await asyncio.gather(*(add(number) for number in range(40)))
    assert await Note.objects.acount() == await Log.objects.acount() == 40


@pytest.mark.worlds("async")
@pytest.mark.backends("postgresql", "asyncpg")
async def test_what_an_errand_can_do(db, world, monkeypatch):
    """Streams, savepoints and SQL by hand work in an override; a DB-API cursor is refused."""
    await Log.objects.acreate(text="a")
    original = Titled.save

    def save(self: Any, *args: Any, **kwargs: Any) -> None:
        seen.append([log.text for log in Log.objects.iterator(chunk_size=1)])
        connection = ormolu.transaction.get_connection()
        seen.append(connection.fetch("SELECT count(*) FROM " + Log._meta.db_table)[0][0])
        with ormolu.atomic():
            point = ormolu.transaction.savepoint()
            Log.objects.create(text="b")
            ormolu.transaction.savepoint_rollback(point)
            seen.append(Log.objects.count())
        with pytest.raises(NotSupportedError):
            connection.cursor()
        original(self, *args, **kwargs)

    monkeypatch.setattr(Titled, "save", save)
    await Page.objects.acreate(title="A")
    assert seen == [["a"], 1, 1]


async def test_a_lost_race_with_an_override(db, world, monkeypatch):
    """get_or_create() whose save() meets another's row gives that row, inside a transaction too."""
    await world(Page.objects.create, title="A")
    original = Titled.save

    def save(self: Any, *args: Any, **kwargs: Any) -> None:
        self.title = "A"
        original(self, *args, **kwargs)

    monkeypatch.setattr(Titled, "save", save)
    async with world.atomic():
        with pytest.raises(IntegrityError):
            await world(Page.objects.get_or_create, title="Z")
        assert await world(Page.objects.count) == 1
