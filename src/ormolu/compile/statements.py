"""The statements that a query becomes, one function per terminal operation."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any, cast

import sqlalchemy as sa

from ormolu.compile import hydrate
from ormolu.compile.builder import Builder
from ormolu.compile.compound import Compound, leaves
from ormolu.compile.conditions import combine, flatten
from ormolu.compile.joins import first_multiple, multiple
from ormolu.compile.layout import Layout
from ormolu.compile.locking import locked
from ormolu.compile.names import linked_field, plain_field
from ormolu.compile.params import Params
from ormolu.compile.plan import Plan, empty_plan, finish, remember
from ormolu.compile.select import Parts
from ormolu.compile.shape import Shape, Uncacheable
from ormolu.compile.terms import Term
from ormolu.compile.tuples import TupleTerm, columns_of, flat, is_tuple
from ormolu.exceptions import EmptyResultSet, NotSupportedError
from ormolu.fields.composite import parts_of
from ormolu.fields.registry import LookupRegistry
from ormolu.fields.timezones import current_zone

Make = Callable[[Any, Any, Params], Plan]


def plan_for(driver: Any, query: Any, mode: str, make: Make, extra: Any = None) -> tuple[Plan, list[Any]]:
    """Return the plan of a query for a driver, and the query's values.

    `mode` names the terminal; `extra` is what else it depends on: an object with
    a `shape` method, or None. Plans of queries without a key are not kept.
    """
    shape = Shape()
    key: Any = None
    try:
        key = (mode, query.key(shape), None if extra is None else extra.shape(shape), LookupRegistry.edition)
        plan = driver.plans.get(key)
        if plan is not None and plan.zone is not None and plan.zone != current_zone():
            key = (key, current_zone())
            plan = driver.plans.get(key)
        if plan is not None:
            return plan, shape.values
    except (Uncacheable, TypeError):
        key = None
    params = Params(shape)
    try:
        plan = make(driver, query, params)
    except EmptyResultSet:
        plan = empty_plan()
        return plan, shape.values
    if key is not None and params.all_used():
        plan.owners, plan.zone = shape.owners, params.zone
        remember(driver.plans, key, plan)
    return plan, shape.values


def build(driver: Any, query: Any, params: Params) -> Builder:
    """Replay a query. Aggregates over several multi-valued relations get a subquery each."""
    builder = Builder(query, params, driver).replay()
    if builder.multiplies:
        again = Builder(query, Params(params.shape), driver)
        again.params = params
        params.bindings.clear()
        params.tables.clear()
        params.table_names.clear()
        again.split_aggregates = True
        return again.replay()
    return builder


def rows(driver: Any, query: Any, params: Params) -> Plan:
    """Make the plan of a query's own results: instances, dicts or tuples."""
    if query.combined is not None:
        return combined_rows(driver, query, params)
    builder = build(driver, query, params)
    if query.values_fields is None:
        layout = Layout(builder)
        parts = Parts(builder, layout.terms)
        decode = hydrate.instances(
            layout, driver, driver.database.alias, hidden=parts.hidden, mode=query.fetch_mode
        )
        return finish(driver, locked(parts, parts.select(), layout.root), params, decode)
    terms, names = values_terms(builder)
    parts = Parts(builder, terms)
    return finish(
        driver,
        locked(parts, parts.select()),
        params,
        values_decoder(driver, query, names, terms, parts.hidden),
    )


def columns(driver: Any, query: Any, params: Params) -> Plan:
    """Make the plan of a query's values as they come; `extra` has their names and terms."""
    if query.combined is not None:
        select, terms, names = Compound(driver, query, params).select()
        return finish(driver, select, params, None, single_columns(names, terms))
    builder = build(driver, query, params)
    terms, names = values_terms(builder)
    parts = Parts(builder, terms)
    return finish(driver, locked(parts, parts.select()), params, None, single_columns(names, terms))


def single_columns(names: list[str], terms: list[Term]) -> tuple[list[str], list[Term]]:
    """Return names and terms with those of a tuple's parts in its place: `pk_tenant_id`, `pk_id`."""
    found: list[str] = []
    for name, term in zip(names, terms, strict=True):
        parts = term.field.fields if isinstance(term, TupleTerm) else ()
        found.extend([f"{name}_{field.attname}" for field in parts] or [name])
    return found, flat(terms)


def selected(builder: Builder) -> tuple[list[Term], Any]:
    """Return the terms that a query selects, and what makes its results of them."""
    query, driver = builder.query, builder.driver
    if query.values_fields is None:
        layout = Layout(builder)
        return layout.terms, hydrate.instances(layout, driver, driver.database.alias, mode=query.fetch_mode)
    terms, names = values_terms(builder)
    return terms, values_decoder(driver, query, names, terms, 0)


def combined_rows(driver: Any, query: Any, params: Params) -> Plan:
    """Make the plan of the results of a set operation."""
    if driver.vendor != "sqlite" and any(one.select_for_update for one in leaves(query)):
        raise NotSupportedError(f"Rows of {query.combined.kind}() can't be locked.")
    compound = Compound(driver, query, params)
    select, terms, names = compound.select()
    layout = compound.first.layout
    if layout is not None:
        layout.terms = flat(terms)
        return finish(
            driver,
            select,
            params,
            hydrate.instances(layout, driver, driver.database.alias, mode=query.fetch_mode),
        )
    return finish(driver, select, params, values_decoder(driver, query, names, terms, 0))


def linked(driver: Any, query: Any, params: Params) -> Plan:
    """Make the plan of a prefetch: related objects by the keys of their holders."""
    if query.combined is not None:
        raise NotSupportedError(f"Prefetching rows of {query.combined.kind}() is not supported.")
    builder = build(driver, query, params)
    layout = Layout(builder)
    assert builder.link is not None
    place = len(layout.terms)
    layout.take(builder.link)
    parts = Parts(builder, layout.terms)
    decode = hydrate.linked(
        layout,
        driver,
        driver.database.alias,
        place,
        hidden=parts.hidden,
        mode=query.fetch_mode,
        shared=bool(builder.tree.joins or builder.tables or builder.common),  # else each row is there once
        back=builder.back,
    )
    if query.is_sliced:
        return finish(driver, parts.sliced_by(builder.link), params, decode)
    return finish(driver, locked(parts, parts.select(), layout.root), params, decode)


def select_of(driver: Any, query: Any) -> Any:
    """Return the Select of a query with the values in it, to use with SQLAlchemy."""
    params = Params(Shape())
    if query.combined is not None:
        return Compound(driver, query, params).select()[0]
    builder = build(driver, query, params)
    if query.values_fields is None:
        layout = Layout(builder)
        parts = Parts(builder, layout.terms)
        return locked(parts, parts.select(), layout.root)
    parts = Parts(builder, values_terms(builder)[0])
    return locked(parts, parts.select())


def values_decoder(driver: Any, query: Any, names: list[str], terms: list[Term], hidden: int) -> Any:
    """Return what makes the rows of values() and values_list()."""
    match query.row_kind:
        case "dict":
            return hydrate.dicts(names, terms, driver, hidden=hidden)
        case "flat":
            return hydrate.flat(terms, driver, hidden=hidden)
        case "named":
            return hydrate.named(names, terms, driver, hidden=hidden)
        case _:
            return hydrate.tuples(terms, driver, hidden=hidden, native=driver.dialect.driver != "asyncpg")


def values_terms(builder: Builder) -> tuple[list[Term], list[str]]:
    """Return the terms and names of values()."""
    names = list(builder.values or ())
    return [builder.shown.get(name) or builder.ref(name) for name in names], names


def subselect(builder: Builder, relation: Any = None, ordered: bool = False) -> tuple[Any, list[Term]]:
    """Return the Select of a replayed subquery, correlated with what encloses it.

    It has an order where that decides which rows it has, or in which order it locks them, or where it is asked for.
    """
    query = builder.query
    if query.values_fields is not None or builder.values is not None:
        terms, _names = values_terms(builder)
    else:
        terms = [key_term(builder, relation)]
    terms = flat(terms)
    chosen = query.limit is not None or query.offset is not None or bool(query.distinct_fields)
    parts = Parts(builder, terms, ordered=ordered or chosen or query.select_for_update is not None)
    froms = [builder.root.table, *(join.table for join in builder.tree.joins)]
    select = locked(parts, parts.select()).correlate_except(*froms)
    if parts.hidden:  # what DISTINCT needed for the order is no part of the result
        rows = select.subquery("q")
        select = sa.select(*list(rows.c)[: len(terms)])
    return select, parts.terms[: len(terms)]


def combined_subselect(builder: Builder, relation: Any) -> tuple[Any, list[Term]]:
    """Return the Select of a set operation as a subquery."""
    query = builder.query
    if query.values_fields is None:
        query = query.copy()
        names = tuple(field.attname for field in parts_of(key_field(builder, relation)))
        query.values_fields, query.row_kind = names, "tuple"
    compound = Compound(builder.driver, query, builder.params, builder.outer)
    select, terms, _names = compound.select()
    builder.outer_joins |= compound.outer_joins
    builder.outer_terms += compound.outer_terms
    return select, flat(terms)


def key_term(builder: Builder, relation: Any) -> Term:
    """Return the column, or the columns, of a query of objects that a relation refers to."""
    field = key_field(builder, relation)
    if is_tuple(field):
        return builder.columns_of(builder.root, columns_of(field), field)
    return builder.column_of(builder.root, field.sa_column, plain_field(field))


def key_field(builder: Builder, relation: Any) -> Any:
    """Return the field of a query of objects that a relation refers to."""
    field = builder.meta.pk
    linked = getattr(relation, "many_to_many", False) is True
    target = linked_field(relation) if linked else getattr(relation, "target_field", None)
    owner = getattr(target, "model", None)
    if owner is not None and owner._meta.concrete_model is builder.meta.concrete_model:
        field = cast(Any, target)
    return field


def aggregate_subquery(builder: Builder, expression: Any) -> Term:
    """Return an aggregate computed for each row in a subquery of its own.

    What filter() has said before of the related rows that it is over holds there, too: it is about the same join.
    """
    inner = Builder(builder.query.for_model(builder.query.model), builder.params, builder.driver, builder)
    inner.split_aggregates = False
    inner.filtered, inner.annotations = builder.filtered, dict(builder.annotations)
    for operation in builder.done:
        if operation[0] in ("filter", "merged"):
            getattr(inner, "do_" + operation[0])(*operation[1:])
    term: Term = expression.compute(inner)
    over = {first_multiple(join) for join in term.joins} - {None}
    where = [
        condition
        for condition in flatten(inner.where)
        if any(first_multiple(j) in over for j in condition.joins)
    ]
    joins = frozenset[Any]().union(term.joins, *(condition.joins for condition in where))
    rejected = frozenset[Any]().union(*(condition.rejects for condition in where))
    keys = columns_of(builder.meta.pk)
    select = sa.select(term.sa).select_from(inner.tree.from_clause(joins, rejected))
    select = select.where(*(inner.root.column(key) == builder.root.column(key) for key in keys))
    if where:
        select = select.where(combine("AND", where).sa)
    froms = [inner.root.table, *(join.table for join in inner.tree.joins)]
    element = select.correlate_except(*froms).scalar_subquery()
    return Term(element, term.field, why=term.why, joins=frozenset(inner.outer_joins), constant=True)


def count(driver: Any, query: Any, params: Params) -> Plan:
    """Make the plan of count()."""
    if query.combined is not None:
        rows = labelled(Compound(driver, query, params).select()[0].order_by(None))
        return finish(
            driver, sa.select(sa.func.count(sa.literal_column("*"))).select_from(rows), params, scalar
        )
    builder = build(driver, query, params)
    one = Term(sa.func.count(sa.literal_column("*")), constant=True)
    explicit = builder.group is not None
    if query.distinct or query.limit is not None or query.offset is not None or explicit:
        terms = values_terms(builder)[0] if builder.values is not None else [*Layout(builder).terms]
        parts = Parts(builder, terms, ordered=query.limit is not None or query.offset is not None)
        inner = labelled(parts.select())
        return finish(driver, sa.select(one.sa).select_from(inner), params, scalar)
    parts = Parts(builder, [row_term(builder), *dividing(builder)], ordered=False)
    if parts.grouped or parts.qualify:
        return finish(driver, sa.select(one.sa).select_from(labelled(parts.select())), params, scalar)
    parts.terms = [one]
    return finish(driver, parts.select(), params, scalar)


def dividing(builder: Builder) -> list[Term]:
    """Return the annotations and values by which an aggregated model's rows are divided: they repeat rows by joins."""
    if not builder.group_model:
        return []
    terms = flat([*(builder.annotations[name] for name in builder.selected), *builder.shown.values()])
    return [
        term for term in terms if not term.aggregate and not term.window and any(map(multiple, term.joins))
    ]


def row_term(builder: Builder) -> Term:
    """Return a term that stands for a row: its key, unless it is one of a CTE without that."""
    key = builder.meta.pk_fields[0]
    if key.sa_column.key in builder.root.table.c:
        return builder.column_of(builder.root, key.sa_column, key)
    return Term(sa.literal_column("1"), constant=True)


def labelled(select: Any) -> Any:
    """Return a Select as a table."""
    return select.subquery("q")


def scalar(found: Any) -> Any:
    """Return the first value of the first row."""
    return found[0][0]


def exists(driver: Any, query: Any, params: Params) -> Plan:
    """Make the plan of exists()."""
    selects = some_rows(driver, query, params)
    select: Any = selects[0]
    if len(selects) > 1:
        select = sa.select(cast(Any, sa.literal_column("1"))).select_from(labelled(sa.union_all(*selects)))
    return finish(driver, select.limit(1), params, bool)


def some_rows(driver: Any, query: Any, params: Params) -> list[Any]:
    """Return Selects of a constant; a query has rows if one of them has. Raises EmptyResultSet where none can."""
    one = Term(sa.literal_column("1"), constant=True)
    if query.is_nothing:
        raise EmptyResultSet
    if query.combined is not None and query.combined.kind == "union" and not query.is_sliced:
        found: list[Any] = []
        for part in query.combined.queries:
            with suppress(EmptyResultSet):
                found += some_rows(driver, part, params)
        if not found:
            raise EmptyResultSet
        return found
    if query.combined is not None:
        rows = Compound(driver, query, params).select()[0].order_by(None)
        return [sa.select(one.sa).select_from(labelled(rows))]
    builder = build(driver, query, params)
    if query.distinct_fields or builder.group is not None or query.offset is not None:
        terms = values_terms(builder)[0] if builder.values is not None else Layout(builder).terms
        select = Parts(builder, terms, ordered=False).select()
        return [sa.select(one.sa).select_from(labelled(select))]
    parts = Parts(builder, [one], ordered=False)
    return [locked(parts, parts.select(limits=False, distinct=False))]
