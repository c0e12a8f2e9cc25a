"""Find everything that a deletion concerns, before anything is written."""

from __future__ import annotations

import inspect
from collections import deque
from collections.abc import Iterable, Sequence
from operator import attrgetter
from typing import Any

import sqlalchemy as sa

from ormolu import databases
from ormolu.exceptions import ProtectedError, RestrictedError
from ormolu.fields.composite import TupleField
from ormolu.programs import Await, Fetch, Program
from ormolu.writes.delete_plans import DeletePlan, Relation, can_fast_delete, delete_plan, has_signals
from ormolu.writes.lists import about, chunks
from ormolu.writes.values import conversion, value_field


class Work:
    """Rows of a model to be deleted, whose relations are still to be followed."""

    __slots__ = ("first", "model", "rows")

    def __init__(self, model: Any, rows: Sequence[Any], first: str) -> None:
        self.model = model
        self.rows = rows
        self.first = first  # the relation that led away from the rows the caller named


class Collector:
    """The rows to delete, by model; the columns to set; what stands in the way.

    The policies of on_delete call cascade(), protect(), restrict() and assign(). Outside of a deletion it shows what
    one would do: `Collector(using="default")`, then `collect([...])`, then `data` and `updates`.
    """

    def __init__(self, driver: Any = None, keep_parents: bool = False, *, using: str = "default") -> None:
        if driver is None:
            driver = databases.get(using).driver
        self.driver = driver
        self.keep_parents = keep_parents
        self.using: str = driver.database.alias
        self.data: dict[Any, dict[Any, Any]] = {}
        self.unseen: list[tuple[Any, list[Any], list[list[Any]]]] = []  # model, its keys, values of each
        # pairs of field and new value, by which field, its values
        self.updates: list[tuple[list[tuple[Any, Any]], Any, list[Any]]] = []
        self.protected: dict[str, list[Any]] = {}
        self.restricted: dict[Relation, list[Any]] = {}
        self._queue: deque[Work] = deque()
        self._work: Work | None = None
        self._relation: Relation | None = None
        self._assigned: list[tuple[Any, Sequence[Any], Any]] = []

    def can_fast_delete(self, objs: Any) -> bool:
        """Tell whether an object, or the rows of a queryset, can be deleted with one DELETE and nothing loaded."""
        return can_fast_delete(getattr(objs, "model", None) or type(objs))

    def add(self, model: Any, rows: Iterable[Any], first: str = "") -> None:
        """Take rows for deletion, those not taken yet."""
        model = model._meta.concrete_model
        known = self.data.setdefault(model, {})
        new: list[Any] = []
        for row in rows:
            key = row_key(row)
            if key not in known:
                known[key] = row
                new.append(row)
        if new:
            self._queue.append(Work(model, new, first))

    # What the policies of on_delete tell us

    def cascade(self, field: Any, rows: Sequence[Any]) -> None:
        """Delete the rows, too."""
        self.add(field.model, rows, self._first(field))

    def protect(self, field: Any, rows: Sequence[Any]) -> None:
        """Refuse the deletion because of these rows."""
        self.protected.setdefault(self._first(field), []).extend(rows)

    def restrict(self, field: Any, rows: Sequence[Any]) -> None:
        """Refuse the deletion unless these rows are deleted as well."""
        assert self._relation is not None
        self.restricted.setdefault(self._relation, []).extend(rows)

    def assign(self, field: Any, rows: Sequence[Any], value: Any) -> None:
        """Set the rows' key to a value, which may be an awaitable of it."""
        self._assigned.append((field, rows, value))

    # Django's names of two of these, for handlers of one's own

    def collect(self, objs: Sequence[Any], **options: Any) -> None:
        """Delete these rows, too.

        Outside of a deletion: find all that would go with them. Raises ProtectedError or RestrictedError.
        """
        if not objs:
            return
        model: Any = objs[0].__class__
        self.add(model, objs, self._first(None))
        if self._work is None:
            self.driver.run(self._search_alone, model)

    def add_field_update(self, field: Any, value: Any, objs: Sequence[Any]) -> None:
        """Set the rows' key to a value."""
        self.assign(field, objs, value)

    # The search

    def search(self, model: Any) -> Program[None]:
        """Follow all relations. Raises ProtectedError or RestrictedError, naming relations and rows."""
        while self._queue:
            self._work = work = self._queue.popleft()
            unseen: dict[Any, tuple[list[Any], list[list[Any]]]] = {}
            plan = delete_plan(work.model)
            yield from self._complete(plan, work)
            for parent, link in () if self.keep_parents else plan.parents:
                yield from self._take_parents(parent, link, work)
            for relation in plan.relations:
                values = values_of(work.rows, *relation.targets)
                if not values or self._is_way_back(relation, values):
                    continue
                if relation.takes_unseen():
                    fields, lists = unseen.setdefault(relation.model, ([], []))
                    fields.append(relation.by)
                    lists.append(values)
                else:
                    yield from self._follow(relation, values)
            for field in plan.generic:
                yield from self._take_generic(field, work)
            self.unseen.extend((child, *parts) for child, parts in unseen.items())
        self._work = None
        self._refuse(model)

    def _search_alone(self, _driver: Any, model: Any) -> Program[None]:
        return self.search(model)

    def _complete(self, plan: DeletePlan, work: Work) -> Program[None]:
        """Load what relations refer to where the caller's objects lack it (`only()`, `defer()`)."""
        lacking = {
            row_key(row): row.__dict__
            for row in work.rows
            if any(f.attname not in row.__dict__ for f in plan.needed)
        }
        if not lacking:
            return
        pk = work.model._meta.pk
        for part in chunks(self.driver, list(lacking), len(work.model._meta.pk_fields)):
            for row in (yield from self._select(work.model, plan.needed, pk, part)):
                values = lacking[row_key(row)]
                for field in plan.needed:
                    values.setdefault(field.attname, row.__dict__[field.attname])

    def _follow(self, relation: Relation, values: list[Any]) -> Program[None]:
        """Apply a relation's policy to the rows that refer to these values."""
        self._relation = relation
        rows: list[Any] = []
        if relation.needs_rows():
            rows = yield from self.load(relation, values)
            if not rows:
                return
        relation.on_delete(self, relation.field, rows, self.using)
        for field, chosen, value in self._assigned:
            if inspect.isawaitable(value):
                value = yield Await(lambda value=value: value)  # type: ignore[misc]
            pairs = parted(field, value)
            if chosen:
                self.updates.append((pairs, field.model._meta.pk, [row_key(row) for row in chosen]))
            else:
                self.updates.append((pairs, relation.by, values))
        self._assigned.clear()

    def _take_parents(self, parent: Any, link: Any, work: Work) -> Program[None]:
        """Take the rows that a child model's rows have in a parent's table."""
        keys = values_of(work.rows, link.attname)
        target = link.target_field
        fields = parent._meta.concrete_fields if has_signals(parent) else delete_plan(parent).needed
        if len(fields) == 1:
            self.add(parent, rows_of_keys(parent, fields[0].attname, keys, self.using), work.first)
            return
        for part in chunks(self.driver, keys):
            rows = yield from self._select(parent, fields, target, part)
            self.add(parent, rows, work.first)

    def _take_generic(self, field: Any, work: Work) -> Program[None]:
        """Take the rows that refer to these ones by a generic key."""
        model = field.related_model._meta.concrete_model
        fields = model._meta.concrete_fields if has_signals(model) else delete_plan(model).needed
        by, restriction = field.object_id, field.path_infos()[0].restriction
        source = tables_of(model, [*fields, by])
        select = sa.select(*(f.sa_column for f in fields)).select_from(source)
        select = select.where(restriction.column == restriction.value)
        purpose = f"load {len(fields)} of {field.model._meta.label}.{field.name}"
        for part in chunks(self.driver, values_of(work.rows, work.model._meta.pk.attname)):
            sql, params = about(self.driver, model, purpose, [by], [part], select.where)
            rows = make_rows(self.driver, model, fields, (yield Fetch(sql, params)))
            self.add(model, rows, work.first or f"'{field.model.__name__}.{field.name}'")

    def _is_way_back(self, relation: Relation, values: list[Any]) -> bool:
        """Tell whether a relation leads from parents' rows to the children that they were found by."""
        if not relation.field.remote_field.parent_link:
            return False
        known = self.data.get(relation.model, {})
        return relation.field.primary_key and all(value in known for value in values)

    def _select(
        self, model: Any, fields: Sequence[Any], by: Any, values: Sequence[Any]
    ) -> Program[list[Any]]:
        columns = [f.sa_column for f in fields]
        select = sa.select(*columns).select_from(tables_of(model, fields))
        purpose = f"load {len(columns)}"
        sql, params = about(self.driver, model, purpose, [by], [values], select.where)
        return make_rows(self.driver, model, fields, (yield Fetch(sql, params)))

    def load(self, relation: Relation, values: list[Any]) -> Program[list[Any]]:
        """Load the rows that refer to these values: all columns if somebody will see them, else the keys."""
        model = relation.model
        seen = relation.shows_rows() or has_signals(model)
        fields = model._meta.concrete_fields if seen else delete_plan(model).needed
        found: list[Any] = []
        for part in chunks(self.driver, values, len(relation.targets)):
            found += yield from self._select(model, fields, relation.by, part)
        return found

    def _refuse(self, model: Any) -> None:
        if self.protected:
            objects = {row for rows in self.protected.values() for row in rows}
            raise ProtectedError(_refusal(model, "protected", self.protected), objects)
        remaining: dict[str, list[Any]] = {}
        for relation, rows in self.restricted.items():
            kept = [row for row in rows if not self.is_deleted(relation.model, row)]
            if kept:
                remaining.setdefault(relation.label, []).extend(kept)
        if remaining:
            objects = {row for rows in remaining.values() for row in rows}
            raise RestrictedError(_refusal(model, "restricted", remaining), objects)

    def is_deleted(self, model: Any, row: Any) -> bool:
        """Tell whether a row is among those to be deleted."""
        if row_key(row) in self.data.get(model, {}):
            return True
        for child, fields, lists in self.unseen:
            if child is model and any(key_by(row, f) in set(v) for f, v in zip(fields, lists)):
                return True
        return False

    def _first(self, field: Any) -> str:
        if self._work is not None and self._work.first:
            return self._work.first
        return f"'{field.model.__name__}.{field.name}'" if field is not None else ""


def row_key(row: Any) -> Any:
    """Return the primary key of an instance: a value, or a tuple of several."""
    fields = row._meta.pk_fields
    if len(fields) == 1:
        return row.__dict__[fields[0].attname]
    return tuple(row.__dict__[f.attname] for f in fields)


def tables_of(model: Any, fields: Iterable[Any]) -> Any:
    """Return the table that fields of a model are in, joined with those of its parents where some are there."""
    meta = model._meta
    source = meta.table
    if all(f.sa_column.table is source for f in fields):
        return source
    pending = list(meta.parents.items())
    for parent, link in pending:
        if link is not None:
            source = source.join(parent._meta.table, link.sa_column == link.target_field.sa_column)
        pending.extend(parent._meta.parents.items())
    return source


def values_of(rows: Iterable[Any], *attnames: str) -> list[Any]:
    """Return the different values of an attribute, or tuples of those of several; without what is None."""
    values: dict[Any, None] = dict.fromkeys(map(attrgetter(*attnames), rows))
    if len(attnames) > 1:
        return [value for value in values if None not in value]
    values.pop(None, None)
    return list(values)


def key_by(row: Any, field: Any) -> Any:
    """Return a row's value of a field, a tuple for a field of tuples."""
    if isinstance(field, TupleField):
        return tuple(row.__dict__[part.attname] for part in field.fields)
    return row.__dict__[field.attname]


def parted(field: Any, value: Any) -> list[tuple[Any, Any]]:
    """Return what the columns of a relation are set to: pairs of field and value."""
    if field.column is None:  # a ForeignObject
        return field.assigned(value)  # type: ignore[no-any-return]
    if hasattr(value, "_meta"):
        value = getattr(value, field.target_field.attname)
    return [(field, value)]


def make_rows(driver: Any, model: Any, fields: Sequence[Any], rows: Iterable[Sequence[Any]]) -> list[Any]:
    """Return instances of a model that have these columns loaded."""
    loads = [(f.attname, conversion(driver, f).load, value_field(f).immutable) for f in fields]
    alias = driver.database.alias
    found: list[Any] = []
    for row in rows:
        instance = object.__new__(model)
        d: dict[str, Any] = instance.__dict__
        for (attname, load, immutable), value in zip(loads, row):
            d[attname] = value if load is None or value is None else load(value)
            if not immutable:
                d.setdefault("_raw", {})[attname] = value
        d["_db"] = alias
        found.append(instance)
    return found


def rows_of_keys(model: Any, attname: str, keys: Iterable[Any], alias: str) -> list[Any]:
    """Return instances of a model of which the key alone is known, as it stands on objects."""
    found: list[Any] = []
    for key in keys:
        instance = object.__new__(model)
        instance.__dict__.update({attname: key, "_db": alias})
        found.append(instance)
    return found


def _refusal(model: Any, how: str, relations: Iterable[str]) -> str:
    return (
        f"Cannot delete some instances of model {model.__name__!r} because they are referenced through {how} "
        f"foreign keys: {', '.join(relations)}."
    )
