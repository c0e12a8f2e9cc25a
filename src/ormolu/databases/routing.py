"""Which database a model is read from and written to, where the caller names none.

The setting DATABASE_ROUTERS lists routers: objects, or dotted paths of their classes. Each may have any of Django's
methods (`db_for_read`, `db_for_write`, `allow_relation`, `allow_migrate`); the first answer that isn't None counts.
Without one, objects that belong together stay on one database, and everything else is on "default".

Source: Django's documentation, "Multiple databases".
"""

from __future__ import annotations

from collections.abc import Iterable
from importlib import import_module
from typing import Any

from ormolu.conf import settings
from ormolu.exceptions import ImproperlyConfigured

__all__ = ["DEFAULT_DB_ALIAS", "ConnectionRouter", "router"]

DEFAULT_DB_ALIAS = "default"


class ConnectionRouter:
    """Asks the routers of the setting DATABASE_ROUTERS, or those that were given."""

    def __init__(self, routers: Iterable[Any] | None = None) -> None:
        self._fixed = None if routers is None else list(routers)
        self._given: Any = None
        self._routers: list[Any] = []

    @property
    def routers(self) -> list[Any]:
        """The routers, made of the setting."""
        given = settings.DATABASE_ROUTERS if self._fixed is None else self._fixed
        if given is not self._given:
            self._routers = [_load(item) if isinstance(item, str) else item for item in given]
            self._given = given
        return self._routers

    @routers.setter
    def routers(self, routers: Iterable[Any]) -> None:
        given = list(routers)
        self._fixed = None  # those that the setting names stay the setting's
        if given != self.routers:
            self._fixed = given

    @routers.deleter
    def routers(self) -> None:
        self._fixed = None  # those of the setting again

    def routers_given(self) -> Any:
        """Tell whether there are routers to ask, without making them."""
        return settings.DATABASE_ROUTERS if self._fixed is None else self._fixed

    def alias_to_read(self, model: Any, using: str | None, hints: dict[str, Any]) -> str:
        """Return the alias that a query reads: the one it names, else what the routers say, if there are any."""
        if using is None and not hints and self._fixed is None and not settings.DATABASE_ROUTERS:
            return DEFAULT_DB_ALIAS
        return using or self.db_for_read(model, **hints)

    def alias_to_write(self, model: Any, using: str | None, hints: dict[str, Any]) -> str:
        """Return the alias that a query writes to. See `alias_to_read()`."""
        if using is None and not hints and self._fixed is None and not settings.DATABASE_ROUTERS:
            return DEFAULT_DB_ALIAS
        return using or self.db_for_write(model, **hints)

    def db_for_read(self, model: Any, **hints: Any) -> str:
        """Return the alias that a model is read from."""
        return self._choose("db_for_read", model, hints)

    def db_for_write(self, model: Any, **hints: Any) -> str:
        """Return the alias that a model is written to."""
        return self._choose("db_for_write", model, hints)

    def _choose(self, action: str, model: Any, hints: dict[str, Any]) -> str:
        for one in self.routers:
            method = getattr(one, action, None)
            chosen = method(model, **hints) if method is not None else None
            if chosen:
                return str(chosen)
        instance = hints.get("instance")
        return (instance is not None and instance._state.db) or DEFAULT_DB_ALIAS

    def allow_relation(self, obj1: Any, obj2: Any, **hints: Any) -> bool:
        """Tell whether two objects may refer to each other: on one database, unless a router says otherwise."""
        for one in self.routers:
            method = getattr(one, "allow_relation", None)
            allowed = method(obj1, obj2, **hints) if method is not None else None
            if allowed is not None:
                return bool(allowed)
        return bool(obj1._state.db == obj2._state.db)

    def allow_migrate(self, db: str, app_label: str, **hints: Any) -> bool:
        """Tell whether a database has the tables of an application, or of the model in the hint `model_name`."""
        for one in self.routers:
            method = getattr(one, "allow_migrate", None)
            allowed = method(db, app_label, **hints) if method is not None else None
            if allowed is not None:
                return bool(allowed)
        return True

    def allow_migrate_model(self, db: str, model: Any) -> bool:
        """Tell whether a database has a model's table."""
        meta = model._meta
        return self.allow_migrate(db, meta.app_label, model_name=meta.model_name, model=model)


def _load(path: str) -> Any:
    """Make the router of a dotted path."""
    home, _, name = path.rpartition(".")
    try:
        return getattr(import_module(home), name)()
    except (ImportError, AttributeError, ValueError) as error:
        raise ImproperlyConfigured(
            f"DATABASE_ROUTERS names {path!r}, which can't be imported: {error}"
        ) from error


router = ConnectionRouter()
