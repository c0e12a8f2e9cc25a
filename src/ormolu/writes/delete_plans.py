"""What is to be known of a model before its rows are deleted: which relations lead to it, and what they ask for.

Worked out once for each model, and again when models were added.
"""

from __future__ import annotations

import weakref
from typing import Any

from ormolu.fields.composite import TupleField, parts_of
from ormolu.signals import post_delete, pre_delete
from ormolu.writes.on_delete import (
    CASCADE,
    DB_CASCADE,
    DO_NOTHING,
    PROTECT,
    RESTRICT,
    DatabaseOnDelete,
    OnDelete,
)


class Relation:
    """A foreign key that refers to a model of which rows are deleted. `by` is what it refers with: for several columns
    the field for tuples of them."""

    __slots__ = ("by", "field", "label", "model", "on_delete", "targets")

    def __init__(self, rel: Any) -> None:
        self.field = self.by = rel.field
        self.model = rel.field.model._meta.concrete_model
        policy = rel.field.remote_field.on_delete
        self.on_delete = CASCADE if policy is DB_CASCADE else policy
        self.targets: tuple[str, ...] = tuple(f.attname for f in parts_of(rel.field.target_field))
        if self.field.column is None:  # a ForeignObject
            local = self.field.local_related_fields
            self.by = local[0] if len(local) == 1 else TupleField.of(self.field.name, self.model, local)
        self.label = f"'{rel.field.model.__name__}.{rel.field.name}'"

    def takes_unseen(self) -> bool:
        """Tell whether the rows can be deleted without being looked at."""
        if self.on_delete is not CASCADE or not is_leaf(self.model):
            return False
        return all(link is self.field for _, link in delete_plan(self.model).parents)

    def needs_rows(self) -> bool:
        """Tell whether the policy must be told the rows."""
        policy = self.on_delete
        return policy.needs_rows(self.field) if isinstance(policy, OnDelete) else True

    def shows_rows(self) -> bool:
        """Tell whether somebody else than the collector gets to see the rows: an error, or a handler of the user's."""
        policy = self.on_delete
        return policy is PROTECT or policy is RESTRICT or not isinstance(policy, OnDelete)


class DeletePlan:
    """What is to be known of a model when its rows are deleted."""

    __slots__ = ("generic", "needed", "parents", "relations", "version")

    def __init__(self, model: Any) -> None:
        meta = model._meta
        self.version = meta.apps.version
        # Those of the parents of a child model are followed from the parents' rows.
        rels = [rel for rel in meta.concrete_model._meta.reverse_relations if rel.is_usable]
        self.relations = tuple(Relation(rel) for rel in rels if not is_left_alone(rel))
        self.parents = tuple(
            (parent._meta.concrete_model, link)
            for parent, link in meta.concrete_model._meta.parents.items()
            if link is not None
        )
        # Objects that refer to these by a generic key, where a GenericRelation says so: they are deleted, too.
        private = meta.concrete_model._meta.private_fields
        self.generic = tuple(f for f in private if getattr(f, "deletes_related", False))
        attnames = {f.attname for f in meta.pk_fields}.union(
            *(relation.targets for relation in self.relations)
        )
        attnames.update(link.attname for _, link in self.parents)
        self.needed = tuple(f for f in meta.concrete_fields if f.attname in attnames)


def is_left_alone(rel: Any, seen: tuple[Any, ...] = ()) -> bool:
    """Tell whether the rows at a relation's far end are nobody's business, or the database's alone.

    DB_CASCADE is the database's where nothing but the database has to follow from there: an `on_delete` of another
    kind further on, a parent's table or a generic relation wants the rows to be found first.
    """
    policy = rel.field.remote_field.on_delete
    if policy is not DB_CASCADE:
        return policy is DO_NOTHING or isinstance(policy, DatabaseOnDelete)
    meta = rel.field.model._meta.concrete_model._meta
    if meta.model in seen:
        return True
    if any(link is not None for link in meta.parents.values()):
        return False
    if any(getattr(f, "deletes_related", False) for f in meta.private_fields):
        return False
    seen = (*seen, meta.model)
    return all(is_left_alone(further, seen) for further in meta.reverse_relations if further.is_usable)


_plans: weakref.WeakKeyDictionary[Any, DeletePlan] = weakref.WeakKeyDictionary()


def delete_plan(model: Any) -> DeletePlan:
    """Return the plan of a model; made anew when models were added since."""
    plan = _plans.get(model)
    if plan is None or plan.version != model._meta.apps.version:
        plan = _plans[model] = DeletePlan(model)
    return plan


def has_signals(model: Any) -> bool:
    """Tell whether somebody listens to deletions of a model."""
    if not (pre_delete.receivers or post_delete.receivers) or model._meta.auto_created:
        return False
    return pre_delete.has_listeners(model) or post_delete.has_listeners(model)


def can_fast_delete(model: Any) -> bool:
    """Tell whether rows can be deleted unseen: nothing refers to them, and nobody listens."""
    return not delete_plan(model).parents and is_leaf(model)


def is_leaf(model: Any) -> bool:
    """Tell whether nothing follows from a deletion of rows of this model, those of its parents aside."""
    plan = delete_plan(model)
    return not plan.relations and not plan.generic and not has_signals(model)
