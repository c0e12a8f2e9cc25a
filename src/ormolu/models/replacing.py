"""A model that is defined again (a notebook cell that ran twice) takes the old one's place."""

from __future__ import annotations

from typing import Any

from ormolu.models import mapping
from ormolu.models.relationships import forward_relationship, many_relationship


def remove(old: type[Any]) -> None:
    """Take a model and its automatic many-to-many tables out of the registry, and its table out of the MetaData."""
    meta = old._meta
    for field in meta.local_many_to_many:
        through = field.remote_field.given_through
        if isinstance(through, type) and through._meta.auto_created is old:  # type: ignore[attr-defined]
            remove(through)
    for field in _relations(meta):
        _forget(field.remote_field)
    meta.apps.unregister(old)
    if not meta.proxy:
        # SQLAlchemy looks relationship("Author") up by class name: the name is free again.
        meta.apps.sa_registry._dispose_cls(old)


def detach(registry: Any) -> None:
    """Let the models of other registries forget those of this one."""
    for model in registry.get_models(include_auto_created=True, include_swapped=True):
        for field in _relations(model._meta):
            target = field.remote_field.model._meta
            if target.apps is not registry:
                _forget(field.remote_field)
                target.apps.clear_cache()


def _relations(meta: Any) -> list[Any]:
    """Return a model's own relations whose target exists."""
    fields: list[Any] = [*meta.local_fields, *meta.local_many_to_many, *meta.private_fields]
    return [field for field in fields if getattr(field, "is_resolved", False)]


def _forget(rel: Any) -> None:
    """Let the target of a relation forget it."""
    model = rel.model._meta.concrete_model
    known = model._meta.reverse_relations
    known[:] = [other for other in known if other is not rel]
    name = rel.get_accessor_name() or ""
    if name in vars(model) and getattr(getattr(model, name), "rel", None) is rel:
        type.__delattr__(model, name)


def withdraw(cls: type[Any]) -> None:
    """Take back a model that turned out to be wrong while the class was being made."""
    registry = cls._meta.apps.sa_registry
    if "__mapper__" in vars(cls):
        remove(cls)
        manager = cls.__mapper__.class_manager
        registry._dispose_manager_and_mapper(manager)
        # Whoever keeps the error keeps the class, and a manager without a mapper would stop the others' configuration.
        registry._managers.pop(manager, None)
    else:
        table = vars(cls).get("__table__")
        if table is not None:
            table.metadata.remove(table)
        registry._dispose_cls(cls)


def take_over(old: type[Any], new: type[Any]) -> list[type[Any]]:
    """Point the relations of other models from the old class to the new one; return those models."""
    changed: list[type[Any]] = []
    for rel in list(old._meta.reverse_relations):
        field = rel.field
        if (
            field.model is old
            or field.model._meta.apps.all_models.get(field.model._meta.app_label, {}).get(
                field.model._meta.model_name
            )
            is not field.model
        ):
            continue
        field.connect(new)
        if field.column is None and not field.many_to_many:
            continue  # a generic relation: SQLAlchemy knows nothing of it
        if "__mapper__" in vars(field.model):
            prop = many_relationship(field) if field.many_to_many else forward_relationship(field)
            _replace_relationship(field, prop)
            changed.append(field.model)
    new._meta.apps.clear_cache()
    return changed


def _replace_relationship(field: Any, prop: Any) -> None:
    model = field.model
    mapper = model.__mapper__
    # As add_property(), without its warning that a property is being replaced: that is what is meant.
    mapper._init_properties[field.name] = mapper._configure_property(
        field.name, prop, init=mapper.configured, warn_for_existing=False
    )
    mapper._expire_memoizations()
    if field.column is not None:
        mapping.install_relation(model, field, model._setters)
    else:
        mapping.install_many(model, field)
