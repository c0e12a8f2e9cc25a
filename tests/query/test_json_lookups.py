"""Lookups of JSON: keys, has_key and its kin, contains, NULL and null."""

from typing import Any

import pytest

from ormolu import Count, F, IntegerField, JSONField, Model, Q, Sum, Value, databases
from ormolu.exceptions import NotSupportedError
from ormolu.query.functions import Cast
from ormolu.query.json_lookups import KT, HasKey, KeyTextTransform, KeyTransform
from support.backends import Backend


class Document(Model):
    number = IntegerField()
    data: Any = JSONField(null=True)


DATA: list[Any] = [
    None,
    [],
    {},
    {"a": "b", "c": 14},
    {
        "a": "b",
        "c": 14,
        "d": ["e", {"f": "g"}],
        "h": True,
        "i": False,
        "j": None,
        "k": {"l": "m"},
        "o": '"q"',
        "p": 4.2,
    },
    [1, [2]],
    {"foo": "bar", "bax": {"foo": "bar"}, "bar": ["foo", "bar"]},
    {"key with 'quote' and \\": 1, "dot.dot": 2, "é": 3, "{}": 4, "%s": 5, "12": 6},
]


def mariadb() -> bool:
    """Tell whether the test runs on MariaDB, where JSON is text."""
    return bool(getattr(databases.get().engine.dialect, "is_mariadb", False))


@pytest.fixture
def documents(db: Backend) -> Any:
    """Documents of all kinds, numbered as in DATA."""
    for number, data in enumerate(DATA):
        Document.objects.create(number=number, data=data)
    return Document.objects.order_by("number")


def numbers(queryset: Any) -> list[int]:
    return list(queryset.values_list("number", flat=True))


LOOKUPS: list[tuple[Any, list[int]]] = [
    (Q(data={}), [2]),
    (Q(data=[]), [1]),
    (Q(data={"a": "b", "c": 14}), [3]),
    (Q(data__isnull=True), [0]),
    (Q(data__a="b"), [3, 4]),
    (Q(data__c=14), [3, 4]),
    (Q(data__c=14.0), [3, 4]),
    (Q(data__c="14"), []),
    (Q(data__c__gt=2), [3, 4]),
    (Q(data__c__lt=14), []),
    (Q(data__p__gte=4.2), [4]),
    (Q(data__c__range=(13, 14.5)), [3, 4]),
    (Q(data__c__range=(15, 20)), []),
    (Q(data__foo__range=("a", "c")), [6]),
    (Q(data__12=6), []),  # a number is a place in a list
    (Q(data__k={"l": "m"}), [4]),
    (Q(data__k__l="m"), [4]),
    (Q(data__d__1__f="g"), [4]),
    (Q(data__0=1), [5]),
    (Q(data__1__0=2), [5]),
    (Q(data__h=True), [4]),
    (Q(data__i=False), [4]),
    (Q(data__j=None), [4]),
    (Q(data__j__isnull=False), [4]),
    (Q(data__a__isnull=False), [3, 4]),
    (Q(data__o='"q"'), [4]),
    (Q(data__bar=["foo", "bar"]), [6]),
    (Q(data__foo=F("data__bax__foo")), [6]),
    (Q(data__c__in=[14, 15]), [3, 4]),
    (Q(data__foo__in=["bar", "x", "y", "z"]), [6]),
    (Q(data__foo__in=[F("data__bax__foo"), "x"]), [6]),
    (Q(data__h__in=[True, "x"]), [4]),
    (Q(data__foo__startswith="b"), [6]),
    (Q(data__foo__icontains="A"), [6]),
    (Q(data__foo__iexact="BAR"), [6]),
    (Q(data__foo__regex="^b.r$"), [6]),
    (Q(data__icontains="BAX"), [6]),
    (Q(data__has_key="a"), [3, 4]),
    (Q(data__has_key="j"), [4]),
    (Q(data__k__has_key="l"), [4]),
    (Q(data__d__1__has_key="f"), [4]),
    (Q(data__has_key=F("data__bax__foo")), [6]),
    (Q(data__has_key=KeyTransform("f", KeyTransform(1, KeyTransform("d", "data")))), [4]),
    (Q(data__has_keys=["a", "c", "h"]), [4]),
    (Q(data__has_any_keys=["c", "foo", "nothing"]), [3, 4, 6]),
    (Q(data__has_key="12"), [7]),
    (HasKey(Value({"x": 1}, JSONField()), "x"), list(range(8))),
    (~Q(data__foo="x"), [0, 6]),
    (~Q(data__a="b"), [0]),
    (Q(**{"data__key with 'quote' and \\": 1}), [7]),
    (Q(**{"data__dot.dot": 2}), [7]),
    (Q(data__é=3), [7]),
    (Q(**{"data__{}": 4}), [7]),
    (Q(**{"data__%s": 5}), [7]),
    (Q(data__has_keys=["dot.dot", "é", "{}", "%s", "key with 'quote' and \\"]), [7]),
]


@pytest.mark.parametrize(("condition", "expected"), LOOKUPS, ids=[str(q)[:60] for q, _ in LOOKUPS])
def test_lookups(documents: Any, condition: Any, expected: list[int]) -> None:
    """Documents are found by what is inside them."""
    if Q(data__c=14.0) == condition and mariadb():
        pytest.skip("MariaDB compares what is inside as text")
    assert numbers(documents.filter(condition)) == expected


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("data__a", "b"), ("data__c", 14), ("data__d", ["e", {"f": "g"}]), ("data__h", True), ("data__i", False),
        ("data__j", None), ("data__k", {"l": "m"}), ("data__o", '"q"'), ("data__p", 4.2), ("data__nothing", None),
    ],
)  # fmt: skip
def test_values(documents: Any, name: str, expected: Any) -> None:
    """What is inside is read with its own type: a text that looks like a number stays one."""
    found = documents.values_list(name, flat=True).get(number=4)
    assert (found, type(found)) == (expected, type(expected))


def test_texts_that_look_like_json(db: Backend) -> None:
    """A text inside a document is a text, whatever it looks like."""
    Document.objects.create(number=1, data={"a": "14", "b": "true", "c": "[1]"})
    assert list(Document.objects.values_list("data__a", "data__b", "data__c")) == [("14", "true", "[1]")]


def test_text_of_a_key(documents: Any) -> None:
    """KT() and KeyTextTransform are what is inside as text; JSON's null is NULL."""
    four = documents.annotate(o=KT("data__o"), l=KT("data__k__l"), j=KT("data__j"), h=KT("data__h")).get(
        number=4
    )
    assert (four.o, four.l, four.j, four.h) == ('"q"', "m", None, "true")
    assert numbers(documents.annotate(t=KeyTextTransform("foo", "data")).filter(t__startswith="ba")) == [6]
    total = documents.aggregate(s=Sum(Cast(KT("data__c"), IntegerField())))
    assert total == {"s": 28}
    with pytest.raises(ValueError, match="must contain key"):
        KT("data")


def test_text_of_a_key_is_text_for_all_that_reads_it(documents: Any) -> None:
    """The text of a number is text, too, and is compared as text is, not as JSON."""
    texts = documents.annotate(c=KT("data__c"), a=KT("data__a"))
    assert list(texts.filter(number__gte=3).values_list("c", flat=True)[:2]) == ["14", "14"]
    assert numbers(texts.filter(c="14")) == numbers(texts.filter(c__lt="2")) == [3, 4]
    assert numbers(texts.filter(a="b")) == numbers(texts.filter(a__gte=F("a"))) == [3, 4]
    assert numbers(texts.filter(a__gte="a\\b")) == [3, 4]


def test_one_and_true_are_two_documents(documents: Any) -> None:
    """What Python takes for equal, JSON doesn't: each value of __in is looked for."""
    Document.objects.create(number=20, data=True)
    Document.objects.create(number=21, data=1)
    assert numbers(documents.filter(data__in=[True, 1])) == [20, 21]
    assert numbers(documents.filter(data__in=[1])) == [21]


def test_chains_of_annotations(documents: Any) -> None:
    """Keys can be taken from annotations that are keys themselves."""
    found = documents.annotate(d=F("data__d"), f=F("d__1__f"), e=KeyTransform("0", "d"))
    assert found.values_list("f", "e").get(number=4) == ("g", "e")
    assert numbers(found.filter(f="g")) == [4]


def test_order_and_groups(db: Backend) -> None:
    """Numbers inside documents are ordered as numbers; equal ones are one group."""
    for number, value in enumerate([93, 22.1, -1, 21.9, -100]):
        Document.objects.create(number=number, data={"ord": value, "kind": "odd" if number % 2 else "even"})
    if not mariadb():
        assert numbers(Document.objects.order_by("data__ord")) == [4, 2, 3, 1, 0]
    groups = Document.objects.values("data__kind").annotate(n=Count("id")).order_by("data__kind")
    assert list(groups) == [{"data__kind": "even", "n": 3}, {"data__kind": "odd", "n": 2}]


def test_null_and_null(db: Backend) -> None:
    """JSON's null is a value, NULL is none: `exact` finds the one, `isnull` the other."""
    Document.objects.create(number=1, data=None)
    Document.objects.create(number=2, data=Value(None, JSONField()))
    assert numbers(Document.objects.filter(data=None)) == [2]
    assert numbers(Document.objects.filter(data__isnull=True)) == [1]
    assert numbers(Document.objects.filter(data=Value(None, JSONField()))) == [2]
    assert set(Document.objects.values_list("data", flat=True)) == {None}


def test_contains(documents: Any, db: Backend) -> None:
    """contains and contained_by compare documents, but not on SQLite."""
    if db.vendor == "sqlite":
        with pytest.raises(NotSupportedError):
            numbers(documents.filter(data__contains={"a": "b"}))
        return
    assert numbers(documents.filter(data__contains={"d": [{"f": "g"}]})) == [4]
    assert numbers(documents.filter(data__contains={"j": None})) == [4]
    assert numbers(documents.filter(data__bar__contains="foo")) == [6]
    assert numbers(documents.filter(data__contains=F("data__bax"))) == [6]
    assert numbers(documents.filter(data__contained_by={"a": "b", "c": 14, "x": 1})) == [2, 3]
