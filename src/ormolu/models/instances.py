"""What an instance is: its attributes, identity, text, copies and pickles."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Self, cast

from ormolu import __version__
from ormolu.exceptions import FieldDoesNotExist
from ormolu.models.attributes import COLUMN
from ormolu.models.constructor import DEFERRED, loading, restoring
from ormolu.models.registry import apps
from ormolu.models.state import DB, DIRTY, NO_VALUE, PREFETCHED, STATE, ModelState
from ormolu.writes import unsure
from ormolu.writes.unsure import UNSURE

if TYPE_CHECKING:
    from sqlalchemy.orm import Mapped

    from ormolu.exceptions import MultipleObjectsReturned, ObjectDoesNotExist
    from ormolu.models.manager import Manager
    from ormolu.models.options import Options


class InstanceMethods:
    """Methods of model instances that do no I/O."""

    _setters: ClassVar[dict[str, Callable[[Any, Any], None]]] = {}

    _keyword_only: ClassVar[bool] = False
    """Whether the constructor refuses positional arguments."""

    _expressions: ClassVar[tuple[str, ...]] = ()
    """The names of column_property()s."""

    if TYPE_CHECKING:
        _default_manager: ClassVar[Manager[Self]]
        _base_manager: ClassVar[Manager[Self]]
        _meta: ClassVar[Options]
        DoesNotExist: ClassVar[type[ObjectDoesNotExist]]
        MultipleObjectsReturned: ClassVar[type[MultipleObjectsReturned]]

        pk: Any
        """The primary key: a tuple where it is a CompositePrimaryKey."""

        # Not declared with a type: a class body's `id = UUIDField(...)` then has its own.
        id = cast("Mapped[Any]", ...)
        """The key of a model that declares none. A field of that name says of what type it is."""

    def __setattr__(self, name: str, value: Any) -> None:
        setter = self._setters.get(name)
        if setter is COLUMN:
            values = self.__dict__
            if DB in values:
                dirty = values.get(DIRTY)
                if dirty is None:
                    values[DIRTY] = {name: values.get(name, NO_VALUE)}
                elif name not in dirty:
                    dirty[name] = values.get(name, NO_VALUE)
            if STATE in values:
                vars(type(self))[name].attribute.__set__(self, value)
            else:
                values[name] = value
        elif setter is None:
            object.__setattr__(self, name, value)
        else:
            setter(self, value)

    @property
    def _state(self) -> ModelState:
        """What is known about this object's row: `adding`, `db`, `fields_cache`."""
        return ModelState(self)

    def _is_pk_set(self) -> bool:
        """Tell whether the primary key has a value."""
        pk = self.pk
        return pk is not None and (pk.__class__ is not tuple or None not in pk)

    # Text and identity

    def __str__(self) -> str:
        return f"{self.__class__.__name__} object ({self.pk})"

    def __repr__(self) -> str:
        return f"<{self.__class__.__name__}: {self}>"

    def __eq__(self, other: object) -> bool:
        if self is other:
            return True
        if not isinstance(other, InstanceMethods):
            return NotImplemented
        if self._meta.concrete_model is not other._meta.concrete_model:
            return False
        pk = self.pk
        return pk is not None and bool(pk == other.pk) and (pk.__class__ is not tuple or None not in pk)

    def __hash__(self) -> int:
        pk = self.pk
        if pk is None or (pk.__class__ is tuple and None in pk):
            raise TypeError("Model instances without primary key value are unhashable")
        return hash(pk)

    # Copies and pickles

    def __getstate__(self) -> dict[str, Any]:
        values = self.__dict__.copy()
        if STATE in values and not any(hasattr(value, "_sa_adapter") for value in values.values()):
            # SQLAlchemy's record can be made again; it is needed only by collections that it instruments.
            del values[STATE]
        if UNSURE in values:
            values[DIRTY] = unsure.as_changed(values)
            del values[UNSURE]
        elif DIRTY in values:
            values[DIRTY] = dict(values[DIRTY])
        if PREFETCHED in values:
            # Results without the querysets around them, which the related managers make again.
            values[PREFETCHED] = {
                name: found if found is None or hasattr(found, "_meta") else list(found)
                for name, found in values[PREFETCHED].items()
            }
        return values

    def __setstate__(self, values: dict[str, Any]) -> None:
        from ormolu.query.pickling import VERSION_KEY, check_version

        if values.get(VERSION_KEY) == __version__:
            del values[VERSION_KEY]
        else:
            check_version(values, "model")
        self.__dict__.update(values)

    def __reduce__(self) -> tuple[Any, ...]:
        from ormolu.query.pickling import VERSION_KEY

        cls = self.__class__
        meta = cls._meta
        state = self.__getstate__()
        state[VERSION_KEY] = __version__
        if meta.apps is apps and apps.all_models.get(meta.app_label, {}).get(meta.model_name) is cls:
            return unpickle, (meta.app_label, meta.object_name, cls.__module__), state
        return object.__new__, (cls,), state

    # Fields

    @classmethod
    def from_db(cls, db: str | None, field_names: Sequence[str], values: Sequence[Any]) -> Self:
        """Make an instance of a loaded row. Override it to change how objects are loaded.

        `field_names` are the attnames that were loaded, `values` theirs. Fields that are missing are deferred.
        """
        fields = cls._meta.concrete_fields
        token = restoring.set(True) if cast(Any, cls).__mapper__.validators else None
        try:
            if len(values) != len(fields):
                given = dict(zip(field_names, values, strict=False))
                loading.append(None)
                try:
                    whole = {field.attname: given.get(field.attname, DEFERRED) for field in fields}
                    instance = cls(**whole) if cls._keyword_only else cls(*whole.values())
                finally:
                    loading.pop()
            else:
                instance = cls(**dict(zip(field_names, values))) if cls._keyword_only else cls(*values)
        finally:
            if token is not None:
                restoring.reset(token)
        if db is not None:
            instance.__dict__[DB] = db
            instance.__dict__.pop(DIRTY, None)
        return instance

    def get_deferred_fields(self) -> set[str]:
        """Return the attnames of the fields that aren't loaded."""
        values = self.__dict__
        return {field.attname for field in self._meta.concrete_fields if field.attname not in values}

    def serializable_value(self, field_name: str) -> Any:
        """Return a field's raw value by its name: the key, for a relation. Another attribute is returned as it is."""
        try:
            field = self._meta.get_field(field_name)
        except FieldDoesNotExist:
            return getattr(self, field_name)
        return getattr(self, field.attname)

    def prepare_database_save(self, field: Any) -> Any:
        """Return the value that stands for this object in a relation's column. Raises ValueError if it isn't saved."""
        if not self._is_pk_set():
            raise ValueError(f"Unsaved model instance {self!r} cannot be used in an ORM query.")
        if field.column is None:  # a ForeignObject
            return field.far_key(self)
        return getattr(self, field.remote_field.get_related_field().attname)

    def _forget_related(self) -> None:
        """Let go of all related objects: forward, reverse and prefetched ones."""
        values = self.__dict__
        values.pop(PREFETCHED, None)
        for field in (*self._meta.fields, *self._meta.virtual_fields):
            if field.is_relation:
                values.pop(field.name, None)

    @classmethod
    def check(cls, **kwargs: Any) -> list[Any]:
        """Return the problems that the fields find in their declarations."""
        fields = (*cls._meta.local_fields, *cls._meta.local_many_to_many)
        return [problem for field in fields for problem in field.check(**kwargs)]


def unpickle(app_label: str, name: str, module: str) -> Any:
    """Return an empty instance of the model of a label, importing its module if it isn't known yet."""
    try:
        model = apps.get_model(app_label, name)
    except LookupError:
        importlib.import_module(module)
        model = apps.get_model(app_label, name)
    return model.__new__(model)
