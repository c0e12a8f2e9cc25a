"""The names of django.contrib.postgres.functions."""

from __future__ import annotations

from ormolu.query.postgres.functions import RandomUUID, TransactionNow

__all__ = ["RandomUUID", "TransactionNow"]
