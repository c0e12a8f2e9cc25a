"""Expressions that a row is written with: `save()` and `create()` with an F or a function in place of a value."""

from __future__ import annotations

from typing import Any

from ormolu.compile.builder import Builder
from ormolu.compile.change import Assignment, assigned
from ormolu.compile.params import Params
from ormolu.compile.shape import Shape
from ormolu.exceptions import FieldError


def sql_value(driver: Any, model: Any, field: Any, value: Any) -> Any:
    """Return the SQLAlchemy element of an expression that a field is set to, over the table of `model`.

    Literals in it are bound parameters with their values. Raises FieldError for aggregates, window functions, and
    references across relations.
    """
    query = model._base_manager.all().query.for_model(model)
    return assigned(Builder(query, Params(Shape()), driver), Assignment(field, value))


def sql_condition(driver: Any, model: Any, condition: Any) -> Any:
    """Return the SQLAlchemy element of a Q, or of an expression that is true or false, over the table of `model`.

    Literals in it are bound parameters with their values. Raises FieldError for references across relations,
    EmptyResultSet and FullResultSet for what is always false or true.
    """
    builder = Builder(model._base_manager.all().query.for_model(model), Params(Shape()), driver)
    builder.allow_joins = False
    found = builder.condition(condition) if hasattr(condition, "children") else builder.boolean(condition)
    if found.joins:
        raise FieldError(f"Joined field references are not permitted in this query (where={condition!r}).")
    return found.sa
