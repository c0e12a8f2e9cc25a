"""Whether a Q holds for given values, with no table: what `Q.check()` asks the database."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any, NoReturn, cast

import sqlalchemy as sa

from ormolu.compile.builder import Builder
from ormolu.compile.params import Params
from ormolu.compile.plan import finish
from ormolu.compile.shape import Shape
from ormolu.exceptions import DatabaseError, EmptyResultSet, FieldDoesNotExist
from ormolu.programs import Enter, Fetch, Leave, Program
from ormolu.query.query import Query
from ormolu.query.values import Value

__all__ = ["check"]

_log = logging.getLogger("ormolu.models")


class _NoModel:
    """Stands in for a model's Options: no field, and a table that nothing reads."""

    label = object_name = "the given values"
    table = sa.Table("given", sa.MetaData())
    pk = SimpleNamespace(name="pk")
    concrete_fields: tuple[Any, ...] = ()

    def get_field(self, name: str) -> NoReturn:
        raise FieldDoesNotExist(name)

    def get_fields(self, **_options: Any) -> tuple[Any, ...]:
        return ()


class _Query:
    """Stands in for a query: none of its operations, but what its names mean."""

    default_lookup, as_expression, written_lookup = (
        Query.default_lookup,
        Query.as_expression,
        Query.written_lookup,
    )

    def __init__(self, model: Any) -> None:
        self.model = model


class Given(Builder):
    """Resolves names as values."""

    def __init__(self, driver: Any, params: Params, against: Mapping[str, Any]) -> None:
        model = SimpleNamespace(_meta=_NoModel())
        super().__init__(_Query(model), params, driver)
        for name, value in against.items():
            term = self.annotation(name, value if hasattr(value, "as_term") else Value(value))
            if value is None:
                term.why = None  # a NULL of no type is compared as it is, and no error


def check(driver: Any, q: Any, against: Mapping[str, Any], savepoint: bool) -> Program[bool]:
    """Return whether a condition isn't false. One SELECT; one that the database refuses counts as true."""
    params = Params(Shape())
    try:
        condition = Given(driver, params, against).condition(q)
        one = cast(Any, sa.literal_column("1"))
        plan = finish(driver, sa.select(one).where(sa.func.coalesce(condition.sa, sa.true())), params, None)
        values = plan.bind(())
    except EmptyResultSet:
        return False
    token = (yield Enter()) if savepoint else None
    try:
        found = yield Fetch(plan.sql, values)
    except DatabaseError as error:
        if savepoint:
            yield Leave(token, True)
        _log.warning("Got a database error calling check() on %r: %s", q, error)
        return True
    if savepoint:
        yield Leave(token, False)
    return bool(found)
