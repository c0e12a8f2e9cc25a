"""Django's models and QuerySets, typed, sync and async, whose models are real SQLAlchemy mapped classes.

The public names. Each is imported from its home on first use (PEP 562): `import ormolu` itself is cheap.
They stand here three times: for type checkers, for `import *`, and for the import itself. A test compares.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

# fmt: off
# isort: off
if TYPE_CHECKING:
    from ormolu import (
        conf, databases, exceptions, fields, files, models, query, repository, schemas, signals, transaction,
    )
    from ormolu.models import (
        Model, TypedModel, key_of,
        Manager, ForeignKey, ForeignObject, OneToOneField, ManyToManyField, CompositePrimaryKey,
        GeneratedField, CASCADE, PROTECT, RESTRICT, SET,
        SET_NULL, SET_DEFAULT, DB_CASCADE, DB_SET_NULL, DB_SET_DEFAULT, DO_NOTHING,
        FullTextIndex, Index, UniqueConstraint, CheckConstraint, Deferrable,
        TimestampMixin, IntPKMixin, UUIDPKMixin, PGUUIDPKMixin, UpdateMixin, SoftDeleteMixin, create_tables,
        acreate_tables, drop_tables, adrop_tables,
    )
    from ormolu.fields import (
        Field, AutoField, BigAutoField, SmallAutoField, ArrayField, BigIntegerField, BinaryField,
        BooleanField, CharField, DateField, DateTimeField, DecimalField, DurationField, EmailField, EnumField,
        FileField, FilePathField, FloatField, GenericIPAddressField, ImageField, IntegerField, JSONField,
        PositiveBigIntegerField, PositiveIntegerField, PositiveSmallIntegerField, SlugField,
        SmallIntegerField, TextField, TimeField, URLField, UUIDField, VersionField, Choices, TextChoices,
        IntegerChoices,
    )
    from ormolu.query import (
        QuerySet, Q, F, CTE, Lateral, Value, Func, Case, When, Exists, Subquery, OuterRef, Proposed, ExpressionWrapper,
        RawSQL,
        Prefetch, prefetch_related_objects, aprefetch_related_objects, Avg, Count, Max, Min, StdDev, Sum,
        Variance, Aggregate, Expression, Lookup, Transform, KT, KeyTextTransform, KeyTransform,
        FetchMode, FETCH_ONE, FETCH_PEERS, RAISE, FilteredRelation, OrderBy, RowRange, ValueRange, Window,
        WindowFrame, WindowFrameExclusion, fetch_many, afetch_many,
    )
    from ormolu.query.functions import (
        Abs, Cast, Coalesce, Concat, Greatest, Least, Length, Lower, Now, NullIf, Round, Trim, Trunc, Upper,
    )
    from ormolu.repository import AsyncRepository, AsyncUnitOfWork, Repository, UnitOfWork
    from ormolu.transaction import atomic, aatomic, on_commit
    from ormolu.databases import capture_queries, CapturedQuery
    from ormolu.databases.health import ahealth_check, health_check
    from ormolu.databases.observation import reset_queries
    from ormolu.databases.retry import aretry_transient, retry_transient
    from ormolu.databases.connections import connection, connections
    from ormolu.conf import configure, settings
    from ormolu.signals import (
        Signal, receiver, pre_init, post_init, pre_save, post_save, pre_delete, post_delete, m2m_changed,
        pre_query, post_query,
    )
    from ormolu.exceptions import (
        ObjectDoesNotExist, MultipleObjectsReturned, FieldDoesNotExist, FieldError, ValidationError,
        FieldFetchBlocked, ImproperlyConfigured, InvalidCursor, NotLoaded, MissingExtra, DatabaseError, IntegrityError,
        OperationalError, ProtectedError, RestrictedError, StaleObjectError, TransactionManagementError,
    )

__all__ = [
    "Model", "TypedModel", "key_of",
    "Manager", "ForeignKey", "ForeignObject", "OneToOneField", "ManyToManyField", "CompositePrimaryKey",
    "GeneratedField", "CASCADE", "PROTECT", "RESTRICT",
    "SET", "SET_NULL", "SET_DEFAULT", "DB_CASCADE", "DB_SET_NULL", "DB_SET_DEFAULT", "DO_NOTHING",
    "FullTextIndex", "Index", "UniqueConstraint", "CheckConstraint",
    "Deferrable", "TimestampMixin", "IntPKMixin", "UUIDPKMixin", "PGUUIDPKMixin", "UpdateMixin",
    "SoftDeleteMixin", "create_tables", "acreate_tables", "drop_tables", "adrop_tables",
    "Field", "AutoField", "BigAutoField", "SmallAutoField", "ArrayField", "BigIntegerField", "BinaryField",
    "BooleanField", "CharField", "DateField", "DateTimeField", "DecimalField", "DurationField",
    "EmailField", "EnumField", "FileField", "FilePathField", "FloatField", "GenericIPAddressField", "ImageField",
    "IntegerField", "JSONField", "PositiveBigIntegerField", "PositiveIntegerField",
    "PositiveSmallIntegerField", "SlugField", "SmallIntegerField", "TextField", "TimeField", "URLField",
    "UUIDField", "VersionField", "Choices", "TextChoices", "IntegerChoices",
    "QuerySet", "Q", "F", "CTE", "Lateral", "Value", "Func", "Case", "When", "Exists", "Subquery", "OuterRef",
    "Proposed",
    "ExpressionWrapper", "RawSQL", "Prefetch", "prefetch_related_objects", "aprefetch_related_objects",
    "FetchMode", "FETCH_ONE", "FETCH_PEERS", "RAISE", "fetch_many", "afetch_many", "FilteredRelation", "OrderBy",
    "RowRange", "ValueRange", "Window", "WindowFrame", "WindowFrameExclusion",
    "Avg", "Count", "Max", "Min", "StdDev", "Sum", "Variance",
    "Aggregate", "Expression", "Lookup", "Transform", "KT", "KeyTextTransform", "KeyTransform",
    "Abs", "Cast", "Coalesce", "Concat", "Greatest", "Least", "Length", "Lower", "Now", "NullIf", "Round",
    "Trim", "Trunc", "Upper",
    "Repository", "AsyncRepository", "UnitOfWork", "AsyncUnitOfWork",
    "atomic", "aatomic", "on_commit",
    "capture_queries", "CapturedQuery", "reset_queries", "connection", "connections",
    "health_check", "ahealth_check", "retry_transient", "aretry_transient",
    "configure", "settings",
    "Signal", "receiver", "pre_init", "post_init", "pre_save", "post_save", "pre_delete", "post_delete",
    "m2m_changed", "pre_query", "post_query",
    "ObjectDoesNotExist", "MultipleObjectsReturned", "FieldDoesNotExist", "FieldError", "ValidationError",
    "FieldFetchBlocked", "ImproperlyConfigured", "InvalidCursor", "NotLoaded", "MissingExtra", "DatabaseError",
    "IntegrityError",
    "OperationalError", "ProtectedError", "RestrictedError", "StaleObjectError", "TransactionManagementError",
    "conf", "databases", "exceptions", "fields", "files", "models", "query", "repository", "schemas", "signals",
    "transaction",
]

_NAMES = {
    "ormolu.models": """
        Model TypedModel key_of
        Manager ForeignKey ForeignObject OneToOneField ManyToManyField CompositePrimaryKey
        GeneratedField CASCADE PROTECT RESTRICT SET SET_NULL
        SET_DEFAULT DB_CASCADE DB_SET_NULL DB_SET_DEFAULT DO_NOTHING
        FullTextIndex Index UniqueConstraint CheckConstraint Deferrable TimestampMixin IntPKMixin
        UUIDPKMixin PGUUIDPKMixin UpdateMixin SoftDeleteMixin create_tables acreate_tables drop_tables
        adrop_tables
    """,
    "ormolu.fields": """
        Field AutoField BigAutoField SmallAutoField ArrayField BigIntegerField BinaryField BooleanField
        CharField DateField DateTimeField DecimalField DurationField EmailField EnumField FileField FilePathField
        FloatField GenericIPAddressField ImageField IntegerField JSONField PositiveBigIntegerField
        PositiveIntegerField PositiveSmallIntegerField SlugField SmallIntegerField TextField TimeField
        URLField UUIDField VersionField Choices TextChoices IntegerChoices
    """,
    "ormolu.query": """
        QuerySet Q F CTE Lateral Value Func Case When Exists Subquery OuterRef Proposed ExpressionWrapper RawSQL
        Prefetch prefetch_related_objects aprefetch_related_objects Avg Count Max Min StdDev Sum Variance
        Aggregate Expression Lookup Transform KT KeyTextTransform KeyTransform
        FetchMode FETCH_ONE FETCH_PEERS RAISE FilteredRelation OrderBy RowRange ValueRange Window WindowFrame
        WindowFrameExclusion fetch_many afetch_many
    """,
    "ormolu.query.functions": """
        Abs Cast Coalesce Concat Greatest Least Length Lower Now NullIf Round Trim Trunc Upper
    """,
    "ormolu.repository": """
        Repository AsyncRepository UnitOfWork AsyncUnitOfWork
    """,
    "ormolu.transaction": """
        atomic aatomic on_commit
    """,
    "ormolu.databases": """
        capture_queries CapturedQuery
    """,
    "ormolu.databases.health": """
        health_check ahealth_check
    """,
    "ormolu.databases.observation": """
        reset_queries
    """,
    "ormolu.databases.retry": """
        retry_transient aretry_transient
    """,
    "ormolu.databases.connections": """
        connection connections
    """,
    "ormolu.conf": """
        configure settings
    """,
    "ormolu.signals": """
        Signal receiver pre_init post_init pre_save post_save pre_delete post_delete m2m_changed pre_query
        post_query
    """,
    "ormolu.exceptions": """
        ObjectDoesNotExist MultipleObjectsReturned FieldDoesNotExist FieldError ValidationError
        FieldFetchBlocked ImproperlyConfigured InvalidCursor NotLoaded MissingExtra DatabaseError IntegrityError
        OperationalError
        ProtectedError RestrictedError StaleObjectError TransactionManagementError
    """,
}
# fmt: on
# isort: on
_HOMES = {name: home for home, names in _NAMES.items() for name in names.split()}
_MODULES = frozenset(__all__) - _HOMES.keys()


def _import(name: str) -> Any:
    """Import a public name, and keep it, so that this runs once for each."""
    if name in _HOMES:
        value = getattr(import_module(_HOMES[name]), name)
    elif name in _MODULES:
        value = import_module(f"ormolu.{name}")
    else:
        raise AttributeError(_unknown(name))
    globals()[name] = value
    return value


if not TYPE_CHECKING:  # else a checker would take every name for one that exists
    __getattr__ = _import


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


def _unknown(name: str) -> str:
    import difflib

    close = difflib.get_close_matches(name, __all__, 1)
    hint = f" Did you mean {close[0]!r}?" if close else ""
    return f"module 'ormolu' has no attribute {name!r}.{hint}"
