"""Laws of the compiler, on random queries: caching plans, the database and the world change no answer."""

from __future__ import annotations

import os
from random import Random
from typing import Any

import pytest

import ormolu
from ormolu import databases
from ormolu.conf import override

from . import ours, questions
from .asking import attempt, chained, fill, ordered

MODELS = [ours.P, ours.A, ours.T, ours.B, ours.W, ours.A.friends.through, ours.B.tags.through]
COUNT = int(os.environ.get("ORMOLU_DIFFERENTIAL", "400"))


def asked(seed: int) -> questions.Question:
    """Return a question whose answer has no order of its own: where NULLs stand differs between databases."""
    found = questions.question(Random(seed))
    if found.end == "order":
        found.end = "rows"
    return found


def test_a_cached_plan_answers_as_a_fresh_one(db: Any) -> None:
    """Plans that other queries of the same shape left behind give what a new plan gives."""
    fill(ours)
    plans = databases.get().driver.plans
    warm = {seed: attempt(ormolu, ours, asked(seed)) for seed in range(COUNT)}
    again = {seed: attempt(ormolu, ours, asked(seed)) for seed in reversed(range(COUNT))}
    assert len(plans) > COUNT / 4
    for seed in range(COUNT):
        plans.clear()
        fresh = attempt(ormolu, ours, asked(seed))
        assert repr(warm[seed]) == repr(fresh) == repr(again[seed]), asked(seed)


_answers: dict[int, tuple[str, str]] = {}


def test_databases_agree(db: Any) -> None:
    """SQLite and PostgreSQL give the same answers."""
    fill(ours)
    for seed in range(COUNT):
        found = repr(attempt(ormolu, ours, asked(seed)))
        name, before = _answers.setdefault(seed, (databases.get().vendor, found))
        assert before == found, f"{asked(seed)}: {name} {before}, {databases.get().vendor} {found}"


@pytest.mark.worlds("async")
async def test_worlds_agree(db: Any, world: Any) -> None:
    """Awaiting a queryset gives what reading it gives."""
    with override(SYNC_IN_ASYNC="off"):
        fill(ours)
        for seed in range(0, COUNT, 4):
            queryset, _annotated = chained(ormolu, ours, asked(seed))
            if asked(seed).end == "group":
                continue
            rows = ordered([(row.pk, getattr(row, "n", None)) for row in queryset.order_by()])
            awaited = ordered([(row.pk, getattr(row, "n", None)) for row in await queryset.order_by()])
            assert rows == awaited, asked(seed)
            assert await queryset.acount() == queryset.count()
