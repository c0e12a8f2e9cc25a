"""Alembic's autogenerate: what `create_tables()` makes is what it expects."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.operations import Operations
from alembic.runtime import plugins

from ecosystem.library import MODELS as MODELS
from ecosystem.library import EcoAuthor, EcoBook
from ormolu import databases
from ormolu.contrib import alembic as plugin

# The metadata has the models of all tests that run in this process, and some refer to each other.
pytestmark = pytest.mark.filterwarnings("ignore:Cannot correctly sort tables:sqlalchemy.exc.SAWarning")


@pytest.fixture(autouse=True)
def registered() -> None:
    """Register the plugin where Ormolu is not installed as a package."""
    if plugin.NAME not in plugins._all_plugins:
        plugins.Plugin.setup_plugin_from_module(plugin, plugin.NAME)  # type: ignore[arg-type]


def differences(connection: sa.Connection) -> list[Any]:
    """Return what autogenerate would write for the tables of these tests."""
    mine = {model.__table__.name for model in MODELS} | {EcoBook.tags.through.__table__.name}
    options = {
        "compare_type": True,
        "include_name": lambda name, kind, parents: kind != "table" or name in mine,
        "include_object": lambda found, name, kind, reflected, other: kind != "table" or name in mine,
    }
    found: list[Any] = compare_metadata(
        MigrationContext.configure(connection, opts=options), EcoBook.metadata
    )
    return found


def test_no_difference_after_create_tables(db: Any) -> None:
    """With types compared, there is nothing to do."""
    with databases.get().engine.connect() as connection:
        assert differences(connection) == []


@pytest.mark.changes_tables
def test_differences_are_seen(db: Any) -> None:
    """A missing column, and an index that PostgreSQL alone has, are written where they belong."""
    with databases.get().engine.begin() as connection:
        operations = Operations(MigrationContext.configure(connection))
        operations.drop_column("eco_ecoauthor", "born")
        if db.vendor == "postgresql":
            connection.exec_driver_sql(
                f"DROP INDEX {next(i.name for i in EcoBook.__table__.indexes if 'like' in i.name)}"
            )
        found = differences(connection)
        kinds = sorted(change[0] for change in found)
        assert kinds == (["add_column", "add_index"] if db.vendor == "postgresql" else ["add_column"])
        operations.add_column("eco_ecoauthor", EcoAuthor.__table__.c.born._copy())
        assert [change[0] for change in differences(connection)] == kinds[1:]
