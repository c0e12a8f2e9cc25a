"""`article.tags`, `tag.article_set`: managers of a many-to-many relation, seen from one object."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any, ClassVar

from ormolu import databases, transaction
from ormolu.databases.routing import router
from ormolu.models.prefetching import Parts, many, the_queryset
from ormolu.models.related_managers import Program, RelatedManagerBase, shared_by_all
from ormolu.models.routing import relate
from ormolu.programs import atomically, notify
from ormolu.query import terminals
from ormolu.query.binding import driver_of
from ormolu.query.fetch_modes import take_mode
from ormolu.query.manager_methods import M
from ormolu.query.managers import BaseManager, Manager
from ormolu.query.q import Q
from ormolu.signals import m2m_changed

if TYPE_CHECKING:
    from ormolu.query.queryset import QuerySet

Defaults = dict[str, Any]


class ManyRelatedManager(RelatedManagerBase[M]):
    """A manager of the objects that a many-to-many relation connects with one object."""

    rel: Any
    is_reverse: bool

    through: Any
    symmetrical: bool
    source_field: Any
    target_field: Any
    source_field_name: str
    target_field_name: str
    query_field_name: str
    prefetch_cache_name: str
    _value: Any  # what the table in between refers to
    _counts_rows: ClassVar[bool]  # whether no class of the default manager's has a say in what is counted
    _attname: str  # of the value that the table in between refers to
    _by_key: bool  # whether that is the key

    def __init__(self, instance: Any) -> None:
        if self._own:
            self.__dict__.update(self._own)
        self.instance = instance
        self._value = value = getattr(instance, self._attname)
        if value is None:
            raise ValueError(
                f'"{instance!r}" needs to have a value for field "{self._attname}" before this many-to-many '
                "relationship can be used."
            )
        if not self._by_key and instance.pk is None:
            raise ValueError(
                f"{type(instance).__name__!r} instance needs to have a primary key value before a many-to-many "
                "relationship can be used."
            )

    @property
    def related_val(self) -> tuple[Any, ...]:
        """Return what the table in between refers to this object by."""
        return (self._value,)

    @property
    def core_filters(self) -> dict[str, Any]:
        """Return the condition of the relation."""
        return {f"{self.query_field_name}__{self.source_field.target_field.name}": self._value}

    def _related(self, queryset: Any) -> Any:
        queryset._add_hints(instance=self.instance)
        if self._db:
            queryset._db = self._db
        related = queryset.filter(**self.core_filters)
        take_mode(related, self.instance)
        related.query.stick()  # a condition on the table in between is about the rows of this object
        return related

    def get_queryset(self) -> QuerySet[M]:
        """Return the related objects: prefetched ones, or a new query."""
        found = self._prefetched()
        return found if found is not None else self._related(self._unrelated_queryset())  # type: ignore[no-any-return]

    def get_prefetch_querysets(self, instances: Any, querysets: Sequence[Any] | None = None) -> Parts:
        """Return the queryset of all objects that are connected with `instances`, and how to hand them out."""
        return many(self, instances, the_queryset(querysets, self._unrelated_queryset))

    # Counting

    def count(self) -> int:
        """Return the number of connected objects: of the rows in between, where each has its object."""
        rows = self._rows_for_sure()
        return super().count() if rows is None else rows.count()

    async def acount(self) -> int:
        """Return the number of connected objects. See `count()`."""
        rows = self._rows_for_sure()
        return await super().acount() if rows is None else await rows.acount()

    def exists(self) -> bool:
        """Return whether an object is connected: of the rows in between, where each has its object."""
        rows = self._rows_for_sure()
        return super().exists() if rows is None else rows.exists()

    async def aexists(self) -> bool:
        """Return whether an object is connected. See `exists()`."""
        rows = self._rows_for_sure()
        return await super().aexists() if rows is None else await rows.aexists()

    def _rows_for_sure(self) -> Any:
        """Return the rows in between where they tell how many objects are connected; None where they don't.

        That is so where the database holds that each refers to an object, and no manager leaves any out.
        """
        if not (self._counts_rows and self.target_field.db_constraint):
            return None
        if self._prefetched() is not None or driver_of(self.instance) is not None:
            return None
        manager: Any = self.through._meta.base_manager
        alias = self._db or router.db_for_read(self.through, instance=self.instance)
        rows = manager.db_manager(alias, {"instance": self.instance}).filter(
            **{self.source_field.attname: self._value}
        )
        return rows.exclude(**{self.target_field.attname: None}) if self.target_field.null else rows

    # Changing the connections

    def add(self, *objs: M | Any, through_defaults: Defaults | None = None) -> None:
        """Connect objects, given as such or by key, unless they are connected already. One transaction.

        `through_defaults` gives values for the rows in between. Sends m2m_changed, calls no save().
        """
        self._run(_add, objs, through_defaults)

    async def aadd(self, *objs: M | Any, through_defaults: Defaults | None = None) -> None:
        """Connect objects. See `add()`."""
        await self._arun(_add, objs, through_defaults)

    def remove(self, *objs: M | Any) -> None:
        """Disconnect objects, given as such or by key. Sends m2m_changed. One transaction."""
        self._run(_remove, objs)

    async def aremove(self, *objs: M | Any) -> None:
        """Disconnect objects. See `remove()`."""
        await self._arun(_remove, objs)

    def clear(self) -> None:
        """Disconnect all objects. Sends m2m_changed. One transaction."""
        self._run(_clear)

    async def aclear(self) -> None:
        """Disconnect all objects. See `clear()`."""
        await self._arun(_clear)

    def set(
        self, objs: Iterable[M | Any], *, clear: bool = False, through_defaults: Defaults | None = None
    ) -> None:
        """Make `objs` the connected objects, changing only what differs, or with `clear` all anew."""
        self._run(_set, tuple(objs), clear, through_defaults)

    async def aset(
        self, objs: Iterable[M | Any], *, clear: bool = False, through_defaults: Defaults | None = None
    ) -> None:
        """Make `objs` the connected objects. See `set()`."""
        await self._arun(_set, tuple(objs), clear, through_defaults)

    # Creating

    def create(self, *, through_defaults: Defaults | None = None, **kwargs: Any) -> M:
        """Create an object and connect it."""
        with self._whole(transaction.atomic):
            created: M = self._maker("create")(**kwargs)
            self.add(created, through_defaults=through_defaults)
        return created

    async def acreate(self, *, through_defaults: Defaults | None = None, **kwargs: Any) -> M:
        """Create an object and connect it."""
        async with self._whole(transaction.aatomic):
            created: M = await self._maker("acreate")(**kwargs)
            await self.aadd(created, through_defaults=through_defaults)
        return created

    def get_or_create(
        self, defaults: Defaults | None = None, *, through_defaults: Defaults | None = None, **kwargs: Any
    ) -> tuple[M, bool]:
        """Return (object, created), among the connected objects; a new one is connected."""
        with self._whole(transaction.atomic):
            found, created = self._maker("get_or_create")(defaults, **kwargs)
            if created:
                self.add(found, through_defaults=through_defaults)
        return found, created

    async def aget_or_create(
        self, defaults: Defaults | None = None, *, through_defaults: Defaults | None = None, **kwargs: Any
    ) -> tuple[M, bool]:
        """Return (object, created), among the connected objects; a new one is connected."""
        async with self._whole(transaction.aatomic):
            found, created = await self._maker("aget_or_create")(defaults, **kwargs)
            if created:
                await self.aadd(found, through_defaults=through_defaults)
        return found, created

    def update_or_create(
        self,
        defaults: Defaults | None = None,
        create_defaults: Defaults | None = None,
        *,
        through_defaults: Defaults | None = None,
        **kwargs: Any,
    ) -> tuple[M, bool]:
        """Return (object, created), among the connected objects; one that is there is changed."""
        with self._whole(transaction.atomic):
            found, created = self._maker("update_or_create")(defaults, create_defaults, **kwargs)
            if created:
                self.add(found, through_defaults=through_defaults)
        return found, created

    async def aupdate_or_create(
        self,
        defaults: Defaults | None = None,
        create_defaults: Defaults | None = None,
        *,
        through_defaults: Defaults | None = None,
        **kwargs: Any,
    ) -> tuple[M, bool]:
        """Return (object, created), among the connected objects; one that is there is changed."""
        async with self._whole(transaction.aatomic):
            found, created = await self._maker("aupdate_or_create")(defaults, create_defaults, **kwargs)
            if created:
                await self.aadd(found, through_defaults=through_defaults)
        return found, created

    def _whole(self, block: Callable[..., Any]) -> Any:
        """Return a block that makes what is done in it one transaction. One that is open needs none.

        That would be spoilt by an error which the caller may handle: of the arguments, or of the database where
        get_or_create() has confined it to a savepoint. A session that holds the object has one.
        """
        if self._db is None and driver_of(self.instance) is not None:
            return nullcontext()
        alias = self._object_alias()
        conn = databases.get(alias).ambient()
        if conn is None:
            return block(using=alias, immediate=True)
        conn.hasten()
        return nullcontext()

    def _candidates(self) -> Any:
        return self._related(self._unrelated_queryset()).using(self._object_alias())

    def _fresh(self) -> Any:
        """Return the related objects as the database for writing has them."""
        return self._related(self._unrelated_queryset()).using(self._write_alias())

    # Where

    def _write_alias(self) -> str:
        """Return the database of the rows in between."""
        return self._db or router.db_for_write(self.through, instance=self.instance)

    def _object_alias(self) -> str:
        """Return the database of objects that are created here: that of the object that they are created for."""
        return self._db or router.db_for_write(self.instance.__class__, instance=self.instance)

    # What the programs below need

    def _keys_of(self, objs: Iterable[Any]) -> list[Any]:
        """Return the keys of objects that are to be connected, each once.

        Raises ValueError for an unsaved object, TypeError for one of another model.
        """
        keys: dict[Any, None] = {}
        for obj in objs:
            if isinstance(obj, self.model):
                if obj._state.db != self.instance._state.db:
                    relate(self.instance, obj, "Cannot add")
                key = getattr(obj, self.target_field.target_field.attname)
                if key is None:
                    raise ValueError(
                        f'Cannot add "{obj!r}": the value for field "{self.target_field_name}" is None'
                    )
            elif hasattr(obj, "_meta"):
                raise TypeError(f"'{self.model._meta.object_name}' instance expected, got {obj!r}")
            else:
                key = self.target_field.get_prep_value(obj)
            keys[key] = None
        return list(keys)

    def _key_of(self, obj: Any) -> Any:
        if isinstance(obj, self.model):
            return getattr(obj, self.target_field.target_field.attname)
        return self.target_field.get_prep_value(obj)

    def _rows(self) -> Any:
        """Return a queryset of the table in between."""
        queryset: Any = self.through._meta.default_manager.get_queryset()
        return queryset

    def _links(self, keys: Any = None) -> Any:
        """Return the rows in between: to the objects of these keys, or all."""
        here = Q(**{self.source_field_name: self._value})
        if keys is not None:
            here &= Q(**{f"{self.target_field_name}__in": keys})
        if self.symmetrical:
            there = Q(**{self.target_field_name: self._value})
            if keys is not None:
                there &= Q(**{f"{self.source_field_name}__in": keys})
            here |= there
        return self._rows().filter(here)

    def _listeners(self) -> bool:
        return bool(m2m_changed.receivers) and m2m_changed.has_listeners(self.through)

    def _announce(self, driver: Any, action: str, keys: Any) -> Program:
        return notify(
            m2m_changed,
            self.through,
            action=action,
            instance=self.instance,
            reverse=self.is_reverse,
            model=self.model,
            pk_set=None if keys is None else set(keys),
            using=driver.database.alias,
        )

    @classmethod
    def _on(cls, superclass: type[Manager[Any]]) -> Any:
        return many_manager_class(cls.rel, cls.is_reverse, superclass)


def _together(driver: Any, program: Program) -> Program:
    """Return a program as one transaction. On SQLite what it reads first must not be old when it writes."""
    return atomically(program, savepoint=False, immediate=driver.vendor == "sqlite")


def _add(driver: Any, manager: Any, objs: Any, through_defaults: Any) -> Program:
    if objs:
        yield from _together(driver, _connect_both_ways(driver, manager, objs, through_defaults))


def _connect_both_ways(driver: Any, manager: Any, objs: Any, through_defaults: Any) -> Program:
    """Connect objects; in a symmetrical relation they are connected with this one as well."""
    if not objs:
        return
    keys = manager._keys_of(objs)
    defaults = terminals.called(through_defaults or {})
    source, target = manager.source_field, manager.target_field
    yield from _connect(driver, manager, source, target, keys, defaults, manager._listeners())
    if manager.symmetrical:
        yield from _connect(driver, manager, target, source, keys, defaults, False)


def _connect(
    driver: Any, manager: Any, source: Any, target: Any, keys: list[Any], defaults: Defaults, listeners: bool
) -> Program:
    """Insert the rows in between that are missing: one statement, two where somebody listens or may be in doubt."""
    through = manager.through
    ignoring = bool(through._meta.auto_created)  # it has a unique constraint that tells what is there
    if listeners or not ignoring:
        there = manager._rows().filter(
            **{source.name: manager._value, f"{target.name}__in": keys}
        ).values_list(target.attname, flat=True)  # fmt: skip
        known = set((yield from terminals.rows(driver, there.query)))
        keys = [key for key in keys if key not in known]
    if listeners:
        yield from manager._announce(driver, "pre_add", keys)
    rows = [through(**defaults, **{source.attname: manager._value, target.attname: key}) for key in keys]
    if rows:
        options = {"ignore_conflicts": ignoring}
        yield from terminals.bulk_create(driver, through, rows, options)
    if listeners:
        yield from manager._announce(driver, "post_add", keys)


def _remove(driver: Any, manager: Any, objs: Any) -> Program:
    if objs:
        yield from _together(driver, _disconnect(driver, manager, [manager._key_of(obj) for obj in objs]))


def _disconnect(driver: Any, manager: Any, keys: list[Any]) -> Program:
    if not keys:
        return
    listeners = manager._listeners()
    if listeners:
        yield from manager._announce(driver, "pre_remove", keys)
    # A default manager that hides objects also keeps them connected, as in Django.
    hiding: Any = manager._unrelated_queryset()
    if hiding.query.ops:
        key_name = manager.target_field.target_field.name
        hiding = hiding.filter(**{f"{key_name}__in": keys})
        keys_or_query: Any = hiding.values_list(manager.target_field.target_field.attname, flat=True)
    else:
        keys_or_query = keys
    yield from terminals.delete(driver, manager._links(keys_or_query)._deleted())
    if listeners:
        yield from manager._announce(driver, "post_remove", keys)


class ObjectsBetweenManager(ManyRelatedManager[M]):
    """A manager of a relation over rows that refer by a ForeignObject: it finds; these rows are written themselves."""

    def __init__(self, instance: Any) -> None:
        if self._own:
            self.__dict__.update(self._own)
        self.instance = instance
        pairs = self.source_field.related_fields
        self._value = value = tuple(getattr(instance, far.attname) for _near, far in pairs)
        if None in value or not instance._is_pk_set():
            names = ", ".join(f'"{far.attname}"' for _near, far in pairs)
            raise ValueError(
                f'"{instance!r}" needs to have values for fields {names} before this many-to-many relationship can '
                "be used."
            )

    @property
    def core_filters(self) -> dict[str, Any]:
        """Return the condition of the relation."""
        pairs = zip(self.source_field.related_fields, self._value, strict=True)
        return {f"{self.query_field_name}__{far.name}": value for (_near, far), value in pairs}

    def _rows_for_sure(self) -> None:
        """Return None: the database doesn't hold that each row in between refers to an object."""
        return

    def _run(self, program: Any, *args: Any) -> Any:
        raise self._read_only()

    async def _arun(self, program: Any, *args: Any) -> Any:
        raise self._read_only()

    def _read_only(self) -> TypeError:
        between = self.through._meta.object_name
        return TypeError(
            f"{self.cache_name} leads over the columns of {between}, which has more to say than two keys. Create and "
            f"delete rows of {between}."
        )


def _clear(driver: Any, manager: Any) -> Program:
    yield from _together(driver, _disconnect_all(driver, manager))


def _disconnect_all(driver: Any, manager: Any) -> Program:
    listeners = manager._listeners()
    if listeners:
        yield from manager._announce(driver, "pre_clear", None)
    hiding: Any = manager._unrelated_queryset()
    keys = (
        hiding.values_list(manager.target_field.target_field.attname, flat=True) if hiding.query.ops else None
    )
    yield from terminals.delete(driver, manager._links(keys)._deleted())
    if listeners:
        yield from manager._announce(driver, "post_clear", None)


def _set(driver: Any, manager: Any, objs: Any, clear: bool, through_defaults: Any) -> Program:
    yield from _together(driver, _replace(driver, manager, objs, clear, through_defaults))


def _replace(driver: Any, manager: Any, objs: Any, clear: bool, through_defaults: Any) -> Program:
    if clear:
        yield from _disconnect_all(driver, manager)
        yield from _connect_both_ways(driver, manager, objs, through_defaults)
        return
    attname = manager.target_field.target_field.attname
    there = manager._related(manager._unrelated_queryset()).values_list(attname, flat=True)
    old = set((yield from terminals.rows(driver, there.query)))
    wanted = {manager._key_of(obj): obj for obj in objs}
    yield from _disconnect(driver, manager, [key for key in old if key not in wanted])
    new = [obj for key, obj in wanted.items() if key not in old]
    yield from _connect_both_ways(driver, manager, new, through_defaults)


def many_manager_class(
    rel: Any, reverse: bool, superclass: type[Manager[Any]] | None = None
) -> type[ManyRelatedManager[Any]]:
    """Return the class of a relation's managers, derived from that of the related model's default manager."""
    model = rel.field.model if reverse else rel.model
    parent: type[Manager[Any]] = superclass or model._meta.default_manager.__class__
    body: dict[str, Any] = {
        **shared_by_all(model, parent),
        "rel": rel,
        "is_reverse": reverse,
        "__module__": __name__,
    }
    body.update(ends(rel, reverse))
    body["_counts_rows"] = parent in (BaseManager, Manager)
    source, target = body["source_field"], body["target_field"]
    by_columns = source.column is not None and target.column is not None
    methods: Any = ManyRelatedManager if by_columns else ObjectsBetweenManager
    made: type[ManyRelatedManager[Any]] = type("ManyRelatedManager", (methods, parent), body)
    return made


def ends(rel: Any, reverse: bool) -> dict[str, Any]:
    """Return the two ends of a relation, seen from one side."""
    field = rel.field
    if reverse:
        source, target = field.target_key(), field.source_key()
        query_name, cache_name = field.name, rel.cache_name
    else:
        source, target = field.source_key(), field.target_key()
        query_name, cache_name = field.related_query_name(), field.name
    return {
        "through": rel.through,
        "symmetrical": rel.symmetrical and not reverse and rel.model is field.model,
        "source_field": source,
        "target_field": target,
        "source_field_name": source.name,
        "target_field_name": target.name,
        "query_field_name": query_name,
        "cache_name": cache_name,
        "prefetch_cache_name": cache_name,
        "_attname": source.target_field.attname,
        "_by_key": source.target_field.primary_key,
        "_key_name": source.target_field.attname if source.column is not None else "pk",
    }
