"""A random UUID (version 4) that the database makes, as the default of a UUIDField's column."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.compiler import compiles

__all__ = ["ServerUUID"]


class ServerUUID(sa.ColumnElement[Any]):
    """`gen_random_uuid()`, or what comes to the same: 32 hexadecimal digits where UUIDs are stored as text."""

    inherit_cache = True
    type = sa.Uuid()


@compiles(ServerUUID)
def _function(element: Any, compiler: Any, **kw: Any) -> str:
    return "gen_random_uuid()"


@compiles(ServerUUID, "sqlite")
def _sqlite(element: Any, compiler: Any, **kw: Any) -> str:
    random = "substr(hex(randomblob(2)), 2)"
    variant = "substr('89AB', 1 + (abs(random()) % 4), 1)"
    return f"(lower(hex(randomblob(6)) || '4' || {random} || {variant} || {random} || hex(randomblob(6))))"


@compiles(ServerUUID, "mysql", "mariadb")
def _mysql(element: Any, compiler: Any, **kw: Any) -> str:
    # MariaDB's uuid() is of version 1, and the server has no better one in all versions.
    return "(replace(uuid(), '-', ''))"
