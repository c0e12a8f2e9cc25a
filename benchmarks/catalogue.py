"""List the libraries that are compared."""

from __future__ import annotations

from dataclasses import dataclass

from .schema import Kind

BOTH: tuple[Kind, ...] = ("sqlite", "postgres")
SQLITE: tuple[Kind, ...] = ("sqlite",)
POSTGRES: tuple[Kind, ...] = ("postgres",)


@dataclass(frozen=True)
class Library:
    """Describe one competitor.

    `module` is the adapter in `benchmarks.libraries`; `sqlite_driver` and `postgres_driver` name the bare
    driver under the library, for the second kind of ratio; `imports` is what a program with models imports.
    """

    name: str
    module: str
    title: str
    databases: tuple[Kind, ...] = BOTH
    asynchronous: bool = False
    floor: bool = False
    sqlite_driver: str = "raw"
    postgres_driver: str = "raw"
    imports: str = ""
    requirements: str = "requirements.txt"

    def driver(self, kind: Kind) -> str:
        """Return the name of the bare driver that this library works through."""
        return self.sqlite_driver if kind == "sqlite" else self.postgres_driver


def _async(
    name: str,
    module: str,
    title: str,
    driver: str = "raw_async",
    databases: tuple[Kind, ...] = BOTH,
    floor: bool = False,
    imports: str = "",
) -> Library:
    return Library(
        name,
        module,
        title,
        databases,
        asynchronous=True,
        floor=floor,
        sqlite_driver="raw_async",
        postgres_driver=driver,
        imports=imports,
    )


SYNC_FLOOR = "raw"

LIBRARIES: tuple[Library, ...] = (
    Library("raw", "raw", "sqlite3 / psycopg 3", floor=True, imports="import sqlite3"),
    _async("raw_async", "raw_async", "one-hop sqlite3 worker / asyncpg", floor=True),
    _async("raw_aiosqlite", "raw_aiosqlite", "aiosqlite, one hop a statement", databases=SQLITE, floor=True),
    _async(
        "raw_psycopg_async",
        "raw_psycopg_async",
        "psycopg 3, async",
        driver="raw_psycopg_async",
        databases=POSTGRES,
        floor=True,
    ),
    Library(
        "ormolu",
        "ormolu_sync",
        "Ormolu",
        imports="from ormolu import Model, CharField, ForeignKey, Q, F, Count, atomic, configure",
    ),
    _async("ormolu_async", "ormolu_async", "Ormolu, async"),
    _async(
        "ormolu_async_psycopg",
        "ormolu_async_psycopg",
        "Ormolu, async, on psycopg",
        driver="raw_psycopg_async",
        databases=POSTGRES,
    ),
    Library("sa_core", "sqlalchemy_core", "SQLAlchemy Core", imports="import sqlalchemy"),
    Library("sa_orm", "sqlalchemy_orm", "SQLAlchemy ORM", imports="import sqlalchemy.orm"),
    _async(
        "sa_async",
        "sqlalchemy_async",
        "SQLAlchemy ORM, async",
        imports="import sqlalchemy.orm, sqlalchemy.ext.asyncio",
    ),
    Library("django", "django_sync", "Django", imports="from django.db import models, transaction"),
    _async("django_async", "django_async", "Django, async (threads)", driver="raw"),
    Library("peewee", "peewee_sync", "Peewee", imports="import peewee"),
    _async("peewee_async", "peewee_async", "Peewee, async", imports="import playhouse.pwasyncio"),
    Library("pony", "pony_sync", "Pony (psycopg2)", imports="import pony.orm"),
    _async("tortoise", "tortoise_async", "Tortoise", imports="import tortoise.models"),
    _async("piccolo", "piccolo_async", "Piccolo", imports="import piccolo.table, piccolo.columns"),
    Library("dorm", "dorm_sync", "djanorm", imports="import dorm"),
    _async("dorm_async", "dorm_async", "djanorm, async", driver="raw_psycopg_async"),
)


def find(name: str) -> Library:
    """Return the library of this name; raises `LookupError` that lists the names."""
    for library in LIBRARIES:
        if library.name == name:
            return library
    raise LookupError(f"no library {name!r}; there are: {', '.join(library.name for library in LIBRARIES)}")


def select(names: list[str] | None, kind: Kind) -> list[Library]:
    """Return the libraries to run on this database, in the order of the catalogue, with the bare drivers."""
    known = {library.name for library in LIBRARIES}
    for name in names or ():
        if name not in known and not any(other.startswith(f"{name}_") for other in known):
            find(name)
    return [
        library
        for library in LIBRARIES
        if kind in library.databases
        and (
            names is None
            or library.floor
            or library.name in names
            or any(library.name.startswith(f"{name}_") for name in names)
        )
    ]
