"""Index: an entry of Meta.indexes."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, cast

import sqlalchemy as sa

from ormolu import query
from ormolu.models.ddl import Late
from ormolu.query.q import Q

OPERATOR_CLASS = re.compile(r"\w+(\.\w+)?")
WITH_CONDITIONS = ("postgresql", "sqlite")


class Index:
    """An index over columns (`fields=["-pub_date", "title"]`) or expressions (`Lower("title")`).

    `condition` makes it partial (PostgreSQL, SQLite); `include` adds columns to it, `opclasses` gives PostgreSQL's
    operator classes. Without a name it is named after its table and columns.
    Source: Django's documentation, "Model index reference".
    """

    using: str | None = None
    """PostgreSQL's index method, of subclasses."""

    max_name_length = 30

    def __init__(
        self,
        *expressions: Any,
        fields: Sequence[str] = (),
        name: str | None = None,
        db_tablespace: str | None = None,
        opclasses: Sequence[str] = (),
        condition: Any = None,
        include: Sequence[str] | None = None,
    ) -> None:
        kind = type(self).__name__
        _require(kind, fields, "fields")
        _require(kind, include or (), "include")
        if not expressions and not fields:
            raise ValueError("At least one field or expression is required to define an index.")
        if expressions and fields:
            raise ValueError(f"{kind}.fields and expressions are mutually exclusive.")
        if expressions and opclasses:
            raise ValueError(f"{kind}.opclasses cannot be used with expressions. Use OpClass() instead.")
        if opclasses and len(opclasses) != len(fields):
            raise ValueError(f"{kind}.fields and {kind}.opclasses must have the same number of elements.")
        if not name and (expressions or opclasses or condition is not None or include):
            raise ValueError("An index must be named to use expressions, opclasses, condition or include.")
        if condition is not None and not isinstance(condition, (Q, sa.ClauseElement)):
            raise ValueError(f"{kind}.condition must be a Q instance.")
        given: Sequence[Any] = fields
        if not all(isinstance(field, str) for field in given):
            raise ValueError(f"{kind}.fields must contain only strings with field names.")
        self.expressions = tuple(query.F(e) if isinstance(e, str) else e for e in expressions)
        self.fields = list(fields)
        self.fields_orders = [(f.lstrip("-"), "DESC" if f.startswith("-") else "") for f in self.fields]
        self.name = name or ""
        self.db_tablespace = db_tablespace
        self.opclasses = tuple(opclasses)
        self.condition = condition
        self.include = tuple(include or ())

    def __repr__(self) -> str:
        parts = [f"fields={self.fields!r}"] if self.fields else [repr(e) for e in self.expressions]
        if self.name:
            parts.append(f"name={self.name!r}")
        if self.condition is not None:
            parts.append(f"condition={self.condition}")
        if self.include:
            parts.append(f"include={self.include!r}")
        return f"<{type(self).__name__}: {' '.join(parts)}>"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, type(self)):
            return NotImplemented
        return self.deconstruct() == other.deconstruct()

    def __hash__(self) -> int:
        return hash((type(self), self.name, tuple(self.fields)))

    def clone(self) -> Index:
        """Return a copy, to be given to another model."""
        _, args, kwargs = self.deconstruct()
        return type(self)(*args, **kwargs)

    def deconstruct(self) -> tuple[str, tuple[Any, ...], dict[str, Any]]:
        """Return (path, args, kwargs) that make this index again."""
        kwargs: dict[str, Any] = {"name": self.name}
        if self.fields:
            kwargs["fields"] = self.fields
        for name in ("db_tablespace", "condition"):
            if getattr(self, name) is not None:
                kwargs[name] = getattr(self, name)
        for name in ("opclasses", "include"):
            if getattr(self, name):
                kwargs[name] = getattr(self, name)
        return f"ormolu.{type(self).__name__}", self.expressions, kwargs

    def add_to(self, meta: Any) -> sa.Index:
        """Add the index to a model's table, and return it."""
        index = make_index(
            meta,
            self.name or None,
            self.fields,
            self.expressions,
            condition=self.condition,
            include=self.include,
            opclasses=self.opclasses,
            using=self.using,
        )
        if not self.name:
            self.name = str(index.name)
        return index


def _require(kind: str, value: Any, option: str) -> None:
    if not isinstance(value, (list, tuple)):
        raise ValueError(f"{kind}.{option} must be a list or tuple.")


def column_of(meta: Any, name: str, owner: str) -> sa.Column[Any]:
    """Return the column of a field that an index or constraint names. Raises FieldDoesNotExist, FieldError."""
    from ormolu.exceptions import FieldError

    field = meta.pk if name == "pk" else meta.get_field(name)
    if getattr(field, "column", None) is None:
        raise FieldError(f"'{owner}' of {meta.label} refers to '{name}', which has no column.")
    column: sa.Column[Any] = field.sa_column
    return column


def make_index(
    meta: Any,
    name: str | None,
    fields: Sequence[str],
    expressions: Sequence[Any],
    *,
    unique: bool = False,
    condition: Any = None,
    include: Sequence[str] = (),
    opclasses: Sequence[str] = (),
    using: str | None = None,
    nulls_distinct: bool | None = None,
    parameters: dict[str, Any] | None = None,
) -> sa.Index:
    """Add an index to a model's table: not created where a condition can't be had."""
    owner = "indexes" if not unique else "constraints"
    columns = [column_of(meta, field.lstrip("-"), owner) for field in fields]
    parts: list[Any] = [c.desc() if f.startswith("-") else c for f, c in zip(fields, columns, strict=True)]
    parts += [Late(meta.model, expression) for expression in expressions]
    options: dict[str, Any] = {}
    if parameters:
        options["postgresql_with"] = parameters
    if condition is not None:
        where = Late(meta.model, condition)
        options.update(postgresql_where=where, sqlite_where=where)
    if include:
        options["postgresql_include"] = [column_of(meta, field, owner).name for field in include]
    if opclasses:
        options["postgresql_ops"] = {c.name: ops for c, ops in zip(columns, opclasses, strict=True)}
    if using:
        options["postgresql_using"] = using
    if nulls_distinct is not None:
        options["postgresql_nulls_not_distinct"] = not nulls_distinct
    index = sa.Index(name, *parts, unique=unique, _table=meta.table, **options)
    if condition is not None:
        index.ddl_if(callable_=cast(Any, _can_be_partial))
    return index


class OpClass:
    """An expression in an index that is compared by an operator class: `OpClass(Lower("name"), "text_pattern_ops")`.

    These are PostgreSQL's; elsewhere it is the expression. `asc()` and `desc()` order it.
    """

    is_operator_class = True

    def __init__(self, expression: Any, name: str) -> None:
        if not OPERATOR_CLASS.fullmatch(name):
            raise ValueError(f"{name!r} is not the name of an operator class.")
        self.expression = query.F(expression) if isinstance(expression, str) else expression
        self.name = name

    def __repr__(self) -> str:
        return f"OpClass({self.expression}, name={self.name})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, OpClass) and (self.expression, self.name) == (other.expression, other.name)

    def __hash__(self) -> int:
        return hash((self.expression, self.name))

    def asc(self, **options: Any) -> OpClass:
        """Return the expression in ascending order."""
        return OpClass(self.expression.asc(**options), self.name)

    def desc(self, **options: Any) -> OpClass:
        """Return the expression in descending order."""
        return OpClass(self.expression.desc(**options), self.name)


def _can_be_partial(ddl: Any, target: Any, bind: Any, *, dialect: Any = None, **kw: Any) -> bool:
    return (dialect or bind.dialect).name in WITH_CONDITIONS
