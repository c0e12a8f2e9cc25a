"""Achemy's names: an engine of a configuration, asynchronous repositories, mixins.

Models are Ormolu's, so everything else of Ormolu works with them. What behaves as the original does, and otherwise than
the core's repositories:

- `BaseRepository.where()` and `select()` return SQLAlchemy's Select, which is not awaited, but given to
  `all(query=...)`, `first()` or `count()`. `AsyncRepository.where()` gives answers itself.
- `add()` and `save()` flush nothing without `commit=True`: a key that the database counts up is known after
  `session.flush()` or the commit. `create()` does flush.
- `add_all()`, `delete()` and `bulk_insert()` commit, unless they are told `commit=False`.
- `find_by()` with an unknown name raises AttributeError, with none ValueError.
- `load()` passes over names that the model doesn't have.

Better than the original: conflicts of `bulk_insert()` are handled on SQLite as well, and need no PostgreSQL;
connections come from a pool; passwords may hold any character; times are aware, in UTC.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ormolu.lazy import door

if TYPE_CHECKING:
    from ormolu.models import IntPKMixin, PGUUIDPKMixin, UpdateMixin, UUIDPKMixin
    from ormolu.ports.achemy.config import DatabaseConfig
    from ormolu.ports.achemy.engine import AchemyEngine
    from ormolu.ports.achemy.models import AlchemyModel, Base
    from ormolu.ports.achemy.repositories import BaseRepository

__all__ = [
    "AchemyEngine",
    "AlchemyModel",
    "Base",
    "BaseRepository",
    "DatabaseConfig",
    "IntPKMixin",
    "PGUUIDPKMixin",
    "UUIDPKMixin",
    "UpdateMixin",
]

if not TYPE_CHECKING:
    __getattr__, __dir__ = door(
        __name__,
        {
            "config": "DatabaseConfig",
            "engine": "AchemyEngine",
            "models": "AlchemyModel Base",
            "repositories": "BaseRepository",
            "ormolu.models": "IntPKMixin PGUUIDPKMixin UUIDPKMixin UpdateMixin",
        },
    )
