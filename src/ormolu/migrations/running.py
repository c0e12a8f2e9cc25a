"""migrate: run the migrations that a database hasn't had yet, and remember them there."""

from __future__ import annotations

import contextlib
import datetime
from collections.abc import Generator
from typing import Any

import sqlalchemy as sa

from ormolu import databases, transaction
from ormolu.migrations.files import Key, load, state_after
from ormolu.migrations.making import chosen
from ormolu.migrations.projects import applications
from ormolu.migrations.states import label_of, render
from ormolu.models.tables import create_tables

__all__ = ["applied", "migrate"]

RECORDS = sa.Table(
    "ormolu_migrations",
    sa.MetaData(),
    sa.Column("id", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True),
    sa.Column("app", sa.String(255), nullable=False),
    sa.Column("name", sa.String(255), nullable=False),
    sa.Column("applied", sa.DateTime(timezone=True), nullable=False),
    sa.UniqueConstraint("app", "name"),
)
"""The table in which a database remembers its migrations."""


def migrate(app_label: str | None = None, *, using: str = "default") -> list[Key]:
    """Run the migrations that a database hasn't had: all, or those of an application and what they depend on.

    Return what ran, as (application, name). Others that migrate the same database meanwhile wait. Each migration is one
    transaction where the database undoes DDL. Raises MigrationError for files that don't fit together.
    """
    every = applications()
    there = load(every)
    wanted = set(there)
    if app_label is not None:
        chosen(every, [app_label])
        wanted = _with_what_they_need(there, {key for key in there if key[0] == app_label})
    state_after(there)
    with _alone(using):
        done = applied(using)
        ran: list[Key] = []
        for key in there:
            if key in wanted and key not in done:
                _run(there, key, using)
                ran.append(key)
    return ran


def applied(using: str = "default") -> set[Key]:
    """Return the migrations that a database has had. Makes the table that remembers them, if it isn't there."""

    def read(conn: sa.Connection) -> set[Key]:
        RECORDS.create(conn, checkfirst=True)
        return {(row.app, row.name) for row in conn.execute(sa.select(RECORDS.c.app, RECORDS.c.name))}

    return databases.get(using).driver.ddl(read)


def _run(there: dict[Key, Any], key: Key, using: str) -> None:
    """Create the tables of one migration, and remember it."""
    app_label = key[0]
    before = list(there)[: list(there).index(key) + 1]
    models = render((app, operation) for app, name in before for operation in there[app, name].operations)
    new = [models[label_of(app_label, operation.name)] for operation in there[key].operations]

    def remember(conn: sa.Connection) -> None:
        now = datetime.datetime.now(datetime.UTC)
        conn.execute(sa.insert(RECORDS).values(app=key[0], name=key[1], applied=now))

    # MariaDB and MySQL commit before and after each piece of DDL: there is no transaction that could hold it.
    whole = contextlib.nullcontext() if databases.get(using).vendor == "mysql" else transaction.atomic(using)
    with whole:
        if new:
            create_tables(*new, using=using)
        databases.get(using).driver.ddl(remember)


@contextlib.contextmanager
def _alone(using: str) -> Generator[None, None, None]:
    """Keep others from migrating: by a lock of the server's, on SQLite by its write lock."""
    vendor = databases.get(using).vendor
    if vendor in ("postgresql", "mysql"):
        with transaction.advisory_lock("ormolu.migrations", using=using):
            yield
    elif vendor == "sqlite":
        with transaction.atomic(using, immediate=True):
            yield
    else:
        yield


def _with_what_they_need(there: dict[Key, Any], wanted: set[Key]) -> set[Key]:
    found = set(wanted)
    waiting = list(wanted)
    while waiting:
        for needed in there[waiting.pop()].dependencies:
            key = (str(needed[0]), str(needed[1]))
            if key not in found:
                found.add(key)
                waiting.append(key)
    return found
