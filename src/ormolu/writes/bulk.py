"""bulk_create(): insert many instances in few statements."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import sqlalchemy as sa

from ormolu.programs import Execute, ExecuteMany, Fetch, Insert, Program, atomically
from ormolu.writes.conflicts import Conflict, make_conflict
from ormolu.writes.lists import array_type, takes_array
from ormolu.writes.save import default_keys, insert_instance, insert_values, take_returned, uses_returning
from ormolu.writes.statements import InsertPlan, run_with_expressions
from ormolu.writes.values import NeedsStatement, has_database_default, is_database_default
from ormolu.writes.writers import Writer, sync_state, writer_for

__all__ = ["bulk_create"]

_ROWS = 10_000  # in one statement, where the database has no limit of its own


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
    with and without a key may be mixed; those with one go first. One statement for each batch on PostgreSQL;
    on SQLite one prepared statement for all rows, in one transaction.

    Raises ValueError for contradictory arguments or an unsaved related object; DataError, ValueError or
    TypeError, naming model and field, for a value that does not fit, before anything is written.
    Source: Django's documentation, "QuerySet API reference", bulk_create().
    """
    if batch_size is not None and batch_size <= 0:
        raise ValueError("Batch size must be a positive integer.")
    writer = writer_for(driver, model)
    if writer.meta.parents and not writer.meta.proxy:
        raise ValueError("Can't bulk create a multi-table inherited model")
    instances = list(objs)
    conflict = make_conflict(driver, model, ignore_conflicts, update_conflicts, update_fields, unique_fields)
    if not instances:
        return instances
    keyed, new = _prepare(writer, instances)
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
        self.wants_keys = generated and writer.pk is not None and (conflict is None or conflict.updates)
        can_return = bool(dialect.insert_returning)
        upsert = conflict is not None and conflict.updates
        numbered = (
            self.driver.vendor == "sqlite" and not upsert and self.wants_keys and not uses_returning(writer)
        )
        if can_return and not numbered and (upsert or self.wants_keys):
            self.returning = list(writer.keys)
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
        """Tell whether it is one statement, or makes a transaction of its own."""
        if self.one_by_one:
            return len(self.instances) == 1
        if self._uses_executemany():
            return self._numbers_rows() or len(self.rows) == 1
        return len(self.rows) <= self._most()

    def _uses_executemany(self) -> bool:
        return not self.returning and self.driver.vendor != "postgresql"

    def _numbers_rows(self) -> bool:
        """Tell whether SQLite's way to find the new keys is used."""
        return self.wants_keys and self.driver.vendor == "sqlite"

    def _most(self) -> int:
        """Return how many rows one statement takes."""
        if self.unnest:
            most = self.batch_size or len(self.rows)
        elif self.plan.values_sql is None:
            most = 1
        else:
            most = max(1, self.driver.max_params // max(1, len(self.fields)))
            most = min(most, self.batch_size or _ROWS)
        return most

    def run(self) -> Program[None]:
        """Insert the rows, and give the instances their keys."""
        if self.one_by_one:
            yield from self._run_one_by_one()
        elif not self._uses_executemany():
            yield from self._run_values()
        elif self._numbers_rows():
            yield from self._run_numbered()
        else:
            for part in self._parts(self.rows):
                yield ExecuteMany(self.plan.sql, part)
        if self.conflict is None or self.conflict.updates:
            self._mark()

    def _parts(self, items: list[Any]) -> Iterator[list[Any]]:
        size = self.batch_size or len(items)
        for start in range(0, len(items), size):
            yield items[start : start + size]

    def _run_numbered(self) -> Program[None]:
        """Insert on SQLite and work out the keys; row by row where they can't be."""
        writer = self.writer
        by_row = ("insert", writer.model, "row by row")
        if by_row not in self.driver.plans:
            try:
                yield from atomically(self._insert_numbered())
            except _Unnumbered:
                self.driver.plans[by_row] = True
            else:
                return
        yield from atomically(self._insert_by_row())

    def _insert_numbered(self) -> Program[None]:
        """Insert all rows; then their keys are the last ones, since SQLite numbers rows one after the other.

        That holds within a transaction, but not if a trigger inserts rows too, nor when the largest key is
        reached, from where on SQLite picks at random: then _Unnumbered is raised, which undoes it.
        """
        sql = _last_key_sql(self.driver, self.writer)
        keys: list[int] = []
        for rows in self._parts(self.rows):
            yield ExecuteMany(self.plan.sql, rows)
            ((last, largest, triggers),) = yield Fetch(sql, (self.writer.meta.table.name,))
            if triggers or last != largest:
                raise _Unnumbered
            keys.extend(range(last - len(rows) + 1, last + 1))
        self._set_keys(keys)

    def _insert_by_row(self) -> Program[None]:
        keys: list[Any] = []
        for row in self.rows:
            keys += ((yield Insert(self.plan.sql, row)),)
        self._set_keys(keys)

    def _set_keys(self, keys: Sequence[Any]) -> None:
        name = self.writer.pk_name
        for key, instance in zip(keys, self.instances):
            instance.__dict__[name] = key

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
                params = tuple(value for row in part for value in row)
            if self.returning:
                found += yield Fetch(sql, params)
            else:
                yield Execute(sql, params)
        for instance, row in zip(self.instances, found):
            take_returned(instance.__dict__, self.plan.returning, row)

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
        for instance in self.instances:
            d = instance.__dict__
            d["_db"] = alias
            if "_dirty" in d:
                del d["_dirty"]
            if "_sa_instance_state" in d:
                sync_state(d["_sa_instance_state"], d)


class _Unnumbered(Exception):
    """The keys of the new rows can't be told from the last one."""


def _last_key_sql(driver: Any, writer: Writer) -> str:
    """Return SQL for: the last key given, the largest one, and how many triggers the table has."""
    key = ("insert", writer.model, "last key")
    sql: str | None = driver.plans.get(key)
    if sql is None:
        table, column = writer.meta.table, writer.pk.sa_column
        schema = driver.dialect.identifier_preparer.quote(table.schema) + "." if table.schema else ""
        largest = sa.select(sa.func.max(column)).compile(dialect=driver.dialect)
        sql = driver.plans[key] = (
            f"SELECT last_insert_rowid(), ({largest}), (SELECT count(*) FROM {schema}sqlite_master "
            "WHERE type = 'trigger' AND tbl_name = ? COLLATE NOCASE)"
        )
    return sql


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
