"""A program's applications: packages with a module `models`, and their folders of migrations."""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ormolu import conf
from ormolu.conf import settings
from ormolu.migrations.states import MigrationError

__all__ = ["Application", "applications", "root_of"]

_SKIPPED = {"migrations", "node_modules", "__pycache__", "site-packages", "build", "dist"}


@dataclass(frozen=True)
class Application:
    """A package that has models."""

    label: str
    package: str
    folder: Path

    @property
    def migrations(self) -> str:
        """The package of its migrations: `migrations` inside of it, unless MIGRATION_MODULES says otherwise."""
        return str(settings.MIGRATION_MODULES.get(self.label) or f"{self.package}.migrations")

    @property
    def migrations_folder(self) -> Path:
        """The folder of its migrations, be it there or not."""
        package, _, name = self.migrations.rpartition(".")
        if package == self.package:
            return self.folder / name
        return Path(str(importlib.import_module(self.migrations).__file__)).parent


def root_of() -> Path:
    """Return the folder of the settings file, else the working directory."""
    for variable in conf.FILE_VARIABLES:
        named = os.environ.get(variable)
        if named and (named.endswith(".py") or os.sep in named):
            return Path(named).resolve().parent
        if named:
            module: Any = importlib.import_module(named)
            return Path(module.__file__).resolve().parent
    here = Path.cwd()
    for folder in (here, *here.parents):
        if (folder / "settings.py").is_file():
            return folder
        if (folder / "pyproject.toml").exists() or (folder / ".git").exists():
            break
    return here


def applications() -> list[Application]:
    """Return the applications, their models imported: those of INSTALLED_APPS, else all below the settings' folder."""
    for folder in (str(Path.cwd()), ""):
        if folder not in sys.path:
            sys.path.insert(0, folder)
    listed = list(settings.INSTALLED_APPS)  # before root_of(): it says what is wrong with the settings' name
    root = root_of()
    for folder in (str(root.parent), str(root)):
        if folder not in sys.path:
            sys.path.insert(0, folder)
    packages = listed or list(_packages_below(root))
    found: dict[str, Application] = {}
    for package in packages:
        application = _application(package)
        if application is None:
            continue
        other = found.setdefault(application.label, application)
        if other is not application:
            raise MigrationError(
                f"The packages {other.package!r} and {package!r} are both the application {application.label!r}. "
                "Name those that you mean in INSTALLED_APPS."
            )
    return list(found.values())


def _application(package: str) -> Application | None:
    """Import an application's models. None where a package has none."""
    module: Any = importlib.import_module(package)
    if not isinstance(getattr(module, "__file__", None), str):
        return None
    folder = Path(module.__file__).parent
    if not (folder / "models.py").is_file() and not (folder / "models").is_dir():
        return None
    importlib.import_module(f"{package}.models")
    return Application(package.rpartition(".")[2], package, folder)


def _packages_below(root: Path) -> Iterator[str]:
    for folder, names, files in os.walk(root):
        names[:] = sorted(name for name in names if _is_package(Path(folder) / name))
        if Path(folder) != root and "models.py" in files:
            yield ".".join(Path(folder).relative_to(root).parts)


def _is_package(folder: Path) -> bool:
    return folder.name.isidentifier() and folder.name not in _SKIPPED and (folder / "__init__.py").is_file()
