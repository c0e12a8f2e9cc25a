"""Whatever async code waits for, cancelling it there leaves all or nothing, and a pool that is whole."""

from __future__ import annotations

import asyncio
import os
import time
import traceback
from collections.abc import Iterator
from typing import Any

import pytest

import ormolu
from cancellation.library import Outside, Tag, Work, Writer, make_tables
from cancellation.scenarios import SCENARIOS, Given, inventory
from ormolu import databases
from ormolu.databases import ambient
from support.backends import Backend, Backends
from support.cancelling import WHEN, Cut
from support.pools import pool_faults

ALL = os.environ.get("ORMOLU_TEST_EVERY_AWAIT", "") not in ("", "0")
"""Whether to cancel at each place in each way; else at each place in one way, up to a number of places."""

PLACES = 4
"""How many places of a scenario are cancelled at when not all are."""

TELLING = {
    "an async receiver",  # cancelled just when the program's request arrives
    "advisory locks",  # cancelled when a statement is prepared, and not run
    "AsyncSessionQuerySet.update_or_create",  # cancelled with rows that nobody reads
    "AsyncSessionQuerySet.bulk_upsert",  # cancelled in psycopg's pipeline, which SQLAlchemy takes for its errors
}
"""Scenarios that are always cancelled at each place in each way: that has found something."""

BACKENDS = ("sqlite", "postgresql", "asyncpg")


def test_every_async_method_has_a_scenario() -> None:
    """What can be awaited is cancelled below: a new method needs a scenario in `scenarios`."""
    assert sorted(inventory() - SCENARIOS.keys()) == []


@pytest.fixture(scope="module", params=BACKENDS)
def prepared(request: pytest.FixtureRequest, backends: Backends) -> Iterator[tuple[Backend, Outside]]:
    """A database with the tables, and the view of it from outside."""
    backend = backends.fresh(request.param)
    outside = make_tables(backend.url)
    yield backend, outside
    outside.close()
    databases.close_all()


@pytest.mark.filterwarnings(
    "ignore::pytest.PytestUnraisableExceptionWarning"
)  # psycopg's, of a cut-off cursor
@pytest.mark.parametrize("name", {function: name for name, function in SCENARIOS.items()}.values())
def test_cancelled_anywhere(prepared: tuple[Backend, Outside], name: str) -> None:
    """Cancelled wherever it waits, a scenario has made all of its changes or none, and the next query works."""
    backend, outside = prepared
    ormolu.configure(backend.url)
    trial = Trial(name, outside)
    with asyncio.Runner() as runner:
        runner.run(trial.run())
    print(f"{name}: cancelled {trial.cancelled} times")


def was_cancelled(result: Any) -> bool:
    """Say whether a scenario ended as cancelled. psycopg's pipeline that is being entered says `assert` instead."""
    if isinstance(result, AssertionError):
        places = [frame.f_globals["__name__"] for frame, _ in traceback.walk_tb(result.__traceback__)]
        return "psycopg.connection_async" in places
    return isinstance(result, asyncio.CancelledError)


class Trial:
    """Runs one scenario again and again, cancelled at another place each time."""

    def __init__(self, name: str, outside: Outside) -> None:
        self.name = name
        self.scenario = SCENARIOS[name]
        self.outside = outside
        self.cancelled = 0

    async def run(self) -> None:
        outside = self.outside
        outside.reset()
        before = outside.rows()
        writer = await Writer.objects.aget(pk=1)
        given = Given(writer, await Work.objects.aget(pk=1), await Tag.objects.aget(pk=1))
        # The first run prepares what is prepared once (plans, statements); the second one is like all others.
        for _ in range(2):
            whole = Cut(self._once(given), 0)
            result = await whole.finish()
            if isinstance(result, BaseException):
                raise result
            after = outside.rows()
            outside.reset()
        states = self._states(before, after)
        for when, place in self._places(whole.waits):
            cut = Cut(self._once(given), place, when)
            result = await cut.finish()
            where = f"{self.name}, cancelled {when} wait {place} of {whole.waits}"
            self.cancelled += cut.struck
            if cut.struck:
                if not was_cancelled(result):
                    cause = result if isinstance(result, BaseException) else None
                    raise AssertionError(f"{where}: {result!r}") from cause
            elif isinstance(result, BaseException):
                result.add_note(where)
                raise result
            del result
            await self._whole_again(where)
            rows = outside.rows()
            assert rows in states, where
            if rows != before:
                outside.reset()
        await databases.aclose_all()

    def _states(self, before: Any, after: Any) -> list[Any]:
        return [before, after]

    def _places(self, waits: int) -> Iterator[tuple[str, int]]:
        places = range(1, waits + 1)
        if ALL or self.name in TELLING:
            yield from ((when, place) for when in WHEN for place in places)
            return
        chosen = (
            places if waits <= PLACES else sorted({1 + number * waits // PLACES for number in range(PLACES)})
        )
        for number, place in enumerate(chosen):
            yield WHEN[(number + len(self.name)) % 3], place

    async def _once(self, given: Given) -> None:
        try:
            await self.scenario(given.fresh())
        finally:
            assert databases.get().ambient() is None
            frame = ambient.current.get()
            assert frame is None or not frame.open

    async def _whole_again(self, where: str) -> None:
        """Check that nothing is out, nothing is open, and nothing runs; and that there is a next query."""
        assert await Tag.objects.filter(name="tag 1").aexists(), where
        give_up = time.monotonic() + 5
        while True:
            faults = [*pool_faults(), *self.outside.others()]
            if not faults:
                return
            assert time.monotonic() < give_up, f"{where}: {faults}"
            await asyncio.sleep(0.005)
