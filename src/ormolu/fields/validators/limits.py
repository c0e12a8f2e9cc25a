"""Validators of size: values, lengths, steps, digits."""

from __future__ import annotations

import decimal
import math
from typing import Any, ClassVar

from ormolu.exceptions import ValidationError
from ormolu.fields.validators.base import Counted, Validator

__all__ = [
    "BaseValidator",
    "DecimalValidator",
    "MaxLengthValidator",
    "MaxValueValidator",
    "MinLengthValidator",
    "MinValueValidator",
    "StepValueValidator",
]


class BaseValidator(Validator):
    """Compare the (cleaned) value with a limit, which may be a function; refuse it if `compare()` says so."""

    message = "Ensure this value is %(limit_value)s (it is %(show_value)s)."
    code = "limit_value"

    def __init__(self, limit_value: Any, message: Any = None) -> None:
        self.limit_value = limit_value
        if message:
            self.message = message

    def _identity(self) -> object:
        return self.limit_value

    def _limit(self) -> Any:
        return self.limit_value() if callable(self.limit_value) else self.limit_value

    def __call__(self, value: Any) -> None:
        cleaned, limit = self.clean(value), self._limit()
        if self.compare(cleaned, limit):
            raise self._refuse(value, limit_value=limit, show_value=cleaned)

    def compare(self, a: Any, b: Any) -> bool:
        """Return whether `a` is to be refused at the limit `b`."""
        return a is not b

    def clean(self, x: Any) -> Any:
        """Return what of the value is compared."""
        return x


class MaxValueValidator(BaseValidator):
    """Refuse what is greater than the limit."""

    message = "Ensure this value is less than or equal to %(limit_value)s."
    code = "max_value"

    def compare(self, a: Any, b: Any) -> bool:
        return bool(a > b)


class MinValueValidator(BaseValidator):
    """Refuse what is less than the limit."""

    message = "Ensure this value is greater than or equal to %(limit_value)s."
    code = "min_value"

    def compare(self, a: Any, b: Any) -> bool:
        return bool(a < b)


class StepValueValidator(BaseValidator):
    """Refuse what is not a whole number of steps from `offset` (0)."""

    message = "Ensure this value is a multiple of step size %(limit_value)s."
    code = "step_size"

    def __init__(self, limit_value: Any, message: Any = None, offset: Any = None) -> None:
        super().__init__(limit_value, message)
        self.offset = offset
        if offset is not None:
            self.message = (
                "Ensure this value is a multiple of step size %(limit_value)s, starting from %(offset)s, "
                "e.g. %(offset)s, %(valid_value1)s, %(valid_value2)s, and so on."
            )

    def _identity(self) -> object:
        return self.limit_value, self.offset

    def _refuse(self, value: Any, **params: Any) -> ValidationError:
        if self.offset is not None:
            start, step = type(params["show_value"])(self.offset), params["limit_value"]
            params.update(offset=start, valid_value1=start + step, valid_value2=start + 2 * step)
        return super()._refuse(value, **params)

    def compare(self, a: Any, b: Any) -> bool:
        distance = math.remainder(a - (self.offset or 0), b)
        return not math.isclose(distance, 0, abs_tol=1e-9)


class MinLengthValidator(BaseValidator):
    """Refuse what is shorter than the limit."""

    message = Counted(
        "Ensure this value has at least %(limit_value)d character (it has %(show_value)d).",
        "Ensure this value has at least %(limit_value)d characters (it has %(show_value)d).",
        "limit_value",
    )
    code = "min_length"

    def compare(self, a: Any, b: Any) -> bool:
        return bool(a < b)

    def clean(self, x: Any) -> Any:
        return len(x)


class MaxLengthValidator(BaseValidator):
    """Refuse what is longer than the limit."""

    message = Counted(
        "Ensure this value has at most %(limit_value)d character (it has %(show_value)d).",
        "Ensure this value has at most %(limit_value)d characters (it has %(show_value)d).",
        "limit_value",
    )
    code = "max_length"

    def compare(self, a: Any, b: Any) -> bool:
        return bool(a > b)

    def clean(self, x: Any) -> Any:
        return len(x)


class DecimalValidator(Validator):
    """Refuse a decimal with more digits, or more places, than allowed."""

    messages: ClassVar[dict[str, Any]] = {
        "invalid": "Enter a number.",
        "max_digits": Counted(
            "Ensure that there are no more than %(max)s digit in total.",
            "Ensure that there are no more than %(max)s digits in total.",
            "max",
        ),
        "max_decimal_places": Counted(
            "Ensure that there are no more than %(max)s decimal place.",
            "Ensure that there are no more than %(max)s decimal places.",
            "max",
        ),
        "max_whole_digits": Counted(
            "Ensure that there are no more than %(max)s digit before the decimal point.",
            "Ensure that there are no more than %(max)s digits before the decimal point.",
            "max",
        ),
    }

    def __init__(self, max_digits: int | None, decimal_places: int | None) -> None:
        self.max_digits = max_digits
        self.decimal_places = decimal_places

    def _identity(self) -> object:
        return self.max_digits, self.decimal_places

    def __call__(self, value: decimal.Decimal) -> None:
        if not value.is_finite():
            raise ValidationError(self.messages["invalid"], code="invalid", params={"value": value})
        _, digits, exponent = value.as_tuple()
        places = max(0, -int(exponent))
        # 0.001 has three digits though one is written; 1E+3 has four.
        written = len(digits) + (max(0, int(exponent)) if any(digits) else 0)
        total = max(written, places)
        whole = (
            None
            if self.max_digits is None or self.decimal_places is None
            else self.max_digits - self.decimal_places
        )
        for code, count, most in (
            ("max_digits", total, self.max_digits),
            ("max_decimal_places", places, self.decimal_places),
            ("max_whole_digits", total - places, whole),
        ):
            if most is not None and count > most:
                raise ValidationError(self.messages[code], code=code, params={"max": most, "value": value})
