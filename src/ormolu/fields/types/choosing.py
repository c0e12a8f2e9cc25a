"""Which column type a field has, by its internal type."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import sqlalchemy as sa

from ormolu.exceptions import ImproperlyConfigured
from ormolu.fields import types
from ormolu.fields.types.base import ValueType

__all__ = ["DeclaredType", "type_of"]


def _varchar(field: Any) -> sa.types.TypeEngine[Any]:
    return sa.String(field.max_length, collation=getattr(field, "db_collation", None))


def _text(field: Any) -> sa.types.TypeEngine[Any]:
    return sa.Text(collation=getattr(field, "db_collation", None))


def _serial(type_: type[sa.Integer]) -> Callable[[Any], sa.types.TypeEngine[Any]]:
    # SQLite numbers rows by itself in a column of the type INTEGER only; it holds 64 bits there.
    return lambda field: type_().with_variant(sa.Integer(), "sqlite")


def _decimal(field: Any) -> sa.types.TypeEngine[Any]:
    return types.DecimalType(getattr(field, "max_digits", None), getattr(field, "decimal_places", None))


def _json(field: Any) -> sa.types.TypeEngine[Any]:
    return types.JSONType(getattr(field, "encoder", None), getattr(field, "decoder", None))


_TYPES: dict[str, Callable[[Any], sa.types.TypeEngine[Any]]] = {
    "AutoField": _serial(sa.Integer),
    "BigAutoField": _serial(sa.BigInteger),
    "SmallAutoField": _serial(sa.SmallInteger),
    "BigIntegerField": lambda field: sa.BigInteger(),
    "IntegerField": lambda field: sa.Integer(),
    "SmallIntegerField": lambda field: sa.SmallInteger(),
    "PositiveBigIntegerField": lambda field: sa.BigInteger(),
    "PositiveIntegerField": lambda field: sa.Integer(),
    "PositiveSmallIntegerField": lambda field: sa.SmallInteger(),
    "FloatField": lambda field: types.FloatType(),
    "DecimalField": _decimal,
    "BooleanField": lambda field: types.BooleanType(),
    "CharField": _varchar,
    "SlugField": _varchar,
    "FileField": lambda field: types.FileNameType(field.max_length, field.null),
    "FilePathField": _varchar,
    "TextField": _text,
    "DateField": lambda field: types.DateType(),
    "DateTimeField": lambda field: types.DateTimeType(),
    "TimeField": lambda field: types.TimeType(),
    "DurationField": lambda field: types.DurationType(),
    "UUIDField": lambda field: types.UUIDType(),
    "JSONField": _json,
    "BinaryField": lambda field: types.BinaryType(),
    "IPAddressField": lambda field: types.InetType(),
    "GenericIPAddressField": lambda field: types.InetType(),
}


class _RawType(sa.types.UserDefinedType[Any]):
    """A type named by its SQL text."""

    cache_ok = True

    def __init__(self, text: str) -> None:
        self.text = text

    def get_col_spec(self, **kw: Any) -> str:
        return self.text


class _DialectView:
    """What a user's `db_type(connection)` may look at when only the dialect is known."""

    def __init__(self, dialect: sa.Dialect) -> None:
        self.dialect = dialect
        self.vendor = "mysql" if dialect.name == "mariadb" else dialect.name


class DeclaredType(ValueType):
    """The type that a user's field class names in its own `db_type(connection)`, or another method of that kind."""

    impl = sa.types.NullType

    def __init__(self, field: Any, method: str = "db_type") -> None:
        self.field = field
        self.method = method
        super().__init__()

    def load_dialect_impl(self, dialect: sa.Dialect) -> sa.types.TypeEngine[Any]:
        return _RawType(getattr(self.field, self.method)(_DialectView(dialect)) or "")

    def result_processor(self, dialect: sa.Dialect, coltype: object) -> Any:
        """Return a copy of lists and dicts: what the driver gave stays as it is, to be compared with."""
        if dialect.name != "postgresql":
            return None
        from ormolu.fields.types.structured import copied

        return copied


def type_of(field: Any) -> sa.types.TypeEngine[Any]:
    """Return the column type that the field's internal type stands for.

    Raises ImproperlyConfigured for a field class that says neither an internal type nor an SQL type.
    """
    internal = field.get_internal_type()
    make = _TYPES.get(internal)
    if make is not None:
        return make(field)
    raise ImproperlyConfigured(
        f"{field}: {type(field).__name__} has no column type. Let get_internal_type() return the name of a "
        f"built-in field class ({', '.join(sorted(_TYPES))}), or define db_type(connection); "
        f"it returned {internal!r}."
    )
