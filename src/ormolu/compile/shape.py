"""The shape of a query: everything but the values.

Two queries of one shape share a plan. Walking a query gives a hashable key and
the list of its values, in an order that is the same for every query of that shape.
"""

from __future__ import annotations

import datetime
import decimal
import uuid
from collections.abc import Collection, Mapping
from typing import Any

from sqlalchemy.sql.elements import ClauseElement

SCALARS: frozenset[type] = frozenset(
    {
        int, str, float, bytes, decimal.Decimal, datetime.datetime, datetime.date, datetime.time,
        datetime.timedelta, uuid.UUID,
    }
)  # fmt: skip
# Up to this many values an IN list has one placeholder each; above, one array.
LONGEST_LIST = 512
# Classes for isinstance() that leave what they hold open.
_COLLECTIONS: tuple[type[Any], ...] = (list, tuple, set, frozenset)
_SEQUENCES: tuple[type[Any], ...] = (list, tuple)
_MAPPING: type[Any] = Mapping
_NULL = type(None)
# The class of texts that SQLite can't fold by itself: their lookups are other SQL.
WIDE: Any = "str beyond ASCII"
_CONSTANTS = frozenset({str, int, float, bool, type(None), bytes, decimal.Decimal, type})


class Uncacheable(Exception):
    """The query holds something whose SQL can't be told from a key."""


class Shape:
    """Collects the values of a query while its key is made.

    `values` are the values in order of appearance; `index` finds the place of a
    value by the identity of its owner (the tuple or expression that holds it).
    An owner that appears twice counts once, and the key says so.
    """

    __slots__ = ("index", "owners", "seen", "values")

    def __init__(self) -> None:
        self.values: list[Any] = []
        self.index: dict[int, int] = {}
        self.owners: list[Any] = []  # keeps the identities in `index` alive
        self.seen: dict[int, int] = {}  # the CTEs met so far, by their identity

    def literal(self, owner: Any, value: Any) -> Any:
        """Take a value that becomes a parameter; return its part of the key."""
        cls = value.__class__
        if cls in SCALARS:
            if cls is int:
                cls = width(value)
            elif cls is str and not value.isascii():
                cls = WIDE
            place = self.index.get(id(owner))
            if place is not None:
                return (cls, place)
            self.index[id(owner)] = len(self.values)
            self.owners.append(owner)
            self.values.append(value)
            return cls
        if value is None or cls is bool:
            place = self._take(owner, value)
            return value if place is None else (value, place)
        return self._other(owner, value)

    def _take(self, owner: Any, value: Any) -> int | None:
        """Take a value; return its place if it was taken before, which the key has to say."""
        place = self.index.get(id(owner))
        if place is None:
            self.index[id(owner)] = len(self.values)
            self.owners.append(owner)
            self.values.append(value)
        return place

    def _other(self, owner: Any, value: Any) -> Any:
        if hasattr(value, "shape"):  # an expression or a queryset
            return value.shape(self)
        if isinstance(value, ClauseElement) or hasattr(value, "__clause_element__"):
            return self.element(value)
        if isinstance(value, _COLLECTIONS):
            kinds = frozenset(map(type, value))
            if any(hasattr(kind, "shape") for kind in kinds):
                return ("items", tuple(self.literal(Item.of(value, n), item) for n, item in enumerate(value)))
            place = self._take(owner, value)
            nulls = 0  # which match nothing, and take no parameter
            if _NULL in kinds:
                nulls = sum(item is None for item in value)
            return ("list", bucket(len(value) - nulls), widths(value, kinds), nulls > 0, place)
        place = self._take(owner, value)
        if isinstance(value, str):
            return (value.__class__, place, value.isascii())
        return (value.__class__, place)

    def element(self, value: Any) -> Any:
        """Take a SQLAlchemy element; its bound values become values of the query."""
        element = value.__clause_element__() if hasattr(value, "__clause_element__") else value
        key = element._generate_cache_key()
        if key is None or any(map(is_rendered, key.bindparams)):
            raise Uncacheable
        places = tuple([self._take(bound, bound.effective_value) for bound in key.bindparams])
        self.owners.append(value)
        return ("sa", key.key, places)

    def item(self, value: Any) -> Any:
        """Return the key of a constructor argument of an expression."""
        cls = value.__class__
        if cls in _CONSTANTS:
            return (cls, value)
        if hasattr(value, "shape"):
            return value.shape(self)
        if hasattr(value, "deconstruct") and hasattr(value, "sa_type"):
            return field_key(value)
        if isinstance(value, _SEQUENCES):
            return (cls, tuple(self.item(part) for part in value))
        if isinstance(value, _MAPPING):
            return (cls, tuple((key, self.item(part)) for key, part in value.items()))
        if isinstance(value, ClauseElement) or hasattr(value, "__clause_element__"):
            return self.element(value)
        hash(value)
        return value


def is_rendered(bound: Any) -> bool:
    """Tell whether the SQL depends on a bound value of SQLAlchemy's, or whether it has none yet."""
    return bool(bound.expanding or bound.literal_execute or bound.required)


def width(value: int) -> Any:
    """Return the key of an integer: whether it fits a column is decided when the query is compiled.

    `int` are those that fit every one: no negative numbers, which a Positive field doesn't take.
    """
    if 0 <= value <= 32_767:
        return int
    if value < 0:
        return -width(~value) if value < -32_768 else -2
    return 4 if value <= 2_147_483_647 else 8 if value < 2**63 else 16


def widths(values: Collection[Any], found: frozenset[type]) -> Any:
    """Return the key of the items of a list: their classes, and how wide the integers among them are."""
    if tuple in found or list in found:
        return found, of_rows(values)
    if int not in found:
        return found
    integers = values if len(found) == 1 else [value for value in values if value.__class__ is int]
    widest = {width(min(integers)), width(max(integers))}
    return found if widest == {int} else (found, frozenset(widest))


def of_rows(values: Collection[Any]) -> Any:
    """Return the key of tuples in a list: about how many have no None in them, and how wide their integers are."""
    rows: list[Any] = [value for value in values if isinstance(value, _SEQUENCES)]
    items = [item for row in rows for item in row]
    if any(hasattr(item, "shape") for item in items):
        raise Uncacheable
    whole = sum(all(item is not None for item in row) for row in rows)
    return bucket(whole), frozenset(width(item) for item in items if item.__class__ is int)


class Item:
    """Stands for one item of a list as the owner of its value."""

    __slots__ = ("holder", "number")

    def __init__(self, holder: Any, number: int) -> None:
        self.holder, self.number = holder, number

    @classmethod
    def of(cls, holder: Any, number: int) -> Any:
        """Return the owner of the item with this number: the item itself where it is unique."""
        items = list(holder)
        value = items[number]
        if any(other is value for n, other in enumerate(items) if n != number):
            raise Uncacheable
        return value


def bucket(length: int) -> int:
    """Round the length of a list up, so that lists of many lengths share few plans."""
    if length > LONGEST_LIST:
        return -1
    return length if length < 3 else 1 << (length - 1).bit_length()


def field_key(field: Any) -> Any:
    """Return a key of a field given to an expression, the same for equal fields."""
    if getattr(field, "model", None) is not None:
        return (field.__class__, id(field.model), field.name)
    _name, path, args, kwargs = field.deconstruct()
    return (field.__class__, path, repr(args), repr(sorted(kwargs.items())))
