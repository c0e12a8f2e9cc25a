"""Emptying and dropping all tables of a database under test, in a few statements.

Making a module's tables anew for each test took half of the time of a whole run. So its tests share them, and they are
emptied after each test. Keys are counted from one again.
"""

from __future__ import annotations

from collections.abc import Callable

import sqlalchemy as sa

__all__ = ["drop_all", "empty_all"]


def empty_all(engine: sa.Engine) -> None:
    """Remove all rows."""
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        EMPTY[engine.dialect.name](connection)


def drop_all(engine: sa.Engine) -> None:
    """Remove all tables, and the types that were made for them."""
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        DROP[engine.dialect.name](connection)


def _filled(connection: sa.Connection, tables: list[str]) -> list[str]:
    """Return which of these tables have rows. One statement."""
    if not tables:
        return []
    flags = ", ".join(f"EXISTS (SELECT 1 FROM {table})" for table in tables)
    row = connection.exec_driver_sql(f"SELECT {flags}".replace("%", "%%")).one()
    return [table for table, has_rows in zip(tables, row, strict=True) if has_rows]


# SQLite


def _sqlite_tables(connection: sa.Connection) -> tuple[list[str], list[str]]:
    """Return the tables, and the virtual ones; what those keep for themselves is in neither list."""
    rows = connection.exec_driver_sql(
        "SELECT name, sql LIKE 'CREATE VIRTUAL%' FROM sqlite_master WHERE type = 'table' AND name NOT GLOB 'sqlite_*'"
    ).fetchall()
    virtual = [name for name, is_virtual in rows if is_virtual]
    inner = tuple(f"{name}_" for name in virtual)
    plain = [name for name, is_virtual in rows if not is_virtual and not (inner and name.startswith(inner))]
    return [_quoted(name) for name in plain], [_quoted(name) for name in virtual]


def _quoted(name: str) -> str:
    return '"{}"'.format(name.replace('"', '""'))


def _empty_sqlite(connection: sa.Connection) -> None:
    run = connection.exec_driver_sql
    run("PRAGMA foreign_keys = 0")
    filled = _filled(connection, _sqlite_tables(connection)[0])
    if filled:
        run("BEGIN IMMEDIATE")
        for table in filled:
            run(f"DELETE FROM {table}".replace("%", "%%"))
        run("COMMIT")
    if run("SELECT 1 FROM sqlite_master WHERE name = 'sqlite_sequence'").first():
        run("DELETE FROM sqlite_sequence")


def _drop_sqlite(connection: sa.Connection) -> None:
    run = connection.exec_driver_sql
    run("PRAGMA foreign_keys = 0")
    plain, virtual = _sqlite_tables(connection)
    for table in [*virtual, *plain]:
        run(f"DROP TABLE {table}".replace("%", "%%"))


# PostgreSQL


def _postgres_tables(connection: sa.Connection) -> list[str]:
    rows = connection.exec_driver_sql(
        "SELECT quote_ident(relname) FROM pg_class "
        "WHERE relkind IN ('r', 'p') AND relnamespace = 'public'::regnamespace"
    )
    return [name for (name,) in rows]


def _empty_postgres(connection: sa.Connection) -> None:
    run = connection.exec_driver_sql
    if filled := _filled(connection, _postgres_tables(connection)):
        # Not DELETE, which is faster: the rows of the next test would lie in what it freed, in an order of their own.
        run("SET lock_timeout = '30s'")
        run(f"TRUNCATE {', '.join(filled)} CASCADE".replace("%", "%%"))
    run(
        "SELECT setval(c.oid, s.seqstart, false) FROM pg_class c JOIN pg_sequence s ON s.seqrelid = c.oid "
        "WHERE c.relnamespace = 'public'::regnamespace"
    )


def _drop_postgres(connection: sa.Connection) -> None:
    run = connection.exec_driver_sql
    if tables := _postgres_tables(connection):
        run(f"DROP TABLE {', '.join(tables)} CASCADE".replace("%", "%%"))
    types = run(
        "SELECT quote_ident(typname) FROM pg_type WHERE typtype = 'e' AND typnamespace = 'public'::regnamespace"
    ).fetchall()
    if types:
        run(f"DROP TYPE {', '.join(name for (name,) in types)} CASCADE".replace("%", "%%"))


# MariaDB


def _mariadb_tables(connection: sa.Connection) -> list[str]:
    rows = connection.exec_driver_sql("SHOW FULL TABLES WHERE Table_type = 'BASE TABLE'")
    return ["`{}`".format(name.replace("`", "``")) for name, _ in rows]


def _each_on_mariadb(connection: sa.Connection, statement: str, tables: list[str]) -> None:
    run = connection.exec_driver_sql
    run("SET foreign_key_checks = 0")
    for table in tables:
        run(statement.format(table).replace("%", "%%"))
    run("SET foreign_key_checks = 1")


def _empty_mariadb(connection: sa.Connection) -> None:
    _each_on_mariadb(connection, "TRUNCATE {}", _filled(connection, _mariadb_tables(connection)))


def _drop_mariadb(connection: sa.Connection) -> None:
    _each_on_mariadb(connection, "DROP TABLE {}", _mariadb_tables(connection))


EMPTY: dict[str, Callable[[sa.Connection], None]] = {
    "sqlite": _empty_sqlite,
    "postgresql": _empty_postgres,
    "mysql": _empty_mariadb,
    "mariadb": _empty_mariadb,
}
DROP: dict[str, Callable[[sa.Connection], None]] = {
    "sqlite": _drop_sqlite,
    "postgresql": _drop_postgres,
    "mysql": _drop_mariadb,
    "mariadb": _drop_mariadb,
}
