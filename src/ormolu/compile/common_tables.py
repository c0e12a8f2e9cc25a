"""Common table expressions: a query under a name, before the statement that reads it, made once per statement."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from ormolu.compile.builder import Builder, replayed
from ormolu.compile.compound import Compound
from ormolu.compile.layout import Layout
from ormolu.compile.select import Parts
from ormolu.compile.terms import Term
from ormolu.compile.tuples import TupleTerm, is_tuple
from ormolu.exceptions import EmptyResultSet, FieldError, NotSupportedError, OuterMissing

if TYPE_CHECKING:
    from ormolu.compile.joins import Join

__all__ = ["CommonTable", "column_of", "common_table"]


class CommonTable:
    """A CTE of SQLAlchemy with what its columns hold. `places` maps each name of a column to its key in the table, and
    `tuples` those of several columns to their keys and their field."""

    def __init__(
        self, table: Any, terms: dict[str, Term], places: dict[str, str], tuples: dict[str, Any]
    ) -> None:
        self.table = table
        self.terms = terms
        self.places = places
        self.tuples = tuples

    def column(self, join: Join, key: str) -> Term:
        """Return a column of an occurrence of the table."""
        term = self.terms[key]
        return Term(
            join.table.c[key],
            term.field,
            joins=join.chain(),
            strict=join.chain(),
            nullable=term.nullable or join.nullable,
            why=term.why,
            convert=term.convert,
            computed=term.is_computed,
        )


class Part:
    """One query in a CTE: its terms by key, and the names that these go by."""

    def __init__(self, builder: Builder, query: Any, outer: Builder | None = None) -> None:
        query = query.copy()
        query.select_related, query.deferred = False, (frozenset(), True)
        self.params, self.driver, self.query = builder.params, builder.driver, query
        self.outer = outer
        self.places: dict[str, str] = {}
        self.terms: dict[str, Term] = {}
        self.tuples: dict[str, tuple[list[str], Any]] = {}

    def select(self) -> Any:
        """Return the SELECT, each column under its key."""
        if self.query.combined is not None:
            return self._combined()
        builder = replayed(self.query, self.params, self.driver, self.outer)
        if self.query.values_fields is None:
            self._take_objects(Layout(builder))
        else:
            for name in builder.values or ():
                self._take(name, builder.ref(name))
        within = self.query.is_sliced or bool(self.query.distinct_fields)
        named = [
            term.replace(sa=term.sa.label(key), group=term.group_columns())
            for key, term in self.terms.items()
        ]
        parts = Parts(builder, named, ordered=within)
        select = parts.select()
        if self.outer is not None:
            select = select.correlate_except(builder.root.table, *(join.table for join in builder.tree.joins))
            self.outer.kept |= builder.outer_joins
        return self._under_keys(select)

    def _combined(self) -> Any:
        compound = Compound(self.driver, self.query, self.params)
        select, terms, names = compound.select()
        for name, term in zip(names, terms, strict=True):
            self._take(name, term)
        return self._under_keys(select)

    def _take_objects(self, layout: Layout) -> None:
        for field, place in layout.root.columns:
            pk = ("pk",) if field.primary_key else ()
            self._take(field.sa_column.key, layout.terms[place], field.attname, field.name, *pk)
        key = self.query.model._meta.pk
        if is_tuple(key):
            self.tuples["pk"] = [field.sa_column.key for field in key.fields], key
        for name, place in layout.annotations:
            self._take(name, layout.term_at(place))

    def _take(self, key: str, term: Term, *names: str) -> None:
        if isinstance(term, TupleTerm):
            keys = [f"{key}_{field.attname}" for field in term.field.fields]
            self.tuples[key] = keys, term.field
            for name, part in zip(keys, term.parts, strict=True):
                self._take(name, part)
            return
        self.terms[key] = term
        for name in (key, *names):
            self.places.setdefault(name, key)

    def _under_keys(self, select: Any) -> Any:
        columns = list(select.selected_columns)
        if [column.name for column in columns] == list(self.terms):
            return select
        rows = list(select.subquery("q").c)
        return sa.select(*(column.label(key) for key, column in zip(self.terms, rows)))


def common_table(builder: Builder, cte: Any) -> CommonTable:
    """Return the table of a CTE in the statement that is being made, or of a subquery that reads the row beside it."""
    if cte.lateral:
        return lateral(builder, cte)
    tables = builder.params.tables
    found = tables.get(id(cte))
    if found is None:
        if cte.query is None:
            raise OuterMissing("A recursive CTE is read before its queryset is there.")
        name = builder.params.table_name(cte.name)
        found = recursive(builder, cte, name) if is_union(cte) else plain(builder, cte, name)
        tables[id(cte)] = found
    return found


def lateral(builder: Builder, source: Any) -> CommonTable:
    """Return the table of a subquery that is computed for each row of what stands before it."""
    dialect = builder.driver.dialect
    has = builder.vendor == "postgresql" or (
        builder.vendor == "mysql" and not getattr(dialect, "is_mariadb", False)
    )
    if not has and not getattr(builder.driver, "checking", False):
        raise NotSupportedError(
            f"{dialect.name} has no LATERAL. Number the rows with Window(RowNumber(), partition_by=...) and filter by "
            "that, or annotate a Subquery for each column."
        )
    part = Part(builder, source.query, builder)
    table = part.select().lateral(builder.params.table_name(source.name))
    return CommonTable(table, part.terms, part.places, part.tuples)


def is_union(cte: Any) -> bool:
    """Tell whether a CTE adds to itself."""
    combined = cte.query.combined
    return bool(cte.recurs and combined is not None and combined.kind == "union")


def plain(builder: Builder, cte: Any, name: str) -> CommonTable:
    """Return the table of a CTE that does not read itself."""
    part = Part(builder, cte.query)
    table = part.select().cte(name)
    return CommonTable(table, part.terms, part.places, part.tuples)


def recursive(builder: Builder, cte: Any, name: str) -> CommonTable:
    """Return the table of a CTE whose first query begins and whose others read what is there already."""
    combined = cte.query.combined
    first, *others = combined.queries
    part = Part(builder, first)
    select = part.select()
    if builder.vendor == "postgresql":  # which wants to know the type of the whole from the beginning
        select = sa.select(*(widest(column) for column in select.subquery("q").c))
    terms = {key: term.replace(nullable=True) for key, term in part.terms.items()}
    table = select.cte(name, recursive=True)
    builder.params.tables[id(cte)] = CommonTable(table, terms, part.places, part.tuples)
    try:
        selects: list[Any] = []
        for query in others:
            try:
                selects.append(Part(builder, query).select())
            except EmptyResultSet:
                continue
    finally:
        del builder.params.tables[id(cte)]
    if selects:
        table = table.union_all(*selects) if combined.all else table.union(*selects)
    return CommonTable(table, terms, part.places, part.tuples)


def widest(column: Any) -> Any:
    """Return a column as the type that has all its values and those of any expression over it."""
    kind = column.type
    if isinstance(kind, sa.String) and not isinstance(kind, sa.Enum):
        return sa.cast(column, sa.Text()).label(column.name)
    if isinstance(kind, sa.Numeric) and kind.precision is not None and not isinstance(kind, sa.Float):
        return sa.cast(column, sa.Numeric()).label(column.name)
    return column


def column_of(builder: Any, cte: Any, name: str) -> Term:
    """Return a column of a CTE that the query, or one around it, reads. FieldError where there is none of them."""
    here = builder
    while here is not None and id(cte) not in here.common:
        here = here.outer
    if here is None:
        raise OuterMissing(f"{cte!r} is not part of this query. Join it first, with its join().")
    joined: tuple[Join, CommonTable] | None = here.common[id(cte)]
    if joined is None:  # by LEFT JOIN, and known to have no rows
        return Term(sa.null(), constant=True)
    join, found = joined
    key = found.places.get(name)
    if key is None and name in found.tuples:
        keys, field = found.tuples[name]
        return TupleTerm([column_of(builder, cte, part) for part in keys], field)
    if key is None:
        raise FieldError(f"{cte!r} has no column {name!r}. Choices are: {', '.join(found.places)}")
    made = found.column(join, key)
    if here is builder:
        return made
    if here is builder.outer:
        builder.note_outer(made)
    return made.replace(joins=frozenset(), strict=frozenset(), constant=True)
