"""A transaction of one's own: for one repository (`Database.repository()`), or for several (units of work).

    with databases.get().repository(User) as users:             # async with ...: an AsyncRepository
        users.create(name="Ann")                                # committed at the end of the block

    async with AsyncUnitOfWork() as work:
        user = await work.repository(User).create(name="Ann")
        async with work.savepoint():
            await work.repository(Order).create(user=user)

A block commits when it ends, and rolls back when an error leaves it. Objects stay readable afterwards.
"""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager, AbstractContextManager
from types import TracebackType
from typing import TYPE_CHECKING, Any, Generic, Self, TypeVar, cast, overload

from ormolu import databases
from ormolu.query import unit_of_work
from ormolu.repository.asynchronous import AsyncRepository
from ormolu.repository.base import unscoped
from ormolu.repository.synchronous import Repository
from ormolu.sessions.settling import settled

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncSession
    from sqlalchemy.orm import Session

    from ormolu.databases import Database

__all__ = ["AsyncUnitOfWork", "Opening", "UnitOfWork", "async_session_of", "session_of"]

M = TypeVar("M")
S = TypeVar("S")
A = TypeVar("A")
SyncT = TypeVar("SyncT", bound=Repository[Any])
AsyncT = TypeVar("AsyncT", bound=AsyncRepository[Any])


def session_of(database: Database) -> Session:
    """Return a new Session on a database's engine, whose objects stay readable after a commit."""
    from sqlalchemy.orm import Session

    return Session(database.engine, expire_on_commit=False, info={"ormolu_alias": database.alias})


def async_session_of(database: Database) -> AsyncSession:
    """Return a new AsyncSession on a database's engine of the running loop."""
    from sqlalchemy.ext.asyncio import AsyncSession

    return AsyncSession(database.async_engine, expire_on_commit=False, info={"ormolu_alias": database.alias})


class UnitOfWork:
    """Several repositories in one transaction: a `with` block that commits at its end, and rolls back on an error.

    `using` is the alias of a database, or a Session, which the block then commits or rolls back, and does not close.
    """

    def __init__(self, using: str | Session | Database = "default") -> None:
        self._using = using
        self._session: Session | None = None
        self._repositories: dict[Any, Any] = {}

    @property
    def session(self) -> Session:
        """The Session. Raises RuntimeError outside of the block."""
        if self._session is None:
            raise RuntimeError(f"{type(self).__name__} has a session inside its `with` block only.")
        return self._session

    def __enter__(self) -> Self:
        if self._session is not None:
            raise RuntimeError(f"This {type(self).__name__} is in use; use savepoint() inside of it.")
        self._session = session_of(_database(self._using)) if _opens(self._using) else unscoped(self._using)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        session = self.session
        try:
            _end(session, kind is None)
        finally:
            self._session = None
            self._repositories.clear()
            if _opens(self._using):
                session.close()

    @overload
    def repository(self, of: type[SyncT]) -> SyncT: ...
    @overload
    def repository(self, of: type[M]) -> Repository[M]: ...
    def repository(self, of: Any) -> Any:
        """Return the repository of a model, or of a class that derives from Repository: one for each."""
        found = self._repositories.get(of)
        if found is None:
            found = self._repositories[of] = _made(of, Repository, self.session)
        return found

    def savepoint(self) -> AbstractContextManager[Any]:
        """Return a `with` block that is undone alone when an error leaves it."""
        return self.session.begin_nested()

    def flush(self) -> None:
        """Send what is pending, within the transaction."""
        unit_of_work.flush(self.session)

    def commit(self) -> None:
        """Commit what was done so far; what follows is a transaction of its own."""
        unit_of_work.commit(self.session)

    def rollback(self) -> None:
        """Undo what was done since the block began, or since `commit()`."""
        self.session.rollback()


class AsyncUnitOfWork:
    """Several repositories in one transaction: an `async with` block. See `UnitOfWork`."""

    def __init__(self, using: str | AsyncSession | Database = "default") -> None:
        self._using = using
        self._session: AsyncSession | None = None
        self._repositories: dict[Any, Any] = {}

    @property
    def session(self) -> AsyncSession:
        """The AsyncSession. Raises RuntimeError outside of the block."""
        if self._session is None:
            raise RuntimeError(f"{type(self).__name__} has a session inside its `async with` block only.")
        return self._session

    async def __aenter__(self) -> Self:
        if self._session is not None:
            raise RuntimeError(f"This {type(self).__name__} is in use; use savepoint() inside of it.")
        opens = _opens(self._using)
        self._session = async_session_of(_database(self._using)) if opens else unscoped(self._using)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        session = self.session
        try:
            await settled(session.run_sync(_end, kind is None))
        finally:
            self._session = None
            self._repositories.clear()
            if _opens(self._using):
                await settled(session.close())

    @overload
    def repository(self, of: type[AsyncT]) -> AsyncT: ...
    @overload
    def repository(self, of: type[M]) -> AsyncRepository[M]: ...
    def repository(self, of: Any) -> Any:
        """Return the repository of a model, or of a class that derives from AsyncRepository."""
        found = self._repositories.get(of)
        if found is None:
            found = self._repositories[of] = _made(of, AsyncRepository, self.session)
        return found

    def savepoint(self) -> AbstractAsyncContextManager[Any]:
        """Return an `async with` block that is undone alone when an error leaves it."""
        return self.session.begin_nested()

    async def flush(self) -> None:
        """Send what is pending, within the transaction."""
        await self.session.run_sync(unit_of_work.flush)

    async def commit(self) -> None:
        """Commit what was done so far; what follows is a transaction of its own."""
        await settled(self.session.run_sync(unit_of_work.commit))

    async def rollback(self) -> None:
        """Undo what was done since the block began, or since `commit()`."""
        await self.session.rollback()


class Opening(Generic[S, A]):
    """A repository with a transaction of its own: a `with` block gives a synchronous one, `async with` the other."""

    def __init__(self, database: Database, of: Any) -> None:
        self._database = database
        self._of = of
        self._open: list[Any] = []

    def __enter__(self) -> S:
        _check(self._of, Repository)
        work = UnitOfWork(self._database).__enter__()
        self._open.append(work)
        return cast(S, work.repository(self._of))

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._open.pop().__exit__(kind, error, trace)

    async def __aenter__(self) -> A:
        _check(self._of, AsyncRepository)
        work = await AsyncUnitOfWork(self._database).__aenter__()
        self._open.append(work)
        return cast(A, work.repository(self._of))

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._open.pop().__aexit__(kind, error, trace)


def _end(session: Any, well: bool) -> None:
    """Commit, or roll back: also where the commit fails, which leaves nothing of the transaction."""
    if not well:
        session.rollback()
        return
    try:
        unit_of_work.commit(session)
    except BaseException:
        session.rollback()
        raise


def _opens(using: Any) -> bool:
    """Tell whether a unit of work makes its session itself."""
    return isinstance(using, (str, databases.Database))


def _database(using: Any) -> Database:
    return databases.get(using) if isinstance(using, str) else using


def _made(of: Any, base: Any, session: Any) -> Any:
    _check(of, base)
    return base(session, of) if hasattr(of, "_meta") else of(session)


def _check(of: Any, base: Any) -> None:
    if hasattr(of, "_meta") or (isinstance(of, type) and issubclass(of, base)):
        return
    if isinstance(of, type) and issubclass(of, (Repository, AsyncRepository)):
        block = "an `async with`" if base is Repository else "a `with`"
        raise TypeError(f"{of.__name__} doesn't derive from {base.__name__}: it takes {block} block.")
    raise TypeError(
        f"A repository is of a model, or of a class that derives from {base.__name__}, not {of!r}."
    )
