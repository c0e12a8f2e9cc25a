"""`dorm.validators`: what a field's value must be."""

from ormolu.exceptions import ValidationError
from ormolu.fields.validators import (
    EmailValidator,
    MaxLengthValidator,
    MaxValueValidator,
    MinLengthValidator,
    MinValueValidator,
    RegexValidator,
    validate_email,
)

__all__ = [
    "EmailValidator",
    "MaxLengthValidator",
    "MaxValueValidator",
    "MinLengthValidator",
    "MinValueValidator",
    "RegexValidator",
    "ValidationError",
    "validate_email",
]
