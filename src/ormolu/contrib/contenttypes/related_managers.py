"""`bookmark.tags`: the manager of the objects whose generic key refers to one object."""

from __future__ import annotations

from collections.abc import Iterable
from operator import attrgetter
from typing import Any

from ormolu import transaction
from ormolu.contrib.contenttypes import rows
from ormolu.models.prefetching import Parts, the_queryset
from ormolu.models.related_managers import RelatedManagerBase, note_written, shared_by_all
from ormolu.programs import Program
from ormolu.query import terminals
from ormolu.query.manager_methods import M
from ormolu.query.managers import Manager

__all__ = ["GenericRelatedManager", "OwnersManager", "generic_manager_class", "owners_manager_class"]

Defaults = dict[str, Any]


class GenericRelatedManager(RelatedManagerBase[M]):
    """A manager of the objects that refer to one object by a generic key."""

    field: Any

    def __init__(self, instance: Any) -> None:
        self.__dict__.update(self._own)
        self.instance = instance

    def __str__(self) -> str:
        return repr(self)

    @classmethod
    def _on(cls, superclass: type[Manager[Any]]) -> Any:
        return generic_manager_class(cls.field, superclass)

    def _related(self, queryset: Any) -> Any:
        field, instance = self.field, self.instance
        queryset._add_hints(instance=instance)
        if self._db:
            queryset._db = self._db
        if instance.pk is None:
            return queryset.none()
        of_type = field.path_infos()[0].restriction.value
        return queryset.filter(
            **{field.content_type_field_name: of_type, field.object_id_field_name: instance.pk}
        )

    def get_queryset(self) -> Any:
        """Return the related objects: prefetched ones, or a new query."""
        found = self._prefetched()
        return found if found is not None else self._related(self._unrelated_queryset())

    def get_prefetch_querysets(self, instances: Any, querysets: Any = None) -> Parts:
        """Return the queryset of all objects that refer to `instances`, and how to hand them out."""
        field = self.field
        found = the_queryset(querysets, self._unrelated_queryset).filter(
            **{
                field.content_type_field_name: field.path_infos()[0].restriction.value,
                f"{field.object_id_field_name}__in": [instance.pk for instance in instances],
            }
        )
        key = field.model._meta.pk.to_python
        name = field.object_id.attname
        return found, lambda related: key(getattr(related, name)), attrgetter("pk"), False, field.name, False

    def _fresh(self) -> Any:
        """Return the related objects as the database for writing has them."""
        return self._related(self._unrelated_queryset()).using(self._write_alias())

    def _values(self, content_type: Any) -> Defaults:
        """Return what a related object has in the columns of its generic key."""
        field = self.field
        return {field.content_type_field_name: content_type, field.object_id_field_name: self.instance.pk}

    def _check(self, objs: Iterable[Any], saved: bool = False) -> tuple[Any, ...]:
        """Return the objects, which must be of the related model, and saved unless save() will be called."""
        found = tuple(objs)
        alias = self._write_alias()
        for obj in found:
            if not isinstance(obj, self.model):
                raise TypeError(f"'{self.model._meta.object_name}' instance expected, got {obj!r}")
            if saved and (obj._state.adding or obj._state.db != alias):
                raise ValueError(f"{obj!r} instance isn't saved. Use bulk=False or save the object first.")
        return found

    # Adding

    def add(self, *objs: M, bulk: bool = True) -> None:
        """Let `objs` refer to this object: one UPDATE, or with bulk=False a save() of each."""
        found = self._check(objs, bulk)
        if bulk:
            self._run(_assign, found)
            return
        values = self._values(self._run(_own_type))
        with transaction.atomic(using=self._write_alias(), savepoint=False):
            for obj in found:
                _put(obj, values)
                obj.save(**self._told())

    async def aadd(self, *objs: M, bulk: bool = True) -> None:
        """Let `objs` refer to this object. See `add()`."""
        found = self._check(objs, bulk)
        if bulk:
            await self._arun(_assign, found)
            return
        values = self._values(await self._arun(_own_type))
        async with transaction.aatomic(using=self._write_alias(), savepoint=False):
            for obj in found:
                _put(obj, values)
                await obj.asave(**self._told())

    # Creating

    def create(self, **kwargs: Any) -> M:
        """Create an object that refers to this one."""
        values = self._values(self._run(_own_type))
        return self._maker("create")(**{**kwargs, **values})  # type: ignore[no-any-return]

    async def acreate(self, **kwargs: Any) -> M:
        """Create an object that refers to this one."""
        values = self._values(await self._arun(_own_type))
        return await self._maker("acreate")(**{**kwargs, **values})  # type: ignore[no-any-return]

    def get_or_create(self, defaults: Defaults | None = None, **kwargs: Any) -> tuple[M, bool]:
        """Return (object, created), among those that refer to this one."""
        kwargs.update(self._values(self._run(_own_type)))
        return self._maker("get_or_create")(defaults, **kwargs)  # type: ignore[no-any-return]

    async def aget_or_create(self, defaults: Defaults | None = None, **kwargs: Any) -> tuple[M, bool]:
        """Return (object, created), among those that refer to this one."""
        kwargs.update(self._values(await self._arun(_own_type)))
        return await self._maker("aget_or_create")(defaults, **kwargs)  # type: ignore[no-any-return]

    def update_or_create(
        self, defaults: Defaults | None = None, create_defaults: Defaults | None = None, **kwargs: Any
    ) -> tuple[M, bool]:
        """Return (object, created), among those that refer to this one; one that is there is changed."""
        kwargs.update(self._values(self._run(_own_type)))
        return self._maker("update_or_create")(defaults, create_defaults, **kwargs)  # type: ignore[no-any-return]

    async def aupdate_or_create(
        self, defaults: Defaults | None = None, create_defaults: Defaults | None = None, **kwargs: Any
    ) -> tuple[M, bool]:
        """Return (object, created), among those that refer to this one; one that is there is changed."""
        kwargs.update(self._values(await self._arun(_own_type)))
        return await self._maker("aupdate_or_create")(defaults, create_defaults, **kwargs)  # type: ignore[no-any-return]

    # Removing: an object without what it belongs to is deleted

    def remove(self, *objs: M, bulk: bool = True) -> None:
        """Delete `objs`, those that refer to this object; with bulk=False by delete() of each."""
        if objs:
            self._delete(self._fresh().filter(pk__in=[obj.pk for obj in self._check(objs)]), bulk)

    async def aremove(self, *objs: M, bulk: bool = True) -> None:
        """Delete `objs`, those that refer to this object. See `remove()`."""
        if objs:
            await self._adelete(self._fresh().filter(pk__in=[obj.pk for obj in self._check(objs)]), bulk)

    def clear(self, *, bulk: bool = True) -> None:
        """Delete all objects that refer to this one; with bulk=False by delete() of each."""
        self._delete(self._fresh(), bulk)

    async def aclear(self, *, bulk: bool = True) -> None:
        """Delete all objects that refer to this one. See `clear()`."""
        await self._adelete(self._fresh(), bulk)

    def _delete(self, queryset: Any, bulk: bool) -> None:
        self._remove_prefetched_objects()
        if bulk:
            queryset.delete()
            return
        with transaction.atomic(using=self._write_alias(), savepoint=False, immediate=True):
            for obj in queryset:
                obj.delete()

    async def _adelete(self, queryset: Any, bulk: bool) -> None:
        self._remove_prefetched_objects()
        if bulk:
            await queryset.adelete()
            return
        async with transaction.aatomic(using=self._write_alias(), savepoint=False, immediate=True):
            for obj in await queryset:
                await obj.adelete()

    # Replacing

    def set(self, objs: Iterable[M], *, bulk: bool = True, clear: bool = False) -> None:
        """Make `objs` the related objects; others are deleted, with `clear` all of them. One transaction."""
        found = tuple(objs)
        with transaction.atomic(using=self._write_alias(), savepoint=False, immediate=True):
            if clear:
                self.clear()
                self.add(*found, bulk=bulk)
                return
            old = set(self._fresh())
            self.remove(*old.difference(found), bulk=bulk)
            self.add(*(obj for obj in found if obj not in old), bulk=bulk)

    async def aset(self, objs: Iterable[M], *, bulk: bool = True, clear: bool = False) -> None:
        """Make `objs` the related objects. See `set()`."""
        found = tuple(objs)
        async with transaction.aatomic(using=self._write_alias(), savepoint=False, immediate=True):
            if clear:
                await self.aclear()
                await self.aadd(*found, bulk=bulk)
                return
            old = set(await self._fresh())
            await self.aremove(*old.difference(found), bulk=bulk)
            await self.aadd(*(obj for obj in found if obj not in old), bulk=bulk)


class OwnersManager(RelatedManagerBase[M]):
    """`tag.bookmark`: what has an object among those of a GenericRelation; one object, or none."""

    field: Any

    def __init__(self, instance: Any) -> None:
        self.__dict__.update(self._own)
        self.instance = instance

    @classmethod
    def _on(cls, superclass: type[Manager[Any]]) -> Any:
        return owners_manager_class(cls.field, superclass)

    def _related(self, queryset: Any) -> Any:
        return queryset.filter(**{self.field.name: self.instance})

    def get_queryset(self) -> Any:
        """Return the objects that this one refers to by its generic key, of one model: prefetched, or a new query."""
        found = self._prefetched()
        return found if found is not None else self._related(self._unrelated_queryset())


def _own_type(driver: Any, manager: GenericRelatedManager[Any]) -> Program[Any]:
    """Return the content type of the object that the others refer to."""
    from ormolu.contrib.contenttypes.models import ContentType

    types = ContentType.objects.db_manager(driver.database.alias)
    key = rows.key_of(manager.instance, manager.field.for_concrete_model)
    return (yield from rows.by_keys(driver, types, [key]))[key]


def _assign(driver: Any, manager: GenericRelatedManager[Any], objs: tuple[Any, ...]) -> Program[None]:
    """Let the rows of `objs` refer to the manager's object. One UPDATE."""
    if not objs:
        return
    values = manager._values((yield from _own_type(driver, manager)))
    queryset: Any = manager.model._meta.base_manager.get_queryset().filter(pk__in=[obj.pk for obj in objs])
    query, pairs = queryset._assignments(values)
    eras: list[Any] = []
    yield from terminals.update(driver, query, pairs, eras)
    meta = manager.model._meta
    attnames = [meta.get_field(name).attname for name in values]
    for obj in objs:
        _put(obj, values)
    note_written(objs, attnames, eras)


def _put(obj: Any, values: Defaults) -> None:
    for name, value in values.items():
        setattr(obj, name, value)


def generic_manager_class(
    field: Any, superclass: type[Manager[Any]] | None = None
) -> type[GenericRelatedManager[Any]]:
    """Return the class of a relation's managers, derived from that of the related model's default manager."""
    made: type[GenericRelatedManager[Any]] = _manager_class(
        GenericRelatedManager, field, field.name, superclass
    )
    return made


def owners_manager_class(
    field: Any, superclass: type[Manager[Any]] | None = None
) -> type[OwnersManager[Any]]:
    """Return the class of the managers on the other side of a relation that has a related_query_name."""
    made: type[OwnersManager[Any]] = _manager_class(OwnersManager, field, field.remote_field.name, superclass)
    return made


def _manager_class(methods: Any, field: Any, name: str, superclass: type[Manager[Any]] | None) -> Any:
    model = field.related_model if methods is GenericRelatedManager else field.model
    parent: type[Manager[Any]] = superclass or model._meta.default_manager.__class__
    body: dict[str, Any] = {"__module__": __name__, **shared_by_all(model, parent)}
    body.update(field=field, cache_name=name)
    return type("GenericRelatedObjectManager", (methods, parent), body)
