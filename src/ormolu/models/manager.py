"""Managers, as models use them."""

from __future__ import annotations

from ormolu.query.managers import BaseManager, EmptyManager, Manager, ManagerDescriptor

__all__ = ["BaseManager", "EmptyManager", "Manager", "ManagerDescriptor"]
