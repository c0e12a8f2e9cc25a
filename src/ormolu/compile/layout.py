"""Which columns a query of instances selects, and where each belongs in the objects."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ormolu.compile import names as paths
from ormolu.compile.terms import Term
from ormolu.compile.tuples import TupleTerm, flat
from ormolu.exceptions import FieldError

if TYPE_CHECKING:
    from ormolu.compile.builder import Builder
    from ormolu.compile.joins import Join

SEP = "__"
NO_RELATIONS: Mapping[str, Any] = {}
DEEPEST = 5  # select_related() with no names follows this many relations (Django's limit)


class Node:
    """One model in the row: its columns, and the related objects beside it."""

    __slots__ = ("children", "columns", "field", "is_filtered", "join", "key", "meta", "name", "nullable")

    def __init__(self, meta: Any, join: Join, name: str = "", field: Any = None) -> None:
        self.meta = meta
        self.join = join
        self.name = name  # under which the parent holds it
        self.field = field
        self.is_filtered = False  # whether the name is that of a FilteredRelation
        self.nullable = join.nullable
        self.columns: list[tuple[Any, int]] = []  # field, place in the row
        self.key: list[int] = []  # the places of the primary key
        self.children: list[Node] = []

    @property
    def is_keyed(self) -> bool:
        """Whether the row has the whole primary key."""
        return len(self.key) == len(self.meta.pk_fields)


class Layout:
    """The select list of a query of instances."""

    def __init__(self, builder: Builder) -> None:
        self.builder = builder
        self.terms: list[Term] = []
        self.tuples: dict[int, Term] = {}  # terms of several columns, by the place of the first
        mask = load_mask(builder.meta, builder.query, builder.filtered)
        self.root: Node = self.node(builder.meta, builder.root, mask)
        wanted = builder.query.select_related
        if wanted:
            tree = wanted if wanted is True else related_tree(wanted)
            self.descend(self.root, tree, mask, 1)
        self.annotations: list[tuple[str, int]] = []
        for name in builder.selected:
            self.annotations.append((name, len(self.terms)))
            self.take(builder.annotations[name])

    def take(self, term: Term) -> None:
        """Select a term."""
        if isinstance(term, TupleTerm):
            self.tuples[len(self.terms)] = term
        self.terms.extend(flat([term]))

    def term_at(self, place: int) -> Term:
        """Return the term that begins at a place of the row."""
        return self.tuples.get(place) or self.terms[place]

    def node(self, meta: Any, join: Join, mask: Any, name: str = "", field: Any = None) -> Node:
        """Take the columns of one model."""
        node = Node(meta, join, name, field)
        keys = meta.pk_fields
        for column_field in meta.concrete_fields:
            if mask is not None and column_field.attname not in mask and column_field.name not in mask:
                continue
            if any(column_field is key for key in keys):
                node.key.append(len(self.terms))
            node.columns.append((column_field, len(self.terms)))
            self.terms.append(self.builder.own_column(join, column_field))
        return node

    def descend(self, parent: Node, tree: Any, mask: Any, depth: int) -> None:
        """Take the related models that select_related() asks for."""
        if tree is True:
            if depth > DEEPEST:
                return
            fields = [
                f for f in parent.meta.fields if f.is_relation and not f.null and f.remote_field is not None
            ]
            fields = [f for f in fields if not f.remote_field.parent_link]  # whose columns are there already
            names: dict[str, Any] = {f.name: True for f in fields}
        else:
            names = tree
        for name, below in names.items():
            field = relation(parent.meta, name, self.builder.filtered if parent is self.root else {})
            inner = None if mask is None or not isinstance(mask.get(name), dict) else mask[name]
            if tree is not True:
                check_not_deferred(parent, field, name, mask)
            path = paths.resolve(
                parent.meta, [name], (), self.builder.filtered if parent is self.root else None
            )
            join = self.builder.join(path, parent.join)
            child = self.node(path.meta, join, inner or None, name, field)
            child.is_filtered = parent is self.root and name in self.builder.filtered
            parent.children.append(child)
            self.descend(child, below, inner or None, depth + 1)


def check_not_deferred(parent: Node, field: Any, name: str, mask: Any) -> None:
    """Refuse to follow a key that only()/defer() leaves out (Django's rule)."""
    attname = getattr(field, "attname", None)
    if mask is None or attname is None or getattr(field, "column", None) is None:
        return
    if name not in mask and attname not in mask:
        raise FieldError(
            f"Field {parent.meta.object_name}.{name} cannot be both deferred and traversed using "
            "select_related at the same time."
        )


def relation(meta: Any, name: str, filtered: dict[str, Any]) -> Any:
    """Return the single-valued relation of that name; FieldError with the choices else."""
    if name in filtered:
        return filtered[name][0]
    choices: dict[str, Any] = {}
    for field in meta.get_fields():
        # A generic key may lead to any model, and the way back from a generic relation has no attribute.
        single = field.one_to_one or (field.many_to_one and not field.auto_created)
        if field.is_relation and single and hasattr(field, "path_infos"):
            choices[field.name] = field
    if name not in choices:
        known = ", ".join(sorted(choices)) or "(none)"
        found = next((field for field in meta.get_fields() if field.name == name), None)
        if found is not None and found.is_relation:
            raise FieldError(
                f"Invalid field name(s) given in select_related: '{name}'. It may lead to many objects: use "
                f"prefetch_related('{name}'). Choices are: {known} (of {meta.label})"
            )
        if found is not None:
            raise FieldError(
                f"Non-relational field given in select_related: '{name}'. Choices are: {known} (of {meta.label})"
            )
        raise FieldError(
            f"Invalid field name(s) given in select_related: '{name}'. Choices are: {known} (of {meta.label})"
        )
    return choices[name]


def related_tree(names: tuple[str, ...]) -> dict[str, Any]:
    """Return the names of select_related() as a tree."""
    tree: dict[str, Any] = {}
    for name in names:
        level = tree
        for part in name.split(SEP):
            level = level.setdefault(part, {})
    return tree


def load_mask(meta: Any, query: Any, filtered: Mapping[str, Any] = NO_RELATIONS) -> dict[str, Any] | None:
    """Return the names to load for only() and defer() as a tree, None for all.

    `filtered` has the FilteredRelations: defer() may leave out columns of theirs, too.
    """
    names, defer = query.deferred
    if not names:
        return None
    if not defer:
        return _only_mask(meta, query_tree(names, meta))
    own = [name for name in names if name.split(SEP)[0] not in filtered]
    mask = _defer_mask(meta, query_tree(own, meta))
    for name, (_, hops) in filtered.items():
        below = [path[len(name) + len(SEP) :] for path in names if path.startswith(name + SEP)]
        if below:
            mask[name] = _defer_mask(hops[-1].to_meta, query_tree(below, hops[-1].to_meta))
    return mask


def query_tree(names: Any, meta: Any) -> dict[str, Any]:
    """Return the names of only()/defer() as a tree."""
    tree: dict[str, Any] = {}
    for name in sorted(names):
        level = tree
        current = meta
        for part in name.split(SEP):
            if current is not None and part == "pk":
                part = current.pk.name
            if current is not None:
                field = check_name(current, part)
                part = field.name
                current = getattr(field.related_model, "_meta", None) if field.is_relation else None
            level = level.setdefault(part, {})
    return tree


def check_name(meta: Any, name: str) -> Any:
    """Return the field of that name; FieldDoesNotExist else."""
    return meta.get_field(name)


def _only_mask(meta: Any, tree: dict[str, Any]) -> dict[str, Any]:
    mask: dict[str, Any] = {field.name: {} for field in meta.kept_fields}
    for name, below in tree.items():
        field = meta.get_field(name)
        related = field.related_model._meta if field.is_relation else None
        mask[name] = _only_mask(related, below) if below and related is not None else {}
        if related is not None and field.auto_created and not field.concrete and below:
            # A reverse one-to-one: the key back to us comes along.
            mask[name].setdefault(field.field.name, {})
        if getattr(field, "column", None) is None:  # the columns of a ForeignObject, or of a key
            for part in getattr(field, "local_related_fields", ()):
                mask.setdefault(part.name, {})
    return mask


def _defer_mask(meta: Any, tree: dict[str, Any]) -> dict[str, Any]:
    mask: dict[str, Any] = {}
    for field in meta.concrete_fields:
        below = tree.get(field.name)
        if below is None or any(field is kept for kept in meta.kept_fields):
            mask[field.name] = {}
        elif below and field.is_relation:
            mask[field.name] = _defer_mask(field.related_model._meta, below)
    for name, below in tree.items():
        field = meta.get_field(name)
        if below and name not in mask and field.is_relation:
            mask[name] = _defer_mask(field.related_model._meta, below)
    return mask
