"""The SQL of writes: built by SQLAlchemy Core once for each model, set of columns and driver."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any, cast

import sqlalchemy as sa
from sqlalchemy.sql import visitors

from ormolu.exceptions import FieldError
from ormolu.writes.binding import Bind, BindAll, make_bind, make_bind_all
from ormolu.writes.values import Conversion, conversion, is_computed, is_database_default

_VALUES = " VALUES "
_NUMBERED = re.compile(r"\$(\d+)")
_MOST_LENGTHS = 32  # of multi-row inserts whose text is kept


class InsertPlan:
    """One INSERT of one row: `sql`, conversions in the order of its parameters, functions that bind them."""

    __slots__ = (
        "_many", "bind", "bind_all", "conversions", "copying", "extra", "numbered", "returning", "sql", "values_sql",
    )  # fmt: skip

    def __init__(
        self,
        driver: Any,
        model: Any,
        fields: Sequence[Any],
        returning: Sequence[Any],
        conflict: Any = None,
        as_it_is: bool = False,
        also: Sequence[Any] = (),
    ) -> None:
        statement = insert_statement(driver, model, fields, returning, conflict, also)
        self.sql, self.conversions, self.extra = _compile_insert(driver, statement, fields)
        self.numbered = driver.dialect.paramstyle == "numeric_dollar"
        self.copying: Any = None  # what COPY needs to know, made when it is first of use
        # The "(?, ?)" part, to be repeated for several rows; None where there are no values.
        self.values_sql = _values_part(self.sql)
        self._many: dict[int, str] = {}
        stamped: frozenset[str] = frozenset() if as_it_is else stamped_fields(fields)
        self.bind: Bind = make_bind(self.conversions, stamped)
        self.bind_all: BindAll = make_bind_all(self.conversions, stamped)
        self.returning = tuple(conversion(driver, field) for field in returning)

    def many(self, count: int) -> str:
        """Return the SQL for `count` rows at once. Only where `values_sql` is not None."""
        sql = self._many.get(count)
        if sql is None:
            assert self.values_sql is not None
            width = len(self.conversions)
            head, tail = self.sql.split(_VALUES + self.values_sql, 1)
            if self.numbered:
                rows = ", ".join([_shifted(self.values_sql, row * width) for row in range(count)])
                tail = _shifted(tail, (count - 1) * width)
            else:
                rows = ", ".join([self.values_sql] * count)
            sql = head + _VALUES + rows + tail
            if len(self._many) < _MOST_LENGTHS:
                self._many[count] = sql
        return sql


class UpdatePlan:
    """One UPDATE by primary key: `bind` gives the new values and then the key."""

    __slots__ = ("bind", "conversions", "returning", "sql")

    def __init__(
        self,
        driver: Any,
        model: Any,
        fields: Sequence[Any],
        returning: Sequence[Any] = (),
        version: Any = None,
    ) -> None:
        table, keys = model._meta.table, model._meta.pk_fields
        values = {f.sa_column: _parameter(f) for f in fields}
        if version is not None:
            keys = (*keys, version)  # the row must have the object's, and gets the next
            values[version.sa_column] = next_version(version)
        statement: Any = sa.update(table).where(*key_condition(keys)).values(values)
        if returning:
            statement = statement.returning(*(f.sa_column for f in returning))
        self.returning = tuple(conversion(driver, field) for field in returning)
        self.sql, self.conversions = _compile(driver, statement, [*fields, *keys])
        self.bind: Bind = make_bind(self.conversions)


class KeyPlan:
    """A statement about one row, found by its primary key; `bind` gives the key."""

    __slots__ = ("bind", "sql")

    def __init__(self, driver: Any, model: Any, statement: Any) -> None:
        keys = model._meta.pk_fields
        self.sql, conversions = _compile(driver, statement.where(*key_condition(keys)), keys)
        self.bind: Bind = make_bind(conversions)


def insert_statement(
    driver: Any,
    model: Any,
    fields: Iterable[Any],
    returning: Sequence[Any],
    conflict: Any = None,
    also: Sequence[Any] = (),
) -> Any:
    """Return the Core INSERT of these fields. `conflict` adds what happens on a conflict, `also` is returned, too."""
    table = model._meta.table
    insert: Any = sa.insert(table) if conflict is None else conflict(driver, table)
    statement: Any = insert.inline().values({f.sa_column: _parameter(f) for f in fields})
    return statement.returning(*(f.sa_column for f in returning), *also) if returning else statement


def delete_one(driver: Any, model: Any) -> KeyPlan:
    """Return the plan of DELETE by primary key."""
    return KeyPlan(driver, model, sa.delete(model._meta.table))


def select_one(driver: Any, model: Any) -> KeyPlan:
    """Return the plan that asks whether a row exists."""
    one = cast(Any, sa.literal_column("1"))
    return KeyPlan(driver, model, sa.select(one).select_from(model._meta.table))


def next_version(version: Any) -> Any:
    """Return the element that counts a row's version up."""
    return version.sa_column + cast(Any, sa.literal_column("1"))


def select_version(driver: Any, model: Any, version: Any) -> KeyPlan:
    """Return the plan that asks which version a row has."""
    return KeyPlan(driver, model, sa.select(version.sa_column))


def key_condition(keys: Iterable[Any]) -> list[Any]:
    """Return the conditions that find a row by bound key values."""
    return [field.sa_column == _parameter(field, "_k_") for field in keys]


def stamped_fields(fields: Iterable[Any]) -> frozenset[str]:
    """Return the attnames whose value must come from pre_save(): auto_now and its like, and a user's own."""
    return frozenset(field.attname for field in fields if has_pre_save(field))


def has_pre_save(field: Any) -> bool:
    """Tell whether a field's pre_save() does more than reading the attribute."""
    if getattr(field, "auto_now", False) or getattr(field, "auto_now_add", False):
        return True
    owner = next(cls for cls in type(field).__mro__ if "pre_save" in cls.__dict__)
    return not owner.__module__.startswith("ormolu.") or getattr(field, "stamps_on_save", False)


def run_with_expressions(
    driver: Any, statement: Any, model: Any, values: dict[Any, Any]
) -> tuple[str, tuple[Any, ...]]:
    """Return SQL and parameters of an INSERT or UPDATE some of whose values are expressions.

    `values` maps fields to plain values or expressions. Nothing is cached: an expression has its own values.
    """
    ready: dict[str, Any] = {}
    columns: dict[Any, Any] = {}
    inserting = isinstance(statement, sa.Insert)
    for number, (field, value) in enumerate(values.items()):
        if is_computed(value):
            columns[field.sa_column] = expression_value(driver, model, field, value, inserting)
        else:
            name = f"w_{number}"
            ready[name] = conversion(driver, field).convert(value)
            columns[field.sa_column] = sa.bindparam(name, type_=field.sa_column.type)
    return compile_ready(driver, statement.values(columns), ready)


def expression_value(driver: Any, model: Any, field: Any, value: Any, inserting: bool = False) -> Any:
    """Return the SQLAlchemy element of an expression that is written to a field, or of the field's own default.

    Raises ValueError if it reads columns of a row that is only being inserted.
    """
    element: Any
    if is_database_default(value):
        default = field.db_default
        if not hasattr(default, "as_term"):
            return field.sa_column.server_default.arg
        value = default
    if hasattr(value, "as_term") or hasattr(value, "resolve_expression"):
        from ormolu.compile.values import sql_value

        element = sql_value(driver, model, field, value)
    else:
        element = value.__clause_element__() if hasattr(value, "__clause_element__") else value
    table = model._meta.table
    if inserting and any(getattr(part, "table", None) is table for part in visitors.iterate(element)):
        raise FieldError(
            f'Failed to insert expression "{value}" on {field.model._meta.label}.{field.name}. '
            "F() expressions can only be used to update, not to insert."
        )
    return element


def compile_ready(driver: Any, statement: Any, ready: dict[str, Any]) -> tuple[str, tuple[Any, ...]]:
    """Compile a statement; parameters named in `ready` are the driver's already, the rest SQLAlchemy's."""
    compiled = statement.compile(dialect=driver.dialect, compile_kwargs={"render_postcompile": True})
    params: dict[str, Any] = compiled.params
    processors: dict[str, Any] = compiled._bind_processors
    values: list[Any] = []
    for name in compiled.positiontup or ():
        if name in ready:
            values.append(ready[name])
        else:
            process = processors.get(name)
            values.append(process(params[name]) if process else params[name])
    return str(compiled), tuple(values)


def _parameter(field: Any, prefix: str = "_v_") -> Any:
    return sa.bindparam(prefix + field.attname, type_=field.sa_column.type, required=False)


def _shifted(sql: str, by: int) -> str:
    """Return the text for a further row: placeholders that have numbers ($1) get those of its own values."""
    return _NUMBERED.sub(lambda found: f"${int(found[1]) + by}", sql)


def _values_part(sql: str) -> str | None:
    """Return the parenthesis after VALUES, None if there is none (DEFAULT VALUES)."""
    start = sql.find(_VALUES + "(") + len(_VALUES)
    if start < len(_VALUES):
        return None
    depth = 0
    for end in range(start, len(sql)):
        depth += (sql[end] == "(") - (sql[end] == ")")
        if depth == 0:
            return sql[start : end + 1]
    return None


def _compile_insert(
    driver: Any, statement: Any, fields: Sequence[Any]
) -> tuple[str, list[Conversion], tuple[Any, ...]]:
    """Return SQL, the conversions of the row's parameters, and the values of what follows: those of an upsert."""
    compiled = statement.compile(dialect=driver.dialect, compile_kwargs={"render_postcompile": True})
    by_name = {f"_v_{field.attname}": field for field in fields}
    params: dict[str, Any] = compiled.construct_params(_check=False)
    processors: dict[str, Any] = compiled._bind_processors
    conversions: list[Conversion] = []
    extra: list[Any] = []
    for name in compiled.positiontup or ():
        if name in by_name:
            conversions.append(conversion(driver, by_name[name]))
        else:
            process = processors.get(name)
            extra.append(process(params[name]) if process else params[name])
    return str(compiled), conversions, tuple(extra)


def _compile(driver: Any, statement: Any, fields: Sequence[Any]) -> tuple[str, list[Conversion]]:
    """Return the SQL, and the conversions in the order of its parameters."""
    compiled = statement.compile(dialect=driver.dialect)
    by_attname = {field.attname: field for field in fields}
    order: Sequence[str] = compiled.positiontup or ()
    return str(compiled), [conversion(driver, by_attname[name[3:]]) for name in order]
