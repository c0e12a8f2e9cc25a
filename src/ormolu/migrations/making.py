"""makemigrations: compare the models with what the migration files create, and write what is missing."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from ormolu.migrations.files import Key, Migration, in_order, load, state_after
from ormolu.migrations.projects import Application, applications
from ormolu.migrations.states import CreateModel, MigrationError, label_of, operation_of
from ormolu.migrations.writer import source_of, text_of
from ormolu.models.registry import apps
from ormolu.near import near_names

__all__ = ["Written", "chosen", "make_migrations"]


class Written(NamedTuple):
    """A migration file that was written, or would be."""

    path: Path
    source: str
    operations: list[CreateModel]


def make_migrations(labels: Collection[str] = (), *, dry_run: bool = False) -> list[Written]:
    """Write a migration for each application that has models whose tables no migration creates; return them.

    Of all applications, or those in `labels`. No database is needed. With `dry_run` nothing is written. Raises
    MigrationError for a model that differs from what its migration says, and for an unknown label.
    """
    every = applications()
    wanted = chosen(every, labels)
    there = load(every)
    state = state_after(there)
    new: dict[str, list[CreateModel]] = {}
    for application in wanted:
        for model in _models(application):
            operation = operation_of(model)
            known = state.get(label_of(application.label, operation.name))
            if known is None:
                new.setdefault(application.label, []).append(operation)
            else:
                _compare(application.label, known[1], operation)
    names = {application.label: _next_name(there, application.label, new) for application in wanted}
    found: list[Written] = []
    needed: dict[Key, set[Key]] = {}
    for application in wanted:
        if operations := new.get(application.label):
            needs = _dependencies(application, operations, there, new, names)
            needed[application.label, names[application.label]] = needs
            initial = not any(label == application.label for label, _ in there)
            path = application.migrations_folder / f"{names[application.label]}.py"
            found.append(Written(path, source_of(operations, needs, initial), operations))
    _check_order(there, needed)
    for written in () if dry_run else found:
        written.path.parent.mkdir(exist_ok=True)
        (written.path.parent / "__init__.py").touch()
        written.path.write_text(written.source, encoding="utf-8")
    return found


def _check_order(there: Mapping[Key, type[Migration]], needed: Mapping[Key, set[Key]]) -> None:
    """Raise MigrationError where new migrations would need each other: then none of them could ever run."""
    new = {key: type("Migration", (Migration,), {"dependencies": list(keys)}) for key, keys in needed.items()}
    in_order({**there, **new})


def chosen(every: list[Application], labels: Collection[str]) -> list[Application]:
    """Return the applications of these labels, all where none is given. Raises MigrationError for an unknown one."""
    known = {application.label: application for application in every}
    for label in labels:
        if label not in known:
            close = near_names(label, known)
            hint = f"Did you mean {close[0]!r}?" if close else f"There are: {', '.join(known) or 'none'}."
            raise MigrationError(f"There is no application {label!r}. {hint}")
    return [known[label] for label in labels] or every


def _models(application: Application) -> list[Any]:
    models: list[Any] = (
        apps.get_app_config(application.label).get_models() if application.label in apps.all_models else []
    )
    return [model for model in models if not model._meta.proxy and not model._meta.swapped]


def _compare(app_label: str, old: CreateModel, new: CreateModel) -> None:
    before, now = _texts(old), _texts(new)
    changed = sorted(name for name in before.keys() | now.keys() if before.get(name) != now.get(name))
    if changed:
        raise MigrationError(
            f"{app_label}.{new.name} differs from its migration in: {', '.join(changed)}. Migrations create tables; "
            "change this one with Alembic, or connection.schema_editor(), and the migration with it."
        )


def _texts(operation: CreateModel) -> dict[str, str]:
    return {name: text_of(value, set()) for name, value in operation.parts().items()}


def _next_name(there: Any, label: str, new: Any) -> str:
    numbers = [int(name[:4]) for app, name in there if app == label and name[:4].isdigit()]
    if not numbers:
        return "0001_initial"
    created = "_".join(operation.name.lower() for operation in new.get(label, ()))[:40].strip("_")
    return f"{max(numbers) + 1:04d}_{created}"


def _dependencies(
    application: Application, operations: list[CreateModel], there: Any, new: Any, names: dict[str, str]
) -> set[Key]:
    label = application.label
    own = [key for key in there if key[0] == label]
    found: set[Key] = {own[-1]} if own else set()
    owners = {label_of(app, one.name): (app, names[app]) for app, made in new.items() for one in made}
    for app_and_name, migration in there.items():
        owners.update({label_of(app_and_name[0], one.name): app_and_name for one in migration.operations})
    for operation in operations:
        for target in operation.targets(label):
            key = owners.get(target)
            if key is not None and key[0] != label:
                found.add(key)
    return found
