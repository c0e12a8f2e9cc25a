"""SQLAlchemy's engines of the databases that are configured, for direct use."""

from __future__ import annotations

from typing import TYPE_CHECKING

import sqlalchemy as sa

from ormolu import databases
from ormolu.databases.database import Database

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncEngine

__all__ = ["async_engine", "open_database", "sync_engine"]


def sync_engine(alias: str = "default") -> sa.Engine:
    """Return the engine of a database for synchronous use. It is the one that querysets use. Nothing is connected.

    Raises ImproperlyConfigured for an alias that isn't configured, MissingExtra without the driver.
    """
    return databases.get(alias).engine


def async_engine(alias: str = "default") -> AsyncEngine:
    """Return the engine of a database for the running event loop. It is disposed of when that ends.

    Asked for where no loop runs, it is one that the program disposes of itself, and uses in one loop only.
    Raises ImproperlyConfigured for an alias that isn't configured, MissingExtra without the driver.
    """
    return databases.get(alias).async_engine


def open_database(alias: str = "default", **pool: float) -> Database:
    """Return a database; the first to ask for it may say what its pool is where nothing else does.

    `size`, `overflow`, `timeout`, `recycle` and `pre_ping` stand behind what the entry in DATABASES, its URL and the
    environment (`DB_POOL_SIZE`, ...) say, and before the library's own defaults. A database that is open stays as
    it is. Raises ImproperlyConfigured for an alias that isn't configured.
    """
    from ormolu.databases.config import pool_defaults

    with pool_defaults(**pool):
        return databases.get(alias)
