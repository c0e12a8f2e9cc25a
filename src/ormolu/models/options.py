"""`Model._meta`: what a model's `class Meta` says, its fields and its relations."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any, TypeVar

import sqlalchemy as sa

from ormolu.conf import settings
from ormolu.exceptions import FieldDoesNotExist
from ormolu.fields.base import overridden
from ormolu.models.names import app_label_of, table_name, verbose
from ormolu.near import near_names

if TYPE_CHECKING:
    from ormolu.models.base import Model
    from ormolu.models.manager import Manager

V = TypeVar("V")

META_OPTIONS = (
    "abstract",
    "app_label",
    "apps",
    "auto_created",
    "base_manager_name",
    "constraints",
    "db_table",
    "db_table_comment",
    "db_tablespace",
    "default_manager_name",
    "default_permissions",
    "default_related_name",
    "get_latest_by",
    "indexes",
    "managed",
    "order_with_respect_to",
    "ordering",
    "permissions",
    "proxy",
    "required_db_features",
    "required_db_vendor",
    "select_on_save",
    "swappable",
    "unique_together",
    "validate_on_save",
    "verbose_name",
    "verbose_name_plural",
    "version_field",
)


class Options:
    """Everything known about one model. Attributes are named as in Django."""

    model: type[Model]
    table: sa.Table
    pk: Any
    proxy_for_model: type[Model] | None = None

    def __init__(self, model: type[Any], meta: type | None, apps: Any) -> None:
        given = _given(model, meta)
        self.model = model
        self.apps = given.get("apps", apps)
        self.object_name: str = model.__name__
        self.model_name = self.object_name.lower()
        self.abstract: bool = given.get("abstract", False)
        self.proxy: bool = given.get("proxy", False)
        self.managed: bool = given.get("managed", True)
        self.swappable = given.get("swappable")
        self.app_label: str = given["app_label"] if "app_label" in given else app_label_of(model)
        self.ordering: Any = _listed(given.get("ordering", []))
        self.unique_together = normalize_together(given.get("unique_together", ()))
        self.indexes: list[Any] = list(given.get("indexes", []))
        self.constraints: list[Any] = list(given.get("constraints", []))
        self.get_latest_by: Any = given.get("get_latest_by")
        self.order_with_respect_to: Any = given.get("order_with_respect_to")
        self.default_related_name: str | None = given.get("default_related_name")
        self.base_manager_name: str | None = given.get("base_manager_name")
        self.default_manager_name: str | None = given.get("default_manager_name")
        self.version_field: str | None = given.get("version_field")
        self.select_on_save: bool = given.get("select_on_save", False)
        self.validate_on_save: bool | str | None = _validation(model, given.get("validate_on_save"))
        self.db_tablespace: str = given.get("db_tablespace", "")
        self.db_table_comment: str = given.get("db_table_comment", "")
        self.permissions: Any = given.get("permissions", [])
        self.default_permissions: Any = given.get("default_permissions", ("add", "change", "delete", "view"))
        self.required_db_features: Any = given.get("required_db_features", [])
        self.required_db_vendor: Any = given.get("required_db_vendor")
        self.auto_created: Any = given.get("auto_created", False)
        self.verbose_name: Any = given.get("verbose_name", verbose(self.object_name))
        self.verbose_name_plural: Any = given.get("verbose_name_plural", f"{self.verbose_name}s")
        self.db_table: str = given.get("db_table") or table_name(
            model, self.app_label, self.model_name, given
        )
        self.original_attrs = given

        self.local_fields: list[Any] = []
        self.local_many_to_many: list[Any] = []
        self.private_fields: list[Any] = []
        self.local_managers: list[Manager[Any]] = []
        self.parents: dict[type[Model], Any] = {}
        self.pk = None
        self.auto_field: Any = None
        self.concrete_model: type[Model] = model
        self.declared: dict[str, Any] = {}
        """Of an abstract model: its fields, for the models that derive from it."""
        self.replaces: Any = None
        """The class of the same label that this one took the place of."""
        self.reverse_relations: list[Any] = []
        """Rels that point to this (concrete) model, in order of appearance."""
        self.order_fields: tuple[Any, ...] = ()
        """With order_with_respect_to: the fields whose values the rows of one order share."""
        self._cache: dict[str, Any] = {}
        self._cache_version = -1

    def __repr__(self) -> str:
        return f"<Options for {self.object_name}>"

    def __str__(self) -> str:
        return self.label_lower

    @property
    def label(self) -> str:
        """Return `app_label.ObjectName`, or the name alone for a model without a label."""
        return f"{self.app_label}.{self.object_name}" if self.app_label else self.object_name

    @property
    def label_lower(self) -> str:
        """Return `app_label.modelname`."""
        return f"{self.app_label}.{self.model_name}" if self.app_label else self.model_name

    @property
    def verbose_name_raw(self) -> str:
        """Return the verbose name untranslated."""
        return str(self.verbose_name)

    @property
    def installed(self) -> bool:
        """Tell whether the model is registered."""
        return not self.abstract

    @property
    def swapped(self) -> str | None:
        """Return the label of the model that stands in this one's place: what the setting named by `swappable` says."""
        if not self.swappable:
            return None
        label = getattr(settings, self.swappable, None)
        return None if not label or str(label).lower() == self.label_lower else str(label)

    # Fields

    def add_field(self, field: Any, private: bool = False) -> None:
        """Add a field that belongs to this model itself. Adding it twice does no harm."""
        if private:
            target = self.private_fields
        elif getattr(field, "many_to_many", None):
            target = self.local_many_to_many
        else:
            target = self.local_fields
        if any(known is field for known in target):
            return
        target.append(field)
        if target is self.local_fields and getattr(field, "primary_key", False) and self.pk is None:
            self.setup_pk(field)
        self.apps.clear_cache()

    def add_manager(self, manager: Manager[Any]) -> None:
        """Add a manager that belongs to this model itself."""
        self.local_managers.append(manager)
        self.apps.clear_cache()

    def setup_pk(self, field: Any) -> None:
        """Make a field the primary key."""
        self.pk = field
        field.serialize = False

    @property
    def pk_fields(self) -> tuple[Any, ...]:
        """Return the fields that make up the primary key: one, or those of a CompositePrimaryKey."""
        several = getattr(self.pk, "fields", None)
        return tuple(several) if several is not None else (self.pk,)

    @property
    def is_composite_pk(self) -> bool:
        """Tell whether the primary key has several columns."""
        return hasattr(self.pk, "field_names")

    @property
    def fields(self) -> tuple[Any, ...]:
        """Return the forward fields with a column, and ForeignObjects, those of parents first."""
        return self._cached("fields", self._fields)

    @property
    def object_fields(self) -> tuple[Any, ...]:
        """Return the ForeignObjects among the fields that can be used."""
        return self._cached(
            "objects",
            lambda: tuple(f for f in self.fields if hasattr(f, "from_fields") and f.problem is None),
        )

    @property
    def concrete_fields(self) -> tuple[Any, ...]:
        """Return the fields that have a column."""
        return self._cached("concrete", lambda: tuple(f for f in self.fields if f.column is not None))

    @property
    def concrete_names(self) -> frozenset[str]:
        """Return the names by which a query may call a column: fields and attnames."""
        return self._cached(
            "concrete_names",
            lambda: frozenset(name for f in self.concrete_fields for name in (f.name, f.attname)),
        )

    @property
    def taken_names(self) -> frozenset[Any]:
        """Return the names that an annotation can't have: of fields, relations and attnames."""
        return self._cached(
            "taken_names",
            lambda: frozenset(
                name for f in self.get_fields() for name in (f.name, getattr(f, "attname", None))
            ),
        )

    @property
    def stamped_fields(self) -> tuple[Any, ...]:
        """Return the fields that set themselves when a row is saved: auto_now and its like, a user's pre_save()."""
        return self._cached("stamped", lambda: tuple(f for f in self.concrete_fields if _stamps(f)))

    @property
    def version(self) -> Any:
        """Return the field that counts the changes of a row, this model's own or a parent's; None for none."""
        return self._cached("version", self._version)

    @property
    def kept_fields(self) -> tuple[Any, ...]:
        """Return the fields that only() and defer() always load: the key, and the version."""
        version = self.version
        return self.pk_fields if version is None else (*self.pk_fields, version)

    @property
    def local_concrete_fields(self) -> tuple[Any, ...]:
        """Return this model's own fields that have a column."""
        return tuple(f for f in self.local_fields if f.column is not None)

    @property
    def many_to_many(self) -> tuple[Any, ...]:
        """Return the many-to-many fields declared on this model and its parents."""
        return self._cached("many_to_many", self._many_to_many)

    @property
    def virtual_fields(self) -> tuple[Any, ...]:
        """Return the fields that have no column and are no many-to-many relation, those of parents first."""
        return self._cached("virtual", self._private)

    @property
    def related_objects(self) -> tuple[Any, ...]:
        """Return the relations that point here and have an accessor."""
        return self._cached("related", lambda: tuple(r for r in self._relations() if not r.hidden))

    @property
    def all_related(self) -> tuple[Any, ...]:
        """Return every relation that points here, also those whose accessor is hidden (`related_name="+"`)."""
        return self._cached("all_related", lambda: tuple(self._relations()))

    @property
    def fields_map(self) -> dict[str, Any]:
        """Return the reverse relations by query name."""
        return self._cached("fields_map", lambda: {r.name: r for r in self._relations() if not r.hidden})

    def get_field(self, field_name: str) -> Any:
        """Return a forward field by name or attname, or a reverse relation by query name.

        Raises FieldDoesNotExist with the near miss.
        """
        try:
            return self._names()[field_name]
        except KeyError:
            hint = self.near_miss(field_name)
            raise FieldDoesNotExist(f"{self.object_name} has no field named {field_name!r}.{hint}") from None

    def near_miss(self, name: str) -> str:
        """Return ` Did you mean 'x'?` for a name that is close to a field's, else an empty text."""
        close = near_names(name, self.lookup_names())
        return f" Did you mean {close[0]!r}?" if close else ""

    def lookup_names(self) -> list[str]:
        """Return the names that a lookup may begin with: fields, attnames, reverse query names."""
        hidden = {rel.name for rel in self._relations() if rel.hidden}
        return [name for name in self._names() if name not in hidden]

    def get_fields(self, include_parents: bool = True, include_hidden: bool = False) -> tuple[Any, ...]:
        """Return reverse relations, fields, many-to-many and private fields."""
        found: list[Any] = []
        if include_parents:
            for parent in self.parents:
                inherited = parent._meta.get_fields(True, include_hidden)
                found += [f for f in inherited if self._inherits(f) and not self._has_own(f)]
        own = self.concrete_model._meta.reverse_relations
        found += [rel for rel in own if include_hidden or not rel.hidden]
        found += [*self.local_fields, *self.local_many_to_many, *self.private_fields]
        return tuple({id(field): field for field in found}.values())

    # Managers

    @property
    def managers(self) -> tuple[Manager[Any], ...]:
        """Return the managers in order of declaration, those of this class before its parents'."""
        return self._cached("managers", self._managers)

    @property
    def managers_map(self) -> dict[str, Manager[Any]]:
        """Return the managers by name."""
        return {manager.name: manager for manager in self.managers}

    @property
    def default_manager(self) -> Manager[Any]:
        """Return the manager that Ormolu itself uses where a user's rules should hold."""
        return self._cached("default_manager", self._default_manager)

    @property
    def base_manager(self) -> Manager[Any]:
        """Return the manager that finds related objects: a plain one unless `base_manager_name` says otherwise."""
        return self._cached("base_manager", self._base_manager)

    # Inheritance

    def get_parent_list(self) -> list[type[Model]]:
        """Return all concrete ancestors, nearest first."""
        found = dict.fromkeys(self.parents)
        for parent in self.parents:
            found.update(dict.fromkeys(parent._meta.get_parent_list()))
        return list(found)

    @property
    def all_parents(self) -> tuple[type[Model], ...]:
        """Return all concrete ancestors, nearest first."""
        return tuple(self.get_parent_list())

    def get_ancestor_link(self, ancestor: type[Model]) -> Any:
        """Return this model's field that leads to an ancestor's row, or to that of a nearer one on the way.

        None where the model is no ancestor, or has the same table.
        """
        ancestor = ancestor._meta.concrete_model
        if ancestor in self.parents:
            return self.parents[ancestor]
        for parent, link in self.parents.items():
            further = parent._meta.get_ancestor_link(ancestor)
            if further is not None:
                return link or further
        return None

    @property
    def unique_constraints(self) -> list[Any]:
        """Return the UniqueConstraints of Meta.constraints, without conditional ones."""
        return [c for c in self.constraints if c.fields and c.condition is None]

    total_unique_constraints = unique_constraints

    def counts_versions(self) -> bool:
        """Tell whether a model that isn't mapped yet says anything of a version field."""
        return self.version_field is not None or any(
            getattr(field, "counts_versions", False) for field in self.local_fields
        )

    def can_migrate(self, connection: Any = None) -> bool:
        """Tell whether create_tables() and migrations make this model's table."""
        return self.managed and not (self.proxy or self.abstract or self.swapped)

    # How the properties above are worked out

    def _cached(self, name: str, make: Callable[[], V]) -> V:
        if self._cache_version != self.apps.version:
            self._cache = {}
            self._cache_version = self.apps.version
        try:
            found: V = self._cache[name]
        except KeyError:
            found = self._cache[name] = make()
        return found

    def _fields(self) -> tuple[Any, ...]:
        found: dict[int, Any] = {}
        for parent in self.parents:
            for field in parent._meta.fields:
                if not (self.proxy is False and getattr(field, "hidden_in_children", False)):
                    found[id(field)] = field
        for field in self.local_fields:
            found[id(field)] = field
        return tuple(found.values())

    def _version(self) -> Any:
        if not self.counts_versions() and all(parent._meta.version is None for parent in self.parents):
            return None
        from ormolu.models.versions import find_version

        return find_version(self)

    def _many_to_many(self) -> tuple[Any, ...]:
        inherited = (field for parent in self.parents for field in parent._meta.many_to_many)
        return tuple({id(f): f for f in (*inherited, *self.local_many_to_many)}.values())

    def _private(self) -> tuple[Any, ...]:
        inherited = (field for parent in self.parents for field in parent._meta._private())
        return tuple({f.name: f for f in (*inherited, *self.private_fields)}.values())

    def _relations(self) -> Iterable[Any]:
        found: dict[int, Any] = {}
        for parent in self.parents:
            for rel in parent._meta._relations():
                if self._inherits(rel):
                    found[id(rel)] = rel
        for rel in self.concrete_model._meta.reverse_relations:
            found[id(rel)] = rel
        return found.values()

    def _inherits(self, field: Any) -> bool:
        """Tell whether a parent's field or relation is this model's, too: not the links from its other children."""
        return self.proxy or not getattr(field, "parent_link", False)

    def _has_own(self, field: Any) -> bool:
        """Tell whether this model has a copy of a parent's field: generic relations are each model's own."""
        return any(own.name == field.name for own in self.private_fields)

    def _expire_cache(self) -> None:
        """Forget what was derived from fields and relations."""
        self._cache = {}

    def _names(self) -> dict[str, Any]:
        return self._cached("names", self._make_names)

    def _make_names(self) -> dict[str, Any]:
        forward = (*self.fields, *self.many_to_many, *self._private())
        names: dict[str, Any] = {field.name: field for field in forward}
        for field in forward:
            names.setdefault(getattr(field, "attname", field.name), field)
        for rel in self._relations():
            names.setdefault(rel.name, rel)
        return names

    def _lineage(self) -> Iterator[type[Model]]:
        """Yield this model and those it derives from, abstract ones included, nearest first."""
        classes: list[Any] = self.model.mro()
        return (base for base in classes if "_meta" in vars(base))

    def _managers(self) -> tuple[Manager[Any], ...]:
        found: dict[str, tuple[int, int, Manager[Any]]] = {}
        for depth, base in enumerate(self._lineage()):
            for manager in base._meta.local_managers:
                if manager.name not in found:
                    bound = manager if base is self.model else manager.clone_for(self.model)
                    found[manager.name] = (depth, manager.creation_counter, bound)
        return tuple(manager for _, _, manager in sorted(found.values(), key=lambda item: item[:2]))

    def _default_manager(self) -> Manager[Any]:
        for base in self._lineage():
            name = base._meta.default_manager_name
            if name:
                return self._named(name, "default_manager_name")
            if base._meta.local_managers:
                break  # these come before what is said further up
        return self.managers[0]

    def _base_manager(self) -> Manager[Any]:
        from ormolu.models.manager import Manager

        name = self.base_manager_name
        if name is None:
            names = (base._meta.base_manager_name for base in self._lineage())
            name = next(filter(None, names), None)
        if name:
            return self._named(name, "base_manager_name")
        manager: Manager[Any] = Manager()
        manager.name = "_base_manager"
        manager.model = self.model
        manager.auto_created = True
        return manager

    def _named(self, name: str, option: str) -> Manager[Any]:
        try:
            return self.managers_map[name]
        except KeyError:
            known = ", ".join(self.managers_map)
            raise ValueError(
                f"{self.object_name} has no manager named {name!r} (Meta.{option}). Choices are: {known}"
            ) from None


def _stamps(field: Any) -> bool:
    automatic = any(getattr(field, name, False) for name in ("auto_now", "auto_now_add", "stamps_on_save"))
    return automatic or overridden(field.__class__, "pre_save")


def _given(model: type[Any], meta: type | None) -> dict[str, Any]:
    """Return the options of a `class Meta`, its bases' included."""
    given = {
        name: getattr(meta, name) for name in dir(meta) if not name.startswith("_")
    } if meta is not None else {}  # fmt: skip
    unknown = sorted(set(given) - set(META_OPTIONS))
    if unknown:
        close = near_names(unknown[0], META_OPTIONS)
        hint = f" Did you mean {close[0]!r}?" if close else f" Choices are: {', '.join(META_OPTIONS)}."
        raise TypeError(
            f"{model.__name__}: 'class Meta' got invalid attribute(s): {', '.join(unknown)}.{hint}"
        )
    return given


def _validation(model: type[Any], given: Any) -> Any:
    if given in (None, False, True, "full"):
        return given
    raise TypeError(f'{model.__name__}: Meta.validate_on_save is True, False or "full", not {given!r}.')


def _listed(ordering: Any) -> Any:
    if isinstance(ordering, str):
        raise TypeError(f"Meta.ordering must be a list or tuple of names, not the text {ordering!r}.")
    return ordering


def normalize_together(option: Any) -> tuple[tuple[str, ...], ...]:
    """Return `unique_together` as a tuple of tuples, also when it was one tuple of names."""
    if not option:
        return ()
    if isinstance(next(iter(option)), str):
        option = (option,)
    return tuple(tuple(names) for names in option)
