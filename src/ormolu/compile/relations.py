"""What may be asked of a relation itself, and compared with it."""

from __future__ import annotations

from typing import Any

from ormolu.compile import names as paths
from ormolu.compile.names import Path
from ormolu.compile.paths import RELATION_LOOKUPS
from ormolu.exceptions import FieldError
from ormolu.near import near_names

_LISTS: tuple[type[Any], ...] = (list, tuple, set)


def registered_on_relation(relation: Any, name: str) -> Any:
    """Return the lookup or transform that a user has registered on a relation, or a class of relations, itself."""
    declared = getattr(relation, "field", relation)
    find = getattr(declared, "own_lookup", None)
    return None if find is None else find(name)


def relation_lookup(builder: Any, field: Any, names: list[str], whole: str) -> None:
    """Refuse what can't be asked of a relation itself."""
    if len(names) > 1 or names[0] not in RELATION_LOOKUPS:
        meta = getattr(field, "related_model", None)
        known = paths.choices(meta._meta) if meta is not None else []
        near = near_names(names[0], [*known, *RELATION_LOOKUPS])
        hint = f" Did you mean {near[0]!r}?" if near else ""
        raise FieldError(
            f"Related Field got invalid lookup: {names[0]} (in {whole!r}).{hint} Lookups of a relation are "
            f"{', '.join(RELATION_LOOKUPS)}; fields of {meta.__name__ if meta else 'it'} are {', '.join(known)}"
        )


def check_relation_value(path: Path, value: Any, name: str) -> None:
    """Refuse an object of another model than the relation's (Django's rule and text).

    Where the relation is its model's primary key, an object of that model may stand for what it refers to.
    """
    candidates: Any = ()
    if hasattr(value, "_meta"):
        candidates = [value]
    elif isinstance(value, _LISTS):
        candidates = value
    related = path.meta
    own = path.field.model._meta if getattr(path.field, "primary_key", False) else related
    for item in candidates:
        if hasattr(item, "_meta") and not hasattr(item, "ops"):
            check_object(item, related, own)
    model = getattr(value, "model", None)
    if model is None or not hasattr(value, "query") or value.query.values_fields is not None:
        return
    if not compatible(model._meta, related) and not compatible(model._meta, own):
        raise ValueError(
            f'Cannot use QuerySet for "{model._meta.object_name}": Use a QuerySet for "{related.object_name}".'
        )


def check_object(item: Any, related: Any, own: Any) -> None:
    """Refuse an object of neither model."""
    if isinstance(item, type) or not (compatible(item._meta, related) or compatible(item._meta, own)):
        raise ValueError(f'Cannot query "{item}": Must be "{related.object_name}" instance.')


def compatible(meta: Any, other: Any) -> bool:
    """Tell whether objects of one model may stand for those of another (Django: by inheritance)."""
    one, two = meta.concrete_model, other.concrete_model
    return bool(one is two or issubclass(one, two) or issubclass(two, one))
