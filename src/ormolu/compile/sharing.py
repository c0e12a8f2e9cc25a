"""Expressions with parameters, and subqueries, that a query groups by, and reads elsewhere, too: written once.

PostgreSQL takes `GREATEST(pages, $1)` in GROUP BY and `GREATEST(pages, $2)` inside another expression for two things,
and a subquery in both places, too.
So such an expression is computed beside the row, and both places name its column.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import sqlalchemy as sa
from sqlalchemy.sql import visitors
from sqlalchemy.sql.elements import BindParameter, Label

__all__ = ["Shared", "replaced"]


class Shared:
    """The expressions of a GROUP BY that are read elsewhere. `table` computes them; None where there are none.

    `columns` are those of the select list, where an expression may stand by itself; `readers` what else reads.
    """

    def __init__(self, group: Sequence[Any], columns: Sequence[Any], readers: Sequence[Any]) -> None:
        self._columns: dict[int, Any] = {}
        self.table: Any = None
        found = [element for element in group if differs(element)]
        if not found:
            return
        within = {id(part) for column in columns for part in parts_within(column)}
        within |= {id(part) for reader in readers for part in visitors.iterate(reader)}
        found = [element for element in found if id(element) in within]
        if found:
            labels = [element.label(f"e{number}") for number, element in enumerate(found)]
            self.table = cast(Any, sa.select(*labels)).correlate_except(None).lateral("shared")
            self._columns = {id(element): self.table.c[n] for n, element in enumerate(found)}

    def __call__(self, element: Any) -> Any:
        """Return an element in which the columns stand for the expressions."""
        if self.table is None:
            return element

        return replaced(element, self._columns)


def replaced(element: Any, columns: dict[int, Any]) -> Any:
    """Return an element with columns in the places of expressions, by the identity of these."""

    def column(part: Any, **options: Any) -> Any:
        return columns.get(id(part))

    return visitors.replacement_traverse(element, {}, column)  # type: ignore[call-overload]


def differs(element: Any) -> bool:
    """Tell whether the database takes an expression for another one where it stands twice."""
    kinds = (BindParameter, sa.ScalarSelect, sa.Exists)
    return any(isinstance(part, kinds) for part in visitors.iterate(element))


def parts_within(element: Any) -> list[Any]:
    """Return what an element is made of, but not the element itself, under a label or not."""
    whole = cast(Any, element).element if isinstance(element, Label) else element
    return [part for part in visitors.iterate(whole) if part is not whole]
