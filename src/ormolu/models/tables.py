"""create_tables() and drop_tables(): the tables of models, made without migrations."""

from __future__ import annotations

from collections.abc import Generator, Iterable
from typing import Any

import sqlalchemy as sa

from ormolu import databases
from ormolu.databases.routing import router
from ormolu.models.registry import Apps
from ormolu.models.registry import apps as default_apps
from ormolu.programs import Execute, Fetch, atomically
from ormolu.schema.statements import rendered, statements_for

Program = Generator[Any, Any, Any]

# Databases that undo DDL when a transaction fails.
_TRANSACTIONAL = frozenset({"sqlite", "postgresql"})


def create_tables(*models: Any, using: str = "default", apps: Apps | None = None) -> list[str]:
    """Create the tables of these models, or of all models, that aren't there yet; return their names.

    With them their indexes, constraints and many-to-many tables. One SELECT, one statement for each table and index;
    in one transaction where the database can. Raises UnresolvedRelation where a model refers to one that doesn't exist.
    """
    tables = tables_of(models, using, apps)
    created: list[str] = databases.get(using).driver.run(_create, tables)
    return created


async def acreate_tables(*models: Any, using: str = "default", apps: Apps | None = None) -> list[str]:
    """Create the tables of these models, or of all models. See `create_tables()`."""
    tables = tables_of(models, using, apps)
    created: list[str] = await databases.get(using).adriver.arun(_create, tables)
    return created


def drop_tables(*models: Any, using: str = "default", apps: Apps | None = None) -> list[str]:
    """Drop the tables of these models, or of all models, that are there; return their names. Rows are lost."""
    tables = tables_of(models, using, apps)
    dropped: list[str] = databases.get(using).driver.run(_drop, tables)
    return dropped


async def adrop_tables(*models: Any, using: str = "default", apps: Apps | None = None) -> list[str]:
    """Drop the tables of these models, or of all models. See `drop_tables()`."""
    tables = tables_of(models, using, apps)
    dropped: list[str] = await databases.get(using).adriver.arun(_drop, tables)
    return dropped


def tables_of(models: Iterable[Any], using: str, apps: Apps | None = None) -> list[sa.Table]:
    """Return the tables of models, with those of their many-to-many relations and of parents.

    Of all models when none are given, with the tables that stand in the same MetaData without a model.
    """
    chosen = list(models)
    for model in chosen:
        if not hasattr(model, "_meta"):
            raise TypeError(
                f"The models are given one by one, as classes: create_tables(Author, Book), not {model!r}."
            )
    registry = apps or (chosen[0]._meta.apps if chosen else default_apps)
    every = registry.get_models(include_auto_created=True)
    wanted = chosen or every
    found: dict[sa.Table, None] = {}
    for model in wanted:
        _add(found, model, using)
    if not chosen:
        of_models = {model._meta.table for model in every}
        found.update((table, None) for table in registry.metadata.tables.values() if table not in of_models)
    return list(found)


def _add(found: dict[sa.Table, None], model: Any, using: str) -> None:
    from ormolu.models.state import raise_unresolved

    meta = model._meta
    if meta.proxy:
        return _add(found, meta.concrete_model, using)
    for parent in meta.parents:
        _add(found, parent, using)
    if meta.table in found:
        return None
    if not router.allow_migrate(using, meta.app_label, model_name=meta.model_name, model=model):
        return None
    made = meta.can_migrate() and _is_for(meta, using)
    if made:
        if not all(
            field.is_resolved for field in (*meta.local_fields, *meta.local_many_to_many) if field.is_relation
        ):
            raise_unresolved(model)
        found[meta.table] = None
    # An unmanaged model's, too: the table between it and a managed one is made.
    for field in meta.local_many_to_many:
        if not (made or field.is_resolved):
            continue
        through = field.remote_field.through
        if through._meta.auto_created:
            _add(found, through, using)
    return None


def _is_for(meta: Any, using: str) -> bool:
    """Tell whether a model is for the kind of database that an alias stands for (`Meta.required_db_vendor`)."""
    vendor = meta.required_db_vendor
    return vendor is None or vendor == databases.get(using).vendor


def statements(dialect: sa.Dialect, tables: list[sa.Table], drop: bool = False) -> list[str]:
    """Return the SQL that creates or drops tables, in an order that foreign keys allow, the same in every process."""
    return [rendered(element, dialect) for element in statements_for(dialect, tables, drop)]


def _create(driver: Any, tables: list[sa.Table]) -> Program:
    there = yield from _existing(driver)
    missing = [table for table in tables if table.name not in there]
    yield from _execute(driver, statements(driver.dialect, missing))
    return [table.name for table in missing]


def _drop(driver: Any, tables: list[sa.Table]) -> Program:
    there = yield from _existing(driver)
    present = [table for table in tables if table.name in there]
    yield from _execute(driver, statements(driver.dialect, present, drop=True))
    return [table.name for table in present]


def _execute(driver: Any, made: list[str]) -> Program:
    if driver.dialect.name in _TRANSACTIONAL:
        yield from atomically(_all(driver, made))
    else:
        yield from _all(driver, made)


def _all(driver: Any, made: list[str]) -> Program:
    for sql in made:
        yield Execute(sql, driver.no_params)


def _existing(driver: Any) -> Program:
    """Return the names of the tables that the database has."""
    match driver.dialect.name:
        case "sqlite":
            sql = "SELECT name FROM sqlite_master WHERE type = 'table'"
        case "postgresql":
            sql = "SELECT tablename FROM pg_catalog.pg_tables WHERE schemaname = ANY (current_schemas(false))"
        case "mysql" | "mariadb":
            sql = "SELECT table_name FROM information_schema.tables WHERE table_schema = database()"
        case _:
            sql = "SELECT table_name FROM information_schema.tables"
    return {row[0] for row in (yield Fetch(sql, ()))}
