"""Aggregation: the examples of Django's guide to it, with data of our own."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest

from ormolu import (
    CASCADE,
    Avg,
    CharField,
    Count,
    DateField,
    DecimalField,
    F,
    FloatField,
    ForeignKey,
    IntegerField,
    ManyToManyField,
    Max,
    Min,
    Model,
    Q,
    StdDev,
    Sum,
    Variance,
)  # fmt: skip
from support.backends import Backend
from support.worlds import World

approx = pytest.approx


class Writer(Model):
    name = CharField(max_length=20)
    age = IntegerField()


class Press(Model):
    name = CharField(max_length=20)


class Title(Model):
    name = CharField(max_length=20)
    pages = IntegerField()
    price = DecimalField(max_digits=8, decimal_places=2)
    rating = FloatField()
    writers = ManyToManyField(Writer, related_name="titles")
    press = ForeignKey(Press, on_delete=CASCADE, related_name="titles")
    out = DateField()

    class Meta:
        ordering = ["name"]


class Shop(Model):
    name = CharField(max_length=20)
    stock = ManyToManyField(Title, related_name="shops")


@pytest.fixture
def shelf(db: Backend) -> None:
    """Five titles of three presses, by three writers, in two shops. Two writers share a name."""
    ann, bo, other = (Writer.objects.create(name=n, age=a) for n, a in (("Ann", 30), ("Bo", 40), ("Ann", 50)))
    a, b, c = (Press.objects.create(name=name) for name in "ABC")
    Press.objects.create(name="D")
    rows = [
        ("one", 100, "10.50", 4.0, a, [ann], 2001), ("two", 200, "20.00", 5.0, a, [ann, bo], 2002),
        ("three", 300, "30.25", 1.0, b, [bo], 2003), ("four", 400, "40.00", 4.0, b, [other], 2004),
        ("five", 500, "12.00", 1.0, c, [], 2005),
    ]  # fmt: skip
    titles = []
    for name, pages, price, rating, press, writers, year in rows:
        title = Title.objects.create(
            name=name, pages=pages, price=Decimal(price), rating=rating, press=press, out=dt.date(year, 1, 1)
        )
        title.writers.set(writers)
        titles.append(title)
    Shop.objects.create(name="East").stock.set(titles[:3])
    Shop.objects.create(name="West").stock.set(titles[1:2])


pytestmark = pytest.mark.usefixtures("shelf")


async def test_counts(world: World) -> None:
    """count(), with and without a condition."""
    assert await world(Title.objects.count) == 5
    assert await world(Title.objects.filter(press__name="A").count) == 2


async def test_summaries(world: World) -> None:
    """aggregate() gives a dict; names follow from the field and the function where none are given."""
    found = await world(Title.objects.aggregate, Avg("price"), Max("price"), Min("price"), n=Count("*"))
    assert found == {
        "price__avg": Decimal("22.55"), "price__max": Decimal("40.00"), "price__min": Decimal("10.50"), "n": 5
    }  # fmt: skip
    found = await world(
        Title.objects.aggregate,
        difference=Max("price", output_field=FloatField()) - Avg("price", output_field=FloatField()),
        mean=Avg("pages"), total=Sum("pages"), spread=StdDev("pages"), variance=Variance("pages"),
    )  # fmt: skip
    assert found == {
        "difference": approx(17.45), "mean": 300.0, "total": 1500, "spread": approx(2**0.5 * 100),
        "variance": approx(20000.0),
    }  # fmt: skip
    nothing = Title.objects.filter(name__contains="web")
    assert await world(nothing.aggregate, Sum("price")) == {"price__sum": None}
    defaults = await world(
        nothing.aggregate, Sum("price", default=0), Avg("price", default=0), n=Count("price")
    )
    assert defaults == {"price__sum": Decimal(0), "price__avg": 0, "n": 0}
    assert isinstance(defaults["price__sum"], Decimal)
    with pytest.raises(TypeError, match="aggregate"):
        await world(Title.objects.aggregate, name=F("name"))
    with pytest.raises(TypeError, match="alias"):
        await world(Title.objects.aggregate, Sum(F("pages") * 2))


async def test_over_relations(world: World) -> None:
    """An aggregate follows relations in both directions, as deep as they go."""
    found = await world(
        Shop.objects.aggregate,
        low=Min("stock__price"),
        high=Max("stock__price"),
        young=Min("stock__writers__age"),
    )
    assert found == {"low": Decimal("10.50"), "high": Decimal("30.25"), "young": 30}
    assert await world(Press.objects.aggregate, oldest=Min("titles__out")) == {"oldest": dt.date(2001, 1, 1)}
    assert await world(Writer.objects.aggregate, Avg("titles__rating")) == {
        "titles__rating__avg": approx(3.8)
    }
    shops = Shop.objects.annotate(low=Min("stock__price"), high=Max("stock__price")).order_by("name")
    assert [(s.low, s.high) for s in await world.list(shops)] == [
        (Decimal("10.50"), Decimal("30.25")), (Decimal("20.00"), Decimal("20.00")),
    ]  # fmt: skip
    pages = Writer.objects.annotate(total=Sum("titles__pages")).order_by("pk")
    assert [w.total for w in await world.list(pages)] == [300, 500, 400]


async def test_each_object(world: World) -> None:
    """annotate() gives each object its aggregate, under a given name or one that follows."""
    presses = await world.list(Press.objects.annotate(Count("titles")).order_by("name"))
    assert [press.titles__count for press in presses] == [2, 2, 1, 0]
    top = Press.objects.annotate(n=Count("titles")).order_by("-n", "name")[:2]
    assert [(press.name, press.n) for press in await world.list(top)] == [("A", 2), ("B", 2)]
    above = Count("titles", filter=Q(titles__rating__gt=3))
    below = Count("titles", filter=Q(titles__rating__lte=3))
    rated = Press.objects.annotate(below=below).annotate(above=above).order_by("name")
    assert [(press.below, press.above) for press in await world.list(rated)] == [
        (0, 2),
        (1, 1),
        (1, 0),
        (0, 0),
    ]
    both = Title.objects.annotate(Count("writers", distinct=True), Count("shops", distinct=True))
    assert [(t.name, t.writers__count, t.shops__count) for t in await world.list(both)] == [
        ("five", 0, 0), ("four", 1, 0), ("one", 1, 1), ("three", 1, 1), ("two", 2, 2),
    ]  # fmt: skip


async def test_filters(world: World) -> None:
    """A filter before an annotation narrows what it is of; one after it may ask for its value."""
    names = [t.name for t in await world.list(Title.objects.annotate(n=Count("writers")).filter(n__gt=1))]
    assert names == ["two"]
    few = Title.objects.filter(name__startswith="t").annotate(n=Count("writers")).order_by("name")
    assert [(t.name, t.n) for t in await world.list(few)] == [("three", 1), ("two", 2)]
    assert await world(Title.objects.filter(name__startswith="t").aggregate, Avg("pages")) == {
        "pages__avg": 250.0
    }
    found = Press.objects.annotate(n=Count("titles")).exclude(n__gte=2).order_by("name")
    assert [press.name for press in await world.list(found)] == ["C", "D"]
    found = Press.objects.annotate(n=Count("titles"), best=Max("titles__rating")).filter(Q(n=1) | Q(best=5))
    assert [press.name for press in await world.list(found.order_by("name"))] == ["A", "C"]
    rated = Count("titles", filter=Q(titles__rating__gte=4))
    writers = Writer.objects.annotate(n=Count("titles"), rated=rated).order_by("pk")
    assert [(w.n, w.rated) for w in await world.list(writers)] == [(2, 2), (2, 1), (1, 1)]


async def test_filters_before_and_after(world: World) -> None:
    """filter() and annotate() don't commute."""
    good = Q(titles__rating__gt=3.0)
    by_name = Press.objects.order_by("name")

    async def each(query: Any) -> list[Any]:
        return [(press.name, press.value) for press in await world.list(query)]

    number, mean = Count("titles", distinct=True), Avg("titles__rating")
    # B has a title of 1 and one of 4.
    assert await each(by_name.annotate(value=number).filter(good).distinct()) == [("A", 2), ("B", 2)]
    assert await each(by_name.filter(good).annotate(value=number)) == [("A", 2), ("B", 1)]
    assert await each(by_name.annotate(value=mean).filter(good).distinct()) == [("A", 4.5), ("B", 2.5)]
    assert await each(by_name.filter(good).annotate(value=mean)) == [("A", 4.5), ("B", 4.0)]


async def test_groups(world: World) -> None:
    """values() before annotate() groups; after it, it only chooses what is returned."""
    mean = Avg("titles__rating")
    by_name = Writer.objects.values("name").annotate(mean=mean).order_by("name")
    assert await world.list(by_name) == [
        {"name": "Ann", "mean": approx(13 / 3)}, {"name": "Bo", "mean": 3.0},
    ]  # fmt: skip
    each = Writer.objects.annotate(mean=mean).values("name", "mean").order_by("pk")
    assert await world.list(each) == [
        {"name": "Ann", "mean": 4.5}, {"name": "Bo", "mean": 3.0}, {"name": "Ann", "mean": 4.0},
    ]  # fmt: skip
    assert await world.list(Writer.objects.annotate(mean=mean).values("name").order_by("pk")) == [
        {"name": "Ann"}, {"name": "Bo"}, {"name": "Ann"}
    ]  # fmt: skip
    found = (
        Title.objects.values("press__name")
        .annotate(n=Count("pk"), pages=Sum("pages"))
        .filter(n__gt=1)
        .order_by("-pages")
    )
    assert await world.list(found) == [
        {"press__name": "B", "n": 2, "pages": 700}, {"press__name": "A", "n": 2, "pages": 300},
    ]  # fmt: skip


async def test_groups_and_order(world: World) -> None:
    """What order_by() names divides the groups; the model's own ordering does not."""
    ratings = Title.objects.values("rating").annotate(n=Count("id"))
    found = sorted((row["rating"], row["n"]) for row in await world.list(ratings))
    assert found == [(1.0, 2), (4.0, 2), (5.0, 1)]
    found = [(row["rating"], row["n"]) for row in await world.list(ratings.order_by("name"))]
    assert found == [(1.0, 1), (4.0, 1), (4.0, 1), (1.0, 1), (5.0, 1)]
    found = [
        (row["rating"], row["n"]) for row in await world.list(ratings.order_by("name").order_by("-rating"))
    ]
    assert found == [(5.0, 1), (4.0, 2), (1.0, 2)]
    found = [(row["rating"], row["n"]) for row in await world.list(ratings.order_by("-n", "rating"))]
    assert found == [(1.0, 2), (4.0, 2), (5.0, 1)]


async def test_aggregates_of_annotations(world: World) -> None:
    """aggregate() sums up what annotate() has found."""
    counted = Title.objects.annotate(n=Count("writers"))
    assert await world(counted.aggregate, Avg("n"), Max("n"), total=Sum("n")) == {
        "n__avg": 1.0, "n__max": 2, "total": 5
    }  # fmt: skip
    assert await world(counted.filter(n__gt=0).aggregate, Sum("pages"), Min("n")) == {
        "pages__sum": 1000,
        "n__min": 1,
    }
    assert await world(counted.count) == 5
    assert await world(counted.filter(n=1).count) == 3
    sliced = counted.order_by("-pages")[:2]
    assert await world(sliced.aggregate, Sum("pages"), s=Sum("n")) == {"pages__sum": 900, "s": 1}
    per_press = Title.objects.values("press").annotate(pages=Sum("pages"))
    assert await world(per_press.aggregate, mean=Avg("pages"), n=Count("press")) == {"mean": 500.0, "n": 3}
    doubled = Title.objects.annotate(double=F("pages") * 2)
    assert await world(doubled.aggregate, a=Sum("double"), b=Sum(F("double") + F("pages"))) == {
        "a": 3000,
        "b": 4500,
    }
