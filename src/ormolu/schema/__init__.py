"""Tables of a database, looked at and changed: `connection.introspection` and `connection.schema_editor()`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ormolu.lazy import door

if TYPE_CHECKING:
    from ormolu.schema.editor import SchemaEditor
    from ormolu.schema.introspection import Introspection

__all__ = ["Introspection", "SchemaEditor"]

if not TYPE_CHECKING:
    __getattr__, __dir__ = door(__name__, {"editor": "SchemaEditor", "introspection": "Introspection"})
