"""Generic keys and generic relations: what they load, find, write, delete and prefetch, in both worlds."""

from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest

from ormolu import (
    CASCADE,
    CharField,
    Count,
    F,
    ForeignKey,
    IntegerField,
    Model,
    NotLoaded,
    PositiveBigIntegerField,
    Prefetch,
    UUIDField,
)
from ormolu.contrib.contenttypes.fields import GenericForeignKey, GenericRelation
from ormolu.contrib.contenttypes.models import ContentType
from ormolu.contrib.contenttypes.prefetch import GenericPrefetch
from ormolu.exceptions import FieldError
from support.backends import Backend
from support.worlds import World


class Label(Model):
    text = CharField(max_length=20)
    content_type: Any = ForeignKey(ContentType, on_delete=CASCADE, null=True)
    object_id: Any = PositiveBigIntegerField(null=True)
    target = GenericForeignKey()

    class Meta:
        ordering = ["text"]


class Remark(Model):
    """Its object's key is a text, so that it may be of any type."""

    text = CharField(max_length=20)
    kind: Any = ForeignKey(ContentType, on_delete=CASCADE, related_name="remarks")
    key = CharField(max_length=40)
    about = GenericForeignKey("kind", "key")

    class Meta:
        ordering = ["text"]


class Site(Model):
    url = CharField(max_length=40)
    labels = GenericRelation(Label, related_query_name="site")
    remarks = GenericRelation(Remark, "key", "kind")

    class Meta:
        ordering = ["url"]


class Beast(Model):
    name = CharField(max_length=40)
    legs = IntegerField(default=4)
    labels = GenericRelation(Label)

    class Meta:
        ordering = ["name"]


class Bird(Beast):
    wings = IntegerField(default=2)


class Coded(Model):
    code = CharField(max_length=10, primary_key=True)


class Sealed(Model):
    id: Any = UUIDField(primary_key=True, default=uuid4)
    remarks = GenericRelation(Remark, "key", "kind")


class Note(Model):
    """It has a place among the notes of its object."""

    text = CharField(max_length=20)
    content_type: Any = ForeignKey(ContentType, on_delete=CASCADE, null=True, related_name="+")
    object_id: Any = PositiveBigIntegerField(null=True)
    pad = GenericForeignKey()

    class Meta:
        order_with_respect_to = "pad"


class Pad(Model):
    notes = GenericRelation(Note)


class SiteProxy(Site):
    class Meta:
        proxy = True


MODELS = [ContentType, Label, Remark, Site, Beast, Bird, Coded, Sealed, Note, Pad]


@pytest.fixture(autouse=True)
def fresh() -> Iterator[None]:
    """Forget content types: each test has tables of its own."""
    ContentType.objects.clear_cache()
    yield
    ContentType.objects.clear_cache()


@pytest.fixture
def site(db: Backend) -> Site:
    """A site with the labels `a` and `b`, and a beast of the same key with the label `c`."""
    site = Site.objects.create(pk=1, url="x.org")
    beast = Beast.objects.create(pk=1, name="lion")
    for text in "ab":
        site.labels.create(text=text)
    beast.labels.create(text="c")
    ContentType.objects.clear_cache()
    return site


def texts(labels: Any) -> list[str]:
    return [label.text for label in labels]


# Content types


async def test_a_label_whose_adding_was_undone(db: Any, world: World) -> None:
    """After a rollback the object is still to be written."""
    site = await world(Site.objects.create, url="a")
    label = await world(Label.objects.create, text="red")
    await world(site.labels.create, text="blue")  # which makes the content type
    await world(site.labels.clear)
    with pytest.raises(KeyError):
        async with world.atomic():
            await world(site.labels.add, label)
            raise KeyError
    assert await world(site.labels.count) == 0
    await world(label.save)
    assert await world(site.labels.count) == 1


async def test_a_content_type_is_made_when_asked_for_and_remembered(
    db: Backend, queries: Any, world: World
) -> None:
    """The first get_for_model() makes the row; the second sends nothing."""
    found = await world(ContentType.objects.get_for_model, Site)
    assert found.natural_key() == (Site._meta.app_label, "site")
    assert found.model_class() is Site
    sent = len(queries)
    assert await world(ContentType.objects.get_for_model, SiteProxy(url="y")) is found
    assert await world(ContentType.objects.get_for_id, found.pk) is found
    assert await world(ContentType.objects.get_by_natural_key, *found.natural_key()) is found
    assert len(queries) == sent
    assert await world(ContentType.objects.count) == 1


async def test_several_content_types_take_three_statements(db: Backend, queries: Any, world: World) -> None:
    """get_for_models() asks once for all, makes those that are missing at once, and tells proxies if told so."""
    found = await world(ContentType.objects.get_for_models, Site, SiteProxy, Beast, for_concrete_models=False)
    assert {model: row.model for model, row in found.items()} == {
        Site: "site",
        SiteProxy: "siteproxy",
        Beast: "beast",
    }
    assert sum(query.sql.startswith(("SELECT", "INSERT")) for query in queries) == 3


async def test_a_content_type_that_was_rolled_back_is_forgotten(db: Backend, world: World) -> None:
    """A row made in a transaction is remembered only when that commits."""
    with pytest.raises(LookupError):
        async with world.atomic():
            assert (await world(ContentType.objects.get_for_model, Site)).pk
            assert (await world(ContentType.objects.get_for_model, Site)).pk
            raise LookupError
    again = await world(ContentType.objects.get_for_model, Site)
    assert await world(ContentType.objects.filter(pk=again.pk).exists)
    async with world.atomic():
        made = await world(ContentType.objects.get_for_model, Beast)
    assert await world(ContentType.objects.get_for_model, Beast) == made


async def test_a_content_type_gets_objects(site: Site, world: World) -> None:
    """get_object_for_this_type() finds one, get_all_objects_for_this_type() some; a model that is gone has none."""
    found = await world(ContentType.objects.get_for_model, Site)
    assert await world(found.get_object_for_this_type, url="x.org") == site
    assert await world.list(found.get_all_objects_for_this_type(pk=1)) == [site]
    assert (found.name, str(ContentType(app_label="gone", model="thing"))) == ("site", "thing")
    with pytest.raises(ContentType.DoesNotExist):
        await world(ContentType.objects.get_for_id, 10_000)
    with pytest.raises(LookupError):
        await world(ContentType(app_label="gone", model="thing").get_object_for_this_type, pk=1)


# The generic key


async def test_an_object_of_any_model_can_be_referred_to(db: Backend, world: World) -> None:
    """An object is assigned, saved with its content type, and loaded again; also where the type isn't known yet."""
    site = await world(Site.objects.create, url="x.org")
    made = await world(Label.objects.create, text="a", target=site)
    assert made.content_type.model == "site"
    assert made.object_id == site.pk
    loaded = await world(Label.objects.get)
    assert await world.attribute(loaded, "target") == site
    assert loaded.target is loaded.target


async def test_bulk_create_completes_generic_keys(db: Backend, world: World) -> None:
    """Objects of several models, and one that got its key after it was assigned."""
    site, beast = Site(url="x.org"), await world(Beast.objects.create, name="lion")
    labels = [Label(text="a", target=site), Label(text="b", target=beast)]
    await world(site.save)
    await world(Label.objects.bulk_create, labels)
    loaded = await world.list(Label.objects.prefetch_related("target"))
    assert [label.target for label in loaded] == [site, beast]


async def test_an_unsaved_object_is_refused(db: Backend, world: World) -> None:
    """As for a ForeignKey: saving would lose the reference."""
    label = Label(text="a", target=Site(url="x.org"))
    with pytest.raises(ValueError, match="unsaved related object 'target'"):
        await world(label.save)
    with pytest.raises(ValueError, match="unsaved related object 'target'"):
        await world(Label.objects.bulk_create, [label])


@pytest.mark.worlds("sync")
def test_the_object_follows_the_columns(site: Site) -> None:
    """Changing either column, or deleting the object, changes what the key gives; None empties both."""
    label = Label.objects.get(text="a")
    assert label.target == site
    other = Site.objects.create(pk=2, url="y.org")
    label.object_id = other.pk
    assert label.target == other
    label.content_type = ContentType.objects.get_for_model(Beast)
    label.object_id = 1
    assert label.target == Beast.objects.get()
    label.target = other
    other.delete()
    assert label.target is None
    label.target = None
    assert (label.content_type_id, label.object_id) == (None, None)
    with pytest.raises(ValueError, match="an object of a model"):
        label.target = 3


@pytest.mark.worlds("async")
async def test_async_code_loads_explicitly(site: Site, world: World) -> None:
    """Reading what isn't loaded says how to load it."""
    label = await Label.objects.aget(text="a")
    with pytest.raises(NotLoaded, match="aload") as raised:
        _ = label.target
    assert "select_related" not in str(raised.value)  # which a key to objects of any model does not take
    assert await label.aload("target") == site


def test_a_generic_key_is_no_lookup(db: Backend) -> None:
    """It has no column."""
    for wrong in (
        lambda: Label.objects.filter(target=1),
        lambda: Label.objects.order_by("target"),
        lambda: Label.objects.values("target"),
        lambda: Label.objects.select_related("target"),
        lambda: Site.objects.select_related("labels"),
    ):
        with pytest.raises(FieldError):
            list(wrong())


# The relation


async def test_the_manager_finds_and_creates(site: Site, queries: Any, world: World) -> None:
    """Objects of the other model with the same key don't count, and reading takes one statement."""
    assert texts(await world.list(site.labels.all())) == ["a", "b"]
    assert len(queries) == 1
    assert (await world(site.labels.create, text="d")).object_id == site.pk
    assert await world(site.labels.filter(text="c").exists) is False
    found, created = await world(site.labels.get_or_create, text="a")
    assert (found.text, created) == ("a", False)
    found, created = await world(site.labels.update_or_create, {"text": "e"}, text="b")
    assert (found.text, created) == ("e", False)
    assert await world(site.labels.count) == 3


@pytest.mark.parametrize("bulk", [True, False])
async def test_the_manager_adds_and_deletes(site: Site, world: World, bulk: bool) -> None:
    """add() moves objects here; what remove(), set() and clear() let go of is deleted."""
    a, b, c = await world.list(Label.objects.all())
    await world(site.labels.add, c, bulk=bulk)
    assert texts(await world.list(site.labels.all())) == ["a", "b", "c"]
    assert await world.attribute(c, "target") == site
    await world(site.labels.remove, a, bulk=bulk)
    await world(site.labels.set, [c], bulk=bulk)
    assert texts(await world.list(Label.objects.all())) == ["c"]
    with pytest.raises(TypeError, match="'Label' instance expected"):
        await world(site.labels.add, site)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="isn't saved"):
        await world(site.labels.add, Label(text="z"))
    await world(site.labels.clear, bulk=bulk)
    assert await world(Label.objects.count) == 0
    assert b.text == "b"


@pytest.mark.worlds("sync")
def test_a_relation_cant_be_assigned(site: Site) -> None:
    """set() says whether it is meant."""
    with pytest.raises(TypeError, match=r"labels\.set\(\)"):
        site.labels = []  # type: ignore[assignment]


async def test_lookups_go_over_the_relation(site: Site, world: World) -> None:
    """filter(), exclude(), annotate() and aggregate(), there and back, are about objects of this model alone."""
    bare = await world(Site.objects.create, pk=2, url="y.org")
    assert await world.list(Site.objects.filter(labels__text="a")) == [site]
    assert await world.list(Site.objects.filter(labels__text="c")) == []
    assert await world.list(Site.objects.exclude(labels__text="a")) == [bare]
    assert await world.list(Site.objects.exclude(labels__text="c")) == [site, bare]
    assert await world.list(Site.objects.filter(labels__isnull=True)) == [bare]
    assert await world.list(Site.objects.filter(labels__text="a").filter(labels__text="b")) == [site]
    assert await world(Site.objects.aggregate, n=Count("labels")) == {"n": 2}
    counted = await world.list(
        Site.objects.annotate(n=Count("labels")).order_by("url").values_list("url", "n")
    )
    assert counted == [("x.org", 2), ("y.org", 0)]
    assert texts(await world.list(Label.objects.filter(site__url="x.org"))) == ["a", "b"]
    assert texts(await world.list(Label.objects.exclude(site__url="x.org"))) == ["c"]
    assert texts(await world.list(Label.objects.filter(site=site))) == ["a", "b"]
    urls = await world.list(Label.objects.order_by("text").values_list("text", "site__url"))
    assert urls == [("a", "x.org"), ("b", "x.org"), ("c", None)]
    label = await world(Label.objects.get, text="a")
    assert await world.list(label.site.all()) == [site]


async def test_a_key_may_be_kept_as_text(site: Site, world: World) -> None:
    """Lookups, prefetching and deletion compare the object's key as a text."""
    coded = await world(Coded.objects.create, code="q")
    await world(site.remarks.create, text="good")
    await world(Remark.objects.create, text="bad", about=coded)
    assert await world(Site.objects.filter(remarks__text="good").count) == 1
    assert await world(Site.objects.exclude(remarks__text="good").count) == 0
    (loaded,) = await world.list(Site.objects.prefetch_related("remarks"))
    assert texts(loaded.remarks.all()) == ["good"]
    remarks = await world.list(Remark.objects.prefetch_related("about"))
    assert [remark.about for remark in remarks] == [coded, site]
    await world(site.delete)
    assert texts(await world.list(Remark.objects.all())) == ["bad"]


async def test_a_uuid_may_be_kept_as_text(db: Backend, world: World) -> None:
    """It is compared in its usual form, whatever its own column holds."""
    one, two = [await world(Sealed.objects.create) for _ in range(2)]
    await world(one.remarks.create, text="good")
    assert await world.list(Sealed.objects.filter(remarks__text="good")) == [one]
    assert await world.list(Sealed.objects.exclude(remarks__text="good")) == [two]
    assert await world.list(Sealed.objects.filter(remarks__isnull=True)) == [two]
    loaded = {sealed.pk: sealed for sealed in await world.list(Sealed.objects.prefetch_related("remarks"))}
    assert texts(loaded[one.pk].remarks.all()) == ["good"]
    assert texts(loaded[two.pk].remarks.all()) == []
    (remark,) = await world.list(Remark.objects.prefetch_related("about"))
    assert remark.about == one
    await world(one.delete)
    assert await world(Remark.objects.count) == 0


async def test_an_order_with_respect_to_any_object(db: Backend, world: World) -> None:
    """Objects have their place among those of the same object; the generic relation's model sets it."""
    one, two = [await world(Pad.objects.create) for _ in range(2)]
    notes = [await world(one.notes.create, text=text) for text in "abc"]
    other = await world(Note.objects.create, text="d", pad=two)
    assert [note._order for note in (*notes, other)] == [0, 1, 2, 0]
    made = await world(Note.objects.bulk_create, [Note(text="e", pad=one), Note(text="f", pad=two)])
    assert [note._order for note in made] == [3, 1]
    assert await world(notes[0].get_next_in_order) == notes[1]
    keys = [made[0].pk, *(note.pk for note in notes)]
    await world(one.set_note_order, [*keys, other.pk])
    assert await world.list(one.get_note_order()) == keys
    assert await world.list(two.get_note_order()) == [other.pk, made[1].pk]
    queryset, _of_note, _of_pad, _single, _name, _is = one.notes.get_prefetch_querysets([one, two])
    assert await world(queryset.count) == 6


async def test_deleting_the_owner_deletes_what_refers_to_it(site: Site, world: World) -> None:
    """By an object and by a queryset; those of another model stay."""
    count, by_model = await world(site.delete)
    assert (count, by_model[Label._meta.label]) == (3, 2)
    assert texts(await world.list(Label.objects.all())) == ["c"]
    await world(Beast.objects.all().delete)
    assert await world(Label.objects.count) == 0


async def test_a_child_model_has_its_own_content_type(db: Backend, world: World) -> None:
    """A relation that is declared by the parent is the child's, too; each has the objects of its own type."""
    bird = await world(Bird.objects.create, name="owl")
    label = await world(bird.labels.create, text="a")
    assert label.content_type.model == "bird"
    assert await world(Bird.objects.filter(labels__text="a").count) == 1
    assert await world(Beast.objects.filter(labels__text="a").count) == 0
    await world(bird.delete)
    assert await world(Label.objects.count) == 0


# Prefetching


async def test_a_generic_key_is_prefetched_by_model(site: Site, queries: Any, world: World) -> None:
    """One SELECT for the content types, one for each model; then as a path of relations."""
    await world(Label.objects.create, text="z")
    labels = await world.list(Label.objects.prefetch_related("target__labels"))
    selects = [query.sql for query in queries if query.sql.startswith("SELECT")]
    assert [label.target and texts(label.target.labels.all()) for label in labels] == [
        ["a", "b"],
        ["a", "b"],
        ["c"],
        None,
    ]
    assert len(selects) == 1 + 1 + 2 + 2


async def test_objects_that_are_gone_are_none(site: Site, world: World) -> None:
    """Their keys stay."""
    await world(Label.objects.update, object_id=F("object_id") + 50)
    labels = await world.list(Label.objects.prefetch_related("target"))
    assert [label.target for label in labels] == [None, None, None]


async def test_a_generic_prefetch_chooses_querysets_by_model(site: Site, world: World) -> None:
    """Models that it doesn't name are loaded as usual; `to_attr` puts the object elsewhere."""
    lookup = GenericPrefetch("target", [Site.objects.filter(url="no"), Beast.objects.only("name")])
    labels = await world.list(Label.objects.prefetch_related(lookup))
    assert labels[0].target is None
    assert labels[2].target.get_deferred_fields() == {"legs"}
    lookup = GenericPrefetch("target", [Beast.objects.all()], to_attr="thing")
    labels = await world.list(Label.objects.prefetch_related(lookup))
    assert [type(label.thing) for label in labels] == [Site, Site, Beast]  # type: ignore[attr-defined]
    with pytest.raises(ValueError, match="Only one queryset"):
        twice = GenericPrefetch("target", [Site.objects.all(), Site.objects.all()])
        await world.list(Label.objects.prefetch_related(twice))


async def test_a_relation_is_prefetched(site: Site, queries: Any, world: World) -> None:
    """With one SELECT, there and back; with a slice for each object, into an attribute."""
    (loaded,) = await world.list(Site.objects.prefetch_related("labels"))
    assert texts(loaded.labels.all()) == ["a", "b"]
    labels = await world.list(Label.objects.prefetch_related("site"))
    assert [list(label.site.all()) for label in labels] == [[site], [site], []]
    assert len(queries) == 4
    first = Prefetch("labels", Label.objects.order_by("-text")[:1], to_attr="last")
    (loaded,) = await world.list(Site.objects.prefetch_related(first))
    assert texts(loaded.last) == ["b"]  # type: ignore[attr-defined]


async def test_writing_forgets_what_was_prefetched(site: Site, world: World) -> None:
    """After create() or clear() the manager asks again."""
    (loaded,) = await world.list(Site.objects.prefetch_related("labels"))
    await world(loaded.labels.create, text="d")
    assert texts(await world.list(loaded.labels.all())) == ["a", "b", "d"]
    (loaded,) = await world.list(Site.objects.prefetch_related("labels"))
    await world(loaded.labels.clear)
    assert await world.list(loaded.labels.all()) == []
