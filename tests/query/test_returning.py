"""returning(): update() and delete() that give the rows."""

from typing import Any

import pytest

import ormolu
from ormolu import CASCADE, CharField, Count, DecimalField, F, ForeignKey, IntegerField, Model
from ormolu.exceptions import NotSupportedError
from ormolu.models import SET_NULL
from ormolu.query.functions import Upper
from support.backends import Backend
from support.worlds import World


class Baker(Model):
    name = CharField(max_length=20)


class Loaf(Model):
    baker: Any = ForeignKey(Baker, on_delete=CASCADE, related_name="loaves")
    name = CharField(max_length=20)
    price = DecimalField(max_digits=6, decimal_places=2, default=1)
    sold = IntegerField(default=0)


class Cake(Loaf):
    layers = IntegerField(default=1)


class Memo(Model):
    baker: Any = ForeignKey(Baker, on_delete=SET_NULL, null=True)
    text = CharField(max_length=20)


class Tick(Model):
    baker: Any = ForeignKey(Baker, on_delete=CASCADE)
    count = IntegerField(default=0)


@pytest.fixture
def ann(db: Backend) -> Baker:
    """A baker with three ticks, and another with one."""
    ann, ben = Baker.objects.create(name="Ann"), Baker.objects.create(name="Ben")
    Tick.objects.bulk_create([Tick(baker=ann, count=n) for n in (1, 2, 3)] + [Tick(baker=ben, count=9)])
    return ann


def returns(change: str) -> bool:
    """Tell whether the database can return rows of that change."""
    return bool(getattr(ormolu.databases.get().driver.dialect, f"{change}_returning"))


async def test_an_update_gives_the_rows_as_they_are_then(ann, world: World, queries):
    """Objects, whole and known to the database, with values that the database computed."""
    queries.clear()
    found = await world(Tick.objects.filter(baker=ann, count__gt=1).returning().update, count=F("count") * 10)
    assert len(queries) == 1 or not returns("update")
    assert sorted(tick.count for tick in found) == [20, 30]
    assert all(isinstance(tick, Tick) and tick.pk and not tick._state.adding for tick in found)
    assert await world(Tick.objects.filter(count__in=[20, 30]).count) == 2


async def test_rows_are_what_the_queryset_gives(ann, world: World):
    """Dicts, tuples, single values, objects with some columns, annotations of the new values."""
    ticks = Tick.objects.filter(baker=ann)
    found = await world(ticks.values("count").returning().update, count=F("count") + 1)
    assert sorted(row["count"] for row in found) == [2, 3, 4]
    keys = await world(ticks.values_list("pk", flat=True).returning().update, count=5)
    assert sorted(keys) == sorted(await world.list(ticks.values_list("pk", flat=True)))
    some = await world(ticks.only("baker").returning().update, count=6)
    assert [tick.get_deferred_fields() for tick in some] == [{"count"}] * 3
    double = await world(ticks.annotate(double=F("count") * 2).returning().update, count=7)
    assert [tick.double for tick in double] == [14] * 3


async def test_a_deletion_gives_the_rows_as_they_were(ann, world: World, queries):
    """Objects keep their key; what other rows there are stays."""
    queries.clear()
    gone = await world(Tick.objects.filter(baker=ann, count__lt=3).returning().delete)
    assert len(queries) == 1 or not returns("delete")
    assert sorted(tick.count for tick in gone) == [1, 2]
    assert all(tick.pk for tick in gone)
    left = await world(Tick.objects.filter(baker=ann).values_list("count", flat=True).returning().delete)
    assert left == [3]
    assert await world(Tick.objects.count) == 1


async def test_nothing_is_an_empty_list(ann, world: World):
    """No row, and no query that could find one."""
    assert await world(Tick.objects.filter(count=99).returning().update, count=1) == []
    assert await world(Tick.objects.none().returning().delete) == []
    assert await world(Tick.objects.filter(pk__in=[]).returning().update, count=1) == []


async def test_rows_of_several_tables_are_given_too(ann, world: World):
    """A child's row stands in two tables, an annotation or related object in others: locked, changed and read."""
    for layers in (1, 2):
        await world(Cake.objects.create, baker=ann, name="cake", layers=layers)
    found = await world(Cake.objects.filter(layers=2).returning().update, sold=F("sold") + 3, layers=4)
    assert [(cake.name, cake.sold, cake.layers) for cake in found] == [("cake", 3, 4)]
    named = await world(Tick.objects.filter(count=1).select_related("baker").returning().update, count=5)
    assert [tick.baker.name for tick in named] == ["Ann"]
    names = await world(
        Tick.objects.filter(count=5).values_list("baker__name", "count").returning().update, count=6
    )
    assert names == [("Ann", 6)]
    counted = Baker.objects.filter(pk=ann.pk).annotate(n=Count("tick"))
    assert [baker.n for baker in await world(counted.returning().update, name="Anna")] == [3]
    gone = await world(Cake.objects.filter(layers=4).returning().delete)
    assert [(cake.name, cake.layers) for cake in gone] == [("cake", 4)]
    assert await world(Loaf.objects.count) == 1


async def test_conditions_over_relations_choose_the_rows(ann, world: World):
    """The rows are found through other tables, and changed and given from their own."""
    found = await world(Tick.objects.filter(baker__name="Ben").returning().update, count=0)
    assert [tick.count for tick in found] == [0]


async def test_deletion_does_what_on_delete_says(ann, world: World):
    """Rows that others refer to are given, and the others deleted or unlinked, in one transaction."""
    await world(Loaf.objects.create, baker=ann, name="rye")
    note = await world(Memo.objects.create, baker=ann, text="x")
    gone = await world(Baker.objects.filter(pk=ann.pk).values_list("name", flat=True).returning().delete)
    assert gone == ["Ann"]
    assert await world(Loaf.objects.count) == 0
    assert (await world(Memo.objects.get, pk=note.pk)).baker_id is None


async def test_related_objects_are_prefetched(ann, world: World):
    """prefetch_related() goes for changed rows as for others."""
    await world(Loaf.objects.create, baker=ann, name="rye")
    (found,) = await world(
        Baker.objects.filter(pk=ann.pk).prefetch_related("loaves").returning().update, name=Upper("name")
    )
    assert found.name == "ANN"
    assert [loaf.name for loaf in found._prefetched_objects_cache["loaves"]] == ["rye"]


async def test_a_failed_change_is_none_at_all(ann, world: World):
    """What took several statements is undone as a whole."""
    await world(Cake.objects.create, baker=ann, name="cake")
    with pytest.raises(ormolu.DatabaseError):
        await world(Cake.objects.all().returning().update, layers=7, baker_id=None)
    assert await world(Cake.objects.filter(layers=1).count) == 1


async def test_a_plan_serves_the_next_values(ann, world: World):
    """Another value in the same place is another parameter of the same statement."""
    for number in (1, 2, 3):
        found = await world(Tick.objects.filter(count=number).returning().update, count=number + 100)
        assert [tick.count for tick in found] == [number + 100]


def test_what_cannot_be_returned_is_refused(ann):
    """Slices have no UPDATE; a key that changes leaves no trace of the row, where that must be read again."""
    with pytest.raises(TypeError, match="slice"):
        Tick.objects.all()[:1].returning().update(count=1)
    with pytest.raises(TypeError, match="limit"):
        Tick.objects.all()[:1].returning().delete()
    with pytest.raises(NotSupportedError, match="update the key of Tick"):
        Tick.objects.filter(count=1).select_related("baker").returning().update(pk=77)
    assert not hasattr(Tick.objects, "returning")
