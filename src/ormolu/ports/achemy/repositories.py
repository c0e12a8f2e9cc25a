"""`BaseRepository`: an asynchronous repository with Achemy's manners: the package says which."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterable, Mapping
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, TypeVar, cast

import sqlalchemy as sa

from ormolu.repository.asynchronous import AsyncCore
from ormolu.repository.inserting import OnConflict
from ormolu.repository.units import AsyncUnitOfWork

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncSession

    from ormolu.databases import Database

__all__ = ["BaseRepository", "managed"]

M = TypeVar("M")


class BaseRepository(AsyncCore[M]):
    """The objects of a model through an AsyncSession: `BaseRepository(session, User)`, or a class of one's own.

    `get()`, `find_by()`, `all()`, `first()`, `one()`, `count()`, `exists()`, `paginate()`, `find_last_modified()`,
    `create()`, `update()` and `refresh()` are those of `ormolu.AsyncRepository`.
    """

    def __init__(self, session: AsyncSession, model_cls: type[M] | None = None) -> None:
        super().__init__(session, model_cls)

    def select(self, *entities: Any) -> sa.Select[Any]:
        """Return `select()` of the model's objects, or of these entities."""
        return cast("sa.Select[Any]", sa.select(*(entities or (self.model,))))

    def where(self, *conditions: Any, **values: Any) -> sa.Select[M]:
        """Return a Select of the objects that meet all conditions. It asks nothing until `all(query=...)`."""
        return sa.select(self.model).where(*conditions).filter_by(**values)

    async def find_by(self, **values: Any) -> M | None:
        """Return the first object, by the primary key, with these values; None where there is none.

        Raises ValueError with no values, AttributeError for an unknown name.
        """
        if not values:
            raise ValueError("find_by() takes the values of attributes: find_by(email='ann@example.com').")
        for name in values:
            getattr(self.model, name.split("__", 1)[0])
        return await super().find_by(**values)

    async def add(self, obj: M, commit: bool = False) -> M:
        """Add an object to the session. Without `commit` nothing is flushed."""
        self.session.add(obj)
        if commit:
            await self.session.commit()
            await self.session.refresh(obj)
        return obj

    save = add

    async def add_all(self, objs: Iterable[M], commit: bool = True) -> list[M]:
        """Add objects to the session, and commit."""
        found = list(objs)
        self.session.add_all(found)
        if commit:
            await self.session.commit()
        return found

    async def delete(self, obj: M, commit: bool = True) -> None:
        """Delete an object's row, do to those that refer to it what their on_delete says, and commit.

        One that was never saved is left alone.
        """
        if not sa.inspect(cast(Any, obj)).transient:
            await self._do(self._sync.delete, obj)
        if commit:
            await self.session.commit()

    async def bulk_insert(
        self,
        values: Iterable[M | Mapping[str, Any]],
        commit: bool = True,
        on_conflict: OnConflict = "fail",
        on_conflict_index_elements: Iterable[str] | None = None,
        returning: bool = True,
    ) -> list[M] | None:
        """Insert rows by few statements, and commit; return the objects whose rows were inserted or updated.

        See `Repository.bulk_insert()`; `on_conflict_index_elements` are its `unique_fields`. With `returning=False`
        the result is None.
        """
        found = await self._do(
            self._sync.bulk_insert,
            values,
            on_conflict=on_conflict,
            unique_fields=on_conflict_index_elements,
            commit=commit,
        )
        return found if returning else None

    async def expire(self, obj: M) -> None:
        """Let an object's columns be loaded again when they are next asked for."""
        self.session.expire(obj)

    async def expunge(self, obj: M) -> None:
        """Let an object leave the session."""
        self.session.expunge(obj)

    def is_modified(self, obj: M) -> bool:
        """Tell whether an object has changes that were not flushed."""
        return self.session.is_modified(obj)


@asynccontextmanager
async def managed(database: Database, model: type[M]) -> AsyncGenerator[BaseRepository[M]]:
    """Give a repository of a model, or of a class that derives from BaseRepository, with its own transaction."""
    async with AsyncUnitOfWork(database) as work:
        if issubclass(model, BaseRepository):
            yield cast(Any, model)(work.session)
        else:
            yield BaseRepository(work.session, model)
