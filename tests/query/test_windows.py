"""Window functions, and conditions on them."""

from typing import Any

import pytest

from ormolu import Avg, CharField, Count, F, FieldError, IntegerField, Model, Q, Sum
from ormolu.query.functions import (
    CumeDist,
    DenseRank,
    FirstValue,
    Lag,
    LastValue,
    Lead,
    NthValue,
    Ntile,
    PercentRank,
    Rank,
    RowNumber,
    Upper,
)
from ormolu.query.windows import RowRange, ValueRange, Window, WindowFrameExclusion
from support.backends import Backend
from support.worlds import World


class Employee(Model):
    name = CharField(max_length=10)
    team = CharField(max_length=10)
    salary = IntegerField()


ROWS = [("a", "x", 10), ("b", "x", 20), ("c", "y", 30), ("d", "y", 30), ("e", "y", 5)]


@pytest.fixture
def employees(db: Backend) -> Any:
    """Five employees in two teams, by name."""
    Employee.objects.bulk_create([Employee(name=n, team=t, salary=s) for n, t, s in ROWS])
    return Employee.objects.order_by("name")


FUNCTIONS: list[tuple[Any, list[Any]]] = [
    (Window(RowNumber(), order_by=["-salary", "name"]), [4, 3, 1, 2, 5]),
    (Window(Rank(), partition_by="team", order_by="-salary"), [2, 1, 1, 1, 3]),
    (Window(DenseRank(), partition_by=[F("team")], order_by=F("salary").desc()), [2, 1, 1, 1, 2]),
    (Window(PercentRank(), order_by="salary"), [0.25, 0.5, 0.75, 0.75, 0.0]),
    (Window(CumeDist(), order_by="salary"), [0.4, 0.6, 1.0, 1.0, 0.2]),
    (Window(Ntile(2), order_by="name"), [1, 1, 1, 2, 2]),
    (Window(Lag("salary", default=0), order_by="name"), [0, 10, 20, 30, 30]),
    (Window(Lead("name", 2), order_by="name"), ["c", "d", "e", None, None]),
    (Window(FirstValue("name"), partition_by="team", order_by="name"), ["a", "a", "c", "c", "c"]),
    (Window(LastValue("name"), order_by="name", frame=RowRange()), ["e"] * 5),
    (Window(NthValue("name", 2), order_by="name"), [None, "b", "b", "b", "b"]),
    (Window(Sum("salary"), partition_by="team", order_by="name"), [10, 30, 30, 60, 65]),
    (Window(Count("*")), [5] * 5),
    (Window(Sum("salary", filter=Q(team="x"), default=0), order_by="-name"), [30, 20, 0, 0, 0]),
    (Window(Sum("salary"), order_by="name", frame=RowRange(-1, 0)), [10, 30, 50, 60, 35]),
    (Window(Sum("salary"), order_by="name", frame=RowRange(1, 2)), [50, 60, 35, 5, None]),
    (
        Window(Sum("salary"), order_by="name", frame=RowRange(exclusion=WindowFrameExclusion.CURRENT_ROW)),
        [85, 75, 65, 65, 90],
    ),
    (Window(Sum("salary"), order_by="salary", frame=ValueRange(0, 0)), [10, 20, 60, 60, 5]),
    (
        F("salary") - Window(Avg("salary"), partition_by="team"),
        pytest.approx([-5, 5, 8.3333, 8.3333, -16.6666], 1e-3),
    ),
]


@pytest.mark.parametrize(("window", "expected"), FUNCTIONS, ids=[str(w)[:60] for w, _ in FUNCTIONS])
def test_functions(employees: Any, db: Backend, window: Any, expected: Any) -> None:
    """Each function gives its value for every row."""
    if db.vendor == "mysql" and ("Value(0))" in str(window) or "EXCLUDE" in str(window)):
        pytest.skip("MariaDB has neither a default in LAG nor EXCLUDE in frames")
    assert list(employees.annotate(result=window).values_list("result", flat=True)) == expected


@pytest.fixture
def ranked(employees: Any) -> Any:
    """The employees with their rank in the team."""
    return employees.annotate(rank=Window(Rank(), partition_by="team", order_by="-salary"))


def names(queryset: Any) -> list[str]:
    return [employee.name for employee in queryset]


def test_filter(ranked: Any) -> None:
    """A condition on a window function chooses among the rows that it was computed for."""
    best = ranked.filter(rank=1)
    assert names(best) == ["b", "c", "d"]
    assert best.count() == 3
    assert best.exists()
    assert names(best.order_by("-salary", "-name")[:2]) == ["d", "c"]
    assert names(ranked.filter(rank=1, team="y")) == ["c", "d"]
    assert names(ranked.filter(Q(rank=3) | Q(team="x"))) == ["a", "b", "e"]
    assert names(ranked.exclude(rank=1)) == ["a", "e"]
    assert list(best.order_by("rank").values_list("rank", flat=True).distinct()) == [1]


def test_filter_by_an_odd_number_of_conditions(ranked: Any) -> None:
    """A condition on a window's value may be joined by ^."""
    paid = {row.name: row.rank for row in ranked}
    first = {name for name, rank in paid.items() if rank == 1}
    odd = sorted(first ^ {"a", "e"})
    condition = Q(rank=1) ^ Q(name__in=["a", "e"])
    assert names(ranked.filter(condition)) == odd
    assert names(ranked.exclude(condition)) == sorted(paid.keys() - odd)


def test_filter_beside_a_subquery(ranked: Any) -> None:
    """A queryset beside a condition on a window's value is compared with all of its rows."""
    others = Employee.objects.filter(name__in=["a", "c", "e"]).order_by("name")
    first = {row.name for row in ranked if row.rank == 1}
    assert names(ranked.filter(Q(pk__in=others) | Q(rank=1))) == sorted(first | {"a", "c", "e"})


def test_filter_of_a_column_by_two_names(ranked: Any) -> None:
    """Each name that is asked for has its value, also where two are one column's."""
    first = ranked.filter(rank=1)
    assert list(first.values_list("pk", "id")) == [(row.pk, row.pk) for row in first]


def test_filter_inside_a_subquery(ranked: Any) -> None:
    """Such a query can be a subquery, be aggregated, changed and deleted."""
    assert names(Employee.objects.order_by("name").filter(pk__in=ranked.filter(rank=1).values("pk"))) == [
        "b",
        "c",
        "d",
    ]
    assert ranked.filter(rank=1).aggregate(s=Sum("salary")) == {"s": 80}
    assert ranked.filter(rank=3).delete()[0] == 1
    assert ranked.filter(rank=1, team="x").update(salary=21) == 1
    assert Employee.objects.get(name="b").salary == 21


def test_windows_over_groups(employees: Any) -> None:
    """A window may be over aggregates; conditions then choose among groups."""
    teams = Employee.objects.values("team").annotate(total=Sum("salary"))
    teams = teams.annotate(place=Window(Rank(), order_by=F("total").desc()))
    assert list(teams.order_by("team")) == [
        {"team": "x", "total": 30, "place": 2},
        {"team": "y", "total": 65, "place": 1},
    ]
    assert [team["team"] for team in teams.filter(place=1)] == ["y"]


async def test_both_worlds(db: Backend, world: World) -> None:
    """Windows work the same in async code."""
    for name, team, salary in ROWS:
        await world(Employee.objects.create, name=name, team=team, salary=salary)
    ranks = Employee.objects.annotate(rank=Window(Rank(), order_by="-salary")).filter(rank=1).order_by("name")
    assert [employee.name for employee in await world.list(ranks)] == ["c", "d"]


def test_errors(employees: Any) -> None:
    """What can't be a window is refused."""
    with pytest.raises(ValueError, match="isn't compatible with OVER"):
        Window(Upper("name"))
    with pytest.raises(ValueError, match=r"Window\.order_by must be"):
        Window(Rank(), order_by={"name"})
    with pytest.raises(ValueError, match="start cannot be greater than end"):
        list(employees.annotate(x=Window(Sum("salary"), frame=RowRange(2, 1))))
    with pytest.raises(ValueError, match="start argument must be a negative integer"):
        list(employees.annotate(x=Window(Sum("salary"), frame=ValueRange(2))))
    with pytest.raises(TypeError, match="must be a WindowFrameExclusion"):
        RowRange(exclusion="TIES")  # type: ignore[arg-type]
    with pytest.raises(FieldError, match="Window expressions are not allowed"):
        employees.update(salary=Window(Sum("salary")))


def test_repr() -> None:
    """Windows and frames show what they are."""
    window = Window(Sum("salary"), partition_by="team")
    assert repr(window) == "<Window: Sum(F(salary)) OVER (PARTITION BY F(team))>"
    frame = RowRange(1, 2, WindowFrameExclusion.TIES)
    assert repr(frame) == "<RowRange: ROWS BETWEEN 1 FOLLOWING AND 2 FOLLOWING EXCLUDE TIES>"
    assert repr(ValueRange(None, 0)) == "<ValueRange: RANGE BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW>"
