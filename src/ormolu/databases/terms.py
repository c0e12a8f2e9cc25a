"""What a transaction is begun with: its isolation, whether it may write, how long it waits.

The words are SQL's. What a kind of database can't do is refused when the block is entered, and the error names what
it can.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from math import ceil
from typing import Literal, TypeAlias

from ormolu.exceptions import NotSupportedError, TransactionManagementError

__all__ = ["IMMEDIATE", "LEVELS", "Isolation", "Terms", "make_terms", "postgresql_begin", "refuse"]

Isolation: TypeAlias = Literal[
    "read uncommitted", "read committed", "repeatable read", "serializable",
    "READ UNCOMMITTED", "READ COMMITTED", "REPEATABLE READ", "SERIALIZABLE",
]  # fmt: skip
"""How far a transaction is kept from what others do at the same time. Source: the SQL standard."""

LEVELS = ("read uncommitted", "read committed", "repeatable read", "serializable")
"""The levels, each at least as strict as the one before it."""


@dataclass(frozen=True, slots=True)
class Terms:
    """What a block asks of its transaction. Most ask for nothing, and have none."""

    isolation: str | None = None
    read_only: bool = False
    deferrable: bool = False
    immediate: bool = False
    lock_timeout: float | None = None
    """Seconds."""
    statement_timeout: float | None = None
    """Seconds."""

    def check_inside(self, outer: Terms | None) -> None:
        """Raise TransactionManagementError if the transaction that is open is not what an inner block asks for."""
        around = outer or Terms()
        if self.isolation is not None and (
            around.isolation is None or LEVELS.index(around.isolation) < LEVELS.index(self.isolation)
        ):
            raise _too_late(
                f"isolation={self.isolation!r}", around.isolation or "the database's own isolation"
            )
        for name in ("read_only", "deferrable", "lock_timeout", "statement_timeout"):
            wanted, given = getattr(self, name), getattr(around, name)
            if wanted and wanted != given:
                raise _too_late(f"{name}={wanted!r}", f"{name}={given!r}")


IMMEDIATE = Terms(immediate=True)
"""SQLite's write lock from the first statement on."""


def _too_late(wanted: str, given: str) -> TransactionManagementError:
    return TransactionManagementError(
        f"atomic({wanted}) inside of a block that has {given}: a transaction is begun once, so say it in the "
        "outermost block."
    )


def make_terms(
    isolation: str | None = None,
    read_only: bool = False,
    deferrable: bool = False,
    immediate: bool = False,
    lock_timeout: float | timedelta | None = None,
    statement_timeout: float | timedelta | None = None,
) -> Terms | None:
    """Return the terms of a block, None if it asks for nothing.

    Raises ValueError for a level that does not exist, a time that is not positive, and terms that exclude each other.
    """
    level = None if isolation is None else _level(isolation)
    if deferrable and not (read_only and level == "serializable"):
        raise ValueError(
            "deferrable=True means something only together with isolation='serializable' and read_only=True: such a "
            "transaction waits until it can read without ever failing."
        )
    if immediate and read_only:
        raise ValueError("immediate=True takes the write lock, which read_only=True has no use for.")
    terms = Terms(
        level,
        read_only,
        deferrable,
        immediate,
        _seconds("lock_timeout", lock_timeout),
        _seconds("statement_timeout", statement_timeout),
    )
    return None if terms == Terms() else terms


def _level(isolation: object) -> str:
    name = isolation.lower().replace("_", " ").replace("-", " ") if isinstance(isolation, str) else None
    if name not in LEVELS:
        raise ValueError(f"isolation must be one of {', '.join(map(repr, LEVELS))}, not {isolation!r}.")
    return name


def _seconds(name: str, value: float | timedelta | None) -> float | None:
    if value is None:
        return None
    seconds = value.total_seconds() if isinstance(value, timedelta) else float(value)
    if not 0 < seconds < 2_000_000:
        raise ValueError(f"{name} must be a number of seconds above 0, or a timedelta, not {value!r}.")
    return seconds


def refuse(terms: Terms, vendor: str, levels: Iterable[str], can: Iterable[str]) -> None:
    """Raise NotSupportedError if a database has no such level, or none of these other terms."""
    known = tuple(levels)
    if terms.isolation is not None and terms.isolation not in known:
        choices = (
            f"isolation may be {', '.join(map(repr, known))}" if known else "isolation can't be set per block"
        )
        raise NotSupportedError(f"There is no isolation={terms.isolation!r} on {vendor}: {choices}.")
    possible = ("read_only", "immediate", *can)
    for name in ("deferrable", "lock_timeout", "statement_timeout"):
        if getattr(terms, name) and name not in possible:
            raise NotSupportedError(f"There is no {name} on {vendor}: it has {', '.join(sorted(possible))}.")


def milliseconds(seconds: float) -> int:
    """Return a time as databases have it: rounded up, for 0 would be none at all."""
    return ceil(seconds * 1000)


def postgresql_begin(terms: Terms | None) -> list[str]:
    """Return the statements that begin a transaction on PostgreSQL."""
    if terms is None:
        return ["BEGIN"]
    words = ["BEGIN"]
    if terms.isolation is not None:
        words.append(f"ISOLATION LEVEL {terms.isolation.upper()}")
    if terms.read_only:
        words.append("READ ONLY")
    if terms.deferrable:
        words.append("DEFERRABLE")
    statements = [" ".join(words)]
    for name in ("lock_timeout", "statement_timeout"):
        seconds: float | None = getattr(terms, name)
        if seconds is not None:
            statements.append(f"SET LOCAL {name} = {milliseconds(seconds)}")
    return statements
