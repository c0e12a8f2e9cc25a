"""Expressions: what all of them share, and what combines others.

An expression is data. `as_term(builder)` makes its SQLAlchemy element when a query is
compiled; `shape(shape)` gives its part of the plan's key, in which the literal values
of `Value` do not count. Source of the rules: Django's documentation, ref/models/expressions.
"""

from __future__ import annotations

import copy
import inspect
from collections.abc import Callable
from typing import Any, ClassVar, Self, cast

import sqlalchemy as sa
from sqlalchemy.sql.elements import ClauseElement, Grouping, UnaryExpression

from ormolu.compile.conditions import EVERYTHING, NOTHING, Condition, negate
from ormolu.compile.terms import UNKNOWN_TYPE, Term, merge
from ormolu.exceptions import FieldError, OutputFieldIsNoneError
from ormolu.lazy import public_path
from ormolu.query.combinable import Combinable
from ormolu.query.described import Described
from ormolu.query.in_sql import InSQL, keyed
from ormolu.query.types import resolve_combined


class OutputField:
    """`expression.output_field`: the field of the result. On the class it is what the class declares, if anything."""

    def __get__(self, instance: Any, owner: type[Any]) -> Any:
        if instance is None:
            return self if owner._given is None else owner._given
        field = instance._output_field_or_none
        if field is None:
            raise OutputFieldIsNoneError(UNKNOWN_TYPE)
        return field

    def __set__(self, instance: Any, field: Any) -> None:
        instance._given = field
        if "output_field" in signature_of(instance.__class__).parameters:
            instance._kwargs = {**instance._kwargs, "output_field": field}


class Expression(InSQL, Described, Combinable):
    """Base of all expressions. Arguments of the constructor are remembered: equality,
    hashing, `deconstruct()` and the shape come from them."""

    conditional_field: Any = None
    _args: tuple[Any, ...]
    _kwargs: dict[str, Any]
    _given: Any = None  # output_field as given
    computes_field: ClassVar[bool] = False  # a property of a user's gives output_field

    def __new__(cls, *args: Any, **kwargs: Any) -> Self:
        made = super().__new__(cls)
        made._args, made._kwargs = args, kwargs
        return made

    def __init__(self, output_field: Any = None) -> None:
        if output_field is not None:
            if isinstance(output_field, (type, str)):
                name = getattr(output_field, "__name__", output_field)
                raise TypeError(f"output_field is a field, as in {name}(), not {output_field!r}.")
            self._given = output_field

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        given = cls.__dict__.get("output_field")
        if given is not None and not isinstance(given, (property, OutputField)):
            cls._given = given
            del cls.output_field
        elif isinstance(given, property):
            cls.computes_field = True
        if cls.__module__.partition(".")[0] != "ormolu" and not hasattr(cls.shape, "of_state"):
            cls.shape = keyed(cls.shape)  # type: ignore[method-assign, assignment]

    # Identity

    @property
    def identity(self) -> tuple[Any, ...]:
        """What two equal expressions share."""
        bound = signature_of(self.__class__).bind_partial(*self._args, **self._kwargs)
        bound.apply_defaults()
        return (self.__class__, *freeze_items(bound.arguments))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Expression):
            return NotImplemented
        return other.identity == self.identity

    def __hash__(self) -> int:
        return hash(self.identity)

    def copy(self) -> Self:
        """Return a copy with lists of its own: resolve_expression() of a copy may replace what is in them."""
        made = copy.copy(self)
        held = made.__dict__
        held.update({name: list(cast(Any, value)) for name, value in held.items() if isinstance(value, list)})
        return made

    def __copy__(self) -> Self:
        twin = object.__new__(type(self))
        twin.__dict__.update(self.__dict__)
        return twin

    def __getnewargs_ex__(self) -> tuple[tuple[Any, ...], dict[str, Any]]:
        from ormolu.query.pickling import dressed

        return dressed(self._args), {name: dressed(value) for name, value in self._kwargs.items()}

    def __getstate__(self) -> dict[str, Any]:
        from ormolu.query.pickling import dressed

        return {
            name: dressed(value) for name, value in self.__dict__.items() if name not in ("_args", "_kwargs")
        }

    def deconstruct(self) -> tuple[str, tuple[Any, ...], dict[str, Any]]:
        """Return how to make this expression again: path, arguments, keywords."""
        return public_path(type(self)), self._args, self._kwargs

    # Compilation

    def shape(self, shape: Any) -> Any:
        """Return the key of this expression."""
        kwargs = tuple((name, shape.item(value)) for name, value in self._kwargs.items())
        return (self.__class__, tuple(shape.item(arg) for arg in self._args), kwargs)

    def as_term(self, builder: Any) -> Term:
        """Return the term of this expression in a query."""
        raise TypeError(f"{type(self).__name__} can't be used in a query by itself.")

    def as_condition(self, builder: Any, negated: bool = False) -> Condition:
        """Return this expression as a condition of filter()."""
        from ormolu.compile.filtering import from_term

        term = builder.term(self)
        if not is_boolean(term):
            raise TypeError("Cannot filter against a non-conditional expression.")
        return from_term(term, negated)

    def as_order(self, builder: Any) -> tuple[Term, bool, str | None]:
        """Return this expression as an entry of order_by()."""
        return builder.term(self), False, None

    # Surface

    def get_source_expressions(self) -> list[Any]:
        """Return the expressions that this one is made of."""
        return []

    def flatten(self) -> Any:
        """Yield this expression and all within it."""
        yield self
        for part in self.get_source_expressions():
            if part is not None:
                yield from part.flatten() if hasattr(part, "flatten") else (part,)

    @property
    def conditional(self) -> bool:
        """Whether this is true or false, so that filter() takes it."""
        from ormolu.fields import BooleanField

        return isinstance(self._given or self.conditional_field, BooleanField)

    output_field: Any = OutputField()
    """The field of the result; FieldError where it can't be told without a query."""

    @property
    def _output_field_or_none(self) -> Any:
        return self._given if self._given is not None else self._resolve_output_field()

    def _resolve_output_field(self) -> Any:
        fields = [
            getattr(part, "_output_field_or_none", None)
            for part in self.get_source_expressions()
            if part is not None
        ]
        return common_field([field for field in fields if field is not None], type(self).__name__)

    def asc(self, **kwargs: Any) -> OrderBy:
        """Return this expression as an ascending order."""
        return OrderBy(self, **kwargs)

    def desc(self, **kwargs: Any) -> OrderBy:
        """Return this expression as a descending order."""
        return OrderBy(self, descending=True, **kwargs)

    def __repr__(self) -> str:
        args = [repr(arg) for arg in self._args]
        args += [f"{name}={value!r}" for name, value in self._kwargs.items()]
        return f"{type(self).__name__}({', '.join(args)})"


BaseExpression = Expression


_signatures: dict[type, inspect.Signature] = {}
_SEQUENCES: tuple[type[Any], ...] = (list, tuple)


def signature_of(cls: type) -> inspect.Signature:
    """Return the parameters of an expression's constructor."""
    found = _signatures.get(cls)
    if found is None:
        whole = inspect.signature(cls.__init__)  # type: ignore[misc]
        found = _signatures[cls] = whole.replace(parameters=list(whole.parameters.values())[1:])
    return found


def freeze(value: Any) -> Any:
    if isinstance(value, _SEQUENCES):
        return tuple(freeze(part) for part in value)
    if isinstance(value, dict):
        return tuple(sorted((key, freeze(part)) for key, part in cast(Any, value).items()))
    if hasattr(value, "deconstruct") and hasattr(value, "get_internal_type"):
        if getattr(value, "model", None) is not None and getattr(value, "name", None):
            return (value.model._meta.label, value.name)
        return (type(value), repr(value.deconstruct()[1:]))
    try:
        hash(value)
    except TypeError:
        return repr(value)
    return (type(value), value)


def freeze_items(kwargs: dict[str, Any]) -> list[Any]:
    return [(name, freeze(value)) for name, value in sorted(kwargs.items())]


def common_field(fields: list[Any], name: str) -> Any:
    """Return the field that several sources share; FieldError where they differ."""
    if not fields:
        return None
    first = fields[0]
    for field in fields[1:]:
        if not isinstance(first, field.__class__):
            raise FieldError(
                f"Expression contains mixed types: {type(first).__name__}, {type(field).__name__}. "
                "You must set output_field."
            )
    return first


def is_boolean(term: Term) -> bool:
    """Tell whether a term is a condition."""
    from ormolu.fields import BooleanField

    return (
        isinstance(term.field, BooleanField)
        if term.field is not None
        else isinstance(term.sa.type, sa.Boolean)
    )


def condition_term(condition: Condition) -> Term:
    """Return a condition as a value."""
    from ormolu.fields import BooleanField

    element: Any = condition.sa
    if isinstance(element, UnaryExpression):  # NOT binds less than what may be said of a value
        element = Grouping(cast(Any, element))
    return Term(
        element, BooleanField(), joins=condition.joins, aggregate=condition.aggregate, window=condition.window,
        group=condition.group if condition.aggregate or condition.window else None,
        constant=condition is EVERYTHING or condition is NOTHING,
    )  # fmt: skip


def expression_of(value: Any) -> Any:
    """Return what an argument of a function means: a name is an F, anything plain a Value."""
    from ormolu.query.references import F

    if value.__class__ is str:
        return F(value)
    from ormolu.query.values import Value

    if (
        value is None
        or hasattr(value, "as_term")
        or isinstance(value, ClauseElement)
        or hasattr(value, "__clause_element__")
    ):
        return Value(None) if value is None else value
    if hasattr(value, "query") and hasattr(value, "model"):
        from ormolu.query.subqueries import Subquery

        return Subquery(value)
    return F(value) if isinstance(value, str) else Value(value)


class CombinedExpression(Expression):
    """Two expressions and an operator between them."""

    def __init__(self, lhs: Any, connector: str, rhs: Any, output_field: Any = None) -> None:
        super().__init__(output_field)
        self.lhs, self.connector, self.rhs = lhs, connector, rhs

    def get_source_expressions(self) -> list[Any]:
        """Return both sides."""
        return [self.lhs, self.rhs]

    def set_source_expressions(self, exprs: Any) -> None:
        """Replace both sides."""
        self.lhs, self.rhs = exprs

    def __str__(self) -> str:
        return f"{self.lhs} {self.connector} {self.rhs}"

    def __repr__(self) -> str:
        return f"<{type(self).__name__}: {self}>"

    def as_term(self, builder: Any) -> Term:
        """Return the operation, in parentheses."""
        lhs, rhs = builder.term(self.lhs), builder.term(self.rhs)
        field = self._given
        why = None
        if field is None:
            field, why = combined_field(self.connector, lhs, rhs)
        element = builder.operation(self.connector, lhs, rhs, field)
        nullable = lhs.nullable or rhs.nullable or builder.may_lack_result(self.connector, field)
        return merge(Grouping(element), field, [lhs, rhs], strict=True, why=why, nullable=nullable)

    def as_outer(self) -> CombinedExpression:
        """Return the expression as seen from within a subquery."""
        sides = [side.as_outer() if hasattr(side, "as_outer") else side for side in (self.lhs, self.rhs)]
        return CombinedExpression(sides[0], self.connector, sides[1], self._given)

    def _resolve_output_field(self) -> Any:
        fields = [getattr(part, "_output_field_or_none", None) for part in (self.lhs, self.rhs)]
        found = resolve_combined(
            self.connector, *(None if field is None else field.__class__ for field in fields)
        )
        if found is None:
            names = [type(field).__name__ for field in fields]
            raise FieldError(
                f"Cannot infer type of {self.connector!r} expression involving these types: "
                f"{', '.join(names)}. You must set output_field."
            )
        return found()


def combined_field(connector: str, lhs: Term, rhs: Term) -> tuple[Any, Callable[[], str] | None]:
    """Return the field of an operation, or why there is none."""
    types = [None if term.field is None else term.field.__class__ for term in (lhs, rhs)]
    found = resolve_combined(connector, *types)
    if found is None:
        names = ", ".join("unknown" if t is None else t.__name__ for t in types)
        text = (
            f"Cannot infer type of {connector!r} expression involving these types: {names}. "
            "You must set output_field."
        )
        return None, lambda: text
    for side in (lhs, rhs):
        if side.field.__class__ is found:  # with its own options; a key's arithmetic makes no key
            return side.field, None
    return found(), None


class ExpressionWrapper(Expression):
    """Another expression, with an output field."""

    def __init__(self, expression: Any, output_field: Any) -> None:
        super().__init__(output_field)
        self.expression = expression

    def get_source_expressions(self) -> list[Any]:
        """Return the wrapped expression."""
        return [self.expression]

    def set_source_expressions(self, exprs: Any) -> None:
        """Replace the wrapped expression."""
        (self.expression,) = exprs

    def get_group_by_cols(self) -> list[Any]:
        """Return what the wrapped expression is grouped by, with the given type."""
        if not isinstance(self.expression, Expression):
            return super().get_group_by_cols()
        wrapped = self.expression.copy()
        wrapped._given = self._given
        return wrapped.get_group_by_cols()

    def as_term(self, builder: Any) -> Term:
        """Return the wrapped term with the given type."""
        term = builder.term(self.typed())
        group = (
            None if term.group is None or (len(term.group) == 1 and term.group[0] is term.sa) else term.group
        )  # itself, or its parts
        return term.replace(  # type: ignore[no-any-return]
            sa=sa.type_coerce(term.sa, self._given.sa_type), field=self._given, group=group
        )

    def typed(self) -> Any:
        """Return the wrapped expression; a sum that is to be a date is computed as one."""
        inner = self.expression
        if not isinstance(inner, CombinedExpression) or inner._given is not None:
            return inner
        if self._given.get_internal_type() != "DateField":
            return inner
        made = inner.copy()
        made._given = self._given
        return made

    def as_condition(self, builder: Any, negated: bool = False) -> Condition:
        """Return the wrapped condition."""
        if hasattr(self.expression, "as_condition"):
            return self.expression.as_condition(builder, negated)  # type: ignore[no-any-return]
        return super().as_condition(builder, negated)


class NegatedExpression(ExpressionWrapper):
    """NOT of a boolean expression."""

    def __init__(self, expression: Any) -> None:
        from ormolu.fields import BooleanField

        super().__init__(expression, BooleanField())

    def __invert__(self) -> Any:
        return copy.copy(self.expression)

    def as_term(self, builder: Any) -> Term:
        """Return NOT of the term. Raises TypeError if that is neither true nor false."""
        term = builder.term(self.expression)
        if not is_boolean(term):
            raise TypeError("Cannot negate non-conditional expressions.")
        # Grouped inside and out: `NOT a = b` may stand for `a = b = 0`, and NOT binds less than a comparison.
        return term.replace(sa=Grouping(sa.not_(Grouping(term.sa))), field=self._given)  # type: ignore[no-any-return]

    def as_condition(self, builder: Any, negated: bool = False) -> Condition:
        """Return NOT of the condition, as SQL has it: what is NULL is neither. exclude() keeps that."""
        found = negate(builder.boolean(self.expression))
        if not negated or found is EVERYTHING or found is NOTHING:
            return found
        found.sa = sa.func.coalesce(found.sa, sa.false())
        return found


class OrderBy(Expression):
    """An order with a direction and a place for NULLs."""

    def __init__(
        self, expression: Any, descending: bool = False, nulls_first: Any = None, nulls_last: Any = None
    ) -> None:
        if nulls_first and nulls_last:
            raise ValueError("nulls_first and nulls_last are mutually exclusive")
        if nulls_first is False or nulls_last is False:
            raise ValueError("nulls_first and nulls_last values must be True or None.")
        if not hasattr(expression, "as_term") and not isinstance(expression, ClauseElement):
            raise ValueError("expression must be an expression type")
        super().__init__()
        self.expression = expression
        self.descending = descending
        self.nulls_first, self.nulls_last = nulls_first, nulls_last

    @property
    def nulls(self) -> str | None:
        """Where NULLs go: "first", "last" or where the database puts them (None)."""
        return "first" if self.nulls_first else "last" if self.nulls_last else None

    def shape(self, shape: Any) -> Any:
        """Return the key: as it stands now, for reverse_ordering() changes it."""
        return (OrderBy, shape.item(self.expression), self.descending, self.nulls)

    def as_order(self, builder: Any) -> tuple[Term, bool, str | None]:
        """Return the entry of order_by()."""
        return builder.term(self.expression), self.descending, self.nulls

    def as_term(self, builder: Any) -> Term:
        """Return the ordered element, for use in functions that take an ORDER BY."""
        term = builder.term(self.expression)
        element = term.sa.desc() if self.descending else term.sa.asc()
        if self.nulls == "first":
            element = element.nulls_first()
        elif self.nulls == "last":
            element = element.nulls_last()
        return term.replace(sa=element)  # type: ignore[no-any-return]

    def get_source_expressions(self) -> list[Any]:
        """Return the ordered expression."""
        return [self.expression]

    def set_source_expressions(self, exprs: Any) -> None:
        """Replace the ordered expression."""
        (self.expression,) = exprs

    def reverse_ordering(self) -> OrderBy:
        """Turn the direction around, in place, and return self."""
        self.descending = not self.descending
        self.nulls_first, self.nulls_last = self.nulls_last, self.nulls_first
        return self

    def asc(self, **kwargs: Any) -> OrderBy:
        """Make this order ascending."""
        self.descending = False
        return self

    def desc(self, **kwargs: Any) -> OrderBy:
        """Make this order descending."""
        self.descending = True
        return self

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.expression!r}, descending={self.descending})"


class Star(Expression):
    """The star of COUNT(*)."""

    def as_term(self, builder: Any) -> Term:
        """Return a star."""
        return Term(sa.literal_column("*"), constant=True)

    def __repr__(self) -> str:
        return "'*'"
