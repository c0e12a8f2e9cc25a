"""Public names of a package that are imported on first use (PEP 562). See docs/decisions/0006."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any

__all__ = ["door"]


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
