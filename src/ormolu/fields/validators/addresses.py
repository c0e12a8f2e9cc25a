"""Validators of addresses: domain names, URLs, e-mail, IP.

Sources: RFC 1034 (host names), 3986 (URLs), 5321 and 5322 (e-mail).
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Iterable
from functools import cache
from typing import Any
from urllib.parse import urlsplit

from ormolu.exceptions import ValidationError
from ormolu.fields.validators.base import Validator
from ormolu.fields.validators.patterns import RegexValidator

__all__ = [
    "DomainNameValidator",
    "EmailValidator",
    "URLValidator",
    "ip_address_validators",
    "validate_domain_name",
    "validate_email",
    "validate_ipv46_address",
    "validate_ipv4_address",
    "validate_ipv6_address",
]


@cache
def _host_patterns(idna: bool) -> tuple[re.Pattern[str], re.Pattern[str]]:
    """Return the patterns of a label and of the last label, both of lower-case text. Slow to compile."""
    if idna:
        label = "(?!-)[a-z0-9\u00a1-\uffff-]{1,63}(?<!-)"
        top_level = "(?!-)(?:[a-z\u00a1-\uffff-]{2,63}|xn--[a-z0-9]{1,59})(?<!-)"
    else:
        label, top_level = r"(?!-)[a-z0-9-]{1,63}(?<!-)", r"(?!-)[a-z0-9-]{2,63}(?<!-)"
    return re.compile(label), re.compile(top_level)


def is_domain(name: str, *, idna: bool = True, final_dot: bool = True) -> bool:
    """Return whether `name` is a host name of at least two labels."""
    label, top_level = _host_patterns(idna)
    *labels, top = (name.removesuffix(".") if final_dot else name).lower().split(".")
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
        if not is_domain(value, idna=self.accept_idna):
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
            return is_ipv6(host[1:-1])
        # RFC 1034 allows 255 bytes, one of them the length and one the final dot.
        return len(host) <= 253 and (host.lower() == "localhost" or is_ipv4(host) or is_domain(host))


_ATOM = r"[-!#$%&'*+/=?^_`{}|~0-9A-Z]+"
_DOT_ATOM = re.compile(rf"{_ATOM}(?:\.{_ATOM})*", re.IGNORECASE)
# Printable characters and controls but NUL, tab, line feed and return; a backslash quotes the next one.
_QUOTED = re.compile(
    r'"(?:[\x01-\x08\x0b\x0c\x0e-\x1f!#-\[\]-\x7f]|\\[\x01-\x09\x0b\x0c\x0e-\x7f])*"', re.IGNORECASE
)


class EmailValidator(Validator):
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
            return is_ipv4(address) or is_ipv6(address)
        return is_domain(domain_part, final_dot=False)


validate_email = EmailValidator()


def is_ipv4(value: Any) -> bool:
    try:
        ipaddress.IPv4Address(value)
    except ValueError:
        return False
    return True


def is_ipv6(value: Any) -> bool:
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
    if not is_ipv4(value):
        raise _refuse_address("IPv4", value)


def validate_ipv6_address(value: Any) -> None:
    """Refuse what is no IPv6 address."""
    if not is_ipv6(value):
        raise _refuse_address("IPv6", value)


def validate_ipv46_address(value: Any) -> None:
    """Refuse what is no IP address of either version."""
    if not is_ipv4(value) and not is_ipv6(value):
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
