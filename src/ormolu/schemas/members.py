"""What a name means in a model: a column, a relation to one object or to many, an attribute of the class."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ormolu.near import near_names

__all__ = ["Member", "columns_of", "member", "unknown_member"]

COLUMN, ONE, MANY, GENERIC, ATTRIBUTE = "column", "one", "many", "generic", "attribute"


@dataclass(frozen=True)
class Member:
    """One name of a model. `name` is the attribute of its objects, `field` the field or relation behind it."""

    kind: str
    name: str
    field: Any = None

    @property
    def related_model(self) -> Any:
        """The model of the objects that a relation leads to."""
        return self.field.related_model

    @property
    def reverse(self) -> bool:
        """Whether a single relation is the other side of a OneToOneField."""
        return bool(getattr(self.field, "auto_created", False)) and not getattr(self.field, "concrete", False)

    @property
    def null(self) -> bool:
        """Whether there may be no object, or no value."""
        return self.reverse or bool(self.field.null)


def columns_of(meta: Any) -> dict[str, Any]:
    """Return the fields with a column that a schema of all fields has, by attribute.

    Left out are links to parents' rows, whose keys are the parents', and names that Pydantic doesn't take (`_order`).
    """
    return {
        field.attname: field
        for field in meta.concrete_fields
        if not is_parent_link(field) and not field.attname.startswith("_")
    }


def is_parent_link(field: Any) -> bool:
    """Tell whether a field is the link of a child model to its parent's row."""
    return bool(getattr(field.remote_field, "parent_link", False))


def member(model: Any, name: str, *, as_key: bool = False) -> Member | None:
    """Return what a name means in a model, None for a name that isn't there.

    A relation's name means its objects, or, with `as_key`, the key's column.
    """
    meta = model._meta
    if name == "pk" and not meta.is_composite_pk:
        name = meta.pk.attname
    for field in meta.fields:
        if name == field.name and field.is_relation and not (as_key and field.column is not None):
            return Member(ONE, field.name, field)
        if name in (field.attname, field.name) and field.column is not None:
            return Member(COLUMN, field.attname, field)
    for field in meta.many_to_many:
        if name == field.name:
            return Member(MANY, name, field)
    for rel in meta.related_objects:
        if name == rel.get_accessor_name():
            return Member(MANY if rel.multiple else ONE, name, rel)
    for field in meta.virtual_fields:
        if name == field.name and hasattr(field, "for_concrete_model"):
            many = hasattr(field, "path_infos")
            return Member(MANY if many else GENERIC, name, field)
        if name == field.name and hasattr(field, "prop"):  # a plain relationship()
            return Member(MANY if is_many(field.prop) else ONE, name, field)
    for parent in meta.parents:
        found = member(parent, name, as_key=as_key)
        if found is not None:
            return found
    return None if not hasattr(model, name) else Member(ATTRIBUTE, name)


def is_many(prop: Any) -> bool:
    """Tell whether a plain relationship() leads to a list: as its annotation says, or what its mappers find out."""
    if prop.uselist is None and prop.collection_class is None:
        prop.parent.registry.configure(cascade=True)
    return bool(prop.uselist if prop.uselist is not None else prop.collection_class)


def unknown_member(owner: str, option: str, name: str, model: Any) -> TypeError:
    """Return the error for a name that a model doesn't have."""
    meta = model._meta
    known: list[str] = [n for field in meta.concrete_fields for n in (field.name, field.attname)]
    known += [field.name for field in (*meta.fields, *meta.many_to_many, *meta.virtual_fields)]
    known += [rel.get_accessor_name() or "" for rel in meta.related_objects]
    near = near_names(name, known)
    hint = (
        f" Did you mean {near[0]!r}?"
        if near
        else f" It has: {', '.join(dict.fromkeys(filter(None, known)))}."
    )
    return TypeError(
        f"{owner}: Meta.{option} names {name!r}, and {meta.object_name} has no such field.{hint}"
    )
