"""`Model.get_schema()`: a Pydantic model of a model's columns."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ormolu.databases.config import need
from ormolu.fields.options import DatabaseDefault

if TYPE_CHECKING:
    from pydantic import BaseModel

__all__ = ["schema_of"]


def schema_of(model: Any, exclude: set[str]) -> type[BaseModel]:
    """Return a Pydantic model of the columns of a model, without those that are excluded.

    It reads instances (`from_attributes`). What may be NULL, and what the database or the model gives by itself, may
    be missing, and is None then. A column whose type says no Python type is `Any`.
    Raises MissingExtra without Pydantic.
    """
    pydantic = need("pydantic", f"{model.__name__}.get_schema()")
    names: dict[str, Any] = {}
    for field in model._meta.concrete_fields:
        if field.attname in exclude or field.name in exclude:
            continue
        type_ = python_type(field)
        given = field.null or field.primary_key or field.has_db_default() or _stamped(field)
        before = pydantic.BeforeValidator(_known)
        if given:
            names[field.attname] = (pydantic_annotated(type_ | None, before), None)
        else:
            names[field.attname] = (type_, ...)
    made: type[BaseModel] = pydantic.create_model(
        f"{model.__name__}Schema", __config__=pydantic.ConfigDict(from_attributes=True), **names
    )
    return made


def pydantic_annotated(type_: Any, *extra: Any) -> Any:
    """Return an annotation with what Pydantic is to know of it."""
    from typing import Annotated

    return Annotated[(type_, *extra)]


def python_type(field: Any) -> Any:
    """Return the Python type of a field's column, Any where it has none."""
    try:
        return field.sa_column.type.python_type
    except NotImplementedError:
        return Any


def _stamped(field: Any) -> bool:
    return bool(getattr(field, "auto_now", False) or getattr(field, "auto_now_add", False))


def _known(value: Any) -> Any:
    """Return None for a value that only the database knows."""
    return None if isinstance(value, DatabaseDefault) else value
