"""Put a replayed query together as a SQLAlchemy Select."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import sqlalchemy as sa
from sqlalchemy.sql import visitors

from ormolu.compile.builder import Builder
from ormolu.compile.conditions import EVERYTHING, NOTHING, Condition, combine, flatten
from ormolu.compile.joins import Join, multiple
from ormolu.compile.ordering import Order, orders
from ormolu.compile.qualify import distinct_rows, qualified
from ormolu.compile.sharing import Shared, replaced
from ormolu.compile.terms import Term
from ormolu.compile.tuples import columns_of, flat
from ormolu.exceptions import EmptyResultSet

LONGEST_NAME = 60  # of an output column: PostgreSQL cuts longer ones off, MySQL refuses them


class Parts:
    """The clauses of a SELECT, ready to be rendered or wrapped."""

    def __init__(self, builder: Builder, terms: Sequence[Term], *, ordered: bool = True) -> None:
        self.builder = builder
        self.terms = flat(terms)
        self.hidden = 0
        self.share = Shared((), (), ())
        self.orders: list[Order] = []
        conditions = flatten(builder.where)
        limit = builder.query.limit
        if any(condition is NOTHING for condition in conditions) or (limit is not None and limit[1] <= 0):
            if builder.elides:
                raise EmptyResultSet
            conditions = [Condition(sa.false())]
        self.where = [c for c in conditions if not c.aggregate and not c.window and c is not EVERYTHING]
        self.having = [c for c in conditions if c.aggregate and not c.window]
        self.qualify = [c for c in conditions if c.window]
        if ordered:
            found, default = orders(builder)
            if not (default and self.grouped):
                self.orders = found
        if builder.query.distinct and not builder.query.distinct_fields:
            self.select_orders()

    @property
    def grouped(self) -> bool:
        """Tell whether there is a GROUP BY."""
        builder = self.builder
        return builder.group is not None or (builder.group_model and self.needs_group)

    @property
    def needs_group(self) -> bool:
        """Grouping by the model's rows matters only where an aggregate is read or a join repeats rows."""
        return (
            any(term.aggregate for term in self.terms)
            or bool(self.having)
            or any(condition.aggregate for condition in self.qualify)
            or any(entry.term.aggregate for entry in self.orders)
            or any(multiple(join) for join in self.joins())
        )

    def select_orders(self) -> None:
        """Add what DISTINCT needs in the select list to be ordered by."""
        chosen = [term.sa for term in self.terms]
        for entry in self.orders:
            if not any(entry.term.sa is element or entry.term.sa.compare(element) for element in chosen):
                self.terms.append(entry.term)
                chosen.append(entry.term.sa)
                self.hidden += 1

    def group_by(self) -> list[Any]:
        """Return the columns of GROUP BY."""
        builder = self.builder
        columns: list[Any] = []
        if builder.group is not None:
            columns.extend(builder.group)
        else:
            columns.extend(map(builder.root.column, columns_of(builder.meta.pk)))
        for condition in self.having:
            columns.extend(self.having_columns(condition.group))
        for condition in self.qualify:
            columns.extend(c for c in condition.group if builder.group is not None or not self.is_root(c))
        for term in [*self.terms, *(entry.term for entry in self.orders)]:
            if term.constant:
                continue
            if builder.group is not None:
                columns.extend(term.group_columns())
            else:
                found = term.group_columns() if term.depends is None else term.depends
                columns.extend(column for column in found if not self.is_root(column))
        return unique(columns)

    def having_columns(self, elements: Sequence[Any]) -> list[Any]:
        """Return what a condition on groups reads, as GROUP BY names it.

        HAVING can't name what GROUP BY says with other parameters. Where the columns of an expression are the same
        in all rows of a group, naming them instead changes no group.
        """
        found: list[Any] = []
        repeated = {join.table for join in self.joins() if multiple(join)}
        for element in elements:
            columns = None if self.builder.group is not None else columns_in(element)
            if columns is None or any(column.table in repeated for column in columns):
                found.append(element)
            else:
                found.extend(columns)
        return found

    def grouping(self, columns: list[Any]) -> list[Any]:
        """Return GROUP BY. What is selected, too, is named by its label, which `columns` gets for that.

        Written out twice, it would have other parameters in each place, and the database couldn't tell that it is one.
        """
        taken = self.column_names()
        group: list[Any] = []
        for element in self.group_by():
            place = place_of(element, columns)
            if place is None:
                group.append(element)
                continue
            if not isinstance(columns[place], sa.Label):
                columns[place] = element.label(f"ormolu_{place}")
            # Where a table has a column of that name, it would be taken for that.
            free = columns[place].name.lower() not in taken
            number = cast(Any, sa.literal_column(str(place + 1)))
            group.append(self.named(columns[place], element) if free else number)
        return group

    def column_names(self) -> set[str]:
        """Return the names of all columns of the tables: an output column of that name would be taken for it."""
        return {column.name.lower() for join in (self.builder.root, *self.joins()) for column in join.table.c}

    def is_root(self, column: Any) -> bool:
        """Tell whether the primary key determines a column."""
        return getattr(column, "table", None) is self.builder.root.table

    def joins(self) -> frozenset[Join]:
        """Return the joins that something reads."""
        found: set[Join] = set(self.builder.kept)
        parts: list[Any] = [*self.terms, *self.where, *self.having, *self.qualify]
        parts += [entry.term for entry in self.orders]
        if any(
            part.aggregate for part in parts
        ):  # all aggregates are over the same rows, those not selected, too
            parts += [term for term in self.builder.annotations.values() if term.aggregate]
        for part in parts:
            found |= part.joins
        for term in self.extra_terms():
            found |= term.joins
        return frozenset(found)

    def extra_terms(self) -> list[Term]:
        """Return terms that DISTINCT ON and explicit grouping read."""
        builder = self.builder
        terms = self.distinct_on()
        if builder.group is not None:
            terms.extend(term for term in builder.annotations.values() if not term.aggregate)
            terms.extend(builder.group_terms)
        return terms

    def distinct_on(self) -> list[Term]:
        """Return the terms of DISTINCT ON."""
        return flat(self.builder.ref(name) for name in self.builder.query.distinct_fields)

    def named(self, label: Any, element: Any) -> Any:
        """Return the name of a label that an element has in the select list; the element where it has none."""
        if label is None:
            return element
        quote = self.builder.driver.dialect.identifier_preparer.quote
        return cast(Any, sa.literal_column(quote(label.name)))

    def source(self) -> Any:
        """Return the FROM clause."""
        return self.builder.tree.from_clause(self.joins(), self.rejected())

    def rejected(self) -> frozenset[Any]:
        """Return the joins without whose row no condition can hold, and keys that aren't NULL."""
        return frozenset[Any]().union(*(condition.rejects for condition in self.where))

    def more_tables(self) -> list[Any]:
        """Return the tables of extra() that are not joined anyway."""
        if not self.builder.tables:
            return []
        joined = {join.table.name for join in (self.builder.root, *self.joins())}
        return [table for table in self.builder.tables if table.name not in joined]

    def select(self, *, limits: bool = True, distinct: bool = True) -> Any:
        """Return the Select."""
        query = self.builder.query
        if self.qualify:
            return qualified(self, limits=limits, distinct=distinct)
        labels = self.labels()
        select = self.filtered([labels.get(id(term.sa), term.sa) for term in self.terms])
        if distinct and query.distinct:
            on = [self.share(self.named(labels.get(id(term.sa)), term.sa)) for term in self.distinct_on()]
            select = distinct_rows(self.builder, select, on)
        if self.orders:
            orders = [entry.element(labels.get(id(entry.term.sa))) for entry in self.orders]
            select = select.order_by(*map(self.share, orders))
        return self.limited(select) if limits else select

    def filtered(self, columns: list[Any]) -> Any:
        """Return the Select up to its HAVING clause."""
        having = combine("AND", self.having).sa if self.having else None
        group = self.grouping(columns) if self.grouped else []
        source = self.source()
        if self.builder.vendor == "postgresql" and (group or self.builder.query.distinct_fields):
            loose = [] if having is None else [having]
            loose += [e.term.sa for e in self.orders if place_of(e.term.sa, columns) is None]
            shared = [*(self.group_by() if group else ()), *(term.sa for term in self.distinct_on())]
            self.share = Shared(shared, columns, loose)
            if self.share.table is not None:
                columns, group = [self.share(c) for c in columns], [self.share(element) for element in group]
                having = None if having is None else self.share(having)
                source = source.join(self.share.table, sa.true())
        elif having is not None and self.builder.vendor == "mysql":
            having = replaced(having, self.output_names(columns))
        select = sa.select(*columns).select_from(source, *self.more_tables())
        if self.where:
            select = select.where(combine("AND", self.where).sa)
        if group:
            select = select.group_by(*group)
        return select if having is None else select.having(having)

    def output_names(self, columns: list[Any]) -> dict[int, Any]:
        """Return the names that grouped expressions have in the select list: under HAVING MySQL wants these."""
        places = ((element, place_of(element, columns)) for element in self.group_by())
        return {id(element): self.named(columns[n], element) for element, n in places if n is not None}

    def sliced_by(self, key: Term) -> Any:
        """Return the Select with LIMIT and OFFSET applied to the rows of each value of `key`."""
        query, params = self.builder.query, self.builder.params
        number = sa.func.row_number().over(
            partition_by=[part.sa for part in flat([key])],
            order_by=[e.element() for e in self.orders] or None,
        )
        columns = [term.sa.label(f"c{n}") for n, term in enumerate(self.terms)]
        rows = self.filtered([*columns, number.label("n")]).subquery("q")
        select = sa.select(*(rows.c[f"c{n}"] for n in range(len(columns)))).order_by(rows.c.n)
        low: Any = sa.literal(0)
        if query.offset is not None:
            low = params.bind(query.offset, query.offset[1], sa.Integer())
            select = select.where(rows.c.n > low)
        if query.limit is not None:
            select = select.where(rows.c.n <= low + params.bind(query.limit, query.limit[1], sa.Integer()))
        return select

    def labels(self) -> dict[int, Any]:
        """Return labels for annotations, and for selected expressions that ORDER BY reads, too, by their identity.

        It names them, then: SQLite can't read the enclosing query's columns there, and on PostgreSQL the same text
        with other parameters would be another expression.
        """
        ordered = {id(entry.term.sa) for entry in self.orders}
        named = ((name, part) for name, term in self.builder.annotations.items() for part in flat([term]))
        names = {id(part.sa): name for name, part in named if usable(name)}
        taken = self.column_names() if names else set[str]()
        labels: dict[int, Any] = {}
        for number, term in enumerate(self.terms):
            selected: Any = term.sa
            labelled = isinstance(selected, sa.Label)
            element = cast(Any, selected).element if labelled else selected
            name = names.get(id(element))
            if id(element) in labels or isinstance(element, sa.ColumnClause):
                continue  # the same column may be an annotation and a field
            if labelled:
                labels[id(element)] = selected
            elif name is not None and name.lower() not in taken:
                labels[id(element)] = selected.label(name)
            elif id(element) in ordered:
                labels[id(element)] = selected.label(f"ormolu_{number}")
        return labels

    def limited(self, select: Any) -> Any:
        """Apply LIMIT and OFFSET."""
        query, params = self.builder.query, self.builder.params
        if query.limit is not None:
            select = select.limit(params.bind(query.limit, query.limit[1], sa.Integer()))
        if query.offset is not None:
            select = select.offset(params.bind(query.offset, query.offset[1], sa.Integer()))
        return select


def usable(name: str) -> bool:
    """Tell whether an annotation's name can be that of an output column, on every database."""
    return len(name) < LONGEST_NAME and "%" not in name


def as_copy(select: Any) -> Any:
    """Return a Select that reads its rows from a derived table, as MySQL wants some subqueries to."""
    return sa.select(*select.subquery("q").c)


def unique(columns: list[Any]) -> list[Any]:
    """Return the columns without repetitions."""
    found: list[Any] = []
    for column in columns:
        if not any(same(column, other) for other in found):
            found.append(column)
    return found


def columns_in(element: Any) -> list[Any] | None:
    """Return the columns that an expression is made of, None where there is a subquery in it."""
    parts: list[Any] = list(visitors.iterate(element))
    if any(isinstance(part, sa.SelectBase) for part in parts):
        return None
    return [part for part in parts if isinstance(part, sa.ColumnClause) and part.table is not None]


def same(element: Any, other: Any) -> bool:
    """Tell whether two elements are one. Equal expressions aren't: their parameters may have other values next time."""
    return element is other or (isinstance(element, sa.ColumnClause) and element.compare(other))


def place_of(element: Any, columns: list[Any]) -> int | None:
    """Return where an expression stands in a select list, with or without a label; None for a column, too."""
    if isinstance(element, sa.ColumnClause):
        return None
    for place, column in enumerate(columns):
        if column is element or (isinstance(column, sa.Label) and cast(Any, column).element is element):
            return place
    return None
