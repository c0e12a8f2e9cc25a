"""The refining half of a QuerySet: each method returns a new one and does no I/O."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any, Generic, Self, cast

from sqlalchemy.sql.elements import ClauseElement
from typing_extensions import TypeVar

from ormolu.compile import names as paths
from ormolu.compile.layout import check_name, relation
from ormolu.compile.locking import Lock
from ormolu.exceptions import FieldDoesNotExist, FieldError, NotSupportedError
from ormolu.near import near_names
from ormolu.query.checks import check_condition, check_expression
from ormolu.query.expressions import OrderBy
from ormolu.query.fetch_modes import FetchMode
from ormolu.query.prefetch import as_prefetch
from ormolu.query.q import Q, check_arguments, of_lookups
from ormolu.query.query import Merged, Query, conditions_of
from ormolu.query.references import F
from ormolu.query.subqueries import Subquery

if TYPE_CHECKING:
    from ormolu.query.queryset import QuerySet

M = TypeVar("M")
R = TypeVar("R", default=M)
SEP = "__"
OPERATORS = {"AND": "&", "OR": "|", "XOR": "^"}


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

    def select_related(self, *fields: Any) -> Self:
        """Load single related objects in the same query, by JOIN.

        Names may be nested (`"author__publisher"`); with none, all forward keys that are
        not null are followed; `None` takes everything back.
        """
        self._not_combined("select_related")
        if self.query.values_fields is not None:
            raise TypeError("Cannot call select_related() after .values() or .values_list()")
        made = self._clone()
        if fields == (None,):
            made.query.select_related = False
        elif fields:
            for name in fields:
                self._check_related(name)
            earlier = made.query.select_related
            made.query.select_related = (*(earlier if isinstance(earlier, tuple) else ()), *fields)
        else:
            made.query.select_related = True
        return made

    def _check_related(self, name: str) -> None:
        meta: Any = cast(Any, self.model)._meta
        first, _, rest = name.partition(SEP)
        filtered = self.query.filtered_relations
        if first in filtered:
            name, meta = rest, filtered[first].resolved(meta, first, filtered).meta
        for part in name.split(SEP) if name else ():
            field = relation(meta, part, {})
            meta = field.related_model._meta

    def prefetch_related(self, *lookups: Any) -> Self:
        """Load related objects with one more query per relation; `None` takes everything back."""
        self._not_combined("prefetch_related")
        made = self._clone()
        if lookups == (None,):
            made._prefetch = ()
            return made
        for lookup in lookups:
            first = as_prefetch(lookup).prefetch_to.split(SEP)[0]
            if first in self.query.annotation_names:
                raise ValueError("prefetch_related() is not supported with FilteredRelation.")
        made._prefetch = (*self._prefetch, *lookups)
        return made

    def fetch_mode(self, mode: FetchMode) -> Self:
        """Say what reading an attribute does that this query doesn't load.

        FETCH_ONE loads it for that object, FETCH_PEERS for all that were loaded together, RAISE not at all. Objects
        that are loaded for these later have the same mode. Source: Django 6.1's documentation, fetch modes.
        """
        made = self._clone()
        made.query.fetch_mode = mode
        return made

    def only(self, *fields: Any) -> Self:
        """Load these columns only (and the key); others are loaded when read."""
        self._not_combined("only")
        if self.query.values_fields is not None:
            raise TypeError("Cannot call only() after .values() or .values_list()")
        if fields == (None,):
            raise TypeError("Cannot pass None as an argument to only().")
        if any(name.split(SEP)[0] in self.query.filtered_relations for name in fields):
            raise ValueError("only() is not supported with FilteredRelation.")
        made = self._clone()
        names = {self._column_name(name) for name in fields}
        before, defer = self.query.deferred
        # The key of an object that is known already (author.book_set.only("title")) comes along.
        known = set[str]()
        for field in self._known if names else ():
            known.update(getattr(field, "from_fields", (field.name,)))
        made.query.deferred = (frozenset(names - before if defer else names) | known, False)
        return made

    def defer(self, *fields: Any) -> Self:
        """Leave these columns out until they are read; `None` takes everything back."""
        self._not_combined("defer")
        if self.query.values_fields is not None:
            raise TypeError("Cannot call defer() after .values() or .values_list()")
        made = self._clone()
        if fields == (None,):
            made.query.deferred = (frozenset(), True)
            return made
        names = frozenset(self._column_name(name) for name in fields)
        before, defer = self.query.deferred
        if defer:
            made.query.deferred = (before | names, True)
        elif before - names:
            made.query.deferred = (before - names, False)
        else:
            made.query.deferred = (names - before, True)
        return made

    def _column_name(self, name: str) -> str:
        meta: Any = cast(Any, self.model)._meta
        parts: list[str] = []
        first, _, rest = name.partition(SEP)
        filtered = self.query.filtered_relations
        if rest and first in filtered:
            parts, meta = [first], filtered[first].resolved(meta, first, filtered).meta
            name = rest
        for part in name.split(SEP):
            if meta is None:
                raise FieldError(f"Cannot follow {name!r}: {SEP.join(parts)!r} is not a relation.")
            field = check_name(meta, meta.pk.name if part == "pk" else part)
            parts.append(field.name)
            meta = field.related_model._meta if field.is_relation else None
        return SEP.join(parts)

    # As what

    def values(self, *fields: Any, **expressions: Any) -> QuerySet[M, dict[str, Any]]:
        """Return dicts in place of objects."""
        made: Any = self._values(fields, expressions)
        made.query.row_kind = "dict"
        return made  # type: ignore[no-any-return]

    def values_list(self, *fields: Any, flat: bool = False, named: bool = False) -> QuerySet[M, Any]:
        """Return tuples; with `flat` the single values, with `named` named tuples."""
        if flat and named:
            raise TypeError("'flat' and 'named' can't be used together.")
        if flat and len(fields) > 1:
            raise TypeError("'flat' is not valid when values_list is called with more than one field.")
        plain: list[str] = []
        expressions: dict[str, Any] = {}
        for field in map(as_expression, fields):
            if hasattr(field, "as_term") or hasattr(field, "__clause_element__"):
                alias = self._alias_of(field, expressions, fields)
                expressions[alias] = field
                plain.append(alias)
            else:
                plain.append(field)
        made: Any = self._values(tuple(plain), expressions)
        made.query.row_kind = "flat" if flat else "named" if named else "tuple"
        return made  # type: ignore[no-any-return]

    def _alias_of(self, expression: Any, taken: dict[str, Any], fields: tuple[Any, ...]) -> str:
        try:
            prefix: str = expression.default_alias
        except (AttributeError, TypeError):
            prefix = getattr(expression, "key", None) or type(expression).__name__.lower()
        number = 1
        while (name := f"{prefix}{number}") in taken or name in fields or name in self.query.annotation_names:
            number += 1
        return name

    def _values(self, fields: tuple[Any, ...], expressions: dict[str, Any]) -> Self:
        made = self
        if expressions:
            made = made._annotate((), dict(expressions.items()), True)
            fields = (*fields, *(name for name in expressions if name not in fields))
        else:
            made = made._clone()
        names = tuple(self._value_name(made.query, name) for name in fields)
        made.query.select_related = False
        made.query.deferred = (frozenset(), True)
        made.query.all_values = not names
        if not names:
            meta: Any = cast(Any, self.model)._meta
            chosen = [op for op in made.query.ops if op[0] == "annotate" and op[3]]
            before = [op[1] for op in chosen if getattr(op[2], "comes_first", False)]
            columns = [field.attname for field in meta.concrete_fields]
            names = tuple(dict.fromkeys([*before, *columns, *(op[1] for op in chosen)]))
        made.query.values_fields = names
        made.query.ops = (*made.query.ops, ("values", names))
        return made

    def _value_name(self, query: Query, name: Any) -> str:
        if hasattr(name, "key") and not isinstance(name, str):  # a SQLAlchemy attribute
            return str(name.key)
        if not isinstance(name, str):
            raise TypeError(f"values() takes names and expressions, not {name!r}.")
        if not name.isidentifier():  # keys of JSON may be anything but SQL
            check_alias(name)
        known = query.annotation_names
        if name not in known and name in self.model._meta.concrete_names:  # type: ignore[attr-defined]
            return name
        first = name.split(SEP)[0]
        if name in known or first in known:
            check_selected(query, name if name in known else first, "select")
            return name
        path = paths.resolve(self.model._meta, name.split(SEP), known)  # type: ignore[attr-defined]
        if path.rest and (path.value_field is None or path.value_field.get_transform(path.rest[0]) is None):
            if path.is_relation:
                raise FieldError(paths.unknown(path.rest[0], paths.choices(path.meta), "field", path.meta))
            raise FieldError(
                f"Cannot resolve keyword '{path.rest[0]}' into field. Join on '{path.field.name}' not permitted."
            )
        return name

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

    # Combination

    def __and__(self, other: Any) -> Any:
        return self._merge(other, "AND")

    def __or__(self, other: Any) -> Any:
        return self._merge(other, "OR")

    def __xor__(self, other: Any) -> Any:
        return self._merge(other, "XOR")

    def _of_keys(self) -> Any:
        """Return a queryset of the same objects with no slice, so that it can be combined."""
        if not self.query.is_sliced:
            return self
        manager: Any = cast(Any, self.model)._base_manager
        return manager.using(self._db).filter(pk__in=self.values("pk"))

    def _merge(self, given: Any, connector: str) -> Any:
        if not isinstance(given, Chain):
            return NotImplemented
        other: Any = cast(Any, given)
        if self.model is not other.model:
            raise TypeError("Cannot combine queries on two different base models.")
        for one in (self, other):
            if one.query.combined is not None:
                raise TypeError(f"Cannot use {OPERATORS[connector]} operator with combined queryset.")
        if self.query.is_sliced or other.query.is_sliced:
            if connector == "AND":
                raise TypeError("Cannot combine queries once a slice has been taken.")
            if not self.query.is_nothing and not other.query.is_nothing:
                return self._of_keys()._merge(other._of_keys(), connector)
        if self.query.distinct != other.query.distinct:
            raise TypeError("Cannot combine a unique query with a non-unique query.")
        if self.query.distinct_fields != other.query.distinct_fields:
            raise TypeError("Cannot combine queries with different distinct fields.")
        mine, theirs = conditions_of(self.query), conditions_of(other.query)
        nothing = [any(op[0] == "nothing" for op in q.query.ops) for q in (self, other)]
        made = self._clone()
        for field, objects in other._known.items():
            made._known = {**made._known, field: {**made._known.get(field, {}), **objects}}
        if any(nothing):
            keep = other if nothing[0] and connector != "AND" else self
            return (
                self if nothing[0] and connector == "AND" else other if connector == "AND" else keep
            )._clone()
        if connector == "AND":
            made.query.ops = (*self.query.ops, *theirs)
        else:
            rest = tuple(op for op in self.query.ops if op not in mine)
            everything = connector == "OR" and (not mine or not theirs)
            merged = () if everything else (("merged", Merged(connector, self.query, other.query)),)
            made.query.ops = (*rest, *merged)
        if not made.query.order_by:
            made.query.order_by = other.query.order_by
        return made


def check_selected(query: Query, name: str, verb: str) -> None:
    """Refuse to read the result of alias(), which is for conditions and orders."""
    selected = [op[3] for op in query.ops if op[0] == "annotate" and op[1] == name]
    if name in query.filtered_relations:
        return
    if selected and not selected[-1]:
        raise FieldError(f"Cannot {verb} the '{name}' alias. Use annotate() to promote it.")


def as_expression(value: Any) -> Any:
    """Return a queryset as the expression that it stands for."""
    return Subquery(value) if isinstance(value, (Chain, Query)) else value


def named_expressions(args: Iterable[Any], kwargs: dict[str, Any], method: str) -> dict[str, Any]:
    """Return expressions by name; positional ones name themselves."""
    kwargs = {name: as_expression(value) for name, value in kwargs.items()}
    named: dict[str, Any] = {}
    for arg in args:
        try:
            name = arg.default_alias
        except (AttributeError, TypeError):
            key = getattr(arg, "key", None) or getattr(arg, "name", None)
            if isinstance(key, str) and hasattr(arg, "compile"):
                name = key
            elif hasattr(arg, "as_term"):
                raise TypeError("Complex annotations require an alias") from None
            else:
                raise TypeError(f"QuerySet.{method}() received non-expression(s): {arg}.") from None
        if name in kwargs:
            raise ValueError(
                f"The named annotation '{name}' conflicts with the default name for another annotation."
            )
        named[name] = arg
    for name, value in kwargs.items():
        if not (
            hasattr(value, "as_term")
            or hasattr(value, "filtered_hops")
            or hasattr(value, "__clause_element__")
            or hasattr(value, "compile")
        ):
            raise TypeError(f"QuerySet.{method}() received non-expression(s): {value}.")
        named[name] = value
    return named


_FORBIDDEN = frozenset("'`\"[];#")


def check_alias(name: str) -> None:
    """Refuse aliases that could be more than a name (trap of injected SQL)."""
    if name.isidentifier():
        return
    unsafe = any(char in _FORBIDDEN or char.isspace() or unicodedata.category(char) == "Cc" for char in name)
    if unsafe or "--" in name or "/*" in name or "*/" in name:
        raise ValueError(
            "Column aliases cannot contain whitespace characters, hashes, control characters, quotation marks, "
            "semicolons, or SQL comments."
        )


def near(name: str, known: Iterable[str]) -> str:
    """Return a hint with the near miss."""
    found = near_names(name, list(known))
    return f" Did you mean {found[0]!r}?" if found else ""


__all__ = ["Chain", "F", "FieldDoesNotExist", "check_alias", "named_expressions", "near"]
