"""The field that holds a list of another field's values."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, cast

import sqlalchemy as sa
from typing_extensions import TypeVar, Unpack

from ormolu.exceptions import ValidationError
from ormolu.fields import validators
from ormolu.fields.base import Field
from ormolu.fields.options import FieldOptions
from ormolu.fields.types import ArrayType

__all__ = ["ArrayField"]

ListT = TypeVar("ListT", default=list[Any])


class ArrayField(Field[ListT]):
    """A list of values of `base_field`: an array on PostgreSQL, JSON text elsewhere.

    `size` is checked by validation, not by databases. A list of lists: an ArrayField of ArrayFields.
    """

    empty_strings_allowed = False
    values_immutable = False
    default_error_messages: ClassVar[dict[str, Any]] = {
        "item_invalid": "Item %(nth)s in the array did not validate:",
        "nested_array_mismatch": "Nested arrays must have the same length.",
    }
    own_options: ClassVar[dict[str, Any]] = {"base_field": None, "size": None}

    if TYPE_CHECKING:
        base_field: Field[Any]
        size: int | None

        def __init__(
            self,
            base_field: Field[Any],
            size: int | None = None,
            verbose_name: str | None = None,
            *,
            null: bool = False,
            **options: Unpack[FieldOptions],
        ) -> None: ...

    else:

        def __init__(self, base_field, size=None, verbose_name=None, **options):
            if not isinstance(base_field, Field) or base_field.is_relation:
                raise TypeError(
                    f"ArrayField() needs a field for its items, such as IntegerField(), got {base_field!r}."
                )
            self.base_field, self.size = base_field, size
            super().__init__(verbose_name, **options)

    @property
    def description(self) -> str:  # pyright: ignore[reportIncompatibleVariableOverride]
        """Text for people."""
        return f"Array of {self.base_field.description}"

    @property
    def depth(self) -> int:
        """Number of dimensions."""
        return int(getattr(self.base_field, "depth", 0)) + 1

    @property
    def item_field(self) -> Field[Any]:
        """Field of the innermost items."""
        return cast("Field[Any]", getattr(self.base_field, "item_field", self.base_field))

    @cached_property
    def validators(self) -> list[Callable[[Any], Any]]:
        """Validators of the class and the field, and one for the size."""
        size = [] if self.size is None else [validators.MaxLengthValidator(self.size)]
        return [*self.default_validators, *self._validators, *size]

    @cached_property
    def sa_type(self) -> sa.types.TypeEngine[Any]:
        """Array type of the items' type."""
        return ArrayType(self.item_field.sa_type, self.depth)

    def set_attributes_from_name(self, name: str) -> None:
        """Give the items' field the name, too: its errors name it."""
        super().set_attributes_from_name(name)
        self.base_field.set_attributes_from_name(name)

    def contribute_to_class(self, cls: Any, name: str, private_only: bool = False) -> None:
        """Become a field of the model; the items' field belongs to it as well."""
        super().contribute_to_class(cls, name, private_only)
        self.base_field.model = cls

    def get_internal_type(self) -> str:
        """Return "ArrayField"."""
        return "ArrayField"

    def deconstruct(self) -> tuple[str | None, str, list[Any], dict[str, Any]]:
        """Return (name, path, args, kwargs), the items' field without its name."""
        name, path, args, kwargs = super().deconstruct()
        kwargs["base_field"] = self.base_field.clone()
        return name, path, args, kwargs

    def to_python(self, value: Any) -> Any:
        """Return a list of converted items; a text is read as JSON. Raises ValidationError."""
        if isinstance(value, str):
            value = json.loads(value)
        if isinstance(value, (list, tuple)):
            return [self.base_field.to_python(item) for item in cast("list[Any]", value)]
        return value

    def get_prep_value(self, value: Any) -> Any:
        """Return a list of prepared items. Raises TypeError for what is no list."""
        if value is None:
            return None
        if not isinstance(value, (list, tuple, set, frozenset)):
            raise TypeError(f"Field {self.name!r} expected a list but got {value!r}.")
        return [self.base_field.get_prep_value(item) for item in cast("list[Any]", value)]

    def validate(self, value: Any, model_instance: Any) -> None:
        """Raise ValidationError, with the number of each item that is wrong."""
        super().validate(value, model_instance)
        self._each(value, lambda item: self.base_field.validate(item, model_instance))
        if isinstance(self.base_field, ArrayField) and len({len(item) for item in value or ()}) > 1:
            raise ValidationError(self.error_messages["nested_array_mismatch"], code="nested_array_mismatch")

    def run_validators(self, value: Any) -> None:
        """Call the validators of the list, and those of the items' field on each item."""
        super().run_validators(value)
        self._each(value, self.base_field.run_validators)

    def _each(self, value: Any, check: Callable[[Any], None]) -> None:
        for number, item in enumerate(value or (), 1):
            try:
                check(item)
            except ValidationError as error:
                prefix = self.error_messages["item_invalid"] % {"nth": number}
                raise ValidationError(
                    [
                        ValidationError(f"{prefix} {text}", code="item_invalid", params=None)
                        for text in error.messages
                    ]
                ) from error

    def value_to_string(self, obj: Any) -> str:
        """Return the value as JSON."""
        value = self.value_from_object(obj)
        return json.dumps(value, default=str)
