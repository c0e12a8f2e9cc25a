"""What `check()` finds in relations. Source: Django's documentation, "System check framework", Related fields."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from keyword import iskeyword
from typing import Any

from ormolu.fields.checks import name_problems, problems
from ormolu.problems import CheckMessage, Error, Warning

__all__ = ["relation_problems"]

Problems = Iterator[CheckMessage]

RENAME = "Add or change a related_name or related_query_name argument for this field."
SUBSET = (
    "Mark a single field as unique=True or add a set of fields to a unique constraint (via unique_together or a "
    "UniqueConstraint (without condition) in the model Meta.constraints)."
)
SINGLE = "Add unique=True to this field or add a UniqueConstraint (without condition) in the model Meta.constraints."


def relation_problems(field: Any, databases: Collection[str] | None = None) -> Problems:
    """Yield what is wrong with a ForeignKey, OneToOneField, ManyToManyField or ForeignObject."""
    if field.many_to_many:
        yield from name_problems(field)
    else:
        yield from problems(field, databases)
    yield from _names(field)
    yield from _target(field)
    if field.many_to_many:
        yield from _many_options(field)
        yield from _through(field)
    elif field.is_resolved:
        yield from _unique_target(field)
    if not field.many_to_many and not field.one_to_one and field.__dict__.get("_unique"):
        message = "Setting unique=True on a ForeignKey has the same effect as using a OneToOneField."
        hint = "ForeignKey(unique=True) is usually better served by a OneToOneField."
        yield Warning(message, hint=hint, obj=field, id="fields.W342")


# -- names and targets


def _names(field: Any) -> Problems:
    rel = field.remote_field
    name = rel.related_name
    if name is not None and not name.endswith("+") and (not name.isidentifier() or iskeyword(name)):
        message = f"The name '{name}' is invalid related_name for field {field.model._meta.object_name}.{field.name}"
        hint = "Related name must be a valid Python identifier or end with a '+'"
        yield Error(message, hint=hint, obj=field, id="fields.E306")
        return
    if name is not None and name.endswith("+"):
        return
    asked = field.related_query_name()
    if asked.endswith("_"):
        message = f"Reverse query name '{asked}' must not end with an underscore."
        yield Error(message, hint=RENAME, obj=field, id="fields.E308")
    if "__" in asked:
        message = f"Reverse query name '{asked}' must not contain '__'."
        yield Error(message, hint=RENAME, obj=field, id="fields.E309")


def _target(field: Any) -> Problems:
    target = field.remote_field.resolved
    if target is None:
        message = (
            f"Field defines a relation with model '{field.remote_field.to}', which is either not installed, or is "
            "abstract."
        )
        yield Error(message, obj=field, id="fields.E300")
    elif target._meta.swapped:
        message = (
            f"Field defines a relation with the model '{target._meta.label}', which has been swapped out."
        )
        hint = f"Update the relation to point at 'settings.{target._meta.swappable}'."
        yield Error(message, hint=hint, obj=field, id="fields.E301")


def _unique_target(field: Any) -> Problems:
    meta = field.remote_field.resolved._meta
    if getattr(field, "problem", None) is not None:
        return
    names = [name or meta.pk.name for name in field.to_fields]
    fields = [meta.get_field(name) for name in names]
    wanted = {one.name for one in fields}
    sets = [{one.name} for one in meta.concrete_fields if one.unique]
    sets += [set(together) for together in meta.unique_together]
    sets += [set(one.fields) for one in _plain_unique(meta)]
    if meta.is_composite_pk:
        sets.append({one.name for one in meta.pk_fields})
    if any(one and one <= wanted for one in sets):
        return
    if len(names) == 1:
        message = (
            f"'{meta.object_name}.{fields[0].name}' must be unique because it is referenced by a foreign key."
        )
        yield Error(message, hint=SINGLE, obj=field, id="fields.E311")
    else:
        listed = ", ".join(f"'{name}'" for name in names)
        message = f"No subset of the fields {listed} on model '{meta.object_name}' is unique."
        yield Error(message, hint=SUBSET, obj=field, id="fields.E310")


def _plain_unique(meta: Any) -> list[Any]:
    """Return the constraints that hold for all rows, of columns alone."""
    found = [one for one in meta.constraints if hasattr(one, "deferrable") and hasattr(one, "include")]
    return [one for one in found if one.condition is None and not one.contains_expressions]


# -- many-to-many relations


def _many_options(field: Any) -> Problems:
    if field.unique:
        yield Error("ManyToManyFields cannot be unique.", obj=field, id="fields.E330")
    if field.null:
        yield Warning("null has no effect on ManyToManyField.", obj=field, id="fields.W340")
    if field._validators:
        yield Warning("ManyToManyField does not support validators.", obj=field, id="fields.W341")
    if field.useless_name and not field.useless_name.endswith("+"):
        message = (
            'related_name has no effect on ManyToManyField with a symmetrical relationship, e.g. to "self".'
        )
        yield Warning(message, obj=field, id="fields.W345")
    if field.db_comment:
        yield Warning("db_comment has no effect on ManyToManyField.", obj=field, id="fields.W346")


def _through(field: Any) -> Problems:
    rel = field.remote_field
    through = rel.given_through
    if isinstance(through, str):
        message = f"Field specifies a many-to-many relation through model '{through}', which has not been installed."
        yield Error(message, obj=field, id="fields.E331")
        return
    if through is None or rel.resolved is None or through._meta.auto_created:
        return
    if rel.through_fields:
        yield from _link_fields(field, through)
        return
    here, there = field.model, rel.resolved
    used = f"The model is used as an intermediate model by '{field}', but it "
    name = through._meta.object_name
    to_here, to_there = _keys(through, here), _keys(through, there)
    if here._meta.concrete_model is there._meta.concrete_model:
        if len(to_here) > 2:
            message = (
                f"{used}has more than two foreign keys to '{here._meta.object_name}', which is ambiguous. You must "
                "specify which two foreign keys Django should use via the through_fields keyword argument."
            )
            hint = "Use through_fields to specify which two foreign keys Django should use."
            yield Error(message, hint=hint, obj=through, id="fields.E333")
        return
    recursive = (
        f'If you want to create a recursive relationship, use ManyToManyField("self", through="{name}").'
    )
    for keys, way, model, id in (
        (to_here, "from", here, "fields.E334"),
        (to_there, "to", there, "fields.E335"),
    ):
        if len(keys) > 1:
            message = (
                f"{used}has more than one foreign key {way} '{model._meta.object_name}', which is ambiguous. You must "
                "specify which foreign key Django should use via the through_fields keyword argument."
            )
            yield Error(message, hint=recursive, obj=field, id=id)
            return
    if not to_here or not to_there:
        message = (
            f"{used}does not have a foreign key to '{here._meta.object_name}' or '{there._meta.object_name}'."
        )
        yield Error(message, obj=through, id="fields.E336")


def _link_fields(field: Any, through: Any) -> Problems:
    rel = field.remote_field
    label = through._meta.label
    if len(rel.through_fields) < 2 or not all(rel.through_fields[:2]):
        message = (
            "Field specifies 'through_fields' but does not provide the names of the two link fields that should be "
            f"used for the relation through model '{label}'."
        )
        hint = "Make sure you specify 'through_fields' as through_fields=('field1', 'field2')"
        yield Error(message, hint=hint, obj=field, id="fields.E337")
        return
    for name, model in zip(rel.through_fields, (field.model, rel.resolved)):
        target = model._meta.object_name
        fitting = [one.name for one in _keys(through, model)]
        known = ", ".join(fitting)
        near = f"Did you mean one of the following foreign keys to '{target}': {known}?" if fitting else None
        if name not in {one.name for one in through._meta.fields}:
            message = f"The intermediary model '{label}' has no field '{name}'."
            yield Error(message, hint=near, obj=field, id="fields.E338")
        elif name not in fitting:
            message = f"'{through._meta.object_name}.{name}' is not a foreign key to '{target}'."
            yield Error(message, hint=near, obj=field, id="fields.E339")


def _keys(through: Any, model: Any) -> list[Any]:
    """Return a model's foreign keys to another one."""
    concrete = model._meta.concrete_model
    found: list[Any] = []
    for field in through._meta.fields:
        target = getattr(field.remote_field, "resolved", None) if field.is_relation else None
        if target is not None and target._meta.concrete_model is concrete:
            found.append(field)
    return found
