"""The databases that the tests run on, each a new one, made once for a run.

SQLite is a file in a temporary folder. PostgreSQL is the server of `ORMOLU_TEST_POSTGRES_URL` (a role that
may create databases), else the embedded one. MariaDB is the server of `ORMOLU_TEST_MARIADB_URL`, else left
out.
"""

import os
import uuid
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import sqlalchemy as sa

from ormolu.contrib import embedded
from support.tables import drop_all, empty_all

POSTGRES_URL = os.environ.get("ORMOLU_TEST_POSTGRES_URL")
MARIADB_URL = os.environ.get("ORMOLU_TEST_MARIADB_URL")

# name -> the worlds in which it runs: asyncpg has no synchronous side of its own.
WORLDS = {
    "sqlite": ("sync", "async"),
    "postgresql": ("sync", "async"),
    "asyncpg": ("async",),
    "mariadb": ("sync", "async"),
}
NAMES = tuple(name for name in WORLDS if name != "mariadb" or MARIADB_URL)

# MariaDB goes through the general driver. What that, and the SQL of its dialect, must get right runs there.
# A test elsewhere asks for it with `@pytest.mark.backends(..., "mariadb")`.
ON_MARIADB = ("composite/", "databases/", "fields/", "models/", "query/", "schema/", "traps/", "writes/")


def usual(path: Path) -> tuple[str, ...]:
    """Return the databases that the tests of a file run on when they don't say."""
    place = path.relative_to(Path(__file__).parents[1]).as_posix()
    return tuple(name for name in NAMES if name != "mariadb" or place.startswith(ON_MARIADB))


@dataclass(frozen=True, slots=True)
class Backend:
    """One database under test: its name in `WORLDS`, its `Database.vendor`, its URL."""

    name: str
    vendor: str
    url: str

    def tidy(self, *, changed: bool) -> None:
        """Remove what a test has left: all rows, or the tables themselves if it changed them."""
        if changed:
            self.drop_tables()
        else:
            empty_all(self.engine())

    def drop_tables(self) -> None:
        """Remove all tables."""
        drop_all(self.engine())

    def engine(self) -> sa.Engine:
        """Return SQLAlchemy's engine for what tests do beside the library."""
        return _engine(self.url.replace("+asyncpg", "+psycopg"), self.vendor == "mysql")


class Backends:
    """Makes each database when a test first asks for it, and removes them all with `close()`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._made: dict[str, Backend] = {}
        self._exits = ExitStack()

    def __getitem__(self, name: str) -> Backend:
        if name not in self._made:
            self._made[name] = getattr(self, f"_make_{name}")()
        return self._made[name]

    def made(self) -> list[Backend]:
        """Return the databases that tests have asked for."""
        return list(self._made.values())

    def fresh(self, name: str) -> Backend:
        """Return one more, empty database of this kind, for a test that needs a second one."""
        made: Backend = getattr(self, f"_make_{name}")()
        return made

    def close(self) -> None:
        for backend in self.made():
            backend.engine().dispose()
        self._exits.close()
        self._made.clear()

    def _make_sqlite(self) -> Backend:
        path = self._folder / f"{uuid.uuid4().hex[:8]}.sqlite3"
        return Backend("sqlite", "sqlite", f"sqlite:///{path}")

    def _make_postgresql(self) -> Backend:
        return Backend("postgresql", "postgresql", self._postgres_database("psycopg"))

    def _make_asyncpg(self) -> Backend:
        return Backend("asyncpg", "postgresql", self._postgres_database("asyncpg"))

    def _make_mariadb(self) -> Backend:
        assert MARIADB_URL, "ORMOLU_TEST_MARIADB_URL is not set"
        server = sa.make_url(MARIADB_URL)
        name = f"ormolu_test_{uuid.uuid4().hex[:12]}"
        _mariadb(server, f"CREATE DATABASE `{name}` CHARACTER SET utf8mb4")
        self._exits.callback(_mariadb, server, f"DROP DATABASE `{name}`")
        # Else PyMySQL reads all certificates there are for each connection, which takes longer than most tests.
        url = server.set(database=name).update_query_dict({"ssl_disabled": "true"})
        return Backend("mariadb", "mysql", _text(url))

    def _postgres_database(self, driver: str) -> str:
        server = sa.make_url(self._postgres_server())
        name = f"ormolu_test_{uuid.uuid4().hex[:12]}"
        plain = _text(server.set(drivername="postgresql"))
        embedded.execute(plain, f'CREATE DATABASE "{name}"')
        self._exits.callback(embedded.execute, plain, f'DROP DATABASE "{name}" WITH (FORCE)')
        return _text(server.set(drivername=f"postgresql+{driver}", database=name))

    def _postgres_server(self) -> str:
        if POSTGRES_URL:
            return POSTGRES_URL
        if not hasattr(self, "_server"):
            self._server = self._exits.enter_context(embedded.start())
            # Else plans, and with them the order of rows nobody ordered, hang on when it last came by.
            embedded.execute(self._server.url, "ALTER SYSTEM SET autovacuum = off", "SELECT pg_reload_conf()")
        return self._server.url


def _text(url: sa.URL) -> str:
    return url.render_as_string(hide_password=False)


@cache
def _engine(url: str, pooled: bool) -> sa.Engine:
    return sa.create_engine(url) if pooled else sa.create_engine(url, poolclass=sa.NullPool)


def _mariadb(server: sa.URL, statement: str) -> None:
    engine = sa.create_engine(server)
    with engine.connect() as connection:
        connection.exec_driver_sql(statement)
    engine.dispose()
