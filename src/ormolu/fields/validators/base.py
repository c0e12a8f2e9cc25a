"""What all validators have in common."""

from __future__ import annotations

from typing import Any, Self

from ormolu.exceptions import ValidationError
from ormolu.lazy import public_path

__all__ = ["Counted", "Validator"]


class Counted(str):
    """A text with a singular form, used where `params[number]` is 1."""

    singular: str
    number: str

    def __new__(cls, singular: str, plural: str, number: str) -> Self:
        text = super().__new__(cls, plural)
        text.singular, text.number = singular, number
        return text

    def __reduce__(self) -> tuple[Any, ...]:
        return Counted, (self.singular, str(self), self.number)

    def __mod__(self, params: Any) -> str:
        text = self.singular if params[self.number] == 1 else str(self)
        return str(text % params)


class Validator:
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
        return public_path(type(self)), *self._made_with

    def _identity(self) -> object:
        return None

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Validator) or type(other) is not type(self):
            return NotImplemented
        return (self.message, self.code, self._identity()) == (other.message, other.code, other._identity())

    def __hash__(self) -> int:
        return hash((type(self), str(self.message), self.code))

    def _refuse(self, value: Any, **params: Any) -> ValidationError:
        return ValidationError(self.message, code=self.code, params={**params, "value": value})

    def __call__(self, value: Any) -> None:
        raise self._refuse(value)
