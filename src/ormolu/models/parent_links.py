"""Links from a child to its parent's row: the parent's object needs no query, for its columns are the child's, too."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ormolu import query
from ormolu.compile.peers import Habits, Origin, together
from ormolu.models.accessors import Forward, hold_forward
from ormolu.models.attributes import Setter
from ormolu.models.mapping import is_parent_link
from ormolu.models.state import DB, DIRTY
from ormolu.writes import unsure
from ormolu.writes.unsure import UNSURE

RAW = "_raw"


class ParentLink(Forward):
    """`restaurant.place_ptr`: the parent's object, made of the child's columns where these are loaded."""

    def fetch_here(self, instance: Any) -> bool:
        """Make the parent's object of what the child holds, for all its peers if its fetch mode says so."""
        if not self.has_columns(instance):
            return super().fetch_here(instance)
        todo = [instance]
        mode = query.mode_of(instance)
        if mode is query.FETCH_PEERS:
            peers = query.fetching.lacking(query.fetch_modes.peers_of(instance), self.name, self.key_in)
            todo = [peer for peer in peers if self.has_columns(peer)]
        self.hold_parents(todo)
        return True

    def has_columns(self, instance: Any) -> bool:
        """Tell whether all of the parent's columns are loaded, of a row that exists."""
        values = instance.__dict__
        fields = self.field.related_model._meta.concrete_fields
        return DB in values and all(f.attname in values for f in fields)

    def hold_parents(self, instances: Sequence[Any]) -> None:
        """Give children the objects of their parents, which are peers as the children are."""
        mode = query.fetch_modes.given_mode(instances[0])
        alias = str(instances[0].__dict__[DB])
        origin: str = alias if mode is None else Origin.alone(alias, mode)
        if len(instances) > 1:
            origin = Origin(alias)
            origin.habits = Habits(mode)
        parents = [parent_of(self.field, instance, origin) for instance in instances]
        if isinstance(origin, Origin) and len(parents) > 1:
            together(origin, parents)


def parent_of(field: Any, instance: Any, origin: str) -> Any:
    """Make the object of a child's parent and let the child hold it. What was changed in the child is changed there."""
    model, values = field.related_model, instance.__dict__
    names = [f.attname for f in model._meta.concrete_fields]
    parent = model.from_db(str(origin), names, [values[name] for name in names])
    parent.__dict__[DB] = origin
    for record in (DIRTY, RAW):
        known = unsure.as_changed(values) if record is DIRTY and UNSURE in values else values.get(record, {})
        noted = {name: value for name, value in known.items() if name in names}
        if noted:
            parent.__dict__[record] = noted
    hold_forward(field, instance, parent)
    return parent


def link_setter(field: Any, set_related: Setter) -> Setter:
    """Return the function behind `restaurant.place_ptr = place`: the child's copy of the parent's key changes, too."""

    def set_parent(instance: Any, related: Any) -> None:
        set_related(instance, related)
        target = field.target_field
        while True:
            setattr(instance, target.attname, None if related is None else getattr(related, target.attname))
            if not (target.is_relation and is_parent_link(target)):
                return
            target = target.target_field

    return set_parent
