"""djanorm's querysets and functions."""

from __future__ import annotations

from typing import Any

import pytest

import ormolu.ports.djanorm as dorm
from ormolu.ports.djanorm.functions import Cast, Coalesce, Concat
from ormolu.ports.djanorm.queryset import CombinedQuerySet


class Diver(dorm.Model):
    name = dorm.CharField(max_length=30)
    notes = dorm.TextField(null=True)
    depth = dorm.IntegerField(default=0)
    air = dorm.IntegerField(default=0)

    class Meta:
        ordering = ["name"]


async def divers(world: Any) -> None:
    await world(
        Diver.objects.bulk_create,
        [
            Diver(name="Ann", depth=40, air=-3),
            Diver(name="Ben", depth=12, notes="new"),
            Diver(name="Cle", depth=30),
        ],
    )


async def test_none_where_there_is_none(db: Any, world: Any) -> None:
    """get_or_none() gives None instead of DoesNotExist, and still refuses several."""
    await divers(world)
    assert await world(Diver.objects.get_or_none, name="Nobody") is None
    assert (await world(Diver.objects.get_or_none, name="Ann")).depth == 40
    with pytest.raises(dorm.MultipleObjectsReturned):
        await world(Diver.objects.get_or_none, depth__gt=20)
    with pytest.raises(dorm.DoesNotExist):
        await world(Diver.objects.get, name="Nobody")


async def test_texts_of_several_kinds_mix(db: Any, world: Any) -> None:
    """Coalesce and Concat of a TextField and a literal need no output_field."""
    await divers(world)
    queryset = Diver.objects.annotate(
        text=Coalesce(dorm.F("notes"), dorm.Value("nothing")),
        line=Concat(dorm.F("name"), dorm.Value(": "), Coalesce(dorm.F("notes"), dorm.Value("-"))),
    )
    found = await world.list(queryset)
    assert [(diver.text, diver.line) for diver in found] == [
        ("nothing", "Ann: -"), ("new", "Ben: new"), ("nothing", "Cle: -"),
    ]  # fmt: skip


async def test_cast_takes_the_name_of_a_type(db: Any, world: Any) -> None:
    """`output_field="text"`, or a field; another name is refused with the near miss."""
    await divers(world)
    queryset = Diver.objects.annotate(
        text=Cast(dorm.F("depth"), output_field="text"), ratio=Cast("depth", dorm.FloatField())
    )
    ann = await world(queryset.get, name="Ann")
    assert (ann.text, ann.ratio) == ("40", 40.0)
    with pytest.raises(ValueError, match="knows no type 'txt'. Did you mean 'text'"):
        Cast("depth", output_field="txt")


async def test_combined_querysets(db: Any, world: Any) -> None:
    """union() and its kin give a CombinedQuerySet, which is ordered, counted and sliced."""
    await divers(world)
    deep, high = Diver.objects.filter(depth__gte=30), Diver.objects.filter(depth__lt=20)
    both = deep.union(high)
    assert isinstance(both, CombinedQuerySet)
    assert not isinstance(deep, CombinedQuerySet)
    assert await world(both.count) == 3
    assert [diver.name for diver in await world.list(both.order_by("-name")[:2])] == ["Cle", "Ben"]
    assert [diver.name for diver in await world.list(Diver.objects.difference(deep))] == ["Ben"]
    with pytest.raises(TypeError, match="made by union"):
        CombinedQuerySet()


@pytest.mark.worlds("async")
async def test_values_in_one_call(db: Any, world: Any) -> None:
    """avalues() and avalues_list() are lists, of a manager and of a queryset."""
    await divers(world)
    assert await Diver.objects.avalues("name", "depth") == [
        {"name": "Ann", "depth": 40}, {"name": "Ben", "depth": 12}, {"name": "Cle", "depth": 30},
    ]  # fmt: skip
    assert await Diver.objects.filter(depth__gt=20).avalues_list("name", flat=True) == ["Ann", "Cle"]


async def test_updates_and_functions(db: Any, world: Any) -> None:
    """F in update(), Abs, Case and an aggregate behave as in djanorm's document."""
    await divers(world)
    assert await world(Diver.objects.filter(depth__gt=20).update, depth=dorm.F("depth") + 1) == 2
    ranked = Diver.objects.annotate(
        left=dorm.Abs(dorm.F("air")),
        kind=dorm.Case(dorm.When(depth__gte=30, then=dorm.Value("deep")), default=dorm.Value("shallow")),
    )
    assert [(d.left, d.kind) for d in await world.list(ranked)] == [(3, "deep"), (0, "shallow"), (0, "deep")]
    assert await world(Diver.objects.aggregate, total=dorm.Count("id"), deepest=dorm.Max("depth")) == {
        "total": 3, "deepest": 41,
    }  # fmt: skip


async def test_raw_statements(db: Any, world: Any) -> None:
    """raw() gives objects with every column of the statement, araw() has read them."""
    await divers(world)
    sql = f'SELECT *, depth * 2 AS twice FROM "{Diver._meta.db_table}" WHERE depth > %s ORDER BY name'
    found = await Diver.objects.araw(sql, [20]) if world.is_async else Diver.objects.raw(sql, [20])
    assert [(diver.name, diver.twice) for diver in list(found)] == [("Ann", 80), ("Cle", 60)]


async def test_raw_statements_without_a_key(db: Any, world: Any) -> None:
    """The objects are what the row has; the core's own raw() refuses such a statement."""
    await divers(world)
    sql = f'SELECT name, depth * 2 AS twice FROM "{Diver._meta.db_table}" ORDER BY name'
    found = await Diver.objects.araw(sql) if world.is_async else Diver.objects.raw(sql)
    assert [(diver.name, diver.twice, diver.pk) for diver in list(found)] == [
        ("Ann", 80, None), ("Ben", 24, None), ("Cle", 60, None),
    ]  # fmt: skip
    with pytest.raises(dorm.FieldDoesNotExist, match="must include the primary key"):
        await world.list(Diver.objects.all().raw(sql))
