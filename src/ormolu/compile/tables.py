"""Which tables a query reads, and how they are joined: for those who look at a query, not for its making."""

from __future__ import annotations

from typing import Any

from ormolu.compile.builder import Builder
from ormolu.compile.joins import Join
from ormolu.compile.layout import Layout
from ormolu.compile.params import Params
from ormolu.compile.select import Parts
from ormolu.compile.shape import Shape
from ormolu.compile.statements import build, values_terms

INNER = "INNER JOIN"
LOUTER = "LEFT OUTER JOIN"


class TableInfo:
    """A table of a query. The first has no parent and no join type."""

    __slots__ = ("join_type", "parent_alias", "table_alias", "table_name")

    def __init__(self, join: Join, join_type: str | None) -> None:
        self.table_name: str = join.meta.table.name
        self.table_alias: str = join.table.name
        self.parent_alias: str | None = None if join.parent is None else join.parent.table.name
        self.join_type = join_type

    def __repr__(self) -> str:
        return f"<{self.join_type or 'FROM'} {self.table_name} AS {self.table_alias}>"


def tables_of_query(driver: Any, query: Any) -> list[TableInfo]:
    """Return the tables that a query's SELECT joins, in order. Raises EmptyResultSet where it can't find anything."""
    builder: Builder = build(driver, query, Params(Shape()))
    terms = Layout(builder).terms if query.values_fields is None else values_terms(builder)[0]
    parts = Parts(builder, terms)
    used, inner = parts.joins(), parts.rejected()
    joins = [join for join in builder.tree.joins if join in used]
    kinds = [LOUTER if builder.tree.is_outer(join, inner) else INNER for join in joins]
    return [TableInfo(builder.root, None), *map(TableInfo, joins, kinds)]
