"""QuerySet: the half that asks the database, synchronously and asynchronously."""

from __future__ import annotations

from collections.abc import AsyncIterator, Generator, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Self, cast, overload

from ormolu import __version__, databases
from ormolu.compile import statements
from ormolu.compile.params import Params
from ormolu.compile.shape import Shape
from ormolu.databases.routing import router
from ormolu.exceptions import NotSupportedError
from ormolu.programs import FetchLocked, no_transaction
from ormolu.query import date_lookups as _date_lookups  # these register themselves
from ormolu.query import json_lookups as _json_lookups
from ormolu.query import many, terminals
from ormolu.query import text_lookups as _text_lookups
from ormolu.query import tuple_lookups as _tuple_lookups
from ormolu.query.chain import Chain, M, R, check_alias, check_selected, named_expressions
from ormolu.query.extra import Extra
from ormolu.query.frames import Frames
from ormolu.query.keyset import Keyset
from ormolu.query.later import Fetchable, Later, Question, known
from ormolu.query.periods import Periods
from ormolu.query.pickling import VERSION_KEY, check_version
from ormolu.query.prefetch import prefetch
from ormolu.query.q import of_lookups
from ormolu.query.raw import RawQuerySet
from ormolu.query.references import F
from ormolu.query.results import Results
from ormolu.query.set_operations import SetOperations
from ormolu.query.streamed import streamed
from ormolu.query.writing import Writing

if TYPE_CHECKING:
    from ormolu.query.query import Query

MOST_SHOWN = 20
CHUNK = 2_000


class QuerySet(
    Writing[M, R],
    Periods[M, R],
    SetOperations[M, R],
    Keyset[M, R],
    Frames[M, R],
    Extra[M, R],
    Chain[M, R],
    Results[R],
):
    """A lazy, immutable query of a model.

    Refining methods return a new queryset. Reading it (iteration, `len`, `bool`, `list`,
    `await`, `async for`, an index) runs one SELECT and keeps the results.
    Each method that does I/O has an asynchronous twin with an `a` before its name.
    """

    if not TYPE_CHECKING:
        # Type parameters mean nothing at run time, as in Django: `QuerySet[Author]` is QuerySet itself.
        def __class_getitem__(cls, item):
            return cls

    # Running

    def _alias(self) -> str:
        if self._for_write:
            return self._db or router.db_for_write(self.model, **self._hints)
        return router.alias_to_read(self.model, self._db, self._hints)

    @property
    def db(self) -> str:
        """The alias of the database that will be asked."""
        return self._alias()

    def _run(self, program: Any, *args: Any) -> Any:
        if self._binding is not None:
            return self._binding.run(program, *args)
        return databases.get(self._alias()).driver.run(program, *args)

    async def _arun(self, program: Any, *args: Any) -> Any:
        if self._binding is not None:
            return await self._binding.arun(program, *args)
        return await databases.get(self._alias()).adriver.arun(program, *args)

    def _fetch_all(self) -> list[R]:
        found = self._result_cache
        if found is None:
            found = self._result_cache = self._run(terminals.results, self)
        return found

    async def _afetch_all(self) -> list[R]:
        found = self._result_cache
        if found is None:
            found = self._result_cache = await self._arun(terminals.results, self)
        return found

    # Together with others

    def _question(self) -> Question[list[R]]:
        if self._result_cache is not None:
            return Question(self, known, (self._result_cache,))
        return Question(self, terminals.results, (self,), self._keep)

    def _keep(self, found: list[R]) -> list[R]:
        self._result_cache = found
        return found

    @property
    def later(self) -> Later[M, R]:
        """The terminal methods as questions for `fetch_many()`: `queryset.later.count()` asks nothing yet."""
        return Later(self)

    def fetch_many(self, *others: Fetchable[Any]) -> tuple[list[R], *tuple[Any, ...]]:
        """Ask this queryset and others at once; return its rows and their results. See `ormolu.fetch_many()`."""
        return many.fetch_many(self, *others)

    async def afetch_many(self, *others: Fetchable[Any]) -> tuple[list[R], *tuple[Any, ...]]:
        """Ask this queryset and others at once. See `ormolu.fetch_many()`."""
        return await many.afetch_many(self, *others)

    # Reading

    def __repr__(self) -> str:
        shown: list[Any] = list(
            self._result_cache if self._result_cache is not None else self[: MOST_SHOWN + 1]
        )
        shown = shown[: MOST_SHOWN + 1]
        if len(shown) > MOST_SHOWN:
            shown[-1] = "...(remaining elements truncated)..."
        return f"<{type(self).__name__} {shown!r}>"

    @overload
    def __getitem__(self, key: int) -> R: ...

    @overload
    def __getitem__(self, key: slice) -> Self: ...

    def __getitem__(self, key: int | slice) -> Any:
        if not isinstance(key, (int, slice)):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise TypeError(f"QuerySet indices must be integers or slices, not {type(key).__name__}.")
        if isinstance(key, int):
            if key < 0:
                raise ValueError("Negative indexing is not supported.")
            if self._result_cache is not None:
                return self._result_cache[key]
            found = self._sliced(key, key + 1)._fetch_all()
            return found[0]  # IndexError where there is none, as for a list
        if (key.start is not None and key.start < 0) or (key.stop is not None and key.stop < 0):
            raise ValueError("Negative indexing is not supported.")
        if self._result_cache is not None:
            return self._result_cache[key]
        made = self._sliced(
            None if key.start is None else int(key.start), None if key.stop is None else int(key.stop)
        )
        return list(made)[:: key.step] if key.step else made

    def _sliced(self, start: int | None, stop: int | None) -> Self:
        made = self._clone()
        made.query.slice(start, stop)
        return made

    def _limited_for_get(self) -> Self:
        if self.query.limit is not None:
            return self
        made = self._clone()
        made.query.limit = ("limit", terminals.MOST_FOR_GET)
        return made

    def _prepare_get(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Self:
        query = self.query
        if query.combined is not None and (args or kwargs):
            raise NotSupportedError(
                f"Calling QuerySet.get(...) with filters after {query.combined.kind}() is not supported."
            )
        if query.is_sliced and (args or kwargs):
            raise TypeError("Cannot filter a query once a slice has been taken.")
        made = self._clone()
        if args or kwargs:
            made.query.ops = (*query.ops, ("filter", of_lookups(args, kwargs)))
        ordered = query.default_ordering or query.order_by
        if ordered and not query.is_sliced and not query.distinct_fields:
            made.query.order_by, made.query.default_ordering = (), False
        if query.limit is None:
            made.query.limit = GET_LIMIT
        return made

    def get(self, *args: Any, **kwargs: Any) -> R:
        """Return the one object that meets the conditions.

        Raises the model's DoesNotExist where there is none, MultipleObjectsReturned
        where there are several.
        """
        if "query" not in self.__dict__ and kwargs and not args and self._binding is None:
            return self._run(terminals.one_by, self, kwargs)  # type: ignore[no-any-return]
        return self._run(terminals.one, self._prepare_get(args, kwargs), kwargs)  # type: ignore[no-any-return]

    async def aget(self, *args: Any, **kwargs: Any) -> R:
        """Return the one object that meets the conditions. See `get()`."""
        if "query" not in self.__dict__ and kwargs and not args and self._binding is None:
            return await self._arun(terminals.one_by, self, kwargs)  # type: ignore[no-any-return]
        return await self._arun(terminals.one, self._prepare_get(args, kwargs), kwargs)  # type: ignore[no-any-return]

    def get_or_none(self, *args: Any, **kwargs: Any) -> R | None:
        """Return the one object that meets the conditions, None where there is none."""
        try:
            return self.get(*args, **kwargs)
        except self.model.DoesNotExist:  # type: ignore[attr-defined]
            return None

    async def aget_or_none(self, *args: Any, **kwargs: Any) -> R | None:
        """Return the one object that meets the conditions, None where there is none."""
        try:
            return await self.aget(*args, **kwargs)
        except self.model.DoesNotExist:  # type: ignore[attr-defined]
            return None

    def _prepare_first(self, last: bool = False) -> Self:
        made = self._clone() if self.ordered else self._by_pk()
        if last:
            if self.query.is_sliced:
                raise TypeError("Cannot reverse a query once a slice has been taken.")
            made.query.reversed = not made.query.reversed
        made.query.slice(None, 1)
        return made

    def _by_pk(self) -> Self:
        names = self._grouping_names()
        meta: Any = cast(Any, self.model)._meta
        if names and "pk" not in names and not all({f.name, f.attname} & set(names) for f in meta.pk_fields):
            raise TypeError(
                "Cannot use QuerySet.first() on an unordered queryset performing aggregation. "
                "Add an ordering with order_by()."
            )
        return self._ordered_by(("pk",))

    def _grouping_names(self) -> tuple[str, ...]:
        """Return the names of the values() that the last aggregate groups by; none: by rows, or not at all."""
        chosen: tuple[str, ...] = ()
        names: tuple[str, ...] = ()
        for op in self.query.ops:
            if op[0] == "values":
                chosen = op[1]
            elif op[0] == "annotate" and getattr(op[2], "contains_aggregate", False):
                names = chosen
        return names

    def first(self) -> R | None:
        """Return the first object, None where there is none. Without an order: by key."""
        if self._result_cache is not None and self.ordered:
            return self._result_cache[0] if self._result_cache else None
        return self._run(terminals.first_of, self._prepare_first())  # type: ignore[no-any-return]

    async def afirst(self) -> R | None:
        """Return the first object, None where there is none. Without an order: by key."""
        return await self._arun(terminals.first_of, self._prepare_first())  # type: ignore[no-any-return]

    def last(self) -> R | None:
        """Return the last object, None where there is none. Without an order: by key."""
        return self._run(terminals.first_of, self._prepare_first(True))  # type: ignore[no-any-return]

    async def alast(self) -> R | None:
        """Return the last object, None where there is none. Without an order: by key."""
        return await self._arun(terminals.first_of, self._prepare_first(True))  # type: ignore[no-any-return]

    def _extreme(self, fields: tuple[Any, ...], latest: bool) -> Self:
        if self.query.is_sliced:
            raise TypeError("Cannot change a query once a slice has been taken.")
        by: Any = fields or cast(Any, self.model)._meta.get_latest_by
        if not by:
            raise ValueError(
                "earliest() and latest() require either fields as positional arguments or 'get_latest_by' "
                "in the model's Meta."
            )
        names = (by,) if isinstance(by, str) else tuple(by)
        made = self.order_by(*names)
        return (made.reverse() if latest else made)._sliced(None, 1)

    def earliest(self, *fields: Any) -> R:
        """Return the first object by these fields, else by Meta.get_latest_by; DoesNotExist where there is none."""
        return self._run(terminals.one, self._extreme(fields, False), None)  # type: ignore[no-any-return]

    async def aearliest(self, *fields: Any) -> R:
        """Return the first object by these fields. See `earliest()`."""
        return await self._arun(terminals.one, self._extreme(fields, False), None)  # type: ignore[no-any-return]

    def latest(self, *fields: Any) -> R:
        """Return the last object by these fields, else by Meta.get_latest_by; DoesNotExist where there is none."""
        return self._run(terminals.one, self._extreme(fields, True), None)  # type: ignore[no-any-return]

    async def alatest(self, *fields: Any) -> R:
        """Return the last object by these fields. See `latest()`."""
        return await self._arun(terminals.one, self._extreme(fields, True), None)  # type: ignore[no-any-return]

    def count(self) -> int:
        """Return the number of rows: SELECT COUNT(*), or the length of results that are there."""
        if self._result_cache is not None:
            return len(self._result_cache)
        return self._run(terminals.count, self.query)  # type: ignore[no-any-return]

    async def acount(self) -> int:
        """Return the number of rows."""
        if self._result_cache is not None:
            return len(self._result_cache)
        return await self._arun(terminals.count, self.query)  # type: ignore[no-any-return]

    def exists(self) -> bool:
        """Return whether there is a row: SELECT 1 ... LIMIT 1."""
        if self._result_cache is not None:
            return bool(self._result_cache)
        return self._run(terminals.exists, self.query)  # type: ignore[no-any-return]

    async def aexists(self) -> bool:
        """Return whether there is a row."""
        if self._result_cache is not None:
            return bool(self._result_cache)
        return await self._arun(terminals.exists, self.query)  # type: ignore[no-any-return]

    def _prepare_contains(self, obj: Any) -> Self | bool:
        self._not_combined("contains")
        if self.query.values_fields is not None:
            raise TypeError("Cannot call QuerySet.contains() after .values() or .values_list().")
        if not hasattr(obj, "_meta"):
            raise TypeError("'obj' must be a model instance.")
        if obj._meta.concrete_model is not self.model._meta.concrete_model:  # type: ignore[attr-defined]
            return False
        if not obj._is_pk_set():
            raise ValueError("QuerySet.contains() cannot be used on unsaved objects.")
        if self._result_cache is not None:
            return obj in self._result_cache
        return self.filter(pk=obj.pk)

    def contains(self, obj: Any) -> bool:
        """Return whether an object is among the rows."""
        found = self._prepare_contains(obj)
        return found if isinstance(found, bool) else found.exists()

    async def acontains(self, obj: Any) -> bool:
        """Return whether an object is among the rows."""
        found = self._prepare_contains(obj)
        return found if isinstance(found, bool) else await found.aexists()

    def aggregate(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
        """Return a dict of summaries over all rows. One SELECT."""
        wanted = self._aggregates(args, kwargs)
        return self._run(terminals.aggregate, self.query, wanted) if wanted else {}

    async def aaggregate(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
        """Return a dict of summaries over all rows. One SELECT."""
        wanted = self._aggregates(args, kwargs)
        return await self._arun(terminals.aggregate, self.query, wanted) if wanted else {}

    def _aggregates(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> dict[str, Any]:
        if self.query.distinct_fields:
            raise NotImplementedError(
                "aggregate() + distinct(fields) not implemented."
            )  # Django's class and text
        for arg in args:
            try:
                arg.default_alias  # noqa: B018
            except (AttributeError, TypeError):
                raise TypeError("Complex aggregates require an alias") from None
        for name in kwargs:
            check_alias(name)
        named = named_expressions(args, kwargs, "aggregate")
        if any(op[0] == "annotate" for op in self.query.ops):
            for expression in named.values():
                for part in expression.flatten() if hasattr(expression, "flatten") else ():
                    if isinstance(part, F):
                        check_selected(self.query, part.name, "aggregate over")
        return named

    def _prepare_bulk(self, name: str) -> None:
        if self.query.is_sliced:
            raise TypeError("Cannot use 'limit' or 'offset' with in_bulk().")
        if self.query.values_fields is not None:
            raise TypeError("in_bulk() cannot be used with values() or values_list().")
        meta: Any = cast(Any, self.model)._meta
        if name == "pk":
            return
        unique = {c.fields[0] for c in meta.unique_constraints if len(c.fields) == 1}
        field = meta.get_field(name)
        if not field.unique and name not in unique and self.query.distinct_fields != (name,):
            raise ValueError(f"in_bulk()'s field_name must be a unique field but {name!r} isn't.")

    def in_bulk(self, id_list: Iterable[Any] | None = None, *, field_name: str = "pk") -> dict[Any, R]:
        """Return a dict from key to object, for these keys or for all rows."""
        self._prepare_bulk(field_name)
        keys = None if id_list is None else list(id_list)
        return self._run(terminals.in_bulk, self, field_name, keys)  # type: ignore[no-any-return]

    async def ain_bulk(self, id_list: Iterable[Any] | None = None, *, field_name: str = "pk") -> dict[Any, R]:
        """Return a dict from key to object, for these keys or for all rows."""
        self._prepare_bulk(field_name)
        keys = None if id_list is None else list(id_list)
        return await self._arun(terminals.in_bulk, self, field_name, keys)  # type: ignore[no-any-return]

    # Streaming

    def _prepare_iterator(self, chunk_size: int | None) -> int:
        if chunk_size is None:
            if self._prefetch:
                raise ValueError(
                    "chunk_size must be provided when using QuerySet.iterator() after prefetch_related()."
                )
            return CHUNK
        if chunk_size <= 0:
            raise ValueError("Chunk size must be strictly positive.")
        return chunk_size

    def iterator(self, chunk_size: int | None = None) -> Iterator[R]:
        """Yield the rows as they arrive, keeping none: constant memory."""
        size = self._prepare_iterator(chunk_size)
        return streamed(self._chunks(size))

    def _chunks(self, size: int) -> Generator[list[R], None, None]:
        driver = databases.get(self._alias()).driver if self._binding is None else self._binding.driver
        if not getattr(driver, "acquainted", True):
            driver.run(terminals.nothing)
        plan, values = statements.plan_for(driver, self.query, "rows", statements.rows)
        if plan.empty:
            return
        self._check_lock(plan)
        for chunk in driver.stream(plan.sql, plan.bind(values), size):
            found = plan.decode(chunk)  # type: ignore[misc]
            self._attach(found)
            if self._prefetch:
                driver.run(prefetch, found, self._prefetch, self._db)
            yield found

    def _check_lock(self, plan: Any) -> None:
        if (
            plan.step is FetchLocked
            and self._binding is None
            and not databases.get(self._alias()).in_atomic_block
        ):
            raise no_transaction()

    def _attach(self, found: list[Any]) -> None:
        if self._known and self.query.values_fields is None:
            terminals.attach_known(found, self._known)

    async def aiterator(self, chunk_size: int = CHUNK) -> AsyncIterator[R]:
        """Yield the rows as they arrive, keeping none: constant memory."""
        if chunk_size <= 0:
            raise ValueError("Chunk size must be strictly positive.")
        driver = databases.get(self._alias()).adriver if self._binding is None else self._binding.adriver
        if not getattr(driver, "acquainted", True):
            await driver.arun(terminals.nothing)
        plan, values = statements.plan_for(driver, self.query, "rows", statements.rows)
        if plan.empty:
            return
        self._check_lock(plan)
        stream = driver.stream(plan.sql, plan.bind(values), chunk_size)
        try:
            async for chunk in stream:
                found = plan.decode(chunk)  # type: ignore[misc]
                self._attach(found)
                if self._prefetch:
                    await driver.arun(prefetch, found, self._prefetch, self._db)
                for item in found:
                    yield item
        finally:
            await stream.aclose()

    # SQL of the caller's

    def raw(
        self,
        raw_query: str,
        params: Any = (),
        translations: Mapping[str, str] | None = None,
        using: str | None = None,
    ) -> RawQuerySet[M]:
        """Return the objects that a statement of yours finds.

        Of this queryset it takes the database, prefetches and the fetch mode.

        `%s` stands for the values of a sequence `params`, `%(name)s` for those of a mapping, on every database. With
        `params=None` a percent sign is only that. `translations` gives names of columns those of fields.
        """
        alias = using or self._db
        found = RawQuerySet[M](raw_query, self.model, None, params, translations, alias, self._hints)
        found._prefetch, found._binding = self._prefetch, self._binding
        if "query" in self.__dict__:
            found.query.fetch_mode = self.query.fetch_mode
        return found

    async def araw(
        self,
        raw_query: str,
        params: Any = (),
        translations: Mapping[str, str] | None = None,
        using: str | None = None,
    ) -> RawQuerySet[M]:
        """Run a statement of yours and return its objects: `raw()`, read already."""
        found = self.raw(raw_query, params, translations, using)
        await found
        return found

    # Showing

    def explain(self, *, format: str | None = None, **options: Any) -> str:
        """Return how the database would run this query, as text.

        `format` and options are the database's own words; `analyze=True` runs the query (PostgreSQL, MariaDB, MySQL).
        Raises ValueError for what it doesn't know.
        """
        return self._run(terminals.explain, self.query, format, options)  # type: ignore[no-any-return]

    async def aexplain(self, *, format: str | None = None, **options: Any) -> str:
        """Return how the database would run this query, as text. See `explain()`."""
        return await self._arun(terminals.explain, self.query, format, options)  # type: ignore[no-any-return]

    @property
    def statement(self) -> Any:
        """The SQLAlchemy Select of this query, with its values in it."""
        return statements.select_of(databases.get(self._alias()).driver, self.query)

    # Copying

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        return self._clone()

    def __getstate__(self) -> dict[str, Any]:
        self._fetch_all()
        return self._as_question()

    def __setstate__(self, state: dict[str, Any]) -> None:
        state = dict(state)
        check_version(state)
        self.__dict__.update(state)

    def _as_question(self) -> dict[str, Any]:
        """Return what a pickle needs, with the results that are there; the session isn't among it."""
        assert self.query is not None  # it may still have to be made
        return {**self.__dict__, "_binding": None, VERSION_KEY: __version__}

    def shape(self, shape: Any) -> Any:
        """Return the key of this query inside another."""
        return (self._db, self.query.shape(shape))

    def resolve_expression(self, *args: Any, **kwargs: Any) -> Self:
        """Return self: a queryset may stand where an expression may."""
        return self

    @classmethod
    def as_manager(cls) -> Any:
        """Return a manager with this class's methods."""
        from ormolu.query.managers import manager_class

        manager = manager_class(cls)()
        manager._built_with_asmanager = True
        return manager


GET_LIMIT = ("limit", terminals.MOST_FOR_GET)


class _IsNothing(type):
    """`isinstance(queryset, EmptyQuerySet)` asks whether none() was called."""

    def __instancecheck__(cls, instance: object) -> bool:
        return isinstance(instance, QuerySet) and instance.query.is_nothing


class EmptyQuerySet(metaclass=_IsNothing):
    """For isinstance() only: `isinstance(queryset.none(), EmptyQuerySet)` is true."""

    def __init__(self) -> None:
        raise TypeError("EmptyQuerySet can't be instantiated; use none().")


__all__ = [
    "EmptyQuerySet",
    "_date_lookups",
    "_json_lookups",
    "_text_lookups",
    "_tuple_lookups",
    "Params",
    "Query",
    "QuerySet",
    "Sequence",
    "Shape",
]
