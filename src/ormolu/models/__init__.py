"""What a user declares: models, their relations, managers, indexes and constraints.

For those who know `django.db.models`, all that is in there is here as well: `from ormolu import models`, then
`models.CharField`, `models.Q`, `models.functions.Lower`.

Each name is imported on first use: declaring a model loads little of what its rows will need.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ormolu.lazy import door
from ormolu.writes.on_delete import (
    CASCADE,
    DB_CASCADE,
    DB_SET_DEFAULT,
    DB_SET_NULL,
    DO_NOTHING,
    PROTECT,
    RESTRICT,
    SET,
    SET_DEFAULT,
    SET_NULL,
)

if TYPE_CHECKING:
    from ormolu import signals
    from ormolu.exceptions import ObjectDoesNotExist, ProtectedError, RestrictedError
    from ormolu.fields import (
        ArrayField,
        AutoField,
        BigAutoField,
        BigIntegerField,
        BinaryField,
        BooleanField,
        CharField,
        Choices,
        DateField,
        DateTimeField,
        DecimalField,
        DurationField,
        EmailField,
        Field,
        FileField,
        FilePathField,
        FloatField,
        GenericIPAddressField,
        ImageField,
        IntegerChoices,
        IntegerField,
        JSONField,
        PositiveBigIntegerField,
        PositiveIntegerField,
        PositiveSmallIntegerField,
        SlugField,
        SmallAutoField,
        SmallIntegerField,
        TextChoices,
        TextField,
        TimeField,
        URLField,
        UUIDField,
        VersionField,
    )
    from ormolu.models import functions
    from ormolu.models.attributes import DeferredAttribute
    from ormolu.models.base import Model, ModelBase
    from ormolu.models.constraints import BaseConstraint, CheckConstraint, Deferrable, UniqueConstraint
    from ormolu.models.constructor import DEFERRED
    from ormolu.models.foreign_objects import ForeignObject
    from ormolu.models.fulltext import FullTextIndex
    from ormolu.models.generated import GeneratedField
    from ormolu.models.indexes import Index
    from ormolu.models.keys import CompositePrimaryKey
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
    from ormolu.models.registry import Apps, apps, isolated
    from ormolu.models.related_fields import lazy_related_operation
    from ormolu.models.related_managers import ReverseManager
    from ormolu.models.relations import ForeignKey, OneToOneField
    from ormolu.models.rels import ForeignObjectRel, ManyToManyRel, ManyToOneRel, OneToOneRel
    from ormolu.models.tables import acreate_tables, adrop_tables, create_tables, drop_tables
    from ormolu.models.typed import TypedModel, key_of
    from ormolu.query import (
        Aggregate,
        Avg,
        Case,
        Count,
        Exists,
        Expression,
        ExpressionWrapper,
        F,
        FilteredRelation,
        Func,
        Lookup,
        Max,
        Min,
        OrderBy,
        OuterRef,
        Prefetch,
        Q,
        QuerySet,
        RowRange,
        StdDev,
        Subquery,
        Sum,
        Transform,
        Value,
        ValueRange,
        Variance,
        When,
        Window,
        WindowFrame,
        WindowFrameExclusion,
        aprefetch_related_objects,
        prefetch_related_objects,
    )

__all__ = [
    "CASCADE",
    "DB_CASCADE",
    "DB_SET_DEFAULT",
    "DB_SET_NULL",
    "DEFERRED",
    "DO_NOTHING",
    "F",
    "PROTECT",
    "Q",
    "RESTRICT",
    "SET",
    "SET_DEFAULT",
    "SET_NULL",
    "Aggregate",
    "Apps",
    "ArrayField",
    "AutoField",
    "Avg",
    "BaseConstraint",
    "BaseManager",
    "BigAutoField",
    "BigIntegerField",
    "BinaryField",
    "BooleanField",
    "Case",
    "CharField",
    "CheckConstraint",
    "Choices",
    "CompositePrimaryKey",
    "Count",
    "DateField",
    "DateTimeField",
    "DecimalField",
    "Deferrable",
    "DeferredAttribute",
    "DurationField",
    "EmailField",
    "EmptyManager",
    "Exists",
    "Expression",
    "ExpressionWrapper",
    "Field",
    "FileField",
    "FilePathField",
    "FilteredRelation",
    "FloatField",
    "ForeignKey",
    "ForeignObject",
    "ForeignObjectRel",
    "GeneratedField",
    "FullTextIndex",
    "Func",
    "GenericIPAddressField",
    "ImageField",
    "Index",
    "IntPKMixin",
    "IntegerChoices",
    "IntegerField",
    "JSONField",
    "Lookup",
    "Manager",
    "ManyRelatedManager",
    "ManyToManyField",
    "ManyToManyRel",
    "ManyToOneRel",
    "Max",
    "Min",
    "Model",
    "ModelBase",
    "ObjectDoesNotExist",
    "OneToOneField",
    "OneToOneRel",
    "Options",
    "OrderBy",
    "OuterRef",
    "PGUUIDPKMixin",
    "PositiveBigIntegerField",
    "PositiveIntegerField",
    "PositiveSmallIntegerField",
    "Prefetch",
    "ProtectedError",
    "QuerySet",
    "RestrictedError",
    "ReverseManager",
    "RowRange",
    "SlugField",
    "SmallAutoField",
    "SmallIntegerField",
    "SoftDeleteMixin",
    "StdDev",
    "Subquery",
    "Sum",
    "TextChoices",
    "TextField",
    "TimeField",
    "TimestampMixin",
    "Transform",
    "TypedModel",
    "URLField",
    "UUIDField",
    "VersionField",
    "UUIDPKMixin",
    "UniqueConstraint",
    "UpdateMixin",
    "Value",
    "ValueRange",
    "Variance",
    "When",
    "Window",
    "WindowFrame",
    "WindowFrameExclusion",
    "acreate_tables",
    "adrop_tables",
    "apps",
    "aprefetch_related_objects",
    "create_tables",
    "drop_tables",
    "functions",
    "isolated",
    "key_of",
    "lazy_related_operation",
    "prefetch_related_objects",
    "signals",
]

if not TYPE_CHECKING:
    __getattr__, __dir__ = door(
        __name__,
        {
            "": "functions",
            "attributes": "DeferredAttribute",
            "base": "Model ModelBase",
            "constraints": "BaseConstraint CheckConstraint Deferrable UniqueConstraint",
            "constructor": "DEFERRED",
            "foreign_objects": "ForeignObject",
            "fulltext": "FullTextIndex",
            "generated": "GeneratedField",
            "indexes": "Index",
            "keys": "CompositePrimaryKey",
            "manager": "BaseManager EmptyManager Manager",
            "many_related_managers": "ManyRelatedManager",
            "many_to_many": "ManyToManyField",
            "mixins": "IntPKMixin PGUUIDPKMixin SoftDeleteMixin TimestampMixin UpdateMixin UUIDPKMixin",
            "options": "Options",
            "registry": "Apps apps isolated",
            "related_managers": "ReverseManager",
            "related_fields": "lazy_related_operation",
            "relations": "ForeignKey OneToOneField",
            "rels": "ForeignObjectRel ManyToManyRel ManyToOneRel OneToOneRel",
            "ormolu": "signals",
            "ormolu.exceptions": "ObjectDoesNotExist ProtectedError RestrictedError",
            "ormolu.fields": """
                ArrayField AutoField BigAutoField BigIntegerField BinaryField BooleanField CharField Choices
                DateField DateTimeField DecimalField DurationField EmailField Field FileField FilePathField
                FloatField GenericIPAddressField ImageField IntegerChoices IntegerField JSONField
                PositiveBigIntegerField PositiveIntegerField PositiveSmallIntegerField SlugField
                SmallAutoField SmallIntegerField TextChoices TextField TimeField URLField UUIDField VersionField
            """,
            "ormolu.query": """
                Aggregate Avg Case Count Exists Expression ExpressionWrapper F FilteredRelation Func Lookup
                Max Min OrderBy OuterRef Prefetch Q QuerySet RowRange StdDev Subquery Sum Transform Value
                ValueRange Variance When Window WindowFrame WindowFrameExclusion aprefetch_related_objects
                prefetch_related_objects
            """,
            "tables": "acreate_tables adrop_tables create_tables drop_tables",
            "typed": "TypedModel key_of",
        },
    )
