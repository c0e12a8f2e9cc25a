"""SQLAlchemy types of the fields, by the fields' internal types. Each is imported on first use."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ormolu.lazy import door

if TYPE_CHECKING:
    from ormolu.fields.types.base import ValueType
    from ormolu.fields.types.choosing import DeclaredType, type_of
    from ormolu.fields.types.files import FileNameType
    from ormolu.fields.types.numeric import BooleanType, DecimalType, FloatType
    from ormolu.fields.types.structured import ArrayType, BinaryType, InetType, JSONType, UUIDType
    from ormolu.fields.types.temporal import DateTimeType, DateType, DurationType, TimeType

__all__ = [
    "ArrayType",
    "BinaryType",
    "BooleanType",
    "DateTimeType",
    "DateType",
    "DecimalType",
    "DeclaredType",
    "DurationType",
    "FileNameType",
    "FloatType",
    "InetType",
    "JSONType",
    "TimeType",
    "UUIDType",
    "ValueType",
    "type_of",
]

if not TYPE_CHECKING:
    __getattr__, __dir__ = door(
        __name__,
        {
            "base": "ValueType",
            "choosing": "DeclaredType type_of",
            "files": "FileNameType",
            "numeric": "BooleanType DecimalType FloatType",
            "structured": "ArrayType BinaryType InetType JSONType UUIDType",
            "temporal": "DateTimeType DateType DurationType TimeType",
        },
    )
