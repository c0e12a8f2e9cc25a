"""Prefetching by `get_prefetch_querysets()` of a user's own descriptor or manager.

It is given the objects, and the querysets of a Prefetch or None, and returns six things: the queryset of related
objects; a function from a related object to a value, and one from an object to that value; whether there is a single
one; the name to keep it under; and whether that is an attribute to set. Source: Django's own descriptors.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from functools import cached_property
from typing import Any

from ormolu.compile import statements
from ormolu.compile.plan import Plan
from ormolu.compile.statements import plan_for
from ormolu.exceptions import EmptyResultSet

__all__ = ["OwnPrefetch", "own_prefetch"]

Program = Generator[Any, Any, Any]
COMPUTED = (property, cached_property)
PREFETCHED = "_prefetched_objects_cache"


def own_prefetch(instance: Any, name: str) -> OwnPrefetch | None:
    """Return what prefetches an attribute in a way of its own, None where nothing does."""
    descriptor = getattr(instance.__class__, name, None)
    method = method_of(descriptor)
    if method is not None:
        return OwnPrefetch(name, method, descriptor)
    if descriptor is None or isinstance(descriptor, COMPUTED):
        return None
    method = method_of(getattr(instance, name, None))
    return None if method is None else OwnPrefetch(name, method, None)


def method_of(holder: Any) -> Callable[..., Any] | None:
    """Return the method that gives querysets, by its name of today or the one it had."""
    found = getattr(holder, "get_prefetch_querysets", None)
    if found is not None:
        return found  # type: ignore[no-any-return]
    former = getattr(holder, "get_prefetch_queryset", None)
    if former is None:
        return None

    def querysets_of(instances: Any, querysets: Any) -> Any:
        return former(instances, querysets[0] if querysets else None)

    return querysets_of


class OwnPrefetch:
    """Stands for a relation whose prefetching is a user's."""

    many_to_one = one_to_one = one_to_many = many_to_many = False

    def __init__(self, name: str, method: Callable[..., Any], descriptor: Any) -> None:
        self.name = name
        self.method = method
        self.descriptor = descriptor

    def is_loaded(self, instance: Any) -> bool:
        """Tell whether an object has its related objects already."""
        if hasattr(self.descriptor, "is_cached"):
            return bool(self.descriptor.is_cached(instance))
        return self.name in instance.__dict__.get(PREFETCHED, ())

    def values(self, instance: Any, single: bool = False) -> list[Any]:
        """Return the related objects that an object has already."""
        found = getattr(instance, self.name)
        if hasattr(found, "all"):
            return list(found.all())
        return [] if found is None else [found]

    def load_related(self, driver: Any, level: Sequence[Any], lookup: Any) -> Program:
        """Load the related objects of many, hand them out, and return them. As many queries as the queryset takes."""
        kept = [] if lookup.querysets or lookup.to_attr else [o for o in level if self.is_loaded(o)]
        found = [related for instance in kept for related in self.values(instance)]
        todo = [instance for instance in level if not any(instance is other for other in kept)]
        if not todo:
            return found
        queryset, key_of_related, key_of, single, cache_name, is_attribute = self.method(
            todo, list(lookup.querysets) or None
        )
        loaded = yield from results(driver, queryset)
        groups: dict[Any, list[Any]] = {}
        for related in loaded:
            groups.setdefault(key_of_related(related), []).append(related)
        for instance in todo:
            some = groups.get(key_of(instance), [])
            if single:
                self.hold_single(
                    instance, some[0] if some else None, lookup.to_attr, cache_name, is_attribute
                )
            else:
                self.hold(instance, some, lookup.to_attr, cache_name)
        return [*found, *loaded]

    def hold_single(
        self, instance: Any, related: Any, to_attr: str | None, cache_name: str, is_attribute: bool
    ) -> None:
        """Give an object its single related object."""
        if to_attr or is_attribute:
            setattr(instance, to_attr or cache_name, related)
        else:
            instance._state.fields_cache[cache_name] = related

    def hold(self, instance: Any, related: list[Any], to_attr: str | None, cache_name: str) -> None:
        """Give an object its related objects."""
        if to_attr:
            setattr(instance, to_attr, related)
            return
        queryset = getattr(instance, self.name).get_queryset()
        queryset._result_cache = related
        instance.__dict__.setdefault(PREFETCHED, {})[cache_name] = queryset


def results(driver: Any, queryset: Any) -> Program:
    """Return what a queryset finds, with what it prefetches itself; of anything else, its items."""
    from ormolu.query.prefetch import prefetch

    query = getattr(queryset, "query", None)
    if query is None or not hasattr(query, "ops"):
        return list(queryset)
    plan: Plan
    plan, values = plan_for(driver, query, "rows", statements.rows)
    try:
        params = None if plan.empty else plan.bind(values)
    except EmptyResultSet:
        params = None
    if params is None:
        return []
    decode: Any = plan.decode
    found = decode((yield plan.step(plan.sql, params)))
    if queryset._prefetch:
        yield from prefetch(driver, found, queryset._prefetch)
    return found
