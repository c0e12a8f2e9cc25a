"""QuerySets that are bound to an AsyncSession or an AsyncConnection."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Callable, Generator, Sequence
from contextlib import aclosing
from inspect import isawaitable, iscoroutinefunction
from itertools import islice
from typing import TYPE_CHECKING, Any, Generic, Self, cast

from ormolu.query import many
from ormolu.query.chain import M, R
from ormolu.query.feeding import abatches, added
from ormolu.query.queryset import QuerySet
from ormolu.query.results import Results

__all__ = ["AsyncSessionQuerySet"]

CHUNK = 200


class AsyncSessionQuerySet(Generic[M, R]):
    """A QuerySet on an AsyncSession: refining methods are plain, those that ask the database are coroutines."""

    is_face = True

    def __init__(self, manager: Any, session: Any, queryset: Any) -> None:
        self._manager = manager
        self.session = session
        self._queryset = queryset

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        value = getattr(self._queryset, name)
        if not callable(value) or isinstance(value, type) or iscoroutinefunction(value):
            return value
        if not _is_librarys(value):
            return _Calling(self, value, name)

        def refined(*args: Any, **kwargs: Any) -> Any:
            return self._around(value(*args, **kwargs))

        refined.__name__ = name
        refined.__doc__ = value.__doc__
        return refined

    def _around(self, found: Any) -> Any:
        """Return a queryset's asynchronous face; anything else as it is."""
        if isinstance(found, Results) and not isinstance(found, QuerySet):
            return _Rows(self.session, found)
        if not isinstance(found, QuerySet):
            return found
        around: AsyncSessionQuerySet[Any, Any] = type(self)(self._manager, self.session, found)
        return around

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {self._queryset.model._meta.label}>"

    def __getitem__(self, key: slice) -> Self:
        if not isinstance(key, slice):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise TypeError(
                "An asynchronous queryset takes slices; for one object use first(), last() or get()."
            )
        return type(self)(self._manager, self.session, self._queryset[key])

    def __and__(self, other: Any) -> Self:
        return self._around(self._queryset & _inner(other))  # type: ignore[no-any-return]

    def __or__(self, other: Any) -> Self:
        return self._around(self._queryset | _inner(other))  # type: ignore[no-any-return]

    def __xor__(self, other: Any) -> Self:
        return self._around(self._queryset ^ _inner(other))  # type: ignore[no-any-return]

    def _question(self) -> Any:
        return self._queryset._question()

    if TYPE_CHECKING:
        # Each returns another such queryset, and asks nothing. See the methods of `QuerySet`.
        def all(self) -> Self: ...
        def none(self) -> Self: ...
        def filter(self, *args: Any, **kwargs: Any) -> Self: ...
        def exclude(self, *args: Any, **kwargs: Any) -> Self: ...
        def complex_filter(self, condition: Any) -> Self: ...
        def distinct(self, *fields: str) -> Self: ...
        def order_by(self, *fields: Any) -> Self: ...
        def reverse(self) -> Self: ...
        def annotate(self, *args: Any, **kwargs: Any) -> Self: ...
        def alias(self, *args: Any, **kwargs: Any) -> Self: ...
        def select_related(self, *fields: Any) -> Self: ...
        def prefetch_related(self, *lookups: Any) -> Self: ...
        def only(self, *fields: str) -> Self: ...
        def defer(self, *fields: Any) -> Self: ...
        def select_for_update(
            self,
            nowait: bool = False,
            skip_locked: bool = False,
            of: Sequence[str] = (),
            no_key: bool = False,
        ) -> Self: ...
        def union(self, *others: Any, all: bool = False) -> Self: ...
        def intersection(self, *others: Any) -> Self: ...
        def difference(self, *others: Any) -> Self: ...
        def values(self, *fields: Any, **expressions: Any) -> AsyncSessionQuerySet[M, dict[str, Any]]: ...
        def values_list(
            self, *fields: Any, flat: bool = False, named: bool = False
        ) -> AsyncSessionQuerySet[M, Any]: ...
        def dates(self, field: str, kind: str, order: str = "ASC") -> AsyncSessionQuerySet[M, Any]: ...

    def iterator(self, chunk_size: int | None = None) -> AsyncIterator[R]:
        """Return an asynchronous iterator of the results, which are fetched little by little and not kept."""
        rows = self._queryset.iterator() if chunk_size is None else self._queryset.iterator(chunk_size)
        return self._streamed(rows)

    aiterator = iterator

    async def _streamed(self, rows: Any) -> AsyncGenerator[R, None]:
        def take(_session: Any) -> list[Any]:
            return list(islice(rows, CHUNK))

        def close(_session: Any) -> None:
            rows.close()

        try:
            while part := await self.session.run_sync(take):
                for one in part:
                    yield one
        finally:
            if hasattr(rows, "close"):
                await self.session.run_sync(close)

    async def _do(self, name: str, /, *args: Any, **kwargs: Any) -> Any:
        method = getattr(self._queryset, name)

        def call(_session: Any) -> Any:
            return method(*args, **kwargs)

        return await self.session.run_sync(call)

    async def _do_all(self, name: str, objs: Any, *args: Any, **kwargs: Any) -> Any:
        """Do something with many objects, those of an asynchronous iterable among them."""
        if not hasattr(objs, "__aiter__"):
            return await self._do(name, objs, *args, **kwargs)
        total: Any = None
        size = kwargs.get("batch_size")
        async with self.session.begin_nested(), aclosing(abatches(objs, size)) as parts:
            async for part in parts:
                total = added(total, await self._do(name, part, *args, **kwargs))
        return await self._do(name, [], *args, **kwargs) if total is None else total

    def __await__(self) -> Generator[Any, Any, list[R]]:
        return self._do("_fetch_all").__await__()

    async def __aiter__(self) -> AsyncIterator[R]:
        for item in await self:
            yield item

    async def fetch(self) -> list[R]:
        """Return the results as a list."""
        return await self

    async def get(self, *args: Any, **kwargs: Any) -> R:
        """See `QuerySet.get()`."""
        return await self._do("get", *args, **kwargs)  # type: ignore[no-any-return]

    aget = get

    async def get_or_none(self, *args: Any, **kwargs: Any) -> R | None:
        """See `QuerySet.get_or_none()`."""
        return await self._do("get_or_none", *args, **kwargs)  # type: ignore[no-any-return]

    aget_or_none = get_or_none

    async def first(self, *args: Any, **kwargs: Any) -> R | None:
        """See `QuerySet.first()`."""
        return await self._do("first", *args, **kwargs)  # type: ignore[no-any-return]

    afirst = first

    async def last(self, *args: Any, **kwargs: Any) -> R | None:
        """See `QuerySet.last()`."""
        return await self._do("last", *args, **kwargs)  # type: ignore[no-any-return]

    alast = last

    async def earliest(self, *args: Any, **kwargs: Any) -> R:
        """See `QuerySet.earliest()`."""
        return await self._do("earliest", *args, **kwargs)  # type: ignore[no-any-return]

    aearliest = earliest

    async def latest(self, *args: Any, **kwargs: Any) -> R:
        """See `QuerySet.latest()`."""
        return await self._do("latest", *args, **kwargs)  # type: ignore[no-any-return]

    alatest = latest

    async def page(self, *args: Any, **kwargs: Any) -> Any:
        """See `QuerySet.page()`."""
        return await self._do("page", *args, **kwargs)

    apage = page

    async def count(self, *args: Any, **kwargs: Any) -> int:
        """See `QuerySet.count()`."""
        return await self._do("count", *args, **kwargs)  # type: ignore[no-any-return]

    acount = count

    async def exists(self, *args: Any, **kwargs: Any) -> bool:
        """See `QuerySet.exists()`."""
        return await self._do("exists", *args, **kwargs)  # type: ignore[no-any-return]

    aexists = exists

    async def contains(self, *args: Any, **kwargs: Any) -> bool:
        """See `QuerySet.contains()`."""
        return await self._do("contains", *args, **kwargs)  # type: ignore[no-any-return]

    acontains = contains

    async def aggregate(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
        """See `QuerySet.aggregate()`."""
        return await self._do("aggregate", *args, **kwargs)  # type: ignore[no-any-return]

    aaggregate = aggregate

    async def in_bulk(self, *args: Any, **kwargs: Any) -> dict[Any, R]:
        """See `QuerySet.in_bulk()`."""
        return await self._do("in_bulk", *args, **kwargs)  # type: ignore[no-any-return]

    ain_bulk = in_bulk

    @property
    def later(self) -> Any:
        """See `QuerySet.later`."""
        return self._queryset.later

    async def fetch_many(self, *others: Any) -> tuple[Any, ...]:
        """See `QuerySet.fetch_many()`."""
        return await many.afetch_many(self._queryset, *others)

    afetch_many = fetch_many

    async def to_arrow(self, *args: Any, **kwargs: Any) -> Any:
        """See `QuerySet.to_arrow()`."""
        return await self._do("to_arrow", *args, **kwargs)

    ato_arrow = to_arrow

    async def to_polars(self, *args: Any, **kwargs: Any) -> Any:
        """See `QuerySet.to_polars()`."""
        return await self._do("to_polars", *args, **kwargs)

    ato_polars = to_polars

    async def to_pandas(self, *args: Any, **kwargs: Any) -> Any:
        """See `QuerySet.to_pandas()`."""
        return await self._do("to_pandas", *args, **kwargs)

    ato_pandas = to_pandas

    async def explain(self, *args: Any, **kwargs: Any) -> str:
        """See `QuerySet.explain()`."""
        return await self._do("explain", *args, **kwargs)  # type: ignore[no-any-return]

    aexplain = explain

    async def create(self, *args: Any, **kwargs: Any) -> M:
        """See `QuerySet.create()`."""
        return await self._do("create", *args, **kwargs)  # type: ignore[no-any-return]

    acreate = create

    async def get_or_create(self, *args: Any, **kwargs: Any) -> tuple[M, bool]:
        """See `QuerySet.get_or_create()`."""
        return await self._do("get_or_create", *args, **kwargs)  # type: ignore[no-any-return]

    aget_or_create = get_or_create

    async def update_or_create(self, *args: Any, **kwargs: Any) -> tuple[M, bool]:
        """See `QuerySet.update_or_create()`."""
        return await self._do("update_or_create", *args, **kwargs)  # type: ignore[no-any-return]

    aupdate_or_create = update_or_create

    async def bulk_create(self, objs: Any, *args: Any, **kwargs: Any) -> Any:
        """See `QuerySet.abulk_create()`."""
        return await self._do_all("bulk_create", objs, *args, **kwargs)

    abulk_create = bulk_create

    async def bulk_update(self, objs: Any, *args: Any, **kwargs: Any) -> int:
        """See `QuerySet.abulk_update()`."""
        return await self._do_all("bulk_update", objs, *args, **kwargs)  # type: ignore[no-any-return]

    abulk_update = bulk_update

    async def bulk_upsert(self, objs: Any, **options: Any) -> Any:
        """See `QuerySet.abulk_upsert()`."""
        return await self._do_all("bulk_upsert", objs, **options)

    abulk_upsert = bulk_upsert

    async def update(self, *args: Any, **kwargs: Any) -> int:
        """See `QuerySet.update()`."""
        return await self._do("update", *args, **kwargs)  # type: ignore[no-any-return]

    aupdate = update

    async def delete(self, *args: Any, **kwargs: Any) -> tuple[int, dict[str, int]]:
        """See `QuerySet.delete()`."""
        return await self._do("delete", *args, **kwargs)  # type: ignore[no-any-return]

    adelete = delete


def _inner(other: Any) -> Any:
    return other._queryset if isinstance(other, AsyncSessionQuerySet) else other


def _is_librarys(method: Any) -> bool:
    """Tell whether a method is the library's own refining one, which asks nothing."""
    function = getattr(method, "__func__", method)
    return getattr(function, "__module__", "").startswith("ormolu.query.") and not hasattr(
        function, "of_manager"
    )


class _Rows:
    """What a raw query finds, through an asynchronous session."""

    def __init__(self, session: Any, rows: Any) -> None:
        self.session = session
        self.rows = rows

    def __getattr__(self, name: str) -> Any:
        value = getattr(self.rows, name)
        if not callable(value) or iscoroutinefunction(value):
            return value

        def refined(*args: Any, **kwargs: Any) -> Any:
            found = value(*args, **kwargs)
            return _Rows(self.session, found) if isinstance(found, Results) else found

        return refined

    async def _list(self) -> list[Any]:
        def take(_session: Any) -> list[Any]:
            return list(self.rows)

        return await self.session.run_sync(take)  # type: ignore[no-any-return]

    def __await__(self) -> Generator[Any, Any, list[Any]]:
        return self._list().__await__()

    async def __aiter__(self) -> AsyncIterator[Any]:
        for one in await self:
            yield one


class _Calling:
    """A method of a user's own manager or queryset, on its way to be called."""

    def __init__(self, face: Any, method: Callable[..., Any], name: str) -> None:
        self.__name__ = name
        self.__doc__ = method.__doc__
        self._face = face
        self._method = method

    def __call__(self, *args: Any, **kwargs: Any) -> _Called:
        return _Called(self._face, lambda: self._method(*args, **kwargs))


class _Called:
    """A call of such a method: nobody knows yet whether it asks the database.

    Awaited, it is made where it may ask, and gives its result; of a queryset, the objects. Anything else that is
    wanted of it is wanted of the queryset that it returns: `objects(session).published().count()`.
    """

    def __init__(self, face: Any, call: Callable[[], Any]) -> None:
        self._face = face
        self._call = call

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return getattr(self._face._around(self._call()), name)

    def __getitem__(self, key: slice) -> Any:
        return self._face._around(self._call())[key]

    async def _result(self) -> Any:
        def call(_session: Any) -> Any:
            return self._call()

        found = await self._face.session.run_sync(call)
        if isawaitable(found) and not isinstance(found, Results):
            return await found  # of a coroutine function
        around: Any = self._face._around(found)
        waits = isinstance(around, (AsyncSessionQuerySet, _Rows))
        return await cast(Any, around) if waits else around

    def __await__(self) -> Generator[Any, Any, Any]:
        return self._result().__await__()

    async def __aiter__(self) -> AsyncIterator[Any]:
        for one in await self:
            yield one
