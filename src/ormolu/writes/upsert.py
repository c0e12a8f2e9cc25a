"""bulk_upsert(): insert rows, and update those that are there already."""

from __future__ import annotations

import datetime
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from ormolu.exceptions import EmptyResultSet, FullResultSet, NotSupportedError
from ormolu.programs import Program, atomically
from ormolu.writes.bulk import check_batch_size, prepared
from ormolu.writes.conflicts import Conflict, check_updated, fields_named
from ormolu.writes.located import Located
from ormolu.writes.many import Insertion
from ormolu.writes.statements import expression_value
from ormolu.writes.targets import Target, find_target
from ormolu.writes.values import conversion, is_expression
from ormolu.writes.writers import Writer, writer_for

__all__ = ["Upserted", "bulk_upsert"]

M = TypeVar("M")
_MOST = 5_000  # objects at a time
_PLAIN = frozenset(
    {int, str, uuid.UUID, datetime.date}
)  # values that are the same in the database if they are here
_COUNTS_ALL = ("mysql", "mariadb")  # a row that is left as it was among the changed ones


@dataclass(slots=True)
class Upserted(Generic[M]):
    """What `bulk_upsert()` did: all objects in the order they were given, and what became of each.

    `inserted` have new rows, `updated` rows that were there and were changed, `unchanged` rows that were there and were
    not to be changed. All have their keys. Objects that were inserted or updated hold what their rows hold.
    """

    objects: list[M] = field(default_factory=list[Any])
    inserted: list[M] = field(default_factory=list[Any])
    updated: list[M] = field(default_factory=list[Any])
    unchanged: list[M] = field(default_factory=list[Any])

    def __len__(self) -> int:
        return len(self.objects)

    def __iter__(self) -> Iterator[M]:
        return iter(self.objects)

    def __iadd__(self, other: Upserted[M]) -> Upserted[M]:
        self.objects += other.objects
        self.inserted += other.inserted
        self.updated += other.updated
        self.unchanged += other.unchanged
        return self


def bulk_upsert(
    driver: Any,
    model: Any,
    objs: Iterable[Any],
    *,
    unique_fields: Iterable[str] | None = None,
    constraint: str | None = None,
    update_fields: Iterable[str] | Mapping[str, Any] | None = None,
    where: Any = None,
    batch_size: int | None = None,
    returning: bool = True,
) -> Program[Any]:
    """Insert objects or dictionaries; where a row with the same unique fields is there, update that. All or none.

    See `QuerySet.bulk_upsert()`.
    """
    check_batch_size(batch_size)
    writer = writer_for(driver, model)
    if writer.parents:
        raise ValueError("Can't bulk upsert a multi-table inherited model")
    given: list[Any] = list(objs)
    rows: list[Any] = [row for row in given if isinstance(row, Mapping)]
    instances = [_instance(model, row) for row in given]
    keyed = any(i.__dict__.get(name) is not None for i in instances for name in writer.key_names)
    target = find_target(driver, model, unique_fields, constraint, keyed)
    updates, computed = _updates(writer, target, update_fields, rows if len(rows) == len(given) else [])
    conflict = _conflict(writer, target, updates, computed, where)
    result: Upserted[Any] = Upserted(instances)
    if not instances:
        return result if returning else 0
    work = _Work(writer, target, conflict, result, batch_size, returning)
    yield from work.run()
    if writer.version is not None:  # counted up, who knows how often, where it isn't among what came back
        for instance in result.unchanged if writer.version in work.behind else result.objects:
            instance.__dict__.pop(writer.version.attname, None)
    return result if returning else work.count


def _instance(model: Any, row: Any) -> Any:
    if isinstance(row, Mapping):
        return model(**row)
    if not isinstance(row, model._meta.concrete_model):
        raise TypeError(
            f"bulk_upsert() of {model._meta.object_name} takes its instances, or dictionaries, not {row!r}."
        )
    return row


def _updates(
    writer: Writer,
    target: Target,
    wanted: Iterable[str] | Mapping[str, Any] | None,
    rows: Sequence[Mapping[str, Any]],
) -> tuple[tuple[Any, ...], dict[Any, Any]]:
    """Return the fields that are updated, and the expressions for some of them."""
    meta = writer.meta
    if wanted is None:
        names: set[str] | None = None
        if rows:
            names = set(rows[0])
            if any(set(row) != names for row in rows):
                raise ValueError(
                    "bulk_upsert() of dictionaries with different keys must be told which fields to update "
                    "(update_fields)."
                )
        rest = (f for f in writer.fields.values() if f not in target.fields and f is not writer.version)
        chosen = [f for f in rest if not _only_when_added(f)]
        if names is not None:
            chosen = [
                f for f in chosen if f.name in names or f.attname in names or getattr(f, "auto_now", False)
            ]
        return tuple(chosen), {}
    given: Any = wanted
    expressions: dict[str, Any] = dict(given) if isinstance(wanted, Mapping) else {}
    fields = fields_named(writer.model, given)
    check_updated("bulk_upsert", writer.model, fields)
    by_field: dict[Any, Any] = {}
    for name, value in expressions.items():
        (found,) = fields_named(writer.model, [name])
        if not is_expression(value):
            raise TypeError(
                f"bulk_upsert() updates {meta.object_name}.{name} by an expression (F, Proposed, a function), "
                f"not by {value!r}; say Value({value!r})."
            )
        by_field[found] = value
    return fields, by_field


def _only_when_added(found: Any) -> bool:
    return bool(getattr(found, "auto_now_add", False)) and not getattr(found, "auto_now", False)


def _conflict(
    writer: Writer, target: Target, updates: tuple[Any, ...], computed: dict[Any, Any], where: Any
) -> Conflict:
    driver, model = writer.driver, writer.model
    elements = {f: expression_value(driver, model, f, value) for f, value in computed.items()}
    condition: Any = None
    if where is not None:
        if driver.vendor in ("mysql", "mariadb"):
            raise NotSupportedError(
                "This database has no condition (where=) for the update of an upsert. Use expressions."
            )
        from ormolu.compile.values import sql_condition

        try:
            condition = sql_condition(driver, model, where)
        except FullResultSet:
            condition = None
        except EmptyResultSet:
            updates = ()
    return Conflict(
        bool(updates),
        updates,
        target.elements,
        within=target.within,
        assignments=elements,
        where=condition,
        explicit=True,
    )


class _Work:
    """The upsert of some objects: batches in which no row comes twice, and what became of each object."""

    def __init__(
        self,
        writer: Writer,
        target: Target,
        conflict: Conflict,
        result: Upserted[Any],
        batch_size: int | None,
        returning: bool,
    ) -> None:
        self.writer = writer
        self.driver = writer.driver
        self.target = target
        self.conflict = conflict
        self.result = result
        self.batch_size = batch_size
        self.returning = returning
        self.count = 0
        self.returns = returning and bool(self.driver.dialect.insert_returning)
        # Every row comes back, in order; else only those that were changed.
        vendor = self.driver.vendor
        self.complete = (
            self.returns and conflict.where is None and (conflict.updates or vendor in ("mysql", "mariadb"))
        )
        if returning and not self.complete and not target.plain:
            raise NotSupportedError(
                "bulk_upsert() can't tell which rows a constraint with a condition or expressions has left alone. "
                "Give unique_fields, or ask for no result (returning=False)."
            )
        # What rows hold that objects may not: columns that keep their old values, and those computed.
        kept = [
            f for f in writer.fields.values() if f not in conflict.update_fields or f in conflict.assignments
        ]
        self.behind = [f for f in kept if f not in target.fields] if self.returns and conflict.updates else []

    def run(self) -> Program[None]:
        batches = list(self._batches())
        first = yield from self._insertions(batches[0])
        if (
            len(batches) == 1
            and len(first) == 1
            and first[0].is_single()
            and self._is_one_statement(first[0])
        ):
            yield from self._one(first[0])
            return
        # On SQLite what is read before must not be old when it is written.
        immediate = self.driver.vendor == "sqlite"
        yield from atomically(self._all(first, batches[1:]), savepoint=False, immediate=immediate)

    def _is_one_statement(self, insertion: Insertion) -> bool:
        if self.returning:
            return self.complete and bool(insertion.tells)
        return self.conflict.updates or self.driver.vendor not in _COUNTS_ALL

    def _all(self, first: list[Insertion], batches: Sequence[list[Any]]) -> Program[None]:
        for insertion in first:
            yield from self._one(insertion)
        for batch in batches:
            for insertion in (yield from self._insertions(batch)):
                yield from self._one(insertion)

    def _batches(self) -> Iterator[list[Any]]:
        """Split so that no row comes twice in a batch: the later one finds what the earlier one left."""
        size = min(self.batch_size or _MOST, _MOST)
        instances = self.result.objects
        if self._all_different():
            for start in range(0, len(instances), size):
                yield instances[start : start + size]
            return
        converts = [(f.attname, conversion(self.driver, f).convert) for f in self.target.fields]
        batch: list[Any] = []
        seen: set[Any] = set()
        for instance in instances:
            d = instance.__dict__
            key: Any = tuple([_hashable(convert, d.get(name)) for name, convert in converts])
            if len(batch) >= size or (converts and key in seen and None not in key):
                yield batch
                batch, seen = [], set()
            seen.add(key)
            batch.append(instance)
        yield batch

    def _all_different(self) -> bool:
        """Tell whether no two objects stand for the same row, as far as that can be seen at once."""
        columns: list[list[Any]] = []
        for part in self.target.fields:
            columns.append([i.__dict__.get(part.attname) for i in self.result.objects])
            exact = conversion(self.driver, part).exact
            if exact not in _PLAIN or set(map(type, columns[-1])) != {exact}:
                return False
        keys: list[Any] = columns[0] if len(columns) == 1 else list(zip(*columns))
        return len(set(keys)) == len(self.result.objects)

    def _insertions(self, batch: list[Any]) -> Program[list[Insertion]]:
        """Return the insertions of a batch. Rows with a NULL among the unique fields are new, whatever there is."""
        names = [f.attname for f in self.target.fields]
        new: list[Any] = []
        if not self.complete and self.returning and not all(f.primary_key for f in self.target.fields):
            new = [i for i in batch if any(i.__dict__.get(name) is None for name in names)]
        if new:
            chosen = set(map(id, new))
            batch = [i for i in batch if id(i) not in chosen]
        found: list[Insertion] = []
        if batch:
            apart = self.returning and not self.complete
            found += yield from self._prepared(batch, self.conflict, behind=self.behind, apart=apart)
        if new:
            found += yield from self._prepared(new, None)
        return found

    def _prepared(
        self, part: list[Any], conflict: Conflict | None, **options: Any
    ) -> Program[list[Insertion]]:
        return prepared(
            self.writer, part, conflict, self.batch_size, self.returning, "bulk_upsert", **options
        )

    def _one(self, insertion: Insertion) -> Program[None]:
        instances = insertion.instances
        located = Located(self.writer, self.target.fields)
        if insertion.conflict is None or not self.returning:
            there: dict[Any, Any] = {}
            if self.driver.vendor in _COUNTS_ALL and not self.conflict.updates:
                there = yield from located.keys(instances)
            yield from insertion.run()
            self.count += len(instances) - len(there) if there else insertion.count
            self.result.inserted += instances
            return
        before: Any = () if insertion.tells else (yield from self._before(insertion, located))
        yield from insertion.run()
        if not self.complete:
            yield from self._settle_apart(located, insertion, before)
            return
        fresh = [row[-1] for row in insertion.found] if insertion.tells else self._fresh(instances, before)
        rest = self.result.updated if self.conflict.updates else self.result.unchanged
        for instance, new in zip(instances, fresh, strict=True):
            (self.result.inserted if new else rest).append(instance)

    def _before(self, insertion: Insertion, located: Located) -> Program[Any]:
        """Return the keys of the rows that are there; on SQLite the greatest key, which new ones exceed."""
        if insertion.generated and self.driver.vendor == "sqlite" and self.complete:
            return (yield from located.greatest())
        return set((yield from located.keys(insertion.instances)).values())

    def _fresh(self, instances: Sequence[Any], before: Any) -> list[bool]:
        """Tell for each object whether its key was not there before."""
        keys = [tuple([i.__dict__[f.attname] for f in self.writer.keys]) for i in instances]
        if isinstance(before, set):
            return [key not in before for key in keys]
        return [before is None or key[0] > before for key in keys]

    def _settle_apart(self, located: Located, insertion: Insertion, before: Any) -> Program[None]:
        """Find the rows of all objects by their unique fields, and compare with what came back."""
        rows: dict[int, tuple[Any, ...]] = yield from located.keys(insertion.instances)
        loads = located.loads
        came = {
            tuple([part if load is None else load(part) for part, load in zip(row, loads)]): row
            for row in insertion.found
        }
        names = [f.attname for f in self.writer.keys]
        result = self.result
        for number, instance in enumerate(insertion.instances):
            key = rows.get(number)
            if key is None:
                continue  # gone again, by a trigger or another transaction
            row = came.get(key)
            instance.__dict__.update(zip(names, key))
            if row is not None and insertion.tells:
                new = bool(row[-1])
            else:
                new = key not in before if not insertion.tells else False
            changed = row is not None or (not self.returns and self.conflict.updates)
            if not new and not changed:
                result.unchanged.append(instance)
                continue
            (result.inserted if new else result.updated).append(instance)
            insertion.arrived(instance, row)


def _hashable(convert: Any, value: Any) -> Any:
    """Return a value as the driver takes it, to compare rows by."""
    ready = None if value is None else convert(value)
    try:
        hash(ready)
    except TypeError:
        return repr(ready)
    return ready
