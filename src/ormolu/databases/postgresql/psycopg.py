"""PostgreSQL through psycopg 3, synchronously."""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Generator, Iterator, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from ormolu.databases.postgresql.errors import with_cure
from ormolu.databases.reading import reads_only
from ormolu.databases.synchronous import SyncConnection, SyncDriver
from ormolu.databases.vital import Socket, lost
from ormolu.exceptions import NotSupportedError

if TYPE_CHECKING:
    from ormolu.databases.database import Database

__all__ = [
    "BINARY",
    "PsycopgConnection",
    "PsycopgDriver",
    "apart",
    "binary_types",
    "broken_off",
    "collected",
    "cursor_name",
    "failing",
    "forget_prepared",
]

IDLE = 0
"""libpq's transaction status of a connection with nothing open."""

_cursor_numbers = itertools.count(1)


def cursor_name() -> str:
    """Return a name for a cursor on the server that no other one has."""
    return f"ormolu_{next(_cursor_numbers)}"


def failing(requests: Sequence[tuple[str, Any]], cursors: Sequence[Any]) -> tuple[str, Any]:
    """Return the statement of a pipeline that has failed: the first one without a result."""
    for request, cursor in zip(requests, cursors):
        if cursor.pgresult is None:
            return request
    return requests[len(cursors) - 1 if cursors else 0]


@contextlib.contextmanager
def collected(failed: list[Exception]) -> Generator[None, None, None]:
    """Keep an error that comes up while a pipeline is filled: that of an earlier statement, the first of several."""
    try:
        yield
    except Exception as error:
        failed.append(error)


@contextlib.contextmanager
def apart(conn: Any) -> Generator[None, None, None]:
    """Send control statements one by one: a pipeline has messages of one statement alone."""
    conn.joins_controls = False
    try:
        yield
    finally:
        del conn.joins_controls


def forget_prepared(conn: Any) -> None:
    """Have statements prepared anew after a pipeline that failed.

    psycopg notes a statement as prepared when it sends that, and doesn't take it back where the server, after an error
    before it, never came to it. It has no public way to say so; `clear()` also deallocates what there is.
    """
    prepared = getattr(conn.native, "_prepared", None)
    if prepared is not None:
        prepared.clear()
    elif not conn.blocks:
        conn.dead()


def broken_off(conn: Any) -> None:
    """Give up a connection whose pipeline was broken off half way; inside a block, that will be undone."""
    forget_prepared(conn)
    if not conn.blocks:
        conn.dead()


BINARY = " (FORMAT BINARY)"
_BINARY = frozenset({16, 17, 20, 21, 23, 25, 700, 701, 1043, 1082, 1083, 1114, 1184, 1700, 2950})
"""The types, by their number, whose values psycopg writes in binary form as COPY wants them: bool, bytea, int8, int2,
int4, text, float4, float8, varchar, date, time, timestamp, timestamptz, numeric, uuid."""


def binary_types(description: Any) -> list[int]:
    """Return the types of a table's columns, where COPY can have all of them in binary form, else an empty list.

    They must be those of the table itself: what COPY reads in binary form is not cast.
    """
    types = [column.type_code for column in description]
    return types if _BINARY.issuperset(types) else []


class PsycopgConnection(SyncConnection):
    """A psycopg connection in autocommit mode.

    One cursor serves all statements whose rows are fetched at once: making one costs more than it seems.
    psycopg prepares a statement on the server at its fifth use; BEGIN and its like travel together in one
    message.
    """

    joins_controls = True

    def __init__(self, driver: SyncDriver, fairy: Any) -> None:
        super().__init__(driver, fairy)
        self._adopt()

    def use(self, fairy: Any) -> None:
        super().use(fairy)
        self._adopt()

    def _adopt(self) -> None:
        native = self.native
        if not native.autocommit:
            native.autocommit = True
        self.cursor = native.cursor()
        self.socket = Socket(native.pgconn.socket)

    def fetch(self, sql: str, params: Any = None) -> Any:
        if self.attention:
            self.begin(True)
        try:
            return self.cursor.execute(sql, params).fetchall()
        except Exception as error:
            if self.revived(error, sql):
                return self.fetch(sql, params)
            raise self.failed(error, sql, params) from error

    def fetch_many(self, requests: Sequence[tuple[str, Any]]) -> list[Any]:
        """Run statements in a pipeline, with the BEGIN that is due: everything is sent before anything is read."""
        cursors: list[Any] = []
        failed: list[Exception] = []
        try:
            with self.native.pipeline(), collected(failed):
                if self.attention:
                    with apart(self):
                        self.begin(True)
                for sql, params in requests:
                    cursors.append(self.native.cursor())
                    cursors[-1].execute(sql, params)
            if not failed:
                return [cursor.fetchall() for cursor in cursors]
        except Exception as error:
            failed.append(error)
        except BaseException:
            broken_off(self)
            raise
        forget_prepared(self)
        if all(reads_only(sql) for sql, _ in requests) and self.revived(failed[0], "SELECT"):
            return self.fetch_many(requests)
        raise self.failed(failed[0], *failing(requests, cursors)) from failed[0]

    def fetch_named(self, sql: str, params: Any = None) -> tuple[Sequence[str], Any]:
        rows = self.fetch(sql, params)
        return [column.name for column in self.cursor.description or ()], rows

    def execute(self, sql: str, params: Any = None) -> int:
        if self.attention:
            self.begin(True)
        try:
            count: int = self.cursor.execute(sql, params).rowcount
            return count
        except Exception as error:
            raise self.failed(error, sql, params) from error

    def insert(self, sql: str, params: Any = None) -> Any:
        raise NotSupportedError("PostgreSQL has no last row id; use INSERT ... RETURNING with Fetch.")

    def executemany(self, sql: str, rows: Any) -> int:
        if self.blocks:
            if self.attention:
                self.begin(True)
            return self._many(sql, rows)
        # All rows or none, also outside of blocks.
        block = self.open_block()
        failed = True
        try:
            self.begin(True)
            count = self._many(sql, rows)
            failed = False
            return count
        finally:
            self.leave(block, failed)

    def _many(self, sql: str, rows: Any) -> int:
        try:
            self.cursor.executemany(sql, rows)
            count: int = self.cursor.rowcount
            return count
        except Exception as error:
            raise self.failed(error, sql, None) from error

    def copy(self, target: Any, rows: Sequence[Any]) -> int:
        """Load rows by COPY; return how many. A transaction in itself outside of blocks."""
        if self.attention:
            self.begin(True)
        try:
            cursor = self.cursor
            types = binary_types(cursor.execute(target.probe, None).description)
            with cursor.copy(target.sql + BINARY if types else target.sql) as copy:
                if types:
                    copy.set_types(types)
                write = copy.write_row
                for row in rows:
                    write(row)
            count: int = cursor.rowcount
            return count
        except Exception as error:
            raise self.failed(error, target.sql, None) from error

    def stream(self, sql: str, params: Any = None, chunk_size: int = 2000) -> Iterator[list[Any]]:
        """Yield the rows from a cursor on the server, which needs a transaction, and gets one to itself."""
        block = self.open_block(private=True) if not self.blocks else None
        failed = True
        try:
            if self.attention:
                self.begin(True)
            yield from self._chunks(sql, params, chunk_size)
            failed = False
        finally:
            if block is not None:
                self.leave(block, failed)

    def _chunks(self, sql: str, params: Any, chunk_size: int) -> Iterator[list[Any]]:
        # The transaction's end closes a cursor that is left half way.
        name = cursor_name()
        try:
            self.cursor.execute(f"DECLARE {name} CURSOR FOR {sql}", params, prepare=False)
            fetch = f"FETCH FORWARD {chunk_size:d} FROM {name}"
            full = True
            while full and (rows := self.cursor.execute(fetch, None, prepare=False).fetchall()):
                full = len(rows) == chunk_size
                yield rows
            self.cursor.execute(f"CLOSE {name}", None, prepare=False)
        except Exception as error:
            raise self.failed(error, sql, params) from error

    def control_now(self, sql: str) -> None:
        try:
            self.cursor.execute(sql, None, prepare=False)
        except Exception as error:
            raise self.failed(error, sql, None) from error

    def in_transaction(self) -> bool:
        status: int = self.native.pgconn.transaction_status
        if status in (1, 4):  # a statement is still running, or the connection is lost
            self.dead()
            return False
        return status != IDLE

    def explain(self, error: BaseException, sql: str, params: Any) -> BaseException:
        return with_cure(super().explain(error, sql, params))

    def disconnected(self, error: BaseException) -> bool:
        return bool(self.native.closed or self.native.broken)

    def stale(self) -> bool:
        return self.socket.speaks() and lost(self.socket, self.native.pgconn)


class PsycopgDriver(SyncDriver):
    """Runs programs on PostgreSQL through psycopg, synchronously."""

    connection_class: ClassVar[type[SyncConnection]] = PsycopgConnection
    pipelines: ClassVar[bool] = True
    copies: ClassVar[bool] = True
    no_params: ClassVar[Any] = None

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self.max_params = 65_535
