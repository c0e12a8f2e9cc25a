"""Checking values: choices, validators, and what may be empty."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from functools import cached_property
from typing import Any, ClassVar

from ormolu.exceptions import ValidationError
from ormolu.fields.choices import BLANK_CHOICE_DASH, flatten_choices, normalize_choices

__all__ = ["Cleaning"]


class Cleaning:
    """The part of a field that `full_clean()` and forms use."""

    empty_values: ClassVar[Collection[Any]] = (None, "", [], (), {})
    default_validators: ClassVar[list[Callable[[Any], Any]]] = []
    default_error_messages: ClassVar[dict[str, Any]] = {
        "invalid_choice": "Value %(value)r is not a valid choice.",
        "null": "This field cannot be null.",
        "blank": "This field cannot be blank.",
        "unique": "%(model_name)s with this %(field_label)s already exists.",
        "unique_for_date": "%(field_label)s must be unique for %(date_field_label)s %(lookup_type)s.",
    }

    editable: bool
    null: bool
    blank: bool
    _choices: Any
    _validators: list[Callable[[Any], Any]]
    _error_messages: Mapping[str, Any] | None

    @property
    def choices(self) -> Any:
        """(value, label) pairs, groups as (name, pairs); None where any value may be taken."""
        return self._choices

    @choices.setter
    def choices(self, value: Any) -> None:
        self._choices = normalize_choices(value)

    @property
    def flatchoices(self) -> list[tuple[Any, Any]]:
        """(value, label) pairs, those of groups included."""
        return flatten_choices(self.choices)

    def get_choices(
        self,
        include_blank: bool = True,
        blank_choice: list[tuple[Any, Any]] = BLANK_CHOICE_DASH,
        limit_choices_to: Any = None,
        ordering: Iterable[str] = (),
    ) -> list[tuple[Any, Any]]:
        """Return the choices for a form, a blank one first unless they have one of their own."""
        choices: list[tuple[Any, Any]] = list(self.choices or ())
        has_blank = any(value in ("", None) for value, _ in flatten_choices(choices))
        return [*blank_choice, *choices] if include_blank and not has_blank else choices

    @cached_property
    def error_messages(self) -> dict[str, Any]:
        """Texts by error code; the constructor's `error_messages` come before those of the classes."""
        messages: dict[str, Any] = {}
        for base in reversed(type(self).__mro__):
            messages.update(base.__dict__.get("default_error_messages", {}))
        messages.update(self._error_messages or {})
        return messages

    @cached_property
    def validators(self) -> list[Callable[[Any], Any]]:
        """Validators of the class, then those of this field."""
        return [*self.default_validators, *self._validators]

    def to_python(self, value: Any) -> Any:
        """Convert a value of another class to the field's own. Raises ValidationError when it can't be."""
        return value

    def validate(self, value: Any, model_instance: Any) -> None:
        """Raise ValidationError if `value` is none of the choices, or empty where it may not be."""
        if not self.editable:
            return
        if self.choices is not None and value not in self.empty_values:
            if any(value == key for key, _ in self.flatchoices):
                return
            raise self._invalid("invalid_choice", value)
        if value is None and not self.null:
            raise self._invalid("null", value)
        if not self.blank and value in self.empty_values:
            raise self._invalid("blank", value)

    def run_validators(self, value: Any) -> None:
        """Call every validator; raise one ValidationError with all that they found."""
        if value in self.empty_values:
            return
        errors: list[ValidationError] = []
        for validator in self.validators:
            try:
                validator(value)
            except ValidationError as error:
                if hasattr(error, "code") and error.code in self.error_messages:
                    error.message = self.error_messages[error.code]
                errors.extend(error.error_list)
        if errors:
            raise ValidationError(errors)

    def clean(self, value: Any, model_instance: Any) -> Any:
        """Return `value` converted and validated. Raises ValidationError."""
        value = self.to_python(value)
        self.validate(value, model_instance)
        self.run_validators(value)
        return value

    def _invalid(self, code: str, value: Any, **params: Any) -> ValidationError:
        return ValidationError(self.error_messages[code], code=code, params={"value": value, **params})
