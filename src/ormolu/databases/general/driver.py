"""Any database that SQLAlchemy speaks, through its own Connection, synchronously."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

import sqlalchemy as sa
import sqlalchemy.exc

from ormolu.databases.blocks import Block
from ormolu.databases.general.terms import after_statement, begin_statements, check
from ormolu.databases.general.through import Through, original
from ormolu.databases.interplay import GUEST, has_autocommit
from ormolu.databases.synchronous import SyncConnection, SyncDriver
from ormolu.databases.terms import Terms
from ormolu.databases.vital import Socket

if TYPE_CHECKING:
    from ormolu.databases.database import Database

__all__ = [
    "Acquaintance",
    "GeneralConnection",
    "GeneralDriver",
    "Transactions",
    "stream_options",
]

R = TypeVar("R")


def stream_options(conn: Any, chunk_size: int) -> dict[str, Any]:
    """Return how SQLAlchemy streams rows: from the server, if other statements may come between them.

    MySQL allows none on a connection before the last row. Where the stream has its connection to itself none will
    come; inside of somebody's transaction all rows are fetched first.
    """
    if conn.frame is not None and conn.driver.dialect.name in ("mysql", "mariadb"):
        return {}
    return {"stream_results": True, "max_row_buffer": chunk_size}


class Transactions:
    """Control statements: as SQL where the driver has an autocommit mode, else by its methods."""

    def __init__(self, through: Through, fairy: Any, dialect: Any) -> None:
        self.through = through
        self.fairy = fairy
        self.dialect = dialect
        self.explicit = has_autocommit(dialect)

    def control(self, sql: str) -> None:
        """Run one control statement."""
        word = sql.partition(" ")[0]
        if not self.explicit:
            if word in ("BEGIN", "START"):
                return
            if word in ("COMMIT", "ROLLBACK") and " " not in sql:
                getattr(self.fairy, word.lower())()
                return
            if word == "RELEASE" and self.dialect.name in ("oracle", "mssql"):
                return
        self.through.connection.exec_driver_sql(sql)


class Acquaintance:
    """What a driver learns of its server from the first connection: SQLAlchemy's dialect asks it then.

    MySQL's tells MariaDB from MySQL, and what either can do. Until then it compiles for the least of them.
    """

    acquainted = False

    def acquaint(self, dialect: Any) -> None:
        """Go by a dialect that has seen the server, and forget what was made before."""
        if not self.acquainted:
            self.dialect: Any = dialect
            self.plans: dict[Any, Any] = {}
            dialect._type_memos.clear()
            self.acquainted = True


class GeneralConnection(SyncConnection):
    """SQLAlchemy's Connection, with our transactions."""

    def __init__(self, driver: SyncDriver, fairy: Any) -> None:
        super().__init__(driver, fairy)
        driver.acquaint(driver.engine.dialect)  # type: ignore[attr-defined]
        self._adopt()

    def use(self, fairy: Any) -> None:
        super().use(fairy)
        self._adopt()

    def _adopt(self) -> None:
        driver, fairy = self.driver, self.fairy
        fairy.info[GUEST] = self
        self.through = Through(driver.engine, fairy)
        self.transactions = Transactions(self.through, fairy, driver.dialect)
        self.open = False
        end = getattr(self.native, "_sock", None)  # PyMySQL's
        self.socket = Socket(end.fileno()) if end is not None else None

    def stale(self) -> bool:
        return self.socket is not None and self.socket.speaks()

    def _do(self, name: str, sql: str, params: Any) -> Any:
        if self.attention:
            self.begin(True)
        try:
            result = getattr(self.through, name)(sql, params)
            if not self.blocks and not self.transactions.explicit:
                self.fairy.commit()
            return result
        except sqlalchemy.exc.DBAPIError as error:
            if not self.blocks and not self.transactions.explicit:
                self.fairy.rollback()
            if name != "executemany" and self.revived(original(error), sql):
                return self._do(name, sql, params)
            raise self.failed(original(error), sql, params) from error

    def fetch(self, sql: str, params: Any = ()) -> Any:
        return self._do("fetch", sql, params)

    def fetch_named(self, sql: str, params: Any = ()) -> tuple[Sequence[str], Any]:
        return self._do("fetch_named", sql, params)  # type: ignore[no-any-return]

    def execute(self, sql: str, params: Any = ()) -> int:
        return int(self._do("execute", sql, params))

    def insert(self, sql: str, params: Any = ()) -> Any:
        return self._do("insert", sql, params)

    def executemany(self, sql: str, rows: Any) -> int:
        if self.blocks:
            return int(self._do("executemany", sql, rows))
        block = self.open_block()
        failed = True
        try:
            count = int(self._do("executemany", sql, rows))
            failed = False
            return count
        finally:
            self.leave(block, failed)

    def stream(self, sql: str, params: Any = (), chunk_size: int = 2000) -> Iterator[list[Any]]:
        if self.attention:
            self.begin(True)
        try:
            result = self.through.stream(sql, params, options=stream_options(self, chunk_size))
            try:
                while rows := result.fetchmany(chunk_size):
                    yield [tuple(row) for row in rows]
            finally:
                result.close()
        except sqlalchemy.exc.DBAPIError as error:
            raise self.failed(original(error), sql, params) from error

    def control_now(self, sql: str) -> None:
        try:
            self.transactions.control(sql)
        except sqlalchemy.exc.DBAPIError as error:
            raise self.failed(original(error), sql, ()) from error
        word = sql.partition(" ")[0]
        if word in ("BEGIN", "START"):
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
        return self.open or any(block.started for block in self.blocks) or bool(self.blocks)

    def as_sqlalchemy(self, fn: Callable[[sa.Connection], R]) -> R:
        return fn(self.through.connection)


class GeneralDriver(Acquaintance, SyncDriver):
    """Runs programs through SQLAlchemy's Connection, synchronously."""

    connection_class: ClassVar[type[SyncConnection]] = GeneralConnection
    no_params: ClassVar[Any] = None

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self.max_params = 65_535 if self.vendor in ("mysql", "postgresql") else 2_000

    def give_back(self, conn: Any) -> None:
        conn.fairy.info.pop(GUEST, None)
        super().give_back(conn)

    def watched(self, conn: Any) -> Any:
        # Its statements are SQLAlchemy's already, so only our own watchers are to be added.
        return self.with_watcher(conn)
