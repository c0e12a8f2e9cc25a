"""Ask a question of either ORM."""

from __future__ import annotations

from random import Random
from typing import Any

from . import questions


def as_q(api: Any, tree: Any) -> Any:
    """Return a tree of conditions as a Q of either ORM."""
    kind, rest = tree
    if kind not in ("AND", "OR", "NOT"):
        return api.Q(**{kind: api.F(rest.name) if isinstance(rest, questions.Reference) else rest})
    parts = [as_q(api, part) for part in rest]
    if kind == "NOT":
        return ~parts[0]
    whole = parts[0]
    for part in parts[1:]:
        whole = whole & part if kind == "AND" else whole | part
    return whole


def as_aggregate(api: Any, wanted: tuple[str, str, bool]) -> Any:
    """Return an aggregate of either ORM."""
    name, what, distinct = wanted
    return getattr(api, name)(what, distinct=True) if distinct else getattr(api, name)(what)


def chained(api: Any, models: Any, asked: questions.Question) -> tuple[Any, bool]:
    """Return the queryset of a question, and whether it is annotated."""
    queryset = getattr(models, asked.model).objects.all()
    if asked.end == "group":
        queryset = queryset.order_by().values(asked.fields[0])
    annotated = False
    for kind, value in asked.steps:
        if kind == "annotate":
            queryset, annotated = queryset.annotate(n=as_aggregate(api, value)), True
        else:
            queryset = getattr(queryset, kind)(as_q(api, value))
    if annotated and asked.having:
        queryset = queryset.filter(n__gte=1)
    return queryset, annotated


def answer(api: Any, models: Any, asked: questions.Question) -> Any:
    """Ask a question; rows without an order are sorted."""
    queryset, annotated = chained(api, models, asked)
    match asked.end:
        case "count":
            return queryset.count()
        case "exists":
            return queryset.exists()
        case "values":
            return ordered([tuple(row.items()) for row in queryset.values("id", *asked.fields)])
        case "group":
            rows = queryset.annotate(k=as_aggregate(api, asked.aggregate))
            return ordered([tuple(sorted(row.items())) for row in rows])
        case "aggregate":
            return queryset.aggregate(z=as_aggregate(api, asked.aggregate))
        case "order":
            return list(queryset.order_by("-" + asked.order, "id").values_list("id", flat=True))
        case "distinct":
            return queryset.distinct().count()
        case _:
            return ordered([(row.pk, row.n if annotated else None) for row in queryset.order_by()])


def ordered(rows: list[Any]) -> list[Any]:
    """Sort rows in which NULLs may stand."""
    return sorted(rows, key=repr)


def attempt(api: Any, models: Any, asked: questions.Question) -> Any:
    """Return the answer, or the class of the error."""
    try:
        return answer(api, models, asked)
    except Exception as error:
        return type(error).__name__


def fill(models: Any) -> None:
    """Make rows with gaps: NULLs, objects with no related ones and with several."""
    chance = Random(1)
    for name in "pxyz":
        models.P.objects.create(name=name, city=chance.choice([None, "R", "L"]))
    for name in "abcdefg":
        models.A.objects.create(
            name=name,
            age=chance.choice([20, 30, 40]),
            bio=chance.choice([None, "hi", "x"]),
            publisher_id=chance.choice([None, 1, 2, 3]),
        )
    for label in "tuvw":
        models.T.objects.create(label=label)
    for _ in range(10):
        book = models.B.objects.create(
            title=chance.choice("xyz"),
            pages=chance.choice([None, 10, 20, 30]),
            year=chance.choice([2000, 2001]),
            author_id=chance.randint(1, 6),
            editor_id=chance.choice([None, 1, 2, 3, 4]),
        )
        book.tags.set(chance.sample([1, 2, 3, 4], chance.randint(0, 3)))
    for _ in range(5):
        models.W.objects.create(title=chance.choice("xy"), author_id=chance.randint(1, 6))
    for author in models.A.objects.all():
        author.friends.set(chance.sample(range(1, 8), chance.randint(0, 2)))
