"""Any database that SQLAlchemy speaks asynchronously, through its own Connection in a greenlet."""

from __future__ import annotations

import inspect
from asyncio import CancelledError
from collections.abc import AsyncGenerator, Sequence
from typing import Any, ClassVar

import sqlalchemy.exc

from ormolu.databases.asynchronous import AsyncConnection, AsyncDriver, LoopPool
from ormolu.databases.blocks import Block
from ormolu.databases.config import need
from ormolu.databases.general.driver import Acquaintance, Transactions, stream_options
from ormolu.databases.general.terms import after_statement, begin_statements, check
from ormolu.databases.general.through import Through, original
from ormolu.databases.interplay import GUEST
from ormolu.databases.terms import Terms

__all__ = ["GeneralAsyncConnection", "GeneralAsyncDriver"]


class GeneralAsyncConnection(AsyncConnection):
    """SQLAlchemy's Connection over an asynchronous driver, with our transactions."""

    def __init__(self, driver: AsyncDriver, pool: LoopPool, fairy: Any) -> None:
        super().__init__(driver, pool, fairy)
        driver.acquaint(pool.engine.dialect)  # type: ignore[attr-defined]
        self._adopt()
        self.open = False

    def use(self, fairy: Any) -> None:
        super().use(fairy)
        self._adopt()

    def _adopt(self) -> None:
        self.fairy.info[GUEST] = self
        self.through = Through(self.pool.engine.sync_engine, self.fairy)
        self.transactions = Transactions(self.through, self.fairy, self.driver.dialect)

    def _sync(self, name: str, sql: str, params: Any) -> Any:
        try:
            result = getattr(self.through, name)(sql, params)
            if not self.blocks and not self.transactions.explicit:
                self.fairy.commit()
            return result
        except sqlalchemy.exc.DBAPIError as error:
            if not self.blocks and not self.transactions.explicit:
                self.fairy.rollback()
            raise self.failed(original(error), sql, params) from error

    async def _do(self, name: str, sql: str, params: Any) -> Any:
        if self.attention:
            await self.begin(True)
        try:
            return await _spawn(self._sync, name, sql, params)
        except CancelledError as error:
            # Cut off in the middle of an answer: SQLAlchemy has dropped the connection, and would take another
            # one for the next statement.
            self.dead()
            self.spoil(error)
            raise

    async def fetch(self, sql: str, params: Any = ()) -> Any:
        return await self._do("fetch", sql, params)

    async def fetch_named(self, sql: str, params: Any = ()) -> tuple[Sequence[str], Any]:
        return await self._do("fetch_named", sql, params)  # type: ignore[no-any-return]

    async def execute(self, sql: str, params: Any = ()) -> int:
        return int(await self._do("execute", sql, params))

    async def insert(self, sql: str, params: Any = ()) -> Any:
        return await self._do("insert", sql, params)

    async def many(self, sql: str, rows: Any) -> int:
        return int(await self._do("executemany", sql, rows))

    async def stream(
        self, sql: str, params: Any = (), chunk_size: int = 2000
    ) -> AsyncGenerator[list[Any], None]:
        try:
            result = await _spawn(self.through.stream, sql, params, stream_options(self, chunk_size))
            try:
                while rows := await _spawn(result.fetchmany, chunk_size):
                    yield [tuple(row) for row in rows]
            finally:
                await _spawn(result.close)
        except sqlalchemy.exc.DBAPIError as error:
            raise self.failed(original(error), sql, params) from error

    async def control_now(self, sql: str) -> None:
        try:
            await _spawn(self.transactions.control, sql)
        except CancelledError:
            self.dead()
            raise
        except sqlalchemy.exc.DBAPIError as error:
            raise self.failed(original(error), sql, ()) from error
        if sql.partition(" ")[0] in ("BEGIN", "START"):
            self.open = True
        elif sql in ("COMMIT", "ROLLBACK"):
            self.open = False

    def begin_sql(self, block: Block, write: bool) -> list[str]:
        return begin_statements(self.driver.dialect, block)

    def end_sql(self, block: Block) -> str | None:
        return after_statement(self.driver.dialect, block)

    def check(self, terms: Terms) -> None:
        check(self.driver.dialect, terms)

    def in_transaction(self) -> bool:
        # No common way to ask: an interrupted BEGIN counts as begun, and ROLLBACK without one does no harm.
        return self.open or bool(self.blocks)

    def disconnected(self, error: BaseException) -> bool:
        adapted = self.fairy.dbapi_connection
        return isinstance(error, Exception) and bool(self.driver.dialect.is_disconnect(error, adapted, None))

    def stale(self) -> bool:
        reader = getattr(self.native, "_reader", None)  # aiomysql's
        return reader is not None and bool(reader.at_eof())

    async def terminate(self) -> None:
        close = getattr(self.native, "close", None)
        if close is not None and not inspect.iscoroutinefunction(close):
            close()  # aiomysql's: cuts the transport

    def cut(self) -> None:
        """Let go of a connection whose loop is gone."""


async def _spawn(fn: Any, *args: Any) -> Any:
    from sqlalchemy.util import greenlet_spawn

    return await greenlet_spawn(fn, *args)


class GeneralAsyncDriver(Acquaintance, AsyncDriver):
    """Runs programs through SQLAlchemy's Connection, asynchronously. Needs greenlet."""

    connection_class: ClassVar[type[AsyncConnection]] = GeneralAsyncConnection
    no_params: ClassVar[Any] = None

    def __init__(self, database: Any) -> None:
        need("greenlet", f"Async use of the database {database.alias!r}")
        super().__init__(database)
        self.max_params = 65_535 if self.vendor in ("mysql", "postgresql") else 2_000

    def watched(self, conn: Any) -> Any:
        return self.with_watcher(conn)
