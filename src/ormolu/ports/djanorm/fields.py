"""`dorm.fields`: Ormolu's fields, and two of djanorm's own."""

from __future__ import annotations

from typing import Any

from ormolu.fields import (
    ArrayField,
    AutoField,
    BigAutoField,
    BigIntegerField,
    BinaryField,
    BooleanField,
    CharField,
    DateField,
    DateTimeField,
    DecimalField,
    DurationField,
    EmailField,
    Field,
    FloatField,
    GenericIPAddressField,
    IntegerField,
    JSONField,
    PositiveIntegerField,
    PositiveSmallIntegerField,
    SlugField,
    SmallAutoField,
    SmallIntegerField,
    TextField,
    TimeField,
    URLField,
    UUIDField,
)
from ormolu.models import (
    CASCADE,
    DO_NOTHING,
    PROTECT,
    RESTRICT,
    SET_DEFAULT,
    SET_NULL,
    ForeignKey,
    ManyToManyField,
    OneToOneField,
)

# fmt: off
__all__ = [
    "ArrayField", "AutoField", "BigAutoField", "BigIntegerField", "BinaryField", "BooleanField", "CASCADE", "CharField",
    "DO_NOTHING", "DateField", "DateTimeField", "DecimalField", "DurationField", "EmailField", "Field", "FloatField",
    "ForeignKey", "GenericIPAddressField", "IPAddressField", "IntegerField", "JSONField", "ManyToManyField",
    "NullBooleanField", "OneToOneField", "PROTECT", "PositiveIntegerField", "PositiveSmallIntegerField", "RESTRICT",
    "SET_DEFAULT", "SET_NULL", "SlugField", "SmallAutoField", "SmallIntegerField", "TextField", "TimeField", "URLField",
    "UUIDField",
]
# fmt: on


class NullBooleanField(BooleanField):
    """A boolean that may be None: `BooleanField(null=True, blank=True)`."""

    def __init__(self, **options: Any) -> None:
        options.setdefault("null", True)
        options.setdefault("blank", True)
        super().__init__(**options)


class IPAddressField(GenericIPAddressField):
    """An IPv4 address: `GenericIPAddressField(protocol="IPv4")`."""

    def __init__(self, **options: Any) -> None:
        options.setdefault("protocol", "IPv4")
        super().__init__(**options)
