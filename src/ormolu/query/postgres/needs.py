"""What only PostgreSQL has: the error elsewhere, and what an expression is."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from ormolu.exceptions import NotSupportedError

__all__ = ["is_expression", "needs_postgresql"]


def needs_postgresql(builder: Any, what: str, why: str = "") -> None:
    """Raise NotSupportedError on other databases; not while a query is only looked through, for no database yet."""
    if builder.vendor != "postgresql" and not getattr(builder.driver, "checking", False):
        raise NotSupportedError(f"{what} needs PostgreSQL{why}.")


def is_expression(value: Any) -> bool:
    """Tell whether a value is computed by the database."""
    return hasattr(value, "as_term") or isinstance(value, sa.ClauseElement) or hasattr(value, "query")
