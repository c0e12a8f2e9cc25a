"""Expressions that a row is written with: `save()` and `create()` with an F or a function in place of a value."""

from __future__ import annotations

from typing import Any

from ormolu.compile.builder import Builder
from ormolu.compile.change import Assignment, assigned
from ormolu.compile.params import Params
from ormolu.compile.shape import Shape


def sql_value(driver: Any, model: Any, field: Any, value: Any) -> Any:
    """Return the SQLAlchemy element of an expression that a field is set to, over the table of `model`.

    Literals in it are bound parameters with their values. Raises FieldError for aggregates, window functions, and
    references across relations.
    """
    query = model._base_manager.all().query.for_model(model)
    return assigned(Builder(query, Params(Shape()), driver), Assignment(field, value))
