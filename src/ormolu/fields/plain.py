"""The field that stands for a plain SQLAlchemy column in a model."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import sqlalchemy as sa

from ormolu.fields.base import Field, T
from ormolu.fields.options import NOT_PROVIDED
from ormolu.lazy import public_path

__all__ = ["ColumnField"]

_INTERNAL_TYPES: list[tuple[type[sa.types.TypeEngine[Any]], str]] = [
    (sa.Boolean, "BooleanField"),
    (sa.BigInteger, "BigIntegerField"),
    (sa.SmallInteger, "SmallIntegerField"),
    (sa.Integer, "IntegerField"),
    (sa.Float, "FloatField"),
    (sa.Numeric, "DecimalField"),
    (sa.DateTime, "DateTimeField"),
    (sa.Date, "DateField"),
    (sa.Time, "TimeField"),
    (sa.Interval, "DurationField"),
    (sa.Uuid, "UUIDField"),
    (sa.LargeBinary, "BinaryField"),
    (sa.JSON, "JSONField"),
    (sa.Text, "TextField"),
    (sa.String, "CharField"),
]

_IMMUTABLE = (
    sa.String,
    sa.Integer,
    sa.Numeric,
    sa.Boolean,
    sa.Date,
    sa.DateTime,
    sa.Time,
    sa.Interval,
    sa.Uuid,
)


class ColumnField(Field[T]):
    """Describe a column that was declared with `mapped_column()`: a field's protocol, the column's own type.

    `key` is the attribute's name where it is not the column's.
    """

    def __init__(self, column: sa.Column[Any], key: str | None = None) -> None:
        self.plain_column = column
        default: Any = column.default
        given: Any = NOT_PROVIDED
        if default is not None and (default.is_scalar or default.is_callable):
            given = default.arg  # pyright: ignore
        super().__init__(
            primary_key=column.primary_key,
            max_length=getattr(column.type, "length", None),
            unique=bool(column.unique),
            null=bool(column.nullable),
            blank=bool(column.nullable) or column.server_default is not None,
            db_index=bool(column.index),
            db_column=column.name,
            db_comment=column.comment,
        )
        self.default = given
        if key is not None:
            self.set_attributes_from_name(key)

    def has_db_default(self) -> bool:
        """Return whether the column has a server default."""
        return self.plain_column.server_default is not None

    @property
    def _get_default(self) -> Callable[[], Any]:  # pyright: ignore
        if callable(self.default):
            # SQLAlchemy gives a column's default function the execution context.
            return lambda: self.default(None)
        return super()._get_default

    @property
    def sa_type(self) -> sa.types.TypeEngine[Any]:  # pyright: ignore
        """The column's type."""
        return self.plain_column.type

    @property
    def sa_column(self) -> sa.Column[Any]:  # pyright: ignore
        """The column itself."""
        return self.plain_column

    def make_column(self) -> sa.Column[Any]:
        """Return the column that was declared."""
        return self.plain_column

    def get_internal_type(self) -> str:
        """Return the name of the field class that comes nearest to the column's type."""
        type_ = self.plain_column.type
        if isinstance(type_, sa.types.TypeDecorator):
            type_ = type_.impl_instance
        for candidate, name in _INTERNAL_TYPES:
            if isinstance(type_, candidate):
                return name
        return "ColumnField"

    @property
    def immutable(self) -> bool:  # pyright: ignore
        """Whether the type is a plain scalar one."""
        return isinstance(self.plain_column.type, _IMMUTABLE)

    def prep_for(self, cls: type, connection: Any = None) -> Callable[[Any], Any] | None:
        """Return None: the column's type converts."""
        return None

    def deconstruct(self) -> tuple[str | None, str, list[Any], dict[str, Any]]:
        """Return (name, path, args, kwargs) with a copy of the column."""
        return self.name, public_path(type(self)), [self.plain_column.copy()], {}
