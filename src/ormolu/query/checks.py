"""Refuse unknown names when a query is built, once per shape."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from ormolu.compile.builder import Builder
from ormolu.compile.params import Params
from ormolu.compile.shape import Shape, Uncacheable
from ormolu.exceptions import EmptyResultSet, OuterMissing, ValidationError
from ormolu.fields.locating import field_of, locate
from ormolu.fields.registry import LookupRegistry

_checked: dict[Any, _Checked] = {}
MOST = 4_000


class _Dialect:
    """Stands in for a driver while names are checked: nothing is rendered."""

    vendor = "sqlite"
    checking = True
    tuples = True
    plans: dict[Any, Any] = {}

    @property
    def dialect(self) -> Any:
        """Return SQLite's dialect."""
        from sqlalchemy.dialects import sqlite

        return sqlite.dialect()


_driver = _Dialect()


def check_condition(query: Any, q: Any) -> Any:
    """Return the condition, with None for values that their fields prepare as None.

    Raises FieldError, ValueError or TypeError if it can't be asked of the query.
    """
    nulls = _check(query, q, lambda builder: builder.filter(q))
    if nulls:
        q = with_nulls(q, nulls)
        _check(query, q, lambda builder: builder.filter(q))
    return q


def with_nulls(q: Any, owners: set[int]) -> Any:
    """Return a Q with None in the place of some values, which are told by the identity of what holds them."""
    children: list[Any] = []
    for child in q.children:
        if id(child) in owners:
            children.append((child[0], None))
        else:
            children.append(with_nulls(child, owners) if hasattr(child, "children") else child)
    return q.create(children, q.connector, q.negated)


def check_expression(query: Any, expression: Any) -> None:
    """Raise if the expression can't be resolved in the query."""
    _check(query, expression, lambda builder: builder.term(expression))


def _check(query: Any, part: Any, resolve: Callable[[Any], Any]) -> set[int]:
    """Convert the values of a part, which raises where one doesn't fit; return the owners of those that are NULL."""
    shape = Shape()
    key: Any = None
    try:
        key = (query.key(shape), shape.literal(part, part), LookupRegistry.edition)
        found = _checked.get(key)
    except (Uncacheable, TypeError):
        found = key = None
    if found is None:
        found = _resolve(query, part, shape, resolve)
        if key is not None:
            if len(_checked) >= MOST:
                _checked.clear()
            _checked[key] = found
    nulls: list[int] = []
    for index, prepare, convert, place, stride in found.values:
        if _convert(shape.values[index], prepare, convert, place, stride) is None and prepare is None:
            nulls.append(index)
    return {owner for owner, index in shape.index.items() if index in nulls} if nulls else set()


class _Checked(NamedTuple):
    """What a condition's values must go through, and what the key refers to by identity."""

    values: tuple[tuple[int, Any, Any, int, int], ...]
    owners: Any


def _resolve(query: Any, part: Any, shape: Shape, resolve: Any) -> _Checked:
    if _defers(part) or any(_defers(value) for op in query.ops for value in op[1:]):
        return _Checked((), shape.owners)
    params = Params(shape)
    builder = Builder(query, params, _driver)
    try:
        builder.replay()
        before = len(params.bindings)
        resolve(builder)
    except (EmptyResultSet, OuterMissing):
        return _Checked((), shape.owners)
    new = list(params.bindings.values())[before:]
    kept: dict[tuple[int, Any, Any, int, int], None] = {}
    for bound in new:
        if bound.convert is not None:
            place = (bound.pick or 0) % bound.stride if bound.stride else 0
            kept[bound.place, bound.prepare, bound.convert, place, bound.stride or 1] = None
    return _Checked(tuple(kept), shape.owners)


def _convert(value: Any, prepare: Any, convert: Any, place: int, stride: int) -> Any:
    """Return what a value is converted to, True for a list; raises where it does not fit.

    Of a list of rows it is that of the values at one place of each row.
    """
    try:
        if prepare is None:
            return convert(value)
        items = prepare(value)
        for item in items if stride == 1 else items[place::stride]:
            convert(item)
    except EmptyResultSet:
        return True
    except (TypeError, ValueError, ValidationError) as error:
        raise locate(error, field_of(convert), "comparing") from error.__cause__
    return True


def _defers(part: Any) -> bool:
    """Tell whether a part refers to an enclosing query, so that only that can check it."""
    from ormolu.query.q import Q
    from ormolu.query.references import OuterRef

    if isinstance(part, OuterRef):
        return True
    if isinstance(part, Q):
        return any(_defers(child[1] if isinstance(child, tuple) else child) for child in part.children)
    if hasattr(part, "query") and hasattr(part, "model"):
        return False
    sources = part.get_source_expressions() if hasattr(part, "get_source_expressions") else ()
    return any(_defers(source) for source in sources if source is not None)
