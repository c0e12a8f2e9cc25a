"""`dorm.exceptions`: the errors, which are Ormolu's.

An error of a validated object is by field, as in Django; `FieldErrors` adds djanorm's `message` to it.
"""

from __future__ import annotations

from ormolu.exceptions import (
    DatabaseError,
    FieldDoesNotExist,
    ImproperlyConfigured,
    IntegrityError,
    MultipleObjectsReturned,
    ObjectDoesNotExist,
    OperationalError,
    ProgrammingError,
    ProtectedError,
    ValidationError,
)
from ormolu.migrations.states import MigrationError

__all__ = [
    "DatabaseError",
    "DoesNotExist",
    "FieldDoesNotExist",
    "FieldErrors",
    "ImproperlyConfigured",
    "IntegrityError",
    "MigrationError",
    "MultipleObjectsReturned",
    "ObjectDoesNotExist",
    "OperationalError",
    "ProgrammingError",
    "ProtectedError",
    "ValidationError",
]

DoesNotExist = ObjectDoesNotExist


class FieldErrors(ValidationError):
    """Errors by field, in `error_dict`; and in one text, `message`."""

    def __init__(self, errors: ValidationError) -> None:
        super().__init__(errors)
        self.message = "; ".join(f"{name}: {' '.join(texts)}" for name, texts in self.message_dict.items())
        self.code = None

    def comparison_key(self) -> object:
        """Return what equality means: the same errors of the same fields, whatever class holds them."""
        return ValidationError(dict(self.error_dict)).comparison_key()

    def __reduce__(self) -> tuple[object, ...]:
        return type(self), (ValidationError(dict(self.error_dict)),)
