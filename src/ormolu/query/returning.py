"""update() and delete() that give the rows which they changed, as the queryset would have given them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic

from typing_extensions import TypeVar

from ormolu.compile import change
from ormolu.compile.locking import OWN
from ormolu.compile.statements import plan_for
from ormolu.exceptions import NotSupportedError
from ormolu.programs import Program, atomically
from ormolu.query import terminals
from ormolu.query.prefetch import prefetch
from ormolu.query.q import Q

if TYPE_CHECKING:
    from ormolu.query.queryset import QuerySet

__all__ = ["Returning"]

M = TypeVar("M")
R = TypeVar("R", default=M)


class Returning(Generic[M, R]):
    """What `queryset.returning()` gives: the two changes of a queryset, with rows in place of a count.

    One statement with RETURNING, where the database has that and the rows hold nothing but the table's own columns.
    Else the rows are locked, changed and read in one transaction.
    """

    __slots__ = ("_queryset",)

    def __init__(self, queryset: QuerySet[M, R]) -> None:
        self._queryset = queryset

    def update(self, **kwargs: Any) -> list[R]:
        """Set columns of all rows; return the rows as they are then, in no order."""
        queryset: Any = self._queryset
        return queryset._write(update, *self._of_update(kwargs))  # type: ignore[no-any-return]

    async def aupdate(self, **kwargs: Any) -> list[R]:
        """Set columns of all rows. See `update()`."""
        queryset: Any = self._queryset
        return await queryset._awrite(update, *self._of_update(kwargs))  # type: ignore[no-any-return]

    def delete(self) -> list[R]:
        """Delete all rows, and what on_delete says must go with them; return the rows as they were, in no order."""
        queryset: Any = self._queryset
        return queryset._write(delete, self._of_delete())  # type: ignore[no-any-return]

    async def adelete(self) -> list[R]:
        """Delete all rows. See `delete()`."""
        queryset: Any = self._queryset
        return await queryset._awrite(delete, self._of_delete())  # type: ignore[no-any-return]

    update.alters_data = aupdate.alters_data = True  # type: ignore[attr-defined]
    delete.alters_data = adelete.alters_data = True  # type: ignore[attr-defined]

    def _of_update(self, kwargs: dict[str, Any]) -> tuple[Any, list[tuple[Any, Any]]]:
        queryset: Any = self._queryset
        _query, pairs = queryset._assignments(kwargs)
        return self._unordered(), pairs

    def _of_delete(self) -> Any:
        plain: Any = self._queryset._clone()
        plain.query.values_fields = None
        plain._deleted()  # raises for what can't be deleted
        return self._unordered()

    def _unordered(self) -> Any:
        made: Any = self._queryset._clone()
        made.query.order_by, made.query.default_ordering = (), False
        return made


def update(driver: Any, queryset: Any, pairs: list[tuple[Any, Any]]) -> Program[list[Any]]:
    """Set columns of the rows of a queryset and return the rows."""
    table = queryset.model._meta.table
    if driver.dialect.update_returning and all(field.sa_column.table is table for field, _ in pairs):
        assignments = change.Assignments(pairs)
        plan, values = plan_for(
            driver,
            queryset.query,
            "update returning",
            lambda d, q, p: change.update(d, q, p, assignments, True),
            assignments,
        )
        if change.one_statement(plan):
            return (yield from related(driver, queryset, (yield from terminals.reading(plan, values, []))))
    return (yield from atomically(update_apart(driver, queryset, pairs), savepoint=False))


def update_apart(driver: Any, queryset: Any, pairs: list[tuple[Any, Any]]) -> Program[list[Any]]:
    """Lock the rows, update them and read them again."""
    if any(field in queryset.model._meta.pk_fields for field, _ in pairs):
        raise NotSupportedError(
            f"{driver.vendor} can't update the key of {queryset.model._meta.object_name} and return such rows: "
            "nothing would tell afterwards which they are."
        )
    changed = of_keys(queryset, (yield from locked(driver, queryset)))
    plain = changed.query.for_model(queryset.model)
    plain.ops = changed.query.ops[-1:]
    yield from terminals.update(driver, plain, pairs)
    return (yield from terminals.results(driver, changed))  # type: ignore[no-any-return]


def delete(driver: Any, queryset: Any) -> Program[list[Any]]:
    """Delete the rows of a queryset and return them."""
    from ormolu.writes.delete_plans import can_fast_delete

    if driver.dialect.delete_returning and can_fast_delete(queryset.model):
        plan, values = plan_for(
            driver, queryset.query, "delete returning", lambda d, q, p: change.delete(d, q, p, True)
        )
        if change.one_statement(plan):
            return (yield from related(driver, queryset, (yield from terminals.reading(plan, values, []))))
    return (yield from atomically(delete_apart(driver, queryset), savepoint=False))


def delete_apart(driver: Any, queryset: Any) -> Program[list[Any]]:
    """Lock the rows, read them and delete them."""
    keys = yield from locked(driver, queryset)
    found = yield from terminals.results(driver, of_keys(queryset, keys))
    yield from terminals.delete(driver, plain_queryset(queryset).filter(pk__in=keys), queryset)
    return found  # type: ignore[no-any-return]


def related(driver: Any, queryset: Any, found: list[Any]) -> Program[list[Any]]:
    """Give rows what `prefetch_related()`, a related manager and `as_schema()` make of them."""
    if queryset._known:
        terminals.attach_known(found, queryset._known)
    if queryset._prefetch and found and queryset.query.values_fields is None:
        yield from prefetch(driver, found, queryset._prefetch, queryset._db)
    into = queryset._into
    if into is None:
        return found
    if into.loops:
        yield from into.deepen(driver, found, queryset._db)
    return into(found)  # type: ignore[no-any-return]


def locked(driver: Any, queryset: Any) -> Program[list[Any]]:
    """Lock the rows of a queryset, where the database locks rows, and return their keys."""
    mine = plain_queryset(queryset).filter(pk__in=queryset.values("pk")).values_list("pk", flat=True)
    mine.query.select_for_update = OWN
    return terminals.rows(driver, mine.query)


def plain_queryset(queryset: Any) -> Any:
    """Return a queryset of all rows of the same model and database."""
    return queryset.model._base_manager.using(queryset._db).order_by()


def of_keys(queryset: Any, keys: list[Any]) -> Any:
    """Return what a queryset selects, of the rows with these keys: its conditions may not hold any more."""
    made = queryset._clone()
    kept = [op for op in made.query.ops if op[0] not in ("filter", "merged", "linked")]
    made.query.ops = (*kept, ("filter", Q(pk__in=keys)))
    return made
