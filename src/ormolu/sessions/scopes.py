"""A session for a `with` block: for workers, scripts and tests."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Generator
from contextlib import asynccontextmanager, contextmanager

from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Session

from ormolu.sessions.factories import AsyncSessionFactory, SessionFactory
from ormolu.sessions.settling import settled

__all__ = ["async_session_scope", "get_sync_session", "session_scope"]


@contextmanager
def session_scope(
    alias: str = "default", *, factory: Callable[[], Session] | None = None
) -> Generator[Session, None, None]:
    """Give a session; commit when the block ends well, roll back when it raises; close it in any case.

    It is one of `factory`, else on the database of this alias. The connection is taken by the first statement.
    Raises what the block or the commit raises.
    """
    session = SessionFactory(alias)() if factory is None else factory()
    try:
        session.begin()
        yield session
        session.commit()
    except BaseException:
        session.rollback()
        raise
    finally:
        session.close()


get_sync_session = session_scope
"""`session_scope()` by the name that Celery tasks use: `with get_sync_session() as session:`."""


@asynccontextmanager
async def async_session_scope(
    alias: str = "default", *, factory: Callable[[], AsyncSession] | None = None
) -> AsyncGenerator[AsyncSession, None]:
    """Give an asynchronous session for an `async with` block, as `session_scope()` does in synchronous code.

    A cancelled block is rolled back; the connection is in the pool again before the cancellation goes on.
    """
    session = AsyncSessionFactory(alias)() if factory is None else factory()
    try:
        await session.begin()
        yield session
        await settled(session.commit())
    except BaseException:
        await settled(session.rollback())
        raise
    finally:
        await settled(session.close())
