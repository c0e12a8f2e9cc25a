"""Index: an entry of Meta.indexes."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, cast

import sqlalchemy as sa
from sqlalchemy.schema import CreateIndex, DropIndex
from sqlalchemy.sql.elements import conv

from ormolu import query
from ormolu.lazy import public_path
from ormolu.models.ddl import Late, columns_named
from ormolu.query.q import Q
from ormolu.schema.names import meta_index_name

OPERATOR_CLASS = re.compile(r"\w+(\.\w+)?")
WITH_CONDITIONS = frozenset({"postgresql", "sqlite"})
WITH_EXPRESSIONS = frozenset({"postgresql", "sqlite", "mysql"})
LONGEST = 30


class Index:
    """An index over columns (`fields=["-pub_date", "title"]`) or expressions (`Lower("title")`).

    `condition` makes it partial (PostgreSQL, SQLite); `include` adds columns to it, `opclasses` gives PostgreSQL's
    operator classes. What a database lacks is left out of its index; one over expressions isn't made on MariaDB.
    Without a name it gets the one that Django would give it.

    Raises ValueError for options that don't go together.
    Source: Django's documentation, "Model index reference".
    """

    suffix: ClassVar[str] = "idx"
    """What names that are made end with: three letters for every database."""
    max_name_length: ClassVar[int] = LONGEST
    using: ClassVar[str | None] = None
    """The index method, of subclasses."""
    vendor: ClassVar[str | None] = None
    """The only kind of database that has such indexes, of subclasses."""

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
        require_list(kind, "fields", fields)
        require_list(kind, "include", include or ())
        require_list(kind, "opclasses", opclasses)
        if not name and (expressions or opclasses or condition is not None or include):
            raise ValueError(f"{kind} must be named to use expressions, opclasses, condition or include.")
        if not expressions and not fields:
            raise ValueError("At least one field or expression is required to define an index.")
        if expressions and fields:
            raise ValueError(f"{kind}.fields and expressions are mutually exclusive.")
        if expressions and opclasses:
            raise ValueError(f"{kind}.opclasses cannot be used with expressions. Use OpClass() instead.")
        if opclasses and len(opclasses) != len(fields):
            raise ValueError(f"{kind}.fields and {kind}.opclasses must have the same number of elements.")
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
        self.opclasses = opclasses
        self.condition = condition
        self.include = tuple(include or ())

    @property
    def contains_expressions(self) -> bool:
        """Whether it is over expressions."""
        return bool(self.expressions)

    def __repr__(self) -> str:
        options = {
            "fields": self.fields,
            "expressions": self.expressions,
            "name": self.name,
            "db_tablespace": self.db_tablespace,
            "include": self.include,
            "opclasses": self.opclasses,
        }
        parts = [f"{option}={value!r}" for option, value in options.items() if value]
        if self.condition is not None:
            parts.append(f"condition={self.condition}")
        return f"<{type(self).__name__}: {' '.join(parts)}>"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Index) or type(other) is not type(self):
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
        return public_path(type(self)), self.expressions, kwargs

    # -- names and SQL

    def set_name_with_model(self, model: Any) -> None:
        """Name the index after a model's table and its columns, as Django does.

        Raises ValueError where the suffix makes the name too long, FieldDoesNotExist for an unknown field.
        """
        meta = model._meta
        columns = [
            f"{'-' if order else ''}{column_of(meta, name, 'indexes').name}"
            for name, order in self.fields_orders
        ]
        self.name = meta_index_name(meta.db_table, columns, self.suffix, self.max_name_length)

    def storage_parameters(self) -> Mapping[str, Any]:
        """Return what stands in `WITH (...)` on PostgreSQL."""
        return {}

    def element(self, meta: Any, table: sa.Table, using: str | None = None) -> sa.Index:
        """Return SQLAlchemy's index, added to a table that has a model's columns."""
        return make_index(
            meta,
            table,
            self.name,
            self.fields,
            self.expressions,
            condition=self.condition,
            include=self.include,
            opclasses=self.opclasses,
            using=using or self.using,
            parameters=self.storage_parameters(),
            tablespace=self.db_tablespace,
            vendor=self.vendor,
        )

    def add_to(self, meta: Any) -> sa.Index:
        """Add the index to a model's table, and return it."""
        if not self.name:
            self.set_name_with_model(meta.model)
        return self.element(meta, meta.table)

    def create_sql(self, model: Any, schema_editor: Any, using: str = "", **kwargs: Any) -> Any:
        """Return the statement that makes the index, None where the database has no such indexes."""
        table = schema_editor.bare_table(model)
        element = self.element(model._meta, table, using)
        return schema_editor.statement(CreateIndex(element), self._columns(model, schema_editor))

    def remove_sql(self, model: Any, schema_editor: Any, **kwargs: Any) -> Any:
        """Return the statement that drops the index, None where it was never made."""
        element = self.element(model._meta, schema_editor.bare_table(model))
        return schema_editor.statement(DropIndex(element))

    def _columns(self, model: Any, schema_editor: Any) -> set[str]:
        dialect = schema_editor.dialect
        parts = [*(name for name, _ in self.fields_orders), *self.include, *self.expressions, self.condition]
        return columns_named(model, [part for part in parts if part is not None], dialect)


def require_list(kind: str, option: str, value: Any) -> None:
    """Raise ValueError for an option that is neither a list nor a tuple."""
    if not isinstance(value, (list, tuple)):
        raise ValueError(f"{kind}.{option} must be a list or tuple.")


def column_of(meta: Any, name: str, owner: str, table: sa.Table | None = None) -> sa.Column[Any]:
    """Return the column of a field that an index or constraint names, of the model's table or of a copy.

    Raises FieldDoesNotExist, FieldError.
    """
    from ormolu.exceptions import FieldError

    field = meta.pk if name == "pk" else meta.get_field(name)
    if getattr(field, "column", None) is None:
        raise FieldError(f"'{owner}' of {meta.label} refers to '{name}', which has no column.")
    column: sa.Column[Any] = field.sa_column
    if table is not None and table is not meta.table and field.column in table.c:
        columns: Any = table.c
        column = columns[field.column]
    return column


def make_index(
    meta: Any,
    table: sa.Table,
    name: str,
    fields: Sequence[str],
    expressions: Sequence[Any],
    *,
    unique: bool = False,
    condition: Any = None,
    include: Sequence[str] = (),
    opclasses: Sequence[str] = (),
    using: str | None = None,
    nulls_distinct: bool | None = None,
    parameters: Mapping[str, Any] | None = None,
    tablespace: str | None = None,
    vendor: str | None = None,
) -> sa.Index:
    """Add an index to a table that has a model's columns, for the databases that can have it."""
    owner = "constraints" if unique else "indexes"
    columns = [column_of(meta, field.lstrip("-"), owner, table) for field in fields]
    parts: list[Any] = [c.desc() if f.startswith("-") else c for f, c in zip(fields, columns, strict=True)]
    for place, operators in enumerate(opclasses):
        if fields[place].startswith("-"):  # SQLAlchemy gives classes to plain columns alone
            descending = OpClass(query.F(fields[place][1:]).desc(), operators)
            parts[place] = Late(meta.model, descending)
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
        options["postgresql_ops"] = {c.key: ops for c, ops in zip(columns, opclasses, strict=True)}
    if using:
        options["postgresql_using"] = using
    if nulls_distinct is not None:
        options["postgresql_nulls_not_distinct"] = not nulls_distinct
    space = tablespace or tablespace_of(meta, fields)
    if space:
        options["postgresql_tablespace"] = space
    index = sa.Index(conv(name), *parts, unique=unique, _table=table, **options)
    homes = homes_of(vendor, expressions, condition if unique else None, nulls_distinct)
    if homes is not None:
        index.ddl_if(callable_=cast("Any", Homes(homes)))
    return index


def homes_of(
    vendor: str | None, expressions: Sequence[Any], condition: Any, nulls_distinct: bool | None
) -> frozenset[str] | None:
    """Return the databases that can have an index, None for all of them."""
    found = None if vendor is None else frozenset({vendor})
    if nulls_distinct is False:
        found = frozenset({"postgresql"})
    for wanted, able in ((expressions, WITH_EXPRESSIONS), (condition is not None, WITH_CONDITIONS)):
        if wanted:
            found = able if found is None else found & able
    return found


class Homes:
    """Says to SQLAlchemy on which databases something is made."""

    __slots__ = ("names",)

    def __init__(self, names: frozenset[str]) -> None:
        self.names = names

    def __call__(self, ddl: Any, target: Any, bind: Any, *, dialect: Any = None, **kw: Any) -> bool:
        dialect = dialect or bind.dialect
        name = "mariadb" if getattr(dialect, "is_mariadb", False) else dialect.name
        return name in self.names


def tablespace_of(meta: Any, fields: Sequence[str]) -> str:
    """Return the tablespace of an index that names none: its only field's, the setting's, or the table's.

    Source: Django's documentation, "Tablespaces".
    """
    from ormolu.conf import settings

    if len(fields) == 1:
        own = meta.get_field(fields[0].lstrip("-")).db_tablespace if fields[0] != "pk" else None
        if own:
            return str(own)
    return str(settings.DEFAULT_INDEX_TABLESPACE or meta.db_tablespace or "")


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
