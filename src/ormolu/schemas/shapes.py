"""Which Pydantic models stand in the fields of a schema: what of the related objects it shows."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, cast

from pydantic import BaseModel

__all__ = ["core_schema_of", "nested_models"]


def core_schema_of(cls: type[BaseModel]) -> Any:
    """Return the core schema of a Pydantic model, completed if names in it had to wait. Raises PydanticUserError."""
    if not cls.__pydantic_complete__:
        cls.model_rebuild()
    return cls.__pydantic_core_schema__


def nested_models(cls: type[BaseModel]) -> dict[str, tuple[type[BaseModel], ...]]:
    """Return, by field, the Pydantic models that stand in its type: several for a union, none for a plain value."""
    schema = core_schema_of(cls)
    shared = {one["ref"]: one for one in schema.get("definitions", ()) if "ref" in one}
    whole: dict[str, Any] = next(find(schema, "model-fields", shared, set[str]()), dict[str, Any]())
    fields: dict[str, Any] = whole.get("fields", {})
    found: dict[str, tuple[type[BaseModel], ...]] = {}
    for name, field in fields.items():
        models = [node["cls"] for node in find(field["schema"], "model", shared, set[str]())]
        if models:
            found[name] = tuple(dict.fromkeys(models))
    return found


def find(node: Any, kind: str, shared: dict[str, Any], seen: set[str]) -> Iterator[dict[str, Any]]:
    """Yield the outermost parts of a kind in a core schema."""
    if isinstance(node, (list, tuple)):
        for item in cast("list[Any]", node):
            yield from find(item, kind, shared, seen)
        return
    if not isinstance(node, dict):
        return
    schema = cast("dict[str, Any]", node)
    if schema.get("type") == kind:
        yield schema
        return
    if schema.get("type") == "definition-ref":
        ref = schema["schema_ref"]
        if ref not in seen:
            seen.add(ref)
            yield from find(shared.get(ref), kind, shared, seen)
        return
    for key, value in schema.items():
        if key not in ("metadata", "serialization", "definitions"):
            yield from find(value, kind, shared, seen)
