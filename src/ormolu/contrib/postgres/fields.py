"""Fields of PostgreSQL's types, by the names of django.contrib.postgres.fields, and the values of ranges."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from ormolu.fields import ArrayField
from ormolu.fields.citext import CICharField, CIEmailField, CITextField
from ormolu.fields.hstore import HStoreField
from ormolu.fields.ranges import (
    BigIntegerRangeField,
    DateRange,
    DateRangeField,
    DateTimeRange,
    DateTimeRangeField,
    DateTimeTZRange,
    DecimalRangeField,
    IntegerRangeField,
    NumericRange,
    Range,
    RangeField,
    RangeOperators,
)
from ormolu.fields.registry import LookupRegistry
from ormolu.lazy import door

if TYPE_CHECKING:
    from ormolu.query.postgres.ranges import RangeBoundary

__all__ = [
    "ArrayField", "BigIntegerRangeField", "CICharField", "CIEmailField", "CITextField", "DateRange",
    "DateRangeField", "DateTimeRange", "DateTimeRangeField", "DateTimeTZRange", "DecimalRangeField",
    "HStoreField", "IntegerRangeField", "NumericRange", "Range", "RangeBoundary", "RangeField", "RangeOperators",
]  # fmt: skip


def _load_lookups() -> None:
    for home in ("ranges", "hstore"):
        import_module(f"ormolu.query.postgres.{home}")


LookupRegistry.await_lookups(_load_lookups)

if not TYPE_CHECKING:
    __getattr__, __dir__ = door(__name__, {"ormolu.query.postgres.ranges": "RangeBoundary"})
