"""One hop of a relation, as the query compiler sees it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa


@dataclass(frozen=True, slots=True, eq=False)
class PathInfo:
    """How to get from one table to the next.

    Compared by identity: `==` between the columns in `pairs` would make SQL.
    """

    from_meta: Any
    to_meta: Any
    pairs: tuple[tuple[sa.Column[Any], sa.Column[Any]], ...]
    """(column on the near side, column on the far side), joined by AND."""
    multiple: bool
    """One row may meet several: a reverse foreign key, a many-to-many relation."""
    nullable: bool
    """The join may find nothing: a foreign key that may be NULL, any reverse relation."""
    join_field: Any
    reverse: bool
    filtered: Any = None
    """The condition of a FilteredRelation, which becomes part of ON."""
