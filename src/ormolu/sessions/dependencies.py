"""Sessions as FastAPI's dependencies: one transaction for each request.

FastAPI ends a dependency after the response was sent. Too late for a commit that may fail, and while a response
streams the session would hold its connection all the time. So the transaction ends when the endpoint's function
has returned: committed, or rolled back where it raised; its connection is free from then on. A response that
streams may go on using the session: it takes a connection again when it asks, and what that writes is committed
after the response.

Each is an asynchronous generator (or a plain one) that needs no framework: `asynccontextmanager(get_session)` works.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Generator
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Any

from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Session

from ormolu.sessions.scopes import async_session_scope, session_scope
from ormolu.sessions.settling import settled

if TYPE_CHECKING:
    from starlette.requests import HTTPConnection
else:
    try:
        from starlette.requests import HTTPConnection
    except ImportError:  # nobody will inject it
        HTTPConnection = Any

__all__ = [
    "get_async_session",
    "get_session",
    "get_threaded_session",
    "session_dependency",
    "threaded_session_dependency",
]

STACK = "fastapi_function_astack"
"""Where FastAPI has what ends with the endpoint's function."""
NOBODY: Any = None


def session_dependency(
    alias: str = "default", *, factory: Callable[[], AsyncSession] | None = None
) -> Callable[..., AsyncGenerator[AsyncSession, None]]:
    """Return a dependency that gives an AsyncSession of `factory`, else on the database of an alias.

    `Depends(session_dependency("reports"))`: make it once, so that all of a request share one. See `get_session()`.
    """

    async def dependency(connection: HTTPConnection = NOBODY) -> AsyncGenerator[AsyncSession, None]:
        async with async_session_scope(alias, factory=factory) as session:
            _end_with_endpoint(connection, session.commit, session.rollback)
            yield session

    return dependency


def threaded_session_dependency(
    alias: str = "default", *, factory: Callable[[], Session] | None = None
) -> Callable[..., Generator[Session, None, None]]:
    """Return a dependency that gives a Session, for endpoints with a plain `def`. See `get_threaded_session()`."""

    def dependency(connection: HTTPConnection = NOBODY) -> Generator[Session, None, None]:
        with session_scope(alias, factory=factory) as session:
            _end_with_endpoint(connection, _in_thread(session.commit), _in_thread(session.rollback))
            yield session

    return dependency


def _end_with_endpoint(connection: Any, commit: Callable[[], Any], rollback: Callable[[], Any]) -> None:
    """Let the transaction end with the endpoint's function, where there is one."""
    stack = None if connection is None else connection.scope.get(STACK)
    if not isinstance(stack, AsyncExitStack):
        return

    async def end(_class: Any, error: BaseException | None, _traceback: Any) -> None:
        await settled(commit() if error is None else rollback())

    stack.push_async_exit(end)


def _in_thread(work: Callable[[], None]) -> Callable[[], Any]:
    def begin() -> Any:
        from starlette.concurrency import run_in_threadpool

        return run_in_threadpool(work)

    return begin


get_session = session_dependency()
get_async_session = get_session
get_threaded_session = threaded_session_dependency()

get_session.__name__ = get_session.__qualname__ = "get_session"
get_session.__doc__ = """Give an AsyncSession on the default database: `session: AsyncSession = Depends(get_session)`.

The transaction is committed when the endpoint has returned, before the response is sent, and rolled back where it
raised, was cancelled, or the generator is closed. The connection is taken by the first statement, and is free again
while the response is sent. Objects keep their values after the commit. `get_async_session` is the same.
"""
get_threaded_session.__name__ = get_threaded_session.__qualname__ = "get_threaded_session"
get_threaded_session.__doc__ = """Give a Session on the default database to an endpoint with a plain `def`.

FastAPI runs such endpoints in threads. The transaction is as with `get_session()`.
"""
