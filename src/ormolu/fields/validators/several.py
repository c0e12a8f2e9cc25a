"""Validators of values that hold several: arrays, ranges, dicts.

Source: Django's documentation, "PostgreSQL specific validators".
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from ormolu.exceptions import ValidationError
from ormolu.fields.validators.base import Counted, Validator
from ormolu.fields.validators.limits import (
    MaxLengthValidator,
    MaxValueValidator,
    MinLengthValidator,
    MinValueValidator,
)

__all__ = [
    "ArrayMaxLengthValidator",
    "ArrayMinLengthValidator",
    "KeysValidator",
    "RangeMaxValueValidator",
    "RangeMinValueValidator",
]


class ArrayMaxLengthValidator(MaxLengthValidator):
    """Refuse a list with more items than the limit."""

    message = Counted(
        "List contains %(show_value)d item, it should contain no more than %(limit_value)d.",
        "List contains %(show_value)d items, it should contain no more than %(limit_value)d.",
        "show_value",
    )


class ArrayMinLengthValidator(MinLengthValidator):
    """Refuse a list with fewer items than the limit."""

    message = Counted(
        "List contains %(show_value)d item, it should contain no fewer than %(limit_value)d.",
        "List contains %(show_value)d items, it should contain no fewer than %(limit_value)d.",
        "show_value",
    )


class RangeMaxValueValidator(MaxValueValidator):
    """Refuse a range that goes beyond the limit, or has no upper bound."""

    message = "Ensure that the upper bound of the range is not greater than %(limit_value)s."

    def compare(self, a: Any, b: Any) -> bool:
        return a.upper is None or a.upper > b


class RangeMinValueValidator(MinValueValidator):
    """Refuse a range that begins before the limit, or has no lower bound."""

    message = "Ensure that the lower bound of the range is not less than %(limit_value)s."

    def compare(self, a: Any, b: Any) -> bool:
        return a.lower is None or a.lower < b


class KeysValidator(Validator):
    """Refuse a dict that lacks one of `keys`; a `strict` one also refuses any other key.

    `messages` may have other texts, by the codes "missing_keys" and "extra_keys".
    """

    messages: Mapping[str, Any] = {
        "missing_keys": "Some keys were missing: %(keys)s",
        "extra_keys": "Some unknown keys were provided: %(keys)s",
    }

    def __init__(
        self, keys: Collection[str], strict: bool = False, messages: Mapping[str, Any] | None = None
    ) -> None:
        self.keys = set(keys)
        self.strict = strict
        if messages is not None:
            self.messages = {**self.messages, **messages}

    def _identity(self) -> object:
        return frozenset(self.keys), self.strict, tuple(sorted(self.messages.items()))

    def __call__(self, value: Any) -> None:
        for code, keys in (
            ("missing_keys", self.keys - set(value)),
            ("extra_keys", set(value) - self.keys if self.strict else ()),
        ):
            if keys:
                raise ValidationError(
                    self.messages[code], code=code, params={"keys": ", ".join(sorted(keys))}
                )
