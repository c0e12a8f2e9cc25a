"""What expressions offer to users who write SQL: `as_sql()`, `resolve_expression()`, and what these need.

A subclass with `as_sql(compiler, connection)`, or `as_<vendor>` for one database, is compiled by calling that; see
`ormolu.compile.written`. Source: Django's documentation, ref/models/expressions, "Writing your own Query Expressions".
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, ClassVar, cast

from ormolu.compile import written
from ormolu.compile.terms import Term, merge
from ormolu.compile.written import ours

__all__ = ["InSQL", "keyed", "literal"]

SPELLINGS = (
    "as_sql",
    "as_sqlite",
    "as_postgresql",
    "as_mysql",
)  # methods that may be put on a class at any time
_INTERNAL = frozenset({"_args", "_kwargs", "_given", "_owners", "is_resolved"})


class InSQL:
    """What an expression has for the SQL of users."""

    sql_hooks: ClassVar[tuple[str, ...]] = ("as_sql", "resolve_expression")
    keyed_parts: ClassVar[frozenset[str]] = (
        frozenset()
    )  # attributes that the key of the library's class holds
    is_resolved: bool = False

    @ours
    def as_sql(self, compiler: Any, connection: Any, **extra_context: Any) -> tuple[str, Sequence[Any]]:
        """Return SQL and parameters: the library's own, for a subclass to build on."""
        return compiler.mark(self.native(compiler.builder))  # type: ignore[no-any-return]

    def native(self, builder: Any) -> Term:
        """Return the term as the library makes it."""
        return self.as_term(builder)  # type: ignore[attr-defined,no-any-return]

    def as_written(self, builder: Any) -> Term:
        """Return the term as a user's SQL makes it."""
        return written.term_of(builder, self)

    def merged(self, builder: Any, element: Any, field: Any, why: Any, parts: list[Term]) -> Term:
        """Return the term of an element that a user's SQL made of `parts`."""
        declared: dict[str, Any] = self.declared  # type: ignore[attr-defined]
        return merge(element, field, parts, why=why, constant=False, **self.conversion(), **declared)

    def conversion(self) -> dict[str, Any]:
        """Return the user's conversion of results, as the option of a term."""
        convert: Callable[..., Any] = cast(Any, self).convert_value
        if getattr(convert, "ours", False):
            return {}

        def converted(value: Any) -> Any:
            return convert(value, self, None)

        return {"convert": converted}

    def literal(self, value: Any) -> Any:
        """Return the parameter for a value that a user's SQL is given with."""
        return literal(value)

    @ours
    def resolve_expression(
        self, query: Any = None, allow_joins: bool = True, reuse: Any = None, summarize: bool = False,
        for_save: bool = False,
    ) -> Any:  # fmt: skip
        """Return this expression as it stands in a query: what it is made of resolved, too."""
        from ormolu.query.transforms import Resolved

        if query is None:
            return self
        if not written.writes(type(self), query.vendor):
            return Resolved(query.term(self), self)
        made: Any = cast(Any, self).copy()
        sources: list[Any] = made.get_source_expressions()
        if sources:
            options = (query, allow_joins, reuse, summarize, for_save)
            made.set_source_expressions([resolved(source, *options) for source in sources])
        made.is_resolved = True
        return made

    def set_source_expressions(self, exprs: Any) -> None:
        """Replace what `get_source_expressions()` returns."""
        if exprs:
            raise NotImplementedError(f"{type(self).__name__} must define set_source_expressions()")


def resolved(source: Any, *options: Any) -> Any:
    """Return a source as it stands in a query."""
    return source.resolve_expression(*options) if hasattr(source, "resolve_expression") else source


def literal(value: Any) -> Any:
    """Return the bind parameter for a value in a user's SQL, stored as a field for such values would."""
    import sqlalchemy as sa

    from ormolu.query.types import field_of_value

    field = field_of_value(value)
    return sa.bindparam("w", value, type_=None if field is None else field.sa_type, unique=True)


def keyed(shape_of: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    """Return the method that gives the key of a user's class: all that its instance holds counts, and its SQL."""

    def users_shape(self: Any, shape: Any) -> Any:
        """Return the key."""
        ignored, item = self.keyed_parts, shape.item
        held = cast("dict[str, Any]", self.__dict__)
        state: list[Any] = [
            (name, item(held[name])) for name in held if name not in ignored and name not in _INTERNAL
        ]
        cls = self.__class__
        return (shape_of(self, shape), tuple(state), *[getattr(cls, name, None) for name in SPELLINGS])

    cast(Any, users_shape).of_state = True
    return users_shape
