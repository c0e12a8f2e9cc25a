"""Fields: what the attributes of a model hold, and how their values travel to the database and back.

Each name is imported on first use: a model pays for the kinds of fields that it has.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ormolu.lazy import door

if TYPE_CHECKING:
    from ormolu.fields.arrays import ArrayField
    from ormolu.fields.autos import AutoField, BigAutoField, SmallAutoField
    from ormolu.fields.base import Field
    from ormolu.fields.binary import BinaryField
    from ormolu.fields.choices import Choices, IntegerChoices, TextChoices
    from ormolu.fields.dates import DateField, DateTimeField, DurationField, TimeField
    from ormolu.fields.enums import EnumField
    from ormolu.fields.field_files import FieldFile, ImageFieldFile
    from ormolu.fields.file_paths import FilePathField
    from ormolu.fields.files import FileField, ImageField
    from ormolu.fields.formats import CommaSeparatedIntegerField, EmailField, SlugField, URLField
    from ormolu.fields.integers import (
        BigIntegerField,
        IntegerField,
        OrderWrt,
        PositiveBigIntegerField,
        PositiveIntegerField,
        PositiveSmallIntegerField,
        SmallIntegerField,
    )
    from ormolu.fields.json import JSONField
    from ormolu.fields.network import GenericIPAddressField, IPAddressField
    from ormolu.fields.numbers import BooleanField, DecimalField, FloatField
    from ormolu.fields.options import NOT_PROVIDED, DatabaseDefault
    from ormolu.fields.plain import ColumnField
    from ormolu.fields.text import CharField, TextField
    from ormolu.fields.uuids import UUIDField
    from ormolu.fields.versions import VersionField

__all__ = [
    "NOT_PROVIDED",
    "ArrayField",
    "AutoField",
    "BigAutoField",
    "BigIntegerField",
    "BinaryField",
    "BooleanField",
    "CharField",
    "Choices",
    "ColumnField",
    "CommaSeparatedIntegerField",
    "DatabaseDefault",
    "DateField",
    "DateTimeField",
    "DecimalField",
    "DurationField",
    "EmailField",
    "EnumField",
    "Field",
    "FieldFile",
    "FileField",
    "FilePathField",
    "FloatField",
    "GenericIPAddressField",
    "IPAddressField",
    "ImageField",
    "ImageFieldFile",
    "IntegerChoices",
    "IntegerField",
    "JSONField",
    "OrderWrt",
    "PositiveBigIntegerField",
    "PositiveIntegerField",
    "PositiveSmallIntegerField",
    "SlugField",
    "SmallAutoField",
    "SmallIntegerField",
    "TextChoices",
    "TextField",
    "TimeField",
    "URLField",
    "UUIDField",
    "VersionField",
]

if not TYPE_CHECKING:
    __getattr__, __dir__ = door(
        __name__,
        {
            "arrays": "ArrayField",
            "autos": "AutoField BigAutoField SmallAutoField",
            "base": "Field",
            "binary": "BinaryField",
            "choices": "Choices IntegerChoices TextChoices",
            "dates": "DateField DateTimeField DurationField TimeField",
            "enums": "EnumField",
            "field_files": "FieldFile ImageFieldFile",
            "file_paths": "FilePathField",
            "files": "FileField ImageField",
            "formats": "CommaSeparatedIntegerField EmailField SlugField URLField",
            "integers": """
                BigIntegerField IntegerField OrderWrt PositiveBigIntegerField PositiveIntegerField
                PositiveSmallIntegerField SmallIntegerField
            """,
            "json": "JSONField",
            "network": "GenericIPAddressField IPAddressField",
            "numbers": "BooleanField DecimalField FloatField",
            "options": "NOT_PROVIDED DatabaseDefault",
            "plain": "ColumnField",
            "text": "CharField TextField",
            "uuids": "UUIDField",
            "versions": "VersionField",
        },
    )
