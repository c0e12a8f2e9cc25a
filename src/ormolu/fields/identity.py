"""What makes a field that field: equality, order, copies, pickles, and how it is shown."""

from __future__ import annotations

import copy
from functools import cached_property, total_ordering
from typing import TYPE_CHECKING, Any, Self

from ormolu.lazy import public_path

__all__ = ["FieldIdentity"]


class FieldIdentity:
    """Fields are equal that were created as one, for the same model; they are ordered by creation."""

    creation_counter: int
    name: str
    remote_field: Any

    if TYPE_CHECKING:

        def deconstruct(self) -> tuple[str | None, str, list[Any], dict[str, Any]]: ...

    if not TYPE_CHECKING:

        def __eq__(self, other):
            if not isinstance(other, FieldIdentity):
                return NotImplemented
            return self.creation_counter == other.creation_counter and _model_of(self) == _model_of(other)

        def __lt__(self, other):
            """Order by creation; copies of one field go by model, that of an abstract class or none first."""
            if not isinstance(other, FieldIdentity):
                return NotImplemented
            return self._order() < other._order()

        def __hash__(self):
            return hash(self.creation_counter)

    def _order(self) -> tuple[Any, ...]:
        meta = getattr(_model_of(self), "_meta", None)
        label = (getattr(meta, "app_label", "") or "", getattr(meta, "model_name", "") or "") if meta else ()
        return self.creation_counter, meta is not None, label

    def __str__(self) -> str:
        """Return "app.Model.field" of a field that belongs to a model."""
        model = _model_of(self)
        if model is None:
            return repr(self)
        label = getattr(getattr(model, "_meta", None), "label", None) or model.__name__
        return f"{label}.{self.name}"

    def __repr__(self) -> str:
        path = public_path(type(self))
        return f"<{path}: {self.name}>" if self.name else f"<{path}>"

    def clone(self) -> Self:
        """Return a new field with the same options, which belongs to no model."""
        _, _, args, kwargs = self.deconstruct()
        return type(self)(*args, **kwargs)

    def __copy__(self) -> Self:
        twin = object.__new__(type(self))
        twin.__dict__.update(self._lasting_state())
        return twin

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        twin = copy.copy(self)
        if self.remote_field is not None:
            twin.remote_field = copy.copy(self.remote_field)
            if getattr(self.remote_field, "field", None) is self:
                twin.remote_field.field = twin
        memo[id(self)] = twin
        return twin

    def _lasting_state(self) -> dict[str, Any]:
        """Return the attributes without those that are only worked out from others and from the model."""
        cls = type(self)
        return {
            name: value
            for name, value in self.__dict__.items()
            if not isinstance(getattr(cls, name, None), cached_property)
        }

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle a model's field as a reference to it, any other by its state."""
        model = _model_of(self)
        if model is not None:
            return _field_of, (model, self.name)
        return _blank_field, (type(self),), self._lasting_state()


if not TYPE_CHECKING:
    total_ordering(FieldIdentity)


def _model_of(field: Any) -> Any:
    return field.__dict__.get("model")


def _blank_field(cls: type[Any]) -> Any:
    return object.__new__(cls)


def _field_of(model: Any, name: str) -> Any:
    return model._meta.get_field(name)
