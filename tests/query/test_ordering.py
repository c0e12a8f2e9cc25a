"""Ordering: across relations, by expressions, and once for each column."""

from typing import Any

import pytest

from ormolu import CharField, Count, F, FieldError, ForeignKey, IntegerField, Model
from ormolu.models import CASCADE
from ormolu.query.functions import Lower
from support.backends import Backend
from support.worlds import World


class Shelf(Model):
    label = CharField(max_length=20)

    class Meta:
        ordering = [Lower("label").desc()]


class Volume(Model):
    shelf: Any = ForeignKey(Shelf, on_delete=CASCADE, related_name="volumes")
    number = IntegerField(default=0)

    class Meta:
        ordering = ["shelf", "number"]


@pytest.fixture
def volumes(db: Backend) -> Any:
    """Shelves whose labels order otherwise by case, each with one volume."""
    for number, label in enumerate(["b", "A", "C"]):
        Volume.objects.create(shelf=Shelf.objects.create(label=label), number=number)
    return Volume.objects.all()


async def test_an_expression_in_a_related_models_ordering_is_resolved_there(volumes, world: World):
    """Ordering by a relation takes over that model's Meta.ordering, expressions included, in both directions."""
    assert [v.number for v in await world.list(volumes)] == [2, 0, 1]
    assert [v.number for v in await world.list(volumes.order_by("-shelf"))] == [1, 0, 2]


def test_a_column_orders_once(volumes, queries):
    """After its first occurrence a column has nothing left to decide, so it isn't named again."""
    queries.clear()
    found = volumes.order_by(F("number").desc(), "number")
    assert [v.number for v in found] == [2, 1, 0]
    assert queries[0].sql.partition("ORDER BY")[2].count("number") == 1


def test_an_update_in_the_order_of_an_aggregate_is_refused(volumes):
    """There is no order among the rows of a group."""
    with pytest.raises(FieldError, match="ordering by an aggregate"):
        Shelf.objects.annotate(n=Count("volumes")).order_by("n").update(label="x")


@pytest.mark.parametrize("order", [None, 1, b"number", ["number"]])
def test_what_is_neither_name_nor_expression_is_refused(volumes, order: Any):
    """A list, a number and None are no order; no arguments are none."""
    with pytest.raises(FieldError, match="Invalid order_by arguments"):
        Volume.objects.order_by(order)
    assert Volume.objects.order_by(Volume.number.desc())[0].number == 2


async def test_an_update_of_nothing_asks_nothing(volumes, world: World, queries):
    """update() without columns matches no rows, and there is no statement for it."""
    queries.clear()
    assert await world(Volume.objects.update) == 0
    assert not queries


def test_nothing_counts_as_ordered(volumes):
    """none() has no rows in a wrong order."""
    from ormolu.query.queryset import EmptyQuerySet

    assert Shelf.objects.order_by().none().ordered
    assert isinstance(Shelf.objects.none(), EmptyQuerySet)
    assert not isinstance(Shelf.objects.all(), EmptyQuerySet)


def test_a_limit_alone_has_no_offset(volumes):
    """LIMIT says how many; OFFSET stands where rows are skipped."""
    assert "OFFSET" not in str(volumes[:2].query)
    assert "OFFSET" in str(volumes[1:2].query) or "LIMIT 1, 1" in str(volumes[1:2].query)  # MySQL's
    assert [v.number for v in volumes.order_by("number")[1:]] == [1, 2]


async def test_a_reverse_relation_orders_by_its_model_too(volumes, world: World):
    """Meta.ordering of the model behind it counts, as it does for a foreign key."""
    shelf = await world(Shelf.objects.get, label="b")
    await world(Volume.objects.create, shelf=shelf, number=-1)
    found = Shelf.objects.order_by("volumes__number").values_list("label", "volumes__number")
    assert await world.list(found) == [("b", -1), ("b", 0), ("A", 1), ("C", 2)]
    by_relation = Shelf.objects.order_by("-volumes").values_list("label", "volumes__number")
    assert await world.list(by_relation) == [("A", 1), ("b", 0), ("b", -1), ("C", 2)]
