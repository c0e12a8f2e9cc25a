"""What databases do in ways of their own, and the library hides."""

import datetime as dt
import json
import uuid
from decimal import Decimal
from typing import Any

import pytest

from ormolu import (
    ArrayField,
    CharField,
    DateTimeField,
    DecimalField,
    Exists,
    F,
    GenericIPAddressField,
    IntegerField,
    Model,
    OuterRef,
    Q,
    Subquery,
    TextChoices,
    TimeField,
    UUIDField,
    Value,
    atomic,
    databases,
)
from ormolu.exceptions import DataError, IntegrityError
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


async def test_an_address_of_version_4_in_one_of_6(db: Backend, world: World):
    """It is read as it was written, with points."""
    host = await world(Host.objects.create, address="::FFFF:0a00:1")
    await world(host.full_clean)
    await world(host.save)
    assert host.address == "::ffff:10.0.0.1"
    assert (await world(Host.objects.get)).address == "::ffff:10.0.0.1"


class Opened(Model):
    at = TimeField()


@pytest.mark.backends("sqlite")
async def test_times_have_no_zone(db: Backend, world: World):
    """A text with an offset would not be compared as a time."""
    with pytest.raises(ValueError, match="does not support timezone-aware times"):
        await world(Opened.objects.create, at=dt.time(1, 2, tzinfo=dt.UTC))


class Word(Model):
    text = CharField(max_length=300, db_index=True)
    other = CharField(max_length=20, default="")
    at = DateTimeField(null=True)
    price = DecimalField(max_digits=8, decimal_places=3, null=True)
    code = UUIDField(null=True)


async def words(world: World, condition: Any) -> list[str]:
    """Return the texts that a condition finds."""
    return await world.list(Word.objects.filter(condition).order_by("text").values_list("text", flat=True))


async def test_case_counts_where_django_says_so(db: Backend, world: World):
    """Also on MariaDB, where comparisons go by the collation of a column, and the usual one ignores case."""
    await world(Word.objects.bulk_create, [Word(text="Abc9", other="B"), Word(text="xyz", other="Y")])
    for lookup, found in (("contains", "b"), ("startswith", "A"), ("endswith", "c9"), ("regex", "^A.*c")):
        assert await words(world, Q(**{f"text__{lookup}": found})) == ["Abc9"]
        assert await words(world, Q(**{f"text__{lookup}": found.swapcase()})) == []
        assert await words(world, Q(**{f"text__i{lookup}": found.swapcase()})) == ["Abc9"]
    assert await words(world, Q(text__contains=F("other"))) == []
    assert await words(world, Q(text__icontains=F("other"))) == ["Abc9", "xyz"]
    assert await words(world, Q(text__iexact="aBC9")) == ["Abc9"]


@pytest.mark.backends("sqlite", "postgresql")  # MariaDB's usual collation takes Ä for A
async def test_case_is_folded_in_all_alphabets_whatever_was_asked_before(db: Backend, world: World):
    """SQLite's LIKE folds ASCII alone: a query for other letters is another one, not the plan of one for ASCII."""
    await world(Word.objects.bulk_create, [Word(text="ÄÖX"), Word(text="äöy"), Word(text="ax")])
    for order in ("ascii first", "others first", "ascii again"):
        found = {"a": ["ax"], "x": ["ax", "ÄÖX"], "ä": ["ÄÖX", "äöy"], "Öx": ["ÄÖX"]}
        for part in reversed(found) if order == "others first" else found:
            assert sorted(await words(world, Q(text__icontains=part))) == found[part], (order, part)
        assert sorted(await words(world, Q(text__iexact="ÄöX"))) == ["ÄÖX"]
        assert await words(world, Q(text__iexact="AX")) == ["ax"]
        assert sorted(await words(world, Q(text__istartswith=Part.LETTER))) == ["ÄÖX", "äöy"]
        assert await words(world, Q(text__istartswith=Part.ASCII)) == ["ax"]


class Part(TextChoices):
    """Texts of a class of their own."""

    ASCII = "a"
    LETTER = "Ä"


async def test_classes_of_characters_keep_their_case(db: Backend, world: World):
    """`\\D` in iregex is no `\\d`."""
    await world(Word.objects.bulk_create, [Word(text="A1"), Word(text="AB")])
    assert await words(world, Q(text__iregex=r"^a\D$")) == ["AB"]


async def test_long_lists_of_any_values(db: Backend, world: World):
    """Texts, moments, decimals and UUIDs are found in lists of many values, however long each is."""
    at, code = dt.datetime(2026, 5, 1, 12, 30, 15, 123456, dt.UTC), uuid.uuid4()
    long = "x" * 300
    await world(Word.objects.create, text=long, at=at, price=Decimal("1.005"), code=code)
    await world(Word.objects.create, text="other", at=at + dt.timedelta(1), price=2, code=uuid.uuid4())
    many = range(600)
    for name, values in (
        ("text", [long, *(f"t{n}" for n in many)]),
        ("at", [at, *(at - dt.timedelta(seconds=n) for n in many)]),
        ("price", [Decimal("1.005"), *(Decimal(n + 10) for n in many)]),
        ("code", [code, *(uuid.uuid4() for _ in many)]),
    ):
        assert await words(world, Q(**{f"{name}__in": values})) == [long], name
        assert await words(world, ~Q(**{f"{name}__in": values})) == ["other"], name


async def test_a_slice_in_a_subquery(db: Backend, world: World):
    """The rows of a slice are found, left out, changed and deleted, also where IN takes no LIMIT."""
    await world(Word.objects.bulk_create, [Word(text=text) for text in "abcd"])
    first = Word.objects.order_by("text").values("pk")[:2]
    assert await words(world, Q(pk__in=first)) == ["a", "b"]
    assert await words(world, ~Q(pk__in=first[1:])) == ["a", "c", "d"]
    assert await world(Word.objects.filter(pk__in=first).update, other="x") == 2
    assert await words(world, Q(other="x")) == ["a", "b"]
    assert (await world(Word.objects.filter(pk__in=first).delete))[0] == 2
    assert await words(world, Q()) == ["c", "d"]


async def test_where_nulls_stand(db: Backend, world: World):
    """nulls_first and nulls_last hold where the database has no words for them, with expressions, too."""
    made = [Word(text=text, price=price) for text, price in (("a", 2), ("b", None), ("c", 1))]
    await world(Word.objects.bulk_create, made)
    more = F("price") + Value(1)
    for order, expected in (
        (F("price").asc(nulls_first=True), "bca"),
        (F("price").asc(nulls_last=True), "cab"),
        (F("price").desc(nulls_first=True), "bac"),
        (F("price").desc(nulls_last=True), "acb"),
        (more.asc(nulls_last=True), "cab"),
        (more.desc(nulls_first=True), "bac"),
    ):
        found = Word.objects.annotate(more=more).order_by(order).values_list("text", flat=True)
        assert "".join(await world.list(found)) == expected


async def test_a_table_is_changed_by_what_it_holds(db: Backend, world: World):
    """UPDATE and DELETE may ask the table that they change."""
    await world(Word.objects.bulk_create, [Word(text=text, other=text) for text in "abc"])
    last = Word.objects.order_by("-text").values("text")[:1]
    twins = Word.objects.filter(other=OuterRef("text")).values("other")
    assert await world(Word.objects.filter(text=last).update, other=Subquery(twins[:1])) == 1
    assert await world(Word.objects.filter(Exists(twins.filter(text__lt="c"))).update, other="z") == 2
    assert await world(Word.objects.filter(pk__in=Word.objects.filter(other="z")).delete) == (
        2,
        {Word._meta.label: 2},
    )


@pytest.mark.backends("sqlite", "postgresql", "asyncpg", "mariadb")
@pytest.mark.parametrize("first", ["text", "stream", "bulk_create"])
async def test_what_comes_first_knows_the_database(db: Backend, world: World, first: str):
    """Nothing goes wrong where SQL was made before the first connection told which server it is."""
    await world(Word.objects.bulk_create, [Word(text="a")])
    await world(databases.close_all)
    if first == "text":
        assert "SELECT" in str(Word.objects.filter(text__regex="a").query)
    elif first == "stream":
        rows = Word.objects.filter(text__regex="a")
        assert [word.text async for word in world.iterator(rows)] == ["a"]
    made = [Word(text="b"), Word(text="c")]
    await world(Word.objects.bulk_create, made)
    assert None not in {word.pk for word in made}


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


MANY = [Decimal(number).scaleb(-5) for number in range(1, 600)]


async def test_a_decimal_is_compared_as_it_is(db: Backend, world: World):
    """A number with more places than the column, or too large for it, is neither rounded nor an error."""
    for text, price in (("a", "10.5"), ("b", "20"), ("c", "0.99")):
        await world(Word.objects.create, text=text, price=Decimal(price))
    more, huge = Decimal("10.5001"), Decimal(10**12)
    for condition, expected in (
        (Q(price__lt=more), ["a", "c"]),
        (Q(price__lte=Decimal("10.4999")), ["c"]),
        (Q(price=more), []),
        (Q(price__in=[more, Decimal("20")]), ["b"]),
        (Q(price__in=[more, *MANY]), []),
        (Q(price__in=[Decimal("10.5"), *MANY]), ["a"]),
        (Q(price__range=(more, huge)), ["b"]),
        (Q(price__lt=huge), ["a", "b", "c"]),
        (Q(price__gt=huge), []),
        (Q(price__lt=F("price") + Decimal("0.0001")), ["a", "b", "c"]),
    ):
        assert await words(world, condition) == expected, condition


async def test_a_text_is_compared_as_it_is(db: Backend, world: World):
    """A text that is longer than the column is not cut off, in a list of any length."""
    await world(Word.objects.create, text="a", other="x" * 20)
    for others in (["x" * 21], ["x" * 21, *(f"{number}" * 21 for number in range(600))]):
        assert await words(world, Q(other__in=others)) == []
        assert await words(world, Q(other__in=[*others, "x" * 20])) == ["a"]


class Ruler(Model):
    marks = ArrayField(CharField(max_length=3), default=list)
    widths = ArrayField(DecimalField(max_digits=5, decimal_places=1), default=list)


@pytest.mark.backends("postgresql", "asyncpg")
async def test_items_of_arrays_are_as_they_are(db: Backend, world: World):
    """Items are neither cut off nor rounded where they are compared; items that are too long are not stored."""
    await world(Ruler.objects.create, marks=["abc"], widths=[Decimal("1.5")])
    for lookups in (
        {"marks": ["abcd"]},
        {"marks__contains": ["abcd"]},
        {"marks__overlap": ["abcd", "x"]},
        {"marks__in": [["abcd"]]},
        {"widths__contains": [Decimal("1.52")]},
        {"widths__0__gte": Decimal("1.52")},
    ):
        assert await world(Ruler.objects.filter(**lookups).count) == 0, lookups
    for shelves in ([Ruler(marks=["abcd"])], [Ruler(marks=["abcd"]) for _ in range(600)]):
        with pytest.raises(DataError):
            await world(Ruler.objects.bulk_create, shelves)
    assert await world(Ruler.objects.filter(marks__contains=["abc"], widths__0=Decimal("1.5")).count) == 1
