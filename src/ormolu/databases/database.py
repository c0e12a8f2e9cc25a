"""A database: its settings, its engines and its drivers, each made when first used."""

from __future__ import annotations

import threading
from asyncio import CancelledError
from collections.abc import Callable, Generator, Iterator
from importlib import import_module
from typing import TYPE_CHECKING, Any, TypeVar, overload

import sqlalchemy as sa
import sqlalchemy.exc

from ormolu.databases import ambient
from ormolu.databases.by_hand import ByHand
from ormolu.databases.config import DatabaseConfig
from ormolu.databases.cursor import Cursor
from ormolu.databases.engines import make_async_engine, make_engine
from ormolu.databases.held import held
from ormolu.databases.loops import when_loop_ends
from ormolu.databases.observation import CapturedQuery, note_pool, queries_of, watch
from ormolu.databases.placeholders import for_driver
from ormolu.exceptions import Error, OperationalError, ServerUnreachable
from ormolu.programs import Execute, Fetch

if TYPE_CHECKING:
    import asyncio
    from contextlib import AbstractAsyncContextManager, AbstractContextManager

    from sqlalchemy.ext.asyncio import AsyncEngine

    from ormolu.databases.operations import Operations
    from ormolu.databases.stats import PoolStats
    from ormolu.databases.synchronous import SyncDriver
    from ormolu.repository import AsyncRepository, Repository
    from ormolu.repository.units import Opening
    from ormolu.schema.editor import SchemaEditor
    from ormolu.schema.introspection import Introspection

__all__ = ["Database"]

R = TypeVar("R")
M = TypeVar("M")
RepositoryT = TypeVar("RepositoryT", bound="Repository[Any]")
AsyncRepositoryT = TypeVar("AsyncRepositoryT", bound="AsyncRepository[Any]")

_inherited: list[Any] = []
"""What a forked process has from its parent, and must neither use nor close."""


class Database(ByHand):
    """One alias of the setting DATABASES. Get it with `databases.get(alias)`."""

    def __init__(self, config: DatabaseConfig) -> None:
        self.config = config
        self.alias = config.alias
        self.vendor = config.vendor
        # What open transactions are found by: they outlive the drivers that `close()` lets go of.
        self.sync_key = object()
        self.async_key = object()
        self._lock = threading.RLock()
        self._engine: sa.Engine | None = None
        self._driver: SyncDriver | None = None
        self._adriver: Any = None
        self._async_engines: dict[Any, tuple[AsyncEngine, object]] = {}
        held.look()
        watch.look_at_settings()

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
                    note_pool(self.alias, self.vendor, False, True)
                engine = self._engine
        return engine

    @property
    def dialect(self) -> sa.Dialect:
        """SQLAlchemy's dialect: what `type.compile(dialect=...)` and its like take."""
        return self.engine.dialect

    @property
    def driver(self) -> SyncDriver:
        """What runs programs synchronously."""
        if ambient.errands and ambient.running_loop() is None:
            errand = ambient.errands.get(threading.get_ident())
            if errand is not None:
                return errand.driver(self)  # type: ignore[no-any-return]
        driver = self._driver
        if driver is None:
            with self._lock:
                if self._driver is None:
                    self._driver = self._make_driver()
                driver = self._driver
        return driver

    def _make_driver(self) -> SyncDriver:
        driver = self.config.url.get_driver_name()
        if self.config.memory:
            from ormolu.databases.sqlite.memory import MemoryDriver

            return MemoryDriver(self)
        if self.config.dialect == "sqlite" and driver == "pysqlite":
            from ormolu.databases.sqlite.driver import SqliteDriver

            return SqliteDriver(self)
        if self.config.dialect == "postgresql" and driver == "psycopg":
            from ormolu.databases.postgresql.psycopg import PsycopgDriver

            return PsycopgDriver(self)
        from ormolu.databases.general.driver import GeneralDriver

        return GeneralDriver(self)

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
        driver = self.config.async_url.get_driver_name()
        if self.config.memory:
            from ormolu.databases.sqlite.memory import AsyncMemoryDriver

            return AsyncMemoryDriver(self)
        if self.config.dialect == "sqlite":
            from ormolu.databases.sqlite.adriver import AsyncSqliteDriver

            return AsyncSqliteDriver(self)
        if self.config.dialect == "postgresql" and driver == "asyncpg":
            from ormolu.databases.postgresql.asyncpg import AsyncpgDriver

            return AsyncpgDriver(self)
        if self.config.dialect == "postgresql" and driver == "psycopg":
            from ormolu.databases.postgresql.apsycopg import AsyncPsycopgDriver

            return AsyncPsycopgDriver(self)
        from ormolu.databases.general.adriver import GeneralAsyncDriver

        return GeneralAsyncDriver(self)

    def pauses(self) -> Iterator[float]:
        """Yield how long to wait before each further try to connect (CONNECT_RETRIES, CONNECT_BACKOFF)."""
        pool = self.config.pool
        return (pool.connect_backoff * 2**number for number in range(pool.connect_retries))

    def pool_stats(self) -> PoolStats:
        """Return the figures of the pool that synchronous code uses. Asks nobody, connects to nothing."""
        from ormolu.databases.stats import sync_stats

        return sync_stats(self, self._engine, self._driver)

    def async_pool_stats(self) -> PoolStats:
        """Return the figures of the pool that the running event loop uses. Asks nobody, connects to nothing."""
        from ormolu.databases.stats import async_stats

        return async_stats(self, self._adriver)

    def exhausted(self, orig: BaseException | None = None) -> OperationalError:
        """Return the error for a connection that did not become free in time."""
        pool = self.config.pool
        return OperationalError(
            f"{self._where()} has no free connection: all {pool.limit} were in use for {pool.timeout:g} seconds. "
            "Raise POOL_SIZE or MAX_OVERFLOW, or hold connections for a shorter time.",
            orig=orig,
        )

    def _where(self) -> str:
        return f"The database {self.alias!r} ({self.vendor}, {self.config.address})"

    def unreachable(self, error: BaseException) -> BaseException:
        """Return the error for a connection that could not be made, saying what to do."""
        if isinstance(error, (Error, ImportError, CancelledError)):
            return error
        where = self._where()
        if isinstance(error, sqlalchemy.exc.TimeoutError):
            return self.exhausted(error)
        orig = getattr(error, "orig", None) or error
        text = str(orig).strip() or type(orig).__name__
        return ServerUnreachable(f"{where} can't be reached: {text}. {_cure(self.config, text)}", orig=orig)

    # -- SQLAlchemy's asynchronous engines, one for each event loop

    @property
    def async_engine(self) -> AsyncEngine:
        """SQLAlchemy's engine for asynchronous use in the running event loop, disposed of when that ends.

        Its pool is also the driver's, except on SQLite, where it needs `aiosqlite`. Asked for where no loop
        runs, it is an engine that the program must dispose of itself. Raises MissingExtra without its
        driver.
        """
        return self.async_engine_of(ambient.running_loop())

    def async_engine_of(self, loop: asyncio.AbstractEventLoop | None) -> AsyncEngine:
        """Return the engine of an event loop, made when first asked for."""
        with self._lock:
            for old in [old for old in self._async_engines if old is not None and old.is_closed()]:
                del self._async_engines[old]
            found = self._async_engines.get(loop)
            if found is None:
                engine = make_async_engine(self)
                guard = None
                if loop is not None:
                    guard = when_loop_ends(lambda: self.drop_async_engine(loop, engine))
                found = self._async_engines[loop] = (engine, guard)
            return found[0]

    async def drop_async_engine(
        self, loop: asyncio.AbstractEventLoop | None, engine: AsyncEngine | None = None
    ) -> None:
        """Dispose of the engine of the running loop, or of one that was that once."""
        with self._lock:
            found = self._async_engines.get(loop)
            if found is not None and (engine is None or engine is found[0]):
                del self._async_engines[loop]
                engine = found[0]
        if engine is not None:
            await engine.dispose()

    # -- transactions

    def ambient(self) -> Any:
        """Return the connection of the transaction that the running task or thread has open here, or None."""
        if ambient.current.get() is not None:
            for key in (self, self.sync_key, self.async_key):
                if (conn := ambient.find_open(key)) is not None:
                    return conn
        return None

    @property
    def queries(self) -> list[CapturedQuery]:
        """The statements of this database since the setting DEBUG is on, the last 9000 of them, of all threads.

        `query["sql"]` and `query["time"]`, as in Django. `reset_queries()` forgets them.
        """
        return queries_of(self.alias)

    # -- SQL by hand

    def cursor(self) -> Cursor:
        """Return a DB-API cursor inside the open transaction, or on a connection held until it is closed."""
        return Cursor(self)

    def execute(self, sql: str, params: Any = None) -> int:
        """Run a statement; return how many rows it changed.

        `params` are a sequence for `%s`, or a mapping for `%(name)s`, on every database; with them a percent
        sign is written `%%`. Raises TypeError or KeyError when they don't fit.
        """
        return int(self.driver.run(_execute, sql, params))

    def fetch(self, sql: str, params: Any = None) -> list[Any]:
        """Run a statement as `execute()` does; return its rows."""
        return self.driver.run(_fetch, sql, params)

    async def aexecute(self, sql: str, params: Any = None) -> int:
        """Run a statement as `execute()` does, without blocking the loop."""
        return int(await self.adriver.arun(_execute, sql, params))

    async def afetch(self, sql: str, params: Any = None) -> list[Any]:
        """Run a statement as `fetch()` does, without blocking the loop."""
        return await self.adriver.arun(_fetch, sql, params)  # type: ignore[no-any-return]

    # -- sessions

    @overload
    def repository(  # type: ignore[overload-overlap]
        self, of: type[AsyncRepositoryT]
    ) -> AbstractAsyncContextManager[AsyncRepositoryT]: ...
    @overload
    def repository(  # type: ignore[overload-overlap]
        self, of: type[RepositoryT]
    ) -> AbstractContextManager[RepositoryT]: ...
    @overload
    def repository(self, of: type[M]) -> Opening[Repository[M], AsyncRepository[M]]: ...
    def repository(self, of: Any) -> Any:
        """Return a block that gives the repository of a model, or of a class of repositories, in its own transaction.

        `with` gives a Repository, `async with` an AsyncRepository. The block commits when it ends, and rolls back when
        an error leaves it. See `ormolu.repository`.
        """
        # A door to a room above this one, opened when somebody goes through: nothing here needs repositories.
        return import_module("ormolu.repository.units").Opening(self, of)

    # -- tables

    @property
    def ops(self) -> Operations:
        """How this database spells and limits things, by Django's names."""
        from ormolu.databases.operations import Operations

        return Operations(self)

    @property
    def introspection(self) -> Introspection:
        """What looks at the tables of this database, by Django's names."""
        from ormolu.schema.introspection import Introspection

        return Introspection(self)

    def schema_editor(self, collect_sql: bool = False, atomic: bool = True) -> SchemaEditor:
        """Return what changes tables, to be used in a `with` statement.

        The block is one transaction where the database undoes DDL, unless `atomic=False`. With `collect_sql` the
        statements are gathered in `collected_sql`, and not run.
        """
        from ormolu.schema.editor import SchemaEditor

        return SchemaEditor(self, collect_sql, atomic)

    async def achange_schema(
        self, change: Callable[[SchemaEditor], R], *, collect_sql: bool = False, atomic: bool = True
    ) -> R:
        """Call a function with a schema editor, without blocking the loop; return its result.

        The function is synchronous, and runs in a thread; its statements go by this task's connection.
        """
        from ormolu.databases.errands import in_thread

        def run() -> R:
            with self.schema_editor(collect_sql, atomic) as editor:
                return change(editor)

        return await in_thread(run)

    def close(self, *, forget: bool = False) -> None:
        """Close all idle connections. The database can be used again afterwards.

        One in memory would be lost by that, so it stays open, unless `forget` says that it is not needed
        any more.
        """
        if self.config.memory and not forget:
            return
        with self._lock:
            adriver, self._adriver = self._adriver, None
            driver, self._driver = self._driver, None
            engine, self._engine = self._engine, None
            if adriver is not None and adriver.pooled:
                self._async_engines.clear()  # the pools of the loops dispose of them
        if driver is not None:  # first: SQLite's workers give their connections back to it
            driver.close()
            driver.plans.clear()
        if adriver is not None:
            adriver.close()
        if engine is not None:
            engine.dispose()
            note_pool(self.alias, self.vendor, False, False)

    def forget_plans(self) -> None:
        """Forget what was made of types: the settings that they depend on have changed."""
        for driver in (self._driver, self._adriver):
            if driver is not None:
                driver.plans.clear()
                driver.dialect._type_memos.clear()
        if self._engine is not None:
            self._engine.dialect._type_memos.clear()

    def after_fork(self) -> None:
        """Forget the parent process's connections without closing them: that would tell the server goodbye.

        A database in memory is a copy of the parent's, and goes on; its worker threads are not.
        """
        self._lock = threading.RLock()
        kept: tuple[Any, ...] = (self._adriver, dict(self._async_engines))
        self._adriver = None
        self._async_engines = {}
        if self.config.memory:
            if self._driver is not None:
                self._driver.after_fork()
        else:
            kept = (*kept, self._driver, self._engine)
            self._driver = self._engine = None
        _inherited.append(kept)

    async def aclose(self, *, forget: bool = False) -> None:
        """Close all idle connections, those of the running loop properly. Otherwise as `close()`."""
        try:
            if self._adriver is not None and not (self.config.memory and not forget):
                await self._adriver.aclose()
            await self.drop_async_engine(ambient.running_loop())
        finally:  # a driver that is closed, or half so, is not to be used again
            self.close(forget=forget)


def _execute(driver: Any, sql: str, params: Any) -> Generator[Any, Any, Any]:
    return (yield Execute(*_for_driver(driver, sql, params)))


def _fetch(driver: Any, sql: str, params: Any) -> Generator[Any, Any, Any]:
    return (yield Fetch(*_for_driver(driver, sql, params)))


def _for_driver(driver: Any, sql: str, params: Any) -> tuple[str, Any]:
    if params is None:
        return sql, driver.no_params
    if not params:  # then the driver takes a percent sign for what it is
        return for_driver("qmark", sql, params)[0], driver.no_params
    return for_driver(driver.dialect.paramstyle, sql, params)


def _cure(config: DatabaseConfig, text: str) -> str:
    """Return what to do about a failed connection."""
    low = text.lower()
    if config.dialect == "sqlite":
        return "Check that the folder exists and that the file may be written."
    if "password" in low or "authentication" in low or "access denied" in low or "role " in low:
        return "Check USER and PASSWORD."
    if "does not exist" in low or "unknown database" in low:
        return f"Create the database {config.url.database!r}, or check NAME."
    if "too many" in low or "remaining connection slots" in low:
        return "The server has no connection left: lower POOL_SIZE and MAX_OVERFLOW, or raise its limit."
    return "Check that the server runs, and HOST and PORT."
