"""Groups and sums: what is counted, and over which rows."""

from typing import Any

from ormolu import Case, Count, F, Max, Sum, Value, When
from traps.museum import (
    EXHIBITS,
    PAINTERS,
    Exhibit,
    Painter,
    Painting,
    Style,
    Technique,
    names,
    three_painters,
)

MODELS = [*PAINTERS, *EXHIBITS]


async def test_filter_on_an_annotated_count(db: Any, world: Any) -> None:
    """A condition on an aggregate applies to the groups (E10)."""
    await three_painters(world)
    counted = Painter.objects.annotate(n=Count("painting"))
    assert await names(world, counted.filter(n__gte=2)) == ["Ann"]
    found = await world.list(counted.order_by("name"))
    assert [(painter.name, painter.n) for painter in found] == [("Ann", 2), ("Bob", 1), ("Cy", 0)]
    own = Painter.objects.annotate(n=Count("id"))
    assert await names(world, own) == ["Ann", "Bob", "Cy"]
    assert await names(world, own.filter(n__gte=1)) == ["Ann", "Bob", "Cy"]


async def test_values_before_annotate_is_the_group(db: Any, world: Any) -> None:
    """values("title").annotate(...) groups by title (E11)."""
    await three_painters(world)
    groups = Painting.objects.values("title").annotate(n=Count("id")).order_by("title")
    assert await world.list(groups) == [{"title": "x", "n": 2}, {"title": "y", "n": 1}]


async def test_two_counts_over_two_relations(db: Any, world: Any) -> None:
    """Aggregates over two relations don't multiply each other, with `distinct=True` or without (E12).

    Django's documentation ("Combining multiple aggregations") warns that its own would give 6 and 6 here.
    """
    await three_painters(world)
    ann = Painter.objects.filter(name="Ann")
    found = await world(ann.annotate(b=Count("painting"), w=Count("prize")).get)
    assert (found.b, found.w) == (2, 3)
    found = await world(ann.annotate(b=Count("painting", distinct=True), w=Count("prize", distinct=True)).get)
    assert (found.b, found.w) == (2, 3)
    summed = await world(ann.annotate(h=Sum("painting__height"), w=Count("prize")).get)
    assert (summed.h, summed.w) == (410, 3)


async def test_two_counts_over_two_many_to_many_relations(db: Any, world: Any) -> None:
    """The same over two many-to-many relations (E12)."""
    exhibit = await world(Exhibit.objects.create, title="one")
    for number in range(3):
        await world(exhibit.styles.add, await world(Style.objects.create, name=f"s{number}"))
    for number in range(2):
        await world(exhibit.techniques.add, await world(Technique.objects.create, name=f"t{number}"))
    found = await world(Exhibit.objects.annotate(s=Count("styles"), t=Count("techniques")).get)
    assert (found.s, found.t) == (3, 2)


async def test_count_and_aggregate_respect_the_query(db: Any, world: Any) -> None:
    """count() and aggregate() are of the rows that the queryset gives: distinct, sliced, joined (E13)."""
    await three_painters(world)
    assert await world(Painting.objects.values("title").distinct().count) == 2
    assert await world(Painting.objects.all()[:1].count) == 1
    first = Painting.objects.order_by("pk")[:1]
    assert await world(first.aggregate, total=Sum("height")) == {"total": 10}
    joined = Painter.objects.filter(painting__year__gte=2001, name="Ann")
    assert await world(joined.count) == 2
    assert await world(joined.distinct().count) == 1
    assert await world(Painting.objects.all()[1:].count) == 2
    assert await world(Painting.objects.all()[5:].count) == 0


async def test_expressions_in_annotations_and_aggregates(db: Any, world: Any) -> None:
    """Conditions and aggregates look across relations; constants and sums of columns annotate (E44)."""
    await three_painters(world)
    of_p1 = Case(When(museum__name="P1", then=Value("yes")), default=Value("no"))
    answers = Painter.objects.annotate(answer=of_p1).order_by("name").values_list("answer", flat=True)
    assert await world.list(answers) == ["yes", "no", "no"]
    assert await world(Painting.objects.aggregate, oldest=Max("painter__age")) == {"oldest": 50}
    older = Painter.objects.annotate(next=F("age") + 1, one=Value(1)).order_by("name")
    assert [(p.next, p.one) for p in await world.list(older)] == [(31, 1), (51, 1), (21, 1)]
    joined = Painting.objects.filter(painter__name="Ann")
    assert await world(joined.aggregate, total=Sum("height")) == {"total": 410}
    totals = Painter.objects.annotate(total=Sum("painting__height")).order_by("name")
    assert [painter.total for painter in await world.list(totals)] == [410, 5, None]
