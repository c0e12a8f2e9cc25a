"""Questions that are asked later, together: what `fetch_many()` takes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any, Generic

from typing_extensions import TypeVar

from ormolu.query import terminals

if TYPE_CHECKING:
    from ormolu.query.keyset import Page
    from ormolu.query.queryset import QuerySet

__all__ = ["Fetchable", "Later", "Question"]

T = TypeVar("T", covariant=True)
M = TypeVar("M")
R = TypeVar("R")


class Fetchable(Generic[T]):
    """What `fetch_many()` asks: a queryset, or a question of one. T is what comes of it."""

    def _question(self) -> Question[T]:
        """Return the question."""
        raise TypeError(f"{type(self).__name__} can't be asked together with others.")


class Question(Fetchable[T]):
    """A question to a database: a program and its arguments, not run yet.

    `asker` is the queryset that says where to ask; `keep` takes the result, and gives what the caller is given.
    """

    def __init__(
        self, asker: Any, program: Any, args: Sequence[Any] = (), keep: Callable[[Any], T] | None = None
    ) -> None:
        self.asker, self.program, self.args = asker, program, tuple(args)
        self.keep: Callable[[Any], Any] = keep if keep is not None else as_it_is

    @property
    def place(self) -> Any:
        """What two questions share that are asked on one connection."""
        binding = self.asker._binding
        if binding is None:
            return self.asker.db
        return binding.place

    def _question(self) -> Question[T]:
        return self


def as_it_is(value: Any) -> Any:
    """Return a value."""
    return value


def known(driver: Any, value: Any) -> Any:
    """Return a value, without asking: a program."""
    return value
    yield


class Noting:
    """In the place of a queryset's session: takes down what it would run."""

    def __init__(self, asker: Any) -> None:
        self.asker = asker

    def run(self, program: Any, *args: Any) -> Question[Any]:
        """Return the question, for the queryset's own place again."""
        for arg in args:
            if getattr(arg, "_binding", None) is self:
                arg._binding = self.asker._binding
        return Question(self.asker, program, args)


class Later(Generic[M, R]):
    """The terminal methods of a queryset as questions: `queryset.later.count()` asks nothing, `fetch_many()` does.

    The arguments, the results and the errors are those of the queryset's methods.
    """

    def __init__(self, queryset: QuerySet[M, R]) -> None:
        self._queryset = queryset

    def _ask(self, name: str, /, *args: Any, **kwargs: Any) -> Question[Any]:
        made: Any = self._queryset._clone()
        made._binding = Noting(self._queryset)
        found: Any = getattr(made, name)(*args, **kwargs)
        if hasattr(found, "_question"):
            return found  # type: ignore[no-any-return]
        return Question(self._queryset, known, (found,))

    def all(self) -> Question[list[R]]:
        """Ask for all objects: what the queryset itself asks for."""
        return self._queryset._clone()._question()

    def get(self, *args: Any, **kwargs: Any) -> Question[R]:
        """See `QuerySet.get()`."""
        return self._ask("get", *args, **kwargs)

    def first(self) -> Question[R | None]:
        """See `QuerySet.first()`."""
        return self._ask("first")

    def last(self) -> Question[R | None]:
        """See `QuerySet.last()`."""
        return self._ask("last")

    def earliest(self, *fields: Any) -> Question[R]:
        """See `QuerySet.earliest()`."""
        return self._ask("earliest", *fields)

    def latest(self, *fields: Any) -> Question[R]:
        """See `QuerySet.latest()`."""
        return self._ask("latest", *fields)

    def count(self) -> Question[int]:
        """See `QuerySet.count()`."""
        return self._ask("count")

    def exists(self) -> Question[bool]:
        """See `QuerySet.exists()`."""
        return self._ask("exists")

    def contains(self, obj: Any) -> Question[bool]:
        """See `QuerySet.contains()`."""
        return self._ask("contains", obj)

    def aggregate(self, *args: Any, **kwargs: Any) -> Question[dict[str, Any]]:
        """See `QuerySet.aggregate()`."""
        return self._ask("aggregate", *args, **kwargs)

    def page(self, size: int, *, after: str | None = None, before: str | None = None) -> Question[Page[R]]:
        """See `QuerySet.page()`."""
        queryset: Any = self._queryset

        def keep(found: Any) -> Any:
            return queryset._as_page(found, size, after, before)

        return Question(queryset, terminals.results, (queryset._of_page(size, after, before),), keep)

    def in_bulk(
        self, id_list: Iterable[Any] | None = None, *, field_name: str = "pk"
    ) -> Question[dict[Any, R]]:
        """See `QuerySet.in_bulk()`."""
        return self._ask("in_bulk", id_list, field_name=field_name)
