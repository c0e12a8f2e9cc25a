"""`app.database`, the names from before `app.db`: each still works, and says by a DeprecationWarning what to use.

As in the original, `get_session` here is a context manager of a synchronous Session, unlike `app.db`'s.
"""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

from ormolu.ports import foundation
from ormolu.ports.foundation.session import AsyncSessionLocal, SyncSessionLocal

if TYPE_CHECKING:
    from ormolu.ports.foundation import Base as Base
    from ormolu.ports.foundation import async_engine as async_engine
    from ormolu.ports.foundation import create_tables as create_db_tables
    from ormolu.ports.foundation import get_session as get_async_db
    from ormolu.ports.foundation import get_session as get_db
    from ormolu.ports.foundation import get_sync_session as get_session
    from ormolu.ports.foundation import sync_engine as engine

    SessionLocal = SyncSessionLocal

__all__ = [
    "AsyncSessionLocal",
    "Base",
    "SessionLocal",
    "async_engine",
    "create_db_tables",
    "engine",
    "get_async_db",
    "get_db",
    "get_session",
]

NOW = {
    "AsyncSessionLocal": "AsyncSessionLocal",
    "Base": "Base",
    "SessionLocal": "SyncSessionLocal",
    "async_engine": "async_engine",
    "create_db_tables": "create_tables",
    "engine": "sync_engine",
    "get_async_db": "get_session",
    "get_db": "get_session",
    "get_session": "get_sync_session",
}
"""The old names, and those that `ormolu.ports.foundation` has for the same."""

if not TYPE_CHECKING:
    del AsyncSessionLocal, SyncSessionLocal

    def __getattr__(name: str) -> Any:
        new = NOW.get(name)
        if new is None:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        warnings.warn(
            f"{name} of the old database module is deprecated: import {new} from {foundation.__name__}.",
            DeprecationWarning,
            stacklevel=2,
        )
        return getattr(foundation, new)
