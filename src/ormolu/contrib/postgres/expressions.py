"""The names of django.contrib.postgres.expressions."""

from __future__ import annotations

from ormolu.query.postgres.arrays import ArraySubquery

__all__ = ["ArraySubquery"]
