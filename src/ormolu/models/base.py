"""`Model`: a SQLAlchemy declarative class that reads `class Meta` and fields as Django's models do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from sqlalchemy import event
from sqlalchemy.orm import DeclarativeBase
from sqlalchemy.orm.decl_api import DeclarativeAttributeIntercept

from ormolu.models import building, replacing
from ormolu.models.registry import apps
from ormolu.models.state import LazyInstanceState, listen
from ormolu.models.validation import Validation

if TYPE_CHECKING:
    from ormolu.query.managers import DefaultObjects


class ModelBase(DeclarativeAttributeIntercept):
    """Metaclass of models."""

    def __setattr__(cls, name: str, value: Any) -> None:
        """Set a class attribute. Columns and relationships that are added later are mapped."""
        super().__setattr__(name, value)
        if "_setters" in cls.__dict__:
            building.attribute_added(cls, name)

    def add_to_class(cls, name: str, value: Any) -> None:
        """Set a class attribute, or let it bind itself if it has `contribute_to_class()`."""
        building.add_to_class(cls, name, value)


class Model(Validation, DeclarativeBase, metaclass=ModelBase):
    """Base of all models. Each subclass is a table, unless its Meta says `abstract = True`.

    Source: Django's documentation, "Models"; SQLAlchemy's, "Declarative Mapping".
    """

    __abstract__ = True
    __allow_unmapped__ = True
    metadata = apps.metadata
    registry = apps.sa_registry

    if TYPE_CHECKING:
        # Not declared with a type: a class body's `objects = PostManager()` then has its own.
        objects: ClassVar = DefaultObjects()

    def __init_subclass__(cls, **kwargs: Any) -> None:
        if "_is_root" in vars(cls):
            return  # a base beside this one, and no model
        if not building.begin(cls):
            super().__init_subclass__(**kwargs)
            return
        try:
            with building.one_chain(cls):
                super().__init_subclass__(**kwargs)
            building.finish(cls)
        except BaseException:
            replacing.withdraw(cls)
            raise

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Set the fields from positional values, in order, or from keywords."""
        init = type(self).__dict__.get("_generated_init")
        if init is None:
            if type(self)._meta.abstract:
                raise TypeError(
                    f"Abstract models cannot be instantiated. Derive a model from {type(self).__name__}."
                )
            init = building.generated_init(type(self))
        init(self, *args, **kwargs)

    @classmethod
    def check(cls, **kwargs: Any) -> list[Any]:
        """Return what is wrong with the declaration: messages of `ormolu.checks`. No query.

        With `databases`, aliases, what these can't do is found as well. An override adds to what `super()` returns.
        """
        from ormolu.models.checks import model_problems

        return list(model_problems(cls, kwargs.get("databases")))


type.__setattr__(Model, "_sa_instance_state", LazyInstanceState())
listen(Model)
event.listen(Model, "before_mapper_configured", building.skip_unresolved, retval=True, propagate=True)
