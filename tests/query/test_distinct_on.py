"""`distinct("author")`: the first row of each, with PostgreSQL's DISTINCT ON."""

from typing import Any

import pytest

from ormolu import CASCADE, CharField, F, FieldError, ForeignKey, IntegerField, Model
from ormolu.exceptions import NotSupportedError
from ormolu.query import Window
from ormolu.query.functions import RowNumber
from support.backends import Backend
from support.worlds import World


class Sculptor(Model):
    name = CharField(max_length=20)


class Statue(Model):
    sculptor = ForeignKey(Sculptor, on_delete=CASCADE, related_name="statues")
    title = CharField(max_length=20)
    height = IntegerField()


async def stock(world: World) -> None:
    for name, heights in ("Ann", (3, 9, 5)), ("Bob", (7, 2)):
        sculptor = await world(Sculptor.objects.create, name=name)
        for height in heights:
            await world(Statue.objects.create, sculptor=sculptor, title=f"{name} {height}", height=height)


@pytest.mark.backends("postgresql", "asyncpg")
async def test_first_row_of_each(db: Backend, world: World) -> None:
    """The first row of each, in the query's order, as objects, dicts, counts, slices and subqueries."""
    await stock(world)
    highest = Statue.objects.order_by("sculptor", "-height").distinct("sculptor")
    assert [statue.title for statue in await world.list(highest)] == ["Ann 9", "Bob 7"]
    assert await world.list(highest.values_list("height", flat=True)) == [9, 7]
    assert await world.list(highest.values_list("height", flat=True)[1:]) == [7]
    assert await world(highest.count) == 2
    within = Statue.objects.filter(pk__in=highest).order_by("-title")
    assert [statue.title for statue in await world.list(within)] == ["Bob 7", "Ann 9"]
    by_name = Statue.objects.order_by("sculptor__name", "height").distinct("sculptor__name")
    assert [statue.title for statue in await world.list(by_name)] == ["Ann 3", "Bob 2"]


@pytest.mark.backends("postgresql")
async def test_first_row_of_each_behind_a_window(db: Backend, world: World) -> None:
    """DISTINCT ON comes after a condition on a window function."""
    await stock(world)
    numbered = Statue.objects.annotate(n=Window(RowNumber(), partition_by="sculptor", order_by="height"))
    later = numbered.filter(n__gt=1).order_by("sculptor", "height").distinct("sculptor")
    assert [statue.title for statue in await world.list(later)] == ["Ann 5", "Bob 7"]


@pytest.mark.backends("sqlite", "mariadb")
async def test_other_databases_have_none(db: Backend, world: World) -> None:
    """Elsewhere it is refused when the query is read, with what does the same; building it is no error."""
    highest = Statue.objects.order_by("sculptor", "-height").distinct("sculptor")
    queries: list[Any] = [highest, Statue.objects.filter(pk__in=highest)]
    for query in queries:
        with pytest.raises(NotSupportedError, match="RowNumber"):
            await world.list(query)


@pytest.mark.backends("postgresql", "asyncpg")
async def test_expressions(db: Backend, world: World) -> None:
    """Rows may be told apart by an annotation, also by one with a value in it; by an alias they may not."""
    await stock(world)
    odd = Statue.objects.annotate(odd=F("height") % 2).order_by("odd", "-height").distinct("odd")
    assert await world.list(odd.values_list("odd", "height")) == [(0, 2), (1, 9)]
    assert await world.list(odd.values_list("height", flat=True)) == [2, 9]
    assert await world(odd.count) == 2
    with pytest.raises(FieldError, match="alias"):
        Statue.objects.alias(odd=F("height") % 2).distinct("odd")
