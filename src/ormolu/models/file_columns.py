"""Attributes of models that are files: what stands in an object's `__dict__` may be a name, and is read as a file."""

from __future__ import annotations

from typing import Any

from ormolu.fields.field_files import FieldFile
from ormolu.fields.options import DatabaseDefault
from ormolu.models.attributes import FastColumn, column_setter, load_column

__all__ = ["FileColumn"]


class FileColumn(FastColumn):
    """Stand over SQLAlchemy's attribute for the column of a FileField.

    A row puts the name into `__dict__`; the first reading makes a FieldFile of it, which stays there. It has a
    `__set__`, so that it is asked before `__dict__`.
    """

    __slots__ = ("store",)

    def __init__(self, attribute: Any, attname: str, field: Any) -> None:
        super().__init__(attribute, attname, field)
        self.store = column_setter(attname, attribute)
        """Set the attribute, and remember that it changed."""

    def __get__(self, instance: Any, owner: type[Any]) -> Any:
        if instance is None:
            return self.attribute
        values, attname = instance.__dict__, self.attname
        value = values[attname] if attname in values else load_column(self, instance)
        if isinstance(value, FieldFile) and value.instance is instance:
            return value
        if hasattr(value, "resolve_expression") or hasattr(value, "__clause_element__"):
            return value  # the database will say
        file = self.field.wrap(instance, value)
        if value.__class__ is not DatabaseDefault:
            values[attname] = file
        return file

    def __set__(self, instance: Any, value: Any) -> None:
        self.set(instance, value)

    def set(self, instance: Any, value: Any) -> None:
        """Set the attribute; an image's size, too, where the model has fields for it."""
        self.store(instance, value)
        if self.field.measures:
            self.field.measure_assigned(instance)
