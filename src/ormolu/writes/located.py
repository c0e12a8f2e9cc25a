"""Which rows objects stand for by their unique fields: the keys, found by few statements."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain
from typing import Any, cast

import sqlalchemy as sa

from ormolu.programs import Fetch, Program
from ormolu.writes.arrays import array_maker
from ormolu.writes.lists import array_type, takes_array
from ormolu.writes.statements import compile_ready
from ormolu.writes.values import conversion
from ormolu.writes.writers import Writer

__all__ = ["Located"]

_SOURCE = "ormolu_v"
_MOST = {"sqlite": 250, "postgresql": 10_000}
_MOST_SELECTS = 200

Rows = Sequence[tuple[Any, ...]]


class Located:
    """Finds the rows of a model that have given values in some fields."""

    def __init__(self, writer: Writer, fields: Sequence[Any]) -> None:
        self.writer = writer
        self.driver = writer.driver
        self.fields = fields
        self.converts = [(f.attname, conversion(self.driver, f).convert) for f in fields]
        self.loads = [conversion(self.driver, f).load for f in writer.keys]

    def greatest(self) -> Program[Any]:
        """Return the greatest primary key, None if there is no row. One SELECT."""
        last: Any = sa.func.max(self.writer.pk.sa_column)
        ((value,),) = yield Fetch(str(sa.select(last).compile(dialect=self.driver.dialect)), ())
        load = self.loads[0]
        return value if value is None or load is None else load(value)

    def keys(self, instances: Sequence[Any]) -> Program[dict[int, tuple[Any, ...]]]:
        """Return the primary keys of the rows by the objects' places in the list; those without a row are left out."""
        rows: list[tuple[Any, ...]] = []
        for number, instance in enumerate(instances):
            values = [instance.__dict__.get(name) for name, _ in self.converts]
            if None not in values:
                ready = [convert(value) for (_, convert), value in zip(self.converts, values)]
                rows.append((number, *ready))
        found: dict[int, tuple[Any, ...]] = {}
        for sql, params in self._statements(rows):
            for number, *key in (yield Fetch(sql, params)):
                loaded = [part if load is None else load(part) for part, load in zip(key, self.loads)]
                found[number] = tuple(loaded)
        return found

    def _statements(self, rows: Rows) -> Iterator[tuple[str, Any]]:
        vendor = self.driver.vendor
        arrays = vendor == "postgresql" and all(takes_array(self.driver, f) for f in self.fields)
        most = _MOST[vendor] if arrays or vendor == "sqlite" else _MOST_SELECTS
        most = most if arrays else max(1, min(most, self.driver.max_params // (len(self.fields) + 1)))
        for start in range(0, len(rows), most):
            part = rows[start : start + most]
            if arrays:
                yield self._sql("arrays", self._from_arrays), array_maker(self.driver)(zip(*part))
            elif vendor == "sqlite":
                row = f"({', '.join('?' * (len(self.fields) + 1))})"
                values = f"(VALUES {', '.join([row] * len(part))})"
                sql = self._sql("values", self._from_values)
                yield (
                    sql.replace(f'FROM "{_SOURCE}" ', f'FROM {values} AS "{_SOURCE}" ', 1),
                    list(chain.from_iterable(part)),
                )
            else:
                yield self._selects(part)

    def _sql(self, way: str, make: Any) -> str:
        """Return a statement's text, from the driver's plans."""
        key = ("select", self.writer.model, way, tuple(f.attname for f in self.fields))
        sql: str | None = self.driver.plans.get(key)
        if sql is None:
            sql = self.driver.plans[key] = str(make().compile(dialect=self.driver.dialect))
        return sql

    def _joined(self, source: Any) -> Any:
        number, *given = list(source.c)
        table = self.writer.meta.table
        condition = sa.and_(*(f.sa_column == column for f, column in zip(self.fields, given, strict=True)))
        keys = [f.sa_column for f in self.writer.keys]
        return sa.select(number, *keys).select_from(source.join(table, condition))

    def _from_arrays(self) -> Any:
        types = [sa.ARRAY(sa.Integer()), *(array_type(self.driver, f) for f in self.fields)]
        arrays = [sa.bindparam(f"_a_{n}", type_=type_) for n, type_ in enumerate(types)]
        names = [f"c{n}" for n in range(len(types))]
        return self._joined(sa.func.unnest(*arrays).table_valued(*names).render_derived(name=_SOURCE))

    def _from_values(self) -> Any:
        # SQLite calls the columns of VALUES column1, column2, ...
        columns: list[Any] = [sa.column(f"column{n}") for n in range(1, len(self.fields) + 2)]
        return self._joined(sa.table(_SOURCE, *columns))

    def _selects(self, part: Rows) -> tuple[str, Any]:
        """Return a SELECT for each row, all in one statement: the database compares as it does for the constraint."""
        keys = [f.sa_column for f in self.writer.keys]
        ready: dict[str, Any] = {}
        selects: list[Any] = []
        for number, *values in part:
            where: list[Any] = []
            for field, value in zip(self.fields, values, strict=True):
                name = f"w_{len(ready)}"
                ready[name] = value
                where.append(field.sa_column == sa.bindparam(name, type_=field.sa_column.type))
            place = cast("Any", sa.literal_column(str(number)))
            selects.append(sa.select(place, *keys).where(*where))
        return compile_ready(self.driver, selects[0] if len(selects) == 1 else sa.union_all(*selects), ready)
