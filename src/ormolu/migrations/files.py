"""Migration files: read, and put into an order in which each comes after those that it depends on."""

from __future__ import annotations

import importlib
import re
from collections.abc import Iterable, Mapping
from graphlib import CycleError, TopologicalSorter
from typing import Any, ClassVar

from ormolu.migrations.projects import Application
from ormolu.migrations.states import CreateModel, MigrationError, label_of

__all__ = ["Key", "Migration", "in_order", "load", "state_after"]

Key = tuple[str, str]
_NAME = re.compile(r"[a-z0-9]\w*$", re.IGNORECASE)


class Migration:
    """A migration file has one subclass, called `Migration`."""

    initial: ClassVar[bool | None] = None
    dependencies: ClassVar[list[Key]] = []
    """The migrations that come before this one, as (application, name)."""
    operations: ClassVar[list[Any]] = []


def load(applications: Iterable[Application]) -> dict[Key, type[Migration]]:
    """Import the migrations of applications, by application and name, in the order in which they run."""
    found: dict[Key, type[Migration]] = {}
    for application in applications:
        folder = application.migrations_folder
        if not folder.is_dir():
            continue
        importlib.invalidate_caches()
        for path in sorted(folder.glob("*.py")):
            if path.stem.startswith("_") or not _NAME.match(path.stem):
                continue
            module = importlib.import_module(f"{application.migrations}.{path.stem}")
            migration = getattr(module, "Migration", None)
            if not (isinstance(migration, type) and issubclass(migration, Migration)):
                raise MigrationError(
                    f"{path} has no class Migration that derives from ormolu.migrations.Migration."
                )
            for operation in migration.operations:
                if not isinstance(operation, CreateModel):
                    raise MigrationError(f"{path} has the operation {operation!r}; known is CreateModel.")
            found[application.label, path.stem] = migration
    return in_order(found)


def in_order(migrations: Mapping[Key, type[Migration]]) -> dict[Key, type[Migration]]:
    """Return migrations in an order that their dependencies allow. Raises MigrationError where there is none."""
    graph: dict[Key, list[Key]] = {}
    for key, migration in migrations.items():
        wanted = {(str(app), str(name)) for app, name in migration.dependencies}
        for missing in wanted - migrations.keys():
            raise MigrationError(f"{'.'.join(key)} depends on {'.'.join(missing)}, which does not exist.")
        graph[key] = sorted(wanted)  # the same order in every process
    try:
        return {key: migrations[key] for key in TopologicalSorter(graph).static_order()}
    except CycleError as error:
        names = " -> ".join(".".join(key) for key in error.args[1])
        raise MigrationError(f"Migrations depend on each other in a circle: {names}.") from None


def state_after(migrations: Mapping[Key, type[Migration]]) -> dict[str, tuple[str, CreateModel]]:
    """Return what migrations, in their order, have created: application and operation by label in lower case."""
    found: dict[str, tuple[str, CreateModel]] = {}
    for (app_label, name), migration in migrations.items():
        for operation in migration.operations:
            label = label_of(app_label, operation.name)
            if label in found:
                raise MigrationError(f"{app_label}.{name} creates {operation.name}, which is there already.")
            found[label] = app_label, operation
    return found
