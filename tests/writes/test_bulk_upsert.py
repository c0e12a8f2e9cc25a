"""bulk_upsert(): what becomes of each object, and of its row."""

import datetime
from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy.orm import Session

from ormolu import (
    CASCADE,
    CharField,
    CompositePrimaryKey,
    DateTimeField,
    F,
    ForeignKey,
    GeneratedField,
    IntegerField,
    JSONField,
    Model,
    Proposed,
    Q,
    UniqueConstraint,
    Value,
    capture_queries,
    databases,
)
from ormolu.exceptions import FieldDoesNotExist, FieldError, IntegrityError, NotSupportedError
from ormolu.models import DecimalField
from ormolu.query.functions import Concat, Upper
from support.backends import Backend
from support.worlds import World


class Article(Model):
    sku = CharField(max_length=20, unique=True)
    stock = IntegerField(default=0)
    price = DecimalField(max_digits=8, decimal_places=2, null=True)
    note = CharField(max_length=40, db_default="-")
    data = JSONField(null=True)
    made = DateTimeField(auto_now_add=True)
    seen = DateTimeField(auto_now=True)
    label = GeneratedField(expression=Upper("sku"), output_field=CharField(max_length=20), db_persist=True)


class Cell(Model):
    pk = CompositePrimaryKey("row", "column")
    row = IntegerField()
    column = IntegerField()
    value = CharField(max_length=10)


class Depot(Model):
    name = CharField(max_length=10)


class Lot(Model):
    depot: Any = ForeignKey(Depot, on_delete=CASCADE, related_name="lots")
    number = IntegerField(null=True)
    kind = CharField(max_length=10, default="")
    open = IntegerField(default=1)

    class Meta:
        constraints = (
            UniqueConstraint(fields=["depot", "number"], name="up_lot_number"),
            UniqueConstraint(fields=["kind"], condition=Q(open=1), name="up_lot_open"),
        )


MODELS = [Article, Cell, Depot, Lot]
BY_SKU: dict[str, Any] = {"unique_fields": ["sku"]}
NOT_MARIADB = pytest.mark.backends("sqlite", "postgresql", "asyncpg")


async def stored(world: World) -> dict[str, tuple[Any, ...]]:
    rows = await world.list(Article.objects.order_by("pk"))
    return {row.sku: (row.pk, row.stock, row.note) for row in rows}


def skus(objects: Any) -> list[str]:
    return [one.sku for one in objects]


async def upsert(world: World, *args: Any, **options: Any) -> Any:
    return await world(Article.objects.bulk_upsert, *args, **options)


async def test_what_became_of_each(db: Backend, world: World) -> None:
    """Objects in order, told apart, with keys and with what the database made."""
    await world(Article.objects.create, sku="b", stock=2)
    result = await upsert(world, [Article(sku=sku, stock=9) for sku in "cba"], **BY_SKU)
    assert skus(result) == ["c", "b", "a"]
    assert (skus(result.inserted), skus(result.updated), result.unchanged) == (["c", "a"], ["b"], [])
    assert len(result) == 3
    assert {one.sku: (one.pk, one.stock, one.note) for one in result} == await stored(world)
    assert {one._state.adding for one in result} == {False}
    if db.vendor != "mysql":
        assert [one.label for one in result] == ["C", "B", "A"]


async def test_dictionaries(db: Backend, world: World) -> None:
    """Only what they hold is updated, and auto_now fields; the objects get what the rows hold besides."""
    old = await world(Article.objects.create, sku="a", stock=5, note="kept", price=Decimal("1.50"))
    await world(Article.objects.all().update, seen=datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC))
    result = await upsert(world, [{"sku": "a", "stock": 7}, {"sku": "b", "stock": 8}], **BY_SKU)
    first, second = result
    assert (first.pk, first.stock, first.note, first.price) == (old.pk, 7, "kept", Decimal("1.50"))
    assert first.made == old.made
    assert first.seen.year > 2020
    assert (second.stock, second.note) == (8, "-")
    assert await world(Article.objects.get, sku="a") == old
    assert (await world(Article.objects.get, sku="a")).seen == first.seen


async def test_expressions(db: Backend, world: World) -> None:
    """F is the row that is there, Proposed the one that was to be inserted; the results come back."""
    await world(Article.objects.bulk_create, [Article(sku="a", stock=5, note="x"), Article(sku="b", stock=6)])
    result = await upsert(
        world,
        [Article(sku="a", stock=10, note="y"), Article(sku="c", stock=1, note="z")],
        update_fields={
            "stock": F("stock") + Proposed("stock") * 2 + 1,
            "note": Concat(F("note"), Value("/"), Proposed("note")),
        },
        **BY_SKU,
    )
    assert [(one.stock, one.note) for one in result] == [(26, "x/y"), (1, "z")]
    assert {sku: row[1:] for sku, row in (await stored(world)).items()} == {
        "a": (26, "x/y"),
        "b": (6, "-"),
        "c": (1, "z"),
    }


@NOT_MARIADB
async def test_a_condition_for_the_update(db: Backend, world: World) -> None:
    """Rows that don't meet it stay, and their objects get the key only."""
    await world(Article.objects.bulk_create, [Article(sku="a", stock=5), Article(sku="b", stock=50)])
    result = await upsert(
        world,
        [Article(sku=sku, stock=10) for sku in "abc"],
        update_fields=["stock"],
        where=Q(stock__lt=Proposed("stock")) & ~Q(note="locked"),
        **BY_SKU,
    )
    assert (skus(result.inserted), skus(result.updated), skus(result.unchanged)) == (["c"], ["a"], ["b"])
    rows = await stored(world)
    assert {sku: row[1] for sku, row in rows.items()} == {"a": 10, "b": 50, "c": 10}
    assert {one.sku: one.pk for one in result} == {sku: row[0] for sku, row in rows.items()}
    number = await upsert(
        world,
        [Article(sku=sku, stock=20) for sku in "abd"],
        where=Q(stock__lt=Proposed("stock")),
        returning=False,
        **BY_SKU,
    )
    assert number == 2


async def test_nothing_to_update(db: Backend, world: World) -> None:
    """With no update_fields, rows that are there stay; every object gets its key."""
    await world(Article.objects.bulk_create, [Article(sku="a", stock=5)])
    result = await upsert(world, [Article(sku=s, stock=9) for s in "ba"], update_fields=[], **BY_SKU)
    assert (skus(result.inserted), result.updated, skus(result.unchanged)) == (["b"], [], ["a"])
    rows = await stored(world)
    assert [(one.sku, one.pk) for one in result] == [(sku, rows[sku][0]) for sku in "ba"]
    assert rows["a"][1] == 5
    more = [Article(sku=s) for s in "abcd"]
    assert await upsert(world, more, update_fields=[], returning=False, **BY_SKU) == 2


async def test_the_same_row_twice(db: Backend, world: World) -> None:
    """The later object finds what the earlier one left, on every database."""
    adding = {"stock": F("stock") + Proposed("stock")}
    result = await upsert(
        world, [Article(sku="a", stock=n) for n in (1, 2, 3)], update_fields=adding, **BY_SKU
    )
    assert [one.stock for one in result.inserted] == [1]
    assert [one.stock for one in result.updated] == [3, 6]
    assert len({one.pk for one in result}) == 1


async def test_statements(db: Backend, world: World) -> None:
    """One on PostgreSQL, a question before it elsewhere; without a result always one."""
    for options, wanted in (({}, 1 if db.vendor == "postgresql" else 2), ({"returning": False}, 1)):
        with capture_queries() as captured:
            await upsert(world, [Article(sku=sku, stock=9) for sku in "abc"], **BY_SKU, **options)
        sent = [q.sql.split()[0] for q in captured]
        assert len([kind for kind in sent if kind in ("SELECT", "INSERT")]) == wanted, sent


async def test_all_or_nothing(db: Backend, world: World) -> None:
    """What a later batch breaks undoes the earlier ones."""
    await world(Article.objects.create, sku="a", stock=5)
    bad = [Article(sku="a", stock=6), Article(sku="b", stock=7), Article(sku="x" * 10, stock=None)]
    with pytest.raises(IntegrityError):
        await upsert(world, bad, batch_size=1, **BY_SKU)
    assert {sku: row[1] for sku, row in (await stored(world)).items()} == {"a": 5}


async def test_composite_keys(db: Backend, world: World) -> None:
    """The primary key may be what is unique."""
    await world(Cell.objects.create, row=1, column=1, value="old")
    cells = [Cell(row=1, column=n, value=f"new {n}") for n in (1, 2)]
    result: Any = await world(Cell.objects.bulk_upsert, cells, unique_fields=["pk"])
    assert (result.inserted, result.updated) == ([cells[1]], [cells[0]])
    assert [c.value for c in await world.list(Cell.objects.order_by("column"))] == ["new 1", "new 2"]


@NOT_MARIADB
async def test_constraints_by_name(db: Backend, world: World) -> None:
    """Of several fields, a foreign key among them; with a condition; rows with NULL are never the same."""
    depot = await world(Depot.objects.create, name="d")
    lots = [Lot(depot=depot, number=n, kind=f"k{n}") for n in (1, None, None)]
    lots[2].kind = "other"
    for expected in ([True] * 3, [False, True, True]):
        for lot in lots:
            lot.pk = None
        if not expected[0]:
            lots[1].kind, lots[2].kind = "x", "y"
        result: Any = await world(
            depot.lots.bulk_upsert, lots, constraint="up_lot_number", update_fields=["kind"]
        )
        assert [lot in result.inserted for lot in lots] == expected
    assert await world(Lot.objects.count) == 5
    again = Lot(depot=depot, number=9, kind="x")
    result = await world(Lot.objects.bulk_upsert, [again], constraint="up_lot_open", update_fields=["number"])
    assert result.updated == [again]
    closed = Lot(depot=depot, number=10, kind="x", open=0)
    result = await world(
        Lot.objects.bulk_upsert, [closed], constraint="up_lot_open", update_fields=["number"]
    )
    assert result.inserted == [closed]
    with pytest.raises(NotSupportedError, match="returning=False"):
        await world(Lot.objects.bulk_upsert, [again], constraint="up_lot_open", update_fields=[])


@pytest.mark.backends("mariadb")
async def test_what_mariadb_can_not_say(db: Backend, world: World) -> None:
    """A second unique constraint, and a condition, are refused before anything is written."""
    depot = await world(Depot.objects.create, name="d")
    with pytest.raises(NotSupportedError, match="more than the one that is meant"):
        await world(Article.objects.bulk_upsert, [Article(pk=5, sku="a")], **BY_SKU)
    with pytest.raises(NotSupportedError, match="where="):
        await upsert(world, [Article(sku="a")], where=Q(stock=1), **BY_SKU)
    assert depot.pk


@NOT_MARIADB
async def test_mistakes(db: Backend, world: World) -> None:
    """What is not clear is said before anything is written, with the choices."""
    one = [Article(sku="a")]
    cases: list[tuple[dict[str, Any], type[Exception], str]] = [
        ({}, ValueError, r"unique_fields, or constraint. Unique are: \(id\), \(sku\)"),
        ({"unique_fields": ["stock"]}, ValueError, "needs a unique constraint on stock"),
        ({"unique_fields": ["nope"]}, FieldDoesNotExist, "nope"),
        ({"constraint": "nope"}, ValueError, "no unique constraint named 'nope'. There are: "),
        ({"constraint": "x", **BY_SKU}, ValueError, "not both"),
        ({"update_fields": ["nope"], **BY_SKU}, FieldDoesNotExist, "nope"),
        ({"update_fields": ["id"], **BY_SKU}, ValueError, "primary keys in update_fields"),
        ({"update_fields": {"stock": 5}, **BY_SKU}, TypeError, r"say Value\(5\)"),
        ({"update_fields": {"stock": Proposed("nope")}, **BY_SKU}, FieldError, "nope"),
        ({"batch_size": 0, **BY_SKU}, ValueError, "Batch size"),
    ]
    for options, error, text in cases:
        with pytest.raises(error, match=text):
            await upsert(world, one, **options)
    with pytest.raises(ValueError, match="different keys"):
        await upsert(world, [{"sku": "a"}, {"sku": "b", "stock": 1}], **BY_SKU)
    with pytest.raises(TypeError, match="its instances, or dictionaries"):
        await upsert(world, ["a"], **BY_SKU)
    assert await world(Article.objects.count) == 0
    assert len(await upsert(world, [], **BY_SKU)) == 0


async def test_many_in_batches(db: Backend, world: World) -> None:
    """A generator with progress; results of all batches together."""
    await world(Article.objects.bulk_create, [Article(sku=f"s{n}", stock=n) for n in range(0, 600, 2)])
    seen: list[int] = []
    rows = ({"sku": f"s{n}", "stock": -n} for n in range(600))
    result = await upsert(world, rows, batch_size=250, progress=seen.append, **BY_SKU)
    assert seen == [250, 500, 600]
    assert skus(result.updated) == [f"s{n}" for n in range(0, 600, 2)]
    assert skus(result.inserted) == [f"s{n}" for n in range(1, 600, 2)]
    found = await stored(world)
    assert {one.sku: (one.pk, one.stock) for one in result} == {sku: row[:2] for sku, row in found.items()}


@pytest.mark.worlds("async")
async def test_asynchronous_iterables(db: Backend, world: World) -> None:
    """abulk_upsert() takes them."""

    async def rows() -> AsyncIterator[dict[str, Any]]:
        for n in range(5):
            yield {"sku": f"s{n % 4}", "stock": n}

    result = await Article.objects.abulk_upsert(rows(), batch_size=2, **BY_SKU)
    assert (skus(result.inserted), skus(result.updated)) == (["s0", "s1", "s2", "s3"], ["s0"])


@pytest.mark.worlds("sync")
@NOT_MARIADB
async def test_sessions(db: Backend, world: World) -> None:
    """On a session, its objects follow."""
    Article.objects.create(sku="a", stock=1)
    with Session(databases.get().engine) as session:
        held = Article.objects(session).get(sku="a")
        objects: Any = Article.objects(session)
        result = objects.bulk_upsert([{"sku": "a", "stock": 5}, {"sku": "b", "stock": 6}], **BY_SKU)
        assert skus(result.updated) == ["a"]
        assert held.stock == 5
        session.rollback()
    assert Article.objects.get().stock == 1


@given(
    before=st.dictionaries(st.sampled_from("abcdef"), st.integers(0, 9)),
    given_rows=st.lists(st.tuples(st.sampled_from("abcdefgh"), st.integers(0, 9)), max_size=12),
    size=st.integers(1, 5),
    mode=st.sampled_from(["set", "add", "larger", "nothing"]),
)
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@pytest.mark.worlds("sync")
@pytest.mark.backends("sqlite", "postgresql")
def test_as_one_row_after_the_other(
    db: Backend, before: dict[str, int], given_rows: list[tuple[str, int]], size: int, mode: str
) -> None:
    """An upsert of many leaves the rows, and tells of them, as one upsert after the other would."""
    Article.objects.all().delete()
    Article.objects.bulk_create([Article(sku=sku, stock=stock) for sku, stock in before.items()])
    model, became = dict(before), []
    for sku, stock in given_rows:
        if sku not in model:
            model[sku] = stock
            became.append("inserted")
        elif mode == "set" or (mode == "larger" and stock > model[sku]):
            model[sku] = stock
            became.append("updated")
        elif mode == "add":
            model[sku] += stock
            became.append("updated")
        else:
            became.append("unchanged")
    options: dict[str, Any] = {
        "set": {"update_fields": ["stock"]},
        "add": {"update_fields": {"stock": F("stock") + Proposed("stock")}},
        "larger": {"update_fields": ["stock"], "where": Q(stock__lt=Proposed("stock"))},
        "nothing": {"update_fields": []},
    }[mode]
    objs = [Article(sku=sku, stock=stock) for sku, stock in given_rows]
    result = Article.objects.bulk_upsert(objs, batch_size=size, **BY_SKU, **options)
    for kind in ("inserted", "updated", "unchanged"):
        wanted = [obj for obj, what in zip(objs, became, strict=True) if what == kind]
        assert list(map(id, getattr(result, kind))) == list(map(id, wanted)), kind
    rows = {row.sku: row for row in Article.objects.all()}
    assert {sku: row.stock for sku, row in rows.items()} == model
    assert [obj.pk for obj in objs] == [rows[obj.sku].pk for obj in objs]
