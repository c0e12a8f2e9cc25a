"""`Model.objects(session)` with djast's manners."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, overload

from sqlalchemy import delete

from ormolu import Manager as CoreManager
from ormolu.query.async_session_querysets import AsyncSessionQuerySet
from ormolu.query.chain import M, R
from ormolu.query.session_querysets import SessionQuerySet

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncSession, async_scoped_session
    from sqlalchemy.orm import Session, scoped_session

__all__ = ["AsyncBoundManager", "BoundManager", "Manager"]


class BoundManager(SessionQuerySet[M, R]):
    """What `Model.objects(session)` is on a Session."""

    def get(self, *args: Any, **filters: Any) -> R | None:  # type: ignore[override]
        """Return the one object that meets the filters, None where there is none.

        Raises MultipleObjectsReturned where there are several.
        """
        try:
            return super().get(*args, **filters)
        except self.model.DoesNotExist:  # type: ignore[attr-defined]
            return None

    def _existing(self, lookups: dict[str, Any]) -> M:
        return super().get(**lookups)  # type: ignore[return-value]

    def count(self, **filters: Any) -> int:
        """Return the number of objects that meet the filters."""
        return self.filter(**filters).count() if filters else super().count()

    def exists(self, **filters: Any) -> bool:
        """Return whether an object meets the filters."""
        return self.filter(**filters).exists() if filters else super().exists()

    def create(self, **values: Any) -> M:
        """Make an object, add it, flush and load it. Nothing commits."""
        made = super().create(**values)
        self.session.refresh(made)
        return made

    def update_or_create(
        self,
        defaults: dict[str, Any] | None = None,
        create_defaults: dict[str, Any] | None = None,
        **filters: Any,
    ) -> tuple[M, bool]:
        """Return (object, created): the one that meets the filters, changed and loaded again, else a new one."""
        found, created = super().update_or_create(defaults, create_defaults, **filters)
        self.session.refresh(found)
        return found, created

    def bulk_create(self, objs: Iterable[M], *args: Any, refresh: bool = False, **options: Any) -> Any:
        """Add objects and flush; with `refresh` load each again, by a SELECT of its own. Nothing commits."""
        made = super().bulk_create(objs, *args, **options)
        if refresh:
            for one in made:
                self.session.refresh(one)
        return made

    def delete_all(self, **filters: Any) -> int:
        """Delete the rows that meet the filters, all of them without any, by one DELETE; return how many they were.

        No signals, and no `on_delete`: what refers to the rows is the database's affair.
        """
        model: Any = self.model
        rows = self.filter(**filters).order_by().values("pk").statement
        statement = delete(model._meta.table).where(model._meta.table.c[model._meta.pk.column].in_(rows))
        session = self.session
        if session.autoflush:
            session.flush()
        keys = set(session.scalars(rows))
        held = [one for pk, one in self._in_session() if pk in keys]
        number = session.connection(bind_arguments={"mapper": model.__mapper__}).execute(statement).rowcount
        for one in held:
            session.expunge(one)
        return int(number)


class AsyncBoundManager(AsyncSessionQuerySet[M, R]):
    """What `Model.objects(session)` is on an AsyncSession."""

    async def get(self, *args: Any, **filters: Any) -> R | None:  # type: ignore[override]
        """See `BoundManager.get()`."""
        return await self._do("get", *args, **filters)  # type: ignore[no-any-return]

    async def delete_all(self, **filters: Any) -> int:
        """See `BoundManager.delete_all()`."""
        return await self._do("delete_all", **filters)  # type: ignore[no-any-return]


class Manager(CoreManager[M]):
    """`Model.objects`. Call it with a session; uncalled it is the core's manager, as in Django.

    `Manager(Item).with_session(session)` is `Item.objects(session)`.
    """

    _bound_class = BoundManager
    _async_bound_class = AsyncBoundManager

    def __init__(self, model: type[M] | None = None) -> None:
        super().__init__()
        if model is not None:
            self.model = model

    @overload  # type: ignore[override]
    def __call__(  # pyright: ignore[reportIncompatibleMethodOverride]
        self, session: AsyncSession | async_scoped_session[Any]
    ) -> AsyncBoundManager[M, M]: ...
    @overload
    def __call__(self, session: Session | scoped_session[Any]) -> BoundManager[M, M]: ...
    def __call__(self, session: Any) -> Any:  # pyright: ignore[reportIncompatibleMethodOverride]
        """Bind to a session: `await Item.objects(session).get(name="a")`. See `ormolu.ports.djast`."""
        call: Any = super().__call__
        return call(session)

    with_session = __call__
