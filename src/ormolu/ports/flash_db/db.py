"""The database, its sessions, and transactions. See the package."""

from __future__ import annotations

import functools
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any, ParamSpec, TypeVar, overload

from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.util import IdentitySet

from ormolu import databases
from ormolu.conf import settings
from ormolu.exceptions import (
    FieldError,
    ImproperlyConfigured,
    MultipleObjectsReturned,
    ObjectDoesNotExist,
    ValidationError,
)
from ormolu.sessions import AsyncSessionFactory
from ormolu.sessions.settling import settled

__all__ = ["atomic", "close_db", "get_db", "init_db", "let_go", "write"]

P = ParamSpec("P")
T = TypeVar("T")

COMMITS = "flash_db"
"""Key in a session's `info`: how many blocks of atomic() it is in. Where it stands, writes are committed at 0."""

REFUSED = (FieldError, MultipleObjectsReturned, ObjectDoesNotExist, ValidationError)
"""Errors of a write that was never sent. Rolled back, the objects read before would have to be loaded again."""

_sessions = AsyncSessionFactory(info={COMMITS: 0})


def init_db(database_url: str, *, echo: bool = False, **engine_options: Any) -> None:
    """Say which database is the default one. Nothing is connected.

    `echo` logs statements; `engine_options` are those of SQLAlchemy's `create_engine()`. A database that was configured
    before is closed and replaced. Raises ImproperlyConfigured for a URL that isn't understood, when it is first used.
    """
    options = {"echo": True, **engine_options} if echo else engine_options
    settings.DATABASES = {
        **settings.DATABASES,
        "default": {"URL": database_url, "ENGINE_OPTIONS": options},
    }


async def close_db() -> None:
    """Close the connections of the default database. It opens again when it is used."""
    if settings.DATABASES:
        await databases.get().aclose()


async def get_db() -> AsyncGenerator[AsyncSession, None]:
    """Give a session: `async for db in get_db()`, or FastAPI's `Depends(get_db)`.

    What is pending at the end, and wasn't committed, is lost: the managers' writes are committed by themselves.
    Raises RuntimeError where no database is configured.
    """
    try:
        session = _sessions()
    except ImproperlyConfigured as error:
        raise RuntimeError("No database: call init_db() first.") from error
    try:
        yield session
    finally:
        await settled(session.close())


async def settle(session: AsyncSession) -> None:
    """Commit what was written, where the session is one of get_db()'s and in no atomic() block; else flush."""
    if session.info.get(COMMITS) == 0:
        await settled(session.commit())
    else:
        await session.flush()


async def write(session: AsyncSession, work: Awaitable[T]) -> T:
    """Await a write, and settle it; return its result.

    One that fails leaves nothing behind where it would have been committed: the session can be used on. What was
    refused before anything was sent leaves the session as it was.
    """
    before = IdentitySet(session.dirty)
    try:
        found = await work
        await settle(session)
    except BaseException as error:
        if isinstance(error, REFUSED):
            let_go(session, session.dirty - before)
        elif session.info.get(COMMITS) == 0:
            await settled(session.rollback())
        raise
    return found


def let_go(session: AsyncSession, objects: Iterable[Any]) -> None:
    """Let objects whose values were refused leave a session of get_db()'s: its next flush would write them."""
    for one in objects if COMMITS in session.info else ():
        if one in session:
            session.expunge(one)


@overload
def atomic(target: AsyncSession) -> AbstractAsyncContextManager[AsyncSession]: ...
@overload
def atomic(target: Callable[P, Awaitable[T]]) -> Callable[P, Awaitable[T]]: ...
def atomic(target: Any) -> Any:
    """Make writes one whole: `async with atomic(db):`, or `@atomic` over a coroutine function that is given a session.

    Blocks inside of blocks are savepoints. The outermost one commits a session of `get_db()`.
    """
    if not callable(target) or isinstance(target, AsyncSession):
        return _block(target)

    @functools.wraps(target)
    async def whole(*args: Any, **kwargs: Any) -> Any:
        session = next((one for one in (*args, *kwargs.values()) if isinstance(one, AsyncSession)), None)
        if session is not None:
            function: Any = target
            async with _block(session):
                return await function(*args, **kwargs)
        raise TypeError(f"{target.__qualname__}() is atomic, but was given no session.")

    return whole


@asynccontextmanager
async def _block(session: AsyncSession) -> AsyncGenerator[AsyncSession, None]:
    owned = COMMITS in session.info
    if owned:
        session.info[COMMITS] += 1
    try:
        async with session.begin_nested():
            yield session
    except BaseException:
        if owned and session.info[COMMITS] == 1:
            await settled(session.rollback())
        raise
    finally:
        if owned:
            session.info[COMMITS] -= 1
    await settle(session)
