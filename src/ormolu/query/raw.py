"""raw(): objects from SQL of the caller's.

The text is the caller's responsibility; values belong into `params`.
Source: Django's documentation, topics/db/sql, "Performing raw queries".
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Generator, Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any, Self, cast, overload

from ormolu import databases
from ormolu.compile.raw import raw as raw_plan
from ormolu.compile.statements import plan_for
from ormolu.databases.routing import router
from ormolu.exceptions import FieldDoesNotExist
from ormolu.programs import FetchNamed
from ormolu.query.fetch_modes import FetchMode
from ormolu.query.later import Question, known
from ormolu.query.manager_methods import M
from ormolu.query.prefetch import prefetch
from ormolu.query.results import Results
from ormolu.query.types import field_of_value

__all__ = ["RawQuery", "RawQuerySet"]

CHUNK = 2_000


class RawQuery:
    """The data of a raw query: its text, its parameters, and what its columns are called.

    `params` are a sequence for `%s`, a mapping for `%(name)s`, or None where a percent sign is only that.
    """

    def __init__(
        self,
        sql: str,
        params: Any = (),
        model: Any = None,
        translations: Mapping[str, str] | None = None,
        using: str | None = None,
    ) -> None:
        self.sql = sql
        self.model = model
        self.using = using
        self.translations = dict(translations or {})
        self.is_named = isinstance(params, Mapping)
        given: Any = params
        self.params: Any = None if given is None else dict(given) if self.is_named else tuple(given)
        self._owners: dict[Any, Any] = {}
        self.fetch_mode: Any = None
        self.needs_key = True
        """Whether rows without a primary key are an error."""

    def __str__(self) -> str:
        return self.sql if self.params is None else self.sql % self.params

    def __repr__(self) -> str:
        return f"<{type(self).__name__}: {self}>"

    def chain(self, using: str | None) -> RawQuery:
        """Return the same query for another database."""
        twin = RawQuery(self.sql, self.params, self.model, self.translations, using)
        twin.fetch_mode = self.fetch_mode
        twin.needs_key = self.needs_key
        return twin

    def key(self, shape: Any) -> Any:
        """Return the key of this query: the text counts, the values don't."""
        if self.params is None:
            return (self.model, self.sql, tuple(self.translations.items()), self.fetch_mode, self.needs_key)
        items = self.params.items() if self.is_named else enumerate(self.params)
        self._owners = {name: (self, name) for name, _value in items}
        values = tuple(
            (name, shape.literal(owner, self.params[name])) for name, owner in self._owners.items()
        )
        return (
            self.model,
            self.sql,
            tuple(self.translations.items()),
            self.fetch_mode,
            self.needs_key,
            values,
        )

    def parameter(self, name: Any) -> tuple[Any, Any, Any]:
        """Return the owner of a placeholder's value, the value, and a field of its class.

        Raises TypeError where there is none of that name, or at that place.
        """
        try:
            value = self.params[name]
        except (KeyError, IndexError):
            raise TypeError(
                f"The query has the placeholder {name!r}, for which no parameter was given."
            ) from None
        return self._owners[name], value, field_of_value(value)

    @cached_property
    def fields(self) -> dict[str, Any]:
        """The model's fields by the names of their columns."""
        return {field.column: field for field in self.model._meta.concrete_fields}

    def translated(self, names: Sequence[str]) -> list[str]:
        """Return the names of columns with those that `translations` knows changed for the model's."""
        found = list(names)
        for name, target in self.translations.items():
            if name in found:
                found[found.index(name)] = self._column(target)
        return found

    def _column(self, target: str) -> str:
        try:
            return str(self.model._meta.get_field(target).column)
        except (FieldDoesNotExist, AttributeError):
            return target


def fetched(driver: Any, query: RawQuery) -> Generator[Any, Any, tuple[Any, Any]]:
    """Return the plan of a raw query, and what it finds: the names of columns, and rows. One statement."""
    plan, values = plan_for(driver, query, "raw", raw_plan)
    return plan, (yield FetchNamed(plan.sql, plan.bind(values)))


def made(driver: Any, queryset: Any, plan: Any, found: Any) -> Generator[Any, Any, list[Any]]:
    """Return the objects of some rows, with what is to be prefetched. One SELECT per prefetch."""
    objects = plan.decode(found)
    if queryset._binding is not None:
        objects = driver.adopt(objects)
    if queryset._prefetch and objects:
        yield from prefetch(driver, objects, queryset._prefetch, queryset._db)
    return objects  # type: ignore[no-any-return]


def results(driver: Any, queryset: Any) -> Generator[Any, Any, tuple[Any, list[Any]]]:
    """Return the names of the columns, and all objects."""
    plan, found = yield from fetched(driver, queryset.query)
    return found[0], (yield from made(driver, queryset, plan, found))


def column_names(driver: Any, queryset: Any) -> Generator[Any, Any, Any]:
    """Return the names of the columns alone."""
    _plan, found = yield from fetched(driver, queryset.query)
    return found[0]


class RawQuerySet(Results[M]):
    """The objects that a statement of the caller's finds. Lazy: it runs when it is read, once.

    Reading is iteration, `len`, `bool`, an index or slice (of the results), `await` and `async for`. Columns belong to
    fields by name, in any order; those that are missing are loaded when read, others become attributes. Reading raises
    FieldDoesNotExist where the primary key is not among the columns.
    """

    _prefetch: tuple[Any, ...] = ()
    _binding: Any = None
    _result_cache: list[M] | None = None
    _names: Sequence[str] | None = None

    def __init__(
        self,
        raw_query: str,
        model: type[M] | None = None,
        query: RawQuery | None = None,
        params: Any = (),
        translations: Mapping[str, str] | None = None,
        using: str | None = None,
        hints: Mapping[str, Any] | None = None,
    ) -> None:
        self.raw_query = raw_query
        self.model: Any = model
        self.params = params
        self.translations = dict(translations or {})
        self._db = using
        self._hints: dict[str, Any] = dict(hints or {})
        self.query = query or RawQuery(raw_query, params, model, translations, using)

    def __repr__(self) -> str:
        return f"<{type(self).__name__}: {self.query}>"

    def __getstate__(self) -> dict[str, Any]:
        self._fetch_all()
        return {**self.__dict__, "_binding": None}

    # Running

    @property
    def db(self) -> str:
        """The alias of the database that will be asked."""
        return router.alias_to_read(self.model, self._db, self._hints)

    def _run(self, program: Any, *args: Any) -> Any:
        if self._binding is not None:
            return self._binding.run(program, *args)
        return databases.get(self.db).driver.run(program, *args)

    async def _arun(self, program: Any, *args: Any) -> Any:
        if self._binding is not None:
            return await self._binding.arun(program, *args)
        return await databases.get(self.db).adriver.arun(program, *args)

    def _fetch_all(self) -> list[M]:
        if self._result_cache is None:
            self._names, self._result_cache = self._run(results, self)
        return cast("list[M]", self._result_cache)

    async def _afetch_all(self) -> list[M]:
        if self._result_cache is None:
            self._names, self._result_cache = await self._arun(results, self)
        return cast("list[M]", self._result_cache)

    def _question(self) -> Question[list[M]]:
        if self._result_cache is not None:
            return Question(self, known, (self._result_cache,))
        return Question(self, results, (self,), self._keep)

    def _keep(self, found: Any) -> list[M]:
        self._names, self._result_cache = found
        return cast("list[M]", self._result_cache)

    # Reading

    @overload
    def __getitem__(self, key: int) -> M: ...

    @overload
    def __getitem__(self, key: slice) -> list[M]: ...

    def __getitem__(self, key: int | slice) -> Any:
        return self._fetch_all()[key]

    def iterator(self, chunk_size: int = CHUNK) -> Iterator[M]:
        """Yield the objects, made in chunks and not kept. Each call runs the statement."""
        plan, (names, rows) = self._run(fetched, self.query)
        for start in range(0, len(rows), chunk_size):
            yield from self._run(made, self, plan, (names, rows[start : start + chunk_size]))

    async def aiterator(self, chunk_size: int = CHUNK) -> AsyncIterator[M]:
        """Yield the objects, made in chunks and not kept. Each call runs the statement."""
        plan, (names, rows) = await self._arun(fetched, self.query)
        for start in range(0, len(rows), chunk_size):
            for item in await self._arun(made, self, plan, (names, rows[start : start + chunk_size])):
                yield item

    # What it reads

    @property
    def columns(self) -> list[str]:
        """The names of the columns, in order, with `translations` applied. Runs the statement if it has not run."""
        if self._names is None:
            self._names = self._run(column_names, self)
        return self.query.translated(cast("Sequence[str]", self._names))

    @property
    def model_fields(self) -> dict[str, Any]:
        """The model's fields by the names of their columns."""
        return self.query.fields

    # Refining

    def _clone(self) -> Self:
        twin = object.__new__(type(self))
        twin.__dict__ = {**self.__dict__}
        for name in ("_result_cache", "_names"):
            twin.__dict__.pop(name, None)
        return twin

    def prefetch_related(self, *lookups: Any) -> Self:
        """Load related objects with one more query per relation; `None` takes everything back."""
        twin = self._clone()
        twin._prefetch = () if lookups == (None,) else (*self._prefetch, *lookups)
        return twin

    def fetch_mode(self, mode: FetchMode) -> Self:
        """Say what reading an attribute does that the statement didn't give. See `QuerySet.fetch_mode()`."""
        twin = self._clone()
        twin.query = self.query.chain(self.query.using)
        twin.query.fetch_mode = mode
        return twin

    def using(self, alias: str | None) -> Self:
        """Ask another database."""
        twin = self._clone()
        twin._db = alias
        twin.query = self.query.chain(alias)
        return twin
