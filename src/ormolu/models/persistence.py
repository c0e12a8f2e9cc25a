"""What an instance does to its row: save, delete, load again; each in a synchronous and an asynchronous form."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias, overload

from ormolu import databases, query, writes
from ormolu.exceptions import FieldDoesNotExist
from ormolu.models import plain_relations
from ormolu.models.instances import InstanceMethods
from ormolu.models.relationships import RelationshipField
from ormolu.models.routing import read_alias, write_alias
from ormolu.models.state import DB, PREFETCHED, STATE, forget_changes
from ormolu.programs import brief
from ormolu.writes.overrides import call_override, is_librarys, librarys, prefers_sync
from ormolu.writes.unsure import mark_changed

if TYPE_CHECKING:
    from sqlalchemy import Connection
    from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession, async_scoped_session
    from sqlalchemy.orm import Session, scoped_session

    AsyncDoor: TypeAlias = AsyncSession | async_scoped_session[Any] | AsyncConnection
    SyncDoor: TypeAlias = Session | scoped_session[Any] | Connection


def sync_driver(instance: Any, using: Any) -> Any:
    """Return what runs an instance's programs: its session's connection where one holds it, else a driver."""
    held = query.binding.driver_of(instance) if using is None else None
    return held or databases.get(using or write_alias(instance)).driver


def async_driver(instance: Any, using: str | None) -> Any:
    """Return what runs an instance's programs in async code. See `sync_driver()`."""
    held = query.binding.adriver_of(instance) if using is None else None
    return held or databases.get(using or write_alias(instance)).adriver


def _follow(session: Any, instance: Any, found: tuple[int, dict[str, int]]) -> None:
    query.unit_of_work.follow_deletion(session, type(instance), [instance], found, 1)


SAVE_OPTIONS = (("force_insert", False), ("force_update", False), ("using", None), ("update_fields", None))


def positional(name: str, args: tuple[Any, ...], *given: Any) -> tuple[Any, ...]:
    """Return the options of save() where some were given by position, with a warning: Django has ended that."""
    warnings.warn(
        f"Passing positional arguments to {name}() is deprecated: name them.",
        DeprecationWarning,
        stacklevel=3,
    )
    most = len(SAVE_OPTIONS) + 1
    if len(args) >= most:
        raise TypeError(
            f"Model.{name}() takes from 1 to {most} positional arguments but {len(args) + 1} were given"
        )
    for (option, default), value in zip(SAVE_OPTIONS[: len(args)], given):
        if value is not default:
            raise TypeError(f"Model.{name}() got multiple values for argument '{option}'")
    return (*args, *given[len(args) :])


class Persistence(InstanceMethods):
    """Methods of model instances that ask the database.

    The asynchronous ones run an override of the synchronous one that a class has alone.
    """

    @overload
    def save(
        self,
        session: AsyncDoor,
        /,
        *,
        force_insert: bool | tuple[type, ...] = False,
        force_update: bool = False,
        update_fields: Iterable[str] | None = None,
    ) -> Any: ...
    @overload
    def save(
        self,
        session: SyncDoor,
        /,
        *,
        force_insert: bool | tuple[type, ...] = False,
        force_update: bool = False,
        update_fields: Iterable[str] | None = None,
    ) -> None: ...
    @overload
    def save(
        self,
        *args: Any,
        force_insert: bool | tuple[type, ...] = False,
        force_update: bool = False,
        using: str | None = None,
        update_fields: Iterable[str] | None = None,
    ) -> None: ...
    @librarys
    def save(
        self,
        *args: Any,
        force_insert: bool | tuple[type, ...] = False,
        force_update: bool = False,
        using: Any = None,
        update_fields: Iterable[str] | None = None,
    ) -> Any:
        """Write this object to its row: INSERT if it is new, else UPDATE of what changed.

        `update_fields` names the columns to write instead. One statement; sends pre_save and post_save.
        Raises ValueError for contradictory arguments or an unsaved related object, StaleObjectError where the row has
        another version (`Meta.version_field`), IntegrityError where the database refuses.

        `save(session)` adds it to a SQLAlchemy session and flushes, or writes it over a connection; nothing commits.
        With an asynchronous one it is to be awaited: an override returns what `super().save()` gives.
        Source: Django's documentation, "Saving objects"; decision D9.
        """
        if args:
            if query.binding.is_session(args[0]):
                using, args = args[0], args[1:]
            if args:
                given = positional("save", args, force_insert, force_update, using, update_fields)
                force_insert, force_update, using, update_fields = given
        if using is not None and using.__class__ is not str:
            from ormolu.models import in_session

            return in_session.save(self, using, force_insert, force_update, update_fields)
        if STATE in self.__dict__:
            driver = sync_driver(self, using)
            if driver.__class__ is query.binding.SessionDriver and self.__dict__[STATE].key is None:
                query.unit_of_work.save(driver.session, self)
                return None
        else:
            driver = databases.get(using or write_alias(self)).driver
        if force_insert is False and not force_update and update_fields is None:
            driver.run(writes.save.save, self)
        else:
            driver.run(_save_as_told, self, force_insert, force_update, update_fields)
        return None

    @librarys
    async def asave(
        self,
        *args: Any,
        force_insert: bool | tuple[type, ...] = False,
        force_update: bool = False,
        using: str | None = None,
        update_fields: Iterable[str] | None = None,
    ) -> None:
        """Write this object to its row, as `save()` does; by that, where a class overrides `save()` alone."""
        if args and query.binding.is_session(args[0]):
            found: Any = self.save(
                *args, force_insert=force_insert, force_update=force_update, update_fields=update_fields
            )
            if found is not None:
                await found
            return
        if args:
            told = positional("asave", args, force_insert, force_update, using, update_fields)
            force_insert, force_update, using, update_fields = told
        driver = async_driver(self, using)
        if driver.__class__ is query.binding.AsyncSessionDriver and self.__dict__[STATE].key is None:
            await driver.session.run_sync(query.unit_of_work.save, self)
            return
        cls = type(self)
        if not is_librarys(cls.save) and prefers_sync(cls, "save"):
            options = {
                "force_insert": force_insert,
                "force_update": force_update,
                "update_fields": update_fields,
            }
            given = {name: value for name, value in options.items() if value not in (False, None)}
            await call_override(driver, self.save, **given, **({} if using is None else {"using": using}))
            return
        await driver.arun(_save_as_told, self, force_insert, force_update, update_fields)

    def save_base(
        self,
        raw: bool = False,
        force_insert: bool | tuple[type, ...] = False,
        force_update: bool = False,
        using: str | None = None,
        update_fields: Iterable[str] | None = None,
    ) -> None:
        """Write this object as `save()` does, past an override of that.

        With `raw` its values are written as they are, to its model's own table alone: no parents' rows, and no
        pre_save() of fields. It is how a row that was read elsewhere is put in place; signals have `raw=True`.
        """
        sync_driver(self, using).run(_save_as_told, self, force_insert, force_update, update_fields, raw)

    async def asave_base(
        self,
        raw: bool = False,
        force_insert: bool | tuple[type, ...] = False,
        force_update: bool = False,
        using: str | None = None,
        update_fields: Iterable[str] | None = None,
    ) -> None:
        """Write this object as `save_base()` does."""
        driver = async_driver(self, using)
        await driver.arun(_save_as_told, self, force_insert, force_update, update_fields, raw)

    save.alters_data = True  # type: ignore[attr-defined]
    asave.alters_data = True  # type: ignore[attr-defined]

    @overload
    def delete(self, session: AsyncDoor, /, keep_parents: bool = False) -> Any: ...
    @overload
    def delete(self, session: SyncDoor, /, keep_parents: bool = False) -> tuple[int, dict[str, int]]: ...
    @overload
    def delete(self, using: str | None = None, keep_parents: bool = False) -> tuple[int, dict[str, int]]: ...
    @librarys
    def delete(self, using: Any = None, keep_parents: bool = False) -> Any:
        """Delete this object's row, and do to those that refer to it what their on_delete says.

        Return how many rows were deleted, and how many of each model. The object stays, without a primary key.
        Raises ValueError if it has no key, ProtectedError or RestrictedError before anything is deleted, and
        StaleObjectError if the row has another version (`Meta.version_field`).

        `delete(session)` does that through a SQLAlchemy session or connection; nothing commits. With an asynchronous
        one it is to be awaited.
        """
        if using is not None and using.__class__ is not str:
            from ormolu.models import in_session

            return in_session.delete(self, using, keep_parents)
        self._check_deletable()
        driver = sync_driver(self, using)
        found: tuple[int, dict[str, int]] = driver.run(_delete_as_told, self, keep_parents)
        if driver.__class__ is query.binding.SessionDriver:
            _follow(driver.session, self, found)
        return found

    async def adelete(
        self, using: str | None = None, keep_parents: bool = False
    ) -> tuple[int, dict[str, int]]:
        """Delete this object's row, as `delete()` does; by that, where a class overrides `delete()` alone."""
        driver = async_driver(self, using)
        cls = type(self)
        if not is_librarys(cls.delete) and prefers_sync(cls, "delete"):
            given: dict[str, Any] = {} if using is None else {"using": using}
            if keep_parents:
                given["keep_parents"] = True
            return await call_override(driver, self.delete, **given)  # type: ignore[no-any-return]
        self._check_deletable()
        result: tuple[int, dict[str, int]] = await driver.arun(_delete_as_told, self, keep_parents)
        if driver.__class__ is query.binding.AsyncSessionDriver:
            await driver.session.run_sync(_follow, self, result)
        return result

    delete.alters_data = True  # type: ignore[attr-defined]
    adelete.alters_data = True  # type: ignore[attr-defined]

    @overload
    def update(self, session: AsyncDoor, /, **values: Any) -> Any: ...
    @overload
    def update(self, session: SyncDoor, /, **values: Any) -> None: ...
    def update(self, session: Any, /, **values: Any) -> Any:
        """Set attributes and save through a SQLAlchemy session or connection: see `save()`. Nothing commits.

        Raises FieldDoesNotExist, with the near miss, before anything is set.
        """
        from ormolu.models import in_session

        return in_session.update(self, session, values)

    @overload
    def refresh(self, session: AsyncDoor, /, fields: Sequence[str] | None = None) -> Any: ...
    @overload
    def refresh(self, session: SyncDoor, /, fields: Sequence[str] | None = None) -> None: ...
    def refresh(self, session: Any, /, fields: Sequence[str] | None = None) -> Any:
        """Load this object's columns, or some, again through a SQLAlchemy session or connection.

        It is attached to a session. What wasn't flushed is lost. Raises DoesNotExist if the row is gone.
        """
        from ormolu.models import in_session

        return in_session.refresh(self, session, fields)

    update.alters_data = True  # type: ignore[attr-defined]

    def _check_deletable(self) -> None:
        if not self._is_pk_set():
            meta = self._meta
            raise ValueError(
                f"{meta.object_name} object can't be deleted because its {meta.pk.attname} attribute is set to None."
            )

    @librarys
    def refresh_from_db(
        self, using: str | None = None, fields: Sequence[str] | None = None, from_queryset: Any = None
    ) -> None:
        """Load all columns, or some, again. One query. Related objects are forgotten where their key changed.

        Raises DoesNotExist if the row is gone, FieldError for an unknown name.
        """
        names = self._names_to_refresh(fields)
        if names is not None and not names:
            return
        queryset = self._refresh_queryset(using, names, from_queryset)
        driver = query.binding.driver_of(self) if using is None and from_queryset is None else None
        if driver is None:
            found = queryset.get()
        else:
            found = driver.run(query.terminals.one, queryset._prepare_get((), {}), None)
        self._take_over(found, names, fields is None)

    async def arefresh_from_db(
        self, using: str | None = None, fields: Sequence[str] | None = None, from_queryset: Any = None
    ) -> None:
        """Load all columns, or some, again, as `refresh_from_db()` does; by that, where it alone is overridden."""
        cls = type(self)
        if not is_librarys(cls.refresh_from_db) and prefers_sync(cls, "refresh_from_db"):
            told = {"using": using, "fields": fields, "from_queryset": from_queryset}
            given = {name: value for name, value in told.items() if value is not None}
            await call_override(async_driver(self, using), self.refresh_from_db, **given)
            return
        names = self._names_to_refresh(fields)
        if names is not None and not names:
            return
        queryset = self._refresh_queryset(using, names, from_queryset)
        driver = query.binding.adriver_of(self) if using is None and from_queryset is None else None
        if driver is None:
            found = await queryset.aget()
        else:
            found = await driver.arun(query.terminals.one, queryset._prepare_get((), {}), None)
        self._take_over(found, names, fields is None)

    def _names_to_refresh(self, fields: Sequence[str] | None) -> list[str] | None:
        """Return the attnames of columns to load, None for all; relations without a column are just forgotten."""
        values = self.__dict__
        held = values.get(PREFETCHED, {})
        if fields is None:
            deferred = self.get_deferred_fields()
            held.clear()
            return (
                [f.attname for f in self._meta.concrete_fields if f.attname not in deferred]
                if deferred
                else None
            )
        names: list[str] = []
        forward = {f.name for f in self._meta.concrete_fields}
        for name in fields:
            if "__" in name:
                raise ValueError(
                    f'Found "__" in fields argument. Relations and transforms are not allowed in fields: {name!r}.'
                )
            if held.pop(name, held) is not held and name not in forward:
                continue
            try:
                field = self._meta.get_field(name)
            except FieldDoesNotExist:
                if name in self._accessors():
                    continue
                raise
            if getattr(field, "column", None) is None:
                self.__dict__.pop(name, None)
                held.pop(name, None)
            else:
                names.append(field.attname)
        return names

    def _accessors(self) -> set[str | None]:
        return {rel.get_accessor_name() for rel in self._meta.related_objects}

    def _refresh_queryset(self, using: str | None, names: list[str] | None, from_queryset: Any) -> Any:
        alias = using or read_alias(self)
        manager: Any = self._meta.base_manager
        if from_queryset is None:
            queryset = manager.db_manager(alias, hints={"instance": self})
        else:
            queryset = from_queryset if using is None else from_queryset.using(using)
        queryset = queryset.filter(pk=self.pk)
        return queryset if names is None else queryset.only(*names)

    def _take_over(self, loaded: Any, names: list[str] | None, everything: bool) -> None:
        """Copy what was loaded into this object."""
        values, fresh = self.__dict__, loaded.__dict__
        state = values.get(STATE)
        kept: list[str] = []
        taken: list[str] = []
        for field in self._meta.concrete_fields:
            attname = field.attname
            if attname not in fresh or (names is not None and attname not in names):
                kept.append(attname)
                continue
            taken.append(attname)
            values[attname] = fresh[attname]
            if field.is_relation:
                values.pop(field.name, None)
                if field.name in fresh:
                    values[field.name] = fresh[field.name]
            if state is not None:
                state._commit(values, [attname])
        for field in self._meta.object_fields:
            if names is None or any(part.attname in names for part in field.local_related_fields):
                values.pop(field.name, None)
                if field.name in fresh:
                    values[field.name] = fresh[field.name]
        if "_raw" in fresh:
            values["_raw"] = {**(values.get("_raw") or {}), **fresh["_raw"]}
        if everything:
            for rel in self._meta.related_objects:
                if not rel.multiple:
                    rel.delete_cached_value(self)
            for field in self._meta.private_fields:
                values.pop(field.name, None)
            for name in self._expressions:
                values.pop(name, None)
        forget_changes(values, taken if kept else None)
        if values.get(DB) != fresh.get(DB):
            values[DB] = fresh[DB]
            # The object is known there now; what of it was not loaded is still its own, and to be written.
            keys = {field.attname for field in self._meta.pk_fields}
            mark_changed(self, values, [name for name in kept if name in values and name not in keys])

    async def aload(self, *names: str) -> Any:
        """Load columns that were deferred and related objects that weren't selected, each relation with one query.

        They are loaded for all objects that were loaded together with this one, too, unless its fetch mode is
        FETCH_ONE. Return the attribute of that name, a tuple of them for several names.
        `await book.aload("author", "tags", "summary")` makes `book.author`, `book.tags.all()` and `book.summary`
        readable in async code. What is loaded already isn't loaded again. Raises FieldDoesNotExist for a name
        that is neither a field nor a relation.
        """
        state = self.__dict__.get(STATE)
        if state is not None and state.async_session is not None:

            def load(session: Any) -> None:
                self._load_in_session(names)

            await state.async_session.run_sync(load)
        columns, relations = self._names_to_load(names)
        together = [self] if query.mode_of(self) is query.FETCH_ONE else query.fetch_modes.peers_of(self)
        if columns and len(together) > 1 and query.fetching.fills_many(self):
            alias = str(self.__dict__[DB])
            await databases.get(alias).adriver.arun(query.fetching.fill_columns, together, columns)
        elif columns:
            await self.arefresh_from_db(fields=columns)
        for name in names:
            field = self._named(name)
            if isinstance(field, RelationshipField) and name not in self.__dict__:
                await plain_relations.aload(field, self)
        if relations:
            await query.prefetch.aprefetch_related_objects(together, *relations)
        # A reverse one-to-one object that isn't there is None here; touching the attribute says so in its own way.
        loaded = tuple(getattr(self, name.split("__", 1)[0], None) for name in names)
        return loaded[0] if len(loaded) == 1 else loaded

    def _names_to_load(self, names: tuple[str, ...]) -> tuple[list[str], list[str]]:
        """Return the attnames of columns that aren't loaded, and the relations that may have something to load."""
        columns: list[str] = []
        relations: list[str] = []
        for name in names:
            field = self._named(name)
            if isinstance(field, RelationshipField):
                continue
            if field is None or field.many_to_many:
                relations.append(name)
            elif field.is_relation and name == field.name:
                if name not in self.__dict__:
                    relations.append(name)
                    columns.extend(name for name in _columns_of(field) if name not in self.__dict__)
            elif field.attname not in self.__dict__:
                columns.append(field.attname)
        return columns, relations

    def _load_in_session(self, names: tuple[str, ...]) -> None:
        """Let an asynchronous Session load what it knows how to: columns, and objects that are referred to."""
        for field in self._meta.pk_fields:
            getattr(self, field.attname)
        for name in names:
            field = self._named(name)
            if isinstance(field, RelationshipField) or (field is not None and not field.many_to_many):
                getattr(self, name)

    def _named(self, name: str) -> Any:
        """Return the field of a name; None for an accessor of a reverse relation, or a path."""
        first = name.split("__", 1)[0]
        if first in self._accessors():
            return None
        field = self._meta.get_field(first)
        return None if "__" in name else field


def _columns_of(relation: Any) -> list[str]:
    """Return the attnames of the columns that a relation is read from."""
    if getattr(relation, "column", None) is not None:
        return [relation.attname]
    return [field.attname for field in getattr(relation, "local_related_fields", ())]


@brief
def _save_as_told(
    driver: Any, instance: Any, force_insert: Any, force_update: bool, update_fields: Any, raw: bool = False
) -> Any:
    return writes.save.save(
        driver,
        instance,
        force_insert=force_insert,
        force_update=force_update,
        update_fields=update_fields,
        raw=raw,
    )


@brief
def _delete_as_told(driver: Any, instance: Any, keep_parents: bool) -> Any:
    program = writes.delete.delete_instances(driver, type(instance), [instance], keep_parents=keep_parents)
    if instance._meta.version is None:
        return program
    from ormolu.writes.versions import claimed

    return claimed(driver, instance, program)
