"""bulk_update(): write chosen columns of many instances in few statements."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import chain
from typing import Any

import sqlalchemy as sa

from ormolu.programs import Program, Write, atomically
from ormolu.writes import unsure
from ormolu.writes.arrays import array_maker
from ormolu.writes.binding import BindAll, make_bind_all
from ormolu.writes.collector import row_key
from ormolu.writes.conflicts import check_instances
from ormolu.writes.lists import ListPlan, array_type, takes_array
from ormolu.writes.statements import compile_ready, expression_value
from ormolu.writes.values import NeedsStatement, conversion, is_computed, is_expression
from ormolu.writes.writers import Writer, related_check, writer_for

__all__ = ["bulk_update"]

_MOST_ROWS = 250  # in one statement of VALUES
_MOST_CASES = 200
_SOURCE = "ormolu_v"


class _Plan:
    """The UPDATE of some columns: which way, its SQL, and how to bind rows (values first, then the key)."""

    __slots__ = ("bind_all", "fields", "sql", "way")

    def __init__(self, driver: Any, writer: Writer, fields: Sequence[Any]) -> None:
        self.fields = (*fields, *writer.keys)
        self.bind_all: BindAll = make_bind_all([conversion(driver, f) for f in self.fields])
        self.way = "case"
        self.sql = ""
        if driver.vendor == "postgresql" and all(takes_array(driver, f) for f in self.fields):
            self.way, self.sql = "unnest", _joined_sql(driver, writer, fields, _unnest(driver, self.fields))
        elif driver.vendor == "sqlite":
            # SQLite calls the columns of VALUES column1, column2, ...
            columns: list[Any] = [sa.column(f"column{n}") for n in range(1, len(self.fields) + 1)]
            source = sa.table(_SOURCE, *columns)
            self.way, self.sql = "values", _joined_sql(driver, writer, fields, source)

    def values_sql(self, count: int) -> str:
        """Return the SQL for `count` rows given as VALUES."""
        row = f"({', '.join('?' * len(self.fields))})"
        values = f"(VALUES {', '.join([row] * count)})"
        return self.sql.replace(f' FROM "{_SOURCE}" ', f' FROM {values} AS "{_SOURCE}" ', 1)


def bulk_update(
    driver: Any,
    model: Any,
    objs: Iterable[Any],
    fields: Iterable[str],
    batch_size: int | None = None,
    among: Callable[[list[Any]], Program[list[Any]]] | None = None,
    fill: Callable[[Any, list[Any], list[str]], Program[None]] | None = None,
) -> Program[int]:
    """Write these fields of the instances, all or none; return how many rows were found.

    `among` returns those instances whose rows may be written; None: all of them. `fill` loads columns of instances.

    One UPDATE a batch, joined with the new values (an array on PostgreSQL, VALUES on SQLite; a CASE elsewhere
    and where values are expressions). Each object counts once in a batch, as it was given first. No signals
    are sent and no pre_save() is called.

    Raises ValueError for no fields, key fields, an object without a key or with an unsaved related object;
    FieldDoesNotExist; DataError, ValueError or TypeError, naming model and field, for a value that does not
    fit, before anything is written.
    Source: Django's documentation, "QuerySet API reference", bulk_update().
    """
    if batch_size is not None and batch_size <= 0:
        raise ValueError("Batch size must be a positive integer.")
    names = list(fields)
    if not names:
        raise ValueError("Field names must be given to bulk_update().")
    instances = list(objs)
    writer = writer_for(driver, model)
    check_instances("bulk_update", writer.meta, instances)
    if any(None in [i.__dict__.get(name) for i in instances] for name in writer.key_names):
        raise ValueError("All bulk_update() objects must have a primary key set.")
    chosen = _check_fields(writer, names)
    if instances and among is not None:
        instances = yield from among(instances)
    if not instances:
        return 0
    check = related_check(chosen)
    if check is not None:
        for instance in instances:
            check("bulk_update", instance, instance.__dict__)
    # One table, unless some fields are those of a parent model.
    groups: list[list[tuple[str, Any]]] = []
    computed = False
    for table in (writer, *writer.all_parents):
        local = [f for f in chosen if f.attname in table.fields]
        if local:
            try:
                statements, some = _statements(table, local, instances, batch_size)
            except KeyError:  # a column that was deferred
                if fill is None:
                    raise
                yield from fill(driver, instances, [f.attname for f in local])
                statements, some = _statements(table, local, instances, batch_size)
            groups.append(statements)
            computed = computed or some
    if not groups:
        return 0  # generated columns, which follow the others by themselves
    eras: list[Any] = []
    if sum(map(len, groups)) == 1:
        counts = yield from _run_all(groups, eras)
    else:
        counts = yield from atomically(_run_all(groups, eras), savepoint=False)
    _mark(writer, chosen, instances, computed, unsure.open_one(eras))
    return max(counts)


def _check_fields(writer: Writer, names: Sequence[str]) -> list[Any]:
    meta = writer.meta
    chosen = [meta.pk if name == "pk" else meta.get_field(name) for name in names]
    if any(f.primary_key or f in writer.keys for f in chosen):
        raise ValueError("bulk_update() cannot be used with primary key fields.")
    if any(not f.concrete or f.many_to_many for f in chosen):
        raise ValueError("bulk_update() can only be used with concrete fields.")
    return list({f.attname: f for f in chosen}.values())


def _run_all(groups: Iterable[Iterable[tuple[str, Any]]], eras: list[Any]) -> Program[list[int]]:
    """Run the statements; return how many rows those of each table found. Their eras are added to the list."""
    counts: list[int] = []
    for statements in groups:
        count = 0
        for sql, params in statements:
            step = Write(sql, params)
            count += yield step
            eras.append(step.era)
        counts.append(count)
    return counts


def _statements(
    writer: Writer, fields: list[Any], instances: list[Any], batch_size: int | None
) -> tuple[list[tuple[str, Any]], bool]:
    """Return all statements with their parameters, and whether there are expressions among these.

    Every value is converted before the first statement is run.
    """
    driver = writer.driver
    key = ("update", writer.model, "bulk", tuple(f.attname for f in fields))
    plan: _Plan | None = driver.plans.get(key)
    if plan is None:
        plan = driver.plans[key] = _Plan(driver, writer, fields)
    found: list[tuple[str, Any]] = []
    computed = False
    for batch in _batches(writer, instances, _size(driver, plan, len(instances), batch_size)):
        try:
            rows = plan.bind_all(batch)
        except NeedsStatement:
            computed = True
            found += [_case(writer, fields, part) for part in _batches(writer, batch, _MOST_CASES)]
            continue
        if plan.way == "case":
            for start in range(0, len(rows), _MOST_CASES):
                found.append(_case_of_values(writer, fields, rows[start : start + _MOST_CASES]))
        elif plan.way == "unnest":
            found.append((plan.sql, array_maker(driver)(zip(*rows))))
        else:
            count = _rounded(len(rows), driver.max_params // len(plan.fields))
            rows += rows[-1:] * (count - len(rows))
            found.append((plan.values_sql(count), list(chain.from_iterable(rows))))
    return found, computed


def _size(driver: Any, plan: _Plan, length: int, batch_size: int | None) -> int:
    most = length
    if plan.way == "values":
        allowed: int = driver.max_params // len(plan.fields)
        most = max(1, min(_MOST_ROWS, allowed))
    return min(batch_size or most, most)


def _batches(writer: Writer, instances: Sequence[Any], size: int) -> Iterable[Sequence[Any]]:
    """Split into batches, each row once in a batch."""
    name = writer.pk_name
    for start in range(0, len(instances), size):
        part = instances[start : start + size] if size < len(instances) else instances
        keys = [i.__dict__[name] for i in part] if name else list(map(row_key, part))
        if len(set(keys)) == len(part):
            yield part
        else:
            found: dict[Any, Any] = {}
            for key, instance in zip(keys, part):
                found.setdefault(key, instance)
            yield list(found.values())


def _rounded(count: int, most: int) -> int:
    """Return a length that few statements are enough for."""
    size = 1
    while size < count:
        size *= 2
    return max(count, min(size, most))


def _joined_sql(driver: Any, writer: Writer, fields: Sequence[Any], source: Any) -> str:
    """Return UPDATE ... SET column = source.first FROM source WHERE key = source.last."""
    given = list(source.c)
    columns = {f.sa_column: column for f, column in zip(fields, given)}
    keys = [f.sa_column == column for f, column in zip(writer.keys, given[len(fields) :])]
    statement = sa.update(writer.meta.table).values(columns).where(*keys)
    return str(statement.compile(dialect=driver.dialect))


def _unnest(driver: Any, fields: Sequence[Any]) -> Any:
    arrays = [sa.bindparam(f"_a_{n}", type_=array_type(driver, f)) for n, f in enumerate(fields)]
    names = [f"c{n}" for n in range(len(fields))]
    return sa.func.unnest(*arrays).table_valued(*names).render_derived(name=_SOURCE)


def _case(writer: Writer, fields: Sequence[Any], instances: Sequence[Any]) -> tuple[str, Any]:
    """Return an UPDATE with a CASE for each column, for values that are expressions."""
    driver, model = writer.driver, writer.model
    ready: dict[str, Any] = {}

    def element(field: Any, value: Any) -> Any:
        if is_computed(value):
            return expression_value(driver, model, field, value)
        name = f"w_{len(ready)}"
        ready[name] = conversion(driver, field).convert(value)
        return sa.bindparam(name, type_=field.sa_column.type)

    conditions: list[Any] = []
    for instance in instances:
        keys = [f.sa_column == element(f, instance.__dict__[f.attname]) for f in writer.keys]
        conditions.append(keys[0] if len(keys) == 1 else sa.and_(*keys))
    values = [[element(f, instance.__dict__[f.attname]) for instance in instances] for f in fields]
    return compile_ready(driver, _update_cases(writer, fields, conditions, values), ready)


def _case_of_values(writer: Writer, fields: Sequence[Any], rows: list[Any]) -> tuple[str, Any]:
    """Return the same for rows of plain values, ready for the driver: their keys come last. The text is kept."""
    driver = writer.driver
    rows = rows + rows[-1:] * (_rounded(len(rows), _MOST_CASES) - len(rows))
    key = ("update", writer.model, "bulk", tuple(f.attname for f in fields), len(rows))
    plan: ListPlan | None = driver.plans.get(key)
    if plan is None:
        given = (*fields, *writer.keys)
        names = [[f"w_{row}_{column}" for column in range(len(given))] for row in range(len(rows))]
        columns = [
            [sa.bindparam(name, type_=f.sa_column.type) for name in column]
            for f, column in zip(given, zip(*names))
        ]
        conditions = [
            sa.and_(*(f.sa_column == value for f, value in zip(writer.keys, values)))
            for values in zip(*columns[len(fields) :])
        ]
        statement = _update_cases(writer, fields, conditions, columns[: len(fields)])
        compiled = statement.compile(dialect=driver.dialect)
        plan = driver.plans[key] = ListPlan(str(compiled), compiled.positiontup or ())
    ready = {f"w_{n}_{column}": value for n, row in enumerate(rows) for column, value in enumerate(row)}
    return plan.sql, tuple(ready[name] for name in plan.names)


def _update_cases(writer: Writer, fields: Sequence[Any], conditions: list[Any], values: Any) -> Any:
    """Return UPDATE ... SET column = CASE WHEN condition THEN value ... WHERE any of the conditions holds."""
    columns: dict[Any, Any] = {}
    for field, given in zip(fields, values):
        chosen: Any = sa.case(*zip(conditions, given))
        # PostgreSQL can't tell the type of a CASE whose values are all parameters.
        casts = writer.driver.vendor == "postgresql"
        columns[field.sa_column] = sa.cast(chosen, field.sa_column.type) if casts else chosen
    return sa.update(writer.meta.table).where(sa.or_(*conditions)).values(columns)


def _mark(writer: Writer, fields: Sequence[Any], instances: Iterable[Any], computed: bool, era: Any) -> None:
    """Note that these columns are written: no longer changed; what the database `computed` is not known."""
    names = [f.attname for f in fields]
    for instance in instances:
        d = instance.__dict__
        dirty = d.get("_dirty")
        if dirty is not None:
            for name in names:
                dirty.pop(name, None)
            if not dirty:
                del d["_dirty"]
        expressions: dict[str, Any] = {}
        if computed:
            # A column's default stays where nothing would load what it gave.
            told = is_computed if "_db" in d else is_expression
            expressions = {name: d.pop(name) for name in names if told(d.get(name))}
        if era is not None:
            unsure.note(d, era, names)
            unsure.note_computed(d, era, expressions)
        if writer.mutable:
            writer.remember(d, names)
