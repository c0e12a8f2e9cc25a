"""The names of django.contrib.postgres.validators."""

from __future__ import annotations

from ormolu.fields.validators import (
    ArrayMaxLengthValidator,
    ArrayMinLengthValidator,
    KeysValidator,
    RangeMaxValueValidator,
    RangeMinValueValidator,
)

__all__ = [
    "ArrayMaxLengthValidator",
    "ArrayMinLengthValidator",
    "KeysValidator",
    "RangeMaxValueValidator",
    "RangeMinValueValidator",
]
