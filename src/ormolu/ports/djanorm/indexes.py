"""`dorm.indexes`: indexes that may be unique, and are named after the model and its fields."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from ormolu.models.indexes import Index as CoreIndex

__all__ = ["Index"]


class Index(CoreIndex):
    """An index of a model's table: `Index(fields=["slug"], unique=True, name="idx_article_slug")`.

    Without a name it is called `idx_<model>_<field>_<field>`, where Ormolu's own would have Django's name.
    """

    max_name_length = 63

    def __init__(self, *expressions: Any, fields: Any = (), unique: bool = False, **options: Any) -> None:
        super().__init__(*expressions, fields=fields, **options)
        self.unique = unique

    def deconstruct(self) -> tuple[str, tuple[Any, ...], dict[str, Any]]:
        """Return (path, args, kwargs) that make this index again."""
        path, args, kwargs = super().deconstruct()
        return path, args, {**kwargs, "unique": True} if self.unique else kwargs

    def get_name(self, model_name: str) -> str:
        """Return the name of the index on a model's table."""
        return self.name or "_".join(["idx", model_name.lower(), *(name for name, _ in self.fields_orders)])

    def set_name_with_model(self, model: Any) -> None:
        """Name the index after a model and its fields; too long a name is shortened as the core does it."""
        name = self.get_name(model._meta.model_name)
        if len(name) <= self.max_name_length:
            self.name = name
        else:
            super().set_name_with_model(model)

    def element(self, meta: Any, table: sa.Table, using: str | None = None) -> sa.Index:
        """Return SQLAlchemy's index."""
        made = super().element(meta, table, using)
        made.unique = self.unique
        return made
