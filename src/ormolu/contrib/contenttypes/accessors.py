"""What stands under the names of generic fields on a model: an object, and a manager."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ormolu.compile import names
from ormolu.exceptions import NotLoaded, ObjectDoesNotExist
from ormolu.models.accessors import ReverseMany
from ormolu.models.routing import relate
from ormolu.models.state import DB
from ormolu.query import fetching

__all__ = ["GenericManagerAccessor", "GenericObject", "OwnersAccessor", "key_matches"]


class GenericObject:
    """`tag.content_object`: the object that a generic key refers to, None where it is gone."""

    def __init__(self, field: Any) -> None:
        self.field = field

    def __get__(self, instance: Any, owner: type[Any]) -> Any:
        if instance is None:
            return self.field
        if key_matches(self.field, instance):
            return instance.__dict__[self.field.name]
        return self.load(instance)

    @property
    def name(self) -> str:
        """The attribute."""
        return str(self.field.name)

    def load(self, instance: Any) -> Any:
        """Fetch the object as the instance's fetch mode says, and keep it. Raises NotLoaded in async code."""
        field = self.field
        if None in field.key(instance):
            field.set_cached_value(instance, None)
        else:
            fetching.fetch(self, instance)
        return instance.__dict__[field.name]

    def not_loaded(self, instance: Any) -> NotLoaded:
        """Return the error for async code."""
        self.field.delete_cached_value(instance)
        cure = f'use prefetch_related("{self.name}") in the query, or await obj.aload("{self.name}")'
        return NotLoaded(model=instance._meta.label, attribute=self.name, cure=cure)

    def fetch_one(self, instance: Any) -> None:
        """Load the object of one instance: one query, two where its content type isn't known yet."""
        field = self.field
        type_key, key = field.key(instance)
        using, found = instance.__dict__.get(DB), None
        model = field.related_model_of(field.get_content_type(id=type_key, using=using))
        if model is not None:
            try:
                found = fetching.with_mode(model._base_manager.all(), instance).get(pk=key)
            except (ObjectDoesNotExist, ValueError):
                found = None
        field.set_cached_value(instance, found)

    def fetch_many(self, instances: Sequence[Any]) -> None:
        """Load the objects of many instances: one query for each of their models."""
        todo = [instance for instance in instances if not key_matches(self.field, instance)]
        for instance in todo:
            self.field.delete_cached_value(instance)
        fetching.fetch_relation(todo, self.name)
        if not key_matches(self.field, instances[0]):
            self.fetch_one(instances[0])

    def __set__(self, instance: Any, related: Any) -> None:
        from ormolu.contrib.contenttypes.models import ContentType
        from ormolu.contrib.contenttypes.rows import key_of

        field = self.field
        if related is None:
            setattr(instance, field.ct_field, None)
            setattr(instance, field.fk_field, None)
            field.set_cached_value(instance, None)
            return
        if not hasattr(related, "_meta") or isinstance(related, type):
            raise ValueError(
                f'Cannot assign "{related!r}": "{field.model._meta.object_name}.{field.name}" must be an object of '
                "a model."
            )
        if related._meta.is_composite_pk:
            raise ValueError(
                f'Cannot assign "{related!r}": "{field.model._meta.object_name}.{field.name}" keeps a key of one '
                f"value, and that of {related._meta.object_name} has {len(related._meta.pk_fields)}."
            )
        if related._state.db != instance._state.db:
            relate(instance, related)
        manager = ContentType.objects.db_manager(related.__dict__.get(DB))
        held = manager._held([key_of(related, field.for_concrete_model)])
        if held is None and fetching.in_event_loop():
            setattr(instance, field.ct_attname, None)  # asked for when the instance is saved
        else:
            setattr(instance, field.ct_field, field.get_content_type(obj=related))
        setattr(instance, field.fk_field, related.pk)
        field.set_cached_value(instance, related)


def key_matches(field: Any, instance: Any) -> bool:
    """Tell whether an instance holds an object, and that is the one which its columns name."""
    values = instance.__dict__
    if field.name not in values:
        return False
    related = values[field.name]
    type_key, key = field.key(instance)
    held_type, held_key = values.get(field.held_name, (None, None))
    if type_key != held_type:
        return False
    if related is None or (key is None and held_key is None):
        return bool(key == held_key)
    return bool(names.plain_field(related._meta.pk).to_python(key) == related.pk)


class GenericManagerAccessor(ReverseMany):
    """`bookmark.tags`: a manager of the objects whose generic key refers to this one."""

    @property
    def related_manager_class(self) -> Any:
        """Return the manager's class, made of the related model's default manager."""
        if self._manager_class is None:
            from ormolu.contrib.contenttypes.related_managers import generic_manager_class

            self._manager_class = generic_manager_class(self.field)
        return self._manager_class

    related_manager_cls = related_manager_class

    def __set__(self, instance: Any, value: Any) -> None:
        raise TypeError(
            "Direct assignment to the forward side of a many-to-many set is prohibited. "
            f"Use {self.field.name}.set() instead."
        )


class OwnersAccessor(ReverseMany):
    """`tag.bookmark`: a manager of what the object refers to, of the model that says so with a related_query_name."""

    @property
    def related_manager_class(self) -> Any:
        """Return the manager's class, made of the default manager of the model with the GenericRelation."""
        if self._manager_class is None:
            from ormolu.contrib.contenttypes.related_managers import owners_manager_class

            self._manager_class = owners_manager_class(self.field)
        return self._manager_class

    related_manager_cls = related_manager_class

    def __set__(self, instance: Any, value: Any) -> None:
        raise TypeError("Assign to the generic key itself: it says what the object refers to.")
