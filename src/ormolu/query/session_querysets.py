"""QuerySets that are bound to a Session or an AsyncSession."""

from __future__ import annotations

from collections.abc import AsyncIterator, Generator, Iterable
from typing import Any, Generic, Self, cast

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm.attributes import set_committed_value

from ormolu.query import many, terminals
from ormolu.query.binding import AsyncSessionDriver, SessionDriver
from ormolu.query.chain import M, R
from ormolu.query.queryset import QuerySet


class Binding:
    """Ties a queryset to a session."""

    def __init__(self, session: Any, model: Any) -> None:
        self.session = session
        self.model = model

    @property
    def driver(self) -> SessionDriver:
        """The stand-in for a driver."""
        return SessionDriver(self.session, self.model)

    def run(self, program: Any, *args: Any) -> Any:
        """Drive a program on the session."""
        return self.driver.run(program, *args)

    async def arun(self, program: Any, *args: Any) -> Any:
        """Drive a program on the AsyncSession that this session belongs to."""
        from sqlalchemy.ext.asyncio import async_session

        owner: Any = async_session(self.session)
        return await AsyncSessionDriver(owner, self.model).arun(program, *args)


class SessionQuerySet(QuerySet[M, R]):
    """A QuerySet on a Session. Writes go through the unit of work and are flushed, never committed."""

    _hears_overrides = False  # an AsyncSession's face calls the plain names

    @property
    def session(self) -> Any:
        """The session."""
        return self._binding.session

    def create(self, **kwargs: Any) -> M:
        """Make an object, add it and flush."""
        self._check_reverse(kwargs)
        instance = self.model(**kwargs)
        self.session.add(instance)
        self.session.flush()
        return instance

    def get_or_create(self, defaults: dict[str, Any] | None = None, **kwargs: Any) -> tuple[M, bool]:
        """Return (object, created); a race is settled in a savepoint, so that pending work stays."""
        params = terminals.called(self._creation(kwargs, defaults))
        return self._get_or_make(kwargs, params)

    def _get_or_make(self, lookups: dict[str, Any], params: dict[str, Any]) -> tuple[M, bool]:
        missing = self.model.DoesNotExist  # type: ignore[attr-defined]
        try:
            return self.get(**lookups), False  # type: ignore[return-value]
        except missing:
            pass
        try:
            with self.session.begin_nested():
                self._check_reverse(params)
                instance = self.model(**params)
                self.session.add(instance)
                self.session.flush()
        except IntegrityError:
            try:
                return self.get(**lookups), False  # type: ignore[return-value]
            except missing:
                pass
            raise
        return instance, True

    def update_or_create(
        self,
        defaults: dict[str, Any] | None = None,
        create_defaults: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> tuple[M, bool]:
        """Return (object, created); an object that is there is changed and flushed."""
        params = terminals.called(
            self._creation(kwargs, defaults if create_defaults is None else create_defaults)
        )
        instance, created = self._get_or_make(kwargs, params)
        if not created:
            for name, value in terminals.called(defaults or {}).items():
                setattr(instance, name, value)
            self.session.flush()
        return instance, created

    def bulk_create(self, objs: Iterable[M], *args: Any, **kwargs: Any) -> list[M]:
        """Add objects and flush; with conflict options, insert past the unit of work."""
        if args or any(kwargs.values()):
            return super().bulk_create(objs, *args, **kwargs)
        made = list(objs)
        self.session.add_all(made)
        self.session.flush()
        return made

    def update(self, **kwargs: Any) -> int:
        """Set columns of all rows; objects of the session follow."""
        held = [o for o in self.session.identity_map.values() if isinstance(o, self.model)]
        keys: set[Any] = set(self.order_by().values_list("pk", flat=True)) if held else set()
        number = super().update(**kwargs)
        meta: Any = cast(Any, self.model)._meta
        for instance in held:
            if instance.pk in keys:  # type: ignore[attr-defined]
                for name, value in kwargs.items():
                    field = meta.get_field(name)
                    if hasattr(field, "from_fields"):  # a ForeignObject, whose columns these are
                        parts = [part.attname for part in field.local_related_fields]
                        self.session.expire(instance, [*parts, field.name])
                    elif (
                        hasattr(value, "as_term")
                        or hasattr(value, "__clause_element__")
                        or hasattr(value, "_meta")
                    ):
                        self.session.expire(instance, [field.attname])
                    else:
                        set_committed_value(instance, field.attname, field.to_python(value))
        return number

    def delete(self) -> tuple[int, dict[str, int]]:
        """Delete all rows as on_delete says; objects of the session that are gone leave it."""
        held = [o for o in self.session.identity_map.values() if isinstance(o, self.model)]
        keys: set[Any] = set(self.order_by().values_list("pk", flat=True)) if held else set()
        gone = [instance for instance in held if instance.pk in keys]  # type: ignore[attr-defined]
        found = super().delete()
        for instance in gone:
            if instance in self.session:
                self.session.expunge(instance)
        others = {label for label, number in found[1].items() if number} - {self.model._meta.label}  # type: ignore[attr-defined]
        for instance in list(self.session.identity_map.values()):
            if hasattr(instance, "_meta") and instance._meta.label in others:
                self.session.expire(instance)
        return found

    update.alters_data = delete.alters_data = True  # type: ignore[attr-defined]


def session_queryset(manager: Any, session: Any) -> Any:
    """Return a manager's queryset, with the methods of its own class, bound to a Session."""
    return bound(manager.get_queryset(), manager.model, session)


def bound(queryset: Any, model: Any, session: Any) -> Any:
    """Return a queryset bound to a Session."""
    cls: Any = queryset.__class__
    if cls is QuerySet:
        cls = cast(Any, SessionQuerySet)
    elif SessionQuerySet not in cls.__mro__:
        cls = cast(Any, type(f"Session{cls.__name__}", (cls, SessionQuerySet), {"_hears_overrides": False}))
    made = object.__new__(cls)
    made.__dict__.update(queryset.__dict__)
    made._binding = Binding(session, model)
    return made


class AsyncSessionQuerySet(Generic[M, R]):
    """A QuerySet on an AsyncSession: refining methods are plain, those that ask the database are coroutines."""

    def __init__(self, manager: Any, session: Any, queryset: Any = None) -> None:
        self._manager = manager
        self.session = session
        self._queryset = session_queryset(manager, session.sync_session) if queryset is None else queryset

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._queryset, name)
        if not callable(value):
            return value

        def refined(*args: Any, **kwargs: Any) -> Any:
            found = value(*args, **kwargs)
            if not isinstance(found, QuerySet):
                return found
            bound: AsyncSessionQuerySet[Any, Any] = AsyncSessionQuerySet(self._manager, self.session, found)
            return bound

        refined.__name__ = name
        return refined

    def __getitem__(self, key: slice) -> Self:
        if not isinstance(key, slice):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise TypeError(
                "An asynchronous queryset takes slices; for one object use first(), last() or get()."
            )
        return type(self)(self._manager, self.session, self._queryset[key])

    async def _do(self, name: str, /, *args: Any, **kwargs: Any) -> Any:
        method = getattr(self._queryset, name)

        def call(_session: Any) -> Any:
            return method(*args, **kwargs)

        return await self.session.run_sync(call)

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

    async def bulk_create(self, *args: Any, **kwargs: Any) -> list[M]:
        """See `QuerySet.bulk_create()`."""
        return await self._do("bulk_create", *args, **kwargs)  # type: ignore[no-any-return]

    abulk_create = bulk_create

    async def bulk_update(self, *args: Any, **kwargs: Any) -> int:
        """See `QuerySet.bulk_update()`."""
        return await self._do("bulk_update", *args, **kwargs)  # type: ignore[no-any-return]

    abulk_update = bulk_update

    async def update(self, *args: Any, **kwargs: Any) -> int:
        """See `QuerySet.update()`."""
        return await self._do("update", *args, **kwargs)  # type: ignore[no-any-return]

    aupdate = update

    async def delete(self, *args: Any, **kwargs: Any) -> tuple[int, dict[str, int]]:
        """See `QuerySet.delete()`."""
        return await self._do("delete", *args, **kwargs)  # type: ignore[no-any-return]

    adelete = delete
