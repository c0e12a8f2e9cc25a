"""Find everything that a deletion concerns, before anything is written."""

from __future__ import annotations

import inspect
import weakref
from collections import deque
from collections.abc import Iterable, Sequence
from operator import attrgetter
from typing import Any

import sqlalchemy as sa

from ormolu.exceptions import ProtectedError, RestrictedError
from ormolu.fields.composite import TupleField, parts_of
from ormolu.programs import Await, Fetch, Program
from ormolu.signals import post_delete, pre_delete
from ormolu.writes.lists import about, chunks
from ormolu.writes.on_delete import CASCADE, DO_NOTHING, PROTECT, RESTRICT, OnDelete
from ormolu.writes.statements import compile_ready
from ormolu.writes.values import conversion, value_field


class Relation:
    """A foreign key that refers to a model of which rows are deleted. `by` is what it refers with: for several columns
    the field for tuples of them."""

    __slots__ = ("by", "field", "label", "model", "on_delete", "targets")

    def __init__(self, rel: Any) -> None:
        self.field = self.by = rel.field
        self.model = rel.field.model._meta.concrete_model
        self.on_delete = rel.field.remote_field.on_delete
        self.targets: tuple[str, ...] = tuple(f.attname for f in parts_of(rel.field.target_field))
        if self.field.column is None:  # a ForeignObject
            local = self.field.local_related_fields
            self.by = local[0] if len(local) == 1 else TupleField.of(self.field.name, self.model, local)
        self.label = f"'{rel.field.model.__name__}.{rel.field.name}'"

    def takes_unseen(self) -> bool:
        """Tell whether the rows can be deleted without being looked at."""
        if self.on_delete is not CASCADE or not _is_leaf(self.model):
            return False
        return all(link is self.field for _, link in delete_plan(self.model).parents)

    def needs_rows(self) -> bool:
        """Tell whether the policy must be told the rows."""
        policy = self.on_delete
        return policy.needs_rows(self.field) if isinstance(policy, OnDelete) else True


class DeletePlan:
    """What is to be known of a model when its rows are deleted."""

    __slots__ = ("generic", "needed", "parents", "relations", "version")

    def __init__(self, model: Any) -> None:
        meta = model._meta
        self.version = meta.apps.version
        # Those of the parents of a child model are followed from the parents' rows.
        rels = (rel for rel in meta.concrete_model._meta.reverse_relations if rel.is_usable)
        relations = [Relation(rel) for rel in rels if rel.field.remote_field.on_delete is not DO_NOTHING]
        self.relations = tuple(relations)
        self.parents = tuple(
            (parent._meta.concrete_model, link)
            for parent, link in meta.concrete_model._meta.parents.items()
            if link is not None
        )
        # Objects that refer to these by a generic key, where a GenericRelation says so: they are deleted, too.
        private = meta.concrete_model._meta.private_fields
        self.generic = tuple(f for f in private if getattr(f, "deletes_related", False))
        attnames = {f.attname for f in meta.pk_fields}.union(*(relation.targets for relation in relations))
        attnames.update(link.attname for _, link in self.parents)
        self.needed = tuple(f for f in meta.concrete_fields if f.attname in attnames)


_plans: weakref.WeakKeyDictionary[Any, DeletePlan] = weakref.WeakKeyDictionary()


def delete_plan(model: Any) -> DeletePlan:
    """Return the plan of a model; made anew when models were added since."""
    plan = _plans.get(model)
    if plan is None or plan.version != model._meta.apps.version:
        plan = _plans[model] = DeletePlan(model)
    return plan


def has_signals(model: Any) -> bool:
    """Tell whether somebody listens to deletions of a model."""
    if not (pre_delete.receivers or post_delete.receivers) or model._meta.auto_created:
        return False
    return pre_delete.has_listeners(model) or post_delete.has_listeners(model)


def can_fast_delete(model: Any) -> bool:
    """Tell whether rows can be deleted unseen: nothing refers to them, and nobody listens."""
    return not delete_plan(model).parents and _is_leaf(model)


def _is_leaf(model: Any) -> bool:
    plan = delete_plan(model)
    return not plan.relations and not plan.generic and not has_signals(model)


class Work:
    """Rows of a model to be deleted, whose relations are still to be followed."""

    __slots__ = ("first", "model", "rows")

    def __init__(self, model: Any, rows: Sequence[Any], first: str) -> None:
        self.model = model
        self.rows = rows
        self.first = first  # the relation that led away from the rows the caller named


class Collector:
    """The rows to delete, by model; the columns to set; what stands in the way.

    The policies of on_delete call cascade(), protect(), restrict() and assign().
    """

    def __init__(self, driver: Any, keep_parents: bool = False) -> None:
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
        """Delete these rows, too."""
        if objs:
            self.add(type(objs[0]), objs, self._first(None))

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
        self._refuse(model)

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
            self.add(parent, make_rows(self.driver, parent, fields, [(key,) for key in keys]), work.first)
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
        reported = relation.on_delete in (PROTECT, RESTRICT) or relation.on_delete is not CASCADE
        fields = model._meta.concrete_fields
        if not (reported or has_signals(model)):
            fields = delete_plan(model).needed
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


def load_selected(driver: Any, model: Any, select: Any) -> Program[list[Any]]:
    """Load the rows whose keys a Select gives (all for None), with the columns that deletion needs."""
    fields = model._meta.concrete_fields if has_signals(model) else delete_plan(model).needed
    statement = sa.select(*(f.sa_column for f in fields)).select_from(tables_of(model, fields))
    if select is not None:
        statement = statement.where(among(model, select))
    sql, params = compile_ready(driver, statement, {})
    return make_rows(driver, model, fields, (yield Fetch(sql, params)))


def among(model: Any, select: Any) -> Any:
    """Return the condition that a row's key is among those of a Select."""
    keys = [f.sa_column for f in model._meta.pk_fields]
    return (keys[0] if len(keys) == 1 else sa.tuple_(*keys)).in_(select)


def _refusal(model: Any, how: str, relations: Iterable[str]) -> str:
    return (
        f"Cannot delete some instances of model {model.__name__!r} because they are referenced through {how} "
        f"foreign keys: {', '.join(relations)}."
    )
