"""What an SQLite connection is set up with: pragmas, functions, a busy timeout, autocommit."""

from __future__ import annotations

import contextlib
import os
import sqlite3
from typing import Any

import sqlalchemy as sa
from sqlalchemy import event

from ormolu.databases.config import DatabaseConfig
from ormolu.databases.sqlite import functions
from ormolu.exceptions import ImproperlyConfigured

__all__ = ["Releasing", "prepare_sqlite", "sqlite_arguments", "sqlite_budget"]

BUDGET_MS = 0.5
"""Milliseconds that a read of async code may take in the event loop's own thread, unless OPTIONS say otherwise."""

SQLITE_PRAGMAS: dict[str, Any] = {
    "journal_mode": "WAL",
    "synchronous": "NORMAL",
    "foreign_keys": True,
}
"""Defaults; an OPTIONS entry or a query parameter of the same name replaces one, None leaves it alone."""

_KNOWN_PRAGMAS = {
    "auto_vacuum", "cache_size", "case_sensitive_like", "foreign_keys", "journal_mode", "journal_size_limit",
    "mmap_size", "page_size", "recursive_triggers", "secure_delete", "synchronous", "temp_store",
    "wal_autocheckpoint",
}  # fmt: skip


class Releasing(sqlite3.Connection):
    """A connection that lets go of its locks when it is closed, even with a statement half way.

    SQLite closes such a connection only when the last statement is gone, and aiosqlite keeps a cursor that was cut off
    until it is collected as garbage.
    """

    def close(self) -> None:
        """Undo what is open, and close."""
        with contextlib.suppress(sqlite3.Error):
            if self.in_transaction:
                self.rollback()
        super().close()


def sqlite_arguments(
    config: DatabaseConfig, connect_args: dict[str, Any], url: sa.URL | None = None
) -> tuple[sa.URL, dict[str, Any]]:
    """Split what a user gave for SQLite into the URL, connect() arguments and pragmas."""
    url = url if url is not None else config.url
    query = dict(url.query)
    pragmas = dict(SQLITE_PRAGMAS)
    for source in (query, connect_args):
        for name in [name for name in source if name in _KNOWN_PRAGMAS]:
            pragmas[name] = source.pop(name)
        if (busy := source.pop("busy_timeout", None)) is not None:
            wait = float(str(busy))
            connect_args["timeout"] = (
                wait / 1000 if wait >= 100 else wait
            )  # milliseconds, as the pragma has them
    pragmas.update(connect_args.pop("pragmas", None) or {})
    for statement in str(connect_args.pop("init_command", "") or "").split(";"):
        name, equals, value = statement.replace("PRAGMA", "").replace("pragma", "").partition("=")
        if equals:
            pragmas[name.strip()] = value.strip()
    if str(connect_args.pop("transaction_mode", "") or "").upper() not in (
        "",
        "IMMEDIATE",
        "DEFERRED",
        "EXCLUSIVE",
    ):
        raise ImproperlyConfigured(
            f"DATABASES[{config.alias!r}]: transaction_mode must be IMMEDIATE, DEFERRED or EXCLUSIVE."
        )
    connect_args.pop("loop_budget_ms", None)
    query.pop("loop_budget_ms", None)
    connect_args.setdefault("timeout", float(str(query.pop("timeout", 5.0))))
    connect_args.setdefault("cached_statements", 512)
    connect_args["isolation_level"] = None
    connect_args["check_same_thread"] = False
    if config.memory or query.get("mode") in ("ro", "memory") or query.get("immutable"):
        pragmas.pop("journal_mode", None)
    if (url.database or "").startswith("file:"):
        query.setdefault("uri", "true")
    elif url.database and url.database != ":memory:":
        url = url.set(database=os.path.expanduser(url.database))
    return url.set(query=query), pragmas


def sqlite_budget(config: DatabaseConfig) -> float:
    """Return the seconds that a read of async code may take in the event loop's own thread; 0 for never there.

    The option `loop_budget_ms` has them in milliseconds. Raises ImproperlyConfigured if that is no such number.
    """
    given: Any = config.options.get("loop_budget_ms", config.url.query.get("loop_budget_ms", BUDGET_MS))
    try:
        budget = float(given) / 1000
    except (TypeError, ValueError):
        budget = -1.0
    if not 0 <= budget < float("inf"):
        raise ImproperlyConfigured(
            f"DATABASES[{config.alias!r}]: loop_budget_ms must be a number of milliseconds, 0 or more, not {given!r}."
        )
    return budget


def prepare_sqlite(engine: Any, pragmas: dict[str, Any], config: DatabaseConfig) -> None:
    """Set up every new SQLite connection: pragmas and functions."""
    statements = [f"PRAGMA {name} = {_pragma_value(config, name, value)}" for name, value in pragmas.items()
                  if value is not None]  # fmt: skip

    def set_up(native: Any) -> None:
        for statement in statements:
            native.execute(statement)
        functions.register(native)

    def prepare(connection: Any, _record: Any) -> None:
        if hasattr(connection, "run_async"):
            functions.in_its_thread(connection, set_up)
        else:
            set_up(connection)

    event.listen(engine, "connect", prepare)


def _pragma_value(config: DatabaseConfig, name: str, value: Any) -> str:
    """Return a pragma's value as SQL; it can't be a parameter, so only words and numbers pass."""
    text = str(int(value)) if isinstance(value, bool) else str(value)
    if not name.isidentifier() or not text.replace("-", "").replace("_", "").isalnum():
        raise ImproperlyConfigured(
            f"DATABASES[{config.alias!r}]: the pragma {name!r} must be a word or a number, not {value!r}."
        )
    return text
