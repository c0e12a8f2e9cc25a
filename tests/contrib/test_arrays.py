"""ArrayField: its lookups, transforms and slices; on databases without arrays what can be said of JSON text."""

import datetime as dt
import enum
from typing import Any

import pytest

import ormolu
from ormolu import (
    CASCADE,
    ArrayField,
    CharField,
    DateField,
    Exists,
    F,
    ForeignKey,
    IntegerField,
    Model,
    OuterRef,
    Q,
    Subquery,
    Value,
)
from ormolu.contrib.postgres.aggregates import ArrayAgg, BoolAnd, JSONBAgg, RegrSlope, StringAgg
from ormolu.contrib.postgres.expressions import ArraySubquery
from ormolu.contrib.postgres.functions import RandomUUID, TransactionNow
from ormolu.exceptions import DataError, FieldError, NotSupportedError, ValidationError
from ormolu.fields.base import Field
from ormolu.query.functions import Upper
from support.backends import Backend
from support.worlds import World


class Colour(enum.Enum):
    RED = "r"
    BLUE = "b"


class ColourField(CharField):
    """A user's field, with conversions in both directions."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **{"max_length": 1, **options})

    def get_prep_value(self, value: Any) -> Any:
        return value.value if isinstance(value, Colour) else value

    def from_db_value(self, value: Any, expression: Any, connection: Any) -> Any:
        return None if value is None else Colour(value)


class ArrayCrate(Model):
    name = CharField(max_length=20)
    tags = ArrayField(CharField(max_length=10), default=list)
    sizes = ArrayField(IntegerField(), null=True)
    grid = ArrayField(ArrayField(IntegerField()), null=True)
    days = ArrayField(DateField(), null=True)
    colours = ArrayField(ColourField(), null=True)


class ArrayLabel(Model):
    crate = ForeignKey(ArrayCrate, on_delete=CASCADE, related_name="parcels")
    label = CharField(max_length=20)
    weight = IntegerField(null=True)

    class Meta:
        db_table = "array_parcel"


MODELS = [ArrayCrate, ArrayLabel]
ALL = ("sqlite", "postgresql", "asyncpg", "mariadb")


async def fill(world: World) -> None:
    for name, tags, sizes in [
        ("a", ["x"], [1]),
        ("b", ["x", "y"], [2, 3]),
        ("c", ["y", "z"], [20, 30, 40]),
        ("d", [], None),
    ]:
        await world(ArrayCrate.objects.create, name=name, tags=tags, sizes=sizes, grid=[[1, 2], [3, 4]])


async def names(world: World, **lookups: Any) -> str:
    found = ArrayCrate.objects.filter(**lookups).order_by("name").values_list("name", flat=True)
    return "".join(await world.list(found))


@pytest.mark.backends(*ALL)
async def test_membership(db: Backend, world: World) -> None:
    """contains, contained_by and overlap compare sets of items; NULL and the empty array as PostgreSQL has them."""
    await fill(world)
    assert await names(world, tags__contains=["x"]) == "ab"
    assert await names(world, tags__contains=["y", "x"]) == "b"
    assert await names(world, tags__contains=[]) == "abcd"
    assert await names(world, tags__contained_by=["x", "z", "y"]) == "abcd"
    assert await names(world, tags__contained_by=["x"]) == "ad"
    assert await names(world, tags__overlap=["z", "q"]) == "c"
    assert await names(world, tags__overlap=[]) == ""
    assert await names(world, sizes__contains=[2]) == "b"
    assert await names(world, sizes__contains=[]) == "abc"
    assert await names(world, sizes__overlap=(1, 40)) == "ac"
    assert await names(world, grid__contains=[[3]]) == "abcd"
    rest = ArrayCrate.objects.exclude(sizes__contains=[2]).order_by("name")
    assert [c.name async for c in world.each(rest)] == ["a", "c", "d"]


@pytest.mark.backends(*ALL)
async def test_len_and_index(db: Backend, world: World) -> None:
    """`len` counts, a number takes one item; both can be ordered by, selected and compared further."""
    await fill(world)
    assert await names(world, tags__len=0) == "d"
    assert await names(world, tags__len__gte=2) == "bc"
    assert await names(world, sizes__len__isnull=True) == "d"
    assert await names(world, sizes__0=2) == "b"
    assert await names(world, sizes__1__gt=5) == "c"
    assert await names(world, tags__0="x") == "ab"
    assert await names(world, tags__1__in=["z", "q"]) == "c"
    assert await names(world, tags__7="x") == ""
    assert await names(world, grid__1__0=3) == "abcd"
    assert await world.list(
        ArrayCrate.objects.annotate(first=F("sizes__0")).order_by("name").values_list("first", flat=True)
    ) == [1, 2, 20, None]
    found = (
        ArrayCrate.objects.filter(sizes__isnull=False).order_by("-sizes__0").values_list("name", flat=True)
    )
    assert await world.list(found) == ["c", "b", "a"]


@pytest.mark.backends("sqlite", "postgresql", "asyncpg")
async def test_slices(db: Backend, world: World) -> None:
    """Two numbers, or a slice of F(), are a part of the array."""
    await fill(world)
    assert await names(world, sizes__0_1=[2]) == "b"
    assert await names(world, sizes__0_2=[2, 3]) == "b"
    assert await names(world, tags__0_2__contains=["x"]) == "ab"
    found = ArrayCrate.objects.filter(name="c").annotate(few=F("sizes")[1:], one=F("sizes")[:2][1])
    assert await world.list(found.values_list("few", "one", "tags__0_1")) == [([30, 40], [30], ["y"])]
    crate = await world(ArrayCrate.objects.get, name="c")
    crate.sizes = F("sizes")[:2]
    await world(crate.save)
    assert (await world(ArrayCrate.objects.get, name="c")).sizes == [20, 30]


@pytest.mark.backends("postgresql", "asyncpg")
async def test_expressions_among_the_items(db: Backend, world: World) -> None:
    """An item may be computed, the whole array, too."""
    await fill(world)
    assert await names(world, sizes=[Value(1)]) == "a"
    assert await names(world, sizes__contains=[F("id") + 1]) == "b"
    assert await names(world, tags__overlap=[Upper(Value("z")), "y"]) == "bc"
    assert await names(world, sizes__overlap=ArrayCrate.objects.filter(name__in="ac").values("sizes")) == "ac"
    same = ArrayCrate.objects.filter(sizes__contains=OuterRef("sizes")).exclude(pk=OuterRef("pk"))
    assert not await world(ArrayCrate.objects.filter(Exists(same)).exists)
    assert await names(world, sizes__contains=ArrayCrate.objects.filter(name="b").values("sizes")[:1]) == "b"


@pytest.mark.backends(*ALL)
async def test_items_of_a_users_field(db: Backend, world: World) -> None:
    """The conversions of the items' field hold for each item, when written, compared and read."""
    await world(ArrayCrate.objects.create, name="a", colours=[Colour.RED, Colour.BLUE])
    crate = await world(ArrayCrate.objects.get, colours__contains=[Colour.RED])
    assert crate.colours == [Colour.RED, Colour.BLUE]
    assert await names(world, colours=[Colour.RED, Colour.BLUE]) == "a"
    assert await names(world, colours__0=Colour.RED) == "a"


@pytest.mark.backends(*ALL)
async def test_changes_in_place(db: Backend, world: World) -> None:
    """What was appended to an array is written by save(), and only then."""
    await world(ArrayCrate.objects.create, name="a", tags=["x"], days=[dt.date(2024, 1, 2)])
    crate = await world(ArrayCrate.objects.get)
    with ormolu.capture_queries() as queries:
        await world(crate.save)
    assert not [q for q in queries if "UPDATE" in q.sql]
    crate.tags.append("y")
    crate.days.append(dt.date(2024, 1, 3))
    await world(crate.save)
    fresh = await world(ArrayCrate.objects.get)
    assert fresh.tags == ["x", "y"]
    assert fresh.days == [dt.date(2024, 1, 2), dt.date(2024, 1, 3)]


async def parcels(world: World) -> None:
    await fill(world)
    crates = {crate.name: crate async for crate in world.each(ArrayCrate.objects.all())}
    for name, label, weight in [("a", "q", 1), ("a", "p", None), ("b", "p", 3), ("b", "p", 4)]:
        await world(ArrayLabel.objects.create, crate=crates[name], label=label, weight=weight)


@pytest.mark.backends("postgresql", "asyncpg")
async def test_aggregates_with_an_order(db: Backend, world: World) -> None:
    """ArrayAgg, JSONBAgg and StringAgg collect values in an order."""
    await parcels(world)
    found = await world(
        ArrayLabel.objects.aggregate,
        labels=ArrayAgg("label", order_by=["label", "-weight"]),
        different=ArrayAgg("label", distinct=True, order_by="label"),
        heavy=ArrayAgg("weight", filter=Q(weight__gt=1), order_by="-weight"),
        weights=JSONBAgg("weight", order_by="id"),
        text=StringAgg("label", delimiter="; ", order_by="id"),
    )
    assert found == {
        "labels": ["p", "p", "p", "q"],
        "different": ["p", "q"],
        "heavy": [4, 3],
        "weights": [1, None, 3, 4],
        "text": "q; p; p; p",
    }


@pytest.mark.backends("sqlite", "postgresql", "asyncpg")
async def test_aggregates_that_collect(db: Backend, world: World) -> None:
    """ArrayAgg, JSONBAgg and StringAgg collect all values, or those that fit; of no rows they are None."""
    await parcels(world)
    rows = ArrayCrate.objects.filter(name__in="ab").annotate(
        labels=ArrayAgg("parcels__label"),
        weights=JSONBAgg("parcels__weight", filter=Q(parcels__weight__gt=1)),
        text=StringAgg("parcels__label", delimiter="-"),
    )
    (_, labels, weights, text), other = await world.list(
        rows.order_by("name").values_list("name", "labels", "weights", "text")
    )
    assert (sorted(labels), weights, sorted(text.split("-"))) == (["p", "q"], None, ["p", "q"])
    assert other == ("b", ["p", "p"], [3, 4], "p-p")
    empty = ArrayLabel.objects.filter(label="none")
    found = await world(empty.aggregate, a=ArrayAgg("label"), j=JSONBAgg("weight"), s=StringAgg("label", ","))
    assert found == {"a": None, "j": None, "s": None}
    assert await world(empty.aggregate, a=ArrayAgg("label", default=["-"])) == {"a": ["-"]}


@pytest.mark.backends("postgresql", "asyncpg")
async def test_aggregates_of_postgresql(db: Backend, world: World) -> None:
    """Statistics of two variables, and truth values."""
    await parcels(world)
    found = await world(
        ArrayLabel.objects.aggregate, slope=RegrSlope(y="weight", x="id"), all_light=BoolAnd(Q(weight__lt=4))
    )
    assert found["slope"] == pytest.approx(1.0)
    assert found["all_light"] is False
    rows = ArrayLabel.objects.values("label").annotate(ids=ArrayAgg("id")).filter(ids__len__gt=1)
    assert await world.list(rows.values_list("label", flat=True)) == ["p"]


@pytest.mark.backends("postgresql", "asyncpg")
async def test_a_subquery_as_an_array(db: Backend, world: World) -> None:
    """ArraySubquery has all rows of one column, in their order."""
    await parcels(world)
    own = ArrayLabel.objects.filter(crate=OuterRef("pk")).order_by("-id").values("label")
    found = ArrayCrate.objects.annotate(labels=ArraySubquery(own)).order_by("name")
    assert await world.list(found.values_list("labels", flat=True)) == [["p", "q"], ["p", "p"], [], []]
    assert await world(found.filter(labels__contains=["q"]).count) == 1
    assert Subquery(own).keeps_order


@pytest.mark.backends("postgresql", "asyncpg")
async def test_functions(db: Backend, world: World) -> None:
    """RandomUUID differs from row to row; TransactionNow is one time in a transaction."""
    await fill(world)
    ids = await world.list(ArrayCrate.objects.annotate(u=RandomUUID()).values_list("u", flat=True))
    assert len(set(ids)) == 4
    async with world.atomic():
        first = await world(ArrayCrate.objects.annotate(t=TransactionNow()).values_list("t", flat=True).first)
        await world.sleep(0.01)
        assert (
            await world(
                ArrayCrate.objects.filter(pk__gt=0).annotate(t=TransactionNow()).filter(t=first).count
            )
            == 4
        )


@pytest.mark.backends("sqlite")
def test_what_needs_postgresql_says_so(db: Backend) -> None:
    """The error names what is missing."""
    for ask in (
        lambda: list(ArrayCrate.objects.filter(sizes__contains=[F("id")])),
        lambda: list(ArrayCrate.objects.annotate(x=ArraySubquery(ArrayLabel.objects.values("id")))),
        lambda: list(ArrayCrate.objects.annotate(x=RandomUUID())),
        lambda: ArrayLabel.objects.aggregate(x=BoolAnd(Q(weight=1))),
    ):
        with pytest.raises(NotSupportedError, match="needs PostgreSQL"):
            ask()


def test_other_names_are_no_lookups() -> None:
    """What is neither a number nor two is refused when the query is built."""
    for name in ("tags__0_bar", "tags__0bar", "tags__nothing"):
        with pytest.raises(FieldError, match="Unsupported lookup"):
            ArrayCrate.objects.filter(**{name: [1]})


def test_errors_of_items_say_which() -> None:
    """Each item that is wrong has an error with its number, the item's code and parameters."""
    field: Field[Any] = ArrayField(CharField(max_length=2), size=3)
    field.set_attributes_from_name("tags")
    with pytest.raises(ValidationError) as caught:
        field.clean(["ab", "100%", "xyz"], None)
    assert caught.value.messages == [
        "Item 2 in the array did not validate: Ensure this value has at most 2 characters (it has 4).",
        "Item 3 in the array did not validate: Ensure this value has at most 2 characters (it has 3).",
    ]
    assert [error.params and error.params["nth"] for error in caught.value.error_list] == [2, 3]
    with pytest.raises(ValidationError, match="List contains 4 items, it should contain no more than 3"):
        field.clean(["a"] * 4, None)


@pytest.mark.backends(*ALL)
async def test_items_that_do_not_fit(db: Backend, world: World) -> None:
    """An item is stored as its field would store it: what is too long raises DataError, and nothing is cut off."""
    crate = await world(ArrayCrate.objects.create, name="a", tags=["x" * 10])
    with pytest.raises(DataError, match="tags"):
        await world(ArrayCrate.objects.create, name="b", tags=["x", "y" * 11])
    crate.tags.append("z" * 11)
    with pytest.raises(DataError):
        await world(crate.save)
    with pytest.raises(DataError):
        await world(ArrayCrate.objects.bulk_create, [ArrayCrate(name="c", tags=["y" * 11])])
    with pytest.raises(DataError):
        await world(ArrayCrate.objects.bulk_update, [crate], ["tags"])
    with pytest.raises(DataError):
        await world(ArrayCrate.objects.update, tags=["y" * 11])
    assert (await world(ArrayCrate.objects.get)).tags == ["x" * 10]
