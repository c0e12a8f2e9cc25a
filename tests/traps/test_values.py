"""Values: what goes in comes out, and compares as what it is, not as its text."""

import datetime
from decimal import Decimal
from typing import Any

import pytest

from ormolu import Sum
from traps.museum import Counter, Style, Ticket, names

MODELS = [Ticket, Style, Counter]

EAST = datetime.timezone(datetime.timedelta(hours=2))
TEN = datetime.datetime(2024, 5, 1, 10, tzinfo=datetime.UTC)
NINE = datetime.datetime(2024, 5, 1, 11, tzinfo=EAST)


async def codes(world: Any, queryset: Any) -> list[str]:
    return [ticket.code for ticket in await world.list(queryset)]


async def test_aware_datetimes_compare_as_instants(db: Any, world: Any) -> None:
    """Datetimes of several time zones are ordered, compared and found by instant (E34)."""
    await world(
        Ticket.objects.bulk_create, [Ticket(code="ten", sold_at=TEN), Ticket(code="nine", sold_at=NINE)]
    )
    tickets = Ticket.objects.order_by("sold_at")
    assert await codes(world, tickets) == ["nine", "ten"]
    half_past_nine = datetime.datetime(2024, 5, 1, 11, 30, tzinfo=EAST)
    assert await codes(world, tickets.filter(sold_at__gte=half_past_nine)) == ["ten"]
    assert await codes(world, tickets.filter(sold_at=TEN.astimezone(EAST))) == ["ten"]
    assert await codes(world, tickets.filter(sold_at__range=(NINE, half_past_nine))) == ["nine"]
    assert await codes(world, tickets.filter(sold_at__in=[NINE.astimezone(datetime.UTC)])) == ["nine"]
    nine = await world(Ticket.objects.get, code="nine")
    assert nine.sold_at == NINE
    assert nine.sold_at.tzinfo is not None
    assert await world(tickets.filter(code="nine").values_list("sold_at", flat=True).get) == NINE


async def test_parts_of_a_datetime(db: Any, world: Any) -> None:
    """The parts of a datetime are those of the current time zone, and fractions don't disturb (E34, E49)."""
    late = datetime.datetime(2023, 12, 31, 23, 30, 0, 5, tzinfo=datetime.UTC)
    await world(
        Ticket.objects.bulk_create, [Ticket(code="late", sold_at=late), Ticket(code="ten", sold_at=TEN)]
    )
    assert await codes(world, Ticket.objects.filter(sold_at__year=2024)) == ["ten"]
    assert await codes(world, Ticket.objects.filter(sold_at__date=datetime.date(2023, 12, 31))) == ["late"]
    assert await codes(world, Ticket.objects.filter(sold_at__month__gte=6)) == ["late"]
    assert await codes(
        world, Ticket.objects.filter(sold_at__lt=late + datetime.timedelta(microseconds=1))
    ) == ["late"]
    assert (
        await codes(world, Ticket.objects.filter(sold_at__lte=late - datetime.timedelta(microseconds=1)))
        == []
    )


async def test_decimals_are_exact(db: Any, world: Any) -> None:
    """A Decimal comes back with every digit, from instances, values and sums (E35)."""
    long = Decimal("12345678901234567.89")
    await world(Ticket.objects.create, code="long", price=long)
    ticket = await world(Ticket.objects.get, price=long)
    assert ticket.price == long
    assert isinstance(ticket.price, Decimal)
    assert await world.list(Ticket.objects.values_list("price", flat=True)) == [long]
    await world(Ticket.objects.all().delete)
    await world(Ticket.objects.create, code="a", price=Decimal("0.10"))
    await world(Ticket.objects.create, code="b", price=Decimal("0.20"))
    total = (await world(Ticket.objects.aggregate, total=Sum("price")))["total"]
    assert isinstance(total, Decimal)
    assert total == Decimal("0.30")
    prices = await world.list(Ticket.objects.order_by("price").values_list("price", flat=True))
    assert prices == [Decimal("0.10"), Decimal("0.20")]
    assert all(isinstance(price, Decimal) for price in prices)
    await world(Ticket.objects.create, code="c", price=9)
    await world(Ticket.objects.create, code="d", price=10)
    assert await codes(world, Ticket.objects.filter(price__gt=5).order_by("price")) == ["c", "d"]


async def test_json_comes_back_as_it_went_in(db: Any, world: Any) -> None:
    """What comes back from JSON is the Python value, also for a text, and from values_list() too (E36)."""
    given = {"dict": {"k": 1, "l": [5, 6], "n": None}, "list": [1, "a"], "number": 5, "str": "str"}
    for code, data in given.items():
        await world(Ticket.objects.create, code=code, data=data)
    tickets = Ticket.objects.order_by("code")
    assert {ticket.code: ticket.data for ticket in await world.list(tickets)} == given
    assert await world.list(tickets.values_list("data", flat=True)) == list(given.values())
    assert await codes(world, tickets.filter(data="str")) == ["str"]
    assert await codes(world, tickets.filter(data=given["dict"])) == ["dict"]


async def test_json_is_looked_into(db: Any, world: Any) -> None:
    """Keys, indexes and has_key look into JSON (E36)."""
    await world(Ticket.objects.create, code="dict", data={"k": 1, "l": [5, 6], "n": None})
    await world(Ticket.objects.create, code="str", data="str")
    tickets = Ticket.objects.order_by("code")
    assert await codes(world, tickets.filter(data__k=1)) == ["dict"]
    assert await codes(world, tickets.filter(data__l__0=5)) == ["dict"]
    assert await codes(world, tickets.filter(data__has_key="k")) == ["dict"]
    assert await codes(world, tickets.filter(data__n=None)) == ["dict"]


# On MariaDB a column's collation says which letters are the same; by default á is a there, and case does not count.
@pytest.mark.backends("sqlite", "postgresql", "asyncpg")
async def test_letters_of_every_alphabet(db: Any, world: Any) -> None:
    """icontains folds every alphabet's case, contains minds it, on each database (E54)."""
    await world(Style.objects.bulk_create, [Style(name="ÁÉ"), Style(name="áé"), Style(name="AE")])
    assert await names(world, Style.objects.filter(name__icontains="áé")) == ["ÁÉ", "áé"]
    assert await names(world, Style.objects.filter(name__contains="á")) == ["áé"]
    assert await names(world, Style.objects.filter(name__contains="a")) == []
    assert await names(world, Style.objects.filter(name__icontains="a")) == ["AE"]
    assert await names(world, Style.objects.filter(name__startswith="A")) == ["AE"]
    assert await names(world, Style.objects.filter(name__iexact="áÉ")) == ["ÁÉ", "áé"]


async def test_regular_expressions(db: Any, world: Any) -> None:
    """regex and iregex search with the database's expressions (E49)."""
    await world(Style.objects.bulk_create, [Style(name="Cubism"), Style(name="Pop 60")])
    assert await names(world, Style.objects.filter(name__regex=r"^C.*m$")) == ["Cubism"]
    assert await names(world, Style.objects.filter(name__regex=r"^c")) == []
    assert await names(world, Style.objects.filter(name__iregex=r"^c|\d")) == ["Cubism", "Pop 60"]


@pytest.mark.parametrize(
    "text", ["10%s off", "100%", "a_b", r"back\slash", "quote'd", "%(name)s", "%%", ":x", "?", "$1"]
)
async def test_signs_of_sql_are_plain_text(db: Any, world: Any, text: str) -> None:
    """Percent signs, underscores, quotes and parameter marks in values are themselves (E48)."""
    await world(Style.objects.bulk_create, [Style(name=text), Style(name="other")])
    for lookup in ("exact", "iexact", "contains", "icontains", "startswith", "endswith"):
        assert await names(world, Style.objects.filter(**{f"name__{lookup}": text})) == [text], lookup


async def test_percent_signs_in_raw_conditions(db: Any, world: Any) -> None:
    """A percent sign in SQL that the user wrote is itself, with parameters and without (E48)."""
    import sqlalchemy as sa

    await world(Style.objects.bulk_create, [Style(name="10%s off"), Style(name="abc")])
    assert await names(world, Style.objects.filter(sa.text("name LIKE 'a%'"))) == ["abc"]
    assert await names(world, Style.objects.filter(sa.text("name = '10%s off'"))) == ["10%s off"]
    assert await names(world, Style.objects.filter(sa.text("name LIKE 'a%'"), name="abc")) == ["abc"]
    assert await names(world, Style.objects.filter(Style.name.like("a%"))) == ["abc"]
