"""Parts and beginnings of dates and times: Extract, Trunc and their kin, Now.

With `settings.USE_TZ`, an instant is read as the clocks of a time zone show it: `tzinfo`, else
the current zone (`timezones.activate()`), else `settings.TIME_ZONE`.
Source: Django's documentation, ref/models/database-functions, "Date functions".
"""

from __future__ import annotations

import datetime as dt
from typing import Any, ClassVar

from ormolu.compile.terms import Term, merge
from ormolu.exceptions import DataError
from ormolu.fields import DateField, DateTimeField, DurationField, IntegerField, TimeField, timezones
from ormolu.query.func import Func
from ormolu.query.functions import moments
from ormolu.query.transforms import Transform

__all__ = [
    "Extract", "ExtractDay", "ExtractHour", "ExtractIsoWeekDay", "ExtractIsoYear", "ExtractMinute", "ExtractMonth",
    "ExtractQuarter", "ExtractSecond", "ExtractWeek", "ExtractWeekDay", "ExtractYear", "Now", "Trunc", "TruncDate",
    "TruncDay", "TruncHour", "TruncMinute", "TruncMonth", "TruncQuarter", "TruncSecond", "TruncTime", "TruncWeek",
    "TruncYear",
]  # fmt: skip

CLOCK_KINDS = ("hour", "minute", "second")
CALENDAR_KINDS = ("year", "iso_year", "quarter", "month", "week", "week_day", "iso_week_day", "day")


class InZone:
    """What functions that depend on a time zone have in common."""

    tzinfo: Any = None
    kind: Any = None

    def shape(self, shape: Any) -> Any:
        """Return the key: period and zone count."""
        return (*super().shape(shape), self.kind, self.tzinfo)  # type: ignore[misc]

    def zone(self, builder: Any, field: Any) -> str:
        """Return the name of the zone in which values of a field are read, "" for wall-clock times."""
        if not isinstance(field, DateTimeField):
            return ""
        if not timezones.use_tz():
            return moments.own_zone(builder)
        if self.tzinfo is not None:
            return timezones.zone_name(timezones.zone(self.tzinfo))
        builder.params.zone = timezones.current_zone()
        return str(builder.params.zone)

    @property
    def timezone(self) -> dt.tzinfo:
        """The zone as an object."""
        return timezones.get_current_timezone() if self.tzinfo is None else timezones.zone(self.tzinfo)


class Extract(InZone, Transform):
    """A part of a date or time, as an integer: `Extract("start", "year")`.

    Raises ValueError for a part that the field does not have.
    """

    lookup_name: ClassVar[Any] = None  # of an instance: the part
    output_field = IntegerField()
    arity = None

    def __init__(
        self, expression: Any, lookup_name: str | None = None, tzinfo: Any = None, **extra: Any
    ) -> None:
        kind = type(self).lookup_name if type(self).lookup_name is not None else lookup_name
        if kind is None:
            raise ValueError("lookup_name must be provided")
        super().__init__(expression, **extra)
        self.kind, self.tzinfo = kind, tzinfo
        self.lookup_name = kind  # type: ignore[misc]

    def transformed(self, builder: Any, terms: list[Term]) -> Term:
        """Return the part."""
        (term,) = terms
        self.check(builder, term.field)
        element = moments.extract(builder, self.kind, term, self.zone(builder, term.field))
        return merge(element, self._given, terms, strict=True, nullable=term.nullable)

    def check(self, builder: Any, field: Any) -> None:
        """Refuse what the field does not have."""
        kind = self.kind
        if isinstance(field, DurationField):
            if builder.vendor != "postgresql" and not getattr(builder.driver, "checking", False):
                raise ValueError("Extract requires native DurationField database support.")
            if kind in CALENDAR_KINDS and kind != "day":
                raise ValueError(f"Cannot extract component '{kind}' from DurationField '{_name(field)}'.")
            return
        if not isinstance(field, (DateField, TimeField)):
            raise ValueError(
                "Extract input expression must be DateField, DateTimeField, TimeField, or DurationField."
            )
        if kind not in CLOCK_KINDS and kind not in CALENDAR_KINDS:
            known = ", ".join((*CALENDAR_KINDS, *CLOCK_KINDS))
            raise ValueError(f"Extract doesn't know the part {kind!r}. Parts are: {known}.")
        plain_date = isinstance(field, DateField) and not isinstance(field, DateTimeField)
        if plain_date and kind in CLOCK_KINDS:
            raise ValueError(f"Cannot extract time component '{kind}' from DateField '{_name(field)}'.")
        if isinstance(field, TimeField) and kind in CALENDAR_KINDS:
            raise ValueError(f"Cannot extract date component '{kind}' from TimeField '{_name(field)}'.")


class ExtractYear(Extract):
    """The year."""

    lookup_name = "year"


class ExtractIsoYear(Extract):
    """The year of the ISO 8601 week."""

    lookup_name = "iso_year"


class ExtractMonth(Extract):
    """The month, 1 to 12."""

    lookup_name = "month"


class ExtractDay(Extract):
    """The day of the month."""

    lookup_name = "day"


class ExtractWeek(Extract):
    """The ISO 8601 week, 1 to 53."""

    lookup_name = "week"


class ExtractWeekDay(Extract):
    """The day of the week, from Sunday = 1 to Saturday = 7."""

    lookup_name = "week_day"


class ExtractIsoWeekDay(Extract):
    """The day of the week, from Monday = 1 to Sunday = 7."""

    lookup_name = "iso_week_day"


class ExtractQuarter(Extract):
    """The quarter, 1 to 4."""

    lookup_name = "quarter"


class ExtractHour(Extract):
    """The hour."""

    lookup_name = "hour"


class ExtractMinute(Extract):
    """The minute."""

    lookup_name = "minute"


class ExtractSecond(Extract):
    """The second, without its fraction."""

    lookup_name = "second"


class Now(Func):
    """The present as the database's clock has it: the beginning of the statement."""

    arity = 0
    output_field = DateTimeField()
    window_compatible = False

    def as_term(self, builder: Any) -> Term:
        """Return the present as the column type of DateTimeField has it."""
        if self.respelled or self.extra:
            return super().as_term(builder)
        return Term(moments.now(builder, self._given.sa_type), self._given, nullable=False, constant=True)


class TruncBase(InZone, Transform):
    """The beginning of a period that a date or time lies in."""

    lookup_name: ClassVar[Any] = None
    arity = None

    def shape(self, shape: Any) -> Any:
        """Return the key: the field counts."""
        return (*super().shape(shape), None if self._given is None else shape.item(self._given))

    def __init__(self, expression: Any, output_field: Any = None, tzinfo: Any = None, **extra: Any) -> None:
        super().__init__(expression, output_field=output_field, **extra)
        self.tzinfo = tzinfo

    def transformed(self, builder: Any, terms: list[Term]) -> Term:
        """Return the beginning of the period."""
        (term,) = terms
        field = self._given if self._given is not None else term.field
        self.check(term.field, field)
        zone = self.zone(builder, term.field)
        element = moments.truncate(builder, self.kind, term, zone, field)
        aware = zone and timezones.use_tz() and isinstance(field, DateTimeField)
        convert = Localizer(self.kind, self.timezone) if aware else None
        return merge(element, field, terms, strict=True, nullable=term.nullable, convert=convert)

    def check(self, source: Any, field: Any) -> None:
        """Refuse what can't be truncated."""
        name = field.__class__.__name__
        if not isinstance(source, (DateField, TimeField)):
            raise TypeError(f"{_name(source)!r} isn't a DateField, TimeField, or DateTimeField.")
        if not isinstance(field, (DateField, TimeField)):
            raise ValueError("output_field must be either DateField, TimeField, or DateTimeField")
        given, wanted = source.get_internal_type(), field.get_internal_type()
        same_side = (self.kind in CLOCK_KINDS) == (given == "TimeField")
        if given != "DateTimeField" and (wanted != given or not same_side):
            target = name if wanted != given else "DateTimeField"
            raise ValueError(f"Cannot truncate {given} '{_name(source)}' to {target}.")


def _name(field: Any) -> str:
    return getattr(field, "name", None) or "<unknown>"


def _kind(field: Any) -> str:
    return "an unknown type" if field is None else str(field.get_internal_type())


class Localizer:
    """Shows a truncated instant on the clocks of a zone. Those of one kind and one zone are equal.

    The beginning of a day may not exist where the clocks are put forward: it is truncated once more.
    """

    __slots__ = ("kind", "truncate", "zone")

    def __init__(self, kind: str, zone: dt.tzinfo) -> None:
        from ormolu.databases.sqlite.moments import truncate

        self.kind, self.zone, self.truncate = kind, zone, truncate

    def __call__(self, value: dt.datetime) -> dt.datetime:
        aware = value if value.tzinfo is not None else value.replace(tzinfo=dt.UTC)
        return self.truncate(aware.astimezone(self.zone), self.kind)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Localizer) and (self.kind, self.zone) == (other.kind, other.zone)

    def __hash__(self) -> int:
        return hash(self.kind)


class Trunc(TruncBase):
    """The beginning of a period: `Trunc("start", "month")`, of the type of the field or of `output_field`.

    Raises DataError for an unknown period.
    """

    def __init__(
        self, expression: Any, kind: str, output_field: Any = None, tzinfo: Any = None, **extra: Any
    ) -> None:
        if kind not in moments.PERIODS:
            raise DataError(
                f"Trunc doesn't know the period {kind!r}. Periods are: {', '.join(moments.PERIODS)}."
            )
        super().__init__(expression, output_field, tzinfo, **extra)
        self.kind = kind


class TruncYear(TruncBase):
    """The first of January."""

    kind = "year"


class TruncQuarter(TruncBase):
    """The first day of the quarter."""

    kind = "quarter"


class TruncMonth(TruncBase):
    """The first day of the month."""

    kind = "month"


class TruncWeek(TruncBase):
    """The Monday."""

    kind = "week"


class TruncDay(TruncBase):
    """Midnight."""

    kind = "day"


class TruncDate(TruncBase):
    """The date of an instant."""

    kind = "date"
    lookup_name = "date"
    output_field = DateField()

    def transformed(self, builder: Any, terms: list[Term]) -> Term:
        """Return the date."""
        source: Any = terms[0].field
        if not isinstance(source, DateField) or isinstance(source, TimeField):
            raise ValueError(
                f"Cannot truncate {_kind(terms[0].field)} '{_name(terms[0].field)}' to DateField."
            )
        zone = self.zone(builder, terms[0].field)
        element = moments.cast_local(builder, "date", terms[0], zone, self._given.sa_type)
        return merge(element, self._given, terms, strict=True, nullable=terms[0].nullable)


class TruncTime(TruncBase):
    """The time of day of an instant."""

    kind = "time"
    lookup_name = "time"
    output_field = TimeField()

    def transformed(self, builder: Any, terms: list[Term]) -> Term:
        """Return the time of day."""
        source: Any = terms[0].field
        if not isinstance(source, (DateTimeField, TimeField)):
            raise ValueError(
                f"Cannot truncate {_kind(terms[0].field)} '{_name(terms[0].field)}' to TimeField."
            )
        zone = self.zone(builder, terms[0].field)
        element = moments.cast_local(builder, "time", terms[0], zone, self._given.sa_type)
        return merge(element, self._given, terms, strict=True, nullable=terms[0].nullable)


class TruncHour(TruncBase):
    """The full hour."""

    kind = "hour"


class TruncMinute(TruncBase):
    """The full minute."""

    kind = "minute"


class TruncSecond(TruncBase):
    """The full second."""

    kind = "second"
