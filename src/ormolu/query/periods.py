"""dates() and datetimes(): the periods that occur in a column."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any, cast

from ormolu.fields import DateField, DateTimeField
from ormolu.query.chain import Chain, M, R
from ormolu.query.functions.datetime import Trunc
from ormolu.query.references import F

if TYPE_CHECKING:
    from ormolu.query.queryset import QuerySet

__all__ = ["Periods"]

DATES = ("year", "month", "week", "day")
DATETIMES = (*DATES, "hour", "minute", "second")


class Periods(Chain[M, R]):
    """The part of a QuerySet that lists periods."""

    def dates(self, field_name: str, kind: str, order: str = "ASC") -> QuerySet[M, dt.date]:
        """Return the beginnings of all years, months, weeks or days that occur in a field, as dates.

        Each comes once, in order; NULLs are left out. Raises ValueError for another kind or order.
        """
        check(kind, DATES, order)
        made = self._periods(
            field_name, Trunc(field_name, kind, output_field=DateField()), "datefield", order
        )
        return cast("QuerySet[M, dt.date]", made)

    def datetimes(
        self, field_name: str, kind: str, order: str = "ASC", tzinfo: Any = None
    ) -> QuerySet[M, dt.datetime]:
        """Return the beginnings of all years, ... seconds that occur in a field, as datetimes.

        With USE_TZ they are those of `tzinfo`, by default of the current time zone.
        Each comes once, in order; NULLs are left out. Raises ValueError for another kind or order.
        """
        check(kind, DATETIMES, order)
        start = Trunc(field_name, kind, output_field=DateTimeField(), tzinfo=tzinfo)
        return cast("QuerySet[M, dt.datetime]", self._periods(field_name, start, "datetimefield", order))

    def _periods(self, field_name: str, start: Trunc, alias: str, order: str) -> Any:
        made: Any = self.annotate(**{alias: start}).alias(plain_field=F(field_name))
        made = made.values_list(alias, flat=True).distinct().filter(plain_field__isnull=False)
        return made.order_by(alias if order == "ASC" else f"-{alias}")


def check(kind: str, kinds: tuple[str, ...], order: str) -> None:
    """Refuse unknown kinds and orders."""
    if kind not in kinds:
        *others, last = (repr(name) for name in kinds)
        raise ValueError(f"'kind' must be one of {', '.join(others)}, or {last}.")
    if order not in ("ASC", "DESC"):
        raise ValueError("'order' must be either 'ASC' or 'DESC'.")
