"""Models that are dataclasses: SQLAlchemy's `MappedAsDataclass`, with everything that our models have."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self, cast

from sqlalchemy.orm import ColumnProperty, LoaderCallableStatus, MappedAsDataclass
from sqlalchemy.orm.decl_api import DCTransformDeclarative

from ormolu.models import Model
from ormolu.models.base import ModelBase
from ormolu.models.state import DB

__all__ = ["DataclassModel"]


class DataclassModelBase(DCTransformDeclarative, ModelBase):
    """Metaclass of models that are dataclasses: type checkers know their constructor."""


class DataclassModel(MappedAsDataclass, Model, metaclass=DataclassModelBase, eq=False):
    """Base of models whose constructor is a dataclass's: positional values, `init=False`, required fields.

        class Author(DataclassModel):
            id: Mapped[int] = mapped_column(primary_key=True, init=False)
            name: Mapped[str] = mapped_column(String(50))

        Author("Ann"); Author.objects.get(name="Ann")

    Columns are declared in SQLAlchemy's way, with annotations. Objects are equal when their rows are, as all models'
    are, and so can be put into sets once they are saved; `class Author(DataclassModel, eq=True)` compares values as
    plain dataclasses do. A table without a primary key gets an `id`, which the constructor does not take.
    Source: SQLAlchemy's documentation, "Declarative Dataclass Mapping".
    """

    __abstract__ = True

    def __init_subclass__(cls, **options: Any) -> None:
        compares = options.setdefault("eq", False)
        super().__init_subclass__(**options)
        if not compares and cls.__hash__ is None:  # a mixin before this base compares values
            cast(Any, cls).__eq__, cast(Any, cls).__hash__ = Model.__eq__, Model.__hash__

    @classmethod
    def from_db(cls, db: str | None, field_names: Sequence[str], values: Sequence[Any]) -> Self:
        """Make an instance of a loaded row, past the constructor, as SQLAlchemy does."""
        instance = object.__new__(cls)
        data: Any = instance.__dict__
        data.update(zip(field_names, values))
        if db is not None:
            data[DB] = db
        return instance

    def __setattr__(self, name: str, value: Any) -> None:
        # What a dataclass's constructor "sets" where it wasn't given a value that has a default.
        if value is LoaderCallableStatus.DONT_SET:
            prop: Any = type(self).__mapper__._props.get(name)
            if isinstance(prop, ColumnProperty):
                cast(Any, self.__dict__).setdefault(name, prop._default_scalar_value)
            return
        super().__setattr__(name, value)
