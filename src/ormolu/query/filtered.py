"""FilteredRelation: a relation joined under a condition.

Source: Django's documentation, ref/models/querysets, "FilteredRelation() objects".
"""

from __future__ import annotations

from typing import Any, cast

from ormolu.compile import names as paths
from ormolu.query.q import Q
from ormolu.query.references import F

__all__ = ["FilteredRelation"]

SEP = "__"


class FilteredRelation:
    """A relation of which only some related rows are joined: `annotate(recent=FilteredRelation("books", ...))`.

    `condition` is a Q about the model's own fields and those of the relation (`books__year__gt=2000`). It becomes
    part of ON, so that a row without such a related row stays, with NULLs.
    """

    def __init__(self, relation_name: str, *, condition: Any = None) -> None:
        if not relation_name:
            raise ValueError("relation_name cannot be empty.")
        self.relation_name = relation_name
        self.alias: str | None = None
        given: Any = Q() if condition is None else condition
        if not isinstance(given, Q):
            raise ValueError("condition argument must be a Q() instance.")
        self.condition = given
        depth = relation_name.count(SEP) + 1
        for name in names_of(self.condition):
            if name.startswith(relation_name + SEP):
                continue
            if name.count(SEP) > depth:
                raise ValueError(
                    "FilteredRelation's condition doesn't support nested relations deeper than the relation_name "
                    f"(got {name!r} for {relation_name!r})."
                )

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, FilteredRelation):
            return NotImplemented
        return (self.relation_name, self.condition) == (other.relation_name, other.condition)

    def __hash__(self) -> int:
        return hash((self.relation_name, self.condition))

    def shape(self, shape: Any) -> Any:
        """Return the key."""
        return (FilteredRelation, self.relation_name, self.condition.shape(shape))

    def filtered_hops(self, builder: Any, name: str) -> tuple[Any, list[Any]]:
        """Return the relation's field and hops; the last hop knows the condition."""
        path = paths.resolve(builder.meta, self.relation_name.split(SEP), (), builder.filtered)
        if path.rest or not path.is_relation:
            raise ValueError(f"FilteredRelation's relation_name {self.relation_name!r} is not a relation.")
        *others, last = path.hops

        def condition(at: Any, join: Any) -> Any:
            return at.joined_condition(self.renamed(self.condition, name))

        return path.field, [*others, last.narrowed(condition)]

    def renamed(self, q: Q, alias: str) -> Q:
        """Return the condition with the alias, whose join it belongs to, in place of the relation's name."""
        children: list[Any] = []
        for child in q.children:
            if isinstance(child, Q):
                children.append(self.renamed(child, alias))
            elif isinstance(child, tuple):
                owner = cast(Any, child)
                children.append(Renamed(self.swap(owner[0], alias), self.swap_value(owner[1], alias), owner))
            else:
                children.append(child)
        return Q.create(children, q.connector, q.negated)

    def swap(self, name: str, alias: str) -> str:
        """Return a name with the alias for the relation at its beginning."""
        if name == self.relation_name or name.startswith(self.relation_name + SEP):
            return alias + name[len(self.relation_name) :]
        return name

    def swap_value(self, value: Any, alias: str) -> Any:
        """Return a value with the alias in an F() that goes through the relation."""
        return F(self.swap(value.name, alias)) if type(value) is F else value


class Renamed:
    """A lookup under another name; `owner` is the one whose value it compares with."""

    def __init__(self, name: str, value: Any, owner: tuple[str, Any]) -> None:
        self.name, self.value, self.owner = name, value, owner

    def as_condition(self, builder: Any, negated: bool = False) -> Any:
        """Return the condition."""
        return builder.lookup(self.name, self.value, self.owner, negated, False)


def names_of(q: Q) -> list[str]:
    """Return the names of all lookups in a Q."""
    found: list[str] = []
    for child in q.children:
        if isinstance(child, Q):
            found.extend(names_of(child))
        elif isinstance(child, tuple):
            found.append(cast(Any, child)[0])
    return found
