"""Functions of windows: for use in Window(...) only.

Source: Django's documentation, ref/models/database-functions, "Window functions".
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import sqlalchemy as sa

from ormolu.compile.terms import Term, merge
from ormolu.exceptions import NotSupportedError
from ormolu.fields import FloatField, IntegerField
from ormolu.query.func import Func

__all__ = [
    "CumeDist", "DenseRank", "FirstValue", "Lag", "LastValue", "Lead", "NthValue", "Ntile", "PercentRank", "Rank",
    "RowNumber",
]  # fmt: skip


class _WindowFunction(Func):
    """A function that has a meaning only among the rows of a window."""

    window_compatible = True

    def as_term(self, builder: Any) -> Term:
        """Return the call without OVER; GROUP BY would have to name its arguments."""
        terms = self.terms(builder)
        field, why = self.field(terms)
        element = self.spelled(builder, [term.sa for term in terms], None if field is None else field.sa_type)
        group = tuple(column for term in terms for column in term.group_columns())
        return merge(element, field, terms, why=why, group=group)


class CumeDist(_WindowFunction):
    """The share of rows that come no later than this one."""

    function = "CUME_DIST"
    output_field = FloatField()


class DenseRank(_WindowFunction):
    """The rank, without gaps."""

    function = "DENSE_RANK"
    output_field = IntegerField()


class FirstValue(_WindowFunction):
    """The value of the frame's first row."""

    function = "FIRST_VALUE"
    arity = 1


class LastValue(_WindowFunction):
    """The value of the frame's last row."""

    function = "LAST_VALUE"
    arity = 1


class _Neighbour(_WindowFunction):
    """The value of another row, some rows away."""

    def __init__(self, expression: Any, offset: int = 1, default: Any = None, **extra: Any) -> None:
        name = type(self).__name__
        if expression is None:
            raise ValueError(f"{name} requires a non-null source expression.")
        if not offset or offset < 0:
            raise ValueError(f"{name} requires a positive integer for the offset.")
        super().__init__(expression, offset, *(() if default is None else (default,)), **extra)

    def field(self, terms: list[Term]) -> tuple[Any, Callable[[], str] | None]:
        """Return the field of the value."""
        return super().field(terms[:1])

    def _resolve_output_field(self) -> Any:
        return getattr(self.source_expressions[0], "_output_field_or_none", None)

    def call(self, builder: Any, args: list[Any], type_: Any) -> Any:
        """Return the call; PostgreSQL wants the default to be of the very type of the value.

        Raises NotSupportedError for a default on MariaDB, which has none.
        """
        if len(args) == 3 and getattr(builder.driver.dialect, "is_mariadb", False):
            raise NotSupportedError(
                f"MariaDB takes no default in {self.function}(). Where no value is NULL, "
                "Coalesce(Window(...), default) gives the same."
            )
        if builder.vendor == "postgresql" and len(args) == 3 and type_ is not None:
            args = [*args[:2], sa.cast(args[2], type_)]
        return super().call(builder, args, type_)


class Lag(_Neighbour):
    """The value of a row before this one."""

    function = "LAG"


class Lead(_Neighbour):
    """The value of a row after this one."""

    function = "LEAD"


class NthValue(_WindowFunction):
    """The value of the nth row of the frame."""

    function = "NTH_VALUE"

    def __init__(self, expression: Any, nth: int = 1, **extra: Any) -> None:
        if expression is None:
            raise ValueError(f"{type(self).__name__} requires a non-null source expression.")
        if not nth or nth < 0:
            raise ValueError(f"{type(self).__name__} requires a positive integer as for nth.")
        super().__init__(expression, nth, **extra)

    def field(self, terms: list[Term]) -> tuple[Any, Callable[[], str] | None]:
        """Return the field of the value."""
        return super().field(terms[:1])

    def _resolve_output_field(self) -> Any:
        return getattr(self.source_expressions[0], "_output_field_or_none", None)


class Ntile(_WindowFunction):
    """The number of the part that the row is in, of so many parts of equal size."""

    function = "NTILE"
    output_field = IntegerField()

    def __init__(self, num_buckets: int = 1, **extra: Any) -> None:
        if num_buckets <= 0:
            raise ValueError("num_buckets must be greater than 0.")
        super().__init__(num_buckets, **extra)


class PercentRank(_WindowFunction):
    """The rank, as a share from 0 to 1."""

    function = "PERCENT_RANK"
    output_field = FloatField()


class Rank(_WindowFunction):
    """The rank, with gaps."""

    function = "RANK"
    output_field = IntegerField()


class RowNumber(_WindowFunction):
    """The number of the row, from 1 on."""

    function = "ROW_NUMBER"
    output_field = IntegerField()
