"""Which database an object's queries go to."""

from __future__ import annotations

from typing import Any

from ormolu.databases.routing import router


def write_alias(instance: Any) -> str:
    """Return the alias that an instance is written to: as the routers say, else where it is from."""
    return router.db_for_write(type(instance), instance=instance)


def read_alias(instance: Any) -> str:
    """Return the alias that an instance is read from again: as the routers say, else where it is from."""
    return router.db_for_read(type(instance), instance=instance)
