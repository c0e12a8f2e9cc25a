"""DB_CASCADE, DB_SET_NULL, DB_SET_DEFAULT: the foreign key's ON DELETE clause; and what policies ask of a field."""

import pytest
import sqlalchemy as sa
from sqlalchemy.dialects import mysql

from ormolu import (
    CASCADE,
    DB_CASCADE,
    DB_SET_DEFAULT,
    DB_SET_NULL,
    SET_DEFAULT,
    SET_NULL,
    CharField,
    FieldError,
    ForeignKey,
    ForeignObject,
    IntegerField,
    ManyToManyField,
    Model,
    OneToOneField,
    ProtectedError,
    signals,
)
from ormolu.models.registry import isolated
from ormolu.writes.on_delete import PROTECT

backends = pytest.mark.backends
SUPPORTING = ("sqlite", "postgresql", "asyncpg")


class Country(Model):
    name = CharField(max_length=20)

    class Meta:
        app_label = "db_on_delete"


class City(Model):
    country = ForeignKey(Country, on_delete=DB_CASCADE, related_name="cities")

    class Meta:
        app_label = "db_on_delete"


class Street(Model):
    city = ForeignKey(City, on_delete=DB_CASCADE)
    parent = ForeignKey("self", on_delete=DB_CASCADE, null=True)

    class Meta:
        app_label = "db_on_delete"


class Traveller(Model):
    country = ForeignKey(Country, on_delete=DB_SET_NULL, null=True)

    class Meta:
        app_label = "db_on_delete"


class Region(Model):
    name = CharField(max_length=20)

    class Meta:
        app_label = "db_on_delete"


class Village(Model):
    region = OneToOneField(Region, on_delete=DB_CASCADE)
    sights = ManyToManyField("Sight")

    class Meta:
        app_label = "db_on_delete"


class Sight(Model):
    class Meta:
        app_label = "db_on_delete"


class Mayor(Model):
    village = ForeignKey(Village, on_delete=PROTECT)

    class Meta:
        app_label = "db_on_delete"


MODELS = [Country, City, Street, Traveller, Region, Sight, Village, Mayor]


async def count(run, *models):
    return [await run.count(model) for model in models]


async def test_the_database_does_it(run, statements):
    """One DELETE of the row itself: what refers to it is neither loaded nor counted, over any number of steps."""
    world = run.world
    country = await world(Country.objects.create, name="A")
    city = await world(City.objects.create, country=country)
    street = await world(Street.objects.create, city=city)
    await world(Street.objects.create, city=city, parent=street)
    traveller = await world(Traveller.objects.create, country=country)
    statements.clear()
    assert await world(country.delete) == (1, {"db_on_delete.Country": 1})
    assert len(statements) == 1
    assert await count(run, Country, City, Street, Traveller) == [0, 0, 0, 1]
    assert await run.rows(Traveller, "id", "country_id") == [(traveller.pk, None)]
    assert country.pk is None


async def test_querysets(run, statements):
    """A queryset is one DELETE as well, with nothing loaded."""
    world = run.world
    for name in "AB":
        await world(City.objects.create, country=await world(Country.objects.create, name=name))
    statements.clear()
    found = await world(Country.objects.filter(name="A").delete)
    assert found == (1, {"db_on_delete.Country": 1})
    assert len(statements) == 1
    assert await count(run, Country, City) == [1, 1]


async def test_no_signals(run):
    """The rows that the database deletes send no signals; the row itself does."""
    seen = []

    def note(sender, **rest):
        seen.append(sender)

    country = await run.world(Country.objects.create, name="A")
    await run.world(City.objects.create, country=country)
    signals.post_delete.connect(note)
    try:
        await run.world(country.delete)
    finally:
        signals.post_delete.disconnect(note)
    assert seen == [Country]


async def test_what_the_database_can_not_follow(run):
    """Where another policy hangs further on, the rows between are found first, so that it is kept."""
    world = run.world
    region = await world(Region.objects.create, name="A")
    village = await world(Village.objects.create, region=region)
    await world(village.sights.add, await world(Sight.objects.create))
    mayor = await world(Mayor.objects.create, village=village)
    with pytest.raises(ProtectedError) as caught:
        await world(region.delete)
    assert caught.value.protected_objects == {mayor}
    assert await count(run, Region, Village) == [1, 1]
    await world(mayor.delete)
    through = Village._meta.get_field("sights").remote_field.through
    counts = {"db_on_delete.Region": 1, "db_on_delete.Village": 1, through._meta.label: 1}
    assert await world(region.delete) == (3, counts)
    assert await count(run, Region, Village, Sight) == [0, 0, 1]


def test_the_clause():
    """The foreign key says it, and migrations can write it down."""
    (key,) = City._meta.table.foreign_keys
    assert key.ondelete == "CASCADE"
    assert City._meta.get_field("country").deconstruct()[3]["on_delete"] is DB_CASCADE
    assert DB_SET_NULL.deconstruct() == ("ormolu.DB_SET_NULL", (), {})
    assert all(key.ondelete is None for key in Mayor._meta.table.foreign_keys)


@backends(*SUPPORTING)
async def test_default(db, world):
    """DB_SET_DEFAULT gives the column what its db_default says."""
    import ormolu

    with isolated() as registry:

        class Colour(Model):
            name = CharField(max_length=10)

        class Car(Model):
            colour = ForeignKey(Colour, on_delete=DB_SET_DEFAULT, db_default=1)

        await world(ormolu.create_tables, apps=registry)
        try:
            await world(Colour.objects.create, pk=1, name="white")
            red = await world(Colour.objects.create, pk=2, name="red")
            car = await world(Car.objects.create, colour=red)
            await world(red.delete)
            await world(car.refresh_from_db)
            assert car.colour_id == 1
        finally:
            await world(ormolu.drop_tables, apps=registry)

        with pytest.raises(sa.exc.CompileError, match="MySQL and MariaDB can't"):
            sa.schema.CreateTable(Car._meta.table).compile(dialect=mysql.dialect())


PROBLEMS = [
    (SET_NULL, {}, "can't have on_delete=SET_NULL: it takes no NULL"),
    (SET_DEFAULT, {}, "it has no default"),
    (DB_SET_NULL, {}, "it takes no NULL"),
    (DB_SET_DEFAULT, {"default": 1}, "Give it a db_default"),
    (DB_CASCADE, {"db_constraint": False}, "no foreign key constraint"),
]


@pytest.mark.parametrize(("policy", "options", "text"), PROBLEMS, ids=lambda v: repr(v)[:20])
def test_policies_that_a_field_rules_out(policy, options, text):
    """What Django's checks find is an error when the class is made: it names the field and the cure."""
    with isolated(), pytest.raises(FieldError, match=text):

        class Broken(Model):
            country = ForeignKey(Country, on_delete=policy, related_name="+", **options)


def test_no_constraint_to_say_so():
    """A ForeignObject has no foreign key in the database."""
    with isolated(), pytest.raises(FieldError, match="no foreign key constraint"):

        class BrokenObject(Model):
            number = IntegerField()
            country = ForeignObject(
                Country, on_delete=DB_CASCADE, from_fields=["number"], to_fields=["id"], related_name="+"
            )


def test_an_abstract_model_is_asked_later():
    """The rule holds for the model that has the column, not for an abstract base."""
    with isolated():

        class Base(Model):
            class Meta:
                abstract = True

            country = ForeignKey(Country, on_delete=SET_NULL, related_name="+")

        with pytest.raises(FieldError, match="Leaf.country"):

            class Leaf(Base):
                pass

        class Allowed(Base):
            country = ForeignKey(Country, on_delete=CASCADE, related_name="+")

        assert Allowed._meta.get_field("country").remote_field.on_delete is CASCADE
