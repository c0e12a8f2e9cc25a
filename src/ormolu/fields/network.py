"""Fields that hold network addresses."""

from __future__ import annotations

import ipaddress
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, Literal, overload

from typing_extensions import TypeVar, Unpack

from ormolu.exceptions import ValidationError
from ormolu.fields import validators
from ormolu.fields.base import Field
from ormolu.fields.options import FieldOptions

__all__ = ["GenericIPAddressField", "IPAddressField"]

AddressT = TypeVar("AddressT", default=str)


class GenericIPAddressField(Field[AddressT]):
    """An IPv4 or IPv6 address as text, in its shortest form: INET on PostgreSQL."""

    empty_strings_allowed = False
    description = "IP address"
    default_error_messages: ClassVar[dict[str, Any]] = {"invalid": "Enter a valid %(protocol)s address."}
    own_options: ClassVar[dict[str, Any]] = {"max_length": 39, "protocol": "both", "unpack_ipv4": False}
    default_protocol: ClassVar[str] = "both"

    if TYPE_CHECKING:
        protocol: str
        unpack_ipv4: bool

        @overload
        def __init__(
            self: GenericIPAddressField[str],
            verbose_name: str | None = None,
            *,
            protocol: str = "both",
            unpack_ipv4: bool = False,
            null: Literal[False] = False,
            **options: Unpack[FieldOptions],
        ) -> None: ...
        @overload
        def __init__(
            self: GenericIPAddressField[str | None],
            verbose_name: str | None = None,
            *,
            protocol: str = "both",
            unpack_ipv4: bool = False,
            null: bool,
            **options: Unpack[FieldOptions],
        ) -> None: ...
        def __init__(self, *args: Any, **options: Any) -> None: ...

    else:

        def __init__(self, verbose_name=None, name=None, protocol=None, unpack_ipv4=False, **options):
            self.protocol = protocol or self.default_protocol
            self.unpack_ipv4 = unpack_ipv4
            self.default_validators = validators.ip_address_validators(self.protocol, unpack_ipv4)
            options["max_length"] = 39
            super().__init__(verbose_name, name, **options)

    @cached_property
    def error_messages(self) -> dict[str, Any]:
        """Texts by error code, the protocol filled in."""
        messages = dict(super().error_messages)
        names = {"both": "IPv4 or IPv6", "ipv4": "IPv4", "ipv6": "IPv6"}
        if messages["invalid"] == self.default_error_messages["invalid"]:
            messages["invalid"] %= {"protocol": names[self.protocol.lower()]}
        return messages

    def get_internal_type(self) -> str:
        """Return "GenericIPAddressField"."""
        return "GenericIPAddressField"

    def to_python(self, value: Any) -> Any:
        """Return the address as text, IPv6 in its shortest form. Raises ValidationError for broken IPv6."""
        if value is None:
            return None
        text = str(value).strip()
        return self._shortest(text) if ":" in text else text

    def _shortest(self, text: str) -> str:
        try:
            # The number has no zone ("%eth0"), which a database could not store.
            address = ipaddress.IPv6Address(int(ipaddress.IPv6Address(text)))
        except ValueError as error:
            raise self._invalid("invalid", text, protocol="IPv6") from error
        if address.ipv4_mapped is None:
            return str(address)
        return str(address.ipv4_mapped) if self.unpack_ipv4 else f"::ffff:{address.ipv4_mapped}"

    def get_prep_value(self, value: Any) -> Any:
        """Return the address as text, as far as it is one; "" is no address, and stored as NULL."""
        if value is None:
            return None
        text = str(value)
        if ":" not in text:
            return text or None
        try:
            return self._shortest(text)
        except ValidationError:
            return text


class IPAddressField(GenericIPAddressField[AddressT]):
    """A GenericIPAddressField for IPv4 alone."""

    description = "IPv4 address"
    own_options: ClassVar[dict[str, Any]] = {"protocol": "ipv4"}
    default_protocol: ClassVar[str] = "ipv4"

    if TYPE_CHECKING:

        @overload
        def __init__(
            self: IPAddressField[str],
            verbose_name: str | None = None,
            *,
            null: Literal[False] = False,
            **options: Unpack[FieldOptions],
        ) -> None: ...
        @overload
        def __init__(
            self: IPAddressField[str | None],
            verbose_name: str | None = None,
            *,
            null: bool,
            **options: Unpack[FieldOptions],
        ) -> None: ...
        def __init__(self, *args: Any, **options: Any) -> None: ...
