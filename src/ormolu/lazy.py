"""The public names of packages: imported on first use (PEP 562, docs/decisions/0006), and told of a class."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any

__all__ = ["door", "home_of", "public_path"]

_paths: dict[type, str] = {}


def door(package: str, homes: Mapping[str, str]) -> tuple[Callable[[str], Any], Callable[[], list[str]]]:
    """Return `__getattr__` and `__dir__` for a package whose names live in modules of its own.

    `homes` has the names, separated by spaces, of each module; under "" stand modules that are names themselves,
    and with a leading "ormolu" a module elsewhere. A name is imported once, and is a plain attribute of the
    package from then on.
    """
    places = {name: home for home, names in homes.items() for name in names.split()}

    def find(name: str) -> Any:
        home = places.get(name)
        if home is None:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        if not home:
            return import_module(f"{package}.{name}")  # which becomes the package's attribute by itself
        elsewhere = home.partition(".")[0] == "ormolu"
        value = getattr(import_module(home if elsewhere else f"{package}.{home}"), name)
        setattr(sys.modules[package], name, value)
        return value

    def names() -> list[str]:
        return sorted({*vars(sys.modules[package]), *places})

    return find, names


def public_path(cls: type) -> str:
    """Return the dotted path by which a program imports a class.

    For a class of this library, that is the shortest package which lists it among its public names: `ormolu.CharField`,
    `ormolu.fields.validators.MinValueValidator`. It stays when files move. For any other class it is where the
    class is defined.
    """
    module, name = cls.__module__, cls.__qualname__
    if module.partition(".")[0] != "ormolu":
        return f"{module}.{name}"
    found = _paths.get(cls)
    if found is None:
        found = _paths[cls] = f"{home_of(cls)}.{name}"
    return found


def home_of(cls: type) -> str:
    """Return the package that a class of this library is imported from.

    One that is offered elsewhere than above its own file says so as its `public_home`.
    """
    elsewhere: str | None = getattr(cls, "public_home", None)
    if elsewhere is not None:
        return elsewhere
    parts = cls.__module__.split(".")
    for length in range(1, len(parts)):
        package = sys.modules[".".join(parts[:length])]
        names = getattr(package, "__all__", ())
        if cls.__name__ in names and getattr(package, cls.__name__) is cls:
            return package.__name__
    return cls.__module__
