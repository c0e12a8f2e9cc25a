"""Which field an operation or a Python value has."""

from __future__ import annotations

import datetime
import decimal
import uuid
from functools import lru_cache
from typing import Any

NUMERIC = ("+", "-", "*", "/", "%%", "^")
BITS = ("&", "|", "<<", ">>", "#")


def field_of_value(value: Any) -> Any:
    """Return a field for a literal, None where there is none (Django's table of Value())."""
    from ormolu import fields

    match value:
        case str():
            return fields.CharField()
        case bool():
            return fields.BooleanField()
        case int():
            return fields.IntegerField()
        case float():
            return fields.FloatField()
        case datetime.datetime():
            return fields.DateTimeField()
        case datetime.date():
            return fields.DateField()
        case datetime.time():
            return fields.TimeField()
        case datetime.timedelta():
            return fields.DurationField()
        case decimal.Decimal():
            return fields.DecimalField(max_digits=None, decimal_places=None)
        case bytes():
            return fields.BinaryField()
        case uuid.UUID():
            return fields.UUIDField()
        case _:
            return None


@lru_cache(maxsize=1)
def _table() -> list[tuple[tuple[str, ...], type, type, type]]:
    from ormolu import fields as f

    integer, real, exact = f.IntegerField, f.FloatField, f.DecimalField
    date, time, moment, span = f.DateField, f.TimeField, f.DateTimeField, f.DurationField
    positive = f.PositiveIntegerField
    rows: list[tuple[tuple[str, ...], type, type, type]] = [
        (("+", "*", "/", "%%", "^"), positive, positive, positive)
    ]
    rows.extend((NUMERIC, same, same, same) for same in (integer, real, exact))
    for one, other, result in ((integer, exact, exact), (integer, real, real)):
        rows.append((NUMERIC, one, other, result))
        rows.append((NUMERIC, other, one, result))
    rows.append((BITS, integer, integer, integer))
    rows += [
        (("+",), date, span, moment),
        (("+",), span, date, moment),
        (("+",), time, span, time),
        (("+",), span, time, time),
        (("+",), moment, span, moment),
        (("+",), span, moment, moment),
        (("+", "-"), span, span, span),
        (("-",), date, span, moment),
        (("-",), date, date, span),
        (("-",), time, span, time),
        (("-",), time, time, span),
        (("-",), moment, span, moment),
        (("-",), moment, moment, span),
    ]
    return rows


def resolve_combined(connector: str, lhs: type | None, rhs: type | None) -> Any:
    """Return the class of field that `lhs connector rhs` has, None where it can't be told."""
    if lhs is None or rhs is None:
        # NULL takes part in arithmetic of any type.
        known = lhs or rhs
        return known if known is not None and connector in (*NUMERIC, *BITS) else None
    for connectors, left, right, result in _table():
        if connector in connectors and issubclass(lhs, left) and issubclass(rhs, right):
            return result
    return None
