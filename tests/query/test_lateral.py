"""LATERAL: a queryset asked for each row of another."""

from typing import Any

import pytest

from ormolu import CASCADE, CharField, F, FieldError, ForeignKey, IntegerField, Model, OuterRef
from ormolu.exceptions import NotSupportedError
from ormolu.query import Lateral, Window
from ormolu.query.functions import RowNumber
from support.backends import Backend
from support.worlds import World


class Runner(Model):
    name = CharField(max_length=20)


class Lap(Model):
    runner: Any = ForeignKey(Runner, on_delete=CASCADE, related_name="laps")
    seconds = IntegerField()
    track = CharField(max_length=20)


@pytest.fixture
def laps(db: Backend) -> None:
    """Ann with four laps, Ben with one, Cleo with none."""
    ann, ben, _cleo = (Runner.objects.create(name=name) for name in ("Ann", "Ben", "Cleo"))
    Lap.objects.bulk_create(
        Lap(runner=runner, seconds=seconds, track=track)
        for runner, seconds, track in [
            (ann, 70, "north"), (ann, 65, "south"), (ann, 80, "north"), (ann, 66, "north"), (ben, 90, "south"),
        ]
    )  # fmt: skip


def best(count: int) -> Lateral:
    return Lateral(Lap.objects.filter(runner=OuterRef("pk")).order_by("seconds")[:count], "best")


@pytest.mark.backends("postgresql", "asyncpg")
async def test_the_top_of_each_group(laps, world: World, queries):
    """Several columns of several rows for each row, in one statement; the number is a parameter."""
    for count, expected in [
        (1, [("Ann", 65, "south"), ("Ben", 90, "south")]),
        (2, [("Ann", 65, "south"), ("Ann", 66, "north"), ("Ben", 90, "south")]),
    ]:
        top = best(count)
        queries.clear()
        rows = top.join(Runner).annotate(seconds=top.col.seconds, track=top.col.track)
        found = await world.list(rows.order_by("name", "seconds"))
        assert [(r.name, r.seconds, r.track) for r in found] == expected
        assert len(queries) == 1
        assert await world(rows.count) == len(expected)


@pytest.mark.backends("postgresql", "asyncpg")
async def test_rows_without_any_stay_where_asked(laps, world: World):
    """`outer=True` is a LEFT JOIN; its columns are filtered by like any others."""
    top = best(1)
    rows = top.join(Runner.objects.exclude(name="Ben"), outer=True).order_by("name")
    assert await world.list(rows.values_list("name", top.col.seconds)) == [("Ann", 65), ("Cleo", None)]
    assert await world(rows.annotate(s=top.col.seconds).filter(s=None).count) == 1
    none = Lateral(Lap.objects.none())
    assert await world(none.join(Runner, outer=True).count) == 3
    assert await world(none.join(Runner).count) == 0


@pytest.mark.backends("postgresql", "asyncpg")
async def test_it_reads_what_is_joined_before(laps, world: World):
    """An OuterRef may cross relations, and a Lateral have values() and annotations."""
    others = Lateral(
        Lap.objects.filter(runner__name=OuterRef("runner__name"), seconds__lt=OuterRef("seconds"))
        .order_by("-seconds")
        .annotate(double=F("seconds") * 2)
        .values("double")[:1]
    )
    rows = others.join(Lap).order_by("seconds").values_list("seconds", others.col.double)
    assert await world.list(rows) == [(66, 130), (70, 132), (80, 140)]
    with pytest.raises(FieldError, match="no column 'seconds'"):
        await world(others.join(Lap).annotate(x=others.col.seconds).count)


@pytest.mark.backends("sqlite", "mariadb")
async def test_elsewhere_the_error_names_what_does_the_same(laps, world: World):
    """No LATERAL: rows that are numbered by a window function and filtered by their number are the same."""
    with pytest.raises(NotSupportedError, match="RowNumber"):
        await world(best(1).join(Runner).count)
    number = Window(RowNumber(), partition_by=["runner"], order_by="seconds")
    rows = Lap.objects.annotate(number=number).filter(number__lte=2).order_by("runner__name", "seconds")
    assert await world.list(rows.values_list("runner__name", "seconds")) == [
        ("Ann", 65), ("Ann", 66), ("Ben", 90),
    ]  # fmt: skip


def test_a_combination_is_refused(laps):
    """A Lateral is of one query."""
    with pytest.raises(TypeError, match="one query"):
        Lateral(Lap.objects.all().union(Lap.objects.all()))
