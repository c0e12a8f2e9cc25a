"""Numbers and booleans."""

from __future__ import annotations

import decimal
from typing import Any

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.engine import processors

from ormolu.fields.types.base import Processor, ValueType, nullable

__all__ = [
    "DECIMAL_COLLATION",
    "EXACT_FLOAT_DIGITS",
    "BooleanType",
    "DecimalType",
    "FloatType",
    "compare_decimals",
]

EXACT_FLOAT_DIGITS = 15
"""Every decimal of so many digits survives the way through a 64-bit float."""

DECIMAL_COLLATION = "decimal"
"""Collation of SQLite columns with longer decimals. SQLite's own shell has one of this name and meaning."""


class BooleanType(ValueType):
    """BOOLEAN; on databases without one an integer that is read as a bool."""

    impl = sa.Boolean
    accepts = (bool, int)
    coerce_to_is_types = (type(None), bool)  # `flag.is_(True)` is IS true, as of SQLAlchemy's own type

    def result_processor(self, dialect: sa.Dialect, coltype: object) -> Processor | None:
        return None if dialect.supports_native_boolean else processors.int_to_boolean


class FloatType(ValueType):
    """DOUBLE PRECISION; every driver gives and takes floats as they are."""

    impl = sa.Double
    accepts = (float, int, decimal.Decimal)

    def bind_processor(self, dialect: sa.Dialect) -> Processor | None:
        return None if dialect.name in ("sqlite", "postgresql", "mysql", "mariadb") else nullable(float)


class DecimalType(ValueType):
    """Exact decimals on every database.

    SQLite has none: up to 15 digits it stores a number, which comes back exactly through the column's scale;
    more digits are text, compared by a collation that every SQLite connection of the process gets.
    Without a precision it is the type of computed values: no rounding to a scale.
    """

    impl = sa.Numeric
    accepts = (decimal.Decimal, int, float)

    def __init__(self, precision: int | None = None, scale: int | None = None) -> None:
        self.precision = precision
        self.scale = scale
        super().__init__(precision, scale)

    @property
    def is_wide(self) -> bool:
        """Whether a float can't hold the digits."""
        return self.precision is not None and self.precision > EXACT_FLOAT_DIGITS

    def load_dialect_impl(self, dialect: sa.Dialect) -> sa.types.TypeEngine[Any]:
        if dialect.name == "sqlite" and self.is_wide:
            return dialect.type_descriptor(sa.Text(collation=DECIMAL_COLLATION))
        return dialect.type_descriptor(sa.Numeric(self.precision, self.scale))

    def bind_processor(self, dialect: sa.Dialect) -> Processor | None:
        if dialect.name != "sqlite":
            return None
        return _plain_text if self.is_wide else _as_float

    def result_processor(self, dialect: sa.Dialect, coltype: object) -> Processor | None:
        if dialect.name != "sqlite":
            return None
        if self.is_wide or self.scale is None:
            return _decimal_of
        convert: Processor = processors.to_decimal_processor_factory(decimal.Decimal, self.scale)
        return convert

    def computed_processor(self, dialect: sa.Dialect) -> Processor | None:
        """Return the conversion of what the database has computed, which may have more places than the column."""
        return (
            _with_places(self.scale)
            if dialect.name == "sqlite" and self.scale
            else self.result_processor(dialect, None)
        )


def _as_float(value: Any) -> float | None:
    return None if value is None else float(value)


def _plain_text(value: Any) -> str | None:
    return None if value is None else format(decimal.Decimal(value), "f")


def _decimal_of(value: Any) -> decimal.Decimal | None:
    """Return what SQLite computed as a Decimal; a float's digits past the fifteenth are noise."""
    if value is None:
        return None
    return decimal.Decimal(format(value, ".15g") if type(value) is float else value)


def _with_places(scale: int) -> Processor:
    """Return the conversion of computed numbers that gives them `scale` places at least, and rounds nothing."""
    fewest = decimal.Decimal(1).scaleb(-scale)

    def read(value: Any) -> decimal.Decimal | None:
        number = _decimal_of(value)
        if number is None or not number.is_finite() or number.adjusted() > EXACT_FLOAT_DIGITS:
            return number
        exponent = number.as_tuple().exponent
        return number.quantize(fewest) if isinstance(exponent, int) and exponent > -scale else number

    return read


def compare_decimals(left: str, right: str) -> int:
    """Return -1, 0 or 1 as two numbers in text form compare; what is no number sorts last, as text."""
    try:
        a, b = decimal.Decimal(left), decimal.Decimal(right)
        return (a > b) - (a < b)
    except decimal.InvalidOperation:
        return (left > right) - (left < right)


@event.listens_for(sa.Engine, "connect")
def _add_collation(connection: Any, record: Any) -> None:
    """Give every SQLite connection of the process the collation of long decimals."""
    driver = getattr(connection, "driver_connection", connection)
    if hasattr(driver, "create_collation"):
        driver.create_collation(DECIMAL_COLLATION, compare_decimals)
    elif hasattr(connection, "run_async") and hasattr(driver, "_conn"):
        connection.run_async(_add_in_its_thread)


def _add_in_its_thread(connection: Any) -> Any:
    """Return the coroutine that adds the collation to an aiosqlite connection: it has no method for that."""
    return connection._execute(connection._conn.create_collation, DECIMAL_COLLATION, compare_decimals)
