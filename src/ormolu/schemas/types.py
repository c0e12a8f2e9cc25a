"""Which Python type, to Pydantic, the values of a field have: the type alone, without the field's rules."""

from __future__ import annotations

import base64
import binascii
import datetime as dt
import decimal
import uuid
from collections.abc import Callable, Mapping
from typing import Annotated, Any, cast, get_args, get_origin

import sqlalchemy as sa
from pydantic import BeforeValidator, GetCoreSchemaHandler, PlainSerializer, PlainValidator, WithJsonSchema
from pydantic_core import PydanticCustomError, core_schema
from sqlalchemy.dialects.postgresql import Range

from ormolu.exceptions import ValidationError
from ormolu.fields.base import overridden
from ormolu.fields.types.ranges import bounds_of, is_range

__all__ = ["Base64", "RangeOf", "plain_type", "refusal"]

PLAIN: dict[str, Any] = {
    "AutoField": int,
    "BigAutoField": int,
    "SmallAutoField": int,
    "IntegerField": int,
    "BigIntegerField": int,
    "SmallIntegerField": int,
    "PositiveIntegerField": int,
    "PositiveBigIntegerField": int,
    "PositiveSmallIntegerField": int,
    "BooleanField": bool,
    "FloatField": float,
    "DecimalField": decimal.Decimal,
    "CharField": str,
    "TextField": str,
    "SlugField": str,
    "FileField": str,
    "FilePathField": str,
    "GenericIPAddressField": str,
    "SearchVectorField": str,
    "DateField": dt.date,
    "DateTimeField": dt.datetime,
    "TimeField": dt.time,
    "DurationField": dt.timedelta,
    "UUIDField": uuid.UUID,
    "HStoreField": dict[str, str | None],
    "VectorField": list[float],
    "JSONField": Any,
}
"""Types by internal type."""


def _decoded(value: Any) -> Any:
    if not isinstance(value, str):
        return bytes(cast("Any", value)) if isinstance(value, (bytearray, memoryview)) else value
    try:
        return base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError):
        raise PydanticCustomError("base64_decode", "Input should be bytes, or their text in base64") from None


def _encoded(value: bytes) -> str:
    return base64.b64encode(value).decode("ascii")


Base64 = Annotated[
    bytes,
    BeforeValidator(_decoded),
    PlainSerializer(_encoded, return_type=str, when_used="json"),
    WithJsonSchema({"type": "string", "format": "base64"}),
]
"""Bytes, which are a text in base64 in JSON."""


class RangeOf:
    """A `Range` whose ends are of a type: `{"lower": ..., "upper": ..., "bounds": "[)"}` in JSON, or a pair."""

    def __init__(self, end: Any, bounds: str = "[)") -> None:
        self.end = end
        self.bounds = bounds

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> core_schema.CoreSchema:
        """Return what takes Ranges, pairs and dicts, and writes dicts."""
        end = core_schema.nullable_schema(handler.generate_schema(self.end))
        fields = {
            "lower": core_schema.typed_dict_field(core_schema.with_default_schema(end, default=None)),
            "upper": core_schema.typed_dict_field(core_schema.with_default_schema(end, default=None)),
            "bounds": core_schema.typed_dict_field(
                core_schema.with_default_schema(
                    core_schema.literal_schema(["[)", "(]", "()", "[]"]), default=self.bounds
                )
            ),
            "empty": core_schema.typed_dict_field(
                core_schema.with_default_schema(core_schema.bool_schema(), default=False)
            ),
        }
        parts = core_schema.no_info_before_validator_function(
            self._parts, core_schema.typed_dict_schema(fields)
        )
        return core_schema.no_info_after_validator_function(
            _range,
            parts,
            serialization=core_schema.plain_serializer_function_ser_schema(
                self._parts, return_schema=core_schema.typed_dict_schema(fields), when_used="json"
            ),
        )

    def _parts(self, value: Any) -> Any:
        if is_range(value):
            if value.isempty:
                return {"lower": None, "upper": None, "bounds": self.bounds, "empty": True}
            return {
                "lower": value.lower,
                "upper": value.upper,
                "bounds": bounds_of(value),
                "empty": False,
            }
        if isinstance(value, (list, tuple)) and len(cast("Any", value)) == 2:
            lower, upper = cast("Any", value)
            return {"lower": lower, "upper": upper}
        return cast("Any", value)


def _range(parts: dict[str, Any]) -> Range[Any]:
    lower, upper = parts["lower"], parts["upper"]
    if parts["empty"]:
        return Range(empty=True)
    if lower is not None and upper is not None and lower > upper:
        raise PydanticCustomError("range", "The lower end of a range must not be above the upper one")
    return Range(lower, upper, bounds=parts["bounds"])


def refusal(error: ValidationError, texts: Mapping[str, Any] | None = None) -> PydanticCustomError:
    """Return an error of a validator as Pydantic's. `texts` are a field's own, by code."""
    for one in error.error_list:
        if texts and one.code is not None and one.code in texts:
            one.message = texts[one.code]
    code: Any = error.error_list[0].code or "invalid"
    message: Any = " ".join(error.messages)
    return PydanticCustomError(code, message)


def plain_type(field: Any, inner: Callable[[Any], Any] | None = None) -> Any:
    """Return the type of a field's values that are not None.

    `inner` gives that of the items of an array and the ends of a range, for which it is asked in turn.
    A field class of one's own may say it as `schema_type`.
    """
    of_part = inner or plain_type
    given = getattr(field, "schema_type", None)
    if given is not None:
        return given
    if getattr(field, "is_relation", False):
        return of_part(field.target_field)
    if getattr(field, "generated", False):
        return of_part(field.output_field)
    if hasattr(field, "plain_column"):
        return column_type(field)
    if hasattr(field, "enum_class"):
        return field.enum_class
    if overridden(cast("Any", type(field)), "from_db_value"):
        return own_type(field)
    base = getattr(field, "base_field", None)
    if base is not None:
        if hasattr(field, "range_type"):
            return Annotated[Range[Any], RangeOf(of_part(base), field.default_bounds)]
        return list[of_part(base)]  # type: ignore[misc]
    if getattr(field, "schema", None) is not None:
        return field.schema
    kind = field.get_internal_type()
    return Base64 if kind == "BinaryField" else PLAIN.get(kind, Any)


def own_type(field: Any) -> Any:
    """Return the type of a field whose values are a class of the user's: what its `to_python()` takes."""

    def read(value: Any) -> Any:
        try:
            return field.to_python(value)
        except ValidationError as error:
            raise refusal(error) from error

    def written(value: Any) -> str:
        holder = _Holder()
        setattr(holder, field.attname, value)
        return str(field.value_to_string(holder))

    return Annotated[
        Any,
        PlainValidator(read),
        PlainSerializer(written, return_type=str, when_used="json-unless-none"),
        WithJsonSchema({"type": "string"}),
    ]


class _Holder:
    """Stands for an object whose attribute is a value of a field."""


def column_type(field: Any) -> Any:
    """Return the type of a plain SQLAlchemy column: what its `Mapped[...]` says, else what its type gives."""
    declared = mapped_type(field.model, field.attname) if hasattr(field, "model") else None
    return sql_type(field.plain_column.type) if declared is None else declared


def mapped_type(model: Any, name: str) -> Any:
    """Return what stands in `Mapped[...]` at a class or a base of it, without None; None where nothing does."""
    import inspect
    import sys

    for base in model.__mro__:
        annotation = inspect.get_annotations(base).get(name)
        if isinstance(annotation, str):
            try:
                annotation = eval(annotation, {**vars(sys.modules[base.__module__]), base.__name__: base})
            except Exception:
                return None
        if annotation is not None:
            return without_none(get_args(annotation)[0]) if get_args(annotation) else None
    return None


def without_none(type_: Any) -> Any:
    """Return a type without the None that may stand in for its values."""
    import types
    from typing import Union

    if isinstance(type_, str):
        return None
    if get_origin(type_) is Annotated and any(
        isinstance(extra, sa.schema.SchemaItem) or hasattr(extra, "column") for extra in get_args(type_)[1:]
    ):
        return without_none(get_args(type_)[0])  # Annotated[int, mapped_column(...)]
    if get_origin(type_) in (Union, types.UnionType):
        rest = [part for part in get_args(type_) if part is not type(None)]
        return Union[tuple(rest)]  # noqa: UP007
    return type_


def sql_type(type_: sa.types.TypeEngine[Any]) -> Any:
    """Return the type of the values of a SQL type, Any where it doesn't say."""
    if isinstance(type_, sa.ARRAY):
        array = cast("Any", type_)
        found: Any = sql_type(array.item_type)
        for _ in range(array.dimensions or 1):
            found = list[found]
        return found
    if isinstance(type_, sa.LargeBinary):
        return Base64
    if isinstance(type_, (sa.JSON, sa.types.NullType)):
        return Any
    try:
        return type_.python_type
    except NotImplementedError:
        return Any
