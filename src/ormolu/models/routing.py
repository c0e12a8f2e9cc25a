"""Which database an object's queries go to."""

from __future__ import annotations

from typing import Any

from ormolu.models.state import DB, DEFAULT_ALIAS


def write_alias(instance: Any) -> str:
    """Return the alias that an instance is written to: where it is from, else the default."""
    values = instance.__dict__
    return values.get(DB) or values.get("_using") or DEFAULT_ALIAS


def read_alias(instance: Any) -> str:
    """Return the alias that an instance's related objects are read from: where it is from, else the default."""
    return write_alias(instance)
