"""The engine and sessions of `settings.DATABASES["default"]`.

`engine` is the one of the running event loop, made when it is first asked for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy.ext.asyncio import AsyncSession

from ormolu import sessions
from ormolu.ports.djast.settings import settings

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncEngine

    engine: AsyncEngine

__all__ = ["async_session_factory", "engine", "get_async_session"]


class _Sessions(sessions.AsyncSessionFactory):
    """Asynchronous sessions on the default database."""

    def __call__(self, **options: Any) -> AsyncSession:
        assert settings.DATABASES is not None  # there is a default one from now on
        return super().__call__(**options)


async_session_factory = _Sessions()

get_async_session = sessions.session_dependency(factory=async_session_factory)
"""FastAPI's dependency: commits when the endpoint returns, rolls back when it raises."""


if not TYPE_CHECKING:

    def __getattr__(name: str) -> Any:
        if name == "engine" and settings.DATABASES:
            return sessions.async_engine()
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
