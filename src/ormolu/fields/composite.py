"""Fields that stand for several columns at once. Their values are tuples."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import Any, ClassVar

from sqlalchemy.types import NullType

from ormolu.fields.base import Field

__all__ = ["TupleField", "parts_of"]


class TupleField(Field[tuple[Any, ...]]):
    """Several fields as one. It has no column of its own: a key of several columns, or what a relation refers to."""

    empty_strings_allowed = False
    default_error_messages: ClassVar[dict[str, Any]] = {
        "invalid": "“%(value)s” must be a list of as many values as the key has fields.",
    }
    sa_type = NullType()  # pyright: ignore[reportAssignmentType]

    @cached_property
    def fields(self) -> tuple[Any, ...]:
        """The fields whose values these tuples hold."""
        raise TypeError(f"{type(self).__name__} must say which fields it stands for.")

    @classmethod
    def of(cls, name: str, model: Any, fields: Sequence[Any]) -> TupleField:
        """Return the field for tuples of these fields' values. It isn't among the model's fields."""
        made = TupleField(name=name)
        made.attname = name
        made.column = None  # type: ignore[assignment]
        made.concrete = False
        made.model = model
        made.__dict__["fields"] = tuple(fields)
        return made

    @classmethod
    def get_class_lookups(cls) -> dict[str, Any]:
        """Return lookups by name: those of tuples, and none of single values."""
        super().get_class_lookups()  # after which all of the library's are registered
        found: dict[str, Any] = {}
        for base in reversed(cls.__mro__):
            if issubclass(base, TupleField):
                found.update(base.__dict__.get("class_lookups", {}))
        return found

    def get_attname_column(self) -> tuple[str, None]:  # type: ignore[override]
        """Return the name of the attribute; there is no column."""
        return self.get_attname(), None

    def value_from_object(self, obj: Any) -> tuple[Any, ...]:
        """Return the values that an object has."""
        return tuple(getattr(obj, field.attname) for field in self.fields)

    def __iter__(self) -> Iterator[Any]:
        return iter(self.fields)

    def value_to_string(self, obj: Any) -> str:
        """Return the values as a JSON list of texts, which `to_python()` reads."""
        return json.dumps([field.value_to_string(obj) for field in self.fields])

    def to_python(self, value: Any) -> Any:
        """Convert each value as its field does; a text is JSON of a list. Raises ValidationError where it isn't one."""
        if isinstance(value, str):
            try:
                value = json.loads(value)
            except ValueError:
                raise self._invalid("invalid", value) from None
        if value is None:
            return None
        parts: Any = value
        if not isinstance(value, (list, tuple)) or len(parts) != len(self.fields):
            raise self._invalid("invalid", value)
        return tuple(field.to_python(part) for field, part in zip(self.fields, parts, strict=True))

    def get_prep_value(self, value: Any) -> Any:
        """Convert each value as its field does."""
        if value is None:
            return None
        return tuple(field.get_prep_value(part) for field, part in zip(self.fields, value, strict=True))

    def db_type(self, connection: Any) -> None:
        """Return None: there is no column."""
        return


def parts_of(field: Any) -> tuple[Any, ...]:
    """Return the fields with a column that a field stands for: itself, or several."""
    return field.fields if isinstance(field, TupleField) else (field,)
