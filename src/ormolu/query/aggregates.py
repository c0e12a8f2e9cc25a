"""Aggregates: Count, Sum, Avg, Min, Max, StdDev, Variance."""

from __future__ import annotations

from typing import Any, ClassVar, cast

import sqlalchemy as sa

from ormolu.compile.terms import Term, merge
from ormolu.compile.tuples import TupleTerm
from ormolu.compile.written import ours, term_of, writes
from ormolu.exceptions import FieldError, NotSupportedError
from ormolu.query.expressions import Expression, Star, condition_term, expression_of
from ormolu.query.func import PLAIN, Func


class Aggregate(Func):
    """Base of aggregates: a function over the rows of a group.

    `distinct=True` takes each value once, `filter=Q(...)` only the rows that meet it,
    `default=` stands for the result where there are none, `order_by=` orders what is aggregated.
    """

    template = PLAIN[1]
    name: str | None = None
    arity: int | None = None
    allow_distinct: ClassVar[bool] = False
    empty_result_set_value: Any = None
    contains_aggregate = True
    window_compatible = True
    keyed_parts: ClassVar[frozenset[str]] = frozenset(
        {"source_expressions", "filter", "default", "order_by", "distinct"}
    )
    of_numbers: ClassVar[bool] = False  # and of durations; of moments only where the database says so
    result_field: Any = None  # the type of the result where it is not that of the argument

    def __init__(
        self, *expressions: Any, distinct: bool = False, filter: Any = None, default: Any = None,
        order_by: Any = None, **extra: Any,
    ) -> None:  # fmt: skip
        if distinct and not self.allow_distinct:
            raise TypeError(f"{type(self).__name__} does not allow distinct.")
        if default is not None and self.empty_result_set_value is not None:
            raise TypeError(f"{type(self).__name__} does not allow default.")
        super().__init__(*expressions, **extra)
        self.distinct, self.filter = distinct, filter
        self.default = (
            None if default is None else expression_of(default) if hasattr(default, "as_term") else default
        )
        orders: Any = (order_by,)
        if order_by is None or isinstance(order_by, (list, tuple)):
            orders = cast(Any, order_by) or ()
        self.order_by = [as_order(item) for item in orders]

    @property
    def default_alias(self) -> str:
        """The name under which aggregate() gives the result when none is given."""
        names = [getattr(expression, "name", None) for expression in self.source_expressions]
        if len(names) == 1 and isinstance(names[0], str):
            return f"{names[0]}__{(self.name or type(self).__name__).lower()}"
        raise TypeError("Complex expressions require an alias")

    def options(self) -> dict[str, Any]:
        """Return what the template may name."""
        return {"distinct": "DISTINCT " if self.distinct else ""}

    def repr_options(self) -> dict[str, Any]:
        """Return the options that `repr()` shows."""
        shown: dict[str, Any] = {"distinct": self.distinct, "filter": self.filter, "default": self.default}
        return {name: value for name, value in shown.items() if value is not None and value is not False}

    def _resolve_output_field(self) -> Any:
        return self.result_field if self.result_field is not None else super()._resolve_output_field()

    def shape(self, shape: Any) -> Any:
        """Return the key."""
        call = (self.__class__, tuple([shape.item(arg) for arg in self.source_expressions]), self.distinct)
        if (
            self.filter is None
            and self.default is None
            and self._given is None
            and not (self.order_by or self.extra)
        ):
            return call
        return (
            *call, shape.item(self.filter), shape.item(self._given),
            None if self.default is None else shape.literal(self, self.default),
            shape.item(tuple(self.order_by)), tuple(sorted((k, v) for k, v in self.extra.items())),
        )  # fmt: skip

    def as_term(self, builder: Any) -> Term:
        """Return the aggregate's term."""
        return builder.aggregate(self)  # type: ignore[no-any-return]

    def as_written(self, builder: Any) -> Term:
        """Return the aggregate's term: a user's SQL is a matter of `compute()`."""
        return self.as_term(builder)

    def native(self, builder: Any) -> Term:
        """Return the aggregate without its default, as the library makes it."""
        element, field, why, parts = self.called(builder, self.terms(builder))
        return self.merged(builder, element, field, why, parts)

    def merged(self, builder: Any, element: Any, field: Any, why: Any, parts: list[Term]) -> Term:
        """Return the term of the aggregate's element."""
        return merge(
            element, field, parts, why=why, aggregate=True, constant=False, group=(), **self.conversion()
        )

    def compute(self, builder: Any) -> Term:
        """Return the aggregate over the builder's own joins."""
        terms = self.terms(builder)
        for source, term in zip(self.source_expressions, terms, strict=True):
            if term.aggregate:
                name = getattr(source, "name", None) or source
                raise FieldError(f"Cannot compute {type(self).__name__}('{name}'): '{name}' is an aggregate")
            if term.window and builder.summary is None:
                raise FieldError(f"Cannot compute {type(self).__name__} over a window function.")
        element, field, why, parts = self.bare(builder, terms)
        return self.merged(builder, self.with_default(builder, element, field), field, why, parts)

    def bare(self, builder: Any, terms: list[Term]) -> tuple[Any, Any, Any, list[Term]]:
        """Return the call without its default, its field (or why there is none), and the terms that it reads."""
        if not writes(type(self), builder.vendor):
            return self.called(builder, terms)
        term = term_of(builder, self)
        return term.sa, term.field, term.why, [*terms, term]

    def called(self, builder: Any, terms: list[Term]) -> tuple[Any, Any, Any, list[Term]]:
        """Return the same as the library makes it."""
        if self.of_numbers and builder.vendor == "sqlite":
            self.refuse_texts(terms)
        field, why = self.aggregate_field(terms)
        if builder.vendor == "mysql" and field is not None and field.get_internal_type() == "FloatField":
            terms = [as_double(term) for term in terms]
        args: list[Any] = [term.sa for term in terms]
        template = self.extra.get("template", self.template)
        chosen = None if self.filter is None else builder.boolean(self.filter)
        if chosen is not None and builder.vendor == "mysql":  # which has no FILTER
            args = [sa.case((chosen.sa, args[0])), *args[1:]]
        if self.distinct and (template in PLAIN or "%(distinct)s" not in template):
            args = [sa.distinct(args[0]), *args[1:]]
        element = self.spelled(builder, args, None if field is None else field.sa_type)
        parts = list(terms)
        if self.order_by:
            orders = [order.as_order(builder) for order in self.order_by]
            element = sa.aggregate_order_by(element, *(o.as_term(builder).sa for o in self.order_by))
            parts += [term for term, _down, _nulls in orders]
        if chosen is not None:
            element = element if builder.vendor == "mysql" else element.filter(chosen.sa)
            parts.append(condition_term(chosen))
        return element, field, why, parts

    def refuse_texts(self, terms: list[Term]) -> None:
        """Raise NotSupportedError for dates and times, which SQLite keeps as texts: it would add up the years."""
        for term in terms:
            kind = term.field.get_internal_type() if term.field is not None else ""
            if kind in ("DateField", "DateTimeField", "TimeField"):
                raise NotSupportedError(
                    f"{self.name} of a {kind} is not supported by SQLite, which keeps it as text. "
                    "Aggregate a number that is made of it."
                )

    def aggregate_field(self, terms: list[Term]) -> tuple[Any, Any]:
        """Return the output field, or why there is none."""
        if self._given is not None or self.result_field is None:
            return self.field(terms)
        return self.result_field, None

    def with_default(self, builder: Any, element: Any, field: Any) -> Any:
        """Apply `default`."""
        if self.default is None:
            return element
        default = builder.term(self.default, self, field)
        return sa.func.coalesce(element, default.sa, **({} if field is None else {"type_": field.sa_type}))

    @ours
    def as_sql(self, compiler: Any, connection: Any, **context: Any) -> Any:
        """Return SQL and parameters: the library's own, or with other parts of the template."""
        if not context:
            return super().as_sql(compiler, connection)
        context = {"distinct": "DISTINCT " if self.distinct else "", **context}
        if self.filter is None:
            return super().as_sql(compiler, connection, **context)
        if connection.vendor == "mysql":  # which has no FILTER
            from ormolu.query.conditional import Case, When

            made: Any = self.copy()
            first, *others = self.source_expressions
            made.filter, made.source_expressions = None, [Case(When(self.filter, then=first)), *others]
            return Func.as_sql(made, compiler, connection, **context)
        sql, params = super().as_sql(compiler, connection, **context)
        chosen, more = compiler.mark(condition_term(compiler.builder.boolean(self.filter)))
        return f"{sql} FILTER (WHERE {chosen})", [*params, *more]

    def get_group_by_cols(self) -> list[Any]:
        """Return nothing: an aggregate is of the group."""
        return []

    def get_source_expressions(self) -> list[Any]:
        """Return arguments and filter."""
        return [*self.source_expressions, self.filter]

    def set_source_expressions(self, exprs: Any) -> None:
        """Replace arguments and filter."""
        *arguments, self.filter = exprs
        self.source_expressions = [argument for argument in arguments if argument is not None]


def as_double(term: Term) -> Term:
    """Return an integer as a floating-point number: of others MariaDB's means have four places."""
    if term.field is None or not term.field.get_internal_type().endswith(("IntegerField", "AutoField")):
        return term
    double: sa.Double[Any] = sa.Double()
    return term.replace(sa=sa.cast(term.sa, double))


def as_order(item: Any) -> Any:
    """Return an entry of order_by as an expression."""
    from ormolu.query.expressions import OrderBy
    from ormolu.query.references import F

    if isinstance(item, str):
        return OrderBy(F(item.lstrip("-")), descending=item.startswith("-"))
    return item if isinstance(item, OrderBy) else OrderBy(item)


def _field(name: str) -> Any:
    from ormolu import fields

    return getattr(fields, name)()


class Count(Aggregate):
    """The number of values that are not NULL; of rows for "*"."""

    function = "COUNT"
    arity = 1
    name = "Count"
    allow_distinct = True
    empty_result_set_value = 0

    def __init__(self, expression: Any, filter: Any = None, **extra: Any) -> None:
        if expression == "*":
            expression = Star()
        if isinstance(expression, Star) and filter is not None and extra.get("distinct"):
            raise ValueError("Star cannot be used with filter. Please specify a field.")
        if isinstance(expression, Star) and filter is not None:
            raise ValueError("Star cannot be used with filter. Please specify a field.")
        super().__init__(expression, filter=filter, **extra)

    def terms(self, builder: Any) -> list[Term]:
        """Return the terms of the arguments; of a key of several columns one that tells whether it is there."""
        return [self.counted(t) if isinstance(t, TupleTerm) else t for t in super().terms(builder)]

    def counted(self, term: TupleTerm) -> Term:
        """Return a single term that is NULL exactly where a part of a key is."""
        if self.distinct:
            raise ValueError("COUNT(DISTINCT) doesn't support composite primary keys")
        if not any(getattr(part.sa, "nullable", True) for part in term.parts):
            return term.parts[-1]
        there = sa.and_(*(part.sa.is_not(None) for part in term.parts))
        return merge(sa.case((there, 1)), _field("IntegerField"), list(term.parts))

    def aggregate_field(self, terms: list[Term]) -> tuple[Any, Any]:
        """A count is an integer."""
        return self._given or _field("IntegerField"), None

    def called(self, builder: Any, terms: list[Term]) -> tuple[Any, Any, Any, list[Term]]:
        """Return the call. Values that no row lacks are as many as the rows, which are quicker to count."""
        plain = type(self) is Count and not (self.distinct or self.filter or self.extra or self.order_by)
        if plain and builder.has_each_row(terms[0]):
            terms = [Star().as_term(builder)]
        return super().called(builder, terms)

    def _resolve_output_field(self) -> Any:
        return _field("IntegerField")


class Sum(Aggregate):
    """The sum."""

    of_numbers = True
    function = "SUM"
    arity = 1
    name = "Sum"
    allow_distinct = True


class Avg(Aggregate):
    """The mean: a float for integers, else of the type of the values."""

    of_numbers = True
    function = "AVG"
    arity = 1
    name = "Avg"
    allow_distinct = True

    def aggregate_field(self, terms: list[Term]) -> tuple[Any, Any]:
        """The mean of integers is a float."""
        from ormolu.fields import FloatField, IntegerField

        field, why = self.field(terms)
        if self._given is None and isinstance(field, IntegerField):
            return FloatField(), None
        return field, why

    def _resolve_output_field(self) -> Any:
        from ormolu.fields import FloatField, IntegerField

        field = Expression._resolve_output_field(self)
        return FloatField() if isinstance(field, IntegerField) else field


class Max(Aggregate):
    """The greatest value."""

    function = "MAX"
    arity = 1
    name = "Max"


class Min(Aggregate):
    """The smallest value."""

    function = "MIN"
    arity = 1
    name = "Min"


class _Statistic(Avg):
    """Standard deviation and variance; of a sample on request."""

    allow_distinct = False
    arity = 1

    def __init__(self, expression: Any, sample: bool = False, **extra: Any) -> None:
        if not isinstance(sample, bool):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise TypeError(f"{type(self).__name__}() takes one expression; sample is True or False.")
        self.function = f"{self.base}_{'SAMP' if sample else 'POP'}"
        super().__init__(expression, **extra)
        self.sample = sample

    base: ClassVar[str] = ""

    def repr_options(self) -> dict[str, Any]:
        """Return the options that `repr()` shows."""
        return {**super().repr_options(), "sample": self.sample}

    def shape(self, shape: Any) -> Any:
        """Return the key."""
        return (*super().shape(shape), self.sample)


class StdDev(_Statistic):
    """The standard deviation."""

    base = "STDDEV"
    name = "StdDev"


class Variance(_Statistic):
    """The variance."""

    base = "VAR"
    name = "Variance"
