"""djanorm's loggers: statements, slow ones, and the pools' beginnings and ends.

- `dorm.db.backends.<vendor>`: each statement at DEBUG, one that took DORM_SLOW_QUERY_MS (500) or longer at WARNING;
- `dorm.db.lifecycle.<vendor>`: at INFO, when a pool is opened or closed.

They speak while the settings are djanorm's (`dorm.configure()`, or a file), and are silent in a program that has
called `ormolu.configure()`, whose loggers are `ormolu.sql`, `ormolu.sql.slow` and `ormolu.pool`.
"""

from __future__ import annotations

import logging
from typing import Any

from ormolu.conf import settings
from ormolu.ports.djanorm.conf import MARK, completed, slow_query_ms
from ormolu.signals import pool_closed, pool_opened, post_query

__all__ = ["look", "start"]


def look() -> None:
    """Listen, or stop that, as the settings say. A file that nobody has read yet is left alone."""
    _listen(MARK in settings.known())


def _file_read(values: dict[str, Any]) -> dict[str, Any]:
    _listen(True)
    return completed(values)


def _listen(wanted: bool) -> None:
    if wanted:
        post_query.connect(_statement, weak=False)
        pool_opened.connect(_opened, weak=False)
        pool_closed.connect(_closed, weak=False)
    else:
        post_query.disconnect(_statement)
        pool_opened.disconnect(_opened)
        pool_closed.disconnect(_closed)


def _statement(sender: str, sql: str, params: Any, elapsed_ms: float, error: BaseException | None) -> None:
    log = logging.getLogger(f"dorm.db.backends.{sender}")
    slow = elapsed_ms >= slow_query_ms()
    level = logging.WARNING if slow else logging.DEBUG
    if not log.isEnabledFor(level):
        return
    what = "slow query " if slow else "failed " if error is not None else ""
    log.log(level, "%s(%.2f ms) %s; params=%r", what, elapsed_ms, sql, params)


def _opened(sender: str, alias: str, is_async: bool) -> None:
    _tell(sender, alias, is_async, "opened")


def _closed(sender: str, alias: str, is_async: bool) -> None:
    _tell(sender, alias, is_async, "closed")


def _tell(vendor: str, alias: str, is_async: bool, what: str) -> None:
    kind = "async" if is_async else "sync"
    logging.getLogger(f"dorm.db.lifecycle.{vendor}").info("%s pool of %r %s", kind, alias, what)


def start() -> None:
    """Listen whenever the settings are djanorm's, from now on."""
    if _file_read not in settings._adapters:
        settings.on_change(look, MARK)
        settings.adapt_files(_file_read)
