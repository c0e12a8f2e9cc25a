"""Replay a query into tables, conditions and terms."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from ormolu.compile import names as paths
from ormolu.compile.conditions import NONE, NOTHING, Condition, combine
from ormolu.compile.filtering import Filtering
from ormolu.compile.joins import Join, backwards, column_field, first_multiple
from ormolu.compile.params import Params
from ormolu.compile.resolving import Resolver
from ormolu.compile.terms import Term
from ormolu.exceptions import EmptyResultSet, FieldError
from ormolu.fields.composite import TupleField


class Builder(Filtering):
    """One SELECT in the making."""

    def replay(self) -> Builder:
        """Apply the operations of the query in their order."""
        for operation in self.query.ops:
            getattr(self, "do_" + operation[0])(*operation[1:])
            self.done.append(operation)
        return self

    @property
    def multiplies(self) -> bool:
        """Whether aggregates over several multi-valued relations repeat one another's rows, unless they are split."""
        return len(self.roots) > 1 and self.group_model

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
            own = {name for field in self.meta.concrete_fields for name in (field.name, field.attname)}
            self.shown = {
                name: self.ref(name) for name in fields if name not in own and name not in self.annotations
            }
            for term in self.shown.values():
                self.keep(term.joins)
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

    def subquery(
        self, query: Any, relation: Any = None, reads: list[Term] | None = None, ordered: bool = False
    ) -> tuple[Any, list[Term], frozenset[Join]]:
        """Return a query as a subquery: its Select, its terms, the joins of ours that it reads.

        `relation`: what is selected is compared with this relation, so a query of
        objects selects the key that the relation refers to. `reads` gets the terms of ours that it reads;
        `ordered`: the order of its rows counts.
        """
        from ormolu.compile.statements import combined_subselect, subselect

        if query.combined is not None:
            inner = Builder(query, self.params, self.driver, self)
            select, terms = combined_subselect(inner, relation)
        else:
            inner = replayed(query, self.params, self.driver, self)
            select, terms = subselect(inner, relation, ordered)
        if reads is not None:
            reads += inner.outer_terms
        return select, terms, frozenset(inner.outer_joins)

    def operation(self, connector: str, lhs: Term, rhs: Term, field: Any) -> Any:
        """Return the element of an operator between two terms."""
        from ormolu.compile.operators import operation

        return operation(self, connector, lhs, rhs, field)

    def may_lack_result(self, connector: str, field: Any) -> bool:
        """Tell whether an operator between two values may give NULL."""
        from ormolu.compile.operators import may_lack_result

        return may_lack_result(self.vendor, connector, field)

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


def replayed(query: Any, params: Params, driver: Any, outer: Resolver | None) -> Builder:
    """Replay a query that is part of another. Aggregates over several multi-valued relations get a subquery each."""
    builder = Builder(query, params, driver, outer).replay()
    if builder.multiplies:
        builder = Builder(query, params, driver, outer)
        builder.split_aggregates = True
        builder.replay()
    return builder


def term_joins(builder: Builder, expression: Any) -> frozenset[Join]:
    """Return the joins that the arguments of an aggregate read."""
    found: set[Join] = set()
    for source in expression.source_expressions:
        for join in builder.term(source).joins:
            first = first_multiple(join)
            if first is not None:
                found.add(first)
    return frozenset(found)
