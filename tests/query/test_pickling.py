"""Pickling: results go along with a queryset, questions inside of it stay questions."""

import copy
import pickle
from typing import Any

import pytest

from ormolu import (
    CASCADE,
    CharField,
    Exists,
    F,
    ForeignKey,
    IntegerField,
    Model,
    OuterRef,
    Prefetch,
    Q,
    Subquery,
    Sum,
    capture_queries,
)
from ormolu.query.pickling import VERSION_KEY
from support.backends import Backend


class PickledRack(Model):
    name = CharField(max_length=20)

    class Meta:
        db_table = "pickle_rack"


class PickledJar(Model):
    rack = ForeignKey(PickledRack, on_delete=CASCADE, related_name="jars")
    size = IntegerField()

    class Meta:
        db_table = "pickle_jar"


@pytest.fixture(autouse=True)
def jars(db: Backend) -> Any:
    """A rack with two jars, and an empty one."""
    full = PickledRack.objects.create(name="full")
    PickledRack.objects.create(name="empty")
    return [PickledJar.objects.create(rack=full, size=size) for size in (1, 2)]


def again(value: Any) -> Any:
    """Return what a pickle of a value gives."""
    return pickle.loads(pickle.dumps(value))


def test_results_go_along(db: Backend):
    """Pickling reads what was not read, reading the copy does not."""
    question = PickledJar.objects.select_related("rack").prefetch_related("rack__jars").order_by("size")
    with capture_queries() as queries:
        found = again(question)
        assert len(queries) == 2
        assert [(jar.size, jar.rack.name, len(jar.rack.jars.all())) for jar in found] == [
            (1, "full", 2),
            (2, "full", 2),
        ]
        assert len(queries) == 2
    assert [jar.size for jar in found.filter(size=2)] == [2]


INNER = PickledJar.objects.filter(rack=OuterRef("pk"))


@pytest.mark.parametrize(
    "question",
    [
        lambda: PickledRack.objects.filter(Exists(INNER)),
        lambda: PickledRack.objects.filter(Q(Exists(INNER)) & Q(name="full")),
        lambda: PickledRack.objects.annotate(size=Subquery(INNER.values("size")[:1])).filter(size__gt=0),
        lambda: PickledRack.objects.filter(jars__in=PickledJar.objects.filter(size=2)),
        lambda: PickledRack.objects.filter(~Q(pk__in=PickledRack.objects.filter(jars=None))),
        lambda: PickledRack.objects.filter(pk__in=PickledJar.objects.values("rack").query),
        lambda: PickledRack.objects.filter(jars__size=F("jars__size")).distinct(),
        lambda: PickledRack.objects.prefetch_related(
            Prefetch("jars", PickledJar.objects.order_by("-size"))
        ).filter(name="full"),
        lambda: PickledRack.objects.filter(name="full").union(PickledRack.objects.filter(name="full")),
        lambda: (
            PickledRack.objects.filter(name="full")
            | PickledRack.objects.filter(jars__size=PickledJar.objects.values("size")[:1])
        ),
    ],
)
def test_a_question_asks_nothing(db: Backend, question: Any):
    """The query alone sends nothing, and what holds it gives the same rows."""
    with capture_queries() as queries:
        query = again(question().query)
    assert not queries
    restored = PickledRack.objects.all()
    restored.query = query
    assert {rack.name for rack in restored} == {"full"}
    for copied in (again(question()), copy.copy(question()), copy.deepcopy(question())):
        with capture_queries() as queries:
            racks = set(copied)
        assert {rack.name for rack in racks} == {"full"}
        assert {rack.name for rack in copied.order_by("name")} == {"full"}


def test_an_evaluated_question_asks_nothing(db: Backend):
    """What is inside was never read, and isn't."""
    questions = [
        PickledRack.objects.annotate(any=Exists(queryset=INNER)),
        PickledRack.objects.prefetch_related(
            Prefetch("jars", PickledJar.objects.order_by("size"), to_attr="all_jars")
        ),
    ]
    for question in questions:
        list(question)
        with capture_queries() as queries:
            assert list(again(question)) == list(question)
        assert not queries


def test_aggregates(db: Backend):
    """Grouped values, by their query."""
    query = again(PickledJar.objects.values("rack__name").annotate(total=Sum("size")).query)
    restored: Any = PickledJar.objects.all()
    restored.query = query
    assert list(restored) == [{"rack__name": "full", "total": 3}]


def test_related_objects_that_were_prefetched(db: Backend):
    """The queryset in front of them has its query made late."""
    rack = PickledRack.objects.prefetch_related("jars").get(name="full")
    with capture_queries() as queries:
        assert len(again(rack.jars.all())) == 2
    assert not queries


def test_named_rows(db: Backend):
    """Rows of values_list(named=True) are named tuples afterwards, too."""
    row = PickledJar.objects.values_list("size", "rack__name", named=True).order_by("size")[0]
    found = again(row)
    assert (found, found.size, found.rack__name, found._fields) == (row, 1, "full", ("size", "rack__name"))
    assert type(found) is type(row)
    assert type(row).__name__ == "Row"


@pytest.mark.parametrize(("version", "text"), [("0.0", "0.0 does not match"), (None, "is not specified")])
def test_another_version_is_warned_of(db: Backend, version: str | None, text: str):
    """What a pickle holds is understood by the version that made it."""
    state = PickledJar.objects.all().__getstate__()
    del state[VERSION_KEY]
    if version is not None:
        state[VERSION_KEY] = version
    with pytest.warns(RuntimeWarning, match=text):
        PickledJar.objects.all().__setstate__(state)
