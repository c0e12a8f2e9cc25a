"""Ormolu, asynchronous, on psycopg instead of asyncpg."""

from __future__ import annotations

from benchmarks.schema import Target

from .base import AsyncAdapter
from .ormolu_async import OrmoluAsync


def create(target: Target) -> AsyncAdapter:
    """Return the adapter."""
    return OrmoluAsync(target, "psycopg")
