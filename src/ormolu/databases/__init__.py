"""Where queries run: databases by alias, their engines, pools, drivers and transactions.

    databases.get()                 # the alias "default"
    databases.get("replica").engine # SQLAlchemy's engine, with the same pool that Ormolu uses

What a database is comes from the setting DATABASES; see `ormolu.conf`.
"""

from __future__ import annotations

import atexit
import os
import threading
from typing import TYPE_CHECKING, Any

from ormolu.conf import settings
from ormolu.databases import ambient
from ormolu.exceptions import ImproperlyConfigured
from ormolu.lazy import door
from ormolu.near import near_names

if TYPE_CHECKING:
    from ormolu.databases.database import Database
    from ormolu.databases.observation import CapturedQuery, capture_queries

__all__ = [
    "CapturedQuery",
    "Database",
    "aclose_all",
    "aliases",
    "capture_queries",
    "close_all",
    "get",
    "opened",
    "vendor_of",
]

_open: dict[str, Database] = {}
_lock = threading.RLock()


def get(alias: str = "default") -> Database:
    """Return the database of an alias. Nothing is connected by that.

    Raises ImproperlyConfigured if there is no such alias, or no setting at all.
    """
    try:
        return _open[alias]
    except KeyError:
        pass
    # Imported here, when the first query comes: a program that declares models needs no database.
    from ormolu.databases.config import parse
    from ormolu.databases.database import Database

    with _lock:
        if alias not in _open:
            _open[alias] = Database(parse(alias, _entry(alias)))
        return _open[alias]


def _entry(alias: str) -> object:
    entries: dict[str, Any] = settings.DATABASES
    if alias in entries:
        return entries[alias]
    if not entries:
        raise ImproperlyConfigured(
            "No database is configured. Either call ormolu.configure('sqlite:///db.sqlite3'), or set the "
            "environment variable DATABASE_URL, or put DATABASES into a settings.py (or "
            "[tool.ormolu.databases] into pyproject.toml) in the working directory."
        )
    close = near_names(alias, entries)
    hint = f" Did you mean {close[0]!r}?" if close else ""
    raise ImproperlyConfigured(
        f"There is no database {alias!r}.{hint} Configured: {', '.join(map(repr, entries))}."
    )


def vendor_of(alias: str = "default") -> str:
    """Return the kind of database that an alias is (`sqlite`, `postgresql`, `mysql`, ...), "" where there is none.

    Unlike `get()` it never raises: what a field allows may be asked before anything is configured.
    """
    known = _open.get(alias)
    if known is not None:
        return known.vendor
    return get(alias).vendor if alias in settings.DATABASES else ""


def aliases() -> list[str]:
    """Return the aliases of all configured databases."""
    return list(settings.DATABASES)


def opened() -> list[Database]:
    """Return the databases that were used since the last configuration."""
    return list(_open.values())


def close_all() -> None:
    """Close the idle connections of all databases. They open again when needed."""
    with _lock:
        for database in list(_open.values()):
            database.close()


async def aclose_all() -> None:
    """Close the idle connections of all databases, those of the running loop properly.

    Call it when the program ends.
    """
    for database in list(_open.values()):
        await database.aclose()


def _forget_all() -> None:
    """Close and forget all databases: their settings were replaced, or the program ends."""
    with _lock:
        databases = list(_open.values())
        _open.clear()
    for database in databases:
        database.close(forget=True)


def _forget_plans() -> None:
    """Let open databases plan their queries anew: values are converted in another way."""
    for database in opened():
        database.forget_plans()


settings.on_change(_forget_all, "DATABASES")
settings.on_change(_forget_plans, "USE_TZ", "TIME_ZONE", "VALIDATE_ON_SAVE")
atexit.register(_forget_all)


def _after_fork() -> None:
    """Let a forked process open connections of its own, and leave its parent's alone."""
    global _lock
    _lock = threading.RLock()  # whoever held it is not here
    ambient.current.set(None)
    for database in opened():
        database.after_fork()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)


if not TYPE_CHECKING:
    __getattr__, __dir__ = door(
        __name__, {"database": "Database", "observation": "CapturedQuery capture_queries"}
    )
