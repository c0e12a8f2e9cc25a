"""`get_prefetch_querysets()` of our accessors and managers, for code that prefetches by hand or derives from them.

It returns what Django's does: the queryset of the related objects of all instances; a function from a related object
to a value, and one from an instance to that value; whether there is a single one; the name that it is kept under; and
whether that is an attribute. The library itself takes a shorter way.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from operator import attrgetter
from typing import Any

Parts = tuple[Any, Callable[[Any], Any], Callable[[Any], Any], bool, str, bool]
LINK = "_prefetch_related_val"


def the_queryset(querysets: Sequence[Any] | None, default: Callable[[], Any]) -> Any:
    """Return the one queryset that was given, or the usual one. Raises ValueError for several."""
    if querysets and len(querysets) != 1:
        raise ValueError("querysets argument of get_prefetch_querysets() should have a length of 1.")
    return querysets[0] if querysets else default()


def forward(field: Any, instances: Iterable[Any], queryset: Any) -> Parts:
    """Return the parts for the objects that a key refers to."""
    target = field.target_field
    keys = {getattr(instance, field.attname) for instance in instances} - {None}
    found = queryset.filter(**{f"{target.name}__in": keys})
    return found, attrgetter(target.attname), attrgetter(field.attname), True, field.name, False


def backward(rel: Any, instances: Iterable[Any], queryset: Any) -> Parts:
    """Return the parts for the objects whose key refers to the instances."""
    field = rel.field
    found = queryset.filter(**{f"{field.name}__in": list(instances)})
    near = attrgetter(field.target_field.attname)
    return found, attrgetter(field.attname), near, not rel.multiple, rel.cache_name, False


def many(manager: Any, instances: Iterable[Any], queryset: Any) -> Parts:
    """Return the parts for the objects of a many-to-many relation; each comes with the key that it belongs to."""
    from ormolu.query import F

    name = manager.query_field_name
    found = queryset.filter(**{f"{name}__in": list(instances)})
    found = found.annotate(**{LINK: F(f"{name}__{manager.source_field.target_field.name}")})
    return found, attrgetter(LINK), attrgetter(manager._attname), False, manager.prefetch_cache_name, False
