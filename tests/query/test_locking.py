"""select_for_update(): rows that nobody else changes until the transaction ends."""

from typing import Any

import pytest

from ormolu import (
    CASCADE,
    CharField,
    FieldError,
    ForeignKey,
    Model,
    OneToOneField,
    OperationalError,
    Prefetch,
    TransactionManagementError,
    capture_queries,
    databases,
)
from ormolu.exceptions import NotSupportedError
from support.backends import Backend
from support.worlds import World


class Region(Model):
    name = CharField(max_length=30)

    class Meta:
        db_table = "lock_region"


class Country(Region):
    class Meta:
        db_table = "lock_country"


class Town(Model):
    name = CharField(max_length=30)
    country = ForeignKey(Country, on_delete=CASCADE, related_name="towns")
    twin = ForeignKey("self", on_delete=CASCADE, null=True)

    class Meta:
        db_table = "lock_town"


class Mayor(Model):
    town = OneToOneField(Town, on_delete=CASCADE, related_name="mayor")

    class Meta:
        db_table = "lock_mayor"


@pytest.fixture(autouse=True)
def towns(db: Backend) -> Any:
    """Two towns in a country."""
    country = Country.objects.create(name="Utopia")
    return [Town.objects.create(name=name, country=country) for name in ("Amaurot", "Nusquama")]


def locks(db: Backend) -> bool:
    """Whether the database has locks of rows."""
    return db.vendor != "sqlite"


async def sql_of(world: World, question: Any) -> str:
    """Return the statement that a question sends inside a transaction."""
    async with world.atomic():
        with capture_queries() as queries:
            await world.list(question)
    return next(query.sql for query in queries if "SELECT" in query.sql)


async def test_rows_are_locked_until_the_end(db: Backend, world: World):
    """In a transaction; SQLite has no such locks, and reads."""
    sql = await sql_of(world, Town.objects.select_for_update())
    assert sql.endswith("FOR UPDATE") is locks(db)
    async with world.atomic():
        assert (await world(Town.objects.select_for_update().get, name="Amaurot")).name == "Amaurot"
        assert await world(Town.objects.select_for_update().filter(name="x").first) is None
        assert await world(Town.objects.select_for_update().exists)
        assert await world(Town.objects.select_for_update().count) == 2
        assert [t.name async for t in world.iterator(Town.objects.select_for_update().order_by("name"))] == [
            "Amaurot",
            "Nusquama",
        ]
        assert len(await world.list(Town.objects.select_for_update().order_by("name")[1:])) == 1


async def test_only_in_a_transaction(db: Backend, world: World):
    """The error comes when rows are asked for, and not before."""
    question = Town.objects.select_for_update()
    if not locks(db):
        assert len(await world.list(question)) == 2
        return
    with pytest.raises(TransactionManagementError, match="outside of a transaction"):
        await world.list(question)
    with pytest.raises(TransactionManagementError):
        await world(question.first)
    with pytest.raises(TransactionManagementError):
        async for _town in world.iterator(question):
            pass
    assert await world(question.count) == 2  # which locks nothing


async def test_another_waits_or_is_told(db: Backend, world: World, towns):
    """nowait raises, skip_locked leaves the row out."""
    if not locks(db):
        return
    alone = databases.get().engine.connect()
    try:
        alone.exec_driver_sql("BEGIN" if db.vendor != "mysql" else "START TRANSACTION")
        alone.exec_driver_sql(f"SELECT id FROM lock_town WHERE id = {towns[0].pk} FOR UPDATE").fetchall()
        with pytest.raises(OperationalError):
            async with world.atomic():
                await world.list(Town.objects.select_for_update(nowait=True))
        async with world.atomic():
            found = await world.list(Town.objects.select_for_update(skip_locked=True))
            assert [town.name for town in found] == ["Nusquama"]
    finally:
        alone.exec_driver_sql("ROLLBACK")
        alone.close()


def test_nowait_or_skip_locked():
    """One excludes the other."""
    with pytest.raises(ValueError, match="nowait"):
        Town.objects.select_for_update(nowait=True, skip_locked=True)


@pytest.mark.parametrize(
    ("of", "tables"),
    [
        (("self",), ["lock_town"]),
        (("country",), ["lock_country"]),
        (("self", "country__region_ptr"), ["lock_town", "lock_region"]),
    ],
)
async def test_of_names_models(db: Backend, world: World, of: tuple[str, ...], tables: list[str]):
    """The model itself, what select_related() loads, and the tables of parents."""
    question = Town.objects.select_related("country").select_for_update(of=of)
    if db.vendor == "mysql":
        with pytest.raises(NotSupportedError, match="FOR UPDATE OF"):
            await sql_of(world, question)
        return
    sql = await sql_of(world, question)
    names = ", ".join(f'"{table}"' for table in tables)
    assert sql.endswith(f"FOR UPDATE OF {names}") is locks(db)


async def test_of_names_nothing_else(db: Backend, world: World):
    """A name that isn't loaded is refused with those that are."""
    if db.vendor != "postgresql":
        return
    question = Town.objects.select_related("country")
    for name in ("twin", "name", "country__name", "nothing"):
        with pytest.raises(FieldError, match=f"{name}. .*: self, country, country__region_ptr"):
            await sql_of(world, question.select_for_update(of=(name,)))


async def test_of_a_reverse_relation(db: Backend, world: World, towns):
    """Where the row is there for certain, it may be locked."""
    if db.vendor != "postgresql":
        return
    await world(Mayor.objects.create, town=towns[0])
    question = Town.objects.select_related("mayor").exclude(mayor=None).select_for_update(of=("mayor",))
    assert (await sql_of(world, question)).endswith('OF "lock_mayor"')


async def test_of_values(db: Backend, world: World):
    """Columns in place of objects don't matter to the lock."""
    if db.vendor != "postgresql":
        return
    question = Town.objects.select_for_update(of=("self",)).values_list("country__name")
    assert (await sql_of(world, question)).endswith('OF "lock_town"')


async def test_no_key(db: Backend, world: World):
    """The weaker lock, where there is one."""
    question = Town.objects.select_for_update(no_key=True)
    if db.vendor == "mysql":
        with pytest.raises(NotSupportedError, match="NO KEY"):
            await sql_of(world, question)
        return
    assert (await sql_of(world, question)).endswith("FOR NO KEY UPDATE") is locks(db)


async def test_a_queue(db: Backend, world: World):
    """A lock inside of a subquery is one, too."""
    if db.vendor == "mysql":
        return  # has no LIMIT there
    next_one = Town.objects.select_for_update(skip_locked=True).order_by("name")[:1]
    async with world.atomic():
        with capture_queries() as queries:
            assert await world(Town.objects.filter(pk__in=next_one.values("pk")).update, name="Taken") == 1
    assert any("FOR UPDATE SKIP LOCKED" in query.sql for query in queries) is locks(db)
    assert await world(Town.objects.filter(name="Taken").count) == 1


async def test_prefetched_rows(db: Backend, world: World):
    """The queryset of a Prefetch may lock."""
    question = Country.objects.prefetch_related(Prefetch("towns", Town.objects.select_for_update()))
    async with world.atomic():
        with capture_queries() as queries:
            (found,) = await world.list(question)
            assert len(found.towns.all()) == 2
    assert any("FOR UPDATE" in query.sql for query in queries) is locks(db)
    if locks(db):
        with pytest.raises(TransactionManagementError):
            await world.list(question.all())


async def test_set_operations_lock_nothing(db: Backend, world: World):
    """A lock that would be lost is refused."""
    union = Town.objects.filter(name="a").union(Town.objects.select_for_update())
    with pytest.raises(NotSupportedError):
        Town.objects.union(Town.objects.all()).select_for_update()
    if locks(db):
        with pytest.raises(NotSupportedError, match="locked"):
            await sql_of(world, union)
    else:
        assert len(await world.list(union)) == 2


async def test_a_subquery_locks_in_its_order(db: Backend, world: World):
    """The order of a locking subquery is that in which it locks, so that two of them don't wait for each other."""
    within = Region.objects.order_by("-name").select_for_update()
    async with world.atomic():
        with capture_queries() as queries:
            assert await world(Region.objects.filter(pk__in=within).count) == 1
    assert "ORDER BY" in queries[-1].sql
