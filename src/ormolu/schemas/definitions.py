"""From a model's fields to the fields of a schema: annotation and FieldInfo by name."""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterator
from functools import partial
from typing import Annotated, Any, ForwardRef, Optional, get_origin

from pydantic import Field, GetCoreSchemaHandler
from pydantic.errors import PydanticUndefinedAnnotation
from pydantic.fields import FieldInfo
from pydantic_core import CoreSchema

from ormolu.exceptions import ImproperlyConfigured
from ormolu.schemas.members import COLUMN, GENERIC, MANY, Member, columns_of, member, unknown_member
from ormolu.schemas.options import SchemaOptions
from ormolu.schemas.rules import Stored, annotated

__all__ = ["Definition", "definitions", "is_filled", "is_read_only"]

Definition = tuple[Any, FieldInfo]


def definitions(owner: str, options: SchemaOptions) -> dict[str, Definition]:
    """Return annotation and FieldInfo of the fields that a schema takes over from its model, by name.

    Raises TypeError for a name that the model doesn't have.
    """
    model = options.model
    for option in ("exclude", "optional"):
        for name in getattr(options, option) or ():
            if member(model, name) is None and name not in options.nested:
                raise unknown_member(owner, option, name, model)
    found: dict[str, Definition] = {}
    for name, one in chosen(owner, options):
        if name in options.nested:
            found[name] = nested_definition(owner, options, name, one)
        else:
            assert one is not None
            found[one.name] = definition(owner, one, is_optional(options, one))
    return found


def chosen(owner: str, options: SchemaOptions) -> Iterator[tuple[str, Member | None]]:
    """Yield the names that a schema has, with what they mean; None for a nested one that isn't there yet."""
    model, nested = options.model, options.nested
    if options.fields is None:
        for attname, field in columns_of(model._meta).items():
            if field.is_relation and field.name in nested:
                yield field.name, member(model, field.name)
            elif not {attname, field.name} & options.exclude:
                yield attname, Member(COLUMN, attname, field)
    else:
        for name in options.fields:
            if name == "pk" and model._meta.is_composite_pk:
                yield from ((f.attname, Member(COLUMN, f.attname, f)) for f in model._meta.pk_fields)
                continue
            one = member(model, name, as_key=name not in nested)
            if one is None and name not in nested:
                raise unknown_member(owner, "fields", name, model)
            yield name, one
    rest = set(nested) - set(options.fields or ())
    for name in nested:
        if name in rest and name not in options.exclude:
            one = member(model, name)
            if options.fields is not None or one is None or getattr(one.field, "column", None) is None:
                yield name, one


def is_optional(options: SchemaOptions, one: Member) -> bool:
    """Tell whether a schema takes nothing for a field."""
    return options.optional is None or bool({one.name, getattr(one.field, "name", "")} & options.optional)


def definition(owner: str, one: Member, optional: bool) -> Definition:
    """Return the annotation and FieldInfo of one field."""
    if one.kind == MANY:
        return list_of_keys(one, optional)
    if one.kind != COLUMN:
        what = "is a generic key" if one.kind == GENERIC else "has no column of its own"
        raise TypeError(
            f"{owner}: {one.name!r} {what}: give it a schema in Meta.nested, or declare its type."
        )
    field = one.field
    type_: Any = LateType.of(field)
    if field.null or field.get_internal_type() == "FileField":
        type_ = Optional[type_]  # noqa: UP045
    info: dict[str, Any] = shown(field)
    filled = is_filled(field)
    if optional:
        info.update(default=None, json_schema_extra=without_default)
    else:
        info.update(default_of(field, filled))
    if is_read_only(field):
        info["json_schema_extra"] = read_only
    return type_, Field(**info)


def shown(field: Any) -> dict[str, Any]:
    """Return what a field says to people: its help text, and its verbose name where it was given one."""
    info: dict[str, Any] = {}
    if field.help_text:
        info["description"] = str(field.help_text)
    if getattr(field, "_verbose_name", None):
        text = str(field._verbose_name)
        info["title"] = text[:1].upper() + text[1:]
    return info


def default_of(field: Any, filled: bool) -> dict[str, Any]:
    """Return what stands in for a value that nobody gave; nothing for a field that has to be given."""
    if is_read_only(field):
        return {"default": None, "json_schema_extra": without_default}
    if field.has_default():
        default = field.default
        if callable(default) or not is_plain(default):
            return {"default_factory": field.get_default}
        if isinstance(default, enum.Enum) and not hasattr(field, "enum_class"):
            default = default.value
        return {"default": field.to_python(default)}
    if filled:
        literal = getattr(field, "db_default", None)
        if is_plain(literal) and field.has_db_default() and not hasattr(field, "plain_column"):
            return {"default": literal}
        return {"default": None, "json_schema_extra": without_default}
    if field.null:
        return {"default": None}
    if field.blank and field.get_default() in ("", b""):
        return {"default": field.get_default()}
    return {}


def is_plain(value: Any) -> bool:
    """Tell whether a value can't be changed in place."""
    return isinstance(value, (str, int, float, bool, bytes, tuple, enum.Enum)) or type(value).__module__ in (
        "datetime",
        "decimal",
        "uuid",
    )


def is_filled(field: Any) -> bool:
    """Tell whether the database or save() gives a value to a row that was given none."""
    return (
        is_automatic(field)
        or field.has_db_default()
        or bool(getattr(field, "auto_now", False) or getattr(field, "auto_now_add", False))
    )


def is_automatic(field: Any) -> bool:
    """Tell whether the database alone gives the values: a key that counts up, a generated column."""
    if getattr(field, "generated", False) or getattr(field, "counts_up", False):
        return True
    column = getattr(field, "plain_column", None)
    if column is None:
        return False
    return column.computed is not None or (
        column.table is not None and column is column.table.autoincrement_column
    )


def is_read_only(field: Any) -> bool:
    """Tell whether what a client sends of a field is never written: keys that count up, computed columns, stamps.

    Files are among it: a name of a file would let a client refer to any file of the storage.
    """
    if is_automatic(field) or getattr(field, "auto_now", False) or getattr(field, "auto_now_add", False):
        return True
    if getattr(field, "get_internal_type", str)() == "FileField":
        return True
    return not field.editable and field.get_internal_type() != "BinaryField"


def without_default(schema: dict[str, Any]) -> None:
    """Leave the None out of the JSON Schema that stands in for nothing."""
    if schema.get("default", 1) is None:
        del schema["default"]


def read_only(schema: dict[str, Any]) -> None:
    """Say in the JSON Schema that a value isn't taken."""
    without_default(schema)
    schema["readOnly"] = True


class LateType:
    """The type of a key whose target isn't declared yet: made when the schema is first used."""

    def __init__(self, make: Callable[[], Any], missing: str) -> None:
        self.make = make
        self.missing = missing

    @classmethod
    def of(cls, field: Any) -> Any:
        """Return a field's type with its rules, late where that can't be known yet."""
        rel = field.remote_field
        if not field.is_relation or getattr(rel, "resolved", rel) is not None:
            return annotated(field)
        return Annotated[Any, cls(partial(annotated, field), str(rel.to))]

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Return the schema of the type. Raises PydanticUndefinedAnnotation as long as it isn't known."""
        try:
            made = self.make()
        except ImproperlyConfigured as error:
            raise PydanticUndefinedAnnotation(self.missing, str(error)) from error
        return handler.generate_schema(made)


def list_of_keys(one: Member, optional: bool) -> Definition:
    """Return a list of the keys of related objects."""
    field = one.field
    item: Any = Annotated[Any, LateType(lambda: key_type(field), one.name)]
    info: dict[str, Any] = shown(field) if hasattr(field, "help_text") else {}
    if optional:
        return list[item], Field(default=None, json_schema_extra=without_default, **info)
    if getattr(field, "blank", True):
        return list[item], Field(default_factory=list, **info)
    some: Any = Annotated[list[item], Field(min_length=1), Stored(list[item])]
    return some, Field(**info)


def key_type(field: Any) -> Any:
    """Return the type of the keys of a relation's objects."""
    meta = field.related_model._meta
    if meta.is_composite_pk:
        return tuple[tuple(annotated(part) for part in meta.pk_fields)]  # type: ignore[misc]
    return annotated(meta.pk)


def nested_definition(owner: str, options: SchemaOptions, name: str, one: Member | None) -> Definition:
    """Return the annotation and FieldInfo of a relation that shows its objects."""
    given = options.nested[name]
    info = shown(one.field) if one is not None and hasattr(one.field, "help_text") else {}
    if one is None:
        return Annotated[Any, LateNested(owner, options.model, name, given)], Field(**info)
    optional = is_optional(options, one)
    type_ = nested_type(one, given)
    if optional:
        return type_, Field(default=None, json_schema_extra=without_default, **info)
    return type_, Field(default=None, **info) if one.kind != MANY and one.null else Field(**info)


def nested_type(one: Member, given: Any) -> Any:
    """Return the type of a relation whose objects are given as `given`: a schema, its name, or another type."""
    type_: Any = ForwardRef(given) if isinstance(given, str) else given
    if one.kind == MANY:
        return type_ if get_origin(type_) in (list, tuple, set, frozenset) else list[type_]
    return Optional[type_] if one.null else type_  # noqa: UP045


class LateNested:
    """The type of a relation that isn't declared yet: made when the schema is first used."""

    def __init__(self, owner: str, model: Any, name: str, given: Any) -> None:
        self.owner = owner
        self.model = model
        self.name = name
        self.given = given

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Return the schema of the type. Raises PydanticUndefinedAnnotation as long as there is no such relation."""
        one = member(self.model, self.name)
        if one is None or one.field is None:
            error = unknown_member(self.owner, "nested", self.name, self.model)
            raise PydanticUndefinedAnnotation(f"{self.model._meta.object_name}.{self.name}", str(error))
        return handler.generate_schema(nested_type(one, self.given))
