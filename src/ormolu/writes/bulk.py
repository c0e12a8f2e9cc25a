"""bulk_create(): insert many instances in few statements."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import chain
from typing import Any

import sqlalchemy as sa

from ormolu.programs import Execute, Fetch, Program, atomically
from ormolu.writes.conflicts import Conflict, make_conflict
from ormolu.writes.inserts import default_keys, insert_instance, insert_values, take_returned, uses_returning
from ormolu.writes.lists import array_type, takes_array
from ormolu.writes.statements import InsertPlan, run_with_expressions
from ormolu.writes.values import NeedsStatement, has_database_default, is_database_default
from ormolu.writes.writers import Writer, sync_state, writer_for

__all__ = ["bulk_create"]

_MOST_ROWS = 500  # in one statement of VALUES: larger ones are not faster


def bulk_create(
    driver: Any,
    model: Any,
    objs: Iterable[Any],
    *,
    batch_size: int | None = None,
    ignore_conflicts: bool = False,
    update_conflicts: bool = False,
    update_fields: Iterable[str] | None = None,
    unique_fields: Iterable[str] | None = None,
) -> Program[list[Any]]:
    """Insert instances, all or none; return them as a list, with their primary keys set.

    No signals are sent. A conflict with an existing row raises IntegrityError, or is ignored (then no keys
    are set), or updates `update_fields` of that row (`unique_fields` say which constraint is meant). Objects
    with and without a key may be mixed; those with one go first. One statement for each batch: on PostgreSQL
    for any number of rows, elsewhere for some hundred.

    Raises ValueError for contradictory arguments or an unsaved related object; DataError, ValueError or
    TypeError, naming model and field, for a value that does not fit, before anything is written.
    Source: Django's documentation, "QuerySet API reference", bulk_create().
    """
    if batch_size is not None and batch_size <= 0:
        raise ValueError("Batch size must be a positive integer.")
    writer = writer_for(driver, model)
    if writer.parents:
        raise ValueError("Can't bulk create a multi-table inherited model")
    instances = list(objs)
    conflict = make_conflict(driver, model, ignore_conflicts, update_conflicts, update_fields, unique_fields)
    if not instances:
        return instances
    for field in writer.generic:
        yield from field.settle(driver, "bulk_create", instances)
    keyed, new = _prepare(writer, instances)
    if writer.places is not None:
        yield from writer.places.give_all(instances)
    groups = [(part, generated) for part, generated in ((keyed, False), (new, True)) if part]
    inserts = [_Insert(writer, part, generated, conflict, batch_size) for part, generated in groups]
    if len(inserts) == 1 and inserts[0].is_single():
        yield from inserts[0].run()
    else:
        yield from atomically(_run_all(inserts), savepoint=False)
    return instances


def _run_all(inserts: Sequence[_Insert]) -> Program[None]:
    for insert in inserts:
        yield from insert.run()


def _prepare(writer: Writer, instances: list[Any]) -> tuple[list[Any], list[Any]]:
    """Check the instances; return those with a key and those without."""
    try:
        if writer.check_related is not None:
            for instance in instances:
                writer.check_related("bulk_create", instance, instance.__dict__)
        names = tuple(writer.key_names)
        for instance in instances if writer.default_keys else ():
            default_keys(writer, instance, instance.__dict__)
        if len(names) == 1:
            (name,) = names
            new = [i for i in instances if i.__dict__.get(name) is None]
            if has_database_default(writer.pk):
                new = [i for i in instances if _is_new(i.__dict__.get(name))]
        else:
            new = [i for i in instances if any(i.__dict__.get(name) is None for name in names)]
    except AttributeError:
        for instance in instances:
            if not isinstance(instance, writer.meta.concrete_model):
                raise TypeError(
                    f"bulk_create() of {writer.meta.object_name} takes its instances, not {instance!r}."
                ) from None
        raise
    if not new:
        return instances, new
    if len(new) == len(instances):
        return [], new
    chosen = {id(instance) for instance in new}
    return [i for i in instances if id(i) not in chosen], new


def _is_new(key: Any) -> bool:
    return key is None or is_database_default(key)


class _Insert:
    """The insertion of instances that all have a key, or all have none."""

    def __init__(
        self,
        writer: Writer,
        instances: list[Any],
        generated: bool,
        conflict: Conflict | None,
        batch_size: int | None,
    ) -> None:
        self.writer = writer
        self.driver = writer.driver
        self.instances = instances
        self.conflict = conflict
        self.generated = generated
        self.batch_size = batch_size
        fields = list(writer.fields.values())
        self.fields: list[Any] = fields if generated else [*writer.keys, *fields]
        self.returning: list[Any] = []
        dialect = self.driver.dialect
        can_return = bool(dialect.insert_returning)
        upsert = conflict is not None and conflict.updates
        makes_keys = generated and writer.pk is not None and (conflict is None or upsert)
        # SQLite numbers rows in the order of insertion.
        self.numbered = (
            makes_keys and not upsert and self.driver.vendor == "sqlite" and not uses_returning(writer)
        )
        if can_return and (upsert or makes_keys):
            self.returning = [*writer.keys, *writer.generated]
        self.one_by_one = False
        self.rows: list[tuple[Any, ...]] = []
        arrays = bool(self.fields) and all(takes_array(self.driver, f) for f in self.fields)
        self.unnest = arrays and self.driver.vendor == "postgresql"
        self.plan = self._plan()
        try:
            self.rows = self.plan.bind_all(instances)
        except (NeedsStatement, KeyError):
            self.one_by_one = True

    def _plan(self) -> InsertPlan:
        writer, conflict = self.writer, self.conflict
        rule = conflict.key if conflict is not None else None
        key = ("insert", writer.model, self.generated, rule, bool(self.returning))
        plan: InsertPlan | None = self.driver.plans.get(key)
        if plan is None:
            build = conflict.build if conflict is not None else None
            plan = InsertPlan(self.driver, writer.model, self.fields, self.returning, build)
            if self.unnest:
                plan.sql = _unnest_sql(self.driver, writer.model, plan, self.returning, build)
            self.driver.plans[key] = plan
        return plan

    def is_single(self) -> bool:
        """Tell whether it is one statement, a transaction in itself."""
        if self.one_by_one:
            return len(self.instances) == 1
        return len(self.rows) <= self._most()

    def _most(self) -> int:
        """Return how many rows one statement takes."""
        if self.unnest:
            most = self.batch_size or len(self.rows)
        elif self.plan.values_sql is None:
            most = 1
        else:
            most = max(1, self.driver.max_params // max(1, len(self.fields)))
            most = min(most, self.batch_size or most, _MOST_ROWS)
        return most

    def run(self) -> Program[None]:
        """Insert the rows, and give the instances their keys."""
        if self.one_by_one:
            yield from self._run_one_by_one()
        else:
            yield from self._run_values()
        if self.conflict is None or self.conflict.updates:
            self._mark()

    def _run_values(self) -> Program[None]:
        most = self._most()
        found: list[Any] = []
        for start in range(0, len(self.rows), most):
            part = self.rows[start : start + most]
            if self.unnest:
                sql: str = self.plan.sql
                params: Any = tuple(list(column) for column in zip(*part))
            else:
                sql = self.plan.sql if len(part) == 1 else self.plan.many(len(part))
                params = list(chain.from_iterable(part))
            if self.returning:
                found += yield Fetch(sql, params)
            else:
                yield Execute(sql, params)
        if self.numbered:
            found.sort()  # RETURNING promises no order
        returned = self.plan.returning
        if len(returned) == 1 and returned[0].load is None:
            name = returned[0].attname
            for instance, (key,) in zip(self.instances, found):
                instance.__dict__[name] = key
        else:
            for instance, row in zip(self.instances, found):
                take_returned(instance.__dict__, returned, row)

    def _run_one_by_one(self) -> Program[None]:
        """Insert rows that hold expressions, or leave columns to the database, each by its own statement."""
        writer = self.writer
        for instance in self.instances:
            d = instance.__dict__
            if self.conflict is None:
                yield from insert_instance(writer, instance, d)
                continue
            values, _ = insert_values(writer, instance, d)
            statement = self.conflict.build(self.driver, writer.meta.table).inline()
            if self.returning:
                statement = statement.returning(*(f.sa_column for f in self.returning))
            sql, params = run_with_expressions(self.driver, statement, writer.model, values)
            rows = yield Fetch(sql, params) if self.returning else Execute(sql, params)
            if self.returning and rows:
                take_returned(d, self.plan.returning, rows[0])

    def _mark(self) -> None:
        alias = self.writer.alias
        # What the database computed and didn't return is loaded when it is read.
        unknown = [] if self.returning else [field.attname for field in self.writer.generated]
        for instance in self.instances:
            d = instance.__dict__
            for name in unknown:
                d.pop(name, None)
            d["_db"] = alias
            if "_dirty" in d:
                del d["_dirty"]
            if "_sa_instance_state" in d:
                sync_state(d["_sa_instance_state"], d)


def _unnest_sql(driver: Any, model: Any, plan: InsertPlan, returning: Sequence[Any], build: Any) -> str:
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
        statement = statement.returning(*(f.sa_column for f in returning))
    return str(statement.compile(dialect=driver.dialect))
