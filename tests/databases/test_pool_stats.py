"""The figures of pools, and the news of their beginning and end."""

from __future__ import annotations

import logging
from typing import Any

import pytest

from ormolu import configure, databases
from ormolu.signals import pool_closed, pool_opened


def figures(world: Any) -> Any:
    database = databases.get()
    return database.async_pool_stats() if world.is_async else database.pool_stats()


@pytest.mark.backends("postgresql", "asyncpg")
async def test_the_figures_of_a_pool(configured: Any, world: Any) -> None:
    """They say what there is, what is in use and what is idle; a pool that nobody used is not open."""
    configure(DATABASES={"default": {"URL": configured.url, "MIN_POOL_SIZE": 1, "MAX_POOL_SIZE": 4}})
    assert figures(world)["open"] is False
    await world(databases.get().fetch, "SELECT 1")
    idle = figures(world)
    assert {name: idle[name] for name in ("open", "vendor", "alias", "min_size", "max_size")} == {
        "open": True, "vendor": "postgresql", "alias": "default", "min_size": 1, "max_size": 4,
    }  # fmt: skip
    assert (idle["pool_size"], idle["pool_available"], idle["in_use"]) == (1, 1, 0)
    async with world.atomic():
        await world(databases.get().fetch, "SELECT 1")
        busy = figures(world)
        assert (busy["pool_size"], busy["pool_available"], busy["in_use"]) == (1, 0, 1)
        assert busy["requests_waiting"] == 0


@pytest.mark.backends("sqlite")
async def test_the_figures_of_a_file(configured: Any, world: Any) -> None:
    """SQLite's connections are counted as well."""
    await world(databases.get().fetch, "SELECT 1")
    stats = figures(world)
    assert (stats["open"], stats["vendor"], stats["max_size"]) == (True, "sqlite", 15)
    assert await comes_to(world, 0) == 0, "what a worker, a thread or the loop keeps is idle"
    async with world.atomic():
        await world(databases.get().fetch, "SELECT 1")
        assert await comes_to(world, 1) == 1
    assert await comes_to(world, 0) == 0


async def comes_to(world: Any, count: int) -> int:
    """Return how many connections are in use, once they are so many: a worker answers before it rests."""
    for _ in range(200):
        if figures(world)["in_use"] == count:
            break
        await world.sleep(0.01)
    return int(figures(world)["in_use"])


@pytest.mark.backends("sqlite", "postgresql")
@pytest.mark.worlds("sync")
async def test_a_pool_tells_of_its_beginning_and_end(
    configured: Any, world: Any, caplog: pytest.LogCaptureFixture
) -> None:
    """pool_opened and pool_closed are sent, and logged at INFO on `ormolu.pool`."""
    heard: list[Any] = []

    def opened(sender: str, alias: str, is_async: bool) -> None:
        heard.append(("opened", sender, alias, is_async))

    def closed(sender: str, alias: str, is_async: bool) -> None:
        heard.append(("closed", sender, alias, is_async))

    pool_opened.connect(opened)
    pool_closed.connect(closed)
    with caplog.at_level(logging.INFO, "ormolu.pool"):
        databases.get().fetch("SELECT 1")
        databases.close_all()
    vendor = configured.vendor
    assert heard == [("opened", vendor, "default", False), ("closed", vendor, "default", False)]
    assert [record.getMessage() for record in caplog.records] == [
        f"The pool of 'default' ({vendor}, sync) is opened.",
        f"The pool of 'default' ({vendor}, sync) is closed.",
    ]
