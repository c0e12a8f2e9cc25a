"""The column type of ranges: PostgreSQL's range types, JSON text elsewhere."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable
from functools import partial
from typing import Any, Literal, cast

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from ormolu.exceptions import DataError
from ormolu.fields.types.base import Processor, ValueType, literal_text, nullable
from ormolu.fields.types.structured import json_dialect

__all__ = ["Bounds", "RangeType", "bounds_of", "canonical", "is_range", "range_text"]

Bounds = Literal["[)", "(]", "[]", "()"]
Range = postgresql.Range


def is_range(value: Any) -> bool:
    """Tell whether a value is a range: SQLAlchemy's, psycopg's or asyncpg's."""
    return hasattr(value, "lower_inc") and hasattr(value, "isempty")


def bounds_of(value: Any) -> Bounds:
    """Return the bounds of a range of any driver as "[)" and the like."""
    if value.lower_inc:
        return "[]" if value.upper_inc else "[)"
    return "(]" if value.upper_inc else "()"


def mapped(value: Any, each: Callable[[Any], Any] | None) -> Range[Any]:
    """Return a range of any driver as SQLAlchemy's, each of its ends converted."""
    if value.isempty:
        return Range(empty=True)
    lower, upper = value.lower, value.upper
    if each is not None:
        lower = None if lower is None else each(lower)
        upper = None if upper is None else each(upper)
    return Range(lower, upper, bounds=bounds_of(value))


def range_text(value: Range[Any]) -> str:
    """Return a range as PostgreSQL writes it."""
    if value.empty:
        return "empty"
    return f"{value.bounds[0]}{_end(value.lower)},{_end(value.upper)}{value.bounds[1]}"


def _end(value: Any) -> str:
    if value is None:
        return ""
    text = value.isoformat() if isinstance(value, dt.date) else str(value)
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def canonical(value: Range[Any], step: Any = None) -> Range[Any]:
    """Return a range in the form that PostgreSQL gives it; `step` is from one value to the next of discrete ones.

    Raises DataError where the lower end is greater than the upper one.
    """
    if value.empty:
        return value
    lower, upper = value.lower, value.upper
    if lower is not None and upper is not None and lower > upper:
        raise DataError(f"range lower bound must be less than or equal to range upper bound: {value!r}")
    if step is not None:
        lower = lower + step if lower is not None and value.bounds[0] == "(" else lower
        upper = upper + step if upper is not None and value.bounds[1] == "]" else upper
        bounds = "[)"
    else:
        bounds = value.bounds
    if lower is not None and upper is not None and (lower > upper or (lower == upper and bounds != "[]")):
        return Range(empty=True)
    bounds = ("(" if lower is None else bounds[0]) + (")" if upper is None else bounds[1])
    return Range(lower, upper, bounds=cast(Bounds, bounds))


class RangeType(ValueType):
    """A range of `item`: the type called `native` on PostgreSQL, JSON text of its canonical form elsewhere."""

    impl = sa.Text
    accepts = (Range,)

    def __init__(self, native: str, item: sa.types.TypeEngine[Any], step: Any = None) -> None:
        self.native, self.item, self.step = native, item, step
        super().__init__()

    def load_dialect_impl(self, dialect: sa.Dialect) -> sa.types.TypeEngine[Any]:
        if dialect.name == "postgresql":
            return dialect.type_descriptor(getattr(postgresql, self.native)())
        return dialect.type_descriptor(sa.Text())

    def bind_processor(self, dialect: sa.Dialect) -> Processor | None:
        each = self.item.dialect_impl(json_dialect(dialect)).bind_processor(json_dialect(dialect))
        finish = self._to_driver(dialect)

        def convert(value: Any) -> Any:
            return finish(mapped(value, each))

        return nullable(convert)

    def _to_driver(self, dialect: sa.Dialect) -> Callable[[Range[Any]], Any]:
        """Return what makes the driver's value of a range whose ends are the driver's already."""
        if dialect.name != "postgresql":
            return self._json
        if dialect.driver == "psycopg":
            # As text: for an object psycopg chooses the type by the ends, and there is no cast from one to the other.
            return range_text
        if dialect.driver == "asyncpg":
            return _asyncpg_range()
        inner: Any = self.impl_instance.dialect_impl(dialect)
        process: Callable[[Any], Any] | None = inner.bind_processor(dialect)
        return process or _same

    def _json(self, value: Range[Any]) -> str:
        if value.empty:
            return json.dumps({"empty": True})
        return json.dumps({"lower": value.lower, "upper": value.upper, "bounds": value.bounds})

    def result_processor(self, dialect: sa.Dialect, coltype: object) -> Processor | None:
        each = self.item.dialect_impl(json_dialect(dialect)).result_processor(json_dialect(dialect), None)
        if dialect.name == "postgresql":
            return nullable(partial(mapped, each=each))

        def read(text: str) -> Range[Any]:
            found = json.loads(text)
            if found.get("empty"):
                return Range(empty=True)
            ends = [found["lower"], found["upper"]]
            if each is not None:
                ends = [None if end is None else each(end) for end in ends]
            return Range(*ends, bounds=found["bounds"])

        return nullable(read)

    def literal_processor(self, dialect: sa.Dialect) -> Any:
        if dialect.name != "postgresql":
            return super().literal_processor(dialect)
        each = self.item.dialect_impl(dialect).bind_processor(dialect)

        def literal(value: Any) -> str:
            return literal_text(None if value is None else range_text(mapped(value, each)))

        return literal


def _same(value: Any) -> Any:
    return value


def _asyncpg_range() -> Callable[[Range[Any]], Any]:
    import asyncpg

    make: Any = asyncpg.Range

    def convert(value: Range[Any]) -> Any:
        if value.empty:
            return make(empty=True)
        bounds = value.bounds
        return make(value.lower, value.upper, lower_inc=bounds[0] == "[", upper_inc=bounds[1] == "]")

    return convert
