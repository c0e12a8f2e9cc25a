"""What save() knows about a model on one driver: its plans, and which fields need which care."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy.orm import PassiveFlag, RelationshipDirection
from sqlalchemy.orm.attributes import get_history

from ormolu.conf import settings
from ormolu.fields.base import overridden
from ormolu.writes.places import Places
from ormolu.writes.statements import (
    InsertPlan,
    KeyPlan,
    UpdatePlan,
    delete_one,
    has_pre_save,
    select_one,
    select_version,
)
from ormolu.writes.values import (
    conversion,
    freeze,
    has_database_default,
    is_expression,
    is_generated,
    value_field,
)

_KEY_MAKER = "get_pk_value_on_save"
_MOST_UPDATES = 500  # plans for one model; a caller that writes ever new sets of columns starts again there


class Image:
    """What a mutable value was when it was last written: it stands in `_raw` for the raw database value."""

    __slots__ = ("frozen",)

    def __init__(self, frozen: Any) -> None:
        self.frozen = frozen


class Writer:
    """The plans of a model on a driver."""

    def __init__(self, driver: Any, model: Any, as_it_is: bool = False) -> None:
        meta = model._meta
        self.as_it_is = as_it_is
        self.driver = driver
        self.model = model
        self.meta = meta
        self.alias: str = driver.database.alias
        self.keys: tuple[Any, ...] = tuple(meta.pk_fields)
        self.pk: Any = self.keys[0] if len(self.keys) == 1 else None
        self.pk_name: str = self.pk.attname if self.pk is not None else ""
        self.key_names = frozenset(field.attname for field in self.keys)
        # A child of a concrete model has its parents' fields, but these are in other tables.
        local = (f for f in meta.concrete_fields if f.sa_column.table is meta.table)
        rest = [f for f in local if f.attname not in self.key_names]
        # What the database computes: never written, read back instead.
        self.generated = tuple(f for f in rest if getattr(f, "generated", False))
        rest = [f for f in rest if f not in self.generated]
        self.fields: dict[str, Any] = {f.attname: f for f in rest}
        # What counts the changes of a row, and is never written but by that; None if it is in a parent's table.
        self.version: Any = next((f for f in rest if f is meta.version), None)
        self.names = tuple(f.attname for f in rest if f is not self.version)
        # Not auto_now_add: pre_save() only reads it once the row exists.
        stamped = (f for f in self.fields.values() if has_pre_save(f) and not _only_when_added(f))
        self.stamped = () if as_it_is else tuple(stamped)
        self.mutable = tuple(f for f in self.fields.values() if not value_field(f).immutable)
        self.plain = not self.stamped and not self.mutable
        # Whether an UPDATE is all there is to an update.
        self.usual = not (self.generated or self.mutable or meta.select_on_save or self.version is not None)
        self.pk_generated = self.pk is not None and is_generated(self.pk)
        # What a user's class makes of the key that the database gave.
        self.load_key = conversion(driver, self.pk).load if self.pk_generated else None
        self.default_keys = tuple(
            f for f in self.keys if f.has_default() or overridden(f.__class__, _KEY_MAKER)
        )
        self.pk_given = all(f.has_default() or has_database_default(f) for f in self.keys)
        lineage = (meta.concrete_model, *meta.concrete_model._meta.all_parents)
        plain = (f for model in lineage for f in model._meta.private_fields if hasattr(f, "prop"))
        fields = (*meta.concrete_fields, *meta.object_fields, *plain)
        self.check_related = None if as_it_is else related_check(fields)
        wanted = settings.VALIDATE_ON_SAVE if meta.validate_on_save is None else meta.validate_on_save
        self.validates: bool | str = False if as_it_is else wanted
        # Files: their content goes to a storage first, which may take long.
        self.files = (
            () if as_it_is else tuple(f for f in meta.concrete_fields if hasattr(f, "waits_for_storage"))
        )
        # Generic keys: what stands in their columns may have to be asked of the database first.
        self.generic = tuple(f for f in meta.virtual_fields if hasattr(f, "settle"))
        self.parents = (
            ()
            if as_it_is
            else tuple(
                (writer_for(driver, parent._meta.concrete_model), link)
                for parent, link in meta.concrete_model._meta.parents.items()
                if link is not None
            )
        )
        # Whether a save has more to do than to write one row.
        self.laborious = bool(self.validates or self.files or self.generic or self.parents)
        # What gives new rows their place, where they have one among those that refer to the same object.
        self.places = Places(driver, meta) if meta.order_fields else None
        self.updates: dict[tuple[str, ...], UpdatePlan] = {}
        self.inserts: dict[tuple[str, ...], InsertPlan] = {}
        self.insert_new: InsertPlan | None = None  # without the primary key
        self.insert_keyed: InsertPlan | None = None  # with it
        self._delete: KeyPlan | None = None
        self._select: KeyPlan | None = None
        self._select_version: KeyPlan | None = None

    @property
    def raw(self) -> Writer:
        """The writer that takes values as they are, for the own table alone."""
        key = ("raw", self.model)
        found: Writer | None = self.driver.plans.get(key)
        if found is None:
            found = self.driver.plans[key] = Writer(self.driver, self.model, as_it_is=True)
        return found

    @property
    def all_parents(self) -> tuple[Writer, ...]:
        """The writers of all tables that an instance has rows in beside this one, roots first."""
        found: dict[int, Writer] = {}
        for parent, _ in self.parents:
            found.update((id(writer), writer) for writer in (*parent.all_parents, parent))
        return tuple(found.values())

    def update(self, names: tuple[str, ...]) -> UpdatePlan:
        """Return the plan that writes these columns."""
        plan = self.updates.get(names)
        if plan is None:
            if len(self.updates) >= _MOST_UPDATES:
                self.updates.clear()
            returning = self.generated if self.driver.dialect.update_returning else ()
            fields = [self.fields[name] for name in names]
            plan = UpdatePlan(self.driver, self.model, fields, returning, self.version)
            self.updates[names] = plan
        return plan

    def insert(self, fields: Sequence[Any], returning: Sequence[Any]) -> InsertPlan:
        """Return the plan that inserts these fields and returns those."""
        key = (*(f.attname for f in fields), "", *(f.attname for f in returning))
        plan = self.inserts.get(key)
        if plan is None:
            plan = InsertPlan(self.driver, self.model, fields, returning, as_it_is=self.as_it_is)
            self.inserts[key] = plan
        return plan

    @property
    def delete(self) -> KeyPlan:
        """The plan that deletes one row."""
        if self._delete is None:
            self._delete = delete_one(self.driver, self.model)
        return self._delete

    @property
    def versions(self) -> KeyPlan:
        """The plan that asks which version a row has."""
        if self._select_version is None:
            self._select_version = select_version(self.driver, self.model, self.version)
        return self._select_version

    @property
    def exists(self) -> KeyPlan:
        """The plan that asks whether a row is there."""
        if self._select is None:
            self._select = select_one(self.driver, self.model)
        return self._select

    def frozen(self, field: Any, value: Any) -> Any:
        """Return a comparable image of what a value is in the database."""
        return freeze(conversion(self.driver, field).convert(value))

    def changed_in_place(self, d: dict[str, Any]) -> list[str]:
        """Return the attnames of mutable values that are not, or not known to be, what the database has."""
        raw: dict[str, Any] = d.get("_raw") or {}
        loaded = (f for f in self.mutable if f.attname in d)
        return [f.attname for f in loaded if not self._unchanged(f, raw, d[f.attname])]

    def _unchanged(self, field: Any, raw: dict[str, Any], value: Any) -> bool:
        if value is None:
            return field.attname in raw and raw[field.attname] is None
        if field.attname not in raw or is_expression(value):
            return False
        before = raw[field.attname]
        if type(before) is Image:
            return bool(before.frozen == self.frozen(field, value))
        if before is value and not isinstance(value, (str, bytes, int, float)):
            return False  # the very object: what was changed inside it can't be told
        try:
            now = self.frozen(field, value)
            load = conversion(self.driver, field).load
            return bool(now == freeze(before) or now == self.frozen(field, load(before) if load else before))
        except Exception:
            return False  # when in doubt it is written, and the writing names what is wrong

    def remember(self, d: dict[str, Any], names: Iterable[str]) -> None:
        """Note what the mutable values among `names` are now, after they were written."""
        written = set(names)
        fields = [f for f in self.mutable if f.attname in written and f.attname in d]
        if not fields:
            return
        raw = dict(d.get("_raw") or {})  # not the one that a copy of the instance has, too
        for field in fields:
            value = d[field.attname]
            raw[field.attname] = None if value is None else Image(self.frozen(field, value))
        d["_raw"] = raw


def writer_for(driver: Any, model: Any) -> Writer:
    """Return the writer of a model, from the driver's plans."""
    key = ("update", model)
    writer: Writer | None = driver.plans.get(key)
    if writer is None:
        writer = driver.plans[key] = Writer(driver, model)
    return writer


def related_check(fields: Iterable[Any]) -> Any:
    """Return `check(operation, instance, its __dict__)` for the foreign keys among `fields`, None for none.

    It raises ValueError for a related object that is not saved, and brings a key up to date whose related
    object was saved after it was assigned. What was assigned to a plain relationship() sets the key, as a flush would.
    """
    relations = [field for field in fields if field.is_relation]
    if not relations:
        return None
    names: dict[str, Any] = {
        "prepare": prepare_related,
        "prepare_object": prepare_object,
        "prepare_plain": prepare_plain,
    }
    lines = ["def check(operation, o, d):"]
    for n, field in enumerate(relations):
        names[f"f{n}"] = field
        if hasattr(field, "prop"):  # a relationship(): assigning to it has made a state
            lines.append("    s = d.get('_sa_instance_state')")
            lines.append(f"    if s is not None and {field.name!r} in s.committed_state:")
            lines.append(f"        prepare_plain(operation, o, s, f{n})")
            continue
        if field.column is None:  # a ForeignObject
            lines.append(f"    r = d.get({field.name!r})")
            lines.append(f"    if r is not None: prepare_object(operation, o, d, f{n}, r)")
            continue
        target = field.target_field
        lines.append(f"    r = d.get({field.name!r})")
        if len(target.model._meta.pk_fields) == 1 and target.primary_key:
            # An object whose key is the one in our column needs no look: that is nearly always so.
            lines.append(f"    if r is not None and ((k := r.__dict__.get({target.attname!r})) is None or")
            lines.append(f"            k != d.get({field.attname!r})): prepare(operation, o, d, f{n}, r)")
        else:
            lines.append(f"    if r is not None: prepare(operation, o, d, f{n}, r)")
    exec("\n".join(lines), names)
    return names["check"]


def prepare_related(operation: str, instance: Any, d: dict[str, Any], field: Any, related: Any) -> None:
    """Refuse an unsaved related object; else make the column and the object agree, as Django does."""
    if related.pk is None:
        if not field.remote_field.multiple:
            cache = related.__dict__.get("_prefetched_objects_cache")
            if cache:
                cache.pop(field.remote_field.get_accessor_name(), None)
        raise ValueError(
            f"{operation}() prohibited to prevent data loss due to unsaved related object '{field.name}'."
        )
    if d.get(field.attname) in (None, ""):
        setattr(instance, field.name, related)
    if getattr(related, field.target_field.attname) != d.get(field.attname):
        d.pop(field.name, None)


def prepare_object(operation: str, instance: Any, d: dict[str, Any], field: Any, related: Any) -> None:
    """Do the same for the object of a ForeignObject."""
    if not related._is_pk_set():
        raise ValueError(
            f"{operation}() prohibited to prevent data loss due to unsaved related object '{field.name}'."
        )
    if field.key_in(d) is None:
        setattr(instance, field.name, related)
    if field.far_key(related) != field.key_in(d):
        d.pop(field.name, None)


def prepare_plain(operation: str, instance: Any, state: Any, field: Any) -> None:
    """Set the key from the object that was assigned to a relationship() of the many-to-one kind."""
    prop = field.prop
    if prop.viewonly or prop.direction is not RelationshipDirection.MANYTOONE:
        return
    assigned = get_history(instance, field.name, PassiveFlag.PASSIVE_NO_INITIALIZE).added
    for related in assigned or ():
        for local, remote in prop.synchronize_pairs:
            # SQLAlchemy names the pair from the side that has the value.
            value = None
            if related is not None:
                value = getattr(related, prop.mapper.get_property_by_column(local).key)
                if value is None:
                    raise ValueError(
                        f"{operation}() prohibited to prevent data loss due to unsaved related object "
                        f"'{field.name}'."
                    )
            name = prop.parent.get_property_by_column(remote).key
            if state.dict.get(name) != value:
                setattr(instance, name, value)


def written(d: dict[str, Any], alias: str) -> None:
    """Note in an instance's `__dict__` that its row is now as it says."""
    if "_db" not in d or d["_db"] != alias:  # else it knows its peers, and keeps them
        d["_db"] = alias
    d.pop("_dirty", None)
    state = d.get("_sa_instance_state")
    if state is not None:
        sync_state(state, d)


def sync_state(state: Any, d: dict[str, Any]) -> None:
    """Bring SQLAlchemy's record of an instance in step with a row that was written past it."""
    session = state.session
    if state.key is None:
        if session is not None:
            session.expunge(state.obj())  # else it would insert the row once more
        mapper = state.manager.mapper
        state.key = mapper.identity_key_from_primary_key(
            tuple(d[mapper.get_property_by_column(column).key] for column in mapper.primary_key)
        )
    state._commit_all(d, session.identity_map if session is not None else None)
    if session is not None and state.session is None:
        session.add(state.obj())


def forgotten(instance: Any, writer: Writer) -> None:
    """Note that an instance's row was deleted: no key, no database."""
    d: dict[str, Any] = instance.__dict__
    for name in writer.key_names:
        d[name] = None
    if "_db" in d:
        d["_using"] = d.pop("_db")
    d.pop("_dirty", None)
    state = d.get("_sa_instance_state")
    if state is not None:
        if state.session is not None:
            state.session.expunge(instance)
        del d["_sa_instance_state"]  # made anew, as that of a new object, when SQLAlchemy asks again


def _only_when_added(field: Any) -> bool:
    return bool(getattr(field, "auto_now_add", False)) and not getattr(field, "auto_now", False)
