"""From a driver's exception to ours: one place for all drivers.

The driver's exception is the `__cause__` of ours, and `orig`. Drivers that follow PEP 249 name their
classes alike, so a class is translated by the name of the first of its bases that PEP 249 knows.
"""

from __future__ import annotations

from typing import Any

from ormolu import exceptions
from ormolu.databases.postgresql.errors import class_of_sqlstate
from ormolu.exceptions import DatabaseError, Error, IntegrityError, OperationalError

__all__ = ["translate", "translate_sqlalchemy"]

_NAMES = {
    name: getattr(exceptions, name)
    for name in (
        "Error",
        "InterfaceError",
        "DatabaseError",
        "DataError",
        "OperationalError",
        "IntegrityError",
        "InternalError",
        "ProgrammingError",
        "NotSupportedError",
    )
}
# What MySQL and MariaDB say of a broken constraint, in drivers that call it an OperationalError: NOT NULL, a number
# below what an unsigned column holds, CHECK on MySQL, CHECK on MariaDB.
_BROKEN_CONSTRAINTS = frozenset({1048, 1690, 3819, 4025})
_classes: dict[type[BaseException], type[Error] | None] = {}


def error_class(raised: type[BaseException]) -> type[Error] | None:
    """Return our class for a driver's exception class, None for one that is no database error."""
    if raised not in _classes:
        names = (_NAMES[base.__name__] for base in raised.__mro__ if base.__name__ in _NAMES)
        _classes[raised] = next(names, None)
    return _classes[raised]


def _constraint(error: BaseException, kind: type[Error] | None) -> type[Error] | None:
    """Return IntegrityError for a broken constraint that the driver has no class for."""
    if kind is OperationalError and error.args and error.args[0].__class__ is int:
        return IntegrityError if error.args[0] in _BROKEN_CONSTRAINTS else kind
    return kind


def translate(error: BaseException, sql: str | None = None, params: Any = None) -> BaseException:
    """Return our exception for a driver's; one that is no database error stays as it is."""
    kind = _constraint(error, error_class(type(error)))
    return error if kind is None else kind(str(error), statement=sql, params=params, orig=error)


def translate_sqlalchemy(error: Any, sql: str | None = None, params: Any = None) -> BaseException:
    """Return our exception for one that SQLAlchemy wrapped around a driver's."""
    if isinstance(error, Error):
        return error
    orig = getattr(error, "orig", None)
    if orig is None:
        return OperationalError(str(error)) if type(error).__name__ == "TimeoutError" else error
    # SQLAlchemy's async adapters put a PEP 249 look-alike around the driver's own exception.
    names = [_NAMES[base.__name__] for base in type(error).__mro__ if base.__name__ in _NAMES]
    kind = _constraint(orig, names[0] if names else None) or DatabaseError
    if kind in (DatabaseError, Error) and (code := getattr(orig, "sqlstate", None)):
        kind = class_of_sqlstate(code)  # that of asyncpg has no class for most
    made: BaseException = kind(str(orig), statement=sql or error.statement, params=params, orig=orig)
    return made
