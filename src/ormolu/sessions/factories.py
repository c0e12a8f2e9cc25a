"""Session factories on the databases that are configured. The engine is found when a session is made, not before."""

from __future__ import annotations

from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker
from sqlalchemy.orm import Session, sessionmaker

from ormolu import databases

__all__ = ["AsyncSessionFactory", "SessionFactory", "async_session_factory", "session_factory"]

ALIAS = "ormolu_alias"
"""Key in a session's `info`: the alias of its database."""


class SessionFactory(sessionmaker[Session]):
    """A `sessionmaker` whose sessions are on the engine of an alias: `with session_factory() as session:`.

    Objects keep their values after a commit (`expire_on_commit=False`), unless the factory is told otherwise.
    Every other option is `sessionmaker`'s. Another configuration of the databases is followed.
    """

    def __init__(self, alias: str = "default", **options: Any) -> None:
        super().__init__(**_options(alias, options))
        self.alias = alias

    def __call__(self, **options: Any) -> Session:
        """Make a session. Nothing is connected. Raises ImproperlyConfigured if the alias isn't configured."""
        if options.get("bind") is None and self.kw.get("bind") is None:
            options["bind"] = databases.get(self.alias).engine
        return super().__call__(**options)


class AsyncSessionFactory(async_sessionmaker[AsyncSession]):
    """The same for asynchronous sessions, on the engine of the running event loop."""

    def __init__(self, alias: str = "default", **options: Any) -> None:
        super().__init__(**_options(alias, options))
        self.alias = alias

    def __call__(self, **options: Any) -> AsyncSession:
        """Make a session. Nothing is connected. Raises ImproperlyConfigured if the alias isn't configured."""
        if options.get("bind") is None and self.kw.get("bind") is None:
            options["bind"] = databases.get(self.alias).async_engine
        return super().__call__(**options)


def _options(alias: str, given: dict[str, Any]) -> dict[str, Any]:
    info = {ALIAS: alias, **given.pop("info", {})}
    return {"expire_on_commit": False, **given, "info": info}


session_factory = SessionFactory()
"""Sessions on the database "default"."""

async_session_factory = AsyncSessionFactory()
"""Asynchronous sessions on the database "default"."""
