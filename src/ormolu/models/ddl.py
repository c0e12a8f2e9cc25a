"""Conditions and expressions of Meta.indexes and Meta.constraints, as SQL.

They are resolved when the SQL is made and not before: lookups differ between databases, and a model's module needs
none of them to be imported.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, cast

import sqlalchemy as sa
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.schema import CreateColumn
from sqlalchemy.sql import visitors
from sqlalchemy.sql.elements import BooleanClauseList, Grouping

from ormolu import query
from ormolu.exceptions import EmptyResultSet, FullResultSet
from ormolu.query.q import Q


class _Target:
    """What the query compiler asks of a driver: which database the SQL is for."""

    def __init__(self, dialect: Any) -> None:
        self.dialect = dialect
        self.vendor = "mysql" if dialect.name == "mariadb" else dialect.name
        self.plans: dict[Any, Any] = {}
        self.tuples = True


def element_of(model: Any, part: Any, dialect: Any) -> Any:
    """Return the SQLAlchemy element of a Q, an expression or a name, on the model's own table.

    Raises FieldError for a condition that needs another table.
    """
    if hasattr(part, "__clause_element__"):
        return part.__clause_element__()
    if isinstance(part, sa.ClauseElement):
        return part
    builder = _builder_for(model, dialect)
    try:
        if isinstance(part, Q):
            return builder.condition(part).sa
        if isinstance(part, str):
            part = query.F(part)
        if hasattr(part, "as_condition") and not hasattr(part, "as_term"):
            return builder.boolean(part).sa
        return builder.term(part).sa
    except EmptyResultSet:
        return sa.false()
    except FullResultSet:
        return sa.true()


def _builder_for(model: Any, dialect: Any) -> Any:
    """Return what compiles conditions on a model's own table. The compiler is imported when there is SQL to make."""
    from ormolu.compile.builder import Builder
    from ormolu.compile.params import Params
    from ormolu.compile.shape import Shape
    from ormolu.query.query import Query

    builder = Builder(Query(model), Params(Shape()), _Target(dialect))
    builder.allow_joins = False
    return builder


class Late(sa.ColumnElement[Any]):
    """A condition or expression of a model that becomes SQL when the database is known."""

    __visit_name__ = "ormolu_late"
    inherit_cache = False

    def __init__(self, model: Any, part: Any) -> None:
        self.model = model
        self.part = part
        self.type = sa.types.NullType()

    def __repr__(self) -> str:
        return f"<Late {self.part!r}>"

    def resolved(self, dialect: Any) -> Any:
        """Return the element that it is on one kind of database; what has an operator class stays as it is."""
        if hasattr(self.part, "is_operator_class"):
            return self
        return element_of(self.model, self.part, dialect)


@compiles(Late)
def _compile_late(element: Late, compiler: Any, **kw: Any) -> str:
    if hasattr(element.part, "is_operator_class"):
        return _compile_classed(element, compiler, **kw)
    found = element_of(element.model, element.part, compiler.dialect)
    if isinstance(found, (BooleanClauseList, sa.BinaryExpression)) or not isinstance(element.part, Q):
        return str(compiler.process(found, **kw))
    return str(compiler.process(Grouping(found), **kw))


@compiles(CreateColumn, "mysql", "mariadb")
def _compile_column(element: CreateColumn, compiler: Any, **kw: Any) -> str:
    """Leave NOT NULL out of a generated column: MariaDB doesn't take it there."""
    text = str(compiler.visit_create_column(element, **kw))
    return text if element.element.computed is None else text.replace(" NOT NULL", "", 1)


def _compile_classed(element: Late, compiler: Any, **kw: Any) -> str:
    """Return an expression with its operator class, which stands before the order."""
    expression, dialect = element.part.expression, compiler.dialect
    if dialect.name != "postgresql":
        return str(compiler.process(Late(element.model, expression), **kw))
    order = ""
    if hasattr(expression, "as_order") and hasattr(expression, "descending"):
        order = " DESC" if expression.descending else ""
        order += f" NULLS {expression.nulls.upper()}" if expression.nulls else ""
        expression = expression.expression
    found = element_of(element.model, expression, dialect)
    text = compiler.process(found, **kw)
    return f"{text if isinstance(found, sa.Column) else f'({text})'} {element.part.name}{order}"


def with_values(element: Any, table: Any, values: dict[str, Any], dialect: Any) -> Any:
    """Return an element with a table's columns replaced by values, given by column name."""
    # PostgreSQL chooses operators and functions by type, which a bare NULL has not.
    typed = dialect.name == "postgresql"

    def value_of(part: Any, **kw: Any) -> Any:
        if not isinstance(part, sa.Column) or part.table is not table or part.name not in values:
            return None
        value, type_ = values[part.name], cast("Any", part).type
        if isinstance(value, sa.ClauseElement):
            return value
        if value is None:
            return sa.cast(sa.null(), type_) if typed else sa.null()
        # No CAST: to SQLite a date is a text, and CAST AS DATETIME would make a number of it.
        return sa.literal(value, type_)

    traverse: Any = visitors.replacement_traverse
    return traverse(element, {}, value_of)


def columns_in(element: Any, table: Any) -> set[str]:
    """Return the names of a table's columns that an element reads."""
    return {
        part.name for part in visitors.iterate(element) if isinstance(part, sa.Column) and part.table is table
    }


def columns_named(model: Any, parts: Iterable[Any], dialect: Any) -> set[str]:
    """Return the names of a model's columns that fields (by name), conditions and expressions are about."""
    names: set[str] = set()
    for part in parts:
        if isinstance(part, str):
            field = model._meta.pk if part == "pk" else model._meta.get_field(part)
            names.add(field.column)
        else:
            found = element_of(model, inner(part), dialect)
            names |= columns_in(found, model._meta.table)
    return names


def inner(expression: Any) -> Any:
    """Return what an ordered expression (`Lower("name").desc()`), or one with an operator class, is about."""
    while hasattr(expression, "descending") or hasattr(expression, "is_operator_class"):
        expression = expression.expression
    return expression
