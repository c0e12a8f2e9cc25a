"""PostgreSQL's error codes as exception classes, for drivers that do not follow PEP 249; and what cures some errors.

Source: PostgreSQL's documentation, appendix "Error Codes"; the classes are those that psycopg chooses.
"""

from __future__ import annotations

import re

from ormolu import exceptions
from ormolu.exceptions import Error

__all__ = ["class_of_sqlstate", "with_cure"]

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


_TEXT = r"(?:text|character varying|unknown)"
_EXTENSIONS = {
    "pg_trgm": re.compile(
        rf"function \w*similarity\(|does not exist: {_TEXT} (?:%|%>|%>>|<->|<<->|<<<->) {_TEXT}"
    ),
    "unaccent": re.compile(r"function unaccent\("),
    "pgcrypto": re.compile(r"function digest\("),
}


def with_cure(error: BaseException) -> BaseException:
    """Return the error; where what doesn't exist is part of an extension, its text says how to have that."""
    if isinstance(error, exceptions.ProgrammingError) and "does not exist" in str(error):
        for extension, pattern in _EXTENSIONS.items():
            if pattern.search(str(error)):
                error.detail.append(f"It is part of the extension {extension}: CREATE EXTENSION {extension}")
    return error
