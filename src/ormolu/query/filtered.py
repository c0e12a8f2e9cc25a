"""FilteredRelation: a relation joined under a condition.

Source: Django's documentation, ref/models/querysets, "FilteredRelation() objects".
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import zip_longest
from typing import Any, cast

from ormolu.compile import names as paths
from ormolu.query.q import Q

__all__ = ["FilteredRelation"]

SEP = "__"


class FilteredRelation:
    """A relation of which only some related rows are joined: `annotate(recent=FilteredRelation("books", ...))`.

    `condition` is a Q about the model's own fields and those of the relation (`books__year__gt=2000`). It becomes
    part of ON: a row without such a related row stays, with NULLs, unless the relation is a key that can't be NULL.
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
        if any(hasattr(value, "query") and hasattr(value, "iterator") for value in values_of(given)):
            raise ValueError("Passing a QuerySet within a FilteredRelation is not supported.")

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, FilteredRelation):
            return NotImplemented
        return (self.relation_name, self.condition) == (other.relation_name, other.condition)

    def __hash__(self) -> int:
        return hash((self.relation_name, self.condition))

    def shape(self, shape: Any) -> Any:
        """Return the key."""
        return (FilteredRelation, self.relation_name, self.condition.shape(shape))

    def filtered_hops(self, builder: Any, alias: str) -> tuple[Any, list[Any]]:
        """Return the relation's field and hops; the last hop knows the alias and this."""
        path = paths.resolve(builder.meta, self.relation_name.split(SEP), (), builder.filtered)
        *others, last = path.hops
        return path.field, [*others, last.narrowed(alias, self)]

    def check(self, meta: Any, alias: str, known: Mapping[str, Any]) -> None:
        """Check that the names lead to something in a model.

        `known` are the FilteredRelations that the query has already. Raises ValueError, as Django does, for a
        relation that isn't one, and for lookups in the condition about relations that lie behind it or aside.
        """
        if "." in alias:
            raise ValueError(f"FilteredRelation doesn't support aliases with periods (got {alias!r}).")
        path = self.resolved(meta, self.relation_name, known)
        if path.rest or not path.is_relation:
            raise ValueError(
                f"FilteredRelation's relation_name cannot contain lookups (got {self.relation_name!r})."
            )
        relation = self.relation_name.split(SEP)
        for name in names_of(self.condition):
            self._check_lookup(name, relation, self.resolved(meta, name, known))

    def _check_lookup(self, name: str, relation: list[str], path: Any) -> None:
        whole = name.split(SEP)
        steps = whole[: len(whole) - len(path.rest)]
        for step, expected in zip_longest(steps[:-1], relation):
            if step is None or step == expected:
                continue
            if expected is None:
                raise ValueError(
                    "FilteredRelation's condition doesn't support nested relations deeper than the relation_name "
                    f"(got {name!r} for {self.relation_name!r})."
                )
            if path.rest:
                raise ValueError(
                    "FilteredRelation's condition doesn't support relations outside the "
                    f"{self.relation_name!r} (got {name!r})."
                )
            return

    def resolved(self, meta: Any, name: str, known: Mapping[str, Any]) -> Any:
        """Follow a name, through the relations that other FilteredRelations stand for."""
        parts = name.split(SEP)
        while parts[0] in known:
            parts = [*known[parts[0]].relation_name.split(SEP), *parts[1:]]
        return paths.resolve(meta, parts)


def lookups_of(q: Q) -> Iterator[tuple[str, Any]]:
    """Give all lookups in a Q."""
    for child in q.children:
        if isinstance(child, Q):
            yield from lookups_of(child)
        elif isinstance(child, tuple):
            yield cast("tuple[str, Any]", child)


def names_of(q: Q) -> list[str]:
    """Return the names of all lookups in a Q."""
    return [name for name, _ in lookups_of(q)]


def values_of(q: Q) -> list[Any]:
    """Return what the lookups in a Q compare with."""
    return [value for _, value in lookups_of(q)]
