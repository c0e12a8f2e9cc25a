"""Transactions that are held for long: a warning that says where.

An open transaction holds a connection and its locks, and keeps the server from cleaning up. One that is open for
longer than the setting LONG_TRANSACTION_MS is logged at WARNING on `ormolu.transaction`, when it ends.
"""

from __future__ import annotations

import logging
import sys
from time import perf_counter
from typing import Any

from ormolu import databases
from ormolu.conf import settings

__all__ = ["held"]

_log = logging.getLogger("ormolu.transaction")


class Held:
    """The limit, in seconds; 0 for none."""

    __slots__ = ("limit",)

    def __init__(self) -> None:
        self.limit = 0.0

    def look(self) -> None:
        """Read the setting: when a database is opened, and when it changes after that."""
        self.limit = max(0.0, settings.LONG_TRANSACTION_MS / 1000)

    def note(self, block: Any, alias: str) -> None:
        """Warn if a transaction that has just ended was open for too long. Its block is left by the caller's caller."""
        took = perf_counter() - block.since
        if 0 < self.limit < took:
            _log.warning(
                "A transaction on %r was open for %.3g seconds (LONG_TRANSACTION_MS is %d): %s",
                alias,
                took,
                self.limit * 1000,
                _where(),
            )


def _where() -> str:
    """Return the line of the program that leaves the block: of a `with`, that is where it begins."""
    frame = sys._getframe(1)
    while frame.f_back is not None and str(frame.f_globals.get("__name__", "")).startswith("ormolu."):
        frame = frame.f_back
    code = frame.f_code
    return f"{code.co_qualname} in {code.co_filename}, line {frame.f_lineno}"


held = Held()


def _changed() -> None:
    if databases.opened():  # else nothing shall be read yet
        held.look()


settings.on_change(_changed, "LONG_TRANSACTION_MS")
