"""The field that holds UUIDs."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any, ClassVar, Literal, overload

from typing_extensions import TypeVar, Unpack

from ormolu.fields.base import Field
from ormolu.fields.options import FieldOptions

__all__ = ["UUIDField"]

UUIDT = TypeVar("UUIDT", default=uuid.UUID)


class UUIDField(Field[UUIDT]):
    """A universally unique identifier: UUID on PostgreSQL, 32 hexadecimal digits elsewhere."""

    empty_strings_allowed = False
    description = "Universally unique identifier"
    default_error_messages: ClassVar[dict[str, Any]] = {"invalid": "“%(value)s” is not a valid UUID."}
    plain_classes: ClassVar[frozenset[type]] = frozenset({uuid.UUID})
    own_options: ClassVar[dict[str, Any]] = {"max_length": 32}

    if TYPE_CHECKING:

        @overload
        def __init__(
            self: UUIDField[uuid.UUID],
            verbose_name: str | None = None,
            *,
            null: Literal[False] = False,
            **options: Unpack[FieldOptions],
        ) -> None: ...
        @overload
        def __init__(
            self: UUIDField[uuid.UUID | None],
            verbose_name: str | None = None,
            *,
            null: bool,
            **options: Unpack[FieldOptions],
        ) -> None: ...
        def __init__(self, *args: Any, **options: Any) -> None: ...

    else:

        def __init__(self, verbose_name=None, **options):
            options["max_length"] = 32
            super().__init__(verbose_name, **options)

    def get_internal_type(self) -> str:
        """Return "UUIDField"."""
        return "UUIDField"

    def to_python(self, value: Any) -> Any:
        """Return `value`, a text or an integer, as a UUID. Raises ValidationError."""
        if value is None or isinstance(value, uuid.UUID):
            return value
        try:
            return uuid.UUID(int=value) if isinstance(value, int) else uuid.UUID(value)
        except (AttributeError, TypeError, ValueError) as error:
            raise self._invalid("invalid", value) from error

    def get_prep_value(self, value: Any) -> Any:
        """Return `value` as a UUID. Raises ValidationError."""
        return self.to_python(super().get_prep_value(value))
