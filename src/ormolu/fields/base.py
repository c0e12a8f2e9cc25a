"""`Field`: what a model attribute is, what its column is, and how its values travel between the two."""

from __future__ import annotations

import copy
import datetime
import decimal
from collections.abc import Callable, Mapping
from functools import cached_property, partial
from itertools import count
from typing import TYPE_CHECKING, Any, ClassVar, Literal, cast, overload

import sqlalchemy as sa
from typing_extensions import TypeVar, Unpack

from ormolu.fields import columns
from ormolu.fields.choices import CallableChoices
from ormolu.fields.cleaning import Cleaning
from ormolu.fields.identity import FieldIdentity
from ormolu.fields.options import (
    COMMON_OPTIONS,
    NOT_PROVIDED,
    DatabaseDefault,
    FieldOptions,
    unknown_option,
)
from ormolu.fields.registry import LookupRegistry
from ormolu.fields.types.choosing import DeclaredType, type_of
from ormolu.lazy import public_path

T = TypeVar("T", default=Any)

if TYPE_CHECKING:
    # To type checkers, a field is what SQLAlchemy maps: `author.name` is T, `Author.name` its attribute.
    from sqlalchemy.orm import Mapped as _Attribute
else:

    class _Attribute:
        """At run time a field is a plain description; the model class puts the attribute in its place."""

        # Type parameters mean nothing at run time; typing.Generic would slow down the import of every field.
        def __class_getitem__(cls, item):
            return cls


__all__ = ["Field"]

_creation = count()
_auto_creation = count(-1, -1)

# What `get_<name>_display()` returns as it is where there is no label for it.
_SHOWN_AS_THEY_ARE = (int, float, decimal.Decimal, datetime.date, datetime.time)

_VALUE_HOOKS = ("get_prep_value", "get_db_prep_value", "to_python")


class Field(FieldIdentity, Cleaning, LookupRegistry, _Attribute[T]):
    """Base of all fields: one attribute of a model, mostly one column of its table.

    Subclass it for a type of your own: say what it is stored as with `get_internal_type()` (or `db_type()`),
    and convert with `get_prep_value()` and, on the way back, `from_db_value(value, expression, connection)`.
    Source: Django's documentation, "Model field reference" and "How to create custom model fields".
    """

    description: Any = "Field of type: %(field_type)s"
    empty_strings_allowed: ClassVar[bool] = True
    own_options: ClassVar[dict[str, Any]] = {}
    """Options of this class, or other defaults of common ones: what `deconstruct()` leaves out."""

    plain_classes: ClassVar[frozenset[type]] = frozenset()
    """Classes whose values go to the database as they are."""

    values_immutable: ClassVar[bool] = True

    descriptor_class: ClassVar[Any] = None
    """What makes the descriptor of the model's attribute, called with the field; None for the usual one."""

    in_constructor: bool = True
    """Whether type checkers may ask for the field where an object of a TypedModel is made: the option `init`."""

    key_is_named: bool = False
    """Whether the class body names the attribute of a relation's key with key_of()."""

    hidden: bool = False
    system_check_deprecated_details: Any = None
    many_to_many: bool | None = None
    many_to_one: bool | None = None
    one_to_many: bool | None = None
    one_to_one: bool | None = None
    related_model: Any = None
    generated: bool = False

    name: str
    attname: str
    column: str
    verbose_name: Any
    model: Any
    concrete: bool

    if TYPE_CHECKING:

        @overload
        def __init__(
            self,
            verbose_name: str | None = None,
            *,
            null: Literal[False] = False,
            **options: Unpack[FieldOptions],
        ) -> None: ...
        @overload
        def __init__(
            self: Field[Any],
            verbose_name: str | None = None,
            *,
            null: bool,
            **options: Unpack[FieldOptions],
        ) -> None: ...
        def __init__(self, *args: Any, **options: Any) -> None: ...

    else:

        def __init__(
            self,
            verbose_name=None,
            name=None,
            primary_key=False,
            max_length=None,
            unique=False,
            blank=False,
            null=False,
            db_index=False,
            rel=None,
            default=NOT_PROVIDED,
            editable=True,
            serialize=True,
            unique_for_date=None,
            unique_for_month=None,
            unique_for_year=None,
            choices=None,
            help_text="",
            db_column=None,
            db_tablespace=None,
            auto_created=False,
            validators=(),
            error_messages=None,
            db_comment=None,
            db_default=NOT_PROVIDED,
            **unknown,
        ):
            if unknown:
                if unknown.keys() != {"init"}:
                    raise unknown_option(
                        type(self).__name__, unknown, {*self._option_defaults(), "name", "init"}
                    )
                self.in_constructor = unknown["init"]
            self.name = name
            self.verbose_name = self._verbose_name = verbose_name
            self.primary_key = primary_key
            self.max_length = max_length
            self._unique = unique
            self.blank = blank
            self.null = null
            self.db_index = db_index
            self.remote_field = rel
            self.is_relation = rel is not None
            self.default = default
            self.editable = editable
            self.serialize = serialize
            self.unique_for_date = unique_for_date
            self.unique_for_month = unique_for_month
            self.unique_for_year = unique_for_year
            self.choices = choices
            self.help_text = help_text
            self.db_column = db_column
            self._db_tablespace = db_tablespace
            self.auto_created = auto_created
            self._validators = list(validators)
            self._error_messages = error_messages
            self.db_comment = db_comment
            self.db_default = db_default
            self.creation_counter = next(_auto_creation if auto_created else _creation)

    primary_key: bool
    max_length: int | None
    blank: bool
    null: bool
    db_index: bool
    remote_field: Any
    is_relation: bool
    default: Any
    editable: bool
    serialize: bool
    unique_for_date: str | None
    unique_for_month: str | None
    unique_for_year: str | None
    help_text: Any
    db_column: str | None
    auto_created: bool
    db_comment: str | None
    db_default: Any
    creation_counter: int
    _unique: bool
    _verbose_name: Any
    _db_tablespace: str | None
    _validators: list[Callable[[Any], Any]]
    _error_messages: Mapping[str, Any] | None
    _choices: Any

    # -- options

    @classmethod
    def _option_defaults(cls) -> dict[str, Any]:
        """Return the options of this class and what each means when it is left out."""
        merged = dict(COMMON_OPTIONS)
        for base in reversed(cls.__mro__):
            merged.update(base.__dict__.get("own_options", {}))
        return merged

    def _option(self, name: str) -> Any:
        """Return the value of an option as it was given."""
        for attribute in (f"_{name}", name):
            if attribute in self.__dict__:
                return self.__dict__[attribute]
        return getattr(self, name)

    def deconstruct(self) -> tuple[str | None, str, list[Any], dict[str, Any]]:
        """Return (name, import path, args, kwargs) from which this field can be made again."""
        kwargs: dict[str, Any] = {}
        for name, default in self._option_defaults().items():
            value = self._option(name)
            if name == "choices" and isinstance(value, CallableChoices):
                value = value.func
            if value is not default and (type(value) is not type(default) or value != default):
                kwargs[name] = value
        return self.name, public_path(type(self)), [], kwargs

    @property
    def unique(self) -> bool:
        """Whether no two rows may have the same value."""
        return self._unique or self.primary_key

    @property
    def db_tablespace(self) -> str | None:
        """Tablespace of the column's index."""
        return self._db_tablespace

    @property
    def db_returning(self) -> bool:
        """Whether the database chooses a value at insert, which has to be read back."""
        return self.has_db_default()

    def get_internal_type(self) -> str:
        """Return the name of the built-in field class that says what the column's type is."""
        return type(self).__name__

    # -- the model

    def set_attributes_from_name(self, name: str) -> None:
        """Take name, attname, column and verbose name from the name of the model's attribute."""
        self.name = self.name or name
        self.attname, self.column = self.get_attname_column()
        self.concrete = self.column is not None  # pyright: ignore[reportUnnecessaryComparison]
        if self.verbose_name is None and self.name:
            self.verbose_name = self.name.replace("_", " ")

    def contribute_to_class(self, cls: Any, name: str, private_only: bool = False) -> None:
        """Become the field `name` of model `cls`: register with its `_meta`, offer `get_<name>_display()`."""
        self.set_attributes_from_name(name)
        self.model = cls
        if private_only:
            cls._meta.add_field(self, private=True)
        else:
            cls._meta.add_field(self)
        if self.descriptor_class is not None and self.concrete:
            type.__setattr__(cls, self.attname, self.descriptor_class(self))
        display = f"get_{self.name}_display"
        if self.choices is not None and display not in cls.__dict__:
            setattr(cls, display, _display_method(self, display))

    def get_attname(self) -> str:
        """Return the name of the instance attribute that holds the column's value."""
        return self.name

    def get_attname_column(self) -> tuple[str, str]:
        """Return the attribute's and the column's name."""
        attname = self.get_attname()
        return attname, self.db_column or attname

    def get_filter_kwargs_for_object(self, obj: Any) -> dict[str, Any]:
        """Return keywords that find `obj` by this field."""
        return {self.name: getattr(obj, self.attname)}

    def check(self, **kwargs: Any) -> list[Any]:
        """Return what is wrong with the declaration: messages of `ormolu.checks`.

        With `databases`, aliases, what these can't do is found as well. Override it for options of your own, and add to
        what `super().check()` returns.
        """
        from ormolu.fields.checks import problems

        return list(problems(self, kwargs.get("databases")))

    # -- values

    def has_default(self) -> bool:
        """Return whether a `default` was given."""
        return self.default is not NOT_PROVIDED

    def has_db_default(self) -> bool:
        """Return whether a `db_default` was given."""
        return self.db_default is not NOT_PROVIDED

    @cached_property
    def _get_default(self) -> Callable[[], Any]:
        """The function that makes the value of an attribute which nobody set."""
        if self.has_default():
            default: Any = self.default
            if callable(default):
                return default  # type: ignore[no-any-return]
            # A value that can be changed in place is each instance's own.
            return (lambda: default) if self.immutable else partial(copy.deepcopy, default)
        if self.has_db_default():
            return partial(DatabaseDefault, self)
        if not self.empty_strings_allowed or self.null:
            return _no_value
        return str

    def get_default(self) -> Any:
        """Return the value of an attribute that nobody set: the default (called, if callable), "" or None."""
        return self._get_default()

    def pre_save(self, model_instance: Any, add: bool) -> Any:
        """Return the value to store, just before it is stored; fields that set themselves do it here."""
        return getattr(model_instance, self.attname)

    def get_pk_value_on_save(self, instance: Any) -> Any:
        """Return a new key for an instance without one, if the default gives one."""
        return self.get_default() if self.default else None

    def value_from_object(self, obj: Any) -> Any:
        """Return this field's value of `obj`."""
        return getattr(obj, self.attname)

    def value_to_string(self, obj: Any) -> str:
        """Return the value as a text that `to_python()` reads, for serialisers."""
        return str(self.value_from_object(obj))

    def save_form_data(self, instance: Any, data: Any) -> None:
        """Set a form's value on `instance`."""
        setattr(instance, self.name, data)

    # -- to and from the database

    def get_prep_value(self, value: Any) -> Any:
        """Convert a value for a query. Raises TypeError, ValueError or ValidationError.

        What Django's `lazy()` wraps is unwrapped, for a driver looks at the class.
        """
        unwrap = getattr(value, "_proxy____cast", None)
        return value if unwrap is None else unwrap()

    def get_db_prep_value(self, value: Any, connection: Any, prepared: bool = False) -> Any:
        """Convert a value for a query on `connection`; `prepared`: `get_prep_value()` was called already."""
        return value if prepared else self.get_prep_value(value)

    def get_db_prep_save(self, value: Any, connection: Any) -> Any:
        """Convert a value to be stored. Expressions are left as they are."""
        if (
            hasattr(value, "as_sql")
            or hasattr(value, "resolve_expression")
            or hasattr(value, "__clause_element__")
        ):
            return value
        return self.get_db_prep_value(value, connection, prepared=False)

    @cached_property
    def _user_prepares(self) -> bool:
        return overridden(type(self), *_VALUE_HOOKS)

    def prep_for(self, cls: type, connection: Any = None) -> Callable[[Any], Any] | None:
        """Return the conversion for values of exactly class `cls`, or None if they need none.

        What it returns is ready for the bind processor of `sa_type`. Without a connection (a query is being put
        together, and nobody knows yet for which database) it is what `get_prep_value()` makes of a value.
        """
        if self._user_prepares:
            if connection is None:
                return self.get_prep_value
            return partial(self.get_db_prep_value, connection=connection)
        if cls is type(None) or cls in self.plain_classes:
            return None
        return self.get_prep_value

    @property
    def replaces_none(self) -> bool:
        """Whether a None that is saved is stored as another value; `save_prep_for()` says as which."""
        return False

    def save_prep_for(self, cls: type, connection: Any = None) -> Callable[[Any], Any] | None:
        """Return the conversion for values that are stored in this field.

        As `prep_for()`, but a value that does not fit (too long, too many digits) raises DataError.
        """
        if overridden(type(self), "get_db_prep_save"):
            return partial(self.get_db_prep_save, connection=connection)
        return self.prep_for(cls, connection)

    @cached_property
    def immutable(self) -> bool:
        """Whether a loaded value can't be changed in place; not known where a class converts itself."""
        return self.values_immutable and not overridden(type(self), "from_db_value", "to_python")

    def result_converter(
        self, dialect: Any, *, connection: Any = None, expression: Any = None, coltype: Any = None
    ) -> Callable[[Any], Any] | None:
        """Return the conversion of what the driver gives, or None: the type's, then `from_db_value()`."""
        typed: Callable[[Any], Any] | None = self.sa_type.dialect_impl(dialect).result_processor(
            dialect, coltype
        )
        custom: Callable[..., Any] | None = getattr(self, "from_db_value", None)
        if custom is None:
            return typed
        if typed is None:
            return lambda value: custom(value, expression, connection)
        return lambda value: custom(typed(value), expression, connection)

    # -- the column

    @cached_property
    def sa_type(self) -> sa.types.TypeEngine[Any]:
        """SQLAlchemy type of the column, the differences between databases inside."""
        return DeclaredType(self) if overridden(type(self), "db_type") else type_of(self)

    @property
    def computed_type(self) -> sa.types.TypeEngine[Any]:
        """SQLAlchemy type of what is computed from this field (an average of it, a product)."""
        return self.sa_type

    @cached_property
    def sa_column(self) -> sa.Column[Any]:
        """Column of the model's table."""
        return self.make_column()

    def make_column(self) -> sa.Column[Any]:
        """Return a new SQLAlchemy column for this field."""
        return columns.make_column(self)

    def complete_table(self, column: sa.Column[Any], table: sa.Table) -> None:
        """Add to a table what the field's column brings along: checks, indexes, references."""
        columns.complete_table(self, column, table)

    def column_items(self) -> list[Any]:
        """Return constraints and generators to put into the column (foreign keys, Identity)."""
        return []

    def db_type(self, connection: Any) -> str | None:
        """Return the column's type in SQL, without constraints."""
        return columns.type_text(self.sa_type, connection)

    @property
    def rel_sa_type(self) -> sa.types.TypeEngine[Any]:
        """SQLAlchemy type of a column that refers to this one: this one's, or what `rel_db_type()` says."""
        return DeclaredType(self, "rel_db_type") if overridden(type(self), "rel_db_type") else self.sa_type

    def rel_db_type(self, connection: Any) -> str | None:
        """Return the type in SQL of a column that refers to this one."""
        if overridden(type(self), "db_type"):
            return self.db_type(connection)
        return columns.type_text(self.rel_sa_type, connection)

    def cast_db_type(self, connection: Any) -> str | None:
        """Return the type in SQL for CAST."""
        return self.db_type(connection)

    def db_check(self, connection: Any) -> str | None:
        """Return the condition in SQL that the column's CHECK demands, None if it has none."""
        return None

    def db_type_parameters(self, connection: Any) -> Mapping[str, Any]:
        """Return what the text of a column's type may be filled with: the field's attributes, by name."""
        return {**self.__dict__, "column": self.column}

    def db_parameters(self, connection: Any) -> dict[str, Any]:
        """Return the column's type and check in SQL."""
        return {"type": self.db_type(connection), "check": self.db_check(connection)}


def overridden(cls: type, *names: str) -> bool:
    """Return whether a class outside of this library redefines one of these methods."""
    for base in cls.__mro__:
        if base.__module__.startswith("ormolu."):
            continue
        if base is not object and any(name in base.__dict__ for name in names):
            return True
    return False


def _no_value() -> None:
    return None


def _display_method(field: Field[Any], name: str) -> Callable[[Any], Any]:
    """Return the model's method that gives the label of its current choice."""

    def display(instance: Any) -> Any:
        value = getattr(instance, field.attname)
        labels = {_hashable(key): label for key, label in field.flatchoices}
        label = labels.get(_hashable(value), value)
        return label if label is None or isinstance(label, _SHOWN_AS_THEY_ARE) else str(label)

    display.__name__ = name
    display.__doc__ = f"Return the label of `{field.name}`."
    return display


def _hashable(value: Any) -> Any:
    """Return a value with the lists in it made tuples."""
    return tuple(map(_hashable, cast("Any", value))) if isinstance(value, (list, tuple)) else value
