"""Func: database functions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, ClassVar, Self

import sqlalchemy as sa
from sqlalchemy.sql.functions import Function

from ormolu.compile.template import Template
from ormolu.compile.terms import Term, merge, unknown_type
from ormolu.compile.written import ours
from ormolu.query.expressions import Expression, expression_of

SPELLING = frozenset({"function", "template", "arg_joiner"})
PLAIN = ("%(function)s(%(expressions)s)", "%(function)s(%(distinct)s%(expressions)s)")


def called(name: str, args: list[Any], type_: Any) -> Any:
    """Return the call of a function, whose name is written as it is given."""
    if type_ is None:
        return getattr(sa.func, name)(*args)
    return Function(name, *args, type_=type_)


class Func(Expression):
    """A database function: subclasses name it in `function`, or give a `template`.

    Positional arguments are expressions; a text is the name of a field. Keywords
    beside `output_field` fill the template.
    """

    function: str | None = None
    template = PLAIN[0]
    arg_joiner = ", "
    arity: int | None = None
    keyed_parts: ClassVar[frozenset[str]] = frozenset({"source_expressions"})
    respelled: ClassVar[bool] = False  # a user's class says how the call is written

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if cls.__module__.partition(".")[0] != "ormolu" and not SPELLING.isdisjoint(cls.__dict__):
            cls.respelled = True

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

    def copy(self) -> Self:
        """Return a copy with arguments and options of its own."""
        made = super().copy()
        made.source_expressions, made.extra = list(self.source_expressions), dict(self.extra)
        return made

    def set_source_expressions(self, exprs: Any) -> None:
        """Replace the arguments."""
        self.source_expressions = [expression for expression in exprs if expression is not None]

    @ours
    def as_sql(
        self, compiler: Any, connection: Any, function: str | None = None, template: str | None = None,
        arg_joiner: str | None = None, **extra_context: Any,
    ) -> tuple[str, Sequence[Any]]:  # fmt: skip
        """Return SQL and parameters: the library's own, or with other parts of the template."""
        if function is None and template is None and arg_joiner is None and not extra_context:
            return super().as_sql(compiler, connection)  # type: ignore[no-any-return]
        texts: list[str] = []
        params: list[Any] = []
        for expression in self.source_expressions:
            sql, values = compiler.compile(expression)
            texts.append(sql)
            params.extend(values)
        data = {**self.extra, **extra_context}
        data["function"] = function or data.get("function", self.function)
        joiner = arg_joiner or data.get("arg_joiner", self.arg_joiner)
        data["expressions"] = data["field"] = joiner.join(texts)
        return (template or data.get("template", self.template)) % data, params

    def shape(self, shape: Any) -> Any:
        """Return the key: the arguments as expressions."""
        kwargs = tuple((name, shape.item(value)) for name, value in self._kwargs.items())
        says = self.__dict__.get("contains_aggregate")
        return (self.__class__, tuple(shape.item(arg) for arg in self.source_expressions), kwargs, says)

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
        if self.computes_field:
            return self.output_field, None
        if self._given is not None:
            return self._given, None
        known: list[Any] = []
        for term in terms:
            if term.field is not None:
                known.append(term.field)
            elif (
                term.why is not None and term.why is not unknown_type
            ):  # it can't be told; NULL is of any type
                return None, term.why
        if not known:
            return None, None
        first = known[0]
        for other in known[1:]:
            if not isinstance(first, other.__class__):
                text = (
                    f"Expression contains mixed types: {type(first).__name__}, {type(other).__name__}. "
                    "You must set output_field."
                )
                return None, partial(str, text)
        return first, None

    def as_term(self, builder: Any) -> Term:
        """Return the call."""
        terms = self.terms(builder)
        field, why = self.field(terms)
        element = self.spelled(builder, [term.sa for term in terms], None if field is None else field.sa_type)
        return merge(element, field, terms, why=why, **self.declared)

    def options(self) -> dict[str, Any]:
        """Return what the template may name beside the function and its arguments."""
        return {}

    def spelled(self, builder: Any, args: list[Any], type_: Any) -> Any:
        """Return the element of the call: as a user spells it, else in the library's way for the database."""
        own = self.respelled or not SPELLING.isdisjoint(self.extra)
        return Func.call(self, builder, args, type_) if own else self.call(builder, args, type_)

    def call(self, builder: Any, args: list[Any], type_: Any) -> Any:
        """Return the SQLAlchemy element of the call for the builder's vendor."""
        template = self.extra.get("template", self.template)
        function = self.extra.get("function", self.function)
        joiner = self.extra.get("arg_joiner", self.arg_joiner)
        if template in PLAIN and joiner == ", " and function and function.replace("_", "").isalnum():
            return called(function, args, type_)
        values = {**self.options(), **self.extra, "function": function, "expressions": "\0", "field": "\0"}
        # Per cent is written %%%%: the template is filled in, and then the parameters are.
        before, *rest = (template % values).replace("%%", "%").split("\0")
        pieces: list[str] = [before]
        elements: list[Any] = []
        for after in rest:  # the template may name its arguments several times, or not at all
            elements += args
            pieces += [*(joiner for _ in args[1:]), after] if args else []
            if not args:
                pieces[-1] += after
        return Template("func", pieces, elements, type_ if type_ is not None else sa.types.NullType())
