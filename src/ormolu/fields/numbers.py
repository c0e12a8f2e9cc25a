"""Fields that hold floats, decimals and booleans."""

from __future__ import annotations

import decimal
from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, Literal, overload

import sqlalchemy as sa
from typing_extensions import TypeVar, Unpack

from ormolu.exceptions import DataError, ValidationError
from ormolu.fields import validators
from ormolu.fields.base import Field
from ormolu.fields.options import FieldOptions
from ormolu.fields.types import DecimalType

__all__ = ["BooleanField", "DecimalField", "FloatField"]

DecimalT = TypeVar("DecimalT", default=decimal.Decimal)
FloatT = TypeVar("FloatT", default=float)
BoolT = TypeVar("BoolT", default=bool)


class FloatField(Field[FloatT]):
    """A floating-point number of 64 bits."""

    empty_strings_allowed = False
    description = "Floating point number"
    default_error_messages: ClassVar[dict[str, Any]] = {"invalid": "“%(value)s” value must be a float."}
    plain_classes: ClassVar[frozenset[type]] = frozenset({float})

    if TYPE_CHECKING:

        @overload
        def __init__(
            self: FloatField[float],
            verbose_name: str | None = None,
            *,
            null: Literal[False] = False,
            **options: Unpack[FieldOptions],
        ) -> None: ...
        @overload
        def __init__(
            self: FloatField[float | None],
            verbose_name: str | None = None,
            *,
            null: bool,
            **options: Unpack[FieldOptions],
        ) -> None: ...
        def __init__(self, *args: Any, **options: Any) -> None: ...

    def get_internal_type(self) -> str:
        """Return "FloatField"."""
        return "FloatField"

    def to_python(self, value: Any) -> Any:
        """Return `value` as a float. Raises ValidationError."""
        if value is None:
            return value
        try:
            return float(value)
        except (TypeError, ValueError) as error:
            raise self._invalid("invalid", value) from error

    def get_prep_value(self, value: Any) -> Any:
        """Return `value` as a float. Raises TypeError or ValueError, which names the field."""
        if value is None:
            return None
        try:
            return float(value)
        except (TypeError, ValueError) as error:
            raise type(error)(f"Field {self.name!r} expected a number but got {value!r}.") from error


class DecimalField(Field[DecimalT]):
    """A decimal of `max_digits` digits, `decimal_places` of them after the point; exact everywhere."""

    empty_strings_allowed = False
    description = "Decimal number"
    default_error_messages: ClassVar[dict[str, Any]] = {
        "invalid": "“%(value)s” value must be a decimal number."
    }
    plain_classes: ClassVar[frozenset[type]] = frozenset({decimal.Decimal})
    own_options: ClassVar[dict[str, Any]] = {"max_digits": None, "decimal_places": None}

    if TYPE_CHECKING:

        @overload
        def __init__(
            self: DecimalField[decimal.Decimal],
            verbose_name: str | None = None,
            *,
            max_digits: int | None = None,
            decimal_places: int | None = None,
            null: Literal[False] = False,
            **options: Unpack[FieldOptions],
        ) -> None: ...
        @overload
        def __init__(
            self: DecimalField[decimal.Decimal | None],
            verbose_name: str | None = None,
            *,
            max_digits: int | None = None,
            decimal_places: int | None = None,
            null: bool,
            **options: Unpack[FieldOptions],
        ) -> None: ...
        def __init__(self, *args: Any, **options: Any) -> None: ...

        max_digits: int | None
        decimal_places: int | None

    else:

        def __init__(self, verbose_name=None, name=None, max_digits=None, decimal_places=None, **options):
            self.max_digits, self.decimal_places = max_digits, decimal_places
            super().__init__(verbose_name, name, **options)

    @cached_property
    def validators(self) -> list[Callable[[Any], Any]]:
        """Validators of the class and the field, and one for the digits."""
        return [
            *self.default_validators,
            *self._validators,
            validators.DecimalValidator(self.max_digits, self.decimal_places),
        ]

    @cached_property
    def context(self) -> decimal.Context:
        """Decimal context with the field's precision."""
        return decimal.Context(prec=self.max_digits)

    @property
    def computed_type(self) -> sa.types.TypeEngine[Any]:
        """Type of what is computed from the field: decimals without a scale."""
        return DecimalType()

    def get_internal_type(self) -> str:
        """Return "DecimalField"."""
        return "DecimalField"

    def to_python(self, value: Any) -> Any:
        """Return `value` as a Decimal. Raises ValidationError, for NaN as well."""
        if value is None:
            return value
        try:
            if isinstance(value, float):
                number = self.context.create_decimal_from_float(value)
            else:
                number = decimal.Decimal(value)
        except (decimal.InvalidOperation, TypeError, ValueError) as error:
            raise self._invalid("invalid", value) from error
        if not number.is_finite():
            raise self._invalid("invalid", value)
        return number

    def get_prep_value(self, value: Any) -> Any:
        """Return `value` as a Decimal. Raises ValidationError."""
        return self.to_python(super().get_prep_value(value))

    def save_prep_for(self, cls: type, connection: Any = None) -> Callable[[Any], Any] | None:
        """Return the conversion that rounds to the field's places; raises DataError for too many digits."""
        prepare = super().save_prep_for(cls, connection)
        if cls is type(None) or self.decimal_places is None or self._user_prepares:
            return prepare
        return lambda value: self._quantized(self.get_prep_value(value))

    def get_db_prep_save(self, value: Any, connection: Any) -> Any:
        """Return `value` rounded to the field's places. Raises DataError for too many digits."""
        value = super().get_db_prep_save(value, connection)
        if isinstance(value, decimal.Decimal) and self.decimal_places is not None:
            return self._quantized(value)
        return value

    def _quantized(self, value: decimal.Decimal) -> decimal.Decimal:
        try:
            return value.quantize(
                decimal.Decimal(1).scaleb(-(self.decimal_places or 0)), context=self.context
            )
        except decimal.InvalidOperation as error:
            raise DataError(
                f"{value} does not fit {self}: at most {self.max_digits} digits, "
                f"{self.decimal_places} of them after the point."
            ) from error


class BooleanField(Field[BoolT]):
    """True or False; None as well with `null=True`."""

    empty_strings_allowed = False
    description = "Boolean (Either True or False)"
    default_error_messages: ClassVar[dict[str, Any]] = {
        "invalid": "“%(value)s” value must be either True or False.",
        "invalid_nullable": "“%(value)s” value must be either True, False, or None.",
    }
    plain_classes: ClassVar[frozenset[type]] = frozenset({bool})

    if TYPE_CHECKING:

        @overload
        def __init__(
            self: BooleanField[bool],
            verbose_name: str | None = None,
            *,
            null: Literal[False] = False,
            **options: Unpack[FieldOptions],
        ) -> None: ...
        @overload
        def __init__(
            self: BooleanField[bool | None],
            verbose_name: str | None = None,
            *,
            null: bool,
            **options: Unpack[FieldOptions],
        ) -> None: ...
        def __init__(self, *args: Any, **options: Any) -> None: ...

    def get_internal_type(self) -> str:
        """Return "BooleanField"."""
        return "BooleanField"

    def to_python(self, value: Any) -> Any:
        """Return `value` as a bool; 1, "t", "True", "1" count as True. Raises ValidationError."""
        if self.null and value in self.empty_values:
            return None
        if value in (True, False):  # numbers, and NumPy's booleans, too
            return bool(value)
        if value in ("t", "True", "1"):
            return True
        if value in ("f", "False", "0"):
            return False
        message = self.error_messages["invalid_nullable" if self.null else "invalid"]
        raise ValidationError(message, code="invalid", params={"value": value})

    def get_prep_value(self, value: Any) -> Any:
        """Return `value` as a bool. Raises ValidationError."""
        return None if value is None else self.to_python(super().get_prep_value(value))
