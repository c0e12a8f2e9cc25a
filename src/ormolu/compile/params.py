"""The parameters of a plan: which value of a query goes where, and how it is converted."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import sqlalchemy as sa

from ormolu.compile.shape import LONGEST_LIST, Shape, bucket

Convert = Callable[[Any], Any]


class Binding(NamedTuple):
    """Where the value of one bind parameter comes from.

    `place` is a place in the values of the query; `prepare` makes a list of a
    value that is one; `pick` takes an item of it; `convert` is the field's conversion. Of a list of
    rows, which stand one after the other, `stride` is how many values a row has: each has a conversion of its own.
    """

    place: int
    convert: Convert | None = None
    prepare: Convert | None = None
    pick: int | None = None
    stride: int = 0


class Params:
    """Makes the bind parameters of one statement."""

    def __init__(self, shape: Shape) -> None:
        self.shape = shape
        self.bindings: dict[str, Binding] = {}
        self.used: set[int] = set()
        self.zone: str | None = None  # the time zone that stands in the SQL text, where one does
        self.tables: dict[int, Any] = {}  # the CTEs of the statement, by their identity
        self.table_names: list[str] = []
        self.single_use = False  # the statement holds values of this very query
        self._count = 0

    def place(self, owner: Any) -> int | None:
        """Return the place of an owner's value, None when it is a constant of the plan."""
        index = self.shape.index.get(id(owner))
        if index is not None:
            self.used.add(index)
        return index

    def table_name(self, wanted: str) -> str:
        """Return a name for a CTE: the one that is wanted, with a number if another one has it."""
        name, number = wanted, 1
        while name in self.table_names:
            number += 1
            name = f"{wanted}_{number}"
        self.table_names.append(name)
        return name

    def bind(self, owner: Any, value: Any, type_: Any, convert: Convert | None = None) -> Any:
        """Return the bind parameter for a value."""
        name = f"p{self._count}"
        self._count += 1
        index = self.place(owner)
        if index is None:
            value = convert(value) if convert else value
            return sa.bindparam(name, value, type_=type_, unique=True)
        self.bindings[name] = Binding(index, convert)
        return sa.bindparam(name, None, type_=type_, required=False)

    def bind_items(
        self,
        owner: Any,
        values: list[Any],
        type_: Any,
        convert: Convert | None,
        prepare: Convert,
        length: int,
    ) -> list[Any]:
        """Return one bind parameter for each item of a list value."""
        index = self.place(owner)
        result: list[Any] = []
        prepared = prepare(values) if index is None else ()
        for pick in range(length):
            name = f"p{self._count}"
            self._count += 1
            if index is None:
                item = prepared[pick]
                result.append(
                    sa.bindparam(name, convert(item) if convert else item, type_=type_, unique=True)
                )
            else:
                self.bindings[name] = Binding(index, convert, prepare, pick)
                result.append(sa.bindparam(name, None, type_=type_, required=False))
        return result

    def bind_rows(
        self,
        owner: Any,
        value: Any,
        columns: Sequence[tuple[Any, Convert]],
        prepare: Convert,
        rows: int,
    ) -> list[Any]:
        """Return one bind parameter for each item of some rows; `columns` are their types and conversions."""
        index = self.place(owner)
        result: list[Any] = []
        prepared = prepare(value) if index is None else ()
        for pick in range(rows * len(columns)):
            type_, convert = columns[pick % len(columns)]
            name = f"p{self._count}"
            self._count += 1
            if index is None:
                result.append(sa.bindparam(name, convert(prepared[pick]), type_=type_, unique=True))
            else:
                self.bindings[name] = Binding(index, convert, prepare, pick, len(columns))
                result.append(sa.bindparam(name, None, type_=type_, required=False))
        return result

    def bind_whole(self, owner: Any, values: list[Any], type_: Any, prepare: Convert) -> Any:
        """Return one bind parameter for a whole list (an array or a JSON text)."""
        name = f"p{self._count}"
        self._count += 1
        index = self.place(owner)
        if index is None:
            return sa.bindparam(name, prepare(values), type_=type_, unique=True)
        self.bindings[name] = Binding(index, None, prepare, None)
        return sa.bindparam(name, None, type_=type_, required=False)

    def all_used(self) -> bool:
        """Tell whether each value of the query has become a parameter or is part of the key."""
        return not self.single_use and all(
            index in self.used or value is None or value is True or value is False or is_empty(value)
            for index, value in enumerate(self.shape.values)
        )


def roomy(type_: Any, value: Any) -> Any:
    """Return the SQL type of a literal: BIGINT in place of an integer type that has no room for the value.

    How wide an integer is, is part of a plan's key.
    """
    if value.__class__ is not int or not isinstance(type_, sa.Integer) or isinstance(type_, sa.BigInteger):
        return type_
    most = 2**15 if isinstance(type_, sa.SmallInteger) else 2**31
    return type_ if -most <= value < most else sa.BigInteger()


def is_empty(value: Any) -> bool:
    """Tell whether a value is a list with nothing in it."""
    return isinstance(value, list | tuple | set | frozenset) and not value


def without_nulls(values: Any) -> list[Any]:
    """Return the values that are not None, once each, in order."""
    try:
        return [value for value in dict.fromkeys(values) if value is not None]
    except TypeError:  # unhashable items
        return [value for value in values if value is not None]


def padded(length: int) -> Convert:
    """Return a function that fills a list up to `length` by repeating its last item."""

    def fill(values: Any) -> list[Any]:
        items = [value for value in values if value is not None]
        items.extend([items[-1]] * (length - len(items)))
        return items

    return fill


__all__ = ["LONGEST_LIST", "Binding", "Params", "bucket", "padded", "roomy", "without_nulls"]
