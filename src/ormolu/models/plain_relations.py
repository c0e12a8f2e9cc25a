"""Plain SQLAlchemy relationship()s on instances that no Session holds: loaded with a query of ours."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from ormolu import query
from ormolu.exceptions import NotLoaded
from ormolu.models.accessors import not_loaded
from ormolu.models.attributes import OverAttribute, Setter, session_load
from ormolu.models.state import DB, PREFETCHED, STATE


class PlainRelation(OverAttribute):
    """Stand before SQLAlchemy's attribute of a relationship(), asked only where nothing is held yet.

    Where a Session holds the instance, or its row doesn't exist, SQLAlchemy's own loading is used.
    """

    def __init__(self, field: Any, attribute: Any) -> None:
        super().__init__(attribute)
        self.field = field

    def __get__(self, instance: Any, owner: type[Any]) -> Any:
        if instance is None:
            return self.attribute
        name = self.field.name
        values = instance.__dict__
        held = values.get(PREFETCHED)
        if held is not None and name in held:
            found = held[name]
            return list(found) if self.field.multiple else found
        state = values.get(STATE)
        if DB not in values or (state is not None and state.session_id is not None):
            return session_load(instance, name, self.attribute)
        query.fetching.fetch(self, instance)
        if self.field.multiple:
            return list(values[PREFETCHED][name])
        return values[name]

    @property
    def name(self) -> str:
        """The attribute."""
        return str(self.field.name)

    def not_loaded(self, instance: Any) -> NotLoaded:
        """Return the error for async code."""
        return not_loaded(instance, self.name)

    def fetch_one(self, instance: Any) -> None:
        """Load what one instance refers to."""
        queryset = related_queryset(self.field, instance)
        hold(self.field, instance, [] if queryset is None else list(queryset))

    def fetch_many(self, instances: Sequence[Any]) -> None:
        """Load what the first instance refers to."""
        self.fetch_one(instances[0])


def relation_setter(attribute: Any) -> Setter:
    """Return the function behind an assignment to a plain relationship: SQLAlchemy's own."""

    def set_related(instance: Any, value: Any) -> None:
        if (
            attribute.impl is None
        ):  # SQLAlchemy configures mappers late, and hasn't seen an instance of this one
            instance.__class__.__mapper__._check_configure()
        attribute.__set__(instance, value)

    return set_related


def related_queryset(field: Any, instance: Any) -> Any:
    """Return the queryset of an instance's related objects, None where its own key is NULL."""
    hops = field.path_infos()
    here, there = hops[0].from_meta, hops[-1].to_meta
    local = {f.sa_column: getattr(instance, f.attname) for f in here.concrete_fields}
    conditions: list[Any] = []
    for near, far in hops[0].pairs:
        if local[near] is None:
            return None
        conditions.append(far == sa.literal(local[near], far.type))
    if len(hops) == 2:
        ((between, target),) = hops[1].pairs
        conditions = [target.in_(sa.select(between).where(*conditions))]
    queryset = there.base_manager.get_queryset().filter(*conditions)
    return queryset.using(instance.__dict__[DB])


def hold(field: Any, instance: Any, found: list[Any]) -> Any:
    """Keep what was loaded in the instance, and return it: a list, an object or None."""
    if field.multiple:
        instance.__dict__.setdefault(PREFETCHED, {})[field.name] = found
        return list(found)
    related = found[0] if found else None
    instance.__dict__[field.name] = related
    return related


async def aload(field: Any, instance: Any) -> None:
    """Load what a plain relationship refers to, asynchronously."""
    queryset = related_queryset(field, instance)
    hold(field, instance, [] if queryset is None else await queryset)
