"""The keys of many new rows on SQLite, which are told by the last one's, where they are bound to follow one another."""

from typing import Any

import pytest

from ormolu import CharField, Model
from ormolu.writes.bulk import bulk_create

pytestmark = pytest.mark.backends("sqlite")


class Pebble(Model):
    name = CharField(max_length=30)


class Shadowed(Model):
    name = CharField(max_length=30)

    class Meta:
        db_table = 'Odd "table" Name'


MODELS = [Pebble, Shadowed]


async def make(run: Any, model: type[Any], count: int) -> list[Any]:
    """Create rows, and check that each object has the key of the row with its name."""
    before = await run.count(model)
    objects: list[Any] = await run(bulk_create, model, [model(name=f"{before + n}") for n in range(count)])
    stored = dict(await run.rows(model, "name", "id"))
    assert [o.pk for o in objects] == [stored[o.name] for o in objects]
    assert len(stored) == before + count
    return objects


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("count", [1, 49, 50, 777])
async def test_every_object_has_its_rows_key(run, model, count):
    """However many there are, whatever the table is called, and behind a key that is no more."""
    await make(run, model, 3)
    table = model._meta.table.name.replace('"', '""')
    await run.sql(f"""INSERT INTO "{table}" (id, name) VALUES (5000, 'far') RETURNING id""")
    await run.sql(f'DELETE FROM "{table}" WHERE id = 5000 RETURNING id')
    await make(run, model, count)


async def test_many_keys_are_not_read_back(run, statements):
    """RETURNING would take as long as the insertion; few rows have it, for no question need be asked first."""
    await make(run, Pebble, 300)
    await make(run, Pebble, 10)
    inserts = [sql for sql in statements if sql.startswith("INSERT")]
    assert ["RETURNING" in sql for sql in inserts] == [False, False, True]


@pytest.mark.parametrize("kind", ["TRIGGER", "TEMP TRIGGER"])
@pytest.mark.changes_tables
async def test_a_trigger_that_inserts_rows_between_them(db, run, kind):
    """Each row is followed by another one of the trigger's: the keys are read back then."""
    if kind == "TEMP TRIGGER" and run.world.is_async:
        pytest.skip("a temporary trigger is one connection's, and here there may be two")
    await run.sql(
        f"""CREATE {kind} double AFTER INSERT ON "{Pebble._meta.table.name.upper()}" WHEN NEW.name NOT LIKE 'twin%'
        BEGIN INSERT INTO "{Pebble._meta.table.name}" (name) VALUES ('twin of ' || NEW.name); END"""
    )
    objects = await run(bulk_create, Pebble, [Pebble(name=f"{n}") for n in range(60)])
    stored = dict(await run.rows(Pebble, "name", "id"))
    assert [o.pk for o in objects] == [stored[o.name] for o in objects]
    assert len(stored) == 120


@pytest.mark.changes_tables
async def test_the_last_numbers(run):
    """Where the numbers run out, SQLite looks for free ones, in no order, or has none: nothing is made up."""
    await run.sql(
        f"INSERT INTO \"{Pebble._meta.table.name}\" (id, name) VALUES ({2**63 - 40}, 'last') RETURNING id"
    )
    with pytest.raises(Exception, match="full"):
        await run(bulk_create, Pebble, [Pebble(name=f"{n}") for n in range(60)])
    assert await run.count(Pebble) == 1
