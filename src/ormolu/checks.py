"""Checks of what a program declares: `run_checks()` looks at all models, and at what else is registered.

    from ormolu import checks

    for message in checks.run_checks():
        print(message)

`Model.check()` and `field.check()` return the same for one model or field. `ormolu check` is this for the shell.

Source: Django's documentation, "System check framework".
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from importlib import import_module
from importlib.util import find_spec
from typing import Any, TypeVar

from ormolu.exceptions import ImproperlyConfigured
from ormolu.models.registry import apps
from ormolu.problems import (
    CRITICAL,
    DEBUG,
    ERROR,
    INFO,
    WARNING,
    CheckMessage,
    Critical,
    Debug,
    Error,
    Info,
    Warning,
)

__all__ = [
    "CRITICAL",
    "DEBUG",
    "ERROR",
    "INFO",
    "WARNING",
    "CheckMessage",
    "Critical",
    "Debug",
    "Error",
    "Info",
    "Warning",
    "import_models",
    "register",
    "run_checks",
    "tags_available",
]

F = TypeVar("F", bound=Callable[..., Any])

_registered: list[tuple[Callable[..., Any], tuple[str, ...]]] = []


def register(check: Any = None, *tags: str) -> Any:
    """Have a function of yours called by `run_checks()`: `@register`, or `@register("tag", ...)`.

    It is called with `app_configs` and `databases`, and returns a list of messages. Returns the function.
    """
    if callable(check):
        _registered.append((check, tags))
        return check
    names = tuple(str(tag) for tag in (check, *tags) if tag is not None)

    def decorate(function: F) -> F:
        _registered.append((function, names))
        return function

    return decorate


def import_models(modules: Iterable[str] = ()) -> list[str]:
    """Import modules, by default the `models` of each entry of the setting INSTALLED_APPS; return their names.

    Raises ImproperlyConfigured for one that isn't there.
    """
    names = list(modules)
    for name in names:
        try:
            import_module(name)
        except ModuleNotFoundError as error:
            if error.name is None or not f"{name}.".startswith(f"{error.name}."):
                raise
            raise ImproperlyConfigured(f"There is no module {name!r} to import models from.") from error
    if not names:
        for config in apps.get_app_configs():
            name = f"{config.name}.models"
            if find_spec(name) is not None:
                import_module(name)
                names.append(name)
    return names


def tags_available() -> set[str]:
    """Return the tags by which checks can be chosen: "models", and those of the registered functions."""
    return {"models", *(tag for _, tags in _registered for tag in tags)}


def run_checks(
    app_configs: Any = None,
    tags: Collection[str] | None = None,
    databases: Collection[str] | None = None,
) -> list[CheckMessage]:
    """Return what is wrong with the models, and what the registered functions find. No query.

    `app_configs` narrows it to the models of some applications, `tags` to the functions that have one of them
    ("models" is that of the models' own checks). With `databases`, aliases, what these can't do is found as well.
    """
    found: list[CheckMessage] = []
    if tags is None or "models" in tags:
        from ormolu.models.checks import check_models

        labels = None if app_configs is None else {config.label for config in app_configs}
        models = [model for model in apps.get_models() if labels is None or model._meta.app_label in labels]
        found += check_models(models, databases)
    for function, named in _registered:
        if tags is None or not set(tags).isdisjoint(named):
            found += function(app_configs=app_configs, databases=databases)
    return found
