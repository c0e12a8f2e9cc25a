"""What databases do in ways of their own, and the library hides."""

import json
from typing import Any

import pytest

from ormolu import CharField, GenericIPAddressField, IntegerField, Model, atomic
from ormolu.exceptions import IntegrityError
from support.backends import Backend
from support.worlds import World


class Host(Model):
    address = GenericIPAddressField()


class Numbered(Model):
    number = IntegerField(primary_key=True)
    name = CharField(max_length=10)


async def test_an_address_is_searched_as_it_is_written(db: Backend, world: World):
    """PostgreSQL's text of an address has the size of a network, which nobody wrote."""
    await world(Host.objects.create, address="192.0.2.1")
    assert await world(Host.objects.filter(address__startswith="192.0").count) == 1
    assert await world(Host.objects.filter(address__contains="32").count) == 0


@pytest.mark.backends("postgresql", "asyncpg")
async def test_an_integer_key_is_not_counted_up(db: Backend, world: World):
    """Only an AutoField's key comes from the database: another must be given."""
    with pytest.raises(IntegrityError):
        await world(Numbered.objects.create, name="x")


@pytest.mark.backends("postgresql")
@pytest.mark.worlds("sync")
def test_the_row_that_is_going_to_change_is_locked(db: Backend, world: World, queries: Any):
    """update_or_create() reads FOR UPDATE where the database can, so that no change in between is lost."""
    Numbered.objects.create(number=1, name="x")
    queries.clear()
    with atomic():
        Numbered.objects.update_or_create(number=1, defaults={"name": "y"})
    assert any("FOR UPDATE" in sql for sql in queries.sql)


@pytest.mark.backends("postgresql", "asyncpg")
async def test_a_plan_in_json_is_json(db: Backend, world: World):
    """explain(format="json") gives text that can be parsed."""
    assert json.loads(await world(Host.objects.all().explain, format="json"))
