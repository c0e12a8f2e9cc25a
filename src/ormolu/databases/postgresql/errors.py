"""PostgreSQL's error codes as exception classes, for drivers that do not follow PEP 249.

Source: PostgreSQL's documentation, appendix "Error Codes"; the classes are those that psycopg chooses.
"""

from __future__ import annotations

from ormolu import exceptions
from ormolu.exceptions import Error

__all__ = ["class_of_sqlstate"]

_CLASSES: dict[str, type[Error]] = {
    "0A": exceptions.NotSupportedError,
    "20": exceptions.ProgrammingError,
    "21": exceptions.ProgrammingError,
    "22": exceptions.DataError,
    "23": exceptions.IntegrityError,
    "24": exceptions.InternalError,
    "25": exceptions.InternalError,
    "2B": exceptions.InternalError,
    "2D": exceptions.InternalError,
    "2F": exceptions.InternalError,
    "38": exceptions.InternalError,
    "39": exceptions.InternalError,
    "3B": exceptions.InternalError,
    "3D": exceptions.ProgrammingError,
    "3F": exceptions.ProgrammingError,
    "42": exceptions.ProgrammingError,
    "44": exceptions.ProgrammingError,
    "F0": exceptions.InternalError,
    "P0": exceptions.ProgrammingError,
    "XX": exceptions.InternalError,
}


def class_of_sqlstate(code: str | None) -> type[Error]:
    """Return the exception class of a code; OperationalError for what is not the caller's fault."""
    if not code:
        return exceptions.DatabaseError
    return _CLASSES.get(code[:2], exceptions.OperationalError)
