"""Window functions: Window, frames.

    Employee.objects.annotate(rank=Window(Rank(), partition_by="department", order_by="-salary"))

A filter on a window function is applied to the rows that it was computed for, in a query
around it. Source: Django's documentation, ref/models/expressions, "Window functions".
"""

from __future__ import annotations

import enum
from typing import Any, ClassVar, cast

from ormolu.compile.ordering import Order
from ormolu.compile.template import Template
from ormolu.compile.terms import Term, merge
from ormolu.exceptions import NotSupportedError
from ormolu.query.aggregates import Aggregate
from ormolu.query.expressions import Expression, OrderBy
from ormolu.query.references import F

__all__ = ["RowRange", "ValueRange", "Window", "WindowFrame", "WindowFrameExclusion"]


class WindowFrameExclusion(enum.Enum):
    """Which rows of a frame are left out."""

    CURRENT_ROW = "CURRENT ROW"
    GROUP = "GROUP"
    TIES = "TIES"
    NO_OTHERS = "NO OTHERS"

    def __repr__(self) -> str:
        return f"{type(self).__name__}.{self.name}"


class WindowFrame:
    """Base of frames. `start` and `end`: None for no bound, 0 for the current row, else a distance.

    `exclusion`: a WindowFrameExclusion. Raises TypeError for another kind of exclusion.
    """

    frame_type: ClassVar[str] = ""

    def __init__(
        self, start: Any = None, end: Any = None, exclusion: WindowFrameExclusion | None = None
    ) -> None:
        self.start, self.end = start, end
        if not isinstance(exclusion, (type(None), WindowFrameExclusion)):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise TypeError(f"{type(self).__name__}.exclusion must be a WindowFrameExclusion instance.")
        self.exclusion = exclusion

    def shape(self, shape: Any) -> Any:
        """Return the key."""
        return (type(self), self.start, self.end, self.exclusion)

    def sql(self, builder: Any) -> str:
        """Return the frame as SQL. Raises ValueError for bounds that make none."""
        start, end = self.window_frame_start_end(builder, self.start, self.end)
        if self.exclusion is not None and builder.vendor == "mysql":
            raise NotSupportedError("This backend does not support window frame exclusions.")
        return self.words(start, end)

    def window_frame_start_end(self, connection: Any, start: Any, end: Any) -> tuple[str, str]:
        """Return both bounds in SQL, for the database of `connection.vendor`; ValueError for what is no bound."""
        raise NotImplementedError("Subclasses must implement window_frame_start_end().")

    def words(self, start: str, end: str) -> str:
        """Return the frame's text."""
        text = f"{self.frame_type} BETWEEN {start} AND {end}"
        return text if self.exclusion is None else f"{text} EXCLUDE {self.exclusion.value}"

    def get_group_by_cols(self) -> list[Any]:
        """Return nothing: a frame divides no groups."""
        return []

    def __eq__(self, other: object) -> bool:
        return isinstance(other, WindowFrame) and self.shape(None) == other.shape(None)

    def __hash__(self) -> int:
        return hash(self.shape(None))

    def __str__(self) -> str:
        return self.words(bound(self.start, "PRECEDING"), bound(self.end, "FOLLOWING"))

    def __repr__(self) -> str:
        return f"<{type(self).__name__}: {self}>"


def bound(value: Any, unbounded: str) -> str:
    """Word one end of a frame."""
    if value is None:
        return f"UNBOUNDED {unbounded}"
    if value == 0:
        return "CURRENT ROW"
    return f"{abs(value)} {'PRECEDING' if value < 0 else 'FOLLOWING'}"


class RowRange(WindowFrame):
    """A frame of so many rows before and after."""

    frame_type = "ROWS"

    def window_frame_start_end(self, connection: Any, start: Any, end: Any) -> tuple[str, str]:
        """Return both bounds. Raises ValueError for bounds that are no integers, or in the wrong order."""
        for name, value in (("start", start), ("end", end)):
            if value is not None and not isinstance(value, int):
                raise ValueError(f"{name} argument must be an integer, zero, or None, but got '{value}'.")
        if start is not None and end is not None and start > end:
            raise ValueError("start cannot be greater than end.")
        return bound(start, "PRECEDING"), bound(end, "FOLLOWING")


class ValueRange(WindowFrame):
    """A frame of the rows whose value of the order is so much less or more."""

    frame_type = "RANGE"

    def window_frame_start_end(self, connection: Any, start: Any, end: Any) -> tuple[str, str]:
        """Return both bounds.

        Raises ValueError for a start after, or an end before the row, NotSupportedError for any distance on PostgreSQL.
        """
        if start is not None and not (isinstance(start, int) and start <= 0):
            raise ValueError(f"start argument must be a negative integer, zero, or None, but got '{start}'.")
        if end is not None and not (isinstance(end, int) and end >= 0):
            raise ValueError(f"end argument must be a positive integer, zero, or None, but got '{end}'.")
        if connection.vendor == "postgresql" and (start or end):
            raise NotSupportedError(
                "PostgreSQL only supports UNBOUNDED together with PRECEDING and FOLLOWING."
            )
        return bound(start, "PRECEDING"), bound(end, "FOLLOWING")


class Window(Expression):
    """A function over the rows around each row: OVER (PARTITION BY ... ORDER BY ... frame).

    `expression` is an aggregate or a function of windows; `partition_by` and `order_by` are
    names, expressions or lists of them. Raises ValueError for other functions.
    """

    contains_aggregate = False
    contains_over_clause = True

    def __init__(
        self, expression: Any, partition_by: Any = None, order_by: Any = None, frame: WindowFrame | None = None,
        output_field: Any = None,
    ) -> None:  # fmt: skip
        super().__init__(output_field)
        if not getattr(expression, "window_compatible", False):
            raise ValueError(f"Expression '{type(expression).__name__}' isn't compatible with OVER clauses.")
        self.source_expression, self.frame = expression, frame
        given = cast(Any, partition_by) if isinstance(partition_by, (list, tuple)) else [partition_by]
        self.partition_by: list[Any] = [
            F(item) if isinstance(item, str) else item for item in given if item is not None
        ]
        self.order_by = orders_of(order_by)

    def shape(self, shape: Any) -> Any:
        """Return the key."""
        parts = (self.source_expression, self.partition_by, self.order_by, self.frame, self._given)
        return (type(self), *(None if part is None else shape.item(part) for part in parts))

    def get_source_expressions(self) -> list[Any]:
        """Return the function, and what the window is made of."""
        return [self.source_expression, *self.partition_by, *self.order_by]

    def get_group_by_cols(self) -> list[Any]:
        """Return what the function's arguments and the window are grouped by."""
        parts = [*self.source_expression.get_source_expressions(), *self.partition_by, *self.order_by]
        named = [part for part in parts if hasattr(part, "get_group_by_cols")]
        return [column for part in named for column in part.get_group_by_cols()]

    def _resolve_output_field(self) -> Any:
        return self.source_expression._output_field_or_none

    def as_term(self, builder: Any) -> Term:
        """Return the function with its OVER clause."""
        source = self.source_expression
        default = None
        if isinstance(source, Aggregate):
            element, field, why, parts = source.bare(builder, source.terms(builder))
            default = source.default
        else:
            found = builder.term(source)
            element, field, why, parts = found.sa, found.field, found.why, [found]
        field = self._given if self._given is not None else field
        partition = [builder.term(item) for item in self.partition_by]
        orders = [Order(*item.as_order(builder)) for item in self.order_by]
        frame = "" if self.frame is None else self.frame.sql(builder)
        element = over(element, [term.sa for term in partition], [order.element() for order in orders], frame)
        if default is not None:
            element = source.with_default(builder, element, field)
        parts = [*parts, *partition, *(order.term for order in orders)]
        group = tuple(column for part in parts for column in part.group_columns())
        return merge(element, field, parts, why=why, window=True, constant=False, group=group)

    def __str__(self) -> str:
        parts: list[str] = []
        if self.partition_by:
            parts.append(f"PARTITION BY {', '.join(map(str, self.partition_by))}")
        if self.order_by:
            parts.append(", ".join(map(str, self.order_by)))
        if self.frame is not None:
            parts.append(str(self.frame))
        return f"{self.source_expression!s} OVER ({' '.join(parts)})"

    def __repr__(self) -> str:
        return f"<{type(self).__name__}: {self}>"


def over(element: Any, partition: list[Any], orders: list[Any], frame: str) -> Any:
    """Return the OVER clause of a function. The frame stands in the text, not in parameters."""
    pieces, elements = ["", " OVER ("], [element]
    for words, parts in (("PARTITION BY ", partition), ("ORDER BY ", orders)):
        for number, part in enumerate(parts):
            pieces[-1] += ", " if number else f"{' ' if len(elements) > 1 else ''}{words}"
            elements.append(part)
            pieces.append("")
    pieces[-1] += f"{' ' if frame and len(elements) > 1 else ''}{frame})"
    return Template("over", pieces, elements, element.type)


def orders_of(given: Any) -> list[OrderBy]:
    """Return the order of a window as a list. Raises ValueError for what is no order."""
    if given is None:
        return []
    orders: list[OrderBy] = []
    for item in cast(Any, given) if isinstance(given, (list, tuple)) else [given]:
        if isinstance(item, str):
            orders.append(OrderBy(F(item.lstrip("-")), descending=item.startswith("-")))
        elif isinstance(item, OrderBy):
            orders.append(item)
        elif hasattr(item, "as_term") or hasattr(item, "__clause_element__"):
            orders.append(OrderBy(item))
        else:
            raise ValueError(
                "Window.order_by must be either a string reference to a field, an expression, or a list or "
                "tuple of them."
            )
    return orders
