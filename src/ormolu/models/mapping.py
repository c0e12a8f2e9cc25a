"""From a class body to a SQLAlchemy mapping.

Before SQLAlchemy's declarative scan, `expand()` puts columns and relationships in the place of fields; after it,
`install()` puts our descriptors in the place of SQLAlchemy's, and makes fields of what was declared as in SQLAlchemy.
"""

from __future__ import annotations

import copy
import inspect
import sys
from collections.abc import Callable
from typing import Any, get_args

import sqlalchemy as sa
from sqlalchemy.orm import ColumnProperty, InstrumentedAttribute, MappedColumn, MapperProperty, declared_attr

from ormolu.fields.base import Field
from ormolu.fields.columns import complete_table
from ormolu.models.accessors import Forward, ManyToMany, forward_setter
from ormolu.models.attributes import (
    COLUMN,
    DeferredAttribute,
    FastColumn,
    column_setter,
    key_setter,
    own_setter,
    pk_property,
    validated_setter,
)
from ormolu.models.relationships import forward_relationship, many_relationship, object_relationship

_set = type.__setattr__
# Names that a declarative class body may not map, though a mapper may: such columns go in by the table.
RESERVED = frozenset({"metadata", "registry"})


def is_contribution(value: Any) -> bool:
    """Tell whether a class attribute wants to bind itself to the model: fields, managers, a user's own."""
    return not inspect.isclass(value) and hasattr(value, "contribute_to_class")


def inherited_fields(cls: type[Any], own: set[str]) -> dict[str, Any]:
    """Return copies of the fields of abstract bases and plain mixins, by name, in order of their creation.

    A name that the class itself (or a nearer base) defines as anything else is left out.
    """
    found: dict[str, Any] = {}
    taken = set(own)
    mapped: set[type] = set()
    for base in cls.__mro__[1:]:
        if "__mapper__" in vars(base):
            mapped.update(base.__mro__)
        if base in mapped:
            taken.update(vars(base))
            continue
        meta = vars(base).get("_meta")
        fields: dict[str, Any] = meta.declared if meta is not None else {
            name: value for name, value in vars(base).items() if isinstance(value, Field)
        }  # fmt: skip
        for name, field in fields.items():
            if name not in taken:
                found[name] = copy.deepcopy(field)
        if base.__module__.split(".")[0] not in ("ormolu", "sqlalchemy"):
            taken.update(fields, (name for name in vars(base) if not name.startswith("__")))
    return dict(sorted(found.items(), key=lambda item: item[1].creation_counter))


def inherited_virtual_fields(cls: type[Any], taken: set[str]) -> dict[str, Any]:
    """Return copies of the generic fields of concrete bases, by name: each model has its own content type."""
    found: dict[str, Any] = {}
    for base in cls.__mro__[1:]:
        meta = vars(base).get("_meta")
        if meta is None or meta.abstract:
            continue
        for field in meta.private_fields:
            if is_contribution(field) and field.name not in taken and not field.primary_key:
                found[field.name] = copy.deepcopy(field)
                found[field.name].mti_inherited = True
        taken |= set(found)
    return found


def has_primary_key(cls: type[Any], body: dict[str, Any]) -> bool:
    """Tell whether a class or a mixin of it declares a primary key in SQLAlchemy's way, or anything named `id`."""
    if isinstance(body.get("__table__"), sa.Table):
        return True
    for base in cls.__mro__:
        for name, value in vars(base).items():
            if isinstance(value, (MappedColumn, sa.Column)) and _is_key(value):
                return True
            if name == "id" and isinstance(value, (MappedColumn, sa.Column, declared_attr, MapperProperty)):
                return True
        annotations: dict[str, Any] = vars(base).get("__annotations__") or {}
        for name, annotation in annotations.items():
            if name not in vars(base) and _annotated_key(base, name, annotation):
                return True
    return False


def _is_key(value: Any) -> bool:
    """Tell whether a mapped_column() or Column is part of the primary key."""
    return bool(getattr(value, "column", value).primary_key)


def _annotated_key(base: type[Any], name: str, annotation: Any) -> bool:
    """Tell whether `name: Mapped[...]` with no value is a key: it is called `id`, or its Annotated says so."""
    if isinstance(annotation, str):
        if "Mapped[" not in annotation:
            return False
        if name == "id":
            return True
        try:
            annotation = eval(annotation, vars(sys.modules[base.__module__]))
        except Exception:
            return False
    if name == "id" and "Mapped" in str(annotation):
        return True
    for inner in get_args(annotation):
        for extra in getattr(inner, "__metadata__", ()):
            if isinstance(extra, MappedColumn) and _is_key(extra):
                return True
    return False


def late_default(cls: type[Any], field: Any) -> sa.DefaultClause:
    """Return the default of a column that an expression of ours gives."""
    from ormolu.models.ddl import Late

    return sa.DefaultClause(Late(cls, field.db_default))


def expand(cls: type[Any], meta: Any) -> None:
    """Replace the fields of a class about to be mapped by columns and relationships, in the order of the table."""
    reserved: list[Any] = []  # what the table gets by its arguments
    for field in meta.local_fields:
        if field.column is not None:
            if hasattr(field.db_default, "as_term"):
                field.sa_column.server_default = late_default(cls, field)
            if field.attname in vars(cls):
                # A field of the user's own put its descriptor there: it comes back once SQLAlchemy is done.
                field.own_descriptor = vars(cls)[field.attname]
            if field.attname in RESERVED:
                reserved.append(field.sa_column)
            else:
                _replace(cls, field.attname, field.sa_column)
    if meta.is_composite_pk and not meta.proxy:
        reserved.append(sa.PrimaryKeyConstraint(*(field.column for field in meta.pk.fields)))
    if reserved:
        given = vars(cls).get("__table_args__") or ()
        _set(cls, "__table_args__", (*reserved, *((given,) if isinstance(given, dict) else given)))
    for field in meta.local_fields:
        if field.is_relation and field.column is not None:
            _replace(cls, field.name, forward_relationship(field))
        elif field.is_relation and field.problem is None:
            _replace(cls, field.name, object_relationship(field))
    for field in meta.local_many_to_many:
        _replace(cls, field.name, many_relationship(field))
    if any(link is not None for link in meta.parents.values()):
        from ormolu.models.several_parents import tell_parents

        tell_parents(cls, meta)


def _replace(cls: type[Any], name: str, value: Any) -> None:
    if name in vars(cls):
        type.__delattr__(cls, name)  # so that it comes after those that were set before
    _set(cls, name, value)


def reorder_plain(cls: type[Any], order: list[str]) -> None:
    """Put plain mapped_column()s between the fields, as the class body has them."""
    values = {name: vars(cls)[name] for name in order if name in vars(cls)}
    for name, value in values.items():
        _replace(cls, name, value)


def install(cls: type[Any]) -> None:
    """Put our descriptors over a class that SQLAlchemy has just mapped, and complete its `_meta`."""
    meta = cls._meta
    mapper = cls.__mapper__
    if not meta.proxy:
        meta.table = mapper.local_table
        if isinstance(meta.table, sa.Join):
            from ormolu.models.several_parents import own_table

            meta.table = own_table(cls)
    setters: dict[str, Callable[[Any, Any], None]] = {}
    by_column = {id(field.sa_column): field for field in meta.fields if field.column is not None}
    # Not mapper.column_attrs: that would configure the mappers before the relations' targets exist.
    for prop in list(mapper._props.values()):
        install_column(cls, prop, by_column, setters)
    # SQLAlchemy gives a subclass attributes of its own, those of its parents' columns and relations included.
    for field in meta.fields:
        if field.is_relation and field.column is not None:
            install_relation(cls, field, setters)
    for field in meta.object_fields:
        install_object(cls, field, setters)
    for field in meta.many_to_many:
        install_many(cls, field)
    meta.local_fields[:] = in_order_of_table(meta)
    complete_key(cls, setters)
    _set(cls, "_setters", setters)
    manager = mapper.class_manager
    scan = manager._all_sqla_attributes

    def all_attributes(*args: Any, **kw: Any) -> Any:
        return _with_fast_columns(cls, scan(*args, **kw))

    manager._all_sqla_attributes = all_attributes


def in_order_of_table(meta: Any) -> list[Any]:
    """Return a model's own fields in the order of its table; a ForeignObject stays behind the field before it."""
    order = {id(column): n for n, column in enumerate(meta.table.columns)}
    places: dict[int, float] = {}
    before = -1.0
    for field in meta.local_fields:
        before = places[id(field)] = before if field.column is None else order.get(id(field.sa_column), -1)
    return sorted(meta.local_fields, key=lambda field: places[id(field)])


def _with_fast_columns(cls: type[Any], found: Any) -> Any:
    """Add the attributes that stand behind our descriptors to those that SQLAlchemy finds on a class."""
    seen: set[str] = set()
    for key, value in found:
        seen.add(key)
        yield key, value
    for base in cls.__mro__:
        for key, value in vars(base).items():
            if key not in seen and isinstance(getattr(value, "attribute", None), InstrumentedAttribute):
                seen.add(key)
                yield key, value.attribute


def install_column(cls: type[Any], prop: Any, by_column: dict[int, Any], setters: dict[str, Any]) -> None:
    """Give one mapped column its descriptor and setter, and a field if it was declared in SQLAlchemy's way."""
    attribute = vars(cls).get(prop.key)
    if not isinstance(attribute, InstrumentedAttribute) or not isinstance(prop, ColumnProperty):
        return
    column: Any = prop.columns[0]
    field = by_column.get(id(column))
    if field is None and is_column_of_table(column):
        field = plain_field(cls, prop.key, column)
    if field is None:
        from ormolu.models.expression_columns import ExpressionColumn

        _set(cls, prop.key, ExpressionColumn(prop.key, attribute))
        _set(cls, "_expressions", (*cls._expressions, prop.key))
        return
    own = getattr(field, "own_descriptor", None)
    if own is not None:
        if isinstance(own, DeferredAttribute):
            own = copy.copy(own)  # each class that inherits the field has an attribute of its own
            own.attribute = attribute
        _set(cls, prop.key, own)
        if hasattr(own, "__set__"):
            setters[prop.key] = own_setter(prop.key, own)
        return
    if hasattr(field, "attr_class"):
        from ormolu.models.file_columns import FileColumn

        files = FileColumn(attribute, prop.key, field)
        _set(cls, prop.key, files)
        setters[prop.key] = files.set
        if prop.key in cls.__mapper__.validators:
            setters[prop.key] = validated_setter(prop.key, files.set)
        return
    _set(cls, prop.key, FastColumn(attribute, prop.key, field))
    setters[prop.key] = COLUMN
    if prop.key in cls.__mapper__.validators:
        setters[prop.key] = validated_setter(prop.key, column_setter(prop.key, attribute))


def is_column_of_table(column: Any) -> bool:
    """Tell whether a mapped element is a column of a table, and not an expression."""
    table: Any = getattr(column, "table", None)
    return isinstance(column, sa.Column) and isinstance(table, sa.Table)


def install_relation(cls: type[Any], field: Any, setters: dict[str, Any]) -> None:
    """Give a mapped ForeignKey its descriptor, and the setters of object and key."""
    attribute = vars(cls)[field.name]
    validators = cls.__mapper__.validators
    set_key = key_setter(field.attname, vars(cls)[field.attname].attribute, field.name)
    if field.attname in validators:
        set_key = validated_setter(field.attname, set_key)
    setters[field.attname] = set_key
    setters[field.name] = forward_setter(field, attribute, set_key)
    if field.name in validators:
        setters[field.name] = validated_setter(field.name, setters[field.name], field.attname)
    if is_parent_link(field):
        from ormolu.models.parent_links import ParentLink, link_setter

        setters[field.name] = link_setter(field, setters[field.name])
        descriptor: Forward = ParentLink(field, attribute)
    else:
        descriptor = Forward(field, attribute)
    if field.model is cls:
        field.descriptor = descriptor
    _set(cls, field.name, descriptor)


def links_upwards(meta: Any) -> tuple[str, ...]:
    """Return the attnames of a model's links to its parents, and of theirs to their own, without its own key."""
    lineage = (meta.concrete_model, *meta.concrete_model._meta.all_parents)
    links = (link for model in lineage for link in model._meta.parents.values() if link is not None)
    return tuple(link.attname for link in links if link is not meta.pk)


def is_parent_link(field: Any) -> bool:
    """Tell whether a field is a child's link to its parent's row."""
    return any(link is field for link in field.model._meta.parents.values())


def install_object(cls: type[Any], field: Any, setters: dict[str, Any]) -> None:
    """Give a mapped ForeignObject its descriptor and setter, and let go of its object when a column changes."""
    from ormolu.models.object_accessors import ForwardObject, letting_go, object_setter

    for name in field.from_fields:
        local = cls._meta.get_field(name)
        setter = setters[local.attname]
        if setter is COLUMN:
            setter = column_setter(local.attname, vars(cls)[local.attname].attribute)
        setter = setters[local.attname] = letting_go(setter, local.attname, field.name)
        if local.is_relation:
            setters[local.name] = forward_setter(local, vars(cls)[local.name].attribute, setter)
    setters[field.name] = object_setter(field)
    descriptor = ForwardObject(field, vars(cls)[field.name])
    if field.model is cls:
        field.descriptor = descriptor
    _set(cls, field.name, descriptor)


def install_many(cls: type[Any], field: Any) -> None:
    """Give a mapped ManyToManyField its descriptor."""
    descriptor = ManyToMany(field.remote_field, reverse=False, attribute=vars(cls)[field.name])
    if field.model is cls:
        field.descriptor = descriptor
    _set(cls, field.name, descriptor)


def plain_field(cls: type[Any], key: str, column: sa.Column[Any]) -> Any:
    """Make a field of a column that was declared with mapped_column(), so that `_meta` knows it."""
    from ormolu.fields.plain import ColumnField

    field: Any = ColumnField(column, key)
    field.empty_strings_allowed = False  # what nobody set is NULL, as in SQLAlchemy
    field.contribute_to_class(cls, key)
    return field


def complete_key(cls: type[Any], setters: dict[str, Any]) -> None:
    """Find the primary key of a mapped class, and give the class its `pk` attribute."""
    meta = cls._meta
    mapper = cls.__mapper__
    keys = [mapper.get_property_by_column(column).key for column in mapper.primary_key]
    by_attname = {field.attname: field for field in meta.fields if field.column is not None}
    parents = meta.concrete_model._meta.parents  # of a proxy: those of the model that it stands for
    if meta.pk is not None and any(link is not None for link in parents.values()):
        keys = [meta.pk.attname]  # the key to the parent's row, whose key is the mapper's
    elif meta.is_composite_pk:
        keys = [field.attname for field in meta.pk_fields]
    elif len(keys) > 1:  # a plain SQLAlchemy mapping
        from ormolu.models.keys import CompositePrimaryKey

        CompositePrimaryKey(*keys).contribute_to_class(cls, "pk")
    elif meta.pk is None or meta.pk.attname != keys[0]:
        meta.pk = by_attname[keys[0]]
    if meta.is_composite_pk:
        from ormolu.models.keys import key_property

        pk = key_property(tuple(keys))
    else:
        shared = [link for link in parents.values() if link is not None and link is not meta.pk]
        pk = pk_property(keys[0], tuple(link.target_field.attname for link in shared), links_upwards(meta))
    _set(cls, "pk", pk)
    setters["pk"] = pk.fset


def plain_names(body: dict[str, Any]) -> list[str]:
    """Return the names that a class body maps in SQLAlchemy's way."""
    return [name for name, value in body.items() if isinstance(value, (MappedColumn, sa.Column))]


def add_later(cls: type[Any], field: Any) -> None:
    """Map a field that is added to a model whose class exists already."""
    if field.many_to_many:
        setattr(cls, field.name, many_relationship(field))
        install_many(cls, field)
    elif field.column is not None:
        if isinstance(cls.__mapper__.local_table, sa.Join):
            from ormolu.models.several_parents import take_column

            take_column(cls, field.sa_column)
        setattr(cls, field.attname, field.sa_column)
        complete_table(field, field.sa_column, cls._meta.table)
        if field.is_relation:
            setattr(cls, field.name, forward_relationship(field))
            install_relation(cls, field, cls._setters)
    elif field.is_relation and hasattr(field, "from_fields"):
        setattr(cls, field.name, object_relationship(field))
        install_object(cls, field, cls._setters)


def descendants(cls: type[Any]) -> list[type[Any]]:
    """Return the mapped classes that derive from a model, nearest first."""
    found: dict[type[Any], None] = {}
    for child in cls.__subclasses__():
        found.update(dict.fromkeys([child] if "__mapper__" in vars(child) else []))
        found.update(dict.fromkeys(descendants(child)))
    return list(found)


def inherit_later(cls: type[Any], field: Any) -> None:
    """Give a model the descriptors of a field that was added to one that it derives from."""
    mapper: Any = cls.__mapper__
    mapped = field.name if field.many_to_many else field.attname
    if mapped not in mapper._props:  # the parent isn't in the mapper's chain
        if field.column is not None:
            for source in (mapper.local_table, mapper.persist_selectable):
                source._refresh_for_new_column(field.sa_column)
            mapper.add_property(field.attname, field.sa_column)
        if field.is_relation:
            made = forward_relationship if field.column is not None else object_relationship
            made = many_relationship if field.many_to_many else made
            mapper.add_property(field.name, made(field))
    if field.column is not None:
        install_column(cls, mapper._props[field.attname], {id(field.sa_column): field}, cls._setters)
    if field.many_to_many:
        install_many(cls, field)
    elif field.is_relation:
        (install_relation if field.column is not None else install_object)(cls, field, cls._setters)
