"""Resolve names and expressions into terms, joining what they read."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import Any, Self, TypeVar, cast

import sqlalchemy as sa
from sqlalchemy.sql import util, visitors
from sqlalchemy.sql.elements import BindParameter, ClauseElement

from ormolu.compile import names as paths
from ormolu.compile.conditions import EVERYTHING, NONE, Condition
from ormolu.compile.elements import calls
from ormolu.compile.joins import Join, JoinTree, Names, multiple
from ormolu.compile.names import Path
from ormolu.compile.params import Params, roomy
from ormolu.compile.terms import Term
from ormolu.compile.tuples import NotSingle, TupleTerm, columns_of, is_tuple
from ormolu.compile.written import writes
from ormolu.exceptions import FieldError
from ormolu.near import near_names

LOOKUP_SEP = "__"
R = TypeVar("R")


class Resolver(ABC):
    """What a query has joined so far, and what names mean in it.

    `query` is the data, `params` makes bind parameters, `outer` is the builder of
    the enclosing query for a subquery. `vendor` and `driver` say for which database.
    """

    def __init__(self, query: Any, params: Params, driver: Any, outer: Resolver | None = None) -> None:
        self.query = query
        self.meta = query.model._meta
        self.params = params
        self.driver = driver
        self.vendor: str = driver.vendor
        self.connection: Any = getattr(driver, "database", None)  # what users' fields are told
        self.alias: str | None = getattr(self.connection, "alias", None)
        self.outer = outer
        self.tree: JoinTree = JoinTree(self.meta, Names(outer.tree.names if outer else None))
        self.root = self.tree.root
        self.annotations: dict[str, Term] = {}
        self.expressions: dict[str, Any] = {}
        self.selected: list[str] = []
        self.filtered: dict[str, Any] = {}
        self.renamed: tuple[str, str] | None = None  # a relation and its alias, inside of its condition
        self.where: list[Condition] = []
        self.values: list[str] | None = None
        self.shown: dict[str, Term] = {}  # terms of values() over relations, as they were joined then
        self.group: list[Any] | None = None  # explicit GROUP BY columns
        self.group_terms: list[Term] = []
        self.group_model = False  # GROUP BY the primary key
        self.tables: list[Any] = []  # of extra(): joined by its conditions
        self.stuck: frozenset[Join] = NONE  # joins that the next filter() call shares
        self.kept: set[Join] = set()  # joins that stay though nothing selected reads them
        self.reuse: set[Join] | None = None
        self.allow_joins = True
        self.splits = (
            True  # whether a negated condition over a multi-valued relation is asked of all its rows
        )
        self.allow_aggregates = True
        self.split_aggregates: bool = outer.split_aggregates if outer else False
        self.elides = True  # whether a query that can find nothing need not be asked
        self.apart: int = 0  # how many aggregates have got a subquery
        self.done: list[Any] = []  # operations replayed so far
        self.summary: dict[str, Term] | None = None
        self.link: Term | None = None
        self.back: str | None = None  # the attribute that refers to the holder of a linked row
        self.common: dict[int, Any] = {}  # the join and the table of each CTE that is joined, by its identity
        self.roots: set[Join] = set()  # multi-valued joins that aggregates read
        self.outer_joins: set[Join] = set()  # of the enclosing query, read from in here
        self.outer_columns: list[Any] = []  # what is read of it, which a group there must name
        self.outer_terms: list[Term] = []  # of the enclosing query, read in here

    def within(self, meta: Any, root: Join, work: Callable[[], R]) -> R:
        """Call `work` with names resolved from another model, whose table is joined at `root`."""
        kept = self.meta, self.root, self.annotations
        self.meta, self.root, self.annotations = meta, root, {}
        try:
            return work()
        finally:
            self.meta, self.root, self.annotations = kept

    # Names

    def ref(self, name: str) -> Term:
        """Return the term of a name: an annotation or a path to a column, with transforms."""
        if self.summary is not None and name in self.summary:
            return self.summary[name]
        name = self.name_of(name)
        first, *rest = name.split(LOOKUP_SEP)
        for length in range(len(rest) + 1, 0, -1):
            alias = LOOKUP_SEP.join([first, *rest][:length])
            if alias in self.annotations:
                return self.transforms(self.annotations[alias], [first, *rest][length:], name)
        path = paths.resolve(self.meta, name.split(LOOKUP_SEP), self.annotations, self.filtered)
        path.trim()
        if path.hops and not self.allow_joins:
            raise FieldError(f"Joined field references are not permitted in this query: {name!r}")
        return self.transforms(self.column(path), path.rest, name)

    def column(self, path: Path) -> Term:
        """Return the term of a path's column, joining what is on the way."""
        return self.value_of(self.join(path), path)

    def value_of(self, join: Join, path: Path) -> Term:
        """Return the term of the column, or the columns, at the end of a path, which `join` has."""
        if len(path.columns) == 1 and not is_tuple(path.value_field):
            return self.column_of(join, path.columns[0], path.value_field)
        return self.columns_of(join, path.columns, path.value_field)

    def columns_of(self, join: Join, columns: Sequence[Any], field: Any) -> TupleTerm:
        """Return the term of several columns of a join; `field` is a TupleField."""
        parts = zip(columns, field.fields, strict=True)
        return TupleTerm(
            [self.column_of(join, column, paths.plain_field(part)) for column, part in parts], field
        )

    def key_of(self, join: Join) -> Term:
        """Return the term of a joined model's primary key."""
        pk = join.meta.pk
        if is_tuple(pk):
            return self.columns_of(join, columns_of(pk), pk)
        return self.column_of(join, pk.sa_column, pk)

    def column_of(self, join: Join, column: Any, field: Any) -> Term:
        """Return the term of a column of a join; `field` is what its values are."""
        chain: frozenset[Any] = join.chain()
        # A key that isn't NULL says that the row it refers to is there, whether that is joined or not.
        points = bool(column.nullable and column.foreign_keys)
        return Term(
            join.column(column),
            field,
            joins=chain,
            strict=chain | frozenset[Any]([(join, column.key)]) if points else chain,
            nullable=bool(column.nullable) or join.nullable or not is_table(join.table),
        )

    def has_each_row(self, term: Term) -> bool:
        """Tell whether a term is a column of the query's own table that is never NULL."""
        table = self.root.table
        return (
            not (term.nullable or term.joins or term.constant)
            and getattr(term.sa, "table", None) is table
            and is_table(table)
        )

    def own_column(self, join: Join, field: Any) -> Term:
        """Return the term of a model's own field, or of one that it has from a parent's table."""
        column = field.sa_column
        if column.table is not join.meta.table:
            for hop in paths.ancestry(join.meta, column.table):
                # Coming from the parent, its row is at hand already.
                back = (
                    join.path is not None and join.path.reverse and hop.pairs[0][0] is join.path.pairs[0][1]
                )
                join = join.parent if back and join.parent is not None else self.tree.add(join, hop, None)
        return self.column_of(join, column, paths.plain_field(field))

    def join(self, path: Path, start: Join | None = None) -> Join:
        """Make or find the joins of a path; return the last."""
        join = start or self.root
        hops = path.hops
        for place in range(len(hops) - 1, -1, -1):
            # A FilteredRelation has one join, with those that lead there, in all filter() calls.
            if hops[place].filtered and (known := self.tree.named(hops[place].filtered[0])) is not None:
                join, hops = known, hops[place + 1 :]
                break
        for hop in hops:
            join = self.tree.add(join, hop, self.reuse, hop.filtered[0] if hop.filtered else "")
            if hop.filtered and join.condition is None:
                self.narrow(join, hop.filtered[1])
        return join

    @abstractmethod
    def condition(self, q: Any, *, negated: bool = False, branch_negated: bool = False) -> Condition:
        """Return the condition of a Q, or of whatever stands in its place."""

    def narrow(self, join: Join, filtered: Any) -> None:
        """Join under the condition of a FilteredRelation. It is about the joins that lead there, and about itself."""
        kept = self.reuse, self.splits, self.renamed
        self.reuse, self.splits = set(join.chain()), False
        self.renamed = filtered.relation_name, join.name
        join.condition = EVERYTHING.sa  # so that what it says of itself finds this join
        try:
            condition = self.condition(filtered.condition)
        finally:
            self.reuse, self.splits, self.renamed = kept
        join.condition, join.reads = condition.sa, condition.joins - join.chain()

    def name_of(self, name: str) -> str:
        """Return a name as the query knows it: inside the condition of a FilteredRelation, that has an alias."""
        if self.renamed is not None:
            relation, alias = self.renamed
            if name == relation or name.startswith(relation + LOOKUP_SEP):
                return alias + name[len(relation) :]
        return name

    def keep(self, joins: Any) -> None:
        """Keep joins that may repeat or lose rows, with all that they hang on, also if nothing reads them."""
        for join in joins:
            if multiple(join) or (join.condition is not None and not join.nullable):
                self.kept |= join.chain()

    def transforms(self, term: Term, names: list[str], whole: str) -> Term:
        """Apply transforms by name."""
        for name in names:
            transform = term.get_transform(name) if term.field is not None else None
            if transform is None:
                raise FieldError(self.unsupported(term.field, name, whole))
            if hasattr(transform, "apply"):
                term = transform.apply(self, term)
            else:  # a function of a field's get_transform()
                term = self.term(transform(self.query.as_expression(term)))
        return term

    def unsupported(self, field: Any, name: str, whole: str) -> str:
        """Word the error of an unknown lookup or transform."""
        if field is None:
            return (
                f"Unsupported lookup '{name}' in '{whole}': the type of what stands before it is not known."
            )
        known = sorted(field.get_lookups())
        near = near_names(name, known)
        hint = f", perhaps you meant {near[0]}?" if near else "."
        owner = getattr(field, "model", None)
        on = (
            f"{type(field).__name__} '{field.name}' of {owner.__name__}"
            if owner is not None
            else type(field).__name__
        )
        return (
            f"Unsupported lookup '{name}' for {on} or join on the field not permitted{hint} "
            f"Lookups are: {', '.join(known)}"
        )

    # Terms

    def term(self, value: Any, owner: Any = None, field: Any = None) -> Term:
        """Return the term of an expression, a SQLAlchemy element or a plain value."""
        if hasattr(value, "as_term"):
            try:
                return value.as_written(self) if writes(type(value), self.vendor) else value.as_term(self)  # type: ignore[no-any-return]
            except NotSingle:
                name = type(value).__name__
                raise ValueError(f"{name} expression does not support composite primary keys.") from None
        if isinstance(value, ClauseElement) or hasattr(value, "__clause_element__"):
            return self.element(value)
        type_ = roomy(field.sa_type, value) if field is not None else None
        convert = field.get_prep_value if field is not None else None
        bound = self.params.bind(owner if owner is not None else value, value, type_, convert)
        return Term(bound, field, nullable=value is None, constant=True)

    def element(self, value: Any) -> Term:
        """Return the term of a SQLAlchemy element that a user gave."""
        element = value.__clause_element__() if hasattr(value, "__clause_element__") else value
        joins: frozenset[Join] = NONE
        sources: dict[Any, Any] = {}
        for source in element._from_objects:
            if source is self.meta.table:
                sources[source] = self.root.table
            elif getattr(source, "name", None) is not None and hasattr(source, "c"):
                join = self._join_of_table(source)
                if join is not None:
                    joins |= join.chain()
                    sources[source] = join.table

        def bind(part: Any, **kw: Any) -> Any:
            bound = part
            if isinstance(part, BindParameter) and id(bound) in self.params.shape.index:
                return self.params.bind(bound, bound.effective_value, bound.type)
            return None

        def replace(part: Any, **kw: Any) -> Any:
            if (
                isinstance(part, sa.Column)
                and part.table in sources
                and sources[part.table] is not part.table
            ):
                return sources[part.table].c[part.key]
            return None

        # The values first: without its annotations, each is another object.
        element = visitors.replacement_traverse(element, {}, bind)  # type: ignore[call-overload]
        plain: Any = cast(Any, util)._deep_deannotate(element)
        element = visitors.replacement_traverse(plain, {}, replace)  # type: ignore[call-overload]
        aggregate, window, columns = calls(element)
        group = columns if aggregate or window else None
        return Term(element, joins=joins, strict=NONE, aggregate=aggregate, window=window, group=group)

    def inside(self, query: Any) -> Self:
        """Return the same for a subquery of this one."""
        return self.__class__(query, self.params, self.driver, self)

    def note_outer(self, term: Term) -> None:
        """Remember what this query reads of the enclosing one."""
        self.outer_joins |= term.joins
        self.outer_columns += term.group_columns()
        self.outer_terms.append(term)

    def _join_of_table(self, table: Any) -> Join | None:
        for join in self.tree.joins:
            if join.table is table or getattr(join.table, "element", None) is table:
                return join
        for field in self.meta.fields:
            if field.is_relation and field.related_model._meta.table is table:
                path = paths.resolve(self.meta, [field.name])
                return self.join(path)
        return None


def is_table(source: Any) -> bool:
    """Tell whether rows come from a table, and not from a query in its place, whose columns may be NULL."""
    return isinstance(getattr(source, "element", source), sa.Table)
