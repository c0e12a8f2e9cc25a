"""VersionField: the count of a row's changes, by which save() notices that somebody else has changed the row."""

from __future__ import annotations

from typing import Any

from ormolu.fields.integers import IntegerField

__all__ = ["VersionField"]


class VersionField(IntegerField[int]):
    """An integer that counts the changes of a row: 1 for a new one, one more with each write.

    A model with one is written under optimistic locking: `save()`, `delete()` and `bulk_update()` change the row only
    if its version is the one that the object has, and raise `StaleObjectError` otherwise; `QuerySet.update()` counts
    up. It is the model's `Meta.version_field`, which may name an `IntegerField` instead. A SQLAlchemy Session does the
    same: the column is the mapper's `version_id_col`.
    Source: SQLAlchemy's documentation, "Configuring a Version Counter".
    """

    description = "Version"
    counts_versions = True

    def __init__(self, *args: Any, **options: Any) -> None:
        options.setdefault("default", 1)
        options.setdefault("editable", False)
        super().__init__(*args, **options)

    def deconstruct(self) -> tuple[str | None, str, list[Any], dict[str, Any]]:
        """Return (name, import path, args, kwargs) from which this field can be made again."""
        name, path, args, kwargs = super().deconstruct()
        if kwargs.get("default") == 1:
            del kwargs["default"]
        if kwargs.get("editable") is False:
            del kwargs["editable"]
        return name, path, args, kwargs

    def get_internal_type(self) -> str:
        """Return the name of the field class whose column type this is."""
        return "IntegerField"
