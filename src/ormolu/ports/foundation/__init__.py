"""The SQLAlchemy 2 foundation layer's names: `app.db` becomes `ormolu.ports.foundation`.

`Base`, `get_session`, `get_sync_session`, `create_tables`, `create_tables_async`, `async_engine`, `sync_engine`, on the
database "default" of Ormolu's configuration: `DATABASE_URL`, or any other source of it.

As in the original, and unlike the rest of Ormolu:
- a class that derives from `Base` names its table: without `__tablename__` it is refused;
- the pool has 10 connections, and 20 more under load, pings before use, and renews after 1800 seconds, unless
  `DB_POOL_SIZE`, `DB_MAX_OVERFLOW`, `DB_POOL_TIMEOUT`, `DB_POOL_RECYCLE`, `DB_POOL_PRE_PING` or the database's entry
  say otherwise. That holds where this module is the first to use the database;
- values expire at a commit.

Other than in the original:
- engines are made when they are first used, not at import;
- `create_tables_async()` does not block the event loop;
- objects are equal when their rows are, and can be hashed; every class has `objects`, too.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ormolu.ports.foundation.base import Base
from ormolu.ports.foundation.session import (
    AsyncSessionLocal,
    SyncSessionLocal,
    get_async_session,
    get_session,
    get_sync_session,
)
from ormolu.ports.foundation.utils import create_tables, create_tables_async, drop_tables, drop_tables_async

if TYPE_CHECKING:
    from sqlalchemy import Engine
    from sqlalchemy.ext.asyncio import AsyncEngine

    async_engine: AsyncEngine
    sync_engine: Engine

__all__ = [
    "AsyncSessionLocal",
    "Base",
    "SyncSessionLocal",
    "async_engine",
    "create_tables",
    "create_tables_async",
    "drop_tables",
    "drop_tables_async",
    "get_async_session",
    "get_session",
    "get_sync_session",
    "sync_engine",
]

if not TYPE_CHECKING:

    def __getattr__(name: str) -> Any:
        if name in ("async_engine", "sync_engine"):
            from ormolu.ports.foundation import session

            return getattr(session, name)
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
