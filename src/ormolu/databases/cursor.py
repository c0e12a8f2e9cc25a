"""A DB-API cursor for SQL by hand, inside the transaction that is open."""

from __future__ import annotations

from collections.abc import Iterator
from types import TracebackType
from typing import TYPE_CHECKING, Any

from ormolu.databases import observation
from ormolu.databases.placeholders import for_driver

if TYPE_CHECKING:
    from ormolu.databases.database import Database

__all__ = ["Cursor"]


class Cursor:
    """The driver's cursor on the ambient connection, or on one of the pool until it is closed.

    Methods and attributes are those of PEP 249, errors ours; placeholders are `%s`, or `%(name)s` with a
    dictionary, on every database. Statements are seen by captures and signals. Use it in a `with` statement, or
    call `close()`.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        conn, self._held = database.driver.hold()
        self._conn: Any = conn
        self._raw: Any = self._conn.raw_cursor()
        self._style: str = database.driver.dialect.paramstyle

    def execute(self, sql: str, params: Any = None) -> Cursor:
        """Run a statement. Without `params` a percent sign stands for itself; with them it is written `%%`.

        Raises TypeError or KeyError when the parameters don't fit the placeholders, else the database's error.
        """
        if params is not None:
            sql, params = for_driver(self._style, sql, params)
        self._run(self._raw.execute, sql, params)
        return self

    def executemany(self, sql: str, rows: Any) -> Cursor:
        """Run a statement for each row of parameters."""
        written = [for_driver(self._style, sql, row) for row in rows]
        if written:
            self._run(self._raw.executemany, written[0][0], [params for _, params in written])
        return self

    def _run(self, method: Any, sql: str, params: Any) -> None:
        conn = self._conn
        if conn.attention:
            conn.begin(not conn.reads_only(sql))
        watcher = observation.Watcher(self._database.alias, self._database.vendor)
        started = watcher.before(sql, params)
        failure: BaseException | None = None
        try:
            if params is None:
                method(sql)
            else:
                method(sql, params)
        except Exception as error:
            made: BaseException = conn.failed(error, sql, params)
            failure = made
            raise made from error
        finally:
            watcher.after(sql, params, started, failure)

    def close(self) -> None:
        """Give the connection back. A cursor that is closed already stays so."""
        self._raw.close()
        if self._held:
            self._held = False
            self._conn.driver.release_clean(self._conn)  # the database may have another driver by now

    def __enter__(self) -> Cursor:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __iter__(self) -> Iterator[Any]:
        return iter(self._raw)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._raw, name)
