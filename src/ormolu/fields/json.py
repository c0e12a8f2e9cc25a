"""The field that holds JSON."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar

import sqlalchemy as sa
from typing_extensions import TypeVar, Unpack

from ormolu.fields.base import Field
from ormolu.fields.options import FieldOptions

__all__ = ["JSONField"]

JSONT = TypeVar("JSONT", default=Any)


class JSONField(Field[JSONT]):
    """Anything that JSON can say: JSONB on PostgreSQL, JSON text elsewhere.

    None is stored as SQL NULL. JSON's own null is written as `Value(None, JSONField())`, or
    `sqlalchemy.JSON.NULL`. Both are read as None.
    """

    empty_strings_allowed = False
    values_immutable = False
    description = "A JSON object"
    default_error_messages: ClassVar[dict[str, Any]] = {"invalid": "Value must be valid JSON."}
    own_options: ClassVar[dict[str, Any]] = {"encoder": None, "decoder": None}
    transform_for_key: ClassVar[Callable[[str], Any] | None] = None
    """What makes the transform of a key; the query layer sets it."""

    if TYPE_CHECKING:
        encoder: type[json.JSONEncoder] | None
        decoder: Any

        def __init__(
            self,
            verbose_name: str | None = None,
            *,
            encoder: type[json.JSONEncoder] | None = None,
            decoder: Any = None,
            null: bool = False,
            **options: Unpack[FieldOptions],
        ) -> None: ...

    else:

        def __init__(self, verbose_name=None, name=None, encoder=None, decoder=None, **options):
            for option, value in (("encoder", encoder), ("decoder", decoder)):
                if value and not callable(value):
                    raise ValueError(f"The {option} parameter must be a callable object.")
            self.encoder, self.decoder = encoder, decoder
            super().__init__(verbose_name, name, **options)

    def get_internal_type(self) -> str:
        """Return "JSONField"."""
        return "JSONField"

    def get_transform(self, lookup_name: str) -> Any:
        """Return the transform of that name; any other name is a key."""
        found = super().get_transform(lookup_name)
        make = type(self).transform_for_key
        return make(lookup_name) if found is None and make is not None else found

    def prep_for(self, cls: type, connection: Any = None) -> Callable[[Any], Any] | None:
        """Return None: the column's type does it all."""
        return super().prep_for(cls, connection) if self._user_prepares else None

    def get_db_prep_save(self, value: Any, connection: Any) -> Any:
        """Return the value to store; `Value(None, JSONField())` is JSON's null."""
        if (
            isinstance(getattr(value, "output_field", None), JSONField)
            and getattr(value, "value", value) is None
        ):
            return sa.JSON.NULL
        return super().get_db_prep_save(value, connection)

    def validate(self, value: Any, model_instance: Any) -> None:
        """Raise ValidationError for what can't be encoded."""
        super().validate(value, model_instance)
        try:
            json.dumps(value, cls=self.encoder)
        except TypeError as error:
            raise self._invalid("invalid", value) from error

    def value_to_string(self, obj: Any) -> Any:
        """Return the value itself: serialisers write JSON."""
        return self.value_from_object(obj)
