"""The field that holds JSON."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any, ClassVar, Literal, overload

import sqlalchemy as sa
from typing_extensions import TypeVar, Unpack

from ormolu.exceptions import ValidationError
from ormolu.fields import columns
from ormolu.fields.base import Field, overridden
from ormolu.fields.options import DatabaseDefault, FieldOptions

if TYPE_CHECKING:
    from ormolu.fields.schemas import Schema

__all__ = ["JSONField"]

JSONT = TypeVar("JSONT", default=Any)
S = TypeVar("S")


class JSONField(Field[JSONT]):
    """Anything that JSON can say: JSONB on PostgreSQL, JSON text elsewhere.

    None is stored as SQL NULL. JSON's own null is written as `Value(None, JSONField())`, or
    `sqlalchemy.JSON.NULL`. Both are read as None. What is changed inside a value is noticed, and written by `save()`.

    With `schema`, a Pydantic model or another type that Pydantic knows, values are of that type. They are checked
    when they are cleaned and when they are saved, which raises ValidationError with the path to what is wrong; what was
    stored otherwise raises it when it is read. Needs the extra `pydantic`.
    """

    empty_strings_allowed = False
    values_immutable = False
    description = "A JSON object"
    default_error_messages: ClassVar[dict[str, Any]] = {"invalid": "Value must be valid JSON."}
    own_options: ClassVar[dict[str, Any]] = {"encoder": None, "decoder": None, "schema": None}
    transform_for_key: ClassVar[Callable[[str], Any] | None] = None
    """What makes the transform of a key; the query layer sets it."""

    if TYPE_CHECKING:
        encoder: type[json.JSONEncoder] | None
        decoder: Any
        schema: Any

        @overload
        def __init__(
            self: JSONField[S],
            verbose_name: str | None = None,
            *,
            schema: type[S],
            encoder: type[json.JSONEncoder] | None = None,
            null: Literal[False] = False,
            **options: Unpack[FieldOptions],
        ) -> None: ...
        @overload
        def __init__(
            self: JSONField[S | None],
            verbose_name: str | None = None,
            *,
            schema: type[S],
            encoder: type[json.JSONEncoder] | None = None,
            null: bool,
            **options: Unpack[FieldOptions],
        ) -> None: ...
        @overload
        def __init__(
            self,
            verbose_name: str | None = None,
            *,
            encoder: type[json.JSONEncoder] | None = None,
            decoder: Any = None,
            schema: Any = None,
            null: bool = False,
            **options: Unpack[FieldOptions],
        ) -> None: ...
        def __init__(self, *args: Any, **options: Any) -> None: ...

    else:

        def __init__(self, verbose_name=None, name=None, encoder=None, decoder=None, schema=None, **options):
            for option, value in (("encoder", encoder), ("decoder", decoder)):
                if value and not callable(value):
                    raise ValueError(f"The {option} parameter must be a callable object.")
            if schema is not None and decoder is not None:
                raise TypeError("JSONField() takes either a decoder or a schema, which decodes as well.")
            self.encoder, self.decoder, self.schema = encoder, decoder, schema
            super().__init__(verbose_name, name, **options)

    def get_internal_type(self) -> str:
        """Return "JSONField"."""
        return "JSONField"

    @staticmethod
    def attach_to_table(column: sa.Column[Any], table: sa.Table) -> None:
        """Add the CHECK that a text is JSON, where the database has no type for it."""
        valid: Any = sa.func.JSON_VALID(column, type_=sa.Integer())
        columns.add_check(column, table, sa.or_(valid, column.is_(None)), dialect="sqlite")

    def db_check(self, connection: Any) -> str | None:
        """Return that the column has JSON in it, for SQLite."""
        name = columns.quoted(self.column, connection)
        sqlite = columns.dialect_of(connection).name == "sqlite"
        return f"(JSON_VALID({name}) OR {name} IS NULL)" if sqlite else None

    @cached_property
    def typed(self) -> Schema | None:
        """What reads, checks and writes values of the schema, None for plain JSON."""
        if self.schema is None:
            return None
        from ormolu.fields.schemas import Schema

        return Schema(self.schema)

    @cached_property
    def sa_type(self) -> sa.types.TypeEngine[Any]:
        """JSONB, or JSON text; one that reads values of the schema."""
        if self.typed is None or overridden(type(self), "db_type"):
            return super().sa_type
        from ormolu.fields.schemas import SchemaEncoder
        from ormolu.fields.types import JSONType

        return JSONType(self.encoder or SchemaEncoder, self.typed)

    @property
    def inner_field(self) -> JSONField[Any]:
        """The field of what is inside of a document."""
        if self.typed is None:
            return self
        from ormolu.fields.schemas import SchemaEncoder

        return JSONField(encoder=self.encoder or SchemaEncoder)

    @property
    def stamps_on_save(self) -> bool:
        """Whether what was assigned may have to become a value of the schema."""
        return self.schema is not None

    def pre_save(self, model_instance: Any, add: bool) -> Any:
        """Return the value; what was assigned in its place (a dict for a model) becomes one of the schema."""
        value = super().pre_save(model_instance, add)
        if self.typed is None or value is None or is_database_value(value):
            return value
        checked = self._located(self.typed.check, value)
        if checked is value or (type(checked) is type(value) and checked == value):
            return value
        setattr(model_instance, self.attname, checked)
        return checked

    def _located(self, convert: Callable[[Any], Any], value: Any) -> Any:
        try:
            return convert(value)
        except ValidationError as error:
            from ormolu.fields.locating import locate

            raise locate(error, self) from error.__cause__

    def get_transform(self, lookup_name: str) -> Any:
        """Return the transform of that name; any other name is a key."""
        found = super().get_transform(lookup_name)
        make = type(self).transform_for_key
        return make(lookup_name) if found is None and make is not None else found

    def to_python(self, value: Any) -> Any:
        """Return a value of the schema, where there is one. Raises ValidationError."""
        return value if self.typed is None or value is None else self.typed.check(value)

    def prep_for(self, cls: type, connection: Any = None) -> Callable[[Any], Any] | None:
        """Return None: the column's type does it all."""
        return super().prep_for(cls, connection) if self._user_prepares else None

    def save_prep_for(self, cls: type, connection: Any = None) -> Callable[[Any], Any] | None:
        """Return the conversion of what is stored: a value of the schema is checked."""
        if self.typed is None or cls is type(None) or overridden(type(self), "get_db_prep_save"):
            return super().save_prep_for(cls, connection)
        return partial(self.get_db_prep_save, connection=connection)

    def get_db_prep_save(self, value: Any, connection: Any) -> Any:
        """Return the value to store; `Value(None, JSONField())` is JSON's null."""
        if (
            isinstance(getattr(value, "output_field", None), JSONField)
            and getattr(value, "value", value) is None
        ):
            return sa.JSON.NULL
        if self.typed is not None and value is not None and not is_database_value(value):
            value = self.typed.stored(value)
        return super().get_db_prep_save(value, connection)

    def validate(self, value: Any, model_instance: Any) -> None:
        """Raise ValidationError for what can't be encoded, or does not fit the schema any more."""
        super().validate(value, model_instance)
        if self.typed is not None:
            if value is not None:
                self.typed.stored(value)
            return
        try:
            json.dumps(value, cls=self.encoder)
        except TypeError as error:
            raise self._invalid("invalid", value) from error

    def value_to_string(self, obj: Any) -> Any:
        """Return the value itself: serialisers write JSON."""
        value = self.value_from_object(obj)
        return value if self.typed is None or value is None else self.typed.stored(value)


def is_database_value(value: Any) -> bool:
    """Tell whether a value is an expression, JSON's null, or what the column's DEFAULT gives."""
    marks = ("as_sql", "resolve_expression", "as_term", "__clause_element__")
    return (
        value is sa.JSON.NULL or isinstance(value, DatabaseDefault) or any(hasattr(value, m) for m in marks)
    )
