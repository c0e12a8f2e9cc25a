"""`Schema`: a Pydantic model whose fields come from a model, with what the class body declares beside them."""

from __future__ import annotations

import inspect
import re
import warnings
from typing import TYPE_CHECKING, Any, ClassVar, Self

from pydantic import BaseModel, ConfigDict, ModelWrapValidatorHandler, ValidationInfo, model_validator

from ormolu.schemas.definitions import definitions
from ormolu.schemas.options import SchemaOptions, read_options
from ormolu.schemas.stored import is_object, stored_validator
from ormolu.schemas.writing import Writing

__all__ = ["Schema"]


class Schema(Writing, BaseModel):
    """A Pydantic model made of a model's fields, which `class Meta` chooses.

    - `model`: the model;
    - `fields`: names, or "__all__" (the default): all that have a column;
    - `exclude`: names to leave out, in place of `fields`;
    - `optional`: names that may be left out, or "__all__": for the bodies of PATCH;
    - `nested`: relations whose objects are shown, by the schema of these: `{"author": AuthorOut, "tags": TagOut}`.
      A name stands for a schema that comes later;
    - `needs`: the columns that a property of the model reads, `{"full_name": ("first_name", "last_name")}`;
    - `unloaded`: "raise" (the default), or "load" to let reading an object load what it lacks.

    What the class body declares comes first: fields of one's own, other types, validators, computed fields. A subclass
    inherits what its own `Meta` does not state.

    `model_validate(obj)` reads an object, and never asks the database: what isn't loaded raises NotLoaded.
    `queryset.as_schema(AuthorOut)` loads just what is needed.
    Raises TypeError for names that the model doesn't have.
    """

    model_config = ConfigDict(
        from_attributes=True,
        json_schema_serialization_defaults_required=True,
        protected_namespaces=("model_validate", "model_dump"),
        ignored_types=(type,),
    )

    if TYPE_CHECKING:
        Meta: ClassVar[type]
    __schema_options__: ClassVar[SchemaOptions] = SchemaOptions()
    __schema_derived__: ClassVar[frozenset[str]] = frozenset()

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        meta = vars(cls).get("Meta")
        if meta is not None:
            derive(cls, meta)

    @model_validator(mode="wrap")
    @classmethod
    def _read_objects(
        cls, value: Any, handler: ModelWrapValidatorHandler[Self], info: ValidationInfo
    ) -> Self:
        if value.__class__ is not dict and is_object(value):
            return stored_validator(cls).validate_python(value, context=info.context)  # type: ignore[no-any-return]
        return handler(value)


SHADOWED = frozenset(vars(BaseModel)) - {"model_config", "model_fields"}
"""What Pydantic's models had before their names began with `model_`: columns may be called so."""


def allow_shadow(owner: str, name: str) -> None:
    """Let a column be called as a deprecated method of Pydantic's, without its warning."""
    text = f'Field name "{name}" in "{owner}" shadows an attribute'
    warnings.filterwarnings("ignore", message=re.escape(text), category=UserWarning)


def derive(cls: type[Schema], meta: type) -> None:
    """Give a schema class that is being made the fields which its `class Meta` asks for."""
    inherited = [base for base in cls.__mro__[1:] if issubclass(base, Schema)]
    cls.__schema_options__ = read_options(cls.__name__, meta, inherited[0].__schema_options__)
    if cls.__schema_options__.model is None:
        return
    own = inspect.get_annotations(cls)
    derived = {name for base in inherited for name in base.__schema_derived__}
    declared = {name for base in inherited for name in getattr(base, "model_fields", ())} - derived
    found = definitions(cls.__name__, cls.__schema_options__)
    annotations: dict[str, Any] = {}
    for name, (annotation, info) in found.items():
        if name in own or name in declared:
            continue
        annotations[name] = annotation
        if name in SHADOWED:
            allow_shadow(cls.__name__, name)
        if name not in vars(cls):  # else the class body has a Field() of its own for it
            setattr(cls, name, info)
    for name in derived - found.keys() - own.keys():
        annotations[name] = ClassVar[Any]  # Pydantic would inherit it
    cls.__annotations__ = {**annotations, **own}
    cls.__schema_derived__ = frozenset(found) - own.keys() - declared
