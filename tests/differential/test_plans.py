"""Laws of the compiler, on random questions: neither a kept plan nor the world changes an answer."""

from __future__ import annotations

import os
from random import Random
from typing import Any

import pytest

from ormolu import databases
from ormolu.conf import override

from .chains import Chains
from .libraries import OURS, Library
from .rows import Rows
from .schemas import Schema
from .source import Question

COUNT = int(os.environ.get("ORMOLU_DIFFERENTIAL", "400"))
OURS_ALONE = Library(OURS)
SCHEMAS = [Schema(seed) for seed in (9001, 9002, 9003)]
ROWS = [Rows(schema) for schema in SCHEMAS]
for _schema in SCHEMAS:
    OURS_ALONE.declare(_schema)
MODELS = [model for schema in SCHEMAS for model in OURS_ALONE.models(schema)]


def fill() -> None:
    """Make the rows."""
    for rows in ROWS:
        OURS_ALONE.run(rows.source)


def asked(number: int) -> Question:
    """Return a question."""
    place = number % len(SCHEMAS)
    vendor = databases.get().vendor
    return Chains(SCHEMAS[place], ROWS[place], Random(f"plan {number}"), vendor).question()


@pytest.mark.slow
def test_a_cached_plan_answers_as_a_fresh_one(db: Any) -> None:
    """Plans that other questions of the same shape left behind give what a new plan gives."""
    with override(USE_TZ=False):
        fill()
        compare_plans()


def compare_plans() -> None:
    """Ask all questions with kept plans, and with fresh ones."""
    plans = databases.get().driver.plans
    answer = OURS_ALONE.answer
    warm = {number: answer(asked(number)) for number in range(COUNT)}
    again = {number: answer(asked(number)) for number in reversed(range(COUNT))}
    assert len(plans) > COUNT / 4
    for number in range(COUNT):
        plans.clear()
        fresh = answer(asked(number))
        assert repr(warm[number]) == repr(fresh) == repr(again[number]), str(asked(number))


@pytest.mark.slow
@pytest.mark.worlds("async")
async def test_worlds_agree(db: Any, world: Any) -> None:
    """Awaiting a queryset gives what reading it gives."""
    with override(SYNC_IN_ASYNC="off", USE_TZ=False):
        fill()
        for number in range(0, COUNT, 2):
            question = asked(number)
            text = str(question.end)
            if not text.startswith("list(<queryset>"):
                continue
            queryset = str(question)[len("list(") : -1]
            awaited = queryset.replace(".iterator(", ".aiterator(")
            plain, names = OURS_ALONE.names["plain"], OURS_ALONE.names
            try:
                rows = [plain(row) for row in eval(queryset, names)]
            except Exception as error:
                with pytest.raises(type(error)):
                    [row async for row in eval(awaited, names)]
                continue
            found = [plain(row) async for row in eval(awaited, names)]
            assert sorted(map(repr, found)) == sorted(map(repr, rows)), queryset
