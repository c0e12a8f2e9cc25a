"""The refining half of a QuerySet: each method returns a new one and does no I/O."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Generic, Self, cast

from sqlalchemy.sql.elements import ClauseElement
from typing_extensions import TypeVar

from ormolu.compile import names as paths
from ormolu.compile.locking import Lock
from ormolu.exceptions import FieldDoesNotExist, FieldError, NotSupportedError
from ormolu.query.checks import check_condition, check_expression
from ormolu.query.expressions import OrderBy
from ormolu.query.naming import check_alias, check_selected, named_expressions
from ormolu.query.q import Q, check_arguments, of_lookups
from ormolu.query.query import Query
from ormolu.query.references import F
from ormolu.query.subqueries import Subquery

M = TypeVar("M")
R = TypeVar("R", default=M)
SEP = "__"


class _LaterQuery:
    """The query of a queryset of which nothing was asked yet: made when somebody refines it.

    Behind prefetched results stands a query, too; `_later` gives it.
    """

    def __get__(self, instance: Any, owner: Any) -> Any:
        if instance is None:
            return self
        data = instance.__dict__
        later = data.pop("_later", None)
        if later is None:
            query = data["query"] = Query(data["model"])
            return query
        instance.__dict__ = {**later().__dict__, **data}
        return instance.__dict__["query"]


class Chain(Generic[M, R]):
    """Holds a query and refines it."""

    model: type[M]
    if TYPE_CHECKING:
        query: Query
    else:
        query = _LaterQuery()
    # Defaults stand on the class, so that a new queryset has little to set.
    _hints: dict[str, Any] = {}
    _prefetch: tuple[Any, ...] = ()
    _known: dict[Any, dict[Any, Any]] = {}
    _result_cache: list[R] | None = None
    _binding: Any = None
    _for_write = False
    _into: Any = None

    def __init__(
        self,
        model: type[M] | None = None,
        query: Query | None = None,
        using: str | None = None,
        hints: Any = None,
    ) -> None:
        self.model = model  # type: ignore[assignment]
        if query is not None:
            self.query = query
        self._db = using
        if hints:
            self._hints = hints

    @classmethod
    def prefilled(cls, model: type[M], found: list[R], later: Callable[[], Any], using: str | None) -> Self:
        """Return a queryset of results that are known; `later` gives the queryset behind them."""
        made: Any = object.__new__(cls)
        made.model, made._db, made._result_cache, made._later = model, using, found, later
        return made  # type: ignore[no-any-return]

    def _clone(self) -> Self:
        made = object.__new__(type(self))
        query = self.query.copy()
        data = made.__dict__ = self.__dict__.copy()
        data["query"] = query
        if "_result_cache" in data:
            del data["_result_cache"]
        return made

    _chain = _clone

    def _sliced(self, start: int | None, stop: int | None) -> Self:
        made = self._clone()
        made.query.slice(start, stop)
        return made

    def _with(self, *op: Any) -> Self:
        made = self._clone()
        made.query.ops = (*made.query.ops, op)
        return made

    # Which rows

    def all(self) -> Self:
        """Return a copy."""
        return self._clone()

    def none(self) -> Self:
        """Return a queryset that matches nothing and never asks the database."""
        return self._with("nothing")

    def filter(self, *args: Any, **kwargs: Any) -> Self:
        """Keep the rows that meet all conditions.

        Positional: Qs, lookups, boolean expressions of ours or SQLAlchemy's. Keywords:
        lookups (`age__gte=18`, `author__name="Ann"`). Conditions on one multi-valued
        relation in one call concern the same related object.
        Raises FieldError where a name or lookup is unknown, TypeError after slicing.
        """
        return self._filter(args, kwargs, False)

    def exclude(self, *args: Any, **kwargs: Any) -> Self:
        """Leave out the rows that meet all conditions. Rows where they are NULL stay."""
        return self._filter(args, kwargs, True)

    def _filter(self, args: tuple[Any, ...], kwargs: dict[str, Any], negated: bool) -> Self:
        query = self.query
        if (query.limit is not None or query.offset is not None) and (args or kwargs):
            raise TypeError("Cannot filter a query once a slice has been taken.")
        if query.combined is not None:
            self._not_combined("exclude" if negated else "filter")
        made = self._clone()
        if args or kwargs:
            if "_connector" in kwargs or "_negated" in kwargs or "" in kwargs:
                check_arguments(args, kwargs)
            q = of_lookups(args, kwargs, negated=negated)
            q = check_condition(query, q)
            made.query.ops = (*query.ops, ("filter", q))
        return made

    def complex_filter(self, condition: Any) -> Self:
        """Apply a Q or a dict of lookups."""
        return self.filter(condition) if isinstance(condition, Q) else self.filter(**condition)

    def distinct(self, *fields: str) -> Self:
        """Leave out repetitions; with names (PostgreSQL) keep the first row of each."""
        if self.query.is_sliced:
            raise TypeError("Cannot create distinct fields once a slice has been taken.")
        self._not_combined("distinct")
        for name in fields:
            check_selected(self.query, name, "tell rows apart by")
        made = self._clone()
        made.query.distinct = True
        made.query.distinct_fields = fields
        return made

    def with_cte(self, *ctes: Any) -> Self:
        """Return a copy. For users of django-cte: here the WITH clause is written wherever a CTE is used."""
        for cte in ctes:
            if not hasattr(cte, "col"):
                raise TypeError(f"with_cte() takes CTEs, not {cte!r}.")
        return self._clone()

    with_cte.queryset_only = True  # type: ignore[attr-defined]

    # In which order

    def order_by(self, *fields: Any) -> Self:
        """Order by names (`"-age"`, `"author__name"`, `"?"`) or expressions; with none, not at all."""
        return self._ordered_by(tuple([self._order(field) for field in fields]))

    def _ordered_by(self, orders: tuple[Any, ...]) -> Self:
        if self.query.is_sliced:
            raise TypeError("Cannot reorder a query once a slice has been taken.")
        made = self._clone()
        query = made.query
        query.order_by, query.default_ordering, query.reversed = orders, False, False
        return made

    def _order(self, field: Any) -> Any:
        if not isinstance(field, str):
            if hasattr(field, "as_order") or hasattr(field, "as_term"):
                if getattr(field, "contains_aggregate", False):
                    raise FieldError(
                        "Using an aggregate in order_by() without also including it in annotate() "
                        f"is not allowed: {field}"
                    )
                if self.query.combined is None:
                    check_expression(self.query, field.expression if type(field) is OrderBy else field)
                return (
                    OrderBy(field.expression, field.descending, field.nulls_first, field.nulls_last)
                    if type(field) is OrderBy
                    else field
                )
            if not (isinstance(field, ClauseElement) or hasattr(field, "__clause_element__")):
                raise FieldError(
                    f"Invalid order_by arguments: [{field!r}]. They are names, expressions, or none for no order."
                )
            return field
        if field == "?":
            return field
        name = field[1:] if field[:1] in "+-" else field
        names = self.query.annotation_names
        if name in names or name.split(SEP)[0] in names:
            return field
        path = paths.resolve(self.model._meta, name.split(SEP), names)  # type: ignore[attr-defined]
        if (
            path.rest
            and path.value_field is not None
            and path.value_field.get_transform(path.rest[0]) is None
        ):
            meta = path.meta
            known = paths.choices(meta)
            raise FieldError(paths.unknown(path.rest[0], known, "field", meta))
        return field

    def reverse(self) -> Self:
        """Turn the order around."""
        if self.query.is_sliced:
            raise TypeError("Cannot reverse a query once a slice has been taken.")
        made = self._clone()
        made.query.reversed = not made.query.reversed
        return made

    @property
    def ordered(self) -> bool:
        """Whether there is an order: order_by(), or Meta.ordering with no GROUP BY."""
        query = self.query
        if query.order_by or query.is_nothing:
            return True
        if not (query.default_ordering and self.model._meta.ordering):  # type: ignore[attr-defined]
            return False
        return not any(
            op[0] == "annotate" and getattr(op[2], "contains_aggregate", False) for op in query.ops
        )

    # What comes along

    def annotate(self, *args: Any, **kwargs: Any) -> Self:
        """Add values computed for each row. Positional aggregates name themselves (`pages__sum`)."""
        self._not_combined("annotate")
        return self._annotate(args, kwargs, True)

    def alias(self, *args: Any, **kwargs: Any) -> Self:
        """Name values for later use without selecting them."""
        self._not_combined("alias")
        return self._annotate(args, kwargs, False)

    def _annotate(self, args: tuple[Any, ...], kwargs: dict[str, Any], select: bool) -> Self:
        kwargs = {name: as_expression(value) for name, value in kwargs.items()}
        named = named_expressions(args, kwargs, "annotate")
        made = self._clone()
        meta: Any = cast(Any, self.model)._meta
        taken: frozenset[Any] = meta.taken_names
        for op in self.query.ops:
            if op[0] == "values":
                taken = frozenset(op[1]).difference(self.query.annotation_names)
        for name, expression in named.items():
            if name in taken:
                raise ValueError(f"The annotation '{name}' conflicts with a field on the model.")
            check_alias(name)
            if hasattr(expression, "filtered_hops"):
                expression.check(meta, name, made.query.filtered_relations)
                made.query.ops = (*made.query.ops, ("annotate", name, expression, False))
                continue
            check_expression(made.query, expression)
            made.query.ops = (*made.query.ops, ("annotate", name, expression, select))
            if select and made.query.values_fields is not None and name not in made.query.values_fields:
                made.query.values_fields = (*made.query.values_fields, name)
        return made

    # Where

    def using(self, alias: str | None) -> Self:
        """Ask another database."""
        made = self._clone()
        made._db = alias
        return made

    def select_for_update(
        self, nowait: bool = False, skip_locked: bool = False, of: Sequence[str] = (), no_key: bool = False
    ) -> Self:
        """Lock the rows that are read until the end of the transaction: SELECT ... FOR UPDATE.

        `nowait` raises OperationalError where somebody else has locked one, `skip_locked` leaves those out; `of`
        names the models whose rows are meant ("self", or what select_related() loads); `no_key` lets others refer
        to the rows. Evaluating raises TransactionManagementError outside of a transaction, NotSupportedError where
        the database lacks an option. On SQLite, which locks as a whole, this does nothing.
        """
        if nowait and skip_locked:
            raise ValueError("The nowait option cannot be used with skip_locked.")
        self._not_combined("select_for_update")
        made = self._clone()
        made._for_write = True
        made.query.select_for_update = Lock(nowait, skip_locked, tuple(of), no_key)
        return made

    def _add_hints(self, **hints: Any) -> None:
        self._hints = {**self._hints, **hints}

    def _next_is_sticky(self) -> Self:
        return self

    def _not_combined(self, name: str) -> None:
        if "query" not in self.__dict__ and "_later" not in self.__dict__:
            return  # nothing was asked yet
        if self.query.combined is not None:
            raise NotSupportedError(
                f"Calling QuerySet.{name}() after {self.query.combined.kind}() is not supported."
            )


def as_expression(value: Any) -> Any:
    """Return a queryset as the expression that it stands for."""
    value = without_face(value)
    return Subquery(value) if isinstance(value, (Chain, Query)) else value


def without_face(value: Any) -> Any:
    """Return the queryset behind the face that an asynchronous session's has; anything else as it is."""
    return value._queryset if getattr(value, "is_face", False) is True else value


__all__ = ["Chain", "F", "FieldDoesNotExist", "as_expression", "without_face"]
