"""extra(): pieces of SQL in a queryset."""

from typing import Any

import pytest

from ormolu import CASCADE, CharField, ForeignKey, IntegerField, Model, databases
from support.backends import Backend
from support.worlds import World


class Parcel(Model):
    code = CharField(max_length=20)
    weight = IntegerField()

    class Meta:
        db_table = "parcel"


@pytest.fixture
def parcels(db: Backend) -> Any:
    """Three parcels."""
    for code, weight in (("a", 3), ("b", 1), ("c", 2)):
        Parcel.objects.create(code=code, weight=weight)
    return Parcel.objects.all()


async def test_columns_conditions_and_order(parcels, world: World):
    """select, where with params, and order_by, which may name a table's column."""
    heavy = parcels.extra(
        select={"twice": "weight * %s"},
        select_params=[2],
        where=["weight > %s", "weight < %s"],
        params=[1, 9],
    )
    found = await world.list(heavy.extra(order_by=["-parcel.code"]))
    assert [(p.code, p.twice) for p in found] == [("c", 4), ("a", 6)]
    assert await world.list(heavy.order_by("twice").values_list("code", "twice")) == [("c", 4), ("a", 6)]


async def test_other_values_share_no_plan_by_mistake(parcels, world: World):
    """The texts count for the plan, the values don't."""
    for limit, codes in ((1, ["a", "c"]), (2, ["a"])):
        found = parcels.extra(where=["weight > %s"], params=[limit]).order_by("code")
        assert [p.code for p in await world.list(found)] == codes


async def test_one_more_table(parcels, world: World):
    """Tables are joined by the conditions given with them."""
    found = parcels.extra(tables=["parcel_seal"], where=["parcel_seal.number = parcel.weight"]).order_by(
        "code"
    )
    assert [p.code for p in await world.list(found)] == ["a"]


class Seal(Model):
    number = IntegerField()

    class Meta:
        db_table = "parcel_seal"


@pytest.fixture(autouse=True)
def seal(db: Backend) -> None:
    """A seal on the parcel of weight three."""
    Seal.objects.create(number=3)


def test_a_slice_takes_no_more_conditions(parcels):
    """As filter() after slicing."""
    with pytest.raises(TypeError, match="slice"):
        parcels[:1].extra(where=["1 = 1"])


class Label(Model):
    seal = ForeignKey(Seal, on_delete=CASCADE)

    class Meta:
        db_table = "parcel_label"


async def test_a_table_that_is_joined_anyway(db: Backend, world: World):
    """It stands in the statement once, whatever joins it."""
    await world(Label.objects.create, seal=await world(Seal.objects.get))
    found = Label.objects.extra(tables=["parcel_seal"], where=["parcel_seal.number = 3"])
    assert [label.seal.number for label in await world.list(found.select_related("seal"))] == [3]


async def test_percent_signs(parcels, world: World):
    """A doubled one is one, in selected text and in conditions."""
    found = parcels.extra(
        select={"text": "'%%s off, ' || %s"}
        if found_concats(parcels)
        else {"text": "CONCAT('%%s off, ', %s)"},
        select_params=["now"],
        where=["code LIKE 'a%%'"],
    )
    assert [p.text for p in await world.list(found)] == ["%s off, now"]


def found_concats(parcels: Any) -> bool:
    """Whether `||` joins texts here."""
    return databases.get(parcels.db).vendor != "mysql"


@pytest.mark.parametrize("name", ['injected" FROM parcel --', "a\tb", "a;b", "a'b"])
def test_a_columns_name_is_only_that(parcels, name: str):
    """What could end it is refused."""
    with pytest.raises(ValueError, match="Column aliases"):
        parcels.extra(select={name: "1"})


async def test_extra_after_values_adds_no_column(parcels, world: World):
    """It can be ordered by; values() before it has said what is selected."""
    found = parcels.values("code").extra(select={"twice": "weight * 2"}).order_by("twice")
    assert all(set(row) == {"code"} for row in await world.list(found))
