"""SQL that a user writes: `as_sql(compiler, connection)` of a lookup, transform or expression, as an element.

What `compiler.compile()` returns is text with a mark in it for each SQLAlchemy element; where the marks end up, the
elements are. So literals of the query stay its parameters, and the plan serves other values as well.
A value that a lookup's SQL is made with is given as `Seen`: who looks at it gets it, and a plan for this query alone.
Source of the rules: Django's documentation, ref/models/lookups and howto/custom-lookups.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, cast

import sqlalchemy as sa
from sqlalchemy.sql import operators
from sqlalchemy.sql.elements import Grouping

from ormolu.compile.facts import Connection
from ormolu.compile.template import Template
from ormolu.exceptions import FieldError

if TYPE_CHECKING:
    from ormolu.compile.builder import Builder
    from ormolu.compile.params import Params
    from ormolu.compile.terms import Term

__all__ = ["Compiler", "Connection", "Seen", "Written", "element_of", "ours", "term_of", "writes"]

_PLACES = re.compile("%s|%%|\0[0-9]+\0")
_QUOTED = re.compile(r"'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"")
_CONNECTORS = re.compile(r"\b(?:AND|OR|XOR|NOT)\b", re.IGNORECASE)
_LOGIC = (operators.and_, operators.or_)
_END = object()


def ours(method: Callable[..., Any]) -> Callable[..., Any]:
    """Mark a method of the library that users may replace to write SQL."""
    cast(Any, method).ours = True
    return method


def writes(cls: Any, vendor: str) -> bool:
    """Tell whether a class has SQL of a user's for a database."""
    hooks: tuple[str, ...] = getattr(cls, "sql_hooks", ())
    if not hooks:
        return False
    if getattr(cls, f"as_{vendor}", None) is not None:
        return True
    return any(not getattr(getattr(cls, name), "ours", False) for name in hooks)


class Seen:
    """Stands for a value of the query in a user's code. Whoever looks at it gets the value, and that is noted."""

    __slots__ = ("_convert", "_owner", "_params", "_type", "_value")

    def __init__(self, params: Params, owner: Any, value: Any, type_: Any, convert: Any) -> None:
        self._params, self._owner, self._value = params, owner, value
        self._type, self._convert = type_, convert

    def __getattribute__(self, name: str) -> Any:
        return getattr(looked_at(self), name)

    def __hash__(self) -> int:
        return hash(looked_at(self))


def looked_at(value: Any) -> Any:
    """Return what a value is; where it stands for one of the query's, the plan is for this query only."""
    if type(value) is not Seen:
        return value
    part: Any = object.__getattribute__
    part(value, "_params").single_use = True
    convert = part(value, "_convert")
    found = part(value, "_value")
    return found if convert is None else convert(found)


def _asked_of_value(function: Callable[..., Any], reverse: bool = False) -> Any:
    """Return a special method (these are found on classes only) that does with the value what it is meant to."""

    def method(self: Any, *args: Any) -> Any:
        values = [looked_at(self), *map(looked_at, args)]
        return function(*(reversed(values) if reverse else values))

    return method


for _name in [
    "add",
    "and",
    "contains",
    "eq",
    "floordiv",
    "ge",
    "getitem",
    "gt",
    "invert",
    "le",
    "lt",
    "mod",
    "mul",
    "ne",
    "neg",
    "or",
    "pow",
    "sub",
    "truediv",
    "xor",
]:
    setattr(Seen, f"__{_name}__", _asked_of_value(getattr(operator, f"__{_name}__")))
_BOTH = ("add", "and", "floordiv", "mod", "mul", "or", "pow", "sub", "truediv", "xor")
_ONE = ("contains", "eq", "ge", "getitem", "gt", "invert", "le", "lt", "ne", "neg")
for _name in (*_BOTH, *_ONE):
    setattr(Seen, f"__{_name}__", _asked_of_value(getattr(operator, f"__{_name}__")))
for _name in _BOTH:
    setattr(Seen, f"__r{_name}__", _asked_of_value(getattr(operator, f"__{_name}__"), reverse=True))
for _function in (abs, bool, bytes, divmod, float, format, int, iter, len, repr, round, str):
    setattr(Seen, f"__{_function.__name__}__", _asked_of_value(_function))


def bound(value: Any) -> Any:
    """Return the parameter of a value that stands for one of the query's."""
    part: Any = object.__getattribute__
    owner, given, type_ = part(value, "_owner"), part(value, "_value"), part(value, "_type")
    return part(value, "_params").bind(owner, given, type_, part(value, "_convert"))


class Written(Template):
    """A user's SQL, in parentheses where what is around it could take it apart."""

    inherit_cache = True

    def self_group(self, against: Any = None) -> Any:
        """Return the element as an operand."""
        if against is None or against is operators.comma_op:
            return self
        outside = outermost(" ? ".join(self.pieces))
        if against in _LOGIC and not _CONNECTORS.search(outside):
            return self
        if against is not operators.inv and not re.search(r"\S\s+\S", outside.strip()):
            return self
        return Grouping(self)


def outermost(text: str) -> str:
    """Return SQL without what is quoted or in parentheses."""
    text, found, depth = _QUOTED.sub("q", text), "", 0
    for char in text:
        depth -= char == ")"
        if depth <= 0:
            found += char
        depth += char == "("
    return found


class Compiler:
    """What `as_sql()` is given to compile the expressions within."""

    def __init__(self, builder: Builder) -> None:
        self.builder = builder
        self.connection = Connection(builder)
        self.using = builder.alias
        self.query = builder.query
        self.terms: list[Term] = []

    def compile(self, node: Any) -> tuple[str, list[Any]]:
        """Return SQL and parameters of an expression."""
        return self.mark(self.builder.term(node))

    def mark(self, term: Term) -> tuple[str, list[Any]]:
        """Return what stands for a term in SQL text."""
        self.terms.append(term)
        return f"\0{len(self.terms) - 1}\0", []

    def quote_name_unless_alias(self, name: str) -> str:
        """Return a name in the database's quotes."""
        return self.connection.ops.quote_name(name)

    def quoted(self, name: str) -> str:
        """Return a name in the database's quotes."""
        return self.connection.ops.quote_name(name)


def element_of(compiler: Compiler, sql: str, params: Sequence[Any], type_: Any, literal: Any) -> Any:
    """Return SQL text with marks and %s in it as an element."""
    values = iter(params)
    pieces, last = [""], 0
    elements: list[Any] = []
    for match in _PLACES.finditer(sql):
        pieces[-1] += sql[last : match.start()]
        last = match.end()
        place = match.group()
        if place == "%%":
            pieces[-1] += "%"
            continue
        elements.append(param_of(values, literal, sql) if place == "%s" else operand_of(compiler, place))
        pieces.append("")
    pieces[-1] += sql[last:]
    if next(values, _END) is not _END:
        raise ValueError(f"More parameters than places for them in {readable(sql)!r}.")
    if pieces == ["", ""] and hasattr(elements[0], "self_group"):
        return elements[0]
    return Written("written", pieces, elements, type_ if type_ is not None else sa.types.NullType())


def param_of(values: Any, literal: Any, sql: str) -> Any:
    """Return the next parameter."""
    try:
        value = next(values)
    except StopIteration:
        raise ValueError(f"Fewer parameters than places for them in {readable(sql)!r}.") from None
    return bound(value) if type(value) is Seen else literal(value)


def operand_of(compiler: Compiler, mark: str) -> Any:
    """Return the element of a mark, safe from what is around it."""
    element = compiler.terms[int(mark[1:-1])].sa
    return element.self_group(against=operators.getitem) if isinstance(element, sa.ColumnElement) else element


def readable(sql: str) -> str:
    """Return SQL text for an error."""
    return re.sub("\0[0-9]+\0", "...", sql)


def term_of(builder: Builder, expression: Any) -> Term:
    """Return the term of an expression with SQL of a user's."""
    resolved: Any = expression
    if not getattr(expression, "is_resolved", False):
        resolved = expression.resolve_expression(
            builder, builder.allow_joins, None, builder.summary is not None, False
        )
        if not hasattr(resolved, "sql_hooks") or not writes(resolved.__class__, builder.vendor):
            return builder.term(resolved)
        resolved.is_resolved = True
    field, why = declared_field(resolved)
    compiler = Compiler(builder)
    if getattr(builder.driver, "checking", False):
        for part in resolved.get_source_expressions():
            if part is not None:
                compiler.compile(part)
        element: Any = Written("written", [""], [], sa.types.NullType() if field is None else field.sa_type)
    else:
        sql, params = write(resolved, compiler)
        element = element_of(
            compiler, sql, params, None if field is None else field.sa_type, resolved.literal
        )
    return resolved.merged(builder, element, field, why, compiler.terms)  # type: ignore[no-any-return]


def write(expression: Any, compiler: Compiler) -> tuple[str, Sequence[Any]]:
    """Return the SQL and parameters that a user's method gives for the database."""
    method = getattr(expression, f"as_{compiler.connection.vendor}", None) or expression.as_sql
    sql, params = method(compiler, compiler.connection)
    return sql, params


def declared_field(expression: Any) -> tuple[Any, Any]:
    """Return the output field of an expression, or why there is none."""
    try:
        return expression.output_field, None
    except FieldError as error:
        text = str(error)
        return None, lambda: text
