"""Keyset pagination: pages that begin after a row, and not after a number of rows."""

import datetime as dt
import decimal
import random
import uuid
from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine
from sqlalchemy.orm import Session

import ormolu
from ormolu import (
    CASCADE,
    CharField,
    Count,
    DateTimeField,
    DecimalField,
    F,
    FieldError,
    ForeignKey,
    IntegerField,
    InvalidCursor,
    Model,
    UUIDField,
)  # fmt: skip
from ormolu.exceptions import NotSupportedError
from ormolu.query.functions import Lower
from support.backends import Backend
from support.worlds import World


class Stall(Model):
    town = CharField(max_length=20, null=True)

    class Meta:
        ordering = ["-town", "id"]


class Offer(Model):
    stall: Any = ForeignKey(Stall, on_delete=CASCADE, related_name="offers", null=True)
    price = IntegerField(null=True)
    rank = IntegerField(default=0)
    label = CharField(max_length=20, default="")


class Receipt(Model):
    key = UUIDField(default=uuid.uuid4, primary_key=True)
    total = DecimalField(max_digits=8, decimal_places=2)
    issued = DateTimeField()


ORDERS: list[tuple[Any, ...]] = [
    (),
    ("rank",),
    ("-rank", "label"),
    ("rank", "-price"),
    ("-price",),
    ("price", "rank"),
    (F("price").asc(nulls_first=True), "rank"),
    (F("price").asc(nulls_last=True), "-rank"),
    (F("price").desc(nulls_first=True),),
    (F("price").desc(nulls_last=True), "label"),
    ("stall__town", "-rank"),
    ("-stall",),
    ("stall_id", "pk"),
    ("-pk",),
]


@pytest.fixture
def offers(db: Backend) -> Any:
    """Rows many of which are of equal rank, with NULLs, and keys in no order of their own."""
    chance = random.Random(7)
    stalls: list[Any] = [Stall.objects.create(town=town) for town in ("Ulm", None, "Bonn", "Ulm")]
    Offer.objects.bulk_create(
        Offer(
            stall=chance.choice([None, *stalls]),
            price=chance.choice([None, 1, 2, 3]),
            rank=chance.randrange(3),
            label=chance.choice("abA"),
        )
        for _ in range(40)
    )
    return Offer.objects.select_related("stall")


@pytest.mark.parametrize("order", ORDERS, ids=str)
@pytest.mark.parametrize("turned", [False, True], ids=["as it is", "reversed"])
async def test_pages_are_the_whole_in_pieces(offers, world: World, order, turned):
    """Going from page to page, forwards or backwards, meets each row once, in the order of the whole."""
    queryset = offers.order_by(*order)
    queryset = queryset.reverse() if turned else queryset
    whole = await world.list(queryset.after(None))
    assert len(whole) == 40
    forwards: list[Any] = []
    page = await world(queryset.page, 7)
    assert page.previous is None
    while True:
        forwards.extend(page)
        if page.next is None:
            break
        page = await world(queryset.page, 7, after=page.next)
    assert forwards == whole
    backwards = list(page)
    while page.previous is not None:
        page = await world(queryset.page, 7, before=page.previous)
        backwards = [*page, *backwards]
    assert backwards == whole


async def test_rows_after_and_before_are_the_others(offers, world: World):
    """What is neither after a row nor before it is the row itself; before() begins with the nearest."""
    queryset = offers.order_by("price", "-label")
    whole = await world.list(queryset.after(None))
    for place, row in enumerate(whole):
        cursor = queryset.cursor_for(row)
        assert await world.list(queryset.after(cursor)) == whole[place + 1 :]
        assert await world.list(queryset.before(cursor)) == whole[:place][::-1]
        assert await world(queryset.after(cursor).count) == len(whole) - place - 1


async def test_it_asks_no_more_than_a_page_needs(offers, world: World, queries):
    """A page is one SELECT; where all columns go one way and none is NULL, rows are compared as wholes."""
    queryset = Offer.objects.order_by("-rank")
    first = await world(queryset.page, 5)
    queries.clear()
    await world(queryset.page, 5, after=first.next)
    await world(queryset.page, 5, after=queryset.cursor_for(first.items[2]))
    assert len(queries) == 2
    assert queries[0].sql == queries[1].sql
    rows_compared = ") < (" in queries[0].sql
    assert rows_compared == (ormolu.databases.get().vendor != "mysql")


async def test_values_and_groups_have_cursors_too(offers, world: World):
    """Dicts, tuples and groups are paged like objects: groups by what they are grouped by."""
    tuples = Offer.objects.order_by("rank").values_list("label", "rank", "pk")
    whole = await world.list(tuples.after(None))
    assert await world.list(tuples.after(tuples.cursor_for(whole[11]))) == whole[12:]
    groups = Offer.objects.values("label", "rank").annotate(n=Count("pk")).order_by("-n")
    found = await world.list(groups.after(None))
    assert sum(row["n"] for row in found) == 40
    for place, row in enumerate(found):
        assert await world.list(groups.after(groups.cursor_for(row))) == found[place + 1 :]
    labels = Offer.objects.order_by("label").values_list("label", flat=True).distinct()
    first = (await world.list(labels.after(None)))[0]
    assert len(await world.list(labels.after(labels.cursor_for(first)))) == await world(labels.count) - 1
    with pytest.raises(FieldError, match="'rank', which is not among label"):
        Offer.objects.order_by("rank").values("label").cursor_for({"label": "a"})


async def test_values_keep_their_type_in_a_cursor(db: Backend, world: World):
    """Times, decimals and UUIDs come back as what they were."""
    start = dt.datetime(2024, 2, 28, 23, 59, 59, 123456, dt.UTC)
    rows = [
        await world(
            Receipt.objects.create,
            total=decimal.Decimal(n % 3) / 10,
            issued=start + dt.timedelta(hours=n // 2),
        )
        for n in range(9)
    ]
    for order in (("total",), ("-issued",), ("-total", "issued"), ()):
        queryset = Receipt.objects.order_by(*order)
        whole = await world.list(queryset.after(None))
        assert sorted(r.pk for r in whole) == sorted(r.pk for r in rows)
        assert [await world.list(queryset.after(queryset.cursor_for(r))) for r in whole] == [
            whole[n + 1 :] for n in range(9)
        ]


@pytest.mark.parametrize(
    "refine",
    [
        lambda q: q.order_by("stall__town", "rank"),
        lambda q: q.order_by("-stall", "rank").only("label"),
        lambda q: q.only("label").order_by("-price", "rank"),
        lambda q: q.defer("price").order_by("price"),
        lambda q: q.alias(low=Lower("label")).order_by("-low", "rank"),
        lambda q: q.alias(n=Count("stall__offers")).order_by("n", "stall__town"),
        lambda q: q.distinct().order_by("stall__town"),
    ],
)
async def test_a_page_brings_what_its_cursors_need(offers, world: World, queries, refine):
    """Values of related rows, of deferred columns and of alias() come with the page, and nothing is left behind."""
    queryset = refine(Offer.objects.all())
    whole = await world.list(queryset.after(None))
    found: list[Any] = []
    page = await world(queryset.page, 11)
    while True:
        found.extend(page)
        if page.next is None:
            break
        queries.clear()
        page = await world(queryset.page, 11, after=page.next)
        assert len(queries) == 1
    assert found == whole
    assert not any(name.startswith("_cursor") for one in found for name in vars(one))
    queries.clear()
    before = await world(queryset.page, 11, before=page.previous)
    assert list(before) == whole[22:33]
    assert len(queries) == 1


def test_rows_that_no_key_tells_apart_are_refused(offers):
    """A value of many related rows makes several rows of one object; as an annotation it can be ordered by."""
    rows = Stall.objects.order_by("town").values("id", "town", "offers__rank")
    with pytest.raises(FieldError, match="'offers__rank'"):
        rows.page(2)
    with pytest.raises(FieldError, match="name it by annotate"):
        queryset = Offer.objects.alias(low=Lower("label")).order_by("low")
        queryset.cursor_for(queryset[0])


async def test_an_annotation_is_an_order_and_an_expression_is_not(offers, world: World):
    """A row has the value of an annotation; that of an expression in order_by() nobody knows."""
    named = Offer.objects.annotate(low=Lower("label")).order_by("low")
    whole = await world.list(named.after(None))
    assert await world.list(named.after(named.cursor_for(whole[20]))) == whole[21:]
    for item in (Lower("label"), "?", "label__length", "-stall__offers__rank"):
        with pytest.raises(FieldError):
            Offer.objects.order_by(item).after(None)
    with pytest.raises(FieldError, match="annotate"):
        Offer.objects.order_by(Lower("label")).after(None)


def test_a_cursor_belongs_to_its_order(offers):
    """Another order, another model, a text that is no cursor and one that was tampered with are refused."""
    first = offers.order_by("rank").first()
    cursor = offers.order_by("rank").cursor_for(first)
    assert cursor.isascii()
    assert cursor.replace("-", "").replace("_", "").isalnum()
    assert offers.order_by(F("rank").asc(), "pk").after(cursor).exists()
    for other in (offers.order_by("-rank"), offers.order_by("rank", "label"), Stall.objects.order_by("town")):
        with pytest.raises(InvalidCursor, match="another ordering"):
            other.after(cursor)
    for text in ("", "x", "***", "bm8", "W10", "ünd", cursor[:-3], cursor + "AAAA"):
        with pytest.raises(InvalidCursor):
            offers.order_by("rank").after(text)
    from ormolu.query.keyset import encoded, order_of

    for bad in ("no number", "1; DROP TABLE offer"):
        made = encoded(order_of(offers.order_by("rank")), Offer, [bad, 1])
        with pytest.raises(InvalidCursor, match="can't have"):
            offers.order_by("rank").after(made)


def test_what_cannot_be_paged_is_refused(offers):
    """A slice has its place already; a page has rows, and one cursor."""
    with pytest.raises(TypeError, match="slice"):
        offers[:3].after(None)
    with pytest.raises(TypeError, match="not both"):
        offers.page(3, after="a", before="b")
    with pytest.raises(ValueError, match="one row at least"):
        offers.page(0)
    empty = offers.none().page(3)
    assert (list(empty), len(empty), empty.next, empty.previous) == ([], 0, None, None)


def test_managers_page_as_well(offers):
    """A manager passes the methods on."""
    page = Offer.objects.page(3)
    assert page.next == Offer.objects.cursor_for(page.items[-1])
    assert list(Offer.objects.after(page.next)[:3]) == Offer.objects.page(3, after=page.next).items
    assert list(Offer.objects.before(page.next))[::-1] == page.items[:-1]


def test_a_session_pages_its_own_objects(offers):
    """A queryset bound to a session gives pages of the session's objects."""
    with Session(ormolu.databases.get().engine) as session:
        page = Offer.objects(session).order_by("rank").page(3)
        assert all(offer in session for offer in page)
        rest = Offer.objects(session).order_by("rank").page(50, after=page.next)
        assert len(rest) == 37
        with pytest.raises(NotSupportedError, match="session"):
            Offer.objects(session).all().returning()


@pytest.mark.backends("asyncpg")
@pytest.mark.worlds("async")
async def test_an_async_session_pages(offers, world: World):
    """The asynchronous face of a session awaits its pages."""
    engine = create_async_engine(ormolu.databases.get().engine.url.set(drivername="postgresql+asyncpg"))
    async with AsyncSession(engine) as session:
        page = await Offer.objects(session).order_by("rank").page(3)
        assert [offer.pk for offer in page] == [o.pk async for o in Offer.objects.order_by("rank", "pk")[:3]]
    await engine.dispose()
