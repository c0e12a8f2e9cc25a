"""What a user declares: models, their relations, managers, indexes and constraints.

Each name is imported on first use: declaring a model loads little of what its rows will need.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ormolu.lazy import door
from ormolu.writes.on_delete import CASCADE, DO_NOTHING, PROTECT, RESTRICT, SET, SET_DEFAULT, SET_NULL

if TYPE_CHECKING:
    from ormolu.models.base import Model, ModelBase
    from ormolu.models.constraints import BaseConstraint, CheckConstraint, Deferrable, UniqueConstraint
    from ormolu.models.constructor import DEFERRED
    from ormolu.models.indexes import Index
    from ormolu.models.manager import BaseManager, EmptyManager, Manager
    from ormolu.models.many_related_managers import ManyRelatedManager
    from ormolu.models.many_to_many import ManyToManyField
    from ormolu.models.mixins import (
        IntPKMixin,
        PGUUIDPKMixin,
        SoftDeleteMixin,
        TimestampMixin,
        UpdateMixin,
        UUIDPKMixin,
    )
    from ormolu.models.options import Options
    from ormolu.models.registry import Apps, apps
    from ormolu.models.related_managers import ReverseManager
    from ormolu.models.relations import ForeignKey, OneToOneField
    from ormolu.models.rels import ForeignObjectRel, ManyToManyRel, ManyToOneRel, OneToOneRel
    from ormolu.models.tables import acreate_tables, adrop_tables, create_tables, drop_tables

__all__ = [
    "CASCADE",
    "DEFERRED",
    "DO_NOTHING",
    "PROTECT",
    "RESTRICT",
    "SET",
    "SET_DEFAULT",
    "SET_NULL",
    "Apps",
    "BaseConstraint",
    "BaseManager",
    "CheckConstraint",
    "Deferrable",
    "EmptyManager",
    "ForeignKey",
    "ForeignObjectRel",
    "Index",
    "IntPKMixin",
    "Manager",
    "ManyRelatedManager",
    "ManyToManyField",
    "ManyToManyRel",
    "ManyToOneRel",
    "Model",
    "ModelBase",
    "OneToOneField",
    "OneToOneRel",
    "Options",
    "PGUUIDPKMixin",
    "ReverseManager",
    "SoftDeleteMixin",
    "TimestampMixin",
    "UUIDPKMixin",
    "UniqueConstraint",
    "UpdateMixin",
    "acreate_tables",
    "adrop_tables",
    "apps",
    "create_tables",
    "drop_tables",
]

if not TYPE_CHECKING:
    __getattr__, __dir__ = door(
        __name__,
        {
            "base": "Model ModelBase",
            "constraints": "BaseConstraint CheckConstraint Deferrable UniqueConstraint",
            "constructor": "DEFERRED",
            "indexes": "Index",
            "manager": "BaseManager EmptyManager Manager",
            "many_related_managers": "ManyRelatedManager",
            "many_to_many": "ManyToManyField",
            "mixins": "IntPKMixin PGUUIDPKMixin SoftDeleteMixin TimestampMixin UpdateMixin UUIDPKMixin",
            "options": "Options",
            "registry": "Apps apps",
            "related_managers": "ReverseManager",
            "relations": "ForeignKey OneToOneField",
            "rels": "ForeignObjectRel ManyToManyRel ManyToOneRel OneToOneRel",
            "tables": "acreate_tables adrop_tables create_tables drop_tables",
        },
    )
