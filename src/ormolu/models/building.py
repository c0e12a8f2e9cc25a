"""How a model class comes to be, in two steps around SQLAlchemy's declarative mapping."""

from __future__ import annotations

import contextlib
import types
from collections.abc import Callable
from typing import Any, cast

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.orm import InstrumentedAttribute, RelationshipProperty
from sqlalchemy.orm.interfaces import EXT_SKIP
from sqlalchemy.orm.mapper import _event_on_init  # pyright: ignore

from ormolu.conf import settings
from ormolu.exceptions import FieldError, MultipleObjectsReturned, ObjectDoesNotExist
from ormolu.fields.base import Field
from ormolu.fields.columns import complete_table
from ormolu.models import mapping, replacing
from ormolu.models.constructor import make_init
from ormolu.models.inheritance import check_names, inherit_options, link_parents
from ormolu.models.manager import Manager, ManagerDescriptor
from ormolu.models.options import Options
from ormolu.models.plain_relations import PlainRelation, relation_setter
from ormolu.models.registry import Apps, apps, current
from ormolu.models.related_fields import RelatedField
from ormolu.models.relationships import RelationshipField
from ormolu.signals import class_prepared

_set = type.__setattr__


def begin(cls: type[Any]) -> bool:
    """Read the class body of a new model and make it ready for SQLAlchemy. Return False for an abstract class."""
    body = dict(vars(cls))
    meta_class = body.get("Meta") or getattr(cls, "Meta", None)
    meta = Options(cls, meta_class, _registry_of(cls, body))
    if body.get("__abstract__") is True:
        meta.abstract = True
    _use_registry(cls, meta)
    inherit_options(cls, meta)
    _set(cls, "_meta", meta)
    if meta.abstract:
        _set(cls, "__abstract__", True)
        if "Meta" in body:
            meta_class.abstract = False  # type: ignore[union-attr]  # whoever inherits this Meta is a table again
        # The nearest base's fields count, depth first: an abstract class has those that it inherits.
        _contribute(cls, mapping.inherited_fields(cls, set(body)))
        _contribute(cls, {name: v for name, v in body.items() if mapping.is_contribution(v)})
        meta.declared = {
            f.name: f for f in (*meta.local_fields, *meta.local_many_to_many, *meta.private_fields)
        }
        return False
    if "Meta" in body:
        type.__delattr__(cls, "Meta")
    _add_exceptions(cls)
    replaced = meta.apps.replaced_by(meta.app_label, cls)
    if replaced is not None:
        replacing.remove(replaced)
        meta.replaces = replaced
    _free_name(cls, meta)
    _add_fields(cls, meta, body)
    if not meta.proxy and "__table__" not in body:
        tablename = body.get("__tablename__")
        if isinstance(tablename, str):
            meta.db_table = tablename
        _set(cls, "__tablename__", meta.db_table)
        if meta.db_table[:1] == '"':
            from ormolu.models.table_parts import take_quotes

            take_quotes(cls, meta)
        known = meta.apps.metadata
        if meta.db_table in known.tables or known.schema or "__table_args__" in body:
            from ormolu.models.shared_tables import choose_metadata

            choose_metadata(cls, meta)
    return True


def one_chain(cls: type[Any]) -> contextlib.AbstractContextManager[None]:
    """Let SQLAlchemy see but one mapped base of a class inside the `with` block."""
    if len(cls.__bases__) == 1:
        return contextlib.nullcontext()
    from ormolu.models import several_parents

    return several_parents.one_chain(cls)


def finish(cls: type[Any]) -> None:
    """Complete a model that SQLAlchemy has mapped: attributes, constructor, managers, relations; register it."""
    meta = cls._meta
    # SQLAlchemy configures mappers when a first instance is made; ours does when SQLAlchemy first sees an instance.
    # With nobody listening to `init`, a constructor needn't call anybody.
    event.remove(cls.__mapper__.class_manager, "init", cast("Any", _event_on_init))
    mapping.install(cls)
    for prop in list(cls.__mapper__._props.values()):
        _add_relationship(cls, prop)
    if not meta.proxy:
        _complete_table(meta)
    _install_init(cls)
    _add_default_manager(cls)
    if cls.__doc__ is None:
        _set(cls, "__doc__", f"{cls.__name__}({', '.join(f.name for f in meta.fields)})")
    if meta.apps is not apps:
        _set(cls, "registry", meta.apps.sa_registry)
    meta.apps.register_model(meta.app_label, cls)
    for field in (*meta.local_fields, *meta.local_many_to_many, *meta.private_fields):
        if field.is_relation and hasattr(field, "resolve"):
            field.resolve()
    if meta.order_fields:
        from ormolu.models import ordered

        ordered.install(cls)
    if meta.replaces is not None:
        for model in replacing.take_over(meta.replaces, cls):
            _install_init(model)
    class_prepared.send(sender=cls)


def skip_unresolved(mapper: Any, cls: type[Any]) -> Any:
    """Leave a mapper for later while one of its relations waits for its target. Source: before_mapper_configured."""
    for base in cls.__mro__:
        meta = vars(base).get("_meta")
        if meta is not None and not meta.abstract:
            for field in (*meta.local_fields, *meta.local_many_to_many):
                if field.is_relation and not field.is_resolved:
                    return EXT_SKIP
    return None


def attribute_added(cls: type[Any], name: str) -> None:
    """Put our descriptor over a column or relationship that was added to a mapped class later."""
    attribute = vars(cls).get(name)
    if not isinstance(attribute, InstrumentedAttribute):
        return
    prop = cls.__mapper__._props.get(name)
    if prop is None:
        return
    if isinstance(prop, RelationshipProperty):
        _add_relationship(cls, prop)
        return
    by_column = {id(f.sa_column): f for f in cls._meta.fields if f.column is not None}
    before = len(cls._meta.local_fields)
    mapping.install_column(cls, prop, by_column, cls._setters)
    if len(cls._meta.local_fields) > before:
        _install_init(cls)


def add_to_class(cls: type[Any], name: str, value: Any) -> None:
    """Set a class attribute; a field is mapped, and whatever has contribute_to_class() binds itself."""
    if not mapping.is_contribution(value):
        setattr(cls, name, value)
        return
    value.contribute_to_class(cls, name)
    if isinstance(value, Field) and "__mapper__" in vars(cls):
        mapping.add_later(cls, value)
        _install_init(cls)
        for child in mapping.descendants(cls):
            mapping.inherit_later(child, value)
            _install_init(child)
        if isinstance(value, RelatedField):
            value.resolve()


def generated_init(cls: type[Any]) -> Callable[..., None]:
    """Return the generated constructor of a class, made again whenever its fields change."""
    init = make_init(cls)
    _set(cls, "_generated_init", init)
    return init


def _registry_of(cls: type[Any], body: dict[str, Any]) -> Apps:
    metadata = body.get("metadata")
    if isinstance(metadata, sa.MetaData) and not hasattr(cls, "_meta"):
        return Apps(metadata=metadata)  # an abstract base with a MetaData of its own
    for base in cls.__mro__[1:]:
        meta = vars(base).get("_meta")
        if meta is not None:
            registry: Apps = meta.apps
            return current() if registry is apps else registry
    return current()


def _use_registry(cls: type[Any], meta: Options) -> None:
    if cls._sa_registry is not meta.apps.sa_registry or cls.metadata is not meta.apps.metadata:
        _set(cls, "_sa_registry", meta.apps.sa_registry)
        _set(cls, "metadata", meta.apps.metadata)
        if meta.abstract:
            _set(cls, "registry", meta.apps.sa_registry)


def _free_name(cls: type[Any], meta: Options) -> None:
    """Let SQLAlchemy forget a class of the same name and module, which could not be looked up by name any more."""
    known: Any = meta.apps.sa_registry._class_registry.get(cls.__name__)
    found = [reference() for reference in known.contents] if hasattr(known, "contents") else [known]
    for old in found:
        if old is not None and old.__module__ == cls.__module__:
            meta.apps.sa_registry._dispose_cls(old)


def _add_exceptions(cls: type[Any]) -> None:
    for name, root in (
        ("DoesNotExist", ObjectDoesNotExist),
        ("MultipleObjectsReturned", MultipleObjectsReturned),
    ):
        bases: tuple[Any, ...] = cls.__bases__
        parents = tuple(getattr(b, name) for b in bases if hasattr(b, "_meta") and not b._meta.abstract)
        place = {"__module__": cls.__module__, "__qualname__": f"{cls.__qualname__}.{name}"}
        _set(cls, name, type(name, parents or (root,), place))


def _contribute(cls: type[Any], values: dict[str, Any]) -> None:
    for name, value in values.items():
        value.contribute_to_class(cls, name)


def _add_fields(cls: type[Any], meta: Options, body: dict[str, Any]) -> None:
    """Bind the fields of bases and of the class body, add the parent links and the primary key, and expand them."""
    own = {name: value for name, value in body.items() if mapping.is_contribution(value)}
    for name, value in own.items():
        if isinstance(value, Field):
            type.__delattr__(cls, name)
    inherited = mapping.inherited_fields(cls, set(body))
    plain = mapping.plain_names(body)
    if meta.proxy:
        _refuse_fields_of_proxy(cls, [*(n for n, v in own.items() if isinstance(v, Field)), *plain])
        _refuse_abstract_fields(cls, [n for n, v in inherited.items() if isinstance(v, Field)])
    _contribute(cls, inherited)
    _contribute(cls, own)
    _contribute(cls, mapping.inherited_virtual_fields(cls, {*body, *inherited}))
    if not meta.proxy:
        link_parents(cls, meta)
        if meta.pk is None and not mapping.has_primary_key(cls, body):
            field = _default_key(meta)
            field.contribute_to_class(cls, "id")
            meta.auto_field = field
        if meta.order_with_respect_to:
            from ormolu.models import ordered

            ordered.prepare(meta)
    check_names(cls, meta)
    keys_and_fields: tuple[Any, ...] = (meta.pk, *meta.local_fields)
    for field in keys_and_fields:
        if hasattr(field, "check_fields") and not meta.proxy:
            field.check_fields(meta)
    meta.local_fields.sort(key=lambda field: field.creation_counter)
    meta.local_many_to_many.sort(key=lambda field: field.creation_counter)
    if not meta.proxy and meta.counts_versions():
        from ormolu.models import versions

        versions.tell_mapper(cls, meta)
    mapping.expand(cls, meta)
    if plain:
        names = [
            own[n].attname if isinstance(own.get(n), Field) else n for n in body if n in own or n in plain
        ]
        mapping.reorder_plain(cls, names)


def _default_key(meta: Options) -> Any:
    """Return the key of a model that declares none: of the class that its AppConfig or the settings name."""
    from ormolu.fields.autos import key_class

    config = meta.apps.config_class(meta.app_label)
    if config is not None and hasattr(config, "default_auto_field"):
        path, source = (
            config.default_auto_field,
            f"{config.__module__}.{config.__qualname__}.default_auto_field",
        )
    else:
        path, source = settings.DEFAULT_AUTO_FIELD, "DEFAULT_AUTO_FIELD"
    return key_class(path, source)(verbose_name="ID", primary_key=True, auto_created=True)


def _refuse_fields_of_proxy(cls: type[Any], names: list[str]) -> None:
    if names:
        raise FieldError(f"Proxy model '{cls.__name__}' contains model fields: {', '.join(names)}.")


def _refuse_abstract_fields(cls: type[Any], names: list[str]) -> None:
    if names:
        raise TypeError(
            f"Proxy model '{cls.__name__}' can't derive from an abstract model with fields: {', '.join(names)}."
        )


def _add_relationship(cls: type[Any], prop: Any) -> None:
    """Make a plain relationship() known to `_meta`, so that lookups can follow it."""
    if not is_relationship(prop) or "field" in prop.info:
        return
    attribute = vars(cls).get(prop.key)
    if not isinstance(attribute, InstrumentedAttribute):
        return
    known = cls._meta.private_fields
    known[:] = [f for f in known if f.name != prop.key]
    field = RelationshipField(cls, prop)
    if prop.parent.class_ is cls:
        cls._meta.add_field(field, private=True)
    _set(cls, prop.key, PlainRelation(field, attribute))
    cls._setters[prop.key] = relation_setter(attribute)


def is_relationship(prop: Any) -> bool:
    """Tell whether a mapper's property is a relationship."""
    return isinstance(prop, RelationshipProperty)


def _install_init(cls: type[Any]) -> None:
    """Replace SQLAlchemy's `__init__` by the user's own, or by one that is generated for this class's fields."""
    init = generated_init(cls)
    current = vars(cls).get("__init__")
    user = getattr(current, "_sa_original_init", None)
    if user is None and current is not None and not _is_ours(current):
        return  # set by somebody later
    if user is not None and not _is_ours(user) and user is not _model_init(cls):
        for base in cls.__mro__:
            if vars(base).get("__init__") is user:
                type.__delattr__(cls, "__init__")  # inherited from an abstract base or a mixin
                break
        else:
            _set(cls, "__init__", user)
        for parent in cls._meta.get_parent_list():
            _set(parent, "__init__", _model_init(cls))  # super().__init__() must set this class's fields
        return
    _set(cls, "__init__", init)


def _complete_table(meta: Options) -> None:
    for field in meta.local_concrete_fields:
        complete_table(field, field.sa_column, meta.table)
    if meta.db_table_comment or meta.unique_together or meta.indexes or meta.constraints:
        from ormolu.models.table_parts import add_to_table  # most models have none of these

        add_to_table(meta)
    if meta.db_tablespace or settings.DEFAULT_TABLESPACE:
        from ormolu.models.table_parts import set_tablespace

        set_tablespace(meta)


def _is_ours(function: Any) -> bool:
    return isinstance(function, types.FunctionType) and getattr(function, "_is_generated", False)


def _model_init(cls: type[Any]) -> Any:
    from ormolu.models.base import Model

    return vars(Model)["__init__"]


def _add_default_manager(cls: type[Any]) -> None:
    meta = cls._meta
    if not meta.managers:
        if any(field.name == "objects" for field in meta.fields):
            raise ValueError(
                f"Model {cls.__name__} must specify a custom Manager, because it has a field named 'objects'."
            )
        manager: Manager[Any] = Manager()
        manager.auto_created = True
        manager.contribute_to_class(cls, "objects")
    _set(cls, "_default_manager", ManagerDescriptor(None, "default_manager"))
    _set(cls, "_base_manager", ManagerDescriptor(None, "base_manager"))
