"""Fields that hold ranges, and the value that a range is.

The value is SQLAlchemy's `Range`, whatever the driver: what psycopg and asyncpg have of their own is taken, too.
Source: Django's documentation, "PostgreSQL specific model fields", "Range Fields".
"""

from __future__ import annotations

import datetime as dt
import decimal
import json
from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, Generic, cast

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import Range
from typing_extensions import TypeVar, Unpack

from ormolu.fields import DateField, DateTimeField, DecimalField, IntegerField
from ormolu.fields.base import Field
from ormolu.fields.integers import BigIntegerField
from ormolu.fields.options import FieldOptions
from ormolu.fields.types.ranges import Bounds, RangeType, bounds_of, canonical, is_range

__all__ = [
    "CANONICAL_RANGE_BOUNDS", "BigIntegerRangeField", "DateRange", "DateRangeField", "DateTimeRange",
    "DateTimeRangeField", "DateTimeTZRange", "DecimalRangeField", "IntegerRangeField", "NumericRange", "Range",
    "RangeField", "RangeOperators",
]  # fmt: skip

CANONICAL_RANGE_BOUNDS: Bounds = "[)"
_BOUNDS = ("[)", "(]", "()", "[]")

T = TypeVar("T", default=Any)
RangeT = TypeVar("RangeT", default=Range[Any])
IntT = TypeVar("IntT", default=Range[int])
DecimalT = TypeVar("DecimalT", default=Range[decimal.Decimal])
MomentT = TypeVar("MomentT", default=Range[dt.datetime])
DateT = TypeVar("DateT", default=Range[dt.date])


class _Range(Range[T], Generic[T]):
    """A range whose bounds may be given by position, as psycopg's."""

    __slots__ = ()

    def __init__(
        self, lower: T | None = None, upper: T | None = None, bounds: Bounds = "[)", empty: bool = False
    ) -> None:
        super().__init__(lower, upper, bounds=bounds, empty=empty)


class NumericRange(_Range[T], Generic[T]):
    """A `Range` of numbers, by the name that Django has for it."""

    __slots__ = ()


class DateRange(_Range[T], Generic[T]):
    """A `Range` of dates, by the name that Django has for it."""

    __slots__ = ()


class DateTimeRange(_Range[T], Generic[T]):
    """A `Range` of times without a zone, by the name that Django has for it."""

    __slots__ = ()


class DateTimeTZRange(_Range[T], Generic[T]):
    """A `Range` of instants, by the name that Django has for it."""

    __slots__ = ()


class RangeOperators:
    """PostgreSQL's operators of ranges, for ExclusionConstraint."""

    EQUAL = "="
    NOT_EQUAL = "<>"
    CONTAINS = "@>"
    CONTAINED_BY = "<@"
    OVERLAPS = "&&"
    FULLY_LT = "<<"
    FULLY_GT = ">>"
    NOT_LT = "&>"
    NOT_GT = "&<"
    ADJACENT_TO = "-|-"


class RangeField(Field[RangeT]):
    """Base of fields that hold a range of what `base_field` holds.

    A pair is taken for a range, too. A subclass for a range type of your own names `base_field`, and `range_type`: the
    type's name in `sqlalchemy.dialects.postgresql`, or it defines `db_type()`.
    """

    empty_strings_allowed = False
    base_field: Any = None
    range_type: ClassVar[str] = "NUMRANGE"
    step: ClassVar[Any] = None
    """From one value to the next, of those that have a next one."""
    default_bounds: Bounds = CANONICAL_RANGE_BOUNDS

    default_error_messages: ClassVar[dict[str, Any]] = {
        "invalid": "“%(value)s” is not a range: give a Range, or a pair of its ends.",
    }

    if TYPE_CHECKING:

        def __init__(
            self,
            verbose_name: str | None = None,
            *,
            null: bool = False,
            **options: Unpack[FieldOptions],
        ) -> None: ...

    else:

        def __init__(self, *args, **options):
            if "default_bounds" in options:
                raise TypeError(
                    f"Cannot use 'default_bounds' with {type(self).__name__}: PostgreSQL gives discrete ranges the "
                    "bounds '[)'."
                )
            super().__init__(*args, **options)
            self.base_field = type(self).base_field()

    @property
    def description(self) -> str:  # pyright: ignore[reportIncompatibleVariableOverride]
        """Text for people."""
        return f"Range of {self.base_field.get_internal_type()}"

    @cached_property
    def sa_type(self) -> sa.types.TypeEngine[Any]:
        """PostgreSQL's type."""
        return RangeType(self.range_type, self.base_field.sa_type, self.step)

    public_home = "ormolu.contrib.postgres.fields"

    def get_internal_type(self) -> str:
        """Return the name of the class."""
        return type(self).__name__

    def set_attributes_from_name(self, name: str) -> None:
        """Give the field of the ends the name, too: its errors name it."""
        super().set_attributes_from_name(name)
        self.base_field.set_attributes_from_name(name)

    def contribute_to_class(self, cls: Any, name: str, private_only: bool = False) -> None:
        """Become a field of the model; the field of the ends belongs to it as well."""
        super().contribute_to_class(cls, name, private_only)
        self.base_field.model = cls

    def _range(self, value: Any, each: Callable[[Any], Any]) -> Range[Any]:
        """Return a range, or a pair, with its ends converted."""
        if is_range(value):
            if value.isempty:
                return Range(empty=True)
            lower, upper, bounds = value.lower, value.upper, bounds_of(value)
        elif isinstance(value, (list, tuple)) and len(cast("list[Any]", value)) == 2:
            (lower, upper), bounds = cast("list[Any]", value), self.default_bounds
        else:
            raise TypeError(
                f"Field {self.name!r} expected a range, or a pair of its ends, but got {value!r}."
            )
        ends = [None if end is None else each(end) for end in (lower, upper)]
        return Range(*ends, bounds=bounds)

    def to_python(self, value: Any) -> Any:
        """Return a range with converted ends; a text is read as JSON. Raises ValidationError."""
        if isinstance(value, str):
            try:
                found: Any = json.loads(value)
                read: Range[Any] = Range(
                    found.get("lower"), found.get("upper"), bounds=found.get("bounds", "[)"),
                    empty=found.get("empty", False),
                )  # fmt: skip
            except (ValueError, AttributeError) as error:
                raise self._invalid("invalid", value) from error
            value = read
        if value is None:
            return None
        try:
            return self._range(value, self.base_field.to_python)
        except TypeError as error:
            raise self._invalid("invalid", value) from error

    def get_prep_value(self, value: Any) -> Any:
        """Return a range in its canonical form. Raises TypeError for what is none, DataError for wrong ends."""
        if value is None:
            return None
        return canonical(self._range(value, self.base_field.get_prep_value), self.step)

    def value_to_string(self, obj: Any) -> Any:
        """Return the value as JSON of its ends' texts."""
        value = self.value_from_object(obj)
        if value is None:
            return None
        found = self._range(value, lambda end: end)
        if found.empty:
            return json.dumps({"empty": True})
        holder = _Holder()
        texts: dict[str, Any] = {}
        for name in ("lower", "upper"):
            end = getattr(found, name)
            setattr(holder, self.base_field.attname, end)
            texts[name] = None if end is None else self.base_field.value_to_string(holder)
        return json.dumps({**texts, "bounds": found.bounds})


class _Holder:
    """Stands for an object whose attribute is an end of the range."""


class ContinuousRangeField(RangeField[RangeT]):
    """Base of ranges between whose ends there is always another value; a pair has the bounds `default_bounds`."""

    own_options: ClassVar[dict[str, Any]] = {"default_bounds": CANONICAL_RANGE_BOUNDS}

    if TYPE_CHECKING:

        def __init__(
            self,
            verbose_name: str | None = None,
            *,
            default_bounds: Bounds = "[)",
            null: bool = False,
            **options: Unpack[FieldOptions],
        ) -> None: ...

    else:

        def __init__(self, *args, default_bounds=CANONICAL_RANGE_BOUNDS, **options):
            if default_bounds not in _BOUNDS:
                raise ValueError("default_bounds must be one of '[)', '(]', '()', or '[]'.")
            self.default_bounds = default_bounds
            super().__init__(*args, **options)


class IntegerRangeField(RangeField[IntT]):
    """A range of integers: INT4RANGE."""

    base_field = IntegerField
    range_type = "INT4RANGE"
    step = 1


class BigIntegerRangeField(RangeField[IntT]):
    """A range of integers of 64 bits: INT8RANGE."""

    base_field = BigIntegerField
    range_type = "INT8RANGE"
    step = 1


class DecimalRangeField(ContinuousRangeField[DecimalT]):
    """A range of decimals: NUMRANGE."""

    base_field = DecimalField
    range_type = "NUMRANGE"


class DateTimeRangeField(ContinuousRangeField[MomentT]):
    """A range of instants, or of wall-clock times where USE_TZ is off: TSTZRANGE."""

    base_field = DateTimeField
    range_type = "TSTZRANGE"


class DateRangeField(RangeField[DateT]):
    """A range of dates: DATERANGE."""

    base_field = DateField
    range_type = "DATERANGE"
    step = dt.timedelta(days=1)
