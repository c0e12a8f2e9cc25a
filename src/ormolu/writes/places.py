"""`Meta.order_with_respect_to`: the place that a new row takes among those that refer to the same object.

It is the next after the last, or 0. The rows of one order have the same values in the columns of the relation.
Source: Django's documentation, ref/models/options, "order_with_respect_to".
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from ormolu.programs import Fetch, Program
from ormolu.writes.collector import tables_of
from ormolu.writes.statements import compile_ready
from ormolu.writes.values import conversion

__all__ = ["PLACE", "Places"]

PLACE = "_order"
"""The attribute and column of the place."""


class Places:
    """Gives places to new rows of a model, on a driver. `fields` are those whose values rows of one order share."""

    __slots__ = ("driver", "fields", "meta", "source")

    def __init__(self, driver: Any, meta: Any) -> None:
        self.driver = driver
        self.meta = meta
        self.fields: Sequence[Any] = meta.order_fields
        self.source = tables_of(meta.model, self.fields)

    def give(self, d: dict[str, Any]) -> Program[None]:
        """Give a new row its place. One SELECT."""
        next_places = yield from self._next([self._key(d)])
        d[PLACE] = next_places[0]

    def give_all(self, instances: Sequence[Any]) -> Program[None]:
        """Give places to new rows that have none yet, in their order. One SELECT for some hundred different orders."""
        todo = [i.__dict__ for i in instances if i.__dict__.get(PLACE) is None]
        if not todo:
            return
        keys = list(dict.fromkeys(self._key(d) for d in todo))
        most = max(1, min(200, self.driver.max_params // len(self.fields)))
        following: dict[tuple[Any, ...], int] = {}
        for start in range(0, len(keys), most):
            part = keys[start : start + most]
            places = yield from self._next(part)
            following.update(zip(part, places, strict=True))
        for d in todo:
            key = self._key(d)
            d[PLACE] = following[key]
            following[key] += 1

    def _key(self, d: dict[str, Any]) -> tuple[Any, ...]:
        """Return what a row has in the columns of the relation, as the driver takes it."""
        values = ((field, d.get(field.attname)) for field in self.fields)
        return tuple(
            None if value is None else conversion(self.driver, f).convert(value) for f, value in values
        )

    def _next(self, keys: Sequence[tuple[Any, ...]]) -> Program[list[int]]:
        """Return the first free place of the orders that these keys stand for."""
        ready: dict[str, Any] = {}
        last: Any = sa.func.max(self.meta.get_field(PLACE).sa_column)
        selects: list[Any] = []
        for number, key in enumerate(keys):
            columns: list[Any] = [sa.literal_column(str(number)), last]
            select: Any = sa.select(*columns).select_from(self.source)
            selects.append(select.where(*self._condition(number, key, ready)))
        statement: Any = selects[0] if len(selects) == 1 else sa.union_all(*selects)
        following = [0] * len(keys)
        rows: Any = yield Fetch(*compile_ready(self.driver, statement, ready))
        for number, found in rows:
            following[number] = 0 if found is None else found + 1
        return following

    def _condition(self, number: int, key: tuple[Any, ...], ready: dict[str, Any]) -> list[Any]:
        """Return the conditions that a row belongs to the order of a key, whose values become parameters."""
        found: list[Any] = []
        for field, value in zip(self.fields, key, strict=True):
            if value is None:
                found.append(field.sa_column.is_(None))
                continue
            name = f"k{number}_{len(found)}"
            ready[name] = value
            found.append(field.sa_column == sa.bindparam(name, type_=field.sa_column.type))
        return found
