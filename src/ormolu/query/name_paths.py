"""What the names of a lookup lead to, for tools that build filters of a model's fields."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from ormolu.compile import names as paths
from ormolu.compile.joins import column_field
from ormolu.exceptions import FieldDoesNotExist, FieldError

__all__ = ["PathInfo", "names_to_path"]


class PathInfo(NamedTuple):
    """One join on the way, in Django's words: `opts` are `_meta` of the two models."""

    from_opts: Any
    to_opts: Any
    target_fields: tuple[Any, ...]
    join_field: Any
    m2m: bool
    direct: bool
    filtered_relation: Any


def names_to_path(
    names: Sequence[str], opts: Any, allow_many: bool = True, fail_on_missing: bool = False
) -> tuple[list[PathInfo], Any, tuple[Any, ...], list[str]]:
    """Return the joins of a lookup's names, the last field, the fields that its values are of, and the names left over.

    Raises FieldError for an unknown first name, for any with `fail_on_missing`, and for a relation that may meet
    several rows without `allow_many`.
    """
    found: list[PathInfo] = []
    final: Any = None
    targets: tuple[Any, ...] = ()
    for position, name in enumerate(names):
        try:
            field = opts.get_field(opts.pk.name if name == "pk" else name)
        except FieldDoesNotExist:
            if position == 0 or fail_on_missing:
                raise FieldError(paths.unknown(name, paths.choices(opts), "field", opts)) from None
            return found, final, targets, list(names[position:])
        final = field
        if not hasattr(field, "path_infos"):
            return found, final, (field,), list(names[position + 1 :])
        for hop in (*paths.ancestry(opts, field.path_infos()[0].from_meta.table), *field.path_infos()):
            if hop.multiple and not allow_many:
                raise FieldError(f"{opts.object_name}.{field.name} may lead to several objects.")
            found.append(info(hop))
        targets, opts = found[-1].target_fields, found[-1].to_opts
    return found, final, targets, []


def info(hop: Any) -> PathInfo:
    """Return a hop of the compiler's in Django's words."""
    meta = hop.to_meta
    ends = (meta.pk,) if hop.reverse else tuple(column_field(meta, far) for _near, far in hop.pairs)
    return PathInfo(hop.from_meta, meta, ends, hop.join_field, hop.multiple, not hop.reverse, hop.filtered)
