"""Optimistic locking: a row is written only if it has the version that the object has."""

import copy
import pickle

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session
from sqlalchemy.orm.exc import StaleDataError

from ormolu import F, databases, signals
from ormolu.exceptions import DatabaseError, FieldError, StaleObjectError
from ormolu.fields import CharField, IntegerField, VersionField
from ormolu.models.base import Model


class Page(Model):
    slug = CharField(max_length=20, unique=True, null=True)
    title = CharField(max_length=20, default="")
    hits = IntegerField(default=0)
    version = VersionField()

    class Meta:
        app_label = "versions"


class Chapter(Page):
    number = IntegerField(default=0)

    class Meta:
        app_label = "versions"


class Draft(Model):
    text = CharField(max_length=20, default="")
    revision = IntegerField(default=7)

    class Meta:
        app_label = "versions"
        version_field = "revision"


MODELS = [Page, Chapter, Draft]


class Undo(Exception):
    """Ends a block in a rollback."""


async def two(world, model=Page, **values):
    """Make a row, and return two objects for it."""
    made = await world(model.objects.create, **values)
    return made, await world(model.objects.get, pk=made.pk)


async def stored(world, model=Page, *names):
    """Return a row's columns."""
    return await world(model.objects.values_list(*(names or ("title", "hits", "version"))).get)


async def test_each_write_counts(db, world, queries):
    """1 for a new row, one more with each write, in the statement that there would be anyway."""
    page = Page(title="a")
    await world(page.save)
    assert page.version == 1
    page.title = "b"
    queries.clear()
    await world(page.save)
    assert len(queries) == 1
    assert page.version == 2
    await world(page.save)  # with nothing to write
    page.hits = F("hits") + 5
    await world(page.save)
    assert (page.hits, page.version) == (5, 3)
    page.title = "c"
    await world(page.save, update_fields=["title"])
    await world(page.save, force_update=True)
    assert await stored(world) == ("c", 5, page.version)
    assert page.version in (4, 5)


@pytest.mark.parametrize("options", [{}, {"force_update": True}, {"update_fields": ["hits"]}])
async def test_a_row_that_somebody_else_changed(db, world, options):
    """StaleObjectError names model, key and versions; nothing is written, and refresh_from_db() mends it."""
    first, second = await two(world, title="a")
    first.title = "b"
    await world(first.save)
    second.hits = 1
    with pytest.raises(
        StaleObjectError, match=r"versions\.Page.*version 1.*version 2.*refresh_from_db"
    ) as caught:
        await world(second.save, **options)
    error = caught.value
    assert (error.model, error.key, error.expected, error.found) == (Page, second.pk, 1, 2)
    assert isinstance(error, DatabaseError)
    assert pickle.loads(pickle.dumps(error)).found == 2
    assert await stored(world) == ("b", 0, 2)
    await world(second.refresh_from_db)
    second.hits = 1
    await world(second.save, **options)
    assert await stored(world) == ("b", 1, 3)


async def test_an_expression_is_checked_as_well(db, world):
    first, second = await two(world)
    first.title = "b"
    await world(first.save)
    second.hits = F("hits") + 1
    with pytest.raises(StaleObjectError):
        await world(second.save)


async def test_a_row_that_is_gone(db, world):
    """It isn't inserted again, as it would be without a version."""
    first, second = await two(world)
    await world(first.delete)
    second.title = "b"
    with pytest.raises(StaleObjectError, match="the row is gone") as caught:
        await world(second.save)
    assert caught.value.found is None
    assert await world(Page.objects.count) == 0


async def test_deleting_a_row_that_somebody_else_changed(db, world):
    """delete() checks the version, too."""
    first, second = await two(world)
    first.title = "b"
    await world(first.save)
    with pytest.raises(StaleObjectError):
        await world(second.delete)
    assert await world(Page.objects.count) == 1
    await world(first.delete)
    assert await world(Page.objects.count) == 0


async def test_update_counts(db, world):
    """QuerySet.update() writes rows whatever their version, and counts it up; so objects know."""
    first, _second = await two(world)
    assert await world(Page.objects.filter(pk=first.pk).update, hits=3) == 1
    assert await stored(world) == ("", 3, 2)
    first.title = "b"
    with pytest.raises(StaleObjectError):
        await world(first.save)
    await world(Page.objects.update, version=40)
    assert await stored(world) == ("", 3, 40)


async def test_bulk_update(db, world):
    """All or none: one row that was changed meanwhile keeps all of them from being written."""
    pages = [await world(Page.objects.create, slug=str(n)) for n in range(3)]
    for page in pages:
        page.hits = 9
    await world(Page.objects.filter(slug="1").update, title="b")
    with pytest.raises(StaleObjectError) as caught:
        await world(Page.objects.bulk_update, pages, ["hits"])
    assert (caught.value.key, caught.value.expected, caught.value.found) == (pages[1].pk, 1, 2)
    assert await world(Page.objects.filter(hits=9).count) == 0
    await world(pages[1].refresh_from_db)
    pages[1].hits = 9
    assert await world(Page.objects.bulk_update, pages, ["hits"]) == 3
    assert [page.version for page in pages] == [2, 3, 2]
    pages[0].title = "c"
    await world(pages[0].save)
    assert await world(Page.objects.filter(hits=9).count) == 3


async def test_upserts_count(db, world):
    """A row that bulk_create(update_conflicts=True) changes gets a new version."""
    await world(Page.objects.create, slug="a")
    unique = None if db.vendor == "mysql" else ["slug"]
    again = Page(slug="a", title="b")
    options = {"update_conflicts": True, "update_fields": ["title"], "unique_fields": unique}
    await world(Page.objects.bulk_create, [again], **options)
    assert await stored(world) == ("b", 0, 2)


async def test_objects_of_an_upsert_have_their_rows_versions(db, world, queries):
    """bulk_upsert() brings them back with the rest, where the database gives rows back."""
    await world(Draft.objects.create, pk=1, text="a")
    await world(Draft.objects.filter(pk=1).update, text="b")
    result = await world(
        Draft.objects.bulk_upsert, [{"id": 1, "text": "c"}, {"id": 2, "text": "d"}], unique_fields=["id"]
    )
    queries.clear()
    if db.vendor != "mysql":
        assert [draft.revision for draft in result] == [9, 7]
        assert not queries
    result.objects[0].text = "e"
    await world(result.objects[1].delete)
    await world(result.objects[0].save)
    assert await stored(world, Draft, "pk", "text", "revision") == (1, "e", 10)


async def test_update_or_create(db, world):
    """The row is locked first, so there is nobody else."""
    page, _ = await two(world, slug="a")
    found, created = await world(Page.objects.update_or_create, slug="a", defaults={"title": "b"})
    assert (found.pk, found.version, created) == (page.pk, 2, False)


async def test_a_parent_s_version_counts_for_its_children(db, world):
    """Whatever table a change is in; and through the parent's model as well."""
    first, second = await two(world, Chapter, title="a")
    first.number = 5
    await world(first.save)
    assert first.version == 2
    second.title = "b"
    with pytest.raises(StaleObjectError):
        await world(second.save)
    await world(second.refresh_from_db)
    page = await world(Page.objects.get)
    page.title = "c"
    await world(page.save)
    second.number = 6
    with pytest.raises(StaleObjectError):
        await world(second.save)
    await world(Chapter.objects.update, number=8)
    assert await stored(world, Chapter, "title", "number", "version") == ("c", 8, 4)
    with pytest.raises(StaleObjectError):
        await world(second.delete)


async def test_an_integer_field_may_count(db, world):
    """Meta.version_field names it; it begins with its default."""
    first, second = await two(world, Draft)
    first.text = "b"
    await world(first.save)
    assert first.revision == 8
    second.text = "c"
    with pytest.raises(StaleObjectError):
        await world(second.save)


async def test_a_version_that_comes_from_elsewhere(db, world):
    """What an object says counts, also if a form sent it."""
    page, _ = await two(world)
    page.title = "b"
    await world(page.save)
    sent = Page(pk=page.pk, title="c", version=1)
    with pytest.raises(StaleObjectError):
        await world(sent.save)
    sent.version = 2
    await world(sent.save)
    assert await stored(world) == ("c", 0, 3)


async def test_the_version_is_always_loaded(db, world):
    """only() and defer() leave it in."""
    await world(Page.objects.create, title="a")
    for chosen in (Page.objects.only("title"), Page.objects.defer("version", "hits")):
        page = await world(chosen.get)
        await world(Page.objects.update, hits=F("hits") + 1)
        page.title = "b"
        with pytest.raises(StaleObjectError):
            await world(page.save)


async def test_after_a_rollback(db, world):
    """The version is the one before, so that a save can be tried again; a new row is inserted again."""
    page, _ = await two(world, title="a")
    with pytest.raises(Undo):
        async with world.atomic():
            for title in ("b", "c"):
                page.title = title
                await world(page.save)
                async with world.atomic():
                    page.hits += 1
                    await world(page.save)
            raise Undo
    await world(page.save)
    assert await stored(world) == ("c", 2, 2)
    await world(page.delete)
    fresh = Page(title="new")
    with pytest.raises(Undo):
        async with world.atomic():
            await world(fresh.save)
            fresh.hits = 1
            await world(fresh.save)
            raise Undo
    await world(fresh.save)
    assert await stored(world) == ("new", 1, 1)


async def test_copies(db, world):
    """A copy has its original's version; with another key it is a row of its own."""
    page, _ = await two(world, title="a")
    twin = copy.copy(page)
    page.title = "b"
    await world(page.save)
    twin.title = "c"
    with pytest.raises(StaleObjectError):
        await world(twin.save)
    page.pk = None
    await world(page.save)
    assert await world(Page.objects.count) == 2


async def test_receivers_see_the_new_version(db, world):
    """post_save has what the row has."""
    seen = []

    def note(instance, **rest):
        seen.append(instance.version)

    signals.post_save.connect(note, sender=Page)
    try:
        page = await world(Page.objects.create)
        page.title = "b"
        await world(page.save)
    finally:
        signals.post_save.disconnect(note, sender=Page)
    assert seen == [1, 2]


@pytest.mark.worlds("sync")
@pytest.mark.backends("sqlite", "postgresql", "mariadb")
async def test_a_session_counts_and_compares(db, world):
    """The mapper knows the column: a flush counts, and raises SQLAlchemy's StaleDataError."""
    await world(Page.objects.create, title="a")
    with Session(databases.get().engine) as session:
        page = session.scalars(sa.select(Page)).one()
        page.title = "b"
        session.flush()
        assert page.version == 2
        page.hits = 4
        page.save()
        assert page.version == 3
        page.title = "c"
        session.commit()
        assert page.version == 4
        session.rollback()
        Page.objects(session).update(hits=5)
        page.title = "d"
        session.commit()
        assert (page.hits, page.version) == (5, 6)
        session.rollback()
    with Session(databases.get().engine, expire_on_commit=False) as session:
        loaded = session.scalars(sa.select(Page)).one()
        session.commit()
        assert loaded.version == 6
        Page.objects.filter(pk=loaded.pk).update(title="else")
        loaded.hits = 6
        with pytest.raises(StaleDataError):
            session.flush()


def test_fields_that_cannot_count():
    """FieldError when the class is made, with the choices."""
    with pytest.raises(FieldError, match=r"names 'title', which can't count.*Choices are: hits"):

        class Wrong(Model):
            title = CharField(max_length=5)
            hits = IntegerField()

            class Meta:
                app_label = "versions"
                version_field = "title"

    with pytest.raises(FieldError, match="Did you mean 'hits'"):

        class Unknown(Model):
            hits = IntegerField()

            class Meta:
                app_label = "versions"
                version_field = "hitz"

    with pytest.raises(FieldError, match="several VersionFields: one, two"):

        class Several(Model):
            one = VersionField()
            two = VersionField()

            class Meta:
                app_label = "versions"

    with pytest.raises(FieldError, match="which it inherits"):

        class Second(Page):
            own = VersionField()

            class Meta:
                app_label = "versions"


def test_deconstruct():
    """Its own defaults are left out."""
    assert VersionField().deconstruct()[1:] == ("ormolu.VersionField", [], {})
