"""Primary keys of several columns, as plain SQLAlchemy mappings may have."""

from __future__ import annotations

from typing import Any


class CompositeKey:
    """`_meta.pk` of a model whose key has several columns. Its value is a tuple."""

    name = "pk"
    attname = "pk"
    column = None
    concrete = False
    primary_key = True
    is_relation = False
    remote_field = None
    unique = True
    null = False
    auto_created = False

    def __init__(self, model: type[Any], fields: tuple[Any, ...]) -> None:
        self.model = model
        self.fields = fields

    def __repr__(self) -> str:
        return f"<CompositeKey: {', '.join(field.name for field in self.fields)}>"

    def value_from_object(self, instance: Any) -> tuple[Any, ...]:
        """Return the key of an instance."""
        return tuple(getattr(instance, field.attname) for field in self.fields)

    def to_python(self, value: Any) -> tuple[Any, ...]:
        """Convert each part as its field does."""
        return tuple(field.to_python(part) for field, part in zip(self.fields, value, strict=True))
