"""A table of numbers, and the same few statements on it for every driver, in both worlds."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from ormolu import databases
from support.backends import Backend
from support.worlds import World


class Numbers:
    """The table `numbers(n)`, whose values are unique."""

    def __init__(self, world: World | None = None) -> None:
        self.world = world
        self.database = databases.get()

    @property
    def mark(self) -> str:
        """The first placeholder in a program's SQL, for the driver of this world."""
        driver = (
            self.database.adriver if self.world is not None and self.world.is_async else self.database.driver
        )
        return {"qmark": "?", "numeric_dollar": "$1"}.get(driver.dialect.paramstyle, "%s")

    # -- in the test's world

    async def add(self, number: int) -> int:
        return await self.world(self.database.execute, "INSERT INTO numbers VALUES (%s)", (number,))

    async def all(self) -> list[int]:
        rows = await self.world(self.database.fetch, "SELECT n FROM numbers ORDER BY n")
        return [row[0] for row in rows]

    # -- synchronously, and from elsewhere

    def add_now(self, number: int) -> int:
        return self.database.execute("INSERT INTO numbers VALUES (%s)", (number,))

    def all_now(self) -> list[int]:
        return [row[0] for row in self.database.fetch("SELECT n FROM numbers ORDER BY n")]


@pytest.fixture
def table(configured: Backend) -> Iterator[Backend]:
    """The configured database with an empty table `numbers`."""
    database = databases.get()
    database.execute("DROP TABLE IF EXISTS numbers")
    database.execute("CREATE TABLE numbers (n INTEGER PRIMARY KEY)")
    yield configured
    databases.get().execute("DROP TABLE IF EXISTS numbers")


@pytest.fixture
def numbers(request: pytest.FixtureRequest, table: Any) -> Numbers:
    """The table, reached in the world of the test (or with `*_now`, synchronously)."""
    world = request.getfixturevalue("world") if "world" in request.fixturenames else None
    return Numbers(world)


@pytest.fixture
def memory() -> Iterator[databases.Database]:
    """A database in memory, as the default one."""
    import ormolu

    ormolu.configure("sqlite://")
    yield databases.get()
    ormolu.settings.reset()
