"""Fields that hold dates, times and durations."""

from __future__ import annotations

import datetime as dt
import warnings
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar, Literal, overload

from typing_extensions import TypeVar, Unpack

from ormolu.fields import parsing, timezones
from ormolu.fields.base import Field
from ormolu.fields.options import FieldOptions

__all__ = ["DateField", "DateTimeField", "DurationField", "TimeField"]

DateT = TypeVar("DateT", default=dt.date)
DateTimeT = TypeVar("DateTimeT", default=dt.datetime)
TimeT = TypeVar("TimeT", default=dt.time)
DurationT = TypeVar("DurationT", default=dt.timedelta)


class _AutoNow(Field[DateT]):
    """What fields that can set themselves to the present have in common."""

    empty_strings_allowed = False
    own_options: ClassVar[dict[str, Any]] = {"auto_now": False, "auto_now_add": False}

    if TYPE_CHECKING:
        auto_now: bool
        auto_now_add: bool

        def present(self) -> Any: ...

    else:

        def __init__(self, verbose_name=None, name=None, auto_now=False, auto_now_add=False, **options):
            self.auto_now, self.auto_now_add = auto_now, auto_now_add
            if auto_now or auto_now_add:
                options["editable"] = False
                options["blank"] = True
            super().__init__(verbose_name, name, **options)

    def deconstruct(self) -> tuple[str | None, str, list[Any], dict[str, Any]]:
        """Return (name, path, args, kwargs) without what auto_now implies."""
        name, path, args, kwargs = super().deconstruct()
        if self.auto_now or self.auto_now_add:
            kwargs.pop("editable", None)
            kwargs.pop("blank", None)
        return name, path, args, kwargs

    def pre_save(self, model_instance: Any, add: bool) -> Any:
        """Set and return the present where auto_now or auto_now_add asks for it."""
        if self.auto_now or (self.auto_now_add and add):
            value = self.present()
            setattr(model_instance, self.attname, value)
            return value
        return super().pre_save(model_instance, add)

    def get_prep_value(self, value: Any) -> Any:
        """Return `value` converted. Raises ValidationError."""
        return self.to_python(super().get_prep_value(value))

    def value_to_string(self, obj: Any) -> str:
        """Return the value in ISO form, "" for None."""
        value = self.value_from_object(obj)
        return "" if value is None else value.isoformat()

    def _parsed(self, value: str, parse: Callable[[str], Any], bad: str) -> Any:
        """Return what `parse` makes of a text. Raises ValidationError `bad` for what can't exist."""
        try:
            return parse(value)
        except ValueError as error:
            raise self._invalid(bad, value) from error


class DateField(_AutoNow[DateT]):
    """A date."""

    description = "Date (without time)"
    default_error_messages: ClassVar[dict[str, Any]] = {
        "invalid": "“%(value)s” value has an invalid date format. It must be in YYYY-MM-DD format.",
        "invalid_date": "“%(value)s” value has the correct format (YYYY-MM-DD) but it is an invalid date.",
    }
    plain_classes: ClassVar[frozenset[type]] = frozenset({dt.date})

    if TYPE_CHECKING:

        @overload
        def __init__(
            self: DateField[dt.date],
            verbose_name: str | None = None,
            *,
            auto_now: bool = False,
            auto_now_add: bool = False,
            null: Literal[False] = False,
            **options: Unpack[FieldOptions],
        ) -> None: ...
        @overload
        def __init__(
            self: DateField[dt.date | None],
            verbose_name: str | None = None,
            *,
            auto_now: bool = False,
            auto_now_add: bool = False,
            null: bool,
            **options: Unpack[FieldOptions],
        ) -> None: ...
        def __init__(self, *args: Any, **options: Any) -> None: ...

    def get_internal_type(self) -> str:
        """Return "DateField"."""
        return "DateField"

    def contribute_to_class(self, cls: Any, name: str, private_only: bool = False) -> None:
        """Become a field of the model, and give it `get_next_by_<name>()` and `get_previous_by_<name>()`.

        Both have a twin for async code: `aget_next_by_<name>()`, `aget_previous_by_<name>()`.
        """
        super().contribute_to_class(cls, name, private_only)
        if self.null:
            return
        for direction, is_next in (("next", True), ("previous", False)):
            for prefix in ("", "a"):
                method = f"{prefix}get_{direction}_by_{self.name}"
                if method not in cls.__dict__:
                    setattr(cls, method, _neighbour_method(self, method, is_next))

    def present(self) -> Any:
        """Return today's date."""
        return dt.date.today()

    def to_python(self, value: Any) -> Any:
        """Return `value` as a date; of an aware datetime the date in TIME_ZONE. Raises ValidationError."""
        if isinstance(value, dt.datetime):
            if timezones.use_tz() and timezones.is_aware(value):
                value = timezones.make_naive(value, timezones.get_default_timezone())
            return value.date()
        if value is None or isinstance(value, dt.date):
            return value
        parsed = self._parsed(value, parsing.parse_date, "invalid_date") if isinstance(value, str) else None
        if parsed is None:
            raise self._invalid("invalid", value)
        return parsed


class DateTimeField(DateField[DateTimeT]):
    """An instant where `settings.USE_TZ` is on, else a wall-clock time."""

    description = "Date (with time)"
    default_error_messages: ClassVar[dict[str, Any]] = {
        "invalid": (
            "“%(value)s” value has an invalid format. "
            "It must be in YYYY-MM-DD HH:MM[:ss[.uuuuuu]][TZ] format."
        ),
        "invalid_date": "“%(value)s” value has the correct format (YYYY-MM-DD) but it is an invalid date.",
        "invalid_datetime": (
            "“%(value)s” value has the correct format (YYYY-MM-DD HH:MM[:ss[.uuuuuu]][TZ]) "
            "but it is an invalid date/time."
        ),
    }
    plain_classes: ClassVar[frozenset[type]] = frozenset()

    if TYPE_CHECKING:

        @overload
        def __init__(
            self: DateTimeField[dt.datetime],
            verbose_name: str | None = None,
            *,
            auto_now: bool = False,
            auto_now_add: bool = False,
            null: Literal[False] = False,
            **options: Unpack[FieldOptions],
        ) -> None: ...
        @overload
        def __init__(
            self: DateTimeField[dt.datetime | None],
            verbose_name: str | None = None,
            *,
            auto_now: bool = False,
            auto_now_add: bool = False,
            null: bool,
            **options: Unpack[FieldOptions],
        ) -> None: ...
        def __init__(self, *args: Any, **options: Any) -> None: ...

    def get_internal_type(self) -> str:
        """Return "DateTimeField"."""
        return "DateTimeField"

    def present(self) -> Any:
        """Return the present instant."""
        return timezones.now()

    def to_python(self, value: Any) -> Any:
        """Return `value` as a datetime, of a date its midnight. Raises ValidationError."""
        if value is None or isinstance(value, dt.datetime):
            return value
        if isinstance(value, dt.date):
            return self._made_aware(dt.datetime(value.year, value.month, value.day))
        if isinstance(value, str):
            parsed = self._parsed(value, parsing.parse_datetime, "invalid_datetime")
            if parsed is None:
                date = self._parsed(value, parsing.parse_date, "invalid_date")
                parsed = None if date is None else dt.datetime(date.year, date.month, date.day)
            if parsed is not None:
                return parsed
        raise self._invalid("invalid", value)

    def get_prep_value(self, value: Any) -> Any:
        """Return `value` as a datetime; with USE_TZ a naive one counts as TIME_ZONE's, with a warning."""
        value = super().get_prep_value(value)
        return value if value is None or value.tzinfo is not None else self._made_aware(value)

    def _made_aware(self, value: dt.datetime) -> dt.datetime:
        if not timezones.use_tz():
            return value
        try:
            name = f"{self.model.__name__}.{self.name}"
        except AttributeError:
            name = "(unbound)"
        warnings.warn(
            f"DateTimeField {name} received a naive datetime ({value}) while time zone support is active.",
            RuntimeWarning,
            stacklevel=3,
        )
        return timezones.make_aware(value)


class TimeField(_AutoNow[TimeT]):
    """A time of day."""

    description = "Time"
    default_error_messages: ClassVar[dict[str, Any]] = {
        "invalid": "“%(value)s” value has an invalid format. It must be in HH:MM[:ss[.uuuuuu]] format.",
        "invalid_time": (
            "“%(value)s” value has the correct format (HH:MM[:ss[.uuuuuu]]) but it is an invalid time."
        ),
    }
    plain_classes: ClassVar[frozenset[type]] = frozenset({dt.time})

    if TYPE_CHECKING:

        @overload
        def __init__(
            self: TimeField[dt.time],
            verbose_name: str | None = None,
            *,
            auto_now: bool = False,
            auto_now_add: bool = False,
            null: Literal[False] = False,
            **options: Unpack[FieldOptions],
        ) -> None: ...
        @overload
        def __init__(
            self: TimeField[dt.time | None],
            verbose_name: str | None = None,
            *,
            auto_now: bool = False,
            auto_now_add: bool = False,
            null: bool,
            **options: Unpack[FieldOptions],
        ) -> None: ...
        def __init__(self, *args: Any, **options: Any) -> None: ...

    def get_internal_type(self) -> str:
        """Return "TimeField"."""
        return "TimeField"

    def present(self) -> Any:
        """Return the present time of day."""
        return dt.datetime.now().time()

    def to_python(self, value: Any) -> Any:
        """Return `value` as a time. Raises ValidationError."""
        if value is None or isinstance(value, dt.time):
            return value
        if isinstance(value, dt.datetime):
            return value.time()
        parsed = self._parsed(value, parsing.parse_time, "invalid_time") if isinstance(value, str) else None
        if parsed is None:
            raise self._invalid("invalid", value)
        return parsed


class DurationField(Field[DurationT]):
    """A length of time, to the microsecond."""

    empty_strings_allowed = False
    description = "Duration"
    default_error_messages: ClassVar[dict[str, Any]] = {
        "invalid": (
            "“%(value)s” value has an invalid format. It must be in [DD] [[HH:]MM:]ss[.uuuuuu] format."
        ),
    }
    plain_classes: ClassVar[frozenset[type]] = frozenset({dt.timedelta})

    if TYPE_CHECKING:

        @overload
        def __init__(
            self: DurationField[dt.timedelta],
            verbose_name: str | None = None,
            *,
            null: Literal[False] = False,
            **options: Unpack[FieldOptions],
        ) -> None: ...
        @overload
        def __init__(
            self: DurationField[dt.timedelta | None],
            verbose_name: str | None = None,
            *,
            null: bool,
            **options: Unpack[FieldOptions],
        ) -> None: ...
        def __init__(self, *args: Any, **options: Any) -> None: ...

    def get_internal_type(self) -> str:
        """Return "DurationField"."""
        return "DurationField"

    def to_python(self, value: Any) -> Any:
        """Return `value` as a timedelta. Raises ValidationError."""
        if value is None or isinstance(value, dt.timedelta):
            return value
        try:
            parsed = parsing.parse_duration(value)
        except (TypeError, ValueError, OverflowError):
            parsed = None
        if parsed is None:
            raise self._invalid("invalid", value)
        return parsed

    def get_prep_value(self, value: Any) -> Any:
        """Return `value` as a timedelta. Raises ValidationError."""
        return self.to_python(super().get_prep_value(value))

    def value_to_string(self, obj: Any) -> str:
        """Return the value as "3 04:05:06", "" for None."""
        value = self.value_from_object(obj)
        return "" if value is None else parsing.duration_text(value)


def _neighbour_method(field: Field[Any], name: str, is_next: bool) -> Callable[..., Any]:
    """Return the model's method that finds the row next to its own by `field`; one with an `a` in front is awaited."""
    finder = "_aget_next_or_previous_by_FIELD" if name.startswith("a") else "_get_next_or_previous_by_FIELD"

    def neighbour(instance: Any, **conditions: Any) -> Any:
        return getattr(instance, finder)(field, is_next, **conditions)

    neighbour.__name__ = name
    neighbour.__doc__ = f"Return the {'next' if is_next else 'previous'} row by `{field.name}`."
    return neighbour
