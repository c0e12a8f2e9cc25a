"""GROUP BY: what rows are grouped by, and that databases which check it accept it."""

from __future__ import annotations

import datetime as dt

import pytest

import ormolu
from ormolu import (
    CASCADE,
    BooleanField,
    Case,
    CharField,
    Count,
    DateTimeField,
    Exists,
    ExpressionWrapper,
    F,
    ForeignKey,
    Func,
    IntegerField,
    Max,
    Min,
    Model,
    OuterRef,
    Q,
    Subquery,
    Sum,
    Value,
    When,
)
from ormolu.query import Window
from ormolu.query.functions import Cast, Coalesce, Greatest, Least, Rank, TruncYear

pytestmark = pytest.mark.backends("sqlite", "postgresql", "asyncpg", "mariadb")


class Tailor(Model):
    name = CharField(max_length=50)
    age = IntegerField()


class Coat(Model):
    tailor = ForeignKey(Tailor, on_delete=CASCADE, related_name="coats")
    size = IntegerField()
    price = IntegerField()
    sewn = DateTimeField()


@pytest.fixture
def coats(db):
    ann = Tailor.objects.create(name="Ann", age=30)
    bea = Tailor.objects.create(name="Bea", age=50)
    rows = (
        (ann, 1, 10, 2020),
        (ann, 1, 20, 2021),
        (ann, 2, 30, 2021),
        (bea, 2, 40, 2022),
        (bea, 4, 50, 2022),
    )
    Coat.objects.bulk_create(
        Coat(tailor=who, size=size, price=price, sewn=dt.datetime(year, 5, 6, 7, 8, tzinfo=dt.UTC))
        for who, size, price, year in rows
    )
    return ann, bea


async def test_what_is_selected_afterwards_is_grouped_by(coats, world):
    """values() after annotate() adds its columns to those of the values() before."""
    counted = Coat.objects.values("tailor").annotate(n=Count("*")).values("size", "n").order_by("size", "n")
    assert await world.list(counted) == [
        {"size": 1, "n": 2}, {"size": 2, "n": 1}, {"size": 2, "n": 1}, {"size": 4, "n": 1}
    ]  # fmt: skip
    everything = (
        Coat.objects.values("tailor").annotate(day=Cast("sewn", ormolu.DateField()), n=Count("*")).values()
    )
    assert [(row["n"], row["day"].year) for row in await world.list(everything.order_by("price"))] == [
        (1, 2020), (1, 2021), (1, 2021), (1, 2022), (1, 2022)
    ]  # fmt: skip


async def test_values_between_aggregates(coats, world):
    """An aggregate groups anew by the values() before it."""
    mixed = Tailor.objects.annotate(n=Count("coats")).values("age").annotate(most=Max("coats__price"))
    assert await world.list(mixed.order_by("age")) == [{"age": 30, "most": 30}, {"age": 50, "most": 50}]


async def test_expressions_with_parameters(coats, world):
    """An expression with a parameter is one expression in the select list and in GROUP BY, whatever its value."""
    for divisor, expected in ((2, [(0, 3), (1, 2)]), (4, [(0, 1), (1, 2), (2, 2)])):
        by = Coat.objects.annotate(rest=F("size") % divisor, other=F("size") % 2).values("rest")
        assert (
            await world.list(by.annotate(n=Count("pk")).values_list("rest", "n").order_by("rest")) == expected
        )
        assert await world(by.annotate(n=Count("pk")).count) == len(expected)
        total = await world(by.annotate(n=Count("pk")).aggregate, total=Sum("n"), groups=Count("rest"))
        assert total == {"total": 5, "groups": len(expected)}
    two = Coat.objects.annotate(a=F("size") % 2, b=F("size") % 2).values("a", "b").annotate(n=Count("pk"))
    assert await world(two.count) == 2
    two = Coat.objects.annotate(a=F("size") % 2, b=F("size") % 4).values("a", "b").annotate(n=Count("pk"))
    assert await world(two.count) == 3


async def test_conditions(coats, world):
    """Groups may be made by conditions, by cases and by what is always true."""
    large = ExpressionWrapper(Q(size__gt=1), output_field=BooleanField())
    for condition in (Q(size__gt=1), large, Case(When(size__gt=1, then=Value(True)), default=Value(False))):
        by = Coat.objects.annotate(large=condition).values("large").annotate(n=Count("pk")).order_by("n")
        assert [(bool(row["large"]), row["n"]) for row in await world.list(by)] == [(False, 2), (True, 3)]
    always = Tailor.objects.annotate(always=~Q(pk__in=[]), n=Count("coats")).order_by("n")
    assert [(bool(t.always), t.n) for t in await world.list(always)] == [(True, 2), (True, 3)]


async def test_subqueries(coats, world):
    """Groups may be made by subqueries of the row, which are named in GROUP BY and not repeated."""
    cheap = Exists(Coat.objects.filter(tailor=OuterRef("pk"), price__lt=25))
    by = Tailor.objects.annotate(cheap=cheap).values("cheap").annotate(n=Count("pk")).order_by("cheap")
    assert [(bool(row["cheap"]), row["n"]) for row in await world.list(by)] == [(False, 1), (True, 1)]
    most = Subquery(
        Coat.objects.filter(tailor=OuterRef("pk"), price__gt=0).order_by("-price").values("price")[:1]
    )
    by = Tailor.objects.annotate(most=most).values("most").annotate(n=Count("pk")).order_by("most")
    assert await world.list(by.values_list("most", "n")) == [(30, 1), (50, 1)]


async def test_an_aggregate_and_a_column(coats, world):
    """A column that stands beside an aggregate in one expression is grouped by."""
    sums = Coat.objects.values("tailor__name").annotate(sum=Sum("price") + F("size")).order_by("sum")
    assert await world.list(sums.values_list("sum", flat=True)) == [31, 32, 42, 54]


async def test_ordering(coats, world):
    """What ORDER BY reads is grouped by, and one that is selected is not written out again."""
    by = Coat.objects.annotate(year=TruncYear("sewn")).values("year").annotate(n=Count("pk"))
    assert [row["n"] for row in await world.list(by.order_by("-year"))] == [2, 2, 1]
    by = Coat.objects.values("tailor").annotate(n=Count("pk")).order_by("size", "tailor")
    assert [row["n"] for row in await world.list(by)] == [2, 1, 1, 1]


async def test_rows_of_the_model(coats, world):
    """Without values() the groups are the model's rows, and all its columns go with its key."""
    counted = Tailor.objects.annotate(n=Count("coats")).filter(n__gt=0).order_by("n", "name")
    assert [(t.name, t.age, t.n) for t in await world.list(counted)] == [("Bea", 50, 2), ("Ann", 30, 3)]
    assert await world.list(counted.values_list("age", flat=True)) == [50, 30]


async def test_first_of_groups(coats, world):
    """first() orders groups that are rows by key, and refuses others without an order."""
    rows = Tailor.objects.annotate(n=Count("coats")).values_list("name", "n")
    assert await world(rows.first) == ("Ann", 3)
    assert await world(rows.last) == ("Bea", 2)
    keyed = Coat.objects.values("id", "size").annotate(n=Count("pk")).values_list("size", "n")
    assert await world(keyed.first) == (1, 1)
    with pytest.raises(TypeError, match="unordered queryset performing aggregation"):
        await world(Coat.objects.values("size").annotate(n=Count("pk")).first)
    sizes = Coat.objects.values("size").annotate(n=Count("pk")).order_by("-size")
    assert await world(sizes.first) == {"size": 4, "n": 1}


# MariaDB does not find a grouped column under HAVING on the left of IN (SELECT ...).
@pytest.mark.backends("sqlite", "postgresql", "asyncpg")
async def test_a_column_beside_an_aggregate_in_an_or_is_grouped_by(db, world):
    """What is compared under HAVING is one value for each group: also where a subquery is what it is compared with."""
    for name, sizes in (("a", (1, 2)), ("b", (3,))):
        tailor = await world(Tailor.objects.create, name=name, age=30)
        for size in sizes:
            sewn = dt.datetime(2020, 1, 1, tzinfo=dt.UTC)
            await world(Coat.objects.create, tailor=tailor, size=size, price=1, sewn=sewn)
    counted = Tailor.objects.annotate(n=Count("coats"))
    found = counted.filter(Q(coats__in=Coat.objects.filter(size=3)) | Q(n__gt=2))
    assert {tailor.name for tailor in await world.list(found)} == {"b"}


async def test_values_that_no_row_lacks_are_counted_as_rows(coats, world, queries):
    """COUNT(*) says the same as COUNT(column), except where a join or another query may leave the column NULL."""
    ann, _bea = coats
    await world(Tailor.objects.create, name="Cy", age=30)
    sizes = Coat.objects.values_list("size").annotate(n=Count("tailor")).order_by("size")
    assert await world.list(sizes) == [(1, 2), (2, 2), (4, 1)]
    assert await world(Tailor.objects.aggregate, n=Count("age")) == {"n": 3}
    assert "COUNT(*)" in str(sizes.query).upper()
    assert "COUNT(*)" in queries[-1].sql.upper()
    names = Tailor.objects.values_list("name").order_by("name")
    assert await world.list(names.annotate(n=Count("coats"))) == [("Ann", 3), ("Bea", 2), ("Cy", 0)]
    assert await world.list(names.annotate(n=Count("id"), most=Max("coats__price"))) == [
        ("Ann", 3, 30),
        ("Bea", 2, 50),
        ("Cy", 1, None),
    ]
    assert await world(Coat.objects.aggregate, n=Count("size", distinct=True)) == {"n": 3}
    assert await world(Coat.objects.aggregate, n=Count("size", filter=Q(size__gt=1))) == {"n": 3}
    lacking = Tailor.objects.values_list("coats__size", flat=True).union(
        Coat.objects.values_list("size", flat=True)
    )
    assert await world(lacking.aggregate, n=Count("coats__size")) == {"n": 3}
    own = Coat.objects.filter(tailor=OuterRef("pk")).values("tailor").annotate(n=Count("pk")).values("n")
    assert await world.list(names.annotate(n=Subquery(own))) == [("Ann", 3), ("Bea", 2), ("Cy", None)]
    assert await world(ann.coats.aggregate, n=Count("pk")) == {"n": 3}


def test_an_alias_joins_as_an_annotation_does(coats):
    """Whether an aggregate is selected or not makes no difference to what others count."""
    shown = Tailor.objects.annotate(most=Max("coats__price")).annotate(total=Sum("age"))
    hidden = Tailor.objects.alias(most=Max("coats__price")).annotate(total=Sum("age"))
    names = ("name", "total")
    assert set(hidden.values_list(*names)) == set(shown.values_list(*names)) == {("Ann", 90), ("Bea", 100)}


async def test_a_group_condition_may_compare_expressions_with_values(coats, world):
    """Said in HAVING, too, an expression with a value in it is the one that rows are grouped by."""
    found = Coat.objects.annotate(who=Coalesce("tailor__name", Value("?")), n=Count("pk"))
    found = found.filter(Q(who="Bea") | Q(n__gt=5)).order_by("price")
    assert [coat.price for coat in await world.list(found)] == [40, 50]


async def test_distinct_rows_in_the_order_of_a_value_are_summed_up(coats, world):
    """What is ordered by is what is selected, also where it is a value."""
    found = Coat.objects.annotate(one=Value(1)).distinct().order_by("one", "pk")[:3]
    assert await world(found.aggregate, total=Sum("price")) == {"total": 60}


async def test_what_is_grouped_by_stands_within_something_else(coats, db, world):
    """An expression with a parameter may be grouped by and read within others: also in HAVING and ORDER BY."""
    floor = Greatest("price", Value(25))
    by = Coat.objects.annotate(floor=floor).values("floor").annotate(n=Count("pk"), low=Min("price"))
    least = by.annotate(least=Least("low", "floor") + 1).values_list("least", "n")
    assert sorted(await world.list(least)) == [(11, 2), (31, 1), (41, 1), (51, 1)]
    if db.vendor != "mysql":  # which finds columns only under HAVING, and no expressions
        some = by.filter(Q(floor__gt=45) | Q(n=2))
        assert sorted(await world.list(some.values_list("n", flat=True))) == [1, 2]
    assert [row["n"] for row in await world.list(by.values("n").order_by(F("floor") * -1))] == [1, 1, 1, 2]


async def test_counting_what_an_annotation_divides(coats, world):
    """An annotation of several related rows divides an aggregated model's rows; count() and aggregate() see that."""
    kinds = Tailor.objects.annotate(
        total=Sum("coats__price"), big=Case(When(coats__size__gt=1, then=Value(True)), default=Value(False))
    )
    assert len(await world.list(kinds)) == 3
    assert await world(kinds.count) == 3
    assert await world(kinds.aggregate, all=Sum("total")) == {"all": 150}
    assert await world(Tailor.objects.annotate(total=Sum("coats__price")).count) == 2


async def test_subqueries_of_a_row_are_not_grouped_by(coats, world):
    """A subquery that the row determines needs no place in GROUP BY; one that reads an aggregate can't have one."""
    latest = Coat.objects.filter(tailor=OuterRef("pk")).order_by("-sewn", "-pk").values("price")[:1]
    rows = Tailor.objects.annotate(latest=Subquery(latest)).annotate(n=Count("coats")).order_by("name")
    assert await world.list(rows.values_list("latest", "n")) == [(30, 3), (50, 2)]
    assert str(rows.query).count("SELECT") == 2


# SQLite has no aggregates of the enclosing query in a subquery's conditions.
@pytest.mark.backends("postgresql", "asyncpg", "mariadb")
async def test_subqueries_that_read_aggregates(coats, world):
    """A subquery may read an aggregate of its row; it has no place in GROUP BY then."""
    same = Coat.objects.filter(size=OuterRef("n")).order_by("pk").values("price")[:1]
    rows = Tailor.objects.annotate(n=Count("coats")).annotate(same=Subquery(same)).order_by("name")
    assert await world.list(rows.values_list("same", flat=True)) == [None, 30]


async def test_columns_have_the_names_of_annotations(coats, world):
    """What is annotated is named so in the SQL, unless a table has a column of that name."""
    sql = str(Tailor.objects.annotate(n=Count("coats"), size=Max("coats__size")).query)
    assert 'AS "n"' in sql.replace("`", '"').replace("AS n", 'AS "n"')
    assert "AS size" not in sql.replace('"', "")
    odd = {"per%cent": F("size") % 2, "Select": Count("pk"), "x" * 80: Max("price")}
    rows = Coat.objects.annotate(**{"per%cent": odd["per%cent"]}).values("per%cent")
    assert sorted([tuple(row.values()) for row in await world.list(rows.annotate(Select=Count("pk")))]) == [
        (0, 3), (1, 2)
    ]  # fmt: skip
    assert (await world(Coat.objects.aggregate, **{"x" * 80: Max("price")})) == {"x" * 80: 50}


async def test_values_of_nothing(coats, world):
    """Where no row can be found, the database is asked only for what has no known value."""
    nothing = Coat.objects.none()
    known = {
        "n": Count("pk"),
        "s": Sum("price"),
        "d": Sum("price", default=7),
        "c": Coalesce(Sum("price"), 3),
    }
    with ormolu.capture_queries() as queries:
        assert await world(nothing.aggregate, **known) == {"n": 0, "s": None, "d": 7, "c": 3}
        assert not queries
        asked = await world(nothing.aggregate, n=Count("pk"), m=Coalesce(Sum("price") + 1, 5))
        assert asked == {"n": 0, "m": 5}
        assert len(queries) == 1
    counted = Func("price", function="COUNT", output_field=IntegerField())
    counted.contains_aggregate = True
    assert await world(nothing.aggregate, n=counted) == {"n": 0}
    assert await world(Coat.objects.aggregate, n=counted) == {"n": 5}


class Award(Model):
    tailor = ForeignKey(Tailor, on_delete=CASCADE, related_name="awards")


async def test_a_filter_before_several_aggregates_holds_for_its_own_relation(coats, world):
    """Each aggregate is computed apart, of the rows that filter() has left, and no row of the result repeats."""
    ann, _bea = coats
    for _ in range(2):
        await world(Award.objects.create, tailor=ann)
    counts = {"n": Count("coats"), "m": Count("awards")}
    large = Tailor.objects.filter(coats__price__gt=15).order_by("name")
    assert await world.list(large.annotate(**counts).values_list("name", "n", "m")) == [
        ("Ann", 2, 2),
        ("Bea", 2, 0),
    ]
    assert await world(large.annotate(**counts).count) == 2
    assert await world(large.annotate(**counts).aggregate, s=Sum("n"), rows=Count("*")) == {"s": 4, "rows": 2}
    distinct = {"n": Count("coats", distinct=True), "m": Count("awards", distinct=True)}
    assert await world.list(large.annotate(**distinct).values_list("n", "m")) == [(2, 2), (2, 0)]
    after = Tailor.objects.annotate(**counts).filter(coats__price__gt=15).order_by("name")
    assert await world.list(after.values_list("name", "n", "m")) == [("Ann", 3, 2), ("Bea", 2, 0)]
    either = Tailor.objects.filter(Q(coats__price=10) | Q(name="Bea")).annotate(**counts).order_by("name")
    assert await world.list(either.values_list("name", "n", "m")) == [("Ann", 1, 2), ("Bea", 2, 0)]


async def test_an_annotation_with_the_name_of_a_column(coats, world):
    """Groups by an expression that has the name of some table's column are groups by the expression."""
    by = (
        Tailor.objects.annotate(size=F("age") % 20).values("size").annotate(n=Count("coats")).order_by("size")
    )
    assert await world.list(by) == [{"size": 10, "n": 5}]
    by = (
        Coat.objects.annotate(age=F("size") % 2, name=F("size") * 2)
        .values("age")
        .annotate(n=Count("tailor__name"))
    )
    assert await world.list(by.order_by("age")) == [{"age": 0, "n": 3}, {"age": 1, "n": 2}]


async def test_conditions_on_groups_by_subqueries(coats, db, world):
    """Groups by a subquery or by an expression with a value may be asked for by these beside an aggregate in an OR."""
    name = Subquery(Tailor.objects.filter(pk=OuterRef("tailor")).values("name"))
    some = Exists(Tailor.objects.filter(pk=OuterRef("tailor"), name="Ann"))
    for expression, value, other in ((name, "Ann", "Bea"), (some, True, False), (F("size") % 2, 1, 0)):
        groups = Coat.objects.annotate(by=expression).values("by").annotate(n=Count("pk"))
        assert await world.list(groups.filter(Q(by=value) | Q(n=7)).values_list("by", flat=True)) == [value]
        assert await world.list(groups.filter(Q(by=other) | Q(n=7)).values_list("by", flat=True)) == [other]
        if db.vendor != "mysql":  # which finds under HAVING what is selected
            assert len(await world.list(groups.filter(Q(by=value) | Q(n=7)).values_list("n", flat=True))) == 1


async def test_windows_over_groups(coats, world):
    """A window ranks groups, and is asked for beside other conditions on them."""
    groups = Coat.objects.values("size").annotate(n=Count("pk")).annotate(
        rank=Window(Rank(), order_by=F("n").desc())
    )  # fmt: skip
    sizes = groups.order_by("size").values_list("size", flat=True)
    assert await world.list(sizes.filter(rank=1)) == [1, 2]
    assert await world.list(sizes.filter(Q(rank=3) | Q(size=1))) == [1, 4]
    assert await world(groups.filter(rank=1).count) == 2
    tailors = Tailor.objects.annotate(n=Count("coats"), rank=Window(Rank(), order_by=F("n").desc()))
    assert [t.name for t in await world.list(tailors.filter(Q(rank=1) | Q(name="Bea")).order_by("name"))] == [
        "Ann", "Bea"
    ]  # fmt: skip
    assert await world(tailors.filter(rank=2).aggregate, n=Sum("n")) == {"n": 2}


@pytest.mark.backends("sqlite", "postgresql", "asyncpg")
async def test_groups_split_by_a_negated_relation(coats, world):
    """Beside an aggregate, a negated condition behind a relation splits groups by what it says, not by the relation."""
    cid = await world(Tailor.objects.create, name="Cid", age=20)
    await world(Coat.objects.create, tailor=cid, size=2, price=5, sewn=dt.datetime(2020, 1, 1, tzinfo=dt.UTC))
    by = Coat.objects.values("size").annotate(n=Count("pk")).exclude(Q(tailor__coats__size=1), Q(n__gt=5))
    assert await world.list(by.order_by("size", "n")) == [
        {"size": 1, "n": 2}, {"size": 2, "n": 1}, {"size": 2, "n": 2}, {"size": 4, "n": 1}
    ]  # fmt: skip


async def test_what_no_case_can_choose_is_joined(coats, world):
    """A relation that an impossible branch reads repeats rows for the aggregates beside it, as in Django."""
    for impossible in (When(pk__in=[], then="coats__price"), When(~Q(pk__in=[]), then=Value(1))):
        chosen = Max(Case(impossible, default=Coalesce("coats__price", 0) * 0 + 1))
        found = Tailor.objects.annotate(one=chosen, total=Sum("age")).order_by("name")
        assert await world.list(found.values_list("one", "total")) == [(1, 90), (1, 100)]


async def test_rows_that_values_join_are_counted(coats, world):
    """values() over a relation gives a row for each related object: count() and aggregate() are about these rows."""
    sizes = Tailor.objects.values("coats__size")
    assert await world(sizes.count) == len(await world.list(sizes)) == 5
    assert await world(Tailor.objects.values_list("coats", flat=True).count) == 5
    assert await world(sizes.aggregate, total=Sum("age")) == {"total": 190}
    assert len(await world.list(sizes.values("name"))) == 5
    counted = Tailor.objects.annotate(n=Count("*")).values("coats__price", "n")
    assert await world(counted.count) == len(await world.list(counted)) == 5
