"""QuerySets that are bound to a Session."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, cast

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm.attributes import set_committed_value

from ormolu.query import terminals, unit_of_work
from ormolu.query.binding import AsyncSessionDriver, SessionDriver
from ormolu.query.chain import M, R
from ormolu.query.queryset import QuerySet
from ormolu.writes.conflicts import check_instances
from ormolu.writes.overrides import is_librarys


class Binding:
    """Ties a queryset to a session."""

    def __init__(self, session: Any, model: Any) -> None:
        self.session = session
        self.model = model

    @property
    def driver(self) -> SessionDriver:
        """The stand-in for a driver."""
        return SessionDriver(self.session, self.model)

    @property
    def place(self) -> Any:
        """What two questions share that are asked on one connection."""
        return id(self.session), id(self.session.get_bind(self.model.__mapper__))

    def run(self, program: Any, *args: Any) -> Any:
        """Drive a program on the session."""
        return self.driver.run(program, *args)

    async def arun(self, program: Any, *args: Any) -> Any:
        """Drive a program on the AsyncSession that this session belongs to."""
        from sqlalchemy.ext.asyncio import async_session

        owner: Any = async_session(self.session)
        if owner is None:
            raise TypeError(
                f"{self.model.__name__}.objects is bound to a synchronous Session, which can't be awaited: take the "
                "plain methods, or an AsyncSession."
            )
        return await AsyncSessionDriver(owner, self.model).arun(program, *args)


class SessionQuerySet(QuerySet[M, R]):
    """A QuerySet on a Session. Writes go through the unit of work and are flushed, never committed."""

    _hears_overrides = False  # an AsyncSession's face calls the plain names

    @property
    def session(self) -> Any:
        """The session."""
        return self._binding.session

    def create(self, **kwargs: Any) -> M:
        """Make an object, add it and flush. Sends signals and validates as `save()` does."""
        self._not_combined("create")
        return self._make(kwargs)

    def _make(self, values: dict[str, Any]) -> M:
        self._check_reverse(values)
        instance: Any = self.model(**values)
        session = self.session
        if is_librarys(instance.__class__.save):
            unit_of_work.save(session, instance)
        else:
            session.add(instance)
            try:
                with session.no_autoflush:  # so that the object isn't written before its own save() says so
                    instance.save(force_insert=True)
            except BaseException:
                if instance in session and unit_of_work.is_pending(session, instance):
                    session.expunge(instance)
                raise
        self._give_mode(instance)
        return instance  # type: ignore[no-any-return]

    def get_or_create(self, defaults: dict[str, Any] | None = None, **kwargs: Any) -> tuple[M, bool]:
        """Return (object, created); a race is settled in a savepoint, so that pending work stays."""
        params = terminals.called(self._creation(kwargs, defaults))
        return self._get_or_make(kwargs, params)

    def _existing(self, lookups: dict[str, Any]) -> M:
        """Return the object that meets lookups. Raises DoesNotExist."""
        return self.get(**lookups)  # type: ignore[return-value]

    def _get_or_make(self, lookups: dict[str, Any], params: dict[str, Any]) -> tuple[M, bool]:
        missing = self.model.DoesNotExist  # type: ignore[attr-defined]
        driver = self._binding.driver
        untouched = driver.untouched()
        try:
            return self._existing(lookups), False
        except missing:
            pass
        if untouched:
            driver.begin_again()
        try:
            with self.session.begin_nested():
                instance = self._make(params)
        except IntegrityError:
            try:
                return self._existing(lookups), False
            except missing:
                pass
            raise
        return instance, True

    def update_or_create(
        self,
        defaults: dict[str, Any] | None = None,
        create_defaults: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> tuple[M, bool]:
        """Return (object, created); an object that is there is locked, loaded again, changed and flushed."""
        params = terminals.called(
            self._creation(kwargs, defaults if create_defaults is None else create_defaults)
        )
        instance, created = self._get_or_make(kwargs, params)
        if not created:
            self._lock(instance)
            for name, value in terminals.called(defaults or {}).items():
                setattr(instance, name, value)
            if is_librarys(cast(Any, type(instance)).save):
                unit_of_work.save(self.session, instance)
            else:
                cast(Any, instance).save()
        return instance, created

    def _lock(self, instance: Any) -> None:
        """Lock an object's row, and load it as it is now: what is computed from it shall be so when it is written."""
        how: Any = True
        mapper: Any = instance.__mapper__
        if self.session.get_bind(mapper).dialect.name == "postgresql":
            how = {"of": mapper.local_table}  # what is joined along can't be locked
        self.session.refresh(instance, with_for_update=how)

    def bulk_create(self, objs: Iterable[M], *args: Any, **kwargs: Any) -> Any:
        """Add objects and flush; with options, insert past the unit of work."""
        if args or any(value for name, value in kwargs.items() if name != "returning"):
            return super().bulk_create(objs, *args, **kwargs)
        if not kwargs.get("returning", True):
            return super().bulk_create(objs, returning=False)
        made = list(objs)
        check_instances("bulk_create", cast(Any, self.model)._meta, made)
        self.session.add_all(made)
        unit_of_work.flush(self.session)
        return made

    def bulk_upsert(self, objs: Any, **options: Any) -> Any:
        """See `QuerySet.bulk_upsert()`. Past the unit of work; the session's objects are read again when asked for."""
        write: Any = super().bulk_upsert
        found: Any = write(objs, **options)
        mine = {id(instance) for instance in getattr(found, "objects", ())}
        for instance in list(self.session.identity_map.values()):
            if isinstance(instance, self.model) and id(instance) not in mine:
                self.session.expire(instance)
        return found

    def _in_session(self) -> list[tuple[Any, Any]]:
        """Return the session's objects of the model with their keys, of which none is asked: its row may be gone."""
        found = self.session.identity_map.items()
        return [
            (key[1] if len(key[1]) > 1 else key[1][0], one)
            for key, one in found
            if isinstance(one, self.model)
        ]

    def update(self, **kwargs: Any) -> int:
        """Set columns of all rows; objects of the session follow."""
        self._assignments(kwargs)  # what can't be is refused before anything is asked
        held = self._in_session()
        keys: set[Any] = set(self.order_by().values_list("pk", flat=True)) if held else set()
        number = super().update(**kwargs)
        meta: Any = cast(Any, self.model)._meta
        for pk, instance in held:
            if pk in keys:
                for name, value in kwargs.items():
                    field = meta.get_field(name)
                    if hasattr(field, "from_fields"):  # a ForeignObject, whose columns these are
                        parts = [part.attname for part in field.local_related_fields]
                        self.session.expire(instance, [*parts, field.name])
                    elif (
                        hasattr(value, "as_term")
                        or hasattr(value, "__clause_element__")
                        or hasattr(value, "_meta")
                    ):
                        self.session.expire(instance, [field.attname])
                    else:
                        set_committed_value(instance, field.attname, field.to_python(value))
                if meta.version is not None:
                    self.session.expire(instance, [meta.version.attname])
        return number

    def delete(self) -> tuple[int, dict[str, int]]:
        """Delete all rows as on_delete says; objects of the session that are gone leave it."""
        self._deleted()  # what can't be is refused before anything is asked
        held = self._in_session()
        keys: set[Any] = set(self.order_by().values_list("pk", flat=True)) if held else set()
        gone = [instance for pk, instance in held if pk in keys]
        found = super().delete()
        unit_of_work.follow_deletion(self.session, self.model, gone, found, len(keys))
        return found

    update.alters_data = delete.alters_data = True  # type: ignore[attr-defined]


_classes: dict[tuple[type[Any], type[Any]], type[Any]] = {}


def bound_class(cls: type[Any], base: type[Any]) -> type[Any]:
    """Return a queryset's class with the manners of `base`, which come after what its user has overridden."""
    if cls is QuerySet or issubclass(cls, base):
        return base if cls is QuerySet else cls
    found = _classes.get((cls, base))
    if found is None:
        body = {"_hears_overrides": False, "__module__": cls.__module__}
        found = _classes[cls, base] = type(f"Session{cls.__name__}", (cls, base), body)
    return found


def bound(queryset: Any, model: Any, session: Any, base: type[Any] = SessionQuerySet) -> Any:
    """Return a queryset bound to a Session, of a class with the manners of `base`."""
    made: Any = object.__new__(bound_class(queryset.__class__, base))
    made.__dict__.update(queryset.__dict__)
    made._binding = Binding(session, model)
    return made


def bound_to_connection(queryset: Any, connection: Any) -> Any:
    """Return a queryset bound to a Connection."""
    from ormolu.query.connection_binding import ConnectionBinding, ConnectionQuerySet

    made: Any = object.__new__(bound_class(queryset.__class__, ConnectionQuerySet))
    made.__dict__.update(queryset.__dict__)
    made._binding = ConnectionBinding(connection, made.model)
    return made
