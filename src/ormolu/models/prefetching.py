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
    if field.column is None:  # a ForeignObject
        return forward_object(field, instances, queryset)
    target = field.target_field
    keys = {getattr(instance, field.attname) for instance in instances} - {None}
    found = queryset.filter(**{f"{target.name}__in": keys})
    return found, attrgetter(target.attname), attrgetter(field.attname), True, field.name, False


def forward_object(field: Any, instances: Iterable[Any], queryset: Any) -> Parts:
    """Return the parts for the objects that a ForeignObject refers to."""
    from ormolu.query import F
    from ormolu.query.tuple_lookups import TupleIn

    keys = {field.near_key(instance) for instance in instances} - {None}
    targets = field.foreign_related_fields
    if len(targets) == 1:
        found = queryset.filter(**{f"{targets[0].name}__in": keys})
    else:
        found = queryset.filter(TupleIn(tuple(F(target.attname) for target in targets), list(keys)))
    return found, field.far_key, field.near_key, True, field.name, False


def backward(rel: Any, instances: Iterable[Any], queryset: Any) -> Parts:
    """Return the parts for the objects whose key refers to the instances."""
    field = rel.field
    found = queryset.filter(**{f"{field.name}__in": list(instances)})
    near, far = attrgetter(field.target_field.attname), attrgetter(field.attname)
    if field.column is None:  # a ForeignObject
        near, far = field.far_key, field.near_key
    return found, far, near, not rel.multiple, rel.cache_name, False


def many(manager: Any, instances: Iterable[Any], queryset: Any) -> Parts:
    """Return the parts for the objects of a many-to-many relation; each comes with the key that it belongs to."""
    from ormolu.query import F
    from ormolu.query.tuple_lookups import Tuple

    name = manager.query_field_name
    found = queryset.filter(**{f"{name}__in": list(instances)})
    targets = [far for _near, far in manager.source_field.related_fields]
    keys = [F(f"{name}__{target.name}") for target in targets]
    near = attrgetter(*(target.attname for target in targets))
    found = found.annotate(**{LINK: keys[0] if len(keys) == 1 else Tuple(*keys)})
    return found, attrgetter(LINK), near, False, manager.prefetch_cache_name, False
