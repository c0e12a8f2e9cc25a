"""The models that exist, by label, and the relations that wait for one.

A registry (`Apps`) owns a SQLAlchemy registry and a MetaData. The global one is `apps`; tests and libraries may have
their own: `class Meta: apps = Apps()` on an abstract base or a model.
"""

from __future__ import annotations

import contextlib
import os
import sys
import warnings
from collections.abc import Callable, Generator, Iterable, Iterator
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.orm import registry as SQLAlchemyRegistry

from ormolu.near import near_names
from ormolu.schema.names import NAMING_CONVENTION
from ormolu.signals import use_registry

if TYPE_CHECKING:
    from ormolu.models.base import Model

ModelKey = tuple[str, str]


class AppConfig:
    """An application: a label, and the models that have it.

    A subclass with a `name`, in the module `apps` of that package or named by an entry of INSTALLED_APPS, says with
    `default_auto_field` which primary key the application's models get that declare none.
    """

    if TYPE_CHECKING:
        name: str
        label: str
        default_auto_field: str | None

    def __init__(self, apps: Apps, label: str) -> None:
        self.apps = apps
        self.label = label
        self.name = getattr(type(self), "name", label)

    def __repr__(self) -> str:
        return f"<AppConfig: {self.label}>"

    @property
    def path(self) -> str:
        """The folder of the first model's module; empty where that has no file."""
        for model in self.models.values():
            file = getattr(sys.modules.get(model.__module__), "__file__", None)
            return os.path.dirname(os.path.abspath(file)) if file else ""
        return ""

    @property
    def models(self) -> dict[str, type[Model]]:
        """The application's models by lower-case name."""
        return self.apps.get_app_models(self.label)

    def get_models(
        self, include_auto_created: bool = False, include_swapped: bool = False
    ) -> list[type[Model]]:
        """Return the application's models."""
        return chosen(self.models.values(), include_auto_created, include_swapped)

    def get_model(self, model_name: str, require_ready: bool = True) -> type[Model]:
        """Return a model of this application. Raises LookupError."""
        return self.apps.get_model(self.label, model_name)


class Apps:
    """Hold models by application label and name, and resolve relations to models that come later."""

    def __init__(
        self, installed_apps: Iterable[str] | None = None, metadata: sa.MetaData | None = None
    ) -> None:
        """Make a registry, empty, with a MetaData of its own unless one is given.

        `installed_apps` are its own INSTALLED_APPS; None stands for those of the settings.
        """
        self.installed_apps = None if installed_apps is None else tuple(installed_apps)
        self.metadata = metadata if metadata is not None else sa.MetaData(naming_convention=NAMING_CONVENTION)
        self.sa_registry = SQLAlchemyRegistry(metadata=self.metadata)
        self.all_models: dict[str, dict[str, type[Model]]] = {}
        self.version = 0
        """Grows whenever a model or a relation is added: caches of names compare it."""
        self._stored_apps: list[Any] = []
        self._pending_operations: dict[ModelKey, list[Callable[[type[Model]], None]]] = {}
        self.ready = self.apps_ready = self.models_ready = True

    def __repr__(self) -> str:
        return f"<Apps: {sum(map(len, self.all_models.values()))} models>"

    def get_model(self, app_label: str, model_name: str | None = None) -> type[Model]:
        """Return the model named `"label.Name"` or by its two parts.

        Raises LookupError with the near misses when there is none.
        """
        if model_name is None:
            app_label, _, model_name = app_label.rpartition(".")
        model = self.all_models.get(app_label, {}).get(model_name.lower())
        if model is None:
            label = f"{app_label}.{model_name}" if app_label else model_name
            raise LookupError(f"There is no model '{label}'.{self.near_misses(label)}")
        return model

    get_registered_model = get_model

    def get_models(
        self, include_auto_created: bool = False, include_swapped: bool = False
    ) -> list[type[Model]]:
        """Return all concrete models, without the automatic models of many-to-many relations unless asked for."""
        return chosen(self._models(), include_auto_created, include_swapped)

    def get_app_models(self, app_label: str) -> dict[str, type[Model]]:
        """Return the models of one application, by lower-case name."""
        return dict(self.all_models.get(app_label, {}))

    def get_app_configs(self) -> list[AppConfig]:
        """Return the applications that have models."""
        return [self.get_app_config(label) for label in self.all_models]

    def get_app_config(self, app_label: str) -> AppConfig:
        """Return an application by its label. Raises LookupError if it has no models."""
        if app_label not in self.all_models:
            raise LookupError(f"No installed app with label {app_label!r}.")
        return (self.config_class(app_label) or AppConfig)(self, app_label)

    @property
    def app_configs(self) -> dict[str, AppConfig]:
        """The applications that have models, by label."""
        return {label: self.get_app_config(label) for label in self.all_models}

    def get_containing_app_config(self, object_name: str) -> AppConfig | None:
        """Return the application whose package holds a module or an object of this dotted name, None for none."""
        holding = [c for c in self.get_app_configs() if f"{object_name}.".startswith(f"{c.name}.")]
        return max(holding, key=lambda config: len(config.name), default=None)

    def config_class(self, app_label: str) -> Any:
        """Return the user's AppConfig class of an application, None for none."""
        from ormolu.conf import settings

        entries = settings.INSTALLED_APPS if self.installed_apps is None else self.installed_apps
        if not entries:
            return None
        from ormolu.models.app_configs import config_class

        return config_class(tuple(entries), app_label, AppConfig)

    def is_installed(self, app_name: str) -> bool:
        """Tell whether an application of this label has models."""
        return app_name.rpartition(".")[2] in self.all_models

    def set_installed_apps(self, installed: Iterable[str]) -> None:
        """Have another setting INSTALLED_APPS until `unset_installed_apps()`; for tests. Models stay what they are."""
        from ormolu.conf import settings

        self._stored_apps.append(settings.INSTALLED_APPS)
        settings.INSTALLED_APPS = list(installed)

    def unset_installed_apps(self) -> None:
        """Take back the last `set_installed_apps()`."""
        from ormolu.conf import settings

        settings.INSTALLED_APPS = self._stored_apps.pop()

    def get_swappable_settings_name(self, to_string: str) -> str | None:
        """Return the name of the setting by which a model of this label can be, or was, put in another's place."""
        label = to_string.lower()
        for model in self._models():
            meta = model._meta
            if meta.swappable and label in (meta.label_lower, (meta.swapped or "").lower()):
                return str(meta.swappable)
        return None

    def near_misses(self, label: str) -> str:
        """Return ` Did you mean ...?` for a label that isn't known, or an empty text."""
        labels = [m._meta.label for m in self._models()]
        by_name: dict[str, list[str]] = {}
        for known in labels:
            by_name.setdefault(known.rpartition(".")[2].lower(), []).append(known)
        close = near_names(label.rpartition(".")[2].lower(), by_name, n=2)
        found = sorted(known for name in close for known in by_name[name])
        return f" Did you mean {' or '.join(map(repr, found))}?" if found else ""

    def register_model(self, app_label: str, model: type[Model]) -> None:
        """Add a model and resolve the relations that waited for it. A model of the same label must be gone."""
        key = (app_label, model.__name__.lower())
        self.all_models.setdefault(app_label, {})[key[1]] = model
        self.clear_cache()
        for function in self._pending_operations.pop(key, ()):
            function(model)

    def replaced_by(self, app_label: str, model: type[Any]) -> type[Model] | None:
        """Return the registered model that the class about to be created takes the place of, if any.

        A class of the same name and module replaces the old one (a notebook cell that ran again). From another
        module it is a conflict: RuntimeError.
        """
        old = self.all_models.get(app_label, {}).get(model.__name__.lower())
        if old is None:
            return None
        if old.__name__ != model.__name__ or old.__module__ != model.__module__:
            raise RuntimeError(
                f"Conflicting '{model.__name__.lower()}' models in application '{app_label}': "
                f"{old.__module__}.{old.__qualname__} and {model.__module__}.{model.__qualname__}. "
                "Rename one, or give it another Meta.app_label."
            )
        if not (model.__module__ == "__main__" or "<locals>" in model.__qualname__ or hasattr(sys, "ps1")):
            warnings.warn(
                f"Model '{old._meta.label}' was already registered. Its second definition in {model.__module__} "
                "replaces the first.",
                RuntimeWarning,
                stacklevel=6,
            )
        return old

    def unregister(self, model: type[Model]) -> None:
        """Forget a model and its table, so that another can take its label."""
        meta = model._meta
        self.all_models.get(meta.app_label, {}).pop(meta.model_name, None)
        if not meta.proxy and self.metadata.tables.get(meta.table.key) is meta.table:
            self.metadata.remove(meta.table)
        self.clear_cache()

    def lazy_model_operation(self, function: Callable[..., Any], *model_keys: ModelKey) -> None:
        """Call `function(*models)` as soon as all the models named by (app_label, model_name) exist."""
        if not model_keys:
            function()
            return
        (app_label, name), *more = model_keys

        def found(model: type[Model]) -> None:
            self.lazy_model_operation(lambda *rest: function(model, *rest), *more)

        known = self.all_models.get(app_label, {}).get(name.lower())
        if known is not None:
            found(known)
        else:
            self._pending_operations.setdefault((app_label, name.lower()), []).append(found)

    @property
    def waiting(self) -> list[str]:
        """The labels of models that something waits for."""
        return [f"{app_label}.{name}" if app_label else name for app_label, name in self._pending_operations]

    def check_resolved(self) -> None:
        """Raise UnresolvedRelation, with the near misses, if a relation refers to a model that doesn't exist.

        For when all models are imported: in a test, or where a program starts.
        """
        for model in self._models():
            for field in (*model._meta.local_fields, *model._meta.local_many_to_many):
                if field.is_relation and not field.is_resolved:
                    field.unresolved()

    def clear_cache(self) -> None:
        """Make every model forget what it derived from the set of models."""
        self.version += 1

    def _models(self) -> Iterator[type[Model]]:
        for models in list(self.all_models.values()):
            yield from list(models.values())


def chosen(models: Iterable[Any], auto_created: bool, swapped: bool) -> list[Any]:
    """Return models, without the automatic and the swapped ones unless these are asked for."""
    return [
        m for m in models if (auto_created or not m._meta.auto_created) and (swapped or not m._meta.swapped)
    ]


apps = Apps()

_isolated: ContextVar[Apps | None] = ContextVar("ormolu_isolated_apps", default=None)


def current() -> Apps:
    """Return the registry of models that are defined here and name none themselves."""
    return _isolated.get() or apps


@contextlib.contextmanager
def isolated(registry: Apps | None = None) -> Generator[Apps, None, None]:
    """Let models that are defined inside the `with` block belong to a registry of their own; for tests.

    Also a decorator: `@isolated()`. They can refer to the models outside by class. At the end of the block those
    outside forget them, unless a registry was given, whose models stay. Gives the registry.
    """
    chosen = registry or Apps()
    token = _isolated.set(chosen)
    try:
        yield chosen
    finally:
        _isolated.reset(token)
        if registry is None:
            from ormolu.models.replacing import detach

            detach(chosen)


use_registry(current)
