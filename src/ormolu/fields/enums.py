"""The field that holds a member of an enumeration."""

from __future__ import annotations

import enum
import re
from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, Literal, overload

import sqlalchemy as sa
from typing_extensions import TypeVar, Unpack

from ormolu.fields import columns
from ormolu.fields.base import Field
from ormolu.fields.options import FieldOptions
from ormolu.fields.types.base import Processor, ValueType, nullable

__all__ = ["EnumField"]

EnumT = TypeVar("EnumT", default=Any)
E = TypeVar("E", bound=enum.Enum)


class _IntegerEnum(ValueType):
    """Members by their numbers."""

    impl = sa.Integer

    def __init__(self, cls: type[enum.Enum]) -> None:
        self.cls = cls
        super().__init__()

    def bind_processor(self, dialect: sa.Dialect) -> Processor | None:
        return nullable(lambda member: member.value)

    def result_processor(self, dialect: sa.Dialect, coltype: object) -> Processor | None:
        return nullable(self.cls)


class EnumField(Field[EnumT]):
    """A member of `enum_class`, stored by its value.

    Where the values are texts, the column is a type of its own on PostgreSQL (called `type_name`, else after the class)
    and MariaDB, and a text with a CHECK elsewhere; where they are integers, an integer with a CHECK. Members, their
    values, and the texts of those are taken; anything else raises ValidationError, which lists them.
    """

    empty_strings_allowed = False
    description = "Member of an enumeration"
    own_options: ClassVar[dict[str, Any]] = {"enum_class": None, "type_name": None, "choices": None}

    if TYPE_CHECKING:
        enum_class: type[enum.Enum]
        type_name: str | None

        @overload
        def __init__(
            self: EnumField[E],
            enum_class: type[E],
            verbose_name: str | None = None,
            *,
            type_name: str | None = None,
            null: Literal[False] = False,
            **options: Unpack[FieldOptions],
        ) -> None: ...
        @overload
        def __init__(
            self: EnumField[E | None],
            enum_class: type[E],
            verbose_name: str | None = None,
            *,
            type_name: str | None = None,
            null: bool,
            **options: Unpack[FieldOptions],
        ) -> None: ...
        def __init__(self, *args: Any, **options: Any) -> None: ...

    else:

        def __init__(self, enum_class, verbose_name=None, *, type_name=None, **options):
            if not (isinstance(enum_class, type) and issubclass(enum_class, enum.Enum)) or not len(
                enum_class
            ):
                raise TypeError(f"EnumField() needs an enumeration with members, got {enum_class!r}.")
            kinds = {str if isinstance(m.value, str) else type(m.value) for m in enum_class}
            if kinds != {str} and kinds != {int}:
                raise TypeError(
                    f"EnumField() needs members whose values are all texts or all integers; those of "
                    f"{enum_class.__name__} are {', '.join(sorted(kind.__name__ for kind in kinds))}."
                )
            self.enum_class, self.type_name = enum_class, type_name
            options.setdefault("choices", [(member, label_of(member)) for member in enum_class])
            super().__init__(verbose_name, **options)

    @property
    def is_text(self) -> bool:
        """Whether the values are texts."""
        return isinstance(next(iter(self.enum_class)).value, str)

    @cached_property
    def sa_type(self) -> sa.types.TypeEngine[Any]:
        """SQLAlchemy's Enum, or an integer."""
        if not self.is_text:
            return _IntegerEnum(self.enum_class)
        return sa.Enum(
            self.enum_class,
            name=self.type_name or snake(self.enum_class.__name__),
            values_callable=_values,
            metadata=self._metadata(),
            create_constraint=True,
        )

    def _metadata(self) -> sa.MetaData | None:
        """Return where the type belongs to: it is not dropped with the table, which may not be the only one with it."""
        model = getattr(self, "model", None)
        return None if model is None else getattr(model, "metadata", None)

    def attach_to_table(self, column: sa.Column[Any], table: sa.Table) -> None:
        """Let the database check the numbers."""
        if not self.is_text:
            allowed: list[Any] = [sa.literal_column(str(member.value)) for member in self.enum_class]
            columns.add_check(column, table, column.in_(allowed))

    def get_internal_type(self) -> str:
        """Return "EnumField"."""
        return "EnumField"

    def deconstruct(self) -> tuple[str | None, str, list[Any], dict[str, Any]]:
        """Return (name, path, args, kwargs), without the choices that come from the enumeration."""
        name, path, args, kwargs = super().deconstruct()
        if kwargs.get("choices") == [(member, label_of(member)) for member in self.enum_class]:
            del kwargs["choices"]
        return name, path, args, kwargs

    def to_python(self, value: Any) -> Any:
        """Return the member. Raises ValidationError."""
        if value is None or isinstance(value, self.enum_class):
            return value
        for member in self.enum_class:
            if value == member.value or value == str(member.value):
                return member
        raise self._invalid("invalid_choice", value)

    def get_prep_value(self, value: Any) -> Any:
        """Return the member. Raises ValidationError."""
        return self.to_python(value)

    def prep_for(self, cls: type, connection: Any = None) -> Callable[[Any], Any] | None:
        """Return the conversion to a member, None for members."""
        return (
            None if cls is self.enum_class and not self._user_prepares else super().prep_for(cls, connection)
        )

    def value_to_string(self, obj: Any) -> str:
        """Return the member's value as text."""
        value = self.value_from_object(obj)
        return str(getattr(value, "value", value))


def label_of(member: enum.Enum) -> str:
    """Return the text for people of a member: its own label, or its name."""
    label = getattr(member, "label", None)
    return str(label) if label is not None else member.name.replace("_", " ").capitalize()


def snake(name: str) -> str:
    """Return the name of a class as databases spell names."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()


def _values(cls: type[enum.Enum]) -> list[str]:
    return [str(member.value) for member in cls]
