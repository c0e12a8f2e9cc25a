"""`Base`: models that are dataclasses, and name their tables."""

from __future__ import annotations

from typing import Any

from sqlalchemy.exc import InvalidRequestError

from ormolu.sessions import DataclassModel

__all__ = ["Base"]


class Base(DataclassModel):
    """Base of the foundation layer's models. Raises InvalidRequestError for a class without `__tablename__`."""

    __abstract__ = True

    def __init_subclass__(cls, **options: Any) -> None:
        declared = vars(cls)
        abstract = declared.get("__abstract__") or getattr(declared.get("Meta"), "abstract", False)
        if not abstract and not any(hasattr(cls, name) for name in ("__tablename__", "__table__")):
            raise InvalidRequestError(
                f"The class {cls.__name__} has no '__tablename__' attribute, which the models of Base need."
            )
        super().__init_subclass__(**options)
