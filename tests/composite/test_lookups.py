"""Lookups, orders and values of keys that have several columns."""

import datetime as dt
import itertools
import uuid
from typing import Any

import pytest

from composite.tenants import MODELS, NOON, Desk, Person, Posting, Remark, Stamp, Tenant, fill
from ormolu import CTE, Case, Count, Exists, F, FieldError, Max, OuterRef, Q, Subquery, TextField, Value, When
from ormolu.query.functions import Cast, Lower
from ormolu.query.tuple_lookups import TupleExact, TupleGreaterThan, TupleIn, TupleIsNull
from support.worlds import World

__all__ = ["MODELS"]

KEYS = [(1, 1), (1, 2), (2, 1), (2, 2), (3, 7)]
LOOKUPS = {
    "exact": lambda a, b: a == b,
    "gt": lambda a, b: a > b,
    "gte": lambda a, b: a >= b,
    "lt": lambda a, b: a < b,
    "lte": lambda a, b: a <= b,
}


async def people(world: World) -> None:
    await world(Tenant.objects.bulk_create, [Tenant(id=n) for n in (1, 2, 3)])
    await world(Person.objects.bulk_create, [Person(pk=key, email=str(key)) for key in KEYS])


async def keys(world: World, queryset: Any) -> list[Any]:
    return await world.list(queryset.order_by("pk").values_list("pk", flat=True))


async def test_as_tuples_of_python(db: Any, world: World) -> None:
    """Every lookup, and its negation, finds what Python's comparison of tuples says."""
    await people(world)
    for name, compare in LOOKUPS.items():
        for value in (*KEYS, (0, 5), (2, 0), (9, 9), (1, 99_999)):
            found = [key for key in KEYS if compare(key, value)]
            rest = [key for key in KEYS if key not in found]
            assert await keys(world, Person.objects.filter(**{f"pk__{name}": value})) == found
            assert await keys(world, Person.objects.exclude(**{f"pk__{name}": list(value)})) == rest


async def test_in(db: Any, world: World) -> None:
    """`in` takes lists of tuples, of any length; those with a None in them match nothing."""
    await people(world)
    for size in range(len(KEYS) + 1):
        for some in itertools.combinations(KEYS, size):
            assert await keys(world, Person.objects.filter(pk__in=some)) == list(some)
            assert await keys(world, Person.objects.exclude(pk__in=[list(key) for key in some])) == [
                key for key in KEYS if key not in some
            ]
    many = [(n, m) for n in range(30) for m in range(30)]
    assert await keys(world, Person.objects.filter(pk__in=many)) == KEYS
    assert await keys(world, Person.objects.exclude(pk__in=many)) == []
    assert await keys(world, Person.objects.filter(pk__in={(1, 2), (1, None), (None, 1)})) == [(1, 2)]
    assert await keys(world, Person.objects.filter(pk__in=[(1, 2), (1, 10**30)])) == [(1, 2)]


async def test_nothing_is_asked(db: Any, world: World, queries: Any) -> None:
    """Where no row can match, the database isn't asked."""
    for nothing in ([], [(None, 1), (1, None)]):
        assert await world.list(Person.objects.filter(pk__in=nothing)) == []
    assert await world.list(Person.objects.filter(pk=(None, 1))) == []
    assert len(queries) == 0
    assert await world(Person.objects.exclude(pk=(None, 1)).count) == 0


async def test_isnull(db: Any, world: World) -> None:
    """A key is never NULL; that of a related object is where there is none."""
    here = await fill(world)
    assert await world.list(Person.objects.filter(pk__isnull=True)) == []
    assert await world(Person.objects.filter(pk__isnull=False).count) == 3
    assert await world.list(Person.objects.filter(remarks__isnull=True)) == [here.bob]
    await world(Remark.objects.create, tenant=here.one, id=9)
    assert await world.list(Remark.objects.filter(person__isnull=True).values_list("id", flat=True)) == [9]
    assert await world.list(Remark.objects.filter(person=None).values_list("id", flat=True)) == [9]
    assert await world(Remark.objects.exclude(person=None).count) == 3


async def test_a_plan_for_each_kind(db: Any, world: World) -> None:
    """Tuples of one length share a plan; what can't be told from a plan is checked each time."""
    await people(world)
    for key in ((1, 1), (2, 2), (1, 10**30), (3, 7)):
        assert await world(Person.objects.filter(pk=key).count) == (key in KEYS)
    for wrong in ((1, 2, 3), (1,), (1, 2, 3, 4)):
        with pytest.raises(ValueError, match="must have 2 elements"):
            await world(Person.objects.filter(pk=wrong).count)
    assert await world(Person.objects.filter(pk__in=[(1, 1), (1, 2)]).count) == 2
    with pytest.raises(ValueError, match="must have 2 elements each"):
        await world(Person.objects.filter(pk__in=[(1, 1), (1, 2, 3)]).count)


@pytest.mark.worlds("sync")
@pytest.mark.parametrize(
    ("lookup", "value", "text"),
    [
        ("pk", 1, "'exact' lookup of 'pk' must be a tuple or a list"),
        ("pk", "ab", "must be a tuple or a list"),
        ("pk", (1, 2, 3), "'exact' lookup of 'pk' must have 2 elements"),
        ("pk__gt", 1, "'gt' lookup of 'pk' must be a tuple or a list"),
        ("pk__lte", (1,), "'lte' lookup of 'pk' must have 2 elements"),
        ("pk__in", 1, "'in' lookup of 'pk' must be a tuple or a list"),
        ("pk__in", (1, 2), "'in' lookup of 'pk' must be a collection of tuples or lists"),
        ("pk__in", ((1, 2, 3),), "'in' lookup of 'pk' must have 2 elements each"),
        ("person", 1, "'exact' lookup of 'person' must have 2 elements"),
        ("person__in", (1, 2), "'in' lookup of 'person' must have 2 elements each"),
        ("pk__isnull", 1, "must be True or False"),
        ("pk", ("x", 1), "Remark.tenant|expected a number|must be"),
    ],
)
def test_wrong_values(db: Any, lookup: str, value: Any, text: str) -> None:
    """A value that can't be a key is refused when the query is built."""
    with pytest.raises((ValueError, TypeError), match=text):
        Remark.objects.filter(**{lookup: value})


@pytest.mark.worlds("sync")
def test_wrong_lookups(db: Any) -> None:
    """What makes no sense for a tuple is no lookup of it."""
    for name in ("pk__contains", "pk__range", "pk__regex", "pk__year"):
        with pytest.raises(FieldError, match="Unsupported lookup"):
            Person.objects.filter(**{name: (1, 2)})


@pytest.mark.worlds("sync")
@pytest.mark.parametrize(
    "ask",
    [
        lambda: Remark.objects.filter(text__gt=F("pk")),
        lambda: Remark.objects.filter(text__gt=Value(2) + F("pk")),
        lambda: Remark.objects.filter(text__gt=Cast(F("pk"), TextField())),
        lambda: Remark.objects.filter(text=Case(When(text="", then="pk"))),
        lambda: Remark.objects.filter(text=Case(When(text="", then="text"), default="pk")),
        lambda: Remark.objects.annotate(low=Lower("pk")),
        lambda: Remark.objects.aggregate(Max("pk")),
        lambda: Person.objects.annotate(n=Count("remarks", distinct=True)),
        lambda: Remark.objects.filter(pk=Value(1)),
        lambda: Remark.objects.filter(pk=F("id")),
        lambda: Remark.objects.filter(pk__in=Remark.objects.values("pk", "text")),
        lambda: Remark.objects.filter(pk__gt=Remark.objects.all()[:1]),
        lambda: Remark.objects.filter(pk=Remark.objects.all()),
        lambda: Remark.objects.filter(id__in=Remark.objects.values("pk")),
    ],
)
def test_single_values_are_wanted(db: Any, ask: Any) -> None:
    """Where a single value is needed, a tuple is an error; and the other way round."""
    with pytest.raises(ValueError):
        ask()


async def test_expressions(db: Any, world: World) -> None:
    """A tuple may hold expressions; F, OuterRef and querysets stand for whole keys."""
    here = await fill(world)
    one = here.one.pk
    assert await keys(world, Person.objects.filter(pk=(one, Value(3) - 2))) == [(one, 1)]
    assert await keys(world, Person.objects.filter(pk__in=[(one, Value(3) - 2), (one, 2)])) == [
        (one, 1),
        (one, 2),
    ]
    assert await keys(world, Person.objects.filter(pk=(F("tenant_id"), 1))) == [(one, 1), (here.two.pk, 1)]
    assert await keys(world, Remark.objects.filter(pk=F("person"))) == [(one, 1), (here.two.pk, 1)]
    same = Remark.objects.filter(person=OuterRef("pk"))
    assert await keys(world, Person.objects.filter(Exists(same))) == [(one, 1), (here.two.pk, 1)]
    latest = same.order_by("-id").values("text")[:1]
    found = Person.objects.annotate(last=Subquery(latest)).order_by("pk").values_list("last", flat=True)
    assert await world.list(found) == ["again", None, "aye"]
    assert await keys(world, Person.objects.annotate(key=F("pk")).filter(key=(one, 2))) == [(one, 2)]
    assert (await world(Person.objects.annotate(key=F("pk")).get, id=2)).key == (one, 2)


async def test_subqueries(db: Any, world: World) -> None:
    """`in` a queryset compares with its objects' keys, or with as many columns as it selects; exact with one row."""
    here = await fill(world)
    ann = Person.objects.filter(email="ann")
    assert await world.list(Person.objects.filter(pk__in=ann)) == [here.ann]
    assert await world.list(Person.objects.filter(pk__in=ann.values("tenant_id", "id"))) == [here.ann]
    assert await world.list(Person.objects.filter(pk__in=Subquery(ann.values("pk")))) == [here.ann]
    assert await world.list(Person.objects.filter(pk=ann[:1])) == [here.ann]
    assert await world(Person.objects.exclude(pk__in=ann).count) == 2
    assert await keys(world, Remark.objects.filter(person__in=ann)) == [(here.one.pk, 1), (here.one.pk, 2)]
    assert await keys(world, Person.objects.filter(remarks__in=Remark.objects.filter(text="aye"))) == [
        (here.two.pk, 1)
    ]
    first = Person.objects.order_by("pk")[:2]
    assert await world(Person.objects.filter(pk__in=first).count) == 2
    assert await world(Person.objects.filter(pk__in=Person.objects.none()).count) == 0
    both = ann.union(Person.objects.filter(email="cid"))
    assert await keys(world, Person.objects.filter(pk__in=both)) == [(here.one.pk, 1), (here.two.pk, 1)]


async def test_standing_alone(db: Any, world: World) -> None:
    """Tuple lookups compare any expressions."""
    await people(world)
    sides = (F("tenant_id"), F("id"))
    assert await keys(world, Person.objects.filter(TupleExact(sides, (2, 1)))) == [(2, 1)]
    assert await keys(world, Person.objects.filter(TupleGreaterThan(sides, (2, 1)))) == [(2, 2), (3, 7)]
    assert await keys(world, Person.objects.filter(TupleIn(sides, [(1, 1), (3, 7)]))) == [(1, 1), (3, 7)]
    assert await keys(world, Person.objects.filter(TupleIsNull(sides, True))) == []
    with pytest.raises(ValueError, match="must be a tuple or a list"):
        TupleExact(sides, 1)
    with pytest.raises(ValueError, match="must have 2 elements each"):
        TupleIn(sides, [(1,)])
    with pytest.raises(ValueError, match="received 1"):
        TupleIn(sides, Person.objects.values("id").query)


async def test_orders(db: Any, world: World) -> None:
    """Ordering by a key orders by its columns; Meta.ordering, reverse(), first() and last() know it."""
    await people(world)
    for name, found in (("pk", KEYS), ("-pk", KEYS[::-1])):
        assert await world.list(Person.objects.order_by(name).values_list("pk", flat=True)) == found
    for order, found in (
        (F("pk"), KEYS),
        (F("pk").desc(), KEYS[::-1]),
        (F("pk").desc(nulls_last=True), KEYS[::-1]),
    ):
        assert await world.list(Person.objects.order_by(order).values_list("pk", flat=True)) == found
    assert (
        await world.list(Person.objects.order_by("pk").reverse().values_list("pk", flat=True)) == KEYS[::-1]
    )
    first, last = await world(Person.objects.first), await world(Person.objects.last)
    assert first is not None
    assert first.pk == (1, 1)
    assert last is not None
    assert last.pk == (3, 7)
    assert (await world(Person.objects.latest, "pk")).pk == (3, 7)
    await world(Stamp.objects.bulk_create, [Stamp(id=n, created=NOON) for n in (1, 3, 2)])
    assert await world.list(Stamp.objects.values_list("id", flat=True)) == [3, 2, 1]
    await world(
        Desk.objects.bulk_create, [Desk(room=str(n), owner_tenant=t, owner_id=n) for t, n in KEYS[::-1]]
    )
    found = Desk.objects.order_by("owner__pk").values_list("owner", flat=True)
    assert await world.list(found) == KEYS


async def test_values(db: Any, world: World) -> None:
    """`pk` in values() and values_list() is a tuple, beside its columns and across relations."""
    here = await fill(world)
    one, two = here.one.pk, here.two.pk
    ordered = Person.objects.order_by("pk")
    assert await world.list(ordered.values("pk")) == [{"pk": (one, 1)}, {"pk": (one, 2)}, {"pk": (two, 1)}]
    assert await world.list(ordered.values_list("email", "pk", "id", "pk")[:1]) == [
        ("ann", (one, 1), 1, (one, 1))
    ]
    assert await world.list(ordered.values_list("pk")[:1]) == [((one, 1),)]
    (row,) = await world.list(ordered.values_list("pk", named=True)[:1])
    assert row.pk == (one, 1)
    assert await world.list(ordered.values("pk", "tenant__pk")[:1]) == [{"pk": (one, 1), "tenant__pk": one}]
    remarks = Remark.objects.order_by("pk")
    assert await world.list(remarks.values_list("person", "person__pk", "id")[:1]) == [
        ((one, 1), (one, 1), 1)
    ]
    assert await world.list(ordered.values_list("remarks__pk", flat=True)) == [
        (one, 1), (one, 2), (None, None), (two, 1),
    ]  # fmt: skip
    assert set(await world.list(Person.objects.values_list("pk", flat=True).distinct())) == {
        (one, 1), (one, 2), (two, 1),
    }  # fmt: skip


async def test_grouping(db: Any, world: World) -> None:
    """Grouping by a key groups by its columns; Count counts keys."""
    here = await fill(world)
    one, two = here.one.pk, here.two.pk
    counted = Person.objects.annotate(n=Count("remarks")).order_by("pk")
    assert [(p.email, p.n) for p in await world.list(counted)] == [("ann", 2), ("bob", 0), ("cid", 1)]
    assert await world.list(Person.objects.values("pk").annotate(n=Count("remarks__id")).order_by("pk")) == [
        {"pk": (one, 1), "n": 2},
        {"pk": (one, 2), "n": 0},
        {"pk": (two, 1), "n": 1},
    ]
    chosen = Count("remarks", filter=Q(pk__in=[(one, 1), (one, 2)]))
    assert [p.n for p in await world.list(Person.objects.annotate(n=chosen).order_by("pk"))] == [2, 0, 0]
    assert await world(Person.objects.aggregate, n=Count("pk"), last=Max("id")) == {"n": 3, "last": 2}
    assert await world(Remark.objects.aggregate, n=Count("person")) == {"n": 3}
    assert await world(Person.objects.distinct()[:2].aggregate, n=Count("pk")) == {"n": 2}
    both = Person.objects.annotate(a=Count("remarks"), b=Count("desks"))
    assert (await world(both.get, pk=(one, 1))).a == 2
    two_each = Person.objects.annotate(n=Count("remarks")).filter(n=2)
    assert await world.list(two_each) == [here.ann]
    assert await world(Remark.objects.values("pk").annotate(m=Max("id")).first) == {"pk": (one, 1), "m": 1}
    with pytest.raises(TypeError, match="unordered queryset performing aggregation"):
        await world(Remark.objects.values("tenant").annotate(m=Max("id")).first)


async def test_set_operations(db: Any, world: World) -> None:
    """Unions of keys are unions of tuples."""
    here = await fill(world)
    one, two = here.one.pk, here.two.pk
    ann, cid = (Person.objects.filter(email=name) for name in ("ann", "cid"))
    assert await world.list(ann.union(cid).order_by("-pk")) == [here.cid, here.ann]
    of_keys = ann.values_list("pk", "email").union(cid.values_list("pk", "email")).order_by("pk")
    assert await world.list(of_keys) == [((one, 1), "ann"), ((two, 1), "cid")]
    assert await world(ann.union(cid).count) == 2
    assert await world.list((ann | cid[:1]).order_by("pk")) == [here.ann, here.cid]


async def test_tuples_with_pages(db: Any, world: World) -> None:
    """Pages by key go by its columns."""
    await people(world)
    for order in ("pk", "-pk", "email"):
        found: list[Any] = []
        queryset = Person.objects.order_by(order)
        page = await world(queryset.page, 2)
        found += page.items
        while page.next:
            page = await world(queryset.page, 2, after=page.next)
            found += page.items
        assert [p.pk for p in found] == await world.list(queryset.values_list("pk", flat=True))


async def test_common_tables(db: Any, world: World) -> None:
    """A CTE has the key as its columns, and as a tuple."""
    here = await fill(world)
    chatty = CTE(Person.objects.annotate(n=Count("remarks")).filter(n__gt=1), name="chatty")
    found = chatty.join(Remark, person=chatty.col.pk).order_by("pk")
    assert await world.list(found) == [here.first, here.second]
    of_keys = CTE(Person.objects.filter(email="cid").values("pk"), name="keys")
    assert await world.list(of_keys.join(Person, pk=of_keys.col.pk)) == [here.cid]
    assert await world.list(of_keys.queryset()) == [{"pk": here.cid.pk}]


@pytest.mark.worlds("sync")
def test_tables_of_columns(db: Any) -> None:
    """In a table of Arrow's a key is a column for each of its fields."""
    pytest.importorskip("pyarrow")
    one = Tenant.objects.create(name="one")
    Person.objects.create(tenant=one, id=1)
    assert Person.objects.values("pk", "email").to_arrow().to_pylist() == [
        {"pk_tenant_id": one.pk, "pk_id": 1, "email": ""}
    ]


@pytest.mark.worlds("sync")
@pytest.mark.backends("sqlite")
def test_an_index_is_found(db: Any) -> None:
    """SQLite goes by the key's index, whatever a key is compared with."""
    many = [(n, n) for n in range(600)]
    for lookups in ({"pk": (1, 1)}, {"pk__in": KEYS}, {"pk__in": many}, {"pk__gte": (2, 1)}):
        assert "SEARCH" in Person.objects.filter(**lookups).explain()


async def test_long_lists_of_any_values(db: Any, world: World) -> None:
    """Long lists hold texts, UUIDs and moments as well."""
    posting = await world(Posting.objects.create, kind='a"b')
    others = [("x", uuid.uuid4()) for _ in range(600)]
    assert await world.list(Posting.objects.filter(pk__in=[*others, posting.pk])) == [posting]
    assert await world.list(Posting.objects.exclude(pk__in=others)) == [posting]
    stamp = await world(Stamp.objects.create, id=1, created=NOON)
    moments = [(n, NOON + dt.timedelta(days=n)) for n in range(600)]
    assert await world.list(Stamp.objects.filter(pk__in=moments)) == []
    assert await world.list(Stamp.objects.filter(pk__in=[*moments, stamp.pk])) == [stamp]
    assert await world(Stamp.objects.get, pk=stamp.pk) == stamp
