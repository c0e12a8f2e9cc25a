"""Fields that hold integers."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, Literal, NoReturn, overload

import sqlalchemy as sa
from typing_extensions import TypeVar, Unpack

from ormolu import databases
from ormolu.exceptions import OutOfRange
from ormolu.fields import columns, validators
from ormolu.fields.base import Field
from ormolu.fields.options import FieldOptions

__all__ = [
    "INTEGER_RANGES",
    "BigIntegerField",
    "IntegerField",
    "PositiveBigIntegerField",
    "PositiveIntegerField",
    "PositiveSmallIntegerField",
    "SmallIntegerField",
    "integer_range",
    "out_of_range",
    "storable",
]

IntT = TypeVar("IntT", default=int)


INTEGER_RANGES: dict[str, tuple[int, int]] = {
    "SmallIntegerField": (-(2**15), 2**15 - 1),
    "IntegerField": (-(2**31), 2**31 - 1),
    "BigIntegerField": (-(2**63), 2**63 - 1),
    "PositiveSmallIntegerField": (0, 2**15 - 1),
    "PositiveIntegerField": (0, 2**31 - 1),
    "PositiveBigIntegerField": (0, 2**63 - 1),
    "SmallAutoField": (-(2**15), 2**15 - 1),
    "AutoField": (-(2**31), 2**31 - 1),
    "BigAutoField": (-(2**63), 2**63 - 1),
}
"""Smallest and largest value by internal type, as every server database has them."""

LEAST, MOST = -(2**63), 2**63 - 1


def integer_range(internal_type: str, vendor: str = "") -> tuple[int, int]:
    """Return the smallest and largest value of a kind of field: SQLite has 64 bits for each of them."""
    if vendor == "sqlite":
        return (0 if internal_type.startswith("Positive") else LEAST), MOST
    return INTEGER_RANGES.get(internal_type, (LEAST, MOST))


def storable(field: Any, vendor: str) -> tuple[int, int] | None:
    """Return the smallest and largest integer that a field's column takes, None if it holds no integers.

    That a Positive field takes no negative number is left to its CHECK, whose error is an IntegrityError.
    """
    while getattr(field, "is_relation", False):
        field = field.target_field
    if not isinstance(field, IntegerField):
        return None
    least, most = integer_range(field.get_internal_type(), vendor)
    return (least or -most - 1), most


def out_of_range(field: Any, value: Any, least: int, most: int) -> NoReturn:
    """Raise OutOfRange for an integer that a column can't hold, naming its field."""
    where = f"{field.model._meta.label}.{field.name}"
    raise OutOfRange(f"Value out of range for {where}: {value!r} is not between {least} and {most}.")


class IntegerField(Field[IntT]):
    """An integer of 32 bits (64 on SQLite)."""

    empty_strings_allowed = False
    description = "Integer"
    default_error_messages: ClassVar[dict[str, Any]] = {"invalid": "“%(value)s” value must be an integer."}

    if TYPE_CHECKING:

        @overload
        def __init__(
            self: IntegerField[int],
            verbose_name: str | None = None,
            *,
            null: Literal[False] = False,
            **options: Unpack[FieldOptions],
        ) -> None: ...
        @overload
        def __init__(
            self: IntegerField[int | None],
            verbose_name: str | None = None,
            *,
            null: bool,
            **options: Unpack[FieldOptions],
        ) -> None: ...
        def __init__(self, *args: Any, **options: Any) -> None: ...

    @property
    def validators(self) -> list[Callable[[Any], Any]]:  # pyright: ignore[reportIncompatibleVariableOverride]
        """Validators of the class and the field, then those of the column's range that these do not imply.

        The range is that of the default database; without one, that of the server databases.
        """
        vendor = databases.vendor_of()
        known = self._ranged.get(vendor)
        if known is None:
            known = self._ranged[vendor] = self._with_range(vendor)
        return known

    @cached_property
    def _ranged(self) -> dict[str, list[Callable[[Any], Any]]]:
        return {}

    def _with_range(self, vendor: str) -> list[Callable[[Any], Any]]:
        found = [*self.default_validators, *self._validators]
        least, most = integer_range(self.get_internal_type(), vendor)
        if not any(limit >= least for limit in _limits(found, validators.MinValueValidator)):
            found.append(validators.MinValueValidator(least))
        if not any(limit <= most for limit in _limits(found, validators.MaxValueValidator)):
            found.append(validators.MaxValueValidator(most))
        return found

    def get_internal_type(self) -> str:
        """Return "IntegerField"."""
        return "IntegerField"

    def to_python(self, value: Any) -> Any:
        """Return `value` as an int. Raises ValidationError."""
        if value is None:
            return value
        try:
            return int(value)
        except (TypeError, ValueError, OverflowError) as error:
            raise self._invalid("invalid", value) from error

    def get_prep_value(self, value: Any) -> Any:
        """Return `value` as an int. Raises TypeError or ValueError, which names the field."""
        if value is None:
            return None
        try:
            return int(value)
        except (TypeError, ValueError) as error:
            raise type(error)(f"Field {self.name!r} expected a number but got {value!r}.") from error

    def prep_for(self, cls: type, connection: Any = None) -> Callable[[Any], Any] | None:
        """Return the conversion; what it gives fits 64 bits, else it raises OutOfRange."""
        if self._user_prepares:
            return super().prep_for(cls, connection)
        if cls is int:
            return self._fit
        return None if cls is type(None) else self._fit_prepared

    def _fit(self, value: int) -> int:
        if LEAST <= value <= MOST:
            return value
        raise OutOfRange(f"Field {self.name!r} holds integers of 64 bits at most; {value} does not fit.")

    def _fit_prepared(self, value: Any) -> Any:
        prepared = self.get_prep_value(value)
        return prepared if prepared is None else self._fit(prepared)


def _limits(found: Iterable[object], kind: type[validators.BaseValidator]) -> list[Any]:
    """Return the limits of the validators that are of that kind."""
    limits = [one.limit_value for one in found if isinstance(one, kind)]
    return [limit() if callable(limit) else limit for limit in limits]


class BigIntegerField(IntegerField[IntT]):
    """An integer of 64 bits."""

    description = "Big (8 byte) integer"
    MAX_BIGINT = MOST

    if TYPE_CHECKING:

        @overload
        def __init__(
            self: BigIntegerField[int],
            verbose_name: str | None = None,
            *,
            null: Literal[False] = False,
            **options: Unpack[FieldOptions],
        ) -> None: ...
        @overload
        def __init__(
            self: BigIntegerField[int | None],
            verbose_name: str | None = None,
            *,
            null: bool,
            **options: Unpack[FieldOptions],
        ) -> None: ...
        def __init__(self, *args: Any, **options: Any) -> None: ...

    def get_internal_type(self) -> str:
        """Return "BigIntegerField"."""
        return "BigIntegerField"


class SmallIntegerField(IntegerField[IntT]):
    """An integer of 16 bits (64 on SQLite)."""

    description = "Small integer"

    if TYPE_CHECKING:

        @overload
        def __init__(
            self: SmallIntegerField[int],
            verbose_name: str | None = None,
            *,
            null: Literal[False] = False,
            **options: Unpack[FieldOptions],
        ) -> None: ...
        @overload
        def __init__(
            self: SmallIntegerField[int | None],
            verbose_name: str | None = None,
            *,
            null: bool,
            **options: Unpack[FieldOptions],
        ) -> None: ...
        def __init__(self, *args: Any, **options: Any) -> None: ...

    def get_internal_type(self) -> str:
        """Return "SmallIntegerField"."""
        return "SmallIntegerField"


class _Positive(Field[IntT]):
    """Mixin: no value below zero, by a CHECK of the table."""

    @staticmethod
    def attach_to_table(column: sa.Column[Any], table: sa.Table) -> None:
        """Add the CHECK."""
        columns.add_check(column, table, column >= 0)

    def db_check(self, connection: Any) -> str | None:
        """Return that the column isn't below zero."""
        return f"{columns.quoted(self.column, connection)} >= 0"


class PositiveIntegerField(_Positive[IntT], IntegerField[IntT]):
    """An integer from 0 on, of 31 bits."""

    description = "Positive integer"

    if TYPE_CHECKING:

        @overload
        def __init__(
            self: PositiveIntegerField[int],
            verbose_name: str | None = None,
            *,
            null: Literal[False] = False,
            **options: Unpack[FieldOptions],
        ) -> None: ...
        @overload
        def __init__(
            self: PositiveIntegerField[int | None],
            verbose_name: str | None = None,
            *,
            null: bool,
            **options: Unpack[FieldOptions],
        ) -> None: ...
        def __init__(self, *args: Any, **options: Any) -> None: ...

    def get_internal_type(self) -> str:
        """Return "PositiveIntegerField"."""
        return "PositiveIntegerField"


class PositiveBigIntegerField(_Positive[IntT], BigIntegerField[IntT]):
    """An integer from 0 on, of 63 bits."""

    description = "Positive big integer"

    if TYPE_CHECKING:

        @overload
        def __init__(
            self: PositiveBigIntegerField[int],
            verbose_name: str | None = None,
            *,
            null: Literal[False] = False,
            **options: Unpack[FieldOptions],
        ) -> None: ...
        @overload
        def __init__(
            self: PositiveBigIntegerField[int | None],
            verbose_name: str | None = None,
            *,
            null: bool,
            **options: Unpack[FieldOptions],
        ) -> None: ...
        def __init__(self, *args: Any, **options: Any) -> None: ...

    def get_internal_type(self) -> str:
        """Return "PositiveBigIntegerField"."""
        return "PositiveBigIntegerField"


class PositiveSmallIntegerField(_Positive[IntT], SmallIntegerField[IntT]):
    """An integer from 0 on, of 15 bits."""

    description = "Positive small integer"

    if TYPE_CHECKING:

        @overload
        def __init__(
            self: PositiveSmallIntegerField[int],
            verbose_name: str | None = None,
            *,
            null: Literal[False] = False,
            **options: Unpack[FieldOptions],
        ) -> None: ...
        @overload
        def __init__(
            self: PositiveSmallIntegerField[int | None],
            verbose_name: str | None = None,
            *,
            null: bool,
            **options: Unpack[FieldOptions],
        ) -> None: ...
        def __init__(self, *args: Any, **options: Any) -> None: ...

    def get_internal_type(self) -> str:
        """Return "PositiveSmallIntegerField"."""
        return "PositiveSmallIntegerField"


class OrderWrt(IntegerField[int]):
    """`_order`: the place of a row among those that refer to the same object (`Meta.order_with_respect_to`).

    It is given to a row when that is inserted: the next after the last.
    """

    def __init__(self, *args: Any, **options: Any) -> None:
        options["name"] = "_order"
        options["editable"] = False
        super().__init__(*args, **options)
