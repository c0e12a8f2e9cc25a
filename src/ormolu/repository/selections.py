"""What a repository is asked: a chain of conditions and an order, lazy and immutable, and its answers.

`where()`, `order_by()` and their like give a new selection each; nothing is asked before a method that answers.
A selection stands on a queryset that is bound to the repository's session (`queryset`), so conditions may be
SQLAlchemy's (`User.age > 18`), `Q` objects and keywords (`age__gt=18`), and may follow relations.
"""

from __future__ import annotations

import copy
from collections.abc import AsyncIterator, Callable, Generator, Iterator
from typing import TYPE_CHECKING, Any, Generic, Self, TypeVar, cast

import sqlalchemy as sa

from ormolu.exceptions import FieldError
from ormolu.repository.pages import NumberedPage, check_page

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncSession
    from sqlalchemy.orm import Session

__all__ = ["AsyncSelection", "Chosen", "Selection", "StatementSelection"]

M = TypeVar("M")
T = TypeVar("T")


class Refined(Generic[M]):
    """The methods that refine: each returns a new selection."""

    def __init__(self, model: type[M], queryset: Any) -> None:
        self.model = model
        self.queryset = queryset
        """The queryset that asks, bound to a Session, without the limits of this selection."""
        self._limit: int | None = None
        self._offset = 0

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {cast(Any, self.model)._meta.label}>"

    def _with(self, queryset: Any) -> Self:
        twin = copy.copy(self)
        twin.queryset = queryset
        return twin

    def where(self, *conditions: Any, **lookups: Any) -> Self:
        """Keep what meets all conditions: SQLAlchemy's, `Q` objects, and lookups as of `filter()`."""
        return self._with(self.queryset.filter(*conditions, **lookups))

    filter = where

    def exclude(self, *conditions: Any, **lookups: Any) -> Self:
        """Keep what doesn't meet the conditions together. See `QuerySet.exclude()`."""
        return self._with(self.queryset.exclude(*conditions, **lookups))

    def order_by(self, *order: Any) -> Self:
        """Order by columns (`User.name.desc()`), names (`"-name"`) or expressions, in place of any order before."""
        return self._with(self.queryset.order_by(*order))

    def distinct(self) -> Self:
        """Leave out repeated rows."""
        return self._with(self.queryset.distinct())

    def select_related(self, *names: str) -> Self:
        """Load related objects along, by joins. See `QuerySet.select_related()`."""
        return self._with(self.queryset.select_related(*names))

    def prefetch_related(self, *names: Any) -> Self:
        """Load related objects along, by a query for each relation. See `QuerySet.prefetch_related()`."""
        return self._with(self.queryset.prefetch_related(*names))

    def for_update(self, **options: Any) -> Self:
        """Lock the rows until the transaction ends. See `QuerySet.select_for_update()`."""
        return self._with(self.queryset.select_for_update(**options))

    def limit(self, number: int | None) -> Self:
        """Give this many results at most; None for all."""
        twin = copy.copy(self)
        twin._limit = number
        return twin

    def offset(self, number: int) -> Self:
        """Leave out this many results at the beginning."""
        twin = copy.copy(self)
        twin._offset = number
        return twin

    @property
    def limited(self) -> Any:
        """The queryset with the limits of this selection."""
        if self._limit is None and not self._offset:
            return self.queryset
        return self.queryset[self._offset : None if self._limit is None else self._offset + self._limit]


class Answers(Generic[M]):
    """The answers that are made of others: once for selections, and for SQLAlchemy's statements."""

    model: type[M]

    if TYPE_CHECKING:

        def all(self) -> list[M]: ...
        def first(self) -> M | None: ...
        def one(self) -> M: ...
        def one_or_none(self) -> M | None: ...
        def count(self) -> int: ...
        def exists(self) -> bool: ...
        def order_by(self, *order: Any) -> Self: ...
        def limit(self, number: int | None) -> Self: ...
        def part(self, start: int, number: int) -> list[M]: ...

    def paginate(self, page: int = 1, size: int = 20) -> NumberedPage[M]:
        """Return a page of the results, by the primary key where nothing else orders them. Two queries."""
        start = check_page(page, size)
        return NumberedPage(self.part(start, size), self.count(), page, size)

    def find_last_modified(self) -> M | None:
        """Return the result that was changed last, by the field with `auto_now`. See `Repository`."""
        changed = getattr(self.model, last_modified_field(self.model))
        keys = [column.desc() for column in sa.inspect(self.model).primary_key]
        return self.order_by(changed.is_(None), changed.desc(), *keys).first()


class Selection(Refined[M], Answers[M]):
    """The objects of a repository that meet some conditions; it asks when it is told to, through its session."""

    def all(self) -> list[M]:
        """Return all results. One query."""
        return list(self.limited)

    def __iter__(self) -> Iterator[M]:
        return iter(self.all())

    def part(self, start: int, number: int) -> list[M]:
        """Return some of the results, by the primary key where nothing orders them."""
        queryset = self.queryset if self.queryset.ordered else self.queryset.order_by("pk")
        end = start + number if self._limit is None else min(start + number, self._limit)
        return list(queryset[self._offset + start : self._offset + end]) if start < end else []

    def first(self) -> M | None:
        """Return the first result, by the primary key where nothing orders them; None where there is none."""
        return self.limited.first()  # type: ignore[no-any-return]

    def one(self) -> M:
        """Return the only result. Raises DoesNotExist or MultipleObjectsReturned."""
        return self.limited.get()  # type: ignore[no-any-return]

    def one_or_none(self) -> M | None:
        """Return the only result, or None. Raises MultipleObjectsReturned."""
        return self.limited.get_or_none()  # type: ignore[no-any-return]

    def count(self) -> int:
        """Return how many results there are. One query."""
        return self.limited.count()  # type: ignore[no-any-return]

    def exists(self) -> bool:
        """Tell whether there are results. One query."""
        return self.limited.exists()  # type: ignore[no-any-return]

    def update(self, **values: Any) -> int:
        """Set columns of all rows by one statement; return how many. Objects that the session holds follow."""
        return self.limited.update(**values)  # type: ignore[no-any-return]

    def delete(self) -> int:
        """Delete all rows, as on_delete says; return how many rows were deleted, with those of other tables."""
        return self.limited.delete()[0]  # type: ignore[no-any-return]


class AsyncSelection(Refined[M]):
    """The objects of a repository that meet some conditions. It asks through an AsyncSession, when awaited."""

    def __init__(self, model: type[M], queryset: Any, session: AsyncSession) -> None:
        super().__init__(model, queryset)
        self.session = session

    @property
    def sync(self) -> Selection[M]:
        """The same for the Session inside the AsyncSession: for `session.run_sync()`."""
        made = Selection(self.model, self.queryset)
        made._limit, made._offset = self._limit, self._offset
        return made

    async def _ask(self, question: Callable[..., T], *args: Any, **kwargs: Any) -> T:
        def answer(_session: Session) -> T:
            return question(*args, **kwargs)

        return await self.session.run_sync(answer)

    def __await__(self) -> Generator[Any, Any, list[M]]:
        return self.all().__await__()

    async def __aiter__(self) -> AsyncIterator[M]:
        for item in await self.all():
            yield item

    async def all(self) -> list[M]:
        """Return all results. One query."""
        return await self._ask(self.sync.all)

    async def first(self) -> M | None:
        """Return the first result, by the primary key where nothing orders them; None where there is none."""
        return await self._ask(self.sync.first)

    async def one(self) -> M:
        """Return the only result. Raises DoesNotExist or MultipleObjectsReturned."""
        return await self._ask(self.sync.one)

    async def one_or_none(self) -> M | None:
        """Return the only result, or None. Raises MultipleObjectsReturned."""
        return await self._ask(self.sync.one_or_none)

    async def count(self) -> int:
        """Return how many results there are. One query."""
        return await self._ask(self.sync.count)

    async def exists(self) -> bool:
        """Tell whether there are results. One query."""
        return await self._ask(self.sync.exists)

    async def paginate(self, page: int = 1, size: int = 20) -> NumberedPage[M]:
        """Return a page of the results, by the primary key where nothing else orders them. Two queries."""
        return await self._ask(self.sync.paginate, page, size)

    async def find_last_modified(self) -> M | None:
        """Return the result that was changed last, by the field with `auto_now`. One query."""
        return await self._ask(self.sync.find_last_modified)

    async def update(self, **values: Any) -> int:
        """Set columns of all rows by one statement; return how many. Objects that the session holds follow."""
        return await self._ask(self.sync.update, **values)

    async def delete(self) -> int:
        """Delete all rows, as on_delete says; return how many rows were deleted, with those of other tables."""
        return await self._ask(self.sync.delete)


class StatementSelection(Answers[M]):
    """What a SQLAlchemy Select of a model's objects finds, through a Session."""

    def __init__(self, model: type[M], statement: Any, session: Session) -> None:
        self.model = model
        self.statement = statement
        self.session = session

    def _with(self, statement: Any) -> Self:
        return type(self)(self.model, statement, self.session)

    def _ordered(self) -> Any:
        statement = self.statement
        return statement if statement._order_by_clauses else statement.order_by(*self._keys())

    def _keys(self) -> Any:
        return sa.inspect(self.model).primary_key

    def order_by(self, *order: Any) -> Self:
        """Order in place of any order before. A text names a field, with a minus in front to descend."""
        elements = [_element(self.model, item) for item in order]
        return self._with(self.statement.order_by(None).order_by(*elements))

    def limit(self, number: int | None) -> Self:
        """Give this many results at most."""
        return self._with(self.statement.limit(number))

    def all(self) -> list[M]:
        """Return all results. One query."""
        return list(self.session.scalars(self.statement).unique().all())

    def part(self, start: int, number: int) -> list[M]:
        """Return some of the results, by the primary key where nothing orders them."""
        statement = self._ordered()
        limited = statement._limit_clause is not None or statement._offset_clause is not None
        if limited:  # a page of what the statement gives, however that was limited
            keys = statement.with_only_columns(*self._keys()).subquery()
            pairs = zip(self._keys(), keys.c)
            statement = self._plain(statement).join(keys, sa.and_(*(own == key for own, key in pairs)))
        return list(self.session.scalars(statement.limit(number).offset(start)).unique().all())

    def _plain(self, statement: Any) -> Any:
        made = sa.select(self.model).options(*statement._with_options)
        return made.order_by(*statement._order_by_clauses)

    def first(self) -> M | None:
        """Return the first result, by the primary key where nothing orders them; None where there is none."""
        return self.session.scalars(self._ordered().limit(1)).unique().first()

    def one(self) -> M:
        """Return the only result. Raises DoesNotExist or MultipleObjectsReturned."""
        found = self.one_or_none()
        if found is None:
            model: Any = self.model
            raise model.DoesNotExist(f"{model.__name__} matching query does not exist.")
        return found

    def one_or_none(self) -> M | None:
        """Return the only result, or None. Raises MultipleObjectsReturned."""
        found = self.all()
        if len(found) > 1:
            model: Any = self.model
            raise model.MultipleObjectsReturned(
                f"The statement gave {len(found)} objects of {model.__name__}, where one was asked for."
            )
        return found[0] if found else None

    def count(self) -> int:
        """Return how many rows there are. One query."""
        rows = self.statement.order_by(None).with_only_columns(*self._keys(), maintain_column_froms=True)
        return self.session.scalar(sa.select(sa.func.count()).select_from(rows.subquery())) or 0

    def exists(self) -> bool:
        """Tell whether there are results. One query."""
        return bool(self.session.scalar(sa.select(self.statement.order_by(None).exists())))


Chosen = Selection[M] | StatementSelection[M]


def last_modified_field(model: Any) -> str:
    """Return the attribute that says when a row was changed last. Raises FieldError where there is none."""
    fields = model._meta.concrete_fields
    for field in fields:
        if getattr(field, "auto_now", False):
            return str(field.attname)
    if any(field.attname == "updated_at" for field in fields):
        return "updated_at"
    raise FieldError(
        f"{model._meta.object_name} doesn't say when it was changed last: it has no field with auto_now=True, and "
        "none named updated_at. Add ormolu.TimestampMixin."
    )


def _element(model: Any, item: Any) -> Any:
    if not isinstance(item, str):
        return item
    name = item.lstrip("-")
    column = getattr(model, model._meta.get_field(model._meta.pk.name if name == "pk" else name).attname)
    return column.desc() if item.startswith("-") else column
