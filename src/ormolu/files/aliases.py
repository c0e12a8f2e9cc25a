"""The storages of the settings, by alias.

Source: Django's documentation, "File storage API" and the setting STORAGES.
"""

from __future__ import annotations

import threading
from importlib import import_module
from typing import Any

from ormolu.conf import settings
from ormolu.exceptions import ImproperlyConfigured
from ormolu.near import near_names

__all__ = ["DefaultStorage", "InvalidStorageError", "NamedStorage", "Storages", "default_storage", "storages"]


class InvalidStorageError(ImproperlyConfigured):
    """There is no such storage, or it can't be made."""


class Storages:
    """The storages of the setting `STORAGES`: `storages["default"]`. Each is made on first use."""

    def __init__(self) -> None:
        self._made: dict[str, Any] = {}
        self._lock = threading.RLock()
        settings.on_change(self._made.clear, "STORAGES")

    @property
    def backends(self) -> dict[str, Any]:
        """The setting."""
        found: dict[str, Any] = settings.STORAGES
        return found

    def __getitem__(self, alias: str) -> Any:
        """Return the storage of an alias. Raises InvalidStorageError, with the near miss."""
        found = self._made.get(alias)
        if found is None:
            with self._lock:
                found = self._made.get(alias)
                if found is None:
                    found = self._made[alias] = self._make(alias)
        return found

    def _make(self, alias: str) -> Any:
        backends = self.backends
        if alias == "default" and alias not in backends:  # there is always one
            from ormolu.files.filesystem import FileSystemStorage

            return FileSystemStorage()
        if alias not in backends:
            near = near_names(alias, backends)
            hint = f" Did you mean {near[0]!r}?" if near else ""
            raise InvalidStorageError(
                f"Could not find config for '{alias}' in settings.STORAGES.{hint} "
                f"It has: {', '.join(backends) or 'nothing'}."
            )
        return self.create_storage(backends[alias])

    def create_storage(self, params: dict[str, Any]) -> Any:
        """Return a new storage of a description as in STORAGES: `{"BACKEND": class or path, "OPTIONS": {...}}`."""
        options = dict(params)
        backend = options.pop("BACKEND", None)
        arguments = options.pop("OPTIONS", {})
        if backend is None:
            raise InvalidStorageError(f"A storage needs a BACKEND; it has: {', '.join(params) or 'nothing'}.")
        return (_import(backend) if isinstance(backend, str) else backend)(**arguments)


def _import(path: str) -> Any:
    module, _, name = path.rpartition(".")
    try:
        return getattr(import_module(module), name)
    except (ImportError, AttributeError, ValueError) as error:
        raise InvalidStorageError(f"Could not find backend {path!r}: {error}") from error


storages = Storages()
"""The storages of the settings."""


class NamedStorage:
    """Stands for the storage of an alias, found when it is used: settings may change until then."""

    def __init__(self, alias: str) -> None:
        self.alias = alias

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") or name == "alias":
            raise AttributeError(name)
        return getattr(storages[self.alias], name)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, NamedStorage) and other.alias == self.alias

    def __hash__(self) -> int:
        return hash(self.alias)

    def __repr__(self) -> str:
        return f"<storage {self.alias!r}>"


class DefaultStorage(NamedStorage):
    """Stands for the storage "default"."""

    def __init__(self) -> None:
        super().__init__("default")


default_storage: Any = DefaultStorage()
"""The storage "default" of the settings."""
