"""`author.book_set`: the manager of the objects whose ForeignKey refers to one object."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Self

from ormolu import databases, transaction
from ormolu.databases.routing import router
from ormolu.models.attributes import PrefetchesByHand
from ormolu.models.prefetching import Parts, backward, the_queryset
from ormolu.models.state import PREFETCHED, STATE, forget_changes
from ormolu.query import terminals
from ormolu.query.binding import adriver_of, driver_of
from ormolu.query.fetch_modes import take_mode
from ormolu.query.manager_methods import M, QuerySetMethods
from ormolu.query.managers import BaseManager, Manager
from ormolu.query.session_querysets import bound
from ormolu.writes import unsure

if TYPE_CHECKING:
    from ormolu.query.queryset import QuerySet

Program = Generator[Any, Any, Any]
MAKERS = ("create", "acreate", "get_or_create", "aget_or_create", "update_or_create", "aupdate_or_create")


class RelatedManagerBase(PrefetchesByHand, Manager[M]):
    """What the managers of both kinds of relation share. Subclasses are made for each relation."""

    instance: Any
    cache_name: str
    _key_name: str = "pk"
    _own: ClassVar[dict[str, Any]]  # what each manager of this relation must hold itself
    _plain: ClassVar[bool]  # whether the default manager's querysets are made as usual
    _overridden: ClassVar[frozenset[str]]  # which ways to create objects the default manager has of its own

    def __new__(cls, *args: Any, **kwargs: Any) -> Self:
        return object.__new__(cls)  # made for each object: nothing is remembered

    def _unrelated_queryset(self) -> QuerySet[M]:
        """Return what the related model's default manager finds, without the condition of the relation."""
        queryset = super().get_queryset()
        held = driver_of(self.instance) if self._db is None else None
        return queryset if held is None else bound(queryset, self.model, held.session)

    def _read_alias(self) -> str:
        return self._db or router.db_for_read(self.model, instance=self.instance)

    def _write_alias(self) -> str:
        return self._db or router.db_for_write(self.model, instance=self.instance)

    def _told(self) -> dict[str, Any]:
        """Return what save() is told: an alias that somebody chose. An override may take no arguments."""
        return {} if self._db is None else {"using": self._db}

    _object_alias = _write_alias
    """Where objects that are created here go to."""

    def _prefetched(self) -> Any:
        """Return a QuerySet of results that were prefetched, None where there are none."""
        values = self.instance.__dict__
        cache = values.get(PREFETCHED)
        if not cache or self.cache_name not in cache:
            if self.cache_name not in values:
                return None
            return self._queryset_class.prefilled(
                self.model, list(values[self.cache_name]), self._later, self._db
            )  # loaded by a Session
        found: Any = cache[self.cache_name]
        chosen: Any = None
        if found.__class__ is not list:
            if not hasattr(found, "append"):
                return found  # the QuerySet that was made of them
            chosen = getattr(found, "queryset", None)
        if chosen is None or chosen.query.is_sliced:
            if self._plain:
                # Not kept: it knows the instance, and to free such a ring takes the garbage collector.
                return self._queryset_class.prefilled(self.model, found, self._later, self._db)
            queryset: Any = self._related(self._unrelated_queryset())
        else:
            queryset = self._related(chosen._clone())
        queryset._result_cache = list(found)
        cache[self.cache_name] = queryset
        return queryset

    def _all(self) -> Any:
        """Do what `all()` does, with little work for prefetched lists. For managers with no `all()` of their own."""
        cache = self.instance.__dict__.get(PREFETCHED)
        if cache is not None:
            found = cache.get(self.cache_name)
            if found.__class__ is list and self._plain and getattr(self.instance, self._key_name) is not None:
                return self._queryset_class.prefilled(self.model, found, self._later, self._db)
        return self.get_queryset()

    def _later(self) -> Any:
        """Return the queryset behind prefetched results, once somebody refines them."""
        return self._related(self._unrelated_queryset())

    def _related(self, queryset: Any) -> Any:
        """Return a queryset with the condition of the relation."""
        raise TypeError("made by subclasses")

    def _remove_prefetched_objects(self) -> None:
        values = self.instance.__dict__
        values.get(PREFETCHED, {}).pop(self.cache_name, None)
        if self.cache_name in values and STATE in values:  # what a Session has loaded
            values[STATE]._expire_attributes(values, [self.cache_name])

    def __iter__(self) -> Iterator[M]:
        """Iterate over the related objects, as over `all()`: those that were loaded along, or those of a query."""
        return iter(self._all())

    def _run(self, program: Callable[..., Program], *args: Any) -> Any:
        self._remove_prefetched_objects()
        held = driver_of(self.instance) if self._db is None else None
        return (held or databases.get(self._write_alias()).driver).run(program, self, *args)

    async def _arun(self, program: Callable[..., Program], *args: Any) -> Any:
        self._remove_prefetched_objects()
        held = adriver_of(self.instance) if self._db is None else None
        return await (held or databases.get(self._write_alias()).adriver).arun(program, self, *args)

    def _maker(self, name: str) -> Callable[..., Any]:
        """Return what `create()` and its like go through: a user's manager that overrides it, else a queryset."""
        if name in self._overridden:
            # Told an alias, it would leave the session that holds the object.
            held = self._db is None and driver_of(self.instance) is not None
            above = super(RelatedManagerBase, self if held else self.db_manager(self._object_alias()))
            return getattr(above, name)  # type: ignore[no-any-return]
        return getattr(self._candidates(), name)  # type: ignore[no-any-return]

    def _block(self, block: Callable[..., Any], **terms: Any) -> Any:
        """Return a block that makes several steps one transaction. Bound to a session, they are a part of its own."""
        return block(using=self._write_alias(), savepoint=False, **terms)

    def _candidates(self) -> Any:
        """Return the queryset in which get_or_create() looks, and that creates objects."""
        return self._unrelated_queryset().using(self._write_alias())

    def __call__(self, session: Any = None, *, manager: str | None = None) -> Any:
        """Bind to a SQLAlchemy session, or use another of the related model's managers (`manager="published"`)."""
        if manager is None:
            return super().__call__(session)  # pyright: ignore[reportUnknownVariableType]
        other = self.model._meta.managers_map[manager]
        return self._on(other.__class__)(self.instance)

    @classmethod
    def _on(cls, superclass: type[Manager[Any]]) -> Any:
        raise TypeError("made by subclasses")


class ReverseManager(RelatedManagerBase[M]):
    """A manager of the objects on the many side of a ForeignKey."""

    rel: Any
    field: Any

    def __init__(self, instance: Any) -> None:
        if self._own:
            self.__dict__.update(self._own)
        self.instance = instance

    @property
    def core_filters(self) -> dict[str, Any]:
        """Return the condition of the relation."""
        return {self.field.name: self.instance}

    def _check_target(self) -> None:
        attname = self.field.target_field.attname
        if getattr(self.instance, attname) is None:
            raise ValueError(
                f'"{self.instance!r}" needs to have a value for field "{attname}" before this relationship can be used.'
            )

    def _related(self, queryset: Any) -> Any:
        field, instance = self.field, self.instance
        key = getattr(instance, field.target_field.attname)
        queryset._add_hints(instance=instance)
        if self._db:
            queryset._db = self._db
        if key is None or (key == "" and not field.target_field.empty_strings_allowed):
            return queryset.none()
        queryset = queryset.filter(**{field.name: instance})
        take_mode(queryset, instance)
        queryset._known = {**queryset._known, field: {key: instance}}
        return queryset

    def get_queryset(self) -> QuerySet[M]:
        """Return the related objects: prefetched ones, or a new query."""
        if getattr(self.instance, self._key_name) is None:
            raise ValueError(
                f"{type(self.instance).__name__!r} instance needs to have a primary key value before this "
                "relationship can be used."
            )
        found = self._prefetched()
        return found if found is not None else self._related(self._unrelated_queryset())  # type: ignore[no-any-return]

    def get_prefetch_querysets(self, instances: Any, querysets: Sequence[Any] | None = None) -> Parts:
        """Return the queryset of all objects that refer to `instances`, and how to hand them out."""
        return backward(self.rel, instances, the_queryset(querysets, self._unrelated_queryset))

    # Adding

    def _check(self, objs: Iterable[Any], saved: bool) -> tuple[Any, ...]:
        """Return the objects, which must be of the related model, and saved unless save() will be called."""
        found = tuple(objs)
        alias = self._write_alias()
        for obj in found:
            self._check_class(obj)
            if saved and (obj._state.adding or obj._state.db != alias):
                raise ValueError(f"{obj!r} instance isn't saved. Use bulk=False or save the object first.")
        for obj in found:
            setattr(obj, self.field.name, self.instance)
        return found

    def _check_class(self, obj: Any) -> None:
        if not isinstance(obj, self.model):
            raise TypeError(f"'{self.model._meta.object_name}' instance expected, got {obj!r}")

    def add(self, *objs: M, bulk: bool = True) -> None:
        """Make this object the one that `objs` refer to: one UPDATE, or with bulk=False a save() of each."""
        self._check_target()
        found = self._check(objs, bulk)
        if bulk:
            self._run(_assign, found, self.instance)
            return
        self._remove_prefetched_objects()
        with self._block(transaction.atomic):
            for obj in found:
                obj.save(**self._told())

    async def aadd(self, *objs: M, bulk: bool = True) -> None:
        """Make this object the one that `objs` refer to. See `add()`."""
        self._check_target()
        found = self._check(objs, bulk)
        if bulk:
            await self._arun(_assign, found, self.instance)
            return
        self._remove_prefetched_objects()
        async with self._block(transaction.aatomic):
            for obj in found:
                await obj.asave(**self._told())

    # Creating

    def create(self, **kwargs: Any) -> M:
        """Create an object that refers to this one."""
        self._check_target()
        self._remove_prefetched_objects()
        return self._maker("create")(**{**kwargs, self.field.name: self.instance})  # type: ignore[no-any-return]

    async def acreate(self, **kwargs: Any) -> M:
        """Create an object that refers to this one."""
        self._check_target()
        self._remove_prefetched_objects()
        return await self._maker("acreate")(**{**kwargs, self.field.name: self.instance})  # type: ignore[no-any-return]

    def get_or_create(self, defaults: dict[str, Any] | None = None, **kwargs: Any) -> tuple[M, bool]:
        """Return (object, created), among those that refer to this one."""
        self._check_target()
        self._remove_prefetched_objects()
        kwargs[self.field.name] = self.instance
        return self._maker("get_or_create")(defaults, **kwargs)  # type: ignore[no-any-return]

    async def aget_or_create(self, defaults: dict[str, Any] | None = None, **kwargs: Any) -> tuple[M, bool]:
        """Return (object, created), among those that refer to this one."""
        self._check_target()
        self._remove_prefetched_objects()
        kwargs[self.field.name] = self.instance
        return await self._maker("aget_or_create")(defaults, **kwargs)  # type: ignore[no-any-return]

    def update_or_create(
        self,
        defaults: dict[str, Any] | None = None,
        create_defaults: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> tuple[M, bool]:
        """Return (object, created), among those that refer to this one; one that is there is changed."""
        self._check_target()
        self._remove_prefetched_objects()
        kwargs[self.field.name] = self.instance
        return self._maker("update_or_create")(defaults, create_defaults, **kwargs)  # type: ignore[no-any-return]

    async def aupdate_or_create(
        self,
        defaults: dict[str, Any] | None = None,
        create_defaults: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> tuple[M, bool]:
        """Return (object, created), among those that refer to this one; one that is there is changed."""
        self._check_target()
        self._remove_prefetched_objects()
        kwargs[self.field.name] = self.instance
        return await self._maker("aupdate_or_create")(defaults, create_defaults, **kwargs)  # type: ignore[no-any-return]

    # Replacing

    def set(self, objs: Iterable[M], *, bulk: bool = True, clear: bool = False) -> None:
        """Make `objs` the related objects. Others are let go of where the key may be NULL. One transaction."""
        found = tuple(objs)
        self._check_target()
        if not self.field.null:
            self.add(*found, bulk=bulk)
            return
        with self._block(transaction.atomic, immediate=True):
            if clear:
                self.clear(bulk=bulk)  # type: ignore[attr-defined]
                self.add(*found, bulk=bulk)
            else:
                old = set(self._fresh())
                new = [obj for obj in found if obj not in old]
                self.remove(*(old.difference(found)), bulk=bulk)  # type: ignore[attr-defined]
                self.add(*new, bulk=bulk)

    async def aset(self, objs: Iterable[M], *, bulk: bool = True, clear: bool = False) -> None:
        """Make `objs` the related objects. See `set()`."""
        found = tuple(objs)
        self._check_target()
        if not self.field.null:
            await self.aadd(*found, bulk=bulk)
            return
        async with self._block(transaction.aatomic, immediate=True):
            if clear:
                await self.aclear(bulk=bulk)  # type: ignore[attr-defined]
                await self.aadd(*found, bulk=bulk)
            else:
                old = set(await self._fresh())
                new = [obj for obj in found if obj not in old]
                await self.aremove(*(old.difference(found)), bulk=bulk)  # type: ignore[attr-defined]
                await self.aadd(*new, bulk=bulk)

    def _fresh(self) -> Any:
        """Return the related objects as the database for writing has them."""
        return self._related(self._unrelated_queryset()).using(self._write_alias())

    @classmethod
    def _on(cls, superclass: type[Manager[Any]]) -> Any:
        return reverse_manager_class(cls.rel, superclass)

    alters = ("add", "create", "get_or_create", "update_or_create", "set", "remove", "clear")


class NullableReverseManager(ReverseManager[M]):
    """A ReverseManager whose ForeignKey may be NULL: objects can be let go of."""

    def remove(self, *objs: M, bulk: bool = True) -> None:
        """Let `objs` refer to nothing: one UPDATE, or with bulk=False a save() of each.

        Raises the model's DoesNotExist for an object that doesn't refer to this one.
        """
        if objs:
            self._check_target()
            self._clear(self._removable(objs), bulk)

    async def aremove(self, *objs: M, bulk: bool = True) -> None:
        """Let `objs` refer to nothing. See `remove()`."""
        if objs:
            self._check_target()
            await self._aclear(self._removable(objs), bulk)

    def _removable(self, objs: tuple[Any, ...]) -> Any:
        for obj in objs:
            self._check_class(obj)
            if not self._refers(obj):
                raise self.rel.model.DoesNotExist(f"{obj!r} is not related to {self.instance!r}.")
        return self._fresh().filter(pk__in=[obj.pk for obj in objs])

    def _refers(self, obj: Any) -> bool:
        key = getattr(self.instance, self.field.target_field.attname)
        return bool(getattr(obj, self.field.attname) == key)

    def _columns(self) -> list[str]:
        """Return the fields that are emptied when an object is let go of."""
        return [self.field.name]

    def clear(self, *, bulk: bool = True) -> None:
        """Let all related objects refer to nothing: one UPDATE, or with bulk=False a save() of each."""
        self._check_target()
        self._clear(self._fresh(), bulk)

    async def aclear(self, *, bulk: bool = True) -> None:
        """Let all related objects refer to nothing. See `clear()`."""
        self._check_target()
        await self._aclear(self._fresh(), bulk)

    def _clear(self, queryset: Any, bulk: bool) -> None:
        self._remove_prefetched_objects()
        name = self.field.name
        if bulk:
            queryset.update(**{name: None})
            return
        with self._block(transaction.atomic, immediate=True):
            for obj in queryset:
                setattr(obj, name, None)
                obj.save(update_fields=self._columns())

    async def _aclear(self, queryset: Any, bulk: bool) -> None:
        self._remove_prefetched_objects()
        name = self.field.name
        if bulk:
            await queryset.aupdate(**{name: None})
            return
        async with self._block(transaction.aatomic, immediate=True):
            for obj in await queryset:
                setattr(obj, name, None)
                await obj.asave(update_fields=self._columns())


class ObjectManager(ReverseManager[M]):
    """A ReverseManager of a ForeignObject."""

    def get_queryset(self) -> QuerySet[M]:
        """Return the related objects: prefetched ones, or a new query."""
        if not self.instance._is_pk_set():
            raise ValueError(
                f"{type(self.instance).__name__!r} instance needs to have a primary key value before this "
                "relationship can be used."
            )
        return super().get_queryset()

    def _check_target(self) -> None:
        if self.field.far_key(self.instance) is None:
            names = ", ".join(f'"{field.attname}"' for field in self.field.foreign_related_fields)
            raise ValueError(
                f'"{self.instance!r}" needs to have values for fields {names} before this relationship can be used.'
            )

    def _related(self, queryset: Any) -> Any:
        field, instance = self.field, self.instance
        key = field.far_key(instance)
        queryset._add_hints(instance=instance)
        if self._db:
            queryset._db = self._db
        if key is None:
            return queryset.none()
        queryset = queryset.filter(**{field.name: instance})
        take_mode(queryset, instance)
        queryset._known = {**queryset._known, field: {key: instance}}
        return queryset


class NullableObjectManager(ObjectManager[M], NullableReverseManager[M]):
    """The same where the columns may be NULL: objects can be let go of."""

    def _refers(self, obj: Any) -> bool:
        return bool(self.field.near_key(obj) == self.field.far_key(self.instance))

    def _columns(self) -> list[str]:
        return [field.name for field, _none in self.field.assigned(None)]


def _assign(driver: Any, manager: ReverseManager[Any], objs: tuple[Any, ...], instance: Any) -> Program:
    """Let the rows of `objs` refer to `instance`. One UPDATE."""
    if not objs:
        return
    field = manager.field
    queryset: Any = manager.model._meta.base_manager.get_queryset().filter(pk__in=[obj.pk for obj in objs])
    query, pairs = queryset._assignments({field.name: instance})
    eras: list[Any] = []
    yield from terminals.update(driver, query, pairs, eras)
    note_written(objs, [part.attname for part, _value in pairs], eras)


def note_written(objs: Iterable[Any], attnames: Sequence[str], eras: Iterable[Any]) -> None:
    """Note that an UPDATE has written columns of objects: their rows say it already, unless that is undone."""
    era = unsure.open_one(eras)
    for obj in objs:
        forget_changes(obj.__dict__, attnames)
        if era is not None:
            unsure.note(obj.__dict__, era, attnames)


def reverse_manager_class(
    rel: Any, superclass: type[Manager[Any]] | None = None
) -> type[ReverseManager[Any]]:
    """Return the class of a relation's managers, derived from that of the related model's default manager."""
    parent: type[Manager[Any]] = superclass or rel.related_model._meta.default_manager.__class__
    if rel.field.column is None:
        methods: Any = NullableObjectManager if rel.field.null else ObjectManager
    else:
        methods = NullableReverseManager if rel.field.null else ReverseManager
    body: dict[str, Any] = {**shared_by_all(rel.related_model, parent), "rel": rel, "__module__": __name__}
    body.update(field=rel.field, cache_name=rel.cache_name, _key_name=key_name(rel.model._meta))
    made: Any = type("RelatedManager", (methods, parent), body)
    return made  # type: ignore[no-any-return]


def shared_by_all(model: Any, parent: type[Manager[Any]]) -> dict[str, Any]:
    """Return what the class of a relation's managers takes from the related model's default manager.

    A user's manager may hold state of its own: all managers of the relation have it, too. Functions among it, which
    are methods on a class, each of them holds itself.
    """
    state: dict[str, Any] = {**model._meta.default_manager.__dict__, "model": model}
    own = {name: value for name, value in state.items() if hasattr(value.__class__, "__get__")}
    plain: Any = vars(BaseManager)["get_queryset"]
    usual: Any = vars(BaseManager)["all"]
    quick: dict[str, Any] = (
        {"all": vars(RelatedManagerBase)["_all"]} if getattr(parent, "all", None) is usual else {}
    )
    return {
        **state,
        **quick,
        "_own": own,
        "_plain": getattr(parent, "get_queryset", None) is plain,
        "_overridden": frozenset(n for n in MAKERS if getattr(parent, n) is not vars(QuerySetMethods)[n]),
    }


def key_name(meta: Any) -> str:
    """Return the attribute that holds the key of a model's objects; `pk` where several do."""
    return str(meta.pk.attname) if len(meta.pk_fields) == 1 else "pk"
