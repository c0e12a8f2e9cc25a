"""fetch_many(): several questions at once, in one round trip where the driver can.

psycopg sends them in a pipeline; other drivers ask one after the other, on one connection.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, TypeVar, cast, overload

from ormolu.query.later import Fetchable, Question
from ormolu.query.together import together

__all__ = ["afetch_many", "fetch_many"]

A = TypeVar("A")
B = TypeVar("B")
C = TypeVar("C")
D = TypeVar("D")
E = TypeVar("E")
F = TypeVar("F")
G = TypeVar("G")
H = TypeVar("H")


@overload
def fetch_many(a: Fetchable[A], /) -> tuple[A]: ...
@overload
def fetch_many(a: Fetchable[A], b: Fetchable[B], /) -> tuple[A, B]: ...
@overload
def fetch_many(a: Fetchable[A], b: Fetchable[B], c: Fetchable[C], /) -> tuple[A, B, C]: ...
@overload
def fetch_many(
    a: Fetchable[A], b: Fetchable[B], c: Fetchable[C], d: Fetchable[D], /
) -> tuple[A, B, C, D]: ...
@overload
def fetch_many(
    a: Fetchable[A], b: Fetchable[B], c: Fetchable[C], d: Fetchable[D], e: Fetchable[E], /
) -> tuple[A, B, C, D, E]: ...
@overload
def fetch_many(
    a: Fetchable[A], b: Fetchable[B], c: Fetchable[C], d: Fetchable[D], e: Fetchable[E], f: Fetchable[F], /
) -> tuple[A, B, C, D, E, F]: ...
@overload
def fetch_many(
    a: Fetchable[A],
    b: Fetchable[B],
    c: Fetchable[C],
    d: Fetchable[D],
    e: Fetchable[E],
    f: Fetchable[F],
    g: Fetchable[G],
    /,
) -> tuple[A, B, C, D, E, F, G]: ...
@overload
def fetch_many(
    a: Fetchable[A],
    b: Fetchable[B],
    c: Fetchable[C],
    d: Fetchable[D],
    e: Fetchable[E],
    f: Fetchable[F],
    g: Fetchable[G],
    h: Fetchable[H],
    /,
) -> tuple[A, B, C, D, E, F, G, H]: ...
@overload
def fetch_many() -> tuple[()]: ...
@overload
def fetch_many(
    a: Fetchable[A],
    b: Fetchable[B],
    c: Fetchable[C],
    d: Fetchable[D],
    e: Fetchable[E],
    f: Fetchable[F],
    g: Fetchable[G],
    h: Fetchable[H],
    /,
    *asked: Fetchable[Any],
) -> tuple[A, B, C, D, E, F, G, H, *tuple[Any, ...]]: ...
def fetch_many(*asked: Any) -> tuple[Any, ...]:
    """Ask several questions at once and return their results, in order.

    A question is a queryset, whose result is the list of its rows (it keeps them, as when it is read; prefetches
    included), or one that `queryset.later` gives: `Author.objects.later.count()`. On PostgreSQL with psycopg they go in
    one round trip, as do the prefetches of each level after them; elsewhere they are asked one after the other, on one
    connection. Those for different databases are asked apart.
    Raises what the questions raise: the first error is that of all. Neither flushes nor commits, but that a session's
    questions flush it first.
    """
    questions = [question_of(one) for one in asked]
    found: list[Any] = [None] * len(questions)
    for places in by_place(questions):
        programs = [(questions[place].program, questions[place].args) for place in places]
        results: Any = questions[places[0]].asker._run(together, programs)
        take(questions, places, results, found)
    return tuple(found)


@overload
async def afetch_many(a: Fetchable[A], /) -> tuple[A]: ...
@overload
async def afetch_many(a: Fetchable[A], b: Fetchable[B], /) -> tuple[A, B]: ...
@overload
async def afetch_many(a: Fetchable[A], b: Fetchable[B], c: Fetchable[C], /) -> tuple[A, B, C]: ...
@overload
async def afetch_many(
    a: Fetchable[A], b: Fetchable[B], c: Fetchable[C], d: Fetchable[D], /
) -> tuple[A, B, C, D]: ...
@overload
async def afetch_many(
    a: Fetchable[A], b: Fetchable[B], c: Fetchable[C], d: Fetchable[D], e: Fetchable[E], /
) -> tuple[A, B, C, D, E]: ...
@overload
async def afetch_many(
    a: Fetchable[A], b: Fetchable[B], c: Fetchable[C], d: Fetchable[D], e: Fetchable[E], f: Fetchable[F], /
) -> tuple[A, B, C, D, E, F]: ...
@overload
async def afetch_many(
    a: Fetchable[A],
    b: Fetchable[B],
    c: Fetchable[C],
    d: Fetchable[D],
    e: Fetchable[E],
    f: Fetchable[F],
    g: Fetchable[G],
    /,
) -> tuple[A, B, C, D, E, F, G]: ...
@overload
async def afetch_many(
    a: Fetchable[A],
    b: Fetchable[B],
    c: Fetchable[C],
    d: Fetchable[D],
    e: Fetchable[E],
    f: Fetchable[F],
    g: Fetchable[G],
    h: Fetchable[H],
    /,
) -> tuple[A, B, C, D, E, F, G, H]: ...
@overload
async def afetch_many() -> tuple[()]: ...
@overload
async def afetch_many(
    a: Fetchable[A],
    b: Fetchable[B],
    c: Fetchable[C],
    d: Fetchable[D],
    e: Fetchable[E],
    f: Fetchable[F],
    g: Fetchable[G],
    h: Fetchable[H],
    /,
    *asked: Fetchable[Any],
) -> tuple[A, B, C, D, E, F, G, H, *tuple[Any, ...]]: ...
async def afetch_many(*asked: Any) -> tuple[Any, ...]:
    """Ask several questions at once and return their results, in order. See `fetch_many()`."""
    questions = [question_of(one) for one in asked]
    found: list[Any] = [None] * len(questions)
    for places in by_place(questions):
        programs = [(questions[place].program, questions[place].args) for place in places]
        results: Any = await questions[places[0]].asker._arun(together, programs)
        take(questions, places, results, found)
    return tuple(found)


def question_of(asked: Any) -> Question[Any]:
    """Return what was given as a question. Raises TypeError for what is none."""
    make = getattr(asked, "_question", None)
    if make is None or isinstance(asked, type):
        hint = " Say .all()." if hasattr(asked, "get_queryset") else ""
        raise TypeError(
            f"fetch_many() takes querysets, and what `queryset.later` gives, not {asked!r}.{hint}"
        )
    return cast("Question[Any]", make())


def by_place(questions: Sequence[Question[Any]]) -> Iterator[list[int]]:
    """Yield the numbers of the questions that are asked on one connection."""
    groups: dict[Any, list[int]] = {}
    for number, question in enumerate(questions):
        groups.setdefault(question.place, []).append(number)
    yield from groups.values()


def take(
    questions: Sequence[Question[Any]], places: Sequence[int], results: Sequence[Any], found: list[Any]
) -> None:
    """Put results where they belong."""
    for place, result in zip(places, results):
        found[place] = questions[place].keep(result)
