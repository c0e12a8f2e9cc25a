"""What a JSONField with a `schema` holds: values of a type that Pydantic knows how to read, check and write."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cached_property
from typing import Any

from ormolu.exceptions import MissingExtra, ValidationError

__all__ = ["Schema", "SchemaEncoder"]


class Schema:
    """A type, and the way of its values to JSON and back. Pydantic is imported when the first value comes by.

    Stored are the names that Pydantic reads by: a field's alias, where it has one.
    """

    def __init__(self, type_: Any, encoder: type[json.JSONEncoder] | None = None) -> None:
        self.type = type_
        self.encoder = encoder

    def __call__(self) -> Schema:
        """Return itself: it stands where a column type has the class of a decoder."""
        return self

    @cached_property
    def adapter(self) -> Any:
        """Pydantic's adapter of the type. Raises MissingExtra."""
        try:
            from pydantic import TypeAdapter
        except ImportError as error:
            raise MissingExtra(
                extra="pydantic", package="pydantic", purpose="JSONField(schema=...)"
            ) from error
        return TypeAdapter(self.type)

    def decode(self, text: str) -> Any:
        """Return the value of JSON text. Raises ValidationError for what does not fit."""
        return self._ask(self.adapter.validate_json, text)

    def check(self, value: Any) -> Any:
        """Return a value of the type: the same object if it is one. Raises ValidationError."""
        return self._ask(self.adapter.validate_python, value)

    def stored(self, value: Any) -> Any:
        """Return what JSON holds of a value, checked as it is now: what was changed inside it, too."""
        text = self.adapter.dump_json(self.check(value), by_alias=True, round_trip=True, warnings=False)
        self._ask(self.adapter.validate_json, text)
        return json.loads(text)

    def _ask(self, validate: Callable[[Any], Any], value: Any) -> Any:
        from pydantic import ValidationError as Invalid

        try:
            return validate(value)
        except Invalid as error:
            raise as_ours(error) from error


def as_ours(error: Any) -> ValidationError:
    """Return Pydantic's error as ours: one for each thing that is wrong, with the path to it."""
    found: list[ValidationError] = []
    for one in error.errors(include_url=False):
        path = ".".join(map(str, one["loc"]))
        text = f"{path}: {one['msg']}" if path else str(one["msg"])
        params = {"path": path, "value": one.get("input")}
        found.append(ValidationError(text.replace("%", "%%"), code=one["type"], params=params))
    return found[0] if len(found) == 1 else ValidationError(found)


class SchemaEncoder(json.JSONEncoder):
    """Encodes what Pydantic can, too: a model may stand in a lookup."""

    def default(self, o: Any) -> Any:
        """Return something that JSON can say."""
        from pydantic_core import to_jsonable_python

        return to_jsonable_python(o, by_alias=True, round_trip=True)
