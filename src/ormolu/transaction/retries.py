"""Running a transaction again that lost against another one: a serialization failure, or a deadlock."""

from __future__ import annotations

import random
from typing import Any

from ormolu.exceptions import Error

__all__ = ["Tries", "worth_it"]

FIRST, LONGEST = 0.02, 2.0
"""Seconds: the most that the first pause lasts, and any one."""


def worth_it(error: BaseException) -> bool:
    """Say whether the same transaction may succeed when it is run again.

    So it is when a database's error says so, be it this one, or what the program says was its cause.
    """
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, Error) and seen.retryable:
            return True
        seen = seen.__cause__
    return False


class Tries:
    """How often a function has been tried as a transaction, and whether it is to be tried again.

    `conn` is the connection of the block around it, if any: only a whole transaction can be run again, not a part.
    """

    def __init__(self, conn: Any, retries: int) -> None:
        self._left = retries if conn is None or not conn.blocks else 0
        self._done = 0

    def another(self, error: BaseException) -> bool:
        """Say whether to try once more after an error; if not, its notes tell how often it was tried."""
        self._done += 1
        if self._left > 0 and worth_it(error):
            self._left -= 1
            return True
        if self._done > 1:
            error.add_note(f"The transaction was tried {self._done} times.")
        return False

    def pause(self) -> float:
        """Return how long to wait, in seconds: a random time, twice as long at most after each try."""
        return random.uniform(0, min(LONGEST, FIRST * 2 ** (self._done - 1)))
