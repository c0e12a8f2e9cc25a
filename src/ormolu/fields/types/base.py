"""Base of the column types: plain conversions, one function a direction, chosen once per dialect."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

import sqlalchemy as sa

__all__ = ["Processor", "ValueType", "literal_text", "nullable"]

Processor = Callable[[Any], Any]


class ValueType(sa.types.TypeDecorator[Any]):
    """A type whose values are converted by one cheap function, or by none.

    SQLAlchemy's own decorators call two functions per value (`process_result_value` over the inner type's
    processor); here a subclass overrides `bind_processor` and `result_processor`, and returns the one itself.
    """

    impl: Any = sa.String
    cache_ok = True

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        # SQLAlchemy looks for it in each class by itself; ours are made of hashable arguments only.
        cls.cache_ok = True

    accepts: ClassVar[tuple[type, ...]] = (object,)
    """Classes that this type can bind; operands of other classes get a type of their own."""

    is_text: ClassVar[bool] = False
    """Whether the driver is given, and gives, the text form of PostgreSQL's type."""

    @property
    def python_type(self) -> type[Any]:
        """The class of a column's values, as tools ask for it."""
        (first, *_) = self.accepts
        return self.impl_instance.python_type if first is object else first

    def coerce_compared_value(self, op: Any, value: Any) -> Any:
        """Return the type of the other operand: this one for values of its own kind."""
        if value is None or isinstance(value, self.accepts):
            return self
        return self.impl_instance.coerce_compared_value(op, value)

    def bind_processor(self, dialect: sa.Dialect) -> Any:
        """Return the conversion from Python to the driver."""
        return None

    def result_processor(self, dialect: sa.Dialect, coltype: object) -> Any:
        """Return the conversion from the driver to Python."""
        return None

    def _inner_result_processor(self, dialect: sa.Dialect, coltype: object) -> Any:
        """Return the conversion of the dialect's own type."""
        return self.impl_instance.result_processor(dialect, coltype)

    def literal_processor(self, dialect: sa.Dialect) -> Any:
        """Return the conversion to SQL text, for DEFAULT clauses."""
        bind = self.bind_processor(dialect)

        def literal(value: Any) -> str:
            return literal_text(value if bind is None or value is None else bind(value))

        return literal


def literal_text(value: Any) -> str:
    """Return a value that a driver takes as SQL text."""
    match value:
        case None:
            return "NULL"
        case bool():
            return "TRUE" if value else "FALSE"
        case int() | float():
            return repr(value)
        case bytes():
            return f"X'{value.hex()}'"
        case _:
            quoted = str(value).replace("'", "''")
            return f"'{quoted}'"


def nullable(function: Processor) -> Processor:
    """Return `function` for values that may be None."""

    def convert(value: Any) -> Any:
        return None if value is None else function(value)

    return convert
