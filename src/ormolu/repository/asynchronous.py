"""`AsyncRepository`: the objects of one model behind a SQLAlchemy AsyncSession."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar, cast

from ormolu.repository.base import Base, unscoped
from ormolu.repository.inserting import OnConflict
from ormolu.repository.pages import NumberedPage
from ormolu.repository.selections import AsyncSelection
from ormolu.repository.synchronous import Repository

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncSession, async_scoped_session
    from sqlalchemy.orm import Session

__all__ = ["AsyncCore", "AsyncRepository"]

M = TypeVar("M")
P = ParamSpec("P")
T = TypeVar("T")


class AsyncCore(Base[M]):
    """What an asynchronous repository asks and writes: each method is that of `Repository`, awaited.

    It runs as a whole in the session's greenlet (`AsyncSession.run_sync()`), so that both are one code.
    """

    session: AsyncSession

    def __init__(
        self, session: AsyncSession | async_scoped_session[AsyncSession], model: type[M] | None = None
    ) -> None:
        super().__init__(model)
        found = unscoped(session)
        if not hasattr(found, "run_sync") or not hasattr(found, "sync_session"):
            raise TypeError(
                f"{type(self).__name__} takes a SQLAlchemy AsyncSession, not {session!r}. "
                "For a Session there is Repository."
            )
        self.session = found
        self._sync: Repository[M] = Repository(found.sync_session, self.model)

    async def _do(self, method: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        def call(_session: Session) -> T:
            return method(*args, **kwargs)

        return await self.session.run_sync(call)

    @property
    def objects(self) -> Any:
        """The model's manager, bound to the session: everything else that a QuerySet can do, to be awaited."""
        return cast(Any, self.model)._default_manager(self.session)

    async def get(self, key: Any) -> M | None:
        """Return the object with this primary key, or None. See `Repository.get()`."""
        return await self._do(self._sync.get, key)

    async def find_by(self, **lookups: Any) -> M | None:
        """Return the first object, by the primary key, that meets these lookups; None where there is none."""
        return await self._do(self._sync.find_by, **lookups)

    async def all(self, query: Any = None, *, order_by: Any = None, limit: int | None = None) -> list[M]:
        """Return all objects, or those of a query. One query."""
        return await self._do(self._sync.all, query, order_by=order_by, limit=limit)

    async def first(self, query: Any = None, *, order_by: Any = None) -> M | None:
        """Return the first object, by the primary key where nothing orders them; None where there is none."""
        return await self._do(self._sync.first, query, order_by=order_by)

    async def one(self, query: Any = None) -> M:
        """Return the only object. Raises DoesNotExist or MultipleObjectsReturned."""
        return await self._do(self._sync.one, query)

    async def one_or_none(self, query: Any = None) -> M | None:
        """Return the only object, or None. Raises MultipleObjectsReturned."""
        return await self._do(self._sync.one_or_none, query)

    async def count(self, query: Any = None) -> int:
        """Return how many objects there are. One query."""
        return await self._do(self._sync.count, query)

    async def exists(self, query: Any = None, **lookups: Any) -> bool:
        """Tell whether there is an object, of a query or with these values. One query."""
        return await self._do(self._sync.exists, query, **lookups)

    async def paginate(
        self, page: int = 1, size: int = 20, *, query: Any = None, order_by: Any = None
    ) -> NumberedPage[M]:
        """Return a page of the objects. See `Repository.paginate()`."""
        return await self._do(self._sync.paginate, page, size, query=query, order_by=order_by)

    async def find_last_modified(self, query: Any = None) -> M | None:
        """Return the object that was changed last. See `Repository.find_last_modified()`."""
        return await self._do(self._sync.find_last_modified, query)

    async def create(self, **values: Any) -> M:
        """Make an object of these values, add it and flush. Raises TypeError for an unknown name, IntegrityError."""
        return await self._do(self._sync.create, **values)

    async def update(self, instance: M, *, commit: bool = False, **values: Any) -> M:
        """Set attributes of an object and flush. See `Repository.update()`."""
        return await self._do(self._sync.update, instance, commit=commit, **values)

    async def refresh(self, instance: M) -> M:
        """Load an object's columns again. Raises DoesNotExist where the row is gone."""
        return await self._do(self._sync.refresh, instance)


class AsyncRepository(AsyncCore[M]):
    """The objects of a model, through an AsyncSession: `AsyncRepository(session, User)`, or a class of one's own.

        class UserRepository(AsyncRepository[User]):
            async def active(self) -> list[User]:
                return await self.where(is_active=True).order_by("name").all()

    Whatever writes also flushes; nothing commits, unless it is told `commit=True`. See `Repository`.
    """

    def where(self, *conditions: Any, **lookups: Any) -> AsyncSelection[M]:
        """Return a selection of what meets all conditions: SQLAlchemy's, `Q` objects, lookups. Asks nothing yet."""
        selection = self._sync.where(*conditions, **lookups)
        return AsyncSelection(self.model, selection.queryset, self.session)

    async def add(self, instance: M, *, commit: bool = False) -> M:
        """Add an object to the session and flush; a detached one is attached again. Return it."""
        return await self._do(self._sync.add, instance, commit=commit)

    save = add

    async def add_all(self, instances: Iterable[M], *, commit: bool = False) -> list[M]:
        """Add objects to the session and flush; return them."""
        return await self._do(self._sync.add_all, instances, commit=commit)

    async def delete(self, instance: M, *, commit: bool = False) -> None:
        """Delete an object's row, and do to those that refer to it what their on_delete says."""
        await self._do(self._sync.delete, instance, commit=commit)

    async def bulk_insert(
        self,
        rows: Iterable[M | Mapping[str, Any]],
        *,
        on_conflict: OnConflict = "fail",
        unique_fields: Iterable[str] | None = None,
        update_fields: Iterable[str] | None = None,
        batch_size: int | None = None,
        commit: bool = False,
    ) -> list[M]:
        """Insert many rows by few statements, all or none; return what was written. See `Repository.bulk_insert()`."""
        return await self._do(
            self._sync.bulk_insert,
            rows,
            on_conflict=on_conflict,
            unique_fields=unique_fields,
            update_fields=update_fields,
            batch_size=batch_size,
            commit=commit,
        )
