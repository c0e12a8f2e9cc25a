"""`Meta.version_field`: which column counts the changes of a model's rows."""

from __future__ import annotations

from typing import Any, cast

from ormolu.exceptions import FieldDoesNotExist, FieldError
from ormolu.fields.integers import IntegerField
from ormolu.fields.versions import VersionField


def find_version(meta: Any) -> Any:
    """Return the field that counts the changes of a model's rows, its own or a parent's; None for none.

    Raises FieldError where it is none that can count, or where there are several.
    """
    for parent in meta.parents:
        found = parent._meta.version
        if found is not None:
            _refuse_second(meta, found)
            return found
    name = meta.version_field
    if name is None:
        counting = [f for f in meta.local_fields if isinstance(f, VersionField)]
        if len(counting) > 1:
            names = ", ".join(field.name for field in counting)
            raise FieldError(
                f"{meta.label} has several VersionFields: {names}. Name one in Meta.version_field."
            )
        return counting[0] if counting else None
    try:
        field: Any = meta.get_field(name)
    except FieldDoesNotExist as error:
        raise FieldError(f"Meta.version_field of {meta.label}: {error}") from None
    if not isinstance(field, IntegerField) or field.null or field.primary_key or field.is_relation:
        integers = [f.name for f in meta.local_fields if isinstance(f, IntegerField) and not f.null]
        raise FieldError(
            f"Meta.version_field of {meta.label} names {name!r}, which can't count: it must be an IntegerField without "
            f"null, and not the key. Choices are: {', '.join(n for n in integers if n != meta.pk.name) or 'none'}."
        )
    return cast(Any, field)


def _refuse_second(meta: Any, inherited: Any) -> None:
    own = [f for f in meta.local_fields if isinstance(f, VersionField)]
    if own or meta.original_attrs.get("version_field") not in (None, inherited.name):
        raise FieldError(
            f"{meta.label} counts its versions in {inherited.model._meta.label}.{inherited.name}, which it inherits: "
            "it can't have another version field."
        )


def tell_mapper(cls: type[Any], meta: Any) -> None:
    """Let SQLAlchemy's unit of work count and compare, too: `version_id_col` of a model about to be mapped."""
    field = find_version(meta)
    if field is None or field.model is not cls:
        return
    given = vars(cls).get("__mapper_args__")
    if given is None or isinstance(given, dict):
        options: dict[str, Any] = {"version_id_col": field.sa_column, **(given or {})}
        type.__setattr__(cls, "__mapper_args__", options)
