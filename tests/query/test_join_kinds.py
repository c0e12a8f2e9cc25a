"""Which joins are inner, which tables are read at all, and what a query says of itself."""

from typing import Any

import pytest

from ormolu import (
    CASCADE,
    SET_NULL,
    CharField,
    Exists,
    ForeignKey,
    IntegerField,
    ManyToManyField,
    Model,
    OuterRef,
    Q,
)
from ormolu.exceptions import EmptyResultSet
from support.backends import Backend
from support.worlds import World


class Harbour(Model):
    name = CharField(max_length=20)


class Captain(Model):
    name = CharField(max_length=20)


class Vessel(Model):
    name = CharField(max_length=20)
    length = IntegerField(default=1)
    home: Any = ForeignKey(Harbour, on_delete=SET_NULL, null=True)
    loose: Any = ForeignKey(Harbour, on_delete=SET_NULL, null=True, db_constraint=False, related_name="+")
    captain: Any = ForeignKey(Captain, on_delete=CASCADE, null=True)
    visited: Any = ManyToManyField(Harbour, related_name="visitors")


class Port(Model):
    name = CharField(max_length=20)

    class Meta:
        ordering = ["name"]


class Buoy(Model):
    port: Any = ForeignKey(Port, on_delete=CASCADE, null=True)


def joins(queryset: Any) -> list[str]:
    """Return the kinds of joins in a query, in order."""
    return [table.join_type.split()[0] for table in queryset.query.alias_map.values() if table.join_type]


def test_a_key_that_is_not_null_makes_its_join_inner(db: Backend) -> None:
    """Also where the condition on the key needs no join itself."""
    either = Q(home__name="x") | Q(captain__name="y")
    assert joins(Vessel.objects.filter(either)) == ["LEFT", "LEFT"]
    assert joins(Vessel.objects.filter(Q(home=1) | Q(home=2)).filter(either)) == ["INNER", "LEFT"]
    assert joins(Vessel.objects.exclude(home=None).filter(either)) == ["INNER", "LEFT"]
    assert joins(Vessel.objects.filter(home__isnull=False).select_related("home")) == ["INNER"]
    assert joins(Vessel.objects.filter(home__in=[1, 2]).order_by("home__name")) == ["INNER"]


def test_a_key_that_may_be_null_keeps_its_join_outer(db: Backend) -> None:
    """In one branch of an OR, under negation, and where the database doesn't hold that the row is there."""
    named = Q(home__name="x") | Q(captain__name="y")
    assert joins(Vessel.objects.filter(Q(home=1) | Q(length=2)).filter(named)) == ["LEFT", "LEFT"]
    assert joins(Vessel.objects.exclude(home=1).select_related("home")) == ["LEFT"]
    assert joins(Vessel.objects.filter(loose__isnull=False).select_related("loose")) == ["LEFT"]


async def test_rows_are_the_same(db: Backend, world: World) -> None:
    """Whatever the kind of join, these are the vessels that meet the conditions."""
    port = await world(Harbour.objects.create, name="port")
    ann = await world(Captain.objects.create, name="Ann")
    one = await world(Vessel.objects.create, name="one", home=port)
    two = await world(Vessel.objects.create, name="two", captain=ann)
    both = Vessel.objects.filter(Q(home__name="port") | Q(captain__name="Ann")).order_by("pk")
    assert await world.list(both) == [one, two]
    assert await world.list(both.filter(home=port)) == [one]
    assert await world.list(both.exclude(home=None).select_related("home")) == [one]
    assert await world.list(both.exclude(home=port)) == [two]


def test_what_a_query_says_of_itself(db: Backend) -> None:
    """Its tables by their names, its SQL for a database, its slice."""
    query = Vessel.objects.filter(home__name="x").query
    first, second = query.alias_map.values()
    assert (first.table_name, first.join_type, first.parent_alias) == (Vessel._meta.db_table, None, None)
    assert (second.table_name, second.parent_alias) == (Harbour._meta.db_table, first.table_alias)
    assert second.join_type == "INNER JOIN"
    assert query.count_active_tables() == 2
    assert set(query.alias_refcount.values()) == {1}
    sql, params = query.get_compiler("default").as_sql()
    assert (sql, params) == query.sql_with_params()
    assert "x" in params
    with pytest.raises(EmptyResultSet):
        Vessel.objects.none().query.get_compiler("default").as_sql()
    sliced = Vessel.objects.all()[3:10].query
    assert (sliced.low_mark, sliced.high_mark) == (3, 10)
    sliced.low_mark = 5
    assert (sliced.low_mark, sliced.high_mark) == (5, 10)
    assert (Vessel.objects.all().query.low_mark, Vessel.objects.all().query.high_mark) == (0, None)


async def test_counting_connected_objects_reads_one_table(db: Backend, world: World, queries: Any) -> None:
    """The rows in between tell how many there are, and whether there are any."""
    ports = [await world(Harbour.objects.create, name=name) for name in "ab"]
    vessel = await world(Vessel.objects.create, name="one")
    await world(vessel.visited.add, *ports)
    queries.clear()
    assert await world(vessel.visited.count) == 2
    assert await world(vessel.visited.exists)
    assert await world(ports[0].visitors.count) == 1
    assert not any("JOIN" in query.sql for query in queries)
    assert await world(vessel.visited.filter(name="a").count) == 1
    again = await world(Vessel.objects.prefetch_related("visited").get, pk=vessel.pk)
    queries.clear()
    assert await world(again.visited.count) == 2
    assert len(queries) == 0


async def test_existence_of_a_union(db: Backend, world: World, queries: Any) -> None:
    """Nobody needs its columns; inside a query, each part may refer to the row outside."""
    port = await world(Harbour.objects.create, name="port")
    one = await world(Vessel.objects.create, name="one", home=port)
    await world(Harbour.objects.create, name="none")
    queries.clear()
    union = Vessel.objects.filter(length=7).union(Vessel.objects.filter(length=1))
    assert await world(union.exists)
    assert "name" not in queries[-1].sql
    assert not await world(Vessel.objects.filter(pk__in=[]).union(Vessel.objects.filter(length=9)).exists)
    assert await world(union[:1].exists)
    assert not await world(union[1:].exists)
    here = Vessel.objects.filter(home=OuterRef("pk")).values("pk")
    there = Vessel.objects.filter(visited=OuterRef("pk")).values("pk")
    assert await world.list(Harbour.objects.filter(Exists(here.union(there)))) == [port]
    await world(one.visited.add, await world(Harbour.objects.get, name="none"))
    assert await world(Harbour.objects.filter(Exists(here.union(there, all=True))).count) == 2
    assert await world(Harbour.objects.filter(~Exists(here.union(there))).count) == 0


async def test_the_order_of_selected_keys(db: Backend, world: World) -> None:
    """order_by() of a relation that values() selects means the key, not the order of the model behind it."""
    ports = [await world(Port.objects.create, name=name) for name in "zya"]
    for port in (None, *ports):
        await world(Buoy.objects.create, port=port)
    keys = [port.pk for port in ports]
    chosen = Buoy.objects.exclude(port=None)
    assert await world.list(chosen.order_by("port").values_list("port", flat=True)) == keys
    assert await world.list(chosen.values_list("port", flat=True).order_by("-port")) == keys[::-1]
    assert await world.list(chosen.order_by("port").values_list("pk", "port__name")) == sorted(
        await world.list(chosen.values_list("pk", "port__name")), key=lambda row: row[1]
    )


async def test_xor_counts(db: Backend, world: World) -> None:
    """The same condition twice cancels itself."""
    first, second = [await world(Captain.objects.create, name=name) for name in "ab"]
    twice = Q(pk=first.pk) ^ Q(pk=second.pk) ^ Q(pk=first.pk)
    assert await world.list(Captain.objects.filter(twice)) == [second]


async def test_a_union_with_nothing_else(db: Backend, world: World, queries: Any) -> None:
    """It is the queryset, in whatever order that has."""
    for name in "ab":
        await world(Captain.objects.create, name=name)
    queries.clear()
    found = await world.list(Captain.objects.order_by("-name").values_list("name", flat=True).union())
    assert sorted(found) == ["a", "b"]
    assert "DISTINCT" not in queries[-1].sql


def test_querysets_with_other_distinct_fields_are_not_combined(db: Backend) -> None:
    """There is no order in which both would choose their rows."""
    with pytest.raises(TypeError, match="different distinct fields"):
        Captain.objects.distinct("name") & Captain.objects.distinct("pk")
    assert (Captain.objects.distinct("name") | Captain.objects.distinct("name")).query.distinct_fields == (
        "name",
    )
