"""`dorm.conf`: settings, with djanorm's defaults where those differ from Ormolu's.

They count after `dorm.configure(...)`, and where the settings come from a file, the one that DORM_SETTINGS names or
`settings.py`:

- `USE_TZ` is False: datetimes are naive;
- on a server at most 10 connections in each world, `MAX_IDLE` 600, `MAX_LIFETIME` 3600 seconds, and `POOL_CHECK`: it is
  asked `SELECT 1` before each use of a connection. `POOL_CHECK=False` spares that round trip: a connection that the
  server has dropped is noticed all the same, but for the moment in which that happens;
- a connection that can't be made is tried again as DORM_RETRY_ATTEMPTS (3) and DORM_RETRY_BACKOFF (0.1) say;
- SQLite's journal is the DELETE one, unless OPTIONS say `journal_mode`: Ormolu's own default is WAL, which you want;
- statements are logged under djanorm's names: see `ormolu.ports.djanorm.db.logs`.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from ormolu import conf
from ormolu.conf import Settings, settings

__all__ = ["Settings", "configure", "settings"]

MARK = "DJANORM"
"""The setting by which the port knows that the settings are for it."""

_POOL = {
    "MIN_POOL_SIZE": 1,
    "MAX_POOL_SIZE": 10,
    "POOL_TIMEOUT": 30.0,
    "MAX_IDLE": 600.0,
    "MAX_LIFETIME": 3600.0,
}
_CHECK = {"POOL_CHECK", "POOL_PRE_PING", "CONN_HEALTH_CHECKS"}
_RETRIES = ("CONNECT_RETRIES", "CONNECT_BACKOFF")


def configure(**values: Any) -> Settings:
    """Set the settings, with djanorm's defaults: see `ormolu.configure()`. Return them."""
    return conf.configure(**completed(values))


def completed(values: dict[str, Any]) -> dict[str, Any]:
    """Return settings with djanorm's defaults for what they don't say."""
    databases: Any = values.get("DATABASES")
    # The port has a logger of its own for slow statements.
    found = {"USE_TZ": False, "SLOW_QUERY_MS": float("inf"), MARK: True, **values}
    if isinstance(databases, Mapping):
        entries: Mapping[str, Any] = databases  # pyright: ignore[reportUnknownVariableType]
        found["DATABASES"] = {alias: _entry(entry) for alias, entry in entries.items()}
    return found


def retry_attempts() -> int:
    """Return DORM_RETRY_ATTEMPTS, 3 where it is not set or no such number."""
    try:
        return max(1, int(os.environ.get("DORM_RETRY_ATTEMPTS", "3")))
    except ValueError:
        return 3


def retry_backoff() -> float:
    """Return DORM_RETRY_BACKOFF, in seconds, 0.1 where it is not set or no such number."""
    try:
        return max(0.0, float(os.environ.get("DORM_RETRY_BACKOFF", "0.1")))
    except ValueError:
        return 0.1


def slow_query_ms() -> float:
    """Return DORM_SLOW_QUERY_MS, in milliseconds, 500 where it is not set or no number."""
    try:
        return float(os.environ.get("DORM_SLOW_QUERY_MS", "500"))
    except ValueError:
        return 500.0


def _entry(entry: Any) -> Any:
    """Return an entry of DATABASES with the pool's defaults, if it is a dictionary and about a server."""
    if not isinstance(entry, Mapping):
        return entry
    given: Mapping[str, Any] = entry  # pyright: ignore[reportUnknownVariableType]
    written = {str(key).upper() for key in given}
    engine = str(given.get("ENGINE") or given.get("engine") or given.get("URL") or given.get("url") or "")
    if "sqlite" in engine:
        options: Any = given.get("OPTIONS") or given.get("options") or {}
        rest = {key: value for key, value in given.items() if str(key).upper() != "OPTIONS"}
        return {**rest, "OPTIONS": {"journal_mode": "DELETE", **options}}
    defaults: dict[str, Any] = dict(zip(_RETRIES, (retry_attempts() - 1, retry_backoff())))
    if written.isdisjoint(_CHECK):
        defaults["POOL_CHECK"] = True
    if written.isdisjoint({"POOL_SIZE", "MAX_OVERFLOW"}):
        defaults |= _POOL
        most: Any = given.get("MAX_POOL_SIZE") or given.get("max_pool_size")
        if isinstance(most, int):
            defaults["MIN_POOL_SIZE"] = min(1, most)
    return {**{key: value for key, value in defaults.items() if key not in written}, **given}


if "DORM_SETTINGS" not in conf.FILE_VARIABLES:
    conf.FILE_VARIABLES.append("DORM_SETTINGS")
