"""`dorm.contrib.pydantic`: schemas of models, which are `ormolu.schemas` under djanorm's names.

They differ in two things: reading an object loads what it lacks, where Ormolu's own schemas raise NotLoaded
(`Meta.unloaded` says which); and `schema_for()` has `only`, which the core calls `fields`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

from pydantic import BaseModel

from ormolu import schemas
from ormolu.schemas import Schema
from ormolu.schemas.options import ALL, SchemaOptions

__all__ = ["DormSchema", "schema_for"]


class DormSchema(Schema):
    """A Pydantic model made of a model's fields, which `class Meta` chooses. See `ormolu.schemas.Schema`."""

    __schema_options__: ClassVar[SchemaOptions] = SchemaOptions(unloaded="load")


def schema_for(
    model_cls: Any,
    *,
    name: str | None = None,
    exclude: Iterable[str] = (),
    only: Iterable[str] | None = None,
    optional: Iterable[str] = (),
    nested: Mapping[str, Any] | None = None,
    base: type[BaseModel] | None = None,
) -> type[BaseModel]:
    """Return a schema of a model, without a class body: the fields `only`, or all but those in `exclude`.

    `optional` names fields that may be left out, `nested` relations whose objects are shown, `name` is the class's
    (else that of the model and `Schema`), `base` a class to derive from. Raises TypeError for unknown names.
    """
    return schemas.schema_for(
        model_cls,
        name=name,
        fields=ALL if only is None else only,
        exclude=exclude,
        optional=optional,
        nested=nested,
        base=base,
        unloaded="load",
    )
