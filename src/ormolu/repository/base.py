"""What repositories of both kinds have in common: their model, and how they understand a query."""

from __future__ import annotations

from inspect import getattr_static
from types import FunctionType
from typing import Any, Generic, TypeVar, cast, get_args, get_origin

from ormolu.exceptions import FieldDoesNotExist
from ormolu.near import near_names

__all__ = ["Base", "check_names", "unscoped"]

M = TypeVar("M")
METHODS = (FunctionType, classmethod, staticmethod)


class Base(Generic[M]):
    """A repository's model: given, or that of `class UserRepository(Repository[User])`."""

    model: type[M]

    def __init__(self, model: type[M] | None) -> None:
        found: Any = model or getattr(type(self), "model", None) or model_of(type(self))
        name = type(self).__name__
        if found is None:
            raise TypeError(
                f"{name} has no model. Say {name}(session, User), or class UserRepository({name}[User])."
            )
        if not hasattr(found, "_meta") or not isinstance(found, type):
            raise TypeError(f"{name} is of a model, not of {found!r}.")
        self.model = cast("type[M]", found)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {cast(Any, self.model)._meta.label}>"


def model_of(cls: type[Any]) -> Any:
    """Return the model that a class names in brackets: `class UserRepository(Repository[User])`."""
    for part in cls.__mro__:
        for base in getattr(part, "__orig_bases__", ()):
            origin = get_origin(base)
            if isinstance(origin, type) and issubclass(origin, Base):
                for argument in get_args(base):
                    if hasattr(argument, "_meta"):
                        return argument
    return None


def unscoped(session: Any) -> Any:
    """Return a session; of a scoped one, that which is current."""
    if hasattr(session, "registry") and callable(session.registry) and not hasattr(session, "sync_session"):
        return session()
    return session


def check_names(model: Any, names: Any) -> None:
    """Raise FieldDoesNotExist, with the near miss, for a name that is no attribute of a model."""
    for name in names:
        if name == "pk" or (hasattr(model, name) and not isinstance(getattr_static(model, name), METHODS)):
            continue
        known = [field.name for field in model._meta.get_fields()]
        close = near_names(name, known)
        hint = f"Did you mean {close[0]!r}?" if close else f"Fields: {', '.join(known)}."
        raise FieldDoesNotExist(f"{model._meta.object_name} has no field named {name!r}. {hint}")
