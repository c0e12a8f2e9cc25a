"""Meta.validate_on_save: what save() validates before it writes."""

from __future__ import annotations

from collections.abc import Collection
from functools import partial
from typing import Any

from ormolu.programs import Program
from ormolu.writes.overrides import Call
from ormolu.writes.writers import Writer

__all__ = ["validate"]


def validate(writer: Writer, instance: Any, only: Collection[str] | None = None) -> Program[None]:
    """Validate an instance as its model wants it: the uniqueness of a new one, or all of any.

    Of an instance that is saved with update_fields, these alone. Raises ValidationError.
    """
    values = instance.__dict__
    new = "_db" not in values
    if new:
        values["_using"] = writer.alias  # where other rows are looked for
    if writer.validates == "full":
        fields = writer.meta.fields
        left = (
            [] if only is None else [f.name for f in fields if f.name not in only and f.attname not in only]
        )
        yield Call(partial(instance.full_clean, exclude=left))
    elif new:
        yield Call(instance.validate_unique)
