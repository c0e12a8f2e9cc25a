"""explain(): the database's plan of a query."""

import json
from typing import Any

import pytest

from ormolu import CharField, Model, capture_queries
from support.backends import Backend
from support.worlds import World


class Route(Model):
    name = CharField(max_length=20)

    class Meta:
        db_table = "explain_route"


async def test_plan_as_text(db: Backend, world: World):
    """It names the table; a query that can't find anything has none."""
    question = Route.objects.filter(name="a")
    with capture_queries() as queries:
        plan = await world(question.explain)
    assert "explain_route" in plan
    assert len(queries) == 1
    assert queries[0].sql.startswith("EXPLAIN")
    assert await world(question.none().explain) == ""


async def test_format(db: Backend, world: World):
    """In any case of letters; another one is refused with those that there are."""
    question = Route.objects.all()
    if db.vendor == "sqlite":
        with pytest.raises(ValueError, match="does not support any formats"):
            await world(question.explain, format="json")
        return
    assert json.loads(await world(question.explain, format="json"))
    assert "explain_route" in await world(question.explain, format="text")
    with pytest.raises(ValueError, match="INVALID is not a recognized format. Allowed formats: JSON"):
        await world(question.explain, format="INVALID")


async def test_analyze(db: Backend, world: World):
    """The query is run, and timed."""
    question = Route.objects.all()
    if db.vendor == "sqlite":
        with pytest.raises(ValueError, match="Unknown options: analyze"):
            await world(question.explain, analyze=True)
        return
    with capture_queries() as queries:
        await world(question.explain, analyze=True)
        await world(question.explain, analyze=True, format="json")
    assert all("ANALYZE" in query.sql for query in queries)


OPTIONS: list[dict[str, Any]] = [
    {"costs": False, "buffers": True, "analyze": True},
    {"VERBOSE": True},
    {"summary": True, "settings": False},
]


@pytest.mark.parametrize("options", OPTIONS)
async def test_options_of_postgresql(db: Backend, world: World, options: dict[str, Any]):
    """Names in any case of letters; nothing else becomes SQL."""
    if db.vendor != "postgresql":
        return
    with capture_queries() as queries:
        await world(Route.objects.all().explain, **options)
    for name, value in options.items():
        assert f"{name.upper()} {'true' if value else 'false'}" in queries[0].sql


async def test_unknown_options(db: Backend, world: World):
    """An option is one of the known, or an error."""
    for options in ({"nothing": True}, {"costs) SELECT 1; --": True}):
        with pytest.raises(ValueError, match="Unknown options"):
            await world(Route.objects.all().explain, **options)
    if db.vendor == "postgresql":
        with pytest.raises(ValueError, match="serialize"):
            await world(Route.objects.all().explain, serialize="text) SELECT 1")
