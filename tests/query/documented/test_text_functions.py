"""Functions of text, as Django's reference of database functions describes them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Any

import pytest

from ormolu import CharField, F, IntegerField, Model, TextField, Value
from ormolu.query import functions as f
from support.backends import Backend
from support.worlds import World


class Poet(Model):
    name = CharField(max_length=50)
    alias = CharField(max_length=50, null=True)
    bio = TextField(null=True)
    number = IntegerField(null=True)


async def of(world: World, expression: Any, **values: Any) -> Any:
    """Return an expression's value for a poet."""
    await world(Poet.objects.create, **{"name": "Anna Ahlund", "alias": "Ann", "number": 3, **values})
    return await world(Poet.objects.annotate(result=expression).values_list("result", flat=True).get)


def digest(name: str) -> str:
    return hashlib.new(name, b"Anna Ahlund").hexdigest()


VALUES = [
    (f.Chr(Value(ord("å"))), "å"),
    (f.Chr(F("number") + 62), "A"),
    (f.Concat("name", Value(" ("), "alias", Value(")"), output_field=CharField()), "Anna Ahlund (Ann)"),
    (f.Concat("alias", "bio", Value("!"), output_field=TextField()), "Ann!"),
    (f.Concat("bio", "bio"), ""),
    (f.Concat(f.Upper("alias"), f.Lower("name"), "name"), "ANNanna ahlundAnna Ahlund"),
    (f.Left("name", 1), "A"),
    (f.Left("name", 99), "Anna Ahlund"),
    (f.Left("name", F("number")), "Ann"),
    (f.Left("bio", 2), None),
    (f.Length("name"), 11),
    (f.Length(Value("åäö")), 3),
    (f.Length("bio"), None),
    (f.Lower("name"), "anna ahlund"),
    (f.Lower(Value("ABC")), "abc"),
    (f.LPad("alias", 8, Value("xyz")), "xyzxyAnn"),
    (f.LPad("alias", 8), "     Ann"),
    (f.LPad("alias", 2, Value("xyz")), "An"),
    (f.LPad("alias", 0), ""),
    (f.LPad("alias", f.Length("name"), Value("-")), "--------Ann"),
    (f.LPad("bio", 3), None),
    (f.RPad("alias", 8, Value("xyz")), "Annxyzxy"),
    (f.RPad("alias", 2, Value("xyz")), "An"),
    (f.RPad("bio", 3), None),
    (f.LTrim(Value("  a b  ")), "a b  "),
    (f.RTrim(Value("  a b  ")), "  a b"),
    (f.Trim(Value("  a b  ")), "a b"),
    (f.MD5("name"), digest("md5")),
    (f.SHA224("name"), digest("sha224")),
    (f.SHA256("name"), digest("sha256")),
    (f.SHA384("name"), digest("sha384")),
    (f.SHA512("name"), digest("sha512")),
    (f.MD5("bio"), None),
    (f.Ord("name"), 65),
    (f.Ord("bio"), None),
    (f.Repeat("alias", 3), "AnnAnnAnn"),
    (f.Repeat("alias", F("number")), "AnnAnnAnn"),
    (f.Repeat("alias", 0), ""),
    (f.Repeat("alias", None), None),
    (f.Repeat("bio", 2), None),
    (f.Replace("name", Value("n"), Value("mm")), "Ammmma Ahlummd"),
    (f.Replace("name", Value("A")), "nna hlund"),
    (f.Replace("name", Value("q"), Value("x")), "Anna Ahlund"),
    (f.Replace(f.Lower("name"), F("alias"), Value("x")), "anna ahlund"),
    (f.Reverse("name"), "dnulhA annA"),
    (f.Reverse(f.Lower(Value("åB"))), "bå"),
    (f.Right("name", 1), "d"),
    (f.Right("name", 99), "Anna Ahlund"),
    (f.Right("name", F("number")), "und"),
    (f.StrIndex("name", Value("Ahl")), 6),
    (f.StrIndex("name", "alias"), 1),
    (f.StrIndex("name", Value("zzz")), 0),
    (f.StrIndex("bio", Value("a")), None),
    (f.Substr("name", 6), "Ahlund"),
    (f.Substr("name", 1, 4), "Anna"),
    (f.Substr("name", f.StrIndex("name", Value(" ")) + 1, "number"), "Ahl"),
    (f.Upper("name"), "ANNA AHLUND"),
    (f.Upper(f.Left("name", f.Length("alias"))), "ANN"),
    (F("name")[0], "A"),
    (F("name")[:4], "Anna"),
    (F("name")[5:], "Ahlund"),
    (F("name")[5:][:3], "Ahl"),
    (F("name")[2:2], ""),
    (f.Upper(F("name")[1:3]), "NN"),
]  # fmt: skip


@pytest.mark.parametrize(("expression", "expected"), VALUES, ids=lambda value: str(value)[:40])
async def test_values(db: Backend, world: World, expression: Any, expected: Any) -> None:
    """A function's value, with plain values, columns and other functions for its arguments."""
    assert await of(world, expression) == expected


async def test_updates(db: Backend, world: World) -> None:
    """Functions give new values to columns."""
    for name in ("Anna Ahlund", "Bo Anna"):
        await world(Poet.objects.create, name=name)
    poets = Poet.objects.order_by("pk")

    async def updated(**values: Any) -> list[Any]:
        assert await world(poets.order_by().update, **values) == 2
        return await world.list(poets.values_list(next(iter(values)), flat=True))

    assert await updated(alias=f.Lower(f.Substr("name", 1, 4))) == ["anna", "bo a"]
    assert await updated(name=f.Replace("name", Value("Anna"), Value("Anne"))) == ["Anne Ahlund", "Bo Anne"]
    assert await updated(alias=f.Repeat("alias", 2)) == ["annaanna", "bo abo a"]
    assert await updated(alias=f.LPad("alias", 10, Value("*"))) == ["**annaanna", "**bo abo a"]
    assert await updated(alias=f.Concat(Value(" "), "name", Value(" "))) == [" Anne Ahlund ", " Bo Anne "]
    assert await updated(alias=f.Trim("alias")) == ["Anne Ahlund", "Bo Anne"]
    assert await updated(name=F("name")[:2]) == ["An", "Bo"]


@pytest.fixture
def transforms() -> Iterator[None]:
    """All functions of one text as transforms."""
    known = (f.Length, f.Lower, f.Upper, f.Reverse, f.Trim, f.LTrim, f.RTrim, f.MD5, f.SHA256, f.Ord)
    for transform in known:
        CharField.register_lookup(transform)
    IntegerField.register_lookup(f.Chr)
    yield
    for transform in known:
        CharField.unregister_lookup(transform)
    IntegerField.unregister_lookup(f.Chr)


@pytest.mark.usefixtures("transforms")
async def test_transforms(db: Backend, world: World) -> None:
    """A function that is registered with a field stands in keywords, values(), order_by() and F()."""
    for name, alias in (("Anna", "arnt"), ("Bo", "oB"), (" Cy ", "cy")):
        await world(Poet.objects.create, name=name, alias=alias, number=ord(name[0]))

    async def found(*conditions: Any, **lookups: Any) -> list[str]:
        return await world.list(
            Poet.objects.filter(*conditions, **lookups).order_by("pk").values_list("name", flat=True)
        )

    assert await found(name__length__gt=2) == ["Anna", " Cy "]
    assert await found(name__length=F("alias__length")) == ["Anna", "Bo"]
    assert await found(name__lower="bo") == ["Bo"]
    assert await found(alias__reverse=F("name")) == ["Bo"]
    assert await found(name__trim__lower="cy") == [" Cy "]
    assert await found(name__trim__length__lt=3) == ["Bo", " Cy "]
    assert await found(name__lower__in=["anna", "x"]) == ["Anna"]
    assert await found(name__upper__startswith="BO") == ["Bo"]
    assert await found(name__ord=66) == ["Bo"]
    assert await found(number__chr="A") == ["Anna"]
    assert await found(name__startswith=f.Chr(66)) == ["Bo"]
    assert await found(name__md5=hashlib.md5(b"Bo").hexdigest()) == ["Bo"]
    by_length = Poet.objects.order_by("-name__length", "alias__lower")
    assert await world.list(by_length.values_list("alias", "name__length")) == [
        ("arnt", 4), ("cy", 4), ("oB", 2),
    ]  # fmt: skip


async def test_search_by_position(db: Backend, world: World) -> None:
    """StrIndex finds texts that hold another."""
    for name in ("Anna Ahlund", "Ahlund, Anna", "Bo Berg"):
        await world(Poet.objects.create, name=name)
    poets = Poet.objects.annotate(place=f.StrIndex("name", Value("Ahlund")))
    assert (await world(poets.get, name="Bo Berg")).place == 0
    assert await world.list(poets.filter(place__gt=0).order_by("place").values_list("name", "place")) == [
        ("Ahlund, Anna", 1), ("Anna Ahlund", 6),
    ]  # fmt: skip


async def test_collations(db: Backend, world: World) -> None:
    """A collation decides what is equal, and the order."""
    folding = {"sqlite": "nocase", "mysql": "utf8mb4_general_ci"}.get(db.vendor)
    exact = {"sqlite": "binary", "mysql": "utf8mb4_bin", "postgresql": "C"}[db.vendor]
    for name in ("john", "John", "Zoe", "anna"):
        await world(Poet.objects.create, name=name)
    if folding is not None:
        same = Poet.objects.filter(name=f.Collate(Value("john"), folding))
        assert await world(same.count) == 2
    ordered = Poet.objects.order_by(f.Collate("name", exact))
    assert [poet.name for poet in await world.list(ordered)] == ["John", "Zoe", "anna", "john"]
    assert [poet.name for poet in await world.list(ordered.reverse())] == ["john", "anna", "Zoe", "John"]
