"""How SQL is written: every name in quotes, INNER JOIN in full, and functions in capitals.

SQLAlchemy quotes the names that it knows to be reserved. A server may reserve more, and the next version of it will;
and whoever reads the SQL of a queryset, or compares it with Django's, finds it spelled as there.
"""

from __future__ import annotations

import itertools
from functools import cache
from typing import Any, cast

from sqlalchemy.sql.base import _de_clone
from sqlalchemy.sql.elements import quoted_name
from sqlalchemy.sql.functions import GenericFunction
from sqlalchemy.sql.sqltypes import STRINGTYPE
from sqlalchemy.types import ARRAY, Numeric, String, TypeDecorator

__all__ = ["spell"]

SPELLED = frozenset({"sqlite", "postgresql", "mysql", "mariadb"})


class Statements:
    """The part of a statement compiler that writes joins and functions."""

    def visit_join(self, join: Any, asfrom: bool = False, from_linter: Any = None, **kwargs: Any) -> str:
        if join.full or join.isouter:
            above: Any = super()
            written: str = above.visit_join(join, asfrom=asfrom, from_linter=from_linter, **kwargs)
            return written
        if from_linter:
            pairs = (_de_clone(side._from_objects) for side in (join.left, join.right))
            from_linter.edges.update(itertools.product(*pairs))
        left, right = (
            side._compiler_dispatch(self, asfrom=True, from_linter=from_linter, **kwargs)
            for side in (join.left, join.right)
        )
        condition = join.onclause._compiler_dispatch(self, from_linter=from_linter, **kwargs)
        return f"{left} INNER JOIN {right} ON {condition}"

    def visit_function(self, func: Any, add_to_result_map: Any = None, **kwargs: Any) -> str:
        # SQLAlchemy writes the functions that it has classes for in small letters, however they were asked for.
        if (
            isinstance(func, GenericFunction)
            and func.name.islower()
            and not isinstance(func.name, quoted_name)
        ):
            func = cast(Any, func)._clone()
            func.name = func.name.upper()
        above: Any = super()
        written: str = above.visit_function(func, add_to_result_map=add_to_result_map, **kwargs)
        return written


class PlainLimits:
    """The part of SQLite's statement compiler that writes LIMIT: with no OFFSET where none was asked for."""

    def limit_clause(self, select: Any, **kwargs: Any) -> str:
        above: Any = super()
        if select._offset_clause is not None or select._limit_clause is None:
            written: str = above.limit_clause(select, **kwargs)
            return written
        return f"\n LIMIT {above.process(select._limit_clause, **kwargs)}"


class Casts:
    """The part of PostgreSQL's statement compiler that says of which type a parameter is.

    A number that is compared is not rounded to the places of the column, nor too large for it (`price < 10.501`), and
    a text is not cut off.
    """

    def render_bind_cast(self, type_: Any, dbapi_type: Any, sqltext: str) -> str:
        above: Any = super()
        written: str = above.render_bind_cast(type_, unbounded(dbapi_type), sqltext)
        return written


def unbounded(type_: Any) -> Any:
    """Return a type with NUMERIC in place of NUMERIC(8, 2), and in an array VARCHAR in place of VARCHAR(100)."""
    found: Any = type_
    if isinstance(type_, Numeric):
        return found if found.precision is None else found.adapt(type(found), precision=None, scale=None)
    if isinstance(type_, ARRAY):
        item: Any = found.item_type
        item = item.impl_instance if isinstance(item, TypeDecorator) else item
        free = STRINGTYPE if item._type_affinity is String and item.length else unbounded(item)
        if free is not item:
            return found.adapt(found.__class__, item_type=free)
    return found


class Quotes:
    """The part of an identifier preparer that decides what is quoted."""

    def _requires_quotes(self, value: str) -> bool:
        return True


@cache
def written_by(mixin: type[Any], base: type[Any]) -> type[Any]:
    """Return a dialect's class with our part before it."""
    return type(base.__name__, (mixin, base), {})


def spell(dialect: Any) -> None:
    """Have a dialect write SQL so. Not where a name in quotes is another one than without (Oracle)."""
    if dialect.name not in SPELLED:
        return
    dialect.statement_compiler = written_by(Statements, dialect.statement_compiler)
    if dialect.name == "postgresql":
        dialect.statement_compiler = written_by(Casts, dialect.statement_compiler)
    if dialect.name == "sqlite":
        dialect.statement_compiler = written_by(PlainLimits, dialect.statement_compiler)
    dialect.preparer = written_by(Quotes, dialect.preparer)
    dialect.identifier_preparer = dialect.preparer(dialect)
