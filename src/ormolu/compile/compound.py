"""Several queries as one: UNION, INTERSECT, EXCEPT.

Each query becomes a SELECT, the combination of them a table, and what is asked of the combination (an order, a slice,
some of its columns) a SELECT from that table. So it means the same on each database, whatever that allows inside of a
compound statement.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import sqlalchemy as sa

from ormolu.compile.builder import Builder, replayed
from ormolu.compile.layout import Layout
from ormolu.compile.ordering import Order, each, order
from ormolu.compile.params import Params
from ormolu.compile.resolving import Resolver
from ormolu.compile.select import Parts
from ormolu.compile.terms import Term
from ormolu.compile.tuples import TupleTerm, flat
from ormolu.exceptions import DatabaseError, EmptyResultSet, ProgrammingError

OPERATIONS: dict[tuple[str, bool], Callable[..., Any]] = {
    ("union", False): sa.union,
    ("union", True): sa.union_all,
    ("intersection", False): sa.intersect,
    ("difference", False): sa.except_,
}
NOT_SELECTED = "ORDER BY term does not match any column in the result set."
HIDDEN = "_order"
"""Beginning of the names of columns that only the order needs."""


class Part:
    """One of the queries: its SELECT, the terms in that, their names; its layout if it selects objects."""

    def __init__(self, select: Any, terms: list[Term], names: list[str], layout: Layout | None) -> None:
        self.select = select
        self.terms = terms
        self.names = names
        self.layout = layout


class Result(Builder):
    """Resolves names among the columns of a combination, where there is nothing else."""

    def ref(self, name: str) -> Term:
        """Return the term of a column, with transforms."""
        first, *rest = name.split("__")
        for length in range(len(rest) + 1, 0, -1):
            alias = "__".join([first, *rest][:length])
            if alias in self.annotations:
                return self.transforms(self.annotations[alias], [first, *rest][length:], name)
        raise DatabaseError(f"{NOT_SELECTED} {name!r} is not among {', '.join(map(repr, self.annotations))}.")


class Compound:
    """A combination as a table `q` to select from.

    `given` are expressions by name that each query of objects selects besides: for the order of a combination that
    this one is part of.
    """

    def __init__(
        self,
        driver: Any,
        query: Any,
        params: Params,
        outer: Resolver | None = None,
        given: Mapping[str, Any] | None = None,
    ) -> None:
        self.driver, self.query, self.params, self.outer = driver, query, params, outer
        self.outer_joins: set[Any] = set()
        self.outer_terms: list[Term] = []
        self.given = dict(given or {})
        if query.is_nothing or (query.limit is not None and query.limit[1] <= 0):
            raise EmptyResultSet
        self.hidden = self._hidden_orders()
        parts = self._parts()
        self.first = parts[0]
        counts = [len(flat(part.terms)) for part in parts]
        if len(set(counts)) > 1:
            raise ProgrammingError(
                f"The queries of {query.combined.kind}() must have the same number of columns, not "
                f"{', '.join(map(str, counts))}. Choose them with values() or values_list()."
            )
        self.sources = list(zip(*(flat(part.terms) for part in parts), strict=True))  # of each column
        self.table = self._combine(parts).subquery("q")
        self.result = Result(query, params, driver, outer)
        self.result.annotations = self._columns()

    def _hidden_orders(self) -> dict[int, str]:
        """Return names for the items of order_by(), by their places, that the queries must select for it.

        Objects stay what they are with one column more; the columns of values() are given.
        """
        first, *others = leaves(self.query)
        if any(query.values_fields is not None for query in (first, *others)):
            return {}
        known: set[str] = set(self.query.values_fields or ())
        if self.query.values_fields is None:
            known = {"pk", *first.annotation_names}
            for field in first.model._meta.concrete_fields:
                known |= {field.name, field.attname}
        return {
            place: f"{HIDDEN}{len(self.given) + place}"
            for place, item in enumerate(self.query.order_by)
            if item != "?" and not (isinstance(item, str) and item.lstrip("-+") in known)
        }

    def _parts(self) -> list[Part]:
        """Return the queries that can find anything, the first of them first."""
        kind = self.query.combined.kind
        found: list[Part] = []
        for place, query in enumerate(self.query.combined.queries):
            try:
                found.append(self._part(query))
            except EmptyResultSet:
                if kind == "intersection" or (kind == "difference" and place == 0):
                    raise
        if not found:
            raise EmptyResultSet
        return found

    def _combine(self, parts: list[Part]) -> Any:
        """Return the compound statement."""
        combined = self.query.combined
        if len(parts) == 1:
            select = parts[0].select
            alone = (
                combined.all or len(combined.queries) == 1
            )  # union() of nothing else is the queryset itself
            return select if alone else sa.select(select.subquery("q")).distinct()
        return OPERATIONS[combined.kind, combined.all](*(part.select for part in parts))

    def _part(self, query: Any) -> Part:
        """Make the SELECT of one query; one that is sliced, or a combination itself, is a table within."""
        extra = dict(self.given)
        for place, name in self.hidden.items():
            extra[name] = ordered_by(query, self.query.order_by[place])
        wanted = self.query.values_fields
        if wanted is not None and query.values_fields is None:
            query = query.copy()
            query.values_fields, query.row_kind = wanted, "tuple"
            if query.combined is None:
                query.ops = (*query.ops, ("values", wanted))
                query.select_related, query.deferred = False, (frozenset(), True)
        if query.combined is not None:
            inner = Compound(self.driver, query, self.params, self.outer, extra)
            self.outer_joins |= inner.outer_joins
            self.outer_terms += inner.outer_terms
            select, terms, names = inner.select()
            return Part(sa.select(*select.subquery("q").c), terms, names, inner.first.layout)
        if extra:
            query = query.copy()
            query.ops = (*query.ops, *(("annotate", name, value, True) for name, value in extra.items()))
        return self._simple_part(query)

    def _simple_part(self, query: Any) -> Part:
        """Make the SELECT of a query that is not a combination."""
        builder = replayed(query, self.params, self.driver, self.outer)
        layout: Layout | None = None
        if query.values_fields is not None:
            names = list(builder.values or ())
            terms = [builder.ref(name) for name in names]
        else:
            layout = Layout(builder)
            terms, names = list(layout.terms), column_names(layout)
            layout.annotations = [pair for pair in layout.annotations if not pair[0].startswith(HIDDEN)]
        within = query.is_sliced or bool(query.distinct_fields)
        single = flat(terms)
        parts = Parts(builder, named(single), ordered=within)
        select = parts.select()
        if self.outer is not None:
            select = select.correlate_except(builder.root.table, *(join.table for join in builder.tree.joins))
            self.outer_joins |= builder.outer_joins
            self.outer_terms += builder.outer_terms
        if within or parts.hidden:
            select = sa.select(*list(select.subquery("q").c)[: len(single)])
        return Part(select, terms, names, layout)

    def _columns(self) -> dict[str, Term]:
        """Return the columns of the table by all the names that they go by."""
        named: dict[str, Term] = {}
        for name, term in zip(self.first.names, self._terms(), strict=True):
            named.setdefault(name, term)
        for field in self.query.model._meta.concrete_fields:
            for one, other in ((field.attname, field.name), (field.name, field.attname)):
                if one in named:
                    named.setdefault(other, named[one])
        keys = self.query.model._meta.pk_fields
        if all(field.attname in named for field in keys):
            parts = [named[field.attname] for field in keys]
            pk = parts[0] if len(parts) == 1 else TupleTerm(parts, self.query.model._meta.pk)
            named.setdefault("pk", pk)
        return named

    def _terms(self) -> list[Term]:
        """Return the columns of the table as terms."""
        columns = zip(self.table.c, self.sources, strict=False)

        def as_column(term: Term) -> Term:
            column, sources = next(columns)
            alike = all(source.convert == term.convert for source in sources)
            return Term(
                column,
                term.field,
                why=term.why,
                convert=term.convert if alike else None,
                nullable=True,  # in some query
                computed=any(source.is_computed for source in sources),
            )

        return [
            term.mapped(as_column) if isinstance(term, TupleTerm) else as_column(term)
            for term in self.first.terms
        ]

    def orders(self) -> list[Order]:
        """Return the entries of ORDER BY. Raises DatabaseError for what is not among the columns of values()."""
        found: list[Order] = []
        for place, item in enumerate(self.query.order_by):
            if place in self.hidden:
                down = (
                    item.startswith("-")
                    if isinstance(item, str)
                    else bool(getattr(item, "descending", False))
                )
                term = self.result.annotations[self.hidden[place]]
                found.extend(each(term, down, getattr(item, "nulls", None)))
            elif isinstance(item, str) and item != "?":
                found.extend(each(self.result.ref(item.lstrip("-+")), item.startswith("-")))
            else:
                found.extend(order(self.result, item))
        return [entry.flipped() for entry in found] if self.query.reversed else found

    def select(self) -> tuple[Any, list[Term], list[str]]:
        """Return the SELECT, its terms and their names: of all columns, or of those that values() names."""
        query, names, terms = self.query, self.first.names, self._terms()
        wanted = query.values_fields
        if wanted is not None and set(wanted) <= self.result.annotations.keys():
            names = list(wanted)
            terms = [self.result.annotations[name] for name in names]
        elif self.hidden:
            kept = [n for n, name in enumerate(names) if name not in self.hidden.values()]
            names, terms = [names[n] for n in kept], [terms[n] for n in kept]
        select = sa.select(*(term.sa for term in flat(terms)))
        if entries := self.orders():
            select = select.order_by(*(entry.element() for entry in entries))
        if query.limit is not None:
            select = select.limit(self.params.bind(query.limit, query.limit[1], sa.Integer()))
        if query.offset is not None:
            select = select.offset(self.params.bind(query.offset, query.offset[1], sa.Integer()))
        return select, terms, names


def named(terms: list[Term]) -> list[Term]:
    """Return terms that each have a name as a column: a subquery has a column once that is selected twice."""
    found: list[Term] = []
    seen: set[tuple[int, str]] = set()
    for place, term in enumerate(terms):
        table = getattr(term.sa, "table", None)
        key = id(table), "" if table is None else term.sa.key
        if table is None or key in seen:
            label = term.sa.label(f"{HIDDEN}_column{place}")
            found.append(term.replace(sa=label, group=term.group_columns()))
        else:
            found.append(term)
        seen.add(key)
    return found


def leaves(query: Any) -> list[Any]:
    """Return the queries that are not combinations themselves."""
    if query.combined is None:
        return [query]
    return [leaf for one in query.combined.queries for leaf in leaves(one)]


def ordered_by(query: Any, item: Any) -> Any:
    """Return the expression of an item of order_by()."""
    if isinstance(item, str):
        return query.reference(item.lstrip("-+"))
    return getattr(item, "expression", item)


def column_names(layout: Layout) -> list[str]:
    """Return names for the columns of objects; those of related objects have none that could be asked for."""
    names = [""] * len(layout.terms)
    for field, place in layout.root.columns:
        names[place] = field.attname
    for name, place in layout.annotations:
        names[place] = name
    return [name or f"{HIDDEN}_related{place}" for place, name in enumerate(names)]


__all__ = ["Compound", "leaves"]
