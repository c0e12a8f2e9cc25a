"""Say in an error which model's field a value was meant for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import sqlalchemy.exc

from ormolu.exceptions import DataError, Error, OutOfRange, ValidationError

__all__ = ["field_of", "locate", "located"]


def locate(error: BaseException, field: Any, doing: str = "writing") -> BaseException:
    """Return the error with the model and field added to its text: the same one, where it can be changed."""
    model = getattr(field, "model", None)
    if model is None:
        return error
    name = f"{model._meta.label}.{field.name}"
    where = f" ({doing} {name})"
    if name in str(error):
        return error
    if isinstance(error, ValidationError):
        for one in getattr(error, "error_list", ()):
            if isinstance(one.message, str):
                one.message += where
        if isinstance(getattr(error, "message", None), str):
            error.args = (error.message, *error.args[1:])
        return error
    if (
        type(error) in (TypeError, ValueError, DataError, OutOfRange)
        and error.args
        and isinstance(error.args[0], str)
    ):
        error.args = (error.args[0] + where, *error.args[1:])
        return error
    if isinstance(error, sqlalchemy.exc.StatementError) and not isinstance(error, Error):
        return DataError(f"{error.orig or error}{where}")
    error.add_note(where.strip())
    return error


def located(convert: Callable[[Any], Any], field: Any) -> Callable[[Any], Any]:
    """Return a conversion whose errors name the field."""

    def convert_or_name(value: Any) -> Any:
        try:
            return convert(value)
        except (TypeError, ValueError) as error:
            raise locate(error, field) from error.__cause__

    return convert_or_name


def field_of(convert: Callable[[Any], Any]) -> Any:
    """Return the field whose conversion this is, None if it is nobody's."""
    return getattr(convert, "field", None) or getattr(convert, "__self__", None)
