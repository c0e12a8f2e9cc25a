"""Put the files of objects into their storages, before the objects' rows are written."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from functools import partial
from typing import Any

from ormolu.programs import Program
from ormolu.writes.overrides import Call
from ormolu.writes.writers import Writer

__all__ = ["store_files"]


def store_files(
    writer: Writer, instances: Iterable[Any], only: Collection[str] | None = None
) -> Program[None]:
    """Store the content that was assigned to instances, of all their fields or of some: in async code in a thread."""
    fields = [f for f in writer.files if only is None or f.name in only or f.attname in only]
    for instance in instances:
        values = instance.__dict__
        for field in fields:
            if field.waits_for_storage(values):
                yield Call(partial(field.pre_save, instance, "_db" not in values))
