"""`GenericForeignKey`, a key to an object of any model, and `GenericRelation`, the way back from one model."""

from __future__ import annotations

import copy
from collections.abc import MutableMapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar, overload

from ormolu.compile import names
from ormolu.compile.joins import backwards
from ormolu.compile.paths import PathInfo, Restriction
from ormolu.contrib.contenttypes import rows
from ormolu.contrib.contenttypes.accessors import (
    GenericManagerAccessor,
    GenericObject,
    OwnersAccessor,
    key_matches,
)
from ormolu.contrib.contenttypes.models import ContentType
from ormolu.fields.base import Field
from ormolu.models import ordered
from ormolu.models.related_fields import RelatedField, check_target
from ormolu.models.rels import FieldCacheMixin, ForeignObjectRel
from ormolu.programs import Program
from ormolu.query import terminals
from ormolu.query.prefetch import Prefetch, check_to_attr, elsewhere
from ormolu.writes.on_delete import DO_NOTHING

if TYPE_CHECKING:
    from sqlalchemy.orm import InstrumentedAttribute

    from ormolu.contrib.contenttypes.related_managers import GenericRelatedManager
    from ormolu.models.base import Model

__all__ = ["GenericForeignKey", "GenericRel", "GenericRelation"]

M = TypeVar("M")


class GenericForeignKey(FieldCacheMixin, Field[Any]):
    """A key to an object of any model: a ForeignKey to ContentType and a field for the object's own key, by name.

    It has no column, and can't be used in queries. Reading it loads the object; it is None where that is gone.
    With `for_concrete_model=False` it tells proxies from their models.
    """

    many_to_many = False
    many_to_one = True
    one_to_many = False
    one_to_one = False

    if TYPE_CHECKING:

        def __get__(self, instance: object | None, owner: Any) -> Any: ...
        def __set__(self, instance: object, value: Any) -> None: ...

    def __init__(
        self, ct_field: str = "content_type", fk_field: str = "object_id", for_concrete_model: bool = True
    ) -> None:
        super().__init__(editable=False)
        self.is_relation = True
        self.ct_field = ct_field
        self.fk_field = fk_field
        self.for_concrete_model = for_concrete_model

    def __str__(self) -> str:
        return f"{self.model._meta.label}.{self.name}"

    def get_attname_column(self) -> tuple[str, None]:  # type: ignore[override]
        """Return the name of the attribute; there is no column."""
        return self.name, None

    def contribute_to_class(self, cls: Any, name: str, private_only: bool = True) -> None:
        """Bind the field to a model class under a name."""
        super().contribute_to_class(cls, name, private_only=True)
        type.__setattr__(cls, name, GenericObject(self))

    @property
    def ct_attname(self) -> str:
        """The attribute that holds the key of the content type."""
        return str(self.model._meta.get_field(self.ct_field).attname)

    @property
    def held_name(self) -> str:
        """The key in an instance's `__dict__` that says what its columns were when an object came to be held."""
        return f"_{self.name}_key"

    def get_content_type(
        self, obj: Any = None, id: Any = None, using: str | None = None, model: Any = None
    ) -> ContentType:
        """Return the content type of an object, of a model, or by its key."""
        if obj is not None:
            manager = ContentType.objects.db_manager(obj._state.db)
            return manager.get_for_model(obj, for_concrete_model=self.for_concrete_model)
        manager = ContentType.objects.db_manager(using)
        if id is not None:
            return manager.get_for_id(id)
        if model is not None:
            return manager.get_for_model(model, for_concrete_model=self.for_concrete_model)
        raise TypeError(
            "Impossible arguments to GenericForeignKey.get_content_type(): give obj, id or model."
        )

    # What an instance holds

    def get_cache_name(self) -> str:
        """Return the key in an instance's `__dict__` that holds the object."""
        return self.name

    @property
    def cache_name(self) -> str:
        """The key in an instance's `__dict__` that holds the object."""
        return self.name

    def held(self, instance: Any, create: bool = False) -> MutableMapping[str, Any]:
        """Return where an instance keeps its object: among its attributes."""
        values: dict[str, Any] = instance.__dict__
        return values

    def set_cached_value(self, instance: Any, value: Any) -> None:
        """Give an instance its object, without changing the columns."""
        instance.__dict__[self.name] = value
        instance.__dict__[self.held_name] = self.key(instance)

    def key(self, instance: Any) -> tuple[Any, Any]:
        """Return what an instance's columns say: the content type's key and the object's."""
        return getattr(instance, self.ct_attname), getattr(instance, self.fk_field)

    def related_model_of(self, found: ContentType) -> Any:
        """Return the model of a content type, of this field's registry if there is one of that label."""
        return found.model_class(self.model._meta.apps)

    # Writing

    def settle(self, driver: Any, operation: str, instances: Sequence[Any]) -> Program[None]:
        """Complete the columns of instances about to be written.

        An object may have got its key since it was assigned, and in async code its content type may not have been
        known then. Raises ValueError for an unsaved object.
        """
        pending: list[tuple[Any, Any]] = []
        for instance in instances:
            related = instance.__dict__.get(self.name)
            if related is None:
                continue
            type_key, key = self.key(instance)
            if key is None:
                if related.pk is None:
                    raise ValueError(
                        f"{operation}() prohibited to prevent data loss due to unsaved related object '{self.name}'."
                    )
                setattr(instance, self.fk_field, related.pk)
            if type_key is None and instance.__dict__.get(self.held_name, (1,))[0] is None:
                pending.append((instance, rows.key_of(related, self.for_concrete_model)))
        if pending:
            manager = ContentType.objects.db_manager(driver.database.alias)
            known = yield from rows.by_keys(driver, manager, [key for _, key in pending])
            for instance, key in pending:
                related = instance.__dict__[self.name]
                setattr(instance, self.ct_field, known[key])
                self.set_cached_value(instance, related)

    # Prefetching

    def load_related(self, driver: Any, level: Sequence[Any], lookup: Prefetch) -> Program[list[Any]]:
        """Load the objects of many instances, one SELECT for each model; return all that these hold then."""
        if lookup.to_attr:
            check_to_attr(level[0]._meta, lookup.to_attr)
        known = [] if lookup.querysets or lookup.to_attr else [o for o in level if key_matches(self, o)]
        chosen = {id(instance) for instance in known}
        todo = [instance for instance in level if id(instance) not in chosen] if known else level
        keys: dict[Any, dict[Any, None]] = {}
        for instance in todo:
            type_key, key = self.key(instance)
            if type_key is not None and key is not None:
                keys.setdefault(type_key, {})[key] = None
        manager = ContentType.objects.db_manager(driver.database.alias)
        types = (yield from rows.by_ids(driver, manager, keys)) if keys else {}
        if len({queryset.model._meta.concrete_model for queryset in lookup.querysets}) < len(
            lookup.querysets
        ):
            raise ValueError("Only one queryset is allowed for each content type.")
        given = {queryset.model._meta.concrete_model: queryset for queryset in lookup.querysets}
        converters: dict[Any, Any] = {}
        objects: dict[tuple[Any, Any], Any] = {}
        for type_key, found in types.items():
            model = self.related_model_of(found)
            if model is None:
                continue
            convert = converters[type_key] = names.plain_field(model._meta.pk).to_python
            queryset = given.get(model._meta.concrete_model)
            if queryset is None:
                queryset = model._base_manager.get_queryset()
            queryset = queryset.filter(pk__in=[convert(key) for key in keys[type_key]])
            for related in (yield from _results(driver, queryset)):
                objects[type_key, related.pk] = related
        name = lookup.to_attr
        for instance in todo:
            type_key, key = self.key(instance)
            convert = converters.get(type_key)
            related = None if convert is None or key is None else objects.get((type_key, convert(key)))
            if name:
                instance.__dict__[name] = related
            else:
                self.set_cached_value(instance, related)
        held = [o.__dict__[name or self.name] for o in level]
        return list({id(related): related for related in held if related is not None}.values())


def _results(driver: Any, queryset: Any) -> Program[list[Any]]:
    """Return the objects of a queryset, on the database that it names or on the driver's."""
    found: list[Any]
    if queryset._db is None or queryset._db == driver.database.alias:
        found = yield from terminals.results(driver, queryset)
        adopt = getattr(driver, "adopt", None)
        return found if adopt is None else adopt(found)
    found = yield from elsewhere(driver, queryset._db, terminals.results, queryset)
    return found


class GenericRel(ForeignObjectRel):
    """The reverse side of a GenericRelation: from a generic key to the objects of one model."""

    one_to_many = True

    def get_accessor_name(self, model: type[Model] | None = None) -> str | None:
        """Return the attribute name, which is the related_query_name, or None where there is none."""
        return None if self.hidden else self.name

    def prefetch_hops(self) -> tuple[PathInfo, ...]:
        """Return the hops by which many objects with the generic key find what they refer to: from their own key."""
        meta = self.to_meta
        key = meta.pk.sa_column
        return (PathInfo(meta, meta, ((key, key),), False, False, self, False), *self.path_infos())

    def path_infos(self) -> tuple[PathInfo, ...]:
        """Return the hop from the model with the generic key."""
        hop = self.field.path_infos()[0]
        back = backwards(hop)
        back.multiple, back.nullable, back.reverse, back.join_field = False, True, False, self
        return (back,)


class GenericRelation(RelatedField[Any], Generic[M]):
    """The objects of a model that refer to this one by its GenericForeignKey.

    `tags = GenericRelation(TaggedItem)` makes `bookmark.tags` a related manager, and `tags__...` a lookup. With a
    `related_query_name` there is a lookup the other way, too. Deleting a bookmark deletes its tags.
    """

    many_to_many = False
    many_to_one = False
    one_to_many = True
    one_to_one = False
    rel_class = GenericRel
    own_options: ClassVar[dict[str, Any]] = {"blank": True, "editable": False, "serialize": False}
    description = "Generic relation"
    deletes_related = True
    mti_inherited = False

    if TYPE_CHECKING:

        @overload
        def __get__(self, instance: None, owner: Any) -> InstrumentedAttribute[Any]: ...
        @overload
        def __get__(self, instance: object, owner: Any) -> GenericRelatedManager[M]: ...
        def __get__(self, instance: object | None, owner: Any) -> Any: ...

    def __init__(
        self,
        to: type[M] | str,
        object_id_field: str = "object_id",
        content_type_field: str = "content_type",
        for_concrete_model: bool = True,
        related_query_name: str | None = None,
        limit_choices_to: Any = None,
        **options: Any,
    ) -> None:
        check_target(type(self).__name__, to)
        given: dict[str, Any] = {"blank": True, "editable": False, "serialize": False, **options}
        super().__init__(**given)
        self.is_relation = True
        self.object_id_field_name = object_id_field
        self.content_type_field_name = content_type_field
        self.for_concrete_model = for_concrete_model
        self.remote_field = self.rel_class(
            self,
            to,
            related_name=related_query_name or "+",
            related_query_name=related_query_name,
            limit_choices_to=limit_choices_to,
            on_delete=DO_NOTHING,
        )

    def __deepcopy__(self, memo: dict[int, Any]) -> GenericRelation[M]:
        """Return a copy for another model."""
        made = copy.copy(self)
        made.forget()
        made.remote_field = rel = copy.copy(self.remote_field)
        rel.field = made
        rel.resolved = rel.to if isinstance(rel.to, type) else None
        return made

    def get_attname_column(self) -> tuple[str, None]:  # type: ignore[override]
        """Return the name of the attribute; there is no column."""
        return self.name, None

    def contribute_to_class(self, cls: Any, name: str, private_only: bool = True) -> None:
        """Bind the field to a model class under a name."""
        if self.mti_inherited:  # the name leads to the model that declares the relation
            self.remote_field.related_name, self.remote_field.related_query_name = "+", None
        super().contribute_to_class(cls, name, private_only=True)
        type.__setattr__(cls, name, GenericManagerAccessor(self.remote_field))

    def connect(self, target: type[Model]) -> None:
        """Take the target, and list the relation there. Raises FieldError where the model's key has several columns."""
        if self.model._meta.is_composite_pk:
            from ormolu.models.keys import not_single

            raise not_single(self, self.model)
        rel = self.remote_field
        rel.model = target
        self.forget()
        meta = target._meta.concrete_model._meta
        meta.reverse_relations[:] = [known for known in meta.reverse_relations if known is not rel] + [rel]
        meta.apps.clear_cache()
        model: Any = meta.model
        if not rel.hidden and not hasattr(model, rel.name):
            type.__setattr__(model, rel.name, OwnersAccessor(rel))
        order = meta.order_with_respect_to
        if isinstance(order, GenericForeignKey) and (order.ct_field, order.fk_field) == (
            self.content_type_field_name,
            self.object_id_field_name,
        ):
            ordered.give_methods(
                self.model, model, lambda queryset, instance: getattr(instance, self.name)._related(queryset)
            )

    @property
    def object_id(self) -> Any:
        """The field of the target that holds the key of an object of this model."""
        return self.related_model._meta.get_field(self.object_id_field_name)

    @property
    def content_type(self) -> Any:
        """The field of the target that refers to the content type."""
        return self.related_model._meta.get_field(self.content_type_field_name)

    @property
    def type_key(self) -> rows.Key:
        """What names this model among the content types."""
        return rows.key_of(self.model, self.for_concrete_model)

    def get_content_type(self) -> ContentType:
        """Return the content type of the model that has the relation."""
        return ContentType.objects.get_for_model(self.model, for_concrete_model=self.for_concrete_model)

    def path_infos(self) -> tuple[PathInfo, ...]:
        """Return the hop to the table with the generic key, and those from there to a child model's."""
        paths: tuple[PathInfo, ...] | None = self.__dict__.get("_paths")
        if paths is None:
            column, target = self.object_id.sa_column, self.related_model._meta
            down = [backwards(hop) for hop in reversed(names.ancestry(target, column.table))]
            for hop in down:
                hop.multiple = False
            first = PathInfo(
                from_meta=self.model._meta,
                to_meta=down[0].from_meta if down else target,
                pairs=((self.model._meta.pk.sa_column, column),),
                multiple=True,
                nullable=True,
                join_field=self,
                reverse=True,
                restriction=Restriction(self.content_type.sa_column, rows.type_id(self.type_key), far=True),
            )
            paths = self._paths = (first, *down)
        return paths

    def value_to_string(self, obj: Any) -> str:
        """Return the keys of the related objects as text."""
        return str([item.pk for item in getattr(obj, self.name).all()])

    def get_internal_type(self) -> str:
        """Return the name of the kind of field."""
        return "ManyToManyField"

    def value_from_object(self, obj: Any) -> list[Any]:
        """Return the related objects. One query, unless they were prefetched."""
        return [] if obj.pk is None else list(getattr(obj, self.name).all())
