"""What a model takes over from the models it derives from: options, proxies, links to parent tables."""

from __future__ import annotations

from typing import Any

from ormolu.exceptions import FieldError
from ormolu.models.options import Options
from ormolu.models.related_fields import model_key
from ormolu.models.relations import OneToOneField
from ormolu.writes.on_delete import CASCADE


def concrete_parents(cls: type[Any]) -> list[type[Any]]:
    """Return the models with a table that a class derives from directly, or through abstract classes."""
    found: dict[type[Any], None] = {}
    for base in cls.__bases__:
        meta = getattr(base, "_meta", None)
        if meta is None:
            continue
        if "_meta" in vars(base) and not meta.abstract:
            found[base] = None
        else:
            found.update(dict.fromkeys(concrete_parents(base)))
    return list(found)


def inherit_options(cls: type[Any], meta: Options) -> None:
    """Take over what a Meta doesn't say from concrete parents, and connect a proxy with its model."""
    parents = concrete_parents(cls)
    for parent in parents:
        if "ordering" not in meta.original_attrs:
            meta.ordering = meta.ordering or parent._meta.ordering
        if "get_latest_by" not in meta.original_attrs:
            meta.get_latest_by = meta.get_latest_by or parent._meta.get_latest_by
    if not meta.proxy:
        if meta.abstract:
            meta.parents = dict.fromkeys(parent._meta.concrete_model for parent in parents)
        return
    if len({parent._meta.concrete_model for parent in parents}) != 1:
        what = (
            "has no non-abstract model base class"
            if not parents
            else "has more than one non-abstract base class"
        )
        raise TypeError(f"Proxy model '{cls.__name__}' {what}.")
    base = parents[0]
    if base._meta.swapped:
        raise TypeError(f"{cls.__name__} cannot proxy the swapped model '{base._meta.swapped}'.")
    meta.proxy_for_model = base
    meta.concrete_model = base._meta.concrete_model
    meta.db_table = base._meta.db_table
    meta.parents = {meta.concrete_model: None}
    meta.pk = base._meta.pk
    meta.table = base._meta.table
    meta.auto_field = base._meta.auto_field


def link_parents(cls: type[Any], meta: Options) -> None:
    """Give a child of a concrete model the one-to-one key to its parent's row (multi-table inheritance)."""
    given = given_links(cls, meta)
    for target in dict.fromkeys(parent._meta.concrete_model for parent in concrete_parents(cls)):
        link: Any = given.get(target)
        for model in (target, cls):
            if model._meta.is_composite_pk:
                from ormolu.models.keys import no_child

                raise no_child(cls, target, model)
        if link is None:
            primary = meta.pk is None
            name = f"{target._meta.model_name}_ptr"
            if any(field.name == name for field in meta.local_fields):
                raise FieldError(
                    f"Auto-generated field '{name}' in class '{cls.__name__}' for parent_link to base class "
                    f"'{target.__name__}' clashes with declared field of the same name."
                )
            link = OneToOneField(
                target,
                on_delete=CASCADE,
                name=name,
                auto_created=True,
                parent_link=True,
                primary_key=primary,
            )
            link.contribute_to_class(cls, name)
        elif meta.pk is None:
            link.primary_key = True
            meta.setup_pk(link)
        meta.parents[target] = link


def given_links(cls: type[Any], meta: Options) -> dict[Any, Any]:
    """Return the one-to-one fields that a class declares with `parent_link=True`, by the model they refer to."""
    found: dict[Any, Any] = {}
    parents = concrete_parents(cls)
    for field in meta.local_fields:
        if not (field.one_to_one and field.remote_field.parent_link):
            continue
        to = field.remote_field.to
        if isinstance(to, str):
            to = ".".join(model_key(to, meta.app_label)).lower()
        for parent in parents:
            target = parent._meta.concrete_model
            if to in (target, parent, target._meta.label_lower, parent._meta.label_lower):
                field.remote_field.model = target
                found[target] = field
    return found


def check_names(cls: type[Any], meta: Options) -> None:
    """Refuse a field whose name or attname is another's, of this model or of a parent's table."""
    taken: dict[str, Any] = {}
    for parent in concrete_parents(cls):
        for field in (*parent._meta.fields, *parent._meta.many_to_many):
            for name in {field.name, field.attname}:
                other = taken.setdefault(name, field)
                if other is not field:
                    raise FieldError(
                        f"The field {other.name!r} from parent model '{other.model._meta.label}' clashes with the "
                        f"field {field.name!r} from parent model '{field.model._meta.label}' (in class "
                        f"'{cls.__name__}')."
                    )
    for field in (*meta.local_fields, *meta.local_many_to_many):
        for name in {field.name, field.attname}:
            other = taken.get(name)
            if other is not None and other.model is not cls:
                raise FieldError(
                    f"Local field {name!r} in class '{cls.__name__}' clashes with field of the same name from base "
                    f"class '{other.model.__name__}'."
                )
            if other is not None:
                raise FieldError(
                    f"The field '{meta.label}.{field.name}' clashes with the field '{meta.label}.{other.name}': "
                    f"both need the attribute '{name}'."
                )
        taken.update({field.name: field, field.attname: field})
