"""The type of columns with names of files."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from ormolu.fields.types.base import ValueType

__all__ = ["FileNameType"]


class FileNameType(ValueType):
    """VARCHAR for the name of a file; binds a file as its name. No file is "", or NULL where that may be."""

    impl = sa.String

    def __init__(self, length: int | None = None, nullable: bool = False) -> None:
        self.nullable = nullable
        super().__init__(length)
        self.length = length

    def bind_processor(self, dialect: sa.Dialect) -> Any:
        """Return the conversion of a file to its name."""
        nothing = None if self.nullable else ""

        def name_of(value: Any) -> Any:
            if value.__class__ is str:
                return value
            return nothing if value is None else getattr(value, "name", value) or nothing

        return name_of
