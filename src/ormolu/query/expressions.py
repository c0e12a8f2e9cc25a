"""Expressions: F, Value, Func, Case, Subquery and what is built of them.

An expression is data. `as_term(builder)` makes its SQLAlchemy element when a query is
compiled; `shape(shape)` gives its part of the plan's key, in which the literal values
of `Value` do not count. Source of the rules: Django's documentation, ref/models/expressions.
"""

from __future__ import annotations

import copy
import inspect
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any, Self

import sqlalchemy as sa
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.elements import ClauseElement, ColumnElement, Grouping
from sqlalchemy.sql.visitors import InternalTraversal

from ormolu.compile.conditions import Condition
from ormolu.compile.terms import OuterMissing, Term, merge
from ormolu.exceptions import FieldError
from ormolu.query.combinable import Combinable
from ormolu.query.types import field_of_value, resolve_combined


class OutputField:
    """`expression.output_field`: the field of the result. On the class it is what the class declares, if anything."""

    def __get__(self, instance: Any, owner: type[Any]) -> Any:
        if instance is None:
            return self if owner._given is None else owner._given
        field = instance._output_field_or_none
        if field is None:
            raise FieldError("Cannot resolve expression type, unknown output_field")
        return field

    def __set__(self, instance: Any, field: Any) -> None:
        instance._given = field
        if "output_field" in _signature(type(instance)).parameters:
            instance._kwargs = {**instance._kwargs, "output_field": field}


class Expression(Combinable):
    """Base of all expressions. Arguments of the constructor are remembered: equality,
    hashing, `deconstruct()` and the shape come from them."""

    conditional_field: Any = None
    contains_aggregate = False
    contains_over_clause = False
    filterable = True
    window_compatible = False
    _args: tuple[Any, ...]
    _kwargs: dict[str, Any]
    _given: Any = None  # output_field as given

    def __new__(cls, *args: Any, **kwargs: Any) -> Self:
        made = super().__new__(cls)
        made._args, made._kwargs = args, kwargs
        return made

    def __init__(self, output_field: Any = None) -> None:
        if output_field is not None:
            self._given = output_field

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        given = cls.__dict__.get("output_field")
        if given is not None and not isinstance(given, (property, OutputField)):
            cls._given = given
            del cls.output_field

    # Identity

    @property
    def identity(self) -> tuple[Any, ...]:
        """What two equal expressions share."""
        bound = _signature(self.__class__).bind_partial(*self._args, **self._kwargs)
        bound.apply_defaults()
        return (self.__class__, *_freeze_items(bound.arguments))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Expression):
            return NotImplemented
        return other.identity == self.identity

    def __hash__(self) -> int:
        return hash(self.identity)

    def copy(self) -> Self:
        """Return a shallow copy."""
        return copy.copy(self)

    def __getnewargs_ex__(self) -> tuple[tuple[Any, ...], dict[str, Any]]:
        return self._args, self._kwargs

    def deconstruct(self) -> tuple[str, tuple[Any, ...], dict[str, Any]]:
        """Return how to make this expression again: path, arguments, keywords."""
        return f"ormolu.{type(self).__name__}", self._args, self._kwargs

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
        from ormolu.compile.builder import from_term

        term = self.as_term(builder)
        if not is_boolean(term):
            raise TypeError("Cannot filter against a non-conditional expression.")
        return from_term(term, negated)

    def as_order(self, builder: Any) -> tuple[Term, bool, str | None]:
        """Return this expression as an entry of order_by()."""
        return self.as_term(builder), False, None

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
        fields = [getattr(part, "_output_field_or_none", None) for part in self.get_source_expressions() if part is not None]
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


@lru_cache(maxsize=512)
def _signature(cls: type[Any]) -> inspect.Signature:
    """Return the parameters of an expression's constructor."""
    whole = inspect.signature(cls.__init__)
    return whole.replace(parameters=list(whole.parameters.values())[1:])


def _freeze(value: Any) -> Any:
    if isinstance(value, (list, tuple)):
        return (type(value), *(_freeze(part) for part in value))
    if isinstance(value, dict):
        return tuple(sorted((key, _freeze(part)) for key, part in value.items()))
    if hasattr(value, "deconstruct") and hasattr(value, "get_internal_type"):
        if getattr(value, "model", None) is not None and getattr(value, "name", None):
            return (value.model._meta.label, value.name)
        return (type(value), repr(value.deconstruct()[1:]))
    try:
        hash(value)
    except TypeError:
        return repr(value)
    return (type(value), value)


def _freeze_items(kwargs: dict[str, Any]) -> list[Any]:
    return [(name, _freeze(value)) for name, value in sorted(kwargs.items())]


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

    return isinstance(term.field, BooleanField) if term.field is not None else isinstance(term.sa.type, sa.Boolean)


def condition_term(condition: Condition) -> Term:
    """Return a condition as a value."""
    from ormolu.fields import BooleanField

    return Term(
        condition.sa, BooleanField(), joins=condition.joins, aggregate=condition.aggregate, window=condition.window,
        group=condition.group if condition.aggregate or condition.window else None,
    )  # fmt: skip


def expression_of(value: Any) -> Any:
    """Return what an argument of a function means: a name is an F, anything plain a Value."""
    if value is None or hasattr(value, "as_term") or isinstance(value, ClauseElement) or hasattr(value, "__clause_element__"):
        return Value(None) if value is None else value
    if hasattr(value, "query") and hasattr(value, "model"):
        from ormolu.query.subqueries import Subquery

        return Subquery(value)
    return F(value) if isinstance(value, str) else Value(value)


class F(Combinable):
    """A reference to a field, an annotation, or a field across relations.

    `F("author__age")`; slices of text are SUBSTRING: `F("name")[:3]`.
    """

    allowed_default = False
    conditional = False

    def __init__(self, name: str) -> None:
        self.name = name

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.name})"

    def __eq__(self, other: object) -> bool:
        return self.__class__ is other.__class__ and self.name == other.name  # type: ignore[attr-defined]

    def __hash__(self) -> int:
        return hash((type(self), self.name))

    def __getitem__(self, part: Any) -> Any:
        return Sliced(self, part)

    def __contains__(self, other: Any) -> bool:
        raise TypeError(f"argument of type '{type(self).__name__}' is not iterable")

    def __iter__(self) -> Any:
        raise TypeError(f"{type(self).__name__!r} object is not iterable")

    def shape(self, shape: Any) -> Any:
        """Return the key."""
        return (self.__class__, self.name)

    def as_term(self, builder: Any) -> Term:
        """Return the term of what the name refers to."""
        return builder.ref(self.name)  # type: ignore[no-any-return]

    def as_condition(self, builder: Any, negated: bool = False) -> Condition:
        """Return a boolean column as a condition."""
        from ormolu.compile.builder import from_term

        term = self.as_term(builder)
        if not is_boolean(term):
            raise TypeError("Cannot filter against a non-conditional expression.")
        return from_term(term, negated)

    def as_order(self, builder: Any) -> tuple[Term, bool, str | None]:
        """Return the entry of order_by()."""
        return self.as_term(builder), False, None

    def as_outer(self) -> OuterRef:
        """Return the reference as seen from within a subquery."""
        return ResolvedOuterRef(self.name)

    def asc(self, **kwargs: Any) -> OrderBy:
        """Return an ascending order."""
        return OrderBy(self, **kwargs)

    def desc(self, **kwargs: Any) -> OrderBy:
        """Return a descending order."""
        return OrderBy(self, descending=True, **kwargs)

    def copy(self) -> Self:
        """Return a copy."""
        return copy.copy(self)

    def deconstruct(self) -> tuple[str, tuple[Any, ...], dict[str, Any]]:
        """Return how to make this reference again."""
        return f"ormolu.{type(self).__name__}", (self.name,), {}

    def flatten(self) -> Any:
        """Yield this reference."""
        yield self


class OuterRef(F):
    """A reference from a subquery to the enclosing query. May be nested."""

    name: Any

    def as_term(self, builder: Any) -> Term:
        """Return the term in the enclosing query."""
        if builder.outer is None:
            raise OuterMissing(
                "This queryset contains a reference to an outer query and may only be used in a subquery."
            )
        if isinstance(self.name, F):
            return self.name.as_term(builder.outer)
        term: Term = builder.outer.ref(self.name)
        if term.window:
            raise NotSupportedSlice(f"Referencing outer query window expression is not supported: {self.name}.")
        builder.note_outer(term)
        return term.replace(joins=frozenset(), strict=frozenset(), aggregate=False, constant=True, nullable=True)

    def as_outer(self) -> OuterRef:
        """Return the reference from one level further in."""
        return OuterRef(self)

    def shape(self, shape: Any) -> Any:
        """Return the key."""
        return (self.__class__, shape.item(self.name))


class ResolvedOuterRef(OuterRef):
    """An F that was moved into a subquery by the compiler."""


class Value(Expression):
    """A literal. Its type is that of `output_field`, else follows from the Python value."""

    def __init__(self, value: Any, output_field: Any = None) -> None:
        super().__init__(output_field)
        self.value = value

    def shape(self, shape: Any) -> Any:
        """Return the key: the value does not count."""
        field = None if self._given is None else shape.item(self._given)
        return (Value, shape.literal(self, self.value), field)

    def as_term(self, builder: Any) -> Term:
        """Return a bind parameter."""
        field = self._output_field_or_none
        if self.value is None and field is not None and field.get_internal_type() == "JSONField":
            return Term(sa.cast(sa.literal_column("'null'"), field.sa_type), field, nullable=False, constant=True)
        if self.value is None:
            type_ = field.sa_type if field is not None else None
            return Term(sa.null() if type_ is None else sa.type_coerce(sa.null(), type_), field, constant=True)
        convert = field.get_prep_value if field is not None else None
        type_ = field.sa_type if field is not None else None
        bound = builder.params.bind(self, self.value, type_, convert)
        return Term(bound, field, nullable=False, constant=True)

    def _resolve_output_field(self) -> Any:
        return field_of_value(self.value)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.value!r})"

    @property
    def empty_result_set_value(self) -> Any:
        """What stands for this expression where no row is read."""
        return self.value


class RawSQL(Expression):
    """SQL text with %s placeholders and their values. The text is the caller's responsibility."""

    def __init__(self, sql: str, params: Sequence[Any], output_field: Any = None) -> None:
        super().__init__(output_field)
        self.sql, self.params = sql, params

    def shape(self, shape: Any) -> Any:
        """Return the key: the text counts, the values do not."""
        self._owners = [(self, n) for n in range(len(self.params))]
        values = tuple(shape.literal(owner, value) for owner, value in zip(self._owners, self.params, strict=True))
        return (RawSQL, self.sql, values, shape.item(self._given))

    def as_term(self, builder: Any) -> Term:
        """Return the text with bind parameters in it."""
        owners = getattr(self, "_owners", None) or [(self, n) for n in range(len(self.params))]
        bound = [builder.params.bind(owner, value, None) for owner, value in zip(owners, self.params, strict=True)]
        pieces = self.sql.split("%s")
        return Term(Template("raw", tuple(f"({piece}" if n == 0 else piece for n, piece in enumerate(pieces)), bound, self._type()), self._given)

    def _type(self) -> Any:
        return self._given.sa_type if self._given is not None else sa.types.NullType()


class Template(ColumnElement[Any]):
    """SQL text with elements in it: pieces[0] element[0] pieces[1] ..."""

    inherit_cache = True
    _traverse_internals: Any = [  # noqa: RUF012 -- what SQLAlchemy compares and makes its keys of
        ("name", InternalTraversal.dp_string),
        ("pieces", InternalTraversal.dp_string_list),
        ("elements", InternalTraversal.dp_clauseelement_list),
        ("type", InternalTraversal.dp_type),
    ]

    def __init__(self, name: str, pieces: Sequence[str], elements: Sequence[Any], type_: Any) -> None:
        self.name, self.pieces, self.elements = name, list(pieces), list(elements)
        self.type = type_

    def get_children(self, **kwargs: Any) -> Any:
        """Return the elements, for SQLAlchemy's traversals."""
        return list(self.elements)

    @property
    def _from_objects(self) -> list[Any]:
        return [source for element in self.elements for source in element._from_objects]

    def _copy_internals(self, clone: Callable[..., Any] | None = None, **kwargs: Any) -> None:
        if clone is not None:
            self.elements = [clone(element, **kwargs) for element in self.elements]


@compiles(Template)
def _template(element: Template, compiler: Any, **kwargs: Any) -> str:
    """Render the pieces and the elements between them."""
    double = compiler.preparer._double_percents
    text: list[str] = []
    for number, piece in enumerate(element.pieces):
        text.append(piece.replace("%", "%%") if double else piece)
        if number < len(element.elements):
            text.append(compiler.process(element.elements[number], **kwargs))
    closing = ")" if element.name == "raw" else ""
    return "".join(text) + closing


class CombinedExpression(Expression):
    """Two expressions and an operator between them."""

    def __init__(self, lhs: Any, connector: str, rhs: Any, output_field: Any = None) -> None:
        super().__init__(output_field)
        self.lhs, self.connector, self.rhs = lhs, connector, rhs

    def get_source_expressions(self) -> list[Any]:
        """Return both sides."""
        return [self.lhs, self.rhs]

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
        return merge(
            Grouping(element), field, [lhs, rhs], strict=True, why=why, nullable=lhs.nullable or rhs.nullable
        )

    def as_outer(self) -> CombinedExpression:
        """Return the expression as seen from within a subquery."""
        sides = [side.as_outer() if hasattr(side, "as_outer") else side for side in (self.lhs, self.rhs)]
        return CombinedExpression(sides[0], self.connector, sides[1], self._given)

    def _resolve_output_field(self) -> Any:
        fields = [getattr(part, "_output_field_or_none", None) for part in (self.lhs, self.rhs)]
        found = resolve_combined(self.connector, *(None if field is None else type(field) for field in fields))
        if found is None:
            names = [type(field).__name__ for field in fields]
            raise FieldError(
                f"Cannot infer type of {self.connector!r} expression involving these types: "
                f"{', '.join(names)}. You must set output_field."
            )
        return found()


def combined_field(connector: str, lhs: Term, rhs: Term) -> tuple[Any, Callable[[], str] | None]:
    """Return the field of an operation, or why there is none."""
    types = [None if term.field is None else type(term.field) for term in (lhs, rhs)]
    found = resolve_combined(connector, *types)
    if found is None:
        names = ", ".join("unknown" if t is None else t.__name__ for t in types)
        text = f"Cannot infer type of {connector!r} expression involving these types: {names}. You must set output_field."
        return None, lambda: text
    if isinstance(lhs.field, found):
        return lhs.field, None
    return (rhs.field if isinstance(rhs.field, found) else found()), None


class ExpressionWrapper(Expression):
    """Another expression, with an output field."""

    def __init__(self, expression: Any, output_field: Any) -> None:
        super().__init__(output_field)
        self.expression = expression

    def get_source_expressions(self) -> list[Any]:
        """Return the wrapped expression."""
        return [self.expression]

    def as_term(self, builder: Any) -> Term:
        """Return the wrapped term with the given type."""
        term = builder.term(self.expression)
        return term.replace(sa=sa.type_coerce(term.sa, self._given.sa_type), field=self._given, group=term.group_columns())

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
        return term.replace(sa=sa.not_(term.sa), field=self._given)

    def as_condition(self, builder: Any, negated: bool = False) -> Condition:
        """Return NOT of the condition."""
        from ormolu.compile.conditions import negate

        return negate(builder.boolean(self.expression, True))


class Func(Expression):
    """A database function: subclasses name it in `function`, or give a `template`.

    Positional arguments are expressions; a text is the name of a field. Keywords
    beside `output_field` fill the template.
    """

    function: str | None = None
    template = "%(function)s(%(expressions)s)"
    arg_joiner = ", "
    arity: int | None = None

    def __init__(self, *expressions: Any, output_field: Any = None, **extra: Any) -> None:
        if self.arity is not None and len(expressions) != self.arity:
            raise TypeError(
                f"'{type(self).__name__}' takes exactly {self.arity} "
                f"{'argument' if self.arity == 1 else 'arguments'} ({len(expressions)} given)"
            )
        super().__init__(output_field)
        self.source_expressions = [expression_of(value) for value in expressions]
        self.extra = extra

    def get_source_expressions(self) -> list[Any]:
        """Return the arguments."""
        return self.source_expressions

    def shape(self, shape: Any) -> Any:
        """Return the key: the arguments as expressions."""
        kwargs = tuple((name, shape.item(value)) for name, value in self._kwargs.items())
        return (self.__class__, tuple(shape.item(arg) for arg in self.source_expressions), kwargs)

    def repr_options(self) -> dict[str, Any]:
        """Return the options that `repr()` shows beside those of the template."""
        return {}

    def __repr__(self) -> str:
        args = self.arg_joiner.join(str(arg) for arg in self.source_expressions)
        options = sorted({**self.extra, **self.repr_options()}.items())
        return f"{type(self).__name__}({', '.join([args, *(f'{name}={value}' for name, value in options)])})"

    def terms(self, builder: Any) -> list[Term]:
        """Return the terms of the arguments."""
        return [builder.term(expression) for expression in self.source_expressions]

    def field(self, terms: list[Term]) -> tuple[Any, Callable[[], str] | None]:
        """Return the output field, or why there is none."""
        if self._given is not None:
            return self._given, None
        known = [term.field for term in terms if term.field is not None]
        if not known:
            return None, None
        first = known[0]
        for other in known[1:]:
            if not isinstance(first, other.__class__):
                text = (
                    f"Expression contains mixed types: {type(first).__name__}, {type(other).__name__}. "
                    "You must set output_field."
                )
                return None, lambda: text
        return first, None

    def as_term(self, builder: Any) -> Term:
        """Return the call."""
        terms = self.terms(builder)
        field, why = self.field(terms)
        element = self.call(builder, [term.sa for term in terms], None if field is None else field.sa_type)
        return merge(element, field, terms, why=why)

    def call(self, builder: Any, args: list[Any], type_: Any) -> Any:
        """Return the SQLAlchemy element of the call for the builder's vendor."""
        template = self.extra.get("template", self.template)
        function = self.extra.get("function", self.function)
        joiner = self.extra.get("arg_joiner", self.arg_joiner)
        if template == Func.template and joiner == ", " and function and function.replace("_", "").isalnum():
            return getattr(sa.func, function)(*args, **({"type_": type_} if type_ is not None else {}))
        values = {**self.extra, "function": function, "expressions": "\0", "field": "\0"}
        before, *after = (template % values).split("\0")
        if not after:  # the template leaves its arguments out
            return Template("func", [before], [], type_ if type_ is not None else sa.types.NullType())
        pieces = [before]
        for _ in args[1:]:
            pieces.append(joiner)
        pieces.append("\0".join(after) if after else "")
        return Template("func", pieces, args, type_ if type_ is not None else sa.types.NullType())


class When(Expression):
    """One branch of a Case: a condition and its value."""

    def __init__(self, condition: Any = None, then: Any = None, **lookups: Any) -> None:
        from ormolu.query.q import Q

        if lookups:
            if condition is None:
                condition = Q(**lookups)
            elif getattr(condition, "conditional", False):
                condition = Q(condition, **lookups)
        if condition is None or not (getattr(condition, "conditional", False) or isinstance(condition, ClauseElement)) or (
            isinstance(condition, Q) and lookups and not condition
        ):
            raise TypeError("When() supports a Q object, a boolean expression, or lookups as a condition.")
        if isinstance(condition, Q) and not condition:
            raise ValueError("An empty Q() can't be used as a When() condition.")
        super().__init__()
        self.condition = condition
        self.result = expression_of(then)

    def shape(self, shape: Any) -> Any:
        """Return the key."""
        return (When, shape.item(self.condition), shape.item(self.result))

    def get_source_expressions(self) -> list[Any]:
        """Return condition and value."""
        return [self.condition, self.result]

    def _resolve_output_field(self) -> Any:
        return getattr(self.result, "_output_field_or_none", None)

    def __str__(self) -> str:
        return f"WHEN {self.condition!r} THEN {self.result!r}"

    def __repr__(self) -> str:
        return f"<{type(self).__name__}: {self}>"


class Case(Expression):
    """The value of the first When whose condition holds, else `default`."""

    def __init__(self, *cases: Any, default: Any = None, output_field: Any = None, **extra: Any) -> None:
        if not all(isinstance(case, When) for case in cases):
            raise TypeError("Positional arguments must all be When objects.")
        super().__init__(output_field)
        self.cases = list(cases)
        self.default = expression_of(default)
        self.extra = extra

    def shape(self, shape: Any) -> Any:
        """Return the key."""
        cases = tuple(case.shape(shape) for case in self.cases)
        return (Case, cases, shape.item(self.default), shape.item(self._given))

    def get_source_expressions(self) -> list[Any]:
        """Return branches and default."""
        return [*self.cases, self.default]

    def as_term(self, builder: Any) -> Term:
        """Return CASE ... END."""
        from ormolu.compile.conditions import EVERYTHING, NOTHING

        branches: list[tuple[Any, Any]] = []
        parts: list[Term] = []
        results: list[Term] = []
        otherwise: Term | None = None
        for case in self.cases:
            condition = builder.boolean(case.condition)
            if condition is NOTHING:
                continue
            result = builder.term(case.result)
            results.append(result)
            if condition is EVERYTHING:
                otherwise = result
                break
            parts.append(condition_term(condition))
            branches.append((condition.sa, result.sa))
        if otherwise is None:
            otherwise = builder.term(self.default)
            results.append(otherwise)
        field, why = self.case_field(results)
        if not branches:
            return merge(otherwise.sa, field, [otherwise], why=why)
        element: Any = sa.case(*branches, else_=otherwise.sa)
        if field is not None:
            element = sa.type_coerce(element, field.sa_type)
        return merge(element, field, [*parts, *results], why=why, constant=False)

    def case_field(self, results: list[Term]) -> tuple[Any, Callable[[], str] | None]:
        """Return the output field of the branches."""
        if self._given is not None:
            return self._given, None
        return Func.field(self, results)  # type: ignore[arg-type]

    def __str__(self) -> str:
        return f"CASE {', '.join(str(case) for case in self.cases)}, ELSE {self.default!r}"

    def __repr__(self) -> str:
        return f"<{type(self).__name__}: {self}>"


class Sliced(Expression):
    """A part of a text: `F("name")[2:5]`."""

    def __init__(self, source: Any, part: Any) -> None:
        super().__init__()
        if isinstance(part, int):
            if part < 0:
                raise ValueError("Negative indexing is not supported.")
            self.start, self.length = part + 1, 1
        elif not isinstance(part, slice):
            raise TypeError("Argument to slice must be either int or slice instance.")
        else:
            if (part.start is not None and part.start < 0) or (part.stop is not None and part.stop < 0):
                raise ValueError("Negative indexing is not supported.")
            if part.step is not None:
                raise ValueError("Step argument is not supported.")
            if part.stop and part.start and part.stop < part.start:
                raise ValueError("Slice stop must be greater than slice start.")
            self.start = (part.start or 0) + 1
            self.length = None if part.stop is None else part.stop - (part.start or 0)
        self.source = source

    def __getitem__(self, part: Any) -> Any:
        return Sliced(self, part)

    @property
    def identity(self) -> tuple[Any, ...]:
        """What two equal slices share."""
        return (Sliced, _freeze(self.source), self.start, self.length)

    def shape(self, shape: Any) -> Any:
        """Return the key."""
        return (Sliced, shape.item(self.source), self.start, self.length)

    def get_source_expressions(self) -> list[Any]:
        """Return the text."""
        return [self.source]

    def as_term(self, builder: Any) -> Term:
        """Return SUBSTRING, or what the field makes of a slice."""
        term = builder.term(self.source)
        slicer = getattr(term.field, "slice_element", None)
        if slicer is not None:
            return merge(slicer(term.sa, self.start, self.length), term.field, [term], strict=True)
        from ormolu.fields import CharField, TextField

        if term.field is not None and not isinstance(term.field, (CharField, TextField)):
            raise NotSupportedSlice(f"This field does not support slicing: {type(term.field).__name__}")
        name = sa.func.substr if builder.vendor in ("sqlite", "postgresql") else sa.func.substring
        args = [term.sa, sa.literal_column(str(self.start))]
        if self.length is not None:
            args.append(sa.literal_column(str(self.length)))
        return merge(name(*args, type_=sa.String()), term.field, [term], strict=True)


from ormolu.exceptions import NotSupportedError as NotSupportedSlice  # noqa: E402


class OrderBy(Expression):
    """An order with a direction and a place for NULLs."""

    def __init__(self, expression: Any, descending: bool = False, nulls_first: Any = None, nulls_last: Any = None) -> None:
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
        return term.replace(sa=element)

    def get_source_expressions(self) -> list[Any]:
        """Return the ordered expression."""
        return [self.expression]

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


def __getattr__(name: str) -> Any:
    if name in ("Subquery", "Exists"):
        from ormolu.query import subqueries

        return getattr(subqueries, name)
    if name in ("Window", "WindowFrame", "RowRange", "ValueRange", "WindowFrameExclusion"):
        from ormolu.query import windows

        return getattr(windows, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
