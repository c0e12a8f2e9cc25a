"""Subqueries: references outwards, order, and what is refused."""

from typing import Any

import pytest

from ormolu import (
    CTE,
    Avg,
    CharField,
    Count,
    Exists,
    F,
    ForeignKey,
    IntegerField,
    Model,
    OuterRef,
    RawSQL,
    Subquery,
    Sum,
)
from ormolu.models import CASCADE
from support.backends import Backend
from support.worlds import World


class Shop(Model):
    name = CharField(max_length=20)
    staff = IntegerField(default=0)


class Sale(Model):
    shop: Any = ForeignKey(Shop, on_delete=CASCADE, related_name="sales")
    amount = IntegerField()


class Visit(Model):
    shop: Any = ForeignKey(Shop, on_delete=CASCADE, related_name="visits")


@pytest.fixture
def shops(db: Backend) -> dict[str, Shop]:
    """Three shops; the last has no sales."""
    made = {
        name: Shop.objects.create(name=name, staff=staff) for name, staff in (("a", 1), ("b", 5), ("c", 9))
    }
    for name, amount in (("a", 10), ("a", 30), ("b", 20)):
        Sale.objects.create(shop=made[name], amount=amount)
    return made


async def test_a_subquery_may_order_by_an_expression_of_the_enclosing_row(shops, world: World):
    """The order is that of the selected column, by its name: SQLite knows no outer columns in ORDER BY."""
    other = Shop.objects.annotate(both=OuterRef("staff") + F("staff")).order_by("-both").values("both")[:1]
    found = Shop.objects.annotate(most=Subquery(other)).order_by("name").values_list("most", flat=True)
    assert await world.list(found) == [10, 14, 18]


async def test_references_reach_over_two_levels(shops, world: World):
    """OuterRef(OuterRef(...)) names the query around the enclosing one, whatever is checked before."""
    same = Sale.objects.filter(shop=OuterRef(OuterRef("pk")), pk=OuterRef("pk"))
    busy = Sale.objects.filter(Exists(same), amount__gte=20)
    assert [s.name for s in await world.list(Shop.objects.filter(Exists(busy)).order_by("name"))] == [
        "a",
        "b",
    ]


def test_a_reference_outwards_with_nothing_outside_is_refused(db):
    """A queryset with an OuterRef can't be read by itself."""
    with pytest.raises(ValueError, match="only be used in a subquery"):
        list(Sale.objects.filter(shop=OuterRef("pk")))


async def test_a_select_in_sql_stands_behind_in(shops, world: World):
    """A SELECT in RawSQL is a list of rows behind `in`, not the one value that more parentheses make of it."""
    busy = RawSQL(f"SELECT shop_id FROM {Sale._meta.db_table} WHERE amount >= %s", [10])
    found = Shop.objects.filter(pk__in=busy).order_by("name")
    assert [shop.name for shop in await world.list(found)] == ["a", "b"]
    assert [shop.name for shop in await world.list(Shop.objects.exclude(pk__in=busy))] == ["c"]


async def test_querysets_stand_in_arithmetic(shops, world: World):
    """A queryset is an operand, as the value that it selects."""
    most = Sale.objects.filter(shop=OuterRef("pk")).order_by("-amount").values("amount")[:1]
    found = Shop.objects.filter(name__in=["a", "b"]).annotate(rest=most - F("staff")).order_by("name")
    assert [shop.rest for shop in await world.list(found)] == [29, 15]


def test_a_comparison_takes_one_row_of_one_column(db):
    """More rows than one are refused even where the same query with one row has a plan already."""
    assert not Sale.objects.filter(shop=Shop.objects.order_by("pk")[:1]).exists()
    with pytest.raises(ValueError, match="limited to one result"):
        Sale.objects.filter(shop=Shop.objects.order_by("pk")[:2])
    with pytest.raises(ValueError, match="1 selected fields .received 2."):
        Sale.objects.filter(shop=Shop.objects.values("pk", "name")[:1])


async def test_comparisons_of_order_take_a_queryset_that_is_not_sliced(shops, world: World):
    """Only equality, for which `in` may have been meant, wants a slice."""
    average = Sale.objects.filter(shop__name="a").values("shop").annotate(a=Avg("amount")).values("a")
    assert await world.list(Sale.objects.filter(amount__gt=average).values_list("amount", flat=True)) == [30]
    assert await world.list(Sale.objects.exclude(amount__gte=average).values_list("amount", flat=True)) == [
        10
    ]
    assert await world.list(Sale.objects.filter(amount__range=(average, 25)).values_list("amount")) == [(20,)]
    with pytest.raises(ValueError, match="limited to one result"):
        Sale.objects.filter(amount=average)


async def test_aggregates_over_several_relations_stay_apart_in_a_part_of_a_query(shops, world: World):
    """In a subquery, a set operation or a CTE, too, each aggregate is over its own relation, and repeats no rows."""
    for name in ("a", "a", "a", "b"):
        await world(Visit.objects.create, shop=shops[name])
    summed = Shop.objects.annotate(total=Sum("sales__amount"), seen=Count("visits")).order_by("name")
    expected = [("a", 40, 3), ("b", 20, 1), ("c", None, 0)]
    assert await world.list(summed.values_list("name", "total", "seen")) == expected
    pairs = summed.union(summed.filter(name="a")).order_by("name").values_list("name", "total", "seen")
    assert await world.list(pairs) == expected
    same = summed.filter(pk=OuterRef("pk"))
    shown = Shop.objects.annotate(total=Subquery(same.values("total")), seen=Subquery(same.values("seen")))
    assert await world.list(shown.order_by("name").values_list("name", "total", "seen")) == expected
    many = summed.filter(total=40, seen=3)
    assert [shop.name for shop in await world.list(Shop.objects.filter(pk__in=many))] == ["a"]
    assert [
        s.name for s in await world.list(Shop.objects.filter(Exists(many.filter(pk=OuterRef("pk")))))
    ] == ["a"]
    table = CTE(summed.order_by())
    joined = table.join(Shop, pk=table.col.id).order_by("name")
    assert await world.list(joined.values_list("name", table.col.total, table.col.seen)) == expected


def test_a_queryset_of_another_database_is_refused(db):
    """Two databases can't be asked in one statement; the cure is in the message."""
    with pytest.raises(ValueError, match="list.inner_query."):
        list(Sale.objects.filter(shop__in=Shop.objects.using("other")))


def test_a_query_shows_its_sql(db):
    """str(queryset.query) is the SQL with the values in it; sql_with_params() keeps them apart."""
    query = Shop.objects.filter(staff__gt=3, name="it's").query
    assert "it's" in str(query)
    assert "3" in str(query)
    sql, params = query.sql_with_params()
    assert params == (3, "it's")
    assert "it's" not in sql
