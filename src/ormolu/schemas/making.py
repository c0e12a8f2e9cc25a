"""Schemas that need no class body: `schema_for()`, and `Model.get_schema()`."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from typing import Any, cast
from weakref import WeakKeyDictionary

from pydantic import BaseModel

from ormolu.schemas.base import Schema
from ormolu.schemas.options import ALL

__all__ = ["get_schema", "schema_for"]

_kept: WeakKeyDictionary[Any, dict[frozenset[str], type[Schema]]] = WeakKeyDictionary()


def schema_for(
    model: Any,
    *,
    name: str | None = None,
    fields: Iterable[str] | str = ALL,
    exclude: Iterable[str] = (),
    optional: Iterable[str] | str = (),
    nested: Mapping[str, Any] | None = None,
    base: type[BaseModel] | None = None,
    **meta: Any,
) -> type[Schema]:
    """Return a schema of a model, as a class with such a `class Meta` would be one. See `Schema`.

    `name` is the class's, else that of the model and `Schema`; `base` a class to derive from, with fields, validators
    or a configuration of its own. Raises TypeError for names that the model doesn't have.
    """
    options: dict[str, Any] = {
        "model": model,
        "optional": tuple(optional) if optional != ALL else ALL,
        **meta,
    }
    if exclude:
        options["exclude"] = tuple(exclude)
    if fields != ALL or not exclude:
        options["fields"] = fields if isinstance(fields, str) else tuple(fields)
    if nested is not None:
        options["nested"] = nested
    bases: Any = (Schema,)
    if base is not None:
        bases = (base,) if issubclass(base, Schema) else (base, Schema)
    caller = sys._getframe(1).f_globals.get("__name__", __name__)
    called = name or f"{model.__name__}Schema"
    body = {"__module__": caller, "__qualname__": called, "Meta": type("Meta", (), options)}
    return cast("type[Schema]", type(bases[0])(called, bases, body))


def get_schema(model: Any, exclude: Iterable[str] | None = None) -> type[Schema]:
    """Return the schema of a model's columns, without those in `exclude`: the same class each time."""
    left_out = frozenset(exclude or ())
    kept = _kept.setdefault(model, {})
    if left_out not in kept:
        made = schema_for(model, exclude=left_out)
        made.__module__ = model.__module__
        kept[left_out] = made
    return kept[left_out]
