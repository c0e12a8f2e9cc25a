"""What stands under a ForeignObject's name on a model, and the setters of its columns."""

from __future__ import annotations

from typing import Any

from ormolu.models.accessors import Forward, wrong_model
from ormolu.models.attributes import Setter
from ormolu.models.routing import relate
from ormolu.models.state import STATE


class ForwardObject(Forward):
    """`comment.user`: the object that a ForeignObject refers to."""

    def key_of(self, instance: Any) -> Any:
        """Return the values that an instance refers with, None where one of them is missing."""
        return self.field.near_key(instance)

    def key_in(self, values: dict[str, Any]) -> Any:
        """Return the same from an instance's `__dict__`, None where one isn't loaded, too."""
        return self.field.key_in(values)

    def lookups_of(self, instance: Any) -> dict[str, Any]:
        """Return the lookups that find an instance's related object."""
        return self.field.lookups_of(instance)  # type: ignore[no-any-return]


def object_setter(field: Any) -> Setter:
    """Return the function behind `comment.user = user`. It raises ValueError for an object of another model."""
    name: str = field.name

    def set_related(instance: Any, related: Any) -> None:
        if related is not None and not isinstance(related, field.related_model._meta.concrete_model):
            raise wrong_model(field, instance, related)
        if related is not None and related._state.db != instance._state.db:
            relate(instance, related)
        for local, value in field.assigned(related):
            setattr(instance, local.attname, value)
        instance.__dict__[name] = related

    return set_related


def letting_go(setter: Setter, attname: str, relation: str) -> Setter:
    """Return the setter of a relation's column, which lets go of the related object when the column changes."""

    def set_column(instance: Any, value: Any) -> None:
        values = instance.__dict__
        if relation in values and values.get(attname) != value:
            del values[relation]
            state = values.get(STATE)
            if state is not None:
                state.committed_state.pop(relation, None)
        setter(instance, value)

    return set_column
