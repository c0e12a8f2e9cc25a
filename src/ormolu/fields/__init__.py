"""Fields: what the attributes of a model hold, and how their values travel to the database and back."""

from __future__ import annotations

from ormolu.fields.arrays import ArrayField
from ormolu.fields.autos import AutoField, BigAutoField, SmallAutoField
from ormolu.fields.base import Field
from ormolu.fields.binary import BinaryField
from ormolu.fields.choices import Choices, IntegerChoices, TextChoices
from ormolu.fields.dates import DateField, DateTimeField, DurationField, TimeField
from ormolu.fields.files import FileField, FilePathField, ImageField
from ormolu.fields.integers import (
    BigIntegerField,
    IntegerField,
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
from ormolu.fields.text import CharField, EmailField, SlugField, TextField, URLField
from ormolu.fields.uuids import UUIDField

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
    "DatabaseDefault",
    "DateField",
    "DateTimeField",
    "DecimalField",
    "DurationField",
    "EmailField",
    "Field",
    "FileField",
    "FilePathField",
    "FloatField",
    "GenericIPAddressField",
    "IPAddressField",
    "ImageField",
    "IntegerChoices",
    "IntegerField",
    "JSONField",
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
]
