"""The insertion of many rows that have values for the same columns."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import chain
from typing import Any, cast

import sqlalchemy as sa

from ormolu.programs import Program, Write, WriteNew, WriteReturning
from ormolu.writes import unsure
from ormolu.writes.arrays import array_maker
from ormolu.writes.conflicts import Conflict
from ormolu.writes.copying import COPY_FROM, CopyTarget, copy_rows
from ormolu.writes.inserts import insert_instance, insert_values, take_returned, uses_returning
from ormolu.writes.lists import array_type, takes_array
from ormolu.writes.series import SERIES_FROM, is_series
from ormolu.writes.statements import InsertPlan, compile_ready, expression_value
from ormolu.writes.values import NeedsStatement, conversion, is_expression
from ormolu.writes.writers import Writer, sync_state

__all__ = ["Insertion"]

_MOST_ROWS = 250  # in one statement of VALUES: larger ones are not faster
_MOST_COMPUTED = 100  # in one statement with expressions, which is made for these rows alone


class Insertion:
    """Inserts instances that all have a key, or all have none, and that leave the same columns to the database.

    `left` are these columns' fields. With `wanted`, the instances get the keys and whatever the database computed. Of
    an upsert they get `behind`, too, unless not every row comes back: then `apart` leaves these in `found`, for the
    caller.
    """

    def __init__(
        self,
        writer: Writer,
        instances: list[Any],
        generated: bool,
        left: tuple[Any, ...],
        conflict: Conflict | None,
        batch_size: int | None,
        wanted: bool,
        behind: Sequence[Any] = (),
        apart: bool = False,
    ) -> None:
        self.writer = writer
        self.driver = writer.driver
        self.instances = instances
        self.conflict = conflict
        self.generated = generated
        self.batch_size = batch_size
        self.count = 0
        fields = [f for f in writer.fields.values() if f not in left]
        self.fields: list[Any] = fields if generated else [*writer.keys, *fields]
        upsert = conflict is not None and conflict.updates
        makes_keys = generated and writer.pk is not None
        self.returning: list[Any] = []
        told = conflict is None or upsert or conflict.explicit
        if wanted and self.driver.dialect.insert_returning and told:
            keys = writer.keys if makes_keys or conflict is not None else ()
            self.returning = list(dict.fromkeys((*keys, *left, *writer.generated, *behind)))
        self.wanted = wanted
        self.apart = apart
        self.found: list[Any] = []
        self.eras: list[Any] = []
        # PostgreSQL tells of each row of an upsert whether it is new.
        self.tells = upsert_tells(self.driver, conflict) if self.returning else ()
        # SQLite numbers rows in the order of insertion.
        self.numbered = (
            makes_keys
            and not upsert
            and self.driver.vendor == "sqlite"
            and bool(self.returning)
            and not uses_returning(writer)
        )
        postgresql = self.driver.vendor == "postgresql" and bool(self.fields)
        self.unnest = postgresql and all(takes_array(self.driver, f) for f in self.fields)
        self.copies = (
            postgresql and conflict is None and not self.returning and getattr(self.driver, "copies", False)
        )
        self.left = left
        self.plan = self._plan(self.returning)
        self.rows: list[tuple[Any, ...]] | None
        try:
            self.rows = self.plan.bind_all(instances)
        except (NeedsStatement, KeyError):
            self.rows = None

    def _plan(self, returning: list[Any]) -> InsertPlan:
        writer, conflict = self.writer, self.conflict
        rule = conflict.key if conflict is not None else ()
        key = ("insert", writer.model, self.generated, self.left, rule, tuple(returning), bool(self.tells))
        plan: InsertPlan | None = self.driver.plans.get(key) if rule is not None else None
        if plan is None:
            build = conflict.build if conflict is not None else None
            plan = InsertPlan(self.driver, writer.model, self.fields, returning, build, also=self.tells)
            if self.unnest:
                plan.sql = _unnest_sql(self.driver, writer.model, plan, returning, build, self.tells)
            if rule is not None:
                self.driver.plans[key] = plan
        return plan

    def is_single(self) -> bool:
        """Tell whether it is one statement, a transaction in itself."""
        if self.rows is None:
            return len(self.instances) == 1
        return len(self.rows) <= self._most() and not self._may_be_series()

    def _most(self) -> int:
        """Return how many rows one statement takes."""
        most: int
        if self.unnest:
            most = self.batch_size or len(self.instances)
        elif self.plan.values_sql is None:
            most = 1
        else:
            allowed = self.driver.max_params - len(self.plan.extra)
            most = max(1, allowed // max(1, len(self.fields)))
            most = min(most, self.batch_size or most, _MOST_ROWS)
        return most

    def run(self) -> Program[None]:
        """Insert the rows, and give the instances their keys. `count` is how many there were."""
        if self.rows is not None:
            yield from self._run_values(self.rows)
        elif self.driver.dialect.insert_returning or not self.wanted:
            yield from self._run_expressions()
        else:
            yield from self._run_one_by_one()
        if not self.apart and (self.conflict is None or self.conflict.updates):
            if self.conflict is None or self.conflict.where is None:
                self.count = len(self.instances)
            if self.wanted:
                self._mark(self.instances)

    def _may_be_series(self) -> bool:
        plain = self.numbered and len(self.returning) == 1 and self.conflict is None
        return plain and self.rows is not None and len(self.rows) >= SERIES_FROM

    def _run_values(self, rows: list[tuple[Any, ...]]) -> Program[None]:
        most = self._most()
        parts = (
            [rows[start : start + most] for start in range(0, len(rows), most)]
            if most < len(rows)
            else [rows]
        )
        if self._may_be_series() and (yield from is_series(self.driver, self.writer.meta.table)):
            yield from self._run_series(parts)
        else:
            for part in parts:
                if self.copies and len(part) >= COPY_FROM and (yield from self._copied(part)):
                    continue
                self.found += yield from self._send(*self._statement(self.plan, part))
            if self.numbered:
                self.found.sort()  # RETURNING promises no order
        if not self.apart:
            self._take(self.instances, self.plan.returning, self.found)

    def _run_series(self, parts: list[list[tuple[Any, ...]]]) -> Program[None]:
        plan = self._plan([])
        for part in parts:
            last = yield from self._written(WriteNew(*self._statement(plan, part)))
            self.found += zip(range(last - len(part) + 1, last + 1))

    def _statement(self, plan: InsertPlan, part: list[tuple[Any, ...]]) -> tuple[str, Any]:
        if self.unnest:
            return plan.sql, (*array_maker(self.driver)(zip(*part)), *plan.extra)
        sql = plan.sql if len(part) == 1 else plan.many(len(part))
        return sql, [*chain.from_iterable(part), *plan.extra]

    def _send(self, sql: str, params: Any) -> Program[Sequence[Any]]:
        if self.returning:
            rows: Sequence[Any] = yield from self._written(WriteReturning(sql, params))
            return rows
        self.count += yield from self._written(Write(sql, params))
        return ()

    def _written(self, step: Write) -> Program[Any]:
        result = yield step
        if step.era is not None:
            self.eras.append(step.era)
        return result

    def _copied(self, part: list[tuple[Any, ...]]) -> Program[bool]:
        if self.plan.copying is None:
            fields = [c.field for c in self.plan.conversions]
            self.plan.copying = CopyTarget(self.driver, self.writer.model, fields)
        target: CopyTarget = self.plan.copying
        self.copies = target.may is not False and (yield from copy_rows(target, part))
        return self.copies

    def _take(self, instances: Iterable[Any], returned: Sequence[Any], rows: Iterable[Any]) -> None:
        if len(returned) == 1 and not self.tells and returned[0].load is None:
            name = returned[0].attname
            for instance, (value,) in zip(instances, rows):
                instance.__dict__[name] = value
        else:
            for instance, row in zip(instances, rows):
                take_returned(instance.__dict__, returned, row)

    # -- expressions

    def _run_expressions(self) -> Program[None]:
        """Insert rows some of whose values are expressions, by statements made for them."""
        most = min(_MOST_COMPUTED, max(1, self.driver.max_params // max(1, 2 * len(self.fields))))
        most = min(most, self.batch_size or most)
        for start in range(0, len(self.instances), most):
            yield from self._run_computed(self.instances[start : start + most])

    def _run_computed(self, part: list[Any]) -> Program[None]:
        driver, writer = self.driver, self.writer
        ready: dict[str, Any] = {}
        computed: dict[Any, None] = {}
        rows = [self._elements(instance, ready, computed) for instance in part]
        build = (
            self.conflict.build(driver, writer.meta.table) if self.conflict else sa.insert(writer.meta.table)
        )
        statement: Any = build.inline().values(rows)
        returned = [*self.returning]
        if self.wanted and not self.apart and driver.dialect.insert_returning:
            returned = list(dict.fromkeys((*returned, *computed)))
        if not returned:
            self.count += yield from self._written(Write(*compile_ready(driver, statement, ready)))
            return
        statement = statement.returning(*(f.sa_column for f in returned), *self.tells)
        step = WriteReturning(*compile_ready(driver, statement, ready))
        found: list[Any] = list((yield from self._written(step)))
        if self.numbered:
            found.sort(key=lambda row: row[0])
        self.found += found
        if self.apart:
            return
        conversions = [conversion(driver, f) for f in returned]
        always = set(self.returning)
        for instance, row in zip(part, found):
            d = instance.__dict__
            kept = [
                (c, value)
                for f, c, value in zip(returned, conversions, row)
                if f in always or is_expression(d.get(f.attname))
            ]
            take_returned(d, [c for c, _ in kept], [value for _, value in kept])

    def _elements(self, instance: Any, ready: dict[str, Any], computed: dict[Any, None]) -> dict[Any, Any]:
        """Return a row's values by column: expressions, and parameters, which are noted in `ready`."""
        driver, model = self.driver, self.writer.model
        found: dict[Any, Any] = {}
        values, _ = insert_values(self.writer, instance, instance.__dict__)
        for field in self.fields:
            value = values[field]
            if is_expression(value):
                computed[field] = None
                found[field.sa_column] = expression_value(driver, model, field, value, inserting=True)
            else:
                name = f"w_{len(ready)}"
                ready[name] = conversion(driver, field).convert(value)
                found[field.sa_column] = sa.bindparam(name, type_=field.sa_column.type)
        return found

    def _run_one_by_one(self) -> Program[None]:
        """Insert rows with expressions where the database returns nothing, but tells each row's key."""
        for instance in self.instances:
            if self.conflict is None:
                yield from insert_instance(self.writer, instance, instance.__dict__)
            else:
                yield from self._run_computed([instance])

    # -- afterwards

    def arrived(self, instance: Any, row: Sequence[Any] | None) -> None:
        """Note that an object's row is written; give it what came back."""
        if row is not None:
            take_returned(instance.__dict__, self.plan.returning, row)
        self._mark([instance])

    def _mark(self, instances: Sequence[Any]) -> None:
        writer = self.writer
        alias = writer.alias
        # What the database computed and didn't return is loaded when it is read.
        unknown = [] if self.returning else [field.attname for field in writer.generated]
        for instance in instances:
            d = instance.__dict__
            for name in unknown:
                d.pop(name, None)
            d["_db"] = alias
            if "_dirty" in d:
                del d["_dirty"]
            if "_sa_instance_state" in d:
                sync_state(d["_sa_instance_state"], d)
        if writer.mutable:
            for instance in instances:
                writer.remember(instance.__dict__, writer.names)
        if self.conflict is not None and (era := unsure.open_one(self.eras)) is not None:
            for instance in instances:  # a new row that is undone is missed anyway
                unsure.note(instance.__dict__, era, [f.attname for f in self.conflict.update_fields])


def upsert_tells(driver: Any, conflict: Conflict | None) -> tuple[Any, ...]:
    """Return what a row of an upsert says of itself: that no transaction has changed it, so that it is new."""
    if conflict is None or not conflict.explicit or driver.vendor != "postgresql":
        return ()
    return (cast("Any", sa.literal_column("(xmax = 0)")),)


def _unnest_sql(
    driver: Any, model: Any, plan: InsertPlan, returning: Sequence[Any], build: Any, also: Sequence[Any]
) -> str:
    """Return INSERT ... SELECT FROM unnest(array, array, ...): one text, one plan, for any number of rows."""
    fields = [conversion.field for conversion in plan.conversions]
    table = model._meta.table
    arrays = [sa.bindparam(f"_a_{n}", type_=array_type(driver, f)) for n, f in enumerate(fields)]
    names = [f"c{n}" for n in range(len(fields))]
    source = sa.func.unnest(*arrays).table_valued(*names, with_ordinality="n").render_derived(name="v")
    insert: Any = sa.insert(table) if build is None else build(driver, table)
    columns = [f.sa_column for f in fields]
    values = [source.c[name] for name in names]
    select = sa.select(*values).order_by(source.c.n)
    statement: Any = insert.from_select(columns, select, include_defaults=False)
    if returning:
        statement = statement.returning(*(f.sa_column for f in returning), *also)
    return str(statement.compile(dialect=driver.dialect, compile_kwargs={"render_postcompile": True}))
