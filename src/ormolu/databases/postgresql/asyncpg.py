"""PostgreSQL through asyncpg's own connections, under SQLAlchemy's pool."""

from __future__ import annotations

import socket
from collections.abc import AsyncGenerator, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from ormolu.databases.asynchronous import AsyncConnection, AsyncDriver
from ormolu.databases.postgresql.errors import class_of_sqlstate, with_cure
from ormolu.exceptions import DataError, InterfaceError, NotSupportedError, OperationalError

if TYPE_CHECKING:
    from ormolu.databases.database import Database

__all__ = ["AsyncpgConnection", "AsyncpgDriver"]


LAST_WORDS = frozenset({"57P01", "57P02", "57P03", "08003", "08006"})
"""What PostgreSQL says at the end of a session."""


class AsyncpgConnection(AsyncConnection):
    """An asyncpg connection. It keeps its statements prepared; BEGIN and its like travel in one message."""

    joins_controls = True
    _in_doubt = False
    """Whether a statement was cut off, so that a transaction may be open that asyncpg does not know of: one that a
    BEGIN began; or the statement's own, which the server ends after it was not only prepared, but run."""

    async def fetch(self, sql: str, params: Any = ()) -> Any:
        if self.attention:
            await self.begin(True)
        try:
            return await self.native.fetch(sql, *params)
        except Exception as error:
            if await self.revived(error, sql):
                return await self.fetch(sql, params)
            raise self.failed(error, sql, params) from error
        except BaseException:
            self._in_doubt = True
            raise

    async def fetch_named(self, sql: str, params: Any = ()) -> tuple[Sequence[str], Any]:
        rows = await self.fetch(sql, params)
        if rows:
            return list(rows[0].keys()), rows
        try:
            statement = await self.native.prepare(sql)
        except Exception as error:
            raise self.failed(error, sql, params) from error
        except BaseException:
            self._in_doubt = True
            raise
        return [column.name for column in statement.get_attributes()], rows

    async def execute(self, sql: str, params: Any = ()) -> int:
        if self.attention:
            await self.begin(True)
        try:
            return _count(await self.native.execute(sql, *params))
        except Exception as error:
            raise self.failed(error, sql, params) from error
        except BaseException:
            self._in_doubt = True
            raise

    async def insert(self, sql: str, params: Any = ()) -> Any:
        raise NotSupportedError("PostgreSQL has no last row id; use INSERT ... RETURNING with Fetch.")

    async def many(self, sql: str, rows: Any) -> int:
        try:
            await self.native.executemany(sql, rows)
        except Exception as error:
            raise self.failed(error, sql, None) from error
        except BaseException:
            self._in_doubt = True
            raise
        return len(rows)  # asyncpg does not tell; every row ran once

    async def copy(self, target: Any, rows: Sequence[Any]) -> int:
        """Load rows by COPY; return how many. A transaction in itself outside of blocks."""
        if self.attention:
            await self.begin(True)
        try:
            status = await self.native.copy_records_to_table(
                target.table, schema_name=target.schema, columns=target.columns, records=rows
            )
        except Exception as error:
            raise self.failed(error, target.sql, None) from error
        except BaseException:
            self._in_doubt = True
            raise
        return _count(status)

    async def stream(
        self, sql: str, params: Any = (), chunk_size: int = 2000
    ) -> AsyncGenerator[list[Any], None]:
        try:
            cursor = await self.native.cursor(sql, *params)
            while rows := await cursor.fetch(chunk_size):
                yield rows
        except Exception as error:
            raise self.failed(error, sql, params) from error
        except BaseException:
            self._in_doubt = True
            raise

    async def control_now(self, sql: str) -> None:
        try:
            await self.native.execute(sql)
        except Exception as error:
            raise self.failed(error, sql, ()) from error
        except BaseException:  # the task was cancelled: asyncpg does not wait for how the statement ended
            self._in_doubt = True
            raise
        self._in_doubt = False

    def in_transaction(self) -> bool:
        if self.native.is_closed():
            self.dead()
            return False
        return self._in_doubt or bool(self.native.is_in_transaction())

    def stale(self) -> bool:
        return bool(self.native.is_closed())

    def disconnected(self, error: BaseException) -> bool:
        if self.native.is_closed() or isinstance(error, OSError):
            return True
        # The server's last words, whose end is still to come; and what asyncpg says of itself when these come
        # between two of its own messages.
        return getattr(error, "sqlstate", None) in LAST_WORDS or isinstance(error, self._internal)

    @property
    def _internal(self) -> type[Exception]:
        driver: Any = self.driver
        return driver.asyncpg.InternalClientError  # type: ignore[no-any-return]

    def explain(self, error: BaseException, sql: str, params: Any) -> BaseException:
        driver: Any = self.driver
        if isinstance(error, driver.asyncpg.PostgresError):
            kind: Any = class_of_sqlstate(getattr(error, "sqlstate", None))
        elif isinstance(error, driver.asyncpg.exceptions.DataError):
            kind = DataError  # a value that asyncpg itself could not encode
        elif isinstance(error, driver.asyncpg.InterfaceError):
            kind = InterfaceError
        elif isinstance(error, (OSError, self._internal)):
            kind = OperationalError
        else:
            return error
        return with_cure(kind(str(error), statement=sql, params=params, orig=error))

    async def terminate(self) -> None:
        self.native.terminate()

    def cut(self) -> None:
        """Close the socket of a connection whose loop is gone."""
        transport = getattr(self.native, "_transport", None)
        sock: socket.socket | None = transport.get_extra_info("socket") if transport is not None else None
        if sock is not None:
            socket.socket(fileno=sock.fileno()).close()


def _count(status: str) -> int:
    """Return the row count at the end of a status such as "UPDATE 3"; -1 if there is none."""
    last = status.rpartition(" ")[2]
    return int(last) if last.isdigit() else -1


class AsyncpgDriver(AsyncDriver):
    """Runs programs on PostgreSQL through asyncpg."""

    connection_class: ClassVar[type[AsyncConnection]] = AsyncpgConnection
    copies: ClassVar[bool] = True

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        import asyncpg

        self.asyncpg: Any = asyncpg
