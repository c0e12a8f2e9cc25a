"""Which database an object's queries go to."""

from __future__ import annotations

from typing import Any

from ormolu.databases.routing import DEFAULT_DB_ALIAS, router


def write_alias(instance: Any) -> str:
    """Return the alias that an instance is written to: as the routers say, else where it is from."""
    if router.routers_given():
        return router.db_for_write(type(instance), instance=instance)
    return _own_alias(instance)


def read_alias(instance: Any) -> str:
    """Return the alias that an instance is read from again: as the routers say, else where it is from."""
    if router.routers_given():
        return router.db_for_read(type(instance), instance=instance)
    return _own_alias(instance)


def _own_alias(instance: Any) -> str:
    """Return the alias of the database that an instance belongs to."""
    values: dict[str, Any] = instance.__dict__
    return values.get("_db") or values.get("_using") or DEFAULT_DB_ALIAS
