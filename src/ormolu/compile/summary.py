"""aggregate(): a summary over all rows of a query."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa
from sqlalchemy.sql import visitors

from ormolu.compile import hydrate
from ormolu.compile.builder import Builder
from ormolu.compile.compound import Compound
from ormolu.compile.conditions import Condition
from ormolu.compile.params import Params
from ormolu.compile.plan import Plan, finish
from ormolu.compile.select import Parts
from ormolu.compile.statements import build, dividing
from ormolu.compile.terms import Term, merge
from ormolu.compile.tuples import TupleTerm, flat


class Summary(Builder):
    """Resolves names against the rows of an inner query, which becomes a subquery."""

    def __init__(self, inner: Builder) -> None:
        super().__init__(inner.query, inner.params, inner.driver, None)
        self.inner = inner
        self.columns: list[Term] = []
        self.names: list[str] = []  # of the columns: an annotation keeps its own
        self.summary = {}

    def place(self, term: Term) -> Term:
        """Have the inner query select a term; return it as seen from outside."""
        if isinstance(term, TupleTerm):
            return term.mapped(self.place)
        number = next((n for n, known in enumerate(self.columns) if known.sa is term.sa), -1)
        if number < 0:
            number = len(self.columns)
            known = ((name, part) for name, whole in self.inner.annotations.items() for part in flat([whole]))
            own = (name for name, part in known if part.sa is term.sa)
            self.columns.append(term)
            self.names.append(next(own, self.column_name(number)))
        quote = self.driver.dialect.identifier_preparer.quote
        element: Any = sa.literal_column(
            f"q.{quote(self.names[number])}", term.sa.type if term.field is None else term.field.sa_type
        )
        return Term(element, term.field, why=term.why, nullable=True)

    def column_name(self, number: int) -> str:
        """Return a name for a column that no annotation has."""
        name = f"c{number}"
        return f"column {number}" if name in self.inner.annotations else name

    def ref(self, name: str) -> Term:
        """Return an earlier result of this aggregate(), or a column of the inner query."""
        if name in self.annotations:
            return self.annotations[name]
        return self.place(self.inner.ref(name))

    def boolean(self, value: Any, negated: bool = False) -> Condition:
        """Evaluate a condition in the inner query."""
        condition = self.inner.boolean(value, negated)
        term = Term(sa.case((condition.sa, 1), else_=0), joins=condition.joins, aggregate=condition.aggregate)
        return Condition(self.place(term).sa == 1)


class Aggregates:
    """The arguments of aggregate()."""

    def __init__(self, expressions: Mapping[str, Any]) -> None:
        self.expressions = dict(expressions)

    def shape(self, shape: Any) -> Any:
        """Return the key."""
        return tuple((name, shape.item(value)) for name, value in self.expressions.items())

    def of_nothing(self) -> dict[str, Any] | None:
        """Return the results where no row is read; None where the database must be asked for one of them."""
        found = {name: value_of_nothing(expression) for name, expression in self.expressions.items()}
        return None if any(value is NotImplemented for value in found.values()) else found


def value_of_nothing(expression: Any) -> Any:
    """Return the value of an aggregate over no rows; NotImplemented where the database must be asked."""
    default = getattr(expression, "default", None)
    if default is not None:
        return getattr(
            default, "empty_result_set_value", NotImplemented if is_expression(default) else default
        )
    return getattr(expression, "empty_result_set_value", NotImplemented)


def is_expression(value: Any) -> bool:
    """Tell whether a value is computed by the database."""
    return (
        hasattr(value, "as_term")
        or hasattr(value, "__clause_element__")
        or isinstance(value, sa.ClauseElement)
    )


def reads_subquery(builder: Builder, aggregates: Aggregates) -> bool:
    """Tell whether something is to be summed up that a subquery finds: not every database takes one in an aggregate."""
    subqueries = {
        name
        for name, whole in builder.annotations.items()
        for term in flat([whole])
        if any(isinstance(part, (sa.ScalarSelect, sa.Exists)) for part in visitors.iterate(term.sa))
    }
    parts = (part for e in aggregates.expressions.values() if hasattr(e, "flatten") for part in e.flatten())
    names = (getattr(part, "name", None) for part in parts) if subqueries else ()
    return any(isinstance(name, str) and name.partition("__")[0] in subqueries for name in names)


def needs_subquery(builder: Builder, aggregates: Aggregates) -> bool:
    """Tell whether the rows must be made first and summed up after."""
    query = builder.query
    return reads_subquery(builder, aggregates) or bool(
        query.distinct
        or query.limit is not None
        or query.offset is not None
        or builder.group is not None
        or builder.group_model
        or any(term.aggregate or term.window for term in builder.annotations.values())
        or any(condition.window for condition in builder.where)
    )


def aggregate(driver: Any, query: Any, params: Params, aggregates: Aggregates) -> Plan:
    """Make the plan of aggregate(); its result is a dict."""
    if query.combined is not None:
        return aggregate_combined(driver, query, params, aggregates)
    builder = build(driver, query, params)
    builder.elides = aggregates.of_nothing() is not None
    names = list(aggregates.expressions)
    if not needs_subquery(builder, aggregates):
        builder.summary = {}
        terms = [summarize(builder, name, value) for name, value in aggregates.expressions.items()]
        parts = Parts(builder, terms, ordered=False)
        parts.builder.group_model = False
        select = parts.select(limits=False, distinct=False)
    else:
        outer = Summary(builder)
        terms = [summarize(outer, name, value) for name, value in aggregates.expressions.items()]
        select = sa.select(*(term.sa for term in terms)).select_from(inner_rows(builder, outer))
    decode = hydrate.dicts(names, [merge(t.sa, t.field, [t], why=t.why) for t in terms], driver)
    return finish(driver, select, params, lambda rows: decode(rows)[0])


def aggregate_combined(driver: Any, query: Any, params: Params, aggregates: Aggregates) -> Plan:
    """Make the plan of aggregate() over a set operation: over its columns."""
    compound = Compound(driver, query, params)
    rows = compound.select()[0].subquery("q")
    result = compound.result
    seen = {id(column): rows.c[place] for place, column in enumerate(compound.table.c) if place < len(rows.c)}
    for name, term in list(result.annotations.items()):
        result.annotations[name] = term.replace(sa=seen.get(id(term.sa), term.sa))
    result.summary = {}
    terms = [summarize(result, name, value) for name, value in aggregates.expressions.items()]
    decode = hydrate.dicts(list(aggregates.expressions), terms, driver)
    select = sa.select(*(term.sa for term in terms)).select_from(rows)
    return finish(driver, select, params, lambda found: decode(found)[0])


def summarize(builder: Builder, name: str, expression: Any) -> Term:
    """Resolve one argument of aggregate()."""
    term = builder.term(expression)
    if not term.aggregate:
        raise TypeError(f"{expression} is not an aggregate expression")
    builder.annotations[name] = term
    if builder.summary is not None:
        builder.summary[name] = term
    return term


def inner_rows(builder: Builder, outer: Summary) -> Any:
    """Return the inner query as a subquery named q."""
    query = builder.query
    terms, names = list(outer.columns), list(outer.names)
    sliced = query.limit is not None or query.offset is not None
    if query.distinct or not terms:
        # What is distinct are the rows as the caller would see them.
        terms += row_terms(builder)
    else:
        terms += [term for term in dividing(builder) if not any(term.sa is known.sa for known in terms)]
    parts = Parts(builder, terms, ordered=sliced or bool(query.distinct_fields))
    names += [outer.column_name(number) for number in range(len(names), len(parts.terms))]
    parts.terms = [labelled(term, name) for term, name in zip(parts.terms, names, strict=True)]
    return parts.select().subquery("q")


def labelled(term: Term, name: str) -> Term:
    """Return a term under a column name of its own."""
    return term.replace(sa=term.sa.label(name), group=term.group_columns())


def row_terms(builder: Builder) -> list[Term]:
    """Return what the query itself selects."""
    if builder.values is not None:
        return flat(builder.ref(name) for name in builder.values)
    return [
        *(builder.ref(field.attname) for field in builder.meta.concrete_fields),
        *flat(builder.annotations[name] for name in builder.selected),
    ]
