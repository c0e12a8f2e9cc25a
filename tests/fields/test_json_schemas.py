"""JSONField(schema=...): values of a Pydantic type, checked when written, whose changes are noticed."""

import copy
import datetime as dt
import pickle
import subprocess
import sys
from typing import Annotated, Any

import pydantic
import pytest

import ormolu
from ormolu import CharField, F, JSONField, Model
from ormolu.exceptions import ValidationError
from support.backends import Backend
from support.worlds import World


class Address(pydantic.BaseModel):
    city: str
    zip: str = pydantic.Field("", alias="postcode", max_length=5)


class Settings(pydantic.BaseModel):
    theme: str = "light"
    seen: dt.datetime | None = None
    address: Address | None = None
    tags: set[str] = set()


class Cat(pydantic.BaseModel):
    lives: int


class Dog(pydantic.BaseModel):
    bark: str


class SchemaUser(Model):
    name = CharField(max_length=20)
    settings = JSONField(schema=Settings, default=Settings)
    addresses = JSONField(schema=list[Address], default=list)
    pet: JSONField[Cat | Dog | None] = JSONField(schema=Cat | Dog, null=True, blank=True)


WHEN = dt.datetime(2024, 1, 2, 3, 4, tzinfo=dt.UTC)


async def updates(world: World, user: SchemaUser) -> list[str]:
    with ormolu.capture_queries() as queries:
        await world(user.save)
    return [query.sql for query in queries if "UPDATE" in query.sql]


async def test_values_are_of_the_type(db: Backend, world: World) -> None:
    """What is written is read as instances of the models; a dict that was given becomes one."""
    made = await world(
        SchemaUser.objects.create,
        settings={"theme": "dark", "seen": "2024-01-02T03:04:00Z", "tags": ["b"]},
        addresses=[Address(city="Oslo", postcode="1")],
        pet=Dog(bark="wuff"),
    )
    assert made.settings == Settings(theme="dark", seen=WHEN, tags={"b"})
    user = await world(SchemaUser.objects.get, pk=made.pk)
    assert user.settings == Settings(theme="dark", seen=WHEN, tags={"b"})
    assert user.addresses == [Address(city="Oslo", postcode="1")]
    assert user.pet == Dog(bark="wuff")
    assert await world(SchemaUser.objects.values_list("settings", flat=True).get) == user.settings
    assert pickle.loads(pickle.dumps(user)).settings == copy.deepcopy(user).settings == user.settings
    default = await world(SchemaUser.objects.create)
    assert (default.settings, default.addresses, default.pet) == (Settings(), [], None)
    assert (await world(SchemaUser.objects.get, pk=default.pk)).settings == Settings()


async def test_changes_in_place(db: Backend, world: World) -> None:
    """A change inside a model is written by save(), and nothing else is."""
    made = await world(SchemaUser.objects.create, settings=Settings(address=Address(city="Oslo")))
    for user in (made, await world(SchemaUser.objects.get)):
        assert await updates(world, user) == []
        user.name = "x" + user.name
        assert not any("settings" in sql for sql in await updates(world, user))
        assert user.settings.address is not None
        user.settings.address.city += "!"
        user.settings.tags.add("new")
        (sql,) = await updates(world, user)
        assert "settings" in sql
        assert "addresses" not in sql
    user = await world(SchemaUser.objects.get)
    assert user.settings.address == Address(city="Oslo!")
    user.addresses.append(Address(city="Bergen"))
    user.pet = Cat(lives=9)
    await world(user.save, update_fields=["addresses", "pet"])
    user.addresses[0].city = "Bodø"
    user.pet.lives -= 1
    await world(SchemaUser.objects.bulk_update, [user], ["addresses", "pet"])
    user = await world(SchemaUser.objects.get)
    assert (user.addresses, user.pet) == ([Address(city="Bodø")], Cat(lives=8))


async def test_wrong_values(db: Backend, world: World) -> None:
    """What does not fit is refused with the path to it: when saved, cleaned, or changed inside."""
    user = SchemaUser(name="a", settings={"theme": 1, "address": {"postcode": "123456"}})
    with pytest.raises(ValidationError) as caught:
        await world(user.save)
    texts = [text.partition(":")[0] for text in caught.value.messages]
    assert texts == ["theme", "address.city", "address.postcode"]
    assert all("SchemaUser.settings" in text for text in caught.value.messages)
    assert [error.code for error in caught.value.error_list] == ["string_type", "missing", "string_too_long"]
    with pytest.raises(ValidationError) as caught:
        user.full_clean()
    assert len(caught.value.message_dict["settings"]) == 3
    user = await world(SchemaUser.objects.create, name="a", addresses=[Address(city="Oslo")])
    user.addresses[0].zip = "too long"
    with pytest.raises(ValidationError, match=r"0\.postcode: .*at most 5"):
        await world(user.save)
    user.settings.theme = None  # type: ignore[assignment]  # pyright: ignore[reportAttributeAccessIssue]
    with pytest.raises(ValidationError, match="theme"):
        user.full_clean()


async def test_what_was_stored_otherwise(db: Backend, world: World) -> None:
    """JSON that does not fit raises ValidationError when it is read; its keys can be asked for nevertheless."""
    user = await world(SchemaUser.objects.create, name="a")
    await world(SchemaUser.objects.update, settings={"theme": "dark"})
    assert (await world(SchemaUser.objects.get)).settings.theme == "dark"
    table = SchemaUser._meta.table
    plain = ormolu.fields.JSONField()
    with db.engine().begin() as connection:
        stored = '{"theme": [1]}'
        connection.exec_driver_sql(f"UPDATE {table.name} SET settings = '{stored}' WHERE id = {user.pk}")
    with pytest.raises(ValidationError, match="theme"):
        await world(SchemaUser.objects.get)
    assert plain.typed is None
    assert await world(SchemaUser.objects.values_list("settings__theme", flat=True).get) == [1]


async def test_lookups(db: Backend, world: World) -> None:
    """Keys and whole values can be compared, with models and with plain JSON."""
    for city in ("Oslo", "Bergen"):
        settings = Settings(address=Address(city=city, postcode="12"))
        await world(SchemaUser.objects.create, name=city, settings=settings, addresses=[settings.address])
    users = SchemaUser.objects
    assert (await world(users.get, settings__address__city="Oslo")).name == "Oslo"
    assert (await world(users.get, addresses__0__city__startswith="Ber")).name == "Bergen"
    assert (await world(users.get, settings__address=Address(city="Oslo", postcode="12"))).name == "Oslo"
    assert (await world(users.get, addresses=[Address(city="Oslo", postcode="12")])).name == "Oslo"
    assert await world(users.filter(settings__address__postcode="12").count) == 2
    assert await world(users.filter(settings__has_key="theme").count) == 2
    keys = users.annotate(city=F("settings__address__city")).order_by("city").values_list("city", flat=True)
    assert await world.list(keys) == ["Bergen", "Oslo"]


@pytest.mark.worlds("sync")
@pytest.mark.backends("sqlite", "postgresql")
def test_in_a_session(db: Backend) -> None:
    """SQLAlchemy's Session reads and flushes models, too."""
    from sqlalchemy.orm import Session

    with Session(db.engine()) as session:
        session.add(SchemaUser(name="a", settings=Settings(theme="dark")))
        session.commit()
    with Session(db.engine()) as session:
        user = session.query(SchemaUser).one()
        assert user.settings == Settings(theme="dark")
        user.settings = Settings(theme="light")
        session.commit()
    assert SchemaUser.objects.get().settings.theme == "light"


def test_pydantic_is_imported_when_it_is_used() -> None:
    """Declaring a model imports no Pydantic by itself; where it is missing, the error says how to install it."""
    code = """
import sys
sys.modules["pydantic"] = None
import ormolu

class Thing(ormolu.Model):
    data = ormolu.JSONField(schema=dict)

try:
    Thing(data={}).full_clean()
except ormolu.MissingExtra as error:
    print(error)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert 'pip install "ormolu[pydantic]"' in done.stdout


def test_other_types() -> None:
    """Whatever Pydantic has an adapter for can be a schema; a decoder beside it is refused."""
    field: JSONField[Any] = JSONField(schema=Annotated[int, pydantic.Field(gt=0)])
    assert field.clean("3", None) == 3
    with pytest.raises(ValidationError, match="greater than 0"):
        field.clean(0, None)
    assert field.deconstruct()[3]["schema"] is field.schema
    with pytest.raises(TypeError, match="either a decoder or a schema"):
        JSONField(schema=int, decoder=object)
