"""Tables, made and dropped. See the package."""

from __future__ import annotations

from ormolu import sessions
from ormolu.ports.foundation.session import database

__all__ = ["create_tables", "create_tables_async", "drop_tables", "drop_tables_async"]


def create_tables() -> None:
    """Create the tables of all models that aren't there yet."""
    sessions.create_tables(using=database().alias)


async def create_tables_async() -> None:
    """Create the tables of all models that aren't there yet, without blocking the event loop."""
    await sessions.create_tables_async(using=database().alias)


def drop_tables() -> None:
    """Drop the tables of all models. Rows are lost."""
    sessions.drop_tables(using=database().alias)


async def drop_tables_async() -> None:
    """Drop the tables of all models, without blocking the event loop. Rows are lost."""
    await sessions.drop_tables_async(using=database().alias)
