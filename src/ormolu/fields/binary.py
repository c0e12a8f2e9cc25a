"""The field that holds bytes."""

from __future__ import annotations

import base64
from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, Literal, overload

from typing_extensions import TypeVar, Unpack

from ormolu.fields import validators
from ormolu.fields.base import Field
from ormolu.fields.options import FieldOptions

__all__ = ["BinaryField"]

BytesT = TypeVar("BytesT", default=bytes)


class BinaryField(Field[BytesT]):
    """Raw bytes. Not editable unless it is said to be."""

    description = "Raw binary data"
    empty_values = (None, b"")
    values_immutable = True
    plain_classes: ClassVar[frozenset[type]] = frozenset({bytes, bytearray, memoryview})
    own_options: ClassVar[dict[str, Any]] = {"editable": False}

    if TYPE_CHECKING:

        @overload
        def __init__(
            self: BinaryField[bytes],
            verbose_name: str | None = None,
            *,
            null: Literal[False] = False,
            **options: Unpack[FieldOptions],
        ) -> None: ...
        @overload
        def __init__(
            self: BinaryField[bytes | None],
            verbose_name: str | None = None,
            *,
            null: bool,
            **options: Unpack[FieldOptions],
        ) -> None: ...
        def __init__(self, *args: Any, **options: Any) -> None: ...

    else:

        def __init__(self, *args, **options):
            options.setdefault("editable", False)
            super().__init__(*args, **options)

    @cached_property
    def validators(self) -> list[Callable[[Any], Any]]:
        """Validators of the class and the field, and one for the length."""
        length = [] if self.max_length is None else [validators.MaxLengthValidator(self.max_length)]
        return [*self.default_validators, *self._validators, *length]

    def get_internal_type(self) -> str:
        """Return "BinaryField"."""
        return "BinaryField"

    def get_default(self) -> Any:
        """Return the default, b"" where there is none."""
        if self.has_default() or self.has_db_default():
            return super().get_default()
        return None if self.null else b""

    def to_python(self, value: Any) -> Any:
        """Return `value` as bytes; a text is read as base64."""
        if isinstance(value, str):
            return base64.b64decode(value.encode("ascii"))
        return value

    def get_prep_value(self, value: Any) -> Any:
        """Return `value` as something a driver takes as bytes. Raises TypeError for a text."""
        if isinstance(value, str):
            raise TypeError(f"Field {self.name!r} expected bytes but got a str: encode it first.")
        return value if value is None or type(value) in self.plain_classes else bytes(value)

    def value_to_string(self, obj: Any) -> str:
        """Return the value as base64."""
        value = self.value_from_object(obj)
        return "" if value is None else base64.b64encode(bytes(value)).decode("ascii")
