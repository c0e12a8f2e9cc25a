"""Replay a query into tables, conditions and terms."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar, cast

import sqlalchemy as sa
from sqlalchemy.sql import util, visitors
from sqlalchemy.sql.elements import BindParameter, ClauseElement, Grouping, UnaryExpression

from ormolu.compile import names as paths
from ormolu.compile import negation
from ormolu.compile.conditions import EVERYTHING, NONE, NOTHING, Condition, combine, negate
from ormolu.compile.elements import calls
from ormolu.compile.joins import Join, JoinTree, Names, backwards, column_field, first_multiple, multiple
from ormolu.compile.names import Path
from ormolu.compile.params import Params
from ormolu.compile.relations import check_relation_value, registered_on_relation, relation_lookup
from ormolu.compile.terms import Term
from ormolu.compile.tuples import NotSingle, TupleTerm, columns_of, is_tuple
from ormolu.compile.written import writes
from ormolu.exceptions import EmptyResultSet, FieldError
from ormolu.fields.composite import TupleField
from ormolu.near import near_names

LOOKUP_SEP = "__"
_LISTS: tuple[type[Any], ...] = (list, tuple, set)
R = TypeVar("R")


class Builder:
    """One SELECT in the making.

    `query` is the data, `params` makes bind parameters, `outer` is the builder of
    the enclosing query for a subquery. `vendor` and `driver` say for which database.
    """

    def __init__(self, query: Any, params: Params, driver: Any, outer: Builder | None = None) -> None:
        self.query = query
        self.meta = query.model._meta
        self.params = params
        self.driver = driver
        self.vendor: str = driver.vendor
        self.alias: str | None = getattr(getattr(driver, "database", None), "alias", None)
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
        self.apart = 0  # how many aggregates have got a subquery
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
        """Keep joins that may repeat rows, with all that they hang on, also if nothing reads them."""
        for join in joins:
            if multiple(join):
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
        type_ = field.sa_type if field is not None else None
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

        def replace(part: Any, **kw: Any) -> Any:
            if isinstance(part, BindParameter):
                bound = cast(Any, part)
                if id(bound) in self.params.shape.index:
                    return self.params.bind(bound, bound.effective_value, bound.type)
            if (
                isinstance(part, sa.Column)
                and part.table in sources
                and sources[part.table] is not part.table
            ):
                return sources[part.table].c[part.key]
            return None

        plain: Any = cast(Any, util)._deep_deannotate(element)
        element = visitors.replacement_traverse(plain, {}, replace)  # type: ignore[call-overload]
        aggregate, window, columns = calls(element)
        group = columns if aggregate or window else None
        return Term(element, joins=joins, strict=NONE, aggregate=aggregate, window=window, group=group)

    def inside(self, query: Any) -> Builder:
        """Return a builder for a subquery of this one."""
        return Builder(query, self.params, self.driver, self)

    def note_outer(self, term: Term) -> None:
        """Remember what this query reads of the enclosing one."""
        self.outer_joins |= term.joins
        self.outer_columns += term.group_columns()
        self.outer_terms.append(term)

    def subquery(
        self, query: Any, relation: Any = None, reads: list[Term] | None = None
    ) -> tuple[Any, list[Term], frozenset[Join]]:
        """Return a query as a subquery: its Select, its terms, the joins of ours that it reads.

        `relation`: what is selected is compared with this relation, so a query of
        objects selects the key that the relation refers to. `reads` gets the terms of ours that it reads.
        """
        from ormolu.compile.statements import subselect

        inner = Builder(query, self.params, self.driver, self)
        select, terms = subselect(inner, relation)
        if reads is not None:
            reads += inner.outer_terms
        return select, terms, frozenset(inner.outer_joins)

    def operation(self, connector: str, lhs: Term, rhs: Term, field: Any) -> Any:
        """Return the element of an operator between two terms."""
        from ormolu.compile.operators import operation

        return operation(self, connector, lhs, rhs, field)

    def aggregate(self, expression: Any) -> Term:
        """Return the term of an aggregate: over our joins, or in a subquery of its own."""
        if not self.allow_aggregates:
            raise FieldError(f"Aggregate functions are not allowed in this query ({expression!r}).")
        if not self.split_aggregates or self.values is not None or self.summary is not None:
            term: Term = expression.compute(self)
            self.roots.update(j for j in term_joins(self, expression) if first_multiple(j) is j)
            return term
        from ormolu.compile.statements import aggregate_subquery

        self.apart += 1
        return aggregate_subquery(self, expression)

    def _join_of_table(self, table: Any) -> Join | None:
        for join in self.tree.joins:
            if join.table is table or getattr(join.table, "element", None) is table:
                return join
        for field in self.meta.fields:
            if field.is_relation and field.related_model._meta.table is table:
                path = paths.resolve(self.meta, [field.name])
                return self.join(path)
        return None

    # Filters

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

    # Replay

    def replay(self) -> Builder:
        """Apply the operations of the query in their order."""
        for operation in self.query.ops:
            getattr(self, "do_" + operation[0])(*operation[1:])
            self.done.append(operation)
        return self

    def do_filter(self, q: Any, sticky: bool = False) -> None:
        """Apply filter()."""
        self.filter(q, sticky)

    def do_annotate(self, name: str, expression: Any, select: bool) -> None:
        """Apply one annotation of annotate() or alias(). Raises ValueError for a name that the database can't have."""
        if "$" in name and self.vendor == "postgresql":
            raise ValueError("Dollar signs are not permitted in column aliases on PostgreSQL.")
        if hasattr(expression, "filtered_hops"):
            self.filtered[name] = expression.filtered_hops(self, name)
            return
        apart = self.apart
        term = self.annotation(name, expression)
        if term.aggregate or self.apart > apart:
            self.start_group()
        else:
            self.keep(term.joins)
        if not select and name in self.selected:
            self.selected.remove(name)  # alias() of a name that annotate() gave before
        if select and name not in self.selected:
            self.selected.append(name)
            if self.values is not None and name not in self.values:
                self.values.append(name)

    def annotation(self, name: str, expression: Any) -> Term:
        """Resolve an annotation and remember it under its name."""
        term = self.term(expression)
        self.annotations[name] = term
        self.expressions[name] = expression
        return term

    def start_group(self) -> None:
        """Group by the values() chosen so far, else by the model's rows."""
        if self.values is None:
            self.group_model = True
            return
        self.group, self.group_terms, self.group_model = [], [], False
        for name in self.values:
            term = self.shown.get(name) or self.ref(name)
            self.group_terms.append(term)
            self.group.extend(term.group_columns())

    def do_values(self, fields: tuple[str, ...]) -> None:
        """Apply values() or values_list(): what is selected from here on."""
        if fields:
            self.values = list(fields)
            self.selected = [name for name in fields if name in self.annotations]
            # What is joined here is what is shown: a filter() that follows is about other related rows.
            self.shown = {
                name: self.ref(name) for name in fields if "__" in name and name not in self.annotations
            }
        else:
            self.values = [*(field.attname for field in self.meta.concrete_fields), *self.selected]

    def do_tables(self, names: tuple[str, ...]) -> None:
        """Apply the tables of extra()."""
        self.tables.extend(sa.table(name) for name in names)

    def do_merged(self, merged: Any) -> None:
        """Apply the conditions of two combined querysets."""
        saved = self.reuse
        try:
            self.where.append(self.merged(merged, set()))
        finally:
            self.reuse = saved

    def merged(self, merged: Any, before: set[Join]) -> Condition:
        """Return the condition of combined querysets. What one side joined serves the next, once for each filter()."""
        sides: list[Condition] = []
        for side in merged.sides:
            free = set(before)
            parts: list[Condition] = []
            for kind, part, *sticky in side:
                self.reuse = set(free | self.stuck)
                parts.append(self.condition(part) if kind == "filter" else self.merged(part, free))
                self.stuck = frozenset(self.reuse) if sticky else NONE
                before |= parts[-1].joins
                free -= parts[-1].joins
            sides.append(combine("AND", parts))
        return combine(merged.connector, sides)

    def do_nothing(self) -> None:
        """Apply none()."""
        self.where.append(NOTHING)

    def do_linked(self, linked: Any) -> None:
        """Keep only rows linked to given keys over a relation; note the key's column, or columns."""
        self.back = linked.back
        first, *others = linked.hops
        join, column = self.root, first.pairs[0][1]
        # Joins that the queryset has already are these: its own conditions are about the linked rows.
        for hop in reversed(others):
            join = self.tree.add(join, backwards(hop), None)
        for hop in paths.ancestry(join.meta, column.table):
            join = self.tree.add(join, hop, None)
        restriction = first.restriction
        if restriction is None:
            field = column_field(first.from_meta, first.pairs[0][0])
        else:  # the column's values may be of another type than the key: theirs are what is given and found
            field = column_field(first.to_meta, column)
            self.where.append(Condition(join.column(restriction.column) == restriction.value))
        if len(first.pairs) == 1:
            self.link = self.column_of(join, column, paths.plain_field(field))
            found = self.query.default_lookup("in")
        else:
            fields = [column_field(first.from_meta, near) for near, _far in first.pairs]
            whole = TupleField.of(first.join_field.name, first.from_meta.model, fields)
            self.link = self.columns_of(join, [far for _near, far in first.pairs], whole)
            found = self.link.get_lookup("in")
        condition = found.build(self, self.link, linked.values, linked, False, None, "in")
        condition.rejects = self.link.strict
        self.where.append(condition)

    def do_from_common(self, source: Any) -> None:
        """Begin with the rows of a CTE in place of the model's table."""
        from ormolu.compile.common_tables import common_table

        made = common_table(self, source.cte)
        self.root.table = made.table if self.outer is None else made.table.alias()
        self.common[id(source.cte)] = self.root, made

    def do_join_common(self, joined: Any) -> None:
        """Join a CTE. What its condition reads of other tables is joined before."""
        from ormolu.compile.common_tables import common_table

        key = id(joined.cte)
        try:
            made = common_table(self, joined.cte)
        except EmptyResultSet:
            if not joined.outer:
                raise
            self.common[key] = None
            return
        used = self.outer is not None or key in self.common
        join = Join(
            self.meta, made.table.alias() if used and not joined.cte.lateral else made.table, self.root, None
        )
        join.nullable = bool(joined.outer)
        self.common[key] = join, made
        condition = self.joined_condition(joined.condition)
        join.condition = condition.sa
        self.tree.joins.append(join)
        self.kept |= {join, *condition.joins}

    def do_unselect(self) -> None:
        """Forget values() (a queryset becomes one of instances again)."""
        self.values = None


def has_transform(term: Term, name: str) -> bool:
    """Tell whether the type of a term has a transform of that name."""
    return term.field is not None and term.field.get_transform(name) is not None


def is_table(source: Any) -> bool:
    """Tell whether rows come from a table, and not from a query in its place, whose columns may be NULL."""
    return isinstance(getattr(source, "element", source), sa.Table)


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


def term_joins(builder: Builder, expression: Any) -> frozenset[Join]:
    """Return the joins that the arguments of an aggregate read."""
    found: set[Join] = set()
    for source in expression.source_expressions:
        for join in builder.term(source).joins:
            first = first_multiple(join)
            if first is not None:
                found.add(first)
    return frozenset(found)


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
