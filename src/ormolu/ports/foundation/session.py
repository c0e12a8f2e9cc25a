"""Engines and sessions. See the package."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager, AbstractContextManager
from typing import TYPE_CHECKING, Any

from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Session

from ormolu import sessions
from ormolu.databases.database import Database

if TYPE_CHECKING:
    from sqlalchemy import Engine
    from sqlalchemy.ext.asyncio import AsyncEngine

    async_engine: AsyncEngine
    sync_engine: Engine

__all__ = [
    "AsyncSessionLocal",
    "SyncSessionLocal",
    "async_engine",
    "get_async_session",
    "get_session",
    "get_sync_session",
    "sync_engine",
]

POOL = {"size": 10, "overflow": 20, "timeout": 30.0, "recycle": 1800, "pre_ping": True}


def database() -> Database:
    """Return the default database, with the original's pool where nothing says another one."""
    return sessions.open_database("default", **POOL)


class _Sessions(sessions.SessionFactory):
    """`SyncSessionLocal`: synchronous sessions, whose objects expire at a commit."""

    def __call__(self, **options: Any) -> Session:
        database()
        return super().__call__(**options)


class _AsyncSessions(sessions.AsyncSessionFactory):
    """`AsyncSessionLocal`: asynchronous sessions, whose objects expire at a commit."""

    def __call__(self, **options: Any) -> AsyncSession:
        database()
        return super().__call__(**options)


SyncSessionLocal = _Sessions(expire_on_commit=True)
AsyncSessionLocal = _AsyncSessions(expire_on_commit=True)

get_session = sessions.session_dependency(factory=AsyncSessionLocal)
"""FastAPI's dependency: one transaction for each request. See `ormolu.sessions.get_session()`."""


def get_async_session() -> AbstractAsyncContextManager[AsyncSession]:
    """Give an asynchronous session for an `async with` block, which is one transaction."""
    return sessions.async_session_scope(factory=AsyncSessionLocal)


def get_sync_session() -> AbstractContextManager[Session]:
    """Give a session for a `with` block, which is one transaction: for Celery's tasks, and scripts."""
    return sessions.session_scope(factory=SyncSessionLocal)


if not TYPE_CHECKING:

    def __getattr__(name: str) -> Any:
        if name == "sync_engine":
            return database().engine
        if name == "async_engine":
            return database().async_engine
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
