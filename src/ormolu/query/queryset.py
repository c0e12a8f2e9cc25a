"""QuerySet: what the parts of it make together, and how it is read, shown and copied."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Self, overload

from ormolu import __version__, databases
from ormolu.compile import statements
from ormolu.query import date_lookups as _date_lookups  # these register themselves
from ormolu.query import json_lookups as _json_lookups
from ormolu.query import many, terminals
from ormolu.query import text_lookups as _text_lookups
from ormolu.query import tuple_lookups as _tuple_lookups
from ormolu.query.asking import Asking
from ormolu.query.chain import Chain, M, R
from ormolu.query.extra import Extra
from ormolu.query.frames import Frames
from ormolu.query.keyset import Keyset
from ormolu.query.later import Fetchable, Later, Question, known
from ormolu.query.loads import Loads
from ormolu.query.merging import Merging
from ormolu.query.periods import Periods
from ormolu.query.pickling import VERSION_KEY, check_version
from ormolu.query.raw import RawQuerySet
from ormolu.query.results import Results
from ormolu.query.schema_rows import SchemaRows
from ormolu.query.set_operations import SetOperations
from ormolu.query.singles import Singles
from ormolu.query.streaming import Streaming
from ormolu.query.summaries import Summaries
from ormolu.query.writing import Writing

MOST_SHOWN = 20


class QuerySet(
    Writing[M, R],
    Singles[M, R],
    Summaries[M, R],
    Streaming[M, R],
    Periods[M, R],
    SetOperations[M, R],
    Keyset[M, R],
    Frames[M, R],
    Extra[M, R],
    Loads[M, R],
    SchemaRows[M, R],
    Merging[M, R],
    Asking[M, R],
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

    # Reading it whole

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
    "QuerySet",
]
