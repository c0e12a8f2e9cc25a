"""Reading objects of models: by validators made of a schema's own, in which what the database has needs no rules."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, cast
from weakref import WeakKeyDictionary

from pydantic import BaseModel
from pydantic_core import SchemaValidator, core_schema

from ormolu.schemas.reading import values_of
from ormolu.schemas.rules import STORED
from ormolu.schemas.shapes import core_schema_of

__all__ = ["is_object", "reader", "stored_validator"]

_validators: WeakKeyDictionary[type[BaseModel], SchemaValidator] = WeakKeyDictionary()


def is_object(value: Any) -> bool:
    """Tell whether a value is an object of a model of ours."""
    cls = cast("Any", type(value))
    return hasattr(cls, "_meta") and hasattr(cls, "__mapper__")


def reader(cls: type[BaseModel]) -> Callable[[Any], Any]:
    """Return what makes a schema of an object."""
    return stored_validator(cls).validate_python


def stored_validator(cls: type[BaseModel]) -> SchemaValidator:
    """Return what reads objects as a schema. It is made once for each class."""
    found = _validators.get(cls)
    if found is None:
        found = _validators[cls] = built(as_stored(core_schema_of(cls)))
    return found


def built(schema: Any) -> SchemaValidator:
    """Return the validator of a core schema, in which the models' own validators don't stand in for their schemas."""
    try:
        return SchemaValidator(schema, _use_prebuilt=False)  # pyright: ignore
    except TypeError:  # an older pydantic-core, which never does that
        return SchemaValidator(schema)


def as_stored(node: Any, owner: Any = None) -> Any:
    """Return a core schema that reads objects: each model's fields from an object's values, without rules."""
    if isinstance(node, list):
        return [as_stored(item, owner) for item in cast("Any", node)]
    if isinstance(node, tuple):
        return tuple(as_stored(item, owner) for item in cast("Any", node))
    if not isinstance(node, dict):
        return node
    schema = cast("dict[str, Any]", node)
    metadata: dict[str, Any] = schema.get("metadata") or {}
    plain: Any = metadata.get(STORED)
    if plain is not None:
        return as_stored(plain, owner)
    if schema.get("type") == "function-wrap" and is_switch(schema["function"]):
        inner = as_stored(schema["schema"], owner)
        return {**inner, "ref": schema["ref"]} if "ref" in schema else inner
    if schema.get("type") == "model":
        owner = schema["cls"]
    if schema.get("type") == "model-fields":
        fields = {name: by_name(name, one) for name, one in schema["fields"].items()}
        schema = {**schema, "fields": fields}
    made: Any = {
        key: value if key in ("metadata", "serialization") else as_stored(value, owner)
        for key, value in schema.items()
    }
    if schema.get("type") == "model-fields" and owner is not None:
        return core_schema.no_info_before_validator_function(partial(values_of, owner), made)
    return made


def by_name(name: str, field: dict[str, Any]) -> dict[str, Any]:
    """Return a model's field that is looked up by its own name first, then by its aliases."""
    alias: Any = field.get("validation_alias")
    if alias is None:
        return field
    paths = [[alias]] if isinstance(alias, str) else alias if isinstance(alias[0], list) else [alias]
    return {**field, "validation_alias": [[name], *paths]}


def is_switch(function: dict[str, Any]) -> bool:
    """Tell whether a validator is the one by which schemas come here."""
    called = getattr(function.get("function"), "__func__", None)
    return getattr(called, "__qualname__", "") == "Schema._read_objects"
