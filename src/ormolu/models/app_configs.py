"""The user's configurations of applications: which class is whose."""

from __future__ import annotations

import importlib
import importlib.util
from typing import Any


def config_class(entries: tuple[str, ...], label: str, base: type[Any]) -> Any:
    """Return the AppConfig class of an application among the entries of INSTALLED_APPS, None for none.

    An entry names such a class, or a package whose module `apps` has one, or several of which one has `default = True`.
    """
    for entry in entries:
        module, _, name = entry.rpartition(".")
        if module and name[:1].isupper():
            found = getattr(importlib.import_module(module), name, None)
            if found is not None and config_label(found) == label:
                return found
        elif name == label:
            found = only_config(entry, base)
            if found is not None and config_label(found) == label:
                return found
    return None


def config_label(config: Any) -> str:
    """Return the label of an application by its class: its own, or the last part of its name."""
    return str(getattr(config, "label", None) or getattr(config, "name", "").rpartition(".")[2])


def only_config(package: str, base: type[Any]) -> Any:
    """Return the AppConfig class of a package's module `apps`, None where there is none, or no telling which."""
    try:
        if importlib.util.find_spec(f"{package}.apps") is None:
            return None
        module = importlib.import_module(f"{package}.apps")
    except (ImportError, ValueError):
        return None
    found = [
        value
        for value in vars(module).values()
        if isinstance(value, type) and issubclass(value, base) and value is not base
    ]
    named = [config for config in found if vars(config).get("default", True)]
    if len(named) > 1:
        named = [config for config in named if vars(config).get("default") is True]
    return named[0] if len(named) == 1 else None
