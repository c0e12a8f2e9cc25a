"""The data of a query: what was asked, in order, and nothing that was computed from it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, Self

from ormolu.compile.locking import Lock
from ormolu.databases.routing import router
from ormolu.exceptions import EmptyResultSet
from ormolu.query.lookup_sql import written_lookup
from ormolu.query.lookups import default_lookup
from ormolu.query.references import F
from ormolu.query.transforms import Resolved

SHAPED = frozenset({"linked", "merged", "join_common", "from_common"})
"""Operations of one part, which has values of its own."""

PLACEHOLDERS = re.compile(r"""'[^']*'|"[^"]*"|\?|%s|\$\d+(?:::\w+)?""")


class Merged:
    """The conditions of two combined querysets: `(a | b)`, `(a ^ b)`. Each side keeps its filter() calls apart."""

    __slots__ = ("connector", "sides")

    def __init__(self, connector: str, *sides: Query) -> None:
        self.connector = connector
        self.sides = tuple(conditions_of(query) for query in sides)

    def shape(self, shape: Any) -> Any:
        """Return the key."""
        return self.connector, tuple(tuple((op[0], op[1].shape(shape)) for op in side) for side in self.sides)


def conditions_of(query: Query) -> tuple[tuple[Any, ...], ...]:
    """Return the operations of a query that are conditions."""
    return tuple(op for op in query.ops if op[0] in ("filter", "merged"))


class SQLOf:
    """What a query's `get_compiler()` returns: the query as SQL for one database."""

    def __init__(self, query: Query, using: str | None) -> None:
        self.query = query
        self.using = using

    def as_sql(self) -> tuple[str, tuple[Any, ...]]:
        """Return the SQL with the driver's placeholders, and the values for them."""
        return self.query.sql_with_params(self.using)


class Query:
    """What a QuerySet asks for. Copied on each step, never changed after.

    `ops` are the operations whose order matters: ("filter", Q), ("annotate", name,
    expression, selected), ("values", names). The rest is single values: the last call wins.
    `limit` and `offset` are tuples ("limit", 3), so that the number is a value of the query.
    """

    # Defaults stand on the class: a new query sets its model only, and a copy copies what was asked.
    ops: tuple[tuple[Any, ...], ...] = ()
    order_by: tuple[Any, ...] = ()
    default_ordering = True
    reversed = False
    limit: tuple[str, int] | None = None
    offset: tuple[str, int] | None = None
    distinct = False
    distinct_fields: tuple[str, ...] = ()
    select_related: Any = False
    deferred: tuple[frozenset[str], bool] = (frozenset(), True)
    values_fields: tuple[str, ...] | None = None
    all_values = False  # values() named none
    row_kind = "object"
    combined: Any = None
    select_for_update: Lock | None = None
    fetch_mode: Any = None
    _db: str | None = None

    def __init__(self, model: Any) -> None:
        self.model = model

    @property
    def query(self) -> Self:
        """Itself: it may stand where a queryset may, as the value of a lookup."""
        return self

    def copy(self) -> Self:
        """Return a copy."""
        made = object.__new__(type(self))
        made.__dict__ = self.__dict__.copy()
        return made

    def sql_with_params(self, using: str | None = None) -> tuple[str, tuple[Any, ...]]:
        """Return the SQL with the driver's placeholders, and the values for them. Nothing is sent.

        Raises EmptyResultSet for a query that can't find anything.
        """
        from ormolu import databases
        from ormolu.compile import statements

        driver = databases.get(using or router.db_for_read(self.model)).driver
        plan, values = statements.plan_for(driver, self, "rows", statements.rows)
        if plan.empty:
            raise EmptyResultSet
        return plan.sql, tuple(plan.bind(values))

    def get_compiler(self, using: str | None = None, connection: Any = None) -> SQLOf:
        """Return what gives this query's SQL: `get_compiler("default").as_sql()`, as `sql_with_params()` does."""
        return SQLOf(self, using or getattr(connection, "alias", None))

    @property
    def alias_map(self) -> dict[str, Any]:
        """The tables that the query reads, by the names that they have in it: `join_type`, `parent_alias` and so on."""
        from ormolu import databases
        from ormolu.compile.tables import tables_of_query

        driver = databases.get(router.db_for_read(self.model)).driver
        return {table.table_alias: table for table in tables_of_query(driver, self)}

    @property
    def alias_refcount(self) -> dict[str, int]:
        """For each of the tables in `alias_map` that it is used."""
        return dict.fromkeys(self.alias_map, 1)

    def count_active_tables(self) -> int:
        """Return the number of tables that the query reads."""
        return len(self.alias_map)

    @property
    def low_mark(self) -> int:
        """The number of rows that a slice leaves out at the beginning."""
        return 0 if self.offset is None else self.offset[1]

    @low_mark.setter
    def low_mark(self, number: int) -> None:
        high = self.high_mark
        self.offset = ("offset", number) if number else None
        self.high_mark = high

    @property
    def high_mark(self) -> int | None:
        """The number of the row that a slice ends before; None for no end."""
        return None if self.limit is None else self.low_mark + self.limit[1]

    @high_mark.setter
    def high_mark(self, number: int | None) -> None:
        self.limit = None if number is None else ("limit", max(number - self.low_mark, 0))

    def __str__(self) -> str:
        """Return the SQL with the values in it: to be read, not to be run, for they aren't quoted."""
        sql, params = self.sql_with_params()
        values = iter(params)
        return PLACEHOLDERS.sub(lambda found: found[0] if found[0][0] in "'\"" else str(next(values)), sql)

    def stick(self) -> None:
        """Let the next filter() speak of the rows that the last one joined, as if it were part of it."""
        *others, (kind, condition) = self.ops
        self.ops = (*others, (kind, condition, True))

    def for_model(self, model: Any) -> Query:
        """Return an empty query of a model, for subqueries that the compiler makes."""
        query = Query(model)
        query.default_ordering = False
        return query

    def names_to_path(self, names: Sequence[str], opts: Any, **options: bool) -> Any:
        """Return what the names of a lookup lead to from a model. See `ormolu.query.name_paths`."""
        from ormolu.query.name_paths import names_to_path

        return names_to_path(names, opts, **options)

    def reference(self, name: str) -> Any:
        """Return the expression that a name stands for."""
        return F(name)

    def default_lookup(self, name: str) -> Any:
        """Return the lookup for a term of unknown type."""
        return default_lookup(name)

    def as_expression(self, term: Any) -> Any:
        """Return a term as an expression."""
        return Resolved.of(term)

    def written_lookup(self, *args: Any) -> Any:
        """Return the condition of a lookup with SQL of a user's."""
        return written_lookup(*args)

    @property
    def is_nothing(self) -> bool:
        """Whether none() was called."""
        return ("nothing",) in self.ops

    @property
    def is_sliced(self) -> bool:
        """Whether there is a LIMIT or OFFSET."""
        return self.limit is not None or self.offset is not None

    def slice(self, start: int | None, stop: int | None) -> None:
        """Narrow to a slice of what is selected now."""
        low = self.offset[1] if self.offset is not None else 0
        size = self.limit[1] if self.limit is not None else None
        begin = start or 0
        if size is not None:
            begin = min(begin, size)
        count = None if stop is None else max(stop - begin, 0)
        if size is not None:
            count = size - begin if count is None else min(count, size - begin)
        self.offset = ("offset", low + begin) if low + begin else None
        self.limit = None if count is None else ("limit", count)

    def key(self, shape: Any) -> Any:
        """Return the key of this query; its values go to `shape`."""
        ops: list[Any] = []
        for op in self.ops:
            kind = op[0]
            if kind == "filter":
                ops.append(op[1].shape(shape) if len(op) == 2 else ("sticky", op[1].shape(shape)))
            elif kind == "annotate":
                ops.append((op[1], shape.item(op[2]), op[3]))
            elif kind in SHAPED:
                ops.append((kind, op[1].shape(shape)))
            else:
                ops.append(op)
        limit, offset = self.limit, self.offset
        return (
            self.model,
            tuple(ops),
            tuple([item if item.__class__ is str else shape.item(item) for item in self.order_by]),
            self.default_ordering,
            self.reversed,
            None if limit is None else (shape.literal(limit, limit[1]), min(max(limit[1], 0), 2)),
            None if offset is None else shape.literal(offset, offset[1]),
            self.distinct,
            self.distinct_fields,
            self.select_related,
            self.deferred,
            self.values_fields,
            self.row_kind,
            None if self.combined is None else self.combined.shape(shape),
            self.select_for_update,
            self.fetch_mode,
        )

    def shape(self, shape: Any) -> Any:
        """Return the key of this query inside another."""
        return ("query", self.key(shape))

    @property
    def filtered_relations(self) -> dict[str, Any]:
        """The FilteredRelations of annotate() and alias(), by name."""
        return {op[1]: op[2] for op in self.ops if op[0] == "annotate" and hasattr(op[2], "filtered_hops")}

    @property
    def annotation_names(self) -> list[str]:
        """Names given by annotate() and alias(); for a set operation, by the first queryset's."""
        if self.combined is not None:
            return list(self.combined.queries[0].annotation_names)
        return [op[1] for op in self.ops if op[0] == "annotate"]
