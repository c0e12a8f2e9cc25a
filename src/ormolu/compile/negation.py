"""Negated lookups over relations that may meet several rows.

Django's documentation (topics/db/queries, "Spanning multi-valued relationships") defines each
condition of an exclude() on its own: there is no related row that meets it. A join can't say
that, so the lookup becomes EXISTS(related rows that meet it), and NOT stands before it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from ormolu.compile.conditions import EVERYTHING, NOTHING, Condition
from ormolu.compile.joins import links
from ormolu.compile.names import Path
from ormolu.compile.paths import PathInfo
from ormolu.compile.tuples import columns_of

if TYPE_CHECKING:
    from ormolu.compile.filtering import Filtering
    from ormolu.compile.joins import Join
    from ormolu.compile.terms import Term


def related_rows(builder: Filtering, path: Path, value: Any, owner: Any, name: str) -> Condition:
    """Return EXISTS(rows related over `path` that meet the lookup)."""
    start, first = start_of(builder, path, asks_for_null(path, value))
    inner = builder.inside(builder.query.for_model(start.meta.model))
    inner.reuse = set()
    if start is builder.root:
        inner.filtered = builder.filtered
    rest = Path(start.meta)
    rest.hops, rest.columns, rest.value_field = path.hops[first:], path.columns, path.value_field
    rest.trim()
    join = inner.join(rest)
    term = inner.value_of(join, rest)
    if hasattr(value, "as_outer"):
        value = value.as_outer()
    elif hasattr(value, "as_term"):
        value = Outward(value)
    relation = path.field if path.is_relation else None
    found = inner.compare(term, path.rest, value, owner, False, name, relation=relation)
    if found is EVERYTHING or found is NOTHING:
        return found
    builder.keep(inner.outer_joins)
    behind = path.named <= (path.first_multiple() or 0) or any(term.joins for term in inner.outer_terms)
    return linked(inner, start, found, found.joins | join.chain(), behind)


class Outward:
    """An expression about the enclosing query's row, read from within a subquery."""

    def __init__(self, expression: Any) -> None:
        self.expression = expression

    def as_term(self, builder: Filtering) -> Term:
        """Return the term in the enclosing query."""
        assert builder.outer is not None
        term = builder.outer.term(self.expression)
        builder.note_outer(term)
        return term.replace(joins=frozenset(), strict=frozenset(), constant=True)


def linked(inner: Filtering, start: Join, found: Condition, used: frozenset[Join], behind: bool) -> Condition:
    """Return EXISTS(SELECT ... that is linked to `start` and meets `found`).

    `behind`: the relation with several rows begins at a related object. A group that the condition is about is
    split by what EXISTS says then, and not by the object's key; so it is where Django's `OuterRef` spans relations.
    """
    one: sa.ColumnElement[Any] = sa.literal_column("1")
    select: Any = sa.select(one)
    first = (
        None if found.null_is_true else next((j for j in inner.tree.joins if j.parent is inner.root), None)
    )
    if first is None or first.path is None or any(join.condition is not None for join in inner.tree.joins):
        keys = tuple((key, key) for key in columns_of(start.meta.pk))
        first, path = inner.root, PathInfo(start.meta, start.meta, keys, False, False, None, False)
    else:  # the first related table links to us by itself
        path = first.path
    joins: set[Join] = set(inner.outer_joins)
    read: list[Any] = []

    def near(column: Any) -> Any:
        element, reads = reach(start, column)
        joins.update(reads)
        read.append(element)
        return element

    parts = links(path, near, first.column)
    select = select.select_from(inner.tree.from_clause(used, found.rejects, first))
    froms = [inner.root.table, *(join.table for join in inner.tree.joins)]
    condition: Any = select.where(*parts, found.sa).correlate_except(*froms).exists()
    if start.nullable and found.null_is_true:
        # What holds for a missing object holds where there is nothing to start from, too.
        condition = sa.or_(condition, read[-1].is_(None))
    # MariaDB's HAVING can't read within a subquery what isn't grouped by: there the key splits the groups.
    group = (condition,) if behind and inner.vendor != "mysql" else (*read, *inner.outer_columns)
    return Condition(condition, joins=frozenset(joins), group=group)


def reach(start: Join, column: Any) -> tuple[Any, frozenset[Join]]:
    """Return a column of a joined table, or the key in the row before that says the same without the join."""
    path, parent = start.path, start.parent
    if path is None or parent is None or path.restriction is not None:
        return start.column(column), start.chain()
    if not path.reverse and not path.multiple:
        for lhs, rhs in path.pairs:
            if rhs is column:
                return parent.column(lhs), parent.chain()
    return start.column(column), start.chain()


def start_of(builder: Filtering, path: Path, for_null: bool) -> tuple[Join, int]:
    """Return the join from which related rows are looked for, and the first hop to take from there.

    Where this filter() call has joined the multi-valued relation before, the lookup is
    about the same related object: it starts behind that join. A lookup that asks for
    missing rows can't, for there is no object then.
    """
    first = path.first_multiple()
    assert first is not None
    prefix = Path(builder.meta)
    prefix.hops = path.hops[:first]
    start = builder.join(prefix)
    hop = path.hops[first]
    if for_null:
        return start, first
    known = builder.tree.find(start, hop, builder.reuse or set(), hop.filtered[0] if hop.filtered else "")
    return (start, first) if known is None else (known, first + 1)


def asks_for_null(path: Path, value: Any) -> bool:
    """Tell whether a lookup holds where nothing is found."""
    last = path.rest[-1] if path.rest else "exact"
    return value is True if last == "isnull" else value is None and last in ("exact", "iexact")
