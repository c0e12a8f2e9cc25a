"""From a driver's rows to Arrow's columns: which type each field has there, and how its values get into it.

| field | Arrow |
|---|---|
| integers | int64 |
| FloatField | double |
| DecimalField | decimal128, of the field's digits; what is computed has 38 digits, 16 of them after the point |
| BooleanField | bool |
| DateField, TimeField, DurationField | date32, time64[us], duration[us] |
| DateTimeField | timestamp[us], in UTC where USE_TZ is on |
| texts, UUIDField, addresses, files | string |
| JSONField | string: JSON text |
| BinaryField | binary |
| ArrayField | list of what its items are |
"""

from __future__ import annotations

import decimal
import json
from collections.abc import Callable, Sequence
from functools import partial
from importlib import import_module
from operator import itemgetter
from typing import Any

from ormolu.compile.hydrate import typed_converter
from ormolu.compile.terms import Term
from ormolu.exceptions import FieldError, MissingExtra
from ormolu.fields.timezones import use_tz

__all__ = ["Frame", "imported"]

Make = Callable[[Sequence[Any]], Any]

COMPUTED_DIGITS, COMPUTED_PLACES = 38, 16
_EXACT = decimal.Context(prec=76)


def imported(name: str, extra: str) -> Any:
    """Return an optional package; MissingExtra, with the command that installs it, where it isn't there."""
    try:
        return import_module(name)
    except ModuleNotFoundError as error:
        if error.name != name:
            raise
        raise MissingExtra(extra=extra, package=name, purpose=f"to_{extra}()") from error


class Frame:
    """The columns of a query: takes rows in, and gives a table."""

    def __init__(self, names: Sequence[str], terms: Sequence[Term], driver: Any) -> None:
        self.pa = imported("pyarrow", "arrow")
        self.columns = [column(self.pa, term, driver) for term in terms[: len(names)]]
        self.items = [itemgetter(place) for place in range(len(self.columns))]
        self.names = list(names)
        self.schema: Any = None
        self.batches: list[Any] = []

    def take(self, rows: Sequence[Sequence[Any]]) -> None:
        """Add rows."""
        if not rows:
            return
        # zip(*rows) would go to each row again for every column, past the processor's cache.
        arrays = [make(list(map(item, rows))) for (_type, make), item in zip(self.columns, self.items)]
        if self.schema is None:
            self._settle(arrays)
        self.batches.append(self.pa.RecordBatch.from_arrays(arrays, schema=self.schema))

    def _settle(self, arrays: Sequence[Any]) -> None:
        """Fix the types: where one wasn't known, it is what the first values were."""
        found = [
            type_ if type_ is not None else array.type for (type_, _make), array in zip(self.columns, arrays)
        ]
        self.schema = self.pa.schema(list(zip(self.names, found)))
        self.columns = [
            (kept, make if type_ is not None else partial(typed, self.pa, kept))
            for (type_, make), kept in zip(self.columns, found)
        ]

    def table(self) -> Any:
        """Return all rows."""
        if self.schema is None:
            types = [type_ if type_ is not None else self.pa.null() for type_, _make in self.columns]
            self.schema = self.pa.schema(list(zip(self.names, types)))
        return self.pa.Table.from_batches(self.batches, schema=self.schema)


def typed(pa: Any, type_: Any, values: Sequence[Any]) -> Any:
    """Return values as an array of a type."""
    return pa.array(values, type=type_)


def column(pa: Any, term: Term, driver: Any) -> tuple[Any, Make]:
    """Return the type of a term's values, None where only the values can tell, and what makes an array of them."""
    field = term.field
    kind = "" if field is None else field.get_internal_type()
    convert = None
    try:
        convert = typed_converter(term, driver)
    except FieldError:  # values of unlike types: what they are shows when they come
        kind = ""
    type_ = arrow_type(pa, field, kind, term.is_computed)
    if type_ is None:
        return None, partial(converted, pa, None, convert)
    slow: Make = partial(converted, pa, type_, after(convert, finishing(field, kind, term.is_computed)))
    quick = shortcut(pa, type_, kind, term, driver)
    return type_, slow if quick is None else partial(attempted, pa, quick, slow)


def converted(pa: Any, type_: Any, convert: Callable[[Any], Any] | None, values: Sequence[Any]) -> Any:
    """Return an array of values that may each need a conversion."""
    if convert is not None:
        values = [None if value is None else convert(value) for value in values]
    return pa.array(values, type=type_)


def attempted(pa: Any, quick: Make, slow: Make, values: Sequence[Any]) -> Any:
    """Return an array made in the quick way, where the values are as that expects them."""
    try:
        return quick(values)
    except (pa.ArrowException, TypeError):
        return slow(values)


def arrow_type(pa: Any, field: Any, kind: str, computed: bool) -> Any:
    """Return the Arrow type of a field, None for one that isn't known."""
    if kind.endswith(("IntegerField", "AutoField")):
        return pa.int64()
    if kind == "DecimalField":
        return decimal_type(pa, field, computed)
    if kind == "ArrayField":
        item = arrow_type(pa, field.item_field, field.item_field.get_internal_type(), False)
        for _ in range(field.depth):
            item = pa.list_(item if item is not None else pa.string())
        return item
    if kind == "DateTimeField":
        return pa.timestamp("us", "UTC" if use_tz() else None)
    make = {
        "FloatField": pa.float64, "BooleanField": pa.bool_, "DateField": pa.date32, "BinaryField": pa.binary,
        "TimeField": partial(pa.time64, "us"), "DurationField": partial(pa.duration, "us"),
        **dict.fromkeys(TEXTS, pa.string),
    }.get(kind)  # fmt: skip
    return None if make is None else make()


TEXTS = (
    "CharField", "TextField", "SlugField", "FileField", "FilePathField", "UUIDField", "JSONField", "IPAddressField",
    "GenericIPAddressField", "SearchVectorField", "SearchQueryField",
)  # fmt: skip


def decimal_type(pa: Any, field: Any, computed: bool) -> Any:
    """Return the type of a field's decimals."""
    digits, places = getattr(field, "max_digits", None), getattr(field, "decimal_places", None)
    if computed or digits is None or places is None:
        return pa.decimal128(COMPUTED_DIGITS, COMPUTED_PLACES)
    return pa.decimal128(digits, places) if digits <= COMPUTED_DIGITS else pa.decimal256(digits, places)


def finishing(field: Any, kind: str, computed: bool) -> Callable[[Any], Any] | None:
    """Return what a value in Python's types still needs to be one of Arrow's."""
    if kind in (
        "UUIDField",
        "IPAddressField",
        "GenericIPAddressField",
        "SearchVectorField",
        "SearchQueryField",
    ):
        return str
    if kind == "JSONField":
        return json.JSONEncoder(default=str, ensure_ascii=False).encode
    if kind == "DecimalField" and computed:
        return shortened
    if kind == "ArrayField":
        each = finishing(field.item_field, field.item_field.get_internal_type(), False)
        return None if each is None else partial(deep, each, field.depth)
    return None


def deep(each: Callable[[Any], Any], depth: int, values: Any) -> Any:
    """Return a list with a conversion applied to the items of its innermost lists."""
    inner = each if depth == 1 else partial(deep, each, depth - 1)
    return [None if value is None else inner(value) for value in values]


def shortened(value: Any) -> Any:
    """Return a decimal with no more places than computed ones have."""
    if not isinstance(value, decimal.Decimal):
        value = decimal.Decimal(value)
    places = value.as_tuple().exponent
    if isinstance(places, int) and places < -COMPUTED_PLACES:
        return round_to(value)
    return value


def round_to(value: decimal.Decimal) -> decimal.Decimal:
    """Return a decimal rounded to the places that computed ones have."""
    return value.quantize(decimal.Decimal(1).scaleb(-COMPUTED_PLACES), context=_EXACT)


def after(
    first: Callable[[Any], Any] | None, then: Callable[[Any], Any] | None
) -> Callable[[Any], Any] | None:
    """Return two conversions as one."""
    if first is None or then is None:
        return then if first is None else first
    return lambda value: then(first(value))


def shortcut(pa: Any, type_: Any, kind: str, term: Term, driver: Any) -> Make | None:
    """Return how Arrow itself reads what SQLite stores, a column at a time, None where Python has to."""
    if kind == "JSONField" and driver.vendor != "postgresql" and not term.is_computed:
        return partial(typed, pa, type_)  # JSON text is what is stored
    if driver.vendor != "sqlite":
        return None
    if kind in ("DateField", "DateTimeField"):
        return partial(cast_from, pa, pa.string(), type_)
    if kind == "BooleanField":
        return partial(cast_from, pa, pa.int64(), type_)
    if term.is_computed:
        return None
    if kind == "DurationField":
        return partial(cast_from, pa, pa.int64(), type_)
    if kind == "DecimalField":
        wide = getattr(term.type, "is_wide", False)
        return partial(cast_from, pa, pa.string() if wide else pa.float64(), type_)
    return partial(hyphenated, pa) if kind == "UUIDField" else None


def cast_from(pa: Any, stored: Any, type_: Any, values: Sequence[Any]) -> Any:
    """Return stored values as an array of another type."""
    return pa.array(values, type=stored).cast(type_)


def hyphenated(pa: Any, values: Sequence[Any]) -> Any:
    """Return UUIDs of 32 digits in their usual form."""
    compute = import_module("pyarrow.compute")
    digits = pa.array(values, type=pa.string())
    if compute.all(compute.equal(compute.utf8_length(digits), 32)).as_py() is False:
        raise pa.ArrowInvalid("not 32 digits")
    places = ((0, 8), (8, 12), (12, 16), (16, 20), (20, 32))
    parts = [compute.utf8_slice_codeunits(digits, start, stop) for start, stop in places]
    return compute.binary_join_element_wise(*parts, "-")
