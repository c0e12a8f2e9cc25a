"""The methods of a QuerySet on a manager, passed on one by one, so that type checkers and editors know them."""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Generic, Literal, overload

from typing_extensions import ParamSpec, TypeVar

if TYPE_CHECKING:
    import datetime as dt

    import pandas
    import polars

    from ormolu.query.feeding import Progress
    from ormolu.query.fetch_modes import FetchMode
    from ormolu.query.frames import Backend
    from ormolu.query.keyset import Page
    from ormolu.query.later import Fetchable, Later
    from ormolu.query.queryset import QuerySet
    from ormolu.query.raw import RawQuerySet
    from ormolu.writes.upsert import Upserted

M = TypeVar("M")
P = ParamSpec("P", default=...)
"""What the model's constructor takes, where a checker knows it; else anything."""
S = TypeVar("S")


class QuerySetMethods(Generic[M, P]):
    """What a manager passes on to a new QuerySet. `delete()` isn't among it: say `.all().delete()`."""

    def get_queryset(self) -> QuerySet[M]:
        """Return a new QuerySet."""
        raise TypeError(f"{type(self).__name__} has no get_queryset()")

    def none(self) -> QuerySet[M]:
        """See `QuerySet.none()`."""
        return self.get_queryset().none()

    def filter(self, *args: Any, **kwargs: Any) -> QuerySet[M]:
        """See `QuerySet.filter()`."""
        return self.get_queryset().filter(*args, **kwargs)

    def exclude(self, *args: Any, **kwargs: Any) -> QuerySet[M]:
        """See `QuerySet.exclude()`."""
        return self.get_queryset().exclude(*args, **kwargs)

    def complex_filter(self, condition: Any) -> QuerySet[M]:
        """See `QuerySet.complex_filter()`."""
        return self.get_queryset().complex_filter(condition)

    def distinct(self, *fields: str) -> QuerySet[M]:
        """See `QuerySet.distinct()`."""
        return self.get_queryset().distinct(*fields)

    def order_by(self, *fields: Any) -> QuerySet[M]:
        """See `QuerySet.order_by()`."""
        return self.get_queryset().order_by(*fields)

    def reverse(self) -> QuerySet[M]:
        """See `QuerySet.reverse()`."""
        return self.get_queryset().reverse()

    def annotate(self, *args: Any, **kwargs: Any) -> QuerySet[M]:
        """See `QuerySet.annotate()`."""
        return self.get_queryset().annotate(*args, **kwargs)

    def alias(self, *args: Any, **kwargs: Any) -> QuerySet[M]:
        """See `QuerySet.alias()`."""
        return self.get_queryset().alias(*args, **kwargs)

    def select_related(self, *fields: Any) -> QuerySet[M]:
        """See `QuerySet.select_related()`."""
        return self.get_queryset().select_related(*fields)

    def prefetch_related(self, *lookups: Any) -> QuerySet[M]:
        """See `QuerySet.prefetch_related()`."""
        return self.get_queryset().prefetch_related(*lookups)

    def fetch_mode(self, mode: FetchMode) -> QuerySet[M]:
        """See `QuerySet.fetch_mode()`."""
        return self.get_queryset().fetch_mode(mode)

    def only(self, *fields: str) -> QuerySet[M]:
        """See `QuerySet.only()`."""
        return self.get_queryset().only(*fields)

    def defer(self, *fields: Any) -> QuerySet[M]:
        """See `QuerySet.defer()`."""
        return self.get_queryset().defer(*fields)

    def as_schema(self, schema: type[S]) -> QuerySet[M, S]:
        """See `QuerySet.as_schema()`."""
        return self.get_queryset().as_schema(schema)

    def select_for_update(
        self, nowait: bool = False, skip_locked: bool = False, of: Sequence[str] = (), no_key: bool = False
    ) -> QuerySet[M]:
        """See `QuerySet.select_for_update()`."""
        return self.get_queryset().select_for_update(nowait, skip_locked, of, no_key)

    def union(self, *other_qs: Any, all: bool = False) -> QuerySet[M]:
        """See `QuerySet.union()`."""
        return self.get_queryset().union(*other_qs, all=all)

    def intersection(self, *other_qs: Any) -> QuerySet[M]:
        """See `QuerySet.intersection()`."""
        return self.get_queryset().intersection(*other_qs)

    def difference(self, *other_qs: Any) -> QuerySet[M]:
        """See `QuerySet.difference()`."""
        return self.get_queryset().difference(*other_qs)

    def after(self, cursor: str | None) -> QuerySet[M]:
        """See `QuerySet.after()`."""
        return self.get_queryset().after(cursor)

    def before(self, cursor: str | None) -> QuerySet[M]:
        """See `QuerySet.before()`."""
        return self.get_queryset().before(cursor)

    def cursor_for(self, row: Any) -> str:
        """See `QuerySet.cursor_for()`."""
        return self.get_queryset().cursor_for(row)

    def page(self, size: int, *, after: str | None = None, before: str | None = None) -> Page[M]:
        """See `QuerySet.page()`."""
        return self.get_queryset().page(size, after=after, before=before)

    async def apage(self, size: int, *, after: str | None = None, before: str | None = None) -> Page[M]:
        """See `QuerySet.apage()`."""
        return await self.get_queryset().apage(size, after=after, before=before)

    @property
    def later(self) -> Later[M, M]:
        """See `QuerySet.later`."""
        return self.get_queryset().later

    def fetch_many(self, *others: Fetchable[Any]) -> tuple[list[M], *tuple[Any, ...]]:
        """See `QuerySet.fetch_many()`."""
        return self.get_queryset().fetch_many(*others)

    async def afetch_many(self, *others: Fetchable[Any]) -> tuple[list[M], *tuple[Any, ...]]:
        """See `QuerySet.afetch_many()`."""
        return await self.get_queryset().afetch_many(*others)

    def to_arrow(self, *, chunk_size: int = 10_000) -> Any:
        """See `QuerySet.to_arrow()`."""
        return self.get_queryset().to_arrow(chunk_size=chunk_size)

    async def ato_arrow(self, *, chunk_size: int = 10_000) -> Any:
        """See `QuerySet.ato_arrow()`."""
        return await self.get_queryset().ato_arrow(chunk_size=chunk_size)

    def to_polars(self, *, chunk_size: int = 10_000) -> polars.DataFrame:
        """See `QuerySet.to_polars()`."""
        return self.get_queryset().to_polars(chunk_size=chunk_size)

    async def ato_polars(self, *, chunk_size: int = 10_000) -> polars.DataFrame:
        """See `QuerySet.ato_polars()`."""
        return await self.get_queryset().ato_polars(chunk_size=chunk_size)

    def to_pandas(
        self, *, chunk_size: int = 10_000, dtype_backend: Backend = "numpy_nullable"
    ) -> pandas.DataFrame:
        """See `QuerySet.to_pandas()`."""
        return self.get_queryset().to_pandas(chunk_size=chunk_size, dtype_backend=dtype_backend)

    async def ato_pandas(
        self, *, chunk_size: int = 10_000, dtype_backend: Backend = "numpy_nullable"
    ) -> pandas.DataFrame:
        """See `QuerySet.ato_pandas()`."""
        return await self.get_queryset().ato_pandas(chunk_size=chunk_size, dtype_backend=dtype_backend)

    def extra(
        self,
        select: Mapping[str, str] | None = None,
        where: Sequence[str] | None = None,
        params: Sequence[Any] | None = None,
        tables: Sequence[str] | None = None,
        order_by: Sequence[str] | None = None,
        select_params: Sequence[Any] | None = None,
    ) -> QuerySet[M]:
        """See `QuerySet.extra()`."""
        return self.get_queryset().extra(select, where, params, tables, order_by, select_params)

    def dates(self, field_name: str, kind: str, order: str = "ASC") -> QuerySet[M, dt.date]:
        """See `QuerySet.dates()`."""
        return self.get_queryset().dates(field_name, kind, order)

    def datetimes(
        self, field_name: str, kind: str, order: str = "ASC", tzinfo: Any = None
    ) -> QuerySet[M, dt.datetime]:
        """See `QuerySet.datetimes()`."""
        return self.get_queryset().datetimes(field_name, kind, order, tzinfo)

    def values(self, *fields: Any, **expressions: Any) -> QuerySet[M, dict[str, Any]]:
        """See `QuerySet.values()`."""
        return self.get_queryset().values(*fields, **expressions)

    def values_list(self, *fields: Any, flat: bool = False, named: bool = False) -> QuerySet[M, Any]:
        """See `QuerySet.values_list()`."""
        return self.get_queryset().values_list(*fields, flat=flat, named=named)

    async def avalues(self, *fields: Any, **expressions: Any) -> list[dict[str, Any]]:
        """See `QuerySet.avalues()`."""
        return await self.get_queryset().avalues(*fields, **expressions)

    async def avalues_list(self, *fields: Any, flat: bool = False, named: bool = False) -> list[Any]:
        """See `QuerySet.avalues_list()`."""
        return await self.get_queryset().avalues_list(*fields, flat=flat, named=named)

    def using(self, alias: str | None) -> QuerySet[M]:
        """See `QuerySet.using()`."""
        return self.get_queryset().using(alias)

    def create(self, *args: P.args, **kwargs: P.kwargs) -> M:
        """See `QuerySet.create()`."""
        return self.get_queryset().create(*args, **kwargs)

    async def acreate(self, *args: P.args, **kwargs: P.kwargs) -> M:
        """See `QuerySet.acreate()`."""
        return await self.get_queryset().acreate(*args, **kwargs)

    def get_or_create(self, defaults: dict[str, Any] | None = None, **kwargs: Any) -> tuple[M, bool]:
        """See `QuerySet.get_or_create()`."""
        return self.get_queryset().get_or_create(defaults, **kwargs)

    async def aget_or_create(self, defaults: dict[str, Any] | None = None, **kwargs: Any) -> tuple[M, bool]:
        """See `QuerySet.aget_or_create()`."""
        return await self.get_queryset().aget_or_create(defaults, **kwargs)

    def update_or_create(
        self,
        defaults: dict[str, Any] | None = None,
        create_defaults: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> tuple[M, bool]:
        """See `QuerySet.update_or_create()`."""
        return self.get_queryset().update_or_create(defaults, create_defaults, **kwargs)

    async def aupdate_or_create(
        self,
        defaults: dict[str, Any] | None = None,
        create_defaults: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> tuple[M, bool]:
        """See `QuerySet.aupdate_or_create()`."""
        return await self.get_queryset().aupdate_or_create(defaults, create_defaults, **kwargs)

    @overload
    def bulk_create(
        self, objs: Iterable[M], batch_size: int | None = None, ignore_conflicts: bool = False,
        update_conflicts: bool = False, update_fields: Iterable[str] | None = None,
        unique_fields: Iterable[str] | None = None, *, returning: Literal[True] = True,
        progress: Progress | None = None,
    ) -> list[M]: ...  # fmt: skip
    @overload
    def bulk_create(
        self, objs: Iterable[M], batch_size: int | None = None, ignore_conflicts: bool = False,
        update_conflicts: bool = False, update_fields: Iterable[str] | None = None,
        unique_fields: Iterable[str] | None = None, *, returning: Literal[False],
        progress: Progress | None = None,
    ) -> int: ...  # fmt: skip
    def bulk_create(self, objs: Any, *args: Any, **options: Any) -> Any:
        """See `QuerySet.bulk_create()`."""
        return self.get_queryset().bulk_create(objs, *args, **options)

    @overload
    async def abulk_create(
        self, objs: Iterable[M] | AsyncIterable[M], batch_size: int | None = None,
        ignore_conflicts: bool = False, update_conflicts: bool = False, update_fields: Iterable[str] | None = None,
        unique_fields: Iterable[str] | None = None, *, returning: Literal[True] = True,
        progress: Progress | None = None,
    ) -> list[M]: ...  # fmt: skip
    @overload
    async def abulk_create(
        self, objs: Iterable[M] | AsyncIterable[M], batch_size: int | None = None,
        ignore_conflicts: bool = False, update_conflicts: bool = False, update_fields: Iterable[str] | None = None,
        unique_fields: Iterable[str] | None = None, *, returning: Literal[False],
        progress: Progress | None = None,
    ) -> int: ...  # fmt: skip
    async def abulk_create(self, objs: Any, *args: Any, **options: Any) -> Any:
        """See `QuerySet.abulk_create()`."""
        return await self.get_queryset().abulk_create(objs, *args, **options)

    @overload
    def bulk_upsert(
        self, objs: Iterable[M | Mapping[str, Any]], *, unique_fields: Iterable[str] | None = None,
        constraint: str | None = None, update_fields: Iterable[str] | Mapping[str, Any] | None = None,
        where: Any = None,
        batch_size: int | None = None, returning: Literal[True] = True, progress: Progress | None = None,
    ) -> Upserted[M]: ...  # fmt: skip
    @overload
    def bulk_upsert(
        self, objs: Iterable[M | Mapping[str, Any]], *, unique_fields: Iterable[str] | None = None,
        constraint: str | None = None, update_fields: Iterable[str] | Mapping[str, Any] | None = None,
        where: Any = None,
        batch_size: int | None = None, returning: Literal[False], progress: Progress | None = None,
    ) -> int: ...  # fmt: skip
    def bulk_upsert(self, objs: Any, **options: Any) -> Any:
        """See `QuerySet.bulk_upsert()`."""
        queryset: Any = self.get_queryset()
        return queryset.bulk_upsert(objs, **options)

    @overload
    async def abulk_upsert(
        self, objs: Iterable[M | Mapping[str, Any]] | AsyncIterable[M | Mapping[str, Any]], *,
        unique_fields: Iterable[str] | None = None, constraint: str | None = None,
        update_fields: Iterable[str] | Mapping[str, Any] | None = None, where: Any = None,
        batch_size: int | None = None, returning: Literal[True] = True, progress: Progress | None = None,
    ) -> Upserted[M]: ...  # fmt: skip
    @overload
    async def abulk_upsert(
        self, objs: Iterable[M | Mapping[str, Any]] | AsyncIterable[M | Mapping[str, Any]], *,
        unique_fields: Iterable[str] | None = None, constraint: str | None = None,
        update_fields: Iterable[str] | Mapping[str, Any] | None = None, where: Any = None,
        batch_size: int | None = None, returning: Literal[False], progress: Progress | None = None,
    ) -> int: ...  # fmt: skip
    async def abulk_upsert(self, objs: Any, **options: Any) -> Any:
        """See `QuerySet.abulk_upsert()`."""
        queryset: Any = self.get_queryset()
        return await queryset.abulk_upsert(objs, **options)

    def bulk_update(
        self, objs: Iterable[M], fields: Iterable[str], batch_size: int | None = None, *,
        progress: Progress | None = None,
    ) -> int:  # fmt: skip
        """See `QuerySet.bulk_update()`."""
        return self.get_queryset().bulk_update(objs, fields, batch_size, progress=progress)

    async def abulk_update(
        self, objs: Iterable[M] | AsyncIterable[M], fields: Iterable[str], batch_size: int | None = None, *,
        progress: Progress | None = None,
    ) -> int:  # fmt: skip
        """See `QuerySet.abulk_update()`."""
        return await self.get_queryset().abulk_update(objs, fields, batch_size, progress=progress)

    def update(self, **kwargs: Any) -> int:
        """See `QuerySet.update()`."""
        return self.get_queryset().update(**kwargs)

    async def aupdate(self, **kwargs: Any) -> int:
        """See `QuerySet.aupdate()`."""
        return await self.get_queryset().aupdate(**kwargs)

    def get(self, *args: Any, **kwargs: Any) -> M:
        """See `QuerySet.get()`."""
        return self.get_queryset().get(*args, **kwargs)

    async def aget(self, *args: Any, **kwargs: Any) -> M:
        """See `QuerySet.aget()`."""
        return await self.get_queryset().aget(*args, **kwargs)

    def get_or_none(self, *args: Any, **kwargs: Any) -> M | None:
        """See `QuerySet.get_or_none()`."""
        return self.get_queryset().get_or_none(*args, **kwargs)

    async def aget_or_none(self, *args: Any, **kwargs: Any) -> M | None:
        """See `QuerySet.aget_or_none()`."""
        return await self.get_queryset().aget_or_none(*args, **kwargs)

    def first(self) -> M | None:
        """See `QuerySet.first()`."""
        return self.get_queryset().first()

    async def afirst(self) -> M | None:
        """See `QuerySet.afirst()`."""
        return await self.get_queryset().afirst()

    def last(self) -> M | None:
        """See `QuerySet.last()`."""
        return self.get_queryset().last()

    async def alast(self) -> M | None:
        """See `QuerySet.alast()`."""
        return await self.get_queryset().alast()

    def earliest(self, *fields: Any) -> M:
        """See `QuerySet.earliest()`."""
        return self.get_queryset().earliest(*fields)

    async def aearliest(self, *fields: Any) -> M:
        """See `QuerySet.aearliest()`."""
        return await self.get_queryset().aearliest(*fields)

    def latest(self, *fields: Any) -> M:
        """See `QuerySet.latest()`."""
        return self.get_queryset().latest(*fields)

    async def alatest(self, *fields: Any) -> M:
        """See `QuerySet.alatest()`."""
        return await self.get_queryset().alatest(*fields)

    def count(self) -> int:
        """See `QuerySet.count()`."""
        return self.get_queryset().count()

    async def acount(self) -> int:
        """See `QuerySet.acount()`."""
        return await self.get_queryset().acount()

    def exists(self) -> bool:
        """See `QuerySet.exists()`."""
        return self.get_queryset().exists()

    async def aexists(self) -> bool:
        """See `QuerySet.aexists()`."""
        return await self.get_queryset().aexists()

    def contains(self, obj: Any) -> bool:
        """See `QuerySet.contains()`."""
        return self.get_queryset().contains(obj)

    async def acontains(self, obj: Any) -> bool:
        """See `QuerySet.acontains()`."""
        return await self.get_queryset().acontains(obj)

    def aggregate(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
        """See `QuerySet.aggregate()`."""
        return self.get_queryset().aggregate(*args, **kwargs)

    async def aaggregate(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
        """See `QuerySet.aaggregate()`."""
        return await self.get_queryset().aaggregate(*args, **kwargs)

    def in_bulk(self, id_list: Iterable[Any] | None = None, *, field_name: str = "pk") -> dict[Any, M]:
        """See `QuerySet.in_bulk()`."""
        return self.get_queryset().in_bulk(id_list, field_name=field_name)

    async def ain_bulk(self, id_list: Iterable[Any] | None = None, *, field_name: str = "pk") -> dict[Any, M]:
        """See `QuerySet.ain_bulk()`."""
        return await self.get_queryset().ain_bulk(id_list, field_name=field_name)

    def iterator(self, chunk_size: int | None = None) -> Iterator[M]:
        """See `QuerySet.iterator()`."""
        return self.get_queryset().iterator(chunk_size)

    def aiterator(self, chunk_size: int = 2_000) -> AsyncIterator[M]:
        """See `QuerySet.aiterator()`."""
        return self.get_queryset().aiterator(chunk_size)

    def raw(
        self,
        raw_query: str,
        params: Any = (),
        translations: Mapping[str, str] | None = None,
        using: str | None = None,
    ) -> RawQuerySet[M]:
        """See `QuerySet.raw()`."""
        return self.get_queryset().raw(raw_query, params, translations, using)

    async def araw(
        self,
        raw_query: str,
        params: Any = (),
        translations: Mapping[str, str] | None = None,
        using: str | None = None,
    ) -> RawQuerySet[M]:
        """See `QuerySet.araw()`."""
        return await self.get_queryset().araw(raw_query, params, translations, using)

    def explain(self, *, format: str | None = None, **options: Any) -> str:
        """See `QuerySet.explain()`."""
        return self.get_queryset().explain(format=format, **options)

    async def aexplain(self, *, format: str | None = None, **options: Any) -> str:
        """See `QuerySet.aexplain()`."""
        return await self.get_queryset().aexplain(format=format, **options)
