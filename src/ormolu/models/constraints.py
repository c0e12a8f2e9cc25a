"""Meta.indexes, Meta.constraints and Meta.unique_together as SQLAlchemy's indexes and constraints."""

from __future__ import annotations

from typing import Any


class UniqueConstraint:
    condition = None


def add_to_table(meta: Any) -> None:
    """Add a model's indexes and constraints to its table."""
