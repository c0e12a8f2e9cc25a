"""The tables of a query: which are joined, to what, and how."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement

from ormolu.compile.paths import PathInfo
from ormolu.exceptions import FieldError


class Join:
    """One table of a query. The root has no parent. One with no path (a CTE) is joined by its condition alone."""

    __slots__ = ("condition", "meta", "name", "nullable", "parent", "path", "reads", "table")

    def __init__(self, meta: Any, table: Any, parent: Join | None, path: PathInfo | None) -> None:
        self.meta = meta
        self.table = table
        self.parent = parent
        self.path = path
        self.condition: Any = None  # of a FilteredRelation: one more ON condition
        self.reads: frozenset[Join] = (
            frozenset()
        )  # joins that this condition reads, besides those it hangs on
        self.name = ""
        self.nullable: bool = parent is not None and (parent.nullable or path is None or path.nullable)

    def column(self, column: Any) -> Any:
        """Return the column of this occurrence of the table. FieldError where a CTE stands for it and lacks that."""
        try:
            return self.table.c[column.key]
        except KeyError:
            raise FieldError(
                f"The rows of {self.table.name!r} have no {column.key!r} of {self.meta.object_name}."
            ) from None

    def chain(self) -> frozenset[Join]:
        """Return this join and those it hangs on."""
        found: list[Join] = []
        join: Join = self
        while join.parent is not None:
            found.append(join)
            join = join.parent
        return frozenset(found)


class JoinTree:
    """All joins of one SELECT, in order of appearance.

    A join to the same table over the same columns from the same parent is made
    once, unless it may meet several rows and stands in another filter() call:
    `reuse` says which joins such a call may use (None: any).
    """

    def __init__(self, meta: Any, names: Names) -> None:
        self.names = names
        self.root = Join(meta, names.table(meta.table), None, None)
        self.joins: list[Join] = []

    def add(self, parent: Join, path: PathInfo, reuse: set[Join] | None, name: str = "") -> Join:
        """Return the join over `path` from `parent`, an existing one where that is right."""
        found = self.find(parent, path, reuse if path.multiple else None, name)
        if found is not None:
            if reuse is not None:
                reuse.add(found)
            return found
        join = Join(path.to_meta, self.names.table(path.to_meta.table), parent, path)
        join.name = name
        self.joins.append(join)
        if reuse is not None:
            reuse.add(join)
        return join

    def find(self, parent: Join, path: PathInfo, among: set[Join] | None, name: str = "") -> Join | None:
        """Return the newest join over `path` from `parent`, of all or of some."""
        for join in reversed(self.joins):
            if (
                join.parent is parent
                and join.path is not None
                and join.name == name
                and same(join.path, path)
            ) and (among is None or join in among):
                return join
        return None

    def named(self, name: str) -> Join | None:
        """Return the join of a FilteredRelation."""
        return next((join for join in self.joins if join.name == name), None)

    def from_clause(self, used: frozenset[Join], inner: frozenset[Any], start: Join | None = None) -> Any:
        """Return the FROM clause with the joins in `used`; those in `inner` are INNER.

        So are those that a key in `inner` (a join, and a column of it that isn't NULL) leads to.
        With `start` it begins there, and not at the root.
        """
        source = (start or self.root).table
        for join, within in self.placed(used, start):
            table = join.table
            for below in within:
                assert below.path is not None
                table = table.join(below.table, on_clause(below), isouter=below.path.nullable)
            source = source.join(table, on_clause(join), isouter=self.is_outer(join, inner))
        return source

    def placed(self, used: frozenset[Join], start: Join | None) -> list[tuple[Join, list[Join]]]:
        """Return the joins in the order of FROM, each with those that its own condition has to find beside it."""
        if not any(join.reads for join in used):
            return [(join, []) for join in self.joins if join in used and join is not start]
        found: list[tuple[Join, list[Join]]] = []
        seen: set[Join | None] = {start, self.root}

        def place(join: Join) -> None:
            if join in seen or join.parent is None:
                return
            place(join.parent)
            seen.add(join)
            within = [other for other in self.joins if join in other.chain() and other in join.reads]
            seen.update(within)
            for other in self.joins:
                if other in join.reads:
                    place(other)
            found.append((join, within))

        for join in self.joins:
            if join in used:
                place(join)
        return found

    def is_outer(self, join: Join, inner: frozenset[Any]) -> bool:
        """Tell whether a join must keep rows for which it finds nothing."""
        return join.nullable and join not in inner and not led_to(join, inner)


def led_to(join: Join, keys: frozenset[Any]) -> bool:
    """Tell whether keys that aren't NULL refer to the row that a join looks for."""
    path = join.path
    if path is None or path.reverse or path.restriction is not None or join.condition is not None:
        return False
    return all((join.parent, lhs.key) in keys for lhs, _rhs in path.pairs)


def same(one: PathInfo, other: PathInfo) -> bool:
    """Tell whether two hops are the same join."""
    # Columns compare by identity: == on a column would make SQL.
    return one is other or (
        (len(one.pairs) == len(other.pairs))
        and all(a[0] is b[0] and a[1] is b[1] for a, b in zip(one.pairs, other.pairs, strict=True))
        and (
            other.restriction is None if one.restriction is None else one.restriction.same(other.restriction)
        )
    )


def on_clause(join: Join) -> Any:
    """Return the ON condition of a join."""
    assert join.parent is not None
    if join.path is None:
        return join.condition
    parts = links(join.path, join.parent.column, join.column)
    if join.condition is not None:
        parts.append(join.condition)
    return sa.and_(*parts) if len(parts) > 1 else parts[0]


def links(path: PathInfo, near: Callable[[Any], Any], far: Callable[[Any], Any]) -> list[Any]:
    """Return what makes two rows belong together over a hop; `near` and `far` give their columns."""
    restriction = path.restriction
    if restriction is None:
        return [near(lhs) == far(rhs) for lhs, rhs in path.pairs]
    parts = [comparable(near(lhs), far(rhs)) for lhs, rhs in path.pairs]
    return [*parts, (far if restriction.far else near)(restriction.column) == restriction.value]


def comparable(one: Any, other: Any) -> Any:
    """Return that two columns are equal. A key that is kept as a text is compared as one."""
    if one.type._type_affinity is not other.type._type_affinity:
        if isinstance(other.type, sa.String):
            one = as_text(one)
        elif isinstance(one.type, sa.String):
            other = as_text(other)
    return one == other


def as_text(key: Any) -> Any:
    """Return a key as the text that another table keeps of it."""
    if key.type._type_affinity is sa.Uuid:
        return _Hyphenated(key)
    return sa.cast(key, sa.String())


class _Hyphenated(FunctionElement[str]):
    """A UUID as its usual text, also where the column holds its digits alone."""

    inherit_cache = True
    type = sa.String()


@compiles(_Hyphenated)
def _digits_with_hyphens(element: Any, compiler: Any, **kw: Any) -> str:
    (key,) = element.clauses
    text: Any = None
    for start, length in ((1, 8), (9, 4), (13, 4), (17, 4), (21, 12)):
        place: list[Any] = [sa.literal_column(str(number)) for number in (start, length)]
        piece: Any = sa.func.substr(key, *place, type_=sa.String())
        text = piece if text is None else text + sa.literal_column("'-'", sa.String()) + piece
    return str(compiler.process(text.self_group(), **kw))


@compiles(_Hyphenated, "postgresql")
def _uuid_as_text(element: Any, compiler: Any, **kw: Any) -> str:
    (key,) = element.clauses
    return str(compiler.process(sa.cast(key, sa.Text()), **kw))


class Names:
    """Gives out aliases. The first occurrence of a table in the outermost query keeps its name."""

    def __init__(self, outer: Names | None = None) -> None:
        self.depth: int = 0 if outer is None else outer.depth + 1
        self.taken: set[str] = set()
        self.count = 0

    def table(self, table: Any) -> Any:
        """Return the table itself or an alias of it that is not in use yet."""
        self.count += 1
        if self.depth == 0 and table.name not in self.taken:
            self.taken.add(table.name)
            return table
        prefix = "TUVWXYZ"[min(self.depth, 6)] if self.depth < 7 else f"S{self.depth}_"
        return table.alias(f"{prefix}{self.count - 1 if self.depth else self.count}")


def backwards(hop: Any) -> Any:
    """Return a hop the other way round."""
    return PathInfo(
        hop.to_meta,
        hop.from_meta,
        tuple((rhs, lhs) for lhs, rhs in hop.pairs),
        True,
        False,
        hop.join_field,
        not hop.reverse,
        None,
        None if hop.restriction is None else hop.restriction.backwards(),
    )


def column_field(meta: Any, column: Any) -> Any:
    """Return the field of a model that a column belongs to."""
    return next(field for field in meta.concrete_fields if field.sa_column is column)


def first_multiple(join: Join) -> Join | None:
    """Return the first join on the way to this one that may meet several rows."""
    found = None
    here = join
    while here.parent is not None:
        if here.path is not None and here.path.multiple:
            found = here
        here = here.parent
    return found


def multiple(join: Join) -> bool:
    """Tell whether a join may meet several rows."""
    return any(j.path is not None and j.path.multiple for j in join.chain())
