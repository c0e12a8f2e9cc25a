"""From a lookup path (`author__publisher__name__icontains`) to hops, column and rest."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from ormolu.compile.paths import PathInfo
from ormolu.compile.tuples import columns_of
from ormolu.exceptions import FieldDoesNotExist, FieldError
from ormolu.fields.composite import TupleField
from ormolu.near import near_names


class Path:
    """A resolved path: the hops to take, the field and column found, the names left over."""

    __slots__ = ("columns", "field", "hops", "meta", "named", "rest", "value_field")

    def __init__(self, meta: Any) -> None:
        self.meta = meta  # of the model where the path ends
        self.hops: list[PathInfo] = []
        self.named = 0  # how many of the hops the first name stands for: one of a parent's has those to the parent, too
        self.field: Any = None
        self.columns: tuple[Any, ...] = ()  # several for a key of several columns
        self.value_field: Any = None  # what the columns' values are: for a relation, the key it refers to
        self.rest: list[str] = []

    @property
    def is_relation(self) -> bool:
        """Tell whether the path ends at a relation and not at a value."""
        return bool(getattr(self.field, "is_relation", False))

    def first_multiple(self) -> int | None:
        """Return the number of the first hop that may meet several rows."""
        return next((n for n, hop in enumerate(self.hops) if hop.multiple), None)

    def trim(self) -> None:
        """Leave out last joins whose target column stands in the row before, too."""
        while self.hops:
            hop = self.hops[-1]
            if hop.reverse or hop.filtered or hop.restriction is not None:
                return
            near = [next((lhs for lhs, rhs in hop.pairs if rhs is column), None) for column in self.columns]
            if any(column is None for column in near):
                return
            self.columns = tuple(near)
            self.hops.pop()


def resolve(meta: Any, names: Sequence[str], extra: Iterable[str] = (), filtered: Any = None) -> Path:
    """Follow `names` from a model.

    `extra` are annotations, which an error names among the choices; `filtered` maps
    names of FilteredRelations to their hops. Raises FieldError where the first name,
    or one after a relation that can't be a lookup, is unknown.
    """
    path = Path(meta)
    for position, name in enumerate(names):
        if name == "pk":
            name = path.meta.pk.name
        if filtered and position == 0 and name in filtered:
            field, hops = filtered[name]
            _follow(path, field, hops)
            continue
        try:
            field = path.meta.get_field(name)
        except FieldDoesNotExist:
            if position == 0:
                raise FieldError(unknown(name, choices(meta, extra), "field", meta)) from None
            path.rest = list(names[position:])
            return path
        several = isinstance(field, TupleField)
        if getattr(field, "column", None) is None and not hasattr(field, "path_infos") and not several:
            raise FieldError(
                f"{meta.object_name}.{field.name} has no column, and may refer to objects of any model: it can't "
                "be used in a query. Use the fields that it consists of, or a GenericRelation with a "
                "related_query_name."
            )
        if not several:
            climb(path, field)
        if not hasattr(field, "path_infos"):
            path.field = field
            path.value_field = field.output_field if getattr(field, "generated", False) else field
            path.columns = columns_of(field)
            path.rest = list(names[position + 1 :])
            return path
        _follow(path, field, field.path_infos())
    return path


def climb(path: Path, field: Any) -> None:
    """Go up to the parent model's table that a child of a concrete model has its field or relation from."""
    table = field.path_infos()[0].from_meta.table if hasattr(field, "path_infos") else field.sa_column.table
    if table is not path.meta.table:
        path.hops.extend(ancestry(path.meta, table))


def ancestry(meta: Any, table: Any) -> tuple[PathInfo, ...]:
    """Return the hops from a child model's table to that of one of its parents; none where it is no parent's."""
    return _ancestry(meta, table) or ()


def _ancestry(meta: Any, table: Any) -> tuple[PathInfo, ...] | None:
    if meta.table is table:
        return ()
    for parent, link in meta.parents.items():
        hops = _ancestry(parent._meta, table)
        if hops is not None:
            return hops if link is None else (link.path_infos()[0], *hops)
    return None


def _follow(path: Path, field: Any, hops: Sequence[PathInfo]) -> None:
    path.field = field
    path.named = path.named or len(hops)
    path.hops.extend(hops)
    last = hops[-1]
    path.meta = last.to_meta
    target = path.meta.pk
    if getattr(field, "many_to_many", False) is True:
        target = linked_field(field) or target
    elif not last.reverse:
        target = getattr(field, "target_field", None) or target
    path.columns = columns_of(target)
    path.value_field = plain_field(target)


def linked_field(relation: Any) -> Any:
    """Return the field of a many-to-many relation's objects that the table in between refers to."""
    last = relation.path_infos()[-1]
    if len(last.pairs) > 1:
        known = {id(field.sa_column): field for field in last.to_meta.concrete_fields}
        fields = [known[id(far)] for _near, far in last.pairs]
        return TupleField.of(relation.name, last.to_meta.model, fields)
    column = last.pairs[0][1]
    return next((field for field in last.to_meta.concrete_fields if field.sa_column is column), None)


def plain_field(field: Any) -> Any:
    """Return the field that holds the values: behind a key that is a relation itself, the one it refers to.

    Behind a generated column it is the one that says what is computed.
    """
    while getattr(field, "is_relation", False):
        field = field.target_field
    return field.output_field if getattr(field, "generated", False) else field


def choices(meta: Any, extra: Iterable[str] = ()) -> list[str]:
    """Return the names that a lookup on this model may begin with."""
    return sorted({*(field.name for field in meta.get_fields()), *extra})


def unknown(name: str, known: list[str], kind: str, meta: Any) -> str:
    """Word the error of an unknown name, with the near miss."""
    near = near_names(name, known)
    hint = f" Did you mean {near[0]!r}?" if near else ""
    model = f" of {meta.object_name}" if meta is not None else ""
    return f"Cannot resolve keyword '{name}' into {kind}{model}.{hint} Choices are: {', '.join(known)}"
