"""HStoreField: texts by key, in an hstore on PostgreSQL and in JSON text elsewhere."""

from collections.abc import Iterator
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import ormolu
from ormolu import ArrayField, CharField, F, Model
from ormolu.contrib.postgres.fields import HStoreField
from ormolu.contrib.postgres.validators import KeysValidator
from ormolu.exceptions import NotSupportedError, ValidationError
from ormolu.fields.hstore import hstore_text, read_hstore
from support.backends import Backend
from support.worlds import World

ALL = ("sqlite", "postgresql", "asyncpg", "mariadb")


class HDog(Model):
    name = CharField(max_length=20)
    data = HStoreField(null=True)
    several = ArrayField(HStoreField(), null=True)


@pytest.fixture
def db(configured: Backend) -> Iterator[Backend]:
    """The tables, in a database that has the extension."""
    if configured.vendor == "postgresql":
        with configured.engine().begin() as connection:
            known = connection.scalar(
                sa.text("SELECT count(*) FROM pg_available_extensions WHERE name = 'hstore'")
            )
            if not known:
                pytest.skip("this server has no hstore")
            connection.execute(sa.text("CREATE EXTENSION IF NOT EXISTS hstore"))
    ormolu.create_tables(HDog)
    yield configured
    ormolu.drop_tables(HDog)


async def find(world: World, **lookups: Any) -> str:
    found = HDog.objects.filter(**lookups).order_by("name").values_list("name", flat=True)
    return "".join(await world.list(found))


async def fill(world: World) -> None:
    for name, data in [
        ("a", {"breed": "labrador", "owner": "Bob"}),
        ("b", {"breed": "Collie", "owner": "Bob", "toy": None}),
        ("c", {}),
        ("d", None),
    ]:
        await world(HDog.objects.create, name=name, data=data)


@pytest.mark.backends(*ALL)
async def test_keys(db: Backend, world: World) -> None:
    """A key is a lookup, and may be compared further, selected and ordered by."""
    await fill(world)
    assert await find(world, data__breed="Collie") == "b"
    assert await find(world, data__breed__icontains="L") == "ab"
    assert await find(world, data__breed__isnull=True) == "cd"
    assert await find(world, data__toy__isnull=True) == "abcd"
    assert await find(world, data__has_key="toy") == "b"
    assert await find(world, data__has_keys=["breed", "owner"]) == "ab"
    assert await find(world, data__has_any_keys=["toy", "none"]) == "b"
    assert await find(world, data={"owner": "Bob", "breed": "labrador"}) == "a"
    assert await find(world, data__isnull=True) == "d"
    assert await find(world, **{"data__x' = 'a') OR 1 = 1 OR ('d": "x"}) == ""
    found = HDog.objects.annotate(breed=F("data__breed")).filter(breed__isnull=False).order_by("data__breed")
    assert {dog.breed async for dog in world.each(found)} == {"labrador", "Collie"}


@pytest.mark.backends("postgresql", "asyncpg", "mariadb")
async def test_contains(db: Backend, world: World) -> None:
    """Pairs within the field, and the field within pairs."""
    await fill(world)
    assert await find(world, data__contains={"owner": "Bob"}) == "ab"
    assert await find(world, data__contained_by={"owner": "Bob", "breed": "labrador"}) == "ac"


@pytest.mark.backends("postgresql", "asyncpg")
async def test_keys_and_values(db: Backend, world: World) -> None:
    """Keys and values are arrays, with the lookups of arrays."""
    await fill(world)
    assert await find(world, data__keys__overlap=["toy"]) == "b"
    assert await find(world, data__values__contains=["Bob"]) == "ab"
    assert await find(world, data__keys=[]) == "c"


@pytest.mark.backends("sqlite")
def test_what_needs_postgresql_says_so(db: Backend) -> None:
    """Not everything is there for JSON text."""
    with pytest.raises(NotSupportedError, match="'keys' of an HStoreField needs PostgreSQL"):
        list(HDog.objects.filter(data__keys=["a"]))


@pytest.mark.backends(*ALL)
async def test_values_come_back(db: Backend, world: World) -> None:
    """Keys and values become texts; a change in place is written; arrays of them work."""
    made = await world(
        HDog.objects.create, name="a", data={"a": 1, 2: "c", "ï": "ê"}, several=[{"a": "b"}, {}]
    )
    dog = await world(HDog.objects.get, pk=made.pk)
    assert dog.data == {"a": "1", "2": "c", "ï": "ê"}
    assert dog.several == [{"a": "b"}, {}]
    with ormolu.capture_queries() as queries:
        await world(dog.save)
    assert not [q for q in queries if "UPDATE" in q.sql]
    dog.data["a"] = None
    dog.several[1]["x"] = '"\\'
    await world(dog.save)
    dog = await world(HDog.objects.get, pk=made.pk)
    assert dog.data == {"a": None, "2": "c", "ï": "ê"}
    assert dog.several == [{"a": "b"}, {"x": '"\\'}]


text = st.text(st.characters(blacklist_characters="\0", blacklist_categories=("Cs",)))


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.dictionaries(text, st.none() | text))
def test_text_goes_there_and_back(value: dict[str, str | None]) -> None:
    """What is written as an hstore's text is read back."""
    assert read_hstore(hstore_text(value)) == value


def test_validation() -> None:
    """Values are texts or None; KeysValidator knows which keys there must be, and may be."""
    field: HStoreField = HStoreField()
    assert field.clean({"a": None}, None) == {"a": None}
    with pytest.raises(ValidationError) as caught:
        field.clean({"a": 1}, None)
    assert caught.value.code == "not_a_string"
    check = KeysValidator(keys=["a", "b"], strict=True, messages={"missing_keys": "Missing %(keys)s."})
    check({"a": "", "b": ""})
    with pytest.raises(ValidationError, match="Missing b"):
        check({"a": "", "c": ""})
    with pytest.raises(ValidationError, match="Some unknown keys were provided: c"):
        check({"a": "", "b": "", "c": ""})
    assert check == KeysValidator(
        keys=["b", "a"], strict=True, messages={"missing_keys": "Missing %(keys)s."}
    )
    assert field.deconstruct()[1] == "ormolu.contrib.postgres.fields.HStoreField"
