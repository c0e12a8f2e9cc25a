"""The primary key that a model gets which declares none: from its application's configuration, else the settings."""

from __future__ import annotations

import importlib
import importlib.util
from functools import lru_cache
from typing import Any

from ormolu.conf import settings
from ormolu.exceptions import ImproperlyConfigured

SETTING = "DEFAULT_AUTO_FIELD"


def default_key(meta: Any) -> Any:
    """Return a new primary key for a model.

    Its class is what `default_auto_field` of the application's AppConfig names, else the setting DEFAULT_AUTO_FIELD: by
    a dotted path, or a name of Ormolu's own. Raises ImproperlyConfigured where there is no such class, ValueError where
    it is no automatic field.
    """
    config = meta.apps.config_class(meta.app_label)
    if config is not None and hasattr(config, "default_auto_field"):
        path, source = (
            config.default_auto_field,
            f"{config.__module__}.{config.__qualname__}.default_auto_field",
        )
    else:
        path, source = settings.DEFAULT_AUTO_FIELD, SETTING
    return key_class(path, source)(verbose_name="ID", primary_key=True, auto_created=True)


def key_class(path: str | None, source: str) -> Any:
    """Return the class of a path; `source` is where it stands, for errors."""
    if not path:
        raise ImproperlyConfigured(f"{source} must not be empty.")
    found: Any = imported(path)
    if found is None:
        raise ImproperlyConfigured(f"{source} refers to the module '{path}' that could not be imported.")
    from ormolu.fields.autos import AutoFieldMixin

    base: Any = AutoFieldMixin
    if not (isinstance(found, type) and issubclass(found, base)):
        raise ValueError(f"Primary key '{path}' referred by {source} must subclass AutoField.")
    return found


@lru_cache(maxsize=64)
def imported(path: str) -> Any:
    """Return what a path names, None for nothing. A name without a module, or with Django's, is one of ours."""
    from ormolu import fields

    module, _, name = path.rpartition(".")
    if module in ("", "ormolu", "django.db.models"):
        return getattr(fields, name, None)
    try:
        return getattr(importlib.import_module(module), name, None)
    except ImportError:
        return None


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
