"""Keys that the database counts up."""

from __future__ import annotations

import importlib
from functools import lru_cache
from typing import TYPE_CHECKING, Any, ClassVar, Literal, overload

import sqlalchemy as sa
from sqlalchemy.sql.base import _DialectArgDict  # pyright: ignore

from ormolu.exceptions import ImproperlyConfigured
from ormolu.fields.base import Field
from ormolu.fields.integers import BigIntegerField, IntegerField, IntT, SmallIntegerField

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from ormolu.fields.options import PlainOptions

__all__ = ["AutoField", "AutoFieldMixin", "BigAutoField", "SmallAutoField"]


class _CountsUpForever(_DialectArgDict):
    """A table's options for SQLite, of which AUTOINCREMENT is set.

    SQLAlchemy imports a dialect to know its other options. Here that waits until somebody asks for them: a program
    that declares models may have another database, or none.
    """

    def __init__(self) -> None:
        self._non_defaults = {"autoincrement": True}

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        for known, value in vars(sa.Table._kw_reg_for_dialect_cls("sqlite")).items():
            vars(self).setdefault(known, value)
        return vars(self)[name]


class AutoFieldMixin(Field[IntT]):
    """What makes an integer field a key whose values the database gives."""

    own_options: ClassVar[dict[str, Any]] = {"blank": True}
    counts_up = True
    plain_type: ClassVar[type[sa.Integer]] = sa.Integer

    if TYPE_CHECKING:

        @overload
        def __init__(
            self: AutoFieldMixin[int],
            verbose_name: str | None = None,
            *,
            null: bool = False,
            init: Literal[False] = False,
            **options: Unpack[PlainOptions],
        ) -> None: ...
        @overload
        def __init__(
            self: AutoFieldMixin[int],
            verbose_name: str | None = None,
            *,
            null: bool = False,
            init: bool,
            **options: Unpack[PlainOptions],
        ) -> None: ...
        def __init__(self, *args: Any, **options: Any) -> None: ...

    else:

        def __init__(self, *args, **options):
            options["blank"] = True
            super().__init__(*args, **options)

    @property
    def db_returning(self) -> bool:
        """True: the value is read back after an insert."""
        return True

    @property
    def rel_sa_type(self) -> sa.types.TypeEngine[Any]:
        """SQLAlchemy type of a column that refers to this one: an integer which counts nothing."""
        return self.plain_type()

    def validate(self, value: Any, model_instance: Any) -> None:
        """Accept every value: the database gives it."""

    def column_items(self) -> list[Any]:
        """Return the column's generator."""
        return [*super().column_items(), sa.Identity()]

    @staticmethod
    def attach_to_table(column: sa.Column[Any], table: sa.Table) -> None:
        """Never give the number of a deleted row again, on SQLite either."""
        if column.primary_key:
            options: dict[str, Any] = table.dialect_options
            if "sqlite" in options:
                options["sqlite"]["autoincrement"] = True
            else:
                options["sqlite"] = _CountsUpForever()

    def contribute_to_class(self, cls: Any, name: str, private_only: bool = False) -> None:
        """Become the model's automatic key. Raises ValueError if it has one already."""
        existing = getattr(cls._meta, "auto_field", None)
        if existing is not None and existing is not self:
            raise ValueError(f"Model {cls._meta.label} can't have more than one auto-generated field.")
        super().contribute_to_class(cls, name, private_only)
        cls._meta.auto_field = self


class _AutoFieldMeta(type):
    """Lets `isinstance(field, AutoField)` hold for the other widths, too."""

    def __instancecheck__(cls, instance: object) -> bool:
        return cls.__subclasscheck__(type(instance))

    def __subclasscheck__(cls, subclass: type) -> bool:
        others = (BigAutoField, SmallAutoField) if cls is AutoField else ()
        return super().__subclasscheck__(subclass) or any(other in subclass.__mro__ for other in others)


class AutoField(AutoFieldMixin[IntT], IntegerField[IntT], metaclass=_AutoFieldMeta):
    """A key of 32 bits (64 on SQLite) that counts up."""

    def get_internal_type(self) -> str:
        """Return "AutoField"."""
        return "AutoField"


class BigAutoField(AutoFieldMixin[IntT], BigIntegerField[IntT]):
    """A key of 64 bits that counts up."""

    plain_type = sa.BigInteger

    def get_internal_type(self) -> str:
        """Return "BigAutoField"."""
        return "BigAutoField"


class SmallAutoField(AutoFieldMixin[IntT], SmallIntegerField[IntT]):
    """A key of 16 bits (64 on SQLite) that counts up."""

    plain_type = sa.SmallInteger

    def get_internal_type(self) -> str:
        """Return "SmallAutoField"."""
        return "SmallAutoField"


# The class of keys that no model declares


def key_class(path: str | None, source: str) -> Any:
    """Return the class of a path; `source` is where it stands, for errors."""
    if not path:
        raise ImproperlyConfigured(f"{source} must not be empty.")
    found: Any = imported(path)
    if found is None:
        raise ImproperlyConfigured(f"{source} refers to the module '{path}' that could not be imported.")
    base: Any = AutoFieldMixin
    if not (isinstance(found, type) and issubclass(found, base)):
        raise ValueError(f"Primary key '{path}' referred by {source} must subclass AutoField.")
    return found


@lru_cache(maxsize=64)
def imported(path: str) -> Any:
    """Return what a path names, None for nothing. A name without a module, or with Django's, is one of ours."""
    from ormolu import fields

    module, _, name = path.rpartition(".")
    if module in ("", "ormolu", "django.db.models"):
        return getattr(fields, name, None)
    try:
        return getattr(importlib.import_module(module), name, None)
    except ImportError:
        return None
