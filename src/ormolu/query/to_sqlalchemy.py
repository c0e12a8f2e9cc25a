"""Conditions and expressions of a model as SQLAlchemy's: `Q(...).as_sqlalchemy(Album)`."""

from __future__ import annotations

from typing import Any, cast

import sqlalchemy as sa
from sqlalchemy.dialects import sqlite
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.orm.util import AliasedClass
from sqlalchemy.sql.elements import BinaryExpression, BooleanClauseList, Grouping, UnaryExpression
from sqlalchemy.sql.util import ClauseAdapter

from ormolu.compile.builder import Builder
from ormolu.compile.params import Params
from ormolu.compile.shape import Shape
from ormolu.exceptions import EmptyResultSet, FullResultSet
from ormolu.query.q import Q
from ormolu.query.query import Query
from ormolu.query.queryset import QuerySet
from ormolu.query.references import OuterRef
from ormolu.query.subqueries import Exists, Subquery

__all__ = ["Converted", "converted"]

_NEED_PARENTHESES = (BooleanClauseList, BinaryExpression, UnaryExpression)


class Converted(sa.ColumnElement[Any]):
    """A condition or an expression of a model, which becomes SQL when the database is known.

    `part` is the condition or expression, `source` the table, or the alias of it, whose columns its names are.
    """

    __visit_name__ = "ormolu_converted"
    inherit_cache = (
        False  # with no _traverse_internals of its own: each statement is compiled, for the part may be any
    )

    def __init__(self, model: Any, source: Any, part: Any) -> None:
        self.model, self.source, self.part = model, source, part
        self.type: Any = sa.Boolean() if isinstance(part, Q) else self.element(sqlite.dialect()).type

    def __repr__(self) -> str:
        return f"<{self.part!r} of {self.model._meta.label}>"

    @property
    def _from_objects(self) -> list[Any]:
        return [self.source]

    def element(self, dialect: Any) -> Any:
        """Return the element for a database. What other tables are needed for is a subquery, tied by the key."""
        builder = _builder(self.model, dialect)
        element = _resolved(builder, self.part)
        if builder.tree.joins:
            element = _resolved(_builder(self.model, dialect), self.as_subquery())
        table = self.model._meta.table
        return element if self.source is table else ClauseAdapter(self.source).traverse(element)

    def as_subquery(self) -> Any:
        """Return the same of the model's row with this row's key."""
        rows: Any = QuerySet(self.model).filter(pk=OuterRef("pk"))
        if isinstance(self.part, Q):
            return Exists(rows.filter(self.part))
        return Subquery(rows.annotate(_converted=self.part).values("_converted")[:1])


class _Target:
    """What the query compiler asks of a driver: which database the SQL is for."""

    def __init__(self, dialect: Any) -> None:
        self.dialect = dialect
        self.vendor = "mysql" if dialect.name == "mariadb" else dialect.name
        self.plans: dict[Any, Any] = {}
        self.tuples = True


def converted(part: Any, model: Any) -> Converted:
    """Return a condition or expression as SQLAlchemy's, of a model or of `aliased(model)`.

    Raises FieldError for a name that the model has not, TypeError for what is no model.
    """
    source = model
    if isinstance(model, AliasedClass):
        inspected: Any = sa.inspect(cast("Any", model))
        model, source = inspected.mapper.class_, inspected.selectable
    if not hasattr(model, "_meta"):
        raise TypeError(f"as_sqlalchemy() takes a model, or an alias of one, not {model!r}.")
    made = Converted(model, model._meta.table if source is model else source, part)
    made.element(sqlite.dialect())  # an unknown name is an error here, not in the middle of a statement
    return made


def _builder(model: Any, dialect: Any) -> Builder:
    return Builder(Query(model), Params(Shape()), _Target(dialect))


def _resolved(builder: Builder, part: Any) -> Any:
    try:
        return builder.condition(part).sa if isinstance(part, Q) else builder.term(part).sa
    except EmptyResultSet:
        return sa.false()
    except FullResultSet:
        return sa.true()


@compiles(Converted)
def _compile(element: Converted, compiler: Any, **kw: Any) -> str:
    found = element.element(compiler.dialect)
    if isinstance(found, _NEED_PARENTHESES):
        found = Grouping(cast("Any", found))
    return str(compiler.process(found, **kw))
