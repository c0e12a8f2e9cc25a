"""Statements about the rows whose column is among some values: one SQL text for any number of them.

PostgreSQL takes the values as one array; elsewhere they are an IN list whose length is rounded up (the last
value is repeated), so that few texts serve all lengths.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import sqlalchemy as sa

from ormolu.compile.tuples import among
from ormolu.fields.composite import TupleField, parts_of
from ormolu.writes.values import conversion, plain_type

_LONGEST = 10_000

_KINDS = (
    sa.Integer, sa.Numeric, sa.Float, sa.String, sa.Boolean, sa.DateTime, sa.Date, sa.Time, sa.Interval, sa.Uuid,
    sa.LargeBinary, sa.JSON,
)  # fmt: skip
_NAMES = frozenset({"INTERVAL", "INET", "CIDR", "MACADDR", "MACADDR8"})

Build = Callable[[Any], Any]


class ListPlan:
    """SQL and the names of its parameters, in order."""

    __slots__ = ("names", "sql")

    def __init__(self, sql: str, names: Sequence[str]) -> None:
        self.sql = sql
        self.names = names


def chunks(driver: Any, values: Sequence[Any], columns: int = 1) -> Iterator[Sequence[Any]]:
    """Split values into parts that one statement can take, if each stands `columns` times in it."""
    size = at_once(driver, columns)
    for start in range(0, len(values), size):
        yield values[start : start + size]


def at_once(driver: Any, columns: int = 1) -> int:
    """Return how many values one statement can take, if each stands `columns` times in it."""
    most: int = driver.max_params // columns
    return max(1, min(_LONGEST, most))


def about(
    driver: Any,
    model: Any,
    purpose: str,
    fields: Sequence[Any],
    values: Sequence[Sequence[Any]],
    build: Build,
    extra: dict[str, Any] | None = None,
) -> tuple[str, tuple[Any, ...]]:
    """Return SQL and parameters of `build(condition)`: the condition is that any field is among its values.

    `purpose` names the statement in the plans; `extra` are further parameters, ready for the driver.
    """
    sizes = tuple(_size(driver, field, len(items)) for field, items in zip(fields, values))
    key = (
        "delete",
        model,
        purpose,
        tuple(tuple(part.attname for part in parts_of(f)) for f in fields),
        sizes,
    )
    plan: ListPlan | None = driver.plans.get(key)
    if plan is None:
        parts = [_condition(driver, n, field, size) for n, (field, size) in enumerate(zip(fields, sizes))]
        compiled = build(parts[0] if len(parts) == 1 else sa.or_(*parts)).compile(dialect=driver.dialect)
        plan = driver.plans[key] = ListPlan(str(compiled), compiled.positiontup or ())
    params: dict[str, Any] = dict(extra or {})
    for n, (field, items, size) in enumerate(zip(fields, values, sizes)):
        if isinstance(field, TupleField):
            converts = [conversion(driver, part).convert for part in field.fields]
            rows = list(items) + list(items[-1:]) * (size - len(items))
            params.update(
                (f"_l_{n}_{i}_{j}", converts[j](item))
                for i, row in enumerate(rows)
                for j, item in enumerate(row)
            )
            continue
        convert = conversion(driver, field).convert
        ready = [convert(item) for item in items]
        if size == 0:
            params[f"_a_{n}"] = ready
        else:
            ready += ready[-1:] * (size - len(ready))
            params.update((f"_l_{n}_{i}", item) for i, item in enumerate(ready))
    return plan.sql, tuple(params[name] for name in plan.names)


def _size(driver: Any, field: Any, length: int) -> int:
    """Return how many values of a field the statement has places for, 0 for an array of any length."""
    if isinstance(field, TupleField):
        return _bucket(length, driver.max_params // len(field.fields))
    return 0 if takes_array(driver, field) else _bucket(length, driver.max_params)


def takes_array(driver: Any, field: Any) -> bool:
    """Tell whether many values of a field can go to the driver as one array."""
    if driver.vendor != "postgresql":
        return False
    plain = plain_type(field.sa_column.type, driver.dialect)
    if isinstance(plain, sa.Enum) or field.sa_column.type._has_bind_expression:
        return False
    return isinstance(plain, _KINDS) or plain.__visit_name__ in _NAMES


def array_type(driver: Any, field: Any) -> Any:
    """Return the type of an array of a field's values.

    A text's length is left out: a cast to VARCHAR(n)[] would cut off what is too long, without an error.
    """
    plain = plain_type(field.sa_column.type, driver.dialect)
    return sa.ARRAY(sa.Text() if isinstance(plain, sa.String) else plain)


def _condition(driver: Any, number: int, field: Any, size: int) -> Any:
    if isinstance(field, TupleField):
        columns = [part.sa_column for part in field.fields]
        rows = [
            [sa.bindparam(f"_l_{number}_{i}_{j}", type_=column.type) for j, column in enumerate(columns)]
            for i in range(size)
        ]
        return among(driver.vendor, columns, rows)
    column = field.sa_column
    if size == 0:
        return column == sa.any_(sa.bindparam(f"_a_{number}", type_=array_type(driver, field)))
    return column.in_([sa.bindparam(f"_l_{number}_{i}", type_=column.type) for i in range(size)])


def _bucket(length: int, most: int) -> int:
    size = 1
    while size < length:
        size *= 2
    return max(length, min(size, most))
