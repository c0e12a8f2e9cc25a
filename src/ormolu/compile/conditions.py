"""Conditions: the WHERE tree between lookups and SQLAlchemy.

A condition knows, beside its SQL, which joins it *rejects*: it can't be true in a
row where one of these joins found nothing. From that follows which outer joins may
be inner ones. It knows whether it holds an aggregate: then it belongs into HAVING.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

import sqlalchemy as sa
from sqlalchemy.sql.elements import Grouping

if TYPE_CHECKING:
    from ormolu.compile.joins import Join

NONE: frozenset[Any] = frozenset()


class Condition:
    """A node of the tree; `sa` is its SQL."""

    __slots__ = (
        "aggregate",
        "group",
        "joins",
        "null_is_true",
        "parts",
        "rejects",
        "rejects_false",
        "sa",
        "window",
    )

    def __init__(
        self,
        element: Any,
        *,
        joins: frozenset[Join] = NONE,
        rejects: frozenset[Join] = NONE,
        rejects_false: frozenset[Join] = NONE,
        aggregate: bool = False,
        window: bool = False,
        group: tuple[Any, ...] = (),
    ) -> None:
        self.sa = element
        self.joins = joins
        self.rejects = rejects
        self.rejects_false = rejects_false
        self.aggregate = aggregate
        self.window = window
        self.group = group
        self.null_is_true = False  # holds where the value is missing
        self.parts: Sequence[Condition] = ()  # of an AND


EVERYTHING: Final = Condition(sa.true())
NOTHING: Final = Condition(sa.false())


def combine(connector: str, parts: Sequence[Condition]) -> Condition:
    """Join conditions with AND, OR or XOR; constants are folded."""
    if connector == "XOR":
        return _xor(parts)
    absorbing, neutral = (NOTHING, EVERYTHING) if connector == "AND" else (EVERYTHING, NOTHING)
    kept: list[Condition] = []
    for part in parts:
        if part is absorbing:
            return absorbing
        if part is not neutral:
            kept.append(part)
    if not kept:
        return neutral if parts else EVERYTHING
    if len(kept) == 1:
        return kept[0]
    union = _union([part.rejects for part in kept])
    common = frozenset[Any].intersection(*(part.rejects for part in kept))
    union_false = _union([part.rejects_false for part in kept])
    common_false = frozenset[Any].intersection(*(part.rejects_false for part in kept))
    both = connector == "AND"
    whole = Condition(
        (sa.and_ if both else sa.or_)(*(part.sa for part in kept)),
        joins=_union([part.joins for part in kept]),
        rejects=union if both else common,
        rejects_false=common_false if both else union_false,
        aggregate=any(part.aggregate for part in kept),
        window=any(part.window for part in kept),
        group=tuple(column for part in kept for column in part.group),
    )
    if both:
        whole.parts = kept
    return whole


def flatten(conditions: Sequence[Condition]) -> list[Condition]:
    """Return the conditions that must all hold, ANDs taken apart."""
    found: list[Condition] = []
    for condition in conditions:
        found.extend(flatten(condition.parts) if condition.parts else [condition])
    return found


def _union(sets: list[frozenset[Any]]) -> frozenset[Any]:
    return frozenset[Any]().union(*sets)


def _xor(parts: Sequence[Condition]) -> Condition:
    """True where an odd number of the parts is true (Django's definition); constants are counted here."""
    kept = [part for part in parts if part is not EVERYTHING and part is not NOTHING]
    odd = sum(part is EVERYTHING for part in parts) % 2 == 1
    if not kept:
        return EVERYTHING if odd or not parts else NOTHING
    total: Any = None
    for part in kept:
        one = sa.case((part.sa, 1), else_=0)
        total = one if total is None else total + one
    return Condition(
        (total % 2) == (0 if odd else 1),
        joins=_union([part.joins for part in kept]),
        aggregate=any(part.aggregate for part in kept),
        window=any(part.window for part in kept),
        group=tuple(column for part in kept for column in part.group),
    )


def negate(part: Condition) -> Condition:
    """Return NOT part. Lookups have made sure that part is never NULL."""
    if part is EVERYTHING:
        return NOTHING
    if part is NOTHING:
        return EVERYTHING
    element: Any = part.sa if isinstance(part.sa, sa.Exists) else Grouping(part.sa)
    return Condition(
        sa.not_(element),
        joins=part.joins,
        rejects=part.rejects_false,
        rejects_false=part.rejects,
        aggregate=part.aggregate,
        window=part.window,
        group=part.group,
    )
