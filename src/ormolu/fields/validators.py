"""Validators: callables that raise ValidationError for a value that does not fit.

Names, arguments, codes and texts are those of Django's `django.core.validators`; those made alike are equal.
Sources: Django's documentation, "Validators"; RFC 1034 (host names), 3986 (URLs), 5321 and 5322 (addresses).
"""

from __future__ import annotations

import decimal
import importlib
import ipaddress
import math
import re
from collections.abc import Callable, Iterable
from pathlib import PurePath
from typing import Any, ClassVar, Self
from urllib.parse import urlsplit

from ormolu.exceptions import ValidationError

__all__ = [
    "EMPTY_VALUES",
    "BaseValidator",
    "DecimalValidator",
    "DomainNameValidator",
    "EmailValidator",
    "FileExtensionValidator",
    "MaxLengthValidator",
    "MaxValueValidator",
    "MinLengthValidator",
    "MinValueValidator",
    "ProhibitNullCharactersValidator",
    "RegexValidator",
    "StepValueValidator",
    "URLValidator",
    "get_available_image_extensions",
    "int_list_validator",
    "integer_validator",
    "ip_address_validators",
    "validate_comma_separated_integer_list",
    "validate_domain_name",
    "validate_email",
    "validate_image_file_extension",
    "validate_integer",
    "validate_ipv46_address",
    "validate_ipv4_address",
    "validate_ipv6_address",
    "validate_slug",
    "validate_unicode_slug",
]

EMPTY_VALUES: tuple[Any, ...] = (None, "", [], (), {})


class _Counted(str):
    """A text with a singular form, used where `params[number]` is 1."""

    singular: str
    number: str

    def __new__(cls, singular: str, plural: str, number: str) -> Self:
        text = super().__new__(cls, plural)
        text.singular, text.number = singular, number
        return text

    def __reduce__(self) -> tuple[Any, ...]:
        return _Counted, (self.singular, str(self), self.number)

    def __mod__(self, params: Any) -> str:
        text = self.singular if params[self.number] == 1 else str(self)
        return str(text % params)


class _Validator:
    """What all validator classes share: how they are made again, compared, and how they refuse."""

    message: Any = "Enter a valid value."
    code: str = "invalid"
    _made_with: tuple[tuple[Any, ...], dict[str, Any]]

    def __new__(cls, *args: Any, **kwargs: Any) -> Self:
        validator = super().__new__(cls)
        validator._made_with = (args, kwargs)
        return validator

    def deconstruct(self) -> tuple[str, tuple[Any, ...], dict[str, Any]]:
        """Return (import path, args, kwargs) from which the validator can be made again."""
        cls = type(self)
        return f"{cls.__module__}.{cls.__qualname__}", *self._made_with

    def _identity(self) -> object:
        return None

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, _Validator) or type(other) is not type(self):
            return NotImplemented
        return (self.message, self.code, self._identity()) == (other.message, other.code, other._identity())

    def __hash__(self) -> int:
        return hash((type(self), str(self.message), self.code))

    def _refuse(self, value: Any, **params: Any) -> ValidationError:
        return ValidationError(self.message, code=self.code, params={**params, "value": value})

    def __call__(self, value: Any) -> None:
        raise self._refuse(value)


class RegexValidator(_Validator):
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


_ASCII_LABEL = re.compile(r"(?!-)[a-z0-9-]{1,63}(?<!-)", re.IGNORECASE)
_LABEL = re.compile("(?!-)[a-z0-9\u00a1-\uffff-]{1,63}(?<!-)", re.IGNORECASE)
_TOP_LEVEL = re.compile("(?!-)(?:[a-z\u00a1-\uffff-]{2,63}|xn--[a-z0-9]{1,59})(?<!-)", re.IGNORECASE)
_ASCII_TOP_LEVEL = re.compile(r"(?!-)[a-z0-9-]{2,63}(?<!-)", re.IGNORECASE)


def _is_domain(name: str, *, idna: bool = True, final_dot: bool = True) -> bool:
    """Return whether `name` is a host name of at least two labels."""
    if final_dot:
        name = name.removesuffix(".")
    *labels, top = name.split(".")
    label, top_level = (_LABEL, _TOP_LEVEL) if idna else (_ASCII_LABEL, _ASCII_TOP_LEVEL)
    return bool(labels) and all(map(label.fullmatch, labels)) and bool(top_level.fullmatch(top))


class DomainNameValidator(RegexValidator):
    """Refuse what is no domain name of at most 255 characters; `accept_idna=False`: in ASCII."""

    message = "Enter a valid domain name."
    max_length = 255

    def __init__(self, *, accept_idna: bool = True, **kwargs: Any) -> None:
        self.accept_idna = accept_idna
        super().__init__(**kwargs)

    def _identity(self) -> object:
        return super()._identity(), self.accept_idna

    def __call__(self, value: Any) -> None:
        if not isinstance(value, str) or len(value) > self.max_length:
            raise self._refuse(value)
        if not _is_domain(value, idna=self.accept_idna):
            raise self._refuse(value)


validate_domain_name = DomainNameValidator()


class URLValidator(RegexValidator):
    """Refuse what is no URL with one of the schemes (http, https, ftp, ftps)."""

    regex = re.compile(
        r"^[a-z0-9.+-]*://"
        r"(?:[^\s:@/]+(?::[^\s:@/]*)?@)?"
        r"(?P<host>\[[0-9a-f:.]+\]|[^\s:/?#@\[\]]+)"
        r"(?::[0-9]{1,5})?"
        r"(?:[/?#]\S*)?\Z",
        re.IGNORECASE,
    )
    message = "Enter a valid URL."
    schemes: Iterable[str] = ("http", "https", "ftp", "ftps")
    unsafe_chars: frozenset[str] = frozenset("\t\r\n")
    max_length = 2048

    def __init__(self, schemes: Iterable[str] | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if schemes is not None:
            self.schemes = schemes

    def _identity(self) -> object:
        return super()._identity(), tuple(self.schemes)

    def __call__(self, value: Any) -> None:
        if not isinstance(value, str) or len(value) > self.max_length or self.unsafe_chars & set(value):
            raise self._refuse(value)
        if value.partition("://")[0].lower() not in self.schemes:
            raise self._refuse(value)
        try:
            urlsplit(value)
        except ValueError as error:
            raise self._refuse(value) from error
        match = self.regex.search(value)
        if match is None or not self._is_host(match["host"]):
            raise self._refuse(value)

    @staticmethod
    def _is_host(host: str) -> bool:
        if host.startswith("["):
            return _is_ipv6(host[1:-1])
        # RFC 1034 allows 255 bytes, one of them the length and one the final dot.
        return len(host) <= 253 and (host.lower() == "localhost" or _is_ipv4(host) or _is_domain(host))


integer_validator = RegexValidator(re.compile(r"^-?\d+\Z"), message="Enter a valid integer.", code="invalid")


def validate_integer(value: Any) -> None:
    """Refuse what is not the text of an integer."""
    integer_validator(value)


_ATOM = r"[-!#$%&'*+/=?^_`{}|~0-9A-Z]+"
_DOT_ATOM = re.compile(rf"{_ATOM}(?:\.{_ATOM})*", re.IGNORECASE)
# Printable characters and controls but NUL, tab, line feed and return; a backslash quotes the next one.
_QUOTED = re.compile(
    r'"(?:[\x01-\x08\x0b\x0c\x0e-\x1f!#-\[\]-\x7f]|\\[\x01-\x09\x0b\x0c\x0e-\x7f])*"', re.IGNORECASE
)


class EmailValidator(_Validator):
    """Refuse what is no e-mail address; domains of the `allowlist` need not look like one."""

    message = "Enter a valid email address."
    domain_allowlist: Iterable[str] = ("localhost",)

    def __init__(
        self, message: Any = None, code: str | None = None, allowlist: Iterable[str] | None = None
    ) -> None:
        if message is not None:
            self.message = message
        if code is not None:
            self.code = code
        if allowlist is not None:
            self.domain_allowlist = allowlist

    def _identity(self) -> object:
        return frozenset(self.domain_allowlist)

    def __call__(self, value: Any) -> None:
        # RFC 3696: 64 characters before the @, 255 after it.
        if not value or len(value) > 320:
            raise self._refuse(value)
        user, at, domain = value.rpartition("@")
        if not at or not (_DOT_ATOM.fullmatch(user) or _QUOTED.fullmatch(user)):
            raise self._refuse(value)
        if domain not in self.domain_allowlist and not self.validate_domain_part(domain):
            raise self._refuse(value)

    def validate_domain_part(self, domain_part: str) -> bool:
        """Return whether it is a domain name, or an address in brackets."""
        if domain_part.startswith("[") and domain_part.endswith("]"):
            address = domain_part[1:-1]
            return _is_ipv4(address) or _is_ipv6(address)
        return _is_domain(domain_part, final_dot=False)


validate_email = EmailValidator()

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


def _is_ipv4(value: Any) -> bool:
    try:
        ipaddress.IPv4Address(value)
    except ValueError:
        return False
    return True


def _is_ipv6(value: Any) -> bool:
    if isinstance(value, str) and len(value) > 39:
        return False
    try:
        ipaddress.IPv6Address(value)
    except ValueError:
        return False
    return True


def _refuse_address(protocol: str, value: Any) -> ValidationError:
    return ValidationError(
        "Enter a valid %(protocol)s address.", code="invalid", params={"protocol": protocol, "value": value}
    )


def validate_ipv4_address(value: Any) -> None:
    """Refuse what is no IPv4 address."""
    if not _is_ipv4(value):
        raise _refuse_address("IPv4", value)


def validate_ipv6_address(value: Any) -> None:
    """Refuse what is no IPv6 address."""
    if not _is_ipv6(value):
        raise _refuse_address("IPv6", value)


def validate_ipv46_address(value: Any) -> None:
    """Refuse what is no IP address of either version."""
    if not _is_ipv4(value) and not _is_ipv6(value):
        raise _refuse_address("IPv4 or IPv6", value)


_ADDRESS_VALIDATORS: dict[str, list[Callable[[Any], None]]] = {
    "both": [validate_ipv46_address],
    "ipv4": [validate_ipv4_address],
    "ipv6": [validate_ipv6_address],
}


def ip_address_validators(protocol: str, unpack_ipv4: bool) -> list[Callable[[Any], None]]:
    """Return the validators for "both", "IPv4" or "IPv6". Raises ValueError for options that don't fit."""
    if protocol != "both" and unpack_ipv4:
        raise ValueError("You can only use `unpack_ipv4` if `protocol` is set to 'both'")
    found = _ADDRESS_VALIDATORS.get(protocol.lower())
    if found is None:
        raise ValueError(f"The protocol '{protocol}' is unknown. Supported: {list(_ADDRESS_VALIDATORS)}")
    return found


def int_list_validator(
    sep: str = ",", message: Any = None, code: str = "invalid", allow_negative: bool = False
) -> RegexValidator:
    """Return a validator for integers with `sep` between them."""
    number = r"-?\d+" if allow_negative else r"\d+"
    return RegexValidator(
        re.compile(rf"^{number}(?:{re.escape(sep)}{number})*\Z"), message=message, code=code
    )


validate_comma_separated_integer_list = int_list_validator(message="Enter only digits separated by commas.")


class BaseValidator(_Validator):
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

    message = _Counted(
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

    message = _Counted(
        "Ensure this value has at most %(limit_value)d character (it has %(show_value)d).",
        "Ensure this value has at most %(limit_value)d characters (it has %(show_value)d).",
        "limit_value",
    )
    code = "max_length"

    def compare(self, a: Any, b: Any) -> bool:
        return bool(a > b)

    def clean(self, x: Any) -> Any:
        return len(x)


class DecimalValidator(_Validator):
    """Refuse a decimal with more digits, or more places, than allowed."""

    messages: ClassVar[dict[str, Any]] = {
        "invalid": "Enter a number.",
        "max_digits": _Counted(
            "Ensure that there are no more than %(max)s digit in total.",
            "Ensure that there are no more than %(max)s digits in total.",
            "max",
        ),
        "max_decimal_places": _Counted(
            "Ensure that there are no more than %(max)s decimal place.",
            "Ensure that there are no more than %(max)s decimal places.",
            "max",
        ),
        "max_whole_digits": _Counted(
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


class FileExtensionValidator(_Validator):
    """Refuse a file (or path) whose extension is not one of the allowed ones."""

    message = "File extension “%(extension)s” is not allowed. Allowed extensions are: %(allowed_extensions)s."
    code = "invalid_extension"

    def __init__(
        self, allowed_extensions: Iterable[str] | None = None, message: Any = None, code: str | None = None
    ) -> None:
        self.allowed_extensions = (
            None if allowed_extensions is None else [extension.lower() for extension in allowed_extensions]
        )
        if message is not None:
            self.message = message
        if code is not None:
            self.code = code

    def _identity(self) -> object:
        return frozenset(self.allowed_extensions or ())

    def __call__(self, value: Any) -> None:
        extension = PurePath(getattr(value, "name", value)).suffix[1:].lower()
        if self.allowed_extensions is not None and extension not in self.allowed_extensions:
            raise self._refuse(
                value, extension=extension, allowed_extensions=", ".join(self.allowed_extensions)
            )


def get_available_image_extensions() -> list[str]:
    """Return the extensions that Pillow reads, none where it is not installed."""
    try:
        image: Any = importlib.import_module("PIL.Image")
    except ImportError:
        return []
    image.init()
    return [extension.lower()[1:] for extension in image.EXTENSION]


def validate_image_file_extension(value: Any) -> None:
    """Refuse a file whose extension is none of an image."""
    FileExtensionValidator(get_available_image_extensions())(value)


class ProhibitNullCharactersValidator(_Validator):
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
