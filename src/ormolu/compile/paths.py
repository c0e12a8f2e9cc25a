"""One hop of a relation, as the query compiler sees it."""

from __future__ import annotations

from typing import Any, Self

import sqlalchemy as sa

RELATION_LOOKUPS = ("exact", "in", "gt", "gte", "lt", "lte", "isnull")
"""What may be asked of a relation itself: of the key that it refers to."""


class Restriction:
    """One more condition of a hop: a column of its near or far table has a value (an element of SQL)."""

    __slots__ = ("column", "far", "value")

    def __init__(self, column: sa.Column[Any], value: Any, far: bool) -> None:
        self.column = column
        self.value = value
        self.far = far

    def backwards(self) -> Restriction:
        """Return it for the hop the other way round."""
        return Restriction(self.column, self.value, not self.far)

    def same(self, other: Restriction | None) -> bool:
        """Tell whether another one says the same."""
        return (
            other is not None
            and self.column is other.column
            and self.value is other.value
            and self.far == other.far
        )


class PathInfo:
    """How to get from one table to the next. Never changed once made.

    Compared by identity: `==` between the columns in `pairs` would make SQL.
    """

    __slots__ = (
        "filtered",
        "from_meta",
        "join_field",
        "multiple",
        "nullable",
        "pairs",
        "restriction",
        "reverse",
        "to_meta",
    )

    def __init__(
        self,
        from_meta: Any,
        to_meta: Any,
        pairs: tuple[tuple[sa.Column[Any], sa.Column[Any]], ...],
        multiple: bool,
        nullable: bool,
        join_field: Any,
        reverse: bool,
        filtered: Any = None,
        restriction: Restriction | None = None,
    ) -> None:
        self.from_meta = from_meta
        self.to_meta = to_meta
        self.pairs = pairs
        """(column on the near side, column on the far side), joined by AND."""
        self.multiple = multiple
        """One row may meet several: a reverse foreign key, a many-to-many relation."""
        self.nullable = nullable
        """The join may find nothing: a foreign key that may be NULL, any reverse relation."""
        self.join_field = join_field
        self.reverse = reverse
        self.filtered = filtered
        """The alias of a FilteredRelation, and itself: its condition becomes part of ON."""
        self.restriction = restriction
        """The condition of a generic relation, which is part of what links two rows, as the pairs are."""

    def narrowed(self, alias: str, relation: Any) -> Self:
        """Return this hop to the rows that meet the condition of a FilteredRelation."""
        return type(self)(
            self.from_meta,
            self.to_meta,
            self.pairs,
            self.multiple,
            self.nullable,
            self.join_field,
            self.reverse,
            (alias, relation),
            self.restriction,
        )
