"""`Base`: a model with Achemy's methods for plain data."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Self, cast

from ormolu.models import Model
from ormolu.repository import data

__all__ = ["AlchemyModel", "Base"]


class AlchemyModel:
    """The methods of `Base`, for a base of one's own: `class AppBase(Model, AlchemyModel)`."""

    def to_dict(self, with_meta: bool = False, fields: Iterable[str] | None = None) -> dict[str, Any]:
        """Return the values of the mapped columns by attribute, or of those in `fields`."""
        return {**_about(self, with_meta), **data.to_dict(self, fields=fields)}

    def dump_model(self, with_meta: bool = False, fields: Iterable[str] | None = None) -> dict[str, Any]:
        """Return `to_dict()` as `json.dumps()` takes it: UUIDs, times and decimals are text."""
        return {**_about(self, with_meta), **data.dump_model(self, fields=fields)}

    @classmethod
    def load(cls, data_dict: Mapping[str, Any]) -> Self:
        """Return a new object, in no session, with these values. Names that the model doesn't have are passed over.

        Raises ValueError for what is no dictionary.
        """
        if not isinstance(data_dict, Mapping):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise ValueError(f"{cls.__name__} is loaded from a dictionary, not from {data_dict!r}.")
        return data.load(cls, data_dict, strict=False)


class Base(Model, AlchemyModel):
    """The base of Achemy's models: `class AppBase(Base)` with `__abstract__ = True`, and `__tablename__` below it."""

    __abstract__ = True


def _about(instance: Any, with_meta: bool) -> dict[str, Any]:
    if not with_meta:
        return {}
    cls: Any = cast(Any, type(instance))
    return {"__metadata__": {"model": f"{cls.__module__}:{cls.__name__}", "table": cls.__table__.name}}
