"""raw(): objects from SQL of the caller's."""

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from ormolu import (
    CASCADE,
    CharField,
    DateField,
    DecimalField,
    FieldDoesNotExist,
    ForeignKey,
    JSONField,
    Model,
    atomic,
    capture_queries,
    databases,
)
from support.backends import Backend
from support.worlds import World


class Painter(Model):
    name = CharField(max_length=50)
    born = DateField(null=True)
    rating = DecimalField(max_digits=5, decimal_places=2, null=True)
    facts = JSONField(default=dict)

    class Meta:
        db_table = "raw_painter"


class Picture(Model):
    painter = ForeignKey(Painter, on_delete=CASCADE, related_name="pictures")
    title = CharField(max_length=50, db_column="called")

    class Meta:
        db_table = "raw_picture"


@pytest.fixture(autouse=True)
def painters(db: Backend) -> Any:
    """Two painters with three pictures."""
    ann = Painter.objects.create(
        name="Ann", born=dt.date(1900, 1, 2), rating=Decimal("4.50"), facts={"colour": "red"}
    )
    bob = Painter.objects.create(name="Bob 100%")
    for painter, title in ((ann, "Sea"), (ann, "Sky"), (bob, "Sun")):
        Picture.objects.create(painter=painter, title=title)
    return ann, bob


async def test_columns_become_fields_whatever_their_order(painters, world: World):
    """Values are those that a query of the model reads."""
    found = await world.list(
        Painter.objects.raw("SELECT rating, facts, name, born, id FROM raw_painter ORDER BY id")
    )
    assert found == list(painters)
    assert (found[0].rating, found[0].born, found[0].facts) == (
        Decimal("4.50"),
        dt.date(1900, 1, 2),
        {"colour": "red"},
    )


async def test_it_runs_once_and_then_is_a_list(db: Backend, world: World):
    """Length, truth, index and slice ask no more."""
    with capture_queries() as queries:
        found = await world(Painter.objects.raw, "SELECT * FROM raw_painter ORDER BY id")
        assert [p.name for p in await world.list(found)] == ["Ann", "Bob 100%"]
        assert (len(found), bool(found), found[1].name, len(found[:1])) == (2, True, "Bob 100%", 1)
    assert len(queries) == 1
    with pytest.raises(TypeError):
        found["one"]


async def test_missing_columns_are_deferred_and_others_are_attributes(db: Backend, world: World):
    """A name that is no field's becomes an attribute."""
    found = await world(
        Painter.objects.raw,
        'SELECT p.id, COUNT(*) AS number, 7 AS "a: b" FROM raw_painter p '
        "JOIN raw_picture q ON q.painter_id = p.id GROUP BY p.id ORDER BY p.id"
        if db.vendor != "mysql"
        else "SELECT p.id, COUNT(*) AS number, 7 AS `a: b` FROM raw_painter p "
        "JOIN raw_picture q ON q.painter_id = p.id GROUP BY p.id ORDER BY p.id",
    )
    assert [p.number for p in found] == [2, 1]
    assert getattr(found[0], "a: b") == 7
    assert found.columns == ["id", "number", "a: b"]
    assert found[0].get_deferred_fields() == {"name", "born", "rating", "facts"}
    assert await world.attribute(found[0], "name") == "Ann"


async def test_the_first_column_of_a_name_counts(db: Backend, world: World):
    """Two tables with an id each."""
    found = await world(
        Picture.objects.raw,
        "SELECT q.*, p.* FROM raw_picture q JOIN raw_painter p ON p.id = q.painter_id ORDER BY q.id",
    )
    assert [(p.title, p.name) for p in found] == [("Sea", "Ann"), ("Sky", "Ann"), ("Sun", "Bob 100%")]
    assert len({p.pk for p in found}) == 3


async def test_translations(db: Backend, world: World):
    """Names of columns are given those of fields; names that aren't there don't matter."""
    found = await world(
        Picture.objects.raw,
        "SELECT id, painter_id, called AS caption FROM raw_picture ORDER BY id",
        translations={"caption": "title", "other": "painter"},
    )
    assert [p.title for p in found] == ["Sea", "Sky", "Sun"]
    assert found.columns == ["id", "painter_id", "called"]
    assert found.model_fields["called"].name == "title"


async def test_parameters_by_place_and_by_name(db: Backend, world: World):
    """The same placeholders on every database; a doubled percent sign is one."""
    by_place = "SELECT * FROM raw_painter WHERE name LIKE '%%n%%' AND rating >= %s AND born = %s"
    values = [Decimal(4), dt.date(1900, 1, 2)]
    assert [p.name for p in await world(Painter.objects.raw, by_place, values)] == ["Ann"]
    by_name = "SELECT * FROM raw_painter WHERE name = %(name)s OR name = %(other)s OR name = %(name)s"
    found = await world(Painter.objects.raw, by_name, {"name": "Bob 100%", "other": "Eve", "unused": 1})
    assert [p.name for p in found] == ["Bob 100%"]
    for text, params in (
        ("SELECT * FROM raw_painter WHERE name LIKE '%%100!%%' ESCAPE '!'", ()),
        ("SELECT * FROM raw_painter WHERE name LIKE '%100!%' ESCAPE '!'", None),
    ):
        assert [p.name for p in await world(Painter.objects.raw, text, params)] == ["Bob 100%"]


async def test_a_value_is_never_sql(db: Backend, world: World):
    """Quotes and placeholders in a value are only that."""
    for value in ("' OR 1 = 1 --", "%s", "%(name)s", "?", "$1"):
        assert (
            len(await world(Painter.objects.raw, "SELECT * FROM raw_painter WHERE name = %s", [value])) == 0
        )


@pytest.mark.parametrize(
    ("text", "params"),
    [
        ("SELECT * FROM raw_painter WHERE id = %s", []),
        ("SELECT * FROM raw_painter", [1]),
        ("SELECT * FROM raw_painter WHERE id = %(id)s", {"pk": 1}),
    ],
)
def test_placeholders_without_values(db: Backend, text: str, params: Any):
    """What doesn't fit is refused before anything is sent."""
    with pytest.raises(TypeError):
        list(Painter.objects.raw(text, params))


async def test_the_primary_key_is_needed(db: Backend, world: World):
    """Also where no row is found."""
    for condition in ("1 = 1", "1 = 0"):
        with pytest.raises(FieldDoesNotExist, match="primary key"):
            await world.list(Painter.objects.raw(f"SELECT name FROM raw_painter WHERE {condition}"))


async def test_columns_of_no_rows(db: Backend, world: World):
    """Names are known without a row."""
    found = await world(Painter.objects.raw, "SELECT id, name FROM raw_painter WHERE id = %s", [-1])
    assert (len(found), found.columns) == (0, ["id", "name"])


async def test_prefetch_related(db: Backend, world: World):
    """One more query for a relation, in chunks as well."""
    raw = Painter.objects.raw("SELECT * FROM raw_painter ORDER BY id").prefetch_related("pictures")
    with capture_queries() as queries:
        found = await world.list(raw)
        assert [sorted(q.title for q in p.pictures.all()) for p in found] == [["Sea", "Sky"], ["Sun"]]
    assert len(queries) == 2
    with capture_queries() as queries:
        streamed = [p async for p in world.iterator(raw, chunk_size=1)]
        assert [sorted(q.title for q in p.pictures.all()) for p in streamed] == [["Sea", "Sky"], ["Sun"]]
    assert len(queries) == 3
    assert raw.prefetch_related(None)._prefetch == ()


async def test_iterator_keeps_nothing(db: Backend, world: World):
    """Each call runs the statement."""
    raw = Painter.objects.raw("SELECT * FROM raw_painter")
    with capture_queries() as queries:
        for _ in range(2):
            assert len([p async for p in world.iterator(raw)]) == 2
    assert len(queries) == 2


async def test_another_shape_of_rows_takes_no_plan_by_mistake(db: Backend, world: World):
    """One text may have other columns the next time, and values of another class."""
    text = "SELECT * FROM raw_painter WHERE name = %s OR born = %s"
    for values in (["Ann", None], ["x", dt.date(1900, 1, 2)]):
        assert [p.name for p in await world(Painter.objects.raw, text, values)] == ["Ann"]


async def test_inside_a_transaction(db: Backend, world: World):
    """It sees what the block has written."""
    async with world.atomic():
        await world(Painter.objects.create, name="Eve")
        assert len(await world(Painter.objects.raw, "SELECT * FROM raw_painter")) == 3


def test_using_and_representation(db: Backend):
    """The text with its values, to be read; another database, another statement."""
    raw = Painter.objects.raw("SELECT * FROM raw_painter WHERE name = %(name)s", {"name": "Ann"})
    assert repr(raw) == "<RawQuerySet: SELECT * FROM raw_painter WHERE name = Ann>"
    assert repr(raw.query) == "<RawQuery: SELECT * FROM raw_painter WHERE name = Ann>"
    assert raw.db == "default"
    assert raw.using("other").db == "other"
    with atomic():
        assert [p.name for p in raw.using("default")] == ["Ann"]


def test_on_a_session(db: Backend):
    """The objects are the session's own, also those that were changed meanwhile."""
    with Session(databases.get().engine) as session:
        raw = Painter.objects(session).raw("SELECT * FROM raw_painter WHERE name = %s", ["Ann"])
        found = raw.prefetch_related("pictures")[0]
        assert session.get(Painter, found.pk) is found
        assert sa.inspect(found.pictures.all()[0]).persistent


async def test_sqlalchemys_events_fire(db: Backend, world: World):
    """For those who listen to the engine, with the same result."""
    database = databases.get()
    native_async = world.is_async and database.adriver.pooled
    engine = database.async_engine.sync_engine if native_async else database.engine
    seen: list[str] = []

    def listen(_conn: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        seen.append(statement)

    sa.event.listen(engine, "before_cursor_execute", listen)
    found = await world(Painter.objects.raw, "SELECT id, name FROM raw_painter WHERE name = %s", ["Ann"])
    assert [p.name for p in found] == ["Ann"]
    assert found.columns == ["id", "name"]
    assert any(statement.startswith("SELECT id, name") for statement in seen)
    sa.event.remove(engine, "before_cursor_execute", listen)
