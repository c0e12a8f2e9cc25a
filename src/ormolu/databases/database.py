"""A database: its settings, its engines and its drivers, each made when first used."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import sqlalchemy as sa

from ormolu.databases.config import DatabaseConfig
from ormolu.databases.engines import make_engine
from ormolu.exceptions import OperationalError, ServerUnreachable
from ormolu.programs import Execute, Fetch

if TYPE_CHECKING:
    from ormolu.databases.sync import SyncDriver

__all__ = ["Database"]

T = TypeVar("T")


class Database:
    """One alias of the setting DATABASES. Get it with `databases.get(alias)`."""

    def __init__(self, config: DatabaseConfig) -> None:
        self.config = config
        self.alias = config.alias
        self.vendor = config.vendor
        self._lock = threading.RLock()
        self._engine: sa.Engine | None = None
        self._driver: SyncDriver | None = None
        self._adriver: Any = None

    def __repr__(self) -> str:
        return f"<Database {self.alias!r}: {self.vendor}, {self.config.address}>"

    @property
    def settings(self) -> dict[str, Any]:
        """What the user wrote for this alias, as a dictionary."""
        return self.config.settings

    @property
    def engine(self) -> sa.Engine:
        """SQLAlchemy's engine for synchronous use; its pool is also the driver's."""
        engine = self._engine
        if engine is None:
            with self._lock:
                if self._engine is None:
                    self._engine = make_engine(self)
                engine = self._engine
        return engine

    @property
    def driver(self) -> SyncDriver:
        """What runs programs synchronously."""
        driver = self._driver
        if driver is None:
            with self._lock:
                if self._driver is None:
                    self._driver = self._make_driver()
                driver = self._driver
        return driver

    def _make_driver(self) -> SyncDriver:
        from ormolu.databases.sqlite.driver import SqliteDriver

        return SqliteDriver(self)

    @property
    def adriver(self) -> Any:
        """What runs programs for async code."""
        driver = self._adriver
        if driver is None:
            with self._lock:
                if self._adriver is None:
                    self._adriver = self._make_adriver()
                driver = self._adriver
        return driver

    def _make_adriver(self) -> Any:
        from ormolu.databases.sqlite.adriver import AsyncSqliteDriver

        return AsyncSqliteDriver(self)

    def unreachable(self, error: BaseException) -> OperationalError:
        """Return the error for a connection that could not be made."""
        return ServerUnreachable(
            f"The database {self.alias!r} ({self.vendor} at {self.config.address}) can't be reached: {error}"
        )

    # -- SQL by hand

    def execute(self, sql: str, params: Any = ()) -> int:
        """Run a statement with the driver's own placeholders; return how many rows it changed."""
        return self.driver.run(_execute, sql, params)

    def fetch(self, sql: str, params: Any = ()) -> list[Any]:
        """Run a statement with the driver's own placeholders; return its rows."""
        return self.driver.run(_fetch, sql, params)

    async def aexecute(self, sql: str, params: Any = ()) -> int:
        """Run a statement as `execute()` does, without blocking the loop."""
        return await self.adriver.arun(_execute, sql, params)

    async def afetch(self, sql: str, params: Any = ()) -> list[Any]:
        """Run a statement as `fetch()` does, without blocking the loop."""
        return await self.adriver.arun(_fetch, sql, params)

    def close(self) -> None:
        """Close all idle connections. The database can be used again afterwards."""
        with self._lock:
            if self._adriver is not None:
                self._adriver.close()
                self._adriver = None
            if self._driver is not None:
                self._driver.close()
                self._driver.plans.clear()
                self._driver = None
            if self._engine is not None:
                self._engine.dispose()
                self._engine = None


def _execute(_driver: Any, sql: str, params: Any) -> Any:
    return (yield Execute(sql, params))


def _fetch(_driver: Any, sql: str, params: Any) -> Any:
    return (yield Fetch(sql, params))


Work = Callable[[sa.Connection], T]
