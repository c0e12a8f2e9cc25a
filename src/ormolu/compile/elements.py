"""What a SQLAlchemy element that a user gave is made of: aggregates, window functions, an order."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.sql import operators
from sqlalchemy.sql.elements import FunctionFilter, Over, UnaryExpression, WithinGroup
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.sql.selectable import SelectBase

__all__ = ["calls", "unwrapped"]

AGGREGATES = frozenset(
    {
        "any_value", "array_agg", "avg", "bit_and", "bit_or", "bit_xor", "bool_and", "bool_or", "corr",
        "count", "every", "group_concat", "json_agg", "json_arrayagg", "json_group_array",
        "json_group_object", "json_object_agg", "json_objectagg", "jsonb_agg", "jsonb_object_agg", "max",
        "min", "mode", "percentile_cont", "percentile_disc", "std", "stddev", "stddev_pop", "stddev_samp",
        "string_agg", "sum", "total", "var_pop", "var_samp", "variance", "xmlagg",
    }
)  # fmt: skip
_GROUPS: tuple[type[Any], ...] = (FunctionFilter, WithinGroup)
_QUERY: type[Any] = SelectBase
_WINDOW: type[Any] = Over
_CALL: type[Any] = FunctionElement
_ENTRY: type[Any] = UnaryExpression
_TEXT: type[Any] = sa.TextClause
_NULLS = {operators.nulls_first_op: "first", operators.nulls_last_op: "last"}


def calls(element: Any) -> tuple[bool, bool, tuple[Any, ...]]:
    """Tell whether an element calls an aggregate, and a window function; return the columns beside aggregates.

    What is inside of subqueries doesn't count, nor an aggregate that a window function is made of.
    """
    aggregate = window = False
    columns: dict[Any, None] = {}
    waiting = [(element, False)]
    while waiting:
        part, over = waiting.pop()
        if isinstance(part, _QUERY):
            continue
        if isinstance(part, _WINDOW):
            window = True
            waiting.extend((child, True) for child in _inside(part))
        elif isinstance(part, _GROUPS) or (isinstance(part, _CALL) and is_aggregate(part)):
            aggregate = aggregate or not over
        elif isinstance(part, sa.Column):
            columns[part] = None
        else:
            waiting.extend((child, over) for child in part.get_children())
    return aggregate, window, tuple(columns)


def _inside(over: Any) -> list[Any]:
    """Return what a window function reads: its arguments, its partition and its order."""
    parts = [over.partition_by, over.order_by, *over.element.get_children()]
    return [part for part in parts if part is not None]


def is_aggregate(call: Any) -> bool:
    """Tell whether a call is one of an aggregate. SQLite's max() and min() of several values are none."""
    name = str(getattr(call, "name", "")).lower()
    return name in AGGREGATES and (name not in ("max", "min") or len(call.clauses) == 1)


def unwrapped(element: Any) -> tuple[Any, bool, str | None]:
    """Return what an entry of ORDER BY orders by, whether downwards, and where NULLs go."""
    descending, nulls = False, None
    while isinstance(element, _ENTRY):
        entry = element
        if entry.modifier in _NULLS:
            nulls = _NULLS[entry.modifier]
        elif entry.modifier in (operators.desc_op, operators.asc_op):
            descending = entry.modifier is operators.desc_op
        else:
            break
        element = entry.element
    if isinstance(element, _TEXT) and not element._bindparams:
        plain: sa.ColumnClause[Any] = sa.literal_column(element.text)
        return plain, descending, nulls
    return element, descending, nulls
