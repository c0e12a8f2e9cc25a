"""Common table expressions: joined, read by themselves, and recursive."""

from typing import Any

import pytest

from ormolu import (
    CASCADE,
    CharField,
    Count,
    Exists,
    F,
    FieldError,
    ForeignKey,
    IntegerField,
    Model,
    OuterRef,
    Subquery,
    Sum,
    TextField,
    Value,
)
from ormolu.exceptions import NotSupportedError
from ormolu.query import CTE
from ormolu.query.functions import Cast, Concat
from support.backends import Backend
from support.worlds import World


class Realm(Model):
    name = CharField(max_length=20)
    parent: Any = ForeignKey("self", on_delete=CASCADE, null=True, related_name="parts")

    class Meta:
        ordering = ["name"]


class Takings(Model):
    region: Any = ForeignKey(Realm, on_delete=CASCADE, related_name="orders")
    amount = IntegerField(default=0)


@pytest.fixture
def regions(db: Backend) -> dict[str, Any]:
    """A tree, sun > (mercury, earth > moon), and proxima; four orders on earth, one on moon and mercury each."""
    made: dict[str, Any] = {}
    for name, parent in [("sun", None), ("mercury", "sun"), ("earth", "sun"), ("moon", "earth")]:
        made[name] = Realm.objects.create(name=name, parent=made.get(parent or ""))
    made["proxima"] = Realm.objects.create(name="proxima")
    for amount in (1, 2, 3, 4):
        Takings.objects.create(region=made["earth"], amount=amount)
    for name in ("moon", "mercury"):
        Takings.objects.create(region=made[name], amount=10)
    return made


def totals(**kwargs: Any) -> Any:
    return CTE(Takings.objects.values("region_id").annotate(total=Sum("amount")).filter(**kwargs), "totals")


def tree(first: Any, **more: Any) -> Any:
    return CTE.recursive(
        lambda cte: (
            Realm.objects.filter(**first)
            .values("id", "name", depth=Value(0))
            .union(
                cte.join(Realm, parent=cte.col.id).values("id", "name", depth=cte.col.depth + 1, **more),
                all=True,
            )
        ),
        "tree",
    )


async def test_a_cte_is_joined_by_a_condition(regions, world: World, queries):
    """Its columns are expressions: annotated, filtered by, ordered by. One statement, in which it stands once."""
    cte = totals()
    queries.clear()
    orders = (
        cte.join(Takings, region=cte.col.region_id)
        .annotate(total=cte.col.total, share=F("amount") * 100 / cte.col.total)
        .filter(total__gte=10)
        .order_by("-total", "amount")
    )
    found = [(o.amount, o.total) for o in await world.list(orders)]
    assert found == [(1, 10), (2, 10), (3, 10), (4, 10), (10, 10), (10, 10)]
    assert len(queries) == 1
    assert queries[0].sql.startswith("WITH ")
    assert queries[0].sql.count("SUM(") == 1
    assert await world(orders.filter(amount__lt=cte.col.total / 5).count) == 1
    assert await world(orders.aggregate, most=Sum("amount")) == {"most": 30}


async def test_an_outer_join_keeps_rows_without_a_partner(regions, world: World):
    """With `outer=True` there are NULLs where the CTE has nothing; also where it can't have anything."""
    cte = totals(total__gt=0)
    joined = cte.join(Realm, id=cte.col.region_id, outer=True).annotate(total=cte.col.total)
    found = dict(await world.list(joined.values_list("name", "total")))
    assert found == {"sun": None, "proxima": None, "earth": 10, "moon": 10, "mercury": 10}
    inner = cte.join(Realm, id=cte.col.region_id)
    assert await world.list(inner.values_list("name", flat=True)) == ["earth", "mercury", "moon"]
    assert await world(inner.with_cte(cte).count) == 3
    none = CTE(Takings.objects.none())
    assert await world(none.join(Realm, id=none.col.region_id, outer=True).count) == 5
    assert await world(none.join(Realm, id=none.col.region_id).count) == 0


async def test_its_rows_are_a_queryset(regions, world: World):
    """Dicts where it has values(); objects else, with what is annotated, and relations from there."""
    rows = totals().queryset()
    assert await world(rows.count) == 3
    assert [r["total"] for r in await world.list(rows.order_by("region_id"))] == [10, 10, 10]
    assert await world.list(rows.filter(region_id=regions["moon"].pk)) == [
        {"region_id": regions["moon"].pk, "total": 10}
    ]
    objects = CTE(Takings.objects.filter(amount__gt=2).annotate(double=F("amount") * 2)).queryset()
    found = await world.list(objects.filter(region__name="earth").select_related("region").order_by("pk"))
    assert [(o.amount, o.double, o.region.name) for o in found] == [(3, 6, "earth"), (4, 8, "earth")]
    assert await world(objects.filter(double__gt=7).count) == 3
    assert await world(objects.filter(double=99).exists) is False


async def test_a_recursive_cte_walks_a_tree(regions, world: World):
    """From a root down, with the depth; the same plan for another root."""
    for root, expected in [
        ("sun", [("sun", 0), ("earth", 1), ("mercury", 1), ("moon", 2)]),
        ("earth", [("earth", 0), ("moon", 1)]),
        ("proxima", [("proxima", 0)]),
    ]:
        cte = tree({"name": root})
        rows = cte.queryset().order_by("depth", "name").values_list("name", "depth")
        assert await world.list(rows) == expected
        joined = cte.join(Realm, id=cte.col.id).annotate(depth=cte.col.depth).order_by("depth", "name")
        assert [(r.name, r.depth) for r in await world.list(joined)] == expected
        below = await world(
            cte.join(Takings.objects.all(), region=cte.col.id).aggregate, sum=Sum("amount"), n=Count("pk")
        )
        assert below["n"] == {"sun": 6, "earth": 5, "proxima": 0}[root]


async def test_ancestors_are_the_tree_upwards(regions, world: World):
    """The other direction: the rows whose key is the parent of what was found."""
    cte = CTE.recursive(
        lambda cte: (
            Realm.objects.filter(name="moon")
            .values("id", "parent_id")
            .union(cte.join(Realm, id=cte.col.parent_id).values("id", "parent_id"), all=True)
        )
    )
    found = await world.list(cte.join(Realm, id=cte.col.id).values_list("name", flat=True))
    assert found == ["earth", "moon", "sun"]


async def test_a_cycle_ends_where_rows_are_not_repeated(regions, world: World):
    """Without all=True what is there already is not added again."""
    await world(Realm.objects.filter(name="sun").update, parent=regions["moon"])
    cte = CTE.recursive(
        lambda cte: (
            Realm.objects.filter(name="sun")
            .values("id")
            .union(cte.join(Realm, parent=cte.col.id).values("id"))
        )
    )
    assert await world(cte.queryset().count) == 4


async def test_texts_grow_along_the_way(regions, world: World):
    """A path of names is a text longer than each name."""
    cte = CTE.recursive(
        lambda cte: (
            Realm.objects.filter(parent=None)
            .values("id", path=Cast("name", CharField(max_length=200)))
            .union(
                cte.join(Realm, parent=cte.col.id).values(
                    "id", path=Concat(cte.col.path, Value("/"), F("name"), output_field=TextField())
                ),
                all=True,
            )
        )
    )
    found = await world.list(cte.queryset().order_by("path").values_list("path", flat=True))
    assert found == ["proxima", "sun", "sun/earth", "sun/earth/moon", "sun/mercury"]


async def test_objects_recur_too(regions, world: World):
    """A recursive CTE of whole objects gives objects."""
    cte = CTE.recursive(
        lambda cte: Realm.objects.filter(name="sun").union(cte.join(Realm, parent=cte.col.id), all=True)
    )
    found = await world.list(cte.queryset().order_by("name"))
    assert [region.name for region in found] == ["earth", "mercury", "moon", "sun"]
    assert await world.list(cte.queryset().filter(orders__amount=4)) == [regions["earth"]]


async def test_several_ctes_and_one_in_another(regions, world: World):
    """CTEs of one name are told apart; one may read another; values of each are parameters."""
    for least, most in [(3, 10), (0, 5)]:
        few = CTE(Takings.objects.filter(amount__gt=least))
        counts = CTE(few.queryset().values("region_id").annotate(n=Count("pk")))
        joined = few.join(counts.join(Takings, region=counts.col.region_id), id=few.col.id)
        rows = joined.filter(amount__lt=most).annotate(n=counts.col.n).order_by("pk")
        expected = [(4, 1)] if least == 3 else [(1, 4), (2, 4), (3, 4), (4, 4)]
        assert [(o.amount, o.n) for o in await world.list(rows)] == expected


async def test_a_cte_in_a_subquery(regions, world: World):
    """Subqueries read CTEs, joined within or by the query around them."""
    cte = tree({"name": "earth"})
    inside = Takings.objects.filter(region__in=cte.queryset().values("id"))
    assert await world(inside.count) == 5
    some = Realm.objects.filter(Exists(cte.join(Takings, region=cte.col.id).filter(region=OuterRef("pk"))))
    assert await world.list(some.values_list("name", flat=True)) == ["earth", "moon"]
    around = cte.join(Realm, id=cte.col.id).annotate(
        most=Subquery(
            Takings.objects.filter(region=cte.col.id).order_by("-amount").values("amount")[:1],
            output_field=IntegerField(),
        )
    )
    assert await world.list(around.values_list("name", "most")) == [("earth", 4), ("moon", 10)]


async def test_rows_are_changed_by_a_cte(regions, world: World):
    """update() and delete() find rows by it; its own rows are none of a table."""
    cte = tree({"name": "earth"})
    assert await world(cte.join(Takings, region=cte.col.id).update, amount=0) == 5
    assert await world(Takings.objects.filter(amount=0).count) == 5
    gone = await world(Takings.objects.filter(region__in=cte.queryset().values("id")).delete)
    assert gone[0] == 5
    with pytest.raises(NotSupportedError, match="rows of a CTE"):
        await world(CTE(Takings.objects.all()).queryset().update, amount=0)


def test_what_is_not_there_is_an_error(regions):
    """A column that the CTE lacks, a CTE that nobody joined, a condition that nobody gave."""
    cte = totals()
    with pytest.raises(FieldError, match="no column 'totl'. Choices are: region_id, total"):
        cte.join(Takings, region=cte.col.totl).count()
    with pytest.raises(FieldError, match="no column"):
        cte.join(Takings, region=cte.col.region_id).annotate(x=cte.col.nothing)
    with pytest.raises(ValueError, match="not part of this query"):
        list(Takings.objects.filter(region=cte.col.region_id))
    with pytest.raises(TypeError, match="condition"):
        cte.join(Takings)
    with pytest.raises(FieldError):
        list(cte.queryset().filter(amount=1))
    with pytest.raises(ValueError, match="no order and no slice"):
        CTE.recursive(lambda c: Takings.objects.union(c.join(Takings, id=c.col.id)).order_by("id"))
    with pytest.raises(TypeError, match="takes CTEs"):
        Takings.objects.all().with_cte(totals().queryset())
    with pytest.raises(ValueError, match="identifier"):
        CTE(Takings.objects.all(), 'x"; DROP')
