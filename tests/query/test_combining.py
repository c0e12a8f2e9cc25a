"""Querysets combined with |, & and ^."""

from typing import Any

import pytest

from ormolu import CharField, Count, ForeignKey, Model, Q, capture_queries
from ormolu.models import CASCADE
from support.backends import Backend
from support.worlds import World


class Writer(Model):
    name = CharField(max_length=20)

    class Meta:
        ordering = ["name"]


class Report(Model):
    name = CharField(max_length=20)
    writer: Any = ForeignKey(Writer, on_delete=CASCADE, related_name="reports")


@pytest.fixture
def writers(db: Backend) -> Any:
    """Three writers, with two reports, one and none."""
    for name, reports in (("a", ["x", "y"]), ("b", ["x"]), ("c", [])):
        writer = Writer.objects.create(name=name)
        for report in reports:
            Report.objects.create(name=report, writer=writer)
    return Writer.objects


async def names(world: World, queryset: Any) -> list[str]:
    return [writer.name for writer in await world.list(queryset)]


async def test_filter_calls_stay_apart(writers, world: World):
    """Two filter() calls over a multi-valued relation may meet two rows, also inside a combination."""
    both = writers.filter(reports__name="x").filter(reports__name="y")
    assert await names(world, both | writers.filter(name="c")) == ["a", "c"]
    assert await names(world, writers.filter(reports__name="z") | both) == ["a"]
    one = writers.filter(reports__name="x") & writers.filter(reports__name="y")
    assert await names(world, one | writers.filter(name="c")) == ["a", "c"]


async def test_a_combination_repeats_no_rows(writers, world: World):
    """Both sides of | read the same join, so that a row comes once for each row joined."""
    found = writers.filter(reports__name="x") | writers.filter(reports__name="z")
    assert await names(world, found) == ["a", "b"]


async def test_slices_combine_by_their_keys(writers, world: World):
    """A slice takes part with the rows that it has; & with a slice is refused."""
    assert await names(world, writers.order_by("name")[:1] | writers.order_by("-name")[:1]) == ["a", "c"]
    assert await names(world, writers.all()[:2] ^ writers.filter(name="b")) == ["a"]
    with pytest.raises(TypeError, match="slice"):
        writers.all()[:1] & writers.all()


async def test_an_empty_q_asks_for_nothing(writers, world: World):
    """exclude(Q()) and filter(~Q()) leave everything in."""
    for part in (~Q(), ~Q(Q()), ~(~Q()), ~Q() | ~Q(), Q(~Q())):
        assert await names(world, writers.filter(part)) == ["a", "b", "c"]
        assert await names(world, writers.exclude(Q(part))) == ["a", "b", "c"]


async def test_negation_inside_an_expression_is_about_the_joined_row(writers, world: World):
    """An aggregate's filter looks at each row that it counts, not at all of its writer's."""

    counted = writers.annotate(n=Count("reports", filter=~Q(reports__name="x")))
    rows = counted.order_by("name").values_list("name", "n")
    assert await world.list(rows) == [("a", 1), ("b", 0), ("c", 0)]


async def test_a_distinct_sliced_subquery_selects_one_column(writers, world: World):
    """What DISTINCT needs for the order isn't compared."""
    last = writers.distinct().order_by("-name")[:2]
    assert await names(world, writers.filter(pk__in=last)) == ["b", "c"]


async def test_a_condition_excludes_itself(writers, world: World):
    """Of two that are equal both hold or none, so that ^ finds nothing."""
    twice = Q(name="a") ^ Q(name="a")
    assert await names(world, writers.filter(twice)) == []
    assert await names(world, writers.exclude(twice)) == ["a", "b", "c"]
    assert await names(world, writers.filter(twice ^ Q(name="a"))) == ["a"]


async def test_constants_are_counted_without_a_query(writers, world: World):
    """What ^ joins may be impossible or always true; where nothing else is joined, the answer needs no query."""
    never, always = Q(pk__in=[]), ~Q(pk__in=[])
    with capture_queries() as queries:
        assert await names(world, writers.filter(never ^ Q(name__in=[]))) == []
        assert await names(world, writers.filter(always ^ ~Q(name__in=[]))) == []
    assert not queries
    assert await names(world, writers.filter(never ^ always)) == ["a", "b", "c"]
    assert await names(world, writers.filter(never ^ Q(name="a"))) == ["a"]
    assert await names(world, writers.filter(always ^ Q(name="a"))) == ["b", "c"]
    assert await names(world, writers.exclude(always ^ Q(name="a") ^ never)) == ["a"]


async def test_a_filter_after_values_is_about_other_related_rows(writers, world: World):
    """What values() shows was joined before: each report of a writer who has an x. After filter() it is that x."""
    shown = (
        writers.values_list("name", "reports__name")
        .filter(reports__name="x")
        .order_by("name", "reports__name")
    )
    assert await world.list(shown) == [("a", "x"), ("a", "y"), ("b", "x")]
    counted = writers.values_list("name", "reports__name").annotate(n=Count("pk")).filter(reports__name="x")
    assert await world.list(counted.order_by("-reports__name", "name")) == [
        ("a", "y", 1), ("a", "x", 1), ("b", "x", 1)
    ]  # fmt: skip
    same = writers.filter(reports__name="x").values_list("name", "reports__name").order_by("name")
    assert await world.list(same) == [("a", "x"), ("b", "x")]


async def test_rows_of_other_values_are_not_combined(writers, world: World):
    """Both sides have the same values; which conditions they have is another matter."""
    with pytest.raises(TypeError, match="the same values"):
        writers.values("name") | writers.values("id")
    with pytest.raises(TypeError, match="the same values"):
        writers.values_list("name") & writers.all()
    both = writers.filter(name="a").values("name") | writers.filter(name="b").values("name")
    assert await world.list(both) == [{"name": "a"}, {"name": "b"}]
