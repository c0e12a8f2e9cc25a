"""A model that is defined again (a notebook cell that ran twice) takes the old one's place."""

from __future__ import annotations

import warnings
from typing import Any

from sqlalchemy import exc

from ormolu.models.relationships import forward_relationship, many_relationship


def remove(old: type[Any]) -> None:
    """Take a model and its automatic many-to-many tables out of the registry, and its table out of the MetaData."""
    meta = old._meta
    for field in meta.local_many_to_many:
        through = field.remote_field._through
        if isinstance(through, type) and through._meta.auto_created is old:  # type: ignore[attr-defined]
            remove(through)
    for field in (*meta.local_fields, *meta.local_many_to_many):
        if field.is_relation and field.is_resolved:
            target = field.remote_field.model._meta.concrete_model._meta
            target.reverse_relations[:] = [r for r in target.reverse_relations if r is not field.remote_field]
    meta.apps.unregister(old)
    if not meta.proxy:
        # SQLAlchemy looks relationship("Author") up by class name: the name is free again.
        meta.apps.sa_registry._dispose_cls(old)


def take_over(old: type[Any], new: type[Any]) -> None:
    """Point the relations of other models from the old class to the new one."""
    for rel in list(old._meta.reverse_relations):
        field = rel.field
        if field.model is old or field.model._meta.apps.all_models.get(field.model._meta.app_label, {}).get(
            field.model._meta.model_name
        ) is not field.model:
            continue
        field.connect(new)
        if "__mapper__" in vars(field.model):
            prop = many_relationship(field) if field.many_to_many else forward_relationship(field)
            _replace_relationship(field, prop)
    new._meta.apps.clear_cache()


def _replace_relationship(field: Any, prop: Any) -> None:
    model = field.model
    descriptor = vars(model)[field.name]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", exc.SAWarning)  # "Property ... being replaced": just what we want
        model.__mapper__.add_property(field.name, prop)
    descriptor.attribute = vars(model)[field.name]
    type.__setattr__(model, field.name, descriptor)
