"""Validators of text: regular expressions, slugs, integers."""

from __future__ import annotations

import re
from typing import Any

from ormolu.fields.validators.base import Validator

__all__ = [
    "ProhibitNullCharactersValidator",
    "RegexValidator",
    "int_list_validator",
    "integer_validator",
    "validate_comma_separated_integer_list",
    "validate_integer",
    "validate_slug",
    "validate_unicode_slug",
]


class RegexValidator(Validator):
    """Refuse a value in whose text `regex` is not found, or, with `inverse_match`, is found."""

    regex: Any = ""
    inverse_match: bool = False
    flags: int = 0

    def __init__(
        self,
        regex: str | re.Pattern[str] | None = None,
        message: Any = None,
        code: str | None = None,
        inverse_match: bool | None = None,
        flags: int | None = None,
    ) -> None:
        given = {
            "regex": regex,
            "message": message,
            "code": code,
            "inverse_match": inverse_match,
            "flags": flags,
        }
        for name, value in given.items():
            if value is not None:
                setattr(self, name, value)
        if self.flags and not isinstance(self.regex, str):
            raise TypeError("If the flags are set, regex must be a regular expression string.")
        self.regex = re.compile(self.regex, self.flags)

    def _identity(self) -> object:
        return self.regex.pattern, self.regex.flags, self.inverse_match

    def __call__(self, value: Any) -> None:
        if bool(self.regex.search(str(value))) is self.inverse_match:
            raise self._refuse(value)


integer_validator = RegexValidator(re.compile(r"^-?\d+\Z"), message="Enter a valid integer.", code="invalid")


def validate_integer(value: Any) -> None:
    """Refuse what is not the text of an integer."""
    integer_validator(value)


validate_slug = RegexValidator(
    re.compile(r"^[-a-zA-Z0-9_]+\Z"),
    "Enter a valid “slug” consisting of letters, numbers, underscores or hyphens.",
    "invalid",
)

validate_unicode_slug = RegexValidator(
    re.compile(r"^[-\w]+\Z"),
    "Enter a valid “slug” consisting of Unicode letters, numbers, underscores, or hyphens.",
    "invalid",
)


def int_list_validator(
    sep: str = ",", message: Any = None, code: str = "invalid", allow_negative: bool = False
) -> RegexValidator:
    """Return a validator for integers with `sep` between them."""
    number = r"-?\d+" if allow_negative else r"\d+"
    return RegexValidator(
        re.compile(rf"^{number}(?:{re.escape(sep)}{number})*\Z"), message=message, code=code
    )


validate_comma_separated_integer_list = int_list_validator(message="Enter only digits separated by commas.")


class ProhibitNullCharactersValidator(Validator):
    """Refuse a text with a NUL in it."""

    message = "Null characters are not allowed."
    code = "null_characters_not_allowed"

    def __init__(self, message: Any = None, code: str | None = None) -> None:
        if message is not None:
            self.message = message
        if code is not None:
            self.code = code

    def __call__(self, value: Any) -> None:
        if "\x00" in str(value):
            raise self._refuse(value)
