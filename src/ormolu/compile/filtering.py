"""Turn what filter() was given into conditions."""

from __future__ import annotations

from typing import Any, cast

import sqlalchemy as sa
from sqlalchemy.sql.elements import ClauseElement, Grouping, UnaryExpression

from ormolu.compile import names as paths
from ormolu.compile import negation
from ormolu.compile.conditions import EVERYTHING, NONE, Condition, combine, negate
from ormolu.compile.names import Path
from ormolu.compile.relations import check_relation_value, registered_on_relation, relation_lookup
from ormolu.compile.resolving import LOOKUP_SEP, Resolver
from ormolu.compile.terms import Term
from ormolu.compile.written import writes
from ormolu.exceptions import FieldError


class Filtering(Resolver):
    """A resolver of conditions, too."""

    def condition(self, q: Any, *, negated: bool = False, branch_negated: bool = False) -> Condition:
        """Return the condition of a Q, or of whatever stands in its place."""
        negated ^= bool(q.negated)
        branch_negated = branch_negated or bool(q.negated)
        children = [child for child in q.children if not is_empty(child)]
        if not children:
            return EVERYTHING  # ~Q() asks for nothing either
        parts = [self.child(child, negated, branch_negated) for child in children]
        whole = combine(q.connector, parts)
        return negate(whole) if q.negated else whole

    def joined_condition(self, q: Any, negated: bool = False) -> Condition:
        """Return the condition of a Q inside an expression: about the joined row, also where it is negated."""
        kept, self.splits = self.splits, False
        try:
            return self.condition(q, negated=negated)
        finally:
            self.splits = kept

    def child(self, child: Any, negated: bool, branch_negated: bool) -> Condition:
        """Return the condition of one child of a Q."""
        if isinstance(child, tuple):
            name, value = cast(Any, child)
            return self.lookup(name, value, child, negated, branch_negated)
        if hasattr(child, "connector") and hasattr(child, "children"):
            return self.condition(child, negated=negated, branch_negated=branch_negated)
        return self.boolean(child, negated)

    def boolean(self, value: Any, negated: bool = False) -> Condition:
        """Return the condition of an expression that is true or false itself."""
        if hasattr(value, "as_condition"):
            return value.as_condition(self, negated)  # type: ignore[no-any-return]
        if (
            not hasattr(value, "as_term")
            and not hasattr(value, "__clause_element__")
            and not isinstance(value, ClauseElement)
        ):
            if value.__class__ is dict:
                raise FieldError("Cannot parse keyword query as dict: say filter(**conditions).")
            raise TypeError(
                f"Cannot filter against {value!r}: it is neither a Q, a lookup, nor an expression."
            )
        term = self.term(value)
        if term.field is not None and not getattr(term.field, "conditional", False):
            raise TypeError("Cannot filter against a non-conditional expression.")
        return from_term(term, negated)

    def lookup(self, name: str, value: Any, owner: Any, negated: bool, branch_negated: bool) -> Condition:
        """Return the condition of one keyword lookup."""
        if not name:
            raise FieldError("Cannot parse keyword query: an empty name.")
        name = self.name_of(name)
        parts = name.split(LOOKUP_SEP)
        for length in range(len(parts), 0, -1):
            alias = LOOKUP_SEP.join(parts[:length])
            if alias in self.annotations:
                term = self.annotations[alias]
                return self.compare(term, parts[length:], value, owner, negated, name)
        path = paths.resolve(self.meta, parts, self.annotations, self.filtered)
        if path.is_relation:
            check_relation_value(path, value, name)
        if path.hops and not self.allow_joins:
            path.trim()
            if path.hops:
                raise FieldError(f"Joined field references are not permitted in this query: {name!r}")
        if branch_negated and self.splits and path.first_multiple() is not None and not self.is_stuck(path):
            return negation.related_rows(self, path, value, owner, name)
        field, relation = path.field, path.is_relation
        path.trim()
        join = self.join(path)
        # A join that repeats rows does so even where its condition turns out to be constant.
        self.keep(join.chain())
        term = self.value_of(join, path)
        return self.compare(
            term, path.rest, value, owner, negated, name, relation=field if relation else None
        )

    def is_stuck(self, path: Path) -> bool:
        """Tell whether the first multi-valued join of a path is one that this filter() call shares."""
        first = path.first_multiple()
        if not self.stuck or first is None:
            return False
        prefix = Path(self.meta)
        prefix.hops = path.hops[:first]
        join = self.tree.find(self.join(prefix), path.hops[first], set(self.stuck), "")
        return join is not None and not any(hop.multiple for hop in path.hops[first + 1 :])

    def compare(
        self,
        term: Term,
        names: list[str],
        value: Any,
        owner: Any,
        negated: bool,
        whole: str,
        relation: Any = None,
    ) -> Condition:
        """Return the condition of a lookup on a term: transforms, then the lookup itself."""
        names = list(names) or ["exact"]
        own: Any = None if relation is None else registered_on_relation(relation, names[0])
        if getattr(own, "is_transform", False):
            term, relation, names = own.apply(self, term), None, names[1:] or ["exact"]
        elif relation is not None and own is None and not has_transform(term, names[0]):
            relation_lookup(self, relation, names, whole)
        *between, last = names
        term = self.transforms(term, between, whole)
        field = term.field
        if field is None and term.why is not None:  # of what type it is can't be told
            raise FieldError(term.why())
        found = own if own is not None and relation is not None else None
        if found is None:
            found = term.get_lookup(last) if field is not None else self.default_lookup(last, value)
        if found is None:
            # The last name may be a transform, compared for equality.
            term = self.transforms(term, [last], whole)
            last = "exact"
            found = term.get_lookup(last)
        value = both_sides(term, value, owner)
        if isinstance(found, type) and not writes(found, self.vendor):
            return cast(Any, found).build(self, term, value, owner, negated, relation, last)  # type: ignore[no-any-return]
        return self.query.written_lookup(self, found, term, value, owner, negated, relation, last)  # type: ignore[no-any-return]

    def default_lookup(self, name: str, value: Any) -> Any:
        """Return the lookup for a term of unknown type."""
        return self.query.default_lookup(name)

    def filter(self, q: Any, sticky: bool = False) -> None:
        """Add the condition of one filter() call. After a sticky one the next belongs to the same joined rows."""
        saved, self.reuse = self.reuse, set(self.stuck)
        try:
            self.where.append(self.condition(q))
            self.stuck = frozenset(self.reuse) if sticky else NONE
        finally:
            self.reuse = saved


def has_transform(term: Term, name: str) -> bool:
    """Tell whether the type of a term has a transform of that name."""
    return term.field is not None and term.field.get_transform(name) is not None


def is_empty(q: Any) -> bool:
    """Tell whether a Q says nothing: it has no children but such Qs."""
    return hasattr(q, "connector") and hasattr(q, "children") and all(map(is_empty, q.children))


def both_sides(term: Term, value: Any, owner: Any) -> Any:
    """Return the value with the transforms of the other side that are bilateral."""
    transforms: list[Any] = []
    inner: Term | None = term
    while inner is not None and inner.origin is not None:
        if getattr(inner.origin, "bilateral", False):
            transforms.append(type(inner.origin))
        inner = inner.inner
    if not transforms or inner is None:
        return value
    return transforms[0].other_side(value, owner, inner, transforms[::-1])


def from_term(term: Term, negated: bool = False) -> Condition:
    """Make a condition of a boolean term; under NOT, NULL counts as false."""
    element: Any = term.sa
    bare = cast(Any, element).element if isinstance(element, Grouping) else element
    if negated and term.nullable and not isinstance(bare, UnaryExpression):
        element = sa.func.coalesce(cast(Any, element), sa.false())
    return Condition(
        element,
        joins=term.joins,
        aggregate=term.aggregate,
        window=term.window,
        group=term.group_columns() if term.aggregate or term.window else (),
    )
