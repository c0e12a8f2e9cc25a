"""Types for schemas that are written out: texts with the rules of EmailField, URLField and their kin."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator

from ormolu.fields import validators
from ormolu.schemas.reading import file_address
from ormolu.schemas.rules import Check, Shown

__all__ = ["Email", "FileUrl", "IPAddress", "IPv4", "IPv6", "Slug", "UnicodeSlug", "Url", "checked"]


def checked(validator: Callable[[Any], Any]) -> Any:
    """Return what lets a model's validator check a type: `Annotated[int, checked(validate_even)]`."""
    return AfterValidator(Check(validator))


def _address(value: Any) -> Any:
    return file_address(value) if hasattr(value, "storage") else value


FileUrl = Annotated[str | None, BeforeValidator(_address)]
"""The URL of an object's file; None where there is no file."""
Email = Annotated[str, checked(validators.validate_email), Shown({"format": "email"})]
Url = Annotated[str, checked(validators.URLValidator()), Shown({"format": "uri"})]
Slug = Annotated[str, checked(validators.validate_slug), Shown({"pattern": "^[-a-zA-Z0-9_]+$"})]
UnicodeSlug = Annotated[str, checked(validators.validate_unicode_slug)]
IPv4 = Annotated[str, checked(validators.validate_ipv4_address), Shown({"format": "ipv4"})]
IPv6 = Annotated[str, checked(validators.validate_ipv6_address), Shown({"format": "ipv6"})]
IPAddress = Annotated[str, checked(validators.validate_ipv46_address), Shown({"format": "ipvanyaddress"})]
